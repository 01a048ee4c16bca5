/**
 * The quick look at a segment, for an open that has thousands of them before it: one checksum call for all its blocks, and
 * of their heads what the index needs, in columns. Keeps INV-19: what is not sound to the last byte it does not take.
 *
 * A block's checksum ends in a register that is always the same, whatever the block holds. So what the checksum of all
 * bytes must be follows from where each block begins and how long it is: the register is carried over a block as over
 * zeros, and the constant is put in. Where that is what the bytes give, every block's own checksum is right, or the damage
 * of several cancels out, which has the odds that damage has of passing a block's own checksum (docs/decisions/0089).
 *
 *   register behind block i = RESIDUE xor zeros(bytes of i, register before it xor the one that block i begins with)
 *
 * It says nothing of a segment with any damage, nor of one with a block of format version 1: null, and segment.ts finds
 * what is intact. It knows no slots and no marks; streams are numbered as they are met.
 */
import { BLOCK_BYTES_MAX, BLOCK_RECORDS_MAX, FILE_BYTES_MAX } from './config.ts';
import type { Crc32 } from './crc32.ts';
import { crc32, ZeroBytes } from './crc32.ts';
import type { SegmentHeader } from './segment.ts';
import {
  BLOCK_BYTES_MIN,
  blockSeed,
  leastBodyBytes,
  periodOf,
  SEGMENT_HEADER_BYTES,
  saysBodyBytes,
  segmentEnd,
  TAG_COMPACT,
  TAG_EVT,
  TAG_MARK,
  TAG_MARK_MASK,
  TAG_PACKING,
  TAG_TIMES_PACKED,
  TAG_TYPE,
  TAG_VALUES_PACKED,
} from './segment.ts';

/** What the checksum's register holds behind bytes that end with their own checksum. */
const RESIDUE = 0xdebb20e3 | 0;
const CRC_BYTES = 4;
const BLOCKS_MAX = Math.floor(FILE_BYTES_MAX / BLOCK_BYTES_MIN);
/** Blocks that one set of columns is made for: first few, for most stores are small, then many. */
const FIRST_ROOM = 8_192;
const NEXT_ROOM = 65_536;
/** Their numbers fit a column of 16 bits. */
const STREAMS_MAX = 65_536;

/** Blocks of one segment, in the order in which they lie there; the columns are of one length, and the taker's to change. */
export interface BlockColumns {
  /** Number of the block's stream, as SegmentColumns gives it. */
  readonly streams: Uint16Array;
  readonly first: Float64Array;
  readonly records: Uint16Array;
  readonly offsets: Uint16Array;
  readonly blockBytes: Uint16Array;
}

/** A stream as its blocks describe it. */
export interface MetStream {
  readonly source: number;
  readonly evt: boolean;
  readonly type: number;
  readonly sensor: number;
  readonly periodMs: number;
  /** Blocks of it that were read. */
  blocks: number;
}

/** Columns with room for many segments. They go with the last of these; neighbours in number are acknowledged together. */
class Room {
  used = 0;
  readonly blocks: number;
  readonly first: Float64Array;
  readonly streams: Uint16Array;
  readonly records: Uint16Array;
  readonly offsets: Uint16Array;
  readonly blockBytes: Uint16Array;

  constructor(blocks: number) {
    this.blocks = blocks;
    this.first = new Float64Array(blocks);
    this.streams = new Uint16Array(blocks);
    this.records = new Uint16Array(blocks);
    this.offsets = new Uint16Array(blocks);
    this.blockBytes = new Uint16Array(blocks);
  }

  take(blocks: number): BlockColumns {
    const from = this.used;
    const to = from + blocks;
    this.used = to;
    return {
      first: this.first.subarray(from, to),
      streams: this.streams.subarray(from, to),
      records: this.records.subarray(from, to),
      offsets: this.offsets.subarray(from, to),
      blockBytes: this.blockBytes.subarray(from, to),
    };
  }
}

/** Reads segment after segment. */
export class SegmentColumns {
  readonly streams: MetStream[] = [];
  readonly #native: Crc32 | undefined;
  /** Made when they are needed: a new store has no use for them. */
  #zeros: ZeroBytes | null = null;
  #room: Room | null = null;
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;
  /** By sensor and shape: the streams met, one for each period. */
  readonly #numbers = new Map<number, number[]>();
  readonly #sensors: number[] = [];
  readonly #shapes: number[] = [];
  readonly #periods: number[] = [];
  /** The stream that came behind each stream last: a flush takes them in the same order each time. */
  readonly #next: number[] = [];
  #last = 0;

  constructor(native?: Crc32) {
    this.#native = native;
  }

