// Goal: the quick look at a segment says what the careful one says of a whole segment, and nothing of one with any damage.
// Method: segments of random streams, both looks compared block by block; then each bit turned, blocks swapped, copied from
// elsewhere and cut, a segment in a larger file, one of format version 1; the register behind zeros against zeros themselves.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 as zlibCrc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc32, ZeroBytes } from '../../src/core/crc32.ts';
import type { SegmentHeader } from '../../src/core/segment.ts';
import { readSegmentHeader, SegmentBuilder, scanSegment } from '../../src/core/segment.ts';
import type { BlockColumns, MetStream } from '../../src/core/segment-columns.ts';
import { SegmentColumns } from '../../src/core/segment-columns.ts';

const HEADER: SegmentHeader = {
  source: 1,
  epoch: 7,
  storeId: Uint8Array.from({ length: 16 }, (_, i) => i * 17),
  number: 41,
  flush: 9,
  baseTimeMs: 1_700_000_000_000,
};

interface Run {
  readonly evt: boolean;
  readonly type: number;
  readonly sensor: number;
  readonly periodMs: number;
  readonly first: number;
  readonly bits: readonly number[];
}

const run: fc.Arbitrary<Run> = fc.record({
  evt: fc.boolean(),
  type: fc.integer({ min: 0, max: 2 }),
  sensor: fc.oneof(fc.nat(3), fc.nat(0xffff_ffff)),
  periodMs: fc.oneof(fc.constantFrom(1, 250, 1_000, 60_000), fc.integer({ min: 1, max: 2 ** 31 - 1 })),
  first: fc.oneof(
    fc.nat(300),
    fc.maxSafeNat().map((n) => n % 2 ** 48),
  ),
  bits: fc.array(fc.oneof(fc.nat(200), fc.nat(0xffff_ffff)), { minLength: 1, maxLength: 80, size: 'max' }),
});
const runs = fc.array(run, { minLength: 1, maxLength: 40, size: 'max' });

function build(of: readonly Run[], header = HEADER): Uint8Array {
  const builder = new SegmentBuilder(header);
  for (const { first, bits, ...stream } of of) {
    const timesMs = Float64Array.from(bits, (_, i) => header.baseTimeMs + i * (stream.evt ? i : stream.periodMs));
    builder.add({ slot: 0, ...stream }, first, timesMs, Uint32Array.from(bits), bits.length);
  }
  return builder.finish();
}

const FIXED: readonly Run[] = [0, 1, 2, 3, 4].map((sensor) => ({
  evt: sensor % 2 === 1,
  type: 0,
  sensor,
  periodMs: 1_000,
  first: 5,
  bits: [sensor, 2, 0xffff_0000, 3, 9, 0x1234_5678],
}));

const look = (bytes: Uint8Array, columns = new SegmentColumns(zlibCrc32)): BlockColumns | null =>
  columns.read(bytes, HEADER);

function withoutCount(stream: MetStream | undefined): Omit<MetStream, 'blocks'> | undefined {
  if (stream === undefined) return undefined;
  const { blocks: _, ...rest } = stream;
  return rest;
}

function expectSame(bytes: Uint8Array, columns: SegmentColumns, seen: BlockColumns | null): void {
  const scan = scanSegment(bytes);
  if (scan.state !== 'ok') throw new Error(`the scan answers ${scan.state}`);
  const found = [...(seen?.streams ?? [])].map((stream, i) => ({
    ...withoutCount(columns.streams[stream]),
    first: seen?.first[i],
    records: seen?.records[i],
    offset: seen?.offsets[i],
    bytes: seen?.blockBytes[i],
  }));
  const expected = scan.blocks.map(({ evt, type, sensor, periodMs, first, records, offset, bytes: size }) => ({
    ...{ source: HEADER.source, evt, type, sensor, periodMs },
    ...{ first, records, offset, bytes: size },
  }));
  expect(found).toEqual(expected);
}

