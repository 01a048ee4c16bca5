/**
 * Recovery: from what a crash left to an open store. Keeps INV-15, INV-16, INV-17, INV-18, INV-19.
 *
 *   what is found                                   what is done
 *   no log, no segments                             a new store: new id, epoch 1
 *   newest log generation whole                     it is believed
 *   log damaged, no generation whole                what is intact of it is believed; its files are set aside
 *   newest generation damaged, an older one whole   both are believed, the newer one later; its files are set aside
 *   newest log and all segments unreadable          not opened: the disk does not answer
 *   stream whose marks the log lost                 its head is where its oldest block begins
 *   no log, but segments                            all are believed; epoch jumps, so that no identity repeats
 *   segment in the log, intact                      live
 *   segment in the log, damaged in places           live with what is intact; the rest is a hole in the ledger
 *   segment in the log, none of its blocks intact   set aside under `.damaged`; its records are a hole in the ledger
 *   segment in the log, unreadable or foreign       set aside under `.damaged`; its records are a hole in the ledger
 *   segment in the log, missing                     its records are a hole in the ledger
 *   segment newer than the log (flush cut off)      blocks that continue their stream exactly are copied; then removed
 *   segment older than the log and not in it        evicted or acknowledged before the crash: its file is free, or removed
 *     ... and the log says that it went             the same, also where the log is damaged
 *     ... while the log is damaged                  its name may be what was lost: live with what no other one has
 *   segment of another store or directory           set aside
 *   segment that lies elsewhere by the log          a copy: set aside
 *   file that was made ahead and never written      free
 *   more than the quota, with the log's next part   what may go is removed; then the oldest segments, as many as it takes
 *
 * Three passes: look (reads only, so an unknown format is refused with nothing touched), salvage (new files), and one
 * commit: a new generation of the log with epoch + 1. A crash before the commit leaves what was found, and the copies
 * are cut-off segments like any other; a crash after it leaves only files that the log does not name. So recovering
 * twice gives what recovering once gives. What the log and the segments prove together is recovery-evidence.ts, the copying
 * of what a cut-off flush left salvage.ts.
 */

import { toHex } from './bytes.ts';
import { removeDoomed, writeCheckpoint } from './checkpoint.ts';
import type { MarksItem } from './checkpoint-image.ts';
import { NO_MARKS } from './checkpoint-image.ts';
import type { FoundLog } from './checkpoint-log.ts';
import { CheckpointLog, ioFailure, readCheckpointLog } from './checkpoint-log.ts';
import type { Result } from './codes.ts';
import { failure, invariant, success } from './codes.ts';
import { logStepBytes } from './config.ts';
import { allocatedBytes, DiskIndex, segmentName } from './disk-index.ts';
import { forgetSegments } from './disk-space.ts';
import type { FoundFiles, FoundSegment, ReadSegment, SourceDirectory } from './found-segments.ts';
import { DAMAGED_SUFFIX, directoryOf, lookAtSegments, placeSegments, storeIdsOf } from './found-segments.ts';
import type { DiskPort, IoResult } from './port.ts';
import type { FileContent } from './read-file.ts';
import { readFile } from './read-file.ts';
import { Evidence } from './recovery-evidence.ts';
import type { SalvageContext, Salvaged } from './salvage.ts';
import { salvage } from './salvage.ts';
import { SHAPE_EVT, shapeOf, shapeSource, shapeType } from './sector-pool.ts';
import type { BlockInfo, SegmentHeader } from './segment.ts';
import { scanSegment } from './segment.ts';
import type { BlockColumns, MetStream } from './segment-columns.ts';
import { SegmentColumns } from './segment-columns.ts';
import { SegmentFiles } from './segment-files.ts';
import type { DiskSide, StoreState } from './store-state.ts';

/** Opens what is on the disk. The caller holds the lock; on failure nothing has been changed but `.damaged` names. */
export async function recover(state: StoreState, port: DiskPort): Promise<Result<void>> {
  const columns = new SegmentColumns(state.platform.crc32);
  const found = await lookAtSegments(port, columns);
  if (!found.ok) return found;
  const log = await readCheckpointLog(port, storeIdsOf(found.value.segments), state.platform.crc32);
  if (!log.ok) return log;
  const segments = placeSegments(found.value.segments, log.value);
  const recovery = new Recovery(state, port, log.value, { ...found.value, segments }, columns.streams);
  return recovery.run();
}

