/**
 * A store's directory as it is at one moment, with everything that is written to it kept in memory: recovery runs over it
 * as over any disk, and the directory stays untouched. So what is said of a store is what opening it would give.
 *
 *     log parts    read into memory when the view is made, twice: the same both times, so they belong together
 *     segments     listed in between; those of a small store are read at once, those of a larger one when asked for. A file
 *                  is written over only behind a batch of the log which says that its segment is gone
 *     changes      in memory, file by file, as large as what recovery writes: a new log, and copies of one cut-off flush
 *
 * Beside a running store a segment may go between listing and reading, because it was acknowledged or evicted, and its file
 * be written over. The view is `aged` then: what was found with it is void, and whoever made it makes another one.
 */
import { crc32 } from 'node:zlib';
import { parsePartName } from '../core/checkpoint-format.ts';
import { parseSegmentName } from '../core/disk-index.ts';
import type { Directory, DiskPort, FileEntry, IoError, IoResult, LockResult } from '../core/port.ts';
import { SOURCE_DIRECTORIES } from '../core/port.ts';

/** What is asked of the real disk. */
export type ReadOnlyDisk = Pick<DiskPort, 'list' | 'read'>;

/** A file of the view: where the real one is, as it was listed, or its content in memory. */
type Entry =
  | { readonly in: 'directory'; readonly directory: Directory; readonly name: string; readonly bytes: number }
  | { readonly in: 'memory'; readonly content: Uint8Array };

export const DIRECTORIES: readonly Directory[] = ['', ...SOURCE_DIRECTORIES];
const OK: IoResult<void> = { ok: true, value: undefined };
/** A log that is appended to without pause is caught in a pause sooner or later; each try takes a few milliseconds. */
const TRIES_MAX = 500;
/** Of a file's front: a segment's header, which says its number. */
const FRONT_BYTES = 64;
/** Segments of a store that has no more than this are in memory with the log: such a view cannot age. */
export const PREFETCH_BYTES = 4 * 1024 * 1024;

const sizeOf = (entry: Entry): number => (entry.in === 'memory' ? entry.content.length : entry.bytes);

const refusal = (code: IoError['code'], detail: string): { readonly ok: false; readonly error: IoError } => ({
  ok: false,
  error: { code, detail },
});

const nameIn = (directory: Directory, name: string): string => (directory === '' ? name : `${directory}/${name}`);

export class FrozenDisk implements DiskPort {
  readonly #port: ReadOnlyDisk;
  readonly #files: ReadonlyMap<Directory, Map<string, Entry>>;
  /** Source directories that are not there; opening the store makes them. */
  readonly missingDirectories: readonly Directory[];
  /** Equal for two views between which neither the log nor the list of files has changed. */
  readonly moment: string;
  /** Of this view and its forks. */
  readonly #age: { isOver: boolean };
  /** First bytes of the files that were read from the directory, as they were then; of this view and its forks. */
  readonly #fronts: Map<string, Uint8Array>;

  constructor(
    port: ReadOnlyDisk,
    files: ReadonlyMap<Directory, Map<string, Entry>>,
    missingDirectories: readonly Directory[],
    age = { isOver: false },
    fronts = new Map<string, Uint8Array>(),
  ) {
    this.#age = age;
    this.#fronts = fronts;
    this.#port = port;
    this.#files = files;
    this.missingDirectories = missingDirectories;
    this.moment = JSON.stringify(
      [...files].map(([, entries]) =>
        [...entries].map(([name, entry]) => [name, sizeOf(entry), entry.in === 'memory' ? crc32(entry.content) : 0]),
      ),
    );
  }

  /** A file that was listed is gone: the view belongs to no moment. */
  get aged(): boolean {
    return this.#age.isOver;
  }

