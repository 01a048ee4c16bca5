/**
 * How large a world is searched: the bounds of the store, and what the environment may do.
 *
 * Small on purpose. A rule that fails, fails in a world of two streams and six records; what such a world lacks (many
 * segments, long chains, large numbers) is the conformance run's business.
 */
import type { Bounds, StreamBounds } from './vocabulary.ts';
import { flushAtSectors } from './vocabulary.ts';

export interface Scope {
  readonly name: string;
  readonly bounds: Bounds;
  /** Per stream: its mark \`appended\` never passes this. */
  readonly recordsMax: readonly number[];
  /** Sectors in use from which flush() is called; the threshold and close() ask for flushes by themselves. */
  readonly flushCallFrom: number;
  readonly checkpointAnytime: boolean;
  readonly removeAtOnce: boolean;
  readonly piecemeal: readonly number[];
  readonly recordsPerBlock: number;
  readonly blocksPerSegment: number;
  /** Tries to open without coming to an end, one after the other. Crashes and faults at large have no bound. */
  readonly attemptsMax: number;
  readonly damagesMax: number;
  readonly emergenciesMax: number;
}

/**
 * What the environment has done so far on a path, of what it may do a number of times only. Power cuts and failures are
 * not counted: the search goes on after any number of them, because the states they lead to are finitely many.
 */
export interface Harm {
  readonly damages: number;
  readonly emergencies: number;
}

export const NO_HARM: Harm = { damages: 0, emergencies: 0 };

/** Two streams of different kind over two sources. */
export const TWO_STREAMS: readonly StreamBounds[] = [
  { source: 'host', kind: 'tsd', periodMs: 1000 },
  { source: 'mgc', kind: 'evt', periodMs: 0 },
];

/** A segment weighs 1 here, so that the quota counts segments. */
function boundsOf(disk: boolean, sectors: number, quotaSegments: number): Bounds {
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
  bounds: boundsOf(true, 4, 3),
  recordsMax: [4, 2],
  flushCallFrom: 1,
  checkpointAnytime: false,
  removeAtOnce: true,
  piecemeal: [0],
  recordsPerBlock: 2,
  blocksPerSegment: 2,
  attemptsMax: 2,
  damagesMax: 0,
  emergenciesMax: 0,
};

export const WICED_SCOPE: Scope = {
  ...LINUX_SCOPE,
  name: 'wiced',
  bounds: boundsOf(false, 4, 0),
};

export const scopeWith = (scope: Scope, change: Partial<Scope>): Scope => ({ ...scope, ...change });

export const tinyBounds = boundsOf;
