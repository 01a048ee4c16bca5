/**
 * Settings: what may be set, in which range, with which default, and one clear sentence for what is not accepted.
 * Pure validation; nothing is clamped in silence.
 */
import type { Result } from './codes.ts';
import { failure, success } from './codes.ts';

/** Largest segment or checkpoint file (contract section 2). */
export const FILE_BYTES_MAX = 65_536;
/** Largest block inside a segment (contract section 2). */
export const BLOCK_BYTES_MAX = 4_096;
/** What a block of the largest size has raw; packed ones hold no more, so that damage costs no more of them. */
export const BLOCK_RECORDS_MAX = BLOCK_BYTES_MAX / 4;
/** Fewer sectors are no pool. */
const SECTORS_MIN = 4;
/** Pool use, in percent, at which a flush is asked for (contract section 5). */
export const FLUSH_AT_PERCENT = 80;

export type WhenDiskFull = 'evict-oldest' | 'refuse-new';

/** Complete and validated; made by resolveSettings only. */
export interface Settings {
  readonly poolBytes: number;
  readonly sectorBytes: number;
  readonly streamsMax: number;
  /** All bytes the store may hold on disk, checkpoint included. */
  readonly quotaBytes: number;
  /** Free bytes of the file system that a flush leaves untouched. */
  readonly freeFloorBytes: number;
  /** Bytes of segment files whose records are gone that stay on disk, to be written again in place; the others are removed. */
  readonly recycleBytes: number;
  /** Bytes of segment files that are on disk from the first flush on: what is missing of them is made when the store is opened. */
  readonly preallocateBytes: number;
  readonly whenDiskFull: WhenDiskFull;
  /** Each acknowledge asks for a checkpoint at once. */
  readonly durableAcknowledge: boolean;
  /** Ranges the loss ledger keeps apart; older ones are folded into the totals. */
  readonly ledgerMax: number;
  /** When set, pool, sector table, stream table and ledger together fit in this many bytes, and poolBytes follows. */
  readonly budgetBytes: number | null;
}

/** What a caller may give. A size is a whole number of bytes or text such as '64KiB'. */
export interface SettingsInput {
  readonly poolBytes?: number | string;
  readonly sectorBytes?: number | string;
  readonly streamsMax?: number;
  readonly quotaBytes?: number | string;
  readonly freeFloorBytes?: number | string;
  readonly recycleBytes?: number | string;
  readonly preallocateBytes?: number | string;
  readonly whenDiskFull?: WhenDiskFull;
  readonly durableAcknowledge?: boolean;
  readonly ledgerMax?: number;
}

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;
const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  B: 1,
  KIB: KIB,
  MIB: MIB,
  GIB: GIB,
};

interface SizeRule {
  readonly default: number;
  readonly min: number;
  readonly max: number;
  readonly unit: 'bytes' | 'count';
}

/** Ranges and defaults of a store with a disk. The defaults suit the reference load (docs/design.md, "Sizes"). */
const SIZE_RULES = {
  poolBytes: { default: 4 * MIB, min: 128, max: GIB, unit: 'bytes' },
  sectorBytes: { default: 256, min: 32, max: 4096, unit: 'bytes' },
  streamsMax: { default: 2048, min: 1, max: 4096, unit: 'count' },
  quotaBytes: {
    default: 256 * MIB,
    min: 8 * KIB,
    max: 1024 * GIB,
    unit: 'bytes',
  },
  freeFloorBytes: { default: 16 * MIB, min: 0, max: 1024 * GIB, unit: 'bytes' },
  recycleBytes: { default: 0, min: 0, max: 1024 * GIB, unit: 'bytes' },
  preallocateBytes: { default: 0, min: 0, max: GIB, unit: 'bytes' },
  ledgerMax: { default: 4096, min: 1, max: 65_536, unit: 'count' },
} as const satisfies Record<string, SizeRule>;

type SizeKey = keyof typeof SIZE_RULES;

const OTHER_KEYS = ['whenDiskFull', 'durableAcknowledge'] as const;
const KNOWN_KEYS: readonly string[] = [...Object.keys(SIZE_RULES), ...OTHER_KEYS];

