/**
 * Reading everything back: this store, one sensor's records at a time, against SQLite's rows in the order of their key,
 * which is one sensor after the other, too. Same records, same machine, both files in the page cache, both stores
 * open since they were written. This store verifies the checksum of every block it reads; SQLite's pages have none.
 *
 * Every read adds up what it sees, and a sum that is not that of the records ends the measurement.
 *
 * How long a sensor's records lie together on disk depends on the batches. The rows are about batches of 208,000, what
 * a pool of 4 MiB takes; the same with batches of 16,000, a block for every 8 records, is in `raw`.
 */

import { rotated } from '../ingest/turn.ts';
import { type Load, referenceLoad } from '../load.ts';
import { ownStore } from '../peers/own-store.ts';
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

const STREAM_BY_STREAM =
  'Read stream by stream, each oldest first: no call of the store goes over all streams in the order of their segments.';

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
  readonly drain: (visit: Visit) => void | Promise<void>;
}

/** @returns records a second. */
async function timeDrain({ drain, written }: Filled): Promise<number> {
  globalThis.gc?.();
  const seen = new Sums();
  const beganMs = performance.now();
  await drain(seen.visit);
  const seconds = (performance.now() - beganMs) / 1_000;
  expectSame(seen, written);
  return seen.records / seconds;
}

async function fill(store: PeerStore, load: Load, batchRecords: number, records = load.records): Promise<PeerStore> {
  for (let from = 0; from < records; from += batchRecords) {
    await store.writeBatch(load, from, Math.min(records, from + batchRecords));
  }
  await store.settle();
  return store;
}

export type DrainRates = ReadonlyMap<string, readonly number[]>;

/** Records a second by way of draining, repetition by repetition. */
export async function measureDrain(context: BenchContext, sizes: DrainSizes): Promise<DrainRates> {
  const load = referenceLoad(context.seed, sizes.records, sizes.sensors);
  const written = sumsOf(load, sizes.records);
  const { directory } = context;
  return inDirectory(directory, 'own', (ownDirectory) =>
    inDirectory(directory, 'own-small', (smallDirectory) =>
      inDirectory(directory, 'sqlite', async (sqliteDirectory) => {
        context.progress('writing the records');
        const stores = {
          own: await fill(await ownStore.open(ownDirectory, load.sensors), load, sizes.batchRecords),
          small: await fill(
            await ownStore.open(smallDirectory, load.sensors),
            load,
            sizes.smallBatchRecords,
            sizes.smallRecords,
          ),
          sqlite: await fill(await sqliteRows.open(sqliteDirectory, load.sensors), load, sizes.batchRecords),
        };
        try {
          return await interleaved(context, [
            { name: 'sqliteRows', written, drain: (visit) => stores.sqlite.readAll(visit) },
            { name: 'oneSensor', written, drain: (visit) => stores.own.readAll(visit) },
            {
              name: 'oneSensorSmallBatches',
              written: sumsOf(load, sizes.smallRecords),
              drain: (visit) => stores.small.readAll(visit),
            },
          ]);
        } finally {
          for (const store of Object.values(stores)) await store.close();
        }
      }),
    ),
  );
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
  const against = rates.get('sqliteRows') ?? [];
  const row = (demand: RowDemand, name: string, note?: string): MeasuredRow =>
    measuredRow(
      demand,
      (rates.get(name) ?? []).map((rate, i) => rate / (against[i] ?? Number.NaN)),
      { ...sizes, recordsPerSecond: Object.fromEntries(rates) },
      note,
    );
  return [row(SEGMENT_ORDER, 'oneSensor', STREAM_BY_STREAM), row(ONE_SENSOR, 'oneSensor')];
}

export const drain: RowGroup = {
  name: 'drain',
  rows: [SEGMENT_ORDER, ONE_SENSOR],
  async measure(context: BenchContext): Promise<readonly MeasuredRow[]> {
    const sizes = context.quick ? QUICK : SIZES;
    return drainRows(await measureDrain(context, sizes), sizes);
  },
};
