/**
 * Longer concurrent programs in random order: fast-check's scheduler decides what comes next, an end of an I/O operation
 * or a caller's next call, and after how many of them power fails.
 *
 * Every operation of the simulated disk under way is a task of the scheduler, and so is the next call of every caller.
 * `waitNext(1)` lets one of them come, and the run takes that step. A call's promise is not awaited in it: a call that
 * waits for I/O would wait for the scheduler, which waits for it.
 *
 * A run begins with a drawn way into some state, I/O ending as it pleases; then reads wait too, and the callers begin.
 * What it was is in its concrete actions: a failing one is shrunk and replayed from these, not from the seed.
 */
import { createHash, type Hash } from 'node:crypto';
import fc from 'fast-check';
import type { Action } from '../actions.ts';
import type { OnStep, StoreRun } from '../driver.ts';
import type { Outcome } from '../execute.ts';
import { closingActions, runSteps, scenarioOf } from '../execute.ts';
import type { Choice } from '../generator.ts';
import { CALLS, nextAction } from '../generator.ts';
import type { Coverage } from '../model-run.ts';
import { newCoverage } from '../model-run.ts';

/** What a run is made from, beside the scheduler. */
export interface ScheduledRecipe {
  readonly scenarioSeed: number;
  readonly setUp: readonly Choice[];
  readonly callers: readonly (readonly Choice[])[];
  /** Completions after which power fails; beyond the last one it fails behind it. Null: it does not. */
  readonly crashAfter: number | null;
  readonly residueSeed: number;
}

/** Recipes that fast-check may try to shrink one; delta debugging does the rest. */
const SHRINK_RECIPES_MAX = 100;

const word = fc.integer({ min: 0, max: 0xffff_ffff });
const choice: fc.Arbitrary<Choice> = fc.record({ entry: word, payload: word });
const recipes: fc.Arbitrary<ScheduledRecipe> = fc.record({
  scenarioSeed: word,
  setUp: fc.array(choice, { minLength: 8, maxLength: 60, size: 'max' }),
  callers: fc.array(fc.array(choice, { minLength: 1, maxLength: 8, size: 'max' }), {
    minLength: 2,
    maxLength: 5,
    size: 'max',
  }),
  crashAfter: fc.option(fc.integer({ min: 0, max: 50 }), { freq: 3, nil: null }),
  residueSeed: word,
});

type Picked = { readonly io: number } | { readonly caller: number };

/** The steps of one run, in the order that the scheduler gives. */
class Order {
  readonly #recipe: ScheduledRecipe;
  readonly #scheduler: fc.Scheduler;
  /** Operations that are tasks of the scheduler already. */
  readonly #offered = new Set<number>();
  /** Per caller: choices used up; and whether its next call is a task already. */
  readonly #used: number[];
  readonly #waiting: boolean[];
  #drawn = 0;
  #completions = 0;
  #picked: Picked | null = null;
  #closing: Action[] | null = null;

  constructor(recipe: ScheduledRecipe, scheduler: fc.Scheduler) {
    this.#recipe = recipe;
    this.#scheduler = scheduler;
    this.#used = recipe.callers.map(() => 0);
    this.#waiting = recipe.callers.map(() => false);
  }

