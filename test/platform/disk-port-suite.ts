/**
 * What every DiskPort must do, whatever it is made of. The engine relies on each sentence here; an adapter that passes
 * may be put under it.
 *
 * It does not cover what a crash leaves (the simulated disk's own tests, and the kernel's promise on a real one), nor
 * faults that only one kind of disk can have.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Directory, DiskPort, IoResult } from '../../src/core/port.ts';
import { SOURCE_DIRECTORIES } from '../../src/core/port.ts';

export interface DiskUnderTest {
  readonly disk: DiskPort;
  /** Lets this much time pass, really or by moving a simulated clock. */
  elapse(ms: number): Promise<void>;
  /** Takes everything away again. */
  dispose(): Promise<void>;
}

export type DiskFactory = () => Promise<DiskUnderTest>;

const bytesOf = (length: number, seed = 1): Uint8Array =>
  Uint8Array.from({ length }, (_, index) => (index * 31 + seed * 7 + (index >> 8)) & 0xff);

/** The value of a result that must be a success; the failure's own words otherwise. */
export function unwrap<T>(result: IoResult<T>): T {
  if (!result.ok) throw new Error(`${result.error.code}: ${result.error.detail}`);
  return result.value;
}

export async function contentOf(
  disk: DiskPort,
  directory: Directory,
  name: string,
  bytesMax = 1 << 20,
): Promise<Uint8Array> {
  const into = new Uint8Array(bytesMax);
  return into.subarray(0, unwrap(await disk.read(directory, name, 0, into)));
}

