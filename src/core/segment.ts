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
 *   block     tag u8 | sensor | first sequence | records | first time - base (zigzag) | tsd only: period ms |
 *             body bytes | body | CRC-32 u32          (numbers without a width are LEB128 varints)
 *             tag: bits 0-1 value type, 2 kind (set: evt), 3-5 codec (0: raw), 6-7 always 1 0
 *             raw tsd body: values u32 x records
 *             raw evt body: values u32 x records, then (records - 1) times as zigzag difference to the one before
 *
 * A block's CRC continues from one over store id and segment number, xor its offset: a block that was copied from
 * another store, segment or place does not verify, so bytes of something else are never read as records.
 * Integers are little-endian.
 *
 * It does not know streams' slots, marks or files; it turns records into bytes and back.
 */
import { ByteReader, ByteWriter, readU32, sameBytes, unzigzag, zigzag } from './bytes.ts';
import { BLOCK_BYTES_MAX, FILE_BYTES_MAX } from './config.ts';
import type { Crc32 } from './crc32.ts';
import { crc32 } from './crc32.ts';

export const FORMAT_VERSION = 1;
export const SEGMENT_HEADER_BYTES = 64;
const MAGIC = new Uint8Array([0x49, 0x4d, 0x4d, 0x32, 0x53, 0x45, 0x47, 0x4d]);
const CRC_BYTES = 4;
const TAG_MARK = 0b1000_0000;
const TAG_MARK_MASK = 0b1100_0000;
const TAG_EVT = 0b100;
/** Tag to body at the longest: 1 + 5 + 8 + 3 + 8 + 5 + 3. */
const BLOCK_HEAD_BYTES_MAX = 33;
/** Bits per tag field that are set in no version 1 block: the codec. */
const TAG_CODEC_MASK = 0b0011_1000;

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
  readonly #out: ByteWriter;
  readonly #seed: number;
  readonly #native: Crc32 | undefined;
  readonly blocks: BlockInfo[] = [];
  /** The caller's stream slot of each block. */
  readonly slots: number[] = [];
  records = 0;

  constructor(header: SegmentHeader, native?: Crc32) {
    this.header = header;
    this.#native = native;
    this.#seed = segmentSeed(header.storeId, header.number);
    this.#out = new ByteWriter(FILE_BYTES_MAX);
    this.#out.zeros(SEGMENT_HEADER_BYTES);
  }

  /**
   * Adds one block with as many of the records as fit in a block and in what is left of the segment.
   * For tsd the times are those of the grid, so only the first is written: the caller gives one run.
   * @returns how many were taken; 0 when the segment is full.
   */
  add(stream: BlockStream, first: number, timesMs: Float64Array, bits: Uint32Array, length: number): number {
    const offset = this.#out.length;
    const room =
      Math.min(BLOCK_BYTES_MAX, FILE_BYTES_MAX - SEGMENT_HEADER_BYTES - offset) - BLOCK_HEAD_BYTES_MAX - CRC_BYTES;
    let records = 0;
    let body = 0;
    for (; records < length; records++) {
      const more =
        4 + (stream.evt && records > 0 ? varintBytes(zigzag(at(timesMs, records) - at(timesMs, records - 1))) : 0);
      if (body + more > room) break;
      body += more;
    }
    if (records === 0) return 0;
    const out = this.#out;
    out.u8(TAG_MARK | (stream.evt ? TAG_EVT : 0) | stream.type);
    out.varint(stream.sensor);
    out.varint(first);
    out.varint(records);
    out.varint(zigzag(at(timesMs, 0) - this.header.baseTimeMs));
    if (!stream.evt) out.varint(stream.periodMs);
    out.varint(body);
    const bodyAt = out.length;
    for (let i = 0; i < records; i++) out.u32(bits[i] as number);
    if (stream.evt) for (let i = 1; i < records; i++) out.varint(zigzag(at(timesMs, i) - at(timesMs, i - 1)));
    out.u32(crc32(out.bytes, offset, out.length, (this.#seed ^ offset) >>> 0, this.#native));
    this.slots.push(stream.slot);
    this.blocks.push({
      offset,
      bytes: out.length - offset,
      evt: stream.evt,
      type: stream.type,
      sensor: stream.sensor,
      first,
      records,
      timeMs: at(timesMs, 0),
      periodMs: stream.evt ? 0 : stream.periodMs,
      bodyAt,
    });
    this.records += records;
    return records;
  }

  /** The whole file. The builder is spent afterwards. */
  finish(): Uint8Array {
    const head = new ByteWriter(SEGMENT_HEADER_BYTES);
    const bytes = this.#out.length + SEGMENT_HEADER_BYTES;
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
    this.#out.bytes.set(head.view(), 0);
    this.#out.copy(head.view());
    return this.#out.view();
  }
}

const at = (values: Float64Array, i: number): number => values[i] as number;

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes++;
  return bytes;
}

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
  if (version !== FORMAT_VERSION) return { state: 'unsupported', version };
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

/** Checks and reads the block at `offset`; null when there is no intact one. */
export function readBlock(
  bytes: Uint8Array,
  offset: number,
  limit: number,
  seed: number,
  baseTimeMs: number,
  native?: Crc32,
): BlockInfo | null {
  const reader = new ByteReader(bytes, offset, limit);
  const tag = reader.u8();
  if ((tag & TAG_MARK_MASK) !== TAG_MARK || (tag & TAG_CODEC_MASK) !== 0 || (tag & 3) === 3) return null;
  const evt = (tag & TAG_EVT) !== 0;
  const sensor = reader.varint();
  const first = reader.varint();
  const records = reader.varint();
  const timeMs = unzigzag(reader.varint()) + baseTimeMs;
  const periodMs = evt ? 0 : reader.varint();
  const body = reader.varint();
  const bodyAt = reader.at;
  const end = bodyAt + body;
  if (!reader.valid || body > BLOCK_BYTES_MAX || records < 1 || records * 4 > body || end + CRC_BYTES > limit)
    return null;
  if (crc32(bytes, offset, end, (seed ^ offset) >>> 0, native) !== readU32(bytes, end)) return null;
  return {
    offset,
    bytes: end + CRC_BYTES - offset,
    evt,
    type: tag & 3,
    sensor,
    first,
    records,
    timeMs,
    periodMs,
    bodyAt,
  };
}

/** Decodes records [skip, skip + length) of an intact block into the columns at `to`. */
export function decodeBlock(
  bytes: Uint8Array,
  block: BlockInfo,
  skip: number,
  length: number,
  timesMs: Float64Array,
  bits: Uint32Array,
  to: number,
): void {
  for (let i = 0; i < length; i++) bits[to + i] = readU32(bytes, block.bodyAt + (skip + i) * 4);
  if (!block.evt) {
    for (let i = 0; i < length; i++) timesMs[to + i] = block.timeMs + (skip + i) * block.periodMs;
    return;
  }
  const reader = new ByteReader(bytes, block.bodyAt + block.records * 4, block.offset + block.bytes - CRC_BYTES);
  let time = block.timeMs;
  for (let i = 0; i < skip + length; i++) {
    if (i > 0) time += unzigzag(reader.varint());
    if (i >= skip) timesMs[to + i - skip] = time;
  }
}

export interface SegmentScan {
  readonly header: SegmentHeader;
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
  const back = readSegmentHeader(bytes, bytes.length - SEGMENT_HEADER_BYTES);
  if (front.state === 'unsupported') return front;
  const read = front.state === 'ok' ? front : back;
  if (read.state !== 'ok') return read;
  const seed = segmentSeed(read.header.storeId, read.header.number);
  const limit = Math.min(bytes.length, read.bytes - SEGMENT_HEADER_BYTES);
  const blocks: BlockInfo[] = [];
  let damagedBytes = front.state === 'ok' ? 0 : SEGMENT_HEADER_BYTES;
  if (back.state !== 'ok' || bytes.length !== read.bytes) damagedBytes += SEGMENT_HEADER_BYTES;
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
  return { state: 'ok', header: read.header, blocks, damagedBytes };
}

/** Seed of a segment's block checksums, for reading single blocks. */
export const blockSeed = segmentSeed;
