/**
 * Packed blocks as the engine writes them: each comes back bit for bit through the kit's own reader, and takes no more
 * bytes than the smallest of all ways that docs/format.md has for it, which are tried one after the other.
 *
 * The rows are chosen so that another way of packing would be larger by a byte at least: who takes a wrong one is seen.
 */
import { SegmentBuilder } from '../../src/core/segment.ts';
import { Bytes } from '../format/bytes-out.ts';
import { seedOf } from '../format/cursor.ts';
import { readBlock } from '../format/read-block.ts';
import type { Case } from './case.ts';
import { differs } from './case.ts';

const TYPES = { uint32: 0, int32: 1, float32: 2 } as const;
type Type = keyof typeof TYPES;

const STORE_ID = Uint8Array.from({ length: 16 }, (_, i) => 7 * i);
const BASE_MS = 1_700_000_000_000;
const HEADER_BYTES = 64;
const CHECKSUM_BYTES = 4;

export const bitsOf = (type: Type, value: number): number => {
  const view = new DataView(new ArrayBuffer(4));
  if (type === 'float32') view.setFloat32(0, value);
  else view.setUint32(0, value);
  return view.getUint32(0);
};

const floatOf = (bits: number): number => {
  const view = new DataView(new ArrayBuffer(4));
  view.setUint32(0, bits);
  return view.getFloat32(0);
};

const varintBytes = (value: number): number => new Bytes().varint(value).length;
const zigzagBytes = (value: number): number => new Bytes().zigzag(value).length;
const coded = (value: number): number => (value >= 0 ? 2 * value : -2 * value - 1);

/** Bytes of the codes with the parameter that suits them best. */
function riceBytes(codes: readonly number[]): number {
  if (codes.every((code) => code === 0)) return 0;
  const bits = Array.from({ length: 31 }, (_, parameter) =>
    codes.reduce((sum, code) => {
      const ones = Math.floor(code / 2 ** parameter);
      return sum + (ones < 16 ? ones + 1 + parameter : 48);
    }, 0),
  );
  return Math.ceil(Math.min(...bits) / 8);
}

/** Bytes of numbers that are given modulo 2^32, with differences or with differences of differences. */
function numbersBytes(numbers: readonly number[]): number {
  const rises = (of: readonly number[]): number[] => of.slice(1).map((each, i) => (each - (of[i] as number)) | 0);
  const differences = rises(numbers);
  const first = varintBytes(coded((numbers[0] as number) | 0));
  const once = first + riceBytes(differences.map(coded));
  if (differences.length < 2) return once;
  const twice = first + varintBytes(coded(differences[0] as number)) + riceBytes(rises(differences).map(coded));
  return Math.min(once, twice);
}

/** Numbers of floats in this scale; null where the bits of one would not come back. */
function scaled(bits: readonly number[], scale: number): number[] | null {
  const numbers = bits.map((each) => {
    if (each === 0x8000_0000) return -(2 ** 31);
    if (each === 0x7fc0_0000) return 2 ** 31 - 1;
    const number = Math.round(floatOf(each) * scale);
    return Math.abs(number) <= 2 ** 23 && bitsOf('float32', number / scale) === each ? number : Number.NaN;
  });
  return numbers.some(Number.isNaN) ? null : numbers;
}

const SCALES = Array.from({ length: 24 }, (_, i) => (i < 8 ? Number(`1e${i}`) : 2 ** (i - 7)));
const inOrder = (bits: number): number => (bits >= 2 ** 31 ? 2 ** 31 + (2 ** 32 - 1 - bits) : bits);

/** The least that the values take, of all ways. */
function leastValueBytes(type: Type, bits: readonly number[]): number {
  const ways = [4 * bits.length, 1 + numbersBytes(type === 'float32' ? bits.map(inOrder) : bits)];
  for (const scale of type === 'float32' ? SCALES : []) {
    const numbers = scaled(bits, scale);
    if (numbers !== null) ways.push(2 + numbersBytes(numbers));
  }
  return Math.min(...ways);
}

