/**
 * Blocks of any bytes, judged by the engine and by the kit's own reader, which must agree: on whether a block stands there,
 * and on every record of it. The checksums are right in all of them, so it is the layout alone that decides.
 *
 * Whole blocks of every kind come first; then each of them with a bit of its head or body turned over, with a byte more,
 * and with a byte less.
 */
import { crc32 } from 'node:zlib';
import type { BlockInfo } from '../../src/core/segment.ts';
import { blockSeed, decodeBlock, decodes, readBlock } from '../../src/core/segment.ts';
import { Bytes } from '../format/bytes-out.ts';
import { seedOf } from '../format/cursor.ts';
import { readBlock as readAsDocumented } from '../format/read-block.ts';
import type { Case } from './case.ts';
import { differs } from './case.ts';

const STORE_ID = Uint8Array.from({ length: 16 }, (_, i) => 255 - 3 * i);
const NUMBER = 9;
const BASE_MS = 1_700_000_000_000;
/** Where the block stands; what is before it is not looked at. */
const AT = 64;
const CHECKSUM_BYTES = 4;
/** Behind the block; nothing of it is the block's. */
const BEHIND = Uint8Array.from({ length: 8 }, (_, i) => 0xa5 ^ i);
const SEED = seedOf(STORE_ID, NUMBER, 0);

interface Content {
  readonly name: string;
  readonly tag: number;
  readonly records: number;
  /** As written: 4 times the mantissa and the zeros in version 2; of tsd. */
  readonly period?: number;
  /** Left out where the records tell. */
  readonly bodyBytes?: boolean;
  readonly body: readonly number[];
  readonly sensor?: number;
  readonly first?: number;
  /** The first record's, less the segment's. */
  readonly timeMs?: number;
}

const packed = (write: (out: Bytes) => void): number[] => {
  const out = new Bytes();
  write(out);
  return [...out.whole()];
};

const raw = (...values: readonly number[]): number[] =>
  packed((out) => {
    for (const value of values) out.little(value >>> 0, 4);
  });

/** Bits as text, filled up with zeros to whole bytes. */
const bits = (...codes: readonly string[]): number[] => {
  const text = codes.join('');
  return (text.padEnd(8 * Math.ceil(text.length / 8), '0').match(/.{8}/g) ?? []).map((byte) =>
    Number.parseInt(byte, 2),
  );
};

const escaped = (value: number): string => '1'.repeat(16) + value.toString(2).padStart(32, '0');
const ones = (count: number, low = ''): string => `${'1'.repeat(count)}0${low}`;
const varint = (value: number): number[] => packed((out) => out.varint(value));

const UINT32 = 0;
const INT32 = 1;
const FLOAT32 = 2;
const TSD = 0x80;
const EVT = 0x84;
const COMPACT = 0x20;
const VALUES = 0x08;
const TIMES = 0x10;
const SECOND = 32;
const IN_ORDER = 64;
const SCALED = 128;

const tsd = (name: string, type: number, records: number, body: readonly number[]): Content => ({
  name,
  tag: TSD + COMPACT + VALUES + type,
  records,
  period: 4 * 25,
  body,
});

/** An evt block of three records of packed values with these packed times. */
const times = (name: string, body: readonly number[]): Content => ({
  name: `times: ${name}`,
  tag: EVT + COMPACT + VALUES + TIMES,
  records: 3,
  body: [31, ...varint(14), ...body],
});

const PARAMETERS = Array.from({ length: 31 }, (_, parameter) => parameter);
const lowBits = (parameter: number, value: number): string =>
  parameter === 0 ? '' : (value % 2 ** parameter).toString(2).padStart(parameter, '0');

