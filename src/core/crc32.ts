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
