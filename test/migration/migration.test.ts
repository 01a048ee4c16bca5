/**
 * Old files into a store and back: counts, sums, times, damage, crashes. The old trees are made by old-tree-maker.ts, which
 * shares nothing with what reads them.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { openStore } from '../../src/index.ts';
import { exportStore, importOld, lookAtOld, MAP_NAME, NoRoomError } from '../../src/migration/index.ts';
import { withPlace } from '../../src/operator/read-only-store.ts';
import type { OldSensor } from './old-tree-maker.ts';
import { dataOf, makeOldTree, metadataOf, sectorName, stateOf } from './old-tree-maker.ts';

const SEED = 20_260_201;
const scratch = mkdtempSync(join(tmpdir(), 'imatrix-migration-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
let made = 0;
const fresh = (name: string): string => join(scratch, `${++made}-${name}`);

const count = (records: number, from = 0): number[] => Array.from({ length: records }, (_, i) => from + i);
const events = (records: number, seconds: number): [number, number][] =>
  count(records).map((i) => [seconds + i, 0xffff_0000 + i]);

const TSD: OldSensor = {
  ...{ source: 'host', sensor: 1001, kind: 'tsd', periodMs: 500, firstTimeMs: 1_700_000_000_000 },
  ...{ firstSector: 0, files: [count(100), count(50, 100)] },
};
const EVT: OldSensor = {
  ...{ source: 'mgc', sensor: 7, kind: 'evt' },
  ...{ firstSector: 12, files: [events(30, 1_600_000_000), events(20, 1_500_000_000)] },
};
const CAN: OldSensor = {
  ...{ source: 'can_controller', sensor: 7, kind: 'evt' },
  ...{
    firstSector: 0,
    files: [
      [
        [0, 0],
        [0xffff_ffff, 0xffff_ffff],
      ],
    ],
  },
};

/** Everything that a store gives, by stream: sequence numbers left out, they are the order. */
async function recordsOf(directory: string): Promise<Record<string, readonly (readonly number[])[]>> {
  await using store = await openStore({ directory });
  const all: Record<string, readonly (readonly number[])[]> = {};
  for (const stream of store.streams()) {
    const batch = await stream.peek(0, 1_000_000);
    all[`${stream.source}/${stream.sensor}`] = [...batch.bits].map((bits, i) => [batch.timesMs[i] as number, bits]);
  }
  return all;
}

const wantedOf = ({ kind, files, periodMs = 0, firstTimeMs = 0 }: OldSensor): number[][] =>
  files
    .flat()
    .map((each, i) =>
      kind === 'tsd'
        ? [firstTimeMs + i * periodMs, each as number]
        : [(each as [number, number])[0] * 1_000, (each as [number, number])[1]],
    );

async function importInto(directory: string, root: string, map: string) {
  await using store = await openStore({ directory });
  return await importOld(store, { directory: root, map, journal: `${directory}.journal` });
}

