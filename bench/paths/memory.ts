/**
 * How much more memory a process has with the store at work than one that has loaded the same modules and does nothing.
 * Resident set, as the system counts it: the pool, the tables, the index of what is on disk, the buffers of a flush, and
 * whatever the garbage collector has not given back yet. Nobody calls it, as nobody would on a gateway.
 *
 * How much V8 takes for short-lived objects follows from how fast they are made: an uploader that reads stream by stream as
 * fast as it can, with no link to wait for, makes it grow several times as much. That is in `raw`, measured once.
 */
import { join } from 'node:path';
import { askOnce } from '../ask-process.ts';
import { type BenchContext, type MeasuredRow, measuredRow, median, type RowDemand, type RowGroup } from '../row.ts';
import type { MemoryAnswer, MemoryRequest } from './memory-process.ts';
import { inDirectory } from './producers.ts';

export type MemorySizes = Omit<MemoryRequest, 'work' | 'directory'>;

/** The pool is filled several times, and the uploader takes 5,000 records a second as that of the reference load does. */
const SIZES: MemorySizes = {
  seconds: 8,
  sensors: 2_000,
  recordsPerSecond: 100_000,
  batchRecords: 200_000,
  uploadPerSecond: 5_000,
};
const QUICK: MemorySizes = { ...SIZES, seconds: 3, batchRecords: 70_000 };
const PROCESS = join(import.meta.dirname, 'memory-process.ts');
const IDLE_SECONDS_MAX = 2;
const MB = 1_000_000;
/** More than any reader gives. */
const UNPACED = 1e9;

const GROWTH: RowDemand = {
  id: 'memory-growth',
  title: 'memory of a process with 2,000 sensors at work, above an idle one',
  compare: 'at-most',
  demand: 12,
  unit: 'MB',
};

export interface MeasuredMemory {
  readonly idle: readonly MemoryAnswer[];
  readonly load: readonly MemoryAnswer[];
  /** With an uploader that does not wait for a link. */
  readonly unpaced: MemoryAnswer;
}

export async function measureMemory(context: BenchContext, sizes: MemorySizes): Promise<MeasuredMemory> {
  const ask = (work: MemoryRequest['work'], uploadPerSecond = sizes.uploadPerSecond): Promise<MemoryAnswer> => {
    // An idle process is the same after two seconds as after ten.
    const seconds = work === 'idle' ? Math.min(sizes.seconds, IDLE_SECONDS_MAX) : sizes.seconds;
    return inDirectory(context.directory, work, (directory) =>
      askOnce(PROCESS, { ...sizes, seconds, work, directory, uploadPerSecond } satisfies MemoryRequest),
    );
  };
  const idle: MemoryAnswer[] = [];
  const load: MemoryAnswer[] = [];
  // One after the other: of a machine that is short of memory the one would take the other's pages.
  for (let repetition = 1; repetition <= context.repetitions; repetition++) {
    context.progress(`an idle process, repetition ${repetition}`);
    idle.push(await ask('idle'));
    context.progress(`a store at work, repetition ${repetition}`);
    load.push(await ask('load'));
  }
  context.progress('a store at work, uploaded without a pace');
  return { idle, load, unpaced: await ask('load', UNPACED) };
}

/** The median over the second half of a process's time: a moment in the middle of a collection is not its memory. */
const megabytes = ({ rssBytes }: MemoryAnswer): number => median(rssBytes) / MB;

export function memoryRow({ idle, load, unpaced }: MeasuredMemory, sizes: MemorySizes): MeasuredRow {
  const idleMegabytes = idle.map(megabytes);
  const growth = load.map((each, i) => megabytes(each) - (idleMegabytes[i] ?? Number.NaN));
  return measuredRow(GROWTH, growth, {
    ...sizes,
    idleMegabytes,
    loadMegabytes: load.map(megabytes),
    highestLoadMegabytes: load.map(({ rssBytes }) => Math.max(...rssBytes) / MB),
    unpacedUploadMegabytes: megabytes(unpaced),
    work: load.map(({ appended, flushes, uploaded }) => ({ appended, flushes, uploaded })),
  });
}

export const memory: RowGroup = {
  name: 'memory',
  rows: [GROWTH],
  async measure(context: BenchContext): Promise<readonly MeasuredRow[]> {
    const sizes = context.quick ? QUICK : SIZES;
    return [memoryRow(await measureMemory(context, sizes), sizes)];
  },
};
