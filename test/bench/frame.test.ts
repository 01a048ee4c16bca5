/**
 * The frame of the benchmark: what it may be told, how rows become a table and a JSON object, and how it ends. What is
 * measured is no business of a test: nothing here looks at a time.
 */
import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import picocolors from 'picocolors';
import { afterAll, describe, expect, test } from 'vitest';
import { parseArguments } from '../../bench/arguments.ts';
import { atEnd, putRight } from '../../bench/cleanup.ts';
import { type Choice, chosen, GROUPS, unknownNames } from '../../bench/groups.ts';
import { LIMITS } from '../../bench/limits-of-rows.ts';
import { fileSystemOf, type Machine } from '../../bench/machine.ts';
import { exitCodeOf, figureText, notesOf, type Report, reportText, tableText } from '../../bench/report.ts';
import { type MeasuredRow, measuredRow, median, type RowDemand, type RowGroup } from '../../bench/row.ts';
import { runGroups } from '../../bench/run-groups.ts';

const MAIN = join(import.meta.dirname, '../../bench/main.ts');
const directory = mkdtempSync(join(tmpdir(), 'imatrix-bench-test-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const plain = picocolors.createColors(false);
const row = (id: string, more: Partial<RowDemand> = {}): RowDemand => ({
  ...{ id, title: `what ${id} measures`, compare: 'at-least', demand: 2, unit: 'x' },
  ...more,
});
const group = (name: string, ...rows: RowDemand[]): RowGroup => ({ name, rows, measure: async () => [] });
const groups = [group('speed', row('ingest'), row('drain')), group('size', row('bytes'))];

describe('arguments', () => {
  // Goal: a wrong argument is one line that says what would be right. Method: each one that can be wrong.
  test.each([
    [['--only', 'ingset'], 'there is no ingset; known are speed, ingest, drain, size, bytes'],
    [['--only', ','], 'name a row or a group'],
    [['--seed', '-1'], 'give a whole number from 0 to 4294967295'],
    [['--seed', '1.5'], 'give a whole number from 0 to 4294967295'],
    [['--directory', '/no/such/place'], 'there is no such directory: make it, or choose another one'],
    [['--out', '/no/such/place/x.json'], 'its directory is not there: make it, or choose another file'],
    [['--out', tmpdir()], 'it is a directory; give a file'],
    [['--quickly'], "unknown option '--quickly'"],
    [['speed'], 'too many arguments'],
  ])('%j is refused: %s', (args, sentence) => {
    expect(() => parseArguments(args, groups)).toThrow(sentence);
  });

  // Goal: rows and groups are chosen by name, several at a time. Method: what remains of two groups.
  test('--only takes rows and groups, with commas and again', () => {
    const { only } = parseArguments(['--only', 'drain,bytes', '--only', 'size'], groups);
    expect(only).toEqual(['drain', 'bytes', 'size']);
    const names = (choices: readonly Choice[]): string[] =>
      choices.map(({ group: { name }, rows }) => `${name}: ${rows.map(({ id }) => id)}`);
    expect(names(chosen(only, groups))).toEqual(['speed: drain', 'size: bytes']);
    expect(names(chosen(['speed'], groups))).toEqual(['speed: ingest,drain']);
    expect(names(chosen([], groups))).toEqual(['speed: ingest,drain', 'size: bytes']);
  });

  // Goal: a user sees one line on the error stream and exit code 2. Method: the command itself.
  test('a wrong one ends the command with exit code 2 and one line', async () => {
    const run = promisify(execFile)(process.execPath, [MAIN, '--only', 'nothing']);
    const failed = (await run.catch((error: unknown) => error)) as { code: number; stdout: string; stderr: string };
    expect(failed.code).toBe(2);
    expect(failed.stdout).toBe('');
    expect(failed.stderr).toMatch(/^bench: .*there is no nothing; known are ingest-16k, .*; see --help\n$/);
  });

  // Goal: what there is can be asked for. Method: the command itself; its list against the groups.
  test('--list --json names every row and measures nothing', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [MAIN, '--list', '--json']);
    expect(JSON.parse(stdout)).toEqual(GROUPS.flatMap(({ rows }) => rows));
  });
});

