/**
 * What the store is set to, and who said so. From the weakest to the strongest: the default, the file, the environment,
 * the program's own options (docs/decisions/0053). Nothing is guessed or clamped: what is not accepted is a problem that
 * names key, place, reason and remedy in one line, and with a problem nothing is opened.
 *
 *     [memory_manager_v2]              in the file
 *     disk_limit_mb = 64
 *
 *     MEMORY_MANAGER_V2_DISK_LIMIT_MB  in the environment
 */
import { existsSync, readFileSync } from 'node:fs';
import type { Result } from '../core/codes.ts';
import { failure, success } from '../core/codes.ts';
import type { Settings } from '../core/config.ts';
import { resolveSettings } from '../core/config.ts';
import type { ConfigurationOptions, ConfigurationValues, Key } from './keys.ts';
import { isKey, KEY_NAMES, KEYS } from './keys.ts';
import { suggestion } from './nearest.ts';
import type { IniEntry, IniFile } from './read-ini.ts';
import { readIni } from './read-ini.ts';

export const SECTION = 'memory_manager_v2';
export const ENVIRONMENT_PREFIX = 'MEMORY_MANAGER_V2_';
/** The variable that names the file. */
export const FILE_VARIABLE = `${ENVIRONMENT_PREFIX}CONFIG`;
/** Read when nobody names another one and it is there. */
export const DEFAULT_FILE = '/etc/imatrix/memory-manager.ini';

const MIB = 1_048_576;

/** Who set a value. */
export type Origin =
  | { readonly kind: 'default' }
  | { readonly kind: 'file'; readonly file: string; readonly line: number }
  | { readonly kind: 'environment'; readonly variable: string }
  | { readonly kind: 'option' };

export interface Problem {
  /** As it was written; null when it is about the file as a whole. */
  readonly key: string | null;
  readonly origin: Origin;
  /** One line: key and value, place, reason, remedy. */
  readonly message: string;
}

export interface Configuration {
  readonly values: ConfigurationValues;
  readonly origins: Readonly<Record<Key, Origin>>;
  /** What the engine is opened with. */
  readonly settings: Settings;
  /** The file that was read, null when there was none. */
  readonly file: string | null;
}

export interface ConfigurationInput {
  /** Null: no file. Left out: the one that MEMORY_MANAGER_V2_CONFIG names, else DEFAULT_FILE if it is there. */
  readonly file?: string | null;
  /** Default: process.env. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly options?: ConfigurationOptions;
}

export interface Checked {
  readonly values: ConfigurationValues;
  readonly origins: Readonly<Record<Key, Origin>>;
  /** In the order in which they were met; empty when everything is accepted. */
  readonly problems: readonly Problem[];
  /** Null with a problem. */
  readonly settings: Settings | null;
  readonly file: string | null;
}

export function originText(origin: Origin): string {
  switch (origin.kind) {
    case 'default':
      return 'default';
    case 'file':
      return `${origin.file}, line ${origin.line}`;
    case 'environment':
      return `environment ${origin.variable}`;
    case 'option':
      return 'option';
  }
}

/** Gathers the sources from the weakest on; a stronger one replaces what is there. */
class Gathering {
  readonly values = Object.fromEntries(KEY_NAMES.map((key) => [key, KEYS[key].default])) as {
    -readonly [K in Key]: ConfigurationValues[K];
  };
  readonly origins = Object.fromEntries(KEY_NAMES.map((key) => [key, { kind: 'default' }])) as Record<Key, Origin>;
  readonly problems: Problem[] = [];

  problem(key: string | null, origin: Origin, message: string): void {
    this.problems.push({ key, origin, message: message.replace(/\s*[\r\n]+\s*/g, ' ') });
  }

  set(key: Key, given: unknown, origin: Origin): void {
    const rule = KEYS[key];
    const value = rule.read(given);
    if (value === null) {
      this.problem(
        key,
        origin,
        `${key} is ${shown(given)} (${originText(origin)}): it must be ${rule.wanted}; write for example ${key} = ${rule.example}`,
      );
      return;
    }
    (this.values as Record<Key, unknown>)[key] = value;
    this.origins[key] = origin;
  }

  unknown(name: string, origin: Origin, what: string, known: readonly string[]): void {
    this.problem(name, origin, `${name} is no ${what} (${originText(origin)}): ${suggestion(name, known)}`);
  }

  file(file: string, { sections, entries }: IniFile): void {
    const seen = new Map<string, number>();
    const at = (line: number): Origin => ({ kind: 'file', file, line });
    if (!sections.includes(SECTION)) {
      const near = sections.length === 0 ? 'there is none' : `there is [${sections.join('], [')}]`;
      this.problem(null, at(1), `${file} has no section [${SECTION}]: ${near}; write [${SECTION}] above the keys`);
    }
    for (const entry of entries) {
      const { section, key, value, line } = entry;
      if (section !== SECTION) {
        this.#outside(entry, at(line));
        continue;
      }
      const first = seen.get(key);
      seen.set(key, first ?? line);
      if (!isKey(key)) this.unknown(key, at(line), 'key', KEY_NAMES);
      else if (first !== undefined) {
        this.problem(key, at(line), `${key} stands twice (${file}, lines ${first} and ${line}): leave one of them out`);
      } else if (value === null) {
        this.problem(
          key,
          at(line),
          `${key} has no value (${file}, line ${line}): write for example ${key} = ${KEYS[key].example}`,
        );
      } else this.set(key, value, at(line));
    }
  }

