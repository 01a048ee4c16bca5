/**
 * Settings from file, environment and options: which one counts, where it came from, and what is said when it is wrong.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { Checked, ConfigurationInput } from '../../src/config/index.ts';
import { checkConfiguration, KEY_NAMES, KEYS, loadConfiguration, variableOf } from '../../src/config/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'imatrix-mm-config-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;

/** A file whose first line is the section's. */
function fileOf(...lines: readonly string[]): string {
  files++;
  const file = join(folder, `${files}.ini`);
  writeFileSync(file, `[memory_manager_v2]\n${lines.join('\n')}\n`);
  return file;
}

const check = (input: ConfigurationInput): Checked => checkConfiguration({ environment: {}, file: null, ...input });

/** The one line that `input` earns. */
function complaint(input: ConfigurationInput): string {
  const { problems, settings } = check(input);
  expect(problems).toHaveLength(1);
  expect(settings).toBeNull();
  expect(problems[0]?.message).not.toMatch(/[\r\n]/);
  return problems[0]?.message ?? '';
}

describe('the strongest source counts', () => {
  // Goal: default < file < environment < option, key by key. Method: one key set by one more source each time.
  test('from the default over the file and the environment to the options', () => {
    const file = fileOf('disk_limit_mb = 64');
    const environment = { MEMORY_MANAGER_V2_DISK_LIMIT_MB: '65' };
    const seen = [{}, { file }, { file, environment }, { file, environment, options: { disk_limit_mb: 66 } }]
      .map((input) => check(input))
      .map(({ values, origins }) => [values.disk_limit_mb, origins.disk_limit_mb]);
    expect(seen).toEqual([
      [256, { kind: 'default' }],
      [64, { kind: 'file', file, line: 2 }],
      [65, { kind: 'environment', variable: 'MEMORY_MANAGER_V2_DISK_LIMIT_MB' }],
      [66, { kind: 'option' }],
    ]);
  });

  // Goal: no key is forgotten by any source. Method: the example of each key's rule, through each source.
  test.each(KEY_NAMES)('for %s', (key) => {
    const { example, default: value } = KEYS[key];
    expect(check({ file: fileOf(`${key} = ${example}`) }).origins[key].kind).toBe('file');
    expect(check({ environment: { [variableOf(key)]: example } }).origins[key].kind).toBe('environment');
    const { origins, problems } = check({ options: { [key]: value } });
    expect(origins[key].kind).toBe('option');
    expect(problems).toEqual([]);
  });

  // Goal: a variable can be taken back. Method: one that is set to nothing.
  test('and an empty variable is none', () => {
    expect(check({ environment: { MEMORY_MANAGER_V2_ENABLED: '' } }).origins.enabled).toEqual({ kind: 'default' });
  });

  // Goal: the file is found without a word in the program. Method: its variable.
  test('and the environment names the file', () => {
    const file = fileOf('enabled = no');
    const { values, file: read } = checkConfiguration({ environment: { MEMORY_MANAGER_V2_CONFIG: file } });
    expect([values.enabled, read]).toEqual([false, file]);
  });
});

describe('the settings of the engine', () => {
  // Goal: each key that the engine knows reaches it. Method: every one set to what is not its default.
  test('follow from the keys', () => {
    const { settings, problems } = check({
      file: fileOf(
        'disk_limit_mb = 32 ; less than usual',
        'pool_size = "64KiB"',
        'sector_size = 32 # classic',
        'streams_max = 100',
        'free_floor_mb = 1',
        'recycle_mb = 8',
        'preallocate_mb = 4',
        'when_disk_full = refuse-new',
        'flash_wear_minimize = off',
      ),
    });
    expect(problems).toEqual([]);
    expect(settings).toMatchObject({
      quotaBytes: 32 * 1_048_576,
      poolBytes: 65_536,
      sectorBytes: 32,
      streamsMax: 100,
      freeFloorBytes: 1_048_576,
      recycleBytes: 8 * 1_048_576,
      preallocateBytes: 4 * 1_048_576,
      whenDiskFull: 'refuse-new',
      durableAcknowledge: true,
    });
  });

  // Goal: the file may be another program's too, or of another system. Method: other sections, a byte order mark, CRLF.
  test('are found in a file that holds more', () => {
    const file = join(folder, 'more.ini');
    writeFileSync(
      file,
      '\uFEFF; gateway\r\n[network]\r\nenabled = perhaps\r\n\r\n[memory_manager_v2]\r\nenabled = no\r\n',
    );
    const { values, origins, problems } = check({ file });
    expect(problems).toEqual([]);
    expect([values.enabled, origins.enabled]).toEqual([false, { kind: 'file', file, line: 6 }]);
  });
});