describe('the quick look', () => {
  it('says of every whole segment what the careful one says, one segment after the other', () => {
    const columns = new SegmentColumns(zlibCrc32);
    fc.assert(
      fc.property(runs, (of) => {
        const bytes = build(of);
        expectSame(bytes, columns, look(bytes, columns));
      }),
    );
  });

  it('does without a checksum of the platform', () => {
    const columns = new SegmentColumns();
    const bytes = build(FIXED);
    expectSame(bytes, columns, look(bytes, columns));
  });

  it('takes a segment in a larger file', () => {
    const columns = new SegmentColumns(zlibCrc32);
    const bytes = new Uint8Array(20_000).fill(0xa5);
    bytes.set(build(FIXED));
    expectSame(bytes, columns, look(bytes, columns));
  });

  it('counts the blocks of each stream, of sound segments alone', () => {
    const columns = new SegmentColumns(zlibCrc32);
    const bytes = build([...FIXED, ...FIXED]);
    look(bytes, columns);
    look(bytes.slice(0, -1), columns);
    expect(columns.streams.map(({ blocks }) => blocks)).toEqual([2, 2, 2, 2, 2]);
  });

  it('goes on in new columns when the first ones are full, and leaves those that it gave', () => {
    const columns = new SegmentColumns(zlibCrc32);
    const many = build(Array.from({ length: 2_000 }, (_, i) => ({ ...(FIXED[0] as Run), first: i, bits: [i] })));
    const seen = Array.from({ length: 12 }, () => look(many, columns));
    for (const each of seen) expectSame(many, columns, each);
  });

  it('tells two streams of one sensor apart', () => {
    const columns = new SegmentColumns(zlibCrc32);
    const [one] = FIXED as [Run];
    look(build([one, { ...one, periodMs: 7 }, { ...one, type: 2 }, { ...one, evt: true }]), columns);
    expect(columns.streams).toHaveLength(4);
  });
});

describe('of a segment that is not sound', () => {
  const sound = build(FIXED);

  it('says nothing when any bit behind the header is turned', () => {
    const taken: string[] = [];
    for (let bit = 64 * 8; bit < sound.length * 8; bit++) {
      const bytes = sound.slice();
      bytes[bit >>> 3] = (bytes[bit >>> 3] as number) ^ (1 << (bit & 7));
      if (look(bytes) !== null) taken.push(`byte ${bit >>> 3}, bit ${bit & 7}`);
    }
    expect(taken).toEqual([]);
  });

  it('says nothing when it is cut short anywhere', () => {
    for (let length = 0; length < sound.length; length++) expect(look(sound.slice(0, length))).toBeNull();
  });

  it('says nothing when two blocks of one size have changed places', () => {
    const bits = [1, 2, 3, 4, 5, 6];
    const bytes = build([10, 20].map((sensor) => ({ evt: false, type: 0, sensor, periodMs: 10, first: 0, bits })));
    const [a, b] = blocksOf(bytes);
    if (a === undefined || b === undefined || a.length !== b.length) throw new Error('two blocks of one size');
    const swapped = bytes.slice();
    swapped.set(b, 64);
    swapped.set(a, 64 + b.length);
    expect([look(bytes) === null, look(swapped) === null]).toEqual([false, true]);
  });

  it('says nothing when all its blocks are of another segment', () => {
    const other = build(FIXED, { ...HEADER, number: 42 });
    const bytes = sound.slice();
    bytes.set(other.subarray(64, -64), 64);
    expect(look(bytes)).toBeNull();
  });

  it('leaves blocks of format version 1 to the careful look', () => {
    const folder = join(import.meta.dirname, '../fixtures/store-v1/store/host');
    const bytes = readFileSync(join(folder, '000000000001.seg'));
    const header = readSegmentHeader(bytes, 0);
    if (header.state !== 'ok') throw new Error('the fixture is whole');
    expect(new SegmentColumns(zlibCrc32).read(bytes, header.header)).toBeNull();
  });
});

function blocksOf(bytes: Uint8Array): Uint8Array[] {
  const scan = scanSegment(bytes);
  return scan.state === 'ok' ? scan.blocks.map(({ offset, bytes: size }) => bytes.slice(offset, offset + size)) : [];
}

describe('the register of the checksum', () => {
  it('is behind zeros what zeros make of it', () => {
    const zeros = new ZeroBytes();
    fc.assert(
      fc.property(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), fc.nat(8_191), (register, length) => {
        const expected = ~crc32(new Uint8Array(length), 0, length, ~register >>> 0);
        expect(zeros.behind(register, length)).toBe(expected);
      }),
    );
  });
});
