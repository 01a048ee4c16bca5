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

const float = new Float32Array(1);
const floatBits = new Uint32Array(float.buffer);

/** The raw 32 bits read as `type`. */
export function valueOfBits(bits: number, type: ValueType): number {
  if (type === 'uint32') return bits;
  if (type === 'int32') return bits | 0;
  floatBits[0] = bits;
  return float[0] as number;
}

/** The raw 32 bits of a value, or -1 when it is not of the type. Every float32, NaN and -0 included, is a value. */
export function bitsOfValue(value: number, type: ValueType): number {
  if (type !== 'float32') return (type === 'uint32' ? value >>> 0 : value | 0) === value ? value >>> 0 : -1;
  float[0] = value;
  const rounded = float[0] as number;
  // What is less itself not 0 is infinite or NaN: no number of its own may become so.
  const overflows = rounded - rounded !== 0 && value - value === 0;
  return overflows || typeof value !== 'number' ? -1 : (floatBits[0] as number);
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
