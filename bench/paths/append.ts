/**
 * What an append costs beside the least that it could cost (bare-loop.ts). Appends go through the public handles of
 * 2,000 tsd streams in turn, and every batch is flushed and waited for: the gathering of the records into blocks, their
 * encoding and the checksums are in the figure, only the disk itself is not (platforms.ts).
 *
 * The time of a sample is passed in, as somebody would who reads all sensors once a period. What it costs when the store
 * has to look at the clock for each record is in `raw`: that clock is Date.now with its answer put on the sensors' grid,
 * since 2,000 sensors do not sample 5,000 times a second and each a period apart.
 */
import { join } from 'node:path';
import { askOnce } from '../ask-process.ts';
import { rotated } from '../ingest/turn.ts';
import { type BenchContext, type MeasuredRow, measuredRow, type RowDemand, type RowGroup } from '../row.ts';

const PROCESS = join(import.meta.dirname, 'append-process.ts');
/** Values of one appendMany. */
export const MANY = 64;

export interface AppendSizes {
  readonly records: number;
  readonly sensors: number;
  /** Records between two flushes: as many as the pool takes below its threshold. */
  readonly batchRecords: number;
}

const WAYS = ['bareLoop', 'append', 'appendByClock', 'appendMany', 'appendManyByClock'] as const;
export type WayName = (typeof WAYS)[number];

/** What a process of append-process.ts is asked for; it answers records a second. */
export interface AppendRequest extends AppendSizes {
  readonly way: WayName;
  readonly seed: number;
}

const SIZES: AppendSizes = { records: 2_080_000, sensors: 2_000, batchRecords: 208_000 };
const QUICK: AppendSizes = { ...SIZES, records: 1_040_000 };

const SHARE = { compare: 'at-least', unit: '%' } as const;
const APPEND: RowDemand = {
  ...SHARE,
  id: 'append-share',
  title: 'append, gather and checksum included, of a bare loop over 2,000 cursors',
  demand: 25,
};
const APPEND_MANY: RowDemand = {
  ...SHARE,
  id: 'append-many-share',
  title: `appendMany of ${MANY} values, of the same loop`,
  demand: 50,
};

export type AppendRates = Readonly<Record<WayName, readonly number[]>>;

/** Records a second of each way, by repetition; the order changes from one to the next. */
export async function measureRates(context: BenchContext, sizes: AppendSizes): Promise<AppendRates> {
  const rates = Object.fromEntries(WAYS.map((way): [WayName, number[]] => [way, []])) as Record<WayName, number[]>;
  for (let repetition = 0; repetition < context.repetitions; repetition++) {
    for (const way of rotated(WAYS, repetition)) {
      context.progress(`${way}, repetition ${repetition + 1}`);
      const request: AppendRequest = { ...sizes, way, seed: context.seed };
      rates[way].push(await askOnce<number>(PROCESS, request));
    }
  }
  return rates;
}

/** Rows from the rates: shares are taken within a repetition. */
export function appendRows(rates: AppendRates, sizes: AppendSizes): MeasuredRow[] {
  const shares = (of: WayName): number[] =>
    rates[of].map((rate, i) => (100 * rate) / (rates.bareLoop[i] ?? Number.NaN));
  const row = (demand: RowDemand, timed: WayName, byClock: WayName): MeasuredRow =>
    measuredRow(demand, shares(timed), {
      ...sizes,
      recordsPerSecond: rates[timed],
      bareLoopPerSecond: rates.bareLoop,
      withoutTimePerSecond: rates[byClock],
      withoutTimeSharePercent: shares(byClock),
    });
  return [row(APPEND, 'append', 'appendByClock'), row(APPEND_MANY, 'appendMany', 'appendManyByClock')];
}

export const append: RowGroup = {
  name: 'append',
  rows: [APPEND, APPEND_MANY],
  async measure(context: BenchContext): Promise<readonly MeasuredRow[]> {
    const sizes = context.quick ? QUICK : SIZES;
    return appendRows(await measureRates(context, sizes), sizes);
  },
};
