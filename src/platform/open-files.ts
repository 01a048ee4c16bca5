/**
 * The descriptors of a disk adapter: write handles that live from a file's first write to its sync, some of them longer,
 * for files are written again, and a few read handles kept for the next read. Also the turnstile that syncs pass.
 *
 * Two rules carry the durability:
 * - The descriptor that wrote is the one that syncs. The kernel reports a failed write-back once, to descriptors that
 *   were open at the time; a fresh one may be told that all is well.
 * - After a failed sync the descriptor is closed and the file is suspect until it is removed: its next sync would
 *   succeed, because the kernel has marked the lost pages clean.
 *
 * A removed file whose read handle stays open would keep its blocks: `forget` closes it as soon as its readers end.
 */
import fs from 'node:fs';
import type { SystemResult } from './io-error.ts';
import { attempt, attemptNow, refused, systemError } from './io-error.ts';
import { openReading } from './open-reading.ts';

/** Syncs under way at once. libuv has four threads: two are left for reads when a device takes its time. */
const SYNCS_MAX = 2;
const waiting: (() => void)[] = [];
let syncing = 0;

/** Runs a sync when there is room for it. One limit for all stores, because they share libuv's threads. */
export async function inTurn<T>(sync: () => Promise<T>): Promise<T> {
  // Whoever leaves hands its place on, so nobody overtakes between the two.
  if (syncing >= SYNCS_MAX) await new Promise<void>((enter) => waiting.push(enter));
  else syncing++;
  try {
    return await sync();
  } finally {
    const next = waiting.shift();
    if (next === undefined) syncing--;
    else next();
  }
}

const { O_CREAT, O_NOFOLLOW, O_RDONLY, O_WRONLY } = fs.constants;

/** Never through a symbolic link: a planted one would lead a write out of the store. */
function open(doing: string, path: string, flags: number): Promise<SystemResult<number>> {
  return attempt(doing, path, (done) => fs.open(path, flags | O_NOFOLLOW, 0o644, done));
}

export function close(path: string, fd: number): Promise<SystemResult<void>> {
  return attempt('close', path, (done) => fs.close(fd, done));
}

/**
 * Closes without a wait a file that is there, with nothing to be written: no work for the file system, and to wake a thread
 * for it takes longer than the call. One that fails has nothing to lose.
 */
function closeAtOnce(path: string, fd: number): void {
  attemptNow('close', path, () => fs.closeSync(fd));
}

/** Enough for the segments of a few flushes and the log. */
const KEPT_MAX = 24;

export class WriteHandles {
  readonly #open = new Map<string, number>();
  readonly #suspect = new Set<string>();
  /** Files that were synced last, the least recent first: their descriptors serve the next write, too. */
  readonly #kept = new Set<string>();

