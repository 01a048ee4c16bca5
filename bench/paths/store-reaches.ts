/** What the store reaches on the paths whose limits machine-limits.ts measures: the same units, the same machine. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import {
  createLinuxPlatform,
  openStore,
  type Platform,
  type SensorStream,
  type SettingsInput,
} from '../../src/index.ts';
import type { Load } from '../load.ts';
import type { Effort } from './machine-limits.ts';
import { type OwnStreams, openOwn } from './open-own.ts';
import { sinkPlatform } from './platforms.ts';

const READ_RECORDS = 4_096;
/** A record in the pool: its value, and of an event its time. */
const POOL_BYTES = { tsd: 4, evt: 12 } as const;

export interface Reached {
  /** append onto a disk that costs nothing, flushes included, in records. */
  readonly append: Effort;
  /** A flush onto that disk, in bytes as they lie in the pool. */
  readonly gather: Effort;
  /** A flush onto the disk, in bytes of segments; an operation is a segment. */
  readonly flush: Effort;
  /** Opening a store, in bytes of its files. */
  readonly open: Effort;
  /** Reading it, one sensor at a time, in bytes of its segments. */
  readonly read: Effort;
}

async function secondsOf(work: () => unknown): Promise<number> {
  const beganMs = performance.now();
  await work();
  return (performance.now() - beganMs) / 1_000;
}

function appendAll({ streams }: OwnStreams, { sensor, value, timeMs, records }: Load): void {
  for (let i = 0; i < records; i++) {
    const sequence = (streams[sensor[i] as number] as SensorStream).append(value[i] as number, timeMs[i] as number);
    if (sequence < 0) throw new Error(`record ${i} was refused`);
  }
}

/** Appends the load, which the pool takes in one go, and flushes it. */
async function appendAndFlush(platform: Platform, load: Load) {
  const own = await openOwn(platform, load.sensors);
  const appendSeconds = await secondsOf(() => appendAll(own, load));
  const flushSeconds = await secondsOf(() => own.store.flush());
  const { segmentsWritten } = own.store.stats();
  await own.store.close();
  return { appendSeconds, flushSeconds, segmentsWritten };
}

const filesOf = (directory: string, end: string): number =>
  readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(end))
    .reduce((sum, name) => sum + statSync(join(directory, name)).size, 0);

/** @param load at most what the pool takes below its threshold. */
export async function reachedInFlush(
  directory: string,
  load: Load,
): Promise<Pick<Reached, 'append' | 'gather' | 'flush'>> {
  const { records, sensors, sensor } = load;
  const onSink = await appendAndFlush(sinkPlatform(), load);
  const poolBytes = sensor.reduce((sum, s) => sum + POOL_BYTES[sensors[s]?.kind ?? 'tsd'], 0);
  const onDisk = await appendAndFlush(createLinuxPlatform({ directory }), load);
  return {
    append: { units: records, operations: records, seconds: onSink.appendSeconds + onSink.flushSeconds },
    gather: { units: poolBytes, operations: 1, seconds: onSink.flushSeconds },
    flush: { units: filesOf(directory, '.seg'), operations: onDisk.segmentsWritten, seconds: onDisk.flushSeconds },
  };
}

/** @param directory has a store, with all of its records unread; so it has afterwards. */
export async function reachedInReading(
  directory: string,
  settings: SettingsInput,
): Promise<Pick<Reached, 'open' | 'read'>> {
  const segmentBytes = filesOf(directory, '.seg');
  const files = segmentBytes + filesOf(directory, '.log');
  const beganMs = performance.now();
  const store = await openStore({ directory, ...settings });
  const openSeconds = (performance.now() - beganMs) / 1_000;
  const streams = store.streams();
  let read = 0;
  const readSeconds = await secondsOf(async () => {
    for (const stream of streams) read += await readStream(stream);
  });
  const { retained } = store.stats();
  await store.close();
  if (read !== retained) throw new Error(`${read} of ${retained} records were read`);
  return {
    open: { units: files, operations: 1, seconds: openSeconds },
    read: { units: segmentBytes, operations: streams.length, seconds: readSeconds },
  };
}

async function readStream(stream: SensorStream): Promise<number> {
  let records = 0;
  for (let batch = await stream.read(READ_RECORDS); batch.length > 0; batch = await stream.read(READ_RECORDS)) {
    records += batch.length;
  }
  return records;
}
