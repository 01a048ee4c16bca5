/**
 * What the checkpoint log says about the store, as plain data: written by the running store, read by recovery.
 *
 * Items are absolute (a head mark, a live segment), except SYNCED_BY and SYNCED_RUNS, which say by how much a flush moved
 * the synced marks: two or three bytes a stream instead of ten, or as much for many streams in a row that moved alike. When a damaged frame hid an earlier item, later ones still hold.
 */
import type { ByteWriter } from './bytes.ts';
import { ByteReader } from './bytes.ts';
import type { FoundFrame, FrameList } from './checkpoint-format.ts';
import {
  FRAME_HOLES,
  FRAME_LEDGER,
  FRAME_MARKS,
  FRAME_SEGMENTS_ADDED,
  FRAME_SEGMENTS_PLACED,
  FRAME_SEGMENTS_REMOVED,
  FRAME_STORE,
  FRAME_STREAMS,
  FRAME_SYNCED_BY,
  FRAME_SYNCED_RUNS,
} from './checkpoint-format.ts';

export interface StoreItem {
  epoch: number;
  /** The store was closed: everything was saved. */
  clean: boolean;
  nextSegment: number;
  nextFlush: number;
  foldedRecords: number;
  bytesWrittenTotal: number;
  syncsTotal: number;
}

export interface StreamItem {
  readonly slot: number;
  readonly shape: number;
  readonly sensor: number;
  readonly periodMs: number;
  readonly priority: number;
}

export interface MarksItem {
  readonly slot: number;
  readonly head: number;
  readonly synced: number;
  readonly discarded: number;
  readonly evicted: number;
  readonly damaged: number;
  readonly holes: readonly (readonly [number, number])[];
}

export interface LedgerItem {
  readonly slot: number;
  readonly from: number;
  readonly to: number;
  readonly records: number;
  readonly reason: number;
}

export const encodeStore = (list: FrameList, item: StoreItem): void => {
  const out = list.item(FRAME_STORE);
  out.u32(item.epoch);
  out.u8(item.clean ? 1 : 0);
  for (const value of [item.nextSegment, item.nextFlush, item.foldedRecords, item.bytesWrittenTotal, item.syncsTotal]) {
    out.varint(value);
  }
};

export const encodeStream = (list: FrameList, item: StreamItem): void => {
  const out = list.item(FRAME_STREAMS);
  out.varint(item.slot);
  out.u8(item.shape);
  out.varint(item.sensor);
  out.varint(item.periodMs);
  out.u8(item.priority);
};

/** Holes that are written with their stream's marks; the others follow as items of their own, for a frame is bounded. */
const HOLES_INLINE = 64;

export const encodeMarks = (list: FrameList, item: MarksItem): void => {
  const out = list.item(FRAME_MARKS);
  const inline = item.holes.slice(0, HOLES_INLINE);
  for (const value of [item.slot, item.head, item.synced, item.discarded, item.evicted, item.damaged, inline.length]) {
    out.varint(value);
  }
  for (const [from, to] of inline) {
    out.varint(from);
    out.varint(to - from);
  }
  for (const [from, to] of item.holes.slice(HOLES_INLINE)) {
    const more = list.item(FRAME_HOLES);
    for (const value of [item.slot, from, to - from]) more.varint(value);
  }
};

/** `after`: the slot of the item before, -1 for the first. @returns `slot`, to hand in with the next one. */
export const encodeSyncedBy = (list: FrameList, after: number, slot: number, by: number): number => {
  const previous = list.startsFrame(FRAME_SYNCED_BY) ? -1 : after;
  const out: ByteWriter = list.item(FRAME_SYNCED_BY);
  out.varint(slot - previous);
  out.varint(by);
  return slot;
};

/** By how much a flush moved the synced marks, `by` each slot; the shorter way to say it is taken. */
export function encodeSynced(list: FrameList, by: Float64Array): void {
  const runs: [slot: number, length: number, by: number][] = [];
  let moved = 0;
  for (let slot = 0; slot < by.length; slot++) {
    const records = by[slot] as number;
    if (records === 0) continue;
    moved++;
    const last = runs.at(-1);
    if (last !== undefined && last[2] === records && last[0] + last[1] === slot) last[1]++;
    else runs.push([slot, 1, records]);
  }
  if (runs.length * RUN_ITEM_NUMBERS < moved * SYNCED_ITEM_NUMBERS) {
    let end = 0;
    for (const [slot, length, records] of runs) {
      const before = list.startsFrame(FRAME_SYNCED_RUNS) ? 0 : end;
      const out = list.item(FRAME_SYNCED_RUNS);
      for (const value of [slot - before, length, records]) out.varint(value);
      end = slot + length;
    }
    return;
  }
  let previous = -1;
  for (const [first, length, records] of runs) {
    for (let slot = first; slot < first + length; slot++) previous = encodeSyncedBy(list, previous, slot, records);
  }
}

/** Numbers in an item of SYNCED_RUNS and of SYNCED_BY; most of them are one byte. */
const RUN_ITEM_NUMBERS = 3;
const SYNCED_ITEM_NUMBERS = 2;

/** @param file the number in the name of its file, which is named only where it is not the segment's own. */
export const encodeSegmentAdded = (list: FrameList, source: number, number: number, file = number): void => {
  const out = list.item(file === number ? FRAME_SEGMENTS_ADDED : FRAME_SEGMENTS_PLACED);
  out.u8(source);
  out.varint(number);
  if (file !== number) out.varint(file);
};

export const encodeSegmentRemoved = (list: FrameList, number: number): void => {
  list.item(FRAME_SEGMENTS_REMOVED).varint(number);
};

