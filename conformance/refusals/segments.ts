/**
 * Segments byte by byte: what a builder takes before a block or a file is full, how it writes heads, and what of a file is
 * a header, a block or damage. The limits are those of docs/format.md.
 */
import { crc32 } from 'node:zlib';
import { FILE_BYTES_MAX } from '../../src/core/config.ts';
import { readSegmentHeader, SegmentBuilder, scanSegment } from '../../src/core/segment.ts';
import { readSegmentFile } from '../damage-matrix/layout.ts';
import { Bytes } from '../format/bytes-out.ts';
import { Cursor } from '../format/cursor.ts';
import type { BlockContent } from '../format/write-segment.ts';
import { writeSegment } from '../format/write-segment.ts';
import type { Case } from './case.ts';
import { differs } from './case.ts';

const HEADER_BYTES = 64;
const BLOCK_BYTES_MAX = 4_096;
const BLOCK_RECORDS_MAX = 1_024;
/** Checksum and longest head: what a writer leaves room for in every block. */
const AROUND_BYTES_MAX = 35;
const STORE_ID = Uint8Array.from({ length: 16 }, (_, i) => 3 + 5 * i);
const BASE_MS = 1_700_000_000_000;

interface Stream {
  readonly evt?: boolean;
  readonly periodMs?: number;
  readonly sensor?: number;
}

const builder = (): SegmentBuilder =>
  new SegmentBuilder({ source: 1, epoch: 4, storeId: STORE_ID, number: 11, flush: 6, baseTimeMs: BASE_MS });

/** So many values that no packing makes smaller. */
const noise = (count: number): Uint32Array =>
  Uint32Array.from({ length: count }, (_, i) => Math.imul(Math.imul(i + 1, 0x9e37_79b1) ^ (i << 7), 0x85eb_ca6b) >>> 0);

/** Times of which one step is so far that they stay raw, and the others take a byte each. */
const rawTimes = (count: number): Float64Array =>
  Float64Array.from({ length: count }, (_, i) => BASE_MS + 7 * i + (i > 0 ? 2 ** 40 : 0));

function add(
  to: SegmentBuilder,
  first: number,
  bits: Uint32Array,
  { evt = false, periodMs = 1_000, sensor = 1 }: Stream,
) {
  const stream = { slot: 2, evt, type: 0, sensor, periodMs };
  return to.add(stream, first, rawTimes(bits.length), bits, bits.length);
}

/** The file as the kit reads it: where each block begins and ends, its first sequence number, its records. */
const layoutOf = (file: Uint8Array): (readonly number[])[] =>
  readSegmentFile('mgc', 'segment', file).blocks.map(({ from, to, records }) => [
    from,
    to - from,
    records[0]?.sequence ?? -1,
    records.length,
  ]);