describe('what is not accepted is one line with key, place, reason and remedy:', () => {
  // Goal: no key lets nonsense through. Method: one that no key can be, through each source.
  test.each(KEY_NAMES)('%s', (key) => {
    const { wanted, example } = KEYS[key];
    const nonsense = 'b\0d';
    const file = fileOf('', `${key} = perhaps; or not`);
    if (!['disk_path', 'log_file'].includes(key)) {
      expect(complaint({ file })).toBe(
        `${key} is 'perhaps' (${file}, line 3): it must be ${wanted}; write for example ${key} = ${example}`,
      );
    }
    expect(complaint({ environment: { [variableOf(key)]: nonsense } })).toContain(`(environment ${variableOf(key)}): `);
    expect(complaint({ options: { [key]: nonsense } as never })).toContain('(option): it must be ');
  });

  test.each([
    ['ram_threshold = 79', "ram_threshold is '79' (FILE, line 2): it must be 80, the threshold"],
    ['ram_threshold = 81', "ram_threshold is '81' (FILE, line 2): it must be 80, the threshold"],
    ['disk_limit_mb = 0', 'it must be a whole number from 1 to 1048576 (MiB)'],
    ['disk_limit_mb = 1e3', 'it must be a whole number from 1 to 1048576 (MiB)'],
    ['disk_limit_mb = 2', 'disk_limit_mb is 2 (FILE, line 2): one flush of a pool of 4194304 bytes'],
    ['preallocate_mb = 300', 'preallocate_mb is 300 (FILE, line 2): a quota of 268435456 bytes leaves'],
    ['pool_size = 100KB', "pool_size is '100KB' (FILE, line 2): it must be a size"],
    ['pool_size = 512', 'pool_size is 512 (FILE, line 2): it must hold at least 4 sectors of 256 bytes'],
    ['sector_size = 33', 'it must be a multiple of 8'],
    ['disk_path = storage', 'it must be an absolute path'],
    ['disk_path', 'disk_path has no value (FILE, line 2): write for example disk_path = /var/imatrix/storage'],
    ['disk_path =', "disk_path is '' (FILE, line 2): it must be an absolute path"],
    ['disk_limt_mb = 9', 'disk_limt_mb is no key (FILE, line 2): did you mean disk_limit_mb? If not, leave it out'],
    ['Enabled = yes', 'Enabled is no key (FILE, line 2): did you mean enabled?'],
    ['colour = red', 'colour is no key (FILE, line 2): leave it out, or write one of enabled, ram_threshold'],
    ['enabled[] = yes', 'enabled[] is no key'],
    ['enabled = yes\nlog = off\nenabled = no', 'enabled stands twice (FILE, lines 2 and 4): leave one of them out'],
  ])('%s', (lines, expected) => {
    const file = fileOf(lines);
    expect(complaint({ file })).toContain(expected.replace('FILE', file));
  });

  test('a key above the section, and a section that is missing', () => {
    const file = join(folder, 'above.ini');
    writeFileSync(file, 'enabled = no\n[memory_manager]\ndisk_limit_mb = 5\n');
    expect(check({ file }).problems.map(({ message }) => message)).toEqual([
      `${file} has no section [memory_manager_v2]: there is [memory_manager]; write [memory_manager_v2] above the keys`,
      `enabled stands above the section (${file}, line 1): write [memory_manager_v2] before it`,
    ]);
  });

  test('a variable and an option that nobody knows', () => {
    expect(complaint({ environment: { MEMORY_MANAGER_V2_DISKPATH: '/data' } })).toBe(
      'MEMORY_MANAGER_V2_DISKPATH is no variable of this store (environment MEMORY_MANAGER_V2_DISKPATH): ' +
        'did you mean MEMORY_MANAGER_V2_DISK_PATH? If not, leave it out',
    );
    expect(complaint({ options: { diskPath: '/data' } as never })).toContain('did you mean disk_path?');
  });
});

describe('a program that loads its configuration', () => {
  // Goal: nothing is opened on half a configuration. Method: two problems, of which it is told the first and the number.
  test('is refused with the first problem and how many more there are', () => {
    const file = fileOf('enabled = maybe', 'log = paper');
    expect(loadConfiguration({ file, environment: {} })).toEqual({
      ok: false,
      failure: {
        code: 'CONFIG_INVALID',
        message: expect.stringMatching(/^enabled is 'maybe' .* \(and 1 more: imatrix-mm config check .*\.ini\)$/),
      },
    });
  });

  test('is told when the file that somebody named cannot be read', () => {
    const loaded = loadConfiguration({ environment: { MEMORY_MANAGER_V2_CONFIG: join(folder, 'none.ini') } });
    expect(loaded).toMatchObject({ ok: false, failure: { code: 'IO_FAILED', message: /none\.ini cannot be read/ } });
  });

  test('may name a path relative to where it runs, which a file may not', () => {
    expect(check({ options: { disk_path: './data' } }).values.disk_path).toBe('./data');
  });
});

// Goal: each value says what it does. Method: both values of each switch, every word of each choice, sentence by sentence.
describe('the effect of', () => {
  const effects = (options: object): string[] => {
    const { values, problems } = check({ options });
    expect(problems).toEqual([]);
    return KEY_NAMES.map((key) => KEYS[key].effect(values[key] as never, values));
  };

  test('each value is a sentence', () => {
    for (const log of ['off', 'file', 'journal']) {
      for (const effect of effects({ log })) expect(effect).toMatch(/^[A-Z0-9].*[.]$/);
    }
  });

  test.each([
    [{ enabled: false }, 'Nothing is opened'],
    [{ recovery_enabled: false }, 'nothing is deleted'],
    [{ flash_wear_minimize: false }, 'wears out many times as fast'],
    [{ when_disk_full: 'refuse-new' }, 'new records are refused'],
    [{ pool_size: '64KiB', sector_size: 32 }, 'when 1,639 of 2,048 sectors are in use'],
    [{ sector_size: 32 }, '6 tsd or 2 evt records'],
    [{ free_floor_mb: 0 }, 'to the last byte'],
    [{ recycle_mb: 16 }, '16 MiB at most, and written again in place'],
    [{ preallocate_mb: 4 }, '4 MiB of segment files are written'],
    [{ log: 'file', log_files: 1 }, '1 rotated file is kept beside the log: 20 MiB at most'],
  ])('%o', (options, words) => {
    expect(effects(options).join('\n')).toContain(words);
  });
});
