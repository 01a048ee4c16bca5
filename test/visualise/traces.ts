/** Runs for the tests of the page, and what Node itself makes of them. */
import { join } from 'node:path';
import type { Trace } from '../../conformance/actions.ts';
import { readTrace, TRACE_FORMAT } from '../../conformance/actions.ts';
import { runActions, runRecipe } from '../../conformance/execute.ts';
import { newCoverage } from '../../conformance/model-run.ts';
import { Random } from '../../conformance/random.ts';
import { boundsOf } from '../../conformance/refinement.ts';
import { invariants } from '../../model/invariants/index.ts';
import { machine } from '../../model/machine.ts';
import type { ModelState } from '../../model/step.ts';
import { initialState } from '../../model/step.ts';
import { ROOT } from '../tools/project-files.ts';

export const savedTrace = (name: string): Trace => readTrace(join(ROOT, 'conformance/regressions', `${name}.json`));

/** Damage, a power cut, a recovery. */
export const CRASH_TRACE = 'inv-15-da22cd96';
/** Evictions, a power cut. */
export const EVICTION_TRACE = 'evict-refused-546b3a15';

/** A clean run of so many steps, drawn by choices from a seed. */
export async function drawnTrace(seed: number, steps: number): Promise<Trace> {
  const random = new Random(seed);
  const word = (): number => random.below(0x1_0000_0000);
  for (let tries = 0; tries < 200; tries++) {
    const choices = Array.from({ length: steps * 2 }, () => ({ entry: word(), payload: word() }));
    const { scenario, actions, failure } = await runRecipe('linux', { scenarioSeed: word(), choices }, newCoverage());
    if (failure !== null || actions.length < steps) continue;
    return { format: TRACE_FORMAT, version: 1, note: 'drawn', seed, scenario, actions: actions.slice(0, steps) };
  }
  throw new Error(`no run of seed ${seed} has ${steps} steps`);
}

/** The truth of an invariant in a step, as the page has it in its data. */
export type Truth = 'holds' | 'idle' | 'fails';

export interface NodeStep {
  readonly state: ModelState;
  readonly truths: Readonly<Record<string, Truth>>;
  readonly events: readonly string[];
}

/** Every step of the run, stepped by the run itself in Node: states, and each invariant's truth. Step 0 is before all. */
export async function stepsInNode({ scenario, actions }: Trace): Promise<NodeStep[]> {
  const bounds = boundsOf(scenario);
  const asked = invariants.filter(({ needs }) => needs === undefined || (needs === 'disk') === bounds.disk);
  const first = initialState(bounds);
  const steps: NodeStep[] = [
    { state: first, truths: Object.fromEntries(asked.map(({ id }) => [id, 'idle'])), events: [] },
  ];
  await runActions(scenario, actions, newCoverage(), (_, run) => {
    const truths = asked.map(({ id, premise, check }): [string, Truth] => {
      const taken = run.observed.map((event, i) => {
        const { before, after } = run.observedStates[i] as { before: ModelState; after: ModelState };
        return { before, event, after, rules: machine };
      });
      const now = run.model.state;
      const said = (taken.length === 0 ? [{ before: now, event: null, after: now, rules: machine }] : taken).filter(
        premise,
      );
      if (said.length === 0) return [id, 'idle'];
      return [id, said.every((each) => check(each).length === 0) ? 'holds' : 'fails'];
    });
    steps.push({
      state: run.model.state,
      truths: Object.fromEntries(truths),
      events: run.observed.map(({ type }) => type),
    });
  });
  return steps;
}
