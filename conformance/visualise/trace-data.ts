/**
 * Runs a saved trace once more and writes down what its page needs: per step the model's events, the compared fields of
 * the engine as changes, what was under way, and at a crash what it left.
 */
import { createHash } from 'node:crypto';
import type { ModelState } from '../../model/step.ts';
import type { ModelEvent } from '../../model/vocabulary.ts';
import type { Action, Trace } from '../actions.ts';
import type { StoreRun } from '../driver.ts';
import { runActions } from '../execute.ts';
import { newCoverage } from '../model-run.ts';
import { boundsOf } from '../refinement.ts';
import { firstState, hasPast } from '../started-store.ts';
import { crashFacts, describeOperation } from './crash-facts.ts';
import type { CrashFacts, StoredState, TraceFailure, TracePage, TraceStep } from './page-data.ts';

const storedState = ({ value, context }: ModelState): StoredState => {
  const { bounds: _, ...rest } = context;
  return { value, context: rest };
};

type Shown = string | readonly [model: string, engine: string];

/** Turns the compared fields of each step into what changed since the one before. */
class FieldChanges {
  readonly fields: string[] = [];
  readonly #index = new Map<string, number>();
  #before = new Map<number, string>();

  next(run: StoreRun): Record<string, Shown> | null {
    const compared = run.comparison();
    if (compared.length === 0) {
      this.#before = new Map();
      return null;
    }
    const changes: Record<string, Shown> = {};
    for (const { field, model, engine } of compared) {
      let index = this.#index.get(field);
      if (index === undefined) {
        index = this.fields.push(field) - 1;
        this.#index.set(field, index);
      }
      const shown = model === engine ? engine : ([model, engine] as const);
      const key = JSON.stringify(shown);
      if (this.#before.get(index) === key) continue;
      this.#before.set(index, key);
      changes[index] = shown;
    }
    return changes;
  }
}

class Recorder {
  readonly changes = new FieldChanges();
  readonly steps: TraceStep[] = [];
  #facts: CrashFacts | null = null;
  #before: ModelState | null = null;

  /** @param next the action that follows: what a crash will leave is seen before it comes. */
  note(action: Action, run: StoreRun, next: Action | undefined): void {
    const corrected = correctionsOf(this.#before ?? run.observedStates[0]?.before ?? run.model.state, run);
    this.#before = run.model.state;
    const underWay = run.disk?.pending().map(describeOperation) ?? [];
    this.steps.push({
      action,
      events: [...run.observed] as ModelEvent[],
      ...(corrected === null ? {} : { corrected }),
      engine: this.changes.next(run),
      ...(underWay.length === 0 ? {} : { underWay }),
      ...(action.do === 'crash' && this.#facts !== null ? { crash: this.#facts } : {}),
    });
    this.#facts = next?.do === 'crash' && run.disk !== null ? crashFacts(run.disk, next.choice) : null;
  }
}

/** Where the model does not go on from what the event before left. @param from the model before the step. */
function correctionsOf(from: ModelState, run: StoreRun): Record<string, StoredState> | null {
  const found: Record<string, StoredState> = {};
  let at = from;
  for (const [index, { before, after }] of run.observedStates.entries()) {
    if (before !== at) found[index] = storedState(before);
    at = after;
  }
  if (run.model.state !== at) found[run.observedStates.length] = storedState(run.model.state);
  return Object.keys(found).length === 0 ? null : found;
}

/** Identifies a trace: the same steps on the same store. */
export const traceIdOf = ({ scenario, actions }: Trace): string =>
  createHash('sha256')
    .update(JSON.stringify([scenario, actions]))
    .digest('hex')
    .slice(0, 8);

/**
 * The page of a trace. Steps that have no meaning are left out.
 * @param name the file it came from.
 */
export async function traceData(name: string, trace: Trace): Promise<TracePage> {
  const { scenario } = trace;
  // What comes next is known only of steps that have a meaning; the first run finds them.
  const { actions } = await runActions(scenario, trace.actions);
  const recorder = new Recorder();
  const outcome = await runActions(scenario, actions, newCoverage(), (action, run) =>
    recorder.note(action, run, actions[recorder.steps.length + 1]),
  );
  let failure: TraceFailure | null = null;
  if (outcome.failure !== null) {
    const { breaks, message, differences } = outcome.failure;
    const failed = actions.at(-1) as Action;
    recorder.note(failed, outcome.run, undefined);
    const engine = outcome.run.inspect();
    failure = { step: recorder.steps.length, breaks, message: message.split('\n')[0] ?? message, differences, engine };
  }
  return {
    kind: 'trace',
    name,
    traceId: traceIdOf(trace),
    trace: { ...trace, actions },
    bounds: boundsOf(scenario),
    ...(hasPast(scenario) ? { first: storedState(firstState(scenario, boundsOf(scenario))) } : {}),
    fields: recorder.changes.fields,
    steps: recorder.steps,
    failure,
  };
}
