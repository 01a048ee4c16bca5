/**
 * Times of an evt block in fewer bytes: the steps from one record to the next, each less the smallest of them.
 *
 *   parameter u8 of the Rice codes (codec-rice.ts) | smallest step (zigzag) | Rice codes of the steps less it
 *
 * A sensor that reports about once a second has steps near 1,000: what is left is how late each one was. Clocks that jump
 * both ways in one block, by more than 2^32 ms, are left as they are. A block of one record has no steps and no times.
 */
import type { ByteReader } from './bytes.ts';
import { putVarint, unzigzag, varintBytes, zigzag } from './bytes.ts';
import { bitLength, chooseParameter, readCodes, writeCodes } from './codec-rice.ts';
import { BLOCK_RECORDS_MAX } from './config.ts';

const codes = new Uint32Array(BLOCK_RECORDS_MAX);
const steps = new Int32Array(BLOCK_RECORDS_MAX);
/** Steps within it are reckoned in 32 bits, and their zigzags too. */
const SMALL_STEP_END = 2 ** 30;

/** What the last call of planTimes found, for writeTimes. */
const plan = { least: 0, rice: 0 };

/** Bytes that each step of the times that were planned last takes at least as it is. */
export const rawStepBytesMin = (): number => (plan.least > 0 ? varintBytes(2 * plan.least) : 1);

/** Bytes of the times of timesMs[0, count) as they are: each step a zigzag. */
export function rawTimesBytes(timesMs: Float64Array, count: number): number {
  let bytes = 0;
  for (let i = 1; i < count; i++) bytes += varintBytes(zigzag((timesMs[i] as number) - (timesMs[i - 1] as number)));
  return bytes;
}

/**
 * Looks how the times of timesMs[0, count), two at least, are written best.
 * @returns the bytes that writeTimes will take, Infinity when it cannot write them.
 */
export function planTimes(timesMs: Float64Array, count: number): number {
  let least = Number.POSITIVE_INFINITY;
  let most = Number.NEGATIVE_INFINITY;
  let before = timesMs[0] as number;
  for (let i = 1; i < count; i++) {
    const time = timesMs[i] as number;
    const step = time - before;
    before = time;
    steps[i - 1] = step;
    if (step < least) least = step;
    if (step > most) most = step;
  }
  plan.least = least;
  if (most - least > 0xffff_ffff) return Number.POSITIVE_INFINITY;
  const small = least > -SMALL_STEP_END && most < SMALL_STEP_END;
  const lengths = small ? codesOfSmall(least, count) : codesOfAny(timesMs, least, count);
  const chosen = chooseParameter(codes, count - 1, lengths);
  plan.rice = chosen % 32;
  return 1 + varintBytes(zigzag(least)) + ((chosen + 7 * 32) >>> 8);
}

/** Codes of the steps in `steps`. @returns the sum of their bit lengths. */
function codesOfSmall(least: number, count: number): number {
  let lengths = 0;
  for (let i = 0; i < count - 1; i++) {
    const over = (steps[i] as number) - least;
    codes[i] = over;
    lengths += bitLength(over);
  }
  return lengths;
}

function codesOfAny(timesMs: Float64Array, least: number, count: number): number {
  let lengths = 0;
  for (let i = 1; i < count; i++) {
    const over = (timesMs[i] as number) - (timesMs[i - 1] as number) - least;
    codes[i - 1] = over;
    lengths += bitLength(over);
  }
  return lengths;
}

/** Writes what the planTimes just before has planned, at bytes[at...]. @returns where it ends. */
export function writeTimes(bytes: Uint8Array, at: number, count: number): number {
  bytes[at] = plan.rice;
  return writeCodes(codes, count - 1, plan.rice, bytes, putVarint(bytes, at + 1, zigzag(plan.least)));
}

/**
 * Reads the times of `count` records, the first of which is at `firstMs`, into out[at, at + count).
 * @returns false when they do not end where the reader's limit is.
 */
export function readTimes(reader: ByteReader, count: number, firstMs: number, out: Float64Array, at = 0): boolean {
  const parameter = reader.u8();
  const least = unzigzag(reader.varint());
  if (!reader.valid || parameter > 31) return false;
  const end = readCodes(reader.bytes, reader.at, reader.limit, codes, count - 1, parameter);
  let time = firstMs;
  out[at] = time;
  for (let i = 1; i < count; i++) {
    time += least + (codes[i - 1] as number);
    out[at + i] = time;
  }
  return end === reader.limit;
}
