/**
 * Packed bodies of blocks: every bit comes back, nothing grows, and no bytes lead the reader astray (INV-03, INV-19).
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readBlock as readByDocument } from '../../conformance/format/read-block.ts';
import { writeSegment } from '../../conformance/format/write-segment.ts';
import { crc32 } from '../../src/core/crc32.ts';
import type { BlockInfo } from '../../src/core/segment.ts';
import { blockSeed, decodeBlock, decodes, readBlock, SegmentBuilder, scanSegment } from '../../src/core/segment.ts';

const HEADER = { source: 0, epoch: 3, storeId: new Uint8Array(16).fill(7), number: 5, flush: 2 };
const SEED = blockSeed(HEADER.storeId, HEADER.number);
const FIRST = 70_000;
const START_MS = 1_700_000_000_000;
/** Values and times packed, and the mark of version 2. */
const [VALUES, TIMES, COMPACT] = [8, 16, 32];

interface Records {
  readonly type: number;
  readonly evt: boolean;
  readonly bits: readonly number[];
  readonly timesMs: readonly number[];
}

const bitsOf = (value: number): number => new Uint32Array(new Float32Array([value]).buffer)[0] as number;
const gridOf = (count: number): number[] => Array.from({ length: count }, (_, i) => START_MS + i * 1000);

/** The one block that they make: the file, and what its head says. */
function pack({ type, evt, bits, timesMs }: Records): { bytes: Uint8Array; block: BlockInfo } {
  const builder = new SegmentBuilder({ ...HEADER, baseTimeMs: timesMs[0] as number });
  const stream = { slot: 0, evt, type, sensor: 300, periodMs: 1000 };
  const taken = builder.add(stream, FIRST, Float64Array.from(timesMs), Uint32Array.from(bits), bits.length);
  if (taken !== bits.length) throw new Error(`${taken} of ${bits.length} records were taken`);
  const bytes = builder.finish();
  return { bytes, block: readBlock(bytes, 64, bytes.length - 64, SEED, timesMs[0] as number) as BlockInfo };
}

function unpack(bytes: Uint8Array, block: BlockInfo): { bits: number[]; timesMs: number[] } | null {
  const timesMs = new Float64Array(block.records);
  const bits = new Uint32Array(block.records);
  if (!decodeBlock(bytes, block, 0, block.records, timesMs, bits, 0)) return null;
  return { bits: [...bits], timesMs: [...timesMs] };
}

/** Bytes of a block of version 1 with the same records. */
function rawBytes({ evt, bits, timesMs, type }: Records): number {
  const kind = evt ? 'evt' : 'tsd';
  const types = ['uint32', 'int32', 'float32'] as const;
  const block = { sensor: 300, kind, type: types[type as 0], periodMs: 1000, first: FIRST, timesMs, bits } as const;
  return writeSegment({ ...HEADER, source: 'host', version: 1, blocks: [block] }).length - 128;
}

const anyBits = fc.oneof(
  fc.nat(0xffff_ffff),
  fc.constantFrom(0, 0xffff_ffff, 0x8000_0000, 0x7fff_ffff, 0x7f80_0001, 0xffc0_0001, 0x7f80_0000),
);
const walk = fc
  .tuple(fc.nat(0xffff_ffff), fc.array(fc.integer({ min: -900, max: 900 }), { minLength: 1, maxLength: 120 }))
  .map(([start, steps]) =>
    steps.map(
      (
        (at) => (step: number) =>
          (at = (at + step) >>> 0)
      )(start),
    ),
  );
const scaled = fc
  .tuple(
    fc.constantFrom(1, 10, 1000, 1e7, 2, 16, 65_536, 3),
    fc.array(fc.integer({ min: -9e6, max: 9e6 }), { minLength: 1, maxLength: 120 }),
  )
  .map(([scale, numbers]) => numbers.map((number) => bitsOf(number / scale)));
const mixed = fc
  .tuple(fc.array(fc.double({ noDefaultInfinity: false }), { minLength: 1, maxLength: 90 }), fc.nat(89), anyBits)
  .map(([values, at, odd]) => values.map((value, i) => (i === at ? odd : bitsOf(Math.round(value * 100) / 100))));
