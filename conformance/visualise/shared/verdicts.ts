/**
 * What each invariant says of a step: the model's own checks, asked about every event of it, and at a failing step about
 * the engine as well.
 */
import type { Invariant, InvariantId, Step } from '../../../model/invariants/index.ts';
import { invariants } from '../../../model/invariants/index.ts';
import { machine } from '../../../model/machine.ts';
import type { ModelState } from '../../../model/step.ts';
import type { Bounds } from '../../../model/vocabulary.ts';
import type { TraceFailure, TracePage } from '../page-data.ts';
import { engineState } from './engine-state.ts';
import type { Frame } from './frames.ts';

/** `idle`: its premise did not hold, so the step says nothing about it. */
export type Truth = 'holds' | 'idle' | 'fails';

export interface Verdict {
  readonly id: InvariantId;
  readonly truth: Truth;
  /** Which part failed, where, with the values. */
  readonly findings: readonly string[];
}

/** Invariants that can say something of such a store. */
export const invariantsOf = ({ disk }: Bounds): readonly Invariant[] =>
  invariants.filter(({ needs }) => needs === undefined || (needs === 'disk') === disk);

function judge(invariant: Invariant, frame: Frame, engine: ModelState | null): Verdict {
  const steps: Step[] =
    frame.taken.length === 0
      ? [{ before: frame.state, event: null, after: frame.state, rules: machine }]
      : frame.taken.map(({ before, event, after }) => ({ before, event, after, rules: machine }));
  const last = steps[steps.length - 1];
  if (engine !== null && last !== undefined) steps.push({ ...last, after: engine });
  const said = steps.filter((step) => invariant.premise(step));
  const findings = [...new Set(said.flatMap((step) => invariant.check(step)))];
  return { id: invariant.id, truth: said.length === 0 ? 'idle' : findings.length === 0 ? 'holds' : 'fails', findings };
}

export const verdictsOf = (frame: Frame, engine: ModelState | null = null): Verdict[] =>
  invariantsOf(frame.state.context.bounds).map((invariant) => judge(invariant, frame, engine));

/** At the failing step: the engine is asked too, and what the comparison found counts even where no formula says it. */
export function verdictsOfFailure(page: TracePage, failure: TraceFailure, frame: Frame): Verdict[] {
  const shown = failure.engine;
  const engine = shown === null ? null : engineState(frame.state.context, page.trace.scenario.streams, shown);
  return verdictsOf(frame, engine).map((verdict) => {
    if (verdict.id !== failure.breaks || verdict.truth === 'fails') return verdict;
    return { ...verdict, truth: 'fails', findings: [failure.message] };
  });
}
