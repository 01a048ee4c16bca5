/**
 * Device bytes: what reaches the flash for each record that a peer keeps, from the opening of its store until it has
 * settled. A new file system for each turn, so that none inherits another's free space or journal.
 */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Kept, type Prepared, prepare, rotated, writeKillVerify } from '../ingest/turn.ts';
import type { LoadSpec } from '../load-spec.ts';
import type { BenchContext } from '../row.ts';
import { type Counting, countingHere } from './counting.ts';
import { LoopDevice } from './loop-device.ts';

/** A peer at one cadence. */
export interface Writer {
  /** As the JSON names it. */
  readonly name: string;
  readonly peer: string;
  readonly batchRecords: number;
  /** The first so many of the load. */
  readonly records: number;
}

export interface CountedTurn extends Kept {
  readonly deviceBytes: number;
  readonly deviceBytesPerRecord: number;
  /** What was done once, before the bytes were counted. */
  readonly prepared?: Prepared;
}

/** Turns of each writer, by repetition. */
export async function measureDeviceBytes(
  context: BenchContext,
  load: LoadSpec,
  writers: readonly Writer[],
): Promise<Map<string, CountedTurn[]>> {
  const counting = countingHere();
  const turns = new Map(writers.map(({ name }): [string, CountedTurn[]] => [name, []]));
  for (let repetition = 0; repetition < context.repetitions; repetition++) {
    for (const writer of rotated(writers, context.seed + repetition)) {
      context.progress(`${writer.name}, repetition ${repetition + 1} of ${context.repetitions}`);
      turns.get(writer.name)?.push(await countedTurn(context.directory, load, writer, counting));
    }
  }
  return turns;
}

/** @param directory where a directory for the turn is made, and removed. */
export async function countedTurn(
  directory: string,
  load: LoadSpec,
  { name, peer, batchRecords, records }: Writer,
  counting: Counting,
): Promise<CountedTurn> {
  const own = join(directory, name);
  const request = { peer, load: { ...load, records }, batchRecords, warmUpBatches: 0, settle: true };
  let prepared: Prepared | undefined;
  const counted = (kept: Kept, deviceBytes: number): CountedTurn => ({
    ...kept,
    ...(prepared === undefined ? {} : { prepared }),
    deviceBytes,
    deviceBytesPerRecord: deviceBytes / kept.records,
  });
  if (counting === 'process') {
    await mkdir(own);
    try {
      prepared = await prepare(peer, own);
      const kept = await writeKillVerify({ ...request, directory: own });
      return counted(kept, kept.processBytes);
    } finally {
      await rm(own, { recursive: true, force: true });
    }
  }
  const device = await LoopDevice.make(own);
  try {
    const fresh = await device.settledBytes();
    const cost = await prepare(peer, join(device.mountPoint, 'bench'));
    const before = await device.settledBytes();
    if (cost !== undefined) prepared = { ...cost, deviceBytes: before - fresh };
    let after = before;
    const kept = await writeKillVerify({ ...request, directory: join(device.mountPoint, 'bench') }, async () => {
      after = await device.settledBytes();
    });
    return counted(kept, after - before);
  } finally {
    await device.remove();
  }
}
