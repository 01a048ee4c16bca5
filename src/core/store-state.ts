/**
 * What the parts of one open store share: pool, disk index, log, counters, and the few operations that move marks.
 *
 * Keeps INV-01, INV-02, INV-12, INV-13, INV-20: every change of a mark goes through here or through the pool's
 * eviction. It starts no I/O; flush, reader, recovery and checkpoint do, and come back here to enter the outcome.
 */
import { toHex } from './bytes.ts';
import type { LedgerItem } from './checkpoint-image.ts';
import type { CheckpointLog } from './checkpoint-log.ts';
import { invariant } from './codes.ts';
import type { Settings } from './config.ts';
import { checkpointReserveBytes, FLUSH_AT_PERCENT, logStepBytes } from './config.ts';
import type { DiskIndex, LiveSegment } from './disk-index.ts';
import { allocatedBytes } from './disk-index.ts';
import type { DiskPort, Platform } from './port.ts';
import { SectorPool, shapeSource } from './sector-pool.ts';
import type { SegmentFiles } from './segment-files.ts';
import type { EngineEvent, Lifecycle, RecoveryReport, StreamKey } from './types.ts';
import { SOURCES } from './types.ts';

export interface Counters {
  refusedRamFull: number;
  appended: number;
  read: number;
  acknowledged: number;
  reverted: number;
  discarded: number;
  evicted: number;
  damaged: number;
  flushes: number;
  flushFailures: number;
  checkpoints: number;
  segmentsWritten: number;
  segmentsRemoved: number;
  bytesWritten: number;
  syncs: number;
  recoveries: number;
}

/** A file whose segment no log names any more, or none has ever named: still on disk, and not free yet. */
export interface DoomedFile {
  /** The number in its name. */
  readonly file: number;
  readonly source: number;
  readonly bytes: number;
  /** Number of the segment in it; null where it cannot be told. */
  readonly held: number | null;
  /** May be written again. Not one of which a write or a sync failed, or whose writer was cut off: what it holds is unknown. */
  readonly sound: boolean;
}

/** The disk side of an open store; absent as a whole where the platform has no disk. */
export interface DiskSide {
  readonly port: DiskPort;
  readonly index: DiskIndex;
  log: CheckpointLog;
  nextSegment: number;
  /** Number of the first segment of the flush that runs; Infinity when none does. */
  firstUncommitted: number;
  nextFlush: number;
  /** Which files are free to be written again. */
  readonly files: SegmentFiles;
  /** Files that are no longer live, by the number in their names: free, or removed, when the log that forgot them is durable. */
  readonly doomed: Map<number, DoomedFile>;
  /** Segments being written, in no log yet. */
  readonly inFlight: Set<LiveSegment>;
  /** In which segments were put together that are written: as many as were under way at once, a gathered and a written one. */
  readonly buffers: Uint8Array[];
  setAsideBytes: number;
  /** Streams [0, loggedStreams) are known to the log. */
  loggedStreams: number;
  /** Head and synced marks as the log has them. */
  readonly durableHead: Float64Array;
  readonly loggedSynced: Float64Array;
  /** 1: marks changed since they were last logged. */
  readonly marksDirty: Uint8Array;
  readonly damaged: Float64Array;
  /** The next batch begins a new generation: what the log says of losses is not what happened. */
  renewLog: boolean;
  /** Losses found and not yet logged; an eviction is logged before it happens. */
  pendingLedger: LedgerItem[];
  bytesWrittenBefore: number;
  syncsBefore: number;
}

const DAMAGED = 1;

export class StoreState {
  readonly platform: Platform;
  readonly settings: Settings;
  readonly pool: SectorPool;
  readonly flushAtSectors: number;
  storeId: Uint8Array;
  epoch = 0;
  lifecycle: Lifecycle = 'recovering';
  flushRequested = false;
  flushRunning = false;
  retryWaiting = false;
  disk: DiskSide | null = null;
  recovery: RecoveryReport | null = null;
  readonly counters: Counters = {
    refusedRamFull: 0,
    appended: 0,
    read: 0,
    acknowledged: 0,
    reverted: 0,
    discarded: 0,
    evicted: 0,
    damaged: 0,
    flushes: 0,
    flushFailures: 0,
    checkpoints: 0,
    segmentsWritten: 0,
    segmentsRemoved: 0,
    bytesWritten: 0,
    syncs: 0,
    recoveries: 0,
  };
  onEvent: ((event: EngineEvent) => void) | null;
  /** Called when a flush was asked for and none runs. The engine starts it outside the caller's stack. */
  onFlushWanted: (() => void) | null = null;
  /** Called when sectors may have become free. */
  onRoom: (() => void) | null = null;
  /** Called when segments stand empty; the engine decides whether a checkpoint is due. */
  onSegmentsEmpty: (() => void) | null = null;

