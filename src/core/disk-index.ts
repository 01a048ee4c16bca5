/**
 * Where the records on disk are: the live segments, oldest first, and per stream the queue of its blocks.
 *
 * Keeps INV-06 and INV-11: segments are in flush order, a stream's blocks are in sequence order, and both are taken
 * from the front. It holds numbers only; reading bytes is the reader's work, removing files the flush's.
 */
import { invariant } from './codes.ts';

/** Space is counted as file systems give it out, so that many small files cannot slip under the quota. */
export const ALLOCATION_BYTES = 4096;

export const allocatedBytes = (bytes: number): number => Math.ceil(bytes / ALLOCATION_BYTES) * ALLOCATION_BYTES;

export const segmentName = (number: number): string => `${number.toString().padStart(12, '0')}.seg`;

/** First number that no segment has. A reference to a block is number x 65,536 + index, which must stay below 2^53. */
const SEGMENT_NUMBER_END = 2 ** 36;

/** The number in a segment's name; null for any other file, so that a stray one does not lead the numbers astray. */
export function parseSegmentName(name: string): number | null {
  const match = /^(\d{12})\.seg$/.exec(name);
  const number = Number(match?.[1] ?? SEGMENT_NUMBER_END);
  return number < SEGMENT_NUMBER_END ? number : null;
}

/** One live segment; block i belongs to stream slots[i]. */
export interface LiveSegment {
  readonly number: number;
  /** The number in the name of the file that it lies in; another one where the file held a segment before. */
  readonly file: number;
  /** Size of that file: behind the segment there may be zeros, or what is left of an older one. */
  readonly fileBytes: number;
  readonly source: number;
  readonly flush: number;
  readonly epoch: number;
  readonly baseTimeMs: number;
  readonly bytes: number;
  readonly slots: Uint16Array;
  readonly first: Float64Array;
  readonly records: Uint16Array;
  readonly offsets: Uint16Array;
  readonly blockBytes: Uint16Array;
  /** Blocks that hold a record at or above their stream's head. */
  liveBlocks: number;
}

/** A stream's block: where it is and which records it holds. */
export interface BlockPlace {
  readonly segment: LiveSegment;
  readonly index: number;
  readonly first: number;
  readonly end: number;
}

const INDEX_SPAN = 65_536;
const NO_HOLES: readonly (readonly [number, number])[] = [];

/** From so many blocks on a typed array takes them: less for the collector to copy, but an object of some 300 bytes. */
const TYPED_FROM_BLOCKS = 16;

/** The blocks of one stream, oldest first; a queue over one array, compacted when half of it is gone. */
class StreamBlocks {
  #refs: number[] | Float64Array = [];
  #start = 0;
  #end = 0;
  /** Sequence ranges [from, to) above head that were found damaged, in order. */
  holes: [number, number][] = [];

  get length(): number {
    return this.#end - this.#start;
  }

  ref(i: number): number {
    return this.#refs[this.#start + i] as number;
  }

