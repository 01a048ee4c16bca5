/**
 * The mode `interleavings`: every order of short concurrent programs, then longer ones in orders that fast-check's
 * scheduler draws, power failing in both.
 */
import { createHash } from 'node:crypto';
import { makeOutcome } from '../evidence/make.ts';
import type { ModeOutcome, ModeProgress } from '../evidence/record.ts';
import { newCoverage } from '../model-run.ts';
import type { Failure } from '../run.ts';
import { edgesOf } from '../run.ts';
import { shrinkFailure } from '../shrink.ts';
import type { Explored } from './explore.ts';
import { Exploration } from './explore.ts';
import { PROGRAMS } from './programs.ts';
import type { ScheduledResult } from './scheduled.ts';
import { runScheduled } from './scheduled.ts';

export interface InterleavingsOptions {
  readonly seed: number;
  /** The small programs only, and few random runs. */
  readonly quick: boolean;
  /** Random runs behind the exhaustive part. */
  readonly runs: number;
  /** To be shown as what gives these figures again. */
  readonly command: string;
  readonly onProgress?: ModeProgress;
}

export interface InterleavingsResult {
  readonly outcome: ModeOutcome;
  readonly programs: readonly Explored[];
  readonly scheduled: ScheduledResult;
}

/** These traces are short already. */
const SHRINK_TRIES = 1_500;

const sum = (programs: readonly Explored[], of: (program: Explored) => number): number =>
  programs.reduce((total, program) => total + of(program), 0);

/** Ends behind the first program that fails. */
export async function runInterleavings(options: InterleavingsOptions): Promise<InterleavingsResult> {
  const { seed, quick, runs, command, onProgress } = options;
  const startedMs = performance.now();
  const coverage = newCoverage();
  const chosen = PROGRAMS.filter((program) => !quick || program.quick);
  const hash = createHash('sha256');
  const programs: Explored[] = [];
  for (const [index, program] of chosen.entries()) {
    const exploration = new Exploration(program, seed, coverage);
    const what = (orders: number): string =>
      `program ${index + 1} of ${chosen.length}, ${program.name}: ${orders} orders`;
    programs.push(
      await exploration.run((orders) => onProgress?.({ what: what(orders), done: index, total: chosen.length })),
    );
    hash.update(exploration.hash);
    if (programs.at(-1)?.failure !== null) break;
  }
  const failed = programs.some(({ failure }) => failure !== null);
  const scheduled = await runScheduled(seed, failed ? 0 : runs, coverage, (done) =>
    onProgress?.({ what: `${done} of ${runs} runs in random order`, done, total: runs }),
  );
  hash.update(scheduled.hash);
  const failure = await firstFailure(programs, scheduled, seed);
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
    failure,
  });
  return { outcome, programs, scheduled };
}

async function firstFailure(
  programs: readonly Explored[],
  scheduled: ScheduledResult,
  seed: number,
): Promise<Failure | null> {
  const inOrders = programs.find(({ failure }) => failure !== null)?.failure ?? null;
  if (inOrders !== null)
    return shrinkFailure(inOrders.outcome, { seed, runs: inOrders.orders, path: null }, SHRINK_TRIES);
  if (scheduled.failure === null) return null;
  const { outcome, runs, path } = scheduled.failure;
  return shrinkFailure(outcome, { seed, runs, path }, SHRINK_TRIES);
}