export const encodeLedger = (list: FrameList, item: LedgerItem): void => {
  const out = list.item(FRAME_LEDGER);
  for (const value of [item.slot, item.from, item.to - item.from, item.records]) out.varint(value);
  out.u8(item.reason);
};

/** Streams that a store can have. */
const SLOTS_MAX = 65_536;

/** The log, replayed. */
export class CheckpointImage {
  store: StoreItem | null = null;
  readonly streams = new Map<number, StreamItem>();
  readonly marks = new Map<number, MarksItem>();
  /** Live segments: number -> source. */
  readonly segments = new Map<number, number>();
  /** Numbers in the names of their files, of those that lie in a file of another number. */
  readonly files = new Map<number, number>();
  /** Segments that are gone for good; bytes of them may still stand in files. */
  readonly removed = new Set<number>();
  readonly ledger: LedgerItem[] = [];

  apply(frame: FoundFrame): void {
    const reader = new ByteReader(frame.payload);
    let slot = -1;
    let end = 0;
    while (!reader.done && reader.valid) {
      switch (frame.type) {
        case FRAME_STORE:
          this.#applyStore(reader);
          break;
        case FRAME_STREAMS: {
          const item = {
            slot: reader.varint(),
            shape: reader.u8(),
            sensor: reader.varint(),
            periodMs: reader.varint(),
            priority: reader.u8(),
          };
          if (reader.valid) this.streams.set(item.slot, item);
          break;
        }
        case FRAME_MARKS:
          this.#applyMarks(reader);
          break;
        case FRAME_HOLES: {
          const [of, from, length] = [reader.varint(), reader.varint(), reader.varint()];
          const marks = this.marks.get(of);
          // The list is this image's own, made when the marks were read.
          if (reader.valid && marks !== undefined) (marks.holes as [number, number][]).push([from, from + length]);
          break;
        }
        case FRAME_SYNCED_BY: {
          slot += reader.varint();
          const by = reader.varint();
          const marks = this.marks.get(slot) ?? NO_MARKS;
          if (reader.valid) this.marks.set(slot, { ...marks, slot, synced: marks.synced + by });
          break;
        }
        case FRAME_SYNCED_RUNS:
          end = this.#applySyncedRun(reader, end);
          break;
        case FRAME_SEGMENTS_ADDED: {
          const source = reader.u8();
          const number = reader.varint();
          if (reader.valid) this.#place(number, source, number);
          break;
        }
        case FRAME_SEGMENTS_PLACED: {
          const [source, number, file] = [reader.u8(), reader.varint(), reader.varint()];
          if (reader.valid) this.#place(number, source, file);
          break;
        }
        case FRAME_SEGMENTS_REMOVED: {
          const number = reader.varint();
          if (reader.valid) this.#remove(number);
          break;
        }
        case FRAME_LEDGER: {
          const [entry, from, length, records, reason] = [
            reader.varint(),
            reader.varint(),
            reader.varint(),
            reader.varint(),
            reader.u8(),
          ];
          if (reader.valid)
            this.ledger.push({
              slot: entry,
              from,
              to: from + length,
              records,
              reason,
            });
          break;
        }
        default:
          // A frame type of a later minor version: its CRC is right, its meaning unknown; nothing else depends on it.
          return;
      }
    }
  }

  /** The number in the name of the file that a live segment lies in. */
  fileOf(number: number): number {
    return this.files.get(number) ?? number;
  }

  #place(number: number, source: number, file: number): void {
    this.segments.set(number, source);
    this.removed.delete(number);
    if (file === number) this.files.delete(number);
    else this.files.set(number, file);
  }

  #remove(number: number): void {
    this.segments.delete(number);
    this.files.delete(number);
    this.removed.add(number);
  }

  /** @param end slot behind the run before in its frame. @returns the slot behind this one. */
  #applySyncedRun(reader: ByteReader, end: number): number {
    const first = end + reader.varint();
    const length = reader.varint();
    const by = reader.varint();
    // Slots are those of streams, of which a frame can have no more than this: a longer run was written by nobody.
    if (!reader.valid || length > SLOTS_MAX) return first;
    for (let slot = first; slot < first + length; slot++) {
      const marks = this.marks.get(slot) ?? NO_MARKS;
      this.marks.set(slot, { ...marks, slot, synced: marks.synced + by });
    }
    return first + length;
  }

  #applyStore(reader: ByteReader): void {
    const item: StoreItem = {
      epoch: reader.u32(),
      clean: reader.u8() === 1,
      nextSegment: reader.varint(),
      nextFlush: reader.varint(),
      foldedRecords: reader.varint(),
      bytesWrittenTotal: reader.varint(),
      syncsTotal: reader.varint(),
    };
    // What the snapshot says of folded losses stays: every loss behind it has a frame of its own here, and folds again
    // when the ledger takes it. A later batch has counted it already.
    if (reader.valid) this.store = { ...item, foldedRecords: this.store?.foldedRecords ?? item.foldedRecords };
  }

  #applyMarks(reader: ByteReader): void {
    const [slot, head, synced, discarded, evicted, damaged, count] = [
      reader.varint(),
      reader.varint(),
      reader.varint(),
      reader.varint(),
      reader.varint(),
      reader.varint(),
      reader.varint(),
    ];
    const holes: [number, number][] = [];
    for (let i = 0; i < count && reader.valid; i++) {
      const from = reader.varint();
      holes.push([from, from + reader.varint()]);
    }
    if (reader.valid)
      this.marks.set(slot, {
        slot,
        head,
        synced,
        discarded,
        evicted,
        damaged,
        holes,
      });
  }
}

export const NO_MARKS: MarksItem = {
  slot: 0,
  head: 0,
  synced: 0,
  discarded: 0,
  evicted: 0,
  damaged: 0,
  holes: [],
};
