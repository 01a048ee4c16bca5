/**
 * The commands for operators as a user runs them, on a store that is closed, or on none: what they print, with which
 * exit code, and that `--json` says the same.
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { imatrixMm } from '../cli/scratch.ts';
import { temporaryDirectory } from '../platform/temporary.ts';
import { aStore, lines, START_MS, segment } from './a-store.ts';

describe('on a store that is closed', () => {
  // Goal: the figures are those of the store, by sensor, by source and in all. Method: known appends and acknowledges; table and JSON; and the name that operators know.
  test('stats counts retained, unread, pending, RAM, disk and losses', async () => {
    const directory = await aStore();
    const [table, json, old] = await Promise.all([
      imatrixMm(['stats', directory]),
      imatrixMm(['stats', directory, '--json']),
      imatrixMm(['--memory-stats', directory, '--total']),
    ]);
    expect(table.stdout).toMatch(/host +300 +tsd +140 +140 +0 +0 +140 +0 +0 +0/);
    expect(table.stdout).toMatch(/can_controller +4097 +evt +30 +30 +0 +0 +30/);
    expect(table.stdout).toMatch(/all +all +2 sensors +170/);
    expect(old.stdout).toMatch(/all +all +2 sensors +170/);
    expect(old.stdout).not.toMatch(/300 +tsd/);
    expect(JSON.parse(json.stdout)).toMatchObject({
      ...{ from: 'disk', holder: null, ramVisible: true, foldedRecords: 0 },
      totals: { retained: 170, unread: 170, pending: 0, ram: 0, disk: 170, acknowledged: 10, evicted: 0, damaged: 0 },
      sources: [
        { source: 'host', streams: 1 },
        { source: 'mgc', streams: 0 },
        { source: 'can_controller', streams: 1 },
      ],
    });
  });

  // Goal: `--watch` goes on, and sees what changes. Method: three looks as JSON lines, with damage done behind the first.
  test('stats --watch looks again and again', async () => {
    const directory = await aStore();
    const watching = imatrixMm(['stats', directory, '--watch', '--every', '1', '--count', '3', '--json']);
    await new Promise((resolve) => setTimeout(resolve, 700));
    rmSync(segment(directory, 'host', 3));
    const { code, stdout } = await watching;
    const seen = lines(stdout).map((line) => JSON.parse(line).totals.retained);
    expect([code, seen.length, seen.at(-1)]).toEqual([0, 3, 120]);
  });

  // Goal: every record, exact, and only what was asked for. Method: CSV and NDJSON, by stream, by time, merged by time.
  test('dump gives every record as CSV or NDJSON, by stream and by time', async () => {
    const directory = await aStore();
    const at = (seconds: number): string => new Date(START_MS + seconds * 1000).toISOString();
    const [csv, json, some, merged] = await Promise.all([
      imatrixMm(['dump', directory]),
      imatrixMm(['dump', directory, '--json', '--stream', 'host/300']),
      imatrixMm(['dump', directory, '--stream', 'can_controller/0x1001', '--from', at(100), '--to', at(120)]),
      imatrixMm(['dump', directory, '--order', 'time', '--format', 'ndjson']),
    ]);
    expect(lines(csv.stdout)).toHaveLength(171);
    expect(lines(csv.stdout)[1]).toBe(`host,300,tsd,float32,1,10,${at(10)},${START_MS + 10_000},2.5,1075838976`);
    const records = lines(json.stdout).map((line) => JSON.parse(line));
    expect(records.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 140 }, (_, i) => i + 10));
    expect(records[50]).toMatchObject({ sequence: 60, value: 'NaN', timeMs: START_MS + 60_000, epoch: 1 });
    expect(
      lines(some.stdout)
        .slice(1)
        .map((line) => line.split(',')[5]),
    ).toEqual(['20', '21', '22', '23']);
    const times = lines(merged.stdout).map((line) => JSON.parse(line).timeMs);
    expect(times).toHaveLength(170);
    expect(times).toEqual([...times].sort((a, b) => a - b));
  });

  // Goal: identity and state at a glance. Method: a closed store, and one whose directory has a log of another life.
  test('info says what it is and how it was left', async () => {
    const directory = await aStore();
    const { stdout } = await imatrixMm(['info', directory, '--json']);
    expect(JSON.parse(stdout)).toMatchObject({
      state: 'closed',
      formatVersion: 3,
      epoch: 1,
      streams: 2,
      retained: 170,
      damagedRecords: 0,
    });
    expect((await imatrixMm(['info', directory])).stdout).toMatch(/state +closed, everything saved/);
  });

  // Goal: a version that a fault report needs. Method: the command.
  test('--version names MEMORY_V2, the storage format and Node', async () => {
    const { stdout } = await imatrixMm(['--version']);
    expect(stdout).toBe(
      `MEMORY_V2 imatrix-memory-manager ${JSON.parse(readFileSync('package.json', 'utf8')).version} (storage format 3, Node ${process.versions.node})\n`,
    );
  });
});

describe('on what is no store', () => {
  const CASES: readonly (readonly [args: readonly string[], says: RegExp])[] = [
    [['info', 'none'], /no such file or directory; check the path/],
    [['stats', 'empty'], /empty holds no store/],
    [['repair', 'empty'], /empty holds no store/],
    [['verify', 'file'], /file is no directory; give the one that holds the store/],
    [['repair'], /missing required argument 'directory'/],
    [['dump', 'empty', '--stream', 'roof/1'], /give a source and a sensor id, such as host\/17/],
    [['dump', 'empty', '--from', 'noon'], /give a time such as/],
    [['repair', 'empty', '--quota', '1KB'], /--quota is '1KB'/],
    [['stats', 'empty', '--watch', '--every', '0'], /give seconds, from 0.2 to 86400/],
  ];

  // Goal: one line that names input, reason and remedy, exit code 2, nothing made. Method: no directory, an empty one, a file, bad options.
  test('each command says in one line what is wrong, and makes nothing', async () => {
    const cwd = temporaryDirectory();
    await mkdir(join(cwd, 'empty'));
    writeFileSync(join(cwd, 'file'), '');
    const ends = await Promise.all(CASES.map(([args]) => imatrixMm(args, { cwd })));
    for (const [i, { code, stdout, stderr }] of ends.entries()) {
      expect([code, stdout]).toEqual([2, '']);
      expect(stderr).toMatch(CASES[i]?.[1] as RegExp);
      expect(lines(stderr)).toHaveLength(1);
    }
    expect(readdirSync(join(cwd, 'empty'))).toEqual([]);
  });

  // Goal: a stream that the store does not have is said so. Method: ask for one.
  test('a stream that the store does not have', async () => {
    const { code, stderr } = await imatrixMm(['dump', await aStore(), '--stream', 'mgc/1']);
    expect([code, stderr]).toEqual([2, 'imatrix-mm: the store has no stream mgc/1; stats lists those it has\n']);
  });
});
