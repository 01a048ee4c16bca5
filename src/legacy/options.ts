/**
 * What `memory_manager_v2_init` is given, and its check: the keys of the section [memory_manager_v2], as options, from a
 * file and from the environment (src/config), and what only a program can give: mode, clock, position, log.
 */
import type { Configuration } from '../config/configuration.ts';
import { loadConfiguration } from '../config/configuration.ts';
import type { ConfigurationOptions, ConfigurationValues, LogLevel, LogTarget } from '../config/keys.ts';
import type { Result } from '../core/codes.ts';
import { failure, success } from '../core/codes.ts';
import type { Settings, SettingsInput } from '../core/config.ts';
import { resolveSettings } from '../core/config.ts';
import type { Platform } from '../core/port.ts';
import { MODE_RAM_ONLY, MODE_RAM_PRIMARY } from './codes.ts';
import type { Position } from './shapes.ts';

/** Hears what a code cannot say, and every line of the store's log (docs/logging.md), whatever log_level is. */
export type LogProvider = (level: LogLevel, message: string) => void;

/** The keys of docs/configuration.md, each stronger here than in the file and in the environment, and: */
export interface LegacyOptions extends Omit<ConfigurationOptions, 'log'> {
  /**
   * The configuration file. Left out: the one that MEMORY_MANAGER_V2_CONFIG names, else
   * /etc/imatrix/memory-manager.ini if it is there. Null: none.
   */
  readonly config?: string | null;
  /** MODE_RAM_PRIMARY (default) or MODE_RAM_ONLY; what `set_memory_mode` said counts where this is left out. */
  readonly mode?: number;
  /** Settings of the store that the configuration has no key for, such as ledgerMax. They are stronger than any key. */
  readonly settings?: SettingsInput;
  /** UTC milliseconds for records without a time. Null while the clock is not set: such records get the time 0. */
  readonly clock?: () => number | null;
  /** Where the device is, for `add_gps`; null without a fix. */
  readonly position?: () => Position | null;
  /** A function that is given the lines, beside the log that the configuration asks for; or that key itself. */
  readonly log?: LogProvider | LogTarget;
  /** A platform instead of disk_path and mode: for tests, and for devices of one's own. */
  readonly platform?: Platform;
}

/** Complete and checked. */
export interface Resolved {
  readonly values: ConfigurationValues;
  readonly mode: number;
  readonly settings: Settings;
  readonly clock: (() => number | null) | null;
  readonly position: (() => Position | null) | null;
  readonly log: LogProvider | null;
  readonly platform: Platform | null;
}

/** What the set_ calls said; null where they said nothing. */
export interface Said {
  readonly mode: number | null;
  readonly diskPath: string | null;
}

/** What each key that is no key of the configuration must be. */
const OWN = {
  config: ['the path of a file, or null', (given: unknown) => given === null || isPath(given)],
  mode: ['MODE_RAM_ONLY or MODE_RAM_PRIMARY', isMode],
  settings: ['an object with settings of the store', isObject],
  clock: ['a function', isFunction],
  position: ['a function', isFunction],
  platform: ['a platform', isObject],
} as const satisfies Partial<Record<keyof LegacyOptions, readonly [string, (given: unknown) => boolean]>>;

const isOwn = (key: string): key is keyof typeof OWN => Object.hasOwn(OWN, key);

function isFunction(given: unknown): boolean {
  return typeof given === 'function';
}

function isObject(given: unknown): given is object {
  return typeof given === 'object' && given !== null;
}

export function isMode(given: unknown): given is number {
  return given === MODE_RAM_ONLY || given === MODE_RAM_PRIMARY;
}

export function isPath(given: unknown): given is string {
  return typeof given === 'string' && given !== '' && !given.includes('\0');
}

/**
 * Checks the options (or the path of a configuration file) and fills in what they leave out.
 * @returns CONFIG_INVALID naming what is wrong, where it stands and what it must be; IO_FAILED for a file that cannot be read.
 */
export function resolveOptions(given: unknown, said: Said): Result<Resolved> {
  const options: unknown = typeof given === 'string' ? { config: given } : given;
  if (!isObject(options)) return failure('CONFIG_INVALID', 'the options must be an object, or the path of a file');
  const keys: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(options)) {
    if (!isOwn(key)) {
      if (!(key === 'log' && isFunction(value))) keys[key] = value;
      continue;
    }
    const [wanted, isRight] = OWN[key];
    if (value !== undefined && !isRight(value)) {
      return failure('CONFIG_INVALID', `${key} is ${String(value)}: it must be ${wanted}`);
    }
  }
  if (said.diskPath !== null) keys.disk_path ??= said.diskPath;
  const { config, ...own } = options as LegacyOptions;
  const loaded = loadConfiguration({ ...(config === undefined ? {} : { file: config }), options: keys });
  return loaded.ok ? complete(own, loaded.value, said) : loaded;
}

function complete(own: LegacyOptions, { values, settings }: Configuration, { mode }: Said): Result<Resolved> {
  const { budgetBytes: _, ...input } = settings;
  const resolved = own.settings === undefined ? success(settings) : resolveSettings({ ...input, ...own.settings });
  if (!resolved.ok) return resolved;
  return success({
    values,
    mode: own.mode ?? mode ?? MODE_RAM_PRIMARY,
    settings: resolved.value,
    clock: own.clock ?? null,
    position: own.position ?? null,
    log: typeof own.log === 'function' ? own.log : null,
    platform: own.platform ?? null,
  });
}