  /** @returns null when the segment is not whole, not sound, or not in blocks of this version. */
  read(bytes: Uint8Array, header: SegmentHeader): BlockColumns | null {
    const end = segmentEnd(bytes);
    if (end === null) return null;
    const room = this.#roomForOne();
    this.#zeros ??= new ZeroBytes();
    const zeros = this.#zeros;
    this.#bytes = bytes;
    const seed = blockSeed(header.storeId, header.number);
    let register = -1;
    let at = room.used;
    for (this.#at = SEGMENT_HEADER_BYTES; this.#at < end; at++) {
      const offset = this.#at;
      const length = this.#readHead(header.source, offset, room, at);
      if (length < BLOCK_BYTES_MIN || length > BLOCK_BYTES_MAX) return null;
      room.offsets[at] = offset;
      room.blockBytes[at] = length;
      register = RESIDUE ^ zeros.behind(register ^ ~(seed ^ offset), length);
      this.#at = offset + length;
    }
    if (at === room.used || this.#at !== end) return null;
    if (crc32(bytes, SEGMENT_HEADER_BYTES, end, 0, this.#native) !== ~register >>> 0) return null;
    for (let i = room.used; i < at; i++) (this.streams[room.streams[i] as number] as MetStream).blocks++;
    return room.take(at - room.used);
  }

  #roomForOne(): Room {
    const known = this.#room;
    if (known !== null && known.blocks - known.used >= BLOCKS_MAX) return known;
    const made = new Room(known === null ? FIRST_ROOM : NEXT_ROOM);
    this.#room = made;
    return made;
  }

  /** Reads one block's head into the columns. @returns the bytes of the block; 0 when it is none that is looked at here. */
  #readHead(source: number, offset: number, room: Room, at: number): number {
    const tag = this.#bytes[this.#at++] as number;
    const packing = tag & TAG_PACKING;
    if ((tag & TAG_MARK_MASK) !== TAG_MARK || (tag & TAG_TYPE) === TAG_TYPE || packing < TAG_COMPACT) return 0;
    const evt = (tag & TAG_EVT) !== 0;
    const sensor = this.#varint();
    const first = this.#varint();
    const records = this.#varint();
    const time = this.#varint();
    const period = evt ? 0 : this.#varint();
    const body = saysBodyBytes(evt, packing) ? this.#varint() : records * 4;
    if (!(sensor >= 0 && first >= 0 && time >= 0 && period >= 0 && records >= 1 && records <= BLOCK_RECORDS_MAX))
      return 0;
    if ((packing & TAG_TIMES_PACKED) !== 0 && (!evt || records === 1)) return 0;
    const least = leastBodyBytes(evt, packing, records);
    if (evt || (packing & TAG_VALUES_PACKED) !== 0 ? !(body >= least) : body !== least) return 0;
    const stream = this.#streamOf(source, tag & (TAG_EVT | TAG_TYPE), sensor, period);
    if (stream < 0) return 0;
    room.streams[at] = stream;
    room.first[at] = first;
    room.records[at] = records;
    return this.#at + body + CRC_BYTES - offset;
  }

  /** -1 for one of more than seven bytes: no number of a sound block takes them. */
  #varint(): number {
    const bytes = this.#bytes;
    let byte = bytes[this.#at++] as number;
    if (byte < 0x80) return byte;
    let value = byte & 0x7f;
    let scale = 0x80;
    for (let more = 0; more < 6; more++) {
      byte = bytes[this.#at++] as number;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 0x80;
    }
    return -1;
  }

  /** Number of the stream; -1 when there are too many. */
  #streamOf(source: number, kindAndType: number, sensor: number, period: number): number {
    const shape = kindAndType * 4 + source;
    const guess = this.#next[this.#last] as number;
    let stream = guess;
    if (this.#sensors[guess] !== sensor || this.#shapes[guess] !== shape || this.#periods[guess] !== period) {
      stream = this.#lookUp(source, shape, sensor, period);
      if (stream < 0) return stream;
      this.#next[this.#last] = stream;
    }
    this.#last = stream;
    return stream;
  }

  #lookUp(source: number, shape: number, sensor: number, period: number): number {
    const key = sensor * 32 + shape;
    const met = this.#numbers.get(key) ?? [];
    const known = met.find((stream) => this.#periods[stream] === period);
    if (known !== undefined) return known;
    const stream = this.streams.length;
    if (stream === STREAMS_MAX) return -1;
    const tag = shape >> 2;
    const evt = (tag & TAG_EVT) !== 0;
    this.streams.push({ source, evt, type: tag & TAG_TYPE, sensor, periodMs: periodOf(period), blocks: 0 });
    this.#sensors.push(sensor);
    this.#shapes.push(shape);
    this.#periods.push(period);
    this.#next.push(0);
    met.push(stream);
    this.#numbers.set(key, met);
    return stream;
  }
}
