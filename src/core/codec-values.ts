/**
 * Values of a block in fewer bytes, every bit of them kept: each value is made a whole number of 32 bits, and what is
 * written is how the numbers differ from one to the next.
 *
 *   parameters u8 | scaled only: scale u8 | first number | second differences only: first difference | Rice codes
 *
 *   parameters   bits 0-4 of the Rice codes (codec-rice.ts); bit 5 set: differences of the differences;
 *                bits 6-7 how a value becomes a number:
 *                0 as it is, as a signed number
 *                1 floats in their order: the bits, the low 31 of them turned over where the sign is set
 *                2 scaled: a float is the float32 nearest to number / scale, but -2^31 is -0 and 2^31 - 1 is NaN
 *   scale        0 to 7: 10 to that power; 8 to 23: 2 to that power less 7
 *   numbers and differences are taken modulo 2^32 and written as zigzag (varint)
 *
 * Scaled is what a sensor with a resolution gives: 21.4, 0.0625; -0 when a program rounds, NaN when it has no value. It is
 * taken only where each value of the block comes back with all its bits. Keeps INV-03.
 */
import { putVarint } from './bytes.ts';
import { bitLength, chooseParameter, readCodes, unzigzag32, writeCodes, zigzag32 } from './codec-rice.ts';
import { BLOCK_RECORDS_MAX } from './config.ts';

const TYPE_FLOAT32 = 2;
const RICE_MASK = 0b1_1111;
const SECOND_DIFFERENCES = 0b10_0000;
const AS_IT_IS = 0;
const IN_ORDER = 1;
const SCALED = 2;
const SCALES: readonly number[] = [
  ...Array.from({ length: 8 }, (_, power) => 10 ** power),
  ...Array.from({ length: 16 }, (_, power) => 2 ** (power + 1)),
];
const FIRST_BINARY_SCALE = 8;
/** Above it the scale is finer than the float: that would fit every float, and save nothing. */
const SCALED_MAX = 2 ** 23;
/** What no scale gives and sensors report all the same: as bits, and as the number of a scaled block. */
const MINUS_ZERO_BITS = 0x8000_0000;
const MINUS_ZERO = -0x8000_0000;
const NAN_BITS = 0x7fc0_0000;
const NOT_A_NUMBER = 0x7fff_ffff;

/** Of the block in hand; one at a time is written or read. */
const numbers = new Int32Array(BLOCK_RECORDS_MAX);
const codes = new Uint32Array(BLOCK_RECORDS_MAX);
const float = new Float32Array(1);
const floatBits = new Uint32Array(float.buffer);

/** What the last call of planValues found, for writeValues, and what is to be remembered of it. */
const plan = { map: AS_IT_IS, scale: 0, second: false, rice: 0, known: 0 };

/**
 * What a stream's last block is remembered by, in a byte: 0 is nothing, else the scale plus 1 or NO_SCALE, and in the upper
 * bits how many blocks have relied on it. The scale is looked for anew when it does not fit, and every eighth block; where
 * there was none, every fourth, for one odd value is enough to hide it.
 */
const KNOWN_WAY = 0b1_1111;
const KNOWN_ONCE_MORE = 0b10_0000;
const KNOWN_END = 7 * KNOWN_ONCE_MORE;
const NO_SCALE = 25;

/** What is to be remembered of the stream whose block was planned last. */
export const knownOfValues = (): number => plan.known;

const floatOf = (bits: number): number => {
  floatBits[0] = bits;
  return float[0] as number;
};

/** Its own inverse. Neighbours in value are neighbours as numbers, across 0 and across powers of two. */
const inOrder = (bits: number): number => bits ^ ((bits >> 31) & 0x7fff_ffff);

/** The number of a float in this scale; 2^31, which is none, where its bits would not come back. */
function numberIn(scale: number, bits: number): number {
  if (bits === MINUS_ZERO_BITS) return MINUS_ZERO;
  if (bits === NAN_BITS) return NOT_A_NUMBER;
  const value = floatOf(bits);
  const number = Math.round(value * scale);
  return Math.fround(number / scale) === value && number <= SCALED_MAX && number >= -SCALED_MAX ? number : 2 ** 31;
}