  constructor(
    platform: Platform,
    settings: Settings,
    storeId: Uint8Array,
    onEvent: ((event: EngineEvent) => void) | null,
  ) {
    this.platform = platform;
    this.settings = settings;
    this.storeId = storeId;
    this.onEvent = onEvent;
    this.pool = new SectorPool({
      sectors: settings.poolBytes / settings.sectorBytes,
      sectorBytes: settings.sectorBytes,
      streamsMax: settings.streamsMax,
      ledgerMax: settings.ledgerMax,
      disk: platform.disk !== null,
    });
    this.flushAtSectors = Math.ceil((this.pool.sectors * FLUSH_AT_PERCENT) / 100);
    this.pool.onSectorEvicted = (slot, from, to) => {
      this.counters.evicted += to - from;
      this.emit({ type: 'sectorEvicted', key: this.key(slot), from, to });
    };
  }

  /**
   * A listener that throws is cut off from the engine: a flush half done must not end because somebody's log line
   * did. Its error is not swallowed, it comes up as an unhandled rejection.
   */
  emit(event: EngineEvent): void {
    try {
      this.onEvent?.(event);
    } catch (error) {
      void Promise.reject(error);
    }
  }

  get open(): boolean {
    return this.lifecycle === 'ram' || this.lifecycle === 'flushing';
  }

  get storeIdHex(): string {
    return toHex(this.storeId);
  }

  key(slot: number): StreamKey {
    return {
      source: SOURCES[shapeSource(this.pool.shape[slot] as number)] as StreamKey['source'],
      sensor: this.pool.sensor[slot] as number,
    };
  }

  /** max(head, synced): on disk up to here. */
  syncedTo(slot: number): number {
    return this.pool.ramFrom(slot);
  }

  recordsBetween(slot: number, from: number, to: number): number {
    return this.disk === null ? Math.max(0, to - from) : this.disk.index.recordsBetween(slot, from, to);
  }

  advance(slot: number, from: number, records: number): number {
    return this.disk === null ? from + records : this.disk.index.advance(slot, from, records);
  }

  pending(slot: number): number {
    return this.recordsBetween(slot, at(this.pool.head, slot), at(this.pool.read, slot));
  }

  unread(slot: number): number {
    return this.recordsBetween(slot, at(this.pool.read, slot), at(this.pool.appended, slot));
  }

  retained(slot: number): number {
    return this.recordsBetween(slot, at(this.pool.head, slot), at(this.pool.appended, slot));
  }

  damagedRecords(slot: number): number {
    return this.disk === null ? 0 : at(this.disk.damaged, slot);
  }

  /** Records that left by acknowledge: what is below head and neither discarded nor lost. */
  acknowledged(slot: number): number {
    let below = at(this.pool.head, slot) - at(this.pool.discarded, slot) - at(this.pool.evicted, slot);
    if (this.disk !== null) {
      below -= at(this.disk.damaged, slot);
      for (const [from, to] of this.disk.index.holes(slot)) below += to - from;
    }
    return below;
  }

  /** Asks for a flush unless one is running, asked for, or waiting for its retry (INV-08). */
  wantFlush(): void {
    if (this.disk === null || this.flushRequested || this.flushRunning || this.retryWaiting) return;
    this.flushRequested = true;
    this.emit({ type: 'flushRequested' });
    this.onFlushWanted?.();
  }

  /** Moves head, frees what lies below it. The caller has checked `to`; marks never go back. */
  raiseHead(slot: number, to: number): void {
    const { pool } = this;
    invariant(
      to >= at(pool.head, slot) && to <= at(pool.appended, slot),
      'head moves forward within what was appended',
    );
    const used = pool.used;
    pool.head[slot] = to;
    if (at(pool.read, slot) < to) pool.read[slot] = to;
    pool.releaseDead(slot);
    if (this.disk !== null) {
      this.disk.marksDirty[slot] = 1;
      this.disk.index.release(slot, to);
      if (this.disk.index.empty.size > 0) this.onSegmentsEmpty?.();
    }
    if (pool.used < used) this.onRoom?.();
  }

  /**
   * Acknowledges the oldest `records` of what was read. Those among them that were lost since count as accepted.
   * @returns false, nothing changed, when more are named than were read.
   */
  acknowledge(slot: number, records: number): boolean {
    const forgiven = Math.min(records, at(this.pool.forgiven, slot));
    const rest = records - forgiven;
    if (rest > this.pending(slot)) return false;
    this.pool.forgiven[slot] = at(this.pool.forgiven, slot) - forgiven;
    if (rest > 0) {
      this.counters.acknowledged += rest;
      this.raiseHead(slot, this.advance(slot, at(this.pool.head, slot), rest));
    }
    return true;
  }

  /** read = head: what is pending is unread again (INV-13). */
  revert(slot: number): void {
    const { pool } = this;
    this.counters.reverted += this.pending(slot);
    pool.read[slot] = at(pool.head, slot);
    pool.forgiven[slot] = 0;
    pool.cursor[slot] = pool.none;
  }

