/**
 * A flush that may end early, as the model sees it (contract section 4: power is failing, highest priority first).
 *
 * The model's flush says in its first event whether it may end before it has taken everything, and commits once. The
 * engine learns of the power failure when a flush may be running already, and commits after each priority. So:
 *
 *     emergencyFlush() is called     the running flush is one that may end early, as if it had begun so: the event that
 *                                    began it is the environment's choice, and nothing else follows from that choice
 *     its own flush begins           asked for by the call
 *     part of it is committed        FLUSH_DONE with all its guards and invariants, behind which the flush goes on
 *
 * What such a flush may not do: commit a lower priority before a higher one is on disk (`judgePriorities`).
 */
import type { ModelState } from '../model/step.ts';
import { stateOf } from '../model/step.ts';
import type { Context } from '../model/vocabulary.ts';
import { syncedMark } from '../model/vocabulary.ts';
import type { Scenario } from './actions.ts';
import { expect } from './divergence.ts';

/** The state in which the running flush, if there is one, may end early. */
export function inEmergency(state: ModelState): ModelState {
  const { context, value } = state;
  if (context.flush === null || context.flush.emergency) return state;
  return stateOf(value, { ...context, flush: { ...context.flush, emergency: true } });
}

/** The state in which a flush is asked for: the call asks for one of its own, also when the store has begun to close since. */
export function askedFor(state: ModelState): ModelState {
  const { context, value } = state;
  return context.flushRequested ? state : stateOf(value, { ...context, flushRequested: true });
}

/** `committed` is the state behind FLUSH_DONE; what it gives is that state with the flush still running. */
export function goesOn(before: ModelState, committed: ModelState): ModelState {
  const { flush, flushRequested, counters } = before.context;
  const context = {
    ...committed.context,
    flush,
    flushRequested,
    counters: { ...committed.context.counters, flushes: counters.flushes },
  };
  return stateOf(before.value, context);
}

/** @throws Divergence when a stream got further on disk while one of higher priority was not where the flush takes it. */
export function judgePriorities({ streams }: Scenario, before: Context, after: Context): void {
  const targets = before.flush?.targets ?? [];
  streams.forEach(({ priority }, i) => {
    const moved = (after.streams[i]?.synced ?? 0) > (before.streams[i]?.synced ?? 0);
    if (!moved) return;
    streams.forEach((higher, j) => {
      const stream = after.streams[j];
      if (higher.priority <= priority || stream === undefined) return;
      expect(
        syncedMark(stream) >= (targets[j] ?? 0),
        'priority order',
        () =>
          `stream ${i} of priority ${priority} is saved, stream ${j} of priority ${higher.priority} only to ${syncedMark(stream)} of ${targets[j]}`,
      );
    });
  });
}
