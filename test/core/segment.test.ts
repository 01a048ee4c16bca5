/**
 * The segment format: what goes in comes out, bit for bit, and what is damaged costs the block it lies in (INV-19).
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BLOCK_BYTES_MAX, FILE_BYTES_MAX } from '../../src/core/config.ts';
import { crc32 } from '../../src/core/crc32.ts';
import type { BlockInfo, BlockStream, SegmentHeader } from '../../src/core/segment.ts';
import {
  blockSeed,
  decodeBlock,
  readBlock,
  readSegmentHeader,
  SEGMENT_HEADER_BYTES,
  SegmentBuilder,
  scanSegment,
} from '../../src/core/segment.ts';

const STORE_ID = Uint8Array.from({ length: 16 }, (_, i) => i * 17);
const HEADER: SegmentHeader = {
  source: 2,
  epoch: 7,
  storeId: STORE_ID,
  number: 41,
  flush: 9,
  baseTimeMs: 1_700_000_000_000,
};

interface Chunk {
  readonly stream: BlockStream;
  readonly first: number;
  readonly timesMs: number[];
  readonly bits: number[];
}

interface Decoded {
  readonly block: BlockInfo;
  readonly timesMs: number[];
  readonly bits: number[];
}

function decode(bytes: Uint8Array, block: BlockInfo): Decoded {
  const timesMs = new Float64Array(block.records);
  const bits = new Uint32Array(block.records);
  decodeBlock(bytes, block, 0, block.records, timesMs, bits, 0);
  return { block, timesMs: [...timesMs], bits: [...bits] };
}

/** Puts chunks in until the segment is full. @returns the file, and what of each chunk went in, block by block. */
function build(chunks: readonly Chunk[], header = HEADER): { bytes: Uint8Array; expected: Chunk[] } {
  const builder = new SegmentBuilder(header);
  const expected: Chunk[] = [];
  for (const { stream, first, timesMs, bits } of chunks) {
    for (let done = 0; done < bits.length; ) {
      const rest = bits.length - done;
      const times = Float64Array.from(timesMs.slice(done));
      const taken = builder.add(stream, first + done, times, Uint32Array.from(bits.slice(done)), rest);
      if (taken === 0) return { bytes: builder.finish(), expected };
      expected.push({
        stream,
        first: first + done,
        timesMs: timesMs.slice(done, done + taken),
        bits: bits.slice(done, done + taken),
      });
      done += taken;
    }
  }
  return { bytes: builder.finish(), expected };
}

function scan(bytes: Uint8Array): { blocks: Decoded[]; damagedBytes: number } {
  const result = scanSegment(bytes);
  if (result.state !== 'ok') throw new Error(`the scan answers ${result.state}`);
  return { blocks: result.blocks.map((block) => decode(bytes, block)), damagedBytes: result.damagedBytes };
}

const timeMs = fc.oneof(
  fc.nat(2 ** 31 - 1),
  fc.maxSafeNat().map((n) => n % 2 ** 48),
  fc.constantFrom(0, 2 ** 48 - 1),
);
const bits32 = fc.oneof(fc.nat(0xffff_ffff), fc.constantFrom(0, 0xffff_ffff, 0x7fc0_0001, 0x8000_0000));
const sequence = fc.oneof(
  fc.nat(1000),
  fc.maxSafeNat().map((n) => n % 2 ** 52),
);

const chunk: fc.Arbitrary<Chunk> = fc
  .record({
    evt: fc.boolean(),
    type: fc.nat(2),
    sensor: fc.nat(0xffff_ffff),
    periodMs: fc.integer({ min: 1, max: 0x7fff_ffff }),
    first: sequence,
    startMs: timeMs,
    records: fc.array(fc.tuple(bits32, timeMs), { minLength: 1, maxLength: 40 }),
    repeat: fc.constantFrom(1, 1, 1, 60),
  })
  .map(({ evt, type, sensor, periodMs, first, startMs, records, repeat }) => {
    const all = Array.from({ length: repeat }, () => records).flat();
    return {
      stream: { slot: 3, evt, type, sensor, periodMs },
      first,
      timesMs: all.map(([, time], i) => (evt ? time : startMs + i * periodMs)),
      bits: all.map(([bits]) => bits),
    };
  });

