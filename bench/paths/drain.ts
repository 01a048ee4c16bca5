/**
 * Reading everything back: the store as an uploader empties it, `readOldest` and `acknowledge` in the order of the disk, and
 * the same store one sensor's records at a time, each against SQLite's rows in the order of their key, which is one sensor
 * after the other, too. Same records, same machine, all files in the page cache, all stores open since
 * they were written. This store verifies the checksum of every block it reads; SQLite's pages have none.
 *
 * Every read adds up what it sees, and a sum that is not that of the records ends the measurement. What an uploader has
 * acknowledged is gone: the store is filled anew before each of its turns, outside of the time.
 *
 * How long a sensor's records lie together on disk depends on the batches. The rows are about batches of 208,000, what
 * a pool of 4 MiB takes; the same with batches of 16,000, a block for every 8 records, is in `raw`.
 */

import { rotated } from '../ingest/turn.ts';
import { type Load, referenceLoad } from '../load.ts';
import { openOwnStore } from '../peers/own-store.ts';
import type { PeerStore, Visit } from '../peers/peer.ts';
import { sqliteRows } from '../peers/sqlite.ts';
import { type BenchContext, type MeasuredRow, measuredRow, type RowDemand, type RowGroup } from '../row.ts';
import { inDirectory } from './producers.ts';

export interface DrainSizes {
  readonly records: number;
  readonly sensors: number;
  readonly batchRecords: number;
  readonly smallBatchRecords: number;
  /** So many of the records go into the store of small batches: reading it is slow. */
  readonly smallRecords: number;
}

const SIZES: DrainSizes = {
  records: 1_000_000,
  sensors: 2_000,
  batchRecords: 208_000,
  smallBatchRecords: 16_000,
  smallRecords: 256_000,
};
const QUICK: DrainSizes = { ...SIZES, records: 416_000, smallRecords: 64_000 };

const SEGMENT_ORDER: RowDemand = {
  id: 'drain-segment-order',
  title: 'drain of everything with checksum, oldest first, against SQLite rows in key order',
  compare: 'at-least',
  demand: 12,
  unit: 'x',
};
const ONE_SENSOR: RowDemand = {
  id: 'drain-one-sensor',
  title: "drain with checksum, one sensor's records at a time, against SQLite rows in key order",
  compare: 'at-least',
  demand: 3,
  unit: 'x',
};

/** What a drain adds up: in whichever order records come, the same records give the same sums. */
export class Sums {
  records = 0;
  bits = 0;
  timesMs = 0;
  readonly visit: Visit = (_sensor, timeMs, bits) => {
    this.records++;
    this.bits = (this.bits + bits) | 0;
    // Exact: times are whole, and so few that their sum stays below 2^53 from a near start on.
    this.timesMs += timeMs - SINCE_MS;
  };
}

const SINCE_MS = 1_767_225_600_000;

export function sumsOf({ sensor, timeMs, bits }: Load, records: number): Sums {
  const sums = new Sums();
  for (let i = 0; i < records; i++) sums.visit(sensor[i] as number, timeMs[i] as number, bits[i] as number);
  return sums;
}

/** @throws Error when other records came than were written. */
export function expectSame(seen: Sums, written: Sums): void {
  if (seen.records === written.records && seen.bits === written.bits && seen.timesMs === written.timesMs) return;
  throw new Error(`a drain gave ${seen.records} of ${written.records} records, or others than were written`);
}

interface Filled {
  readonly name: string;
  readonly written: Sums;
  /** What it needs before each turn, outside of the time. */
  readonly prepare?: () => Promise<unknown>;
  readonly drain: (visit: Visit) => void | Promise<void>;
}

/** @returns records a second. */
async function timeDrain({ prepare, drain, written }: Filled): Promise<number> {
  await prepare?.();
  globalThis.gc?.();
  const seen = new Sums();
  const beganMs = performance.now();
  await drain(seen.visit);
  const seconds = (performance.now() - beganMs) / 1_000;
  expectSame(seen, written);
  return seen.records / seconds;
}

