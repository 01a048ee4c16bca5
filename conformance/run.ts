/**
 * A campaign: the saved regressions first, then seeded runs on each profile, until one fails or all are done.
 * What it runs, how it is cut up and what its trace hash covers: campaign/.
 */
import { createHash } from 'node:crypto';
import type { Profile } from './actions.ts';
import { readTrace } from './actions.ts';
import { hashedStep } from './campaign/batch.ts';
import { runPlan } from './campaign/campaign.ts';
import type { Shard, Target } from './campaign/plan.ts';
import { WHOLE } from './campaign/plan.ts';
import type { Rate } from './campaign/tally.ts';
import { runActions } from './execute.ts';
import type { Coverage } from './model-run.ts';
import { ALL_EDGES, addCoverage, newCoverage } from './model-run.ts';
import type { Failure } from './saved-traces.ts';
import { savedTraces } from './saved-traces.ts';

export type { Failure } from './saved-traces.ts';
export { makeTrace, savedTraces, saveTrace } from './saved-traces.ts';

export interface CampaignOptions {
  readonly seed: number;
  readonly profiles: readonly Profile[];
  /** Runs in all, dealt out evenly to the profiles; decides when it is finite and `seconds` is not given. */
  readonly runs: number;
  /** Steps in all, dealt out evenly to the profiles; decides when there is no end by runs or time. */
  readonly steps: number;
  /** Ends behind the batches that run after so many seconds. */
  readonly seconds?: number;
  /** The part of it that is run here. Default: the whole. */
  readonly shard?: Shard;
  /** Batches that run at a time, each in a thread of its own. Default 1: none but this thread. */
  readonly jobs?: number;
  /** A file to go on from, if it is there, and to keep up. Default: none. */
  readonly statePath?: string | null;
  /** Ends it early; with a state file it can go on later. */
  readonly signal?: AbortSignal;
  /** Where saved traces are looked for; null for none. */
  readonly regressions: string | null;
  /** Called now and then. */
  readonly onProgress?: (progress: Progress) => void;
}

export interface Progress {
  readonly runs: number;
  readonly steps: number;
  readonly seconds: number;
}

export interface CampaignResult {
  readonly seed: number;
  readonly runs: number;
  readonly steps: number;
  readonly seconds: number;
  /** Of the seeded runs: every step of every batch of the shard, in order. */
  readonly traceHash: string;
  readonly regressions: number;
  readonly coverage: Coverage;
  /** What the steps of each profile cost. */
  readonly rates: Readonly<Record<Profile, Readonly<Rate>>>;
  readonly edges: { readonly covered: number; readonly total: number; readonly missing: readonly string[] };
  readonly failure: Failure | null;
  /** False when it was ended early. */
  readonly finished: boolean;
  /** Steps that were done by an earlier process. */
  readonly resumedSteps: number;
}

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

export interface ReplayedTraces {
  readonly traces: number;
  readonly steps: number;
  readonly seconds: number;
  readonly traceHash: string;
  readonly coverage: Coverage;
  readonly failure: Failure | null;
}

/** Runs the saved traces of the profiles again, up to the first that fails. */
export async function replaySaved(folders: readonly string[], profiles: readonly Profile[]): Promise<ReplayedTraces> {
  const startedMs = performance.now();
  const coverage = newCoverage();
  const hash = createHash('sha256');
  let [traces, steps] = [0, 0];
  let failed: Failure | null = null;
  for (const path of folders.flatMap((folder) => savedTraces(folder))) {
    const trace = readTrace(path);
    if (!profiles.includes(trace.scenario.profile)) continue;
    const { failure } = await runActions(trace.scenario, trace.actions, coverage, (action, run) => {
      steps++;
      hash.update(hashedStep(action, run));
    });
    traces++;
    if (failure === null) continue;
    failed = { breaks: failure.breaks, message: failure.message, trace, runs: 0, path: null };
    break;
  }
  const seconds = (performance.now() - startedMs) / 1_000;
  return { traces, steps, seconds, traceHash: hash.digest('hex'), coverage, failure: failed };
}

function targetOf({ runs, steps, seconds }: CampaignOptions): Target {
  if (seconds !== undefined) return { by: 'time', seconds };
  return Number.isSafeInteger(runs) && runs < Number.MAX_SAFE_INTEGER ? { by: 'runs', runs } : { by: 'steps', steps };
}

/** @throws with one clear line when the state file belongs to something else. */
export async function runCampaign(options: CampaignOptions): Promise<CampaignResult> {
  const { seed, profiles, regressions } = options;
  const saved = await replaySaved(regressions === null ? [] : [regressions], profiles);
  const coverage = saved.coverage;
  const { tally, seconds, failure, finished, resumedSteps } = await runPlan({
    plan: { seed, profiles, target: targetOf(options), shard: options.shard ?? WHOLE },
    jobs: options.jobs ?? 1,
    statePath: options.statePath ?? null,
    signal: saved.failure === null ? (options.signal ?? null) : AbortSignal.abort(),
    onProgress: ({ runs, steps }, spent) => options.onProgress?.({ runs, steps, seconds: spent }),
  });
  addCoverage(coverage, tally.coverage);
  const possible = edgesOf(profiles);
  const missing = possible.filter((edge) => !coverage.edges.has(edge));
  return {
    seed,
    runs: tally.runs,
    steps: tally.steps + saved.steps,
    seconds: seconds + saved.seconds,
    traceHash: tally.hash,
    regressions: saved.traces,
    coverage,
    rates: tally.rates,
    edges: { covered: possible.length - missing.length, total: possible.length, missing },
    failure: saved.failure ?? failure,
    finished: finished && saved.failure === null,
    resumedSteps,
  };
}
