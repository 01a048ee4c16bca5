/**
 * What `memory_manager_v2_init` is given, and its check. The names are the keys of the configuration file's section
 * [memory_manager_v2] (contract section 10), plus what only a program can give: clock, position, log.
 */

import type { Result } from '../core/codes.ts';
import { failure, success } from '../core/codes.ts';
import type { Settings, SettingsInput } from '../core/config.ts';
import { FLUSH_AT_PERCENT, resolveSettings } from '../core/config.ts';
import type { Platform } from '../core/port.ts';
import { DEFAULT_DISK_PATH, MAX_DISK_STORAGE_MB, MODE_RAM_ONLY, MODE_RAM_PRIMARY } from './codes.ts';
import type { Position } from './shapes.ts';

export type LogLevel = 'info' | 'warn' | 'error';

export interface LegacyOptions {
  /** False: nothing is opened, every call answers INITIALIZATION_FAILED. Default true. */
  readonly enabled?: boolean;
  /** MODE_RAM_PRIMARY (default) or MODE_RAM_ONLY; what `set_memory_mode` said counts where this is left out. */
  readonly mode?: number;
  /** Default /var/imatrix/storage; what `set_disk_path` said counts where this is left out. */
  readonly disk_path?: string;
  /** Percent of the pool in use at which a flush begins. The store knows 80 and nothing else. */
  readonly ram_threshold?: number;
  /** MiB that the store may take on disk; default 256. */
  readonly disk_limit_mb?: number;
  /** False: what earlier runs left on disk is set aside and not delivered. Default true. */
  readonly recovery_enabled?: boolean;
  /** False: each write asks for a flush and each erase for a checkpoint, so that a crash takes next to nothing. Default true. */
  readonly flash_wear_minimize?: boolean;
  /** Settings of the store that the old interface has no name for, such as poolBytes and streamsMax. */
  readonly settings?: SettingsInput;
  /** UTC milliseconds for records without a time. Null while the clock is not set: such records get the time 0. */
  readonly clock?: () => number | null;
  /** Where the device is, for `add_gps`; null without a fix. */
  readonly position?: () => Position | null;
  /** Hears what a code cannot say. */
  readonly log?: (level: LogLevel, message: string) => void;
  /** A platform instead of disk_path and mode: for tests, and for devices of one's own. */
  readonly platform?: Platform;
}

/** Complete and checked. */
export interface Resolved {
  readonly enabled: boolean;
  readonly mode: number;
  readonly diskPath: string;
  readonly recoveryEnabled: boolean;
  readonly flashWearMinimize: boolean;
  readonly settings: Settings;
  readonly clock: (() => number | null) | null;
  readonly position: (() => Position | null) | null;
  readonly log: ((level: LogLevel, message: string) => void) | null;
  readonly platform: Platform | null;
}

const MIB = 1_048_576;

/** What each key must be. */
const RULES: Readonly<Record<keyof LegacyOptions, readonly [wanted: string, isRight: (given: unknown) => boolean]>> = {
  enabled: ['true or false', isBoolean],
  mode: ['MODE_RAM_ONLY or MODE_RAM_PRIMARY', isMode],
  disk_path: ['a path, not empty and without NUL bytes', isPath],
  ram_threshold: [`${FLUSH_AT_PERCENT}, the only threshold that the store has`, (given) => given === FLUSH_AT_PERCENT],
  disk_limit_mb: ['a whole number of MiB from 1', (given) => Number.isSafeInteger(given) && (given as number) >= 1],
  recovery_enabled: ['true or false', isBoolean],
  flash_wear_minimize: ['true or false', isBoolean],
  settings: ['an object with settings of the store', isObject],
  clock: ['a function', isFunction],
  position: ['a function', isFunction],
  log: ['a function', isFunction],
  platform: ['a platform', isObject],
};

function isBoolean(given: unknown): boolean {
  return typeof given === 'boolean';
}

function isFunction(given: unknown): boolean {
  return typeof given === 'function';
}

function isObject(given: unknown): boolean {
  return typeof given === 'object' && given !== null;
}

export function isMode(given: unknown): given is number {
  return given === MODE_RAM_ONLY || given === MODE_RAM_PRIMARY;
}

export function isPath(given: unknown): given is string {
  return typeof given === 'string' && given !== '' && !given.includes('\0');
}

/**
 * Checks the options and fills in what they leave out, first from what the set_ calls said.
 * @returns CONFIG_INVALID naming the option, what it is and what it must be.
 */
export function resolveOptions(
  given: unknown,
  said: { readonly mode: number; readonly diskPath: string },
): Result<Resolved> {
  if (!isObject(given)) return failure('CONFIG_INVALID', 'the options must be an object');
  for (const [key, value] of Object.entries(given as object)) {
    const rule = RULES[key as keyof LegacyOptions];
    if (rule === undefined) {
      return failure('CONFIG_INVALID', `${key} is no option; known are ${Object.keys(RULES).join(', ')}`);
    }
    const [wanted, isRight] = rule;
    if (value !== undefined && !isRight(value)) {
      return failure('CONFIG_INVALID', `${key} is ${String(value)}: it must be ${wanted}`);
    }
  }
  const options = given as LegacyOptions;
  const flashWearMinimize = options.flash_wear_minimize ?? true;
  const settings = resolveSettings({
    quotaBytes: (options.disk_limit_mb ?? MAX_DISK_STORAGE_MB) * MIB,
    durableAcknowledge: !flashWearMinimize,
    ...options.settings,
  });
  if (!settings.ok) return settings;
  return success({
    enabled: options.enabled ?? true,
    mode: options.mode ?? said.mode,
    diskPath: options.disk_path ?? said.diskPath,
    recoveryEnabled: options.recovery_enabled ?? true,
    flashWearMinimize,
    settings: settings.value,
    clock: options.clock ?? null,
    position: options.position ?? null,
    log: options.log ?? null,
    platform: options.platform ?? null,
  });
}

export const SAID_AT_FIRST = { mode: MODE_RAM_PRIMARY, diskPath: DEFAULT_DISK_PATH } as const;
