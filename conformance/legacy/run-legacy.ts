/**
 * The generated sequences through the old calls: every way of calling them, on the simulated disk and in RAM, against the
 * model; and the layer with a bug planted in it, which must be found.
 */

import { basename } from 'node:path';
import { LegacyMemoryManager } from '../../src/legacy/manager.ts';
import type { Profile, Scenario, Trace } from '../actions.ts';
import { readTrace } from '../actions.ts';
import { makeOutcome } from '../evidence/make.ts';
import type { ModeOutcome } from '../evidence/record.ts';
import { newCoverage } from '../model-run.ts';
import { fromSaved, toSaved } from '../others/actions.ts';
import type { StoreFailure, StoreVerdict, Subject } from '../others/store-run.ts';
import { judgeRuns, runStoreActions } from '../others/store-run.ts';
import type { Failure } from '../run.ts';
import { makeTrace, savedTraces } from '../run.ts';
import type { Calls, MakeManager } from './legacy-store.ts';
import { CALLS, LegacyStore } from './legacy-store.ts';
import type { PlantedBug } from './planted.ts';
import { PLANTED } from './planted.ts';

export interface LegacyOptions {
  readonly seed: number;
  /** To be shown as what gives these figures again. */
  readonly command: string;
  /** Runs of each way of calling. */
  readonly runs: number;
  /** Steps of one run at most, without its closing ones. */
  readonly steps: number;
  readonly profiles: readonly Profile[];
  /** Only this way; default all. */
  readonly calls?: Calls;
  /** Where saved traces are looked for; null for none. */
  readonly regressions: string | null;
  readonly onProgress?: (what: string, steps: number) => void;
}

export interface LegacyRow {
  readonly what: string;
  readonly wanted: 'no failure' | 'found';
  readonly got: string;
  readonly right: boolean;
  readonly runs: number;
  readonly steps: number;
}

export interface LegacyOutcome {
  readonly outcome: ModeOutcome;
  readonly rows: readonly LegacyRow[];
  /** Of the sound layer: what the judge found, with the way in which it was called. */
  readonly failure: (StoreFailure & { readonly calls: Calls; readonly profile: Profile }) | null;
}

const TIMEOUT_MS = 10_000;
/** A planted bug may show in calls only that are seldom drawn; its runs end with the first that shows it. */
const PLANTED_RUNS_MIN = 500;
/** In the smallest pool of a run every record may take a sector of its own. */
const CAPACITY_RECORDS = { linux: 8, wiced: 64 } as const;

/** `source` and `mixed` runs have one sensor a source, so that a read over the source is one of the sensor. */
const streamsMax = (calls: Calls): number => (calls === 'entry' ? 4 : 3);

export function subjectOf(calls: Calls, profile: Profile, Manager: MakeManager): Subject {
  const durable = profile === 'linux';
  return {
    traits: {
      durable,
      // The old interface has no discard.
      supports: new Set(['revert', 'flush', 'crash', 'inspect']),
      kinds: ['tsd', 'evt'],
      streamsMax: streamsMax(calls),
      capacityRecords: CAPACITY_RECORDS[profile],
      cutsFlushes: durable,
      faults: durable ? [{ code: 'IO', shortBytes: 0 }, { code: 'IO' }, { code: 'NO_SPACE' }] : [],
    },
    crash: { kind: 'power', keep: 'nothing' },
    begin: async (scenario: Scenario) => {
      const store = new LegacyStore(scenario, calls, Manager);
      await store.recover();
      return store;
    },
  };
}

const rowOf = (
  what: string,
  wanted: LegacyRow['wanted'],
  right: boolean,
  { failure, runs, steps }: StoreVerdict,
): LegacyRow => ({
  what,
  wanted,
  got: failure?.breaks ?? 'no failure',
  right,
  runs,
  steps,
});

/** Traces that once showed a mistake in the old calls; the others are about the engine alone. */
const savedLegacyTraces = (folder: string | null): string[] =>
  savedTraces(folder).filter((path) => basename(path).startsWith('legacy-'));

