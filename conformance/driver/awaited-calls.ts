/**
 * Calls whose answer comes later: read, peek, flush, emergencyFlush, ready, checkpoint, close, open. What the model has
 * to know at the call it learns here; the answers are judged in answered.ts, that of an open in opened.ts.
 *
 * @returns of each: false when the call has no meaning now, a store that is not open for one.
 */
import { isOpen } from '../../model/step.ts';
import type { Result } from '../../src/core/codes.ts';
import { Engine } from '../../src/core/engine.ts';
import type { EngineEvent } from '../../src/core/types.ts';
import { inEmergency } from '../power-fail.ts';
import { settingsOf } from '../refinement.ts';
import { simulatedPlatform } from '../virtual-clock.ts';
import { hear } from './announced.ts';
import { oldestUnderWay, readsUnderWay } from './oldest-reads.ts';
import { opened } from './opened.ts';
import type { RunState } from './run-state.ts';
import type { UnderWay } from './under-way.ts';

/** Makes a call. What of its I/O ends at once ends in here. */
function call(
  run: RunState,
  asked: Partial<UnderWay> & { readonly what: UnderWay['what'] },
  make: () => Promise<Result<unknown>>,
): void {
  const underWay: UnderWay = {
    stream: -1,
    offset: 0,
    max: 0,
    marks: [],
    faultsBefore: run.faults.met,
    endMs: 0,
    expected: null,
    expectedRuns: null,
    answered: null,
    ...asked,
  };
  run.underWay.push(underWay);
  make().then(
    (result) => {
      underWay.answered = { result };
      // A store without a disk opens in one turn: power may fail in that turn, and nobody gets this engine any more.
      if (underWay.what === 'open' && run.underWay.includes(underWay))
        run.guarded(() => opened(run, underWay, result as Result<Engine>));
    },
    (thrown: unknown) => {
      underWay.answered = { thrown };
    },
  );
}

export function readOrPeek(run: RunState, what: 'read' | 'peek', stream: number, offset: number, max: number): boolean {
  const handle = run.handle(stream);
  if (handle === null || oldestUnderWay(run)) return false;
  const asked = { what, stream, offset, max } as const;
  call(run, asked, () => (what === 'read' ? handle.read(max) : handle.peek(offset, max)));
  return true;
}

export function readOldest(run: RunState, max: number): boolean {
  const { engine } = run;
  if (engine === null || readsUnderWay(run)) return false;
  call(run, { what: 'readOldest', max }, () => engine.reads.readOldest(max));
  return true;
}

export function flush(run: RunState): boolean {
  const { engine, model } = run;
  if (engine === null) return false;
  const marks = model.context.streams.map(({ appended }) => appended);
  // A call does not wait for the delay after a failure.
  if (model.enabled({ type: 'RETRY_DUE' })) run.observe({ type: 'RETRY_DUE' });
  else if (model.enabled({ type: 'FLUSH' })) run.observe({ type: 'FLUSH' });
  else model.refuses({ type: 'FLUSH' });
  // It may share the running flush, and the fault that this one has met already.
  const faultsBefore = model.context.flush === null ? run.faults.met : run.faults.metAtFlush;
  call(run, { what: 'flush', marks, faultsBefore }, () => engine.flush());
  return true;
}

export function emergencyFlush(run: RunState, deadlineMs: number): boolean {
  const { engine, model } = run;
  if (engine === null) return false;
  if (isOpen(model.state)) model.state = inEmergency(model.state);
  const marks = model.context.streams.map(({ appended }) => appended);
  const endMs = run.clock.elapsedMs + deadlineMs;
  call(run, { what: 'emergencyFlush', marks, endMs }, () => engine.emergencyFlush(deadlineMs));
  return true;
}

/** Answered when pool use is below the threshold, or when there is no disk that could bring it down. */
export function ready(run: RunState): boolean {
  const { engine, model } = run;
  if (engine === null || !isOpen(model.state)) return false;
  call(run, { what: 'ready' }, () => engine.ready());
  return true;
}

export function checkpoint(run: RunState): boolean {
  const { engine, model } = run;
  if (engine === null) return false;
  const marks = model.context.streams.map(({ head }) => head);
  call(run, { what: 'checkpoint', marks }, () => engine.checkpoint());
  return true;
}

export function close(run: RunState): boolean {
  const { engine, model } = run;
  if (engine === null) return false;
  if (isOpen(model.state)) run.observe({ type: 'CLOSE' });
  call(run, { what: 'close' }, () => engine.close());
  return true;
}

export function open(run: RunState): boolean {
  if (!run.model.enabled({ type: 'OPEN' })) return false;
  run.observe({ type: 'OPEN' });
  const counts = run.disk?.counts;
  run.writtenBefore = { bytes: counts?.bytesWritten ?? 0, syncs: counts?.syncs ?? 0 };
  run.faults.opening();
  run.retries.opening();
  const platform = simulatedPlatform(run.disk, run.clock, run.storeIds);
  const hooks = { onEvent: (event: EngineEvent): void => hear(run, event) };
  call(run, { what: 'open' }, () => Engine.open(platform, settingsOf(run.scenario), hooks));
  return true;
}
