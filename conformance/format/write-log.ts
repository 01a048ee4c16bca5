/**
 * A part of the checkpoint log as docs/format.md describes it, written without the engine's code: also logs of which a
 * frame or a batch is missing, as damage leaves them.
 */
import { crc32 } from 'node:zlib';
import type { Source } from '../../model/vocabulary.ts';
import { SOURCES } from '../../model/vocabulary.ts';
import { Bytes } from './bytes-out.ts';
import { seedOf } from './cursor.ts';

/** One frame: its type and its payload, or `lost` when damage has taken it. */
export interface FrameContent {
  readonly type: number;
  readonly payload: Uint8Array;
  readonly lost?: boolean;
}

export interface LogContent {
  readonly storeId: Uint8Array;
  readonly generation: number;
  readonly part?: number;
  readonly version?: number;
  /** Batches in order, the first one being the snapshot unless `firstBatch` says otherwise. */
  readonly batches: readonly (readonly FrameContent[])[];
  readonly firstBatch?: number;
  /** Bytes of the file: zeros up to there, or cut there. Default: the next multiple of 8,192. */
  readonly bytes?: number;
}

const PAD_TO_BYTES = 8_192;
const TYPES = ['uint32', 'int32', 'float32'];

const frame = (type: number, payload: Bytes): FrameContent => ({ type, payload: payload.whole() });

export interface Totals {
  readonly epoch?: number;
  readonly closed?: boolean;
  readonly nextSegment?: number;
  readonly nextFlush?: number;
  readonly foldedRecords?: number;
  readonly bytesWritten?: number;
  readonly syncs?: number;
}

/** Frames by their names in docs/format.md. */
export const frames = {
  store: ({
    epoch = 1,
    closed = false,
    nextSegment = 1,
    nextFlush = 1,
    foldedRecords = 0,
    bytesWritten = 0,
    syncs = 0,
  }: Totals): FrameContent => {
    const payload = new Bytes().little(epoch, 4).little(closed ? 1 : 0, 1);
    for (const value of [nextSegment, nextFlush, foldedRecords, bytesWritten, syncs]) payload.varint(value);
    return frame(1, payload);
  },
  stream: (
    slot: number,
    sensor: number,
    {
      source = 'host',
      kind = 'evt',
      type = 'uint32',
      periodMs = 0,
      priority = 0,
    }: {
      readonly source?: Source;
      readonly kind?: 'tsd' | 'evt';
      readonly type?: string;
      readonly periodMs?: number;
      readonly priority?: number;
    } = {},
  ): FrameContent => {
    const shape = SOURCES.indexOf(source) + (kind === 'evt' ? 4 : 0) + 8 * TYPES.indexOf(type);
    return frame(2, new Bytes().varint(slot).little(shape, 1).varint(sensor).varint(periodMs).little(priority, 1));
  },
  /** Head, synced, discarded, evicted, damaged; holes as first sequence number and length. */
  marks: (
    slot: number,
    counts: readonly [number, number, number, number, number],
    holes: readonly (readonly [number, number])[] = [],
  ): FrameContent => {
    const payload = new Bytes().varint(slot);
    for (const value of [...counts, holes.length, ...holes.flat()]) payload.varint(value);
    return frame(3, payload);
  },
  /** Slots ascending, each with the records by which its mark rose. */
  syncedBy: (...rises: readonly (readonly [slot: number, records: number])[]): FrameContent => {
    const payload = new Bytes();
    rises.forEach(([slot, records], i) => payload.varint(slot - (rises[i - 1]?.[0] ?? -1)).varint(records));
    return frame(4, payload);
  },
  added: (...segments: readonly (readonly [Source, number])[]): FrameContent => {
    const payload = new Bytes();
    for (const [source, number] of segments) payload.little(SOURCES.indexOf(source), 1).varint(number);
    return frame(5, payload);
  },
  /** In files of other numbers. */
  placed: (...segments: readonly (readonly [Source, number, file: number])[]): FrameContent => {
    const payload = new Bytes();
    for (const [source, number, file] of segments)
      payload.little(SOURCES.indexOf(source), 1).varint(number).varint(file);
    return frame(9, payload);
  },
  /** Slots ascending: each first one, how many, and the records by which the mark of each of them rose. */
  syncedRuns: (...runs: readonly (readonly [first: number, length: number, records: number])[]): FrameContent => {
    const payload = new Bytes();
    let end = 0;
    for (const [first, length, records] of runs) {
      payload
        .varint(first - end)
        .varint(length)
        .varint(records);
      end = first + length;
    }
    return frame(10, payload);
  },
  removed: (...numbers: readonly number[]): FrameContent => {
    const payload = new Bytes();
    for (const number of numbers) payload.varint(number);
    return frame(6, payload);
  },
  loss: (slot: number, first: number, length: number, records: number, reason: 'evicted' | 'damaged'): FrameContent =>
    frame(
      7,
      new Bytes()
        .varint(slot)
        .varint(first)
        .varint(length)
        .varint(records)
        .little(reason === 'evicted' ? 0 : 1, 1),
    ),
  hole: (slot: number, first: number, length: number): FrameContent =>
    frame(8, new Bytes().varint(slot).varint(first).varint(length)),
  /** Of a type that no reader knows yet. */
  unknown: (): FrameContent => frame(200, new Bytes().varint(7)),
};

export const lost = (content: FrameContent): FrameContent => ({ ...content, lost: true });

export const logFileName = (generation: number, part = 0): string =>
  `checkpoint-${generation.toString(16).padStart(8, '0')}-${part.toString(16).padStart(2, '0')}.log`;

/** The whole file. */
export function writeLogPart({
  storeId,
  generation,
  part = 0,
  version = 3,
  batches,
  firstBatch = 0,
  bytes,
}: LogContent): Uint8Array {
  const file = new Bytes()
    .copy(Buffer.from('IMM2CKPT', 'latin1'))
    .little(version, 2)
    .little(part, 2)
    .little(generation, 4)
    .copy(storeId)
    .copy(new Uint8Array(28));
  file.little(crc32(file.whole(), 0), 4);
  const seed = seedOf(storeId, generation, part);
  batches.forEach((batch, number) => {
    batch.forEach(({ type, payload, lost: gone }, index) => {
      const head = new Bytes()
        .little(payload.length, 2)
        .little(type, 1)
        .little(index === batch.length - 1 ? 1 : 0, 1)
        .little(firstBatch + number, 4)
        .little(index, 2)
        .little(0, 2)
        .copy(payload)
        .whole();
      const checksum = crc32(head, (seed ^ file.length) >>> 0);
      // One wrong bit: the frame is there, and does not verify.
      file.copy(head).little(gone === true ? (checksum ^ 1) >>> 0 : checksum, 4);
      file.copy(new Uint8Array((8 - (file.length % 8)) % 8));
    });
  });
  const whole = file.whole();
  const result = new Uint8Array(bytes ?? Math.ceil(whole.length / PAD_TO_BYTES) * PAD_TO_BYTES);
  result.set(whole.subarray(0, result.length));
  return result;
}
