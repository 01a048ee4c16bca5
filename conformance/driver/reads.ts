/**
 * Reads and peeks: when they take effect, and what they must give.
 *
 * A read takes effect when the engine's mark moves; at that moment it is taken into the model, and its batch is judged
 * by that moment however late it comes.
 */
import { expectedPeek, expectedRead } from '../../model/step.ts';
import type { RecordBatch } from '../../src/core/record-batch.ts';
import { compareBatch } from '../answers.ts';
import { expect } from '../divergence.ts';
import { linearizeOldest } from './oldest-reads.ts';
import type { RunState } from './run-state.ts';
import type { UnderWay } from './under-way.ts';

/** Batches of a stream that an acknowledgement may still name. */
const BATCHES_KEPT = 3;

/**
 * Takes reads into the model whose mark has moved. Losses move marks too: when one is announced, only a read that has
 * been answered took effect before it.
 */
export function linearizeReads(run: RunState, onlyAnswered = false): void {
  if (run.engine === null) return;
  for (const call of run.underWay) {
    if (call.what === 'readOldest') run.guarded(() => linearizeOldest(run, call, onlyAnswered));
    if (call.what !== 'read' || call.expected !== null) continue;
    const mark = run.handle(call.stream)?.marks().read;
    const moved = !onlyAnswered && mark !== run.model.context.streams[call.stream]?.read;
    if (!moved && call.answered === null) continue;
    if (call.answered !== null && !('result' in call.answered && call.answered.result.ok)) continue;
    run.guarded(() => takeRead(run, call));
  }
}

/** Reads of one stream end in order: a peek that was asked for before this read has seen the state before it. */
function takeRead(run: RunState, call: UnderWay): void {
  for (const earlier of run.underWay) {
    if (earlier === call) break;
    if (earlier.what !== 'peek' || earlier.stream !== call.stream) continue;
    earlier.expected ??= expectedPeek(run.model.state, earlier.stream, earlier.offset, earlier.max);
  }
  call.expected = expectedRead(run.model.state, call.stream, call.max);
  run.observe({ type: 'READ', stream: call.stream, max: call.max });
}

export function judgeBatch(run: RunState, call: UnderWay, batch: RecordBatch): void {
  if (call.what === 'read' && call.expected === null) takeRead(run, call);
  const expected = call.expected ?? expectedPeek(run.model.state, call.stream, call.offset, call.max);
  const finding = compareBatch(expected, batch);
  expect(finding === null, 'INV-03', () => `${call.what} of stream ${call.stream}: ${finding}`);
  if (call.what === 'read') keepBatch(run, call.stream, batch);
}

/** For acknowledgements of whole batches, also of one that came before. */
function keepBatch(run: RunState, stream: number, batch: RecordBatch): void {
  const kept = run.batches[stream] ?? [];
  run.batches[stream] = [...kept, batch].slice(-BATCHES_KEPT);
}
