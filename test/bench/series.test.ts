/**
 * The measurements that make curves: each gives plain figures for each point, and the slope over them says flat or not.
 * No time is judged here: the sizes are tiny.
 */
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { GROUPS } from '../../bench/groups.ts';
import { referenceLoad } from '../../bench/load.ts';
import { GROWTH_GROUPS } from '../../bench/series/groups.ts';
import { ingest } from '../../bench/series/ingest.ts';
import { overPool } from '../../bench/series/over-pool.ts';
import { overSensors } from '../../bench/series/over-sensors.ts';
import { overStored } from '../../bench/series/over-stored.ts';
import { exponentOf, gathered, type Sample, slopeDemand, slopeRow } from '../../bench/series/slope.ts';
import { inWindows, timeline } from '../../bench/series/timeline.ts';
import { evenLoad } from '../../bench/series/work.ts';

const root = mkdtempSync(join(tmpdir(), 'imatrix-series-'));
let directory = root;
let made = 0;

beforeEach(() => {
  directory = join(root, String(made++));
  mkdirSync(directory);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Bytes that reach a device may be none: temporary files may lie in memory. */
const arePositive = (samples: readonly Sample[]): boolean =>
  samples.every((sample) =>
    Object.entries(sample).every(
      ([name, figure]) => Number.isFinite(figure) && (figure > 0 || (figure === 0 && name === 'writtenBytesPerRecord')),
    ),
  );

describe('a slope', () => {
  const law = (exponent: number) => [1, 2, 8, 64, 2_048].map((x) => ({ x, y: 30 * x ** exponent }));

  // Goal: the exponent is that of the law behind the points. Method: points of laws that are known, and noise on one.
  test.each([0, 0.5, 1, 2, -0.3])('finds the exponent %d again', (exponent) => {
    expect(exponentOf(law(exponent))).toBeCloseTo(exponent, 10);
  });

  test('sees through what disturbs single points', () => {
    const disturbed = law(1).map(({ x, y }, i) => ({ x, y: y * (i % 2 === 0 ? 1.05 : 0.95) }));
    expect(Math.abs(exponentOf(disturbed) - 1)).toBeLessThan(0.05);
  });

  // Goal: no slope is made up. Method: one point, two at one x, and figures that have no logarithm.
  test('is refused where there is none', () => {
    expect(() => exponentOf([{ x: 1, y: 1 }])).toThrow('two different x');
    expect(() => exponentOf([{ x: 0, y: 1 }, ...law(1)])).toThrow('above 0');
    expect(() => exponentOf([{ x: 4, y: Number.NaN }, ...law(1)])).toThrow('above 0');
  });

  // Goal: a row can be short. Method: a cost that stays within the bound, and one that grows with the square root.
  test('meets its bound when flat and not when it grows', () => {
    const demand = slopeDemand('growth-x', 'x');
    const samples = (exponent: number) => [law(exponent).map(({ x, y }) => ({ sensors: x, ns: y }))];
    expect(slopeRow(demand, ['sensors', 'ns'], samples(0.1), 'note').met).toBe(true);
    const grows = slopeRow(demand, ['sensors', 'ns'], samples(0.5), 'note');
    expect(grows.met).toBe(false);
    expect(grows.measured).toBeCloseTo(0.5, 10);
  });

  // Goal: a chart gets every repetition of a point. Method: two repetitions in different order.
  test('puts repetitions together by x, in order', () => {
    const repetitions = [
      [
        { sensors: 8, ns: 1 },
        { sensors: 1, ns: 2 },
      ],
      [
        { sensors: 1, ns: 3 },
        { sensors: 8, ns: 4 },
      ],
    ];
    expect(gathered('sensors', repetitions)).toEqual([
      { sensors: 1, ns: [2, 3] },
      { sensors: 8, ns: [1, 4] },
    ]);
  });
});

describe('a curve', () => {
  // Goal: each measurement gives a figure at each point and leaves no file. Method: two or three tiny points of each.
  test('over sensors has a figure for each count', async () => {
    const plan = { counts: [1, 4, 16], recordsPerFlush: 256, rounds: 1, acknowledgeRecords: 16 };
    const samples = await overSensors(directory, 1, plan);
    expect(samples.map(({ sensors }) => sensors)).toEqual([1, 4, 16]);
    expect(arePositive(samples)).toBe(true);
    expect(readdirSync(directory)).toEqual([]);
  });

  test('over the pool has longer batches for larger pools, for the peers too', async () => {
    const poolBytes = [65_536, 131_072];
    const plan = { poolBytes, sensors: 20, records: 30_000, peers: ['append-log'], peersAt: [131_072] };
    const { own, peers } = await overPool(directory, 1, plan);
    expect(arePositive(own)).toBe(true);
    const [small, large] = own.map(({ recordsPerFlush }) => recordsPerFlush);
    expect(large).toBeGreaterThan(1.8 * (small as number));
    expect(peers['append-log']?.map((sample) => sample.poolBytes)).toEqual([131_072]);
    expect(readdirSync(directory)).toEqual([]);
  });

  test('over what is stored has the same sizes in each repetition, and a time to open', async () => {
    const plan = {
      sizes: [0, 100_000, 200_000],
      sensors: 32,
      recordsPerFlush: 2_048,
      acknowledgeRecords: 32,
      repetitions: 2,
      rounds: 1,
    };
    const told: number[] = [];
    const { work, recovery } = await overStored(directory, 1, plan, (bytes) => told.push(bytes));
    expect(told).toEqual(plan.sizes);
    expect(work.every(arePositive) && recovery.every(arePositive)).toBe(true);
    const sizes = work.map((samples) => samples.map(({ storedBytes }) => storedBytes));
    expect(sizes[1]).toEqual(sizes[0]);
    expect(recovery[0]?.map(({ storedBytes }) => storedBytes)).toEqual(sizes[0]);
    expect(plan.sizes.every((size, i) => (sizes[0]?.[i] ?? -1) >= size)).toBe(true);
  });

  test('of ingest is that of the peer it names', async () => {
    const load = referenceLoad(1, 3_000, 10);
    const figures = await ingest(directory, 'sqlite-rows', load, 1_000);
    expect(figures.recordsPerSecond).toBeGreaterThan(0);
    expect(figures.writtenBytesPerRecord).toBeGreaterThanOrEqual(0);
    expect(readdirSync(directory)).toEqual([]);
    await expect(ingest(directory, 'no-such', load, 1_000)).rejects.toThrow('there is no peer no-such');
  });

  test.each(['own', 'sqlite-rows'] as const)('over time has the longest append of each bucket, of %s', async (name) => {
    const plan = { recordsPerSecond: 20_000, seconds: 1, batchRecords: 4_000, sensors: 50 };
    const line = await timeline(directory, name, 1, plan);
    expect(line.longestAppendMs).toHaveLength(100);
    expect(Math.max(...line.longestAppendMs)).toBeGreaterThan(0);
    expect(line.flushes.length).toBeGreaterThan(0);
    expect(line.flushes.every(([fromMs, toMs]) => 0 <= fromMs && fromMs <= toMs)).toBe(true);
    expect(readdirSync(directory)).toEqual([]);
  });
});

// Goal: a window is the median of its buckets, and one without an append is left out. Method: buckets written down.
test('windows of a run leave out what nothing was appended in', () => {
  const longestAppendMs = [1, 5, 3, 0, 0, 0, 0, 4, 2];
  const line = { bucketMs: 10, longestAppendMs, flushes: [], records: 9 };
  expect(inWindows(line, 30)).toEqual([
    { seconds: 0.03, longestAppendMs: 3 },
    { seconds: 0.09, longestAppendMs: 3 },
  ]);
});

// Goal: each count of sensors means the same work. Method: the loads of two counts, record by record.
test('a load for slopes has as many records of each sensor, of one source and one kind', () => {
  for (const sensors of [1, 8]) {
    const load = evenLoad(1, 'evt', sensors, 64);
    expect(new Set(load.sensors.map(({ source, kind }) => `${source} ${kind}`))).toEqual(
      new Set(['can_controller evt']),
    );
    const counts = load.sensors.map((_, index) => load.sensor.filter((each) => each === index).length);
    expect(new Set(counts)).toEqual(new Set([64 / sensors]));
  }
});

// Goal: the growth rows are in the table. Method: the list of groups that the bench runs.
test('every row about growth is in the table of the bench, once', () => {
  const ids = GROUPS.flatMap(({ rows }) => rows.map(({ id }) => id));
  const growth = ids.filter((id) => id.startsWith('growth-'));
  expect(growth).toEqual(GROWTH_GROUPS.flatMap(({ rows }) => rows.map(({ id }) => id)));
  expect(new Set(growth).size).toBe(growth.length);
  const demanded = ['append', 'flush', 'acknowledge'].flatMap((work) => [
    `growth-${work}-sensors`,
    `growth-${work}-stored`,
  ]);
  expect(growth).toEqual(expect.arrayContaining([...demanded, 'growth-recovery']));
});
