/**
 * The thread in which the kit runs against one mutant. The mutated sources are loaded once and serve many mutants, one
 * after the other: which of them is active is a number that the instrumented code asks for.
 *
 * It gives signs of life while it waits; a mutant that loops without a wait gives none.
 */
import { parentPort, workerData } from 'node:worker_threads';
import type { Check } from './kit.ts';
import { CHECK, SIGNS } from './kit-worker-signs.ts';

/** What Stryker's instrumented code reads and writes. */
interface Instrumented {
  activeMutant: string | undefined;
  currentTestId: string | undefined;
  hitCount: number | undefined;
  hitLimit: number | undefined;
  mutantCoverage?: unknown;
}

export interface Task {
  /** Null for the run without a mutant, which notes what each check reaches. */
  readonly mutant: string | null;
  /** Checks that reach the mutant; null for all. */
  readonly checks: readonly string[] | null;
  readonly hitLimit: number | null;
}

export interface CheckReport {
  readonly name: string;
  readonly ms: number;
  /** Why it failed; null when it did not. */
  readonly failed: string | null;
}

export interface Report {
  readonly checks: readonly CheckReport[];
  readonly coverage: unknown;
  readonly hitLimitReached: boolean;
}

export interface WorkerData {
  readonly alive: Int32Array;
  /** A mutant of code that runs when it is loaded: it is active before that. */
  readonly activeAtLoad: string | null;
}

const SIGN_OF_LIFE_MS = 50;

/** Only a directory of this machine is ever waited for: an event loop that idles for so long waits for ever. */
const IDLE_AFTER_MS = 2_000;
const IDLE_BELOW = 0.01;
let usage = performance.eventLoopUtilization();
let busy = false;

const { alive, activeAtLoad } = workerData as WorkerData;
const instrumented: Instrumented = {
  activeMutant: activeAtLoad ?? undefined,
  currentTestId: undefined,
  hitCount: undefined,
  hitLimit: undefined,
};
(globalThis as { __stryker__?: Instrumented }).__stryker__ = instrumented;
setInterval(() => Atomics.add(alive, SIGNS, 1), SIGN_OF_LIFE_MS).unref();
setInterval(() => {
  const since = performance.eventLoopUtilization(usage);
  usage = performance.eventLoopUtilization();
  if (busy && since.utilization < IDLE_BELOW) parentPort?.postMessage('waits for ever');
}, IDLE_AFTER_MS).unref();
// What a run that failed left behind may fail once more when nobody listens.
process.on('unhandledRejection', () => {});

/** The kit, or what went wrong when it was loaded: a mutant of code that runs then may break it. */
async function load(): Promise<readonly Check[] | string> {
  try {
    const kit = await import('./kit.ts');
    return kit.CHECKS;
  } catch (error) {
    return String(error);
  }
}

const loaded = load();

async function runCheck({ name, run }: Check): Promise<CheckReport> {
  const startedMs = performance.now();
  instrumented.currentTestId = name;
  let failed: string | null = null;
  try {
    await run();
  } catch (error) {
    failed = error instanceof Error ? error.message : String(error);
  }
  instrumented.currentTestId = undefined;
  return { name, ms: performance.now() - startedMs, failed };
}

async function perform({ mutant, checks, hitLimit }: Task): Promise<Report> {
  const kit = await loaded;
  if (typeof kit === 'string') {
    return { checks: [{ name: 'load', ms: 0, failed: kit }], coverage: null, hitLimitReached: false };
  }
  instrumented.activeMutant = mutant ?? undefined;
  instrumented.hitCount = hitLimit === null ? undefined : 0;
  instrumented.hitLimit = hitLimit ?? undefined;
  const reports: CheckReport[] = [];
  busy = true;
  usage = performance.eventLoopUtilization();
  for (const [index, check] of kit.entries()) {
    if (checks !== null && !checks.includes(check.name)) continue;
    Atomics.store(alive, CHECK, index);
    reports.push(await runCheck(check));
    if (mutant !== null && reports.at(-1)?.failed !== null) break;
  }
  busy = false;
  instrumented.activeMutant = undefined;
  const hitLimitReached = hitLimit !== null && (instrumented.hitCount ?? 0) > hitLimit;
  return { checks: reports, coverage: mutant === null ? instrumented.mutantCoverage : null, hitLimitReached };
}

parentPort?.on('message', async (task: Task) => parentPort?.postMessage(await perform(task)));
