/** A running store's snapshot as a state of the model, and what the invariants can say of it. */
import { newContext } from '../../../model/initial.ts';
import type { InvariantId } from '../../../model/invariants/index.ts';
import type { ModelState } from '../../../model/step.ts';
import type { LiveSnapshot } from '../../../src/live.ts';
import { boundsShown, engineState } from './engine-state.ts';
import type { Verdict } from './verdicts.ts';
import { verdictsOf } from './verdicts.ts';

/** Those that speak of where records are; the others speak of events and contents, which a running store does not show. */
const OF_PLACES: readonly InvariantId[] = [
  'INV-01',
  'INV-02',
  'INV-04',
  'INV-05',
  'INV-06',
  'INV-07',
  'INV-08',
  'INV-10',
];

/** Those of them that need no list of records. */
const OF_MARKS: readonly InvariantId[] = ['INV-07', 'INV-08', 'INV-10'];

/** More records than these are not listed for the sake of a check twice a second. */
const RECORDS_MAX = 5_000;

export interface LiveState {
  readonly state: ModelState;
  readonly keys: readonly { readonly source: string; readonly sensor: number }[];
  readonly verdicts: readonly Verdict[];
  /** Invariants that were asked. */
  readonly asked: readonly InvariantId[];
}

export function liveState({ inspection, stats, disk }: LiveSnapshot): LiveState {
  const { pool, streams } = inspection;
  const shown = { ...inspection, pool: { ...pool, free: Array.from({ length: pool.free }, (_, i) => i) } };
  const keys = streams.map(({ source, sensor }) => ({ source, sensor }));
  const few =
    stats.retained <= RECORDS_MAX && streams.every(({ head, durableHead }) => head - durableHead <= RECORDS_MAX);
  const base = newContext(boundsShown(shown, disk));
  const state = engineState(base, keys, shown, few);
  const asked = few ? OF_PLACES : OF_MARKS;
  return { state, keys, asked, verdicts: verdictsOf({ state, taken: [] }).filter(({ id }) => asked.includes(id)) };
}
