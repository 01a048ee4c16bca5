/**
 * What a whole checkpoint log says, read as docs/format.md describes it and without the engine: the store as it would be
 * after a power cut. Nothing of a whole log may be odd, so that everything odd is an error here.
 */
import { crc32 } from 'node:zlib';
import type { Source } from '../../model/vocabulary.ts';
import { SOURCES } from '../../model/vocabulary.ts';
import { Cursor, check, checkChecksum, seedOf } from './cursor.ts';

export interface LoggedStream {
  readonly source: Source;
  readonly kind: 'tsd' | 'evt';
  readonly type: 'uint32' | 'int32' | 'float32';
  readonly sensor: number;
  readonly periodMs: number;
  readonly priority: number;
}

export interface LoggedMarks {
  readonly head: number;
  readonly synced: number;
  readonly discarded: number;
  readonly evicted: number;
  readonly damaged: number;
  /** First sequence number and length of each. */
  readonly holes: readonly (readonly [first: number, length: number])[];
}

export interface LoggedLoss {
  readonly slot: number;
  readonly from: number;
  readonly to: number;
  readonly records: number;
  readonly reason: 'evicted' | 'damaged';
}

export interface LoggedTotals {
  readonly epoch: number;
  readonly closed: boolean;
  readonly nextSegment: number;
  readonly nextFlush: number;
  /** Records whose entries the ledger no longer has. */
  readonly foldedRecords: number;
  readonly bytesWritten: number;
  readonly syncs: number;
}

/** Streams and marks by slot, the source of each live segment by number. */
export interface LoggedStore {
  readonly storeId: Uint8Array;
  readonly generation: number;
  /** Of the newest generation: the snapshot is one. */
  readonly batches: number;
  readonly totals: LoggedTotals;
  readonly streams: ReadonlyMap<number, LoggedStream>;
  readonly marks: ReadonlyMap<number, LoggedMarks>;
  readonly segments: ReadonlyMap<number, Source>;
  /** The number in the name of a live segment's file, where it is not the segment's own. */
  readonly files: ReadonlyMap<number, number>;
  readonly ledger: readonly LoggedLoss[];
}

export interface LogFile {
  readonly name: string;
  readonly content: Uint8Array;
}

interface Frame {
  readonly type: number;
  readonly last: boolean;
  readonly batch: number;
  readonly index: number;
  readonly payload: Uint8Array;
}

const HEADER_BYTES = 64;
const FRAME_HEAD_BYTES = 12;
const PART_BYTES_MAX = 65_536;
const KNOWN_VERSIONS = [1, 2, 3];
const HOLES_IN_MARKS_MAX = 64;
const TYPES = ['uint32', 'int32', 'float32'] as const;
const ZERO_MARKS: LoggedMarks = { head: 0, synced: 0, discarded: 0, evicted: 0, damaged: 0, holes: [] };

/** Generation and part by a file's name; null for a file that is none of the log's. */
function placeOf(name: string): { readonly generation: number; readonly part: number } | null {
  const [, generation, part] = /^checkpoint-([0-9a-f]{8})-([0-9a-f]{2,})\.log$/.exec(name) ?? [];
  return generation === undefined || part === undefined
    ? null
    : { generation: Number.parseInt(generation, 16), part: Number.parseInt(part, 16) };
}

/** @throws when the newest generation among the files is not whole, or not as the document says. */
export function readLog(files: readonly LogFile[]): LoggedStore {
  const parts = files.flatMap((file) => {
    const place = placeOf(file.name);
    return place === null ? [] : [{ ...file, ...place }];
  });
  const generation = Math.max(...parts.map((part) => part.generation));
  check(Number.isFinite(generation), 'the store', 'it has no checkpoint log');
  const own = parts.filter((part) => part.generation === generation).sort((a, b) => a.part - b.part);
  const storeId = (own[0] as LogFile).content.subarray(16, 32);
  const frames = own.flatMap((file, i) => {
    check(file.part === i, file.name, `it is part ${i} by its order`);
    return readPart(file.name, file.content, storeId, generation, i);
  });
  return new Reading(storeId, generation).take(frames);
}

