/**
 * What a read hands out: records of one stream in columns, oldest first. The columns belong to the caller.
 *
 * An identity is (store id, source, sensor, epoch, sequence): sequence alone may repeat after a crash took unsynced
 * records, epoch and sequence together never do (INV-17).
 */
import type { Source, ValueType } from './types.ts';

export interface SensorRecord {
  readonly sequence: number;
  /** The store's epoch in which the record was appended. */
  readonly epoch: number;
  /** UTC milliseconds. */
  readonly timeMs: number;
  /** The raw 32 bits read as the stream's type. */
  readonly value: number;
}

const scratch = new DataView(new ArrayBuffer(4));

/** The raw 32 bits read as `type`. */
export function valueOfBits(bits: number, type: ValueType): number {
  if (type === 'uint32') return bits;
  if (type === 'int32') return bits | 0;
  scratch.setUint32(0, bits);
  return scratch.getFloat32(0);
}

/** The raw 32 bits of a value, or -1 when it is not of the type. Every float32, NaN and -0 included, is a value. */
export function bitsOfValue(value: number, type: ValueType): number {
  if (type === 'uint32') return value >>> 0 === value ? value : -1;
  if (type === 'int32') return (value | 0) === value ? value >>> 0 : -1;
  if (typeof value !== 'number' || (Number.isFinite(value) && !Number.isFinite(Math.fround(value)))) return -1;
  scratch.setFloat32(0, value);
  return scratch.getUint32(0);
}

export class RecordBatch implements Iterable<SensorRecord> {
  readonly source: Source;
  readonly sensor: number;
  readonly type: ValueType;
  readonly sequences: Float64Array;
  readonly epochs: Uint32Array;
  readonly timesMs: Float64Array;
  readonly bits: Uint32Array;

  constructor(source: Source, sensor: number, type: ValueType, length: number) {
    this.source = source;
    this.sensor = sensor;
    this.type = type;
    this.sequences = new Float64Array(length);
    this.epochs = new Uint32Array(length);
    this.timesMs = new Float64Array(length);
    this.bits = new Uint32Array(length);
  }

  get length(): number {
    return this.sequences.length;
  }

  /** Value of the i-th record; throws RangeError beyond the end. */
  value(i: number): number {
    const bits = this.bits[i];
    if (bits === undefined) throw new RangeError(`record ${i} of a batch of ${this.length}`);
    return valueOfBits(bits, this.type);
  }

  get values(): Float64Array {
    return Float64Array.from(this.bits, (bits) => valueOfBits(bits, this.type));
  }

  *[Symbol.iterator](): Iterator<SensorRecord> {
    for (let i = 0; i < this.length; i++) {
      yield {
        sequence: this.sequences[i] as number,
        epoch: this.epochs[i] as number,
        timeMs: this.timesMs[i] as number,
        value: this.value(i),
      };
    }
  }
}
