/**
 * What a row of the benchmark's table is, and what its measurement is given. Rows that come out of one measurement are
 * one group: they were measured interleaved, on the same records, in the same minute.
 */
import { LIMITS } from './limits-of-rows.ts';

/** How a figure is held against its demand. */
export type Comparison = 'at-least' | 'at-most';

/** A line of the table before it is measured. */
export interface RowDemand {
  /** Stable, lower case, with dashes: `ingest-sqlite-full-16k`. */
  readonly id: string;
  /** What is measured, for the table: `durable ingest against SQLite rows, batches of 16,000`. */
  readonly title: string;
  readonly compare: Comparison;
  readonly demand: number;
  /** `x` for a ratio, `%` for a share, else a unit such as `MB` or `B/record`. */
  readonly unit: string;
}

/** A line of the table as it was measured. */
export interface MeasuredRow extends RowDemand {
  /** Median over the repetitions, in `unit`. */
  readonly measured: number;
  /** Smallest and largest over the repetitions. */
  readonly range: readonly [lowest: number, highest: number];
  readonly met: boolean;
  /** Of a row that is short: how many times the figure would have to be better; and, where that is known, what stands in the way. */
  readonly shortBy?: number;
  readonly limit?: string;
  /** How it was measured, for instance where device bytes were counted. */
  readonly note?: string;
  /** Every figure that it came from, with units in the names (`recordsPerSecond`, `deviceBytes`), repetition by repetition. */
  readonly raw: Readonly<Record<string, unknown>>;
}

export interface BenchContext {
  /** Fewer records and repetitions: shows that everything runs, its figures are no claim. */
  readonly quick: boolean;
  /** At least 5, or 2 when quick. */
  readonly repetitions: number;
  readonly seed: number;
  /** An empty directory on the disk that is measured; the group may fill it, the bench removes it. */
  readonly directory: string;
  /** One line of what is going on, for the person who waits. */
  progress(doing: string): void;
}

export interface RowGroup {
  readonly name: string;
  readonly rows: readonly RowDemand[];
  measure(context: BenchContext): Promise<readonly MeasuredRow[]>;
}

export const isMet = (compare: Comparison, demand: number, measured: number): boolean =>
  compare === 'at-least' ? measured >= demand : measured <= demand;

/** The middle value; of an even number, the mean of the two in the middle. @throws RangeError for no value. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('the median of no value');
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
}

/** A row from its figure in each repetition. @param measured the row's figure, where it is not their median. */
export function measuredRow(
  demand: RowDemand,
  figures: readonly number[],
  raw: Readonly<Record<string, unknown>>,
  note?: string,
  measured = median(figures),
): MeasuredRow {
  const range = [Math.min(...figures), Math.max(...figures)] as const;
  const met = isMet(demand.compare, demand.demand, measured);
  const limit = met ? undefined : LIMITS[demand.id];
  return {
    ...demand,
    measured,
    range,
    met,
    ...(met ? {} : { shortBy: shortBy(demand, measured) }),
    ...(limit === undefined ? {} : { limit }),
    ...(note === undefined ? {} : { note }),
    raw,
  };
}

/** How many times better the figure would have to be. */
export const shortBy = ({ compare, demand }: RowDemand, measured: number): number =>
  compare === 'at-least' ? demand / measured : measured / demand;
