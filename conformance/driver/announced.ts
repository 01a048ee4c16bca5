/**
 * What the engine announces, in the model's words: each announcement is judged by what is known of the disk and taken
 * into the model as the events that it stands for.
 */
import type { Range } from '../../model/vocabulary.ts';
import type { Engine } from '../../src/core/engine.ts';
import type { EngineEvent } from '../../src/core/types.ts';
import { expect } from '../divergence.ts';
import { askedFor, goesOn, inEmergency, judgePriorities } from '../power-fail.ts';
import { mostNeededBytes, readCommit, readDamage, readEvent } from '../refinement.ts';
import { linearizeReads } from './reads.ts';
import { judgeReason } from './reason.ts';
import type { RunState } from './run-state.ts';

/** Hears of one, while the engine is at work: what it throws waits until the engine is done. */
export function hear(run: RunState, event: EngineEvent): void {
  const { engine } = run;
  if (engine === null) {
    if (event.type === 'damaged') noteDamage(run, readDamage(run.scenario, event));
    return;
  }
  // It changes nothing: what is evicted is announced when it has gone.
  if (event.type === 'evictionStarted') return;
  run.guarded(() => {
    linearizeReads(run, event.type === 'damaged' || event.type === 'segmentEvicted');
    run.throwHeard();
    if (run.emergency && event.type !== 'flushed') takePartialCommit(run);
    judge(run, event);
    // One that somebody had asked for may be that one, in its turn before the call's own or after it.
    const isOwnOfCall = run.emergency && !run.model.context.flushRequested;
    if (event.type === 'flushStarted' && run.emergency) run.model.state = askedFor(run.model.state);
    observe(run, engine, event);
    if (event.type === 'flushed') {
      judgeThrift(run);
      run.faults.flushed();
    }
    if (event.type === 'flushStarted') {
      run.byPriority = isOwnOfCall;
      if (run.emergency) run.model.state = inEmergency(run.model.state);
    }
    // A call that the flush which ended early did not take is waiting: it asks again.
    if (event.type === 'flushRequested' && run.waitsForFlush) run.model.state = askedFor(run.model.state);
    if (event.type === 'closed') judgeClosed(run, event.unsaved);
  });
}

/** Whether it may be so, by what is known of the disk and the settings. */
function judge(run: RunState, event: EngineEvent): void {
  const { scenario, faults } = run;
  if (event.type === 'damaged') run.damageMade.allow(readDamage(scenario, event));
  if (event.type === 'flushStarted') faults.flushStarted();
  if (event.type === 'flushed') run.retries.flushed();
  expect(
    event.type !== 'segmentEvicted' || scenario.whenDiskFull === 'evict-oldest',
    'INV-12',
    () => 'a segment is evicted from a store that refuses new records instead',
  );
  if (event.type !== 'flushFailed') return;
  expect(
    faults.met > faults.metAtFlush || run.mayBeFull,
    'INV-09',
    () => `a flush failed without a fault: ${event.message}`,
  );
  judgeReason('flush', 'IO_FAILED', event.message);
  run.retries.flushFailed(event.retryInMs);
}

/** Takes what it stands for into the model. */
function observe(run: RunState, engine: Engine, event: EngineEvent): void {
  const { scenario, faults } = run;
  const { context, lifecycle } = run.model;
  const needBytes = (): number =>
    faults.lacksSpace ? Number.POSITIVE_INFINITY : mostNeededBytes(context, run.otherBytes());
  const situation = { scenario, context, lifecycle, inspect: () => run.inspect(engine), needBytes };
  for (const modelEvent of readEvent(event, situation)) run.observe(modelEvent);
}

/** A flush evicts no more than it must. */
function judgeThrift(run: RunState): void {
  const { segments, bounds } = run.model.context;
  const heldBytes = segments.reduce((sum, { bytes }) => sum + bytes, run.otherBytes());
  const cutShort = run.emergency || run.faults.lacksSpace;
  run.evictions.flushed(heldBytes, bounds.quotaBytes, cutShort);
}

/** With a disk that works, a close saves everything. */
function judgeClosed(run: RunState, unsaved: number): void {
  const before = run.underWay.find(({ what }) => what === 'close')?.faultsBefore ?? 0;
  const mayFail =
    run.disk === null || run.faults.met > before || run.faults.met > run.faults.metAtFlush || run.mayBeFull;
  expect(unsaved === 0 || mayFail, 'INV-15', () => `close left ${unsaved} records unsaved, and no I/O failed`);
  run.forgetEngine();
}

/** A recovery that was cut off may have logged what it found: the next one knows it and does not say it again. */
function noteDamage(run: RunState, { stream, from, to }: Range): void {
  const known = run.damagedInRecovery.some(
    (range) => range.stream === stream && range.from === from && range.to === to,
  );
  if (!known) run.damagedInRecovery.push({ stream, from, to });
}

/** A power-fail flush commits after each priority; the model has one commit a flush. */
export function takePartialCommit(run: RunState): void {
  const { engine, model } = run;
  if (engine === null || model.context.flush === null) return;
  const inspection = run.inspect(engine);
  if (!inspection.segments.some(({ number }) => number > model.context.lastSegment)) return;
  const before = model.state;
  run.observe(readCommit(run.scenario, model.context, inspection));
  if (run.byPriority) judgePriorities(run.scenario, before.context, model.context);
  model.state = goesOn(before, model.state);
}
