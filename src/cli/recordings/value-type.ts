/** How a number becomes the 32 bits of a record, and which type holds all numbers of a stream. */
import type { ValueType } from '../../index.ts';

const view = new DataView(new ArrayBuffer(4));

/** Whether the type holds the value: exactly for whole numbers, rounded for float32, but never as infinity. */
export function fitsType(value: number, type: ValueType): boolean {
  if (type === 'uint32') return value >>> 0 === value;
  if (type === 'int32') return (value | 0) === value;
  return Number.isFinite(Math.fround(value));
}

/** The raw 32 bits of a value that fits. This is the tool's own conversion: the compare must not trust the engine's. */
export function toBits(value: number, type: ValueType): number {
  if (type === 'float32') {
    view.setFloat32(0, value);
    return view.getUint32(0);
  }
  return value >>> 0;
}

export function fromBits(bits: number, type: ValueType): number {
  if (type === 'uint32') return bits;
  view.setUint32(0, bits);
  return type === 'int32' ? view.getInt32(0) : view.getFloat32(0);
}

/** What is known of a stream's numbers after all were seen. */
export class ValueRange {
  whole = true;
  min = Number.POSITIVE_INFINITY;
  max = Number.NEGATIVE_INFINITY;
  /** Values that float32 rounds. */
  rounded = 0;

  add(value: number): void {
    // -0 is no whole number here: as an integer it would come back as 0.
    if (!Number.isInteger(value) || Object.is(value, -0)) this.whole = false;
    if (value < this.min) this.min = value;
    if (value > this.max) this.max = value;
    if (Math.fround(value) !== value) this.rounded++;
  }

  /** The type that keeps all values exactly where one does: uint32, int32, else float32. */
  get type(): ValueType {
    if (this.whole && this.min >= 0 && this.max <= 0xffff_ffff) return 'uint32';
    if (this.whole && this.min >= -0x8000_0000 && this.max <= 0x7fff_ffff) return 'int32';
    return 'float32';
  }
}