describe('round trip', () => {
  // Goal: any records of any streams come back bit for bit, whatever the clock did. Method: drawn chunks, times jumping over 2^48, every kind of bits.
  it('gives back every record of every stream, within the bounds of block and file', () => {
    fc.assert(
      fc.property(fc.array(chunk, { minLength: 1, maxLength: 12 }), timeMs, (chunks, baseTimeMs) => {
        const { bytes, expected } = build(chunks, { ...HEADER, baseTimeMs });
        const { blocks, damagedBytes } = scan(bytes);
        expect(damagedBytes).toBe(0);
        expect(bytes.length).toBeLessThanOrEqual(FILE_BYTES_MAX);
        expect(blocks.length).toBe(expected.length);
        blocks.forEach(({ block, timesMs, bits }, i) => {
          const { stream, first, ...records } = expected[i] as Chunk;
          expect({ timesMs, bits }).toEqual(records);
          const { evt, type, sensor, periodMs } = stream;
          expect(block).toMatchObject({ evt, type, sensor, first, periodMs: evt ? 0 : periodMs });
          expect(block.bytes).toBeLessThanOrEqual(BLOCK_BYTES_MAX);
        });
      }),
      { numRuns: 150 },
    );
  });

  // Goal: every bit pattern of a value survives. Method: each single bit, each pair of neighbours, all NaN families, through both kinds.
  it.each([false, true])('keeps every bit of a value (evt: %s)', (evt) => {
    const bits = [0, 0xffff_ffff, 0x7fc0_0000, 0xffc0_0001, 0x7f80_0001];
    for (let bit = 0; bit < 32; bit++) bits.push((1 << bit) >>> 0, (3 << bit) >>> 0, ~(1 << bit) >>> 0);
    const timesMs = bits.map((_, i) => 1000 + i * 10);
    const { bytes } = build([{ stream: { slot: 0, evt, type: 2, sensor: 1, periodMs: 10 }, first: 0, timesMs, bits }]);
    expect(scan(bytes).blocks[0]).toMatchObject({ timesMs, bits });
  });

  // Goal: times that jump by the whole range both ways, 8-byte varints. Method: 0 and 2^48 - 1 in turn, base at either end.
  it.each([0, 2 ** 48 - 1])('keeps times that jump from end to end of the range (base %d)', (baseTimeMs) => {
    const timesMs = Array.from({ length: 500 }, (_, i) => (i % 2 === 0 ? 2 ** 48 - 1 : 0));
    const { bytes, expected } = build(
      [
        {
          stream: { slot: 0, evt: true, type: 0, sensor: 1, periodMs: 0 },
          first: 0,
          timesMs,
          bits: timesMs.map((_, i) => i),
        },
      ],
      { ...HEADER, baseTimeMs },
    );
    expect(scan(bytes).blocks.map(({ timesMs: times }) => times)).toEqual(expected.map(({ timesMs: times }) => times));
  });

  // Goal: a part of a block decodes as the same part of the whole. Method: every skip and length of a block of 30 events.
  it('decodes any part of a block', () => {
    const timesMs = Array.from({ length: 30 }, (_, i) => 1_700_000_000_000 + ((i * 7919) % 100_000) - 50_000);
    const bits = timesMs.map((_, i) => i * 0x0101_0101);
    const { bytes } = build([
      { stream: { slot: 0, evt: true, type: 0, sensor: 1, periodMs: 0 }, first: 5, timesMs, bits },
    ]);
    const [block] = scan(bytes).blocks.map((each) => each.block);
    for (let skip = 0; skip <= 30; skip++) {
      for (let length = 0; skip + length <= 30; length++) {
        const times = new Float64Array(length + 1);
        const values = new Uint32Array(length + 1);
        decodeBlock(bytes, block as BlockInfo, skip, length, times, values, 1);
        expect([...times.subarray(1)]).toEqual(timesMs.slice(skip, skip + length));
        expect([...values.subarray(1)]).toEqual(bits.slice(skip, skip + length));
      }
    }
  });

  // Goal: a file in whole pages has nothing in it of what its buffer held. Method: a buffer full of ones, and every bound there is.
  it('fills up to whole pages with zeros, and not over the bound', () => {
    const stream = { slot: 0, evt: false, type: 0, sensor: 7, periodMs: 1_000 };
    for (const blocks of [1, 3, 800]) {
      const builder = new SegmentBuilder(HEADER, undefined, null, new Uint8Array(FILE_BYTES_MAX).fill(255));
      const plain = new SegmentBuilder(HEADER);
      for (const each of [builder, plain]) {
        // Noise, so that the block takes what it takes raw.
        for (let i = 0; i < blocks; i++) {
          const bits = Uint32Array.from({ length: 20 }, (_, j) => Math.imul(i * 20 + j + 1, 0x9e37_79b1));
          each.add(stream, i * 20, Float64Array.of(HEADER.baseTimeMs), bits, 20);
        }
      }
      const bytes = builder.finish(4_096);
      const whole = plain.finish();
      expect(bytes.length).toBe(Math.min(FILE_BYTES_MAX, Math.ceil(whole.length / 4_096) * 4_096));
      expect(bytes.subarray(0, whole.length)).toEqual(whole);
      expect(bytes.subarray(whole.length).every((byte) => byte === 0)).toBe(true);
      expect(builder.segmentBytes).toBe(whole.length);
    }
  });

  // Goal: a segment is filled to its bound and not over it. Method: tsd records without end.
  it('fills a segment up to 65,536 bytes and then takes nothing more', () => {
    const builder = new SegmentBuilder(HEADER);
    const stream = { slot: 0, evt: false, type: 0, sensor: 0xffff_ffff, periodMs: 0x7fff_ffff };
    const times = new Float64Array(1024);
    const values = new Uint32Array(1024);
    let first = 2 ** 50;
    for (;;) {
      const taken = builder.add(stream, first, times, values, 1024);
      if (taken === 0) break;
      first += taken;
    }
    const bytes = builder.finish();
    expect(bytes.length).toBeGreaterThan(FILE_BYTES_MAX - 64);
    const { blocks } = scan(bytes);
    expect(blocks.map(({ block }) => block.offset)).toEqual(builder.offsets);
    for (const { block } of blocks) expect(block.bytes).toBeLessThanOrEqual(BLOCK_BYTES_MAX);
    expect(builder.records).toBe(first - 2 ** 50);
  });
});

