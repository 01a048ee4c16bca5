/**
 * CRC-32 (IEEE 802.3, reflected 0xEDB88320), the checksum of blocks, headers and checkpoint frames.
 *
 * The engine's own table serves where the platform has none and for the small blocks, where the call into native
 * code costs more than the loop. Both give the same number for the same bytes and seed.
 */

const TABLE = new Uint32Array(256);
for (let byte = 0; byte < 256; byte++) {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  TABLE[byte] = crc >>> 0;
}

/** Below this many bytes the table is faster than a call into native code. */
const NATIVE_FROM_BYTES = 256;

export type Crc32 = (bytes: Uint8Array, seed: number) => number;

/** CRC-32 of bytes[from, to), continued from `seed` (0 to begin). */
export function crc32(bytes: Uint8Array, from: number, to: number, seed: number, native?: Crc32): number {
  if (native !== undefined && to - from >= NATIVE_FROM_BYTES) return native(bytes.subarray(from, to), seed) >>> 0;
  let crc = ~seed;
  for (let i = from; i < to; i++) crc = (TABLE[(crc ^ (bytes[i] as number)) & 0xff] as number) ^ (crc >>> 8);
  return ~crc >>> 0;
}
