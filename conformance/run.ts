/**
 * A campaign: the saved regressions first, then seeded runs on each profile, until one fails or all are done.
 *
 * fast-check draws the recipes (unbiased: the weights of the generator are the bias), shrinks a failing one and can
 * repeat it from seed and path. Delta debugging over the actions follows. The trace hash covers every action and every
 * mark after it: the same seed gives the same hash, or something in a run comes from outside it.
 */
import { createHash, type Hash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import fc from 'fast-check';
import type { Action, Profile, Scenario, Trace } from './actions.ts';
import { readTrace, TRACE_FORMAT } from './actions.ts';
import type { Divergence } from './divergence.ts';
import type { OnStep } from './driver.ts';
import type { Outcome, Recipe } from './execute.ts';
import { runActions, runRecipe } from './execute.ts';
import type { Coverage } from './model-run.ts';
import { ALL_EDGES, newCoverage } from './model-run.ts';
import { shrinkActions } from './shrink.ts';

export interface CampaignOptions {
  readonly seed: number;
  readonly profiles: readonly Profile[];
  /** Runs in all, dealt out evenly to the profiles. */
  readonly runs: number;
  /** Ends after so many steps even if runs are left; Infinity for no such end. */
  readonly steps: number;
  /** Where saved traces are looked for; null for none. */
  readonly regressions: string | null;
  /** Called now and then, and at the end of each profile. */
  readonly onProgress?: (progress: Progress) => void;
}

export interface Progress {
  readonly profile: Profile;
  readonly runs: number;
  readonly steps: number;
}

export interface Failure {
  readonly breaks: string;
  readonly message: string;
  readonly trace: Trace;
  /** Runs up to and including the one that failed. */
  readonly runs: number;
  /** fast-check's own way to the failing recipe; null for a saved trace that fails again. */
  readonly path: string | null;
}

export interface CampaignResult {
  readonly seed: number;
  readonly runs: number;
  readonly steps: number;
  readonly seconds: number;
  readonly traceHash: string;
  readonly regressions: number;
  readonly coverage: Coverage;
  readonly edges: { readonly covered: number; readonly total: number; readonly missing: readonly string[] };
  readonly failure: Failure | null;
}

/** Choices of one run at most; a run is half as long on average, and its closing steps. */
const CHOICES_MAX = 160;
/** Recipes drawn before it is looked whether enough steps are done. */
const BATCH_RUNS = 100;
/** Recipes that fast-check may try to shrink one; delta debugging does the rest. */
const SHRINK_RECIPES_MAX = 150;

const word = fc.integer({ min: 0, max: 0xffff_ffff });
const recipes: fc.Arbitrary<Recipe> = fc.record({
  scenarioSeed: word,
  choices: fc.array(fc.record({ entry: word, payload: word }), { minLength: 1, maxLength: CHOICES_MAX, size: 'max' }),
});

/** Edges that a profile can take at all: without a disk there is nothing to flush. */
export const edgesOf = (profiles: readonly Profile[]): readonly string[] =>
  profiles.includes('linux')
    ? ALL_EDGES
    : ALL_EDGES.filter(
        (edge) =>
          !/flushing|FLUSH|EVICT|CHECKPOINT|REMOVE_SEGMENT|DAMAGE|RETRY_DUE|RECOVERY_CRASHED|OPEN_FAILED|failed/.test(
            edge,
          ),
      );

class Campaign {
  readonly #options: CampaignOptions;
  readonly #hash: Hash = createHash('sha256');
  readonly #coverage = newCoverage();
  readonly #startedMs = performance.now();
  #runs = 0;
  #steps = 0;
  #regressions = 0;

  constructor(options: CampaignOptions) {
    this.#options = options;
  }

  async run(): Promise<CampaignResult> {
    return this.#result((await this.#replaySaved()) ?? (await this.#runProfiles()));
  }

  readonly #onStep: OnStep = (action, run) => {
    this.#steps++;
    const marks = run.model.context.streams.map(({ head, read, synced, appended, durableHead }) => [
      head,
      read,
      synced,
      appended,
      durableHead,
    ]);
    this.#hash.update(JSON.stringify([action, run.model.lifecycle, marks]));
  };

  async #replaySaved(): Promise<Failure | null> {
    for (const path of savedTraces(this.#options.regressions)) {
      const trace = readTrace(path);
      if (!this.#options.profiles.includes(trace.scenario.profile)) continue;
      const { failure } = await runActions(trace.scenario, trace.actions, this.#coverage, this.#onStep);
      this.#regressions++;
      if (failure !== null) return { breaks: failure.breaks, message: failure.message, trace, runs: 0, path: null };
    }
    return null;
  }

  async #runProfiles(): Promise<Failure | null> {
    const { profiles, runs, steps } = this.#options;
    for (const [index, profile] of profiles.entries()) {
      const left = profiles.length - index;
      const failure = await this.#runProfile(
        profile,
        Math.ceil((runs - this.#runs) / left),
        Math.ceil((steps - this.#steps) / left),
      );
      if (failure !== null) return failure;
    }
    return null;
  }

  async #runProfile(profile: Profile, runs: number, steps: number): Promise<Failure | null> {
    const endRuns = this.#runs + runs;
    const endSteps = this.#steps + steps;
    for (let batch = 0; this.#runs < endRuns && this.#steps < endSteps; batch++) {
      const seed = batchSeed(this.#options.seed, profile, batch);
      const failure = await this.#runBatch(profile, seed, Math.min(BATCH_RUNS, endRuns - this.#runs), endSteps);
      this.#options.onProgress?.({ profile, runs: this.#runs, steps: this.#steps });
      if (failure !== null) return failure;
    }
    return null;
  }

  async #runBatch(profile: Profile, seed: number, numRuns: number, endSteps: number): Promise<Failure | null> {
    let failed: Outcome | null = null;
    let trials = 0;
    const property = fc.asyncProperty(recipes, async (recipe) => {
      if (failed === null) {
        if (this.#steps >= endSteps) return;
        this.#runs++;
        const outcome = await runRecipe(profile, recipe, this.#coverage, this.#onStep);
        if (outcome.failure === null) return;
        failed = outcome;
        throw outcome.failure;
      }
      // From here on fast-check shrinks: what it tries is no run of the campaign.
      if (++trials > SHRINK_RECIPES_MAX) return;
      const outcome = await runRecipe(profile, recipe, newCoverage());
      if (outcome.failure?.breaks !== failed.failure?.breaks) return;
      failed = outcome;
      throw outcome.failure;
    });
    const details = await fc.check(property, { seed, numRuns, unbiased: true });
    if (failed === null) return null;
    return this.#shrunk(failed, seed, details.counterexamplePath);
  }

  async #shrunk({ scenario, actions, failure }: Outcome, seed: number, path: string | null): Promise<Failure> {
    const found = failure as Divergence;
    const shorter = await shrinkActions(actions, async (candidate) => {
      const again = await runActions(scenario, candidate);
      return again.failure?.breaks === found.breaks;
    });
    const last = (await runActions(scenario, shorter)).failure ?? found;
    const trace = makeTrace(scenario, shorter, seed, `${last.breaks}: ${last.message}`);
    return { breaks: last.breaks, message: last.message, trace, runs: this.#runs, path };
  }

  #result(failure: Failure | null): CampaignResult {
    const possible = edgesOf(this.#options.profiles);
    const missing = possible.filter((edge) => !this.#coverage.edges.has(edge));
    return {
      seed: this.#options.seed,
      runs: this.#runs,
      steps: this.#steps,
      seconds: (performance.now() - this.#startedMs) / 1_000,
      traceHash: this.#hash.digest('hex'),
      regressions: this.#regressions,
      coverage: this.#coverage,
      edges: { covered: possible.length - missing.length, total: possible.length, missing },
      failure,
    };
  }
}

export const runCampaign = (options: CampaignOptions): Promise<CampaignResult> => new Campaign(options).run();

const batchSeed = (seed: number, profile: Profile, batch: number): number =>
  (Math.imul(seed ^ (profile === 'wiced' ? 0x5bd1_e995 : 0), 0x9e37_79b1) + batch * 0x85eb_ca6b) | 0;

export const makeTrace = (scenario: Scenario, actions: readonly Action[], seed: number, note: string): Trace => ({
  format: TRACE_FORMAT,
  version: 1,
  note: note.split('\n')[0] ?? note,
  seed,
  scenario,
  actions,
});

function savedTraces(folder: string | null): string[] {
  if (folder === null || !existsSync(folder)) return [];
  const names = readdirSync(folder).filter((name) => name.endsWith('.json') && !name.endsWith('.itf.json'));
  return names.sort().map((name) => join(folder, name));
}

/** Saves a failing trace under a name made of what it breaks and a hash of itself. @returns its path, as one types it. */
export function saveTrace(folder: string, { breaks, trace }: Failure): string {
  mkdirSync(folder, { recursive: true });
  const hash = createHash('sha256')
    .update(JSON.stringify([trace.scenario, trace.actions]))
    .digest('hex')
    .slice(0, 8);
  const path = join(folder, `${breaks.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}-${hash}.json`);
  writeFileSync(path, `${JSON.stringify(trace, null, 2)}\n`);
  return relative(process.cwd(), path);
}
