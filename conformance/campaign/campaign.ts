/**
 * Runs the batches of a plan, several at a time, and adds them up in the plan's order, until one fails, all are done, the
 * time is over, or somebody stops it. What it found and its trace hash do not depend on how many ran at a time.
 */
import type { Failure } from '../saved-traces.ts';
import type { BatchResult } from './batch.ts';
import type { Batch, Plan } from './plan.ts';
import { batchesOf } from './plan.ts';
import { readState, removeState, sourcesHash, writeState } from './state-file.ts';
import { Tally } from './tally.ts';
import { startWorkers } from './workers.ts';

export interface RunOptions {
  readonly plan: Plan;
  /** Batches that run at a time; from 1. */
  readonly jobs: number;
  /** Where the run is kept, so that it can go on after an interruption; null for nowhere. */
  readonly statePath: string | null;
  /** Stops it behind the batches that are running. */
  readonly signal: AbortSignal | null;
  /** Called after each batch. */
  readonly onProgress: (tally: Tally, seconds: number) => void;
}

export interface RunResult {
  readonly tally: Tally;
  /** With those of earlier processes that this one went on from. */
  readonly seconds: number;
  readonly failure: Failure | null;
  /** False when it was stopped before it was done. */
  readonly finished: boolean;
  /** Steps that an earlier process had done. */
  readonly resumedSteps: number;
}

const SAVE_EVERY_MS = 1_000;

class Run {
  readonly #options: RunOptions;
  readonly #sources: string;
  readonly #tally: Tally;
  readonly #secondsBefore: number;
  readonly #startedMs = performance.now();
  readonly #batches: Iterator<Batch, void>;
  /** Batches of the plan that were handed out, from its beginning. */
  #taken: number;
  /** Results that came before one that is due sooner. */
  readonly #early = new Map<number, { readonly batch: Batch; readonly result: BatchResult }>();
  #failure: Failure | null = null;
  #failedAt = Number.POSITIVE_INFINITY;
  #exhausted = false;
  #savedMs = Number.NEGATIVE_INFINITY;

  constructor(options: RunOptions) {
    this.#options = options;
    const { statePath, plan } = options;
    this.#sources = statePath === null ? '' : sourcesHash();
    const resumed = statePath === null ? null : readState(statePath, plan, this.#sources);
    this.#tally = resumed?.tally ?? new Tally();
    this.#secondsBefore = resumed?.seconds ?? 0;
    this.#batches = batchesOf(plan);
    this.#taken = this.#tally.batches;
    for (let done = 0; done < this.#taken; done++) this.#batches.next();
  }

  async run(): Promise<RunResult> {
    const resumedSteps = this.#tally.steps;
    const workers = startWorkers(this.#options.jobs);
    try {
      await Promise.all(workers.lanes.map((lane) => this.#work(lane)));
    } finally {
      await workers.close();
    }
    const finished = this.#failure !== null || this.#exhausted || this.#timeIsOver;
    this.#keep(finished);
    return { tally: this.#tally, seconds: this.#seconds, failure: this.#failure, finished, resumedSteps };
  }

  get #seconds(): number {
    return this.#secondsBefore + (performance.now() - this.#startedMs) / 1_000;
  }

  get #timeIsOver(): boolean {
    const { target } = this.#options.plan;
    return target.by === 'time' && this.#seconds >= target.seconds;
  }

  async #work(lane: (batch: Batch) => Promise<BatchResult>): Promise<void> {
    for (let batch = this.#next(); batch !== null; batch = this.#next()) {
      const order = this.#taken++;
      this.#arrived(order, batch, await lane(batch));
    }
  }

  /** Behind a failure nothing is begun; what is due before it still ends, for it may fail too. */
  #next(): Batch | null {
    if (this.#options.signal?.aborted === true || this.#failedAt < Number.POSITIVE_INFINITY || this.#timeIsOver)
      return null;
    const { done, value } = this.#batches.next();
    if (done === true) this.#exhausted = true;
    return done === true ? null : value;
  }

  #arrived(order: number, batch: Batch, result: BatchResult): void {
    this.#early.set(order, { batch, result });
    if (result.failure !== null) this.#failedAt = Math.min(this.#failedAt, order);
    for (let next = this.#early.get(this.#tally.batches); next !== undefined && this.#failure === null; ) {
      this.#early.delete(this.#tally.batches);
      const runsBefore = this.#tally.runs;
      this.#tally.add(next.batch.profile, next.result);
      const { failure } = next.result;
      if (failure !== null) this.#failure = { ...failure, runs: runsBefore + failure.runs };
      next = this.#early.get(this.#tally.batches);
    }
    this.#options.onProgress(this.#tally, this.#seconds);
    if (performance.now() - this.#savedMs > SAVE_EVERY_MS) this.#keep(false);
  }

  #keep(finished: boolean): void {
    const { statePath, plan } = this.#options;
    if (statePath === null) return;
    if (finished) removeState(statePath);
    else writeState(statePath, plan, this.#sources, this.#seconds, this.#tally);
    this.#savedMs = performance.now();
  }
}

/** @throws with one clear line when the state file belongs to something else. */
export const runPlan = (options: RunOptions): Promise<RunResult> => new Run(options).run();