const CONTENTS: readonly Content[] = [
  { name: 'raw tsd of version 1', tag: TSD + INT32, records: 3, period: 250, body: raw(5, -5, 2 ** 31 - 1) },
  {
    name: 'raw evt of version 1',
    tag: EVT + FLOAT32,
    records: 3,
    body: [...raw(0x3f80_0000, 0x7fc0_0001, 0x8000_0000), 20, 63],
  },
  { name: 'one raw evt record of version 1', tag: EVT, records: 1, body: raw(8) },
  {
    name: 'raw tsd',
    tag: TSD + COMPACT,
    records: 3,
    period: 4 * 25 + 1,
    bodyBytes: false,
    body: raw(1, 2 ** 32 - 1, 3),
  },
  { name: 'raw evt', tag: EVT + COMPACT + INT32, records: 3, body: [...raw(9, 8, 7), 1, 200, 1] },
  { name: 'one raw evt record', tag: EVT + COMPACT, records: 1, body: raw(8) },
  { name: 'raw evt with packed times', tag: EVT + COMPACT + TIMES, records: 3, body: [...raw(9, 8, 7), 31, 40] },
  {
    name: 'a large sensor',
    tag: TSD + COMPACT,
    records: 1,
    period: 4,
    bodyBytes: false,
    body: raw(6),
    sensor: 2 ** 32 - 1,
  },
  {
    name: 'a late sequence number, and a period of thousands',
    tag: TSD + COMPACT,
    records: 2,
    period: 4 * 86_400 + 3,
    bodyBytes: false,
    body: raw(6, 7),
    first: 2 ** 53 - 20,
    timeMs: -5_000_000,
  },
  tsd('all the same', UINT32, 5, [31, ...varint(14)]),
  tsd('one packed value', UINT32, 1, [31, 14]),
  tsd('a first number of five bytes', INT32, 2, [31, ...varint(2 ** 32 - 1)]),
  tsd('a first number above 32 bits', INT32, 2, [31, ...varint(2 ** 32)]),
  tsd('a first number of five bytes, the last of them needless', INT32, 2, [31, 0x8e, 0x80, 0x80, 0x80, 0x00]),
  tsd('a first number of six bytes', INT32, 2, [31, 0x8e, 0x80, 0x80, 0x80, 0x80, 0x00]),
  tsd('a first number that the body cuts off', INT32, 2, [31, 0x8e, 0x80]),
  tsd('a line', UINT32, 6, [31 + SECOND, ...varint(14), ...varint(2_000)]),
  tsd('a line through the top', UINT32, 6, [31 + SECOND, ...varint(2 ** 32 - 2), ...varint(2 ** 32 - 2)]),
  tsd('a line of two', UINT32, 2, [31 + SECOND, ...varint(14), ...varint(2_000)]),
  tsd('a first difference that the body cuts off', UINT32, 6, [31 + SECOND, ...varint(14), 0x8e]),
  tsd('a first difference above 32 bits', UINT32, 6, [31 + SECOND, ...varint(14), ...varint(2 ** 32)]),
  tsd('bends', INT32, 5, [
    2 + SECOND,
    ...varint(14),
    ...varint(7),
    ...bits(ones(0, '11'), ones(1, '01'), ones(5, '10')),
  ]),
  tsd('floats in their order', FLOAT32, 4, [
    1 + IN_ORDER,
    ...varint(3),
    ...bits(ones(0, '1'), ones(0, '0'), ones(2, '1')),
  ]),
  tsd('floats in their order, with bends', FLOAT32, 4, [0 + IN_ORDER + SECOND, 9, 4, ...bits(ones(3), ones(0))]),
  ...Array.from({ length: 25 }, (_, scale) =>
    tsd(`scale ${scale}`, FLOAT32, 3, [3 + SCALED, scale, ...varint(431), ...bits(ones(0, '110'), ones(1, '001'))]),
  ),
  tsd('-0 and NaN', FLOAT32, 3, [30 + SCALED, 1, ...varint(2 ** 32 - 1), ...bits(escaped(1), ones(1, lowBits(30, 5)))]),
  tsd('a way that there is not', FLOAT32, 3, [31 + 192, 0, ...varint(12)]),
  tsd('scaled, and the body ends behind the scale', FLOAT32, 2, [31 + SCALED, 1]),
  ...PARAMETERS.flatMap((parameter) => [
    tsd(`parameter ${parameter}`, UINT32, 4, [
      parameter,
      ...varint(14),
      ...bits(
        ones(0, lowBits(parameter, 0x5a5a_5a5a)),
        ones(15, lowBits(parameter, 0x2f3c_9b71)),
        ones(3, lowBits(parameter, 1)),
      ),
    ]),
    tsd(`parameter ${parameter}, from the middle of a byte on`, UINT32, 4, [
      parameter,
      ...varint(14),
      ...bits(
        ones(1, lowBits(parameter, 3)),
        ones(6, lowBits(parameter, 0x7fff_fffe)),
        ones(0, lowBits(parameter, 0x1234_5678)),
      ),
    ]),
  ]),
  ...[1, 7, 8, 15].map((before) =>
    tsd(`a number in full behind ${before + 1} bits`, UINT32, 3, [
      0,
      ...varint(14),
      ...bits(ones(before), escaped(0x89ab_cdef)),
    ]),
  ),
  tsd('a number in full that ends with its byte', UINT32, 2, [0, ...varint(14), ...bits(escaped(3))]),
  tsd('more than sixteen ones', UINT32, 2, [0, ...varint(14), ...bits(`${'1'.repeat(20)}${'10'.repeat(14)}`)]),
  tsd('codes that the body cuts off', UINT32, 9, [4, ...varint(14), ...bits(ones(0, '1111'), ones(2, '1'))]),
  tsd('no codes at all', UINT32, 3, [4, ...varint(14)]),
  tsd('a code that ends a bit behind the body', UINT32, 3, [4, ...varint(14), 0b0000_0111, 0b1111_1110]),
  times('the same step', [31, ...varint(2_000)]),
  times('backwards', [31, ...varint(1_999)]),
  times('steps of eight bytes', [31, ...varint(2 ** 52)]),
  times('a step that is too large', [31, ...varint(2 ** 53)]),
  times('a step of nine bytes', [31, 0x8e, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00]),
  times('two steps', [3, ...varint(40), ...bits(ones(0, '101'), ones(4, '010'))]),
  times('two steps, one in full', [3, ...varint(40), ...bits(ones(0, '101'), escaped(2 ** 32 - 1))]),
  times('a parameter that there is not', [32, ...varint(40)]),
  times('a parameter that there is not, and bits for it', [
    32,
    ...varint(40),
    ...bits(`0${'01'.repeat(16)}`, `0${'10'.repeat(16)}`),
  ]),
  times('a step that the body cuts off', [31, 0x8e]),
  times('codes that the body cuts off', [3, ...varint(40), ...bits(ones(0, '101'))]),
  times('nothing', []),
  times('no step', [31]),
  { name: 'packed times of one record', tag: EVT + COMPACT + VALUES + TIMES, records: 1, body: [31, 14, 31, 40] },
  {
    name: 'packed times in a tsd block',
    tag: TSD + COMPACT + TIMES,
    records: 2,
    period: 4,
    body: [...raw(1, 2), 31, 4],
  },
  { name: 'packing in a block of version 1', tag: TSD + VALUES, records: 2, period: 4, body: [31, 14] },
  { name: 'packed times in a block of version 1', tag: EVT + TIMES, records: 2, body: [...raw(1, 2), 31, 4] },
  { name: 'a type that there is not', tag: TSD + COMPACT + 3, records: 1, period: 4, bodyBytes: false, body: raw(6) },
  { name: 'no mark of a block', tag: 0x40 + COMPACT, records: 1, period: 4, bodyBytes: false, body: raw(6) },
  { name: 'a mark with a bit more', tag: 0xc0 + COMPACT, records: 1, period: 4, bodyBytes: false, body: raw(6) },
  { name: 'no records', tag: TSD + COMPACT, records: 0, period: 4, bodyBytes: false, body: [] },
  { name: 'no packed records', tag: TSD + COMPACT + VALUES, records: 0, period: 4, body: [31, 14] },
  { name: '1,024 records', tag: TSD + COMPACT + VALUES, records: 1_024, period: 4, body: [31, 14] },
  { name: '1,025 records', tag: TSD + COMPACT + VALUES, records: 1_025, period: 4, body: [31, 14] },
  {
    name: '1,015 raw records',
    tag: TSD,
    records: 1_015,
    period: 4,
    body: raw(...Array.from({ length: 1_015 }, () => 6)),
  },
  {
    name: 'a body of 4,096 bytes',
    tag: TSD,
    records: 1_024,
    period: 4,
    body: raw(...Array.from({ length: 1_024 }, () => 6)),
  },
  { name: 'a raw body that is longer than its records', tag: TSD, records: 2, period: 4, body: raw(6, 6, 6) },
  { name: 'a raw body that is shorter than its records', tag: TSD, records: 2, period: 4, body: raw(6) },
];

