/**
 * The mode `interleavings`: every order of short concurrent programs, then longer ones in orders that fast-check's
 * scheduler draws, power failing in both.
 */
import { createHash } from 'node:crypto';
import { makeOutcome } from '../evidence/make.ts';
import type { ModeOutcome, ModeProgress } from '../evidence/record.ts';
import { addCoverage, newCoverage } from '../model-run.ts';
import type { Failure } from '../run.ts';
import { edgesOf } from '../run.ts';
import { shrinkFailure } from '../shrink.ts';
import type { Searched } from './jobs.ts';
import { SHRINK_TRIES, startSearches } from './jobs.ts';
import { PROGRAMS } from './programs.ts';
import type { ScheduledResult } from './scheduled.ts';
import { runScheduled } from './scheduled.ts';

export interface InterleavingsOptions {
  readonly seed: number;
  /** The small programs only, and few random runs. */
  readonly quick: boolean;
  /** Random runs behind the exhaustive part. */
  readonly runs: number;
  /** Threads that search at a time; default 1. */
  readonly jobs?: number;
  /** To be shown as what gives these figures again. */
  readonly command: string;
  readonly onProgress?: ModeProgress;
}

export interface InterleavingsResult {
  readonly outcome: ModeOutcome;
  readonly programs: readonly Searched[];
  readonly scheduled: ScheduledResult;
}

const sum = (programs: readonly Searched[], of: (program: Searched) => number): number =>
  programs.reduce((total, program) => total + of(program), 0);

/** Searches the programs, so many at a time. @returns what was found in their order, up to the first that fails. */
async function searchAll({ seed, quick, jobs = 1, onProgress }: InterleavingsOptions): Promise<Searched[]> {
  const chosen = [...PROGRAMS.keys()].filter((index) => !quick || PROGRAMS[index]?.quick === true);
  const results = new Map<number, Searched>();
  const total = chosen.length;
  const searches = startSearches(jobs, (what) =>
    onProgress?.({ what: `${results.size} of ${total} programs, ${what}`, done: results.size, total }),
  );
  let next = 0;
  let failed = false;
  try {
    const work = async (lane: (typeof searches.lanes)[number]): Promise<void> => {
      while (next < total && !failed) {
        const at = next++;
        const searched = await lane({ index: chosen[at] as number, seed });
        results.set(at, searched);
        failed ||= searched.failure !== null;
      }
    };
    await Promise.all(searches.lanes.map(work));
  } finally {
    await searches.close();
  }
  const ordered = [...results].sort(([a], [b]) => a - b).map(([, searched]) => searched);
  const first = ordered.findIndex(({ failure }) => failure !== null);
  return first < 0 ? ordered : ordered.slice(0, first + 1);
}

/** Ends behind the first program that fails. */
export async function runInterleavings(options: InterleavingsOptions): Promise<InterleavingsResult> {
  const { seed, runs, command, onProgress } = options;
  const startedMs = performance.now();
  const coverage = newCoverage();
  const hash = createHash('sha256');
  const programs = await searchAll(options);
  for (const program of programs) {
    addCoverage(coverage, program.coverage);
    hash.update(program.hash);
  }
  const failed = programs.at(-1)?.failure ?? null;
  const scheduled = await runScheduled(seed, failed === null ? runs : 0, coverage, (done) =>
    onProgress?.({ what: `${done} of ${runs} runs in random order`, done, total: runs }),
  );
  hash.update(scheduled.hash);
  const figures = {
    programs: programs.length,
    orders: sum(programs, ({ orders }) => orders),
    crashPoints: sum(programs, ({ crashPoints }) => crashPoints),
    recoveries: sum(programs, ({ recoveries }) => recoveries),
    randomOrders: scheduled.runs,
    randomCrashes: scheduled.crashes,
  };
  const outcome = makeOutcome({
    mode: 'interleavings',
    command,
    seed,
    profiles: ['linux'],
    seconds: (performance.now() - startedMs) / 1_000,
    steps: sum(programs, ({ steps }) => steps) + scheduled.steps,
    traceHash: hash.digest('hex'),
    figures,
    coverage,
    possible: edgesOf(['linux']),
    failure: failed ?? (await shrunk(scheduled, seed)),
  });
  return { outcome, programs, scheduled };
}

async function shrunk({ failure }: ScheduledResult, seed: number): Promise<Failure | null> {
  if (failure === null) return null;
  const { outcome, runs, path } = failure;
  return shrinkFailure(outcome, { seed, runs, path }, SHRINK_TRIES);
}