/** What came of a segment: its blocks count, or none of them is intact, or others have all that it has. */
type Entered = 'live' | 'damaged' | 'unwanted';

/** Ranges of sequence numbers, by sensor x 4 + source. */
type Ranges = ReadonlyMap<number, readonly (readonly [number, number])[]>;

class Recovery {
  readonly #state: StoreState;
  readonly #port: DiskPort;
  readonly #log: FoundLog;
  readonly #found: readonly FoundSegment[];
  readonly #disk: DiskSide;
  /** Slot of each (source, sensor). */
  readonly #slots = new Map<number, number>();
  /** The streams that the segments' columns number, and the slot of each, once it was asked for. */
  readonly #met: readonly MetStream[];
  readonly #metSlots: (number | null | undefined)[] = [];
  /** Per slot: end of the newest block accepted. */
  readonly #ends: Float64Array;
  /** Per slot: what no block answers for, from 0 to that end. */
  readonly #gaps: [number, number][][] = [];
  /** Null: the log says nothing of the stream. */
  readonly #marks: (MarksItem | null)[] = [];
  readonly #setAside: string[] = [];
  /** Every file there is by now: one that is set aside takes a name that is free, and leaves its own. */
  readonly #names: Set<string>;
  readonly #evidence: Evidence;

  constructor(
    state: StoreState,
    port: DiskPort,
    log: FoundLog,
    { segments: found, names, setAsideBytes }: FoundFiles,
    met: readonly MetStream[],
  ) {
    this.#state = state;
    this.#met = met;
    this.#ends = new Float64Array(state.settings.streamsMax);
    this.#port = port;
    this.#log = log;
    this.#found = found;
    this.#names = names;
    const { store } = log.image;
    this.#evidence = new Evidence(log, found, state.storeId);
    state.storeId = this.#evidence.storeId;
    state.epoch = this.#evidence.epoch;
    const streamsMax = state.settings.streamsMax;
    const meter = {
      wrote: (bytes: number): void => {
        state.counters.bytesWritten += bytes;
      },
      synced: (): void => {
        state.counters.syncs++;
      },
    };
    this.#disk = {
      port,
      index: new DiskIndex(),
      log: new CheckpointLog(
        port,
        state.storeId,
        log.generation,
        meter,
        state.platform.crc32,
        logStepBytes(state.settings),
      ),
      nextSegment: this.#evidence.nextSegment,
      firstUncommitted: Number.POSITIVE_INFINITY,
      nextFlush: store?.nextFlush ?? 1,
      files: new SegmentFiles(state.settings),
      doomed: new Map(),
      inFlight: new Set(),
      buffers: [],
      setAsideBytes,
      loggedStreams: 0,
      durableHead: new Float64Array(streamsMax),
      loggedSynced: new Float64Array(streamsMax),
      marksDirty: new Uint8Array(streamsMax),
      damaged: new Float64Array(streamsMax),
      renewLog: false,
      pendingLedger: [],
      bytesWrittenBefore: store?.bytesWrittenTotal ?? 0,
      syncsBefore: store?.syncsTotal ?? 0,
    };
    state.disk = this.#disk;
  }

  async run(): Promise<Result<void>> {
    const { image } = this.#log;
    const evidence = this.#evidence;
    const answers = await this.#diskAnswers();
    if (!answers.ok) return answers;
    const tooMany = this.#restoreStreams();
    if (!tooMany.ok) return tooMany;
    const named = ({ number, file, source }: FoundSegment): boolean =>
      evidence.logLost || (image.segments.get(number) === source && image.fileOf(number) === file);
    const certain = this.#log.intact && !this.#evidence.tailLost;
    const covered = certain || this.#evidence.logLost ? null : await this.#rangesOf(this.#found.filter(named));
    const cutOff: ReadSegment[] = [];
    for (const segment of this.#found) {
      const { number, source } = segment;
      const directory = directoryOf(source);
      const name = segmentName(segment.file);
      const isOurs = evidence.ours(segment);
      if (isOurs ? image.removed.has(number) : segment.blank && !image.segments.has(number)) {
        this.#doom(segment, true);
        continue;
      }
      const isNamed = named(segment);
      const isTorn = segment.header === null && !segment.misplaced;
      const mayBeNamed = number < evidence.nextLogged || evidence.tailLost || evidence.isLater(segment);
      if (isNamed || (covered !== null && (isOurs || isTorn) && mayBeNamed)) {
        const entered = isOurs
          ? await this.#enterSegment(segment, isNamed ? null : covered)
          : success<Entered>('damaged');
        if (!entered.ok) return entered;
        if (entered.value === 'live') continue;
        if (entered.value === 'unwanted') {
          this.#doom(segment, false);
          continue;
        }
        const aside = await this.#putAside(directory, name, segment.bytes);
        if (!aside.ok) return ioFailure(`set aside the damaged ${directory}/${name}`, aside.error);
      } else if (segment.misplaced || (segment.header !== null && !isOurs)) {
        await this.#putAside(directory, name, segment.bytes);
      } else if (number >= this.#evidence.nextLogged && isOurs) cutOff.push(segment);
      else this.#doom(segment, isOurs);
    }
    for (const file of this.#log.files) {
      if (this.#log.complete || file.blank) this.#disk.log.adopt(file);
    }
    this.#enterMarks();
    const salvaged = await salvage(this.#salvageContext(), cutOff);
    if (!salvaged.ok) return salvaged;
    return this.#commit(cutOff, salvaged.value);
  }

  /** @param sound what it holds is known to be nothing that counts: it may be written again. */
  #doom({ number, file, source, bytes, header }: FoundSegment, sound: boolean): void {
    this.#disk.doomed.set(file, { file, source, bytes, held: header === null ? null : number, sound });
  }

  /**
   * A page that cannot be read is damage, and recovery goes on without it. When neither the newest log nor any segment can
   * be read, it is the disk that does not answer: then the store is not opened, for everything may still be there.
   */
  async #diskAnswers(): Promise<Result<void>> {
    const { unread, complete } = this.#log;
    if (complete || unread === null) return success(undefined);
    for (const segment of this.#found) {
      if (!this.#evidence.ours(segment)) continue;
      const read = await this.#readSegment(segment);
      if (read.ok && scanSegment(read.value.bytes, this.#state.platform.crc32).state === 'ok')
        return success(undefined);
    }
    return ioFailure('read the checkpoint log, nor any segment; if the disk is sound, move the log away', unread);
  }

  /**
   * Ranges of sequence numbers in these segments, by stream. When the log lost something, a segment that it does not
   * name may be one that it has forgotten or one whose name was lost; the second has records that no other one has.
   */
  async #rangesOf(segments: readonly FoundSegment[]): Promise<Ranges> {
    const ranges = new Map<number, [number, number][]>();
    for (const segment of segments) {
      const bytes = await this.#readSegment(segment);
      const scan = bytes.ok ? scanSegment(bytes.value.bytes, this.#state.platform.crc32) : null;
      if (scan?.state !== 'ok') continue;
      for (const { sensor, first, records } of scan.blocks) {
        const key = sensor * 4 + segment.source;
        const known = ranges.get(key);
        if (known === undefined) ranges.set(key, [[first, first + records]]);
        else known.push([first, first + records]);
      }
    }
    return ranges;
  }

  /** Renames a file so that nobody takes it for a segment; counted, never deleted. */
  async #putAside(directory: '' | SourceDirectory, name: string, bytes: number): Promise<IoResult<void>> {
    const path = (file: string): string => (directory === '' ? file : `${directory}/${file}`);
    let target = `${name}${DAMAGED_SUFFIX}`;
    for (let n = 1; this.#names.has(path(target)); n++) target = `${name}.${n}${DAMAGED_SUFFIX}`;
    const renamed = await this.#port.rename(directory, name, target);
    if (!renamed.ok) return renamed;
    this.#names.delete(path(name));
    this.#names.add(path(target));
    const named = await this.#port.syncDirectory(directory);
    if (named.ok) this.#state.counters.syncs++;
    this.#setAside.push(path(target));
    this.#disk.setAsideBytes += allocatedBytes(bytes);
    return named;
  }

  #restoreStreams(): Result<void> {
    const { image } = this.#log;
    const slots = [...image.streams.keys()].sort((a, b) => a - b);
    for (const slot of slots) {
      const item = image.streams.get(slot);
      invariant(item !== undefined, 'the slot comes from the same map');
      const added = this.#addStream(
        item.shape,
        item.sensor,
        item.periodMs,
        item.priority,
        image.marks.get(slot) ?? null,
      );
      if (!added.ok) return added;
      this.#logSlots.set(slot, added.value);
    }
    for (const loss of image.ledger) {
      const slot = this.#logSlots.get(loss.slot);
      if (slot !== undefined) this.#state.pool.ledger.add(slot, loss.from, loss.to, loss.records, loss.reason);
    }
    this.#state.pool.ledger.foldedRecords += image.store?.foldedRecords ?? 0;
    return success(undefined);
  }

  /** Slot in the log -> slot in this open; they differ only when a damaged log lost a stream in between. */
  readonly #logSlots = new Map<number, number>();

  #addStream(
    shape: number,
    sensor: number,
    periodMs: number,
    priority: number,
    marks: MarksItem | null,
  ): Result<number> {
    const { pool, settings } = this.#state;
    if (pool.streams >= settings.streamsMax) {
      return failure(
        'CONFIG_INVALID',
        `streamsMax is ${settings.streamsMax}, but the store on disk has more streams: raise streamsMax`,
      );
    }
    const slot = pool.addStream(shape, sensor, periodMs, priority);
    this.#slots.set(sensor * 4 + shapeSource(shape), slot);
    this.#gaps[slot] = [];
    this.#marks[slot] = marks;
    return success(slot);
  }

  /** Slot of a block's stream, made when the log did not know it; null when the block contradicts the stream. */
  #slotOf(source: number, block: Omit<MetStream, 'source' | 'blocks'>): Result<number | null> {
    const { pool } = this.#state;
    const known = this.#slots.get(block.sensor * 4 + source);
    if (known === undefined) {
      return this.#addStream(shapeOf(source, block.evt, block.type), block.sensor, block.periodMs, 0, null);
    }
    const shape = pool.shape[known] as number;
    const same =
      ((shape & SHAPE_EVT) !== 0) === block.evt &&
      shapeType(shape) === block.type &&
      pool.periodMs[known] === block.periodMs;
    return success(same ? known : null);
  }

  #readSegment({ file, source, bytes }: FoundSegment): Promise<IoResult<FileContent>> {
    return readFile(this.#port, directoryOf(source), segmentName(file), bytes);
  }

  /**
   * Takes a segment's intact blocks into the index, in order; with `covered` only those whose records no named segment
   * has.
   */
  async #enterSegment(segment: FoundSegment, covered: Ranges | null): Promise<Result<Entered>> {
    const { source, file, header, blocks: whole, segmentBytes } = segment;
    if (whole !== null && header !== null && covered === null) {
      const entered = this.#enterWhole(whole);
      if (!entered.ok) return entered;
      this.#index(segment, header, segmentBytes, entered.value);
      return success('live');
    }
    const read = await this.#readSegment(segment);
    if (!read.ok) return ioFailure(`read ${directoryOf(source)}/${segmentName(file)}`, read.error);
    const { bytes } = read.value;
    const scan = scanSegment(bytes, this.#state.platform.crc32);
    // A segment is written with a block in it at least: without an intact one all of it is damaged.
    if (scan.state !== 'ok' || scan.blocks.length === 0) return success('damaged');
    const slots: number[] = [];
    const blocks: BlockInfo[] = [];
    for (const block of scan.blocks) {
      const slot = this.#slotOf(source, block);
      if (!slot.ok) return slot;
      const end = block.first + block.records;
      if (covered?.get(block.sensor * 4 + source)?.some(([from, to]) => from < end && block.first < to)) continue;
      if (slot.value === null || !this.#enterBlock(slot.value, block.first, block.records)) continue;
      slots.push(slot.value);
      blocks.push(block);
    }
    if (covered !== null && blocks.length === 0) return success('unwanted');
    this.#index(segment, scan.header, Math.min(bytes.length, scan.bytes), {
      streams: Uint16Array.from(slots),
      first: Float64Array.from(blocks, (block) => block.first),
      records: Uint16Array.from(blocks, (block) => block.records),
      offsets: Uint16Array.from(blocks, (block) => block.offset),
      blockBytes: Uint16Array.from(blocks, (block) => block.bytes),
    });
    return success('live');
  }

  /** The blocks of a sound segment that count. @returns the same columns, with slots in place of the streams' numbers. */
  #enterWhole(columns: BlockColumns): Result<BlockColumns> {
    const { streams, first, records, offsets, blockBytes } = columns;
    const blocks = streams.length;
    let entered = 0;
    for (let i = 0; i < blocks; i++) {
      const stream = streams[i] as number;
      let slot = this.#metSlots[stream];
      if (slot === undefined) {
        const found = this.#slotOfMet(stream);
        if (!found.ok) return found;
        slot = found.value;
      }
      if (slot === null || !this.#enterBlock(slot, first[i] as number, records[i] as number)) continue;
      streams[entered] = slot;
      if (entered !== i)
        for (const column of [first, records, offsets, blockBytes]) column[entered] = column[i] as number;
      entered++;
    }
    if (entered === blocks) return success(columns);
    return success({
      streams: streams.subarray(0, entered),
      first: first.subarray(0, entered),
      records: records.subarray(0, entered),
      offsets: offsets.subarray(0, entered),
      blockBytes: blockBytes.subarray(0, entered),
    });
  }

  #slotOfMet(stream: number): Result<number | null> {
    const met = this.#met[stream] as MetStream;
    const slot = this.#slotOf(met.source, met);
    if (!slot.ok) return slot;
    this.#metSlots[stream] = slot.value;
    if (slot.value !== null) this.#disk.index.reserve(slot.value, met.blocks);
    return slot;
  }

  /** Whether the block counts: one that repeats what an older segment holds is a copy of a recovery that was cut off. */
  #enterBlock(slot: number, first: number, records: number): boolean {
    const end = this.#ends[slot] as number;
    if (first < end) return false;
    // Nobody knows the head: what came before the oldest block is taken as acknowledged.
    if (end === 0 && this.#marks[slot] === null) this.#marks[slot] = { ...NO_MARKS, head: first, synced: first };
    if (first > end) this.#gaps[slot]?.push([end, first]);
    this.#ends[slot] = first + records;
    return true;
  }

  #index(
    { number, file, bytes: fileBytes, source }: FoundSegment,
    header: SegmentHeader,
    bytes: number,
    blocks: BlockColumns,
  ): void {
    const { flush, epoch, baseTimeMs } = header;
    const { streams: slots, first, records, offsets, blockBytes } = blocks;
    const liveBlocks = slots.length;
    this.#disk.index.add({
      number,
      file,
      fileBytes,
      source,
      flush,
      epoch,
      baseTimeMs,
      bytes,
      slots,
      first,
      records,
      offsets,
      blockBytes,
      liveBlocks,
    });
  }

  /** Sets the marks of every stream and enters what is missing between them as damaged. */
  #enterMarks(): void {
    const { pool } = this.#state;
    const { index } = this.#disk;
    for (let slot = 0; slot < pool.streams; slot++) {
      const marks = this.#marks[slot] ?? NO_MARKS;
      const end = this.#ends[slot] as number;
      const synced = Math.max(marks.head, marks.synced, end);
      pool.head[slot] = marks.head;
      pool.read[slot] = marks.head;
      pool.synced[slot] = synced;
      pool.appended[slot] = synced;
      pool.discarded[slot] = marks.discarded;
      pool.evicted[slot] = marks.evicted;
      this.#disk.damaged[slot] = marks.damaged;
      this.#disk.loggedSynced[slot] = synced;
      this.#disk.marksDirty[slot] = 1;
      for (const [from, to] of marks.holes) if (to > marks.head) index.addHole(slot, Math.max(from, marks.head), to);
      for (const [from, to] of [...(this.#gaps[slot] ?? []), [end, synced] as const]) {
        const start = Math.max(from, marks.head);
        if (start < to) this.#state.markDamaged(slot, start, to, 'a damaged or missing segment');
      }
      // Also passes the head over holes, and releases blocks that lie below it.
      this.#state.raiseHead(slot, index.passHoles(slot, pool.head[slot] as number));
      pool.read[slot] = pool.head[slot] as number;
    }
  }

  #salvageContext(): SalvageContext {
    return {
      state: this.#state,
      port: this.#port,
      disk: this.#disk,
      // One that was set aside is counted with those, and no segment any more.
      found: this.#found.filter(({ file, source }) => this.#names.has(`${directoryOf(source)}/${segmentName(file)}`)),
      torn: this.#found.filter(
        ({ number, header, misplaced }) => number >= this.#evidence.nextLogged && header === null && !misplaced,
      ),
      epoch: this.#evidence.knownEpoch,
      read: (segment) => this.#readSegment(segment),
      slotOf: (source, block) => this.#slotOf(source, block),
    };
  }

  /**
   * Files that will be written again need a name that is durable, for no directory is synced when they are: one that a
   * killed process made may have none yet.
   */
  async #confirmNames(): Promise<void> {
    const { doomed, files } = this.#disk;
    if (!files.recycles) return;
    const found = [...doomed.values()].filter(({ sound }) => sound);
    for (const source of new Set(found.map((file) => file.source))) {
      const synced = await this.#port.syncDirectory(directoryOf(source));
      if (synced.ok) this.#state.counters.syncs++;
      else for (const file of found) if (file.source === source) doomed.set(file.file, { ...file, sound: false });
    }
  }

  async #commit(cutOff: readonly ReadSegment[], salvaged: Salvaged): Promise<Result<void>> {
    const { image, storeId } = this.#log;
    const state = this.#state;
    for (const segment of cutOff) this.#doom(segment, false);
    const isNew = storeId === null && this.#found.length === 0 && this.#log.files.every((file) => file.blank);
    await this.#confirmNames();
    let committed = await writeCheckpoint(state);
    const isFull = !committed.ok && committed.error.code === 'NO_SPACE';
    // On a full disk the doomed ones make room for the log that is to be written: no log names them, once this one is durable.
    if (isFull && (await this.#disk.log.confirm()).ok) {
      for (const doomed of this.#disk.doomed.values()) {
        const removed = await this.#port.remove(directoryOf(doomed.source), segmentName(doomed.file));
        // What is gone takes nothing of the quota any more, and the log is still to say that it is gone.
        this.#disk.doomed.set(doomed.file, { ...doomed, bytes: removed.ok ? 0 : doomed.bytes, sound: false });
      }
      committed = await forgetSegments(state, []);
    }
    if (!committed.ok) return ioFailure(`write the checkpoint of store ${toHex(state.storeId)}`, committed.error);
    // Nobody else moves marks in recovery: what the batch has is where they stand, behind an eviction too.
    this.#disk.durableHead.set(state.pool.head);
    await removeDoomed(state);
    // Not before the commit: a crash in between must find the log as it was found now.
    for (const file of this.#log.files) {
      if (!this.#log.complete && !file.blank) await this.#putAside('', file.name, file.bytes);
    }
    let records = 0;
    for (let slot = 0; slot < state.pool.streams; slot++) records += state.retained(slot);
    state.recovery = {
      found: isNew ? 'new' : image.store?.clean === true && cutOff.length === 0 ? 'clean' : 'crash',
      epoch: state.epoch,
      segments: this.#disk.index.segments.size,
      records,
      salvagedRecords: salvaged.records,
      setAside: this.#setAside,
      damagedRecords: state.counters.damaged,
    };
    if (state.recovery.found === 'crash') state.counters.recoveries++;
    return success(undefined);
  }
}