function leastTimeBytes(timesMs: readonly number[]): number {
  const steps = timesMs.slice(1).map((timeMs, i) => timeMs - (timesMs[i] as number));
  if (steps.length === 0) return 0;
  const raw = steps.reduce((sum, step) => sum + zigzagBytes(step), 0);
  const least = Math.min(...steps);
  if (Math.max(...steps) - least >= 2 ** 32) return raw;
  return Math.min(raw, 1 + zigzagBytes(least) + riceBytes(steps.map((step) => step - least)));
}

interface Row {
  readonly name: string;
  readonly type: Type;
  /** As bits where a float would not say which NaN it is. */
  readonly bits: readonly number[];
  /** Of evt; a tsd block has a period of a second. */
  readonly timesMs?: readonly number[];
}

/** The block of a row as the engine writes it, alone in its segment. */
export function blockOf({ type, bits, timesMs }: Row): { readonly file: Uint8Array; readonly taken: number } {
  const header = { source: 0, epoch: 3, storeId: STORE_ID, number: 5, flush: 2, baseTimeMs: BASE_MS };
  const builder = new SegmentBuilder(header);
  const stream = { slot: 0, evt: timesMs !== undefined, type: TYPES[type], sensor: 1, periodMs: 1_000 };
  const times = Float64Array.from({ length: bits.length }, (_, i) => timesMs?.[i] ?? BASE_MS + 1_000 * i);
  const taken = builder.add(stream, 0, times, Uint32Array.from(bits), bits.length);
  return { file: builder.finish(), taken };
}

function lookAt(row: Row): string | null {
  const { file, taken } = blockOf(row);
  const limit = file.length - HEADER_BYTES;
  const read = readBlock({ bytes: file, limit, epoch: 3, baseMs: BASE_MS, seed: seedOf(STORE_ID, 5, 0) }, HEADER_BYTES);
  if (read === null) return 'no block is there';
  const { records, to } = read.block;
  const most = leastValueBytes(row.type, row.bits) + (row.timesMs === undefined ? 0 : leastTimeBytes(row.timesMs));
  return (
    differs('what was taken', taken, row.bits.length) ??
    differs('where the block ends', to, limit) ??
    differs(
      'the values',
      records.map(({ valueBits }) => valueBits),
      row.bits,
    ) ??
    differs(
      'the times',
      records.map(({ timeMs }) => timeMs),
      row.timesMs ?? row.bits.map((_, i) => BASE_MS + 1_000 * i),
    ) ??
    differs('the bytes of the body', to - CHECKSUM_BYTES - read.bodyAt, most)
  );
}

const floats = (name: string, ...values: readonly number[]): Row => ({
  name: `floats: ${name}`,
  type: 'float32',
  bits: values.map((value) => bitsOf('float32', value)),
});

const floatBits = (name: string, ...bits: readonly number[]): Row => ({
  name: `floats: ${name}`,
  type: 'float32',
  bits,
});

const whole = (name: string, type: 'uint32' | 'int32', ...values: readonly number[]): Row => ({
  name: `${type}: ${name}`,
  type,
  bits: values.map((value) => bitsOf(type, value)),
});

const at = (name: string, ...stepsMs: readonly number[]): Row => {
  const timesMs = [BASE_MS];
  for (const step of stepsMs) timesMs.push((timesMs.at(-1) as number) + step);
  return { name: `times: ${name}`, type: 'uint32', bits: timesMs.map(() => 4), timesMs };
};

const many = (count: number, of: (i: number) => number): number[] => Array.from({ length: count }, (_, i) => of(i));

/** As irregular as a sensor's last digit, the same every time. */
function wobble(i: number, below: number): number {
  let bits = Math.imul(i + 1, 0x9e37_79b1);
  bits = Math.imul(bits ^ (bits >>> 15), 0x85eb_ca6b);
  return ((bits ^ (bits >>> 13)) >>> 0) % below;
}