/** Nine blocks of both kinds and all types, some of one record. */
function sample(header = HEADER): { bytes: Uint8Array; blocks: Decoded[] } {
  const chunks = Array.from({ length: 9 }, (_, i): Chunk => {
    const length = i % 4 === 0 ? 1 : 9 + i;
    const evt = i % 2 === 1;
    return {
      stream: { slot: i, evt, type: i % 3, sensor: 0x18fe_f100 + i, periodMs: 100 * (i + 1) },
      first: i * 1000,
      timesMs: Array.from({ length }, (_, r) => HEADER.baseTimeMs + i + r * 100 * (i + 1)),
      bits: Array.from({ length }, (_, r) => ((i + 1) * 0x9e37_79b1 + r * 0x85eb_ca6b) >>> 0),
    };
  });
  const { bytes } = build(chunks, header);
  return { bytes, blocks: scan(bytes).blocks };
}

const withoutBlock = (blocks: readonly Decoded[], bit: number): Decoded[] =>
  blocks.filter(({ block }) => bit >>> 3 < block.offset || bit >>> 3 >= block.offset + block.bytes);

describe('damage', () => {
  // Goal: one flipped bit costs at most one block, and nothing that was not written is ever returned. Method: flip each bit of a segment in turn.
  it('loses exactly the block in which a bit flipped, for every bit of the file', () => {
    const { bytes, blocks } = sample();
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = bytes.slice();
      flipped[bit >>> 3] = (flipped[bit >>> 3] as number) ^ (1 << (bit & 7));
      const found = scan(flipped);
      const intact = withoutBlock(blocks, bit);
      // Cheap comparison first: a full one for 9,000 scans would take longer than the scans.
      const same =
        found.blocks.length === intact.length &&
        found.blocks.every((each, i) => each.block.offset === intact[i]?.block.offset);
      if (!same) expect(found.blocks, `bit ${bit}`).toEqual(intact);
      if (bit % 97 === 0) expect(found.blocks).toEqual(intact);
      expect(found.damagedBytes).toBeGreaterThan(0);
    }
  });

  // Goal: a torn file gives the blocks that are whole. Method: cut the file after each of its bytes.
  it('finds every whole block of a file cut at any length, while one header reads', () => {
    const { bytes, blocks } = sample();
    for (let length = 0; length < bytes.length; length++) {
      const cut = bytes.slice(0, length);
      if (length < SEGMENT_HEADER_BYTES) {
        expect(scanSegment(cut).state).toBe('damaged');
        continue;
      }
      const whole = blocks.filter(({ block }) => block.offset + block.bytes <= length);
      expect(
        scan(cut).blocks.map(({ block }) => block.offset),
        `cut at ${length}`,
      ).toEqual(whole.map(({ block }) => block.offset));
    }
  });

  // Goal: zeros, noise and a file that grew are no records. Method: overwrite ranges, append bytes.
  it('passes over ranges of zeros and noise, and over bytes behind the end', () => {
    const { bytes, blocks } = sample();
    fc.assert(
      fc.property(
        fc.nat(bytes.length - 65),
        fc.uint8Array({ minLength: 1, maxLength: 300 }),
        fc.boolean(),
        (at, noise, zeros) => {
          const hurt = bytes.slice();
          const patch = zeros ? new Uint8Array(noise.length) : noise;
          hurt.set(patch.subarray(0, Math.max(0, bytes.length - SEGMENT_HEADER_BYTES - at)), at);
          const { blocks: found } = scan(hurt);
          const untouched = blocks.filter(
            ({ block }) => block.offset + block.bytes <= at || block.offset >= at + patch.length,
          );
          const same = found.filter((each) => untouched.some(({ block }) => block.offset === each.block.offset));
          expect(same).toEqual(untouched);
          for (const each of found) expect(blocks).toContainEqual(each);
        },
      ),
      { numRuns: 150 },
    );
    const grown = new Uint8Array(bytes.length + 100);
    grown.set(bytes);
    expect(scan(grown).blocks).toEqual(blocks);
  });

  // Goal: bytes of another place are never records of this one. Method: move a block to each other offset, into the next segment, another store.
  it('does not verify a block that was copied to another offset, segment or store', () => {
    const { bytes, blocks } = sample();
    const [, { block }] = blocks as [Decoded, Decoded];
    const copied = bytes.slice(block.offset, block.offset + block.bytes);
    const seed = blockSeed(STORE_ID, HEADER.number);
    const page = new Uint8Array(FILE_BYTES_MAX);
    for (let offset = 0; offset + copied.length <= page.length; offset++) {
      page.set(copied, offset);
      const read = readBlock(page, offset, page.length, seed, HEADER.baseTimeMs);
      if ((read !== null) !== (offset === block.offset)) expect(read, `offset ${offset}`).toBeNull();
      page.fill(0, offset, offset + copied.length);
    }
    for (let number = 0; number < 5000; number++) {
      const read = readBlock(bytes, block.offset, bytes.length, blockSeed(STORE_ID, number), HEADER.baseTimeMs);
      expect(read !== null).toBe(number === HEADER.number);
    }
    const elsewhere = STORE_ID.slice();
    elsewhere[15] = (elsewhere[15] as number) ^ 1;
    expect(readBlock(bytes, block.offset, bytes.length, blockSeed(elsewhere, HEADER.number), 0)).toBeNull();
  });

  // Goal: either header serves. Method: destroy the front, then the end, then both.
  it('reads the blocks with the header at either end, and nothing with neither', () => {
    const { bytes, blocks } = sample();
    const front = bytes.slice();
    front.fill(0xa5, 0, SEGMENT_HEADER_BYTES);
    const back = bytes.slice();
    back.fill(0xa5, bytes.length - SEGMENT_HEADER_BYTES);
    expect(scan(front).blocks).toEqual(blocks);
    expect(scan(back).blocks).toEqual(blocks);
    front.fill(0xa5, bytes.length - SEGMENT_HEADER_BYTES);
    expect(scanSegment(front).state).toBe('damaged');
    expect(scanSegment(new Uint8Array(0)).state).toBe('damaged');
  });
});