/** Whether each value is a whole number in this scale; then `numbers` has them. */
function isWholeIn(scale: number, bits: Uint32Array, count: number): boolean {
  for (let i = 0; i < count; i++) {
    const number = numberIn(scale, bits[i] as number);
    if (number === 2 ** 31) return false;
    numbers[i] = number;
  }
  return true;
}

/** The coarsest of the scales [from, to) in which the values are whole numbers, which `numbers` then has; or -1. */
function findScale(bits: Uint32Array, count: number, from: number, to: number, below: number): number {
  const largest = Math.abs(floatOf(bits[0] as number));
  for (let at = from; at < to; at++) {
    const scale = SCALES[at] as number;
    if (scale >= below || largest * scale > SCALED_MAX) return -1;
    if (isWholeIn(scale, bits, count)) return at;
  }
  return -1;
}

/** Takes the way of the stream's last block, where that is still a way. */
function mapFloatsAsBefore(bits: Uint32Array, count: number, known: number): boolean {
  const way = known & KNOWN_WAY;
  if (way === 0 || known >= KNOWN_END) return false;
  if (way === NO_SCALE) mapInOrder(bits, count);
  else if (isWholeIn(SCALES[way - 1] as number, bits, count)) {
    plan.map = SCALED;
    plan.scale = way - 1;
  } else return false;
  plan.known = known + KNOWN_ONCE_MORE;
  return true;
}

function mapInOrder(bits: Uint32Array, count: number): void {
  plan.map = IN_ORDER;
  for (let i = 0; i < count; i++) numbers[i] = inOrder(bits[i] as number);
}

function mapFloats(bits: Uint32Array, count: number): void {
  const decimal = findScale(bits, count, 0, FIRST_BINARY_SCALE, Number.POSITIVE_INFINITY);
  // The coarser scale gives the smaller numbers.
  const decimalScale = decimal < 0 ? Number.POSITIVE_INFINITY : (SCALES[decimal] as number);
  const binary = findScale(bits, count, FIRST_BINARY_SCALE, SCALES.length, decimalScale);
  plan.map = SCALED;
  plan.scale = binary < 0 ? decimal : binary;
  plan.known = plan.scale + 1;
  if (binary >= 0) return;
  if (decimal < 0) {
    plan.known = NO_SCALE + 4 * KNOWN_ONCE_MORE;
    mapInOrder(bits, count);
    return;
  }
  // What was tried behind it has overwritten some of its numbers.
  if (decimal > 0) isWholeIn(decimalScale, bits, count);
}

/** Bytes of a number below 2^32 as a varint. */
const varintBytes = (value: number): number =>
  value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x20_0000 ? 3 : value < 0x1000_0000 ? 4 : 5;

/**
 * Looks how bits[0, count) are written best.
 * @param known what knownOfValues said of the stream's last block: its scale is taken if it fits. 0: the best is looked for.
 * @returns the bytes that writeValues will take; what they would take raw is for the caller to compare.
 */
export function planValues(bits: Uint32Array, count: number, type: number, known: number): number {
  plan.map = AS_IT_IS;
  plan.known = 0;
  if (type === TYPE_FLOAT32) {
    if (!mapFloatsAsBefore(bits, count, known)) mapFloats(bits, count);
  } else for (let i = 0; i < count; i++) numbers[i] = bits[i] as number;
  const first = numbers[0] as number;
  let lengths = 0;
  let secondLengths = 0;
  let difference = 0;
  for (let i = 1, before = first; i < count; i++) {
    const number = numbers[i] as number;
    const next = (number - before) | 0;
    const code = zigzag32(next);
    codes[i - 1] = code;
    lengths += bitLength(code);
    secondLengths += bitLength(zigzag32((next - difference) | 0));
    difference = next;
    before = number;
  }
  // The first difference counts in both: written whole, or as the first code.
  plan.second = count > 2 && secondLengths < lengths;
  let bytes = 1 + (plan.map === SCALED ? 1 : 0) + varintBytes(zigzag32(first));
  if (plan.second) {
    const step = ((numbers[1] as number) - first) | 0;
    bytes += varintBytes(zigzag32(step));
    lengths = secondLengths - bitLength(zigzag32(step));
    let before = step;
    for (let i = 2; i < count; i++) {
      const next = ((numbers[i] as number) - (numbers[i - 1] as number)) | 0;
      codes[i - 2] = zigzag32((next - before) | 0);
      before = next;
    }
  }
  const chosen = chooseParameter(codes, codesOf(count, plan.second), lengths);
  plan.rice = chosen % 32;
  return bytes + ((chosen + 7 * 32) >>> 8);
}

