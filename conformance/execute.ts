/**
 * One run from its first step to its verdict, whether its steps are drawn by choices or given as a trace.
 */
import type { Action, Profile, Scenario } from './actions.ts';
import { Divergence } from './divergence.ts';
import type { OnStep } from './driver.ts';
import { StoreRun } from './driver.ts';
import { OnDisk } from './format/on-disk.ts';
import type { Choice } from './generator.ts';
import { drawScenario, nextAction } from './generator.ts';
import type { Coverage } from './model-run.ts';
import { newCoverage, tally } from './model-run.ts';
import { Random } from './random.ts';
import { quotaBytesMin } from './refinement.ts';
import type { Fit, Start } from './starts.ts';
import { START_STEPS_MAX } from './starts.ts';

/** What a run is made from; small enough to be shrunk. */
export interface Recipe {
  readonly scenarioSeed: number;
  readonly choices: readonly Choice[];
  /** Where the choices begin; none: at a store that was never opened. */
  readonly start?: Start | null;
}

export interface Outcome {
  readonly scenario: Scenario;
  /** Actions that had a meaning, the last one being the failing one when there is a failure. */
  readonly actions: readonly Action[];
  readonly failure: Divergence | null;
  /** Where model, engine and disk stand at the end: for showing, not for going on. */
  readonly run: StoreRun;
}

const EVERYTHING = 1_000_000;

export const scenarioOf = (profile: Profile, scenarioSeed: number): Scenario =>
  drawScenario(profile, scenarioSeed, quotaBytesMin);

const withLeastQuota: Fit = (scenario) => ({
  ...scenario,
  quotaBytes: quotaBytesMin(scenario.sectors, scenario.sectorBytes),
});

/** The store of a run that has a start. */
function storeOf(profile: Profile, scenarioSeed: number, start: Start | null): Scenario {
  const drawn = scenarioOf(profile, scenarioSeed);
  return start?.store?.(drawn, withLeastQuota, new Random(scenarioSeed ^ 0x570e)) ?? drawn;
}

/** Everything retained is read once more, from the head. */
export const deliver = ({ streams }: Scenario): Action[] =>
  streams.flatMap((_, stream): Action[] => [
    { do: 'revert', stream },
    { do: 'read', stream, max: EVERYTHING },
  ]);

/**
 * How every run ends: the store comes to rest, everything is delivered once more from the head, and what is synced is
 * still there after a power cut that left nothing else.
 */
export function closingActions(scenario: Scenario): Action[] {
  const delivery = deliver(scenario);
  if (scenario.profile === 'wiced') return delivery;
  return [
    { do: 'holdReads', hold: false },
    { do: 'open' },
    { do: 'rest' },
    ...delivery,
    { do: 'flush' },
    { do: 'rest' },
    { do: 'crash', choice: { kind: 'power', keep: 'nothing' } },
    { do: 'open' },
    { do: 'rest' },
    ...delivery,
  ];
}

/** An engine that throws is as wrong as one that answers wrongly. */
export const asDivergence = (thrown: unknown): Divergence =>
  thrown instanceof Divergence
    ? thrown
    : new Divergence('assertion', thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown));

/** What comes next; null ends the run. */
type Next = () => Action | null | Promise<Action | null>;

/** Runs the work; an assertion of the engine that nobody awaits belongs to the step that was taken. */
export async function overhearing<T>(run: StoreRun, work: () => Promise<T>): Promise<T> {
  const overhear = (reason: unknown): void => run.overhear(reason);
  process.on('unhandledRejection', overhear);
  try {
    return await work();
  } finally {
    process.off('unhandledRejection', overhear);
  }
}

async function takeEach(run: StoreRun, next: Next, onStep: OnStep): Promise<Outcome> {
  const actions: Action[] = [];
  const onDisk = new OnDisk();
  for (;;) {
    const given = next();
    // Most give it at once: an await there would cost every step of every run a turn.
    const action = given instanceof Promise ? await given : given;
    if (action === null) break;
    try {
      if (!(await run.take(action))) continue;
      onDisk.look(run);
    } catch (thrown) {
      actions.push(action);
      return { scenario: run.scenario, actions, failure: asDivergence(thrown), run };
    }
    actions.push(action);
    if (action.do === 'crash') run.exemplify(actions);
    onStep(action, run);
  }
  return { scenario: run.scenario, actions, failure: null, run };
}

const NOBODY: OnStep = () => {};

/**
 * Draws the steps from the recipe's choices.
 *
 * @param stepsMax steps after which it ends, wherever it is. So many are left for the closing ones that it comes to its
 * end by itself; a run for which even those are too many is cut off.
 */
export async function runRecipe(
  profile: Profile,
  recipe: Recipe,
  coverage: Coverage,
  onStep: OnStep = NOBODY,
  stepsMax = Number.POSITIVE_INFINITY,
): Promise<Outcome> {
  const start = recipe.start ?? null;
  const scenario = storeOf(profile, recipe.scenarioSeed, start);
  const run = new StoreRun(scenario, coverage);
  const lead = start === null ? () => null : leading(run, start, recipe.scenarioSeed, coverage);
  const closing = closingActions(scenario);
  const drawUntil = stepsMax > closing.length ? stepsMax - closing.length : stepsMax;
  let [drawn, closed, taken] = [0, 0, 0];
  const next = (): Action | null => {
    if (taken >= stepsMax) return null;
    const led = taken < drawUntil ? lead() : null;
    if (led !== null) return led;
    while (taken < drawUntil && drawn < recipe.choices.length) {
      const action = nextAction(run.view(), recipe.choices[drawn++] as Choice);
      if (action !== null) return action;
    }
    return closing[closed++] ?? null;
  };
  const onTaken: OnStep = (action, of) => {
    taken++;
    onStep(action, of);
  };
  return overhearing(run, () => takeEach(run, next, onTaken));
}

/** Gives the steps that lead to a start, one a call, and null from then on when it is reached or out of reach. */
function leading(run: StoreRun, start: Start, seed: number, coverage: Coverage): () => Action | null {
  const random = new Random(seed ^ 0x5eed);
  let left = START_STEPS_MAX;
  return () => {
    if (left === 0) return null;
    const view = run.view();
    if (!start.reached(view)) return --left === 0 ? null : start.next(view, random);
    left = 0;
    tally(coverage.starts, start.name);
    return null;
  };
}

/** Takes what `next` gives, who sees the run as it stands, until that is nothing. */
export async function runSteps(
  scenario: Scenario,
  next: (run: StoreRun) => Action | null | Promise<Action | null>,
  coverage: Coverage,
  onStep: OnStep = NOBODY,
): Promise<Outcome> {
  const run = new StoreRun(scenario, coverage);
  return overhearing(run, () => takeEach(run, () => next(run), onStep));
}

/** Takes exactly the given actions. */
export async function runActions(
  scenario: Scenario,
  actions: readonly Action[],
  coverage: Coverage = newCoverage(),
  onStep: OnStep = NOBODY,
): Promise<Outcome> {
  let at = 0;
  return runSteps(scenario, () => actions[at++] ?? null, coverage, onStep);
}
