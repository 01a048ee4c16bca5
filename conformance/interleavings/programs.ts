/**
 * Short concurrent programs: what several callers do at once, as data. explore.ts tries every order of each.
 *
 * A caller makes its calls in order and waits for none of them. Calls of different callers fall in any order, between any
 * two ends of I/O operations. Streams are even in number: then the run looks at content seldom, and readers meet blocks
 * on the disk that nobody has read before.
 */
import type { Action, Scenario, ScenarioStream } from '../actions.ts';
import { boundsOf, quotaBytesMin } from '../refinement.ts';

export interface Program {
  readonly name: string;
  readonly scenario: Scenario;
  /** Done in this order before the callers begin. */
  readonly setUp: readonly Action[];
  readonly callers: readonly (readonly Action[])[];
  /** I/O operations that fail, at most, wherever they do. Default 0. */
  readonly faultsMax?: number;
  /** Small enough for every test run. */
  readonly quick: boolean;
}

const EVT: ScenarioStream = { source: 'host', sensor: 1, kind: 'evt', periodMs: 0, type: 'uint32', priority: 0 };
const TSD: ScenarioStream = { source: 'host', sensor: 2, kind: 'tsd', periodMs: 1_000, type: 'int32', priority: 255 };
const OTHER_SOURCE: ScenarioStream = { ...EVT, source: 'mgc', priority: 9 };

const SECTORS = 8;
const SECTOR_BYTES = 32;
const START_MS = 1_700_000_000_000;

const STORE: Scenario = {
  profile: 'linux',
  mode: 'disk',
  streams: [EVT, TSD],
  sectors: SECTORS,
  sectorBytes: SECTOR_BYTES,
  quotaBytes: 4 * quotaBytesMin(SECTORS, SECTOR_BYTES),
  whenDiskFull: 'evict-oldest',
  durableAcknowledge: false,
};

/** Two sources, so two directory syncs a flush. */
const TWO_SOURCES: Scenario = { ...STORE, streams: [EVT, OTHER_SOURCE] };

/** Segments of one allocation unit each that fit beside a flush of one more. */
const TINY: Scenario = { ...STORE, quotaBytes: quotaBytesMin(SECTORS, SECTOR_BYTES) };
const SEGMENTS_THAT_FIT = Math.floor(boundsOf(TINY).quotaBytes / 4_096);

const append = (stream: number, value: number): Action => ({
  do: 'append',
  stream,
  bits: value,
  timeMs: START_MS + 1_000 * value,
});
const appends = (stream: number, from: number, to: number): Action[] =>
  Array.from({ length: to - from }, (_, i) => append(stream, from + i));
const read = (stream: number, max: number): Action => ({ do: 'read', stream, max });
const acknowledge = (stream: number, n: number): Action => ({ do: 'acknowledge', stream, n });
const discard = (stream: number, n: number): Action => ({ do: 'discard', stream, n });
const revert = (stream: number): Action => ({ do: 'revert', stream });
const FLUSH: Action = { do: 'flush' };
const CHECKPOINT: Action = { do: 'checkpoint' };
const CLOSE: Action = { do: 'close' };
const EMERGENCY: Action = { do: 'emergencyFlush', deadlineMs: 200 };
const OPEN: readonly Action[] = [{ do: 'open' }, { do: 'drain' }];
const FLUSHED: readonly Action[] = [FLUSH, { do: 'drain' }];
const HOLD: Action = { do: 'holdReads', hold: true };

/** Records 0 to 3 of stream 0 on disk in two segments, 3 to 5 in RAM; one is pending, the second segment was never read. */
const HALF_ON_DISK: readonly Action[] = [
  ...OPEN,
  append(0, 0),
  ...FLUSHED,
  ...appends(0, 1, 3),
  ...FLUSHED,
  ...appends(0, 3, 5),
  append(1, 0),
  read(0, 1),
  HOLD,
];

/** Two segments, the first one fully acknowledged: the next checkpoint unlinks it. */
const ONE_DEAD_SEGMENT: readonly Action[] = [
  ...OPEN,
  ...appends(0, 0, 2),
  ...FLUSHED,
  ...appends(0, 2, 5),
  ...FLUSHED,
  read(0, 2),
  { do: 'drain' },
  acknowledge(0, 2),
  HOLD,
];

/** As many segments as fit: the next flush evicts the oldest. */
const DISK_FULL: readonly Action[] = [
  ...OPEN,
  ...Array.from({ length: SEGMENTS_THAT_FIT }, (_, i) => [append(0, i), ...FLUSHED]).flat(),
  append(0, SEGMENTS_THAT_FIT),
  HOLD,
];

