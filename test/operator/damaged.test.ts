/**
 * The commands for operators as a user runs them, on a store that is damaged: what is named, what is set aside, what is left.
 */
import { readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { stateOf } from '../../conformance/operator-damage/directory.ts';
import { withPlace } from '../../src/operator/read-only-store.ts';
import { repair } from '../../src/operator/repair.ts';
import { verify } from '../../src/operator/verify/verify.ts';
import { imatrixMm } from '../cli/scratch.ts';
import { aStore, flip, lines, segment } from './a-store.ts';

describe('on a store that is damaged', () => {
  // Goal: each damaged thing by file, offset, stream and sequence numbers. Method: a hit body, a hit head, a cut, a missing file, a strange one.
  test('verify names each damage, and whose records it held', async () => {
    const directory = await aStore();
    flip(segment(directory, 'host', 1), 75);
    flip(segment(directory, 'can_controller', 2), 65);
    truncateSync(segment(directory, 'host', 3), 100);
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
      { what: 'cut short', offset: 100 },
      { what: 'block', certain: true, records: [{ ...speed, from: 50, to: 100 }] },
      { what: 'block', offset: 100 },
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
    const names = ['stats', 'dump', 'ledger', 'verify'];
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
    bytes.writeUInt16LE(4, 8);
    bytes.writeUInt32LE(crc32(bytes.subarray(0, 60)), 60);
    writeFileSync(path, bytes);
    const before = await stateOf(directory);
    const names = ['stats', 'info', 'dump', 'repair', 'verify'];
    const ends = await Promise.all(names.map((name) => imatrixMm([name, directory])));
    expect(ends.map(({ code }) => code)).toEqual([2, 2, 2, 2, 1]);
    for (const { stdout, stderr } of ends)
      expect(`${stdout}${stderr}`).toMatch(/host\/000000000001\.seg has format version 4/);
    expect(await stateOf(directory)).toBe(before);
  });
});
