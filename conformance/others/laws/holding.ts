/** The port's other promises: the lock, space, time, and identities. */
import { crc32 } from 'node:zlib';
import type { DiskPort } from '../../../src/core/port.ts';
import type { Law } from './law.ts';
import { bytesOf, expectContent, expectListed, must, succeeded, writeDurably } from './law.ts';

const STORE_ID_BYTES = 16;
/** What a flush of any size may ask for at once. */
const LEAST_FREE_BYTES = 65_536;

async function expectHeld(disk: DiskPort, who: string): Promise<void> {
  const second = await disk.lock();
  must(!second.ok, () => `${who} was given the lock, and it was held already`);
  const named = !second.ok && 'holder' in second && /\w/.test(second.holder);
  must(named, () => `${who} was refused the lock, and the refusal does not name the holder`);
}

async function expectLocked(disk: DiskPort): Promise<void> {
  const taken = await disk.lock();
  must(taken.ok, () => `the lock was given back and is refused: ${JSON.stringify(taken)}`);
}

export const HOLDING_LAWS: readonly Law[] = [
  {
    id: 'PORT-20',
    statement: 'the lock is given once, also to another adapter on the same storage, and a refusal names the holder',
    async check(bench) {
      await expectHeld(bench.disk, 'a second call');
      await expectHeld(await bench.another(), 'another adapter on the same storage');
    },
  },
  {
    id: 'PORT-21',
    statement: 'the lock that was given back is given again, with the files in place',
    async check(bench) {
      await writeDurably(bench.disk, 'host', 'a', bytesOf(7));
      await bench.disk.unlock();
      await expectLocked(bench.disk);
      await expectContent(bench.disk, 'host', 'a', bytesOf(7));
      await bench.disk.unlock();
      const other = await bench.another();
      await expectLocked(other);
      await expectContent(other, 'host', 'a', bytesOf(7));
      await expectHeld(bench.disk, 'the adapter that gave the lock back');
      await other.unlock();
      await expectLocked(bench.disk);
    },
  },
  {
    id: 'PORT-22',
    statement: 'the lock is not among the files',
    async check({ disk }) {
      await expectListed(disk, '', {});
    },
  },
  {
    id: 'PORT-23',
    statement: 'free space is a number of bytes, or Infinity when nobody knows',
    async check({ disk }) {
      const free = succeeded(await disk.freeBytes(), 'free bytes');
      must(
        free >= LEAST_FREE_BYTES,
        () => `free bytes is ${free}: a storage to be tried needs at least ${LEAST_FREE_BYTES}`,
      );
    },
  },
  {
    id: 'PORT-24',
    statement: 'after calls back once, not before its time, and never after a cancel',
    async check(bench) {
      const { disk } = bench;
      const calls: string[] = [];
      disk.after(5, () => calls.push('late'));
      const cancel = disk.after(5, () => calls.push('cancelled'));
      const early = disk.after(60_000, () => calls.push('too early'));
      cancel();
      must(calls.length === 0, () => 'after called back at once');
      await bench.elapse(60);
      cancel();
      early();
      must(
        calls.join() === 'late',
        () => `after 60 ms these calls came: ${calls.join(', ') || 'none'}; only the one of 5 ms was due`,
      );
    },
  },
  {
    id: 'PORT-25',
    of: 'platform',
    statement: 'the clock gives whole milliseconds since 1970',
    async check({ platform }) {
      const nowMs = platform.nowMs();
      must(Number.isSafeInteger(nowMs) && nowMs >= 0, () => `nowMs is ${nowMs}: a whole number was expected`);
      must(
        typeof platform.name === 'string' && platform.name !== '',
        () => `name is ${JSON.stringify(platform.name)}: a word was expected`,
      );
    },
  },
  {
    id: 'PORT-26',
    of: 'platform',
    statement: 'a new store id is 16 bytes, and never the same twice',
    async check({ platform }) {
      const seen = new Set<string>();
      for (let i = 0; i < 100; i++) {
        const id = platform.newStoreId();
        must(
          id instanceof Uint8Array && id.length === STORE_ID_BYTES,
          () => `newStoreId gave ${JSON.stringify(id)}: 16 bytes were expected`,
        );
        seen.add(Buffer.from(id).toString('hex'));
      }
      must(seen.size === 100, () => `of 100 store ids ${100 - seen.size} were given before`);
    },
  },
  {
    id: 'PORT-27',
    of: 'platform',
    statement: 'crc32, where there is one, is the CRC-32 of IEEE and goes on from its seed',
    async check({ platform }) {
      if (platform.crc32 === undefined) return;
      const bytes = bytesOf(1_000);
      const whole = platform.crc32(bytes, 0);
      const wanted = crc32(bytes);
      must(whole === wanted, () => `crc32 of 1000 bytes is ${whole}, it must be ${wanted}`);
      const pieces = platform.crc32(bytes.subarray(333), platform.crc32(bytes.subarray(0, 333), 0));
      must(pieces === wanted, () => `crc32 of two pieces is ${pieces}, of the whole ${wanted}`);
    },
  },
];