  /** Other sections are other programs' affair; a key of ours above the first one was meant for this section. */
  #outside({ section, key }: IniEntry, origin: Origin): void {
    if (section === null && (isKey(key) || key.startsWith('['))) {
      this.problem(
        key,
        origin,
        `${key} stands above the section (${originText(origin)}): write [${SECTION}] before it`,
      );
    }
  }

  environment(environment: Readonly<Record<string, string | undefined>>): void {
    for (const [variable, text] of Object.entries(environment)) {
      // Set to nothing is how a shell and a service file take a variable back.
      if (!variable.startsWith(ENVIRONMENT_PREFIX) || variable === FILE_VARIABLE || !text) continue;
      const key = variable.slice(ENVIRONMENT_PREFIX.length).toLowerCase();
      const origin: Origin = { kind: 'environment', variable };
      if (isKey(key) && variable === variableOf(key)) this.set(key, text, origin);
      else this.unknown(variable, origin, 'variable of this store', KEY_NAMES.map(variableOf));
    }
  }

  options(options: ConfigurationOptions): void {
    for (const [key, given] of Object.entries(options)) {
      if (given === undefined) continue;
      if (!isKey(key)) this.unknown(key, { kind: 'option' }, 'option', KEY_NAMES);
      // A program knows where it was started, so its path may be relative.
      else if (key === 'disk_path' && typeof given === 'string' && given !== '' && !given.includes('\0')) {
        this.values.disk_path = given;
        this.origins.disk_path = { kind: 'option' };
      } else this.set(key, given, { kind: 'option' });
    }
  }
}

export const variableOf = (key: Key): string => `${ENVIRONMENT_PREFIX}${key.toUpperCase()}`;

/** What was given, short enough for a line. */
function shown(given: unknown): string {
  const text = typeof given === 'string' ? `'${given}'` : String(given);
  return text.length <= 60 ? text : `${text.slice(0, 57)}...`;
}

/** The engine's names for what these keys set. */
const ENGINE_NAMES: readonly (readonly [name: string, key: Key])[] = [
  ['preallocateBytes', 'preallocate_mb'],
  ['quotaBytes', 'disk_limit_mb'],
  ['poolBytes', 'pool_size'],
  ['sectorBytes', 'sector_size'],
];

/** Values that are right one by one and do not go together: the engine says so, in its own names. */
function resolve(gathering: Gathering): Settings | null {
  const { values } = gathering;
  const settings = resolveSettings({
    poolBytes: values.pool_size,
    sectorBytes: values.sector_size,
    streamsMax: values.streams_max,
    quotaBytes: values.disk_limit_mb * MIB,
    freeFloorBytes: values.free_floor_mb * MIB,
    recycleBytes: values.recycle_mb * MIB,
    preallocateBytes: values.preallocate_mb * MIB,
    whenDiskFull: values.when_disk_full,
    durableAcknowledge: !values.flash_wear_minimize,
  });
  if (settings.ok) return settings.value;
  const { message } = settings.failure;
  const key = ENGINE_NAMES.find(([name]) => message.startsWith(name))?.[1] ?? 'pool_size';
  const origin = gathering.origins[key];
  const why = ENGINE_NAMES.reduce((text, [name, own]) => text.replaceAll(name, own), message.replace(/^[^:]*: /, ''));
  gathering.problem(key, origin, `${key} is ${values[key]} (${originText(origin)}): ${why}`);
  return null;
}

/** The file that counts, and whether somebody asked for it. */
function fileOf({ file, environment = process.env }: ConfigurationInput): string | null {
  if (file !== undefined) return file;
  return environment[FILE_VARIABLE] || (existsSync(DEFAULT_FILE) ? DEFAULT_FILE : null);
}

/**
 * Reads all sources and says everything that is wrong with them.
 * @throws the system's error when the file cannot be read.
 */
export function checkConfiguration(input: ConfigurationInput = {}): Checked {
  const gathering = new Gathering();
  const file = fileOf(input);
  if (file !== null) gathering.file(file, readIni(readFileSync(file, 'utf8')));
  gathering.environment(input.environment ?? process.env);
  gathering.options(input.options ?? {});
  const { values, origins, problems } = gathering;
  const settings = problems.length === 0 ? resolve(gathering) : null;
  return { values, origins, problems, settings, file };
}

/**
 * Reads all sources. Nothing is opened or made.
 * @returns CONFIG_INVALID with the first problem, IO_FAILED when the file cannot be read.
 */
export function loadConfiguration(input: ConfigurationInput = {}): Result<Configuration> {
  let checked: Checked;
  try {
    checked = checkConfiguration(input);
  } catch (error) {
    return failure(
      'IO_FAILED',
      `the configuration file ${fileOf(input)} cannot be read: ${(error as Error).message}; check path and mode`,
    );
  }
  const { values, origins, settings, file, problems } = checked;
  const [first] = problems;
  if (first !== undefined || settings === null) {
    const more =
      problems.length > 1 ? ` (and ${problems.length - 1} more: imatrix-mm config check ${file ?? 'FILE'})` : '';
    return failure('CONFIG_INVALID', `${first?.message}${more}`);
  }
  return success({ values, origins, settings, file });
}
