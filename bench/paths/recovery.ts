/**
 * How fast a store that a crash left is open again. Opening reads every segment, verifies every block and builds the
 * index; it is held against a process that only reads the same files and checksums them.
 *
 *   warm   the files are in the page cache; the other process reads one file after the other, which needs no waiting
 *   cold   the page cache is empty; the other process has eight reads under way, which keeps a disk busy
 *
 * Each opening is a new process, as after a power cut: what it takes to compile the code is in the figure.
 */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createLinuxPlatform, type SensorStream } from '../../src/index.ts';
import { askOnce } from '../ask-process.ts';
import { rotated } from '../ingest/turn.ts';
import { PERIOD_MS, referenceLoad } from '../load.ts';
import { type BenchContext, type MeasuredRow, measuredRow, type RowDemand, type RowGroup } from '../row.ts';
import { openOwn } from './open-own.ts';
import { inDirectory } from './producers.ts';
import type { RecoveryAnswer, RecoveryRequest } from './recovery-process.ts';

export interface RecoverySizes {
  /** Of the store's files. */
  readonly storeBytes: number;
  readonly sensors: number;
  readonly batchRecords: number;
}

const MIB = 1_024 * 1_024;
const SIZES: RecoverySizes = { storeBytes: 256 * MIB, sensors: 2_000, batchRecords: 208_000 };
const QUICK: RecoverySizes = { ...SIZES, storeBytes: 32 * MIB };
const COLD_READERS = 8;
const PROCESS = join(import.meta.dirname, 'recovery-process.ts');
const DROP_CACHES = '/proc/sys/vm/drop_caches';

const WARM: RowDemand = {
  id: 'recovery-share',
  title: 'recovery of a full store, warm, as a share of a bare read and checksum of its files',
  compare: 'at-least',
  demand: 50,
  unit: '%',
};
const COLD: RowDemand = {
  id: 'recovery-cold',
  title: 'recovery of a full store, cold, over a bare read and checksum with 8 readers',
  compare: 'at-most',
  demand: 1.3,
  unit: 'x',
};

/** A quota that no segment has to give way to. */
export const quotaFor = ({ storeBytes }: RecoverySizes): number => 2 * storeBytes + 64 * MIB;

/** Fills a store batch by batch, the same values again and again at later times, until its files have `storeBytes`. */
export async function fillStore(directory: string, seed: number, sizes: RecoverySizes): Promise<void> {
  const { storeBytes, sensors, batchRecords } = sizes;
  const load = referenceLoad(seed, batchRecords, sensors);
  const roundMs = Math.ceil(batchRecords / sensors) * PERIOD_MS;
  const platform = createLinuxPlatform({ directory });
  const { store, streams } = await openOwn(platform, load.sensors, { quotaBytes: quotaFor(sizes) });
  try {
    for (let laterMs = 0; store.stats().diskBytes < storeBytes; laterMs += roundMs) {
      for (let i = 0; i < load.records; i++) {
        const stream = streams[load.sensor[i] as number] as SensorStream;
        const sequence = stream.append(load.value[i] as number, (load.timeMs[i] as number) + laterMs);
        if (sequence < 0) throw new Error(`record ${i} was refused`);
      }
      await store.flush();
    }
  } finally {
    await store.close();
  }
}

/** @returns null when the page cache can be emptied, else why not. */
async function whyNoCold(): Promise<string | null> {
  try {
    await emptyPageCache();
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function emptyPageCache(): Promise<void> {
  await promisify(execFile)('sync');
  await writeFile(DROP_CACHES, '1');
}

const TURNS = ['openWarm', 'readWarm', 'openCold', 'readCold'] as const;
type Turn = (typeof TURNS)[number];

export interface MeasuredRecovery {
  readonly seconds: Readonly<Record<Turn, number[]>>;
  readonly bytes: number;
  readonly records: number;
  /** Why nothing was measured cold; null when it was. */
  readonly notCold: string | null;
}

/** @param cold whether to empty the page cache for it. */
export async function measureRecovery(
  context: BenchContext,
  sizes: RecoverySizes,
  cold = true,
): Promise<MeasuredRecovery> {
  return inDirectory(context.directory, 'store', async (directory) => {
    context.progress('filling the store');
    await fillStore(directory, context.seed, sizes);
    const ask = (work: RecoveryRequest['work'], readers: number): Promise<RecoveryAnswer> =>
      askOnce(PROCESS, { work, directory, readers, quotaBytes: quotaFor(sizes) } satisfies RecoveryRequest);
    // From the first opening on the store is one that was not closed.
    const { records } = await ask('open', 1);
    const { bytes } = await ask('read', 1);
    const notCold = cold ? await whyNoCold() : 'it was not asked for';
    const seconds: Record<Turn, number[]> = { openWarm: [], readWarm: [], openCold: [], readCold: [] };
    const turns = TURNS.slice(0, notCold === null ? 4 : 2);
    for (let repetition = 0; repetition < context.repetitions; repetition++) {
      for (const turn of rotated(turns, repetition)) {
        context.progress(`${turn}, repetition ${repetition + 1}`);
        const isCold = turn.endsWith('Cold');
        if (isCold) await emptyPageCache();
        else if (notCold === null) await ask('read', 1);
        const work = turn.startsWith('open') ? 'open' : 'read';
        seconds[turn].push((await ask(work, turn === 'readCold' ? COLD_READERS : 1)).seconds);
      }
    }
    return { seconds, bytes, records, notCold };
  });
}

export function recoveryRows({ seconds, bytes, records, notCold }: MeasuredRecovery): MeasuredRow[] {
  const raw = { bytes, records, seconds };
  const share = seconds.readWarm.map((read, i) => (100 * read) / (seconds.openWarm[i] ?? Number.NaN));
  if (notCold !== null) {
    return [
      measuredRow(WARM, share, raw, `Cold recovery was not measured, the page cache cannot be emptied: ${notCold}`),
    ];
  }
  const times = seconds.openCold.map((opened, i) => opened / (seconds.readCold[i] ?? Number.NaN));
  return [measuredRow(WARM, share, raw), measuredRow(COLD, times, { ...raw, readers: COLD_READERS })];
}

export const recovery: RowGroup = {
  name: 'recovery',
  rows: [WARM, COLD],
  async measure(context: BenchContext): Promise<readonly MeasuredRow[]> {
    return recoveryRows(await measureRecovery(context, context.quick ? QUICK : SIZES));
  },
};
