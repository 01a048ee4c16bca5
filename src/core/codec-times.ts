/**
 * Times of an evt block in fewer bytes: the steps from one record to the next, each less the smallest of them.
 *
 *   parameter u8 of the Rice codes (codec-rice.ts) | smallest step (zigzag) | Rice codes of the steps less it
 *
 * A sensor that reports about once a second has steps near 1,000: what is left is how late each one was. Clocks that jump
 * both ways in one block, by more than 2^32 ms, are left as they are. A block of one record has no steps and no times.
 */
import type { ByteReader, ByteWriter } from './bytes.ts';
import { unzigzag, varintBytes, zigzag } from './bytes.ts';
import { bitLength, chooseParameter, readCodes, writeCodes } from './codec-rice.ts';
import { BLOCK_RECORDS_MAX } from './config.ts';

const codes = new Uint32Array(BLOCK_RECORDS_MAX);

/** What the last call of planTimes found, for writeTimes. */
const plan = { least: 0, rice: 0, rawBytes: 0 };

/** Bytes of the times that planTimes was given last, each step a zigzag. */
export const rawTimesBytes = (): number => plan.rawBytes;

/**
 * Looks how the times of timesMs[0, count), two at least, are written best.
 * @returns the bytes that writeTimes will take, Infinity when it cannot write them.
 */
export function planTimes(timesMs: Float64Array, count: number): number {
  let least = Number.POSITIVE_INFINITY;
  let most = Number.NEGATIVE_INFINITY;
  let rawBytes = 0;
  for (let i = 1; i < count; i++) {
    const step = (timesMs[i] as number) - (timesMs[i - 1] as number);
    if (step < least) least = step;
    if (step > most) most = step;
    rawBytes += varintBytes(zigzag(step));
  }
  plan.rawBytes = rawBytes;
  if (most - least > 0xffff_ffff) return Number.POSITIVE_INFINITY;
  let lengths = 0;
  for (let i = 1; i < count; i++) {
    const over = (timesMs[i] as number) - (timesMs[i - 1] as number) - least;
    codes[i - 1] = over;
    lengths += bitLength(over);
  }
  const chosen = chooseParameter(codes, count - 1, lengths);
  plan.least = least;
  plan.rice = chosen % 32;
  return 1 + varintBytes(zigzag(least)) + Math.ceil(Math.floor(chosen / 32) / 8);
}

/** Writes what the planTimes just before has planned. */
export function writeTimes(out: ByteWriter, count: number): void {
  out.u8(plan.rice);
  out.varint(zigzag(plan.least));
  out.length = writeCodes(codes, count - 1, plan.rice, out.bytes, out.length);
}

/**
 * Reads the times of `count` records, the first of which is at `firstMs`, into out[0, count).
 * @returns false when they do not end where the reader's limit is.
 */
export function readTimes(reader: ByteReader, count: number, firstMs: number, out: Float64Array): boolean {
  const parameter = reader.u8();
  const least = unzigzag(reader.varint());
  if (!reader.valid || parameter > 31) return false;
  const end = readCodes(reader.bytes, reader.at, reader.limit, codes, count - 1, parameter);
  let time = firstMs;
  out[0] = time;
  for (let i = 1; i < count; i++) {
    time += least + (codes[i - 1] as number);
    out[i] = time;
  }
  return end === reader.limit;
}
