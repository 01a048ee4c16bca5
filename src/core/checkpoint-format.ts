/**
 * Bytes of the checkpoint log. The log is the store's authority on what is durable: heads, synced marks, live
 * segments, the loss ledger. docs/format.md shows the same layout for somebody with a hex dump.
 *
 *   part file  checkpoint-GGGGGGGG-PP.log, at most 65,536 bytes: header (64) | frame | frame | ... | zeros
 *
 *   header     0  magic "IMM2CKPT"    12  generation u32     32  zero (28)
 *              8  format version u16  16  store id (16)      60  CRC-32 of bytes 0 to 59
 *             10  part u16
 *
 *   frame      0  payload bytes u16   4  batch u32           12  payload
 *              2  type u8             8  index in batch u16   ..  CRC-32 u32 of all before it
 *              3  1: last of batch   10  zero u16             ..  zeros to a multiple of 8
 *
 * A frame's CRC continues from one over store id, generation, part and offset, so a frame of an older generation or of
 * another place never verifies. A batch takes effect whole or not at all: all its frames, the last one marked. Batch 0
 * of a generation is the snapshot. Behind a damaged frame reading goes on at the next multiple of 8 that verifies.
 */
import { ByteReader, ByteWriter, readU32, sameBytes } from './bytes.ts';
import { FILE_BYTES_MAX } from './config.ts';
import type { Crc32 } from './crc32.ts';
import { crc32 } from './crc32.ts';
import { FORMAT_VERSION, isKnownVersion } from './segment.ts';

export const PART_HEADER_BYTES = 64;
const FRAME_HEAD_BYTES = 12;
const CRC_BYTES = 4;
/** Payload at which an item list is cut into the next frame. */
export const FRAME_PAYLOAD_CUT_BYTES = 2048;
/** Nothing a single item adds may pass this. */
const FRAME_PAYLOAD_MAX_BYTES = 60_000;
const MAGIC = new Uint8Array([0x49, 0x4d, 0x4d, 0x32, 0x43, 0x4b, 0x50, 0x54]);

export const FRAME_STORE = 1;
export const FRAME_STREAMS = 2;
export const FRAME_MARKS = 3;
export const FRAME_SYNCED_BY = 4;
export const FRAME_SEGMENTS_ADDED = 5;
export const FRAME_SEGMENTS_REMOVED = 6;
export const FRAME_LEDGER = 7;
export const FRAME_HOLES = 8;
export const FRAME_SEGMENTS_PLACED = 9;
export const FRAME_SYNCED_RUNS = 10;

export interface Frame {
  readonly type: number;
  readonly payload: Uint8Array;
}

/** Collects items into frames of about 2 KB, so that a flipped bit in the log costs few of them. */
export class FrameList {
  readonly frames: Frame[] = [];
  #writer = new ByteWriter(256);
  #type = 0;

