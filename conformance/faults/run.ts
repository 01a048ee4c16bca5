/**
 * The mode `--faults`: every script, every I/O operation of it, every fault, once and for good, with and without a crash
 * behind it; in each, model and engine stay in step, and when faults end the store goes on.
 *
 * There is no chance in it. The quick form takes every so-many-th case, and the seed says with which it begins.
 */
import { createHash } from 'node:crypto';
import type { Action, Scenario } from '../actions.ts';
import { makeOutcome } from '../evidence/make.ts';
import type { ModeOutcome, ModeProgress } from '../evidence/record.ts';
import { runActions } from '../execute.ts';
import type { Coverage } from '../model-run.ts';
import { newCoverage, tally } from '../model-run.ts';
import type { Failure } from '../run.ts';
import { edgesOf, makeTrace } from '../run.ts';
import { shrinkCase } from '../shrink.ts';
import type { FaultCase, Noted } from './cases.ts';
import { asDivergence, casesOf, note } from './cases.ts';
import type { Script } from './scripts.ts';
import { SCRIPTS } from './scripts.ts';

export interface FaultsOptions {
  /** Which cases the quick form takes; the full one takes all. */
  readonly seed: number;
  /** One case in so many; 1 for all. */
  readonly oneIn: number;
  readonly command: string;
  readonly scripts?: readonly Script[];
  readonly onProgress?: ModeProgress;
}

/** Cases by kind of operation and fault, for the table. */
export interface FaultCell {
  readonly kind: string;
  readonly ailment: string;
  readonly cases: number;
}

export interface FaultsOutcome {
  readonly outcome: ModeOutcome;
  readonly cases: number;
  readonly cells: readonly FaultCell[];
}

/** The quick form: one case in so many. */
export const QUICK_ONE_IN = 151;
const SHRINK_TRIALS_MAX = 600;

class FaultsRun {
  readonly #options: FaultsOptions;
  readonly #coverage: Coverage = newCoverage();
  readonly #hash = createHash('sha256');
  readonly #counts = new Map<string, number>();
  readonly #figures = new Map<string, number>();
  readonly #startedMs = performance.now();
  #cases = 0;
  #steps = 0;

  constructor(options: FaultsOptions) {
    this.#options = options;
  }

  async run(): Promise<FaultsOutcome> {
    const failure = await this.#runAll();
    const { seed, oneIn, command } = this.#options;
    const outcome = makeOutcome({
      mode: 'faults',
      command,
      seed: oneIn === 1 ? null : seed,
      profiles: ['linux'],
      seconds: (performance.now() - this.#startedMs) / 1_000,
      steps: this.#steps,
      traceHash: this.#hash.digest('hex'),
      figures: { cases: this.#cases, ...Object.fromEntries(this.#figures) },
      coverage: this.#coverage,
      possible: edgesOf(['linux']),
      failure,
    });
    const cells = [...this.#counts].sort().map(([name, cases]): FaultCell => {
      const [kind = '', ailment = ''] = name.split(': ');
      return { kind, ailment, cases };
    });
    return { outcome, cases: this.#cases, cells };
  }

  async #runAll(): Promise<Failure | null> {
    const { scripts = SCRIPTS, oneIn, seed, onProgress } = this.#options;
    const noted: Noted[] = [];
    for (const script of scripts) {
      try {
        noted.push(await note(script));
      } catch (thrown) {
        return this.#failed(script.scenario, script.actions, asDivergence(thrown, script).breaks, 'no fault');
      }
    }
    let total = 0;
    for (const each of noted) for (const _ of casesOf(each)) total++;
    let at = 0;
    for (const each of noted) {
      for (const faultCase of casesOf(each)) {
        if ((at++ + seed) % oneIn !== 0 && oneIn > 1) continue;
        const failure = await this.#runCase(faultCase);
        if (failure !== null) return failure;
        onProgress?.({ what: each.script.name, done: this.#cases, total: Math.ceil(total / oneIn) });
      }
    }
    return null;
  }

  async #runCase({ name, kind, ailment, persistent, crash, scenario, actions }: FaultCase): Promise<Failure | null> {
    this.#cases++;
    const taken = await runActions(scenario, actions, this.#coverage);
    this.#steps += taken.actions.length;
    const marks = taken.run.model.context.streams.map(({ head, appended, evicted, damaged }) => [
      head,
      appended,
      evicted,
      damaged,
    ]);
    this.#hash.update(JSON.stringify([name, taken.actions.length, marks]));
    tally(this.#counts, `${kind}: ${ailment.replace(/after \d+ bytes/, 'short')}`);
    tally(this.#figures, persistent ? 'persistent' : 'once');
    tally(this.#figures, crash ? 'withCrash' : 'goesOn');
    return taken.failure === null ? null : this.#failed(scenario, actions, taken.failure.breaks, name);
  }

  async #failed(scenario: Scenario, actions: readonly Action[], breaks: string, name: string): Promise<Failure> {
    const shorter = await shrinkCase({ scenario, actions }, breaks, SHRINK_TRIALS_MAX);
    const last = (await runActions(shorter.scenario, shorter.actions)).failure;
    const message = last?.message ?? 'it fails only the first time';
    const trace = makeTrace(shorter.scenario, shorter.actions, this.#options.seed, `${name}: ${breaks}: ${message}`);
    return { breaks, message, trace, runs: this.#cases, path: null };
  }
}

/** Runs the mode to its first failure, or to its end. */
export const runFaults = (options: FaultsOptions): Promise<FaultsOutcome> => new FaultsRun(options).run();
