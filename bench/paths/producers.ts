/** Who takes the paced records: this store, on a disk as it is or with slow syncs, and SQLite in the same thread. */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createLinuxPlatform, type SensorStream } from '../../src/index.ts';
import type { Load } from '../load.ts';
import { sqliteRowInserts } from '../peers/sqlite.ts';
import { openOwn } from './open-own.ts';
import { type Pace, type PacedRun, produceSettled } from './paced.ts';
import { withSlowSync } from './platforms.ts';

/** When a batch was being made durable, in milliseconds after the start. */
export type FlushSpan = readonly [fromMs: number, toMs: number];

export interface Produced {
  readonly run: PacedRun;
  readonly flushes: readonly FlushSpan[];
}

export interface Producing {
  readonly directory: string;
  readonly load: Load;
  readonly pace: Pace;
  readonly batchRecords: number;
}

/**
 * This store. The append that ends a batch asks for the flush, too, and its time has that; nobody waits for the flush, but
 * the next batch does not end before it has. @param syncDelayMs added to every sync.
 */
export async function produceOwn(
  { directory, load, pace, batchRecords }: Producing,
  syncDelayMs: number,
): Promise<Produced> {
  const { store, streams } = await openOwn(withSlowSync(createLinuxPlatform({ directory }), syncDelayMs), load.sensors);
  const flushes: FlushSpan[] = [];
  const pending: Promise<void>[] = [];
  let flushFromMs = 0;
  store.on('flushStarted', () => {
    flushFromMs = performance.now();
  });
  store.on('flushed', () => {
    flushes.push([flushFromMs, performance.now()]);
  });
  const { sensor, value, timeMs } = load;
  const put = (i: number): void => {
    const stream = streams[sensor[i] as number] as SensorStream;
    if (stream.append(value[i] as number, timeMs[i] as number) < 0) throw new Error(`record ${i} was refused`);
    if ((i + 1) % batchRecords === 0) pending.push(store.flush());
  };
  try {
    const run = await produceSettled(pace, put);
    await Promise.all(pending);
    return { run, flushes: sinceStart(flushes, run) };
  } finally {
    await store.close();
  }
}

/** Nobody: what is left is how long the loop itself stands still on this machine. */
export async function produceNothing({ load, pace }: Producing): Promise<Produced> {
  let bits = 0;
  const run = await produceSettled(pace, (i) => {
    bits ^= load.bits[i] as number;
  });
  if (Number.isNaN(bits)) throw new Error('the records are no numbers');
  return { run, flushes: [] };
}

/** SQLite, synchronous=FULL: the insert that ends a batch commits it, and begins the next. */
export async function produceSqlite({ directory, load, pace, batchRecords }: Producing): Promise<Produced> {
  const inserts = sqliteRowInserts(directory, load.sensors);
  const commits: FlushSpan[] = [];
  const put = (i: number): void => {
    inserts.insert(load, i);
    if ((i + 1) % batchRecords !== 0) return;
    const fromMs = performance.now();
    inserts.commit();
    commits.push([fromMs, performance.now()]);
  };
  try {
    const run = await produceSettled(pace, put);
    return { run, flushes: sinceStart(commits, run) };
  } finally {
    inserts.close();
  }
}

/** Those that the run saw, from its start. */
const sinceStart = (spans: readonly FlushSpan[], { startedMs }: PacedRun): FlushSpan[] =>
  spans.filter(([, toMs]) => toMs > startedMs).map(([fromMs, toMs]) => [fromMs - startedMs, toMs - startedMs]);

/** A directory of its own for one producer. */
export async function inDirectory<T>(
  parent: string,
  name: string,
  work: (directory: string) => Promise<T>,
): Promise<T> {
  const directory = join(parent, name);
  await mkdir(directory);
  try {
    return await work(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