const values = fc.oneof(
  fc.array(anyBits, { minLength: 1, maxLength: 120 }),
  fc.tuple(anyBits, fc.integer({ min: 1, max: 300 })).map(([bits, count]) => Array.from({ length: count }, () => bits)),
  walk,
  scaled,
  mixed,
);
const steps = fc.oneof(
  fc.constant((i: number) => i * 1000),
  fc.nat(60_000).map((step) => (i: number) => i * step + ((i * 7919) % 13)),
  fc.constant((i: number) => (i % 2 === 0 ? 2 ** 47 : -(2 ** 40))),
  fc.constant((i: number) => (i * 0x9e37_79b1) % 2 ** 33),
);
const records: fc.Arbitrary<Records> = fc
  .record({ type: fc.nat(2), evt: fc.boolean(), bits: values, step: steps })
  .map(({ type, evt, bits, step }) => {
    const grid = gridOf(bits.length);
    return { type, evt, bits, timesMs: evt ? grid.map((_, i) => 2 ** 47 + step(i)) : grid };
  });

describe('what is packed', () => {
  // Goal: every bit of every value and time comes back, for any data, also to a reader that shares no code. Method: arbitrary bits, walks, constants, scaled numbers and odd ones among them, all kinds of steps.
  it('comes back bit for bit, and never takes more than raw', () => {
    const packings = new Set<number>();
    fc.assert(
      fc.property(records, (given) => {
        const { bytes, block } = pack(given);
        packings.add(block.packing);
        expect(unpack(bytes, block)).toEqual({ bits: given.bits, timesMs: given.timesMs });
        const read = readByDocument(
          { bytes, limit: bytes.length - 64, epoch: 3, baseMs: given.timesMs[0] as number, seed: SEED },
          block.offset,
        );
        expect(read?.block.records.map(({ valueBits }) => valueBits)).toEqual(given.bits);
        expect(read?.block.records.map(({ timeMs }) => timeMs)).toEqual(given.timesMs);
        expect(block.bytes).toBeLessThanOrEqual(rawBytes(given));
      }),
      { numRuns: 400 },
    );
    expect(packings).toEqual(new Set([COMPACT, COMPACT | VALUES, COMPACT | TIMES, COMPACT | VALUES | TIMES]));
  });

  // Goal: what was found worth a codec is found by it. Method: the kinds of series that it was made for, with the bytes a record that they may take at most.
  it.each([
    ['constant', 2, (_: number) => bitsOf(21.5), 0.02],
    ['a counter', 0, (i: number) => i * 17, 0.03],
    ['a slow walk in tenths', 2, (i: number) => bitsOf(Math.round(200 + 30 * Math.sin(i / 50)) / 10), 0.4],
    ['sixteenths across 0', 2, (i: number) => bitsOf(Math.round(40 * Math.sin(i / 9)) / 16), 0.7],
    ['tenths, and NaN where there is none', 2, (i: number) => (i % 50 < 3 ? 0x7fc0_0000 : bitsOf((i % 9) / 10)), 1],
    ['negative whole numbers', 1, (i: number) => (-1000 - ((i * 7) % 5)) >>> 0, 0.6],
    ['floats of full precision', 2, (i: number) => bitsOf(75 + Math.sin(i * i)), 3.1],
    ['a jump now and then', 0, (i: number) => (i % 200 === 77 ? 0xffff_ffff : 5), 0.3],
  ] as const)('is small: %s', (_, type, of, bytesMax) => {
    const bits = Array.from({ length: 1000 }, (_, i) => of(i));
    const { bytes, block } = pack({ type, evt: false, bits, timesMs: gridOf(1000) });
    expect(unpack(bytes, block)?.bits).toEqual(bits);
    expect(block.bytes / 1000).toBeLessThan(bytesMax);
  });

  // Goal: what is remembered of a stream's last block never costs a bit, and little room. Method: blocks of one stream that change their ways in any order, beside the same blocks without a memory.
  it('comes back bit for bit when the way of the block before is tried first', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(scaled, mixed, walk), { minLength: 2, maxLength: 24 }), (runs) => {
        const header = { ...HEADER, baseTimeMs: START_MS };
        const builder = new SegmentBuilder(header, undefined, new Uint8Array(1));
        let first = 0;
        for (const run of runs) {
          const stream = { slot: 0, evt: false, type: 2, sensor: 300, periodMs: 1000 };
          const taken = builder.add(stream, first, Float64Array.of(START_MS), Uint32Array.from(run), run.length);
          expect(taken).toBe(run.length);
          first += taken;
        }
        const bytes = builder.finish();
        const found = scanSegment(bytes);
        const blocks = found.state === 'ok' ? found.blocks : [];
        expect(blocks.map((block) => unpack(bytes, block)?.bits)).toEqual(runs);
      }),
      { numRuns: 200 },
    );
  });

  // Goal: a sensor that changes its resolution is followed. Method: whole numbers, then hundredths, then whole numbers again, eight to a block.
  it('looks for the scale anew when it does not fit, and after eight blocks', () => {
    const known = new Uint8Array(1);
    const builder = new SegmentBuilder({ ...HEADER, baseTimeMs: START_MS }, undefined, known);
    const stream = { slot: 0, evt: false, type: 2, sensor: 300, periodMs: 1000 };
    const scales: (number | undefined)[] = [];
    for (let block = 0; block < 20; block++) {
      const inSteps = block >= 2 && block < 4 ? 100 : 1;
      const bits = Uint32Array.from({ length: 8 }, (_, i) => bitsOf((200 + ((i * 3) % 7)) / inSteps));
      builder.add(stream, block * 8, Float64Array.of(START_MS), bits, 8);
      scales.push((known[0] as number) & 31);
    }
    // 1 is 10^0, 3 is 10^2: hundredths are tried for the eight blocks that begin with the first of them.
    expect(scales).toEqual([1, 1, ...Array.from({ length: 8 }, () => 3), ...Array.from({ length: 10 }, () => 1)]);
  });

  // Goal: thousands of sensors with few records each: the block's own bytes count. Method: eight records of tenths; the size by name.
  it('costs 14 bytes of head and checksum for a small tsd block', () => {
    const bits = [201, 203, 202, 202, 205, 204, 206, 205].map((tenths) => bitsOf(tenths / 10));
    const { block } = pack({ type: 2, evt: false, bits, timesMs: gridOf(8) });
    const head = block.bodyAt - block.offset;
    expect([head + 4, block.bytes - head - 4]).toEqual([14, 7]);
  });
});

