/**
 * What a page for design review carries beside its program: plain JSON data, written when the page is made and read in
 * the browser.
 *
 * A trace page does not carry states. It carries the events that the model took, and the page steps the model by them
 * again; beside them what only the engine and the disk knew: the compared fields, as changes from step to step, and what
 * a crash left. That is what keeps a thousand steps small.
 */
import type { ModelState } from '../../model/step.ts';
import type { Bounds, Context, ModelEvent } from '../../model/vocabulary.ts';
import type { StoreInspection } from '../../src/core/types.ts';
import type { Action, Trace } from '../actions.ts';
import type { CellCount, ModeEvidence } from '../evidence/record.ts';
import type { Difference } from '../refinement.ts';

/** What of one file, or of one directory's names, a crash found and left, in bytes (names: changes). */
export interface CrashedFile {
  readonly name: string;
  /** Durable before the crash. */
  readonly durable: number;
  /** Written and not durable, or under way, and still there after it. */
  readonly kept: number;
  readonly lost: number;
  /** Some of what was written and not synced is there and some is not. */
  readonly torn: boolean;
  /** The file's name did not come through. */
  readonly nameLost: boolean;
}

export interface CrashFacts {
  readonly kind: 'power' | 'kill';
  readonly files: readonly CrashedFile[];
  /** Created, renamed and removed names that were not durable: how many stayed and went. */
  readonly names: { readonly kept: number; readonly lost: number };
  /** Operations that were under way. */
  readonly underWay: readonly string[];
}

/** A state of the model as plain data, without its bounds. */
export interface StoredState {
  readonly value: ModelState['value'];
  readonly context: Omit<Context, 'bounds'>;
}

export interface TraceStep {
  readonly action: Action;
  /** What the model took in it. A failing step may end with one that it refuses. */
  readonly events: readonly ModelEvent[];
  /**
   * The model's state before an event, by the event's index (behind the last: after all of them), where it is not what
   * the one before left: something that had been done unseen had come to light.
   */
  readonly corrected?: Readonly<Record<string, StoredState>>;
  /**
   * Compared fields of the engine that changed, by their index in `fields`; a pair where the model's value is another.
   * Null: there is no engine in memory after this step.
   */
  readonly engine: Readonly<Record<string, string | readonly [model: string, engine: string]>> | null;
  /** Operations under way after it, when there are any: where a crash could come. */
  readonly underWay?: readonly string[];
  readonly crash?: CrashFacts;
}

export interface TraceFailure {
  /** Steps up to and including the failing one. */
  readonly step: number;
  /** An invariant's id, or the name of the comparison that failed. */
  readonly breaks: string;
  readonly message: string;
  readonly differences: readonly Difference[];
  /** What the engine showed of itself; null while there is none. */
  readonly engine: StoreInspection | null;
}

export interface TracePage {
  readonly kind: 'trace';
  /** The file it was made from. */
  readonly name: string;
  /** Changes with the trace. */
  readonly traceId: string;
  readonly trace: Trace;
  readonly bounds: Bounds;
  /** Where the model stands before the first step, when the store has a past; else it was never opened. */
  readonly first?: StoredState;
  readonly fields: readonly string[];
  readonly steps: readonly TraceStep[];
  readonly failure: TraceFailure | null;
}

/** The model alone, to play with. */
export interface ModelPage {
  readonly kind: 'model';
  readonly scopes: readonly { readonly name: string; readonly bounds: Bounds }[];
}

/** A cell of evidence; in the page its example is a trace that can be opened. */
export type ShownCell = Omit<CellCount, 'example'> & {
  readonly mode: string;
  /** Index in `examples`; null when no run was kept. */
  readonly example: number | null;
};

export interface EvidencePage {
  readonly kind: 'evidence';
  readonly modes: readonly Omit<ModeEvidence, 'cells'>[];
  readonly cells: readonly ShownCell[];
  readonly examples: readonly TracePage[];
}

export interface LivePage {
  readonly kind: 'live';
  /** Where the page hears of the store, beside its own address. */
  readonly events: string;
  /** The store, as its user named it. */
  readonly name: string;
}

export type PageData = TracePage | ModelPage | EvidencePage | LivePage;
