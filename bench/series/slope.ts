/**
 * How a cost grows: the exponent of the power law that fits best. 0 is flat, 1 is linear; doubling the load multiplies
 * the cost by two to the exponent.
 */
import type { Comparison, MeasuredRow, RowDemand } from '../row.ts';
import { measuredRow } from '../row.ts';

/**
 * What counts as flat: from 1 to 2,048 sensors a cost may grow 3.1 times in all (2,048 ** 0.15), which caches and shorter
 * blocks explain. What an algorithm would bring in lies far above it: a look through all sensors for each record, or
 * through all segments for each flush, tends to 1, and a tree that is rebuilt now and then to a half.
 */
export const FLAT_MOST = 0.15;
/** What counts as linear: 256 times the bytes may take at most 446 times as long, where a square would take 65,536. */
export const LINEAR_MOST = 1.1;

export interface PointXY {
  readonly x: number;
  readonly y: number;
}

/** Least squares on the logarithms of both. @throws RangeError for fewer than two different x, or a figure of 0 or less. */
export function exponentOf(points: readonly PointXY[]): number {
  if (points.some(({ x, y }) => !(x > 0 && y > 0))) throw new RangeError('a slope on logarithms needs figures above 0');
  const logs = points.map(({ x, y }) => ({ x: Math.log(x), y: Math.log(y) }));
  const meanX = mean(logs.map(({ x }) => x));
  const meanY = mean(logs.map(({ y }) => y));
  const spread = logs.reduce((sum, { x }) => sum + (x - meanX) ** 2, 0);
  if (!(spread > 0)) throw new RangeError('a slope needs two different x');
  return logs.reduce((sum, { x, y }) => sum + (x - meanX) * (y - meanY), 0) / spread;
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** One x and its figures, each a list with one of each repetition; units are in the names. */
export type Point = Readonly<Record<string, number | readonly number[]>>;

/** What was measured at each x in one repetition. */
export type Sample = Readonly<Record<string, number>>;

/** Repetitions of the same samples, put together by x. @param xName of the column that all have in common. */
export function gathered(xName: string, repetitions: readonly (readonly Sample[])[]): Point[] {
  const byX = new Map<number, Sample[]>();
  for (const sample of repetitions.flat()) {
    const x = sample[xName] as number;
    byX.set(x, [...(byX.get(x) ?? []), sample]);
  }
  return [...byX]
    .sort(([a], [b]) => a - b)
    .map(([x, samples]) => {
      const names = Object.keys(samples[0] as Sample).filter((name) => name !== xName);
      return {
        [xName]: x,
        ...Object.fromEntries(names.map((name) => [name, samples.map((each) => each[name] as number)])),
      };
    });
}

/** A demand on the exponent of a growing cost. */
export const slopeDemand = (id: string, title: string, demand = FLAT_MOST): RowDemand => ({
  id,
  title,
  compare: 'at-most' satisfies Comparison,
  demand,
  unit: 'exponent',
});

/**
 * The row of a slope: one exponent a repetition, over that repetition's own points.
 * @param yName which figure of the samples grows. @param beside what stands beside it on a chart.
 */
export function slopeRow(
  demand: RowDemand,
  [xName, yName]: readonly [string, string],
  repetitions: readonly (readonly Sample[])[],
  note: string,
  beside: Readonly<Record<string, unknown>> = {},
): MeasuredRow {
  const exponents = repetitions.map((samples) =>
    exponentOf(samples.map((sample) => ({ x: sample[xName] as number, y: sample[yName] as number }))),
  );
  const own = repetitions.map((samples) =>
    samples.map((sample) => ({ [xName]: sample[xName] as number, [yName]: sample[yName] as number })),
  );
  return measuredRow(demand, exponents, { exponents, points: { own: gathered(xName, own) }, ...beside }, note);
}
