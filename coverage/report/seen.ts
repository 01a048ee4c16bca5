/**
 * What there is to judge by: the evidence of this run, and beside it that of long runs that was recorded
 * (coverage/recorded). Of both the better one counts for what was reached; a failure counts wherever it is.
 */
import type { Mode, ModeEvidence } from '../../conformance/evidence/record.ts';
import type { Totals } from './totals.ts';
import { totalsOf } from './totals.ts';

/** A line of the engine that the kit does not reach. */
export interface UnreachedLine {
  readonly file: string;
  readonly line: number;
  readonly code: string;
  /** Empty for one that is not in the list. */
  readonly reason: string;
}

/** A mutant that the kit did not notice. */
export interface SurvivingMutant {
  readonly file: string;
  readonly line: number;
  readonly original: string;
  readonly replacement: string;
  readonly reason: string;
}

export interface Lists {
  readonly unreached: readonly UnreachedLine[];
  readonly survivors: readonly SurvivingMutant[];
}

export class Seen {
  readonly run: readonly ModeEvidence[];
  readonly recorded: readonly ModeEvidence[];
  /** Of this run alone. */
  readonly totals: Totals;
  readonly lists: Lists;

  constructor(run: readonly ModeEvidence[], recorded: readonly ModeEvidence[], lists: Lists) {
    this.run = run;
    this.recorded = recorded;
    this.totals = totalsOf(run);
    this.lists = lists;
  }

  all(mode: Mode): readonly ModeEvidence[] {
    return [...this.run, ...this.recorded].filter((each) => each.mode === mode);
  }

  has(mode: Mode): boolean {
    return this.all(mode).length > 0;
  }

  failures(mode: Mode): number {
    return this.all(mode).reduce((sum, { failures }) => sum + failures, 0);
  }

  /** The best that was reached; null when no evidence says anything of it. */
  most(mode: Mode, of: (evidence: ModeEvidence) => number | undefined): number | null {
    const values = this.all(mode).flatMap((evidence) => of(evidence) ?? []);
    return values.length === 0 ? null : Math.max(...values);
  }

  figure(mode: Mode, name: string): number | null {
    return this.most(mode, ({ figures }) => figures[name]);
  }

  /** The evidence with the highest figure: what else is said of it must come from the same run. */
  best(mode: Mode, name: string): ModeEvidence | null {
    const sorted = [...this.all(mode)].sort((a, b) => (b.figures[name] ?? 0) - (a.figures[name] ?? 0));
    return sorted[0] ?? null;
  }
}
