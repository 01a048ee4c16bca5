/**
 * Little-endian writing and reading of the byte formats: fixed integers, LEB128 varints, zigzag for signed ones.
 *
 * Varints carry whole numbers up to 2^53 - 1, so they are done with division, not with 32-bit shifts. A reader never
 * runs past its limit: what is cut off or too long reads as invalid, never as a number.
 */

export function zigzag(value: number): number {
  return value >= 0 ? value * 2 : -value * 2 - 1;
}

export function unzigzag(value: number): number {
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}

/** How many bytes a number takes as a varint. */
export function varintBytes(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  let bytes = 3;
  for (let rest = Math.floor(value / 0x20_0000); rest > 0; rest = Math.floor(rest / 0x80)) bytes++;
  return bytes;
}

/** Writes a number as a varint at bytes[at...], which has room for it. @returns where it ends. */
export function putVarint(bytes: Uint8Array, at: number, value: number): number {
  let next = at;
  let rest = value;
  // Division only for what shifts do not reach: most numbers are small, and this is done for each block.
  while (rest >= 0x8000_0000) {
    bytes[next++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  let low = rest | 0;
  for (; low >= 0x80; low >>>= 7) bytes[next++] = (low & 0x7f) | 0x80;
  bytes[next++] = low;
  return next;
}

/** Grows as needed; the bytes written so far are `view()`. */
export class ByteWriter {
  bytes: Uint8Array;
  length = 0;

  constructor(capacityBytes: number) {
    this.bytes = new Uint8Array(capacityBytes);
  }

  view(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }

  #reserve(more: number): void {
    const needed = this.length + more;
    if (needed <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.bytes.length * 2));
    grown.set(this.view());
    this.bytes = grown;
  }

  u8(value: number): void {
    this.#reserve(1);
    this.bytes[this.length++] = value;
  }

  u16(value: number): void {
    this.#reserve(2);
    this.bytes[this.length++] = value;
    this.bytes[this.length++] = value >>> 8;
  }

  u32(value: number): void {
    this.#reserve(4);
    this.bytes[this.length++] = value;
    this.bytes[this.length++] = value >>> 8;
    this.bytes[this.length++] = value >>> 16;
    this.bytes[this.length++] = value >>> 24;
  }

  /** Whole numbers from 0 to 2^53 - 1, in 8 bytes. */
  u64(value: number): void {
    this.u32(value % 0x1_0000_0000);
    this.u32(Math.floor(value / 0x1_0000_0000));
  }

  varint(value: number): void {
    this.#reserve(8);
    this.length = putVarint(this.bytes, this.length, value);
  }

  copy(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  zeros(count: number): void {
    this.#reserve(count);
    this.bytes.fill(0, this.length, this.length + count);
    this.length += count;
  }
}

/** Reads from `at` up to `limit`. After a read that did not fit, `valid` is false and stays so. */
export class ByteReader {
  readonly bytes: Uint8Array;
  at: number;
  limit: number;
  valid = true;

  constructor(bytes: Uint8Array, at = 0, limit = bytes.length) {
    this.bytes = bytes;
    this.at = at;
    this.limit = limit;
  }

  get done(): boolean {
    return this.at >= this.limit;
  }

  #take(count: number): number {
    if (this.at + count > this.limit) {
      this.valid = false;
      return -1;
    }
    const from = this.at;
    this.at += count;
    return from;
  }

  u8(): number {
    const from = this.#take(1);
    return from < 0 ? 0 : (this.bytes[from] as number);
  }

  u16(): number {
    const from = this.#take(2);
    return from < 0 ? 0 : (this.bytes[from] as number) | ((this.bytes[from + 1] as number) << 8);
  }

  u32(): number {
    const from = this.#take(4);
    return from < 0 ? 0 : readU32(this.bytes, from);
  }

  u64(): number {
    const low = this.u32();
    const high = this.u32();
    if (high >= 0x20_0000) this.valid = false;
    return high * 0x1_0000_0000 + low;
  }

  varint(): number {
    let value = 0;
    let scale = 1;
    for (let length = 0; length < 8; length++) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (value > Number.MAX_SAFE_INTEGER) this.valid = false;
        return value;
      }
      scale *= 0x80;
    }
    this.valid = false;
    return 0;
  }
}

export function readU32(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)) >>>
    0
  );
}

export function putU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}

export function toHex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return text;
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
