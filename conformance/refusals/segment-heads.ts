/**
 * The quick look at a segment, which an open takes at each (src/core/segment-columns.ts), held against the kit's own reading:
 * what is whole and sound it gives as the kit reads it, and of anything else it says nothing at all (INV-19).
 */
import { readSegmentHeader, scanSegment } from '../../src/core/segment.ts';
import { SegmentColumns } from '../../src/core/segment-columns.ts';
import { readSegmentFile } from '../damage-matrix/layout.ts';
import { Bytes } from '../format/bytes-out.ts';
import { writeSegment } from '../format/write-segment.ts';
import type { Case } from './case.ts';
import { differs } from './case.ts';

const STORE_ID = Uint8Array.from({ length: 16 }, (_, i) => 3 + 5 * i);

const fileOf = (number: number, bareBlocks: readonly Uint8Array[]): Uint8Array =>
  writeSegment({ source: 'mgc', epoch: 4, storeId: STORE_ID, number, flush: 6, blocks: [], bareBlocks });

/** A block's bytes up to its checksum: the tag, the numbers behind it, and so many bytes of body. */
function bare(tag: number, numbers: readonly number[], bodyBytes: number): Uint8Array {
  const block = new Bytes().little(tag, 1);
  for (const number of numbers) block.varint(number);
  return block.copy(Uint8Array.from({ length: bodyBytes }, (_, i) => 7 * i)).whole();
}

/** One raw evt record: sensor, first, one record, time, bytes of the body. */
const evt = (sensor: number, first: number): Uint8Array => bare(0xa4, [sensor, first, 1, 0, 4], 4);
/** Raw tsd records: sensor, first, records, time, period. */
const tsd = (sensor: number, records: number, periodMs: number): Uint8Array =>
  bare(0xa0, [sensor, 5, records, 0, 4 * periodMs], 4 * records);

type Found = readonly (readonly number[])[];

/** Where each block begins, its bytes, sensor, first record and how many, as the kit reads them; null for a file that is not whole. */
function readByKit(file: Uint8Array): Found | null {
  try {
    return readSegmentFile('mgc', 'segment', file).blocks.map(({ from, to, sensor, records }) => [
      from,
      to - from,
      sensor,
      records[0]?.sequence ?? -1,
      records.length,
    ]);
  } catch {
    return null;
  }
}

function readInColumns(columns: SegmentColumns, file: Uint8Array, header = file): Found | null {
  const head = readSegmentHeader(header, 0);
  if (head.state !== 'ok') throw new Error('the header of the file is not whole');
  const read = columns.read(file, head.header);
  if (read === null) return null;
  return Array.from(read.streams, (stream, i) => [
    read.offsets[i] as number,
    read.blockBytes[i] as number,
    columns.streams[stream]?.sensor ?? -1,
    read.first[i] as number,
    read.records[i] as number,
  ]);
}

/** What a scan with care finds. */
function scanned(file: Uint8Array): Found {
  const scan = scanSegment(file);
  if (scan.state !== 'ok') return [];
  return scan.blocks.map(({ offset, bytes, sensor, first, records }) => [offset, bytes, sensor, first, records]);
}

const sound = (name: string, ...blocks: readonly Uint8Array[]): Case => ({
  name: `heads: ${name}`,
  check: () => {
    const file = fileOf(11, blocks);
    const wanted = readByKit(file);
    return (
      differs('how many blocks the kit reads', wanted?.length, blocks.length) ??
      differs('the blocks', readInColumns(new SegmentColumns(), file), wanted) ??
      differs('the blocks of a scan', scanned(file), wanted)
    );
  },
});

/** Its checksum is right, and no block is such: nothing is said of the segment, and a scan finds the blocks beside it. */
const malformed = (name: string, block: Uint8Array): Case => ({
  name: `heads: ${name} is no block's`,
  check: () => {
    const file = fileOf(11, [evt(1, 0), block, tsd(2, 3, 250)]);
    const beside = readByKit(fileOf(11, [evt(1, 0)]))?.[0];
    const found = scanned(file);
    return (
      differs('what the kit reads', readByKit(file), null) ??
      differs('the columns', readInColumns(new SegmentColumns(), file), null) ??
      differs('the first block of a scan', found[0], beside) ??
      differs('the sensors that it finds', [...new Set(found.map(([, , sensor]) => sensor))], [1, 2])
    );
  },
});

/** A block that a scan takes and the quick look does not: it says nothing of the segment, so that the scan is asked. */
const left = (name: string, block: Uint8Array, version: 1 | 3 = 3): Case => ({
  name: `heads: ${name} is left to a scan`,
  check: () => {
    const file = fileOf(11, [evt(1, 0), block, tsd(2, 3, 250)]);
    const wanted = readByKit(file);
    return (
      differs(`how many blocks of version ${version} and beside it the kit reads`, wanted?.length, 3) ??
      differs('the columns', readInColumns(new SegmentColumns(), file), null) ??
      differs('the blocks of a scan', scanned(file), wanted)
    );
  },
});

/** A number of more bytes than any has: all of them say that one more follows. */
const endless = new Bytes().little(0xa4, 1).copy(new Uint8Array(12).fill(0xff)).whole();

