/**
 * A log of one line an event: in a file that rotates, or on standard error as systemd-journald understands it.
 *
 *     2026-11-23T07:58:13.042Z info  flush-end flush=12 records=13108 segments=4 bytes=61204 duration_ms=21
 *     <6>flush-end flush=12 records=13108 ...
 *
 * A log never stands in the way of the store: a line that cannot be written is counted and given up, and how many there
 * were is the next line that can be. Lines are not synced: the last ones before a power cut may be missing.
 */
import type { LogLevel, LogTarget } from '../config/keys.ts';
import { LOG_LEVELS } from '../config/keys.ts';
import { openRotatingFile } from './rotating-file.ts';

export type LogFields = Readonly<Record<string, string | number | boolean>>;

/** Where lines go. */
export interface LogSink {
  /** @param onLost called once if the line is lost, at once or later. */
  write(line: string, onLost: () => void): void;
  close(): Promise<void>;
}

export interface LogOptions {
  readonly target: LogTarget;
  /** Nothing below this is written. */
  readonly level: LogLevel;
  /** For `file`: the path, the bytes at which it is rotated, how many rotated ones are kept beside it. */
  readonly file: string;
  readonly fileBytes: number;
  readonly files: number;
}

/** As sd-daemon(3) has them; the journal takes its own time. */
const PRIORITY: Readonly<Record<LogLevel, number>> = { debug: 7, info: 6, warn: 4, error: 3 };

/** A value that would not end where it seems to is quoted. */
function fieldText(value: string | number | boolean): string {
  const text = String(value);
  return /^[\w./:+@%-]+$/.test(text) ? text : JSON.stringify(text);
}

export const lineOf = (event: string, fields: LogFields): string =>
  [event, ...Object.entries(fields).map(([name, value]) => `${name}=${fieldText(value)}`)].join(' ');

export class Log {
  readonly #sink: LogSink;
  readonly #prefix: (level: LogLevel) => string;
  readonly #from: number;
  #lost = 0;

  /** @param form `journal`: a priority before each line; else time and level. */
  constructor(sink: LogSink, level: LogLevel, form: 'journal' | 'timed') {
    this.#sink = sink;
    this.#from = LOG_LEVELS.indexOf(level);
    this.#prefix =
      form === 'journal'
        ? (of) => `<${PRIORITY[of]}>`
        : (of) => `${new Date().toISOString()} ${of.padEnd(LOG_LEVELS[0].length)} `;
  }

  /** Lines that could not be written and are not told of yet. */
  get lost(): number {
    return this.#lost;
  }

  /** Writes one line, unless its level is below the one that is wanted. Never throws. */
  write(level: LogLevel, event: string, fields: LogFields = {}): void {
    if (LOG_LEVELS.indexOf(level) < this.#from) return;
    const lines = this.#lost;
    this.#lost = 0;
    if (lines > 0) this.#put('warn', 'log-lines-lost', { lines }, lines);
    this.#put(level, event, fields, 1);
  }

  /** @param counts how many lines are lost with this one. */
  #put(level: LogLevel, event: string, fields: LogFields, counts: number): void {
    this.#sink.write(`${this.#prefix(level)}${lineOf(event, fields)}\n`, () => {
      this.#lost += counts;
    });
  }

  /** Resolves when everything that was written has been handed to the system. */
  close(): Promise<void> {
    return this.#sink.close();
  }
}

const journal: LogSink = {
  write: (line) => void process.stderr.write(line),
  // Standard error is the process's, not the log's.
  close: () => Promise.resolve(),
};

const nowhere: LogSink = { write: () => {}, close: () => Promise.resolve() };

/** Opens a log. Whether its file can be written is seen by the first line; it is tried again with later ones. */
export function openLog({ target, level, file, fileBytes, files }: LogOptions): Log {
  if (target === 'off') return new Log(nowhere, level, 'timed');
  if (target === 'journal') return new Log(journal, level, 'journal');
  return new Log(openRotatingFile(file, fileBytes, files), level, 'timed');
}
