/** Little-endian numbers out of bytes, as docs/format.md writes them; made without the engine, for what judges it. */
import { crc32 } from 'node:zlib';

export class Cursor {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  at: number;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.at = at;
  }

  /** True when nothing is left. */
  get ended(): boolean {
    return this.at >= this.#bytes.length;
  }

  u8(): number {
    return this.#bytes[this.at++] as number;
  }

  u16(): number {
    this.at += 2;
    return this.#view.getUint16(this.at - 2, true);
  }

  u32(): number {
    this.at += 4;
    return this.#view.getUint32(this.at - 4, true);
  }

  u64(): number {
    this.at += 8;
    return Number(this.#view.getBigUint64(this.at - 8, true));
  }

  /** One that the end cuts off ends there. */
  varint(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.u8();
      value += (byte & 127) * factor;
      if (!(byte >= 128)) return value;
    }
  }

  /** A varint of so many bytes at most and no more than `most`. @throws RangeError for another. */
  limited(bytesMax: number, most: number): number {
    const from = this.at;
    const value = this.varint();
    if (this.at - from > bytesMax || !(value <= most)) throw new RangeError(`a varint that says ${value}`);
    return value;
  }

  /** A varint as the format has them everywhere. @throws RangeError for one that is longer or larger. */
  count(): number {
    return this.limited(8, Number.MAX_SAFE_INTEGER);
  }

  zigzag(): number {
    const coded = this.count();
    return coded % 2 === 0 ? coded / 2 : -(coded + 1) / 2;
  }
}

/** @throws when what the document says of a file does not hold of it. */
export function check(condition: boolean, name: string, what: string): asserts condition {
  if (!condition) throw new Error(`${name} is not laid out as docs/format.md says: ${what}`);
}

/** Seed of the checksums of a segment's blocks, or of a log part's frames: what they belong to. */
export function seedOf(storeId: Uint8Array, ...words: number[]): number {
  const bytes = new Uint8Array(24);
  bytes.set(storeId);
  const view = new DataView(bytes.buffer);
  words.forEach((word, i) => view.setUint32(16 + 4 * i, word, true));
  return crc32(bytes, 0);
}

/** @throws when the checksum behind [from, to) is not the one of these bytes at this place. */
export function checkChecksum(bytes: Uint8Array, from: number, to: number, seed: number, name: string): void {
  const stored = new Cursor(bytes, to).u32();
  check(crc32(bytes.subarray(from, to), (seed ^ from) >>> 0) === stored, name, `the checksum at ${to} is wrong`);
}
