/** A block of a segment as docs/format.md describes it, of either version, read without the engine. */
import { crc32 } from 'node:zlib';
import { Cursor } from './cursor.ts';
import { unpackTimes, unpackValues } from './packing.ts';

export interface WrittenRecord {
  readonly sequence: number;
  readonly epoch: number;
  readonly valueBits: number;
  readonly timeMs: number;
}

export interface Block {
  readonly sensor: number;
  /** Bytes [from, to) of the file. */
  readonly from: number;
  readonly to: number;
  readonly records: readonly WrittenRecord[];
}

export interface ReadBlock {
  readonly block: Block;
  /** Where its body begins and ends; four bytes of checksum follow. */
  readonly bodyAt: number;
  readonly bodyEnd: number;
}

/** What the blocks of a segment have in common. */
export interface BlockContext {
  readonly bytes: Uint8Array;
  /** No block reaches over it. */
  readonly limit: number;
  readonly epoch: number;
  readonly baseMs: number;
  readonly seed: number;
}

const BLOCK_BYTES_MAX = 4_096;
const BLOCK_RECORDS_MAX = 1_024;
const CHECKSUM_BYTES = 4;

/** The block at `at`; null where no checksum says that one stands there, or its body is not its records. */
export function readBlock({ bytes, limit, epoch, baseMs, seed }: BlockContext, at: number): ReadBlock | null {
  const tag = bytes[at] as number;
  const [evt, values, times, compact] = [4, 8, 16, 32].map((bit) => Math.floor(tag / bit) % 2 === 1);
  if (tag < 128 || tag >= 192 || tag % 4 === 3) return null;
  if (compact ? times && !evt : values || times) return null;
  try {
    const cursor = new Cursor(bytes.subarray(0, limit), at + 1);
    const [sensor, first, count] = [cursor.count(), cursor.count(), cursor.count()];
    const firstMs = baseMs + cursor.zigzag();
    const periodMs = evt ? 0 : compact ? period(cursor.count()) : cursor.count();
    const bodyBytes = compact && !evt && !values ? 4 * count : cursor.count();
    const bodyAt = cursor.at;
    const bodyEnd = bodyAt + bodyBytes;
    if (!(bodyEnd + CHECKSUM_BYTES - at <= BLOCK_BYTES_MAX && count >= 1 && count <= BLOCK_RECORDS_MAX)) return null;
    if (bodyEnd + CHECKSUM_BYTES > limit || (times && count === 1)) return null;
    const checksum = new Cursor(bytes, bodyEnd).u32();
    if (crc32(bytes.subarray(at, bodyEnd), (seed ^ at) >>> 0) !== checksum) return null;
    const body = bytes.subarray(0, bodyEnd);
    const inside = new Cursor(body, bodyAt);
    const valueBits = values ? unpackValues(inside, body, count) : Array.from({ length: count }, () => inside.u32());
    const timesMs = times ? unpackTimes(inside, body, count, firstMs) : [firstMs];
    while (timesMs.length < count) timesMs.push((timesMs.at(-1) as number) + (evt ? inside.zigzag() : periodMs));
    if (inside.at !== bodyEnd) return null;
    const records = valueBits.map((value, i) => ({
      sequence: first + i,
      epoch,
      valueBits: value,
      timeMs: timesMs[i] as number,
    }));
    return { block: { sensor, from: at, to: bodyEnd + CHECKSUM_BYTES, records }, bodyAt, bodyEnd };
  } catch (error) {
    // Numbers that lead out of the file are no block's.
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/** A number and how many zeros are behind it, up to three. */
const period = (written: number): number => Math.floor(written / 4) * Number(`1e${written % 4}`);
