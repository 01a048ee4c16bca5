/**
 * The engine's vocabulary: what a stream is, what inspect() and stats() answer, what the engine announces.
 * Words are those of docs/glossary.md; every mark is a count of records since the stream began.
 */

import type { IoErrorCode } from './port.ts';

/** CSD type of a source; the index in SOURCES. */
export const SOURCES = ['host', 'mgc', 'can_controller'] as const;
export type Source = (typeof SOURCES)[number];

export const KINDS = ['tsd', 'evt'] as const;
export type Kind = (typeof KINDS)[number];

export const VALUE_TYPES = ['uint32', 'int32', 'float32'] as const;
export type ValueType = (typeof VALUE_TYPES)[number];

export interface StreamOptions {
  readonly kind: Kind;
  /** Milliseconds between two samples, 1 to 2^31-1. Required for `tsd`, refused for `evt`. */
  readonly periodMs?: number;
  /** How the raw 32 bits are read; default uint32. */
  readonly type?: ValueType;
  /** 0 to 255, default 0. A power-fail flush saves higher priorities first. */
  readonly priority?: number;
}

/** Who a stream is. `sensor` is a uint32 and may repeat in another source. */
export interface StreamKey {
  readonly source: Source;
  readonly sensor: number;
}

export type LossReason = 'evicted' | 'damaged';

/** One entry of the loss ledger: `records` of the sequence range [from, to) are lost. */
export interface LossEntry extends StreamKey {
  readonly from: number;
  readonly to: number;
  readonly records: number;
  readonly reason: LossReason;
}

export interface Ledger {
  readonly entries: readonly LossEntry[];
  /** Records whose ranges no longer fit in the ledger; they are in the totals of stats() and inspect() all the same. */
  readonly foldedRecords: number;
}

export type Lifecycle = 'closed' | 'recovering' | 'ram' | 'flushing' | 'closing' | 'failed';

export interface SectorInspection {
  /** Index in the pool. */
  readonly sector: number;
  /** Sequence number of the sector's first slot, dead or alive. */
  readonly first: number;
  /** Records written into the sector. */
  readonly count: number;
}

export interface StreamInspection extends StreamKey {
  readonly kind: Kind;
  readonly type: ValueType;
  readonly periodMs: number;
  readonly priority: number;
  readonly head: number;
  readonly read: number;
  /** max(head, synced): on disk up to here. */
  readonly synced: number;
  readonly appended: number;
  readonly acknowledged: number;
  readonly discarded: number;
  /** Records in the ledger, by reason. `damaged` counts holes above head too. */
  readonly evicted: number;
  readonly damaged: number;
  /** Sequence ranges [from, to) inside [head, synced) that were found damaged. */
  readonly holes: readonly (readonly [from: number, to: number])[];
  /** Head mark that a crash cannot take back. */
  readonly durableHead: number;
  /** RAM chain, oldest first. */
  readonly sectors: readonly SectorInspection[];
}

export interface SegmentInspection {
  /** Segment numbers are the store's flush order and never reused. */
  readonly number: number;
  readonly source: Source;
  readonly flush: number;
  readonly epoch: number;
  readonly bytes: number;
  /** The number in the name of its file: not its own where the file held another segment before. */
  readonly file: number;
  /** Size of that file; the segment is at its front. */
  readonly fileBytes: number;
  /** What it holds, also of records already acknowledged: one range a block, in file order. */
  readonly blocks: readonly {
    readonly sensor: number;
    readonly from: number;
    readonly to: number;
  }[];
}

/** Marks and placement, for a checker. Nothing in it is shared with the engine. */
export interface StoreInspection {
  /** 32 hex digits. */
  readonly storeId: string;
  readonly epoch: number;
  readonly lifecycle: Lifecycle;
  readonly flushRequested: boolean;
  readonly flushRunning: boolean;
  readonly retryWaiting: boolean;
  readonly pool: {
    readonly sectorBytes: number;
    readonly sectors: number;
    readonly used: number;
    /** Sectors in use at which a flush is asked for: the smallest count that is >= 80 % of the pool. */
    readonly flushAtSectors: number;
    /** Free sectors in allocation order. */
    readonly free: readonly number[];
  };
  readonly streams: readonly StreamInspection[];
  /** Live segments, oldest first. Empty without a disk. */
  readonly segments: readonly SegmentInspection[];
  /** Bytes of all files of the store now, the checkpoint's included. */
  readonly diskBytes: number;
  readonly quotaBytes: number;
}