function readPart(
  name: string,
  bytes: Uint8Array,
  storeId: Uint8Array,
  generation: number,
  part: number,
): readonly Frame[] {
  check(bytes.length <= PART_BYTES_MAX, name, `it has ${bytes.length} bytes`);
  check(Buffer.from(bytes.subarray(0, 8)).toString('latin1') === 'IMM2CKPT', name, 'its magic');
  const header = new Cursor(bytes, 8);
  check(KNOWN_VERSIONS.includes(header.u16()), name, 'its version');
  check(header.u16() === part && header.u32() === generation, name, 'its part and generation');
  check(Buffer.compare(bytes.subarray(16, 32), storeId) === 0, name, 'its store id');
  check(isZero(bytes, 32, 60), name, 'the zeros of its header');
  check(crc32(bytes.subarray(0, 60), 0) === new Cursor(bytes, 60).u32(), name, 'the checksum of its header');
  const seed = seedOf(storeId, generation, part);
  const frames: Frame[] = [];
  let at = HEADER_BYTES;
  while (at + FRAME_HEAD_BYTES < bytes.length && bytes[at + 2] !== 0) {
    const head = new Cursor(bytes, at);
    const payloadEnd = at + FRAME_HEAD_BYTES + head.u16();
    const [type, last, batch, index] = [head.u8(), head.u8(), head.u32(), head.u16()];
    check(head.u16() === 0 && last <= 1, name, `the head of the frame at ${at}`);
    checkChecksum(bytes, at, payloadEnd, seed, name);
    const end = Math.ceil((payloadEnd + 4) / 8) * 8;
    check(isZero(bytes, payloadEnd + 4, end), name, `the zeros behind the frame at ${at}`);
    frames.push({ type, last: last === 1, batch, index, payload: bytes.slice(at + FRAME_HEAD_BYTES, payloadEnd) });
    at = end;
  }
  check(isZero(bytes, at, bytes.length), name, `the zeros behind its last frame, at ${at}`);
  return frames;
}

const isZero = (bytes: Uint8Array, from: number, to: number): boolean =>
  bytes.subarray(from, to).every((byte) => byte === 0);

/** Frames of one generation, applied in order. */
class Reading {
  readonly #storeId: Uint8Array;
  readonly #generation: number;
  readonly #streams = new Map<number, LoggedStream>();
  readonly #marks = new Map<number, LoggedMarks>();
  readonly #segments = new Map<number, Source>();
  readonly #files = new Map<number, number>();
  readonly #ledger: LoggedLoss[] = [];
  #totals: LoggedTotals | null = null;

  constructor(storeId: Uint8Array, generation: number) {
    this.#storeId = storeId;
    this.#generation = generation;
  }

  take(frames: readonly Frame[]): LoggedStore {
    let [batch, index] = [0, 0];
    for (const frame of frames) {
      check(frame.batch === batch && frame.index === index, 'the log', `batch ${batch} has no frame ${index}`);
      this.#apply(frame);
      [batch, index] = frame.last ? [batch + 1, 0] : [batch, index + 1];
    }
    check(index === 0, 'the log', `batch ${batch} has no last frame`);
    check(this.#totals !== null, 'the log', 'it has no STORE');
    return {
      storeId: this.#storeId,
      generation: this.#generation,
      batches: batch,
      totals: this.#totals,
      streams: this.#streams,
      marks: this.#marks,
      segments: this.#segments,
      files: this.#files,
      ledger: this.#ledger,
    };
  }

  #apply({ type, payload, batch }: Frame): void {
    const cursor = new Cursor(payload, 0);
    check(!cursor.ended, 'the log', `a frame of batch ${batch} is empty`);
    let slot = -1;
    let end = 0;
    while (!cursor.ended) {
      if (type === 1) {
        const totals = readTotals(cursor);
        // What was folded behind the snapshot has its frame among the losses read here.
        this.#totals = { ...totals, foldedRecords: this.#totals?.foldedRecords ?? totals.foldedRecords };
      } else if (type === 2) this.#streams.set(cursor.varint(), readStream(cursor));
      else if (type === 3) this.#marks.set(cursor.varint(), readMarks(cursor));
      else if (type === 4) {
        slot += cursor.varint();
        const marks = this.#marks.get(slot) ?? ZERO_MARKS;
        this.#marks.set(slot, { ...marks, synced: marks.synced + cursor.varint() });
      } else if (type === 5) {
        const source = SOURCES[cursor.u8()];
        check(source !== undefined, 'the log', 'the source of a segment');
        this.#segments.set(cursor.varint(), source);
      } else if (type === 6) {
        // One that was never live may be named: its file was written, and no batch committed it.
        const number = cursor.varint();
        this.#segments.delete(number);
        this.#files.delete(number);
      } else if (type === 9) this.#placed(cursor);
      else if (type === 10) end = this.#run(cursor, end);
      else if (type === 7) this.#ledger.push(readLoss(cursor));
      else if (type === 8) this.#hole(cursor);
      else check(false, 'the log', `a frame of type ${type}`);
    }
    check(cursor.at === payload.length, 'the log', `an item of type ${type} is cut off`);
  }

