/**
 * The engine's disk over node:fs: real fdatasync, directories synced through an opened handle, one process at a time.
 *
 * Keeps its side of INV-10 and INV-15: what `sync` and `syncDirectory` answered ok for is on the device as far as the
 * kernel knows, and a removed file gives its space back. Nothing throws or rejects. Every name stays inside the
 * store's directories.
 *
 * It does not retry, order or batch anything: which sync comes after which write is the engine's plan. Only how many
 * syncs occupy libuv's threads at once is decided here (open-files.ts).
 */
import fs from 'node:fs';
import { dirname, join } from 'node:path';
import type { Directory, DiskPort, FileEntry, IoResult, LockResult } from '../core/port.ts';
import { SOURCE_DIRECTORIES } from '../core/port.ts';
import type { SystemResult } from './io-error.ts';
import { attempt, attemptNow, DONE, refused, systemError } from './io-error.ts';
import { close, inTurn, ReadHandles, WriteHandles } from './open-files.ts';
import { openReading, openReadingNow } from './open-reading.ts';
import { Pace } from './pace.ts';
import { ProcessLock } from './process-lock.ts';

const DIRECTORY_MODE = 0o755;
/** Enough for one segment of each source of many flushes: an uploader goes through them stream by stream. */
const READ_HANDLES_KEPT = 64;
/** Sizes asked for at once when a directory is listed. */
const STATS_AT_ONCE = 32;
/** Longest that a timer waits; a longer delay would make it fire at once. */
const TIMER_MS_MAX = 2 ** 31 - 1;
const NAME_BYTES_MAX = 255;

export class LinuxDisk implements DiskPort {
  readonly #root: string;
  /** Of the directories. */
  readonly #paths: ReadonlyMap<string, string>;
  readonly #lock: ProcessLock;
  readonly #writers = new WriteHandles();
  readonly #readers = new ReadHandles(READ_HANDLES_KEPT);
  /** Of the calls that look names up, and of those that read, when a store is opened. */
  readonly #lookUps = new Pace();
  readonly #reads = new Pace();

  /** @param root absolute path, so that a later change of the working directory moves nothing. */
  constructor(root: string) {
    this.#root = root;
    this.#paths = new Map(['', ...SOURCE_DIRECTORIES].map((name) => [name, name === '' ? root : join(root, name)]));
    this.#lock = new ProcessLock(root);
  }

  async lock(): Promise<LockResult> {
    const prepared = await this.#makeDirectories();
    return prepared.ok ? this.#lock.take() : prepared;
  }

  async unlock(): Promise<void> {
    await this.#writers.closeAll();
    await this.#readers.closeAll();
    await this.#lock.release();
  }

  async list(directory: Directory): Promise<IoResult<readonly FileEntry[]>> {
    const path = this.#directoryPath(directory);
    const listed = await attempt<fs.Dirent[]>('list', path, (done) => fs.readdir(path, { withFileTypes: true }, done));
    if (!listed.ok) return listed;
    const names = listed.value.filter((entry) => entry.isFile()).map((entry) => entry.name);
    const entries: FileEntry[] = [];
    for (let from = 0; from < names.length; from += STATS_AT_ONCE) {
      const some = names.slice(from, from + STATS_AT_ONCE).map((name) => sizeOf(this.#lookUps, path, name));
      // Waited for only where there is something to wait for: a full store has thousands of names.
      for (const size of some) {
        const entry = size instanceof Promise ? await size : size;
        if (entry.ok) entries.push(entry.value);
        // Removed since its name was read, so it is not in the directory.
        else if (entry.error.code !== 'NOT_FOUND') return entry;
      }
    }
    return { ok: true, value: entries };
  }

  async read(directory: Directory, name: string, offset: number, into: Uint8Array): Promise<IoResult<number>> {
    const path = this.#filePath(directory, name);
    if (!path.ok) return path;
    return this.#readers.use(path.value, (fd) => fill(fd, path.value, offset, into));
  }

  /** Opens and closes the file each time: what it holds open nobody else would know to close. */
  readNow(directory: Directory, name: string, offset: number, into: Uint8Array): IoResult<number> {
    const path = this.#filePath(directory, name);
    if (!path.ok) return path;
    const opened = openReadingNow(path.value);
    if (!opened.ok) return opened;
    const read = attemptNow('read', path.value, () => fillNow(opened.value, offset, into));
    fs.closeSync(opened.value);
    return read;
  }

  async readOnce(directory: Directory, name: string, into: Uint8Array): Promise<IoResult<number>> {
    const path = this.#filePath(directory, name);
    if (!path.ok) return path;
    const opened = await this.#lookUps.run<SystemResult<number>>(
      () => openReadingNow(path.value),
      () => openReading(path.value),
    );
    if (!opened.ok) return opened;
    const read = await this.#reads.run<SystemResult<number>>(
      () => attemptNow('read', path.value, () => fillNow(opened.value, 0, into)),
      () => fill(opened.value, path.value, 0, into),
    );
    // At once: nothing of a file that was only read is waited for.
    fs.closeSync(opened.value);
    return read;
  }