describe('the list of groups', () => {
  // Goal: a name means one thing. Method: every id and every group's name, counted.
  test('uses no name twice', () => {
    const ids = GROUPS.flatMap(({ rows }) => rows.map(({ id }) => id));
    const names = GROUPS.map(({ name }) => name);
    expect(ids.filter((id, i) => ids.indexOf(id) !== i)).toEqual([]);
    expect(names.filter((name, i) => names.indexOf(name) !== i || ids.includes(name))).toEqual([]);
    expect([...ids, ...names].filter((name) => !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name))).toEqual([]);
    expect(unknownNames([...ids, ...names])).toEqual([]);
  });
});

describe('arithmetic', () => {
  // Goal: the measured figure is the median, odd or even, and no value is no median. Method: by hand.
  test('median is the middle one, or the mean of the two in the middle', () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([9, 1, 5, 7])).toBe(6);
    expect(() => median([])).toThrow(RangeError);
  });

  // Goal: met is met at the demand itself, from either side. Method: a row at it and a hair beside it.
  test('a row is met at its demand and short beside it', () => {
    expect(measuredRow(row('a'), [2, 2, 3], {}).met).toBe(true);
    expect(measuredRow(row('a'), [1.99, 1, 3], {}).met).toBe(false);
    expect(measuredRow(row('a', { compare: 'at-most' }), [2], {}).met).toBe(true);
    expect(measuredRow(row('a', { compare: 'at-most' }), [2.01], {}).met).toBe(false);
    expect(measuredRow(row('a'), [3, 1, 2], {})).toMatchObject({ measured: 2, range: [1, 3] });
  });

  // Goal: a short row says by how much, and what stands in its way; a met one says neither. Method: both sides of both demands.
  test('a short row says by how much and why', () => {
    const id = Object.keys(LIMITS)[0] as string;
    const limit = LIMITS[id];
    expect(measuredRow(row(id), [1], {})).toMatchObject({ shortBy: 2, limit });
    expect(measuredRow(row(id, { compare: 'at-most' }), [3], {})).toMatchObject({ shortBy: 1.5, limit });
    expect(measuredRow(row(id), [2], {})).not.toHaveProperty('shortBy');
    expect(measuredRow(row(id), [2], {})).not.toHaveProperty('limit');
    expect(notesOf(measuredRow(row(id), [1], {}, 'how'))).toEqual(['how', limit]);
  });

  // Goal: no reason is told of a row that does not exist. Method: the rows that there are.
  test('limits are those of rows', () => {
    const ids = GROUPS.flatMap(({ rows: ofGroup }) => ofGroup.map((each) => each.id));
    expect(ids).toEqual(expect.arrayContaining(Object.keys(LIMITS)));
  });

  test.each([
    [0.0934, 'x', '0.093x'],
    [1.2345, 'x', '1.23x'],
    [64.97, 'x', '65.0x'],
    [1140.4, 'x', '1,140x'],
    [27.04, '%', '27.0 %'],
    [1.984, 'B/record', '1.98 B/record'],
  ])('%d %s is shown as %s', (value, unit, text) => {
    expect(figureText(value, unit)).toBe(text);
  });
});

const machine: Machine = {
  cpu: 'A processor',
  cores: 2,
  memoryBytes: 4 * 1024 ** 3,
  platform: 'linux x64',
  kernel: '6.1.0',
  node: '24.0.0',
  fileSystem: 'ext4',
  freeBytes: 1e9,
  loadBefore: 0,
  deviceBytes: 'counted somewhere',
};
const rows: MeasuredRow[] = [
  measuredRow(row('ingest'), [2.5, 2, 3], { ratios: [2.5, 2, 3] }, 'said once'),
  measuredRow(row('bytes', { demand: 2_000 }), [1_140], {}, 'said once'),
];
const report: Report = {
  machine,
  run: { startedAt: '2026-01-01T00:00:00.000Z', seconds: 61.2, seed: 7, quick: false, repetitions: 5 },
  rows,
  failures: [{ group: 'speed', message: 'the disk went away' }],
};

