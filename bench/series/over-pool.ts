/**
 * Durable ingest over the size of the pool: the producer appends until the store asks for a flush, and goes on when it
 * is done. A larger pool means longer batches. Peers have no pool: each commits as many records at a time as the
 * store's own flushes took at that size.
 */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { SensorStream } from '../../src/index.ts';
import { type Load, referenceLoad } from '../load.ts';
import { peerNamed } from '../peers/all.ts';
import { ingest, writtenBytes } from './ingest.ts';
import type { Sample } from './slope.ts';
import { openStreams } from './work.ts';

const KIB = 1_024;

export interface PoolPlan {
  readonly poolBytes: readonly number[];
  readonly sensors: number;
  /** At least; at least two flushes are made. */
  readonly records: number;
  readonly peers: readonly string[];
  /** Sizes at which the peers have a turn. */
  readonly peersAt: readonly number[];
}

/** Powers of two, 64 KiB to 16 MiB. */
export const POOL_BYTES = Array.from({ length: 9 }, (_, power) => 64 * KIB * 2 ** power);
/** The same at every size, small enough for 200 sensors to share 64 KiB. */
const SECTOR_BYTES = 64;
/** A tsd and an evt record take 17.4 bytes of the pool together, in sectors of 64 bytes. */
const RECORD_BYTES_LEAST = 8;

export interface PoolSample extends Sample {
  readonly poolBytes: number;
  readonly nsPerRecord: number;
  readonly recordsPerSecond: number;
  readonly writtenBytesPerRecord: number;
  readonly recordsPerFlush: number;
}

export interface OverPool {
  readonly own: readonly PoolSample[];
  readonly peers: Readonly<Record<string, readonly Sample[]>>;
}

/** One repetition. @param directory exists; left empty. */
export async function overPool(directory: string, seed: number, plan: PoolPlan): Promise<OverPool> {
  const own: PoolSample[] = [];
  const peers: Record<string, Sample[]> = Object.fromEntries(plan.peers.map((name) => [name, []]));
  for (const poolBytes of plan.poolBytes) {
    const records = Math.max(plan.records, Math.ceil((2.4 * 0.8 * poolBytes) / RECORD_BYTES_LEAST));
    const load = referenceLoad(seed, records, plan.sensors);
    const sample = await ownIngest(join(directory, 'own'), load, poolBytes);
    own.push(sample);
    if (!plan.peersAt.includes(poolBytes)) continue;
    const batchRecords = Math.round(sample.recordsPerFlush);
    // Two batches at least, the first of which is not counted.
    const enough = Math.min(records, Math.max(plan.records, 2 * batchRecords));
    for (const name of plan.peers) {
      if (enough > (peerNamed(name).recordsMax ?? Number.POSITIVE_INFINITY)) continue;
      peers[name]?.push({ poolBytes, ...(await ingest(directory, name, { ...load, records: enough }, batchRecords)) });
    }
  }
  return { own, peers };
}

async function ownIngest(directory: string, load: Load, poolBytes: number): Promise<PoolSample> {
  await mkdir(directory);
  const { store, streams } = await openStreams(directory, load.sensors, { poolBytes, sectorBytes: SECTOR_BYTES });
  let isFull = false;
  store.on('flushRequested', () => {
    isFull = true;
  });
  const { sensor, value, timeMs } = load;
  const bytesBefore = writtenBytes();
  let flushed = 0;
  let flushes = 0;
  let startMs = performance.now();
  let startRecords = 0;
  let endMs = startMs;
  for (let i = 0; i < load.records; i++) {
    (streams[sensor[i] as number] as SensorStream).append(value[i] as number, timeMs[i] as number);
    if (!isFull) continue;
    await store.flush();
    isFull = false;
    flushed = i + 1;
    endMs = performance.now();
    // The first flush is not counted.
    if (flushes++ === 0) [startMs, startRecords] = [endMs, flushed];
  }
  const bytes = writtenBytes() - bytesBefore;
  const { appended } = store.stats();
  if (appended !== load.records) throw new Error(`${load.records - appended} records were refused`);
  await store.close();
  await rm(directory, { recursive: true });
  if (flushes < 2) throw new Error(`${load.records} records made ${flushes} flushes of a pool of ${poolBytes} bytes`);
  const records = flushed - startRecords;
  const seconds = (endMs - startMs) / 1_000;
  return {
    poolBytes,
    nsPerRecord: (seconds * 1e9) / records,
    recordsPerSecond: records / seconds,
    writtenBytesPerRecord: bytes / flushed,
    recordsPerFlush: records / (flushes - 1),
  };
}
