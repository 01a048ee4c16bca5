/**
 * Rice codes: whole numbers below 2^32 in few bits where most of them are small. What codec-values.ts and codec-times.ts
 * write behind their parameters.
 *
 *   parameter k, 0 to 30    a number z is q = z >> k ones, a zero, and the k low bits of z; with q of 16 and more it is
 *                           sixteen ones and all 32 bits, so that one jump does not cost a page
 *   parameter 31            all numbers are 0, and no bit is written
 *
 * The highest bit of a byte comes first; what is left of the last byte is zeros. Pure; nothing is allocated per number.
 * A reader never looks behind the bytes it is given and looks at each bit once, whatever they are.
 */
/** Parameter that says: all zeros. */
export const RICE_ALL_ZERO = 31;
const RICE_PARAMETER_MAX = 30;
/** So many ones announce a number in full. */
const ESCAPE_ONES = 16;
const ESCAPE_BITS = ESCAPE_ONES + 32;

export const bitLength = (value: number): number => 32 - Math.clz32(value);

/** A signed 32-bit number as one that is small where it is near 0. */
export const zigzag32 = (value: number): number => ((value << 1) ^ (value >> 31)) >>> 0;
export const unzigzag32 = (code: number): number => (code >>> 1) ^ -(code & 1);

/** Bits that codes[0, count) take. */
function costOf(codes: Uint32Array, count: number, parameter: number): number {
  let bits = 0;
  for (let i = 0; i < count; i++) {
    const ones = (codes[i] as number) >>> parameter;
    bits += ones < ESCAPE_ONES ? ones + 1 + parameter : ESCAPE_BITS;
  }
  return bits;
}

/**
 * The parameter for codes[0, count) and what they take with it, as bits x 32 + parameter. Looks at three parameters around
 * the mean length of the numbers, which one large number moves little.
 * @param lengths sum of their bit lengths.
 */
export function chooseParameter(codes: Uint32Array, count: number, lengths: number): number {
  if (lengths === 0) return RICE_ALL_ZERO;
  const high = Math.min(RICE_PARAMETER_MAX, Math.round(lengths / count));
  const middle = Math.max(0, high - 1);
  const low = Math.max(0, high - 2);
  let all = 0;
  let ofHigh = count * (high + 1);
  let ofMiddle = count * (middle + 1);
  let ofLow = count * (low + 1);
  for (let i = 0; i < count; i++) {
    const code = codes[i] as number;
    all |= code;
    ofHigh += code >>> high;
    ofMiddle += code >>> middle;
    ofLow += code >>> low;
  }
  if (all >>> low >= ESCAPE_ONES) {
    // A number may have to be written in full.
    ofHigh = costOf(codes, count, high);
    ofMiddle = costOf(codes, count, middle);
    ofLow = costOf(codes, count, low);
  }
  if (ofLow <= ofMiddle) return ofLow <= ofHigh ? ofLow * 32 + low : ofHigh * 32 + high;
  return ofMiddle <= ofHigh ? ofMiddle * 32 + middle : ofHigh * 32 + high;
}

const NO_BYTES = new Uint8Array(0);

/** Bits on their way into bytes: fewer than eight wait for the byte that they belong to. */
class BitWriter {
  #bytes: Uint8Array = NO_BYTES;
  #at = 0;
  #waiting = 0;
  #bits = 0;

  /** @param bits of `waiting`, its lowest, that are to stand before what is put. */
  begin(bytes: Uint8Array, at: number, waiting: number, bits: number): void {
    this.#bytes = bytes;
    this.#at = at;
    this.#waiting = waiting;
    this.#bits = bits;
  }

  /** @param count at most 24. */
  put(value: number, count: number): void {
    this.#waiting = (this.#waiting << count) | value;
    this.#bits += count;
    while (this.#bits >= 8) {
      this.#bits -= 8;
      this.#bytes[this.#at++] = this.#waiting >>> this.#bits;
    }
  }

