/**
 * A segment as docs/format.md describes it, written without the engine's code: for files that a store is to find, of which
 * no run could leave each.
 */
import { crc32 } from 'node:zlib';
import type { Source } from '../../model/vocabulary.ts';
import { SOURCES } from '../../model/vocabulary.ts';
import { Bytes } from './bytes-out.ts';
import { seedOf } from './cursor.ts';
import { packTimes, packValues } from './packing.ts';

export interface BlockContent {
  readonly sensor: number;
  readonly kind: 'tsd' | 'evt';
  readonly type: 'uint32' | 'int32' | 'float32';
  /** Of tsd. */
  readonly periodMs?: number;
  /** Sequence number of the first record. */
  readonly first: number;
  /** Of tsd only the first counts. */
  readonly timesMs: readonly number[];
  readonly bits: readonly number[];
}

export interface SegmentContent {
  readonly source: Source;
  readonly epoch: number;
  readonly storeId: Uint8Array;
  readonly number: number;
  readonly flush: number;
  readonly blocks: readonly BlockContent[];
  /** In place of `blocks`, byte by byte up to their checksums: also such as nobody writes. The base of their times is 0. */
  readonly bareBlocks?: readonly Uint8Array[];
  /** Default 3: everything is packed that can be. In version 1 nothing is. */
  readonly version?: 1 | 2 | 3;
  /** Of the file: what stands behind the segment is zeros. Default: no more than the segment. */
  readonly fileBytes?: number;
}

const TYPES = ['uint32', 'int32', 'float32'];
const HEADER_BYTES = 64;

/** The whole file: header, blocks, trailer. */
export function writeSegment({
  source,
  epoch,
  storeId,
  number,
  flush,
  blocks,
  bareBlocks,
  version = 3,
  fileBytes = 0,
}: SegmentContent): Uint8Array {
  const baseMs = blocks[0]?.timesMs[0] ?? 0;
  const seed = seedOf(storeId, number % 2 ** 32, Math.floor(number / 2 ** 32));
  const body = new Bytes();
  const bare =
    bareBlocks ?? blocks.map((block) => (version === 1 ? rawBlock(block, baseMs) : packedBlock(block, baseMs)));
  for (const block of bare) {
    const at = HEADER_BYTES + body.length;
    body.copy(block).little(crc32(block, (seed ^ at) >>> 0), 4);
  }
  const header = new Bytes()
    .copy(Buffer.from('IMM2SEGM', 'latin1'))
    .little(version, 2)
    .little(SOURCES.indexOf(source), 1)
    .little(0, 1)
    .little(epoch, 4)
    .copy(storeId)
    .little(number, 8)
    .little(flush, 8)
    .little(baseMs, 8)
    .little(body.length + 2 * HEADER_BYTES, 4);
  header.little(crc32(header.whole(), 0), 4);
  const whole = new Bytes().copy(header.whole()).copy(body.whole()).copy(header.whole());
  return whole.copy(new Uint8Array(Math.max(0, fileBytes - whole.length))).whole();
}

/** As version 1 has it. */
function rawBlock({ sensor, kind, type, periodMs, first, timesMs, bits }: BlockContent, baseMs: number): Uint8Array {
  const values = new Bytes();
  for (const value of bits) values.little(value >>> 0, 4);
  if (kind === 'evt') timesMs.slice(1).forEach((timeMs, i) => values.zigzag(timeMs - (timesMs[i] as number)));
  const block = new Bytes()
    .little(0x80 + (kind === 'evt' ? 4 : 0) + TYPES.indexOf(type), 1)
    .varint(sensor)
    .varint(first)
    .varint(bits.length)
    .zigzag((timesMs[0] as number) - baseMs);
  if (kind === 'tsd') block.varint(periodMs as number);
  return block.varint(values.length).copy(values.whole()).whole();
}

/** By the sequence number of its first record the one or the other way of packing that the format knows. */
function packedBlock({ sensor, kind, type, first, timesMs, bits, ...of }: BlockContent, baseMs: number): Uint8Array {
  const body = new Bytes();
  const hasTimes = kind === 'evt' && bits.length > 1;
  packValues(body, bits, type === 'float32', bits.length > 2 && first % 2 === 1);
  if (hasTimes) packTimes(body, timesMs);
  const block = new Bytes()
    .little(0xa8 + (hasTimes ? 0x10 : 0) + (kind === 'evt' ? 4 : 0) + TYPES.indexOf(type), 1)
    .varint(sensor)
    .varint(first)
    .varint(bits.length)
    .zigzag((timesMs[0] as number) - baseMs);
  if (kind === 'tsd') block.varint(4 * (of.periodMs as number));
  return block.varint(body.length).copy(body.whole()).whole();
}

/** Its name in its source's directory. */
export const segmentFileName = (number: number): string => `${number.toString().padStart(12, '0')}.seg`;