describe('the table', () => {
  // Goal: one line a row, demand and measured beside each other, what was not measured named. Method: the text.
  test('has a line for each row, met, short or not measured', () => {
    expect(tableText(chosen([], groups), rows, plain)).toBe(
      [
        '  row                          demand  measured             range',
        '  ------------------------  ---------  --------  ----------------  --------------',
        '  what ingest measures [1]      >= 2x     2.50x    2.00x to 3.00x  met',
        '  what drain measures           >= 2x                              not measured',
        '  what bytes measures [1]   >= 2,000x    1,140x  1,140x to 1,140x  short by 1.75x',
        '',
        '[1] said once',
      ].join('\n'),
    );
  });

  // Goal: whoever reads it knows where it was measured and what went wrong. Method: the text below the table.
  test('is followed by the sum, the machine and what failed', () => {
    const text = reportText(chosen([], groups), report, plain);
    expect(text).toContain('1 of 2 rows met, 1 short; medians of 5 repetitions; seed 7; 61 s');
    expect(text).toContain('A processor, 2 cores, 4.0 GiB RAM; linux x64, kernel 6.1.0, Node 24.0.0, ext4');
    expect(text).toContain('device bytes: counted somewhere');
    expect(text).toContain('failed speed: the disk went away');
    expect(text).not.toContain('busy');
    const busy = reportText([], { ...report, machine: { ...machine, loadBefore: 1.5 } }, plain);
    expect(busy).toContain('the machine was busy before the run (load 1.5)');
    const ram = reportText([], { ...report, machine: { ...machine, fileSystem: 'tmpfs' } }, plain);
    expect(ram).toContain('tmpfs is no disk');
  });
});

// Goal: a short row is a result unless the caller says otherwise; a row that did not run never is. Method: each case.
test('the exit code says whether rows ran, and with --gate whether they are met', () => {
  const ran = { ...report, failures: [] };
  expect(exitCodeOf(ran, false)).toBe(0);
  expect(exitCodeOf(ran, true)).toBe(1);
  expect(exitCodeOf({ ...ran, rows: rows.slice(0, 1) }, true)).toBe(0);
  expect(exitCodeOf({ ...report, rows: [] }, false)).toBe(1);
});

describe('a file system', () => {
  const mounts = '/dev/a / ext4 rw 0 0\ntmpfs /data tmpfs rw 0 0\n/dev/b /data/my\\040disk xfs rw 0 0\n';
  test.each([
    ['/data-2', 'ext4'],
    ['/data/x', 'tmpfs'],
    ['/data/my disk/x', 'xfs'],
  ])('of %s is %s', (path, type) => {
    expect(fileSystemOf(path, mounts)).toBe(type);
  });
});

describe('putting right', () => {
  // Goal: what was made last goes first, once, whatever fails in between. Method: three entries, one of them throws.
  test('goes backwards, once, and past what fails', async () => {
    const did: string[] = [];
    const now = atEnd('undo the first', () => void did.push('first'));
    atEnd('undo the second', () => {
      did.push('second');
      throw new Error('no');
    });
    atEnd('undo the third', () => void did.push('third'));
    await putRight();
    await now();
    await putRight();
    expect(did).toEqual(['third', 'second', 'first']);
  });

  // Goal: nobody ends the process while something is being undone. Method: a second call while the first one waits.
  test('is waited for by everybody who asks for it', async () => {
    let done = false;
    const now = atEnd('undo it slowly', async () => {
      await sleep(20);
      done = true;
    });
    void now();
    await putRight();
    expect(done).toBe(true);
  });
});

// Goal: a group that fails is reported, and its directory is gone. Method: a group that its process does not know.
test('a group that gives no rows is a failure with its reason, and leaves nothing', async () => {
  const told: string[] = [];
  const outcome = await runGroups({
    choices: [{ group: group('unheard-of', row('x')), rows: [row('x')] }],
    ...{ quick: true, repetitions: 2, seed: 1, directory, tell: (name: string) => void told.push(name) },
  });
  expect(outcome).toEqual({ rows: [], failures: [{ group: 'unheard-of', message: 'there is no group unheard-of' }] });
  expect(readdirSync(directory)).toEqual([]);
});

// Goal: stopped by hand it leaves nothing behind. Method: SIGINT in the middle of a group that has files and processes.
test('is stopped by SIGINT with exit code 130 and leaves nothing', async () => {
  const child = spawn(process.execPath, [MAIN, '--quick', '--only', 'device-bytes', '--directory', directory], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  const ended = new Promise<number | null>((resolve) => child.on('close', (code) => resolve(code)));
  for (let waitedMs = 0; readdirSync(directory, { recursive: true }).length < 4 && waitedMs < 20_000; waitedMs += 50) {
    await sleep(50);
  }
  child.kill('SIGINT');
  expect({ code: await ended, said: said.replace(/^\d+ s {2}.*\n/gm, '') }).toEqual({ code: 130, said: '' });
  expect(readdirSync(directory)).toEqual([]);
});