export const PROGRAMS: readonly Program[] = [
  {
    name: 'flush || append',
    scenario: STORE,
    setUp: HALF_ON_DISK,
    callers: [[FLUSH], [append(0, 5)]],
    quick: true,
  },
  {
    name: 'flush || read || acknowledge',
    scenario: STORE,
    setUp: HALF_ON_DISK,
    callers: [[FLUSH], [read(0, 3)], [acknowledge(0, 1)]],
    quick: true,
  },
  {
    name: 'flush || checkpoint || discard',
    scenario: STORE,
    setUp: HALF_ON_DISK,
    callers: [[FLUSH], [CHECKPOINT], [discard(0, 2)]],
    quick: true,
  },
  {
    name: 'flush || flush || close',
    scenario: STORE,
    setUp: HALF_ON_DISK,
    callers: [[FLUSH], [FLUSH], [CLOSE]],
    quick: true,
  },
  {
    name: 'flush || append, flush || close',
    scenario: STORE,
    setUp: HALF_ON_DISK,
    callers: [[FLUSH], [append(0, 5), FLUSH], [CLOSE]],
    quick: false,
  },
  {
    name: 'read held || eviction',
    scenario: TINY,
    setUp: DISK_FULL,
    callers: [[read(0, 2)], [FLUSH]],
    quick: true,
  },
  {
    name: 'read held || eviction || discard',
    scenario: TINY,
    setUp: DISK_FULL,
    callers: [[read(0, 2)], [FLUSH], [discard(0, 1)]],
    quick: false,
  },
  {
    name: 'read, acknowledge || eviction || revert',
    scenario: TINY,
    setUp: DISK_FULL,
    callers: [[read(0, 1), acknowledge(0, 1)], [FLUSH], [revert(0)]],
    quick: false,
  },
  {
    name: 'emergencyFlush || append, append || read',
    scenario: TWO_SOURCES,
    setUp: [...HALF_ON_DISK],
    callers: [[EMERGENCY], [append(0, 5), append(1, 1)], [read(0, 5)]],
    quick: false,
  },
  {
    name: 'emergencyFlush || append',
    scenario: TWO_SOURCES,
    setUp: HALF_ON_DISK,
    callers: [[EMERGENCY], [append(1, 1)]],
    quick: true,
  },
  {
    name: 'flush || emergencyFlush || append',
    scenario: TWO_SOURCES,
    setUp: HALF_ON_DISK,
    callers: [[FLUSH], [EMERGENCY], [append(1, 1)]],
    quick: false,
  },
  {
    name: 'flush || emergencyFlush || close',
    scenario: TWO_SOURCES,
    setUp: HALF_ON_DISK,
    callers: [[FLUSH], [EMERGENCY], [CLOSE]],
    quick: false,
  },
  {
    name: 'durable acknowledge, acknowledge || flush || revert',
    scenario: { ...STORE, durableAcknowledge: true },
    setUp: [...HALF_ON_DISK.slice(0, -1), read(0, 2), { do: 'drain' }, HOLD],
    callers: [[acknowledge(0, 1), acknowledge(0, 1)], [FLUSH], [revert(0)]],
    quick: false,
  },
  {
    name: 'unlink || read || revert',
    scenario: STORE,
    setUp: ONE_DEAD_SEGMENT,
    callers: [[CHECKPOINT], [read(0, 2), acknowledge(0, 1)], [revert(0)]],
    quick: true,
  },
  {
    name: 'read, acknowledge all || unlink || append, flush',
    scenario: STORE,
    setUp: ONE_DEAD_SEGMENT,
    callers: [[read(0, 3), acknowledge(0, 3)], [CHECKPOINT], [append(0, 5), FLUSH]],
    quick: false,
  },
  {
    name: 'close || read || append',
    scenario: STORE,
    setUp: HALF_ON_DISK,
    callers: [[CLOSE], [read(0, 5)], [append(0, 5)]],
    quick: true,
  },
  {
    name: 'read || read || revert || flush',
    scenario: STORE,
    setUp: HALF_ON_DISK,
    callers: [[read(0, 1)], [read(0, 2)], [revert(0)], [FLUSH]],
    quick: false,
  },
  {
    name: 'reads of two streams || flush',
    scenario: TWO_SOURCES,
    setUp: [...OPEN, ...appends(0, 0, 2), ...appends(1, 0, 2), ...FLUSHED, append(0, 2), HOLD],
    callers: [[read(0, 3), acknowledge(0, 1)], [read(1, 1)], [FLUSH]],
    quick: false,
  },
  {
    name: 'threshold reached || read, acknowledge || checkpoint',
    scenario: STORE,
    setUp: [...OPEN, ...appends(0, 0, 10), ...appends(1, 0, 1), HOLD],
    callers: [[...appends(0, 10, 13)], [read(0, 4), acknowledge(0, 4)], [CHECKPOINT]],
    quick: false,
  },
  {
    name: 'pool full || flush || discard',
    scenario: STORE,
    setUp: [...OPEN, ...appends(0, 0, 14), HOLD],
    callers: [[...appends(0, 14, 17)], [FLUSH], [discard(0, 3)]],
    quick: false,
  },
  {
    name: 'flush || flush, one I/O operation fails',
    scenario: STORE,
    setUp: HALF_ON_DISK,
    callers: [[FLUSH], [FLUSH]],
    faultsMax: 1,
    quick: true,
  },
  {
    name: 'flush || acknowledge || append, one I/O operation fails',
    scenario: STORE,
    setUp: HALF_ON_DISK,
    callers: [[FLUSH], [acknowledge(0, 1)], [append(0, 5)]],
    faultsMax: 1,
    quick: false,
  },
  {
    name: 'checkpoint || read || acknowledge || discard || append',
    scenario: STORE,
    setUp: HALF_ON_DISK,
    callers: [[CHECKPOINT], [read(0, 2)], [acknowledge(0, 1)], [discard(1, 1)], [append(1, 1)]],
    quick: false,
  },
  {
    name: 'flush || append || read || acknowledge || discard',
    scenario: STORE,
    setUp: HALF_ON_DISK,
    callers: [[FLUSH], [append(0, 5)], [read(0, 3)], [acknowledge(0, 1)], [discard(1, 1)]],
    quick: false,
  },
];