describe('an import', () => {
  // Goal: values, times and order as they were, twice is once. Method: three sensors, two of one id, imported twice.
  it('puts each record into its stream, once', async () => {
    const [root, directory] = [fresh('old'), fresh('store')];
    const map = makeOldTree(root, [TSD, EVT, CAN]);
    const first = await importInto(directory, root, map);
    const again = await importInto(directory, root, map);
    expect(first).toMatchObject({
      records: 202,
      imported: 202,
      before: 0,
      consumed: 0,
      perhapsTwice: 0,
      notCompared: 0,
    });
    expect(first.sumInStore).toBe(first.sum);
    expect(first.sum).toBe(
      [TSD, EVT, CAN].flatMap(wantedOf).reduce((sum, [, bits]) => sum + BigInt(bits as number), 0n),
    );
    expect(again).toMatchObject({ records: 202, imported: 0, before: 202 });
    expect(await recordsOf(directory)).toEqual({
      'host/1001': wantedOf(TSD),
      'mgc/7': wantedOf(EVT),
      'can_controller/7': wantedOf(CAN),
    });
  });

  // Goal: what the cloud had is not sent again. Method: a number in the map, a state that agrees with the files, one that does not.
  it.each([
    ['the map says so', 40, null, 40],
    ['the state says so', null, stateOf(1001, 150, 120, false), 120],
    ['a state of other files says nothing', null, stateOf(1001, 151, 120, false), 0],
    ['a state of the other kind says nothing', null, stateOf(1001, 150, 120, true), 0],
    ['more than there is', 151, null, 150],
  ] as const)('leaves out what was consumed: %s', async (_, consumed, state, left) => {
    const [root, directory] = [fresh('old'), fresh('store')];
    const map = makeOldTree(root, [consumed === null ? TSD : ({ ...TSD, consumed } as OldSensor)]);
    mkdirSync(join(root, 'state'));
    if (state !== null) writeFileSync(join(root, 'state/state_000003E9.dat'), state);
    const report = await importInto(directory, root, map);
    expect(report).toMatchObject({ consumed: left, imported: 150 - left });
    expect((await recordsOf(directory))['host/1001'] ?? []).toEqual(wantedOf(TSD).slice(left));
    expect(lookAtOld(root, map).plan.notes).toHaveLength(state !== null && left === 0 ? 1 : 0);
  });

  // Goal: a program that has the store open goes on. Method: appends and an uploader in one of the streams and in another.
  it('runs beside a program that appends and reads', async () => {
    const [root, directory] = [fresh('old'), fresh('store')];
    const map = makeOldTree(root, [{ ...TSD, files: [count(16_000), count(16_000, 16_000)] }, EVT]);
    const store = await openStore({ directory, poolBytes: '64KiB' });
    const own = store.stream('mgc', 7, { kind: 'evt' });
    let appended = 0;
    const timer = setInterval(() => {
      for (let i = 0; i < 20; i++) if (own.append(1_000_000 + appended, 5) >= 0) appended++;
    }, 1);
    const report = await importOld(store, { directory: root, map, journal: `${directory}.journal` });
    clearInterval(timer);
    expect(report).toMatchObject({ imported: 32_050, perhapsTwice: 0 });
    await store.close();
    const all = await recordsOf(directory);
    expect(all['host/1001']).toHaveLength(32_000);
    const mgc = all['mgc/7'] as readonly (readonly number[])[];
    expect(mgc.filter(([, bits]) => (bits as number) >= 0xffff_0000)).toEqual(wantedOf(EVT));
    expect(mgc).toHaveLength(50 + appended);
  });

  it('refuses before anything is done when the store has no room, and says how much it needs', async () => {
    const [root, directory] = [fresh('old'), fresh('store')];
    const map = makeOldTree(root, [{ ...TSD, files: count(40).map((i) => count(16_000, i)) }]);
    await using store = await openStore({ directory, poolBytes: '64KiB', quotaBytes: '3MiB' });
    const importing = importOld(store, { directory: root, map, journal: `${directory}.journal` });
    await expect(importing).rejects.toThrow(NoRoomError);
    await expect(importing).rejects.toThrow(/can take 3200000 bytes.*raise the quota by \d+ bytes/);
    expect(store.stats().appended).toBe(0);
  });
});

