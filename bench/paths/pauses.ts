/**
 * How long a sampling loop stands still: the longest append of a producer that is paced at 200,000 records a second. The
 * store's disk is one time as it is and one time with 20 ms more for every sync; SQLite commits in the same thread, batch by
 * batch, as often as this store is flushed.
 *
 * A longest of so many calls is one event, so the figure of a row is a ratio of medians over the repetitions; the range is
 * that of the ratios within a repetition. Which part of an append waits for whom is in `raw`: the whole histogram, the
 * longest call of each 10 ms with the flushes beside it (of the last repetition), and how late each record was.
 */
import { join } from 'node:path';
import { askOnce } from '../ask-process.ts';
import { rotated } from '../ingest/turn.ts';
import { type BenchContext, type MeasuredRow, measuredRow, median, type RowDemand, type RowGroup } from '../row.ts';
import type { Histogram, Pace } from './paced.ts';
import type { FlushSpan } from './producers.ts';

export interface PauseSizes extends Pace {
  readonly sensors: number;
  readonly batchRecords: number;
  readonly syncDelayMs: number;
}

const PROCESS = join(import.meta.dirname, 'producer-process.ts');
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

const PRODUCERS = ['own', 'ownSlowSync', 'sqlite', 'nothing'] as const;
type ProducerName = (typeof PRODUCERS)[number];

/** What a process of producer-process.ts is asked for; it answers `Paused`. */
export interface ProducerRequest extends PauseSizes {
  readonly producer: ProducerName;
  readonly seed: number;
  /** In which it makes one for itself. */
  readonly directory: string;
}

export interface Paused {
  readonly pauses: Pauses;
  readonly series: PauseSeries;
}

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
  const repetitions: Record<ProducerName, Pauses[]> = { own: [], ownSlowSync: [], sqlite: [], nothing: [] };
  const series: Partial<Record<ProducerName, PauseSeries>> = {};
  for (let repetition = 0; repetition < context.repetitions; repetition++) {
    for (const producer of rotated(PRODUCERS, repetition)) {
      context.progress(`${producer}, repetition ${repetition + 1}`);
      const { seed, directory } = context;
      const paused = await askOnce<Paused>(PROCESS, { ...sizes, producer, seed, directory } satisfies ProducerRequest);
      repetitions[producer].push(paused.pauses);
      series[producer] = paused.series;
    }
  }
  return { repetitions, series };
}

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
  const floor = longest('nothing');
  const medians =
    'Ratio of the medians of the longest append; pauses of the garbage collector and of the scheduler belong to it. The same loop with ' +
    `nobody behind it stood still for ${median(floor).toFixed(2)} ms, and once for ${Math.max(...floor).toFixed(2)}.`;
  return [
    ratioOfMedians(
      AGAINST_SQLITE,
      longest('sqlite'),
      longest('own'),
      raw('own', 'sqlite', 'nothing'),
      `${medians} SQLite: the insert that ends a batch commits it; ${paceText(repetitions.sqlite)}`,
    ),
    ratioOfMedians(SLOW_SYNC, longest('ownSlowSync'), longest('own'), raw('own', 'ownSlowSync', 'nothing'), medians),
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