const LIMITS: readonly Case[] = [
  {
    name: 'segments: a block takes 1,015 raw tsd records, and the next block the rest',
    check: () => {
      const made = builder();
      const taken = add(made, 0, noise(1_024), {});
      const rest = add(made, taken, noise(1_024).subarray(taken), {});
      return differs('what was taken', [taken, rest, made.records], [1_015, 9, 1_024]);
    },
  },
  {
    name: 'segments: a block takes 1,024 records that pack well, and no more',
    check: () => differs('what was taken', add(builder(), 0, new Uint32Array(1_100), {}), BLOCK_RECORDS_MAX),
  },
  {
    name: 'segments: a block of raw evt records is as full as a block may be',
    check: () => {
      const made = builder();
      const taken = add(made, 0, noise(1_000), { evt: true });
      const [[, bytes = 0] = []] = layoutOf(made.finish());
      // One record more is five bytes more: a value and a step of one byte.
      const full = bytes <= BLOCK_BYTES_MAX && bytes + AROUND_BYTES_MAX + 5 > BLOCK_BYTES_MAX;
      return differs(`whether a block of ${taken} records in ${bytes} bytes is full`, full, true);
    },
  },
  ...[true, false].map(
    (evt): Case => ({
      name: `segments: a file of ${evt ? 'evt' : 'tsd'} blocks is filled to its end, and not beyond it`,
      check: () => {
        const made = builder();
        let first = 0;
        for (let taken = 1; taken > 0; first += taken) taken = add(made, first, noise(900), { evt });
        const file = made.finish();
        const blocks = layoutOf(file);
        const left = FILE_BYTES_MAX - file.length;
        return (
          differs('what is left of the file', left >= 0 && left < HEADER_BYTES, true) ??
          differs(
            'records',
            blocks.reduce((sum, [, , , records = 0]) => sum + records, 0),
            first,
          ) ??
          differs(
            'blocks as the builder names them',
            made.offsets.map((offset, i) => [offset, made.first[i], made.blockRecords[i]]),
            blocks.map(([offset, , from, records]) => [offset, from, records]),
          ) ??
          differs('a block more', add(made, first, noise(1), { evt }), 0)
        );
      },
    }),
  ),
  ...[1, 7, 20, 40, 63, 64, 70].map(
    (size): Case => ({
      name: `segments: blocks of ${size} records fill a file, and what does not fit any more is not begun`,
      check: () => {
        const made = builder();
        let first = 0;
        for (let taken = 1; taken > 0; first += taken) taken = add(made, first, noise(size), { sensor: 2 ** 31 });
        const file = made.finish();
        const left = FILE_BYTES_MAX - file.length;
        const counts = layoutOf(file).map(([, , , records]) => records);
        const whole = counts.slice(0, -1).every((count) => count === size);
        // Room for a head of the longest kind and a record is used; less is not.
        return (
          differs('whether all blocks but the last are whole', whole, true) ??
          differs(`whether ${left} bytes are less than a block's room`, left >= 0 && left < HEADER_BYTES, true)
        );
      },
    }),
  ),
  ...[1, 5, 10, 30, 100, 250, 1_000, 5_000, 10_000, 86_400_000, 2 ** 32 - 1].map(
    (periodMs): Case => ({
      name: `segments: a period of ${periodMs} ms is written with as many of its zeros counted as three`,
      check: () => {
        const made = builder();
        made.add({ slot: 0, evt: false, type: 0, sensor: 1, periodMs }, 0, Float64Array.of(BASE_MS), noise(1), 1);
        let [mantissa, zeros] = [periodMs, 0];
        while (zeros < 3 && mantissa % 10 === 0) [mantissa, zeros] = [mantissa / 10, zeros + 1];
        // Tag, sensor, first, records and time are a byte each.
        return differs('the number', new Cursor(made.finish(), HEADER_BYTES + 5).count(), 4 * mantissa + zeros);
      },
    }),
  ),
];

interface Head {
  readonly magic?: string;
  readonly version?: number;
  readonly source?: number;
  readonly number?: readonly [low: number, high: number];
  readonly bytes?: number;
  readonly checksum?: number;
}

function headOf({
  magic = 'IMM2SEGM',
  version = 2,
  source = 1,
  number = [11, 0],
  bytes = 300,
  checksum,
}: Head): Uint8Array {
  const head = new Bytes()
    .copy(Buffer.from(magic, 'latin1'))
    .little(version, 2)
    .little(source, 1)
    .little(0, 1)
    .little(4, 4)
    .copy(STORE_ID)
    .little(number[0], 4)
    .little(number[1], 4)
    .little(6, 8)
    .little(BASE_MS, 8)
    .little(bytes, 4);
  return head.little(checksum ?? crc32(head.whole()), 4).whole();
}

/** State, and what it says beside it. */
function readHead(bytes: Uint8Array, offset: number): unknown {
  const read = readSegmentHeader(bytes, offset);
  if (read.state === 'damaged') return 'damaged';
  if (read.state === 'unsupported') return `unsupported ${read.version}`;
  const { source, epoch, storeId, number, flush, baseTimeMs } = read.header;
  return [source, epoch, [...storeId].join(), number, flush, baseTimeMs - BASE_MS, read.bytes];
}

const reads = (name: string, head: Head, wanted: unknown): Case => ({
  name: `headers: ${name}`,
  check: () => {
    const bytes = headOf(head);
    const behind = new Bytes().copy(new Uint8Array(7)).copy(bytes).copy([1]).whole();
    return (
      differs('it', readHead(bytes, 0), wanted) ??
      differs('it, in the middle of other bytes', readHead(behind, 7), wanted) ??
      differs('it, a byte too early', readHead(behind, 6), 'damaged') ??
      differs('it, cut short', readHead(bytes.subarray(0, -1), 0), 'damaged') ??
      differs('it, before the beginning', readHead(bytes, -1), 'damaged') ??
      differs('it, behind the end', readHead(bytes, 1), 'damaged')
    );
  },
});

const FIELDS = [...STORE_ID].join();

