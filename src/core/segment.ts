/**
 * The segment: one file on disk, at most 65,536 bytes, of one source and one epoch. This file owns the byte format;
 * docs/format.md says the same for somebody with a hex dump. Keeps INV-19: a damaged byte costs the block it lies in.
 *
 *   segment   header (64) | block | block | ... | trailer (64, a copy of the header)
 *
 *   header     0  magic "IMM2SEGM"            32  segment number u64
 *              8  format version u16          40  flush number u64
 *             10  source u8, 11 zero          48  base time ms u64
 *             12  epoch u32                   56  file bytes u32
 *             16  store id (16)               60  CRC-32 of bytes 0 to 59
 *
 *   block     tag u8 | sensor | first sequence | records | first time - base (zigzag) | tsd only: period |
 *             body bytes, none where they follow from the records: raw tsd | body | CRC-32 u32
 *             (numbers without a width are LEB128 varints)
 *             tag: bits 0-1 value type, 2 kind (set: evt), 3 values packed, 4 times packed, 5 set, 6-7 always 1 0
 *             period: 4 x mantissa + zeros, for mantissa x 10 ^ zeros ms
 *             body: values, raw u32 x records or packed (codec-values.ts); of evt then the (records - 1) times behind the
 *             first, raw as zigzag difference to the one before or packed (codec-times.ts)
 *
 *   In a block of format version 1 bits 3 to 5 of the tag are clear, the period is in ms, the body bytes are always there
 *   and the body is raw. Such blocks are read and not written.
 *
 * A block's CRC continues from one over store id and segment number, xor its offset: a block that was copied from
 * another store, segment or place does not verify, so bytes of something else are never read as records.
 * Integers are little-endian.
 *
 * It does not know streams' slots, marks or files; it turns records into bytes and back.
 */
import { ByteReader, ByteWriter, putU32, putVarint, readU32, sameBytes, unzigzag, zigzag } from './bytes.ts';
import { planTimes, rawStepBytesMin, rawTimesBytes, readTimes, writeTimes } from './codec-times.ts';
import { knownOfValues, planValues, readValues, writeValues } from './codec-values.ts';
import { invariant } from './codes.ts';
import { BLOCK_BYTES_MAX, BLOCK_RECORDS_MAX, FILE_BYTES_MAX } from './config.ts';
import type { Crc32 } from './crc32.ts';
import { crc32 } from './crc32.ts';

/** What this program writes. */
export const FORMAT_VERSION = 3;
/** What it reads: files of each version up to its own. */
export const isKnownVersion = (version: number): boolean => version >= 1 && version <= FORMAT_VERSION;
/** The same for people. */
export const KNOWN_VERSIONS = '1, 2 and 3';
export const SEGMENT_HEADER_BYTES = 64;
/** Where the header says how many bytes the whole file has. */
const FILE_BYTES_AT = 56;
const MAGIC = new Uint8Array([0x49, 0x4d, 0x4d, 0x32, 0x53, 0x45, 0x47, 0x4d]);
const CRC_BYTES = 4;
export const TAG_MARK = 0b1000_0000;
export const TAG_MARK_MASK = 0b1100_0000;
/** The value type's bits; all of them set are none. */
export const TAG_TYPE = 0b11;
export const TAG_EVT = 0b100;
export const TAG_VALUES_PACKED = 0b1000;
export const TAG_TIMES_PACKED = 0b1_0000;
/** Set in each block of version 2. */
export const TAG_COMPACT = 0b10_0000;
export const TAG_PACKING = TAG_VALUES_PACKED | TAG_TIMES_PACKED | TAG_COMPACT;
/** Tag to body at the longest: 1 + 5 + 8 + 2 + 8 + 5 + 2. */
const BLOCK_HEAD_BYTES_MAX = 31;
/** With less left of a segment it is full: a block there would be mostly head. */
const BLOCK_ROOM_MIN = 64;
/** One evt record, each of its numbers in a byte: no block takes less. */
export const BLOCK_BYTES_MIN = 12;
/** Zeros of a period that its head counts. */
const PERIOD_ZEROS_MAX = 3;

