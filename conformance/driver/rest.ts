/**
 * Time goes on, and the store comes to rest once faults have stopped (contract section 8, liveness).
 *
 * @returns of each: false when it has no meaning now.
 */
import { sectorsUsed, syncedMark } from '../../model/vocabulary.ts';
import type { Action } from '../actions.ts';
import { expect } from '../divergence.ts';
import { settle } from './answered.ts';
import { endFaults, REST_WITHIN } from './disk-actions.ts';
import type { RunState } from './run-state.ts';

export function waitForTimer(run: RunState): boolean {
  const inMs = run.clock.nextTimerInMs;
  return inMs !== null && wait(run, inMs);
}

export function wait(run: RunState, ms: number): boolean {
  const inMs = run.clock.nextTimerInMs;
  // The engine has one timer: the delay after a failed flush.
  if (inMs !== null && inMs <= ms && run.model.enabled({ type: 'RETRY_DUE' })) run.observe({ type: 'RETRY_DUE' });
  run.clock.advance(ms);
  return true;
}

/** Faults have stopped: the store comes to rest in RAM mode. One that may not evict may go on asking for space. */
export async function rest(run: RunState): Promise<boolean> {
  endFaults(run);
  if (run.engine === null && run.underWay.length === 0) return false;
  const mayStayFull = run.scenario.whenDiskFull === 'refuse-new';
  let timers = 0;
  run.restSteps = 0;
  const startedMs = run.clock.elapsedMs;
  for (let i = 0; run.ioUnderWay > 0 || (run.clock.timers > 0 && !(mayStayFull && timers > 3)); i++) {
    expect(i < REST_WITHIN, 'liveness', () => `after ${REST_WITHIN} steps without a fault the store is not at rest`);
    run.restSteps++;
    if (run.ioUnderWay > 0) run.disk?.complete();
    else if (waitForTimer(run)) timers++;
    await settle(run);
    run.throwHeard();
  }
  run.restMs = run.clock.elapsedMs - startedMs;
  // Room comes with a flush; a store that stays full has none to tell of.
  const isFull = sectorsUsed(run.model.context) >= run.model.context.bounds.flushAtSectors;
  const open = run.underWay.filter(({ what }) => what !== 'ready' || !isFull);
  const unanswered = open.map(({ what }) => what).join(', ');
  expect(unanswered === '', 'liveness', () => `at rest, yet ${unanswered} is not answered`);
  const { lifecycle, context } = run.model;
  expect(lifecycle !== 'flushing' && lifecycle !== 'closing', 'liveness', () => `at rest in ${lifecycle}`);
  const atRest = !context.flushRequested && !context.retryWaiting;
  expect(atRest || mayStayFull, 'liveness', () => 'at rest, yet a flush is asked for');
  return true;
}

export function judgeSettled(
  run: RunState,
  { withinSteps, withinMs, saved }: Extract<Action, { do: 'settled' }>,
): boolean {
  const { lifecycle, context } = run.model;
  const { restSteps, restMs } = run;
  expect(restSteps <= withinSteps, 'liveness', () => `to come to rest took ${restSteps} steps, not ${withinSteps}`);
  // One that may not evict asks for space over and over; that is no flush that fails.
  const mayStayFull = run.scenario.whenDiskFull === 'refuse-new' && !saved;
  expect(restMs <= withinMs || mayStayFull, 'liveness', () => `to come to rest took ${restMs} ms, not ${withinMs}`);
  expect(lifecycle === 'ram' || (!saved && lifecycle !== 'flushing'), 'liveness', () => `at rest in ${lifecycle}`);
  for (const [i, stream] of context.streams.entries()) {
    expect(
      !saved || syncedMark(stream) === stream.appended,
      'liveness',
      () => `stream ${i} is saved to ${syncedMark(stream)} of ${stream.appended} when faults have ended`,
    );
  }
  return true;
}
