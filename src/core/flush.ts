/**
 * The flush: everything in RAM goes to new segments in one batch, is made durable, and only then leaves the RAM.
 *
 * Keeps INV-05, INV-06, INV-09, INV-10, INV-11, INV-14, INV-15, INV-16. The order is what makes them hold:
 *
 *   1 target = appended of every stream                 (appends after this belong to the next flush)
 *   2 make room: the oldest segments go until it fits   (the ledger first, the file last)
 *   3 per segment: gather, write, fdatasync             (not in any durable log yet: a crash here loses nothing synced)
 *   4 one directory sync per source, beside the last of these
 *   5 one batch in the checkpoint log, fdatasync        <- the commit: synced moves here and nowhere else
 *   6 the sectors are freed
 *
 * Gathering is lazy, slice by slice, so what is acknowledged or discarded meanwhile is not written any more. A file
 * is written while the next segment is gathered, and synced while that one is written; nothing is committed before all of
 * them are. Segments go into files that are free (segment-files.ts), and into new ones when there are none; only new names
 * need the sync of their directory.
 * A failure in 3 to 5 frees nothing; the numbers and files of the attempt are never used again.
 */
import { checkpointDue, removeDoomed, writeCheckpoint } from './checkpoint.ts';
import { BLOCK_RECORDS_MAX } from './config.ts';
import type { LiveSegment } from './disk-index.ts';
import { ALLOCATION_BYTES, allocatedBytes, segmentName } from './disk-index.ts';
import type { FreeSpace, Need } from './disk-space.ts';
import { giveWay, makeRoom } from './disk-space.ts';
import type { IoError, IoResult } from './port.ts';
import { SOURCE_DIRECTORIES } from './port.ts';
import { SHAPE_EVT, shapeSource, shapeType } from './sector-pool.ts';
import { BLOCK_BYTES_MIN, SegmentBuilder } from './segment.ts';
import type { SegmentFile } from './segment-files.ts';
import type { DiskSide, StoreState } from './store-state.ts';

/**
 * A slice of gathering: records, with so many more for the head and checksum of each block. It takes less than 0.3 ms, and
 * makes less than 16 KiB.
 */
const SLICE_RECORDS = 4096;
const BLOCK_IS_WORTH_RECORDS = 16;

const scratchTimesMs = new Float64Array(BLOCK_RECORDS_MAX);
const scratchBits = new Uint32Array(BLOCK_RECORDS_MAX);

export interface FlushPlan {
  /** Streams that go into segments together, all of one source; groups are committed in this order. */
  readonly groups: readonly (readonly number[])[];
  /** One commit at the end, or one after each group. */
  readonly commitEachGroup: boolean;
  /** Asked before each segment: true stops gathering and commits what is written. */
  readonly stop: () => boolean;
}

export type FlushOutcome =
  | {
      readonly ok: true;
      readonly complete: boolean;
      readonly records: number;
      readonly segments: number;
      readonly bytes: number;
    }
  | { readonly ok: false; readonly error: IoError };

/** All streams in one commit, source by source: the flush of everyday. */
export function planBySource(state: StoreState, stop: () => boolean): FlushPlan {
  const groups: number[][] = [[], [], []];
  for (let slot = 0; slot < state.pool.streams; slot++) {
    groups[shapeSource(state.pool.shape[slot] as number)]?.push(slot);
  }
  return { groups, commitEachGroup: false, stop };
}

/** Highest priority first, each priority committed before the next is begun: the flush when power is failing. */
export function planByPriority(state: StoreState, stop: () => boolean): FlushPlan {
  const { pool } = state;
  const groups = new Map<number, number[]>();
  for (let slot = 0; slot < pool.streams; slot++) {
    const rank = (255 - (pool.priority[slot] as number)) * 4 + shapeSource(pool.shape[slot] as number);
    const group = groups.get(rank);
    if (group === undefined) groups.set(rank, [slot]);
    else group.push(slot);
  }
  return {
    groups: [...groups].sort((a, b) => a[0] - b[0]).map(([, slots]) => slots),
    commitEachGroup: true,
    stop,
  };
}