/** Parses '64KiB', '4 MiB', 65536. Decimal units are refused: 64 KB means 64,000 to some and 65,536 to others. */
export function parseSize(name: string, given: unknown): Result<number> {
  if (typeof given === 'number') {
    return Number.isSafeInteger(given)
      ? success(given)
      : failure('CONFIG_INVALID', `${name} is ${given}: it must be a whole number of bytes`);
  }
  if (typeof given !== 'string') {
    return failure('CONFIG_INVALID', `${name} is ${describe(given)}: give a number of bytes or text such as '64KiB'`);
  }
  const [, digits, unitName = '?'] = /^\s*(\d+)\s*([A-Za-z]*)\s*$/.exec(given) ?? [];
  const unit = UNITS[unitName.toUpperCase()];
  if (unit === undefined) {
    return failure(
      'CONFIG_INVALID',
      `${name} is '${given}': write a whole number with B, KiB, MiB or GiB, such as 64KiB`,
    );
  }
  const bytes = Number(digits) * unit;
  return Number.isSafeInteger(bytes) ? success(bytes) : failure('CONFIG_INVALID', `${name} is '${given}': too large`);
}

const describe = (value: unknown): string =>
  value === null
    ? 'null'
    : typeof value === 'string'
      ? `'${value}'`
      : typeof value === 'number'
        ? `${value}`
        : typeof value;

/**
 * The bytes that the records of a full pool can take on disk at most: every sector a block of its own, with the
 * largest header, and the segments' frames around them. A quota below this could not take one flush.
 */
export function flushBytesMax(sectors: number, sectorBytes: number): number {
  const blocks = sectors * (sectorBytes + 48);
  const cuts = Math.ceil(blocks / (BLOCK_BYTES_MAX - 64)) * 48;
  return blocks + cuts + Math.ceil((blocks + cuts) / (FILE_BYTES_MAX - BLOCK_BYTES_MAX - 128) + 3) * 128;
}

/** Validates `input` and fills in the defaults. @returns CONFIG_INVALID naming the setting, its value and the remedy. */
export function resolveSettings(input: SettingsInput = {}): Result<Settings> {
  for (const key of Object.keys(input)) {
    if (!KNOWN_KEYS.includes(key)) {
      return failure('CONFIG_INVALID', `${key} is not a setting; known are ${KNOWN_KEYS.join(', ')}`);
    }
  }
  const sizes = {} as Record<SizeKey, number>;
  for (const key of Object.keys(SIZE_RULES) as SizeKey[]) {
    const rule: SizeRule = SIZE_RULES[key];
    const given = input[key];
    if (given === undefined) {
      sizes[key] = rule.default;
      continue;
    }
    const parsed = parseSize(key, given);
    if (!parsed.ok) return parsed;
    if (parsed.value < rule.min || parsed.value > rule.max) {
      const unit = rule.unit === 'bytes' ? ' bytes' : '';
      return failure(
        'CONFIG_INVALID',
        `${key} is ${parsed.value}${unit}: it must lie between ${rule.min} and ${rule.max}${unit}`,
      );
    }
    sizes[key] = parsed.value;
  }
  const whenDiskFull = input.whenDiskFull ?? 'evict-oldest';
  if (whenDiskFull !== 'evict-oldest' && whenDiskFull !== 'refuse-new') {
    return failure(
      'CONFIG_INVALID',
      `whenDiskFull is ${describe(whenDiskFull)}: it must be 'evict-oldest' or 'refuse-new'`,
    );
  }
  const durableAcknowledge = input.durableAcknowledge ?? false;
  if (typeof durableAcknowledge !== 'boolean') {
    return failure('CONFIG_INVALID', `durableAcknowledge is ${describe(durableAcknowledge)}: it must be true or false`);
  }
  if (sizes.sectorBytes % 8 !== 0) {
    return failure('CONFIG_INVALID', `sectorBytes is ${sizes.sectorBytes}: it must be a multiple of 8`);
  }
  const sectors = Math.floor(sizes.poolBytes / sizes.sectorBytes);
  if (sectors < SECTORS_MIN) {
    return failure(
      'CONFIG_INVALID',
      `poolBytes is ${sizes.poolBytes}: it must hold at least ${SECTORS_MIN} sectors of ${sizes.sectorBytes} bytes`,
    );
  }
  const needed = flushBytesMax(sectors, sizes.sectorBytes) + 2 * checkpointReserveBytes(sizes) + 3 * 4096;
  if (sizes.quotaBytes < needed) {
    return failure(
      'CONFIG_INVALID',
      `quotaBytes is ${sizes.quotaBytes}: one flush of a pool of ${sizes.poolBytes} bytes with its checkpoint can need ` +
        `${needed} bytes; raise quotaBytes or lower poolBytes`,
    );
  }
  const forSegments = sizes.quotaBytes - 2 * checkpointReserveBytes(sizes);
  if (sizes.preallocateBytes > forSegments) {
    return failure(
      'CONFIG_INVALID',
      `preallocateBytes is ${sizes.preallocateBytes}: a quota of ${sizes.quotaBytes} bytes leaves ${forSegments} for segments; ` +
        'lower it or raise quotaBytes',
    );
  }
  return success({
    ...sizes,
    poolBytes: sectors * sizes.sectorBytes,
    whenDiskFull,
    durableAcknowledge,
    budgetBytes: null,
  });
}

