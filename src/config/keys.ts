/**
 * The keys of the section [memory_manager_v2]: what each may be, what it is when nobody sets it, and what it does.
 *
 * The first six are those of the first memory manager (contract section 10), under the same names. The others are what
 * this store and its log need beside them. One table serves the file, the environment and the options.
 */
import { FLUSH_AT_PERCENT, parseSize, type WhenDiskFull } from '../core/config.ts';

/** Where log lines go. */
export const LOG_TARGETS = ['off', 'file', 'journal'] as const;
export type LogTarget = (typeof LOG_TARGETS)[number];

/** From the most to the least that is written. */
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Every key with a value that has been checked. Sizes are bytes unless the name says MiB. */
export interface ConfigurationValues {
  readonly enabled: boolean;
  readonly ram_threshold: number;
  readonly disk_limit_mb: number;
  readonly disk_path: string;
  readonly recovery_enabled: boolean;
  readonly flash_wear_minimize: boolean;
  readonly pool_size: number;
  readonly sector_size: number;
  readonly streams_max: number;
  readonly free_floor_mb: number;
  readonly recycle_mb: number;
  readonly preallocate_mb: number;
  readonly when_disk_full: WhenDiskFull;
  readonly live: boolean;
  readonly log: LogTarget;
  readonly log_file: string;
  readonly log_level: LogLevel;
  readonly log_file_mb: number;
  readonly log_files: number;
}

export type Key = keyof ConfigurationValues;

/** Values as a program gives them; a size may be text such as '64KiB'. */
export type ConfigurationOptions = {
  readonly [K in Key]?: ConfigurationValues[K] | (K extends 'pool_size' | 'sector_size' ? string : never);
};

export interface KeyRule<T> {
  readonly default: T;
  /** Ends the sentence "it must be ...". */
  readonly wanted: string;
  /** As it is written in a file. */
  readonly example: string;
  /** From text or from what a program gave; null when it is not accepted. */
  readonly read: (given: unknown) => T | null;
  /** What this value does, in a sentence. */
  readonly effect: (value: T, all: ConfigurationValues) => string;
}

type Rules = { readonly [K in Key]: KeyRule<ConfigurationValues[K]> };

const MIB = 1_048_576;

const TRUE = ['true', 'yes', 'on', '1'];
const FALSE = ['false', 'no', 'off', '0'];

function readBoolean(given: unknown): boolean | null {
  const word = String(given).toLowerCase();
  if (TRUE.includes(word)) return true;
  return FALSE.includes(word) ? false : null;
}

const whole =
  (min: number, max: number) =>
  (given: unknown): number | null => {
    const value = typeof given === 'string' && /^\d{1,15}$/.test(given) ? Number(given) : given;
    return typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max ? value : null;
  };

const oneOf =
  <T extends string>(words: readonly T[]) =>
  (given: unknown): T | null =>
    words.find((word) => word === given) ?? null;

const size =
  (min: number, max: number) =>
  (given: unknown): number | null => {
    const parsed = parseSize('', given);
    return parsed.ok ? whole(min, max)(parsed.value) : null;
  };

/** A file or the environment is read wherever the program was started: a relative path would mean any place. */
const readPath = (given: unknown): string | null =>
  typeof given === 'string' && given.startsWith('/') && !given.includes('\0') ? given : null;

const flag = (value: boolean, effect: (value: boolean) => string): KeyRule<boolean> => ({
  default: value,
  wanted: 'true or false (yes, no, on, off, 1 and 0 do as well)',
  example: String(value),
  read: readBoolean,
  effect,
});

const count = (
  value: number,
  [min, max]: readonly [number, number],
  unit: string,
  effect: KeyRule<number>['effect'],
): KeyRule<number> => ({
  default: value,
  wanted: `a whole number from ${min} to ${max}${unit}`,
  example: String(value),
  read: whole(min, max),
  effect,
});

/** 64 KiB, 4 MiB, 1.5 GiB. */
export function sizeText(bytes: number): string {
  for (const [unit, name] of [
    [1024 * MIB, 'GiB'],
    [MIB, 'MiB'],
    [1024, 'KiB'],
  ] as const) {
    if (bytes >= unit) return `${Number((bytes / unit).toFixed(1))} ${name}`;
  }
  return `${bytes} bytes`;
}

const number = (value: number): string => value.toLocaleString('en-US');