  async next(run: StoreRun): Promise<Action | null> {
    const { setUp } = this.#recipe;
    while (this.#drawn < setUp.length) {
      const action = nextAction(run.view(), setUp[this.#drawn++] as Choice);
      if (action !== null) return action;
    }
    // Behind the set-up reads wait like any other operation; said once.
    if (this.#drawn++ === setUp.length) return { do: 'holdReads', hold: true };
    if (this.#closing !== null) return this.#closing.shift() ?? null;
    return this.#scheduled(run);
  }

  async #scheduled(run: StoreRun): Promise<Action> {
    const { crashAfter, residueSeed } = this.#recipe;
    for (;;) {
      this.#offer(run);
      const over = this.#scheduler.count() === 0;
      if (over || this.#completions === crashAfter) {
        this.#closing = closingActions(run.scenario);
        return crashAfter === null
          ? { do: 'holdReads', hold: false }
          : { do: 'crash', choice: { kind: 'power', keep: run.disk?.survivors(residueSeed) ?? 'nothing' } };
      }
      await this.#scheduler.waitNext(1);
      const action = this.#actionOf(run, this.#picked as Picked | null);
      if (action !== null) return action;
    }
  }

  /** Makes tasks of the operations under way and of each caller's next call. */
  #offer(run: StoreRun): void {
    const schedule = (label: string, picked: Picked): void => {
      void this.#scheduler.schedule(Promise.resolve(), label).then(() => {
        this.#picked = picked;
      });
    };
    for (const { id, kind, directory, name } of run.disk?.pending() ?? []) {
      if (this.#offered.has(id)) continue;
      this.#offered.add(id);
      schedule(`${kind} ${directory}/${name}`, { io: id });
    }
    for (const [caller, choices] of this.#recipe.callers.entries()) {
      if (this.#waiting[caller] === true || (this.#used[caller] as number) >= choices.length) continue;
      this.#waiting[caller] = true;
      schedule(`call ${caller}`, { caller });
    }
  }

  #actionOf(run: StoreRun, picked: Picked | null): Action | null {
    if (picked === null) throw new Error('the scheduler let nothing come');
    if ('io' in picked) {
      this.#completions++;
      const pick = run.disk?.pending().findIndex(({ id }) => id === picked.io) ?? -1;
      return pick < 0 ? null : { do: 'io', pick };
    }
    const { caller } = picked;
    const used = this.#used[caller] as number;
    this.#used[caller] = used + 1;
    this.#waiting[caller] = false;
    // Where no call is enabled, this one is left out.
    return nextAction(run.view(), this.#recipe.callers[caller]?.[used] as Choice, CALLS);
  }
}

export interface ScheduledResult {
  readonly runs: number;
  readonly steps: number;
  /** Runs in which power failed. */
  readonly crashes: number;
  readonly hash: string;
  readonly failure: { readonly outcome: Outcome; readonly runs: number; readonly path: string | null } | null;
}

const runOrder = (
  recipe: ScheduledRecipe,
  scheduler: fc.Scheduler,
  coverage: Coverage,
  onStep?: OnStep,
): Promise<Outcome> => {
  const order = new Order(recipe, scheduler);
  return runSteps(scenarioOf('linux', recipe.scenarioSeed), (run) => order.next(run), coverage, onStep);
};

/** Runs until one fails or `runs` are done. The same seed gives the same runs. */
export async function runScheduled(
  seed: number,
  runs: number,
  coverage: Coverage,
  onRun: (runs: number) => void,
): Promise<ScheduledResult> {
  const hash: Hash = createHash('sha256');
  const total = { runs: 0, steps: 0, crashes: 0, trials: 0 };
  let failed: Outcome | null = null;
  const property = fc.asyncProperty(fc.scheduler(), recipes, async (scheduler, recipe) => {
    if (failed === null) {
      const outcome = await runOrder(recipe, scheduler, coverage, () => {
        total.steps++;
      });
      onRun(++total.runs);
      if (recipe.crashAfter !== null) total.crashes++;
      hash.update(
        JSON.stringify([
          outcome.actions,
          outcome.run.model.context.streams.map(({ head, appended }) => [head, appended]),
        ]),
      );
      if (outcome.failure === null) return;
      failed = outcome;
      throw outcome.failure;
    }
    // From here on fast-check shrinks: what it tries is no run of this mode.
    if (++total.trials > SHRINK_RECIPES_MAX) return;
    const outcome = await runOrder(recipe, scheduler, newCoverage());
    if (outcome.failure?.breaks !== failed.failure?.breaks) return;
    failed = outcome;
    throw outcome.failure;
  });
  // fast-check does not know the word none.
  const { counterexamplePath } =
    runs === 0
      ? { counterexamplePath: null }
      : await fc.check(property, { seed: seed | 0, numRuns: runs, unbiased: true });
  const { steps, crashes } = total;
  const failure = failed === null ? null : { outcome: failed, runs: total.runs, path: counterexamplePath };
  return { runs: total.runs, steps, crashes, hash: hash.digest('hex'), failure };
}
