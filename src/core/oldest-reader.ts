/**
 * Reads over all streams: the oldest unread records of the store in the order in which they lie on disk, then those in
 * RAM, stream by stream (INV-03, INV-06). Each segment is read once, whole, however many streams have a block in it.
 *
 * Like a read of one stream (reader.ts) it takes effect at one instant: it looks without an await in between, loads the
 * segment that the look misses, and begins the look again, so that an acknowledge, a flush or an eviction meanwhile is
 * seen as it then is. When a look misses nothing, its records are decoded and the marks of all streams move together.
 *
 * A block that does not verify is a hole from then on: ledgered, passed over, never returned (INV-19).
 */

import { ioFailure } from './checkpoint-log.ts';
import type { Result } from './codes.ts';
import { failure, success } from './codes.ts';
import type { LiveSegment } from './disk-index.ts';
import { segmentName } from './disk-index.ts';
import type { IoError } from './port.ts';
import { SOURCE_DIRECTORIES } from './port.ts';
import { shapeSource, shapeType } from './sector-pool.ts';
import type { BlockInfo } from './segment.ts';
import { blockSeed, decodeBlock, readBlock } from './segment.ts';
import { StoreBatch } from './store-batch.ts';
import type { DiskSide, StoreState } from './store-state.ts';

/** A segment's bytes. Blocks are verified as they are met: undefined before, null when one did not verify. */
interface LoadedSegment {
  readonly bytes: Uint8Array;
  /** Of its blocks' checksums. */
  readonly seed: number;
  readonly blocks: (BlockInfo | null | undefined)[];
}

/** What a look came to. */
type Look = 'whole' | 'again' | LiveSegment;

/** A block that the disk refuses this many times in a row is damaged: it must not block what follows it. */
const READ_FAILURES_MAX = 3;

/** Stands for RAM where a run says in which segment it lies. */
const IN_RAM = null;

/** The runs that a look found, in columns; used again by the next look. */
class Plan {
  readonly slots: number[] = [];
  readonly from: number[] = [];
  readonly lengths: number[] = [];
  readonly segments: (LiveSegment | null)[] = [];
  readonly indexes: number[] = [];
  records = 0;

  clear(): void {
    for (const column of [this.slots, this.from, this.lengths, this.segments, this.indexes]) column.length = 0;
    this.records = 0;
  }

  add(slot: number, from: number, length: number, segment: LiveSegment | null, index: number): void {
    this.slots.push(slot);
    this.from.push(from);
    this.lengths.push(length);
    this.segments.push(segment);
    this.indexes.push(index);
    this.records += length;
  }
}

export class OldestReader {
  readonly #state: StoreState;
  readonly #plan = new Plan();
  readonly #loaded = new Map<number, LoadedSegment>();
  readonly #readFailures = new Map<number, number>();
  /** Where the look stands in each stream. */
  #marks = new Float64Array(0);

  constructor(state: StoreState) {
    this.#state = state;
  }