export const KEYS: Rules = {
  enabled: flag(true, (on) =>
    on
      ? 'The store is opened.'
      : 'Nothing is opened and nothing is stored: openConfigured gives null, the old calls answer INITIALIZATION_FAILED.',
  ),
  ram_threshold: {
    default: FLUSH_AT_PERCENT,
    wanted: `${FLUSH_AT_PERCENT}, the threshold that every proof of the store is about; to have less at risk, lower pool_size`,
    example: String(FLUSH_AT_PERCENT),
    read: whole(FLUSH_AT_PERCENT, FLUSH_AT_PERCENT),
    effect: (percent, { pool_size, sector_size }) => {
      const sectors = Math.floor(pool_size / sector_size);
      return `One flush of all streams begins when ${number(Math.ceil((sectors * percent) / 100))} of ${number(sectors)} sectors are in use.`;
    },
  },
  disk_limit_mb: count(256, [1, 1_048_576], ' (MiB)', (mib, { when_disk_full }) =>
    when_disk_full === 'evict-oldest'
      ? `All files of the store together never exceed ${sizeText(mib * MIB)}; at that bound the oldest segment goes, into the loss ledger.`
      : `All files of the store together never exceed ${sizeText(mib * MIB)}; at that bound a flush fails, and new records are refused when RAM is full too.`,
  ),
  disk_path: {
    default: '/var/imatrix/storage',
    wanted: 'an absolute path, without NUL bytes',
    example: '/var/imatrix/storage',
    read: readPath,
    effect: (path) => `Records are in ${path}/{host,mgc,can_controller}; made with mode 755 when missing.`,
  },
  recovery_enabled: flag(true, (on) =>
    on
      ? 'What an earlier run left on disk is recovered and delivered.'
      : 'Each start sets the store on disk aside as not-recovered-N, whole, and begins a new one: nothing is deleted, nothing of it is delivered, and its space is not counted.',
  ),
  flash_wear_minimize: flag(true, (on) =>
    on
      ? 'Records stay in RAM until the threshold: least wear; a power cut takes what was written since the last flush.'
      : 'Each write asks for a flush at once and each acknowledge for a checkpoint: a power cut takes next to nothing, and the flash wears out many times as fast.',
  ),
  pool_size: {
    default: 4 * MIB,
    wanted: 'a size from 128 bytes to 1 GiB, such as 64KiB or 4MiB',
    example: '4MiB',
    read: size(128, 1024 * MIB),
    effect: (bytes) => `${sizeText(bytes)} of RAM hold records; a larger pool flushes less often and has more at risk.`,
  },
  sector_size: {
    default: 256,
    wanted: 'a multiple of 8 from 32 to 4096 (bytes)',
    example: '256',
    read: (given) => {
      const bytes = size(32, 4096)(given);
      return bytes === null || bytes % 8 !== 0 ? null : bytes;
    },
    effect: (bytes) =>
      `A stream takes RAM in steps of ${bytes} bytes: ${Math.floor((bytes - 8) / 4)} tsd or ${Math.floor(bytes / 12)} evt records.`,
  },
  streams_max: count(2048, [1, 4096], '', (streams) => `At most ${number(streams)} sensors over the three sources.`),
  free_floor_mb: count(16, [0, 1_048_576], ' (MiB)', (mib) =>
    mib === 0
      ? 'The store may fill the file system to the last byte that its limit allows.'
      : `${sizeText(mib * MIB)} of the file system stay free for others, whatever disk_limit_mb says.`,
  ),
  recycle_mb: count(0, [0, 1_048_576], ' (MiB)', (mib) =>
    mib === 0
      ? 'A segment whose records the cloud has is removed.'
      : `Files of segments whose records the cloud has are kept, ${sizeText(mib * MIB)} at most, and written again in place: a flush needs no new name.`,
  ),
  preallocate_mb: count(0, [0, 1024], ' (MiB)', (mib) =>
    mib === 0
      ? 'Files are made when a flush needs them.'
      : `${sizeText(mib * MIB)} of segment files are written when the store is opened for the first time, so that a flush finds its space; they count under disk_limit_mb.`,
  ),
  when_disk_full: {
    default: 'evict-oldest',
    wanted: 'evict-oldest or refuse-new',
    example: 'evict-oldest',
    read: oneOf(['evict-oldest', 'refuse-new']),
    effect: (rule) =>
      rule === 'evict-oldest'
        ? 'A full disk costs the oldest records; each is in the loss ledger.'
        : 'A full disk keeps what it has: RAM fills, then new records are refused and counted.',
  },
  live: flag(false, (on) =>
    on
      ? 'Other programs of the same user may ask the running store for its figures: imatrix-mm stats, serve --metrics, serve --live.'
      : 'Other programs see what is on disk, and not what is in RAM.',
  ),
  log: {
    default: 'off',
    wanted: LOG_TARGETS.join(', '),
    example: 'file',
    read: oneOf(LOG_TARGETS),
    effect: (target, { log_file }) =>
      target === 'off'
        ? 'The store writes no log.'
        : target === 'file'
          ? `One line an event goes to ${log_file}.`
          : 'One line an event goes to standard error, with the priority that systemd-journald understands.',
  },
  log_file: {
    default: '/var/log/imatrix/memory-manager.log',
    wanted: 'an absolute path, without NUL bytes',
    example: '/var/log/imatrix/memory-manager.log',
    read: readPath,
    effect: (path, { log }) => (log === 'file' ? `The log is ${path}.` : `Not used: log = ${log}.`),
  },
  log_level: {
    default: 'info',
    wanted: LOG_LEVELS.join(', '),
    example: 'info',
    read: oneOf(LOG_LEVELS),
    effect: (level, { log }) =>
      log === 'off' ? 'Not used: log = off.' : `Written is ${LOG_LEVELS.slice(LOG_LEVELS.indexOf(level)).join(', ')}.`,
  },
  log_file_mb: count(10, [1, 1024], ' (MiB)', (mib, { log }) =>
    log === 'file' ? `The log is rotated at ${sizeText(mib * MIB)}.` : `Not used: log = ${log}.`,
  ),
  log_files: count(5, [1, 100], '', (files, { log, log_file_mb }) =>
    log === 'file'
      ? `${files} rotated ${files === 1 ? 'file is' : 'files are'} kept beside the log: ${sizeText((files + 1) * log_file_mb * MIB)} at most.`
      : `Not used: log = ${log}.`,
  ),
};

export const KEY_NAMES = Object.keys(KEYS) as readonly Key[];

export const isKey = (name: string): name is Key => Object.hasOwn(KEYS, name);
