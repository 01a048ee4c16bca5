/**
 * The file of a log: `name.log`, and when that is full `name.log.1`, the newest, to `name.log.N`.
 *
 * A file that cannot be made, written or renamed costs lines and nothing else: a warning of the process says why, once,
 * and a later line tries again. Lines wait in memory for the disk, a mebibyte of them at most.
 *
 * The build puts the package into this file: who installs the library installs nothing else.
 */
import { mkdirSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { RotatingFileStream } from 'rotating-file-stream';
import { createStream } from 'rotating-file-stream';
import type { LogSink } from './log.ts';

const WAITING_BYTES_MAX = 1_048_576;
const TRY_AGAIN_AFTER_MS = 30_000;

class RotatingFile implements LogSink {
  readonly #path: string;
  readonly #fileBytes: number;
  readonly #files: number;
  #stream: RotatingFileStream | null = null;
  #tryAgainAtMs = 0;
  #closed = false;
  #hasWarned = false;

  constructor(path: string, fileBytes: number, files: number) {
    this.#path = path;
    this.#fileBytes = fileBytes;
    this.#files = files;
  }

  write(line: string, onLost: () => void): void {
    const stream = this.#stream ?? this.#open();
    if (stream === null || stream.writableLength > WAITING_BYTES_MAX) {
      onLost();
      return;
    }
    stream.write(line, (error) => {
      if (error) onLost();
    });
  }

  #open(): RotatingFileStream | null {
    if (this.#closed || performance.now() < this.#tryAgainAtMs) return null;
    try {
      mkdirSync(dirname(this.#path), { recursive: true });
      const stream = createStream(basename(this.#path), {
        path: dirname(this.#path),
        size: `${this.#fileBytes}B`,
        rotate: this.#files,
        mode: 0o640,
      });
      stream.on('error', (error) => this.#failed(error));
      this.#stream = stream;
      return stream;
    } catch (error) {
      this.#failed(error as Error);
      return null;
    }
  }

  #failed(error: Error): void {
    this.#stream?.destroy();
    this.#stream = null;
    this.#tryAgainAtMs = performance.now() + TRY_AGAIN_AFTER_MS;
    if (this.#hasWarned) return;
    this.#hasWarned = true;
    process.emitWarning(
      `the log ${this.#path} cannot be written: ${error.message}; the store goes on without it (set log_file, or log = journal)`,
      { code: 'IMATRIX_MM_LOG' },
    );
  }

  close(): Promise<void> {
    this.#closed = true;
    const stream = this.#stream;
    this.#stream = null;
    if (stream === null) return Promise.resolve();
    return new Promise((resolve) => {
      // Whichever comes: nothing more can be done for the lines.
      stream.once('close', resolve).once('error', () => resolve());
      stream.end(() => resolve());
    });
  }
}

/** @param files rotated ones that are kept. Nothing is made before the first line. */
export const openRotatingFile = (path: string, fileBytes: number, files: number): LogSink =>
  new RotatingFile(path, fileBytes, files);
