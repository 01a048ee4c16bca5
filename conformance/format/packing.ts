/**
 * Packed values and times of a block as docs/format.md describes them, bit by bit and without the engine's code. Slow on
 * purpose: what is to be judged shares no trick with what judges it.
 */
import type { Bytes } from './bytes-out.ts';
import type { Cursor } from './cursor.ts';

const TWO_32 = 2 ** 32;
/** Of the Rice codes: all numbers are 0. */
const ALL_ZERO = 31;
/** So many ones, and the number follows in full. */
const IN_FULL = 16;

/** 10 to the power of 0 to 7, then 2 to the power of 1 to 16. */
const scaleOf = (scale: number): number => (scale < 8 ? Number(`1e${scale}`) : 2 ** (scale - 7));

const modulo = (value: number): number => ((value % TWO_32) + TWO_32) % TWO_32;
const unsigned = (code: number): number => (code % 2 === 0 ? code / 2 : -(code + 1) / 2);
/** A number modulo 2^32 as one from -2^31 on. */
const signed = (value: number): number => (value >= TWO_32 / 2 ? value - TWO_32 : value);
const coded = (value: number): number => (signed(value) >= 0 ? 2 * signed(value) : -2 * signed(value) - 1);

const word = (cursor: Cursor): number => unsigned(cursor.limited(5, TWO_32 - 1));

function floatBits(value: number): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, value);
  return view.getUint32(0);
}

function scaledBits(number: number, scale: number): number {
  if (number === -(2 ** 31)) return 0x8000_0000;
  return number === 2 ** 31 - 1 ? 0x7fc0_0000 : floatBits(number / scaleOf(scale));
}

/** With the sign set, the 31 bits below it count down instead of up. Undone by itself. */
const turned = (bits: number): number => (bits >= 2 ** 31 ? 2 ** 31 + (2 ** 32 - 1 - bits) : bits);

/** Bits of bytes, the highest of each first. Behind the last byte there are none. */
class Bits {
  readonly #bytes: Uint8Array;
  #at: number;

  constructor(bytes: Uint8Array, byte: number) {
    this.#bytes = bytes;
    this.#at = 8 * byte;
  }

  next(count: number): number {
    let value = 0;
    for (let i = 0; i < count; i++, this.#at++) {
      const byte = this.#bytes[this.#at >>> 3];
      if (byte === undefined) throw new RangeError('the bits end before the numbers do');
      value = 2 * value + (Math.floor(byte / 2 ** (7 - (this.#at & 7))) % 2);
    }
    return value;
  }

  /** The byte behind the one that was begun. */
  get byte(): number {
    return Math.ceil(this.#at / 8);
  }
}

/** @throws RangeError where the bytes end first. */
function readRice(cursor: Cursor, bytes: Uint8Array, count: number, parameter: number): number[] {
  if (parameter === ALL_ZERO) return Array.from({ length: count }, () => 0);
  const bits = new Bits(bytes, cursor.at);
  const numbers = Array.from({ length: count }, () => {
    let ones = 0;
    while (ones < IN_FULL && bits.next(1) === 1) ones++;
    return ones === IN_FULL ? bits.next(32) : modulo(ones * 2 ** parameter + bits.next(parameter));
  });
  cursor.at = bits.byte;
  return numbers;
}

/** The values at the cursor, which it passes. @throws RangeError where the bytes end first or say what nothing is. */
export function unpackValues(cursor: Cursor, bytes: Uint8Array, count: number): number[] {
  const parameters = cursor.u8();
  const how = Math.floor(parameters / 64);
  const second = Math.floor(parameters / 32) % 2 === 1;
  const scale = how === 2 ? cursor.u8() : 0;
  if (how > 2 || scale > 23 || (second && count < 3)) throw new RangeError(`values packed in a way ${parameters}`);
  const numbers = [modulo(word(cursor))];
  const differences = second ? [word(cursor)] : [];
  for (const code of readRice(cursor, bytes, count - (second ? 2 : 1), parameters % 32)) {
    const rise = unsigned(code);
    differences.push(modulo(second ? (differences.at(-1) as number) + rise : rise));
  }
  for (const difference of differences) numbers.push(modulo((numbers.at(-1) as number) + difference));
  if (how === 0) return numbers;
  return numbers.map((number) => (how === 1 ? turned(number) : scaledBits(signed(number), scale)));
}

/** The times at the cursor, which it passes; the first one is known. @throws RangeError where the bytes end first. */
export function unpackTimes(cursor: Cursor, bytes: Uint8Array, count: number, firstMs: number): number[] {
  const parameter = cursor.u8();
  if (parameter > ALL_ZERO) throw new RangeError(`times packed in a way ${parameter}`);
  const least = unsigned(cursor.limited(8, Number.MAX_SAFE_INTEGER));
  const times = [firstMs];
  for (const over of readRice(cursor, bytes, count - 1, parameter)) times.push((times.at(-1) as number) + least + over);
  return times;
}

const riceText = (number: number, parameter: number): string => {
  const ones = Math.floor(number / 2 ** parameter);
  if (ones >= IN_FULL) return '1'.repeat(IN_FULL) + number.toString(2).padStart(32, '0');
  const low = parameter === 0 ? '' : (number % 2 ** parameter).toString(2).padStart(parameter, '0');
  return `${'1'.repeat(ones)}0${low}`;
};

/** The parameter with which the numbers are shortest, found by writing them with each. */
function shortest(numbers: readonly number[]): { readonly parameter: number; readonly text: string } {
  if (numbers.every((number) => number === 0)) return { parameter: ALL_ZERO, text: '' };
  const tried = Array.from({ length: 31 }, (_, parameter) => ({
    parameter,
    text: numbers.map((number) => riceText(number, parameter)).join(''),
  }));
  return tried.reduce((best, each) => (each.text.length < best.text.length ? each : best));
}

function copyBits(out: Bytes, text: string): void {
  const whole = text.padEnd(8 * Math.ceil(text.length / 8), '0');
  for (let at = 0; at < whole.length; at += 8) out.little(Number.parseInt(whole.slice(at, at + 8), 2), 1);
}

/** Writes values packed: floats in their order, others as they are. @param second differences of differences; of three and more. */
export function packValues(out: Bytes, bits: readonly number[], isFloat: boolean, second: boolean): void {
  const numbers = isFloat ? bits.map(turned) : bits.map((value) => value >>> 0);
  const differences = numbers.slice(1).map((number, i) => modulo(number - (numbers[i] as number)));
  const rises = second ? differences.slice(1).map((each, i) => modulo(each - (differences[i] as number))) : differences;
  const { parameter, text } = shortest(rises.map(coded));
  out.little(parameter + (second ? 32 : 0) + (isFloat ? 64 : 0), 1).varint(coded(numbers[0] as number));
  if (second) out.varint(coded(differences[0] as number));
  copyBits(out, text);
}

/** Writes the times of two and more records packed, none of which are 2^32 ms apart. */
export function packTimes(out: Bytes, timesMs: readonly number[]): void {
  const steps = timesMs.slice(1).map((timeMs, i) => timeMs - (timesMs[i] as number));
  const least = Math.min(...steps);
  const { parameter, text } = shortest(steps.map((step) => step - least));
  out.little(parameter, 1).zigzag(least);
  copyBits(out, text);
}
