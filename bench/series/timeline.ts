/**
 * The longest append in each hundredth of a second, over a few seconds, with a producer that is paced: so many records
 * a second, whether or not the store keeps up. Both stores make records durable in batches of the same size. This one
 * is asked to flush and goes on; SQLite commits in the middle of an append, for there is no other place.
 */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { SensorStream } from '../../src/index.ts';
import { type Load, referenceLoad } from '../load.ts';
import { median } from '../row.ts';
import type { Sample } from './slope.ts';
import { openStreams } from './work.ts';

export interface TimelinePlan {
  readonly recordsPerSecond: number;
  readonly seconds: number;
  readonly batchRecords: number;
  readonly sensors: number;
}

export const BUCKET_MS = 10;
/** Appended in a row at most, before the producer lets others run. */
const TURN_RECORDS = 64;

/** From its start to its end, in milliseconds since the clock was started. */
export type Span = readonly [fromMs: number, toMs: number];

export interface Timeline {
  readonly bucketMs: number;
  /** By bucket; 0 for one without an append, when the thread was held for longer than a bucket. */
  readonly longestAppendMs: readonly number[];
  /** When something was made durable. */
  readonly flushes: readonly Span[];
  readonly records: number;
}

export interface TimelineSample extends Sample {
  readonly seconds: number;
  readonly longestAppendMs: number;
}

interface Subject {
  append(at: number): void;
  /** Called when a batch is full. */
  batchEnds(): void;
  readonly flushes: Span[];
  close(): Promise<void>;
}

type Open = (directory: string, load: Load, nowMs: () => number) => Promise<Subject>;

const ownStore: Open = async (directory, load, nowMs) => {
  const { store, streams } = await openStreams(directory, load.sensors);
  const flushes: Span[] = [];
  let startedMs = 0;
  store.on('flushStarted', () => {
    startedMs = nowMs();
  });
  store.on('flushed', () => void flushes.push([startedMs, nowMs()]));
  const { sensor, value, timeMs } = load;
  return {
    flushes,
    append(at) {
      const stream = streams[sensor[at] as number] as SensorStream;
      if (stream.append(value[at] as number, timeMs[at] as number) < 0) throw new Error(`record ${at} was refused`);
    },
    batchEnds: () => void store.flush(),
    close: async () => void (await store.close()),
  };
};

const sqliteRows: Open = async (directory, load, nowMs) => {
  const database = new DatabaseSync(join(directory, 'records.db'));
  database.exec('PRAGMA journal_mode = WAL');
  database.exec('PRAGMA synchronous = FULL');
  database.exec('PRAGMA cache_size = -262144');
  database.exec(`CREATE TABLE records (sensor INTEGER NOT NULL, sequence INTEGER NOT NULL, time INTEGER NOT NULL,
    value INTEGER NOT NULL, PRIMARY KEY (sensor, sequence)) WITHOUT ROWID`);
  const insert = database.prepare('INSERT INTO records VALUES (?, ?, ?, ?)');
  const flushes: Span[] = [];
  const { sensor, sequence, timeMs, bits } = load;
  database.exec('BEGIN IMMEDIATE');
  return {
    flushes,
    append(at) {
      insert.run(sensor[at] as number, sequence[at] as number, timeMs[at] as number, bits[at] as number);
    },
    batchEnds() {
      const startMs = nowMs();
      database.exec('COMMIT');
      flushes.push([startMs, nowMs()]);
      database.exec('BEGIN IMMEDIATE');
    },
    async close() {
      database.exec('COMMIT');
      database.close();
    },
  };
};

const SUBJECTS = { own: ownStore, 'sqlite-rows': sqliteRows } as const;
export type TimelineName = keyof typeof SUBJECTS;

/** @param directory exists; left empty. */
export async function timeline(
  directory: string,
  name: TimelineName,
  seed: number,
  plan: TimelinePlan,
): Promise<Timeline> {
  const own = join(directory, name);
  await mkdir(own);
  const load = referenceLoad(seed, plan.recordsPerSecond * plan.seconds, plan.sensors);
  let zeroMs = 0;
  const subject = await SUBJECTS[name](own, load, () => performance.now() - zeroMs);
  globalThis.gc?.();
  zeroMs = performance.now();
  const longestAppendMs = await produce(subject, load, plan, zeroMs);
  await subject.close();
  await rm(own, { recursive: true });
  const flushes = subject.flushes.map(([fromMs, toMs]): Span => [thousandth(fromMs), thousandth(toMs)]);
  return { bucketMs: BUCKET_MS, longestAppendMs: longestAppendMs.map(thousandth), flushes, records: load.records };
}

/** Microseconds are enough, and keep the file of results small. */
const thousandth = (ms: number): number => Math.round(ms * 1_000) / 1_000;

async function produce(subject: Subject, load: Load, plan: TimelinePlan, zeroMs: number): Promise<number[]> {
  const buckets = new Float64Array(Math.ceil((plan.seconds * 1_000) / BUCKET_MS));
  const perMs = plan.recordsPerSecond / 1_000;
  let at = 0;
  while (at < load.records) {
    const due = Math.min(load.records, Math.floor((performance.now() - zeroMs) * perMs));
    const end = Math.min(due, at + TURN_RECORDS);
    let beforeMs = performance.now();
    for (; at < end; at++) {
      subject.append(at);
      if ((at + 1) % plan.batchRecords === 0) subject.batchEnds();
      const nowMs = performance.now();
      const bucket = Math.floor((beforeMs - zeroMs) / BUCKET_MS);
      const tookMs = nowMs - beforeMs;
      // A producer that has fallen behind goes on when its seconds are over: that is no part of the picture.
      if (bucket < buckets.length && tookMs > (buckets[bucket] as number)) buckets[bucket] = tookMs;
      beforeMs = nowMs;
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  return [...buckets];
}

/** Seconds from the start, and the median of the longest appends in the buckets of each `windowMs`; empty ones are left out. */
export function inWindows({ bucketMs, longestAppendMs }: Timeline, windowMs: number): TimelineSample[] {
  const each = windowMs / bucketMs;
  return Array.from({ length: Math.floor(longestAppendMs.length / each) }, (_, i) => {
    const used = longestAppendMs.slice(i * each, (i + 1) * each).filter((ms) => ms > 0);
    return { seconds: ((i + 1) * windowMs) / 1_000, longestAppendMs: used.length === 0 ? 0 : median(used) };
  }).filter((sample) => sample.longestAppendMs > 0);
}
