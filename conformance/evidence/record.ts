/**
 * What one mode of the kit has shown, as data: the piece that the evidence report is put together from.
 *
 * Every mode answers with the same shape, so that a report needs to know no mode, and a run on another machine can be
 * added to it later from its file.
 */
import type { Coverage, CrashExample } from '../model-run.ts';
import type { Failure } from '../run.ts';

/** The kit's modes, in the order of the report. */
export const MODES = [
  'regressions',
  'tour',
  'random',
  'crash',
  'faults',
  'damage',
  'interleavings',
  'liveness',
  'refusals',
  'legacy',
  'others',
  'museum',
  'mutants',
  'repeat',
  'coverage',
] as const;
export type Mode = (typeof MODES)[number];

export const EVIDENCE_FORMAT = 'imatrix-memory-manager conformance evidence';

/** Where a crash came and what it left, and how often: the cells of edges x I/O step kinds x residue classes. */
export interface CellCount {
  /** The machine's edge last taken, as `state EVENT`. */
  readonly edge: string;
  /** The I/O step at which the crash came: the oldest operation under way, `none` without one. */
  readonly io: string;
  /** What was left of all that was not durable. */
  readonly residue: string;
  readonly count: number;
  /** The shortest run that went there; its last step is the crash. */
  readonly example?: CrashExample;
}

export interface GuardCount {
  readonly passed: number;
  readonly refused: number;
}

/** A planted bug, and who caught it. */
export interface ExhibitRow {
  readonly id: string;
  readonly bug: string;
  /** An invariant's id or a comparison's name, `timeout` for a run that never ended; null when nobody did. */
  readonly caughtBy: string | null;
  /** Of the shrunk trace. */
  readonly steps: number;
  /** Modes that caught it. */
  readonly modes: readonly string[];
}

export interface ModeEvidence {
  readonly format: typeof EVIDENCE_FORMAT;
  readonly version: 1;
  readonly mode: Mode;
  /** The command that gives these figures again. */
  readonly command: string;
  /** Null for a mode without chance. */
  readonly seed: number | null;
  readonly profiles: readonly ('linux' | 'wiced')[];
  readonly seconds: number;
  /** Steps of model and engine that were compared. */
  readonly steps: number;
  readonly failures: number;
  readonly traceHash: string | null;
  /** The mode's own figures, by name: images, recoveries, doubleCrashes, orders ... */
  readonly figures: Readonly<Record<string, number>>;
  readonly events: Readonly<Record<string, number>>;
  readonly edges: {
    readonly covered: readonly string[];
    readonly possible: readonly string[];
    /** How often each was taken. */
    readonly counts?: Readonly<Record<string, number>>;
  };
  /** Per invariant: steps in which its premise held. */
  readonly invariants: Readonly<Record<string, number>>;
  readonly cells: readonly CellCount[];
  /** Per guard of the model: how often it let an event pass, and how often it refused one. */
  readonly guards?: Readonly<Record<string, GuardCount>>;
  /** Per deep start: runs that went on from it; per boundary of payloads: steps that reached it. */
  readonly starts?: Readonly<Record<string, number>>;
  readonly boundaries?: Readonly<Record<string, number>>;
  /** Of a mode that plants bugs. */
  readonly exhibits?: readonly ExhibitRow[];
}

/** What a mode answers: its evidence, and the first failure if there is one. */
export interface ModeOutcome {
  readonly evidence: ModeEvidence;
  readonly coverage: Coverage;
  readonly failure: Failure | null;
}

/** Called now and then by a mode that takes longer than a moment. `total` null: not known beforehand. */
export type ModeProgress = (progress: {
  readonly what: string;
  readonly done: number;
  readonly total: number | null;
}) => void;
