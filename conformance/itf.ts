/**
 * A run as an ITF trace (`*.itf.json`), which the viewers of Apalache and Quint show, and back.
 *
 * One state a step. Its variables are the fields of the model's context, and beside them:
 *
 *     mbt::actionTaken   the step's kind (`init` for the state before the first)
 *     lifecycle          the machine's state, as `ready.ram`
 *     took               the events that the model took in the step
 *     invariants         per invariant whether it held
 *     breaks             what the step broke: an invariant's id or a comparison's name, else empty
 *
 * In `#meta` of the file lies the trace itself, so that the file can be run on an engine; in `#meta` of a state its
 * step, what the engine's inspect() showed after it, and what was on the disk. The state of a failing step is as far as
 * the model got.
 */
import { writeFileSync } from 'node:fs';
import { invariants } from '../model/invariants/index.ts';
import type { ModelState } from '../model/step.ts';
import { stateOf } from '../model/step.ts';
import { pathOf } from '../model/transitions.ts';
import type { Context } from '../model/vocabulary.ts';
import type { StoreInspection } from '../src/core/types.ts';
import type { Action, Trace } from './actions.ts';
import { checkTrace, describeAction } from './actions.ts';
import type { StoreRun } from './driver.ts';
import { runActions } from './execute.ts';
import type { ItfState, ItfTrace, ItfValue } from './itf-values.ts';
import { decodeValue, encodeValue, isItf, traceInItf } from './itf-values.ts';
import { newCoverage } from './model-run.ts';
import { boundsOf } from './refinement.ts';
import type { DiskView } from './replay/disk-view.ts';
import { viewDisk } from './replay/disk-view.ts';
import { firstState } from './started-store.ts';

export type { ItfTrace } from './itf-values.ts';

/** Fields of the context that may be null. */
const OPTIONAL: ReadonlySet<string> = new Set(['flush', 'lastTimeMs']);

/** The context's fields in the order in which a viewer shows them. `bounds` never changes and follows from the scenario. */
const CONTEXT_VARIABLES = [
  'streams',
  'segments',
  'flush',
  'flushRequested',
  'retryWaiting',
  'free',
  'nextOrdinal',
  'lastSegment',
  'storeId',
  'epoch',
  'attempts',
  'counters',
  'ledger',
] as const satisfies readonly Exclude<keyof Context, 'bounds'>[];

const VARIABLES = ['mbt::actionTaken', 'took', 'breaks', 'lifecycle', ...CONTEXT_VARIABLES, 'invariants'] as const;

/** One state of an ITF trace, read back. */
export interface ItfStep {
  /** Null for the state before the first step. */
  readonly action: Action | null;
  readonly took: readonly string[];
  /** Empty unless the step failed. */
  readonly breaks: string;
  readonly state: ModelState;
  readonly engine: StoreInspection | null;
  readonly disk: DiskView | null;
}

export interface ItfReading {
  readonly trace: Trace;
  readonly steps: readonly ItfStep[];
}

/** One state of a run as it is written: its step, where the model stands, and what else was to be seen then. */
export interface ItfShown {
  readonly action: Action | null;
  readonly took: readonly string[];
  /** Both empty unless the step failed. */
  readonly breaks: string;
  readonly message: string;
  readonly state: ModelState;
  readonly engine: StoreInspection | null;
  readonly disk: DiskView | null;
}

function itfState(index: number, shown: ItfShown): ItfState {
  const { action, took, breaks, message, state, engine, disk } = shown;
  const context: Record<string, ItfValue> = {};
  const { bounds: _, ...fields } = state.context;
  Object.assign(context, encodeValue(fields, OPTIONAL));
  const meta = {
    index,
    ...(action === null ? {} : { action, description: describeAction(action) }),
    ...(message === '' ? {} : { message }),
    engine,
    disk,
  };
  return {
    '#meta': meta,
    'mbt::actionTaken': action?.do ?? 'init',
    took: [...took],
    breaks,
    lifecycle: pathOf(state.value),
    ...context,
    invariants: Object.fromEntries(invariants.map(({ id }) => [id, id !== breaks])),
  };
}

/** The states of a run, the one before its first step included, as an ITF trace. Runs nothing. */
export const composeItf = (trace: Trace, shown: readonly ItfShown[]): ItfTrace => ({
  '#meta': {
    format: 'ITF',
    'format-description': 'https://apalache-mc.org/docs/adr/015adr-trace.html',
    description: trace.note,
    trace,
  },
  vars: VARIABLES,
  states: shown.map((each, index) => itfState(index, each)),
});

/** Runs the trace once more and writes down every state. */
export async function toItf(trace: Trace): Promise<ItfTrace> {
  const { scenario, actions } = trace;
  const before = { took: [], breaks: '', message: '', engine: null, disk: null };
  const shown: ItfShown[] = [{ ...before, action: null, state: firstState(scenario, boundsOf(scenario)) }];
  const note = (action: Action | null, run: StoreRun, failed: Pick<ItfShown, 'breaks' | 'message'>): void => {
    const took = run.observed.map(({ type }) => type);
    const disk = run.disk === null ? null : viewDisk(run.disk);
    shown.push({ ...failed, action, took, state: run.model.state, engine: run.inspect(), disk });
  };
  const {
    failure,
    run,
    actions: taken,
  } = await runActions(scenario, actions, newCoverage(), (action, during) =>
    note(action, during, { breaks: '', message: '' }),
  );
  if (failure !== null) note(taken.at(-1) ?? null, run, failure);
  return composeItf(trace, shown);
}

/** The machine's state that `pathOf` named. */
function valueAt(path: string): ModelState['value'] {
  const [parent, child] = path.split('.');
  return (child === undefined ? parent : { [parent as string]: child }) as ModelState['value'];
}

function readState(state: ItfState, trace: Trace): ItfStep {
  const fields = CONTEXT_VARIABLES.map((name) => [name, decodeValue(state[name])]);
  const context = { bounds: boundsOf(trace.scenario), ...Object.fromEntries(fields) } as Context;
  const { action, engine, disk } = state['#meta'] as { action?: Action; engine?: StoreInspection; disk?: DiskView };
  return {
    action: action ?? null,
    took: state.took as readonly string[],
    breaks: state.breaks as string,
    state: stateOf(valueAt(state.lifecycle as string), context),
    engine: engine ?? null,
    disk: disk ?? null,
  };
}

/**
 * Reads back what `toItf` wrote, parsed from its JSON: the trace, and the model's state after each step.
 * @throws an Error with one clear line when it is no ITF trace, or one that another tool wrote.
 */
export function fromItf(json: unknown, name = 'the ITF trace'): ItfReading {
  if (!isItf(json)) throw new Error(`${name} has no vars or no states: give a file that a conformance run wrote`);
  const trace = checkTrace(traceInItf(json), name);
  for (const [index, state] of json.states.entries()) {
    const missing = VARIABLES.find((variable) => state[variable] === undefined);
    if (missing !== undefined) throw new Error(`${name}: state ${index} has no ${missing}; export the trace again`);
  }
  return { trace, steps: json.states.map((state) => readState(state, trace)) };
}

/** Writes the ITF form of a trace beside the file at `path` that has its JSON. @returns the new file's path. */
export async function saveItf(path: string, trace: Trace): Promise<string> {
  const beside = `${path.replace(/\.json$/, '')}.itf.json`;
  writeFileSync(beside, `${JSON.stringify(await toItf(trace), null, 1)}\n`);
  return beside;
}