/** Head and body, without the checksum. */
function bytesOf(content: Content): Uint8Array {
  const { tag, records, period, bodyBytes = true, body, sensor = 300, first = 70_000, timeMs = 12_345 } = content;
  const out = new Bytes().little(tag, 1).varint(sensor).varint(first).varint(records).zigzag(timeMs);
  if (period !== undefined) out.varint(period);
  if (bodyBytes) out.varint(body.length);
  return out.copy(body).whole();
}

/** The file in which the bytes stand as a block, with the checksum that makes them one. */
function fileOf(block: Uint8Array): Uint8Array {
  const checksum = new Bytes().little(crc32(block, (SEED ^ AT) >>> 0), 4).whole();
  return new Bytes().copy(new Uint8Array(AT)).copy(block).copy(checksum).copy(BEHIND).whole();
}

/** Both judgements of the block, as text: what is wrong with it, or all that is in it. */
function judged(file: Uint8Array, limit: number): { readonly engine: unknown; readonly documented: unknown } {
  const documented = readAsDocumented({ bytes: file, limit, epoch: 1, baseMs: BASE_MS, seed: SEED }, AT);
  const block = readBlock(file, AT, limit, blockSeed(STORE_ID, NUMBER), BASE_MS);
  const whole = block === null ? null : recordsOf(file, block);
  return {
    engine: block !== null && whole !== null ? [block.offset + block.bytes, block.sensor, whole] : null,
    documented:
      documented === null
        ? null
        : [
            documented.block.to,
            documented.block.sensor,
            documented.block.records.map(({ sequence, valueBits, timeMs }) => [sequence, valueBits, timeMs]),
          ],
  };
}