  /** The same files once more: what is changed in the one is not changed in the other. */
  fork(): FrozenDisk {
    const files = new Map([...this.#files].map(([directory, entries]) => [directory, new Map(entries)]));
    return new FrozenDisk(this.#port, files, this.missingDirectories, this.#age, this.#fronts);
  }

  #in(directory: Directory): Map<string, Entry> {
    return this.#files.get(directory) as Map<string, Entry>;
  }

  /** Nobody is kept out, for nothing is changed. */
  lock(): Promise<LockResult> {
    return Promise.resolve({ ok: true });
  }

  unlock(): Promise<void> {
    return Promise.resolve();
  }

  list(directory: Directory): Promise<IoResult<readonly FileEntry[]>> {
    const value = [...this.#in(directory)].map(([name, entry]) => ({ name, bytes: sizeOf(entry) }));
    return Promise.resolve({ ok: true, value });
  }

  async read(directory: Directory, name: string, offset: number, into: Uint8Array): Promise<IoResult<number>> {
    const entry = this.#in(directory).get(name);
    if (entry === undefined) return refusal('NOT_FOUND', `ENOENT: read ${nameIn(directory, name)}`);
    const bytes = Math.max(0, Math.min(into.length, sizeOf(entry) - offset));
    if (entry.in === 'memory') {
      into.set(entry.content.subarray(offset, offset + bytes));
      return { ok: true, value: bytes };
    }
    // What was appended since is not part of the moment.
    const got = await this.#port.read(entry.directory, entry.name, offset, into.subarray(0, bytes));
    if (!got.ok && got.error.code === 'NOT_FOUND') this.#age.isOver = true;
    if (directory !== '') await this.#noteFront(entry, offset, into);
    return got;
  }

  /** Whoever writes over a file begins at its front: while that is what it was, so is what was read before it. */
  async #noteFront({ directory, name }: Extract<Entry, { in: 'directory' }>, offset: number, read: Uint8Array) {
    const path = nameIn(directory, name);
    const front = offset === 0 && read.length >= FRONT_BYTES ? read.slice(0, FRONT_BYTES) : new Uint8Array(FRONT_BYTES);
    const isNew = offset === 0 && read.length === FRONT_BYTES && !this.#fronts.has(path);
    if (!isNew) await this.#port.read(directory, name, 0, front);
    const known = this.#fronts.get(path);
    if (known === undefined) this.#fronts.set(path, front);
    else if (!equal(known, front)) this.#age.isOver = true;
  }

  async write(directory: Directory, name: string, offset: number, bytes: Uint8Array): Promise<IoResult<void>> {
    const known = this.#in(directory).get(name);
    const content = new Uint8Array(Math.max(known === undefined ? 0 : sizeOf(known), offset + bytes.length));
    if (known !== undefined) {
      const got = await this.read(directory, name, 0, content.subarray(0, sizeOf(known)));
      if (!got.ok) return got;
    }
    content.set(bytes, offset);
    this.#in(directory).set(name, { in: 'memory', content });
    return OK;
  }

  sync(): Promise<IoResult<void>> {
    return Promise.resolve(OK);
  }

  syncDirectory(): Promise<IoResult<void>> {
    return Promise.resolve(OK);
  }

  remove(directory: Directory, name: string): Promise<IoResult<void>> {
    this.#in(directory).delete(name);
    return Promise.resolve(OK);
  }

  rename(directory: Directory, from: string, to: string): Promise<IoResult<void>> {
    const files = this.#in(directory);
    const entry = files.get(from);
    if (entry === undefined) return Promise.resolve(refusal('NOT_FOUND', `ENOENT: rename ${nameIn(directory, from)}`));
    if (files.has(to)) return Promise.resolve(refusal('IO', `EEXIST: rename ${nameIn(directory, to)}`));
    files.delete(from);
    files.set(to, entry);
    return Promise.resolve(OK);
  }

  /** There is always room in memory for what recovery writes. */
  freeBytes(): Promise<IoResult<number>> {
    return Promise.resolve({ ok: true, value: Number.POSITIVE_INFINITY });
  }

  /** Nothing is tried again: a view is looked at once. */
  after(): () => void {
    return () => undefined;
  }
}

interface Listing {
  readonly files: Map<Directory, Map<string, Entry>>;
  readonly missing: Directory[];
}

async function listAll(port: ReadOnlyDisk): Promise<IoResult<Listing>> {
  const files = new Map<Directory, Map<string, Entry>>();
  const missing: Directory[] = [];
  for (const directory of DIRECTORIES) {
    const listed = await port.list(directory);
    const gone = !listed.ok && listed.error.code === 'NOT_FOUND' && directory !== '';
    if (!listed.ok && !gone) return listed;
    if (gone) missing.push(directory);
    const entries = (listed.ok ? listed.value : []).map(({ name, bytes }): [string, Entry] => [
      name,
      { in: 'directory', directory, name, bytes },
    ]);
    files.set(directory, new Map(entries));
  }
  return { ok: true, value: { files, missing } };
}

/** The log's parts by name. One that the medium does not give is null: the engine reads it page by page, as it would. */
async function readLogParts(port: ReadOnlyDisk): Promise<IoResult<Map<string, Uint8Array | null>>> {
  const listed = await port.list('');
  if (!listed.ok) return listed;
  const parts = new Map<string, Uint8Array | null>();
  for (const { name, bytes } of listed.value.filter((file) => parsePartName(file.name) !== null)) {
    const content = new Uint8Array(bytes);
    const got = await port.read('', name, 0, content);
    // Gone since it was listed: a newer generation stands in its place.
    if (!got.ok && got.error.code === 'NOT_FOUND') continue;
    parts.set(name, got.ok ? content.subarray(0, got.value) : null);
  }
  return { ok: true, value: parts };
}

function same(a: ReadonlyMap<string, Uint8Array | null>, b: ReadonlyMap<string, Uint8Array | null>): boolean {
  return (
    a.size === b.size &&
    [...a].every(([name, content]) => {
      const other = b.get(name);
      return content === null || other === null ? content === other : other !== undefined && equal(content, other);
    })
  );
}

const equal = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((byte, i) => byte === b[i]);

/** Takes what is listed into memory, up to `most` bytes in all; beyond them nothing. What cannot be read stays where it is. */
async function prefetch(port: ReadOnlyDisk, { files }: Listing, most: number): Promise<void> {
  const segments = SOURCE_DIRECTORIES.flatMap((directory) =>
    [...(files.get(directory) as Map<string, Entry>)].map(([name, entry]) => ({
      directory,
      name,
      bytes: sizeOf(entry),
    })),
  ).filter(({ name }) => parseSegmentName(name) !== null);
  if (segments.reduce((sum, { bytes }) => sum + bytes, 0) > most) return;
  for (const { directory, name, bytes } of segments) {
    const content = new Uint8Array(bytes);
    const got = await port.read(directory, name, 0, content);
    if (got.ok) files.get(directory)?.set(name, { in: 'memory', content: content.subarray(0, got.value) });
  }
}

/**
 * The directory as it is now. Reads the log, the names of files and the segments of a small store; writes nothing.
 * @param most bytes of segments that are taken into memory.
 * @returns the system's error when the directory cannot be listed; IO with a sentence when its log never stands still.
 */
export async function freeze(port: ReadOnlyDisk, most = PREFETCH_BYTES): Promise<IoResult<FrozenDisk>> {
  let before = await readLogParts(port);
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    if (!before.ok) return before;
    const listed = await listAll(port);
    if (!listed.ok) return listed;
    await prefetch(port, listed.value, most);
    const after = await readLogParts(port);
    if (!after.ok) return after;
    if (same(before.value, after.value)) {
      const root = listed.value.files.get('') as Map<string, Entry>;
      for (const [name, content] of after.value) if (content !== null) root.set(name, { in: 'memory', content });
      return { ok: true, value: new FrozenDisk(port, listed.value.files, listed.value.missing) };
    }
    before = after;
  }
  return refusal('IO', `the log was written to during each of ${TRIES_MAX} looks; try again when less is flushed`);
}
