/**
 * What a read over all streams hands out: records in columns, and the runs of one stream each that they come in.
 *
 * A flush puts a few records of each of many sensors into a segment. One object for each of these would cost more than
 * the records, so there is one batch with typed columns, and a table of runs beside them. The columns belong to the caller.
 */

import { valueOfBits } from './record-batch.ts';
import type { Source, StreamKey, ValueType } from './types.ts';
import { SOURCES, VALUE_TYPES } from './types.ts';

/** One record with its stream. With epoch and the id of the store this is its identity. */
export interface StoreRecord extends StreamKey {
  readonly sequence: number;
  readonly epoch: number;
  /** UTC milliseconds. */
  readonly timeMs: number;
  /** The raw 32 bits read as the stream's type. */
  readonly value: number;
}

/** Records [offset, offset + length) of a batch: of one stream, in sequence, without a gap. */
export interface StoreRun extends StreamKey {
  readonly type: ValueType;
  readonly offset: number;
  readonly length: number;
}

/** Columns of the runs, one entry a run; `ends` has the record behind each one's last. */
export interface RunColumns {
  /** Place of the stream in the store's list of streams, which is the order in which they were made. */
  readonly streams: Uint16Array;
  /** Index in SOURCES. */
  readonly sources: Uint8Array;
  readonly sensors: Uint32Array;
  /** Index in VALUE_TYPES. */
  readonly types: Uint8Array;
  readonly ends: Uint32Array;
  /** Sequence number of each run's first record; those behind it follow without a gap. */
  readonly firsts: Float64Array;
  readonly epochs: Uint32Array;
}

export class StoreBatch implements Iterable<StoreRecord> {
  readonly runs: RunColumns;
  readonly timesMs: Float64Array;
  readonly bits: Uint32Array;
  #sequences: Float64Array | null = null;
  #epochs: Uint32Array | null = null;

  /** Made by the engine, which fills the columns. */
  constructor(length: number, runs: number) {
    this.runs = {
      streams: new Uint16Array(runs),
      sources: new Uint8Array(runs),
      sensors: new Uint32Array(runs),
      types: new Uint8Array(runs),
      ends: new Uint32Array(runs),
      firsts: new Float64Array(runs),
      epochs: new Uint32Array(runs),
    };
    this.timesMs = new Float64Array(length);
    this.bits = new Uint32Array(length);
  }

  get length(): number {
    return this.timesMs.length;
  }

  /** Sequence number of each record. Made of the runs when it is first asked for: half of a batch's bytes, which few want. */
  get sequences(): Float64Array {
    this.#sequences ??= this.#perRecord(
      new Float64Array(this.length),
      (run, behindFirst) => (this.runs.firsts[run] as number) + behindFirst,
    );
    return this.#sequences;
  }

  /** Epoch of each record; made as `sequences`. */
  get epochs(): Uint32Array {
    this.#epochs ??= this.#perRecord(new Uint32Array(this.length), (run) => this.runs.epochs[run] as number);
    return this.#epochs;
  }

  #perRecord<T extends Float64Array | Uint32Array>(column: T, value: (run: number, behindFirst: number) => number): T {
    const { ends } = this.runs;
    let at = 0;
    for (let run = 0; run < ends.length; run++) {
      const from = at;
      for (const end = ends[run] as number; at < end; at++) column[at] = value(run, at - from);
    }
    return column;
  }

  get runCount(): number {
    return this.runs.ends.length;
  }

  /** The i-th run; throws RangeError beyond the end. */
  run(i: number): StoreRun {
    const { sources, sensors, types, ends } = this.runs;
    const end = ends[i];
    if (end === undefined) throw new RangeError(`run ${i} of a batch of ${this.runCount} runs`);
    const offset = i === 0 ? 0 : (ends[i - 1] as number);
    return {
      source: SOURCES[sources[i] as 0 | 1 | 2] as Source,
      sensor: sensors[i] as number,
      type: VALUE_TYPES[types[i] as 0 | 1 | 2],
      offset,
      length: end - offset,
    };
  }

  *[Symbol.iterator](): Iterator<StoreRecord> {
    for (let i = 0; i < this.runCount; i++) {
      const { source, sensor, type, offset, length } = this.run(i);
      const first = this.runs.firsts[i] as number;
      const epoch = this.runs.epochs[i] as number;
      for (let at = offset; at < offset + length; at++) {
        yield {
          source,
          sensor,
          sequence: first + at - offset,
          epoch,
          timeMs: this.timesMs[at] as number,
          value: valueOfBits(this.bits[at] as number, type),
        };
      }
    }
  }
}
