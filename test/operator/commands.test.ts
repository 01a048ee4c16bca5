/**
 * The commands for operators as a user runs them, on a store that is closed, damaged, or none: what they print, with which
 * exit code, and that `--json` says the same.
 */
import { readdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { stateOf } from '../../conformance/operator-damage/directory.ts';
import { openStore } from '../../src/index.ts';
import { withPlace } from '../../src/operator/read-only-store.ts';
import { repair } from '../../src/operator/repair.ts';
import { verify } from '../../src/operator/verify/verify.ts';
import { imatrixMm } from '../cli/scratch.ts';
import { temporaryDirectory } from '../platform/temporary.ts';

const START_MS = Date.UTC(2026, 0, 31, 12);

/** Three flushes of two streams, some of it acknowledged. Segments 1, 3, 5 are host's, 2, 4, 6 can_controller's. */
async function aStore(): Promise<string> {
  const directory = temporaryDirectory();
  const store = await openStore({ directory, poolBytes: '64KiB' });
  const speed = store.stream('host', 300, { kind: 'tsd', periodMs: 1000, type: 'float32' });
  const door = store.stream('can_controller', 0x1001, { kind: 'evt' });
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 50; i++) {
      const n = round * 50 + i;
      speed.append(n === 60 ? Number.NaN : n / 4, START_MS + n * 1000);
      if (i % 5 === 0) door.append(n, START_MS + n * 1000 + 500);
    }
    await store.flush();
  }
  speed.acknowledge(await speed.read(10));
  await store.close();
  return directory;
}

const segment = (directory: string, source: string, number: number): string =>
  join(directory, source, `${number.toString().padStart(12, '0')}.seg`);

function flip(path: string, byte: number): void {
  const bytes = readFileSync(path);
  bytes[byte] = (bytes[byte] as number) ^ 8;
  writeFileSync(path, bytes);
}

const lines = (text: string): string[] => text.trim().split('\n');

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
      formatVersion: 1,
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
      `MEMORY_V2 imatrix-memory-manager ${JSON.parse(readFileSync('package.json', 'utf8')).version} (storage format 1, Node ${process.versions.node})\n`,
    );
  });
});

