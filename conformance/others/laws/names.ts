/** The four directories are four name spaces, and a name stands for at most one file. */
import type { Directory } from '../../../src/core/port.ts';
import { SOURCE_DIRECTORIES } from '../../../src/core/port.ts';
import { ANSWERS_ARE_VALUES } from '../observed-disk.ts';
import type { Law } from './law.ts';
import {
  bytesOf,
  expectCode,
  expectContent,
  expectListed,
  expectMissing,
  must,
  sameBytes,
  succeeded,
  write,
} from './law.ts';

export const DIRECTORIES: readonly Directory[] = ['', ...SOURCE_DIRECTORIES];

export const NAME_LAWS: readonly Law[] = [
  {
    id: 'PORT-10',
    statement: 'a new storage has four empty directories',
    async check({ disk }) {
      for (const directory of DIRECTORIES) await expectListed(disk, directory, {});
    },
  },
  {
    id: 'PORT-11',
    statement: 'list names every file of one directory, with its size',
    async check({ disk }) {
      await write(disk, '', 'root', bytesOf(1));
      const sizes = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`${i}.seg`, i]));
      for (const [index, directory] of SOURCE_DIRECTORIES.entries()) {
        await write(disk, directory, 'same-name', bytesOf(10 + index, index));
        for (const [name, bytes] of Object.entries(sizes)) await write(disk, directory, name, bytesOf(bytes));
      }
      await expectListed(disk, '', { root: 1 });
      for (const [index, directory] of SOURCE_DIRECTORIES.entries()) {
        await expectListed(disk, directory, { ...sizes, 'same-name': 10 + index });
        await expectContent(disk, directory, 'same-name', bytesOf(10 + index, index));
      }
    },
  },
  {
    id: 'PORT-12',
    statement: 'remove takes a file away, and removing what is missing is success',
    async check({ disk }) {
      await write(disk, 'host', 'a', bytesOf(3));
      await expectContent(disk, 'host', 'a', bytesOf(3));
      succeeded(await disk.remove('host', 'a'), 'remove of host/a');
      succeeded(await disk.syncDirectory('host'), 'sync of the directory host');
      await expectListed(disk, 'host', {});
      await expectMissing(disk, 'host', 'a');
      succeeded(await disk.remove('host', 'a'), 'remove of host/a');
      succeeded(await disk.remove('mgc', 'never was'), 'remove of mgc/never was');
    },
  },
  {
    id: 'PORT-13',
    statement: 'a removed name is free for a new file, which has nothing of the old one',
    async check({ disk }) {
      await write(disk, 'host', 'a', bytesOf(100, 1));
      await expectContent(disk, 'host', 'a', bytesOf(100, 1));
      succeeded(await disk.remove('host', 'a'), 'remove of host/a');
      await write(disk, 'host', 'a', bytesOf(5, 2));
      succeeded(await disk.sync('host', 'a'), 'sync of host/a');
      await expectContent(disk, 'host', 'a', bytesOf(5, 2));
    },
  },
  {
    id: 'PORT-14',
    statement: 'a read that meets a removal gives the whole old content, or NOT_FOUND',
    async check({ disk }) {
      for (let round = 0; round < 20; round++) {
        await write(disk, 'host', 'a', bytesOf(5_000, round));
        const into = new Uint8Array(5_000);
        const [read, removed] = await Promise.all([disk.read('host', 'a', 0, into), disk.remove('host', 'a')]);
        succeeded(removed, 'remove of host/a');
        if (read.ok) sameBytes(into.subarray(0, read.value), bytesOf(5_000, round), 'a read beside a removal');
        else expectCode(read, 'NOT_FOUND', 'a read beside a removal');
      }
    },
  },
  {
    id: 'PORT-15',
    statement: 'rename moves a file with its content, and the old name is gone',
    async check({ disk }) {
      await write(disk, 'host', 'a', bytesOf(9));
      succeeded(await disk.sync('host', 'a'), 'sync of host/a');
      await expectContent(disk, 'host', 'a', bytesOf(9));
      succeeded(await disk.rename('host', 'a', 'b'), 'rename of host/a');
      succeeded(await disk.syncDirectory('host'), 'sync of the directory host');
      await expectListed(disk, 'host', { b: 9 });
      await expectContent(disk, 'host', 'b', bytesOf(9));
      await expectMissing(disk, 'host', 'a');
    },
  },
  {
    id: 'PORT-16',
    statement: 'a file may be renamed between its write and its sync',
    async check({ disk }) {
      await write(disk, 'host', 'a', bytesOf(9));
      succeeded(await disk.rename('host', 'a', 'b'), 'rename of host/a');
      await write(disk, 'host', 'b', bytesOf(4, 2), 9);
      succeeded(await disk.sync('host', 'b'), 'sync of host/b');
      await expectListed(disk, 'host', { b: 13 });
      await expectContent(disk, 'host', 'b', Uint8Array.of(...bytesOf(9), ...bytesOf(4, 2)));
    },
  },
  {
    id: 'PORT-17',
    statement: 'rename replaces nothing: an existing target is an IO error, and both files stay',
    async check({ disk }) {
      await write(disk, 'host', 'a', bytesOf(9, 1));
      await write(disk, 'host', 'b', bytesOf(8, 2));
      expectCode(await disk.rename('host', 'a', 'b'), 'IO', 'rename of host/a onto host/b');
      await expectContent(disk, 'host', 'a', bytesOf(9, 1));
      await expectContent(disk, 'host', 'b', bytesOf(8, 2));
    },
  },
  {
    id: 'PORT-18',
    statement: 'a file that is missing is NOT_FOUND, whether it is read, synced or renamed',
    async check({ disk }) {
      for (const directory of DIRECTORIES) {
        await expectMissing(disk, directory, 'x');
        expectCode(await disk.sync(directory, 'x'), 'NOT_FOUND', `sync of ${directory}/x`);
        expectCode(await disk.rename(directory, 'x', 'y'), 'NOT_FOUND', `rename of ${directory}/x`);
      }
    },
  },
  {
    id: ANSWERS_ARE_VALUES,
    statement: 'every answer is a value of the port: nothing throws, rejects, or keeps its caller waiting for ever',
    async check({ disk }) {
      // The observer looks at every answer of every law; here are those that adapters forget.
      const results = await Promise.all([
        disk.list(''),
        disk.freeBytes(),
        disk.remove('', 'x'),
        disk.syncDirectory(''),
        disk.read('host', 'x', 0, new Uint8Array(0)),
        disk.write('mgc', 'x', 0, new Uint8Array(0)),
      ]);
      must(results.length === 6, () => 'an answer is missing');
    },
  },
];