const HEADS: readonly Case[] = [
  sound('one evt record', evt(1, 0)),
  sound('blocks of both kinds and several streams', evt(1, 0), tsd(2, 3, 250), evt(1, 1), tsd(2, 1, 1_000), evt(9, 0)),
  sound(
    'numbers of every length',
    ...[0, 6, 7, 13, 14, 20, 21, 27, 28, 31].map((bits) => evt(2 ** bits, 2 ** bits - 1)),
  ),
  sound('a first record of seven bytes', evt(1, 2 ** 49 - 1)),
  sound(
    'blocks of every length up to the longest',
    ...[1, 15, 57, 58, 63, 121, 250, 1_000, 1_015].map((n) => tsd(3, n, 10)),
  ),
  malformed('a type of which all bits are set', bare(0xa7, [1, 1, 1, 0, 4], 4)),
  malformed('a tag without its mark', bare(0x24, [1, 1, 1, 0, 4], 4)),
  malformed('a mark with one bit more', bare(0xe4, [1, 1, 1, 0, 4], 4)),
  malformed('packed without the bit of version 2', bare(0x9c, [1, 1, 2, 0, 9], 9)),
  malformed('times packed where there are none', bare(0xb0, [1, 1, 2, 0, 4_000, 8], 8)),
  malformed('times packed of one record', bare(0xb4, [1, 1, 1, 0, 6], 6)),
  malformed('an evt body that is too short', bare(0xa4, [1, 1, 2, 0, 8], 8)),
  malformed('a packed body that is too short', bare(0xa8, [1, 1, 2, 0, 4_000, 1], 1)),
  malformed('no record', bare(0xa4, [1, 1, 0, 0, 4], 4)),
  malformed('a record too many', bare(0xa8, [1, 1, 1_025, 0, 4_000, 9], 9)),
  malformed('a body that is too long', bare(0xa4, [1, 1, 1, 0, 4_090], 4_090)),
  malformed('a body that ends behind the segment', bare(0xa4, [1, 1, 1, 0, 3_000], 4)),
  malformed('a number without an end', endless),
  left('a number of eight bytes', evt(1, 2 ** 49)),
  left('a block of version 1', bare(0x84, [1, 1, 1, 0, 4], 4), 1),
];

/** One bit anywhere, and nothing is said. */
function saysNothingOfDamage(): string | null {
  const file = fileOf(11, [evt(1, 0), tsd(2, 3, 250), tsd(2, 100, 250), evt(1, 1)]);
  for (let bit = 0; bit < 8 * file.length; bit++) {
    const damaged = file.slice();
    damaged[bit >>> 3] = (damaged[bit >>> 3] as number) ^ (1 << (bit & 7));
    if (readInColumns(new SegmentColumns(), damaged, file) !== null)
      return `with bit ${bit & 7} of byte ${bit >>> 3} turned it is taken for sound`;
  }
  for (let bytes = 0; bytes < file.length; bytes++) {
    if (readInColumns(new SegmentColumns(), file.subarray(0, bytes), file) !== null)
      return `cut off behind ${bytes} bytes it is taken for sound`;
  }
  const other = fileOf(12, [evt(1, 0)]);
  return (
    differs('a segment of another number', readInColumns(new SegmentColumns(), other, file), null) ??
    differs('one without a block', readInColumns(new SegmentColumns(), fileOf(11, [])), null)
  );
}

/** Blocks of a segment that is nearly full, and as many segments as have a stream more than can be numbered. */
const BLOCKS = 4_000;
const STREAMS_MAX = 65_536;

function numbersStreams(): string | null {
  const columns = new SegmentColumns();
  const files = Array.from({ length: Math.ceil(STREAMS_MAX / BLOCKS) }, (_, n) =>
    fileOf(
      n + 1,
      Array.from({ length: BLOCKS }, (_, i) => evt(20_000 + n * BLOCKS + i, n)),
    ),
  );
  const read = files.map((file) => readInColumns(columns, file));
  const again = readInColumns(columns, files[0] as Uint8Array);
  for (const [n, file] of files.slice(0, -1).entries()) {
    if (JSON.stringify(read[n]) !== JSON.stringify(readByKit(file)))
      return `segment ${n + 1} is not what the kit reads`;
  }
  return (
    differs('the segment with a stream too many', read.at(-1) ?? null, null) ??
    differs('whether streams that are known are read still', JSON.stringify(again) === JSON.stringify(read[0]), true) ??
    differs('streams', columns.streams.length <= STREAMS_MAX, true) ??
    differs('blocks of the first stream', columns.streams[0]?.blocks, 2)
  );
}

/** What was given stays as it is while many more are read: by then it stands in other columns. */
function keepsWhatWasGiven(): string | null {
  const columns = new SegmentColumns();
  const file = fileOf(
    11,
    Array.from({ length: BLOCKS }, (_, i) => evt(1, i)),
  );
  const head = readSegmentHeader(file, 0);
  if (head.state !== 'ok') return 'the header is not whole';
  const all = Array.from({ length: 20 }, () => columns.read(file, head.header));
  const wanted = JSON.stringify(Array.from({ length: BLOCKS }, (_, i) => i));
  return differs(
    'columns that are as they were given',
    all.filter((each) => each !== null && JSON.stringify([...each.first]) === wanted).length,
    20,
  );
}

export const SEGMENT_HEADS: readonly Case[] = [
  ...HEADS,
  { name: 'heads: no turned bit and no missing byte is taken for sound', check: saysNothingOfDamage },
  { name: 'heads: streams are numbered, and one too many is not', check: numbersStreams },
  { name: 'heads: what was given stays', check: keepsWhatWasGiven },
];