/** One attempt. The caller holds the write queue and has set `flushRunning`. */
export async function runFlush(state: StoreState, plan: FlushPlan): Promise<FlushOutcome> {
  const disk = state.disk as DiskSide;
  const flush = disk.nextFlush++;
  state.emit({ type: 'flushStarted', flush });
  const attempt = new FlushAttempt(state, disk, flush, plan.commitEachGroup);
  const room = await attempt.prepare();
  if (!room.ok) return attempt.fail(room.error);
  for (const group of plan.groups) {
    const written = await attempt.writeGroup(group, plan.stop);
    if (!written.ok) return attempt.fail(written.error);
    if (plan.commitEachGroup || attempt.stopped) {
      const committed = await attempt.commit();
      if (!committed.ok) return attempt.fail(committed.error);
    }
    if (attempt.stopped) break;
  }
  const committed = await attempt.commit();
  if (!committed.ok) return attempt.fail(committed.error);
  disk.firstUncommitted = Number.POSITIVE_INFINITY;
  return {
    ok: true,
    complete: !attempt.stopped,
    records: attempt.records,
    segments: attempt.segments,
    bytes: attempt.bytes,
  };
}

const directoryOf = (source: number): (typeof SOURCE_DIRECTORIES)[number] => SOURCE_DIRECTORIES[source as 0 | 1 | 2];

const OK: IoResult<void> = { ok: true, value: undefined };

class FlushAttempt {
  readonly #state: StoreState;
  readonly #disk: DiskSide;
  readonly #flush: number;
  /** Whether others have their turn while a segment is gathered: not while power is failing. */
  readonly #pauses: boolean;
  readonly #target: Float64Array;
  /** Per stream: gathered into segments up to here; 0 where nothing is. */
  readonly #gathered: Float64Array;
  #written: LiveSegment[] = [];
  /** The file that is being written. */
  #writing: Writing | null = null;
  /** Syncs under way, of the files in #written. */
  #syncs: Promise<IoResult<void>>[] = [];
  /** Sources with new names since the last commit. */
  readonly #named = new Set<number>();
  #free: FreeSpace | null = null;
  stopped = false;
  records = 0;
  segments = 0;
  bytes = 0;

  constructor(state: StoreState, disk: DiskSide, flush: number, hurries: boolean) {
    this.#state = state;
    this.#disk = disk;
    this.#flush = flush;
    this.#pauses = !hurries && disk.port.pause !== undefined;
    this.#target = state.pool.appended.slice(0, state.pool.streams);
    this.#gathered = new Float64Array(state.pool.streams);
    disk.firstUncommitted = disk.nextSegment;
  }

