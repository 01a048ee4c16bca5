/**
 * Holds the engine's picture of itself against the model's and the disk's: marks, chains, statistics, files, and now and
 * then the content of all that is unread, and the ledger.
 */
import { expectedPeek, isOpen } from '../../model/step.ts';
import { allocatedBytes } from '../../src/core/disk-index.ts';
import type { Engine } from '../../src/core/engine.ts';
import { answeredWithoutIo, compareBatch } from '../answers.ts';
import { Divergence, expect } from '../divergence.ts';
import type { Sides } from '../refinement.ts';
import { differences } from '../refinement.ts';
import type { SimulatedDisk } from '../simulated-disk.ts';
import type { RunState } from './run-state.ts';

/** More than any stream of a run holds. */
const ALL = 1_000_000;

export function sidesOf(run: RunState, engine: Engine): Sides {
  const { scenario, model } = run;
  const { context, lifecycle } = model;
  const [inspection, stats] = [engine.inspect(), engine.stats()];
  return { scenario, context, lifecycle, inspection, stats, inRecovery: run.inRecovery };
}

export function compare(run: RunState): void {
  if (run.disk !== null) {
    const { peakBytes, peakFileBytes } = run.disk.counts;
    expect(
      peakBytes <= run.scenario.quotaBytes,
      'INV-10',
      () => `${peakBytes} bytes on disk, the quota is ${run.scenario.quotaBytes}`,
    );
    expect(peakFileBytes <= 65_536, 'INV-10', () => `a file has ${peakFileBytes} bytes`);
  }
  if (run.engine === null) return;
  const sides = sidesOf(run, run.engine);
  const { inspection, stats, context } = sides;
  const found = differences(sides);
  if (found[0] !== undefined) {
    const summary = found.map(({ field, model, engine }) => `${field}: model ${model}, engine ${engine}`).join('; ');
    throw new Divergence(found[0].breaks, summary, found);
  }
  if (context.retryWaiting && isOpen(run.model.state)) run.retries.waits(run.clock.nextTimerInMs);
  if (run.disk !== null && run.ioUnderWay === 0 && run.faults.met === 0 && run.disk.stalled().length === 0)
    compareDisk(run, inspection.diskBytes, stats);
}

/** At rest and without a fault, what the engine reckons of the disk is what is there. */
function compareDisk(
  run: RunState,
  diskBytes: number,
  stats: { readonly bytesWritten: number; readonly syncs: number },
): void {
  const disk = run.disk as SimulatedDisk;
  const onDisk = disk.files().reduce((sum, { content }) => sum + allocatedBytes(content.length), 0);
  expect(diskBytes === onDisk, 'INV-22', () => `diskBytes is ${diskBytes}, the files take ${onDisk}`);
  const written = disk.counts.bytesWritten - run.writtenBefore.bytes;
  expect(
    stats.bytesWritten === written,
    'INV-22',
    () => `stats bytesWritten is ${stats.bytesWritten}, the disk took ${written}`,
  );
  const syncs = disk.counts.syncs - run.writtenBefore.syncs;
  expect(stats.syncs === syncs, 'INV-22', () => `stats syncs is ${stats.syncs}, the disk did ${syncs}`);
  if (!run.scenario.durableAcknowledge) return;
  for (const [stream, { durableHead }] of run.model.context.streams.entries()) {
    const promised = run.acknowledgedTo[stream] ?? 0;
    const kept = durableHead >= promised;
    expect(kept, 'INV-15', () => `stream ${stream} is durable to ${durableHead}, acknowledged to ${promised}`);
  }
}

/** Peeks at everything unread of every stream that no held read blocks, and adds up the ledger. */
export async function checkContent(run: RunState): Promise<void> {
  if (run.engine === null || !isOpen(run.model.state)) return;
  const held = run.disk?.holdReads ?? false;
  // The harness looks at what is there: what ails the disk is for the engine's own reads.
  const faults = run.disk?.faults.splice(0) ?? [];
  if (run.disk !== null) run.disk.holdReads = false;
  for (const [stream, handle] of run.handles.entries()) {
    if (run.underWay.some((call) => call.stream === stream)) continue;
    const batch = await answeredWithoutIo(handle.peek(0, ALL));
    run.throwHeard();
    expect(batch !== null, 'liveness', () => `a peek at stream ${stream} waits for more than its reads`);
    expect(batch.ok, 'INV-03', () => `stream ${stream} cannot be peeked at: ${batch.ok ? '' : batch.failure.message}`);
    const finding = compareBatch(expectedPeek(run.model.state, stream, 0, ALL), batch.value);
    expect(finding === null, 'INV-03', () => `peek at all of stream ${stream}: ${finding}`);
  }
  if (run.disk !== null) run.disk.holdReads = held;
  run.disk?.faults.push(...faults);
  compareLedger(run, run.engine);
  compare(run);
}

function compareLedger(run: RunState, engine: Engine): void {
  const { entries, foldedRecords } = engine.ledger();
  const entered = entries.reduce((sum, { records }) => sum + records, foldedRecords);
  const lost = run.model.context.streams.reduce((sum, { evicted, damaged }) => sum + evicted + damaged, 0);
  expect(entered === lost, 'INV-12', () => `the ledger has ${entered} records, ${lost} were lost`);
  run.losses.compare(run.model.context.ledger, engine.ledger());
}
