/** Bytes come back as they were given, wherever they lie. */
import type { DiskPort, IoResult } from '../../../src/core/port.ts';
import type { Law } from './law.ts';
import { bytesOf, expectCode, expectContent, expectListed, must, sameBytes, succeeded, write } from './law.ts';

/** The largest file that the engine writes. */
const FILE_BYTES = 65_536;

export const CONTENT_LAWS: readonly Law[] = [
  {
    id: 'PORT-01',
    statement: 'a read gives what was written, before and after its sync',
    async check({ disk }) {
      const content = bytesOf(FILE_BYTES);
      await write(disk, 'host', 'a.seg', content);
      await expectContent(disk, 'host', 'a.seg', content);
      succeeded(await disk.sync('host', 'a.seg'), 'sync of host/a.seg');
      succeeded(await disk.syncDirectory('host'), 'sync of the directory host');
      await expectContent(disk, 'host', 'a.seg', content);
    },
  },
  {
    id: 'PORT-02',
    statement: 'a write puts its bytes at its offset: behind the end it appends, before it it overwrites',
    async check({ disk }) {
      await write(disk, '', 'log', bytesOf(100, 1));
      succeeded(await disk.sync('', 'log'), 'sync of log');
      await write(disk, '', 'log', bytesOf(50, 2), 100);
      await write(disk, '', 'log', bytesOf(10, 3), 20);
      succeeded(await disk.sync('', 'log'), 'sync of log');
      const expected = new Uint8Array(150);
      expected.set(bytesOf(100, 1));
      expected.set(bytesOf(50, 2), 100);
      expected.set(bytesOf(10, 3), 20);
      await expectContent(disk, '', 'log', expected);
    },
  },
  {
    id: 'PORT-03',
    statement: 'what lies between the end of a file and a later offset is zeros',
    async check({ disk }) {
      await write(disk, 'mgc', 'a', Uint8Array.of(1, 2));
      await write(disk, 'mgc', 'a', Uint8Array.of(3), 5);
      await expectContent(disk, 'mgc', 'a', Uint8Array.of(1, 2, 0, 0, 0, 3));
    },
  },
  {
    id: 'PORT-04',
    statement: 'a read is short only at the end of the file, empty behind it, and leaves the rest of the buffer alone',
    async check({ disk }) {
      await write(disk, 'host', 'a', bytesOf(5_000));
      const whole = new Uint8Array(5_000);
      const all = succeeded(await disk.read('host', 'a', 0, whole), 'read of host/a');
      must(all === 5_000, () => `a read of 5000 bytes answered ${all}, and the file has 5000`);
      sameBytes(whole, bytesOf(5_000), 'read of host/a');
      const into = new Uint8Array(8).fill(0xee);
      const tail = succeeded(await disk.read('host', 'a', 4_997, into), 'read of host/a');
      must(tail === 3, () => `a read of 8 bytes at 4997 answered ${tail}, 3 are left in the file`);
      const expected = new Uint8Array(8).fill(0xee);
      expected.set(bytesOf(5_000).subarray(4_997));
      sameBytes(into, expected, 'the buffer of a short read');
      for (const offset of [5_000, 9_000]) {
        const behind = succeeded(await disk.read('host', 'a', offset, into), 'read of host/a');
        must(behind === 0, () => `a read at ${offset} answered ${behind} bytes, the file ends at 5000`);
      }
    },
  },
  {
    id: 'PORT-05',
    statement: 'a read fills the view it was given and nothing beside it',
    async check({ disk }) {
      await write(disk, 'host', 'a', bytesOf(16));
      const buffer = new Uint8Array(32);
      const got = succeeded(await disk.read('host', 'a', 4, buffer.subarray(8, 16)), 'read of host/a');
      must(got === 8, () => `a read of 8 bytes answered ${got}`);
      const expected = new Uint8Array(32);
      expected.set(bytesOf(16).subarray(4, 12), 8);
      sameBytes(buffer, expected, 'the buffer around the view');
    },
  },
  {
    id: 'PORT-06',
    statement: "a write takes the view it was given, and the caller's buffer is free again when it answers",
    async check({ disk }) {
      const buffer = bytesOf(64);
      const expected = buffer.slice(10, 40);
      await write(disk, 'host', 'a', buffer.subarray(10, 40));
      buffer.fill(0);
      succeeded(await disk.sync('host', 'a'), 'sync of host/a');
      await expectContent(disk, 'host', 'a', expected);
    },
  },
  {
    id: 'PORT-07',
    statement: 'an empty write makes an empty file',
    async check({ disk }) {
      await write(disk, 'host', 'empty', new Uint8Array(0));
      succeeded(await disk.sync('host', 'empty'), 'sync of host/empty');
      await expectListed(disk, 'host', { empty: 0 });
    },
  },
  {
    id: 'PORT-08',
    statement: 'many files that are read at once, again and again, are kept apart',
    async check({ disk }) {
      const names = Array.from({ length: 40 }, (_, index) => `${index}.seg`);
      for (const [index, name] of names.entries()) await write(disk, 'can_controller', name, bytesOf(500, index));
      for (let round = 0; round < 3; round++) {
        await Promise.all(names.map((name, index) => expectContent(disk, 'can_controller', name, bytesOf(500, index))));
      }
    },
  },
  {
    id: 'PORT-09',
    statement: 'a read may run beside a write and a sync of other files',
    async check({ disk }) {
      await write(disk, 'host', 'old', bytesOf(4_096, 1));
      const writing = write(disk, 'host', 'new', bytesOf(FILE_BYTES, 2)).then(() => disk.sync('host', 'new'));
      await Promise.all([expectContent(disk, 'host', 'old', bytesOf(4_096, 1)), writing, disk.syncDirectory('mgc')]);
      succeeded(await writing, 'sync of host/new');
      await expectContent(disk, 'host', 'new', bytesOf(FILE_BYTES, 2));
    },
  },
  {
    id: 'PORT-36',
    statement: 'where a file can be read once, that gives what a read from its beginning gives',
    async check({ disk }) {
      await write(disk, 'mgc', 'a.seg', bytesOf(5_000));
      for (const length of [5_000, 100, 5_008]) {
        const [into, expected] = [new Uint8Array(length).fill(0xee), new Uint8Array(length).fill(0xee)];
        expected.set(bytesOf(5_000).subarray(0, length));
        const got = succeeded(await readOnce(disk, 'a.seg', into), 'a read of mgc/a.seg once');
        must(got === Math.min(length, 5_000), () => `a read of ${length} bytes once answered ${got}, of 5000`);
        sameBytes(into, expected, 'read of mgc/a.seg once');
      }
      expectCode(await readOnce(disk, 'b.seg', new Uint8Array(1)), 'NOT_FOUND', 'a read of mgc/b.seg once');
    },
  },
];

const readOnce = (disk: DiskPort, name: string, into: Uint8Array): Promise<IoResult<number>> =>
  disk.readOnce?.('mgc', name, into) ?? disk.read('mgc', name, 0, into);
