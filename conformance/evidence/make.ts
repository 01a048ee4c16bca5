/** Puts a mode's figures into the shape of evidence, so that each mode says only what is its own. */
import type { Coverage } from '../model-run.ts';
import type { Failure } from '../run.ts';
import { cellsOf } from './cells.ts';
import type { ModeEvidence, ModeOutcome } from './record.ts';
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
    starts: byName(coverage.starts),
    boundaries: byName(coverage.boundaries),
  };
  return { evidence, coverage, failure };
}
