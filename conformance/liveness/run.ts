/**
 * The mode `--liveness`: from many states that faults, power cuts, slow and full disks have led to, the store comes back
 * when they end (contract section 8, "Liveness"): recovery ends, a flush that is asked for ends, the store is in RAM mode,
 * and everything appended becomes durable with the next flush, in a bounded number of steps and within one retry's delay.
 */
import { createHash } from 'node:crypto';
import type { Profile, Scenario } from '../actions.ts';
import { makeOutcome } from '../evidence/make.ts';
import type { ModeOutcome, ModeProgress } from '../evidence/record.ts';
import type { Outcome } from '../execute.ts';
import { runActions, runSteps, scenarioOf } from '../execute.ts';
import type { Coverage } from '../model-run.ts';
import { newCoverage, tally } from '../model-run.ts';
import { Random } from '../random.ts';
import type { Failure } from '../run.ts';
import { edgesOf, makeTrace } from '../run.ts';
import { shrinkActions } from '../shrink.ts';
import { life } from './life.ts';

export interface LivenessOptions {
  readonly seed: number;
  /** States from which the store has to come back. */
  readonly states: number;
  readonly command: string;
  readonly onProgress?: ModeProgress;
}

const PROFILE: Profile = 'linux';
const SHRINK_TRIALS_MAX = 800;

class LivenessRun {
  readonly #options: LivenessOptions;
  readonly #coverage: Coverage = newCoverage();
  readonly #hash = createHash('sha256');
  readonly #from = new Map<string, number>();
  readonly #startedMs = performance.now();
  #states = 0;
  #steps = 0;
  #restStepsMax = 0;
  #restMsMax = 0;
  #retryMsMax = 0;

  constructor(options: LivenessOptions) {
    this.#options = options;
  }

  async run(): Promise<ModeOutcome> {
    let failure: Failure | null = null;
    const seeds = new Random(this.#options.seed);
    while (failure === null && this.#states < this.#options.states) {
      failure = await this.#runLife(seeds.next(), seeds.next());
      this.#options.onProgress?.({ what: 'states', done: this.#states, total: this.#options.states });
    }
    return this.#outcome(failure);
  }

  async #runLife(scenarioSeed: number, lifeSeed: number): Promise<Failure | null> {
    const scenario = scenarioOf(PROFILE, scenarioSeed);
    this.#states++;
    let comingBack = false;
    const taken = await runSteps(scenario, life(lifeSeed), this.#coverage, (action, run) => {
      this.#steps++;
      this.#retryMsMax = Math.max(this.#retryMsMax, run.longestRetryMs);
      if (action.do === 'settled') {
        this.#restStepsMax = Math.max(this.#restStepsMax, run.restSteps);
        if (scenario.whenDiskFull === 'evict-oldest') this.#restMsMax = Math.max(this.#restMsMax, run.restMs);
      }
      if (comingBack || action.do !== 'faultsEnd') return;
      comingBack = true;
      tally(this.#from, run.model.lifecycle);
    });
    this.#hash.update(JSON.stringify([taken.actions, taken.run.model.lifecycle]));
    return taken.failure === null ? null : this.#failed(scenario, taken);
  }

  async #failed(scenario: Scenario, { actions, failure }: Outcome): Promise<Failure> {
    const breaks = failure?.breaks ?? 'liveness';
    const shorter = await shrinkActions(
      actions,
      async (candidate) => (await runActions(scenario, candidate)).failure?.breaks === breaks,
      SHRINK_TRIALS_MAX,
    );
    const message = (await runActions(scenario, shorter)).failure?.message ?? 'it fails only the first time';
    const trace = makeTrace(scenario, shorter, this.#options.seed, `${breaks}: ${message}`);
    return { breaks, message, trace, runs: this.#states, path: null };
  }

  #outcome(failure: Failure | null): ModeOutcome {
    const { seed, command } = this.#options;
    const from = [...this.#from].map(([lifecycle, states]) => [`from ${lifecycle}`, states] as const);
    return makeOutcome({
      mode: 'liveness',
      command,
      seed,
      profiles: [PROFILE],
      seconds: (performance.now() - this.#startedMs) / 1_000,
      steps: this.#steps,
      traceHash: this.#hash.digest('hex'),
      figures: {
        states: this.#states,
        restStepsMax: this.#restStepsMax,
        restMsMax: this.#restMsMax,
        retryMsMax: this.#retryMsMax,
        ...Object.fromEntries(from.sort()),
      },
      coverage: this.#coverage,
      possible: edgesOf([PROFILE]),
      failure,
    });
  }
}

/** Runs the mode to its first failure, or to its end. */
export const runLiveness = (options: LivenessOptions): Promise<ModeOutcome> => new LivenessRun(options).run();
