/**
 * The worlds that the tour covers to the last edge: each a store for the engine, and the bounds of the search in it.
 *
 * Small, as the scopes of the model's own search are, and with the sizes of the real engine: its smallest pool, its
 * smallest quota, a segment of one allocation unit. Each has one theme, so that together they hold every state, every
 * event and every outcome of a guard, in some ten thousand edges instead of more than a million.
 */
import type { Scope } from '../../model/scope.ts';
import { ALLOCATION_BYTES } from '../../src/core/disk-index.ts';
import type { Profile, Scenario, ScenarioStream } from '../actions.ts';
import { boundsOf, quotaBytesMin } from '../refinement.ts';

export interface TourScope {
  readonly scenario: Scenario;
  readonly scope: Scope;
  /** I/O operations fail, one at a time. */
  readonly faults: boolean;
  /** More calls are made in the turn of one that sets the engine off. */
  readonly turns: boolean;
}

const SECTORS = 4;
const SECTOR_BYTES = 32;
/** So many records never fill a block or a segment: their bounds are elsewhere. */
const NO_BOUND = 1_000;

const TSD: ScenarioStream = { source: 'host', sensor: 1, kind: 'tsd', periodMs: 1_000, type: 'int32', priority: 0 };
/** The same sensor id as the other's: another stream, in another source. */
const EVT: ScenarioStream = { source: 'mgc', sensor: 1, kind: 'evt', periodMs: 0, type: 'uint32', priority: 0 };

interface Freedom
  extends Pick<Scope, 'name' | 'recordsMax'>,
    Partial<
      Pick<
        Scope,
        'piecemeal' | 'untouched' | 'flushCallFrom' | 'upkeepAnytime' | 'attemptsMax' | 'damagesMax' | 'emergenciesMax'
      >
    > {
  readonly faults?: boolean;
  readonly turns?: boolean;
  /** The least quota that the engine takes: four segments. Otherwise so much that no copy is in another's way. */
  readonly tight?: boolean;
}

function tourScope(profile: Profile, streams: readonly ScenarioStream[], freedom: Freedom): TourScope {
  const { faults = false, turns = false, tight = false, ...world } = freedom;
  const scenario: Scenario = {
    profile,
    mode: 'disk',
    streams,
    sectors: SECTORS,
    sectorBytes: SECTOR_BYTES,
    quotaBytes: quotaBytesMin(SECTORS, SECTOR_BYTES) * (tight ? 1 : 2),
    whenDiskFull: 'evict-oldest',
    durableAcknowledge: false,
    // Where something is damaged, the reader of the tour is to find it.
    contentEverySteps: world.damagesMax === undefined ? 1 : 0,
  };
  const scope: Scope = {
    bounds: boundsOf(scenario),
    recordsPerBlock: NO_BOUND,
    blocksPerSegment: NO_BOUND,
    segmentBytes: ALLOCATION_BYTES,
    piecemeal: [],
    flushCallFrom: SECTORS + 1,
    upkeepAnytime: false,
    attemptsMax: 1,
    damagesMax: 0,
    emergenciesMax: 0,
    ...world,
  };
  return { scenario, scope, faults, turns };
}

export const TOUR_SCOPES: readonly TourScope[] = [
  tourScope('wiced', [TSD, EVT], {
    name: 'wiced, the oldest sector gives way',
    recordsMax: [4, 1],
    piecemeal: [0],
    turns: true,
  }),
  tourScope('linux', [TSD, EVT], {
    name: 'linux, two sources, upkeep at any time',
    recordsMax: [1, 1],
    flushCallFrom: 1,
    upkeepAnytime: true,
    turns: true,
  }),
  tourScope('linux', [EVT], {
    name: 'linux, I/O fails, opened again and again',
    recordsMax: [2],
    piecemeal: [0],
    flushCallFrom: 1,
    attemptsMax: 2,
    faults: true,
    turns: true,
  }),
  tourScope('linux', [TSD], { name: 'linux, RAM full', recordsMax: [5], untouched: [0], faults: true }),
  tourScope('linux', [EVT], { name: 'linux, quota', recordsMax: [5], untouched: [0], flushCallFrom: 1, tight: true }),
  tourScope('linux', [EVT], { name: 'linux, power is failing', recordsMax: [2], emergenciesMax: 1 }),
  tourScope('linux', [EVT], { name: 'linux, a damaged block', recordsMax: [2], flushCallFrom: 1, damagesMax: 1 }),
];

/** Seconds instead of half a minute: for tests, and for looking at a changed engine. */
export const QUICK_TOUR_SCOPES: readonly TourScope[] = [
  tourScope('wiced', [TSD, EVT], { name: 'wiced, quick', recordsMax: [2, 1], turns: true }),
  tourScope('linux', [EVT], {
    name: 'linux, quick',
    recordsMax: [1],
    flushCallFrom: 1,
    attemptsMax: 2,
    faults: true,
    turns: true,
  }),
];