  async write(directory: Directory, name: string, offset: number, bytes: Uint8Array): Promise<IoResult<void>> {
    const path = this.#filePath(directory, name);
    if (!path.ok) return path;
    const handle = await this.#writers.forWriting(path.value);
    if (!handle.ok) return handle;
    let written = 0;
    while (written < bytes.length) {
      const at = written;
      const put = await attempt<number>('write', path.value, (done) =>
        fs.write(handle.value, bytes, at, bytes.length - at, offset + at, done),
      );
      if (!put.ok) return put;
      // After a short write the rest is tried once more, for the reason. No reason and no progress is an error as well.
      if (put.value === 0) {
        return refused(systemError('EIO', 'write', path.value, `short write, ${at} of ${bytes.length} bytes`));
      }
      written += put.value;
    }
    return DONE;
  }

  async sync(directory: Directory, name: string): Promise<IoResult<void>> {
    const path = this.#filePath(directory, name);
    return path.ok ? this.#writers.sync(path.value) : path;
  }

  syncDirectory(directory: Directory): Promise<IoResult<void>> {
    return syncDirectory(this.#directoryPath(directory));
  }

  async remove(directory: Directory, name: string): Promise<IoResult<void>> {
    const path = this.#filePath(directory, name);
    if (!path.ok) return path;
    const removed = await attempt('remove', path.value, (done) => fs.unlink(path.value, done));
    if (!removed.ok && removed.error.code !== 'NOT_FOUND') return removed;
    await this.#writers.forget(path.value);
    await this.#readers.forget(path.value);
    return DONE;
  }

  async rename(directory: Directory, from: string, to: string): Promise<IoResult<void>> {
    const source = this.#filePath(directory, from);
    if (!source.ok) return source;
    const target = this.#filePath(directory, to);
    if (!target.ok) return target;
    // Looked up first, then renamed: the lock keeps other writers out, and a hard link in place of the rename, which
    // would do both in one step, leaves two names when power fails between link and unlink.
    const existing = await attempt('rename', target.value, (done) => fs.lstat(target.value, (error) => done(error)));
    if (existing.ok) return refused(systemError('EEXIST', 'rename', target.value));
    if (existing.error.code !== 'NOT_FOUND') return existing;
    const renamed = await attempt('rename', source.value, (done) => fs.rename(source.value, target.value, done));
    if (!renamed.ok) return renamed;
    this.#writers.rename(source.value, target.value);
    await this.#readers.forget(source.value);
    return DONE;
  }

  async freeBytes(): Promise<IoResult<number>> {
    const found = await attempt<fs.StatsFs>('ask for free space of', this.#root, (done) => fs.statfs(this.#root, done));
    return found.ok ? { ok: true, value: found.value.bavail * found.value.bsize } : found;
  }

  pause(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve));
  }

  after(delayMs: number, callback: () => void): () => void {
    // A retry that waits is no reason to keep a process alive that has nothing else to do.
    const timer = setTimeout(callback, Math.min(delayMs, TIMER_MS_MAX)).unref();
    return () => clearTimeout(timer);
  }

