/**
 * What the harness does to the disk: it ends I/O operations one by one, well or with a fault, holds reads back, fills
 * the disk, flips bits, spoils files, and cuts the power.
 *
 * @returns of each: false when it has no meaning now, a store without a disk for one.
 */
import { parseSegmentName } from '../../src/core/disk-index.ts';
import type { Action, TraceRule } from '../actions.ts';
import { Oracle } from '../damage-matrix/oracle.ts';
import type { Spoiling } from '../damage-matrix/spoil.ts';
import { writtenOf } from '../damage-matrix/written.ts';
import type { Fault } from '../disk-operations.ts';
import { expect } from '../divergence.ts';
import { cellName, ioStepOf } from '../evidence/cells.ts';
import { tally } from '../model-run.ts';
import { SimulatedDisk } from '../simulated-disk.ts';
import { settle } from './answered.ts';
import type { RunState } from './run-state.ts';

/** I/O steps and timers after which a store must have come to rest. */
export const REST_WITHIN = 5_000;

export async function endIo(run: RunState, pick: number, fault: Fault | undefined, times: number): Promise<boolean> {
  for (let ended = 0; ended < times; ended++) {
    if (ended > 0) {
      await settle(run);
      run.throwHeard();
    }
    const pending = run.disk?.pending() ?? [];
    const operation = pending[pick % Math.max(1, pending.length)];
    if (operation === undefined || run.disk === null) return ended > 0;
    if (fault === undefined) run.disk.complete(operation.id);
    else run.disk.fail(fault, operation.id);
  }
  return true;
}

export async function drainIo(run: RunState): Promise<boolean> {
  if (run.ioUnderWay === 0) return false;
  for (let i = 0; run.ioUnderWay > 0; i++) {
    expect(i < REST_WITHIN, 'liveness', () => `after ${REST_WITHIN} operations that all succeeded I/O still goes on`);
    run.disk?.complete();
    await settle(run);
    run.throwHeard();
  }
  return true;
}

export function holdReads(run: RunState, hold: boolean): boolean {
  if (run.disk === null || run.disk.holdReads === hold) return false;
  run.disk.holdReads = hold;
  return true;
}

export function addFault(run: RunState, rule: TraceRule): boolean {
  if (run.disk === null) return false;
  const { times } = rule;
  run.disk.faults.push({ ...rule, times: times ?? Number.POSITIVE_INFINITY });
  return true;
}

export function limitSpace(run: RunState, bytes: number): boolean {
  if (run.disk === null) return false;
  run.disk.capacityBytes = run.disk.totalBytes + bytes;
  run.faults.fill(true);
  return true;
}

export function endFaults(run: RunState): boolean {
  if (run.disk === null) return false;
  run.disk.endFaults();
  run.disk.capacityBytes = Number.POSITIVE_INFINITY;
  run.faults.fill(false);
  return true;
}

export function flipBit(run: RunState, pick: number, bit: number): boolean {
  const { segments } = run.model.context;
  const segment = segments[pick % Math.max(1, segments.length)];
  if (segment === undefined || run.disk === null) return false;
  const file = run.disk.files().find(({ name }) => parseSegmentName(name) === run.fileOf(segment.number));
  if (file === undefined) return false;
  // What stands behind the segment is nobody's.
  const segmentBytes = run.bytesOf(segment.number) ?? file.content.length;
  const bits = segmentBytes * 8;
  // Below zero from the end.
  const at = ((bit % bits) + bits) % bits;
  run.disk.flipBit(file.directory, file.name, at);
  run.spoiledFiles.add(`${file.directory}/${file.name}`);
  run.spoiledRanges.push(...segment.blocks);
  run.damageMade.noteFlip(segment, segmentBytes, at);
  return true;
}

/** The last step of a run: the model knows nothing of what a store makes of spoiled files. */
export async function spoil(run: RunState, spoiling: Spoiling): Promise<boolean> {
  const { lifecycle } = run.model;
  if (run.disk === null || (lifecycle !== 'closed' && lifecycle !== 'crashed')) return false;
  const disk = SimulatedDisk.restore(run.clock, run.disk.snapshot());
  const { finding } = await new Oracle(writtenOf(run), disk, run.clock).judge(spoiling);
  expect(finding === null, 'INV-19', () => finding ?? '');
  run.over = true;
  return true;
}

export function crash(run: RunState, action: Extract<Action, { do: 'crash' }>): boolean {
  const recovering = run.model.enabled({ type: 'RECOVERY_CRASHED' });
  if (!recovering && !run.model.enabled({ type: 'CRASH' })) return false;
  if (!recovering) run.noteMoment();
  const edge = run.model.lastEdge;
  const io = ioStepOf(run.disk?.pending()[0]);
  run.observe({ type: recovering ? 'RECOVERY_CRASHED' : 'CRASH' });
  if (run.disk !== null) {
    const before = run.disk;
    const { holdReads, faults } = before;
    run.disk = run.harnessed(before.crash(action.choice));
    run.crashCell = cellName(edge, io, before.residue ?? 'all was durable');
    if (!run.model.repeats) tally(run.model.coverage.cells, run.crashCell);
    run.disk.holdReads = holdReads;
    // Power comes back, and what ails the disk is still there.
    run.disk.faults.push(...faults);
  }
  run.clock.clear();
  run.forgetEngine();
  return true;
}