const HEADS: readonly Case[] = [
  reads('every field is in its place', {}, [1, 4, FIELDS, 11, 6, 0, 300]),
  reads('version 1 is read', { version: 1 }, [1, 4, FIELDS, 11, 6, 0, 300]),
  reads('the last source is 2', { source: 2 }, [2, 4, FIELDS, 11, 6, 0, 300]),
  reads('there is no source 3', { source: 3 }, 'damaged'),
  reads('a number goes up to 2^53 - 1', { number: [2 ** 32 - 1, 2 ** 21 - 1] }, [1, 4, FIELDS, 2 ** 53 - 1, 6, 0, 300]),
  reads('a number does not go beyond it', { number: [0, 2 ** 21] }, 'damaged'),
  reads('another magic is none', { magic: 'IMM2SEGN' }, 'damaged'),
  reads('another checksum is none', { checksum: 1 }, 'damaged'),
  reads('version 0 is not known', { version: 0 }, 'unsupported 0'),
  reads('version 4 is not known', { version: 4 }, 'unsupported 4'),
  reads('what a version to come says behind its number is not looked at', { version: 9, source: 200 }, 'unsupported 9'),
];

const block = (sensor: number, records: number): BlockContent => ({
  sensor,
  kind: 'evt',
  type: 'uint32',
  first: 0,
  timesMs: Array.from({ length: records }, (_, i) => BASE_MS + i),
  bits: Array.from({ length: records }, (_, i) => i * i),
});

const FILE = writeSegment({
  source: 'mgc',
  epoch: 4,
  storeId: STORE_ID,
  number: 11,
  flush: 6,
  blocks: [block(1, 9), block(2, 5), block(3, 12)],
});
const BLOCKS = layoutOf(FILE);
const [, [secondAt = 0, secondBytes = 0] = [], [thirdAt = 0, thirdBytes = 0] = []] = BLOCKS;

const joined = (...parts: readonly Iterable<number>[]): Uint8Array =>
  parts.reduce((bytes: Bytes, part) => bytes.copy(part), new Bytes()).whole();

const turned = (at: number): Uint8Array => Uint8Array.from(FILE, (byte, i) => (i === at ? byte ^ 4 : byte));

function scanned(file: Uint8Array): unknown {
  const scan = scanSegment(file);
  if (scan.state !== 'ok') return scan.state === 'unsupported' ? `unsupported ${scan.version}` : scan.state;
  return [scan.header.number, scan.blocks.map(({ sensor }) => sensor), scan.damagedBytes];
}

const scans = (name: string, file: Uint8Array, wanted: unknown): Case => ({
  name: `scan: ${name}`,
  check: () => differs('what is found', scanned(file), wanted),
});

const SCANS: readonly Case[] = [
  scans('a whole file', FILE, [11, [1, 2, 3], 0]),
  scans('a damaged header', turned(20), [11, [1, 2, 3], HEADER_BYTES]),
  scans('a damaged trailer', turned(FILE.length - 30), [11, [1, 2, 3], HEADER_BYTES]),
  scans('neither', joined(turned(20).subarray(0, -HEADER_BYTES), new Uint8Array(HEADER_BYTES)), 'damaged'),
  scans('a damaged block', turned(secondAt + 6), [11, [1, 3], secondBytes]),
  scans('a damaged last block', turned(thirdAt), [11, [1, 2], thirdBytes]),
  scans("a byte more behind the trailer is nobody's", joined(FILE, [0]), [11, [1, 2, 3], 0]),
  scans("a trailer too many is nobody's", joined(FILE, FILE.subarray(-HEADER_BYTES)), [11, [1, 2, 3], 0]),
  scans('a file cut off in its trailer', FILE.subarray(0, -9), [11, [1, 2, 3], HEADER_BYTES]),
  scans('a file cut off before its trailer', FILE.subarray(0, -HEADER_BYTES), [11, [1, 2, 3], HEADER_BYTES]),
  scans('a file cut off in its last block', FILE.subarray(0, thirdAt + 11), [11, [1, 2], HEADER_BYTES + 11]),
  scans('a file cut off behind its header', FILE.subarray(0, HEADER_BYTES), [11, [], HEADER_BYTES]),
  scans('a header alone, cut short', FILE.subarray(0, HEADER_BYTES - 1), 'damaged'),
  scans('nothing', new Uint8Array(0), 'damaged'),
  scans('a version to come', joined(headOf({ version: 4 }), FILE.subarray(HEADER_BYTES)), 'unsupported 4'),
  scans(
    'a damaged header, and a trailer of a version to come',
    joined(turned(20).subarray(0, -HEADER_BYTES), headOf({ version: 4 })),
    'unsupported 4',
  ),
  scans(
    'bytes between two blocks',
    joined(FILE.subarray(0, HEADER_BYTES), [9, 9, 9], FILE.subarray(HEADER_BYTES)),
    // Every block stands three bytes from where its checksum has it.
    [11, [], FILE.length - HEADER_BYTES],
  ),
];

export const SEGMENTS: readonly Case[] = [...LIMITS, ...HEADS, ...SCANS];
