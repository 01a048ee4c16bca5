/**
 * Judges what the engine answers to the calls of awaited-calls.ts: an ok has made durable what it promised, a failure
 * has a cause and says it, and nothing throws.
 */
import { isOpen } from '../../model/step.ts';
import { syncedMark } from '../../model/vocabulary.ts';
import type { SaveReport } from '../../src/core/engine.ts';
import type { RecordBatch } from '../../src/core/record-batch.ts';
import type { StoreBatch } from '../../src/core/store-batch.ts';
import { macrotask } from '../answers.ts';
import { Divergence, expect } from '../divergence.ts';
import { takePartialCommit } from './announced.ts';
import { judgeOldest } from './oldest-reads.ts';
import { judgeBatch, linearizeReads } from './reads.ts';
import { judgeReason } from './reason.ts';
import type { RunState } from './run-state.ts';
import type { UnderWay } from './under-way.ts';

/** Lets everything go on that needs no I/O, and judges the answers. */
export async function settle(run: RunState): Promise<void> {
  if (run.disk === null && run.underWay.length === 0) return;
  await macrotask();
  judgeAnswers(run);
}

export function judgeAnswers(run: RunState): void {
  if (run.emergency) run.guarded(() => takePartialCommit(run));
  linearizeReads(run);
  const answered = run.underWay.filter((call) => call.answered !== null);
  if (answered.length === 0) return;
  run.underWay = run.underWay.filter((call) => call.answered === null);
  for (const call of answered) run.guarded(() => judge(run, call));
}

function judge(run: RunState, call: UnderWay): void {
  const { answered, what } = call;
  if (answered === null) return;
  if ('thrown' in answered) throw new Divergence('assertion', `${what} threw ${String(answered.thrown)}`);
  if (what === 'open') return;
  const { result } = answered;
  if (!result.ok) {
    const { code, message } = result.failure;
    const explained =
      (code === 'IO_FAILED' && (run.faults.met > call.faultsBefore || (what === 'flush' && run.mayBeFull))) ||
      (code === 'CLOSED' && !isOpen(run.model.state));
    expect(explained, 'INV-09', () => `${what} failed without a cause: ${code}, ${message}`);
    judgeReason(what, code, message);
    return;
  }
  const { streams } = run.model.context;
  if (what === 'read' || what === 'peek') judgeBatch(run, call, result.value as RecordBatch);
  if (what === 'readOldest') judgeOldest(run, call, result.value as StoreBatch);
  if (what === 'emergencyFlush') judgeSaved(run, call, result.value as SaveReport);
  // Time stands still while a flush runs, unless a timer was waited for.
  const inTime = what === 'emergencyFlush' && run.clock.elapsedMs < call.endMs;
  const wentWell = inTime && (result.value as SaveReport).failure === null;
  const allSaved = run.disk !== null && (what === 'flush' || wentWell);
  if (allSaved) {
    streams.forEach((stream, i) =>
      expect(
        syncedMark(stream) >= (call.marks[i] ?? 0),
        'INV-15',
        () => `${what} answered ok, stream ${i} is synced to ${syncedMark(stream)} of ${call.marks[i]}`,
      ),
    );
  }
  if (what === 'checkpoint' && run.disk !== null) {
    streams.forEach((stream, i) =>
      expect(
        stream.durableHead >= (call.marks[i] ?? 0),
        'INV-15',
        () => `checkpoint answered ok, the durable head of stream ${i} is ${stream.durableHead} of ${call.marks[i]}`,
      ),
    );
  }
}

/** What a power-fail flush says it could not save is what is in RAM still, or less: more was appended meanwhile. */
function judgeSaved(run: RunState, call: UnderWay, report: SaveReport): void {
  const unsaved = (i: number): number => {
    const stream = run.model.context.streams[i];
    return stream === undefined ? 0 : Math.max(0, (call.marks[i] ?? 0) - syncedMark(stream));
  };
  const left = run.scenario.streams.reduce((sum, _, i) => sum + unsaved(i), 0);
  expect(
    report.unsaved >= left && (run.disk !== null || report.saved === 0),
    'INV-15',
    () => `emergencyFlush reports ${report.unsaved} records unsaved, ${left} are`,
  );
  if (report.failure === null) return;
  const { code, message } = report.failure;
  const explained = code === 'IO_FAILED' && (run.faults.met > call.faultsBefore || run.mayBeFull);
  expect(explained, 'INV-09', () => `emergencyFlush met an error without a cause: ${code}, ${message}`);
  judgeReason('emergencyFlush', code, message);
}
