/** Platforms that say what a path costs by itself: a disk that costs nothing, and one whose syncs take longer. */
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import type { DiskPort, Platform } from '../../src/index.ts';

const DONE = { ok: true, value: undefined } as const;
const NOTHING = { ok: false, error: { code: 'NOT_FOUND', detail: 'this disk keeps nothing' } } as const;

/** Takes every byte and does nothing with it. A store on it is always new. */
const SINK: DiskPort = {
  lock: async () => ({ ok: true }),
  unlock: async () => {},
  list: async () => ({ ok: true, value: [] }),
  read: async () => NOTHING,
  write: async () => DONE,
  sync: async () => DONE,
  syncDirectory: async () => DONE,
  remove: async () => DONE,
  rename: async () => DONE,
  freeBytes: async () => ({ ok: true, value: Number.POSITIVE_INFINITY }),
  after: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};

/** The disk that takes bytes and does nothing; checksums are zlib's, as on a gateway. @param clock UTC milliseconds. */
export const sinkPlatform = (clock: () => number = Date.now): Platform => ({
  name: 'sink',
  disk: SINK,
  nowMs: () => Math.trunc(clock()),
  newStoreId: () => new Uint8Array(randomBytes(16)),
  crc32: (bytes, seed) => crc32(bytes, seed),
});

/** The same platform, with `delayMs` before each sync of a file or a directory begins. */
export function withSlowSync(platform: Platform, delayMs: number): Platform {
  const { disk } = platform;
  if (disk === null || delayMs === 0) return platform;
  const late = async <T>(sync: () => Promise<T>): Promise<T> => {
    await delay(delayMs);
    return sync();
  };
  const slow: DiskPort = {
    lock: () => disk.lock(),
    unlock: () => disk.unlock(),
    list: (directory) => disk.list(directory),
    read: (directory, name, offset, into) => disk.read(directory, name, offset, into),
    write: (directory, name, offset, bytes) => disk.write(directory, name, offset, bytes),
    sync: (directory, name) => late(() => disk.sync(directory, name)),
    syncDirectory: (directory) => late(() => disk.syncDirectory(directory)),
    remove: (directory, name) => disk.remove(directory, name),
    rename: (directory, from, to) => disk.rename(directory, from, to),
    freeBytes: () => disk.freeBytes(),
    after: (delayMs, callback) => disk.after(delayMs, callback),
  };
  return { ...platform, disk: slow };
}
