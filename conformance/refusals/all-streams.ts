/** A store with two streams on disk and in RAM, and what its reads over all streams come to, for the cases about them. */
import type { Result } from '../../src/core/codes.ts';
import type { Engine } from '../../src/core/engine.ts';
import type { StoreBatch } from '../../src/core/store-batch.ts';
import type { StreamHandle } from '../../src/core/stream-handle.ts';
import { given, Machine, NOW_MS, streamOf } from './machine.ts';

/** Sensor and sequence number of each record, or the code. */
export function got(result: Result<StoreBatch>): readonly string[] | string {
  return result.ok ? [...result.value].map(({ sensor, sequence }) => `${sensor}/${sequence}`) : result.failure.code;
}

export const code = (result: Result<unknown>): unknown => (result.ok ? result.value : result.failure.code);

export const ofSensor = (sensor: number, ...sequences: readonly number[]): string[] =>
  sequences.map((sequence) => `${sensor}/${sequence}`);

/** Head, read mark and pending of each stream. */
export const marksOf = (...handles: readonly StreamHandle[]): number[][] =>
  handles.map((handle) => {
    const { head, read, pending } = handle.marks();
    return [head, read, pending];
  });

export const read = (engine: Engine, max: number): Promise<Result<StoreBatch>> => engine.reads.readOldest(max);

export interface Pair {
  readonly machine: Machine;
  readonly engine: Engine;
  readonly one: StreamHandle;
  readonly two: StreamHandle;
}

/** Sensors 1 and 2 with three records each in one segment, three more in another, and two in RAM. */
export async function pair(): Promise<Pair> {
  const machine = new Machine();
  machine.settings = { poolBytes: 2_048 };
  const engine = await machine.open();
  const [one, two] = [streamOf(engine, 1), streamOf(engine, 2)];
  for (const records of [3, 3, 2]) {
    for (const handle of [one, two]) appendFrom(handle, records);
    if (records === 3) given(await engine.flush());
  }
  return { machine, engine, one, two };
}

function appendFrom(handle: StreamHandle, records: number): void {
  const { appended } = handle.marks();
  for (let i = appended; i < appended + records; i++) handle.append(i, NOW_MS + i);
}