/** Bytes of frames after which the checkpoint log begins a new generation. */
export function checkpointGrowthBytes(quotaBytes: number): number {
  return Math.min(256 * KIB, Math.floor(quotaBytes / 16));
}

/**
 * What one generation of the checkpoint log can take at most: a snapshot of every stream, ledger entry and segment,
 * one batch, and the growth after which the next generation begins, in whole parts.
 */
export function checkpointReserveBytes(settings: {
  readonly streamsMax: number;
  readonly ledgerMax: number;
  readonly quotaBytes: number;
  readonly preallocateBytes: number;
}): number {
  const segments = Math.ceil(settings.quotaBytes / 4096);
  const snapshot = 1024 + settings.streamsMax * 64 + settings.ledgerMax * 32 + segments * 4;
  const bytes = 2 * snapshot + checkpointGrowthBytes(settings.quotaBytes);
  const step = logStepBytes(settings);
  return Math.ceil(bytes / step + 1) * step;
}

/** Size of the files that are made ahead: the largest that there is, of a smaller total an eighth. */
export function aheadFileBytes({ preallocateBytes }: { readonly preallocateBytes: number }): number {
  let bytes = FILE_BYTES_MAX;
  while (bytes > 4096 && 8 * bytes > preallocateBytes) bytes /= 2;
  return bytes;
}

/**
 * A file of the checkpoint log grows in these steps, so that most batches find their space already in the file. Where files
 * are made ahead, it is one of them too.
 */
export const logStepBytes = (settings: { readonly preallocateBytes: number }): number =>
  Math.max(LOG_STEP_BYTES, settings.preallocateBytes > 0 ? aheadFileBytes(settings) : 0);

/** At the least a part of the log has this many bytes, once it is synced. */
export const LOG_STEP_BYTES = 8192;

/**
 * Settings of a store without a disk that must live in `budgetBytes`, metadata included: the microcontroller profile.
 * The pool takes what the tables leave, never more than 2,048 sectors (16-bit addresses, contract section 6): that many
 * of the smallest fill the largest budget. @returns CONFIG_INVALID when not even 4 sectors are left.
 */
export function resolveBudget(
  budgetBytes: number,
  streamsMax: number,
  sectorBytes: number,
  ledgerMax: number,
  tableBytes: (sectors: number, streams: number, ledgerEntries: number) => number,
): Result<Settings> {
  for (const [name, value, min, max] of [
    ['budgetBytes', budgetBytes, 1024, 64 * KIB],
    ['streamsMax', streamsMax, 1, 2048],
    ['sectorBytes', sectorBytes, 32, 4096],
    ['ledgerMax', ledgerMax, 1, 1024],
  ] as const) {
    if (!Number.isSafeInteger(value) || value < min || value > max) {
      return failure(
        'CONFIG_INVALID',
        `${name} is ${describe(value)}: it must be a whole number from ${min} to ${max}`,
      );
    }
  }
  if (sectorBytes % 8 !== 0)
    return failure('CONFIG_INVALID', `sectorBytes is ${sectorBytes}: it must be a multiple of 8`);
  let sectors = Math.floor(budgetBytes / sectorBytes);
  while (sectors >= SECTORS_MIN && tableBytes(sectors, streamsMax, ledgerMax) > budgetBytes) sectors--;
  if (sectors < SECTORS_MIN) {
    return failure(
      'CONFIG_INVALID',
      `budgetBytes is ${budgetBytes}: the tables of ${streamsMax} streams leave no room for ${SECTORS_MIN} sectors of ${sectorBytes} bytes`,
    );
  }
  return success({
    poolBytes: sectors * sectorBytes,
    sectorBytes,
    streamsMax,
    quotaBytes: 0,
    freeFloorBytes: 0,
    recycleBytes: 0,
    preallocateBytes: 0,
    whenDiskFull: 'evict-oldest',
    durableAcknowledge: false,
    ledgerMax,
    budgetBytes,
  });
}
