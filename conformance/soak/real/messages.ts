/**
 * What the two processes of a real soak say to each other. The parent asks one thing at a time and keeps the account; the
 * storing process holds the store, answers, and tells meanwhile what the store has promised. It may be killed at any word.
 */
import type { LossEntry } from '../../../src/index.ts';
import type { FindingKind } from '../findings.ts';
import type { WearTotals } from '../wear.ts';

export type Request =
  | { readonly type: 'open'; readonly directory: string }
  | { readonly type: 'sample'; readonly tick: number; readonly tickMs: number }
  /** Reads so many records, oldest first, stream after stream. They are pending until the next request. */
  | { readonly type: 'read'; readonly records: number }
  | { readonly type: 'acknowledge' }
  | { readonly type: 'revert' }
  | { readonly type: 'flush' }
  | { readonly type: 'checkpoint' }
  | { readonly type: 'warned'; readonly deadlineMs: number }
  | { readonly type: 'close' };

/** Marks of all streams, in the order of their sensors. */
export interface MarkColumns {
  readonly head: Float64Array;
  readonly read: Float64Array;
  readonly synced: Float64Array;
  readonly appended: Float64Array;
}

export interface Opened {
  readonly storeId: string;
  readonly epoch: number;
  readonly found: string;
  readonly setAside: readonly string[];
  readonly salvaged: number;
  readonly retained: number;
  readonly quotaBytes: number;
  readonly marks: MarkColumns;
  readonly ledger: readonly LossEntry[];
}

/** Of one stream, in columns, oldest first. */
export interface ReadBatch {
  readonly sensor: number;
  readonly sequences: Float64Array;
  readonly epochs: Uint32Array;
  readonly timesMs: Float64Array;
  readonly bits: Uint32Array;
}

/** How the store is now. */
export interface Gauge extends WearTotals {
  readonly usedSectors: number;
  readonly sectors: number;
  readonly atRisk: number;
  readonly diskBytes: number;
  readonly fileBytesMax: number;
  /** What the kernel says that this process has sent to its disks. */
  readonly kernelBytes: number;
}

export interface Answers {
  readonly open: Opened;
  readonly sample: { readonly sequences: Float64Array; readonly gauge: Gauge };
  readonly read: {
    readonly batches: readonly ReadBatch[];
    readonly ledger: readonly LossEntry[];
    readonly failed: number;
  };
  /** Records that left, by stream. */
  readonly acknowledge: { readonly left: readonly (readonly [sensor: number, records: number])[] };
  readonly revert: null;
  readonly flush: { readonly well: boolean };
  readonly checkpoint: null;
  readonly warned: { readonly unsaved: number };
  readonly close: { readonly unsaved: number };
}

export type Note =
  | { readonly note: 'flushed'; readonly asked: boolean; readonly synced: Float64Array; readonly head: Float64Array }
  | { readonly note: 'flushFailed' }
  | { readonly note: 'checkpointed'; readonly heads: readonly { readonly sensor: number; readonly head: number }[] }
  | { readonly note: 'evicted' }
  | { readonly note: 'ledger'; readonly entries: readonly LossEntry[] }
  | { readonly note: 'finding'; readonly kind: FindingKind; readonly message: string };

export type Told = Note | { readonly answer: unknown } | { readonly refused: string };
