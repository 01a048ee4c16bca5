/**
 * How long a sampling loop stands still: the longest append of a producer that is paced at 200,000 records a second. The
 * store's disk is one time as it is and one time with 20 ms more for every sync; SQLite commits in the same thread, batch by
 * batch, as often as this store is flushed.
 *
 * A longest of so many calls is one event, so the figure of a row is a ratio of medians over the repetitions; the range is
 * that of the ratios within a repetition. Which part of an append waits for whom is in `raw`: the whole histogram, the
 * longest call of each 10 ms with the flushes beside it (of the last repetition), and how late each record was.
 */
import { rotated } from '../ingest/turn.ts';
import { referenceLoad } from '../load.ts';
import { type BenchContext, type MeasuredRow, measuredRow, median, type RowDemand, type RowGroup } from '../row.ts';
import { BUCKET_MS, type Histogram, histogramOf, type Pace, worstByBucket } from './paced.ts';
import { type FlushSpan, inDirectory, type Produced, type Producing, produceOwn, produceSqlite } from './producers.ts';

export interface PauseSizes extends Pace {
  readonly sensors: number;
  readonly batchRecords: number;
  readonly syncDelayMs: number;
}

const SIZES: PauseSizes = {
  recordsPerSecond: 200_000,
  seconds: 5,
  sensors: 2_000,
  batchRecords: 208_000,
  syncDelayMs: 20,
};
const QUICK: PauseSizes = { ...SIZES, seconds: 1.6 };

const AGAINST_SQLITE: RowDemand = {
  id: 'longest-append-sqlite-full',
  title: 'longest append at 200,000 records a second, so many times shorter than with SQLite',
  compare: 'at-least',
  demand: 200,
  unit: 'x',
};
const SLOW_SYNC: RowDemand = {
  id: 'longest-append-slow-sync',
  title: 'longest append with 20 ms added to every sync, over without',
  compare: 'at-most',
  demand: 1.5,
  unit: 'x',
};

const PRODUCERS = {
  own: (producing) => produceOwn(producing, 0),
  ownSlowSync: (producing, { syncDelayMs }) => produceOwn(producing, syncDelayMs),
  sqlite: (producing) => produceSqlite(producing),
} as const satisfies Record<string, (producing: Producing, sizes: PauseSizes) => Promise<Produced>>;

type ProducerName = keyof typeof PRODUCERS;
const NAMES = Object.keys(PRODUCERS) as ProducerName[];

/** One producer in one repetition. */
export interface Pauses {
  readonly records: number;
  readonly seconds: number;
  readonly appendMs: Histogram;
  /** How late records were, against their pace. */
  readonly lateMs: Histogram;
  readonly flushes: number;
  readonly longestFlushMs: number;
}

/** Of the last repetition, for a chart. */
export interface PauseSeries {
  readonly bucketMs: number;
  readonly worstAppendMs: readonly number[];
  readonly flushesMs: readonly FlushSpan[];
}

export interface MeasuredPauses {
  readonly repetitions: Readonly<Record<ProducerName, Pauses[]>>;
  readonly series: Readonly<Partial<Record<ProducerName, PauseSeries>>>;
}

export async function measurePauses(context: BenchContext, sizes: PauseSizes): Promise<MeasuredPauses> {
  context.progress('making the records');
  const { recordsPerSecond, seconds, sensors, batchRecords } = sizes;
  const load = referenceLoad(context.seed, Math.round(recordsPerSecond * seconds), sensors);
  const repetitions: Record<ProducerName, Pauses[]> = { own: [], ownSlowSync: [], sqlite: [] };
  const series: Partial<Record<ProducerName, PauseSeries>> = {};
  // The round that is not counted compiles the code; half of it is enough.
  for (let repetition = -1; repetition < context.repetitions; repetition++) {
    const pace = { recordsPerSecond, seconds: repetition < 0 ? seconds / 2 : seconds };
    for (const name of rotated(NAMES, repetition)) {
      context.progress(repetition < 0 ? `${name}, warming up` : `${name}, repetition ${repetition + 1}`);
      const produced = await inDirectory(context.directory, name, (directory) =>
        PRODUCERS[name]({ directory, load, pace, batchRecords }, sizes),
      );
      if (repetition < 0) continue;
      repetitions[name].push(pausesOf(produced));
      series[name] = {
        bucketMs: BUCKET_MS,
        worstAppendMs: worstByBucket(produced.run),
        flushesMs: produced.flushes.map(([from, to]) => [Math.round(from), Math.round(to)]),
      };
    }
  }
  return { repetitions, series };
}

const pausesOf = ({ run, flushes }: Produced): Pauses => ({
  records: run.records,
  seconds: run.seconds,
  appendMs: histogramOf(run.tookMs),
  lateMs: histogramOf(run.lateMs),
  flushes: flushes.length,
  longestFlushMs: Math.max(0, ...flushes.map(([from, to]) => to - from)),
});

/** A ratio of medians, with the ratios within the repetitions as its range. */
function ratioOfMedians(
  demand: RowDemand,
  above: readonly number[],
  below: readonly number[],
  raw: Readonly<Record<string, unknown>>,
  note: string,
): MeasuredRow {
  const ratios = above.map((longest, i) => longest / (below[i] ?? Number.NaN));
  return measuredRow(demand, ratios, { ratios, ...raw }, note, median(above) / median(below));
}

export function pauseRows({ repetitions, series }: MeasuredPauses, sizes: PauseSizes): MeasuredRow[] {
  const longest = (name: ProducerName): number[] => repetitions[name].map(({ appendMs }) => appendMs.max);
  const raw = (...names: ProducerName[]): Record<string, unknown> => ({
    ...sizes,
    producers: Object.fromEntries(
      names.map((name) => [
        name,
        { longestAppendMs: longest(name), repetitions: repetitions[name], lastRepetition: series[name] },
      ]),
    ),
  });
  const medians = 'Ratio of the medians of the longest append; pauses of the garbage collector belong to it.';
  return [
    ratioOfMedians(
      AGAINST_SQLITE,
      longest('sqlite'),
      longest('own'),
      raw('own', 'sqlite'),
      `${medians} SQLite: the insert that ends a batch commits it; ${paceText(repetitions.sqlite)}`,
    ),
    ratioOfMedians(SLOW_SYNC, longest('ownSlowSync'), longest('own'), raw('own', 'ownSlowSync'), medians),
  ];
}

/** Whoever cannot keep the pace has fewer records in the same time, and its pauses are as they are. */
function paceText(runs: readonly Pauses[]): string {
  const rate = median(runs.map(({ records, seconds }) => records / seconds));
  return `it kept ${Math.round(rate).toLocaleString('en-US')} records a second.`;
}

export const pauses: RowGroup = {
  name: 'pauses',
  rows: [AGAINST_SQLITE, SLOW_SYNC],
  async measure(context: BenchContext): Promise<readonly MeasuredRow[]> {
    const sizes = context.quick ? QUICK : SIZES;
    return pauseRows(await measurePauses(context, sizes), sizes);
  },
};
