// Goal: a disk that fills up, for real or up to the quota, costs what the configuration says and nothing else: no
// crash, no altered record, nothing lost that the ledger does not name. Method: append more than fits, on
// small mounted file systems and under a small quota, read everything back before and after a reopen, then drain.
import { closeSync, openSync, readdirSync, rmSync, statfsSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { SensorStream, SettingsInput, Store, WhenDiskFull } from '../../src/index.ts';
import { openStore, RAM_FULL } from '../../src/index.ts';
import {
  ext4Refused,
  mountedDirectory,
  mountedExt4Directory,
  mountsRefused,
  skipLoudly,
  temporaryDirectory,
} from '../platform/temporary.ts';
import { expectIntact } from './intact.ts';
import { appendNext, openStreams } from './known-load.ts';

const MIB = 1024 * 1024;
const STREAMS = 12;
const SMALL: SettingsInput = {
  poolBytes: '32KiB',
  sectorBytes: 64,
  streamsMax: 16,
  ledgerMax: 256,
  quotaBytes: '64MiB',
  freeFloorBytes: 0,
};
/** Records of which none compresses to less than the 4 bytes of its value: more than any bound below takes. */
const RECORDS = (2 * MIB) / 4;

interface Bound {
  readonly what: string;
  /** Why it cannot be set up here, or null. */
  readonly refused: string | null;
  readonly setUp: () => { readonly directory: string; readonly settings: SettingsInput };
}

const BOUNDS: readonly Bound[] = [
  {
    what: 'a quota of 1 MiB',
    refused: null,
    setUp: () => ({ directory: temporaryDirectory(), settings: { ...SMALL, quotaBytes: '1MiB' } }),
  },
  {
    what: 'a tmpfs of 1 MiB',
    refused: mountsRefused,
    setUp: () => ({ directory: mountedDirectory('1m'), settings: SMALL }),
  },
  {
    what: 'an ext4 file system of 3 MiB',
    refused: ext4Refused,
    setUp: () => ({ directory: join(mountedExt4Directory(3 * MIB), 'store'), settings: SMALL }),
  },
  {
    what: 'a floor of 1 MiB free space on a tmpfs of 2 MiB',
    refused: mountsRefused,
    setUp: () => ({ directory: mountedDirectory('2m'), settings: { ...SMALL, freeFloorBytes: '1MiB' } }),
  },
];

async function open(directory: string, settings: SettingsInput): Promise<Store> {
  const store = await openStore({ directory, ...settings });
  onTestFinished(async () => {
    await store.close({ deadlineMs: 0 });
  });
  return store;
}

/** Sizes of all files of the store. */
function bytesOnDisk(directory: string): number {
  let bytes = 0;
  for (const name of ['', 'host', 'mgc', 'can_controller']) {
    for (const entry of readdirSync(join(directory, name), { withFileTypes: true })) {
      if (entry.isFile()) bytes += statSync(join(directory, name, entry.name)).size;
    }
  }
  return bytes;
}

/** Acknowledges everything. @returns how many records that were. */
async function drain(store: Store): Promise<number> {
  let drained = 0;
  for (const stream of store.streams()) {
    for (;;) {
      const batch = await stream.read(1_000);
      if (batch.length === 0) break;
      stream.acknowledge(batch);
      drained += batch.length;
    }
  }
  return drained;
}

for (const { what, refused, setUp } of BOUNDS) {
  const skipped = skipLoudly(refused, `disk full: ${what}`);

  describe.skipIf(skipped)(what, () => {
    test("with 'evict-oldest' each record is taken, the oldest make room and the ledger names them", async () => {
      const { directory, settings } = setUp();
      const store = await open(directory, { ...settings, whenDiskFull: 'evict-oldest' });
      const streams = openStreams(store, STREAMS);
      let most = 0;
      for (let appended = 0; appended < RECORDS; ) {
        for (const stream of streams) {
          if (appendNext(stream) < 0) throw new Error(`record ${appended} was refused`);
          appended++;
        }
        if (appended % (STREAMS * 32) === 0) {
          await store.ready();
          most = Math.max(most, store.stats().diskBytes);
        }
      }
      await store.flush();
      const stats = store.stats();
      expect(stats).toMatchObject({ refusedRamFull: 0, flushFailures: 0, atRisk: 0, damaged: 0 });
      expect(stats.evicted).toBeGreaterThan(RECORDS / 10);
      expect(stats.evicted + stats.retained).toBe(stats.appended);
      expect(most).toBeLessThanOrEqual(stats.quotaBytes);
      expect(await expectIntact(store)).toBe(stats.retained);
      // What is gone is the beginning of each stream, and the ledger has each of these records.
      const { entries, foldedRecords } = store.ledger();
      expect(entries.reduce((sum, { records }) => sum + records, foldedRecords)).toBe(stats.evicted);
      expect(streams.reduce((sum, { marks }) => sum + marks.head, 0)).toBe(stats.evicted);

      expect(await store.close()).toMatchObject({ unsaved: 0 });
      const again = await open(directory, { ...settings, whenDiskFull: 'evict-oldest' });
      expect(again.recovery).toMatchObject({ found: 'clean', damagedRecords: 0, setAside: [] });
      expect(await expectIntact(again)).toBe(again.stats().retained);
      // Opening may need room too: then the oldest go as in a flush, and not more than a few segments' worth.
      expect(again.stats().retained).toBeGreaterThan(stats.retained - RECORDS / 20);
      expect(await drain(again)).toBe(again.stats().acknowledged);
      expect(again.stats().retained).toBe(0);
    });

    test("with 'refuse-new' nothing is dropped: the RAM fills, RAM_FULL is said, and room makes it go on", async () => {
      const { directory, settings } = setUp();
      const store = await open(directory, { ...settings, whenDiskFull: 'refuse-new' });
      const failures: string[] = [];
      store.on('flushFailed', ({ message }) => failures.push(message));
      const streams = openStreams(store, STREAMS);
      // A record that is refused is not given up: the round goes on until every stream was refused.
      let [taken, inARow] = [0, 0];
      for (let i = 0; inARow < STREAMS; i++) {
        if (taken > RECORDS) throw new Error('nothing was refused');
        const answer = appendNext(streams[i % STREAMS] as SensorStream);
        if (answer === RAM_FULL) {
          inARow++;
          if (failures.length === 0) {
            // Only the flush that runs was too slow for this loop.
            await sleep(1);
            inARow = 0;
          }
          continue;
        }
        taken++;
        inARow = 0;
        if (i % 256 === 0) await sleep(0);
      }
      const full = store.stats();
      expect(full).toMatchObject({ appended: taken, retained: taken, evicted: 0, damaged: 0 });
      expect(full.refusedRamFull).toBeGreaterThanOrEqual(STREAMS);
      expect(full.atRisk).toBeGreaterThan(0);
      expect(full.diskBytes).toBeLessThanOrEqual(full.quotaBytes);
      expect(failures[0]).toMatch(/the disk is full|ENOSPC/);
      expect(await expectIntact(store)).toBe(taken);
      await expect(store.flush()).rejects.toMatchObject({ code: 'IO_FAILED' });
      expect(await expectIntact(store)).toBe(taken);

      const closed = await store.close();
      expect(closed.unsaved).toBe(full.atRisk - closed.saved);
      const again = await open(directory, { ...settings, whenDiskFull: 'refuse-new' });
      expect(again.recovery).toMatchObject({ damagedRecords: 0, setAside: [] });
      expect(await expectIntact(again)).toBe(taken - closed.unsaved);

      // The uploader is back: acknowledged records make room, and appending goes on where the disk left off.
      const [first] = again.streams();
      if (first === undefined) throw new Error('the streams are gone');
      expect(await drain(again)).toBe(taken - closed.unsaved);
      await again.checkpoint();
      expect(bytesOnDisk(directory)).toBeLessThan(full.diskBytes / 2);
      expect(appendNext(first)).toBe(first.marks.appended - 1);
      await again.flush();
      expect(await expectIntact(again)).toBe(1);
    });
  });
}

test.skipIf(skipLoudly(mountsRefused, 'floor of free space'))('leaves the floor of free space to others', async () => {
  const directory = mountedDirectory('4m');
  const store = await open(directory, { ...SMALL, freeFloorBytes: '2MiB' });
  const streams = openStreams(store, STREAMS);
  for (let i = 0; i < RECORDS / STREAMS; i++) {
    if (streams.some((stream) => appendNext(stream) < 0)) throw new Error(`record ${i} was refused`);
    if (i % 32 === 0) await store.ready();
    if (i % 512 === 0) {
      const { bavail, bsize } = statfsSync(directory);
      expect(bavail * bsize).toBeGreaterThanOrEqual(2 * MIB);
    }
  }
  expect(store.stats().evicted).toBeGreaterThan(0);
});

const FILLED: readonly { readonly what: string; readonly refused: string | null; readonly mount: () => string }[] = [
  { what: 'a tmpfs', refused: mountsRefused, mount: () => mountedDirectory('2m') },
  { what: 'an ext4 file system', refused: ext4Refused, mount: () => mountedExt4Directory(4 * MIB) },
];

describe.for(FILLED)('$what that another program has filled', ({ what, refused, mount: mountFresh }) => {
  const skipped = skipLoudly(refused, `filled by others: ${what}`);

  /** Takes every byte that is left. @returns the call that gives them back. */
  function fill(directory: string): () => void {
    const path = join(directory, 'of-another-program');
    const file = openSync(path, 'w');
    for (const size of [65_536, 4_096, 1]) {
      try {
        for (;;) writeSync(file, Buffer.alloc(size, 1));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      }
    }
    closeSync(file);
    return () => rmSync(path);
  }

  async function openFilled(
    whenDiskFull: WhenDiskFull,
  ): Promise<{ mount: string; directory: string; retained: number }> {
    const mount = mountFresh();
    const directory = join(mount, 'store');
    const store = await open(directory, { ...SMALL, whenDiskFull });
    const streams = openStreams(store, STREAMS);
    for (let i = 0; i < 2_000; i++) {
      for (const stream of streams) appendNext(stream);
      if (i % 32 === 0) await store.ready();
    }
    await store.close();
    return { mount, directory, retained: 2_000 * STREAMS };
  }

  test.skipIf(skipped)(
    "is opened with 'evict-oldest' at the price of the oldest records, which the ledger names",
    async () => {
      const { mount, directory, retained } = await openFilled('evict-oldest');
      fill(mount);
      const store = await open(directory, { ...SMALL, whenDiskFull: 'evict-oldest' });
      const { evicted, damaged } = store.stats();
      expect(store.stats().retained).toBe(retained - evicted);
      expect(damaged).toBe(0);
      expect(evicted).toBeGreaterThan(0);
      expect(evicted).toBeLessThan(retained / 2);
      expect(store.recovery.records).toBe(retained - evicted);
      expect(store.ledger().entries.reduce((sum, { records }) => sum + records, 0)).toBe(evicted);
      expect(await expectIntact(store)).toBe(retained - evicted);
      const [stream] = store.streams();
      for (let i = 0; i < 500; i++) appendNext(stream as SensorStream);
      await store.flush();
      expect(await expectIntact(store)).toBe(store.stats().retained);
    },
  );

  test.skipIf(skipped)("is not opened with 'refuse-new', says why, and loses nothing until there is room", async () => {
    const { mount, directory, retained } = await openFilled('refuse-new');
    const giveBack = fill(mount);
    for (let tries = 0; tries < 3; tries++) {
      await expect(openStore({ directory, ...SMALL, whenDiskFull: 'refuse-new' })).rejects.toMatchObject({
        code: 'IO_FAILED',
        message: expect.stringContaining('free some space'),
      });
    }
    giveBack();
    const store = await open(directory, { ...SMALL, whenDiskFull: 'refuse-new' });
    expect(store.recovery).toMatchObject({ found: 'clean', damagedRecords: 0, setAside: [] });
    expect(await expectIntact(store)).toBe(retained);
  });
});
