/**
 * CRC-32 (IEEE 802.3, reflected 0xEDB88320), the checksum of blocks, headers and checkpoint frames.
 *
 * The engine's own tables serve where the platform has none and for the small blocks, where the call into native
 * code costs more than the loop. Both give the same number for the same bytes and seed.
 */

import { readU32 } from './bytes.ts';

/** Bytes that one step of the loop takes, each through a table of its own. */
const SLICES = 8;

/** Made at the first use: a store without a disk has no use for 8 KiB of them. */
let tables: Int32Array | null = null;

/** Table k, at 256 x k: what a byte does to the checksum with k bytes behind it. */
function makeTables(): Int32Array {
  const made = new Int32Array(256 * SLICES);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
    made[byte] = crc;
  }
  for (let i = 256; i < made.length; i++) {
    const before = made[i - 256] as number;
    made[i] = (made[before & 0xff] as number) ^ (before >>> 8);
  }
  return made;
}

/** Below this many bytes the tables are faster than a call into native code. */
const NATIVE_FROM_BYTES = 256;

export type Crc32 = (bytes: Uint8Array, seed: number) => number;

/** CRC-32 of bytes[from, to), continued from `seed` (0 to begin). */
export function crc32(bytes: Uint8Array, from: number, to: number, seed: number, native?: Crc32): number {
  if (native !== undefined && to - from >= NATIVE_FROM_BYTES) return native(bytes.subarray(from, to), seed) >>> 0;
  tables ??= makeTables();
  const table = tables;
  let crc = ~seed;
  let i = from;
  for (; i + SLICES <= to; i += SLICES) {
    crc ^= readU32(bytes, i);
    crc =
      (table[1792 + (crc & 0xff)] as number) ^
      (table[1536 + ((crc >>> 8) & 0xff)] as number) ^
      (table[1280 + ((crc >>> 16) & 0xff)] as number) ^
      (table[1024 + (crc >>> 24)] as number) ^
      (table[768 + (bytes[i + 4] as number)] as number) ^
      (table[512 + (bytes[i + 5] as number)] as number) ^
      (table[256 + (bytes[i + 6] as number)] as number) ^
      (table[bytes[i + 7] as number] as number);
  }
  for (; i < to; i++) crc = (table[(crc ^ (bytes[i] as number)) & 0xff] as number) ^ (crc >>> 8);
  return ~crc >>> 0;
}

/** Digits of a number of bytes in base 16; the third takes what is left. */
const DIGITS = [16, 16, 32] as const;
const TABLE_WORDS = 4 * 256;

/**
 * What the register of the checksum becomes behind zeros: so what is known of the checksum of a part can be said of the
 * whole without its bytes. Takes 256 KiB while it lives.
 */
export class ZeroBytes {
  /** For each digit and each value of it: what each of the register's four bytes becomes. */
  readonly #tables = DIGITS.map((values) => new Int32Array(values * TABLE_WORDS));

  constructor() {
    const identity = Int32Array.from({ length: 32 }, (_, bit) => 1 << bit);
    let step = identity.map(behindOneZero);
    for (const table of this.#tables) {
      spread(identity, table, 0);
      spread(step, table, TABLE_WORDS);
      let basis = step;
      for (let value = 2; value * TABLE_WORDS <= table.length; value++) {
        basis = basis.map((register) => lookUp(table, 1, register));
        // Behind the last one of this digit comes the first of the next.
        if (value * TABLE_WORDS < table.length) spread(basis, table, value * TABLE_WORDS);
      }
      step = basis;
    }
  }

  /** The register behind `bytes` zeros, fewer than 8,192. */
  behind(register: number, bytes: number): number {
    const [ones, sixteens, more] = this.#tables as [Int32Array, Int32Array, Int32Array];
    const low = lookUp(sixteens, (bytes >>> 4) & 15, lookUp(ones, bytes & 15, register));
    return bytes < 256 ? low : lookUp(more, bytes >>> 8, low);
  }
}

function behindOneZero(register: number): number {
  tables ??= makeTables();
  return (tables[register & 0xff] as number) ^ (register >>> 8);
}

/** Lays the linear map that gives `basis[i]` for bit i out by bytes of the register, from `at` on. */
function spread(basis: Int32Array, table: Int32Array, at: number): void {
  for (let byte = 0; byte < 4; byte++) {
    const base = at + byte * 256;
    for (let value = 1; value < 256; value++) {
      const lowest = 31 - Math.clz32(value & -value);
      table[base + value] = (table[base + (value & (value - 1))] as number) ^ (basis[byte * 8 + lowest] as number);
    }
  }
}

function lookUp(table: Int32Array, value: number, register: number): number {
  const at = value * TABLE_WORDS;
  return (
    (table[at + (register & 0xff)] as number) ^
    (table[at + 256 + ((register >>> 8) & 0xff)] as number) ^
    (table[at + 512 + ((register >>> 16) & 0xff)] as number) ^
    (table[at + 768 + (register >>> 24)] as number)
  );
}