  /** Descriptor to write the file with, which is made when it is missing. */
  async forWriting(path: string): Promise<SystemResult<number>> {
    if (this.#suspect.has(path)) return suspectFile('write', path);
    const known = this.#open.get(path);
    // Being written again it is nobody's to close before its next sync.
    this.#kept.delete(path);
    if (known !== undefined) return { ok: true, value: known };
    const opened = await open('write', path, O_WRONLY | O_CREAT);
    if (opened.ok) this.#open.set(path, opened.value);
    return opened;
  }

  /**
   * fdatasync through the descriptor that wrote. One that synced well stays open for a while, for the log is written on
   * and the files of segments are written again; any other ends here.
   */
  async sync(path: string): Promise<SystemResult<void>> {
    if (this.#suspect.has(path)) return suspectFile('sync', path);
    // A file that an earlier process wrote has none: its errors are reported to the next descriptor, this one.
    const opened = this.#open.has(path) ? undefined : await open('sync', path, O_RDONLY);
    if (opened?.ok === false) return opened;
    const fd = opened?.value ?? (this.#open.get(path) as number);
    const keep = opened === undefined;
    const synced = await inTurn(() => attempt('sync', path, (done) => fs.fdatasync(fd, done)));
    if (keep && synced.ok) return this.#keep(path);
    if (keep) this.#open.delete(path);
    const closed = await close(path, fd);
    if (!synced.ok) this.#suspect.add(path);
    return synced.ok ? closed : synced;
  }

  #keep(path: string): SystemResult<void> {
    // Written again while it was synced, or removed: then it is not idle, or not there.
    if (this.#open.has(path)) this.#kept.add(path);
    for (const oldest of this.#kept) {
      if (this.#kept.size <= KEPT_MAX) break;
      this.#kept.delete(oldest);
      const fd = this.#open.get(oldest);
      this.#open.delete(oldest);
      if (fd !== undefined) closeAtOnce(oldest, fd);
    }
    return { ok: true, value: undefined };
  }

  /** The file is gone: what was wrong with it is, too. */
  async forget(path: string): Promise<void> {
    this.#suspect.delete(path);
    const fd = this.#open.get(path);
    this.#open.delete(path);
    this.#kept.delete(path);
    // Nothing of a removed file is to be kept, so a close that fails takes nothing away.
    if (fd !== undefined) await close(path, fd);
  }

  rename(from: string, to: string): void {
    const fd = this.#open.get(from);
    if (fd !== undefined) this.#open.set(to, fd);
    this.#open.delete(from);
    if (this.#kept.delete(from)) this.#kept.add(to);
    if (this.#suspect.delete(from)) this.#suspect.add(to);
  }

  async closeAll(): Promise<void> {
    for (const path of [...this.#open.keys()]) await this.forget(path);
  }
}

function suspectFile(
  doing: string,
  path: string,
): { readonly ok: false; readonly error: ReturnType<typeof systemError> } {
  const why = 'an earlier sync of this file failed, so nothing is known about its content; write it anew elsewhere';
  return refused(systemError('EIO', doing, path, why));
}

interface ReadHandle {
  readonly opened: Promise<SystemResult<number>>;
  users: number;
  forgotten: boolean;
}

export class ReadHandles {
  /** Least recently used first. */
  readonly #handles = new Map<string, ReadHandle>();
  readonly #kept: number;

  /** @param kept how many stay open unused. */
  constructor(kept: number) {
    this.#kept = kept;
  }

  /** Runs `read` with a descriptor of the file, which stays valid until it ends, also when the file is removed. */
  async use<T>(path: string, read: (fd: number) => Promise<SystemResult<T>>): Promise<SystemResult<T>> {
    const handle = this.#handles.get(path) ?? { opened: openReading(path), users: 0, forgotten: false };
    this.#handles.delete(path);
    this.#handles.set(path, handle);
    handle.users++;
    const opened = await handle.opened;
    const result = opened.ok ? await read(opened.value) : opened;
    handle.users--;
    // A file that is missing now may be there for the next reader.
    if (!opened.ok && this.#handles.get(path) === handle) this.#handles.delete(path);
    if (handle.forgotten) await this.#closeUnused(path, handle);
    await this.#trim();
    return result;
  }

  /** To be called when the file is removed or renamed. */
  async forget(path: string): Promise<void> {
    const handle = this.#handles.get(path);
    if (handle === undefined) return;
    this.#handles.delete(path);
    handle.forgotten = true;
    await this.#closeUnused(path, handle);
  }

  async closeAll(): Promise<void> {
    for (const path of [...this.#handles.keys()]) await this.forget(path);
  }

  async #trim(): Promise<void> {
    for (const [path, handle] of [...this.#handles]) {
      // Asked anew each time: several readers may be trimming at once.
      if (this.#handles.size <= this.#kept) return;
      if (handle.users > 0) continue;
      this.#handles.delete(path);
      const opened = await handle.opened;
      if (opened.ok) closeAtOnce(path, opened.value);
    }
  }

  async #closeUnused(path: string, handle: ReadHandle): Promise<void> {
    if (handle.users > 0) return;
    const opened = await handle.opened;
    // Read-only: a close that fails has nothing to lose.
    if (opened.ok) await close(path, opened.value);
  }
}
