/**
 * Without a flag: the saved traces, then seeded runs on each profile, until one fails or all are done. A long one is kept
 * in a state file, so that the same command goes on where an interrupted one was.
 */
import { createHash } from 'node:crypto';
import { join, resolve } from 'node:path';
import type { RunResult } from '../campaign/campaign.ts';
import { runPlan } from '../campaign/campaign.ts';
import type { Plan, Shard, Target } from '../campaign/plan.ts';
import { sizeOf, WHOLE } from '../campaign/plan.ts';
import { removeState, seedOfState } from '../campaign/state-file.ts';
import { makeOutcome } from '../evidence/make.ts';
import type { ModeOutcome } from '../evidence/record.ts';
import type { ReplayedTraces } from '../run.ts';
import { edgesOf, replaySaved } from '../run.ts';
import type { CommonArguments } from './arguments.ts';
import { duration, jobsOf, positive, REGRESSIONS, shardOf } from './arguments.ts';
import { Interruption } from './interruption.ts';
import type { ModeCommand, ModeReport } from './modes.ts';
import { progressLine, rateLines, ratesAsJson } from './rates.ts';
import { reachedAsJson, reachedLines } from './reached.ts';
import type { Screen } from './screen.ts';

const RUNS_DEFAULT = 2_000;
/** A run from this size on is kept in a state file unasked. */
const LONG_STEPS = 1_000_000;
const STATES = 'coverage/out/state';

interface Own {
  readonly runs?: number;
  readonly steps?: number;
  readonly time?: number;
  readonly shard?: Shard;
  readonly jobs: number;
  readonly resume?: string;
  readonly fresh: boolean;
  readonly regressions: boolean;
}
type Given = CommonArguments & Own;

function targetOf({ runs, steps, time }: Given): Target {
  if (time !== undefined) return { by: 'time', seconds: time };
  return steps === undefined ? { by: 'runs', runs: runs ?? RUNS_DEFAULT } : { by: 'steps', steps };
}

/** A file of its own for every command; null for a short run that nobody asked to keep. */
function statePathOf(given: Given, target: Target): string | null {
  if (given.resume !== undefined) return given.resume;
  if (target.by === 'runs' || (target.by === 'steps' && target.steps < LONG_STEPS)) return null;
  const seed = given.seedGiven ? given.seed : null;
  const name = createHash('sha256')
    .update(JSON.stringify([target, given.profiles, given.shard, seed]))
    .digest('hex')
    .slice(0, 12);
  return join(STATES, `random-${name}.json`);
}

function planOf(given: Given, statePath: string | null): Plan {
  const { seed, seedGiven, profiles, shard } = given;
  // Without a seed of its own the command goes on with that of the interrupted run.
  const kept = statePath === null || seedGiven ? null : seedOfState(statePath);
  return { seed: kept ?? seed, profiles, target: targetOf(given), shard: shard ?? WHOLE };
}

async function replayFirst({ regressions, profiles, out }: Given): Promise<ReplayedTraces> {
  const folders = regressions ? [...new Set([REGRESSIONS, resolve(out)])] : [];
  return replaySaved(folders, profiles);
}

const regressionsOutcome = ({ profiles, command }: Given, saved: ReplayedTraces): ModeOutcome =>
  makeOutcome({
    mode: 'regressions',
    command: command(null),
    seed: null,
    profiles,
    seconds: saved.seconds,
    steps: saved.steps,
    traceHash: saved.traceHash,
    figures: { traces: saved.traces },
    coverage: saved.coverage,
    possible: [],
    failure: saved.failure,
  });

function report(given: Given, plan: Plan, saved: ReplayedTraces, ran: RunResult): ModeReport {
  const { tally, seconds, failure } = ran;
  const outcome = makeOutcome({
    mode: 'random',
    command: given.command(plan.seed),
    seed: plan.seed,
    profiles: plan.profiles,
    seconds,
    steps: tally.steps,
    traceHash: tally.hash,
    figures: { runs: tally.runs, jobs: given.jobs, ...ratesAsJson(tally.rates) },
    coverage: tally.coverage,
    possible: edgesOf(plan.profiles),
    failure,
  });
  return {
    outcome,
    beside: given.regressions ? [regressionsOutcome(given, saved)] : [],
    runs: tally.runs,
    regressions: saved.traces,
    json: { stepsPerCoreSecond: ratesAsJson(tally.rates), ...reachedAsJson(tally.coverage, plan.profiles) },
    text: [...reachedLines(tally.coverage, plan.profiles), ...rateLines(tally.rates, given.jobs)],
  };
}

async function runKept(given: Given, plan: Plan, statePath: string | null, screen: Screen): Promise<RunResult> {
  const size = sizeOf(plan);
  const interruption = new Interruption();
  try {
    return await runPlan({
      plan,
      jobs: given.jobs,
      statePath,
      signal: interruption.signal,
      onProgress: (tally, seconds) => screen.progress(() => progressLine(plan.target, size, tally, seconds)),
    });
  } finally {
    interruption.stopListening();
  }
}

async function run(given: Given, screen: Screen): Promise<ModeReport | number> {
  if ([given.runs, given.steps, given.time].filter((each) => each !== undefined).length > 1)
    throw new Error('--runs, --steps and --time each say when to end: give one of them');
  const statePath = statePathOf(given, targetOf(given));
  if (given.fresh && statePath !== null) removeState(statePath);
  const plan = planOf(given, statePath);
  const part = plan.shard === WHOLE ? '' : `, shard ${plan.shard.number}/${plan.shard.of}`;
  screen.text(`seed ${plan.seed}, profile ${plan.profiles.join(' and ')}${part}`);
  if (statePath !== null) screen.text(`kept in ${statePath}: the same command goes on from there`);
  const saved = await replayFirst(given);
  if (saved.failure !== null) {
    const outcome = regressionsOutcome(given, saved);
    return { outcome, regressions: saved.traces };
  }
  const ran = await runKept(given, plan, statePath, screen);
  if (ran.resumedSteps > 0) screen.text(`went on from ${ran.resumedSteps} steps`);
  if (ran.finished) return report(given, plan, saved, ran);
  const next = statePath === null ? 'it was not kept: give --resume FILE to keep one' : 'the same command goes on';
  screen.note(`interrupted after ${ran.tally.steps} steps; ${next}`);
  return Interruption.EXIT_CODE;
}

export const command: ModeCommand<Own> = {
  options: (options) => {
    options
      .option('--runs <n>', `runs in all, half of them on each profile (default ${RUNS_DEFAULT})`, positive)
      .option('--steps <n>', 'go on until so many steps are done, such as 100k or 10M', positive)
      .option('--time <duration>', 'go on for so long, such as 10m', duration)
      .option('--shard <k/n>', 'run one part of n, for n machines', shardOf)
      .option('--jobs <n>', 'threads that run at a time', jobsOf, 1)
      .option('--resume <file>', `state file to go on from and keep (a long run has one in ${STATES})`)
      .option('--fresh', 'forget the state of an interrupted run', false)
      .option('--no-regressions', 'do not run the saved traces first');
  },
  run,
};
