/** Seeded runs of the engine on somebody's adapter, a part of them with each kind of crash that the manifest knows. */
import type { Scenario } from '../actions.ts';
import { addCoverage, newCoverage } from '../model-run.ts';
import type { CrashChoice } from '../power-cut.ts';
import { EngineStore } from './engine-store.ts';
import type { Call } from './observed-disk.ts';
import type { Adapter } from './platform-manifest.ts';
import { offersOf } from './platform-manifest.ts';
import type { StoreRunOptions, StoreVerdict, Subject } from './store-run.ts';
import { judgeRuns } from './store-run.ts';
import type { StoreTraits } from './store-under-test.ts';

const KILL: CrashChoice = { kind: 'kill', underWay: 'undone' };
const POWER: CrashChoice = { kind: 'power', keep: 'nothing' };
/** In the smallest pool of a run every record may take a sector of its own. */
const CAPACITY_RECORDS = { disk: 8, ram: 64 } as const;

export interface EngineVerdict extends StoreVerdict {
  /** What was asked of the adapters of the failing run; empty without a failure. */
  readonly calls: readonly Call[];
}

const traitsOf = (hasDisk: boolean, crashes: boolean, injects: boolean): StoreTraits => ({
  durable: hasDisk,
  supports: new Set(['revert', 'discard', 'flush', 'inspect', ...(crashes ? (['crash'] as const) : [])]),
  kinds: ['tsd', 'evt'],
  streamsMax: 4,
  capacityRecords: hasDisk ? CAPACITY_RECORDS.disk : CAPACITY_RECORDS.ram,
  cutsFlushes: hasDisk,
  faults: hasDisk && injects ? [{ code: 'IO', shortBytes: 0 }, { code: 'IO' }] : [],
});

/** @param crash null for runs without any. @param onBegin gets the store of each run. */
function subjectOf(
  { makePlatform, manifest, timeoutMs }: Adapter,
  hasDisk: boolean,
  crash: CrashChoice | null,
  onBegin: (store: EngineStore) => void,
): Subject {
  const { cutPower, injectFault, dispose } = manifest;
  let runs = 0;
  const begin = async (scenario: Scenario): Promise<EngineStore> => {
    const storage = `run ${crash?.kind ?? 'without crash'} ${++runs}`;
    const store = new EngineStore(scenario, {
      makePlatform: () => makePlatform(storage),
      cutPower: crash?.kind === 'power' && cutPower !== undefined ? () => cutPower(storage) : null,
      inject: injectFault === undefined ? null : (fault) => injectFault(storage, fault),
      dispose: () => dispose?.(storage),
      timeoutMs,
    });
    onBegin(store);
    await store.recover();
    return store;
  };
  return { traits: traitsOf(hasDisk, crash !== null, injectFault !== undefined), crash: crash ?? KILL, begin };
}

/** The kinds of crash that there are; [null] for none. */
function crashesOf({ manifest }: Adapter, hasDisk: boolean): readonly (CrashChoice | null)[] {
  const offers = offersOf(manifest);
  const crashes = [...(offers.has('kill') ? [KILL] : []), ...(offers.has('power') && hasDisk ? [POWER] : [])];
  return crashes.length === 0 ? [null] : crashes;
}

/** Runs until one fails or all are done. */
export async function runEngine(adapter: Adapter, hasDisk: boolean, options: StoreRunOptions): Promise<EngineVerdict> {
  const crashes = crashesOf(adapter, hasDisk);
  const sum = { runs: 0, steps: 0, seconds: 0, traceHash: '', coverage: newCoverage() };
  for (const [i, crash] of crashes.entries()) {
    let last: EngineStore | null = null;
    const subject = subjectOf(adapter, hasDisk, crash, (store) => {
      last = store;
    });
    const runs = Math.ceil(options.runs / crashes.length);
    const { coverage, ...verdict } = await judgeRuns(subject, { ...options, seed: options.seed + i, runs });
    addCoverage(sum.coverage, coverage);
    sum.runs += verdict.runs;
    sum.steps += verdict.steps;
    sum.seconds += verdict.seconds;
    sum.traceHash += verdict.traceHash;
    const { calls = [] } = (last as EngineStore | null) ?? {};
    if (verdict.failure !== null) return { ...sum, failure: verdict.failure, calls };
  }
  return { ...sum, failure: null, calls: [] };
}
