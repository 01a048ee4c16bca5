/** A day of a store under a load, in seconds: the engine itself on a disk in memory and a clock that the load moves. */
import { crc32 } from 'node:zlib';
import type { Platform, SensorStream, Settings, Store } from '../../index.ts';
import { openOn, RAM_FULL } from '../../index.ts';
import { CliError } from '../cli-error.ts';
import type { Load } from './load.ts';
import { MemoryDisk } from './memory-disk.ts';
import type { Work } from './model.ts';

export interface DayOptions {
  readonly settings: Settings;
  /** Hours of the day, from its beginning on, in which nothing can be uploaded. */
  readonly hoursOffline: number;
  readonly onProgress: (share: number) => void;
}

export interface Day extends Work {
  /** Records that a power cut would have taken at the worst moment. */
  readonly atRiskMax: number;
}

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const UPLOAD_EVERY_MS = 60_000;
/** More than any stream holds. */
const ALL = 2 ** 31;

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function upload(streams: readonly SensorStream[]): Promise<void> {
  for (const stream of streams) {
    if (stream.marks.unread === 0) continue;
    stream.acknowledge(await stream.read(ALL));
  }
}

/** Appends once, and again behind a flush when the pool is full: the reckoning loses nothing. */
async function append(store: Store, stream: SensorStream, value: number, timeMs: number): Promise<void> {
  if (stream.append(value, timeMs) !== RAM_FULL) return;
  await store.flush();
  if (stream.append(value, timeMs) < 0) throw new CliError('the pool is too small for this load: give --pool');
}

/** Runs a day of the load. The same load and options give the same figures. */
export async function dayOf(load: Load, { settings, hoursOffline, onProgress }: DayOptions): Promise<Day> {
  const disk = new MemoryDisk();
  let nowMs = 0;
  const platform: Platform = {
    name: 'memory',
    disk,
    nowMs: () => nowMs,
    newStoreId: () => new Uint8Array(16).fill(1),
    crc32: (bytes, seed) => crc32(bytes, seed),
  };
  const store = await openOn(platform, settings);
  const streams = load.streams.map(({ source, sensor, options }) => store.stream(source, sensor, options));
  const before = { ...disk.counts };
  let [beginMs, uploadMs, records, atRiskMax] = [Number.NaN, 0, 0, 0];
  for (const { stream, value, timeMs } of load.samples()) {
    if (records === 0) beginMs = timeMs;
    nowMs = timeMs;
    const sinceMs = timeMs - beginMs;
    if (sinceMs >= DAY_MS) break;
    await append(store, streams[stream] as SensorStream, value, timeMs);
    records++;
    if (records % 2000 === 0) {
      await turn();
      onProgress(sinceMs / DAY_MS);
    }
    if (sinceMs < uploadMs) continue;
    uploadMs = sinceMs + UPLOAD_EVERY_MS;
    atRiskMax = Math.max(atRiskMax, store.stats().atRisk);
    if (sinceMs >= hoursOffline * HOUR_MS) await upload(streams);
  }
  const { flushes } = store.stats();
  await store.close();
  const { pageBytes, fileSyncs, directorySyncs } = disk.counts;
  return {
    seconds: DAY_MS / 1000,
    records,
    flushes,
    pageBytes: pageBytes - before.pageBytes,
    fileSyncs: fileSyncs - before.fileSyncs,
    directorySyncs: directorySyncs - before.directorySyncs,
    atRiskMax,
  };
}