describe('bytes that are no packed block', () => {
  const given: Records = {
    type: 2,
    evt: true,
    bits: Array.from({ length: 40 }, (_, i) => bitsOf(((i * 31) % 17) / 10)),
    timesMs: Array.from({ length: 40 }, (_, i) => START_MS + i * 1000 + ((i * 5) % 7)),
  };

  /** The body in a block of its own, under a right checksum, as somebody who does not keep to the format may write it. */
  function sealed(packing: number, count: number, body: Uint8Array): { bytes: Uint8Array; block: BlockInfo | null } {
    const evt = (packing & TIMES) !== 0;
    const head = [0x80 | packing | (evt ? 4 : 0) | 2, 1, 0, (count & 0x7f) | 0x80, count >>> 7, 0];
    if (!evt) head.push(7);
    head.push((body.length & 0x7f) | 0x80, body.length >>> 7);
    const bytes = new Uint8Array(64 + head.length + body.length + 4);
    bytes.set(head, 64);
    bytes.set(body, 64 + head.length);
    const end = bytes.length - 4;
    new DataView(bytes.buffer).setUint32(end, crc32(bytes, 64, end, (SEED ^ 64) >>> 0), true);
    return { bytes, block: readBlock(bytes, 64, bytes.length, SEED, 0) };
  }

  // Goal: a reader ends, stays inside, and agrees with the document about what a body is. Method: noise of any length as a body, under a right checksum, read by both.
  it('are read to an end, whatever they are', () => {
    const outcomes = { records: 0, nothing: 0 };
    fc.assert(
      fc.property(
        fc.constantFrom(COMPACT | VALUES, COMPACT | VALUES | TIMES),
        fc.oneof(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 1024 })),
        fc.oneof(fc.uint8Array({ maxLength: 8 }), fc.uint8Array({ maxLength: 600 })),
        fc.constantFrom(0xff, 0x3f, 0x1f, 0x9f, 0x40),
        (packing, count, noise, mask) => {
          const body = noise.slice();
          if (body.length > 0) body[0] = (body[0] as number) & mask;
          const { bytes, block } = sealed(packing, count, body);
          const whole = block !== null && decodes(bytes, block);
          outcomes[whole ? 'records' : 'nothing']++;
          const read = readByDocument({ bytes, limit: bytes.length, epoch: 1, baseMs: 0, seed: SEED }, 64);
          expect(whole).toBe(read !== null);
          if (block === null || read === null) return;
          expect(unpack(bytes, block)?.bits).toEqual(read.block.records.map(({ valueBits }) => valueBits));
        },
      ),
      { numRuns: 1500 },
    );
    expect(outcomes.records).toBeGreaterThan(5);
    expect(outcomes.nothing).toBeGreaterThan(20);
  });

  // Goal: a body that was cut or changed under a new checksum is other records or nothing, never a crash and never more. Method: each length and each bit of a real one.
  it('cut off anywhere are nothing, and a turned bit is nothing or as many records', () => {
    const { bytes, block } = pack(given);
    const body = bytes.slice(block.bodyAt, block.offset + block.bytes - 4);
    expect(block.packing).toBe(COMPACT | VALUES | TIMES);
    for (let length = 0; length < body.length; length++) {
      const cut = sealed(block.packing, 40, body.slice(0, length));
      expect(cut.block !== null && decodes(cut.bytes, cut.block), `cut at ${length}`).toBe(false);
    }
    for (let bit = 0; bit < 8 * body.length; bit++) {
      const turned = body.slice();
      turned[bit >>> 3] = (turned[bit >>> 3] as number) ^ (1 << (bit & 7));
      const { bytes: changed, block: found } = sealed(block.packing, 40, turned);
      if (found !== null) expect(unpack(changed, found)?.bits.length ?? 40).toBe(40);
    }
  });

  // Goal: without a new checksum each of them costs the block. Method: every bit of the block.
  it('do not verify when a bit of the block turned', () => {
    const { bytes, block } = pack(given);
    for (let bit = 8 * block.offset; bit < 8 * (block.offset + block.bytes); bit++) {
      const turned = bytes.slice();
      turned[bit >>> 3] = (turned[bit >>> 3] as number) ^ (1 << (bit & 7));
      const scan = scanSegment(turned);
      expect(scan.state === 'ok' ? scan.blocks : null, `bit ${bit}`).toEqual([]);
    }
  });

  it('are refused by their tag, where it says what no version has', () => {
    const { bytes, block } = pack(given);
    const body = bytes.slice(block.bodyAt, block.offset + block.bytes - 4);
    for (const packing of [VALUES, TIMES, VALUES | TIMES]) expect(sealed(packing, 40, body).block).toBeNull();
    const tsd = pack({ ...given, evt: false, timesMs: gridOf(40) });
    tsd.bytes[64] = (tsd.bytes[64] as number) | TIMES;
    const end = tsd.block.offset + tsd.block.bytes - 4;
    new DataView(tsd.bytes.buffer).setUint32(end, crc32(tsd.bytes, 64, end, (SEED ^ 64) >>> 0), true);
    expect(readBlock(tsd.bytes, 64, tsd.bytes.length, SEED, 0)).toBeNull();
  });
});

describe('blocks of another hand', () => {
  // Goal: what the format allows is read, also where this program would write it otherwise. Method: records packed by the writer that shares no code, in both versions.
  it('are read as they were meant', () => {
    fc.assert(
      fc.property(records, fc.constantFrom(1, 2), fc.nat(1), ({ evt, bits, timesMs, type }, version, odd) => {
        fc.pre(!evt || Math.max(...timesMs) - Math.min(...timesMs) < 2 ** 31);
        const types = ['uint32', 'int32', 'float32'] as const;
        const kind = evt ? 'evt' : 'tsd';
        const block = { sensor: 9, kind, type: types[type as 0], periodMs: 1000, first: odd, timesMs, bits } as const;
        const bytes = writeSegment({ ...HEADER, source: 'host', version: version as 1 | 2, blocks: [block] });
        const scan = scanSegment(bytes);
        if (scan.state !== 'ok') throw new Error(`the segment is ${scan.state}`);
        expect(scan.blocks).toHaveLength(1);
        expect(unpack(bytes, scan.blocks[0] as BlockInfo)).toEqual({ bits, timesMs });
      }),
      { numRuns: 150 },
    );
  });
});