  #directoryPath(directory: Directory): string {
    return this.#paths.get(directory) as string;
  }

  #filePath(directory: Directory, name: string): SystemResult<string> {
    const path = `${this.#directoryPath(directory)}/${name}`;
    if (isFileName(name)) return { ok: true, value: path };
    return refused(systemError('EINVAL', 'use', JSON.stringify(path), 'this is no name of a file in the store'));
  }

  /** Missing directories are made and made durable; then all four are known to be usable, before anything relies on them. */
  async #makeDirectories(): Promise<SystemResult<void>> {
    const first = await makeDirectory(this.#root);
    if (!first.ok) return first;
    for (const source of SOURCE_DIRECTORIES) {
      const made = await makeDirectory(join(this.#root, source));
      if (!made.ok) return made;
    }
    const { R_OK, W_OK, X_OK } = fs.constants;
    for (const directory of ['', ...SOURCE_DIRECTORIES] as const) {
      const path = this.#directoryPath(directory);
      const usable = await attempt('use', path, (done) => fs.access(path, R_OK | W_OK | X_OK, done));
      if (!usable.ok) return usable;
    }
    // Also when nothing was made now: an earlier start may have been cut off between making and syncing.
    const synced = await syncDirectory(this.#root);
    if (!synced.ok) return synced;
    return syncParents(this.#root, first.value);
  }
}

/** Makes the root's own name durable, and those of its parents from `firstMade` down. */
async function syncParents(root: string, firstMade: string | undefined): Promise<SystemResult<void>> {
  const last = dirname(firstMade ?? root);
  for (let path = dirname(root); ; path = dirname(path)) {
    const synced = await syncDirectory(path);
    // A parent that this process may not open is one in which it made nothing.
    if (!synced.ok && !(firstMade === undefined && synced.error.code === 'DENIED')) return synced;
    if (path === last || path === dirname(path)) return { ok: true, value: undefined };
  }
}

/**
 * Makes a directory and its missing parents. Step by step, because fs.mkdir's own recursion never ends where a parent
 * is there and takes no children (/proc).
 * @returns the first directory that had to be made, if any.
 */
async function makeDirectory(path: string): Promise<SystemResult<string | undefined>> {
  const make = (): Promise<SystemResult<void>> =>
    attempt('create', path, (done) => fs.mkdir(path, DIRECTORY_MODE, done));
  const made = await make();
  if (made.ok) return { ok: true, value: path };
  if (made.error.errno === 'EEXIST') {
    const found = await attempt<fs.Stats>('use', path, (done) => fs.stat(path, done));
    if (!found.ok) return found;
    return found.value.isDirectory() ? { ok: true, value: undefined } : made;
  }
  if (made.error.errno !== 'ENOENT' || dirname(path) === path) return made;
  const parent = await makeDirectory(dirname(path));
  if (!parent.ok) return parent;
  const again = await make();
  if (again.ok) return { ok: true, value: parent.value ?? path };
  return again.error.errno === 'EEXIST' ? parent : again;
}

async function syncDirectory(path: string): Promise<SystemResult<void>> {
  const opened = await attempt<number>('open', path, (done) =>
    fs.open(path, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY, done),
  );
  if (!opened.ok) return opened;
  const synced = await inTurn(() => attempt('sync', path, (done) => fs.fsync(opened.value, done)));
  const closed = await close(path, opened.value);
  return synced.ok ? closed : synced;
}

function sizeOf(
  pace: Pace,
  directory: string,
  name: string,
): SystemResult<FileEntry> | Promise<SystemResult<FileEntry>> {
  const path = `${directory}/${name}`;
  const entryOf = (found: SystemResult<fs.Stats>): SystemResult<FileEntry> =>
    found.ok ? { ok: true, value: { name, bytes: found.value.size } } : found;
  return pace.run(
    () => entryOf(attemptNow('list', path, () => fs.lstatSync(path))),
    async () => entryOf(await attempt<fs.Stats>('list', path, (done) => fs.lstat(path, done))),
  );
}

async function fill(fd: number, path: string, offset: number, into: Uint8Array): Promise<SystemResult<number>> {
  let filled = 0;
  while (filled < into.length) {
    const at = filled;
    const got = await attempt<number>('read', path, (done) =>
      fs.read(fd, into, at, into.length - at, offset + at, done),
    );
    if (!got.ok) return got;
    if (got.value === 0) break;
    filled += got.value;
  }
  return { ok: true, value: filled };
}

function fillNow(fd: number, offset: number, into: Uint8Array): number {
  let filled = 0;
  while (filled < into.length) {
    const got = fs.readSync(fd, into, filled, into.length - filled, offset + filled);
    if (got === 0) break;
    filled += got;
  }
  return filled;
}

/** One component of a path, so that nothing outside the directory can be named. */
function isFileName(name: string): boolean {
  return (
    name !== '' && name !== '.' && name !== '..' && !/[/\\\0]/.test(name) && Buffer.byteLength(name) <= NAME_BYTES_MAX
  );
}