describe('a damaged tree', () => {
  // Goal: damage is named, the rest is imported, exported and imported again, and no old file is altered. Method: ten
  // damages at once, each on a file of its own, beside sound files.
  it('gives what is sound of it, names the ten damages, and comes back the same', async () => {
    const [root, directory] = [fresh('old'), fresh('store')];
    const sensors: OldSensor[] = [
      TSD,
      EVT,
      { ...TSD, sensor: 2, firstSector: 100, files: [count(10)] },
      { ...TSD, sensor: 3, firstSector: 200, files: [count(10), count(5)] },
      { ...EVT, sensor: 4, firstSector: 300, files: [events(10, 50)] },
      { ...EVT, sensor: 5, firstSector: 400, files: [events(10, 50), events(3, 9)] },
      { ...CAN, sensor: 6, firstSector: 500, files: [events(10, 50)] },
      { ...TSD, source: 'can_controller', sensor: 8, firstSector: 600, files: [count(9), count(4)] },
    ];
    const map = makeOldTree(root, sensors);
    const at = (source: string, name: string): string => join(root, source, name);
    mkdirSync(join(root, 'state'));
    // 1 and 2: a length that is none; and so the times behind it are not known.
    truncateSync(at('host', sectorName(200)), 38);
    // 3: the metadata of host describes another content.
    writeFileSync(at('host', 'metadata.json'), metadataOf(100, dataOf(count(10, 1)), 0));
    // 4: that of mgc another length. 5: the one with the odd name is cut off.
    writeFileSync(at('mgc', 'metadata.json'), metadataOf(300, dataOf(events(9, 50)), 1));
    writeFileSync(at('mgc', '(null)metadata.json'), Buffer.alloc(39));
    // 6: too long. 7: a directory. 8: a link to nowhere.
    appendFileSync(at('mgc', sectorName(400)), Buffer.alloc(65_536));
    rmSync(at('can_controller', sectorName(500)));
    mkdirSync(at('can_controller', sectorName(500)));
    rmSync(at('can_controller', sectorName(600)));
    symlinkSync('/nowhere', at('can_controller', sectorName(600)));
    rmSync(at('can_controller', 'metadata.json'));
    // 9: a state with a flipped bit. 10: a name that is none, and a file that the map does not know.
    const state = stateOf(1001, 150, 10, false);
    state[9] = 1;
    writeFileSync(join(root, 'state/state_000003E9.dat'), state);
    writeFileSync(at('host', 'sector_1.dat'), Buffer.alloc(8));
    writeFileSync(at('host', sectorName(9_999)), Buffer.alloc(8));
    const before = fresh('before');
    cpSync(root, before, { recursive: true, verbatimSymlinks: true });

    const { plan, tree } = lookAtOld(root, map);
    const report = await importInto(directory, root, map);
    const troubles = plan.files
      .filter(({ trouble }) => trouble !== null)
      .map(({ file, trouble }) => `${file.path}: ${trouble}`);
    expect(troubles).toEqual([
      'host/sector_0100.dat: its checksum is not the one of its metadata',
      'host/sector_0200.dat: its 38 bytes are no whole number of tsd records of 4',
      'host/sector_0201.dat: the times of its records are not known, for host/sector_0200.dat before it is damaged; give it an entry of its own with firstTimeMs',
      'host/sector_9999.dat: the map says nothing of it',
      'mgc/sector_0300.dat: it has 80 bytes, its metadata says 72',
      'mgc/sector_0400.dat: it has 65616 bytes, 65536 at most',
      'can_controller/sector_0500.dat: it is a directory',
      'can_controller/sector_0600.dat: it is no plain file',
      'can_controller/sector_0601.dat: the times of its records are not known, for can_controller/sector_0600.dat before it is damaged; give it an entry of its own with firstTimeMs',
    ]);
    expect(tree.strange).toEqual([
      { path: 'host/sector_1.dat', trouble: 'its name is none of a data file: sector_NNNN.dat' },
      { path: 'mgc/(null)metadata.json', trouble: 'it has 39 bytes, not 40' },
      { path: 'state/state_000003E9.dat', trouble: 'its checksum is wrong' },
    ]);
    expect(report).toMatchObject({ imported: 150 + 50 + 3, consumed: 0 });
    expect(report.sumInStore).toBe(report.sum);
    const records = await recordsOf(directory);
    expect(records).toEqual({
      'host/1001': wantedOf(TSD),
      'mgc/7': wantedOf(EVT),
      'mgc/5': wantedOf({ ...EVT, files: [events(3, 9)] }),
    });
    expect(namesIn(root)).toEqual(namesIn(before));

    const exported = fresh('exported');
    const out = await withPlace(directory, (place) => exportStore(place, exported));
    expect(out).toMatchObject({ records: 203, sum: report.sum, withoutState: [] });
    const second = fresh('second');
    const back = await importInto(second, exported, join(exported, MAP_NAME));
    expect(back).toMatchObject({ imported: 203, sum: report.sum, sumInStore: report.sum });
    expect(await recordsOf(second)).toEqual(records);
  });
});

/** Names and contents of plain files. */
const namesIn = (root: string): string[] =>
  readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return `${path.slice(root.length)} ${readFileSync(path).toString('base64')}`;
    })
    .sort();