  /** @returns where the next byte goes. */
  end(): number {
    if (this.#bits > 0) this.put(0, 8 - this.#bits);
    this.#bytes = NO_BYTES;
    return this.#at;
  }
}

const writer = new BitWriter();

/**
 * Writes codes[0, count) at bytes[at...]; up to three bytes behind them are overwritten with zeros. @returns where they end.
 */
export function writeCodes(
  codes: Uint32Array,
  count: number,
  parameter: number,
  bytes: Uint8Array,
  at: number,
): number {
  if (parameter === RICE_ALL_ZERO) return at;
  const lowMask = 2 ** parameter - 1;
  let next = at;
  let waiting = 0;
  let bits = 0;
  for (let i = 0; i < count; i++) {
    const code = codes[i] as number;
    const ones = code >>> parameter;
    if (ones >= ESCAPE_ONES || ones + parameter >= 24) {
      return writeLongCodes(codes, i, count, parameter, bytes, next, waiting, bits);
    }
    waiting = (waiting << (ones + 1 + parameter)) | (((2 << ones) - 2) << parameter) | (code & lowMask);
    bits += ones + 1 + parameter;
    // All four bytes each time: which of them are whole is a coin's throw, and a wrong guess costs more than three stores.
    const word = waiting << (32 - bits);
    bytes[next] = word >>> 24;
    bytes[next + 1] = word >>> 16;
    bytes[next + 2] = word >>> 8;
    bytes[next + 3] = word;
    next += bits >>> 3;
    bits &= 7;
  }
  return bits > 0 ? next + 1 : next;
}

/** The rest of writeCodes, from the first code on that takes more than 24 bits; `bits` of `waiting` stand before it. */
function writeLongCodes(
  codes: Uint32Array,
  from: number,
  count: number,
  parameter: number,
  bytes: Uint8Array,
  at: number,
  waiting: number,
  bits: number,
): number {
  writer.begin(bytes, at, waiting, bits);
  const lowMask = 2 ** parameter - 1;
  for (let i = from; i < count; i++) {
    const code = codes[i] as number;
    const ones = code >>> parameter;
    if (ones >= ESCAPE_ONES) {
      writer.put(2 ** ESCAPE_ONES - 1, ESCAPE_ONES);
      writer.put(code >>> 16, 16);
      writer.put(code & 0xffff, 16);
    } else if (ones + parameter < 24) {
      writer.put((((2 << ones) - 2) << parameter) | (code & lowMask), ones + 1 + parameter);
    } else {
      writer.put((2 << ones) - 2, ones + 1);
      if (parameter > 16) writer.put((code & lowMask) >>> 16, parameter - 16);
      writer.put(code & lowMask & 0xffff, Math.min(16, parameter));
    }
  }
  return writer.end();
}

/** The 32 bits at bit `at`; four bytes behind the one with the first of them are there to be read. */
function windowAt(bytes: Uint8Array, at: number): number {
  const byte = at >>> 3;
  const shift = at & 7;
  const word =
    ((bytes[byte] as number) << 24) |
    ((bytes[byte + 1] as number) << 16) |
    ((bytes[byte + 2] as number) << 8) |
    (bytes[byte + 3] as number);
  return (word << shift) | ((bytes[byte + 4] as number) >>> (8 - shift));
}

/**
 * Reads `count` numbers from bytes[from, to) into `codes`. Four bytes stand behind `to`: the block's checksum.
 * @returns where they end, or -1 when they do not end by `to`.
 */
export function readCodes(
  bytes: Uint8Array,
  from: number,
  to: number,
  codes: Uint32Array,
  count: number,
  parameter: number,
): number {
  if (parameter === RICE_ALL_ZERO) {
    codes.fill(0, 0, count);
    return from;
  }
  const limit = to * 8;
  let at = from * 8;
  for (let i = 0; i < count; i++) {
    // Each number takes a bit at least, so this is all that keeps the loop inside its bytes.
    if (at >= limit) return -1;
    const window = windowAt(bytes, at);
    const ones = Math.clz32(~window);
    if (ones >= ESCAPE_ONES) {
      if (at + ESCAPE_BITS > limit) return -1;
      codes[i] = windowAt(bytes, at + ESCAPE_ONES);
      at += ESCAPE_BITS;
      continue;
    }
    const used = ones + 1 + parameter;
    if (at + used > limit) return -1;
    const low = used <= 32 ? window << (ones + 1) : windowAt(bytes, at + ones + 1);
    codes[i] = (ones << parameter) | ((low >>> 1) >>> (31 - parameter));
    at += used;
  }
  return (at + 7) >>> 3;
}
