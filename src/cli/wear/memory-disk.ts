/**
 * A disk in memory that counts what is asked of it: bytes written, and syncs of files that grow, of new files and of
 * directories, because a file system pays differently for each. For reckoning a day of a store in seconds, not for storing.
 */
import type { Directory, DiskPort, FileEntry, IoResult, LockResult } from '../../index.ts';

const DONE: IoResult<void> = { ok: true, value: undefined };
const MISSING = { ok: false, error: { code: 'NOT_FOUND', detail: 'no such file' } } as const;

export interface DiskCounts {
  /** As the store wrote them. */
  bytes: number;
  /** In whole pages of 4,096 bytes, as the file system hands them on with each sync. */
  pageBytes: number;
  /** Syncs of a file's content. */
  fileSyncs: number;
  /** Syncs of a directory: names that are new or gone. */
  directorySyncs: number;
}

const PAGE_BYTES = 4096;

interface File {
  bytes: Uint8Array;
  length: number;
  readonly dirty: Set<number>;
}

export class MemoryDisk implements DiskPort {
  readonly counts: DiskCounts = { bytes: 0, pageBytes: 0, fileSyncs: 0, directorySyncs: 0 };
  readonly #files = new Map<string, File>();

  lock(): Promise<LockResult> {
    return Promise.resolve({ ok: true });
  }

  unlock(): Promise<void> {
    return Promise.resolve();
  }

  list(directory: Directory): Promise<IoResult<readonly FileEntry[]>> {
    const value: FileEntry[] = [];
    for (const [path, { length }] of this.#files) {
      if (path.startsWith(`${directory}/`)) value.push({ name: path.slice(directory.length + 1), bytes: length });
    }
    return Promise.resolve({ ok: true, value });
  }

  read(directory: Directory, name: string, offset: number, into: Uint8Array): Promise<IoResult<number>> {
    const file = this.#files.get(`${directory}/${name}`);
    if (file === undefined) return Promise.resolve(MISSING);
    const found = file.bytes.subarray(Math.min(offset, file.length), Math.min(offset + into.length, file.length));
    into.set(found);
    return Promise.resolve({ ok: true, value: found.length });
  }

  write(directory: Directory, name: string, offset: number, bytes: Uint8Array): Promise<IoResult<void>> {
    const path = `${directory}/${name}`;
    const file = this.#files.get(path) ?? { bytes: new Uint8Array(0), length: 0, dirty: new Set<number>() };
    this.#files.set(path, file);
    const end = offset + bytes.length;
    if (end > file.bytes.length) {
      const grown = new Uint8Array(Math.max(end, file.bytes.length * 2));
      grown.set(file.bytes.subarray(0, file.length));
      file.bytes = grown;
    }
    file.bytes.set(bytes, offset);
    file.length = Math.max(file.length, end);
    for (let page = Math.floor(offset / PAGE_BYTES); page * PAGE_BYTES < end; page++) file.dirty.add(page);
    this.counts.bytes += bytes.length;
    return Promise.resolve(DONE);
  }

  sync(directory: Directory, name: string): Promise<IoResult<void>> {
    const file = this.#files.get(`${directory}/${name}`);
    if (file === undefined) return Promise.resolve(MISSING);
    this.counts.fileSyncs++;
    this.counts.pageBytes += file.dirty.size * PAGE_BYTES;
    file.dirty.clear();
    return Promise.resolve(DONE);
  }

  syncDirectory(): Promise<IoResult<void>> {
    this.counts.directorySyncs++;
    return Promise.resolve(DONE);
  }

  remove(directory: Directory, name: string): Promise<IoResult<void>> {
    this.#files.delete(`${directory}/${name}`);
    return Promise.resolve(DONE);
  }

  rename(directory: Directory, from: string, to: string): Promise<IoResult<void>> {
    const file = this.#files.get(`${directory}/${from}`);
    if (file === undefined) return Promise.resolve(MISSING);
    this.#files.delete(`${directory}/${from}`);
    this.#files.set(`${directory}/${to}`, file);
    return Promise.resolve(DONE);
  }

  freeBytes(): Promise<IoResult<number>> {
    return Promise.resolve({ ok: true, value: Number.POSITIVE_INFINITY });
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  }
}