  /** Starts an item of `type`; what is written to the returned writer belongs to it. */
  item(type: number): ByteWriter {
    if (this.#type !== type || this.#writer.length >= FRAME_PAYLOAD_CUT_BYTES) this.cut();
    this.#type = type;
    return this.#writer;
  }

  /** True when the next item of `type` begins a frame: difference coding begins anew there. */
  startsFrame(type: number): boolean {
    return this.#type !== type || this.#writer.length === 0 || this.#writer.length >= FRAME_PAYLOAD_CUT_BYTES;
  }

  cut(): void {
    if (this.#writer.length > 0)
      this.frames.push({
        type: this.#type,
        payload: this.#writer.view().slice(),
      });
    this.#writer.length = 0;
  }

  finish(): readonly Frame[] {
    this.cut();
    return this.frames;
  }
}

export const partName = (generation: number, part: number): string =>
  `checkpoint-${generation.toString(16).padStart(8, '0')}-${part.toString(16).padStart(2, '0')}.log`;

/** First number that no generation has: far more than a flash lives, and far enough below what eight digits hold. */
const GENERATION_END = 0xf000_0000;

/** Generation and part of a log's file; null for any other, so that a stray one does not lead the numbers astray. */
export function parsePartName(name: string): { generation: number; part: number } | null {
  const match = /^checkpoint-([0-9a-f]{8})-([0-9a-f]{2,4})\.log$/.exec(name);
  const generation = Number.parseInt(match?.[1] ?? 'f0000000', 16);
  return generation < GENERATION_END ? { generation, part: Number.parseInt(match?.[2] ?? '', 16) } : null;
}

const frameSeed = (storeId: Uint8Array, generation: number, part: number): number => {
  const writer = new ByteWriter(24);
  writer.copy(storeId);
  writer.u32(generation);
  writer.u32(part);
  return crc32(writer.bytes, 0, 24, 0);
};

export function encodePartHeader(storeId: Uint8Array, generation: number, part: number): Uint8Array {
  const writer = new ByteWriter(PART_HEADER_BYTES);
  writer.copy(MAGIC);
  writer.u16(FORMAT_VERSION);
  writer.u16(part);
  writer.u32(generation);
  writer.copy(storeId);
  writer.zeros(28);
  writer.u32(crc32(writer.bytes, 0, 60, 0));
  return writer.view();
}

const frameBytes = (payloadBytes: number): number => Math.ceil((FRAME_HEAD_BYTES + payloadBytes + CRC_BYTES) / 8) * 8;

/** Bytes to write into one part at one offset. */
export interface Placement {
  readonly part: number;
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** Where the log stands: the part that is being filled, the offset of its next frame, and its size so far. */
export interface LogEnd {
  readonly part: number;
  readonly offset: number;
  readonly allocated: number;
}

/**
 * Lays a batch out behind `end`, into further parts where one is full. A new part (offset 0) begins with its header.
 * A part that grows is padded with zeros to a multiple of `padTo`: the next frames then overwrite space that the file
 * already has, which needs no change of the file's size and no free block.
 */
export function placeBatch(
  frames: readonly Frame[],
  storeId: Uint8Array,
  generation: number,
  batch: number,
  end: LogEnd,
  padTo: number,
  native?: Crc32,
): { readonly placements: readonly Placement[]; readonly end: LogEnd } {
  const placements: Placement[] = [];
  let { part, offset, allocated } = end;
  let start = offset;
  let seed = frameSeed(storeId, generation, part);
  let writer = new ByteWriter(4096);
  if (offset === 0) {
    writer.copy(encodePartHeader(storeId, generation, part));
    offset = PART_HEADER_BYTES;
  }
  const flush = (): void => {
    if (writer.length === 0) return;
    if (offset > allocated) {
      allocated = Math.min(FILE_BYTES_MAX, Math.ceil(offset / padTo) * padTo);
      writer.zeros(allocated - offset);
    }
    placements.push({ part, offset: start, bytes: writer.view() });
  };
  frames.forEach((frame, index) => {
    if (frame.payload.length > FRAME_PAYLOAD_MAX_BYTES) throw new RangeError('a frame is cut long before this');
    const size = frameBytes(frame.payload.length);
    if (offset + size > FILE_BYTES_MAX) {
      flush();
      part++;
      seed = frameSeed(storeId, generation, part);
      writer = new ByteWriter(4096);
      writer.copy(encodePartHeader(storeId, generation, part));
      start = 0;
      offset = PART_HEADER_BYTES;
      allocated = 0;
    }
    const at = writer.length;
    writer.u16(frame.payload.length);
    writer.u8(frame.type);
    writer.u8(index === frames.length - 1 ? 1 : 0);
    writer.u32(batch);
    writer.u16(index);
    writer.u16(0);
    writer.copy(frame.payload);
    writer.u32(crc32(writer.bytes, at, writer.length, (seed ^ offset) >>> 0, native));
    writer.zeros(at + size - writer.length);
    offset += size;
  });
  flush();
  return { placements, end: { part, offset, allocated } };
}

export type PartHeaderRead =
  | {
      readonly state: 'ok';
      readonly storeId: Uint8Array;
      readonly generation: number;
      readonly part: number;
    }
  | { readonly state: 'unsupported'; readonly version: number }
  | { readonly state: 'damaged' };

export function readPartHeader(bytes: Uint8Array): PartHeaderRead {
  if (bytes.length < PART_HEADER_BYTES || !sameBytes(bytes.subarray(0, 8), MAGIC)) return { state: 'damaged' };
  if (crc32(bytes, 0, 60, 0) !== readU32(bytes, 60)) return { state: 'damaged' };
  const reader = new ByteReader(bytes, 8);
  const version = reader.u16();
  if (!isKnownVersion(version)) return { state: 'unsupported', version };
  const part = reader.u16();
  const generation = reader.u32();
  return { state: 'ok', part, generation, storeId: bytes.slice(16, 32) };
}

export interface FoundFrame extends Frame {
  readonly batch: number;
  readonly index: number;
  readonly last: boolean;
}

export interface PlacedFrame extends FoundFrame {
  /** Where it begins in its part, and its bytes with the zeros behind it. */
  readonly offset: number;
  readonly bytes: number;
}

/** Every intact frame of a part, in order. The header's identity is given, so a damaged header costs no frame. */
export function scanPart(
  bytes: Uint8Array,
  storeId: Uint8Array,
  generation: number,
  part: number,
  native?: Crc32,
): PlacedFrame[] {
  const seed = frameSeed(storeId, generation, part);
  const found: PlacedFrame[] = [];
  for (let offset = PART_HEADER_BYTES; offset + FRAME_HEAD_BYTES + CRC_BYTES <= bytes.length; ) {
    const payloadBytes = (bytes[offset] as number) | ((bytes[offset + 1] as number) << 8);
    const end = offset + FRAME_HEAD_BYTES + payloadBytes;
    const type = bytes[offset + 2] as number;
    if (
      type === 0 ||
      end + CRC_BYTES > bytes.length ||
      crc32(bytes, offset, end, (seed ^ offset) >>> 0, native) !== readU32(bytes, end)
    ) {
      offset += 8;
      continue;
    }
    const reader = new ByteReader(bytes, offset + 3, end);
    const last = reader.u8() === 1;
    const batch = reader.u32();
    const index = reader.u16();
    found.push({
      offset,
      bytes: frameBytes(payloadBytes),
      type,
      last,
      batch,
      index,
      payload: bytes.slice(offset + FRAME_HEAD_BYTES, end),
    });
    offset += frameBytes(payloadBytes);
  }
  return found;
}

/** The batches of which every frame is there, in order. */
export function completeBatches(frames: readonly FoundFrame[]): ReadonlyMap<number, readonly FoundFrame[]> {
  const byBatch = new Map<number, FoundFrame[]>();
  for (const frame of frames) {
    const list = byBatch.get(frame.batch);
    if (list === undefined) byBatch.set(frame.batch, [frame]);
    else list.push(frame);
  }
  for (const [batch, list] of byBatch) {
    const whole = list.every((frame, i) => frame.index === i && frame.last === (i === list.length - 1));
    if (!whole) byBatch.delete(batch);
  }
  return byBatch;
}
