/**
 * What an append costs beside the least that it could cost (bare-loop.ts). Appends go through the public handles of
 * 2,000 tsd streams in turn, and every batch is flushed and waited for: the gathering of the records into blocks, their
 * encoding and the checksums are in the figure, only the disk itself is not (platforms.ts).
 *
 * The time of a sample is passed in, as somebody would who reads all sensors once a period. What it costs when the store
 * has to look at the clock for each record is in `raw`: that clock is Date.now with its answer put on the sensors' grid,
 * since 2,000 sensors do not sample 5,000 times a second and each a period apart.
 */
import type { SensorStream } from '../../src/index.ts';
import { rotated } from '../ingest/turn.ts';
import { type Load, type LoadSensor, PERIOD_MS, referenceLoad } from '../load.ts';
import { type BenchContext, type MeasuredRow, measuredRow, type RowDemand, type RowGroup } from '../row.ts';
import { bareLoop, makeCursors } from './bare-loop.ts';
import { openOwn } from './open-own.ts';
import { sinkPlatform } from './platforms.ts';

export interface AppendSizes {
  readonly records: number;
  readonly sensors: number;
  /** Records between two flushes: as many as the pool takes below its threshold. */
  readonly batchRecords: number;
}

const SIZES: AppendSizes = { records: 5_000_000, sensors: 2_000, batchRecords: 208_000 };
const QUICK: AppendSizes = { ...SIZES, records: 1_040_000 };
/** Values of one appendMany. */
const MANY = 64;
const START_MS = 1_767_225_600_000;
/** Rounds before the first that is counted: the code is compiled then. */
const WARM_UPS = 2;

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

/** What is appended, prepared before a clock starts. */
interface Input {
  readonly sensors: readonly LoadSensor[];
  readonly batchRecords: number;
  readonly bits: Uint32Array;
  readonly values: Float64Array;
  /** `chunks[k][s]`: the k-th MANY values of sensor s. */
  readonly chunks: readonly (readonly Float64Array[])[];
}

export function makeInput(load: Load, batchRecords: number): Input {
  const sensors = load.sensors.map((sensor): LoadSensor => ({ ...sensor, kind: 'tsd', periodMs: PERIOD_MS }));
  const count = sensors.length;
  const rounds = Math.floor(load.records / count / MANY);
  const chunks = Array.from({ length: rounds }, (_, k) =>
    sensors.map((_, s) => Float64Array.from({ length: MANY }, (_, i) => load.value[(k * MANY + i) * count + s] ?? 0)),
  );
  return { sensors, batchRecords, bits: load.bits, values: load.value, chunks };
}

/** One way of appending the input. @returns records a second. */
type Way = (input: Input) => Promise<number>;

/** The clock of the ways that pass no time: it is looked at, and says when this round of samples is due. */
const roundClock = { dueMs: START_MS, lookedMs: 0 };
const clock = (): number => {
  roundClock.lookedMs = Date.now();
  return roundClock.dueMs;
};

async function appendEach({ sensors, batchRecords, values }: Input, timed: boolean): Promise<number> {
  const { store, streams } = await openOwn(sinkPlatform(clock), sensors);
  const began = performance.now();
  for (let from = 0; from < values.length; from += batchRecords) {
    const to = Math.min(values.length, from + batchRecords);
    if (timed) appendBatch(streams, values, from, to);
    else appendBatchByClock(streams, values, from, to);
    await store.flush();
  }
  const rate = rateSince(began, values.length);
  expectAppended(store.stats().appended, values.length);
  await store.close();
  return rate;
}

function appendBatch(streams: readonly SensorStream[], values: Float64Array, from: number, to: number): void {
  const count = streams.length;
  let sensor = from % count;
  let timeMs = START_MS + Math.floor(from / count) * PERIOD_MS;
  for (let i = from; i < to; i++) {
    (streams[sensor] as SensorStream).append(values[i] as number, timeMs);
    sensor++;
    if (sensor === count) {
      sensor = 0;
      timeMs += PERIOD_MS;
    }
  }
}

function appendBatchByClock(streams: readonly SensorStream[], values: Float64Array, from: number, to: number): void {
  const count = streams.length;
  let sensor = from % count;
  roundClock.dueMs = START_MS + Math.floor(from / count) * PERIOD_MS;
  for (let i = from; i < to; i++) {
    (streams[sensor] as SensorStream).append(values[i] as number);
    sensor++;
    if (sensor === count) {
      sensor = 0;
      roundClock.dueMs += PERIOD_MS;
    }
  }
}

async function appendInMany({ sensors, batchRecords, chunks }: Input, timed: boolean): Promise<number> {
  const { store, streams } = await openOwn(sinkPlatform(clock), sensors);
  const times = chunks.map((_, k) =>
    Float64Array.from({ length: MANY }, (_, i) => START_MS + (k * MANY + i) * PERIOD_MS),
  );
  const records = chunks.length * streams.length * MANY;
  let inBatch = 0;
  const began = performance.now();
  for (const [k, ofSensors] of chunks.entries()) {
    roundClock.dueMs = START_MS + k * MANY * PERIOD_MS;
    const timesMs = timed ? times[k] : undefined;
    for (let s = 0; s < streams.length; s++) {
      (streams[s] as SensorStream).appendMany(ofSensors[s] as Float64Array, timesMs);
      inBatch += MANY;
      if (inBatch < batchRecords) continue;
      await store.flush();
      inBatch = 0;
    }
  }
  await store.flush();
  const rate = rateSince(began, records);
  expectAppended(store.stats().appended, records);
  await store.close();
  return rate;
}

const rateSince = (beganMs: number, records: number): number => (records * 1_000) / (performance.now() - beganMs);

/** A refused append is quick: a rate with one among them says nothing. */
function expectAppended(appended: number, records: number): void {
  if (appended !== records) throw new Error(`${records - appended} of ${records} records were refused`);
}

const WAYS = {
  bareLoop: async ({ bits, sensors, batchRecords }) =>
    bits.length / bareLoop(makeCursors(sensors.length, batchRecords), bits, batchRecords),
  append: (input) => appendEach(input, true),
  appendByClock: (input) => appendEach(input, false),
  appendMany: (input) => appendInMany(input, true),
  appendManyByClock: (input) => appendInMany(input, false),
} as const satisfies Record<string, Way>;

type WayName = keyof typeof WAYS;
const NAMES = Object.keys(WAYS) as WayName[];

export type AppendRates = Readonly<Record<WayName, readonly number[]>>;

/** Records a second of each way, by repetition; the order changes from one to the next. */
export async function measureRates(context: BenchContext, sizes: AppendSizes): Promise<AppendRates> {
  context.progress('making the records');
  const input = makeInput(referenceLoad(context.seed, sizes.records, sizes.sensors), sizes.batchRecords);
  const rates = Object.fromEntries(NAMES.map((name): [WayName, number[]] => [name, []])) as Record<WayName, number[]>;
  for (let repetition = -WARM_UPS; repetition < context.repetitions; repetition++) {
    for (const name of rotated(NAMES, repetition)) {
      context.progress(repetition < 0 ? 'warming up' : `${name}, repetition ${repetition + 1}`);
      globalThis.gc?.();
      const rate = await WAYS[name](input);
      if (repetition >= 0) rates[name].push(rate);
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