const codesOf = (count: number, second: boolean): number => count - (second ? 2 : 1);

/** Writes what the planValues just before has planned, at bytes[at...]. @returns where it ends. */
export function writeValues(bytes: Uint8Array, at: number, count: number): number {
  let next = at;
  bytes[next++] = plan.rice | (plan.second ? SECOND_DIFFERENCES : 0) | (plan.map << 6);
  if (plan.map === SCALED) bytes[next++] = plan.scale;
  const first = numbers[0] as number;
  next = putVarint(bytes, next, zigzag32(first));
  if (plan.second) next = putVarint(bytes, next, zigzag32(((numbers[1] as number) - first) | 0));
  return writeCodes(codes, codesOf(count, plan.second), plan.rice, bytes, next);
}

/** Where the varint at `at` of a number below 2^32 ends, or -1; `varint` has it. */
function takeVarint(bytes: Uint8Array, at: number, to: number): number {
  let value = 0;
  for (let next = at, factor = 1; next < to && next < at + 5; next++, factor *= 0x80) {
    const byte = bytes[next] as number;
    value += (byte & 0x7f) * factor;
    if (byte >= 0x80) continue;
    varint = value;
    return value <= 0xffff_ffff ? next + 1 : -1;
  }
  return -1;
}
let varint = 0;

/**
 * Reads `count` values from bytes[from, to), behind which the block's checksum stands, into out[at, at + count).
 * @returns where they end, or -1 when they are not so many values.
 */
export function readValues(
  bytes: Uint8Array,
  from: number,
  to: number,
  count: number,
  out: Uint32Array,
  at = 0,
): number {
  if (from >= to) return -1;
  const parameters = bytes[from] as number;
  const map = parameters >>> 6;
  const second = (parameters & SECOND_DIFFERENCES) !== 0;
  const scale = map === SCALED ? SCALES[bytes[from + 1] as number] : 1;
  if (map > SCALED || scale === undefined || (second && count < 3)) return -1;
  let next = takeVarint(bytes, map === SCALED ? from + 2 : from + 1, to);
  if (next < 0) return -1;
  let number = unzigzag32(varint);
  let difference = 0;
  numbers[0] = number;
  if (second) {
    next = takeVarint(bytes, next, to);
    if (next < 0) return -1;
    difference = unzigzag32(varint);
    number = (number + difference) | 0;
    numbers[1] = number;
  }
  const done = second ? 2 : 1;
  const end = readCodes(bytes, next, to, codes, count - done, parameters & RICE_MASK);
  if (end < 0) return -1;
  if (second) {
    for (let i = done; i < count; i++) {
      difference = (difference + unzigzag32(codes[i - done] as number)) | 0;
      number = (number + difference) | 0;
      numbers[i] = number;
    }
  } else {
    for (let i = done; i < count; i++) {
      number = (number + unzigzag32(codes[i - done] as number)) | 0;
      numbers[i] = number;
    }
  }
  if (map === AS_IT_IS) for (let i = 0; i < count; i++) out[at + i] = numbers[i] as number;
  else if (map === IN_ORDER) for (let i = 0; i < count; i++) out[at + i] = inOrder(numbers[i] as number);
  else {
    for (let i = 0; i < count; i++) {
      number = numbers[i] as number;
      float[0] = number / scale;
      out[at + i] =
        number === MINUS_ZERO ? MINUS_ZERO_BITS : number === NOT_A_NUMBER ? NAN_BITS : (floatBits[0] as number);
    }
  }
  return end;
}
