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
 * Gathering is lazy, segment by segment, so what is acknowledged or discarded meanwhile is not written any more. A file
 * is synced while the next ones are gathered and written; nothing is committed before all of them are.
 * A failure in 3 to 5 frees nothing; the numbers and files of the attempt are never used again.
 */
import { checkpointDue, removeDoomed, writeCheckpoint } from './checkpoint.ts';
import { BLOCK_RECORDS_MAX } from './config.ts';
import type { LiveSegment } from './disk-index.ts';
import { allocatedBytes, segmentName } from './disk-index.ts';
import type { IoError, IoResult } from './port.ts';
import { SOURCE_DIRECTORIES } from './port.ts';
import { SHAPE_EVT, shapeSource, shapeType } from './sector-pool.ts';
import { BLOCK_BYTES_MIN, SegmentBuilder } from './segment.ts';
import type { DiskSide, StoreState } from './store-state.ts';

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
  const attempt = new FlushAttempt(state, disk, flush);
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
  readonly #target: Float64Array;
  /** Per stream: gathered into segments up to here; 0 where nothing is. */
  readonly #gathered: Float64Array;
  #written: LiveSegment[] = [];
  /** Syncs under way, of the files in #written. */
  #syncs: Promise<IoResult<void>>[] = [];
  /** Sources with new names since the last commit. */
  readonly #named = new Set<number>();
  #free: FreeSpace | null = null;
  stopped = false;
  records = 0;
  segments = 0;
  bytes = 0;

  constructor(state: StoreState, disk: DiskSide, flush: number) {
    this.#state = state;
    this.#disk = disk;
    this.#flush = flush;
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
    return atLeast === 0 ? OK : this.#makeRoom(atLeast);
  }

  /** The disk is asked once a flush how much is free: what the flush takes of it is known. */
  async #makeRoom(bytes: number): Promise<IoResult<void>> {
    const made = await makeRoom(this.#state, bytes, this.#free);
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
      const gathered = this.#gather(slots, at, source);
      at = gathered.next;
      if (gathered.builder === null) continue;
      const written = await this.#write(gathered.builder);
      if (!written.ok) return written;
    }
    return OK;
  }

  /** Fills one segment from slots[from] on. `next` is the slot to go on with: the same one when it was cut. */
  #gather(slots: readonly number[], from: number, source: number): { builder: SegmentBuilder | null; next: number } {
    const { pool } = this.#state;
    const stream = { slot: 0, evt: false, type: 0, sensor: 0, periodMs: 0 };
    let builder: SegmentBuilder | null = null;
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
        if (taken === 0) return { builder, next: i };
        position += taken;
        this.#gathered[slot] = position;
        if (position < target) sector = pool.sectorFrom(sector, position);
      }
    }
    return { builder, next: slots.length };
  }

  #newSegment(source: number, baseTimeMs: number): SegmentBuilder {
    const { platform, epoch, storeId } = this.#state;
    const header = { source, epoch, storeId, number: this.#disk.nextSegment++, flush: this.#flush, baseTimeMs };
    return new SegmentBuilder(header, platform.crc32);
  }

  async #write(builder: SegmentBuilder): Promise<IoResult<void>> {
    const bytes = builder.finish();
    const { number, source } = builder.header;
    const directory = directoryOf(source);
    const name = segmentName(number);
    const segment = liveSegment(builder, bytes.length);
    for (;;) {
      const room = await this.#makeRoom(allocatedBytes(bytes.length));
      if (!room.ok) return room;
      this.#disk.inFlight.add(segment);
      const written = await this.#disk.port.write(directory, name, 0, bytes);
      if (written.ok) break;
      this.#doom(segment);
      this.#free = null;
      // The file system is fuller than the quota foresaw: the oldest segment makes room for this one, if it may.
      if (written.error.code !== 'NO_SPACE' || !(await evictOldest(this.#state))) return written;
    }
    this.#state.counters.bytesWritten += bytes.length;
    this.#disk.doomed.delete(number);
    this.#written.push(segment);
    this.#named.add(source);
    this.#begin(this.#disk.port.sync(directory, name));
    this.records += builder.records;
    this.segments++;
    this.bytes += bytes.length;
    return OK;
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
  #makeDurable(): Promise<IoResult<void>> {
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
    // No file is removed under a sync that goes on.
    await this.#settled();
    for (const segment of this.#written) this.#doom(segment);
    this.#written = [];
    this.#disk.firstUncommitted = Number.POSITIVE_INFINITY;
    await removeDoomed(this.#state);
    return { ok: false, error };
  }

  #doom(segment: LiveSegment): void {
    this.#disk.inFlight.delete(segment);
    this.#disk.doomed.set(segment.number, segment);
  }
}

/** The index entry of a segment that has just been built. */
export function liveSegment(builder: SegmentBuilder, bytes: number): LiveSegment {
  const { blocks, header } = builder;
  const segment: LiveSegment = {
    number: header.number,
    source: header.source,
    flush: header.flush,
    epoch: header.epoch,
    baseTimeMs: header.baseTimeMs,
    bytes,
    slots: Uint16Array.from(builder.slots),
    first: new Float64Array(blocks.length),
    records: new Uint16Array(blocks.length),
    offsets: new Uint16Array(blocks.length),
    blockBytes: new Uint16Array(blocks.length),
    liveBlocks: blocks.length,
  };
  blocks.forEach((block, i) => {
    segment.first[i] = block.first;
    segment.records[i] = block.records;
    segment.offsets[i] = block.offset;
    segment.blockBytes[i] = block.bytes;
  });
  return segment;
}

/**
 * Lets the oldest segments go until `bytes` more fit under the quota and leave the floor of free space, with room for
 * the log's next generation, for without that the store could neither evict nor be opened. Segments that hold nothing
 * any more go first and cost nothing. One log batch for all of them, before any file is removed.
 */
async function makeRoom(state: StoreState, bytes: number, known: FreeSpace | null): Promise<IoResult<FreeSpace>> {
  const disk = state.disk as DiskSide;
  const held = (): number => heldBytes(disk);
  const measured = known === null ? await measure(disk) : ({ ok: true, value: known } as const);
  if (!measured.ok) return measured;
  const before = held();
  const free = measured.value.freeBytes - (before - measured.value.heldBytes);
  const deficitBytes = state.settings.freeFloorBytes + state.nextLogBytes() + bytes - free;
  const limit = state.segmentQuotaBytes() - disk.setAsideBytes;
  const fits = (gone: number): boolean => held() - gone + bytes <= limit && before - held() + gone >= deficitBytes;
  if (fits(0)) return measured;
  await removeDoomed(state);
  // What goes with the next batch anyway: the empty ones, and what a suspect log held back.
  let gone = 0;
  for (const segment of disk.index.empty) gone += allocatedBytes(segment.bytes);
  for (const file of disk.doomed.values()) gone += allocatedBytes(file.bytes);
  if (!fits(gone) && state.settings.whenDiskFull === 'refuse-new') {
    return {
      ok: false,
      error: { code: 'NO_SPACE', detail: fullDetail(state) },
    };
  }
  const victims: LiveSegment[] = [];
  for (const oldest of liveOldestFirst(disk)) {
    if (fits(gone)) break;
    victims.push(oldest);
    gone += allocatedBytes(oldest.bytes);
  }
  // Others fill the disk, and all that the store holds would not make up for it: then none of it goes in vain.
  const enough = fits(gone);
  if (enough || disk.index.empty.size + disk.doomed.size > 0) {
    const logged = await forgetSegments(state, enough ? victims : []);
    if (!logged.ok) return logged;
  }
  if (held() + bytes > limit || before - held() < deficitBytes) {
    return {
      ok: false,
      error: {
        code: 'NO_SPACE',
        detail: `${fullDetail(state)}, and dropping what the store holds would not be enough`,
      },
    };
  }
  return measured;
}

/** What the disk said of its free space, and what the store held when it said so. */
interface FreeSpace {
  readonly freeBytes: number;
  readonly heldBytes: number;
}

async function measure(disk: DiskSide): Promise<IoResult<FreeSpace>> {
  const free = await disk.port.freeBytes();
  // What it holds is counted behind the answer, so that what went meanwhile is not taken for free twice.
  return free.ok ? { ok: true, value: { freeBytes: free.value, heldBytes: heldBytes(disk) } } : free;
}

/** Bytes of the segments on disk, those included that are being written or wait for their removal. */
function heldBytes({ index, doomed, inFlight }: DiskSide): number {
  let total = index.segmentBytes;
  for (const file of doomed.values()) total += allocatedBytes(file.bytes);
  for (const file of inFlight) total += allocatedBytes(file.bytes);
  return total;
}

const fullDetail = ({ settings }: StoreState): string =>
  `the disk is full: quotaBytes is ${settings.quotaBytes}, and freeFloorBytes asks to leave ${settings.freeFloorBytes} bytes free`;

/** Evicts one segment because the file system has no space. @returns false when it may not or there is none. */
async function evictOldest(state: StoreState): Promise<boolean> {
  const disk = state.disk as DiskSide;
  if (state.settings.whenDiskFull === 'refuse-new') return false;
  const [oldest] = liveOldestFirst(disk);
  if (oldest === undefined && disk.index.empty.size === 0) return false;
  const logged = await forgetSegments(state, oldest === undefined ? [] : [oldest]);
  return logged.ok;
}

function* liveOldestFirst(disk: DiskSide): Iterable<LiveSegment> {
  for (const segment of disk.index.segments.values()) if (segment.liveBlocks > 0) yield segment;
}

/**
 * Logs that the empty segments are gone and that the victims give way; marks pass the victims' records when that is
 * durable, and the files go last. When the log itself finds no space, the files go first, and the oldest segments with
 * them until it does: a crash or a read in between then reports their records as damaged instead of evicted, and still
 * none in silence.
 */
export async function forgetSegments(state: StoreState, victims: readonly LiveSegment[]): Promise<IoResult<void>> {
  const disk = state.disk as DiskSide;
  const evicted = [...victims];
  const removed = new Set<LiveSegment>();
  if (victims.length > 0) state.emit({ type: 'evictionStarted', segments: victims.length });
  for (;;) {
    const logged = await writeCheckpoint(state, { evicted });
    if (logged.ok || logged.error.code !== 'NO_SPACE') return logged;
    const files = [...disk.index.empty, ...evicted].filter((segment) => !removed.has(segment));
    if (files.length === 0) {
      const next = state.settings.whenDiskFull === 'refuse-new' ? undefined : oldestBeside(disk, removed);
      if (next === undefined) return logged;
      state.emit({ type: 'evictionStarted', segments: 1 });
      evicted.push(next);
      files.push(next);
    }
    for (const segment of files) {
      const gone = await disk.port.remove(directoryOf(segment.source), segmentName(segment.number));
      if (!gone.ok) return gone;
      removed.add(segment);
    }
  }
}

function oldestBeside(disk: DiskSide, known: ReadonlySet<LiveSegment>): LiveSegment | undefined {
  for (const segment of liveOldestFirst(disk)) if (!known.has(segment)) return segment;
  return undefined;
}
