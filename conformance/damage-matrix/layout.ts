/**
 * The files of a store as docs/format.md describes them, read byte by byte without the engine: which bytes are which part
 * of the layout, and which records a block holds. For whole files only; what is damaged is for the engine to make out.
 */
import { crc32 } from 'node:zlib';
import type { Directory } from '../../src/core/port.ts';
import { Cursor, check, checkChecksum, seedOf } from '../format/cursor.ts';
import type { Block } from '../format/read-block.ts';
import { readBlock } from '../format/read-block.ts';

/** Where in a file a byte lies. */
export type Place =
  | 'header'
  | 'block header'
  | 'block payload'
  | 'block checksum'
  | 'trailer'
  | 'behind the segment'
  | 'made ahead'
  | 'log header'
  | 'frame header'
  | 'frame payload'
  | 'frame checksum'
  | 'log padding';

export interface Region {
  readonly place: Place;
  /** Bytes [from, to) of the file. */
  readonly from: number;
  readonly to: number;
}

export interface FileLayout {
  readonly directory: Directory;
  readonly name: string;
  readonly bytes: number;
  /** Number of the segment in it; null in a part of the log, and where none was ever written. */
  readonly number: number | null;
  /** Where the segment ends; the file may be longer. Of any other file all its bytes. */
  readonly segmentBytes: number;
  readonly regions: readonly Region[];
  /** Of a segment; none for a part of the log. */
  readonly blocks: readonly Block[];
}

const HEADER_BYTES = 64;
const CHECKSUM_BYTES = 4;
const FRAME_HEAD_BYTES = 12;

/** A file that was made ahead of its first segment. @throws when it is not whole. */
function readBlankFile(directory: Directory, name: string, bytes: Uint8Array): FileLayout {
  check(crc32(bytes.subarray(0, 60), 0) === new Cursor(bytes, 60).u32(), name, 'the checksum of its header');
  const regions: Region[] = [{ place: 'made ahead', from: 0, to: bytes.length }];
  return { directory, name, bytes: bytes.length, number: null, segmentBytes: bytes.length, regions, blocks: [] };
}

/** @throws when the file does not begin with a whole segment, and was not made ahead of one. */
export function readSegmentFile(directory: Directory, name: string, bytes: Uint8Array): FileLayout {
  if (Buffer.from(bytes.subarray(0, 8)).toString('latin1') === 'IMM2FREE') return readBlankFile(directory, name, bytes);
  check(Buffer.from(bytes.subarray(0, 8)).toString('latin1') === 'IMM2SEGM', name, 'its magic');
  const header = new Cursor(bytes, 12);
  const epoch = header.u32();
  const storeId = bytes.subarray(16, 32);
  header.at = 32;
  const number = header.u64();
  header.at = 48;
  const baseMs = header.u64();
  const segmentBytes = header.u32();
  check(segmentBytes <= bytes.length, name, 'its length');
  check(crc32(bytes.subarray(0, 60), 0) === new Cursor(bytes, 60).u32(), name, 'the checksum of its header');
  const trailerAt = segmentBytes - HEADER_BYTES;
  check(
    Buffer.compare(bytes.subarray(0, HEADER_BYTES), bytes.subarray(trailerAt, segmentBytes)) === 0,
    name,
    'its trailer is no copy of its header',
  );
  const seed = seedOf(storeId, number % 2 ** 32, Math.floor(number / 2 ** 32));
  const regions: Region[] = [{ place: 'header', from: 0, to: HEADER_BYTES }];
  const blocks: Block[] = [];
  for (let at = HEADER_BYTES; at < trailerAt; ) {
    const read = readBlock({ bytes, limit: trailerAt, epoch, baseMs, seed }, at);
    check(read !== null, name, `no block stands at ${at}`);
    const { block, bodyAt, bodyEnd } = read;
    regions.push(
      { place: 'block header', from: at, to: bodyAt },
      { place: 'block payload', from: bodyAt, to: bodyEnd },
      { place: 'block checksum', from: bodyEnd, to: block.to },
    );
    blocks.push(block);
    at = block.to;
  }
  regions.push({ place: 'trailer', from: trailerAt, to: segmentBytes });
  if (segmentBytes < bytes.length) regions.push({ place: 'behind the segment', from: segmentBytes, to: bytes.length });
  return { directory, name, bytes: bytes.length, number, segmentBytes, regions, blocks };
}