/** The saved traces, the layer as it is, then with each planted bug. Ends at the first failure of the layer as it is. */
export async function runLegacy(options: LegacyOptions): Promise<LegacyOutcome> {
  const startedMs = performance.now();
  const judged = await judgeLayer(options);
  const { rows } = judged;
  const of = (wanted: LegacyRow['wanted']): readonly LegacyRow[] => rows.filter((each) => each.wanted === wanted);
  const asWanted = (wanted: LegacyRow['wanted']): number => of(wanted).filter(({ right }) => right).length;
  const outcome = makeOutcome({
    mode: 'legacy',
    command: options.command,
    seed: options.seed,
    profiles: options.profiles,
    seconds: (performance.now() - startedMs) / 1_000,
    steps: of('no failure').reduce((sum, { steps }) => sum + steps, 0),
    traceHash: null,
    figures: {
      right: of('no failure').length,
      passed: asWanted('no failure'),
      planted: of('found').length,
      found: asWanted('found'),
    },
    failures: rows.filter(({ right }) => !right).length,
    // What a judge from outside has seen is no evidence of the engine's inside.
    coverage: newCoverage(),
    possible: [],
    failure: null,
  });
  return { ...judged, outcome };
}

async function judgeLayer(options: LegacyOptions): Promise<Omit<LegacyOutcome, 'outcome'>> {
  const { profiles, onProgress } = options;
  const rows: LegacyRow[] = [];
  const ways = options.calls === undefined ? CALLS : [options.calls];
  for (const path of savedLegacyTraces(options.regressions)) {
    for (const calls of ways) {
      const trace = readTrace(path);
      const failure = await replayLegacy(trace, calls);
      rows.push({
        what: `${basename(path)}, ${calls} calls`,
        wanted: 'no failure',
        got: failure?.breaks ?? 'no failure',
        right: failure === null,
        runs: 1,
        steps: trace.actions.length,
      });
      if (failure !== null) return { rows, failure: { ...failure, calls, profile: trace.scenario.profile } };
    }
  }
  for (const calls of ways) {
    for (const profile of profiles) {
      const what = `${calls} calls, ${profile === 'linux' ? 'on disk' : 'in RAM'}`;
      const verdict = await judge(options, calls, profile, LegacyMemoryManager, (steps) => onProgress?.(what, steps));
      const { failure } = verdict;
      rows.push(rowOf(what, 'no failure', failure === null, verdict));
      if (failure !== null) return { rows, failure: { ...failure, calls, profile } };
    }
  }
  if (!profiles.includes('linux')) return { rows, failure: null };
  for (const planted of PLANTED) {
    const verdict = await findPlanted(planted, options, (steps) => onProgress?.(planted.bug, steps));
    rows.push(rowOf(planted.bug, 'found', verdict.failure !== null, verdict));
  }
  return { rows, failure: null };
}

/** Runs the layer with a bug in it until the bug shows, or the runs are over: so many, or more if that is too few. */
export function findPlanted(
  { calls, Manager }: PlantedBug,
  { seed, runs, steps }: Pick<LegacyOptions, 'seed' | 'runs' | 'steps'>,
  onSteps: (steps: number) => void = () => {},
): Promise<StoreVerdict> {
  return judge({ seed, runs: Math.max(runs, PLANTED_RUNS_MIN), steps }, calls, 'linux', Manager, onSteps);
}

function judge(
  { seed, runs, steps }: Pick<LegacyOptions, 'seed' | 'runs' | 'steps'>,
  calls: Calls,
  profile: Profile,
  Manager: MakeManager,
  onSteps: (steps: number) => void,
): Promise<StoreVerdict> {
  return judgeRuns(subjectOf(calls, profile, Manager), {
    seed,
    runs,
    steps,
    timeoutMs: TIMEOUT_MS,
    onRun: (_, done) => onSteps(done),
  });
}

/** A saved trace through the old calls. @returns the failure that it still shows, or null. */
export async function replayLegacy(
  { scenario, actions }: Trace,
  calls: Calls,
  Manager: MakeManager = LegacyMemoryManager,
): Promise<StoreFailure | null> {
  const fitting = { ...scenario, streams: scenario.streams.slice(0, streamsMax(calls)) };
  const taken = fromSaved(actions).filter((action) => !('stream' in action) || action.stream < fitting.streams.length);
  const ran = await runStoreActions(subjectOf(calls, scenario.profile, Manager), fitting, taken, TIMEOUT_MS);
  if (ran.failure === null) return null;
  const { breaks, message } = ran.failure;
  return { breaks, message, run: 1, scenario: fitting, actions: ran.actions, told: ran.told };
}

/** As the kit saves failures: the steps can be replayed on the old calls and on the engine. */
export function asFailure({ breaks, message, run, scenario, actions }: StoreFailure, seed: number): Failure {
  const trace = makeTrace(scenario, toSaved(actions), seed, `${breaks}: ${message}`);
  return { breaks, message, trace, runs: run, path: null };
}
