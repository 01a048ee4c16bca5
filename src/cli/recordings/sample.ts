/**
 * What every recording is turned into, whatever its form: samples of streams, in the order in which they were recorded.
 *
 * Mapping: CAN frames go to can_controller, positions to host, the rest to mgc. A sample knows where it came from, so
 * that whatever is wrong with it can be said as file:line.
 */
import type { Source, StreamOptions } from '../../index.ts';

/** One stream of a recording. The same object for all its samples. */
export interface SampleStream {
  readonly source: Source;
  readonly sensor: number;
  readonly options: StreamOptions;
  /** For people: `0x09F8027F word 1`, `latitude`, `pressure`. */
  readonly label: string;
}

export interface Sample {
  readonly stream: SampleStream;
  /** The raw 32 bits that the store keeps. */
  readonly bits: number;
  /** UTC milliseconds. */
  readonly timeMs: number;
  /** Line of the input, from 1. */
  readonly line: number;
}

/** A line (or a value in it) that gave no sample, and why. */
export interface Skipped {
  readonly line: number;
  /** Short and the same for every line with this trouble, such as `half-written line`. */
  readonly reason: string;
  /** The offending text, cut to 60 characters. */
  readonly text: string;
}

export type RecordingFormat = 'candump' | 'nmea' | 'csv';

/** A recording, opened: its form is known. `samples` may be called again and gives the same samples again. */
export interface Recording {
  /** As the user named it. */
  readonly name: string;
  readonly format: RecordingFormat;
  /** Chunks of samples in input order; memory does not grow with the length of the input. */
  samples(onSkipped?: (skipped: Skipped) => void): AsyncIterable<readonly Sample[]>;
  /** Removes what opening made (the spooled standard input). */
  close(): Promise<void>;
}

export interface RecordingOptions {
  /** Given by the user instead of guessed. */
  readonly format?: RecordingFormat;
  /** CSV: name (or number, from 1) of the time column, and of the value columns. */
  readonly timeColumn?: string;
  readonly valueColumns?: readonly string[];
  /** How many recordings were opened before this one: keeps the sensors of two files of one form apart. */
  readonly ordinal: number;
}

/** A mistake of the user's: one line, what and where and what to do. The command prints it and exits with 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