const FLOATS: readonly Row[] = [
  floats('tenths', 21.4, 21.5, 21.3, 21.4, 21.9),
  floats('tenths below zero', -21.4, -21.5, -21.3, -21.4, -21.9),
  ...[0, 1, 2, 3, 4, 5, 6, 7].map((power) =>
    floats(`in steps of 10 to the power of -${power}`, ...many(12, (i) => (7 + wobble(i, 90)) / 10 ** power)),
  ),
  ...many(16, (i) => i + 1).map((power) =>
    floats(`in steps of 2 to the power of -${power}`, ...many(12, (i) => (2 * wobble(i, 40) + 1) / 2 ** power)),
  ),
  floats('of which a binary scale takes all but the last', 1.5, 2.5, 7.5, 0.5, 0.1),
  floats('of which no scale takes the last', 1.5, 2.5, 7.5, 0.5, 1 / 3),
  floats('quarters, which are hundredths too', 0.25, 0.5, 0.75, 12.5, 9.25),
  floats('halves, which are tenths too', 0.5, 1.5, 3.5, 2.5, 9.5),
  floats('whole numbers', 2, 4, 9, 1, 16, 3),
  floats('whole numbers, all even', 1_024, 2_048, 512, 4_096),
  floats('with -0', ...many(40, (i) => (i === 20 ? -0 : wobble(i, 200) / 10))),
  floats('with NaN', ...many(40, (i) => (i === 20 ? Number.NaN : wobble(i, 200) / 10))),
  floats('from -0 on', -0, ...many(40, (i) => wobble(i, 200) / 10)),
  floats('NaN alone', Number.NaN),
  floatBits('NaN with a message', 0x7fc0_0001, 0x7fc0_0002, 0x7fc0_0003, 0x7fc0_0001, 0x7fc0_0004),
  floatBits('NaN with its sign set', 0xffc0_0000, 0xffc0_0001, 0xffc0_0000, 0xffc0_0003),
  floats('infinities', Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY),
  floats('infinity after whole numbers', 1, 2, 3, Number.NEGATIVE_INFINITY),
  floats('up to 2^23', ...many(24, (i) => 2 ** 23 - wobble(i, 900)), 2 ** 23),
  floats('down to -2^23', ...many(24, (i) => wobble(i, 900) - 2 ** 23), -(2 ** 23)),
  floats('up to 2^23, and down to it', ...many(24, (i) => 2 ** 23 - 4 * wobble(i, 900))),
  floats('above 2^23, each the next', ...many(9, (i) => 2 ** 23 + 7 + wobble(i, 12))),
  floats('below -2^23, each the next', ...many(9, (i) => -(2 ** 23) - 7 - wobble(i, 12))),
  floats('one above 2^23 among whole numbers', 8_388_600, 8_388_601, 8_388_609, 8_388_602),
  floats('large and in steps of a thousand', ...many(9, (i) => 3e9 + 256_000 * i)),
  floatBits('noise', ...many(12, (i) => wobble(i, 2 ** 32))),
  floats('noise around a hundred', ...many(12, (i) => 100 + wobble(i, 1_000_000) / 1e6)),
  floats('so near to each other that their order is short', ...many(20, (i) => Math.fround(0.1) + i * 2 ** -25)),
  floats('a ramp', ...many(40, (i) => i / 4)),
  floats('a ramp that bends', ...many(40, (i) => (i * i) / 8)),
  floats('all the same', ...many(40, () => 98.6)),
];