  /** Makes room for so many, while there are none. */
  reserve(blocks: number): void {
    if (this.#end === 0 && blocks >= TYPED_FROM_BLOCKS) this.#refs = new Float64Array(blocks);
  }

  push(ref: number): void {
    if (this.#end === this.#refs.length && this.#end >= TYPED_FROM_BLOCKS) this.#grow();
    this.#refs[this.#end++] = ref;
  }

  #grow(): void {
    const grown = new Float64Array(2 * this.#end);
    grown.set(this.#refs);
    this.#refs = grown;
  }

  shift(): void {
    this.#start++;
    if (this.#start > 64 && this.#start * 2 > this.#end) {
      const left = this.#refs.slice(this.#start, this.#end);
      // A short array grows by itself; a typed one must have the length from which push makes room.
      this.#refs = left.length < TYPED_FROM_BLOCKS ? [...left] : left;
      this.#end -= this.#start;
      this.#start = 0;
    }
  }
}

export class DiskIndex {
  readonly segments = new Map<number, LiveSegment>();
  /** Segments whose records are all below their heads; their files go after the next checkpoint. */
  readonly empty = new Set<LiveSegment>();
  /** Space that their files take. */
  segmentBytes = 0;
  readonly #streams: (StreamBlocks | undefined)[] = [];

  #stream(slot: number): StreamBlocks {
    const known = this.#streams[slot];
    if (known !== undefined) return known;
    const made = new StreamBlocks();
    this.#streams[slot] = made;
    return made;
  }

  /** Makes room for so many blocks of a stream that has none yet. */
  reserve(slot: number, blocks: number): void {
    this.#stream(slot).reserve(blocks);
  }

  holes(slot: number): readonly (readonly [number, number])[] {
    return this.#streams[slot]?.holes ?? NO_HOLES;
  }

  add(segment: LiveSegment): void {
    this.segments.set(segment.number, segment);
    this.segmentBytes += allocatedBytes(segment.fileBytes);
    const { slots } = segment;
    const base = segment.number * INDEX_SPAN;
    for (let index = 0; index < slots.length; index++) this.#stream(slots[index] as number).push(base + index);
    if (segment.liveBlocks === 0) this.empty.add(segment);
  }

  /** Forgets a segment whose blocks no stream's queue holds any more. */
  remove(segment: LiveSegment): void {
    invariant(segment.liveBlocks === 0, 'a segment goes only when every head has passed its blocks');
    this.segments.delete(segment.number);
    this.empty.delete(segment);
    this.segmentBytes -= allocatedBytes(segment.fileBytes);
  }

  #place(ref: number): BlockPlace {
    const number = Math.floor(ref / INDEX_SPAN);
    const segment = this.segments.get(number);
    // Not the remainder operator: of numbers above 2^31 it is a call, and this is asked for each block.
    const index = ref - number * INDEX_SPAN;
    invariant(segment !== undefined, 'a queued block lies in a live segment');
    const first = segment.first[index] as number;
    return {
      segment,
      index,
      first,
      end: first + (segment.records[index] as number),
    };
  }

  /** Drops blocks and holes that lie wholly below the stream's head. */
  release(slot: number, head: number): void {
    const stream = this.#streams[slot];
    if (stream === undefined) return;
    while (stream.length > 0) {
      const place = this.#place(stream.ref(0));
      if (place.end > head) break;
      stream.shift();
      if (--place.segment.liveBlocks === 0) this.empty.add(place.segment);
    }
    while (stream.holes.length > 0 && (stream.holes[0] as [number, number])[1] <= head) stream.holes.shift();
  }

  /** First block of the stream that ends behind `sequence`, or null. */
  find(slot: number, sequence: number): BlockPlace | null {
    const stream = this.#streams[slot];
    if (stream === undefined) return null;
    let low = 0;
    let high = stream.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#place(stream.ref(middle)).end > sequence) high = middle;
      else low = middle + 1;
    }
    return low < stream.length ? this.#place(stream.ref(low)) : null;
  }

  /** The stream's blocks from `sequence` on that stand one behind the other in the same segment, for one disk read. */
  run(slot: number, place: BlockPlace): BlockPlace[] {
    const run = [place];
    const { segment } = place;
    for (let index = place.index + 1; index < segment.slots.length && segment.slots[index] === slot; index++) {
      const first = segment.first[index] as number;
      run.push({
        segment,
        index,
        first,
        end: first + (segment.records[index] as number),
      });
    }
    return run;
  }

  /**
   * Enters [from, to) as a hole, joined with those it touches; the caller has taken off what is below head and what is
   * a hole already.
   */
  addHole(slot: number, from: number, to: number): void {
    const { holes } = this.#stream(slot);
    const next = holes.findIndex((hole) => hole[0] > from);
    const at = next < 0 ? holes.length : next;
    const before = holes[at - 1];
    const after = holes[at];
    const start = before?.[1] === from ? before[0] : from;
    const end = after?.[0] === to ? after[1] : to;
    const joined = Number(start !== from);
    holes.splice(at - joined, joined + Number(end !== to), [start, end]);
  }

  /** `sequence`, or the end of the hole it lies in. */
  passHoles(slot: number, sequence: number): number {
    let passed = sequence;
    for (const [from, to] of this.holes(slot)) {
      if (from > passed) break;
      if (to > passed) passed = to;
    }
    return passed;
  }

  /** Where the next hole behind `sequence` begins; Infinity when there is none. */
  nextHole(slot: number, sequence: number): number {
    for (const [from] of this.holes(slot)) if (from > sequence) return from;
    return Number.POSITIVE_INFINITY;
  }

  /** How many of [from, to) are not in a hole. */
  recordsBetween(slot: number, from: number, to: number): number {
    let records = Math.max(0, to - from);
    for (const hole of this.holes(slot)) records -= Math.max(0, Math.min(to, hole[1]) - Math.max(from, hole[0]));
    return records;
  }

  /** The mark `records` records behind `from`, holes passed over; the caller knows that there are that many. */
  advance(slot: number, from: number, records: number): number {
    let mark = this.passHoles(slot, from);
    let rest = records;
    for (const hole of this.holes(slot)) {
      if (hole[0] < mark) continue;
      const before = hole[0] - mark;
      if (before > rest) break;
      rest -= before;
      mark = hole[1];
    }
    return mark + rest;
  }
}
