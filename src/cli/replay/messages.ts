/**
 * What one life of the storing process is told and tells. A life is one process from opening the store to its end,
 * be it by closing or by SIGKILL. Plain data: it crosses a pipe as JSON lines.
 *
 * The account of a killed life is exact because of the order of things: a life tells what it has appended and
 * acknowledged before it gives control back to the event loop, where disk operations go on. So whatever can have
 * reached the disk has been told, and what was not told can have reached nothing but RAM.
 */
import type { SettingsInput } from '../../index.ts';
import type { Cut } from './cuts.ts';
import type { Plan } from './plan.ts';

/** Index of a stream in the plan, and a mark of it. */
export type MarkOf = readonly [stream: number, mark: number];

/** What samples [from, to) became that one life appended: the sequence numbers they got, and which of them survived. */
export interface Span {
  readonly epoch: number;
  readonly from: number;
  readonly to: number;
  /** Per stream of the plan: `appended` when the life began. */
  readonly base: readonly number[];
  /** Per stream: `appended` when the next life began; null for the life that is still running. */
  readonly survived: readonly number[] | null;
}

export interface LifeJob {
  readonly plan: Plan;
  readonly directory: string;
  readonly settings: SettingsInput;
  /** Number of the first sample to feed; the plan's total when all are in. */
  readonly from: number;
  /** Whether to drain behind it. */
  readonly drain: boolean;
  /** Compare by peek and leave everything in the store. */
  readonly keep: boolean;
  /** The store must hold nothing yet (unless `keep`). */
  readonly first: boolean;
  readonly cut: Cut | null;
  /** Flush before draining: a cut while draining shall find nothing in RAM. */
  readonly flushFirst: boolean;
  /** Records to be acknowledged between two checkpoints while draining; 0 for none. */
  readonly checkpointEvery: number;
  /** Earlier lives that appended. */
  readonly spans: readonly Span[];
  /** The life before this one when it appended and was killed: what survived it, this life sees when it opens. */
  readonly broken: Omit<Span, 'survived'> | null;
  /** Per stream: head when draining began; below it are evicted records. Null: draining has not begun. */
  readonly evictedBelow: readonly number[] | null;
}

export interface Gauge {
  readonly poolUsed: number;
  readonly poolSectors: number;
  readonly flushAtSectors: number;
  readonly flushes: number;
  readonly segments: number;
  readonly diskBytes: number;
}

/** A record that came back other than it went in, or did not come back. */
export interface Difference {
  readonly file: string;
  readonly line: number;
  readonly stream: string;
  readonly expected: string;
  readonly found: string;
}

export interface InputTally {
  drained: number;
  inRamAtCuts: number;
  evicted: number;
  refused: number;
  /** Altered or missing. */
  differing: number;
}

/** The end of a drain: every sample of the input in exactly one of the columns. */
export interface DrainTally {
  readonly inputs: readonly InputTally[];
  /** Per span: samples that its cut found in RAM. */
  readonly inRam: readonly number[];
  /** Retained records that the input does not have. */
  readonly surplus: number;
}

export type LifeMessage =
  | {
      readonly type: 'opened';
      readonly epoch: number;
      readonly durationMs: number;
      readonly heads: readonly MarkOf[];
      readonly appended: readonly MarkOf[];
    }
  | { readonly type: 'fed'; readonly to: number; readonly appended: readonly MarkOf[] }
  | { readonly type: 'gauge'; readonly gauge: Gauge }
  | { readonly type: 'flushStarted' }
  | { readonly type: 'flushed'; readonly segments: number; readonly bytes: number; readonly synced: readonly MarkOf[] }
  | { readonly type: 'flushFailed'; readonly message: string }
  /** The store takes no more and the disk does not recover: samples from here on were not stored. */
  | { readonly type: 'refused'; readonly from: number }
  | { readonly type: 'drainBegins'; readonly heads: readonly MarkOf[] }
  | { readonly type: 'compared'; readonly to: number }
  | { readonly type: 'acknowledged'; readonly head: MarkOf }
  | { readonly type: 'durable'; readonly heads: readonly MarkOf[] }
  | { readonly type: 'differs'; readonly difference: Difference; readonly what: 'altered' | 'missing' }
  /** The place of the cut is reached: the process waits for its end. */
  | { readonly type: 'cut'; readonly during: string }
  | {
      readonly type: 'done';
      readonly tally: DrainTally | null;
      readonly evicted: number;
      readonly damaged: number;
      readonly bytesWritten: number;
      readonly syncs: number;
      readonly diskBytes: number;
    }
  | { readonly type: 'failed'; readonly message: string; readonly exitCode: number };

export type Send = (message: LifeMessage) => void;
