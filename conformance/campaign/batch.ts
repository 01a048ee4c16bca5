/**
 * One batch of seeded runs, and what is left of a failing one: fast-check draws the recipes (unbiased: the weights of the
 * generator are the bias), shrinks a failing one and can repeat it from seed and path; delta debugging over the actions
 * follows.
 *
 * The hash of a batch covers, for every step, the action with all its numbers, the lifecycle, and the five marks of every
 * stream behind it. The same seed gives the same hash, or something in a run comes from outside it.
 */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import type { OnStep } from '../driver.ts';
import type { Outcome, Recipe } from '../execute.ts';
import { runRecipe } from '../execute.ts';
import type { Coverage } from '../model-run.ts';
import { newCoverage } from '../model-run.ts';
import type { Failure } from '../saved-traces.ts';
import { shrinkFailure } from '../shrink.ts';
import { tellShrinking } from '../shrinking/progress.ts';
import type { Start } from '../starts.ts';
import { drawStart, startsOf } from '../starts.ts';
import type { Batch } from './plan.ts';

export interface BatchResult {
  readonly runs: number;
  readonly steps: number;
  /** Processor time of the thread that ran it. */
  readonly busyMs: number;
  /** Hexadecimal. */
  readonly hash: string;
  readonly coverage: Coverage;
  /** `runs` counts within the batch. */
  readonly failure: Failure | null;
}

/** Choices of one run at most; a run is half as long on average, and its closing steps. */
const CHOICES_MAX = 160;
/** Recipes drawn at a time; after them it is looked whether enough steps are done. */
const DRAWN_RUNS = 5;
/** Recipes that fast-check may try to shrink one; delta debugging does the rest. */
const SHRINK_RECIPES_MAX = 150;

const word = fc.integer({ min: 0, max: 0xffff_ffff });
const recipes = fc.record({
  /** Which start, if any. */
  start: word,
  scenarioSeed: word,
  choices: fc.array(fc.record({ entry: word, payload: word }), { minLength: 1, maxLength: CHOICES_MAX, size: 'max' }),
});

/** What the hash covers of one step, as text. */
export const hashedStep: (...step: Parameters<OnStep>) => string = (action, { model }) => {
  let text = `${JSON.stringify(action)}${model.lifecycle}`;
  for (const { head, read, synced, appended, durableHead } of model.context.streams)
    text += ` ${head},${read},${synced},${appended},${durableHead}`;
  return `${text}\n`;
};

/** Processor time of this thread where Node can tell it, else the time that passed. */
const threadMs = (): number => {
  const { threadCpuUsage } = process as { readonly threadCpuUsage?: () => { user: number; system: number } };
  if (threadCpuUsage === undefined) return performance.now();
  const { user, system } = threadCpuUsage.call(process);
  return (user + system) / 1_000;
};

class BatchRun {
  readonly #batch: Batch;
  readonly #hash = createHash('sha256');
  readonly #coverage = newCoverage();
  readonly #startedMs = threadMs();
  #isFirst = true;
  #runs = 0;
  #steps = 0;

  constructor(batch: Batch) {
    this.#batch = batch;
  }

  async run(): Promise<BatchResult> {
    let failure: Failure | null = null;
    const { seed, runs, steps } = this.#batch;
    for (let drawn = 0; failure === null && this.#runs < runs && this.#steps < steps; drawn++)
      failure = await this.#runDrawn((seed + Math.imul(drawn, 0x9e37_79b1)) | 0, drawn === 0 ? 1 : DRAWN_RUNS);
    return {
      runs: this.#runs,
      steps: this.#steps,
      busyMs: threadMs() - this.#startedMs,
      hash: this.#hash.digest('hex'),
      coverage: this.#coverage,
      failure,
    };
  }

  /** The batch's next run, cut off where its steps are used up. */
  async #runOne(recipe: Recipe): Promise<Outcome> {
    const hashed: string[] = [];
    const onStep: OnStep = (action, run) => {
      hashed.push(hashedStep(action, run));
    };
    const outcome = await runRecipe(this.#batch.profile, recipe, this.#coverage, onStep, this.#stepsLeft);
    this.#runs++;
    this.#steps += hashed.length;
    this.#hash.update(hashed.join(''));
    return outcome;
  }

  /** Every start has its turn, whatever chance draws: that of the round is taken by the batch's first run. */
  #startOf(drawn: number): Start | null {
    const { profile, round } = this.#batch;
    const starts = startsOf(profile);
    return this.#isFirst ? (starts[round % starts.length] ?? null) : drawStart(profile, drawn);
  }

  get #stepsLeft(): number {
    return this.#batch.steps - this.#steps;
  }

  async #runDrawn(seed: number, runs: number): Promise<Failure | null> {
    this.#isFirst = this.#runs === 0;
    let failed: Outcome | null = null;
    let trials = 0;
    const property = fc.asyncProperty(recipes, async (drawn) => {
      const recipe: Recipe = { ...drawn, start: this.#startOf(drawn.start) };
      if (failed === null) {
        if (this.#stepsLeft <= 0) return;
        const outcome = await this.#runOne(recipe);
        if (outcome.failure === null) return;
        failed = outcome;
        throw outcome.failure;
      }
      // From here on fast-check shrinks: what it tries is no run of the campaign.
      if (++trials > SHRINK_RECIPES_MAX) return;
      const outcome = await runRecipe(this.#batch.profile, recipe, newCoverage());
      const isSame = outcome.failure?.breaks === failed.failure?.breaks;
      if (isSame) failed = outcome;
      tellShrinking({ breaks: failed.failure?.breaks ?? null, tries: trials, steps: failed.actions.length });
      if (!isSame) return;
      throw outcome.failure;
    });
    const numRuns = Math.min(runs, this.#batch.runs - this.#runs);
    const details = await fc.check(property, { seed, numRuns, unbiased: true });
    return failed === null ? null : shrinkFailure(failed, { seed, runs: this.#runs, path: details.counterexamplePath });
  }
}

export const runBatch = (batch: Batch): Promise<BatchResult> => new BatchRun(batch).run();