export function describeDiskPort(what: string, factory: DiskFactory): void {
  describe(`${what} as a disk`, () => {
    let under: DiskUnderTest;
    let disk: DiskPort;

    beforeEach(async () => {
      under = await factory();
      disk = under.disk;
      expect(await disk.lock()).toEqual({ ok: true });
    });

    afterEach(async () => {
      await disk.unlock();
      await under.dispose();
    });

    const write = async (directory: Directory, name: string, content: Uint8Array, offset = 0): Promise<void> =>
      unwrap(await disk.write(directory, name, offset, content));

    const names = async (directory: Directory): Promise<string[]> =>
      unwrap(await disk.list(directory))
        .map(({ name }) => name)
        .sort();

    describe('content', () => {
      // Goal: bytes come back as they were given, wherever they lie. Method: write, sync or not, read pieces of it.
      test('reads back what was written, before and after the sync', async () => {
        const content = bytesOf(65_536);
        await write('host', 'a.seg', content);
        expect(await contentOf(disk, 'host', 'a.seg')).toEqual(content);
        unwrap(await disk.sync('host', 'a.seg'));
        unwrap(await disk.syncDirectory('host'));
        expect(await contentOf(disk, 'host', 'a.seg')).toEqual(content);
      });

      test('appends at the end and overwrites in the middle', async () => {
        await write('', 'log', bytesOf(100, 1));
        unwrap(await disk.sync('', 'log'));
        await write('', 'log', bytesOf(50, 2), 100);
        await write('', 'log', bytesOf(10, 3), 20);
        unwrap(await disk.sync('', 'log'));
        const expected = new Uint8Array(150);
        expected.set(bytesOf(100, 1));
        expected.set(bytesOf(50, 2), 100);
        expected.set(bytesOf(10, 3), 20);
        expect(await contentOf(disk, '', 'log')).toEqual(expected);
      });

      test('fills what is between the end and a later offset with zeros', async () => {
        await write('mgc', 'a', Uint8Array.of(1, 2), 0);
        await write('mgc', 'a', Uint8Array.of(3), 5);
        expect([...(await contentOf(disk, 'mgc', 'a'))]).toEqual([1, 2, 0, 0, 0, 3]);
      });

      test('reads fewer bytes only at the end, none behind it, and leaves the rest of the buffer alone', async () => {
        await write('host', 'a', bytesOf(10));
        const into = new Uint8Array(8).fill(0xee);
        expect(unwrap(await disk.read('host', 'a', 7, into))).toBe(3);
        expect([...into]).toEqual([...bytesOf(10).subarray(7), 0xee, 0xee, 0xee, 0xee, 0xee]);
        expect(unwrap(await disk.read('host', 'a', 10, into))).toBe(0);
        expect(unwrap(await disk.read('host', 'a', 1_000, into))).toBe(0);
      });

      test('fills a view into the middle of a larger buffer', async () => {
        await write('host', 'a', bytesOf(16));
        const buffer = new Uint8Array(32);
        expect(unwrap(await disk.read('host', 'a', 4, buffer.subarray(8, 16)))).toBe(8);
        expect(buffer.subarray(8, 16)).toEqual(bytesOf(16).subarray(4, 12));
        expect([...buffer.subarray(0, 8), ...buffer.subarray(16)].every((byte) => byte === 0)).toBe(true);
      });

      test("writes from a view, and the caller's buffer is free again afterwards", async () => {
        const buffer = bytesOf(64);
        const expected = buffer.slice(10, 40);
        await write('host', 'a', buffer.subarray(10, 40));
        buffer.fill(0);
        unwrap(await disk.sync('host', 'a'));
        expect(await contentOf(disk, 'host', 'a')).toEqual(expected);
      });

      test('makes an empty file of an empty write', async () => {
        await write('host', 'empty', new Uint8Array(0));
        unwrap(await disk.sync('host', 'empty'));
        expect(unwrap(await disk.list('host'))).toEqual([{ name: 'empty', bytes: 0 }]);
      });

      test('keeps many files apart that are read at once, again and again', async () => {
        const files = Array.from({ length: 40 }, (_, index) => `${index}.seg`);
        for (const [index, name] of files.entries()) await write('can_controller', name, bytesOf(500, index));
        for (let round = 0; round < 3; round++) {
          const read = await Promise.all(files.map((name) => contentOf(disk, 'can_controller', name, 1_000)));
          for (const [index, content] of read.entries()) expect(content).toEqual(bytesOf(500, index));
        }
      });

      test('reads beside a write and a sync of other files', async () => {
        await write('host', 'old', bytesOf(4_096, 1));
        const [old] = await Promise.all([
          contentOf(disk, 'host', 'old'),
          write('host', 'new', bytesOf(65_536, 2)).then(() => disk.sync('host', 'new')),
          disk.syncDirectory('mgc'),
        ]);
        expect(old).toEqual(bytesOf(4_096, 1));
        expect(await contentOf(disk, 'host', 'new')).toEqual(bytesOf(65_536, 2));
      });
    });

    describe('names', () => {
      // Goal: the four directories are four name spaces, and a name stands for at most one file.
      test('begins with four empty directories', async () => {
        for (const directory of ['', ...SOURCE_DIRECTORIES] as const) expect(await names(directory)).toEqual([]);
      });

      test('lists the files of one directory with their sizes', async () => {
        await write('', 'root', bytesOf(1));
        for (const [index, directory] of SOURCE_DIRECTORIES.entries()) {
          await write(directory, 'same-name', bytesOf(10 + index, index));
        }
        expect(unwrap(await disk.list(''))).toEqual([{ name: 'root', bytes: 1 }]);
        for (const [index, directory] of SOURCE_DIRECTORIES.entries()) {
          expect(unwrap(await disk.list(directory))).toEqual([{ name: 'same-name', bytes: 10 + index }]);
          expect(await contentOf(disk, directory, 'same-name')).toEqual(bytesOf(10 + index, index));
        }
      });

      test('removes a file, and removing what is not there is success', async () => {
        await write('host', 'a', bytesOf(3));
        await contentOf(disk, 'host', 'a');
        unwrap(await disk.remove('host', 'a'));
        unwrap(await disk.syncDirectory('host'));
        expect(await names('host')).toEqual([]);
        expect(await disk.read('host', 'a', 0, new Uint8Array(3))).toMatchObject({
          ok: false,
          error: { code: 'NOT_FOUND' },
        });
        unwrap(await disk.remove('host', 'a'));
        unwrap(await disk.remove('mgc', 'never was'));
      });

      test('gives a removed name to a new file with nothing of the old one', async () => {
        await write('host', 'a', bytesOf(100, 1));
        await contentOf(disk, 'host', 'a');
        unwrap(await disk.remove('host', 'a'));
        await write('host', 'a', bytesOf(5, 2));
        unwrap(await disk.sync('host', 'a'));
        expect(await contentOf(disk, 'host', 'a')).toEqual(bytesOf(5, 2));
      });

      test('gives whole old content or none to a read that meets a removal', async () => {
        for (let round = 0; round < 20; round++) {
          await write('host', 'a', bytesOf(5_000, round));
          const into = new Uint8Array(5_000);
          const [read] = await Promise.all([disk.read('host', 'a', 0, into), disk.remove('host', 'a')]);
          if (read.ok) {
            expect(read.value).toBe(5_000);
            expect(into).toEqual(bytesOf(5_000, round));
          } else expect(read.error.code).toBe('NOT_FOUND');
        }
      });

      test('renames a file with its content', async () => {
        await write('host', 'a', bytesOf(9));
        unwrap(await disk.sync('host', 'a'));
        await contentOf(disk, 'host', 'a');
        unwrap(await disk.rename('host', 'a', 'b'));
        unwrap(await disk.syncDirectory('host'));
        expect(await names('host')).toEqual(['b']);
        expect(await contentOf(disk, 'host', 'b')).toEqual(bytesOf(9));
        expect(await disk.read('host', 'a', 0, new Uint8Array(1))).toMatchObject({
          ok: false,
          error: { code: 'NOT_FOUND' },
        });
      });

      test('renames a file between its write and its sync', async () => {
        await write('host', 'a', bytesOf(9));
        unwrap(await disk.rename('host', 'a', 'b'));
        await write('host', 'b', bytesOf(4, 2), 9);
        unwrap(await disk.sync('host', 'b'));
        expect((await contentOf(disk, 'host', 'b')).length).toBe(13);
        expect(await names('host')).toEqual(['b']);
      });

      test('never replaces a file by a rename', async () => {
        await write('host', 'a', bytesOf(9, 1));
        await write('host', 'b', bytesOf(8, 2));
        expect(await disk.rename('host', 'a', 'b')).toMatchObject({ ok: false, error: { code: 'IO' } });
        expect(await contentOf(disk, 'host', 'a')).toEqual(bytesOf(9, 1));
        expect(await contentOf(disk, 'host', 'b')).toEqual(bytesOf(8, 2));
      });

      test('says NOT_FOUND when a missing file is read, synced or renamed', async () => {
        const missing = { ok: false, error: { code: 'NOT_FOUND', detail: expect.stringContaining('ENOENT') } };
        expect(await disk.read('host', 'x', 0, new Uint8Array(1))).toMatchObject(missing);
        expect(await disk.sync('host', 'x')).toMatchObject(missing);
        expect(await disk.rename('host', 'x', 'y')).toMatchObject(missing);
      });
    });

    describe('lock, space and time', () => {
      // Goal: the port's other promises. Method: ask twice.
      test('gives the lock once and names its holder', async () => {
        const second = await disk.lock();
        expect(second).toMatchObject({ ok: false, holder: expect.stringMatching(/\w/) });
      });

      test('gives the lock again after it was given back, with the files in place', async () => {
        await write('host', 'a', bytesOf(7));
        unwrap(await disk.sync('host', 'a'));
        unwrap(await disk.syncDirectory('host'));
        await disk.unlock();
        expect(await disk.lock()).toEqual({ ok: true });
        expect(await contentOf(disk, 'host', 'a')).toEqual(bytesOf(7));
      });

      test('lists no lock', async () => {
        expect(await names('')).toEqual([]);
      });

      test('knows how much room there is, or says Infinity', async () => {
        expect(unwrap(await disk.freeBytes())).toBeGreaterThan(65_536);
      });

      test('calls back once after the delay, and never after a cancel', async () => {
        const calls: string[] = [];
        disk.after(5, () => calls.push('late'));
        const cancel = disk.after(5, () => calls.push('cancelled'));
        cancel();
        expect(calls).toEqual([]);
        await under.elapse(40);
        cancel();
        expect(calls).toEqual(['late']);
      });
    });
  });
}
