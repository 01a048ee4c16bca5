/**
 * Cost of a record over what the store already holds, and the time it takes to open it again. One store grows from
 * nothing to the largest size; at each size everything is measured as often as there are repetitions, and what a
 * repetition appends it acknowledges, so that the size stays.
 *
 * The records are noise: whatever codec is in use, 256 MB are 256 MB.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { Load } from '../load.ts';
import type { Sample } from './slope.ts';
import type { OpenStreams } from './work.ts';
import { evenLoad, nsPerRecord, openStreams, timeAcknowledges, timeAppends, timeFlush } from './work.ts';

const MB = 1_000_000;

export interface StoredPlan {
  /** Ascending; each is filled up to, none is exactly met. */
  readonly sizes: readonly number[];
  readonly sensors: number;
  /** Also what is filled with at a time; a multiple of `sensors`. */
  readonly recordsPerFlush: number;
  readonly acknowledgeRecords: number;
  readonly repetitions: number;
  /** Of each point of a repetition; the fastest counts, for what disturbs only ever adds. */
  readonly rounds: number;
}

/** A store without a record has its log, so that 0 has a place on a logarithmic axis; then powers of two, 1 to 256 MB. */
export const STORED_SIZES = [0, ...Array.from({ length: 9 }, (_, power) => 2 ** power * MB)];
/** Above the largest size, and room for what is in the log. */
const QUOTA_BYTES = 512 * 1_024 * 1_024;

interface WorkFigures {
  readonly appendNsPerRecord: number;
  readonly flushNsPerRecord: number;
  readonly acknowledgeNsPerRecord: number;
}

/** `storedBytes`: of all files, before the work begins. */
export type StoredSample = Sample & WorkFigures & { readonly storedBytes: number };

interface RecoveryFigures {
  readonly recoveryMs: number;
  /** Of a store that holds nothing: what opening costs before the first byte is read. */
  readonly emptyMs: number;
  /** For reading the same files and their checksum, by the synchronous calls, without understanding them. */
  readonly bareReadMs: number;
}

export type RecoverySample = Sample & RecoveryFigures & { readonly storedBytes: number };

export interface OverStored {
  /** By repetition, a sample for each size. */
  readonly work: readonly (readonly StoredSample[])[];
  readonly recovery: readonly (readonly RecoverySample[])[];
}

/** @param directory exists; the store stays in it. @param tell is told the size that is being filled. */
export async function overStored(
  directory: string,
  seed: number,
  plan: StoredPlan,
  tell: (storedBytes: number) => void,
): Promise<OverStored> {
  const own = join(directory, 'store');
  await mkdir(own);
  const load = evenLoad(seed, 'evt', plan.sensors, plan.recordsPerFlush, true);
  const work = Array.from({ length: plan.repetitions }, (): StoredSample[] => []);
  const recovery = Array.from({ length: plan.repetitions }, (): RecoverySample[] => []);
  const opened = { streams: await openStreams(own, load.sensors, { quotaBytes: QUOTA_BYTES }), rounds: 0 };
  // Compiled before the clock counts.
  await workAt(opened, load, plan);
  for (const size of plan.sizes) {
    tell(size);
    while (opened.streams.store.stats().diskBytes < size) await oneRound(opened, load);
    const { diskBytes: storedBytes } = opened.streams.store.stats();
    for (const samples of work) samples.push({ storedBytes, ...(await workAt(opened, load, plan)) });
    for (const samples of recovery) {
      samples.push({ storedBytes, ...(await recoveryAt(own, directory, opened, load, plan)) });
    }
  }
  await opened.streams.store.close();
  return { work, recovery };
}

/** A store, and how many times the load went into it: each time later than before. */
interface Growing {
  streams: OpenStreams;
  rounds: number;
}

async function oneRound(growing: Growing, load: Load): Promise<{ appendMs: number; flushMs: number }> {
  const { store, streams } = growing.streams;
  const spanMs = (load.timeMs.at(-1) as number) - (load.timeMs[0] as number) + 1_000;
  const appendMs = timeAppends(streams, load, 0, load.records, growing.rounds++ * Math.ceil(spanMs));
  return { appendMs, flushMs: await timeFlush(store) };
}

async function workAt(growing: Growing, load: Load, plan: StoredPlan): Promise<WorkFigures> {
  const fastest = {
    appendMs: Number.POSITIVE_INFINITY,
    flushMs: Number.POSITIVE_INFINITY,
    acknowledgeMs: Number.POSITIVE_INFINITY,
  };
  for (let round = 0; round < plan.rounds; round++) {
    const { store, streams } = growing.streams;
    const { appendMs, flushMs } = await oneRound(growing, load);
    const acknowledgeMs = await timeAcknowledges(streams, load.records, plan.acknowledgeRecords);
    // What is empty goes now, and not in the next round's time.
    await store.checkpoint();
    fastest.appendMs = Math.min(fastest.appendMs, appendMs);
    fastest.flushMs = Math.min(fastest.flushMs, flushMs);
    fastest.acknowledgeMs = Math.min(fastest.acknowledgeMs, acknowledgeMs);
  }
  return {
    appendNsPerRecord: nsPerRecord(fastest.appendMs, load.records),
    flushNsPerRecord: nsPerRecord(fastest.flushMs, load.records),
    acknowledgeNsPerRecord: nsPerRecord(fastest.acknowledgeMs, load.records),
  };
}

async function recoveryAt(
  own: string,
  directory: string,
  growing: Growing,
  load: Load,
  plan: StoredPlan,
): Promise<RecoveryFigures> {
  let [recoveryMs, emptyMs, bareReadMs] = [
    Number.POSITIVE_INFINITY,
    Number.POSITIVE_INFINITY,
    Number.POSITIVE_INFINITY,
  ];
  for (let round = 0; round < plan.rounds; round++) {
    await growing.streams.store.close();
    bareReadMs = Math.min(bareReadMs, timeBareRead(own));
    const startMs = performance.now();
    growing.streams = await openStreams(own, load.sensors, { quotaBytes: QUOTA_BYTES });
    recoveryMs = Math.min(recoveryMs, performance.now() - startMs);
    emptyMs = Math.min(emptyMs, await timeEmpty(directory, load));
  }
  return { recoveryMs, emptyMs, bareReadMs };
}

/** Opens a store with the same streams and no records, that has been opened before. */
async function timeEmpty(directory: string, load: Load): Promise<number> {
  const empty = join(directory, 'empty');
  await mkdir(empty, { recursive: true });
  await (await openStreams(empty, load.sensors, { quotaBytes: QUOTA_BYTES })).store.close();
  const startMs = performance.now();
  const { store } = await openStreams(empty, load.sensors, { quotaBytes: QUOTA_BYTES });
  const tookMs = performance.now() - startMs;
  await store.close();
  return tookMs;
}

function timeBareRead(directory: string): number {
  const startMs = performance.now();
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) crc32(readFileSync(join(entry.parentPath, entry.name)));
  }
  return performance.now() - startMs;
}