describe('the header', () => {
  it('comes back as it was written, at both ends of the file', () => {
    const { bytes } = sample();
    const front = readSegmentHeader(bytes, 0);
    expect(front).toEqual({ state: 'ok', header: HEADER, bytes: bytes.length });
    expect(readSegmentHeader(bytes, bytes.length - SEGMENT_HEADER_BYTES)).toEqual(front);
  });

  // Goal: numbers beyond 32 bits are kept. Method: a header at the end of each range.
  it('keeps segment and flush numbers up to 2^53 - 1', () => {
    const header = { ...HEADER, number: 2 ** 53 - 1, flush: 2 ** 53 - 2, epoch: 0xffff_ffff, baseTimeMs: 2 ** 48 - 1 };
    const { bytes } = build([], header);
    expect(readSegmentHeader(bytes, 0)).toMatchObject({ header });
  });

  // Goal: a version of the future is known as such, not as damage. Method: version 4 with a valid checksum, in front, at the end, in both.
  it('tells a version it does not know from damage', () => {
    const { bytes } = sample();
    const newer = (at: number, file: Uint8Array): Uint8Array => {
      file[at + 8] = 4;
      const crc = crc32(file, at, at + 60, 0);
      new DataView(file.buffer).setUint32(at + 60, crc, true);
      return file;
    };
    expect(scanSegment(newer(0, bytes.slice()))).toEqual({ state: 'unsupported', version: 4 });
    const torn = newer(bytes.length - SEGMENT_HEADER_BYTES, bytes.slice());
    torn[0] = 0;
    expect(scanSegment(torn)).toEqual({ state: 'unsupported', version: 4 });
    const wrong = bytes.slice();
    wrong[8] = 4;
    expect(readSegmentHeader(wrong, 0).state).toBe('damaged');
  });
});
