/** Puts a mode's figures into the shape of evidence, so that each mode says only what is its own. */

import type { GuardTally } from '../guard-counts.ts';
import { GUARD_NAMES } from '../guard-counts.ts';
import type { Coverage } from '../model-run.ts';
import type { Failure } from '../run.ts';
import { cellsOf } from './cells.ts';
import type { GuardCount, ModeEvidence, ModeOutcome } from './record.ts';
import { EVIDENCE_FORMAT } from './record.ts';

/** What a mode says of itself; `cells` and `figures` where it has any. */
export type Shown = Pick<ModeEvidence, 'mode' | 'command' | 'seed' | 'profiles' | 'seconds' | 'steps' | 'traceHash'> &
  Partial<Pick<ModeEvidence, 'figures' | 'cells' | 'failures' | 'exhibits'>> & {
    readonly coverage: Coverage;
    /** Edges that the mode could take, as `state EVENT`. */
    readonly possible: readonly string[];
    readonly failure: Failure | null;
  };

const byName = (counts: ReadonlyMap<string, number>): Record<string, number> =>
  Object.fromEntries([...counts].sort((a, b) => a[0].localeCompare(b[0])));

/** Of the guards that were asked at all. */
const guardsOf = ({ guardsPassed, guardsRefused }: GuardTally): Record<string, GuardCount> =>
  Object.fromEntries(
    GUARD_NAMES.map(
      (name) => [name, { passed: guardsPassed.get(name) ?? 0, refused: guardsRefused.get(name) ?? 0 }] as const,
    ).filter(([, { passed, refused }]) => passed + refused > 0),
  );

export function makeOutcome({ coverage, possible, failure, ...shown }: Shown): ModeOutcome {
  const evidence: ModeEvidence = {
    format: EVIDENCE_FORMAT,
    version: 1,
    failures: failure === null ? 0 : 1,
    figures: {},
    cells: cellsOf(coverage),
    ...shown,
    events: byName(coverage.events),
    edges: { covered: [...coverage.edges.keys()].sort(), possible, counts: byName(coverage.edges) },
    invariants: byName(coverage.witnesses),
    guards: guardsOf(coverage),
    starts: byName(coverage.starts),
    boundaries: byName(coverage.boundaries),
  };
  return { evidence, coverage, failure };
}
