/** What a dead process and a power cut leave, and how faults come up: asked only where the manifest offers them. */
import type { Law } from './law.ts';
import {
  bytesOf,
  expectCode,
  expectContent,
  expectListed,
  expectMissing,
  must,
  succeeded,
  write,
  writeDurably,
} from './law.ts';
import { DIRECTORIES } from './names.ts';

/** Sizes around a page and a device's sector, and the largest file. */
const SIZES = [1, 511, 512, 4_096, 4_097, 65_536];

export const CRASH_LAWS: readonly Law[] = [
  {
    id: 'PORT-30',
    of: 'kill',
    statement: 'what was written is still there after the process was killed, and its lock is free',
    async check(bench) {
      for (const directory of DIRECTORIES) await write(bench.disk, directory, 'a', bytesOf(700));
      const after = await bench.kill();
      for (const directory of DIRECTORIES) await expectContent(after, directory, 'a', bytesOf(700));
    },
  },
  {
    id: 'PORT-31',
    of: 'power',
    statement: 'sync makes content durable, and syncDirectory its name: both survive a power cut, the lock does not',
    async check(bench) {
      for (const directory of DIRECTORIES) await writeDurably(bench.disk, directory, 'a', bytesOf(700));
      const after = await bench.cutPower();
      for (const directory of DIRECTORIES) {
        await expectContent(after, directory, 'a', bytesOf(700));
        await expectListed(after, directory, { a: 700 });
      }
    },
  },
  {
    id: 'PORT-32',
    of: 'power',
    statement: 'what is appended to a durable file is durable with the next sync, without one of the directory',
    async check(bench) {
      await writeDurably(bench.disk, '', 'log', bytesOf(100, 1));
      for (let at = 100, round = 2; round < 12; round++, at += 60) {
        await write(bench.disk, '', 'log', bytesOf(60, round), at);
        succeeded(await bench.disk.sync('', 'log'), 'sync of log');
      }
      const after = await bench.cutPower();
      const expected = [bytesOf(100, 1), ...Array.from({ length: 10 }, (_, i) => bytesOf(60, i + 2))];
      await expectContent(after, '', 'log', Uint8Array.of(...expected.flatMap((bytes) => [...bytes])));
    },
  },
  {
    id: 'PORT-33',
    of: 'power',
    statement: 'a rename is durable with the sync of the directory: the old name does not come back',
    async check(bench) {
      await writeDurably(bench.disk, 'mgc', 'a', bytesOf(300));
      succeeded(await bench.disk.rename('mgc', 'a', 'b'), 'rename of mgc/a');
      succeeded(await bench.disk.syncDirectory('mgc'), 'sync of the directory mgc');
      const after = await bench.cutPower();
      await expectListed(after, 'mgc', { b: 300 });
      await expectContent(after, 'mgc', 'b', bytesOf(300));
    },
  },
  {
    id: 'PORT-34',
    of: 'power',
    statement: 'a removal is durable with the sync of the directory: the file does not come back',
    async check(bench) {
      await writeDurably(bench.disk, 'can_controller', 'a', bytesOf(300));
      succeeded(await bench.disk.remove('can_controller', 'a'), 'remove of can_controller/a');
      succeeded(await bench.disk.syncDirectory('can_controller'), 'sync of the directory can_controller');
      const after = await bench.cutPower();
      await expectMissing(after, 'can_controller', 'a');
      await expectListed(after, 'can_controller', {});
    },
  },
  {
    id: 'PORT-35',
    of: 'power',
    statement: 'files of every size are durable, and so are all that were synced before the last one',
    async check(bench) {
      for (const bytes of SIZES) await writeDurably(bench.disk, 'host', `${bytes}.seg`, bytesOf(bytes, bytes));
      const after = await bench.cutPower();
      for (const bytes of SIZES) await expectContent(after, 'host', `${bytes}.seg`, bytesOf(bytes, bytes));
    },
  },
  {
    id: 'PORT-40',
    of: 'faults',
    statement: 'a fault is answered with its code, and the next operation is not hit by it',
    async check(bench) {
      const { disk } = bench;
      for (const code of ['IO', 'NO_SPACE', 'READ_ONLY', 'DENIED'] as const) {
        await bench.inject({ operation: 'write', code });
        expectCode(await disk.write('host', code, 0, bytesOf(10)), code, `a write that fails with ${code}`);
        await bench.inject(null);
        await write(disk, 'host', `${code} again`, bytesOf(10));
        await bench.inject({ operation: 'sync', code });
        expectCode(await disk.sync('host', `${code} again`), code, `a sync that fails with ${code}`);
        await bench.inject(null);
        const listed = succeeded(await disk.list('host'), 'list of host');
        must(
          listed.some(({ name }) => name === `${code} again`),
          () => `the file whose sync failed is gone`,
        );
      }
    },
  },
];
