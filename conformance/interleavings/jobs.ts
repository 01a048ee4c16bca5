/**
 * Who searches the programs: this thread, or as many threads as there are jobs. A search is the same in any of them; a
 * failure comes shrunk, because the run behind it cannot leave its thread.
 */
import type { Lanes } from '../lanes.ts';
import { serveLane, startLanes } from '../lanes.ts';
import type { Coverage } from '../model-run.ts';
import { newCoverage } from '../model-run.ts';
import type { Failure } from '../saved-traces.ts';
import { shrinkFailure } from '../shrink.ts';
import type { Explored } from './explore.ts';
import { Exploration } from './explore.ts';
import { PROGRAMS } from './programs.ts';

/** The `index`-th program of all. */
export interface ProgramJob {
  readonly index: number;
  readonly seed: number;
}

export interface Searched extends Omit<Explored, 'failure'> {
  readonly hash: string;
  readonly coverage: Coverage;
  readonly failure: Failure | null;
}

/** Traces of programs are short already. */
export const SHRINK_TRIES = 1_500;

const NAME = 'imatrix-memory-manager interleavings job';

async function search({ index, seed }: ProgramJob, tell: (what: string) => void): Promise<Searched> {
  const program = PROGRAMS[index];
  if (program === undefined) throw new Error(`there is no program ${index}`);
  const coverage = newCoverage();
  const exploration = new Exploration(program, seed, coverage);
  const { failure: found, ...explored } = await exploration.run((orders) => tell(`${program.name}: ${orders} orders`));
  const about = { seed, runs: explored.orders, path: null };
  const failure = found === null ? null : await shrinkFailure(found.outcome, about, SHRINK_TRIES);
  return { ...explored, hash: exploration.hash, coverage, failure };
}

/** @param jobs from 1; 1 is this thread alone. @param onTold how far a search is. */
export const startSearches = (jobs: number, onTold: (what: string) => void): Lanes<ProgramJob, Searched> =>
  startLanes(jobs, new URL(import.meta.url), NAME, search, onTold);

serveLane(NAME, search);
