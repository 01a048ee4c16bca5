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
}

export class StoreBatch implements Iterable<StoreRecord> {
  readonly runs: RunColumns;
  readonly sequences: Float64Array;
  readonly epochs: Uint32Array;
  readonly timesMs: Float64Array;
  readonly bits: Uint32Array;

  /** Made by the engine, which fills the columns. */
  constructor(length: number, runs: number) {
    this.runs = {
      streams: new Uint16Array(runs),
      sources: new Uint8Array(runs),
      sensors: new Uint32Array(runs),
      types: new Uint8Array(runs),
      ends: new Uint32Array(runs),
    };
    this.sequences = new Float64Array(length);
    this.epochs = new Uint32Array(length);
    this.timesMs = new Float64Array(length);
    this.bits = new Uint32Array(length);
  }

  get length(): number {
    return this.sequences.length;
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
      for (let at = offset; at < offset + length; at++) {
        yield {
          source,
          sensor,
          sequence: this.sequences[at] as number,
          epoch: this.epochs[at] as number,
          timeMs: this.timesMs[at] as number,
          value: valueOfBits(this.bits[at] as number, type),
        };
      }
    }
  }
}
