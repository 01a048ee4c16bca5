/**
 * The mode `--crash`: every trace swept with a crash at each of its I/O steps, the figures added up in the order of the
 * traces, so that the number of jobs changes nothing.
 */
import { createHash } from 'node:crypto';
import type { Action } from '../actions.ts';
import { makeOutcome } from '../evidence/make.ts';
import type { ModeOutcome, ModeProgress } from '../evidence/record.ts';
import { closingActions, runActions } from '../execute.ts';
import type { Coverage } from '../model-run.ts';
import { addCoverage, newCoverage, tally } from '../model-run.ts';
import type { Failure } from '../run.ts';
import { edgesOf, makeTrace } from '../run.ts';
import { shrinkCase } from '../shrink.ts';
import { startSweepers } from './jobs.ts';
import type { Counts, SweepFailure, Swept } from './sweep.ts';
import { TRACES_WRITTEN } from './traces.ts';

export interface CrashOptions {
  readonly seed: number;
  /** Traces that are drawn beside the written ones. */
  readonly draws: number;
  /** One image in so many; 1 for all. */
  readonly oneIn: number;
  /** A second crash behind one image in so many. */
  readonly doubleOneIn: number;
  readonly jobs: number;
  readonly command: string;
  readonly onProgress?: ModeProgress;
}

/** Images: by `I/O step | residue`, and by the model's edge taken last. */
export interface CrashCounts {
  readonly counts: Counts;
  readonly edges: Counts;
  /** Second crashes, by the I/O step of recovery, and by the edge behind which the first one came. */
  readonly again: Counts;
  readonly edgesAgain: Counts;
}

export interface CrashResult extends CrashCounts {
  readonly outcome: ModeOutcome;
}

/** The whole matrix. */
export const WHOLE = { draws: 600, oneIn: 1, doubleOneIn: 100 };
/** What every test run does. */
export const QUICK = { draws: 16, oneIn: 1, doubleOneIn: 37 };

const SHRINK_TRIALS_MAX = 600;

class CrashRun {
  readonly #options: CrashOptions;
  readonly #coverage: Coverage = newCoverage();
  readonly #counts: CrashCounts = { counts: new Map(), edges: new Map(), again: new Map(), edgesAgain: new Map() };
  readonly #images = new Set<bigint>();
  readonly #imagesAgain = new Set<bigint>();
  readonly #figures = new Map<string, number>();
  readonly #hash = createHash('sha256');
  readonly #startedMs = performance.now();
  #steps = 0;
  #traces = 0;

  constructor(options: CrashOptions) {
    this.#options = options;
  }

  async run(): Promise<CrashResult> {
    const failed = await this.#sweepAll();
    const failure = failed === null ? null : await this.#failure(failed.index, failed.failure);
    const { seed, command } = this.#options;
    const figure = (name: string): number => this.#figures.get(name) ?? 0;
    const sum = (counts: Counts): number => [...counts.values()].reduce((total, count) => total + count, 0);
    const [recovered, doubleCrashes] = [sum(this.#counts.counts), sum(this.#counts.again)];
    const outcome = makeOutcome({
      mode: 'crash',
      command,
      seed,
      profiles: ['linux'],
      seconds: (performance.now() - this.#startedMs) / 1_000,
      steps: this.#steps,
      traceHash: this.#hash.digest('hex'),
      figures: {
        traces: this.#traces,
        sites: figure('sites'),
        enumerated: figure('enumerated'),
        judged: figure('judged'),
        images: this.#images.size,
        recoveries: recovered + doubleCrashes,
        doubleCrashes,
        doubleImages: this.#imagesAgain.size,
      },
      coverage: this.#coverage,
      possible: edgesOf(['linux']),
      failure,
    });
    return { outcome, ...this.#counts };
  }

  /** @returns the first failure in the order of the traces. */
  async #sweepAll(): Promise<{ readonly index: number; readonly failure: SweepFailure } | null> {
    const { jobs, draws, seed, oneIn, doubleOneIn, onProgress } = this.#options;
    const total = TRACES_WRITTEN + draws;
    const results = new Map<number, Swept>();
    const sweepers = startSweepers(jobs);
    let next = 0;
    let failed = false;
    try {
      const work = async (lane: (typeof sweepers.lanes)[number]): Promise<void> => {
        while (next < total && !failed) {
          const index = next++;
          const swept = await lane({ index, seed, oneIn, doubleOneIn });
          results.set(index, swept);
          failed ||= swept.failure !== null;
          onProgress?.({ what: 'runs with a crash at every I/O step', done: results.size, total });
        }
      };
      await Promise.all(sweepers.lanes.map(work));
    } finally {
      await sweepers.close();
    }
    for (let index = 0; index < total; index++) {
      const swept = results.get(index);
      if (swept === undefined) break;
      this.#add(swept);
      if (swept.failure !== null) return { index, failure: swept.failure };
    }
    return null;
  }

  #add({ coverage, hash, ...swept }: Swept): void {
    this.#traces++;
    this.#steps += swept.steps;
    this.#hash.update(hash);
    addCoverage(this.#coverage, coverage);
    for (const name of ['counts', 'edges', 'again', 'edgesAgain'] as const)
      for (const [of, by] of swept[name]) tally(this.#counts[name], of, by);
    for (const image of swept.images) this.#images.add(image);
    for (const image of swept.imagesAgain) this.#imagesAgain.add(image);
    for (const name of ['sites', 'enumerated', 'judged'] as const) tally(this.#figures, name, swept[name]);
  }

  /** The run behind it, made shorter where model and engine part on it too; else as it was found. */
  async #failure(index: number, { finding, scenario, actions }: SweepFailure): Promise<Failure> {
    const whole: Action[] = [...actions, ...closingActions(scenario)];
    const divergence = (await runActions(scenario, whole)).failure;
    const shorter =
      divergence === null
        ? { scenario, actions: whole }
        : await shrinkCase({ scenario, actions: whole }, divergence.breaks, SHRINK_TRIALS_MAX);
    const { breaks, message } = divergence ?? finding;
    const note = `${finding.breaks}: ${finding.message}`;
    const trace = makeTrace(shorter.scenario, shorter.actions, this.#options.seed, note);
    const told = divergence === null ? note : `${note}; ${message}`;
    return { breaks, message: told, trace, runs: index + 1, path: null };
  }
}

/** Sweeps to the first failure, or to the end. */
export const runCrash = (options: CrashOptions): Promise<CrashResult> => new CrashRun(options).run();
