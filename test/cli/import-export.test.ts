/** The commands `imatrix-mm import` and `imatrix-mm export`. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openStore } from '../../src/index.ts';
import { makeOldTree } from '../migration/old-tree-maker.ts';
import { imatrixMm, scratchDirectory } from './scratch.ts';

const directory = scratchDirectory();
const root = join(directory, 'old');
const map = makeOldTree(root, [
  { source: 'host', sensor: 5, kind: 'tsd', periodMs: 10, firstTimeMs: 1_000, firstSector: 0, files: [[1, 2, 3], [4]] },
  {
    source: 'mgc',
    sensor: 6,
    kind: 'evt',
    firstSector: 3,
    files: [
      [
        [9, 70],
        [8, 71],
      ],
    ],
  },
]);

describe('imatrix-mm import and export', () => {
  // Goal: the way there and back with the commands, and what they print. Method: a small tree, each step looked at.
  it('imports, once, exports, and says counts and sums both ways', { timeout: 30_000 }, async () => {
    const storage = join(directory, 'store');
    const dry = await imatrixMm(['import', root, '--map', map, '--storage', storage, '--dry-run']);
    expect(dry.stdout).toContain('6 records could be imported; nothing was written');
    expect([dry.code, existsSync(storage)]).toEqual([0, false]);
    const first = await imatrixMm(['import', root, '--map', map, '--storage', storage]);
    expect(first.stdout).toContain('6 records imported, 0 were in the store before, 0 were consumed');
    expect(first.stdout).toContain('sum of the values: 151 in the old files, 151 in the store');
    expect(first.code).toBe(0);
    const again = await imatrixMm(['import', root, '--map', map, '--storage', storage, '--json']);
    expect(JSON.parse(again.stdout)).toMatchObject({ imported: 0, before: 6, records: 6 });
    const out = join(directory, 'back');
    const exported = await imatrixMm(['export', storage, out]);
    expect(exported.stdout).toContain(
      `6 records in 2 files, sum of the values 151; to import: --map ${out}/import-map.json`,
    );
    const full = await imatrixMm(['export', storage, out]);
    expect([full.code, full.stderr.includes('is not empty; give a directory that is not there yet')]).toEqual([
      2,
      true,
    ]);
  });

  it('leaves out what the map does not know, says so, and answers 1', async () => {
    writeFileSync(join(root, 'host/sector_0700.dat'), Buffer.alloc(4));
    const { code, stdout } = await imatrixMm([
      'import',
      root,
      '--map',
      map,
      '--storage',
      join(directory, 's2'),
      '--dry-run',
    ]);
    expect(code).toBe(1);
    expect(stdout).toContain('host/sector_0700.dat: the map says nothing of it');
  });

  it('names the process that has the store, and imports nothing', async () => {
    const storage = join(directory, 'held');
    await using store = await openStore({ directory: storage });
    const { code, stderr } = await imatrixMm(['import', root, '--map', map, '--storage', storage]);
    expect([code, stderr]).toEqual([2, expect.stringContaining(`pid ${process.pid}`)]);
    expect(store.stats().appended).toBe(0);
  });

  // Goal: each mistake in a map is named with its place and the remedy. Method: one of each.
  it.each([
    ['{', 'is no JSON'],
    ['{}', 'has no list; give { "sensors": [ ... ] }'],
    ['{"sensors":[7]}', 'sensor 1 is no object'],
    ['{"sensors":[{"source":"hosts"}]}', 'sensor 1: source is "hosts"; give one of host, mgc, can_controller'],
    ['{"sensors":[{"source":"host","kind":"tsd"}]}', 'sensors 1: sectors is missing; give a number or a range'],
    ['{"sensors":[{"source":"host","kind":"evt","sectors":"5-3"}]}', 'sectors is "5-3"'],
    [
      '{"sensors":[{"source":"host","kind":"evt","sectors":"1","sensor":-1}]}',
      'sensor is -1; give a whole number from 0 to',
    ],
    ['{"sensors":[{"source":"host","kind":"tsd","sectors":"1","sensor":1}]}', 'periodMs is missing'],
    ['{"sensors":[{"source":"host","kind":"evt","sectors":"1","sensor":1,"periodMs":4}]}', 'periodMs is of tsd alone'],
    ['{"sensors":[{"source":"host","kind":"evt","sectors":"1","sensor":1,"sector":4}]}', 'sector is no field'],
    [
      '{"sensors":[{"source":"host","kind":"evt","sectors":"1-4","sensor":1},{"source":"host","kind":"evt","sectors":"4","sensor":2}]}',
      'sensor 2: its sectors are those of sensor 1 too',
    ],
  ])('refuses a map: %s', async (text, message) => {
    const path = join(directory, 'wrong.json');
    writeFileSync(path, text);
    const { code, stderr } = await imatrixMm(['import', root, '--map', path, '--storage', join(directory, 'never')]);
    expect(code).toBe(2);
    expect(stderr).toContain(message.replace('sensors 1', 'sensor 1'));
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });
});