/**
 * The records that the engine decodes, or null when it does not; a sentence when it decodes a part of them to something
 * else, or writes beside its place. What it leaves in its place when it does not decode is nobody's.
 */
function recordsOf(file: Uint8Array, block: BlockInfo): (readonly number[])[] | string | null {
  const { records } = block;
  const timesMs = new Float64Array(records + 2).fill(-1);
  const values = new Uint32Array(records + 2).fill(77);
  const decoded = decodeBlock(file, block, 0, records, timesMs, values, 1);
  if (decoded !== decodes(file, block)) return 'it decodes, and it does not';
  const outside = [timesMs[0], values[0], timesMs.at(-1), values.at(-1)];
  if (outside.join() !== '-1,77,-1,77') return `it writes beside its place: ${outside.join()}`;
  if (!decoded) return null;
  const middleMs = new Float64Array(records).fill(-1);
  const middle = new Uint32Array(records).fill(77);
  decodeBlock(file, block, 1, records - 2, middleMs, middle, 0);
  for (let i = 0; i < records; i++) {
    const inside = i < records - 2;
    const wanted = inside ? [timesMs[i + 2], values[i + 2]] : [-1, 77];
    if (middleMs[i] !== wanted[0] || middle[i] !== wanted[1]) return `from its second record on, ${i} is another`;
  }
  return Array.from({ length: records }, (_, i) => [
    block.first + i,
    values[i + 1] as number,
    timesMs[i + 1] as number,
  ]);
}

/** @returns where the two differ over this block. */
function disagreement(block: Uint8Array, what: string): string | null {
  const file = fileOf(block);
  const limit = file.length - BEHIND.length;
  const { engine, documented } = judged(file, limit);
  return differs(what, engine, documented);
}

/** The block with each of its bits turned over, one at a time, in places that many blocks have between them. */
function* changed(block: Uint8Array): Iterable<readonly [Uint8Array, string]> {
  const places = block.length > 64 ? [...Array(24).keys(), block.length - 1] : [...block.keys()];
  for (const place of places) {
    for (let bit = 0; bit < 8; bit++) {
      const copy = block.slice();
      copy[place] = (copy[place] as number) ^ (1 << bit);
      yield [copy, `with bit ${bit} of byte ${place} turned over`];
    }
  }
  yield [block.subarray(0, -1), 'without its last byte'];
  yield [new Bytes().copy(block).copy([0]).whole(), 'with a byte more'];
}

export const PACKED_JUDGED: readonly Case[] = CONTENTS.map((content) => ({
  name: `blocks: ${content.name}, and whatever is a bit away from it, is judged as the format says`,
  check: () => {
    const block = bytesOf(content);
    const found = disagreement(block, 'the block');
    if (found !== null) return found;
    for (const [other, what] of changed(block)) {
      const wrong = disagreement(other, `the block ${what}`);
      if (wrong !== null) return wrong;
    }
    const file = fileOf(block);
    const end = AT + block.length + CHECKSUM_BYTES;
    return (
      differs('a block that ends a byte behind the limit', judged(file, end - 1).engine, null) ??
      differs('a block whose checksum is another', judged(turned(file, end - 1), end).engine, null)
    );
  },
}));

function turned(file: Uint8Array, place: number): Uint8Array {
  const copy = file.slice();
  copy[place] = (copy[place] as number) ^ 0x10;
  return copy;
}