  /**
   * Takes the oldest `max` unread records of the store; they are pending from then on. One such read at a time: the
   * caller queues them.
   * @returns IO_FAILED with nothing changed when the disk cannot be read, CLOSED when the store was closed meanwhile.
   */
  async read(max: number): Promise<Result<StoreBatch>> {
    try {
      for (;;) {
        if (!this.#state.open) return failure('CLOSED', 'the store was closed meanwhile');
        const look = this.#look(max);
        if (look === 'again') continue;
        if (look === 'whole') {
          const batch = this.#assemble();
          if (batch === null) continue;
          this.#take();
          return success(batch);
        }
        const loaded = await this.#load(look);
        if (!loaded.ok) return loaded;
      }
    } finally {
      this.#forgetRead();
    }
  }

  /** Keeps the segment in which the batch ended: the next one begins there. */
  #forgetRead(): void {
    const last = this.#plan.segments.findLast((segment) => segment !== IN_RAM)?.number;
    for (const number of this.#loaded.keys()) if (number !== last) this.#loaded.delete(number);
  }

  /** Goes through disk and RAM once, without a wait. Enters holes that the loaded segments reveal. */
  #look(max: number): Look {
    const { disk, pool } = this.#state;
    const { streams } = pool;
    this.#plan.clear();
    if (this.#marks.length < streams) this.#marks = new Float64Array(pool.read.length);
    this.#marks.set(pool.read.subarray(0, streams));
    if (disk !== null) {
      for (const segment of disk.index.segments.values()) {
        if (this.#plan.records === max) break;
        if (segment.liveBlocks === 0) continue;
        const look = this.#lookInSegment(disk, segment, max);
        if (look !== 'whole') return look;
      }
    }
    for (let slot = 0; slot < streams && this.#plan.records < max; slot++) {
      const from = disk === null ? this.#mark(slot) : disk.index.passHoles(slot, this.#mark(slot));
      const ramFrom = pool.ramFrom(slot);
      if (from < ramFrom) return this.#damaged(slot, from, ramFrom, 'a missing block');
      const length = Math.min(max - this.#plan.records, (pool.appended[slot] as number) - from);
      if (length <= 0) continue;
      this.#plan.add(slot, from, length, IN_RAM, 0);
      this.#marks[slot] = from + length;
    }
    return 'whole';
  }

  #mark(slot: number): number {
    return this.#marks[slot] as number;
  }

  #lookInSegment(disk: DiskSide, segment: LiveSegment, max: number): Look {
    const { index } = disk;
    const { slots, first, records } = segment;
    for (let i = 0; i < slots.length && this.#plan.records < max; i++) {
      const slot = slots[i] as number;
      const start = first[i] as number;
      // What a running flush has written is read from RAM until it is committed.
      const end = Math.min(start + (records[i] as number), this.#state.pool.synced[slot] as number);
      let mark = this.#mark(slot);
      if (end <= mark) continue;
      if (mark < start) return this.#damaged(slot, mark, start, 'a missing block');
      const loaded = this.#loaded.get(segment.number);
      if (loaded === undefined) return segment;
      if (this.#block(segment, loaded, i) === null) {
        // What of it was read before is pending, not lost: the uploader has it.
        return this.#damaged(slot, mark, start + (records[i] as number), segmentName(segment.file));
      }
      while (mark < end && this.#plan.records < max) {
        const length = Math.min(max - this.#plan.records, end - mark, index.nextHole(slot, mark) - mark);
        this.#plan.add(slot, mark, length, segment, i);
        mark = index.passHoles(slot, mark + length);
      }
      this.#marks[slot] = mark;
    }
    return 'whole';
  }

  /** A hole moves marks, and who hears of it may call the engine: the look begins again. */
  #damaged(slot: number, from: number, to: number, file: string): Look {
    this.#state.markDamaged(slot, from, to, file);
    return 'again';
  }

  #block(segment: LiveSegment, loaded: LoadedSegment, index: number): BlockInfo | null {
    const known = loaded.blocks[index];
    if (known !== undefined) return known;
    const offset = segment.offsets[index] as number;
    const { bytes, seed } = loaded;
    const block = readBlock(bytes, offset, bytes.length, seed, segment.baseTimeMs, this.#state.platform.crc32);
    const expected = block?.first === segment.first[index] && block?.records === segment.records[index];
    loaded.blocks[index] = expected ? block : null;
    return expected ? block : null;
  }

  /** @returns IO_FAILED when the disk refused, and may do better next time. */
  async #load(segment: LiveSegment): Promise<Result<void>> {
    const disk = this.#state.disk as DiskSide;
    const directory = SOURCE_DIRECTORIES[segment.source as 0 | 1 | 2];
    const name = segmentName(segment.file);
    const bytes = new Uint8Array(segment.bytes);
    const read = await disk.port.read(directory, name, 0, bytes);
    if (!disk.index.segments.has(segment.number)) return success(undefined);
    if (!read.ok && read.error.code !== 'NOT_FOUND') return this.#loadByBlock(segment, bytes, read.error);
    this.#readFailures.delete(segment.number);
    const got = read.ok ? read.value : 0;
    this.#loaded.set(segment.number, this.#unverified(segment, bytes.subarray(0, got)));
    return success(undefined);
  }

  #unverified({ number }: LiveSegment, bytes: Uint8Array): LoadedSegment {
    return { bytes, seed: blockSeed(this.#state.storeId, number), blocks: [] };
  }

  /** One bad page fails the read of a whole segment: each block by itself, so that only what lies on it is lost. */
  async #loadByBlock(segment: LiveSegment, bytes: Uint8Array, error: IoError): Promise<Result<void>> {
    const disk = this.#state.disk as DiskSide;
    const directory = SOURCE_DIRECTORIES[segment.source as 0 | 1 | 2];
    const name = segmentName(segment.file);
    const failures = (this.#readFailures.get(segment.number) ?? 0) + 1;
    this.#readFailures.set(segment.number, failures);
    if (failures < READ_FAILURES_MAX) return ioFailure(`read segment ${directory}/${name}`, error);
    this.#readFailures.delete(segment.number);
    const loaded = this.#unverified(segment, bytes);
    for (let index = 0; index < segment.slots.length; index++) {
      const offset = segment.offsets[index] as number;
      const room = bytes.subarray(offset, offset + (segment.blockBytes[index] as number));
      const read = await disk.port.read(directory, name, offset, room);
      if (!read.ok || read.value < room.length) loaded.blocks[index] = null;
    }
    if (disk.index.segments.has(segment.number)) this.#loaded.set(segment.number, loaded);
    return success(undefined);
  }

  /** @returns null when a block turns out not to be its records: it is damaged, and the look must begin again. */
  #assemble(): StoreBatch | null {
    const { pool, epoch } = this.#state;
    const { slots, from, lengths, segments, indexes, records } = this.#plan;
    const batch = new StoreBatch(records, slots.length);
    const { timesMs, bits, runs } = batch;
    let done = 0;
    for (let i = 0; i < slots.length; i++) {
      const slot = slots[i] as number;
      const position = from[i] as number;
      const length = lengths[i] as number;
      const segment = segments[i] as LiveSegment | null;
      if (segment === IN_RAM) {
        pool.cursor[slot] = pool.copyOut(slot, position, length, timesMs, bits, done);
      } else {
        const { bytes, blocks } = this.#loaded.get(segment.number) as LoadedSegment;
        const index = indexes[i] as number;
        const block = blocks[index] as BlockInfo;
        if (!decodeBlock(bytes, block, position - block.first, length, timesMs, bits, done)) {
          blocks[index] = null;
          return null;
        }
      }
      done += length;
      const shape = pool.shape[slot] as number;
      runs.streams[i] = slot;
      runs.sources[i] = shapeSource(shape);
      runs.sensors[i] = pool.sensor[slot] as number;
      runs.types[i] = shapeType(shape);
      runs.ends[i] = done;
      runs.firsts[i] = position;
      runs.epochs[i] = segment === IN_RAM ? epoch : segment.epoch;
    }
    return batch;
  }

  /** All marks move in the instant in which the batch is whole. */
  #take(): void {
    const { pool, counters } = this.#state;
    for (const slot of this.#plan.slots) pool.read[slot] = this.#mark(slot);
    counters.read += this.#plan.records;
  }
}
