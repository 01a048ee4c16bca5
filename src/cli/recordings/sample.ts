/**
 * What a recording is made of once it is understood: samples, and notes on the lines that gave none.
 *
 * Nothing of a recording is dropped in silence: every line gives samples, or a note with a reason, or is a comment.
 * A reason is a `defect` when something is wrong with the line, else the line simply holds nothing to store.
 */
import type { Source } from '../../index.ts';

/** One measured value. `value` is exact as read; the stream's type says how it becomes 32 bits (value-type.ts). */
export interface Sample {
  readonly source: Source;
  /** uint32, unique within its source (docs/replay.md, "Who a value belongs to"). */
  readonly sensor: number;
  readonly value: number;
  /** UTC milliseconds, a whole number. */
  readonly timeMs: number;
  /** Line of the recording, counted from 1. */
  readonly line: number;
}

interface Reason {
  readonly defect: boolean;
  /** Completes "N lines: ...". */
  readonly text: string;
  /** What a user can do about it. */
  readonly remedy: string;
}

export const REASONS = {
  'half-written': {
    defect: true,
    text: 'half-written last line',
    remedy: 'the recorder was cut off; nothing to do',
  },
  unreadable: { defect: true, text: 'not a line of this format', remedy: 'check the line, or give --format' },
  'line-too-long': { defect: true, text: 'longer than 65,536 bytes', remedy: 'check that it is a recording' },
  checksum: { defect: true, text: 'wrong checksum', remedy: 'the line was damaged on its way; nothing to do' },
  'time-unreadable': {
    defect: true,
    text: 'time not understood',
    remedy: 'write it as 2026-01-31T12:00:00Z or in seconds since 1970',
  },
  'time-range': {
    defect: true,
    text: 'time outside the years 1980 to 2099',
    remedy: "check the recorder's clock",
  },
  'no-date': {
    defect: true,
    text: 'a time of day, and no date so far',
    remedy: 'give the date with --date YYYY-MM-DD',
  },
  'not-a-number': {
    defect: true,
    text: 'value is not a number',
    remedy: 'check the value, or choose columns by --value',
  },
  'not-finite': { defect: true, text: 'value is NaN or infinite', remedy: 'it cannot be told from a failed sensor' },
  'value-range': { defect: true, text: 'value does not fit its type', remedy: 'choose another --type' },
  'id-range': { defect: true, text: 'id does not fit', remedy: 'CAN ids have 11 or 29 bits, sensor ids 32' },
  payload: { defect: true, text: 'payload is not whole bytes or too long', remedy: 'check the line' },
  'too-many-streams': {
    defect: true,
    text: 'its stream would be the 4,097th',
    remedy: 'replay fewer recordings into one store',
  },
  'other-sentence': { defect: false, text: 'sentences without position or speed', remedy: '' },
  'no-fix': { defect: false, text: 'sentences of a receiver without a fix', remedy: '' },
  'empty-cell': { defect: false, text: 'empty cells', remedy: '' },
  'error-frame': { defect: false, text: 'error frames of the CAN adapter', remedy: '' },
  'gateway-message': { defect: false, text: 'messages of the gateway, not of the bus', remedy: '' },
  'remote-frame': { defect: false, text: 'remote frames, which carry no data', remedy: '' },
  'empty-frame': { defect: false, text: 'frames without data', remedy: '' },
} as const satisfies Record<string, Reason>;

export type SkipReason = keyof typeof REASONS;

/** A line, or a cell of it, that gave no sample. */
export interface Skip {
  readonly line: number;
  readonly reason: SkipReason;
  /** What was found there, for the message; short. */
  readonly found: string;
}

/** What was read since the last one: in the order of the recording. */
export interface Batch {
  readonly samples: readonly Sample[];
  readonly skips: readonly Skip[];
}

/** Where a decoder puts what it understands. */
export class Sink {
  samples: Sample[] = [];
  skips: Skip[] = [];

  sample(source: Source, sensor: number, value: number, timeMs: number, line: number): void {
    this.samples.push({ source, sensor, value, timeMs, line });
  }

  skip(line: number, reason: SkipReason, found: string): void {
    this.skips.push({ line, reason, found: found.length > FOUND_MAX ? `${found.slice(0, FOUND_MAX)}...` : found });
  }

  /** Hands out what came in and begins anew. */
  take(): Batch {
    const { samples, skips } = this;
    this.samples = [];
    this.skips = [];
    return { samples, skips };
  }
}

const FOUND_MAX = 60;

/** Understands one format line by line. `unterminated`: the recording ends inside this line. */
export interface LineDecoder {
  line(text: string, line: number, unterminated: boolean): void;
  /** The recording is over: what is still being put together goes out. */
  end(): void;
}