  /** Evicts in one go what is certain to be needed; each segment checks again with its exact size. */
  async prepare(): Promise<IoResult<void>> {
    const { pool } = this.#state;
    let atLeast = 0;
    for (let slot = 0; slot < this.#target.length; slot++) {
      const records = (this.#target[slot] as number) - pool.ramFrom(slot);
      atLeast += BLOCK_BYTES_MIN * Math.ceil(records / BLOCK_RECORDS_MAX);
    }
    // With free files enough for it nothing is asked of the disk; unless the log has failed, perhaps for want of space.
    const { files, log } = this.#disk;
    const inPlace = files.recycles && atLeast <= files.freeBytes && !log.suspect && this.#state.withinQuota();
    return atLeast === 0 || inPlace ? OK : this.#makeRoom({ bytes: atLeast, source: null });
  }

  /** The disk is asked once a flush how much is free: what the flush takes of it is known. */
  async #makeRoom(need: Need): Promise<IoResult<void>> {
    const made = await makeRoom(this.#state, need, this.#free);
    if (!made.ok) return made;
    this.#free = made.value;
    return OK;
  }

  async writeGroup(slots: readonly number[], stop: () => boolean): Promise<IoResult<void>> {
    const first = slots[0];
    if (first === undefined) return OK;
    const source = shapeSource(this.#state.pool.shape[first] as number);
    for (let at = 0; at < slots.length; ) {
      if (stop()) {
        this.stopped = true;
        break;
      }
      const { nextSegment } = this.#disk;
      const gatheredBefore = this.#gathered.slice();
      const gathered = await this.#gather(slots, at, source);
      at = gathered.next;
      if (gathered.builder === null) continue;
      const before = await this.#finishWriting();
      if (!before.ok) return before;
      // Asked once more, for the file before took its time: this segment is as if it had not been gathered.
      if (stop()) {
        this.#gathered.set(gatheredBefore);
        this.#disk.nextSegment = nextSegment;
        this.stopped = true;
        break;
      }
      const written = await this.#write(gathered.builder);
      if (!written.ok) return written;
    }
    return OK;
  }

  /** Fills one segment from slots[from] on, slice by slice. `next` is the slot to go on with: the same one when it was cut. */
  async #gather(slots: readonly number[], from: number, source: number): Promise<Gathered> {
    let slice = this.#gatherSlice(slots, from, source, null);
    while (slice.paused) {
      await this.#disk.port.pause?.();
      slice = this.#gatherSlice(slots, slice.next, source, slice.builder);
    }
    return slice;
  }

  /**
   * Goes on with a segment until it is full, nothing is left, or the slice is done. Nothing is kept from slice to slice but the
   * marks: in between, records of any stream may be acknowledged or discarded, and their sectors taken by others.
   */
  #gatherSlice(slots: readonly number[], from: number, source: number, begun: SegmentBuilder | null): Gathered {
    const { pool } = this.#state;
    const stream = { slot: 0, evt: false, type: 0, sensor: 0, periodMs: 0 };
    let builder = begun;
    let left = this.#pauses ? SLICE_RECORDS : Number.POSITIVE_INFINITY;
    for (let i = from; i < slots.length; i++) {
      const slot = slots[i] as number;
      if (slot >= this.#target.length) continue;
      const target = this.#target[slot] as number;
      let position = Math.max(pool.ramFrom(slot), this.#gathered[slot] as number);
      if (position >= target) continue;
      const shape = pool.shape[slot] as number;
      stream.slot = slot;
      stream.evt = (shape & SHAPE_EVT) !== 0;
      stream.type = shapeType(shape);
      stream.sensor = pool.sensor[slot] as number;
      stream.periodMs = pool.periodMs[slot] as number;
      let sector = pool.locate(slot, position);
      while (position < target) {
        const length = Math.min(BLOCK_RECORDS_MAX, target - position);
        const run = pool.copyRun(sector, position, length, scratchTimesMs, scratchBits);
        builder ??= this.#newSegment(source, scratchTimesMs[0] as number);
        const taken = builder.add(stream, position, scratchTimesMs, scratchBits, run);
        if (taken === 0) return { builder, next: i, paused: false };
        position += taken;
        this.#gathered[slot] = position;
        left -= taken + BLOCK_IS_WORTH_RECORDS;
        if (left <= 0) return { builder, next: i, paused: true };
        if (position < target) sector = pool.sectorFrom(sector, position);
      }
    }
    return { builder, next: slots.length, paused: false };
  }

  #newSegment(source: number, baseTimeMs: number): SegmentBuilder {
    const { platform, epoch, storeId } = this.#state;
    const header = { source, epoch, storeId, number: this.#disk.nextSegment++, flush: this.#flush, baseTimeMs };
    return new SegmentBuilder(header, platform.crc32, this.#state.pool.packing, this.#disk.buffers.pop());
  }

  /** Finds a file for the segment and begins to write it; the one before is written. */
  async #write(builder: SegmentBuilder): Promise<IoResult<void>> {
    const { number, source } = builder.header;
    const bytes = builder.finish(this.#disk.files.recycles ? ALLOCATION_BYTES : 1);
    const file = await this.#place(number, source, bytes.length);
    if (!file.ok) return file;
    if (file.value.bytes === 0) this.#named.add(source);
    const segment = liveSegment(
      builder,
      builder.segmentBytes,
      file.value.file,
      Math.max(bytes.length, file.value.bytes),
    );
    this.records += builder.records;
    this.segments++;
    this.bytes += bytes.length;
    this.#put(segment, bytes);
    return OK;
  }

  /** The file for a segment: a free one that has room for it, one that must grow, or a new one. Room for it is made. */
  async #place(number: number, source: number, bytes: number): Promise<IoResult<SegmentFile>> {
    const { files } = this.#disk;
    const within = this.#state.withinQuota();
    const free = within ? files.take(source, bytes) : null;
    if (free !== null && free.bytes >= bytes) return { ok: true, value: free };
    const room = await this.#makeRoom({ bytes: allocatedBytes(bytes), source });
    const evicted = room.ok && files.fits(source, bytes) ? files.take(source, bytes) : null;
    if (free !== null && (!room.ok || evicted !== null)) files.put(free);
    return room.ok ? { ok: true, value: evicted ?? free ?? { file: number, source, bytes: 0, held: null } } : room;
  }

  /** Begins to write a file; its sync begins as soon as it is written. */
  #put(segment: LiveSegment, bytes: Uint8Array): void {
    const { port, inFlight, doomed } = this.#disk;
    const directory = directoryOf(segment.source);
    const name = segmentName(segment.file);
    inFlight.add(segment);
    const written = port.write(directory, name, 0, bytes).then((result) => {
      if (!result.ok) return result;
      this.#state.counters.bytesWritten += bytes.length;
      // Nobody writes from it any more: the next segment is put together in it.
      this.#disk.buffers.push(new Uint8Array(bytes.buffer));
      doomed.delete(segment.file);
      this.#written.push(segment);
      this.#begin(port.sync(directory, name));
      return result;
    });
    // Heard at once, for it may end before anybody waits for it; who waits hears it again.
    written.catch(() => undefined);
    this.#writing = { segment, bytes, written };
  }

  async #finishWriting(): Promise<IoResult<void>> {
    for (;;) {
      if (this.#writing === null) return OK;
      const { segment, bytes, written } = this.#writing;
      const result = await written;
      this.#writing = null;
      if (result.ok) return result;
      // Its number is not given up yet: no batch says that it is gone.
      this.#doom(segment, null);
      this.#free = null;
      // The file system is fuller than the quota foresaw: what may go makes room for this one.
      if (result.error.code !== 'NO_SPACE' || !(await giveWay(this.#state))) return result;
      const room = await this.#makeRoom({ bytes: allocatedBytes(bytes.length), source: null });
      if (!room.ok) return room;
      // Under the same name, for no number may stand in two files; it may be new now, for doomed files go.
      this.#named.add(segment.source);
      this.#put(segment, bytes);
    }
  }

  #begin(sync: Promise<IoResult<void>>): void {
    // Heard at once, for it may end before anybody waits for it; who waits hears it again.
    sync.catch(() => undefined);
    this.#syncs.push(sync);
  }

  /** Waits for every sync under way. @returns the first error among them. */
  async #settled(): Promise<IoResult<void>> {
    const results = await Promise.all(this.#syncs.splice(0));
    for (const result of results) {
      if (result.ok) this.#state.counters.syncs++;
    }
    return results.find(({ ok }) => !ok) ?? OK;
  }

  /** Makes the written files durable: what is in them, and their names. In one go, for nothing relies on one alone. */
  async #makeDurable(): Promise<IoResult<void>> {
    const written = await this.#finishWriting();
    if (!written.ok) return written;
    for (const source of this.#named) this.#begin(this.#disk.port.syncDirectory(directoryOf(source)));
    this.#named.clear();
    return this.#settled();
  }

  /** The commit. Afterwards what was written is on disk for good and its sectors are free. */
  async commit(): Promise<IoResult<void>> {
    const durable = await this.#makeDurable();
    if (!durable.ok) return durable;
    const added = this.#written;
    if (added.length === 0 && !checkpointDue(this.#state)) return OK;
    const logged = await writeCheckpoint(this.#state, { added, synced: this.#gathered });
    if (!logged.ok) return logged;
    this.#written = [];
    this.#disk.firstUncommitted = this.#disk.nextSegment;
    for (const segment of added) {
      this.#disk.inFlight.delete(segment);
      this.#disk.index.add(segment);
      this.#state.counters.segmentsWritten++;
    }
    for (let slot = 0; slot < this.#gathered.length; slot++) this.#release(slot, this.#gathered[slot] as number);
    this.#state.onRoom?.();
    return OK;
  }

  /** The stream's records below `end` are on disk for good: their sectors are free. */
  #release(slot: number, end: number): void {
    const { pool } = this.#state;
    const before = pool.synced[slot] as number;
    if (end <= before) return;
    pool.synced[slot] = end;
    pool.releaseDead(slot);
    // Blocks whose records were acknowledged while they were being written are dead on arrival.
    const head = pool.head[slot] as number;
    if (head > before) this.#disk.index.release(slot, head);
  }

  /**
   * Nothing synced, nothing freed. Written files are doomed: they go at once while the log is sound; after a failed
   * commit only with the next generation, for the log that names them may have reached the disk.
   */
  async fail(error: IoError): Promise<FlushOutcome> {
    // No file is removed under a write or a sync that goes on.
    if (this.#writing !== null && !(await this.#writing.written).ok) this.#doom(this.#writing.segment);
    this.#writing = null;
    await this.#settled();
    for (const segment of this.#written) this.#doom(segment);
    this.#written = [];
    this.#disk.firstUncommitted = Number.POSITIVE_INFINITY;
    await removeDoomed(this.#state);
    return { ok: false, error };
  }

  #doom(segment: LiveSegment, held: number | null = segment.number): void {
    const { file, source, fileBytes } = segment;
    this.#disk.inFlight.delete(segment);
    this.#disk.doomed.set(file, { file, source, bytes: fileBytes, held, sound: false });
  }
}

/** A segment in the making, null as long as it has no block. */
interface Gathered {
  readonly builder: SegmentBuilder | null;
  readonly next: number;
  /** The slice is done and the segment is not. */
  readonly paused: boolean;
}

/** A file that is being written, of a segment that is in no log yet. */
interface Writing {
  readonly segment: LiveSegment;
  readonly bytes: Uint8Array;
  readonly written: Promise<IoResult<void>>;
}

/** The index entry of a segment that has just been built, for a file of its own unless another one is named. */
export function liveSegment(
  builder: SegmentBuilder,
  bytes: number,
  file = builder.header.number,
  fileBytes = bytes,
): LiveSegment {
  const { header, length } = builder;
  const blocks = builder.offsets.length;
  const segment: LiveSegment = {
    number: header.number,
    file,
    fileBytes,
    source: header.source,
    flush: header.flush,
    epoch: header.epoch,
    baseTimeMs: header.baseTimeMs,
    bytes,
    slots: new Uint16Array(builder.slots),
    first: new Float64Array(builder.first),
    records: new Uint16Array(builder.blockRecords),
    offsets: new Uint16Array(builder.offsets),
    blockBytes: new Uint16Array(blocks),
    liveBlocks: blocks,
  };
  // Blocks follow each other without a gap.
  for (let i = 0; i < blocks; i++) {
    segment.blockBytes[i] = (builder.offsets[i + 1] ?? length) - (builder.offsets[i] as number);
  }
  return segment;
}
