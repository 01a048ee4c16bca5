/**
 * `imatrix-mm config check`, its example file and its page, against the table of keys.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { checkConfiguration, KEY_NAMES, KEYS, variableOf } from '../../src/config/index.ts';
import { imatrixMm, ROOT, scratchDirectory, writeScratch } from './scratch.ts';

const EXAMPLE = join(ROOT, 'docs/examples/memory-manager.ini');
const directory = scratchDirectory();
const fileOf = (...lines: readonly string[]): string =>
  writeScratch(directory, `[memory_manager_v2]\n${lines.join('\n')}\n`);
const check = (...args: readonly string[]): ReturnType<typeof imatrixMm> =>
  imatrixMm(['config', 'check', ...args], { env: { MEMORY_MANAGER_V2_LOG_LEVEL: 'warn' } });

describe('config check', () => {
  // Goal: each value with its source and effect. Method: a file, a variable and the defaults, and every row of the table.
  test('explains each value, its source and its effect in one table', async () => {
    const { code, stdout, stderr } = await check(fileOf('disk_limit_mb = 64'));
    expect([code, stderr]).toEqual([0, '']);
    const lines = stdout.split('\n');
    const column = (lines.find((line) => /^ +key /.test(line)) ?? '').indexOf('effect');
    for (const key of KEY_NAMES) {
      const row = lines.find((line) => line.startsWith(`  ${key} `)) ?? '';
      expect(row.slice(column - 2, column), key).toBe('  ');
      expect(row.slice(column), key).toMatch(/^[A-Z0-9]/);
    }
    expect(stdout).toMatch(/^ {2}disk_limit_mb +64 +line 2 +All files/m);
    expect(stdout).toMatch(/^ {2}log_level +warn +environment MEMORY_MANAGER_V2_LOG_LEVEL +Not used/m);
    expect(stdout).toMatch(/^ {2}enabled +true +default +The store is opened\.$/m);
    expect(lines.at(-2)).toBe('accepted: a store opens with these values');
  });

  test('answers 1 for a file that no store would open with, and says why', async () => {
    const file = fileOf('enabled = maybe', 'disk_limt_mb = 4');
    const { code, stdout } = await check(file);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^ {2}enabled +- .* Not accepted: see below\.$/m);
    expect(stdout).toContain(`2 problems: no store opens with this\n  enabled is 'maybe' (${file}, line 2): `);
    expect(stdout).toContain('did you mean disk_limit_mb?');
  });

  test('as JSON has the same, also for a file that is wrong', async () => {
    const file = fileOf('enabled = no', 'log = paper');
    const { code, stdout } = await check(file, '--json', '--no-environment');
    expect(code).toBe(1);
    const { values, ...rest } = JSON.parse(stdout) as { values: { key: string }[] };
    expect(rest).toEqual({
      file,
      accepted: false,
      problems: [
        { key: 'log', source: { kind: 'file', file, line: 3 }, message: expect.stringContaining("log is 'paper'") },
      ],
    });
    expect(values.map(({ key }) => key)).toEqual(KEY_NAMES);
    expect(values[0]).toEqual({
      key: 'enabled',
      value: false,
      source: { kind: 'file', file, line: 2 },
      effect: expect.stringContaining('Nothing is opened'),
    });
  });

  // Goal: what is this machine set to? Method: no file in the command, one in the environment, and one that is not there.
  test('without a file explains what a program here would read', async () => {
    const file = fileOf('disk_limit_mb = 77');
    const named = await imatrixMm(['config', 'check'], { env: { MEMORY_MANAGER_V2_CONFIG: file } });
    expect(named.code).toBe(0);
    expect(named.stdout).toContain(`[memory_manager_v2] of ${file}\n`);
    expect(named.stdout).toMatch(/^ {2}disk_limit_mb +77 +line 2 /m);
    const gone = await imatrixMm(['config', 'check'], { env: { MEMORY_MANAGER_V2_CONFIG: '/nowhere.ini' } });
    expect(gone).toMatchObject({
      code: 2,
      stderr: 'imatrix-mm: /nowhere.ini: no such file or directory; check the path\n',
    });
  });

  test.each([
    ['a file that is not there', [join(directory, 'none.ini')], /none\.ini: no such file or directory; check the path/],
    ['a directory', [directory], /it is a directory; give a file/],
    ['two files', ['x.ini', 'y.ini'], /too many arguments.*\(see imatrix-mm config check --help\)/],
    ['an unknown option', ['x.ini', '--jason'], /unknown option '--jason'; Did you mean --json\?/],
  ])('is refused for %s in one line', async (_, args, says) => {
    const { code, stdout, stderr } = await check(...args);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(says);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  });
});

describe('what comes with the package', () => {
  // Goal: the example is a file that works as it is, and leaves nothing out. Method: checked as a user's own.
  test('the example file has every key, each with its default but those that an operator wants', () => {
    const { values, origins, problems } = checkConfiguration({ file: EXAMPLE, environment: {} });
    expect(problems).toEqual([]);
    for (const key of KEY_NAMES) {
      expect(origins[key].kind, key).toBe('file');
      expect(values[key], key).toBe(key === 'log' ? 'file' : key === 'live' ? true : KEYS[key].default);
    }
  });

  // Goal: the page says what the program knows. Method: a row of its tables for every key, with variable and default.
  test('docs/configuration.md has every key', () => {
    const page = readFileSync(join(ROOT, 'docs/configuration.md'), 'utf8');
    const rows = [...page.matchAll(/^\| `(\w+)` \| `([^`]+)` \|/gm)].map(([, key, value]) => [key, value]);
    expect(rows).toEqual(KEY_NAMES.map((key) => [key, key === 'log' ? 'off' : KEYS[key].example]));
    expect(page).toContain(variableOf('disk_limit_mb'));
  });
});
