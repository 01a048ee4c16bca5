/**
 * How large a world is searched: the bounds of the store, and what its users and the environment may do.
 *
 * Small on purpose. A rule that fails, fails in a world of two streams and six records; what such a world lacks (many
 * segments, long chains, large numbers) is the conformance run's business. Every scope is searched to its end. Power
 * cuts, failed flushes and failed opens have no bound: the states they lead to are finitely many, and are all visited.
 *
 * One large scope with every freedom would have tens of millions of states. So the large one leaves out the freedoms
 * that the two smaller ones have: flush() and checkpoints at any time, damage, an emergency.
 */
import type { Bounds, StreamBounds, StreamIndex } from './vocabulary.ts';
import { flushAtSectors } from './vocabulary.ts';

export interface Scope {
  readonly name: string;
  readonly bounds: Bounds;
  /** Per stream: its mark `appended` never passes this. */
  readonly recordsMax: readonly number[];
  readonly recordsPerBlock: number;
  readonly blocksPerSegment: number;
  /** What a segment weighs against the quota. */
  readonly segmentBytes: number;
  /** Streams that are also read and acknowledged one by one; the others in whole batches only. */
  readonly piecemeal: readonly StreamIndex[];
  /** Streams whose records nobody reads or discards. Default: none. */
  readonly untouched?: readonly StreamIndex[];
  /** Sectors in use from which on flush() is called. The threshold and close() ask for flushes by themselves. */
  readonly flushCallFrom: number;
  /** False: a checkpoint is made when it lets a segment go, and a segment that may go goes before anything else. */
  readonly upkeepAnytime: boolean;
  /** Tries to open, one after the other, of which all but the last fail or lose power. */
  readonly attemptsMax: number;
  readonly damagesMax: number;
  readonly emergenciesMax: number;
}

/** What the environment has done so far on a path, of what it may do a number of times only. */
export interface Harm {
  readonly damages: number;
  readonly emergencies: number;
}

export const NO_HARM: Harm = { damages: 0, emergencies: 0 };

/** Two streams of different kind over two sources. */
const TWO_STREAMS: readonly StreamBounds[] = [
  { source: 'host', kind: 'tsd', periodMs: 1000 },
  { source: 'mgc', kind: 'evt', periodMs: 0 },
];

/** A segment weighs 1 here, so that the quota counts segments. */
export function smallBounds(disk: boolean, sectors: number, quotaSegments: number): Bounds {
  return {
    disk,
    streams: TWO_STREAMS,
    sectors,
    recordsPerSector: { tsd: 2, evt: 2 },
    flushAtSectors: flushAtSectors(sectors),
    quotaBytes: quotaSegments,
    segmentBytesMax: 1,
  };
}

export const LINUX_SCOPE: Scope = {
  name: 'linux',
  bounds: smallBounds(true, 4, 3),
  recordsMax: [3, 3],
  recordsPerBlock: 2,
  blocksPerSegment: 2,
  segmentBytes: 1,
  piecemeal: [0],
  flushCallFrom: 4,
  upkeepAnytime: false,
  attemptsMax: 2,
  damagesMax: 0,
  emergenciesMax: 0,
};

export const LINUX_UPKEEP_SCOPE: Scope = {
  ...LINUX_SCOPE,
  name: 'linux, flush and upkeep at any time, an emergency',
  recordsMax: [2, 1],
  flushCallFrom: 1,
  upkeepAnytime: true,
  emergenciesMax: 1,
};

export const LINUX_DAMAGE_SCOPE: Scope = {
  ...LINUX_SCOPE,
  name: 'linux, flush at any time, a damaged block',
  recordsMax: [2, 1],
  flushCallFrom: 1,
  damagesMax: 1,
};

export const WICED_SCOPE: Scope = {
  ...LINUX_SCOPE,
  name: 'wiced',
  bounds: smallBounds(false, 4, 0),
  recordsMax: [4, 2],
};

export const PROFILES = ['linux', 'wiced'] as const;
export type Profile = (typeof PROFILES)[number];

export const SCOPES: Readonly<Record<Profile, readonly Scope[]>> = {
  linux: [LINUX_SCOPE, LINUX_UPKEEP_SCOPE, LINUX_DAMAGE_SCOPE],
  wiced: [WICED_SCOPE],
};

/**
 * Where a weakened machine is looked for a fault, smallest first: a pool of two sectors is full and over its threshold
 * after three records, a quota of two segments is passed by the second flush.
 */
export const MUTATION_SCOPES: readonly Scope[] = [
  { ...WICED_SCOPE, name: 'wiced, 2 sectors', bounds: smallBounds(false, 2, 0), recordsMax: [3, 1] },
  {
    ...LINUX_DAMAGE_SCOPE,
    name: 'linux, 2 sectors, quota of 2',
    bounds: smallBounds(true, 2, 2),
    recordsMax: [2, 1],
  },
  { ...LINUX_UPKEEP_SCOPE, name: 'linux, 2 sectors, quota of 3', bounds: smallBounds(true, 2, 3), recordsMax: [2, 1] },
  { ...LINUX_SCOPE, name: 'linux, RAM full', bounds: smallBounds(true, 2, 3), recordsMax: [3, 1], flushCallFrom: 2 },
];