/** Figures since open unless said otherwise. Every one equals what the trace did (INV-22). */
export interface Stats {
  readonly appended: number;
  readonly refusedRamFull: number;
  readonly read: number;
  readonly acknowledged: number;
  readonly reverted: number;
  readonly discarded: number;
  readonly evicted: number;
  readonly damaged: number;
  readonly flushes: number;
  readonly flushFailures: number;
  readonly checkpoints: number;
  readonly segmentsWritten: number;
  readonly segmentsRemoved: number;
  /** Bytes and syncs this open asked of the disk, checkpoint included. */
  readonly bytesWritten: number;
  readonly syncs: number;
  /** The same since the store was made, durable with each checkpoint. */
  readonly bytesWrittenTotal: number;
  readonly syncsTotal: number;
  readonly recoveries: number;
  readonly streams: number;
  readonly retained: number;
  readonly unread: number;
  readonly pending: number;
  /** Records that a power cut now would take: in RAM, not on disk. */
  readonly atRisk: number;
  readonly poolUsedSectors: number;
  readonly poolSectors: number;
  readonly ramUsagePercent: number;
  readonly diskBytes: number;
  readonly quotaBytes: number;
}

/** What recovery did. */
export interface RecoveryReport {
  /** New store, clean close before, or after a crash. */
  readonly found: 'new' | 'clean' | 'crash';
  readonly epoch: number;
  readonly segments: number;
  readonly records: number;
  /** Records of a flush that a crash cut off, found whole and kept. */
  readonly salvagedRecords: number;
  /** Damaged or foreign files set aside, by their new name. */
  readonly setAside: readonly string[];
  readonly damagedRecords: number;
}

/**
 * What the engine announces, in the order in which it happened. A listener is called synchronously, after the state
 * has changed; it may call the engine again.
 */
export type EngineEvent =
  | { readonly type: 'recovered'; readonly report: RecoveryReport }
  | { readonly type: 'flushRequested' }
  | { readonly type: 'flushStarted'; readonly flush: number }
  /** `ranges`: what became synced, one a stream. */
  | {
      readonly type: 'flushed';
      readonly flush: number;
      readonly records: number;
      readonly segments: number;
      readonly bytes: number;
      readonly durationMs: number;
    }
  | {
      readonly type: 'flushFailed';
      readonly flush: number;
      readonly message: string;
      /** What the disk refused with; NO_SPACE for a quota that would be passed, too. */
      readonly code: IoErrorCode;
      readonly retryInMs: number;
    }
  /** Head marks up to these are durable now; `heads` has the streams whose durable head moved. */
  | {
      readonly type: 'checkpointed';
      readonly heads: readonly (StreamKey & { readonly head: number })[];
    }
  /** A bound was reached: so many segments are about to be dropped, the oldest first. Each is announced when it has gone. */
  | { readonly type: 'evictionStarted'; readonly segments: number }
  /** Segment dropped because a bound was reached: the ledger has `records` more. */
  | {
      readonly type: 'segmentEvicted';
      readonly segment: number;
      readonly records: number;
    }
  /** RAM-only store was full: the oldest sector went. */
  | {
      readonly type: 'sectorEvicted';
      readonly key: StreamKey;
      readonly from: number;
      readonly to: number;
    }
  /** Segment whose records are all acknowledged was removed. */
  | { readonly type: 'segmentRemoved'; readonly segment: number }
  | {
      readonly type: 'damaged';
      readonly key: StreamKey;
      readonly from: number;
      readonly to: number;
      readonly file: string;
    }
  | { readonly type: 'closed'; readonly unsaved: number };
