/**
 * Process that appends in one way, round after round, and says how fast each round was. Each way has a process of its own: what
 * the compiler has seen of one way would be in the figure of another, as it is for no program that appends in one.
 */
import type { SensorStream } from '../../src/index.ts';
import { answerProcess } from '../ask-process.ts';
import { type Load, type LoadSensor, PERIOD_MS, referenceLoad } from '../load.ts';
import { type AppendRequest, MANY, type WayName } from './append.ts';
import { bareLoop, makeCursors } from './bare-loop.ts';
import { openOwn } from './open-own.ts';
import { sinkPlatform } from './platforms.ts';

const START_MS = 1_767_225_600_000;
/** Rounds before the one that is counted: the code is compiled then. */
const WARM_UPS = 3;

/** What is appended, prepared before a clock starts. */
interface Input {
  readonly sensors: readonly LoadSensor[];
  readonly batchRecords: number;
  readonly bits: Uint32Array;
  readonly values: Float64Array;
  /** `chunks[k][s]`: the k-th MANY values of sensor s. */
  readonly chunks: readonly (readonly Float64Array[])[];
}

function makeInput(load: Load, batchRecords: number): Input {
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
} as const satisfies Record<WayName, Way>;

/** @returns records a second of the last round. */
async function rateOf({ way, seed, records, sensors, batchRecords }: AppendRequest): Promise<number> {
  const input = makeInput(referenceLoad(seed, records, sensors), batchRecords);
  let rate = Number.NaN;
  for (let round = 0; round <= WARM_UPS; round++) {
    globalThis.gc?.();
    rate = await WAYS[way](input);
  }
  return rate;
}

answerProcess(rateOf);
