/** The limits of the machine and what the store reaches of each, measured in turns in the same minutes. */
import { referenceLoad } from '../load.ts';
import { type BenchContext, median } from '../row.ts';
import { bareLoop, makeCursors } from './bare-loop.ts';
import {
  appendLimit,
  checksumLimit,
  copyLimit,
  createLimit,
  type Effort,
  type LimitSizes,
  overwriteLimit,
  readLimit,
} from './machine-limits.ts';
import { inDirectory } from './producers.ts';
import { fillStore, quotaFor } from './recovery.ts';
import { type Reached, reachedInFlush, reachedInReading } from './store-reaches.ts';

export interface LimitsSizes extends LimitSizes {
  readonly sensors: number;
  /** What the store is filled with; the pool takes it below its threshold. */
  readonly records: number;
  /** Rounds of the bare loop over these records. */
  readonly rounds: number;
  /** Of the store that is opened and read. */
  readonly storeBytes: number;
}

const MIB = 1_024 * 1_024;
/** Rounds of the store before the first that counts: the code is compiled then. */
const WARM_UPS = 3;

export const SIZES: LimitsSizes = {
  ...{ memoryBytes: 512 * MIB, syncs: 100, files: 512 },
  ...{ sensors: 2_000, records: 208_000, rounds: 24, storeBytes: 16 * MIB },
};
export const QUICK: LimitsSizes = {
  ...SIZES,
  memoryBytes: 64 * MIB,
  syncs: 10,
  files: 64,
  rounds: 5,
  storeBytes: 2 * MIB,
};

interface LimitKind {
  readonly id: string;
  readonly title: string;
  /** Of the limit and of what is reached, a second. */
  readonly unit: 'records' | 'bytes';
  /** Whether an operation is long enough to be told by itself. */
  readonly slow: boolean;
  readonly measure: (directory: string, sizes: LimitsSizes, bits: Uint32Array) => Effort;
  /** What the store does on this path. */
  readonly reaches: keyof Reached;
  readonly reachesTitle: string;
}

const PER_SEGMENT = 'flush of 208,000 records onto the disk, bytes of segments';

const KINDS: readonly LimitKind[] = [
  {
    ...{ id: 'bare-loop', title: 'bare loop over 2,000 cursors', unit: 'records', slow: false },
    measure: (_, sizes, bits) => {
      const cursors = makeCursors(sizes.sensors, sizes.records);
      let seconds = 0;
      for (let round = 0; round < sizes.rounds; round++) seconds += bareLoop(cursors, bits, sizes.records);
      return { units: sizes.rounds * bits.length, operations: sizes.rounds, seconds };
    },
    ...{ reaches: 'append', reachesTitle: 'append and flush onto a disk that costs nothing' },
  },
  {
    ...{ id: 'crc32', title: 'crc32 of 64 KiB', unit: 'bytes', slow: false },
    measure: (_, sizes) => checksumLimit(sizes),
    ...{ reaches: 'open', reachesTitle: 'opening a store: read, verified, indexed' },
  },
  {
    ...{ id: 'memcpy', title: 'copy of 4 MiB in memory', unit: 'bytes', slow: false },
    measure: (_, sizes) => copyLimit(sizes),
    ...{ reaches: 'gather', reachesTitle: 'flush onto a disk that costs nothing, bytes of the pool' },
  },
  {
    ...{ id: 'overwrite-sync', title: '64 KiB overwritten, fdatasync', unit: 'bytes', slow: true },
    measure: overwriteLimit,
    ...{ reaches: 'flush', reachesTitle: PER_SEGMENT },
  },
  {
    ...{ id: 'create-sync', title: '64 KiB created, fdatasync, directory sync', unit: 'bytes', slow: true },
    measure: createLimit,
    ...{ reaches: 'flush', reachesTitle: PER_SEGMENT },
  },
  {
    ...{ id: 'append-sync', title: '256 KiB appended, fdatasync', unit: 'bytes', slow: true },
    measure: appendLimit,
    ...{ reaches: 'flush', reachesTitle: PER_SEGMENT },
  },
  {
    ...{ id: 'read', title: 'files of 64 KiB read in turn, warm', unit: 'bytes', slow: false },
    measure: readLimit,
    ...{ reaches: 'read', reachesTitle: "reading one sensor's records at a time, bytes of segments" },
  },
];

/** One limit, and the store beside it. Rates are medians, in `unit` a second. */
export interface MeasuredLimit {
  readonly id: string;
  readonly title: string;
  readonly unit: 'records' | 'bytes';
  readonly limitPerSecond: number;
  readonly limitRange: readonly [lowest: number, highest: number];
  /** Of one operation of the limit, where it takes long; null elsewhere. */
  readonly operationMs: number | null;
  readonly reached: string;
  readonly reachedPerSecond: number;
  /** Median of the shares within the repetitions. */
  readonly sharePercent: number;
}

const rateOf = ({ units, seconds }: Effort): number => units / seconds;

/** From the efforts of each repetition. */
export function limitOf(
  kind: Omit<LimitKind, 'measure'>,
  limits: readonly Effort[],
  reached: readonly Effort[],
): MeasuredLimit {
  const rates = limits.map(rateOf);
  const reachedRates = reached.map(rateOf);
  const { id, title, unit } = kind;
  return {
    ...{ id, title, unit },
    limitPerSecond: median(rates),
    limitRange: [Math.min(...rates), Math.max(...rates)],
    operationMs: kind.slow ? median(limits.map(({ seconds, operations }) => (seconds * 1_000) / operations)) : null,
    reached: kind.reachesTitle,
    reachedPerSecond: median(reachedRates),
    sharePercent: median(reachedRates.map((rate, i) => (100 * rate) / (rates[i] ?? Number.NaN))),
  };
}

export async function measureLimits(context: BenchContext, sizes: LimitsSizes): Promise<MeasuredLimit[]> {
  context.progress('filling a store');
  const load = referenceLoad(context.seed, sizes.records, sizes.sensors);
  const filled = { storeBytes: sizes.storeBytes, sensors: sizes.sensors, batchRecords: sizes.records };
  return inDirectory(context.directory, 'filled', async (full) => {
    await fillStore(full, context.seed, filled);
    const store = async (): Promise<Reached> => ({
      ...(await inDirectory(context.directory, 'store', (empty) => reachedInFlush(empty, load))),
      ...(await reachedInReading(full, { quotaBytes: quotaFor(filled) })),
    });
    for (let round = 1; round <= WARM_UPS; round++) {
      context.progress('warming up');
      await store();
    }
    const limits = KINDS.map((): Effort[] => []);
    const reached: Reached[] = [];
    for (let repetition = 0; repetition < context.repetitions; repetition++) {
      for (const [i, { title, measure }] of KINDS.entries()) {
        context.progress(`${title}, repetition ${repetition + 1}`);
        limits[i]?.push(measure(context.directory, sizes, load.bits));
      }
      context.progress(`the store, repetition ${repetition + 1}`);
      reached.push(await store());
    }
    return KINDS.map((kind, i) =>
      limitOf(
        kind,
        limits[i] ?? [],
        reached.map((each) => each[kind.reaches]),
      ),
    );
  });
}
