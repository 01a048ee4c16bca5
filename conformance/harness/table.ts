/**
 * The numbered tests: number, title and group, as operators know them. What each does is in tests/, a file a group.
 */
import type { Bench } from './bench.ts';

export type Run = (bench: Bench) => Promise<void>;

export const GROUPS = [
  'platform',
  'state',
  'records',
  'legacy',
  'volume',
  'flush',
  'disk',
  'trouble',
  'whole',
] as const;
export type Group = (typeof GROUPS)[number];

export interface HarnessTest {
  readonly number: number;
  readonly title: string;
  readonly group: Group;
}

const row = (number: number, title: string, group: Group): HarnessTest => ({ number, title, group });

export const TESTS: readonly HarnessTest[] = [
  row(1, 'Platform initialization', 'platform'),
  row(2, 'State management', 'state'),
  row(3, 'Write operations', 'records'),
  row(4, 'Erase operations', 'records'),
  row(5, 'Mathematical invariants', 'state'),
  row(6, 'Sector allocation', 'state'),
  row(7, 'Error handling', 'state'),
  row(8, 'Cross-platform consistency', 'platform'),
  row(9, 'Unified write', 'records'),
  row(10, 'Data lifecycle', 'records'),
  row(11, 'Legacy interface', 'legacy'),
  row(12, 'Stress', 'volume'),
  row(13, 'Storage backend', 'platform'),
  row(14, 'Helper integration', 'platform'),
  row(15, 'Statistics', 'state'),
  row(16, 'Corruption reproduction', 'records'),
  row(17, 'Legacy read', 'legacy'),
  row(18, 'Legacy erase', 'legacy'),
  row(19, 'Legacy complete', 'legacy'),
  row(20, 'High-frequency writes', 'volume'),
  row(21, 'High-frequency reads', 'volume'),
  row(22, 'Mixed high-frequency', 'volume'),
  row(23, 'High volume', 'volume'),
  row(24, 'Disk infrastructure', 'disk'),
  row(25, 'Mode management', 'flush'),
  row(26, 'Disk I/O', 'flush'),
  row(27, 'RAM to disk flush', 'flush'),
  row(28, 'Recovery operations', 'disk'),
  row(29, 'Real data flush at 80 %', 'flush'),
  row(30, 'Chronological consumption', 'disk'),
  row(31, '256 MB limit', 'disk'),
  row(32, 'Full cycle', 'flush'),
  row(33, 'Recovery after crash', 'trouble'),
  row(34, 'Concurrent multi-CSD', 'trouble'),
  row(35, 'Performance and stress', 'whole'),
  row(36, 'Real disk I/O', 'disk'),
  row(37, 'Disk space management', 'disk'),
  row(38, 'Error recovery', 'trouble'),
  row(39, 'Path handling', 'disk'),
  row(40, 'Checksum and integrity', 'trouble'),
  row(41, 'Flush and gather', 'flush'),
  row(42, 'Full integration', 'whole'),
  row(99, 'Comprehensive validation', 'whole'),
];

export const NUMBERS: readonly number[] = TESTS.map(({ number }) => number);

/** The tests of a group by their numbers; loaded when they are asked for. */
export async function testsOf(group: Group): Promise<Readonly<Record<number, Run>>> {
  switch (group) {
    case 'platform':
      return (await import('./tests/platform.ts')).PLATFORM;
    case 'state':
      return (await import('./tests/state.ts')).STATE;
    case 'records':
      return (await import('./tests/records.ts')).RECORDS;
    case 'legacy':
      return (await import('./tests/legacy.ts')).LEGACY;
    case 'volume':
      return (await import('./tests/volume.ts')).VOLUME;
    case 'flush':
      return (await import('./tests/flush.ts')).FLUSH;
    case 'disk':
      return (await import('./tests/disk.ts')).DISK;
    case 'trouble':
      return (await import('./tests/trouble.ts')).TROUBLE;
    case 'whole':
      return (await import('./tests/whole.ts')).WHOLE;
  }
}