export interface SegmentHeader {
  readonly source: number;
  readonly epoch: number;
  readonly storeId: Uint8Array;
  readonly number: number;
  readonly flush: number;
  readonly baseTimeMs: number;
}

/** A block found in a segment; `shape` is source, kind and type as the stream table packs them. */
export interface BlockInfo {
  readonly offset: number;
  readonly bytes: number;
  readonly evt: boolean;
  readonly type: number;
  readonly sensor: number;
  readonly first: number;
  readonly records: number;
  readonly timeMs: number;
  readonly periodMs: number;
  readonly bodyAt: number;
  /** How the body is packed: bits 3 to 5 of the tag in their places. */
  readonly packing: number;
}

/** Whose records a block holds. `slot` is not written; it comes back in `slots`. */
export interface BlockStream {
  readonly slot: number;
  readonly evt: boolean;
  readonly type: number;
  readonly sensor: number;
  readonly periodMs: number;
}

const segmentSeed = (storeId: Uint8Array, number: number): number => {
  const writer = new ByteWriter(24);
  writer.copy(storeId);
  writer.u64(number);
  return crc32(writer.bytes, 0, 24, 0);
};

/** Assembles one segment. Records go in stream by stream; `finish` gives the bytes to write. */
export class SegmentBuilder {
  readonly header: SegmentHeader;
  readonly #bytes: Uint8Array;
  #length = SEGMENT_HEADER_BYTES;
  readonly #seed: number;
  readonly #native: Crc32 | undefined;
  readonly #known: Uint8Array | null;
  /** Of each block the caller's stream slot, its first record, how many it has, and where it begins. */
  readonly slots: number[] = [];
  readonly first: number[] = [];
  readonly blockRecords: number[] = [];
  readonly offsets: number[] = [];
  records = 0;

  /**
   * @param known by slot, how the values of a stream's last block were packed; kept up to date. Without it each is searched.
   * @param buffer to put it together in, FILE_BYTES_MAX bytes, whatever they hold; a new one when left out.
   */
  constructor(
    header: SegmentHeader,
    native?: Crc32,
    known: Uint8Array | null = null,
    buffer: Uint8Array = new Uint8Array(FILE_BYTES_MAX),
  ) {
    this.#bytes = buffer;
    this.header = header;
    this.#native = native;
    this.#known = known;
    this.#seed = segmentSeed(header.storeId, header.number);
  }

  /** Bytes written so far, the header's included and the trailer's not. */
  get length(): number {
    return this.#length;
  }