  #placed(cursor: Cursor): void {
    const source = SOURCES[cursor.u8()];
    const [number, file] = [cursor.varint(), cursor.varint()];
    check(source !== undefined, 'the log', 'the source of a segment');
    check(file < number, 'the log', `segment ${number} lies in file ${file}, which is not older`);
    this.#segments.set(number, source);
    this.#files.set(number, file);
  }

  /** @returns the slot behind the run. */
  #run(cursor: Cursor, end: number): number {
    const first = end + cursor.varint();
    const [length, by] = [cursor.varint(), cursor.varint()];
    check(length > 0 && by > 0, 'the log', 'a run of marks that did not rise');
    for (let slot = first; slot < first + length; slot++) {
      const marks = this.#marks.get(slot) ?? ZERO_MARKS;
      this.#marks.set(slot, { ...marks, synced: marks.synced + by });
    }
    return first + length;
  }

  #hole(cursor: Cursor): void {
    const slot = cursor.varint();
    const marks = this.#marks.get(slot);
    check(marks !== undefined && marks.holes.length >= HOLES_IN_MARKS_MAX, 'the log', 'a hole without its marks');
    this.#marks.set(slot, { ...marks, holes: [...marks.holes, [cursor.varint(), cursor.varint()]] });
  }
}

function readTotals(cursor: Cursor): LoggedTotals {
  const epoch = cursor.u32();
  const closed = cursor.u8();
  check(closed <= 1, 'the log', 'STORE is neither closed nor not');
  return {
    epoch,
    closed: closed === 1,
    nextSegment: cursor.varint(),
    nextFlush: cursor.varint(),
    foldedRecords: cursor.varint(),
    bytesWritten: cursor.varint(),
    syncs: cursor.varint(),
  };
}

function readStream(cursor: Cursor): LoggedStream {
  const shape = cursor.u8();
  const source = SOURCES[shape & 3];
  const type = TYPES[(shape >> 3) & 3];
  check(source !== undefined && type !== undefined && shape < 32, 'the log', `the shape ${shape} of a stream`);
  return {
    source,
    kind: (shape & 4) === 0 ? 'tsd' : 'evt',
    type,
    sensor: cursor.varint(),
    periodMs: cursor.varint(),
    priority: cursor.u8(),
  };
}

function readMarks(cursor: Cursor): LoggedMarks {
  const [head, synced, discarded] = [cursor.varint(), cursor.varint(), cursor.varint()];
  const [evicted, damaged, holes] = [cursor.varint(), cursor.varint(), cursor.varint()];
  check(holes <= HOLES_IN_MARKS_MAX, 'the log', `marks with ${holes} holes`);
  return {
    head,
    synced,
    discarded,
    evicted,
    damaged,
    holes: Array.from({ length: holes }, () => [cursor.varint(), cursor.varint()] as const),
  };
}

function readLoss(cursor: Cursor): LoggedLoss {
  const slot = cursor.varint();
  const from = cursor.varint();
  const to = from + cursor.varint();
  const records = cursor.varint();
  const reason = cursor.u8();
  check(reason <= 1, 'the log', `the reason ${reason} of a loss`);
  return { slot, from, to, records, reason: reason === 0 ? 'evicted' : 'damaged' };
}