describe('on a store that is damaged', () => {
  // Goal: each damaged thing by file, offset, stream and sequence numbers. Method: a hit body, a hit head, a cut, a missing file, a strange one.
  test('verify names each damage, and whose records it held', async () => {
    const directory = await aStore();
    flip(segment(directory, 'host', 1), 100);
    flip(segment(directory, 'can_controller', 2), 65);
    truncateSync(segment(directory, 'host', 3), 150);
    rmSync(segment(directory, 'can_controller', 6));
    writeFileSync(join(directory, 'mgc', 'notes.txt'), 'mine');
    const before = await stateOf(directory);
    const [text, json] = await Promise.all([
      imatrixMm(['verify', directory]),
      imatrixMm(['verify', directory, '--json']),
    ]);
    expect(await stateOf(directory)).toBe(before);
    expect([text.code, json.code]).toEqual([1, 1]);
    const { findings, lost, retained } = JSON.parse(json.stdout);
    const of = (file: string) => findings.filter((each: { file: string }) => each.file === file);
    const door = { source: 'can_controller', sensor: 0x1001 };
    const speed = { source: 'host', sensor: 300 };
    expect(of('host/000000000001.seg')).toMatchObject([
      { what: 'block', offset: 64, certain: true, records: [{ ...speed, from: 0, to: 50 }] },
    ]);
    expect(of('can_controller/000000000002.seg')).toMatchObject([
      { what: 'block', offset: 64, certain: true, records: [{ ...door, from: 0, to: 10 }] },
    ]);
    expect(of('host/000000000003.seg')).toMatchObject([
      { what: 'cut short', offset: 150 },
      { what: 'block', certain: true, records: [{ ...speed, from: 50, to: 100 }] },
      { what: 'block', offset: 150 },
    ]);
    expect(of('can_controller/000000000006.seg')).toMatchObject([
      { what: 'missing', records: [{ ...door, from: 20, to: 30 }] },
    ]);
    expect(of('mgc/notes.txt')).toMatchObject([{ what: 'strange', level: 'note' }]);
    expect(retained).toBe(60);
    expect(lost.map(({ from, to }: { from: number; to: number }) => to - from)).toEqual([90, 10, 10]);
    expect(text.stdout).toMatch(
      /damage {2}host\/000000000001\.seg {2}bytes 64 to \d+ {2}\(block\)\n +a block of host\/300 records 0 to 49/,
    );
    expect(lines(text.stdout).at(-1)).toBe('6 damages named');
  });

  // Goal: a dry run is what repair then does, and repair deletes nothing that is damaged. Method: both, on a segment whose ends are gone; then ledger, dump and verify of what is left.
  test('repair does what --dry-run said: sets aside, enters the loss, and leaves the store whole', async () => {
    const directory = await aStore();
    const path = segment(directory, 'host', 3);
    flip(path, 10);
    flip(path, readFileSync(path).length - 10);
    const damaged = readFileSync(path);
    const before = await stateOf(directory);
    const plan = await imatrixMm(['repair', directory, '--dry-run', '--json']);
    expect(await stateOf(directory)).toBe(before);
    const done = await imatrixMm(['repair', directory, '--json']);
    expect({ ...JSON.parse(plan.stdout), dryRun: false }).toEqual(JSON.parse(done.stdout));
    expect(JSON.parse(done.stdout)).toMatchObject({ lost: [{ source: 'host', sensor: 300, from: 50, to: 100 }] });
    expect(readFileSync(`${path}.damaged`)).toEqual(damaged);
    const [ledger, info, verified] = await Promise.all([
      imatrixMm(['ledger', directory, '--json']),
      imatrixMm(['info', directory, '--json']),
      imatrixMm(['verify', directory]),
    ]);
    expect(JSON.parse(ledger.stdout)).toMatchObject({
      entries: [{ source: 'host', sensor: 300, from: 50, to: 100, records: 50, reason: 'damaged', entered: true }],
      totals: { evicted: 0, damaged: 50 },
    });
    expect(JSON.parse(info.stdout)).toMatchObject({ state: 'closed', epoch: 2, retained: 120 });
    expect([verified.code, lines(verified.stdout).at(-1)]).toEqual([0, 'no damage']);
    expect(verified.stdout).toContain('000000000003.seg.damaged');
  });

  // Goal: no form of damage stops a command. Method: the log gone, a directory gone, a file under another's name; look, repair, look again.
  test.each([
    ['the log is gone', (directory: string) => rmSync(join(directory, 'checkpoint-00000001-00.log')), 'log lost'],
    ['a directory is gone', (directory: string) => rmSync(join(directory, 'host'), { recursive: true }), 'missing'],
    [
      'a segment has another name, and an empty file its own',
      (directory: string) => {
        renameSync(segment(directory, 'host', 1), segment(directory, 'host', 9));
        writeFileSync(segment(directory, 'host', 1), '');
      },
      'unreadable',
    ],
  ] as const)('%s: each command answers', async (_, damage, says) => {
    const directory = await aStore();
    damage(directory);
    const names = ['stats', 'info', 'dump', 'ledger', 'verify'];
    const ends = await Promise.all(names.map((name) => imatrixMm([name, directory])));
    for (const [i, { code, stderr }] of ends.entries())
      expect([names[i], code, stderr]).toEqual([names[i], names[i] === 'verify' ? 1 : 0, '']);
    expect(ends.at(-1)?.stdout).toContain(`(${says})`);
    const repaired = await withPlace(directory, (place) => repair(place));
    expect(repaired.ok).toBe(true);
    expect(await withPlace(directory, (place) => verify(place))).toMatchObject({ refused: null, lost: [] });
  });

  // Goal: a store of a later version is named and never touched. Method: a segment's version raised under a right checksum; every command.
  test('a store of a version that is not known is refused in one line, and left alone', async () => {
    const directory = await aStore();
    const path = segment(directory, 'host', 1);
    const bytes = readFileSync(path);
    bytes.writeUInt16LE(2, 8);
    bytes.writeUInt32LE(crc32(bytes.subarray(0, 60)), 60);
    writeFileSync(path, bytes);
    const before = await stateOf(directory);
    const names = ['stats', 'info', 'dump', 'repair', 'verify'];
    const ends = await Promise.all(names.map((name) => imatrixMm([name, directory])));
    expect(ends.map(({ code }) => code)).toEqual([2, 2, 2, 2, 1]);
    for (const { stdout, stderr } of ends)
      expect(`${stdout}${stderr}`).toMatch(/host\/000000000001\.seg has format version 2/);
    expect(await stateOf(directory)).toBe(before);
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