  /** @returns false, nothing changed, when more are named than are retained. */
  discard(slot: number, records: number): boolean {
    if (records > this.retained(slot)) return false;
    if (records === 0) return true;
    this.pool.discarded[slot] = at(this.pool.discarded, slot) + records;
    this.counters.discarded += records;
    this.raiseHead(slot, this.advance(slot, at(this.pool.head, slot), records));
    return true;
  }

  /** Evicts what a stream retains below `to` (its blocks in the oldest segment). @returns how many records went. */
  evictBelow(slot: number, to: number): number {
    const { pool } = this;
    const disk = this.disk as DiskSide;
    const head = at(pool.head, slot);
    if (to <= head) return 0;
    const records = this.recordsBetween(slot, head, to);
    const pending = this.recordsBetween(slot, head, Math.min(to, at(pool.read, slot)));
    this.counters.evicted += records;
    const passed = disk.index.passHoles(slot, to);
    pool.loseUpTo(slot, to, records, pending);
    this.raiseHead(slot, passed);
    return records;
  }

  /**
   * Enters [from, to) of a stream as lost to damage: what is still retained of it becomes a hole and is in the ledger
   * (INV-19); marks inside the hole pass over it. @returns how many records were lost by it.
   */
  markDamaged(slot: number, from: number, to: number, file: string): number {
    const { pool } = this;
    const disk = this.disk as DiskSide;
    let lost = 0;
    const found: [number, number][] = [];
    for (let at0 = Math.max(from, at(pool.head, slot)); at0 < to; ) {
      const start = disk.index.passHoles(slot, at0);
      if (start >= to) break;
      const end = Math.min(to, disk.index.nextHole(slot, start));
      const pending = Math.max(0, Math.min(end, at(pool.read, slot)) - start);
      pool.forgiven[slot] = at(pool.forgiven, slot) + pending;
      disk.index.addHole(slot, start, end);
      pool.ledger.add(slot, start, end, end - start, DAMAGED);
      disk.pendingLedger.push({
        slot,
        from: start,
        to: end,
        records: end - start,
        reason: DAMAGED,
      });
      disk.damaged[slot] = at(disk.damaged, slot) + (end - start);
      this.counters.damaged += end - start;
      lost += end - start;
      found.push([start, end]);
      at0 = end;
    }
    if (lost > 0) {
      disk.marksDirty[slot] = 1;
      pool.read[slot] = disk.index.passHoles(slot, at(pool.read, slot));
      this.raiseHead(slot, disk.index.passHoles(slot, at(pool.head, slot)));
    }
    // Last of all, for who hears it may call the engine.
    for (const [start, end] of found) this.emit({ type: 'damaged', key: this.key(slot), from: start, to: end, file });
    return lost;
  }

  /** Bytes of all files of the store, as the file system gives space out. */
  diskBytes(): number {
    if (this.disk === null) return 0;
    let bytes = heldBytes(this.disk) + this.disk.setAsideBytes;
    for (const size of this.disk.log.fileSizes) bytes += allocatedBytes(size);
    return bytes;
  }

  /** What the quota leaves for all files of the log, the older ones included that a new generation replaces. */
  logRoomBytes(): number {
    return this.disk === null ? 0 : this.settings.quotaBytes - heldBytes(this.disk) - this.disk.setAsideBytes;
  }

  /**
   * What the file system must have left for the log: its next generation as the store is now, beside the present one,
   * and the space by which either grows.
   */
  nextLogBytes(): number {
    const segments = (this.disk?.index.segments.size ?? 0) + (this.disk?.files.count ?? 0);
    const step = logStepBytes(this.settings);
    const snapshot = 1024 + this.pool.streams * 64 + this.pool.ledger.length * 32 + segments * 8;
    return (Math.ceil(snapshot / step) + 2) * step;
  }

  /** Whether what segments' files take now, the free ones included, is within the quota: it may not be behind a crash. */
  withinQuota(): boolean {
    const disk = this.disk as DiskSide;
    return heldBytes(disk) + disk.setAsideBytes <= this.segmentQuotaBytes();
  }

  /** What segments may take so that the checkpoint, twice over while it is renewed, always fits beside them. */
  segmentQuotaBytes(): number {
    return this.settings.quotaBytes - 2 * checkpointReserveBytes(this.settings);
  }
}

/** Space that the files of segments take: of live ones, of those being written, of doomed and of free ones. */
export function heldBytes({ index, doomed, inFlight, files }: DiskSide): number {
  let total = index.segmentBytes + files.freeBytes;
  // Live as long as the log says so, and no file any more.
  for (const bytes of files.gone.values()) total -= bytes;
  for (const file of doomed.values()) total += allocatedBytes(file.bytes);
  for (const segment of inFlight) total += allocatedBytes(segment.fileBytes);
  return total;
}

const at = (column: Float64Array | Uint32Array, slot: number): number => column[slot] as number;