async function fill<S extends PeerStore>(store: S, load: Load, batchRecords: number, records: number): Promise<S> {
  for (let from = 0; from < records; from += batchRecords) {
    await store.writeBatch(load, from, Math.min(records, from + batchRecords));
  }
  await store.settle();
  return store;
}

export type DrainRates = ReadonlyMap<string, readonly number[]>;

/** Both ways to drain this store, each with a store of its own. */
async function ownWays(
  { directory, progress }: BenchContext,
  load: Load,
  batchRecords: number,
  records: number,
  names: { readonly oldest: string; readonly oneSensor: string },
  use: (ways: readonly Filled[]) => Promise<DrainRates>,
): Promise<DrainRates> {
  const written = sumsOf(load, records);
  return inDirectory(directory, names.oldest, (oldestDirectory) =>
    inDirectory(directory, names.oneSensor, async (oneSensorDirectory) => {
      progress(`writing records in batches of ${batchRecords}`);
      const emptied = await openOwnStore(oldestDirectory, load.sensors);
      const kept = await openOwnStore(oneSensorDirectory, load.sensors);
      try {
        await fill(kept, load, batchRecords, records);
        return await use([
          {
            name: names.oldest,
            written,
            prepare: () => fill(emptied, load, batchRecords, records),
            drain: (visit) => emptied.drainOldest(visit),
          },
          { name: names.oneSensor, written, drain: (visit) => kept.readAll(visit) },
        ]);
      } finally {
        await emptied.close();
        await kept.close();
      }
    }),
  );
}

/** Records a second by way of draining, repetition by repetition. */
export async function measureDrain(context: BenchContext, sizes: DrainSizes): Promise<DrainRates> {
  const load = referenceLoad(context.seed, sizes.records, sizes.sensors);
  const { records, batchRecords, smallRecords, smallBatchRecords } = sizes;
  const small = { oldest: 'segmentOrderSmallBatches', oneSensor: 'oneSensorSmallBatches' };
  return inDirectory(context.directory, 'sqlite', async (directory) => {
    const rows = await sqliteRows.open(directory, load.sensors);
    try {
      await fill(rows, load, batchRecords, records);
      const sqlite = { name: 'sqliteRows', written: sumsOf(load, records), drain: rows.readAll.bind(rows) };
      return await ownWays(
        context,
        load,
        batchRecords,
        records,
        { oldest: 'segmentOrder', oneSensor: 'oneSensor' },
        (ways) =>
          ownWays(context, load, smallBatchRecords, smallRecords, small, (smallWays) =>
            interleaved(context, [sqlite, ...ways, ...smallWays]),
          ),
      );
    } finally {
      await rows.close();
    }
  });
}

async function interleaved(context: BenchContext, all: readonly Filled[]): Promise<DrainRates> {
  const rates = new Map(all.map(({ name }): [string, number[]] => [name, []]));
  for (let repetition = -1; repetition < context.repetitions; repetition++) {
    for (const filled of rotated(all, repetition)) {
      context.progress(repetition < 0 ? `${filled.name}, warming up` : `${filled.name}, repetition ${repetition + 1}`);
      const rate = await timeDrain(filled);
      if (repetition >= 0) rates.get(filled.name)?.push(rate);
    }
  }
  return rates;
}

export function drainRows(rates: DrainRates, sizes: DrainSizes): MeasuredRow[] {
  const row = (demand: RowDemand, name: string, against: string): MeasuredRow =>
    measuredRow(
      demand,
      (rates.get(name) ?? []).map((rate, i) => rate / (rates.get(against)?.[i] ?? Number.NaN)),
      { ...sizes, recordsPerSecond: Object.fromEntries(rates) },
    );
  return [row(SEGMENT_ORDER, 'segmentOrder', 'sqliteRows'), row(ONE_SENSOR, 'oneSensor', 'sqliteRows')];
}

export const drain: RowGroup = {
  name: 'drain',
  rows: [SEGMENT_ORDER, ONE_SENSOR],
  async measure(context: BenchContext): Promise<readonly MeasuredRow[]> {
    const sizes = context.quick ? QUICK : SIZES;
    return drainRows(await measureDrain(context, sizes), sizes);
  },
};
