/**
 * What an import has done, line by line, so that one which was cut off goes on where it was, and one that is run twice
 * imports once. A file of its own, beside the store.
 *
 *     {"kind":"import","version":1,"storeId":"..."}                          the first line
 *     {"kind":"chunk","file":F,"at":i,"count":n,"epoch":e,"first":s}         before n records of F are appended
 *     {"kind":"cut","file":F,"count":k}                                      of that chunk only k were taken
 *     {"kind":"synced","file":F,"upTo":i}                                    the first i records of F are on disk for good
 *
 * F is path and hash of the old file. A line is durable before what it announces can be: a chunk's is synced before its
 * records are appended, in the same turn of the program. So behind a crash the journal knows of every record that may have
 * come into the store, and the epoch and sequence number that it has there.
 */
import { closeSync, existsSync, fsyncSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/** Records [at, at + count) of a file, as records from `first` of an epoch. */
export interface Chunk {
  readonly at: number;
  readonly count: number;
  readonly epoch: number;
  readonly first: number;
}

/** What is known of one old file. */
export interface FileProgress {
  /** The first so many of its records are durable for certain. */
  readonly synced: number;
  /** What was begun behind that, in order. */
  readonly chunks: readonly Chunk[];
}

const NOTHING: FileProgress = { synced: 0, chunks: [] };
const VERSION = 1;

type Line =
  | { readonly kind: 'import'; readonly version: number; readonly storeId: string }
  | ({ readonly kind: 'chunk'; readonly file: string } & Chunk)
  | { readonly kind: 'cut'; readonly file: string; readonly count: number }
  | { readonly kind: 'synced'; readonly file: string; readonly upTo: number };

/** A journal by which this import cannot go on. */
export class JournalError extends Error {
  override readonly name = 'JournalError';
}

export class Journal {
  readonly #fd: number;
  readonly #files = new Map<string, FileProgress>();

  /**
   * Opens it, or begins one. A last line that a crash cut off is taken away.
   * @throws JournalError for one of another store, or none; what the system says.
   */
  constructor(path: string, storeId: string) {
    const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    const lines = whole.split('\n').filter((line) => line !== '');
    this.#read(lines, path, storeId);
    this.#fd = openSync(path, 'a');
    ftruncateSync(this.#fd, Buffer.byteLength(whole));
    if (lines.length > 0) return;
    this.#write({ kind: 'import', version: VERSION, storeId });
    const directory = openSync(dirname(path), 'r');
    fsyncSync(directory);
    closeSync(directory);
  }

  progressOf(file: string): FileProgress {
    return this.#files.get(file) ?? NOTHING;
  }

  /** To be called right before the records are appended, with nothing awaited in between. */
  begin(file: string, chunk: Chunk): void {
    this.#write({ kind: 'chunk', file, ...chunk });
  }

  /** To be called right behind an append that ended early. */
  cut(file: string, count: number): void {
    this.#write({ kind: 'cut', file, count });
  }

  /** To be called when a flush has ended that took them. */
  synced(file: string, upTo: number): void {
    this.#write({ kind: 'synced', file, upTo });
  }

  close(): void {
    closeSync(this.#fd);
  }

  #write(line: Line): void {
    writeSync(this.#fd, `${JSON.stringify(line)}\n`);
    fsyncSync(this.#fd);
    this.#take(line);
  }

  #read(lines: readonly string[], path: string, storeId: string): void {
    lines.forEach((text, at) => {
      let line: Line;
      try {
        line = JSON.parse(text) as Line;
      } catch {
        throw new JournalError(
          `line ${at + 1} of the import journal ${path} cannot be read; what it says cannot be known: move the file away ` +
            'to import everything again',
        );
      }
      if (at === 0 && (line.kind !== 'import' || line.version !== VERSION))
        throw new JournalError(`${path} is no import journal of version ${VERSION}; name another file with --journal`);
      if (line.kind === 'import' && line.storeId !== storeId)
        throw new JournalError(
          `the import journal ${path} is of store ${line.storeId}, this one is ${storeId}; name another file with --journal`,
        );
      this.#take(line);
    });
  }

  #take(line: Line): void {
    if (line.kind === 'import') return;
    const { synced, chunks } = this.progressOf(line.file);
    if (line.kind === 'chunk') {
      const { at, count, epoch, first } = line;
      this.#files.set(line.file, { synced, chunks: [...chunks, { at, count, epoch, first }] });
    } else if (line.kind === 'cut') {
      const last = chunks.at(-1);
      if (last === undefined) return;
      this.#files.set(line.file, { synced, chunks: [...chunks.slice(0, -1), { ...last, count: line.count }] });
    } else {
      // Chunks come one after the other: whatever was begun before is settled by it.
      this.#files.set(line.file, { synced: line.upTo, chunks: [] });
    }
  }
}
