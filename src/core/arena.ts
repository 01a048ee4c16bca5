/**
 * One ArrayBuffer for everything that holds state: the stream table, the sector table, the ledger, the sectors.
 * A budget in bytes, metadata included, can then be counted instead of estimated (contract section 6).
 */

type Column = 'f64' | 'u32' | 'u16' | 'u8';

const COLUMN_BYTES: Readonly<Record<Column, number>> = {
  f64: 8,
  u32: 4,
  u16: 2,
  u8: 1,
};

/** Adds up columns, each aligned to 8 bytes, before the buffer is made. */
export class ArenaPlan {
  bytes = 0;

  add(column: Column, length: number): number {
    const offset = this.bytes;
    this.bytes += Math.ceil((length * COLUMN_BYTES[column]) / 8) * 8;
    return offset;
  }
}

/** Hands out typed views over one buffer, in the order and with the lengths of the plan that sized it. */
export class Arena {
  readonly buffer: ArrayBuffer;
  #next = 0;

  constructor(bytes: number) {
    this.buffer = new ArrayBuffer(bytes);
  }

  #take(bytes: number): number {
    const offset = this.#next;
    this.#next += Math.ceil(bytes / 8) * 8;
    return offset;
  }

  f64(length: number): Float64Array {
    return new Float64Array(this.buffer, this.#take(length * 8), length);
  }

  u32(length: number): Uint32Array {
    return new Uint32Array(this.buffer, this.#take(length * 4), length);
  }

  u16(length: number): Uint16Array {
    return new Uint16Array(this.buffer, this.#take(length * 2), length);
  }

  u8(length: number): Uint8Array {
    return new Uint8Array(this.buffer, this.#take(length), length);
  }

  get usedBytes(): number {
    return this.#next;
  }
}

export type IndexArray = Uint16Array | Uint32Array;