const WHOLE: readonly Row[] = [
  whole('one', 'uint32', 7),
  whole('one of 63, which is a varint of a byte', 'uint32', 63),
  whole('one of 64, which is a varint of two', 'uint32', 64),
  whole('two', 'uint32', 7, 9),
  whole('three', 'uint32', 7, 900, 12),
  whole('three on a line', 'uint32', 1_000, 9_000, 17_000),
  whole('a counter', 'uint32', ...many(30, (i) => 70_000 + i)),
  whole('a counter of thousands', 'uint32', ...many(30, (i) => 70_000 + 1_000 * i)),
  whole('a counter that falls behind at times', 'uint32', ...many(30, (i) => 1_000 * i - wobble(i, 3))),
  whole('over the top and round', 'uint32', ...many(12, (i) => 2 ** 32 - 6 + i)),
  whole('from end to end', 'uint32', ...many(12, (i) => (i % 2) * (2 ** 32 - 1))),
  whole('from the middle on', 'int32', ...many(12, (i) => 2 ** 31 - 6 + i)),
  whole('around zero', 'int32', ...many(12, (i) => (i % 2 === 0 ? i : -i))),
  whole('a walk', 'int32', ...many(60, (i) => wobble(i, 9) - 4)),
  whole('a long walk', 'int32', ...many(600, (i) => wobble(i, 33) - 16)),
  whole('a full block', 'uint32', ...many(1_024, (i) => wobble(i, 5))),
  whole('random', 'uint32', ...many(12, (i) => Math.imul(i + 1, 0x9e37_79b1) >>> 0)),
  ...many(16, (i) => i + 12).map((power) =>
    whole(
      `jumps below 2^${power}`,
      'uint32',
      ...many(24, (i) => wobble(i * 31, 2 ** Math.min(power, 16)) * 2 ** Math.max(0, power - 16)),
    ),
  ),
  ...[14, 15, 16, 17].map((ones) =>
    whole(
      `a jump ${ones} times as high as the others`,
      'uint32',
      ...many(20, (i) => (i < 10 ? 8 * (i % 2) : 8 * ones + 8 * (i % 2))),
    ),
  ),
  whole('one step whose code is sixteen ones exactly', 'uint32', ...many(64, (i) => (i > 40 ? 8 : 0))),
  ...many(10, (i) => i + 8).map((power) =>
    whole(
      `one jump, twelve times as high as the others below 2^${power}`,
      'uint32',
      ...many(40, (i) => (i > 20 ? 12 * 2 ** power : 0) + wobble(i, 2 ** power)),
    ),
  ),
  whole('mostly the same', 'uint32', ...many(64, (i) => (i % 16 === 5 ? 1 : 0))),
  whole('mostly the same, with one jump of 30 bits', 'uint32', ...many(64, (i) => (i > 40 ? 2 ** 30 : 0))),
];

const TIMES: readonly Row[] = [
  at('one record'),
  at('a second apart', ...many(12, () => 1_000)),
  at('about a second apart', ...many(12, (i) => 1_000 + wobble(i, 9))),
  at('at one moment', ...many(12, () => 0)),
  at('a millisecond apart, or at one moment', ...many(12, (i) => i % 2)),
  at('backwards', ...many(12, (i) => -40 - wobble(i, 5))),
  at('back and forth', ...many(12, (i) => (i % 2 === 0 ? 5_000 : -5_000))),
  at('one late', ...many(40, (i) => (i === 20 ? 90_000 : 1_000 + (i % 2)))),
  at('apart by just what 32 bits hold', 200, 2 ** 32 + 199, ...many(20, () => 200)),
  at('apart by one more', 200, 2 ** 32 + 200, ...many(20, () => 200)),
  at('back by so much that only the distance fits 32 bits', 2 ** 31 - 200, -(2 ** 31), ...many(20, () => 200)),
  at('64 ms apart, which takes a byte more than 63', 64),
  at('back by just what 32 bits hold', 2 ** 31 - 1, -(2 ** 31), 7, 7),
  at('back by one more', 2 ** 31, -(2 ** 31), 7, 7),
  at('two records, where raw is the smaller', 3),
  at('three records', 3, 4),
  at('four records', 63, 62, 63),
  at('a long way, evenly', ...many(9, () => 86_400_000)),
];

export const PACKED_SMALL: readonly Case[] = [...FLOATS, ...WHOLE, ...TIMES].map((row) => ({
  name: `packed: ${row.name}: bit for bit, and no smaller way is left`,
  check: () => lookAt(row),
}));