/** @throws when the file is not a whole part of a log. */
export function readLogFile(directory: Directory, name: string, bytes: Uint8Array): FileLayout {
  check(Buffer.from(bytes.subarray(0, 8)).toString('latin1') === 'IMM2CKPT', name, 'its magic');
  const header = new Cursor(bytes, 10);
  const part = header.u16();
  const generation = header.u32();
  check(crc32(bytes.subarray(0, 60), 0) === new Cursor(bytes, 60).u32(), name, 'the checksum of its header');
  const seed = seedOf(bytes.subarray(16, 32), generation, part);
  const regions: Region[] = [{ place: 'log header', from: 0, to: HEADER_BYTES }];
  let at = HEADER_BYTES;
  for (; at + FRAME_HEAD_BYTES < bytes.length && bytes[at + 2] !== 0; ) {
    const payloadEnd = at + FRAME_HEAD_BYTES + new Cursor(bytes, at).u16();
    checkChecksum(bytes, at, payloadEnd, seed, name);
    const end = Math.ceil((payloadEnd + CHECKSUM_BYTES) / 8) * 8;
    regions.push(
      { place: 'frame header', from: at, to: at + FRAME_HEAD_BYTES },
      { place: 'frame payload', from: at + FRAME_HEAD_BYTES, to: payloadEnd },
      { place: 'frame checksum', from: payloadEnd, to: payloadEnd + CHECKSUM_BYTES },
    );
    if (end > payloadEnd + CHECKSUM_BYTES)
      regions.push({ place: 'log padding', from: payloadEnd + CHECKSUM_BYTES, to: end });
    at = end;
  }
  if (at < bytes.length) regions.push({ place: 'log padding', from: at, to: bytes.length });
  return { directory, name, bytes: bytes.length, number: null, segmentBytes: bytes.length, regions, blocks: [] };
}

/** Every file of a store that the format knows, by directory and name; others, and the spoiled ones, are left out. */
export function layOut(
  files: readonly { readonly directory: Directory; readonly name: string; readonly content: Uint8Array }[],
  spoiled: ReadonlySet<string>,
): FileLayout[] {
  return files.flatMap(({ directory, name, content }) => {
    if (spoiled.has(`${directory}/${name}`)) return [];
    if (directory === '') return /^checkpoint-.*\.log$/.test(name) ? [readLogFile(directory, name, content)] : [];
    return name.endsWith('.seg') ? [readSegmentFile(directory, name, content)] : [];
  });
}

/** The same file as another store would have written it: its id and every checksum that goes by it. */
export function ofStore(
  { directory, segmentBytes, regions }: FileLayout,
  content: Uint8Array,
  storeId: Uint8Array,
): Uint8Array {
  const bytes = content.slice();
  const view = new DataView(bytes.buffer);
  const sealHeader = (at: number): void => {
    bytes.set(storeId, at + 16);
    view.setUint32(at + 60, crc32(bytes.subarray(at, at + 60), 0), true);
  };
  sealHeader(0);
  if (directory !== '') sealHeader(segmentBytes - HEADER_BYTES);
  const words =
    directory === ''
      ? [view.getUint32(12, true), view.getUint16(10, true)]
      : [view.getUint32(32, true), view.getUint32(36, true)];
  const seed = seedOf(storeId, ...words);
  let start = 0;
  for (const { place, from } of regions) {
    if (place === 'block header' || place === 'frame header') start = from;
    if (place !== 'block checksum' && place !== 'frame checksum') continue;
    view.setUint32(from, crc32(bytes.subarray(start, from), (seed ^ start) >>> 0), true);
  }
  return bytes;
}

export const placeOf = ({ regions }: FileLayout, byte: number): Place =>
  (regions.find(({ from, to }) => byte >= from && byte < to) as Region).place;
