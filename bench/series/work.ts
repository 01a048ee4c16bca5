/**
 * The three things that a store does all day, timed one by one: append, flush, acknowledge. The same number of records
 * at every point of a curve, so that what a flush costs once is spread over the same many.
 */

import { SeededRandom } from '../../src/cli/replay/random.ts';
import type { Kind, SensorStream, Store } from '../../src/index.ts';
import { openStore } from '../../src/index.ts';
import { emptyLoad, type Load, type LoadSensor, PERIOD_MS, put } from '../load.ts';

export interface OpenStreams {
  readonly store: Store;
  readonly streams: readonly SensorStream[];
}

/** @param sensors one stream each. @param settings beside the directory; the store's own defaults for the rest. */
export async function openStreams(
  directory: string,
  sensors: readonly LoadSensor[],
  settings: { readonly poolBytes?: number; readonly sectorBytes?: number; readonly quotaBytes?: number } = {},
): Promise<OpenStreams> {
  const store = await openStore({ directory, ...settings });
  const streams = sensors.map(({ source, sensor, kind, periodMs, type }) =>
    store.stream(source, sensor, { kind, type, ...(kind === 'tsd' ? { periodMs } : {}) }),
  );
  return { store, streams };
}

/** 2026-01-01T00:00:00Z. */
const START_MS = 1_767_225_600_000;

/**
 * Sensors of one kind and one source in turn, so that each count of sensors means the same bytes in the same files.
 * @param noise every bit of a value is chance, and no codec makes it shorter: a store fills at a known pace.
 */
export function evenLoad(seed: number, kind: Kind, sensors: number, records: number, noise = false): Load {
  const random = new SeededRandom(seed);
  const load = emptyLoad(
    `${sensors} ${kind} sensors in turn, ${records} records, seed ${seed}`,
    records,
    Array.from({ length: sensors }, (_, index) => ({
      source: 'can_controller',
      sensor: 0x1000 + index,
      kind,
      periodMs: kind === 'tsd' ? PERIOD_MS : 0,
      type: noise ? 'uint32' : 'float32',
    })),
  );
  for (let i = 0; i < records; i++) {
    const index = i % sensors;
    const round = (i - index) / sensors;
    const jitterMs = kind === 'tsd' ? 0 : random.between(0, 999);
    const value = noise ? random.between(0, 0xffff_ffff) : (200 + (round % 50) + random.between(0, 9)) / 10;
    put(load, i, index, round, START_MS + round * PERIOD_MS + jitterMs, value);
  }
  return load;
}

/** Milliseconds for appending records [from, to), a call each. @param lateMs added to each time: a later round. */
export function timeAppends(
  streams: readonly SensorStream[],
  load: Load,
  from: number,
  to: number,
  lateMs = 0,
): number {
  const { sensor, value, timeMs } = load;
  const startMs = performance.now();
  for (let i = from; i < to; i++) {
    const stream = streams[sensor[i] as number] as SensorStream;
    if (stream.append(value[i] as number, (timeMs[i] as number) + lateMs) < 0)
      throw new Error(`record ${i} was refused`);
  }
  return performance.now() - startMs;
}

export async function timeFlush(store: Store): Promise<number> {
  const startMs = performance.now();
  await store.flush();
  return performance.now() - startMs;
}

/**
 * Milliseconds for acknowledging `records` in all, the same of each stream, `piece` a call, streams in turn. They are
 * read before the clock starts: how fast a store is read is a figure of its own.
 */
export async function timeAcknowledges(
  streams: readonly SensorStream[],
  records: number,
  piece: number,
): Promise<number> {
  const each = Math.floor(records / streams.length);
  for (const stream of streams) {
    for (let read = 0; read < each; ) {
      const { length } = await stream.read(Math.min(READ_RECORDS, each - read));
      if (length === 0) throw new Error(`a stream gave ${read} of ${each} records`);
      read += length;
    }
  }
  const startMs = performance.now();
  for (let done = 0; done < each; done += piece) {
    const count = Math.min(piece, each - done);
    for (const stream of streams) stream.acknowledge(count);
  }
  return performance.now() - startMs;
}

/** Records a read asks for. */
const READ_RECORDS = 4_096;

/** Milliseconds for a bare loop that does with the same records what cannot be left out: one store to memory, in turn. */
export function timeBareLoop(load: Load, from: number, to: number): number {
  const { sensor, value, sensors } = load;
  const room = Math.ceil(load.records / sensors.length) + 1;
  const cursors = Uint32Array.from(sensors, (_, index) => index * room);
  const kept = new Float64Array(room * sensors.length);
  const startMs = performance.now();
  for (let i = from; i < to; i++) {
    const index = sensor[i] as number;
    const at = cursors[index] as number;
    kept[at] = value[i] as number;
    cursors[index] = at + 1;
  }
  const tookMs = performance.now() - startMs;
  // Looked at, so that no compiler may leave the loop out.
  if (Number.isNaN(kept[0])) throw new Error('the bare loop kept nothing');
  return tookMs;
}

/** Nanoseconds a record. */
export const nsPerRecord = (ms: number, records: number): number => (ms * 1e6) / records;
