/**
 * One life for the liveness mode: a generated beginning with power cuts, faults that stay, a slow disk and one that others
 * fill, and then the end of all faults, behind which the store must come to rest, be in RAM mode, and save everything.
 *
 * The steps are drawn as the run goes, from its seed and from what the model enables; what was taken is a trace like any.
 */
import { pendingOf } from '../../model/queries.ts';
import { SOURCE_DIRECTORIES } from '../../src/core/port.ts';
import type { Action, TraceRule } from '../actions.ts';
import type { OperationKind } from '../disk-operations.ts';
import type { StoreRun } from '../driver.ts';
import { drawFault, nextAction } from '../generator.ts';
import { Random } from '../random.ts';

/** Steps of the beginning at most. */
const BEGINNING_STEPS_MAX = 120;
/** Of the beginning's steps, the share that makes the disk worse, or better for a while. */
const WEATHER_SHARE = 0.06;
const EVERYTHING = 1_000_000;

/**
 * I/O operations and retries within which a store of the kit's size (at most 20 sectors, four streams, some 30 files) comes
 * to rest when faults have ended: a recovery, a flush that failed, and one more.
 */
export const REST_STEPS_MAX = 200;
/** The longest delay of a retry; a store that waits longer has forgotten to try again. */
export const REST_MS_MAX = 60_000;

const CHANGES: readonly OperationKind[] = ['write', 'sync', 'syncDirectory', 'remove', 'rename', 'freeBytes'];

/** One kind of operation, all that change the disk, or reads of segments: a log that cannot be read is the damage mode's. */
function drawKinds(random: Random): Pick<TraceRule, 'kind' | 'directory'> {
  if (random.chance(0.15)) return { kind: 'read', directory: random.pick(SOURCE_DIRECTORIES) };
  return { kind: random.chance(0.7) ? random.pick(CHANGES) : CHANGES };
}

function drawRule(random: Random): TraceRule {
  const which = drawKinds(random);
  const skip = random.below(6);
  if (random.chance(0.2)) return { ...which, skip, times: 1, fault: 'slow' };
  // One that stays, or as many as one retry after the other meets.
  return { ...which, skip, ...(random.chance(0.5) ? {} : { times: 1 + random.below(8) }), fault: drawFault(random) };
}

function drawWeather(random: Random): Action {
  switch (random.below(6)) {
    case 0:
      return { do: 'space', bytes: random.pick([0, 100, 4_096, 20_000]) };
    case 1:
      return { do: 'faultsEnd' };
    case 2:
      return { do: 'wait', ms: random.pick([100, 5_000, 200_000]) };
    default:
      return { do: 'fault', rule: drawRule(random) };
  }
}

const isOpen = ({ model: { lifecycle } }: StoreRun): boolean => lifecycle === 'ram' || lifecycle === 'flushing';

/** What every store must do when faults have ended. Each entry is asked for when those before it have been taken. */
type Wish = (run: StoreRun) => Action[];

const settled: Action = { do: 'settled', withinSteps: REST_STEPS_MAX, withinMs: REST_MS_MAX, saved: false };
const saved: Action = { ...settled, saved: true };

const perStream = (make: (stream: number, run: StoreRun) => Action[]): Wish => {
  return (run) => run.scenario.streams.flatMap((_, stream) => make(stream, run));
};

/** On a disk that is full and may not evict, room comes from the uploader alone. */
const uploadAll: readonly Wish[] = [
  perStream((stream) => [{ do: 'read', stream, max: EVERYTHING }]),
  () => [{ do: 'rest' }],
  perStream((stream, run) => {
    const state = run.model.context.streams[stream];
    const n = state === undefined ? 0 : pendingOf(state) + state.forgiven;
    return n === 0 ? [] : [{ do: 'acknowledge', stream, n }];
  }),
  () => [{ do: 'checkpoint' }, { do: 'rest' }],
];

const wishes: readonly Wish[] = [
  () => [{ do: 'faultsEnd' }, { do: 'holdReads', hold: false }, { do: 'rest' }],
  // Closed, cut off or failed before: recovery ends, too.
  (run) => (isOpen(run) ? [] : [{ do: 'open' }, { do: 'rest' }]),
  () => [settled],
  perStream((stream, run) => [{ do: 'append', stream, bits: 0xbeef + stream, timeMs: run.clock.wallMs }]),
  (run) => (run.scenario.whenDiskFull === 'refuse-new' ? [] : [{ do: 'flush' }, { do: 'rest' }, saved]),
];

const whenRefusing: readonly Wish[] = [
  ...uploadAll,
  perStream((stream, run) => [{ do: 'append', stream, bits: 0xfeed + stream, timeMs: run.clock.wallMs }]),
  () => [{ do: 'flush' }, { do: 'rest' }, saved],
];

const closing: readonly Wish[] = [
  () => [{ do: 'crash', choice: { kind: 'power', keep: 'nothing' } }, { do: 'open' }, { do: 'rest' }, settled],
];

/** The steps of a life, one a call; null at its end. */
export function life(seed: number): (run: StoreRun) => Action | null {
  const random = new Random(seed);
  let left = 1 + random.below(BEGINNING_STEPS_MAX);
  let queue: Action[] = [];
  let plan: Wish[] | null = null;
  return (run) => {
    while (left > 0) {
      left--;
      if (random.chance(WEATHER_SHARE)) return drawWeather(random);
      const action = nextAction(run.view(), { entry: random.next(), payload: random.next() });
      if (action !== null) return action;
    }
    plan ??= [...wishes, ...(run.scenario.whenDiskFull === 'refuse-new' ? whenRefusing : []), ...closing];
    while (queue.length === 0) {
      const wish = plan.shift();
      if (wish === undefined) return null;
      queue = wish(run);
    }
    return queue.shift() ?? null;
  };
}
