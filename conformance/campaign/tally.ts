/** What the batches of a campaign add up to so far, and the same as plain data, so that it outlives the process. */
import { createHash } from 'node:crypto';
import type { Profile } from '../actions.ts';
import type { CrashExample } from '../model-run.ts';
import { addCoverage, COUNTS, newCoverage } from '../model-run.ts';
import type { BatchResult } from './batch.ts';

/** What one profile's steps cost. */
export interface Rate {
  steps: number;
  /** Processor time, of all jobs together. */
  busyMs: number;
}

/** A tally as JSON. */
export interface SavedTally {
  readonly batches: number;
  readonly runs: number;
  readonly steps: number;
  readonly hash: string;
  readonly rates: Readonly<Record<Profile, Rate>>;
  readonly coverage: Readonly<Record<(typeof COUNTS)[number], readonly (readonly [string, number])[]>>;
  readonly examples: readonly (readonly [cell: string, CrashExample])[];
}

/** Of a campaign of which nothing is done. */
const NO_HASH = '0'.repeat(64);

export class Tally {
  /** Batches added, which are the first ones of the plan. */
  batches = 0;
  runs = 0;
  steps = 0;
  /** The hash of the one before and the batch's own, hashed: it covers every batch, and their order. */
  hash = NO_HASH;
  readonly rates: Record<Profile, Rate> = { linux: { steps: 0, busyMs: 0 }, wiced: { steps: 0, busyMs: 0 } };
  readonly coverage = newCoverage();

  /** Adds the plan's next batch. */
  add(profile: Profile, { runs, steps, busyMs, hash, coverage }: BatchResult): void {
    this.batches++;
    this.runs += runs;
    this.steps += steps;
    this.hash = createHash('sha256')
      .update(this.hash + hash)
      .digest('hex');
    this.rates[profile].steps += steps;
    this.rates[profile].busyMs += busyMs;
    addCoverage(this.coverage, coverage);
  }

  save(): SavedTally {
    const { batches, runs, steps, hash, rates, coverage } = this;
    const counts = COUNTS.map((kind) => [kind, [...coverage[kind]]] as const);
    return {
      batches,
      runs,
      steps,
      hash,
      rates,
      coverage: Object.fromEntries(counts) as unknown as SavedTally['coverage'],
      examples: [...coverage.examples],
    };
  }

  static restore({ batches, runs, steps, hash, rates, coverage, examples }: SavedTally): Tally {
    const tally = new Tally();
    Object.assign(tally, { batches, runs, steps, hash });
    for (const profile of ['linux', 'wiced'] as const) Object.assign(tally.rates[profile], rates[profile]);
    for (const kind of COUNTS) for (const [name, by] of coverage[kind]) tally.coverage[kind].set(name, by);
    for (const [cell, example] of examples) tally.coverage.examples.set(cell, example);
    return tally;
  }
}