describe('an import that is killed', () => {
  // Goal: neither lost nor twice, wherever it ends. Method: a child process killed after ever more bytes of its journal,
  // and run again until it ends.
  it('goes on where it was, at every point', { timeout: 60_000 }, async () => {
    const root = fresh('old');
    const sensors: OldSensor[] = [
      { ...TSD, files: [count(16_000), count(9_000, 16_000)] },
      { ...EVT, files: [events(8_000, 1_000)] },
    ];
    const map = makeOldTree(root, sensors);
    for (const bytes of [60, 1_500, 3_700]) {
      const directory = fresh('store');
      await killedAfter(directory, root, map, bytes);
      await killedAfter(directory, root, map, bytes + 1_100);
      const report = await importInto(directory, root, map);
      expect(report).toMatchObject({ records: 33_000, perhapsTwice: 0 });
      expect(report.imported + report.before).toBe(33_000);
      const all = await recordsOf(directory);
      expect(all['host/1001']).toEqual(wantedOf(sensors[0] as OldSensor));
      expect(all['mgc/7']).toEqual(wantedOf(sensors[1] as OldSensor));
    }
  });
});

/** An import by a process that is killed when its journal has so many bytes, or is at its end. */
async function killedAfter(directory: string, root: string, map: string, bytes: number): Promise<void> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'import-child.ts'), directory, root, map], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, KILL_AT_BYTES: `${bytes}` },
  });
  await once(child, 'exit');
}

describe('import, export, import', () => {
  // Goal: whatever is in the old files comes back. Method: drawn trees, seeded; values of every kind, files of every length,
  // tsd and evt, in all sources.
  it('gives the same records', { timeout: 60_000 }, async () => {
    const word = fc.integer({ min: 0, max: 0xffff_ffff });
    const tsd = fc.record({
      kind: fc.constant('tsd' as const),
      periodMs: fc.integer({ min: 1, max: 100_000 }),
      firstTimeMs: fc.integer({ min: 0, max: 2 ** 41 }),
      files: fc.array(fc.array(word, { maxLength: 40 }), { minLength: 1, maxLength: 4 }),
    });
    const evt = fc.record({
      kind: fc.constant('evt' as const),
      files: fc.array(fc.array(fc.tuple(word, word), { maxLength: 40 }), { minLength: 1, maxLength: 4 }),
    });
    const sensor = fc.record({
      source: fc.constantFrom('host' as const, 'mgc' as const, 'can_controller' as const),
      sensor: fc.integer({ min: 0, max: 5 }),
      of: fc.oneof(tsd, evt),
    });
    const trees = fc.uniqueArray(sensor, {
      selector: ({ source, sensor: id }) => `${source}/${id}`,
      minLength: 1,
      maxLength: 4,
    });
    await fc.assert(
      fc.asyncProperty(trees, async (drawn) => {
        const [root, first, exported, second] = ['old', 'first', 'exported', 'second'].map(fresh) as [
          string,
          string,
          string,
          string,
        ];
        const sensors = drawn.map(({ of, ...key }, i): OldSensor => ({ ...key, ...of, firstSector: 10 * i }));
        const report = await importInto(first, root, makeOldTree(root, sensors));
        const records = await recordsOf(first);
        expect(records).toEqual(
          Object.fromEntries(sensors.map((each) => [`${each.source}/${each.sensor}`, wantedOf(each)])),
        );
        const out = await withPlace(first, (place) => exportStore(place, exported));
        expect([out.records, out.sum]).toEqual([report.imported, report.sum]);
        await importInto(second, exported, join(exported, MAP_NAME));
        const again = await recordsOf(second);
        for (const [stream, of] of Object.entries(records)) expect(again[stream] ?? []).toEqual(of);
      }),
      { seed: SEED, numRuns: 12 },
    );
  });

  it('counts what the old form cannot say', async () => {
    const [directory, exported] = [fresh('store'), fresh('exported')];
    {
      await using store = await openStore({ directory });
      const evt = store.stream('host', 1, { kind: 'evt', type: 'float32' });
      evt.append(-0, 1_234);
      evt.append(Number.NaN, 5_000);
      evt.append(1.5, 0x1_0000_0000 * 1_000);
      store.stream('mgc', 1, { kind: 'tsd', periodMs: 10 }).append(3, 77);
    }
    const out = await withPlace(directory, (place) => exportStore(place, exported));
    expect(out.streams).toMatchObject([
      { stream: 'host/1', records: 3, roundedTimes: 1, timesOutOfRange: 1 },
      { stream: 'mgc/1', records: 1, roundedTimes: 0 },
    ]);
    expect(out.withoutState).toEqual(['host/1', 'mgc/1']);
    await expect(withPlace(directory, (place) => exportStore(place, exported))).rejects.toThrow('is not empty');
  });
});