  /**
   * Adds one block with as many of the records as fit in a block and in what is left of the segment.
   * For tsd the times are those of the grid, so only the first is written: the caller gives one run.
   * @returns how many were taken; 0 when the segment is full.
   */
  add(stream: BlockStream, first: number, timesMs: Float64Array, bits: Uint32Array, length: number): number {
    const rest = FILE_BYTES_MAX - SEGMENT_HEADER_BYTES - this.#length;
    if (rest < BLOCK_ROOM_MIN) return 0;
    const room = Math.min(BLOCK_BYTES_MAX, rest) - BLOCK_HEAD_BYTES_MAX - CRC_BYTES;
    const known = this.#known === null ? 0 : (this.#known[stream.slot] as number);
    let records = Math.min(length, BLOCK_RECORDS_MAX);
    for (;;) {
      const body = planBody(stream, timesMs, bits, records, known);
      if (body <= room) break;
      records = Math.min(records - 1, Math.floor((records * room) / body));
      if (records === 0) return 0;
    }
    if (this.#known !== null) this.#known[stream.slot] = knownOfValues();
    this.#write(stream, first, timesMs, bits, records);
    return records;
  }

  /** Writes the block of the records that planBody has just looked at. */
  #write(stream: BlockStream, first: number, timesMs: Float64Array, bits: Uint32Array, records: number): void {
    const bytes = this.#bytes;
    const offset = this.#length;
    const { evt } = stream;
    const { packing } = plan;
    bytes[offset] = TAG_MARK | packing | (evt ? TAG_EVT : 0) | stream.type;
    let next = putVarint(bytes, offset + 1, stream.sensor);
    next = putVarint(bytes, next, first);
    next = putVarint(bytes, next, records);
    next = putVarint(bytes, next, zigzag((timesMs[0] as number) - this.header.baseTimeMs));
    if (!evt) next = putVarint(bytes, next, writtenPeriod(stream.periodMs));
    if (saysBodyBytes(evt, packing)) next = putVarint(bytes, next, plan.bodyBytes);
    const bodyEnd = next + plan.bodyBytes;
    if ((packing & TAG_VALUES_PACKED) !== 0) next = writeValues(bytes, next, records);
    else for (let i = 0; i < records; i++, next += 4) putU32(bytes, next, bits[i] as number);
    if ((packing & TAG_TIMES_PACKED) !== 0) next = writeTimes(bytes, next, records);
    else if (evt) for (let i = 1; i < records; i++) next = putVarint(bytes, next, zigzag(stepAt(timesMs, i)));
    invariant(next === bodyEnd, 'a body takes what was planned for it');
    putU32(bytes, next, crc32(bytes, offset, next, (this.#seed ^ offset) >>> 0, this.#native));
    this.#length = next + CRC_BYTES;
    this.slots.push(stream.slot);
    this.first.push(first);
    this.blockRecords.push(records);
    this.offsets.push(offset);
    this.records += records;
  }

  /** Bytes of the whole segment. */
  get segmentBytes(): number {
    return this.#length + SEGMENT_HEADER_BYTES;
  }

  /**
   * The whole file, in the builder's buffer. The builder is spent afterwards.
   * @param unit zeros, which count as nobody's, fill it up to a multiple of so many bytes: pages of a file that will be
   * written again, so that writing over it needs no page of what stood there.
   */
  finish(unit = 1): Uint8Array {
    const head = new ByteWriter(SEGMENT_HEADER_BYTES);
    const bytes = this.segmentBytes;
    head.copy(MAGIC);
    head.u16(FORMAT_VERSION);
    head.u8(this.header.source);
    head.u8(0);
    head.u32(this.header.epoch);
    head.copy(this.header.storeId);
    head.u64(this.header.number);
    head.u64(this.header.flush);
    head.u64(this.header.baseTimeMs);
    head.u32(bytes);
    head.u32(crc32(head.bytes, 0, head.length, 0));
    this.#bytes.set(head.view(), 0);
    this.#bytes.set(head.view(), this.#length);
    const end = Math.min(FILE_BYTES_MAX, Math.ceil(bytes / unit) * unit);
    this.#bytes.fill(0, bytes, end);
    return this.#bytes.subarray(0, end);
  }
}

const stepAt = (timesMs: Float64Array, i: number): number => (timesMs[i] as number) - (timesMs[i - 1] as number);

/** How the block in hand is packed, and what its body takes. */
const plan = { packing: TAG_COMPACT, bodyBytes: 0 };

/** Looks how the records are written best: packed where that is smaller, raw else. @returns the bytes of the body. */
function planBody(
  { evt, type }: BlockStream,
  timesMs: Float64Array,
  bits: Uint32Array,
  records: number,
  known: number,
): number {
  const rawValues = 4 * records;
  const values = planValues(bits, records, type, known);
  plan.packing = TAG_COMPACT | (values < rawValues ? TAG_VALUES_PACKED : 0);
  plan.bodyBytes = Math.min(values, rawValues);
  if (evt && records > 1) {
    const times = planTimes(timesMs, records);
    // Most packed times need not be held against more than the least that raw ones take.
    const isLess = times < (records - 1) * rawStepBytesMin();
    const rawTimes = isLess ? Number.POSITIVE_INFINITY : rawTimesBytes(timesMs, records);
    if (times < rawTimes) plan.packing |= TAG_TIMES_PACKED;
    plan.bodyBytes += Math.min(times, rawTimes);
  }
  return plan.bodyBytes;
}

/** Whether a block's head has the bytes of its body; of raw tsd values the number of records tells. */
export const saysBodyBytes = (evt: boolean, packing: number): boolean => evt || packing !== TAG_COMPACT;

/** A period as its head has it: with as many zeros counted as can be. */
function writtenPeriod(periodMs: number): number {
  let mantissa = periodMs;
  let zeros = 0;
  for (; zeros < PERIOD_ZEROS_MAX && mantissa % 10 === 0; zeros++) mantissa /= 10;
  return mantissa * 4 + zeros;
}

/** The period in ms that a head writes so. */
export const periodOf = (written: number): number => Math.floor(written / 4) * 10 ** (written % 4);

export type HeaderRead =
  | {
      readonly state: 'ok';
      readonly header: SegmentHeader;
      readonly bytes: number;
    }
  | { readonly state: 'unsupported'; readonly version: number }
  | { readonly state: 'damaged' };

/** Reads a header or trailer at `offset`. Every version keeps magic, version and CRC where they are. */
export function readSegmentHeader(bytes: Uint8Array, offset: number): HeaderRead {
  if (offset < 0 || offset + SEGMENT_HEADER_BYTES > bytes.length) return { state: 'damaged' };
  if (!sameBytes(bytes.subarray(offset, offset + 8), MAGIC)) return { state: 'damaged' };
  if (crc32(bytes, offset, offset + 60, 0) !== readU32(bytes, offset + 60)) return { state: 'damaged' };
  const reader = new ByteReader(bytes, offset + 8, offset + SEGMENT_HEADER_BYTES);
  const version = reader.u16();
  if (!isKnownVersion(version)) return { state: 'unsupported', version };
  const source = reader.u8();
  reader.u8();
  const epoch = reader.u32();
  const storeId = bytes.slice(reader.at, reader.at + 16);
  reader.at += 16;
  const number = reader.u64();
  const flush = reader.u64();
  const baseTimeMs = reader.u64();
  const size = reader.u32();
  if (!reader.valid || source > 2) return { state: 'damaged' };
  return {
    state: 'ok',
    header: { source, epoch, storeId, number, flush, baseTimeMs },
    bytes: size,
  };
}

/**
 * Where the blocks of a segment end that is whole: its trailer is where the header says, and says the same. Null when it is
 * not. Whether the header is sound is not looked at.
 */
export function segmentEnd(bytes: Uint8Array): number | null {
  if (bytes.length < 2 * SEGMENT_HEADER_BYTES) return null;
  const end = readU32(bytes, FILE_BYTES_AT) - SEGMENT_HEADER_BYTES;
  if (end < SEGMENT_HEADER_BYTES || end + SEGMENT_HEADER_BYTES > bytes.length) return null;
  for (let at = 0; at < SEGMENT_HEADER_BYTES; at += 4) if (readU32(bytes, at) !== readU32(bytes, end + at)) return null;
  return end;
}

/**
 * The header that reads well farthest in the file's past: of all the places where one can stand, the trailer of the newest
 * segment in it. For a file whose front does not read; behind the segment there may be what is left of older ones.
 */
export function lastSegmentHeader(bytes: Uint8Array): HeaderRead {
  let found: HeaderRead = { state: 'damaged' };
  for (let at = bytes.indexOf(MAGIC[0] as number); at >= 0; at = bytes.indexOf(MAGIC[0] as number, at + 1)) {
    const read = readSegmentHeader(bytes, at);
    if (read.state === 'damaged' || (read.state === 'ok' && read.bytes !== at + SEGMENT_HEADER_BYTES)) continue;
    if (read.state === 'unsupported') return read;
    if (found.state !== 'ok' || read.header.number > found.header.number) found = read;
  }
  return found;
}

/**
 * What the bytes at `offset` say as the head of a block, held against nothing but each other: neither is a checksum looked
 * at, nor whether the block ends before `limit`. Null when no block can begin so.
 */
export function readBlockHead(bytes: Uint8Array, offset: number, limit: number, baseTimeMs: number): BlockInfo | null {
  const reader = new ByteReader(bytes, offset, limit);
  const tag = reader.u8();
  const packing = tag & TAG_PACKING;
  if ((tag & TAG_MARK_MASK) !== TAG_MARK || (tag & 3) === 3) return null;
  const evt = (tag & TAG_EVT) !== 0;
  // Without the mark of version 2 nothing is packed, and a tsd block has no times to pack.
  if (packing < TAG_COMPACT ? packing !== 0 : !evt && (packing & TAG_TIMES_PACKED) !== 0) return null;
  const sensor = reader.varint();
  const first = reader.varint();
  const records = reader.varint();
  const timeMs = unzigzag(reader.varint()) + baseTimeMs;
  const periodMs = evt ? 0 : packing === 0 ? reader.varint() : periodOf(reader.varint());
  const body = packing === 0 || saysBodyBytes(evt, packing) ? reader.varint() : records * 4;
  const bodyAt = reader.at;
  const blockBytes = bodyAt + body + CRC_BYTES - offset;
  if (!reader.valid || records < 1 || records > BLOCK_RECORDS_MAX || blockBytes > BLOCK_BYTES_MAX) return null;
  if (records === 1 && (packing & TAG_TIMES_PACKED) !== 0) return null;
  const least = leastBodyBytes(evt, packing, records);
  if (evt || (packing & TAG_VALUES_PACKED) !== 0 ? body < least : body !== least) return null;
  return {
    offset,
    bytes: blockBytes,
    evt,
    type: tag & 3,
    sensor,
    first,
    records,
    timeMs,
    periodMs,
    bodyAt,
    packing,
  };
}

/** Fewer bytes than that a body of so many records cannot have; one of raw tsd values has exactly so many. */
export function leastBodyBytes(evt: boolean, packing: number, records: number): number {
  const values = (packing & TAG_VALUES_PACKED) !== 0 ? 2 : records * 4;
  if (!evt || records === 1) return values;
  return values + ((packing & TAG_TIMES_PACKED) !== 0 ? 2 : records - 1);
}

/**
 * Checks and reads the block at `offset`; null when there is no intact one. That a packed body gives as many records as
 * the head says is known only when it is decoded: see `decodes`.
 */
export function readBlock(
  bytes: Uint8Array,
  offset: number,
  limit: number,
  seed: number,
  baseTimeMs: number,
  native?: Crc32,
): BlockInfo | null {
  const block = readBlockHead(bytes, offset, limit, baseTimeMs);
  if (block === null || offset + block.bytes > limit) return null;
  const end = offset + block.bytes - CRC_BYTES;
  if (crc32(bytes, offset, end, (seed ^ offset) >>> 0, native) !== readU32(bytes, end)) return null;
  return block;
}

const scratchTimesMs = new Float64Array(BLOCK_RECORDS_MAX);
const scratchBits = new Uint32Array(BLOCK_RECORDS_MAX);

/** Decodes the whole block into the columns at `to`. */
function decodeWhole(
  bytes: Uint8Array,
  block: BlockInfo,
  timesMs: Float64Array,
  bits: Uint32Array,
  to: number,
): boolean {
  const { bodyAt, records } = block;
  const bodyEnd = block.offset + block.bytes - CRC_BYTES;
  let end = bodyAt + records * 4;
  if ((block.packing & TAG_VALUES_PACKED) !== 0) end = readValues(bytes, bodyAt, bodyEnd, records, bits, to);
  else for (let i = 0; i < records; i++) bits[to + i] = readU32(bytes, bodyAt + i * 4);
  if (end < 0) return false;
  if (!block.evt) {
    for (let i = 0; i < records; i++) timesMs[to + i] = block.timeMs + i * block.periodMs;
    return end === bodyEnd;
  }
  const reader = new ByteReader(bytes, end, bodyEnd);
  if ((block.packing & TAG_TIMES_PACKED) !== 0) return readTimes(reader, records, block.timeMs, timesMs, to);
  let time = block.timeMs;
  timesMs[to] = time;
  for (let i = 1; i < records; i++) {
    time += unzigzag(reader.varint());
    timesMs[to + i] = time;
  }
  return reader.valid && reader.done;
}

/** Whether the body of an intact block is its records, no more and no fewer. One that is not is to be taken as damaged. */
export const decodes = (bytes: Uint8Array, block: BlockInfo): boolean =>
  decodeWhole(bytes, block, scratchTimesMs, scratchBits, 0);

/**
 * Decodes records [skip, skip + length) of an intact block into the columns at `to`, which have room for them; a whole
 * block, which is the rule, straight into them.
 * @returns false when the body is not the block's records; what stands in the columns from `to` on means nothing then.
 */
export function decodeBlock(
  bytes: Uint8Array,
  block: BlockInfo,
  skip: number,
  length: number,
  timesMs: Float64Array,
  bits: Uint32Array,
  to: number,
): boolean {
  if (length === block.records) return decodeWhole(bytes, block, timesMs, bits, to);
  if (!decodeWhole(bytes, block, scratchTimesMs, scratchBits, 0)) return false;
  for (let i = 0; i < length; i++) {
    timesMs[to + i] = scratchTimesMs[skip + i] as number;
    bits[to + i] = scratchBits[skip + i] as number;
  }
  return true;
}

export interface SegmentScan {
  readonly header: SegmentHeader;
  /** Of the whole segment, as its header says; its file may be longer, or was cut short. */
  readonly bytes: number;
  readonly blocks: readonly BlockInfo[];
  /** Bytes that belong to no intact block, header or trailer. */
  readonly damagedBytes: number;
}

export type ScanResult =
  | ({ readonly state: 'ok' } & SegmentScan)
  | { readonly state: 'unsupported'; readonly version: number }
  | { readonly state: 'damaged' };

/**
 * Finds every intact block of a file. One good copy of the header is enough; behind a damaged block the scan looks for
 * the next offset at which a block verifies, so that damage stays in its block.
 */
export function scanSegment(bytes: Uint8Array, native?: Crc32): ScanResult {
  const front = readSegmentHeader(bytes, 0);
  if (front.state === 'unsupported') return front;
  const read = front.state === 'ok' ? front : lastSegmentHeader(bytes);
  if (read.state !== 'ok') return read;
  const back = readSegmentHeader(bytes, read.bytes - SEGMENT_HEADER_BYTES);
  const seed = segmentSeed(read.header.storeId, read.header.number);
  const limit = Math.min(bytes.length, read.bytes - SEGMENT_HEADER_BYTES);
  const blocks: BlockInfo[] = [];
  let damagedBytes = front.state === 'ok' ? 0 : SEGMENT_HEADER_BYTES;
  if (back.state !== 'ok' || back.header.number !== read.header.number) damagedBytes += SEGMENT_HEADER_BYTES;
  for (let offset = SEGMENT_HEADER_BYTES; offset < limit; ) {
    const block = readBlock(bytes, offset, limit, seed, read.header.baseTimeMs, native);
    if (block === null) {
      damagedBytes++;
      offset++;
      continue;
    }
    blocks.push(block);
    offset += block.bytes;
  }
  return { state: 'ok', header: read.header, bytes: read.bytes, blocks, damagedBytes };
}

/** Seed of a segment's block checksums, for reading single blocks. */
export const blockSeed = segmentSeed;
