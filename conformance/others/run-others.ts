/**
 * Shows that the checks for others' code pass what is right and find what is wrong: the project's own adapters and store
 * go through them, disks that break one law each, and the store in Python, right and wrong in three ways.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { makeOutcome } from '../evidence/make.ts';
import type { ModeOutcome, ModeProgress } from '../evidence/record.ts';
import { runExec } from '../exec/run-exec.ts';
import { newCoverage } from '../model-run.ts';
import { BROKEN_DISKS } from './broken-disks.ts';
import { checkPlatform } from './check-platform.ts';
import type { CheckOptions } from './check-store.ts';
import { ConformanceError, checkStore } from './check-store.ts';
import { linuxPlatforms, ramPlatforms, simulatedPlatforms, wicedPlatforms } from './own-platforms.ts';
import { ownStore } from './own-store.ts';

export interface OthersRow {
  readonly what: string;
  /** What was expected: no failure, or what must be named. */
  readonly wanted: string;
  readonly got: string;
  readonly steps: number;
}

export interface OthersOutcome {
  readonly outcome: ModeOutcome;
  readonly rows: readonly OthersRow[];
  /** Why something was not run; null when all was. */
  readonly skipped: string | null;
}

interface Options {
  readonly seed: number;
  readonly command: string;
  /** Runs of each check; default 40. */
  readonly runs?: number;
  readonly onProgress?: ModeProgress;
}

const NO_FAILURE = 'no failure';
const RUNS_DEFAULT = 40;
/** Beside this file in the sources, one folder further up when it is compiled. */
const EXAMPLES = ['../../docs/examples/small_store.py', '../../../docs/examples/small_store.py'];
const EXAMPLE_ERRORS = [
  ['--nack-leaves-cursor', 'INV-13'],
  ['--acknowledge-takes-all', 'INV-12'],
  ['--torn-record-accepted', 'INV-16'],
] as const;

const quiet = (): void => {};

/** The check's answer as a row; what is no finding is a defect of the kit and thrown. */
async function row(what: string, wanted: string, check: () => Promise<{ readonly steps: number }>): Promise<OthersRow> {
  try {
    const { steps } = await check();
    return { what, wanted, got: NO_FAILURE, steps };
  } catch (thrown) {
    if (!(thrown instanceof ConformanceError)) throw thrown;
    return { what, wanted, got: thrown.breaks, steps: thrown.failure?.told.length ?? 0 };
  }
}

type Work = readonly [what: string, wanted: string, check: () => Promise<{ readonly steps: number }>];

/** Adapters and stores of the project. */
function ownWork(options: CheckOptions): Work[] {
  const own = [simulatedPlatforms('the simulated disk'), ramPlatforms, wicedPlatforms].map(
    ({ makePlatform, manifest }): Work => [
      `checkPlatform: ${manifest.name}`,
      NO_FAILURE,
      () => checkPlatform(makePlatform, manifest, options),
    ],
  );
  const onLinux = async (): Promise<{ readonly steps: number }> => {
    const { makePlatform, manifest, remove } = await linuxPlatforms();
    try {
      return await checkPlatform(makePlatform, manifest, options);
    } finally {
      await remove();
    }
  };
  const stores = (['disk', 'ram'] as const).map((where): Work => {
    const manifest = { durable: where === 'disk', kinds: ['evt', 'tsd'] as const, capacityRecords: 200 };
    return [
      `checkStore: openStore, ${where === 'disk' ? 'on disk' : 'in RAM'}`,
      NO_FAILURE,
      () => checkStore((streams) => ownStore(streams, where), manifest, options),
    ];
  });
  return [['checkPlatform: a Linux directory', NO_FAILURE, onLinux], ...own, ...stores];
}

const brokenWork = (options: CheckOptions): Work[] =>
  BROKEN_DISKS.map(({ name, law, Disk }) => {
    const { makePlatform, manifest } = simulatedPlatforms(name, Disk);
    return [`checkPlatform: ${name}`, law, () => checkPlatform(makePlatform, manifest, options)];
  });

/** The store in Python; null with why it cannot be run. */
function exampleWork(seed: number, runs: number): Work[] | string {
  const example = EXAMPLES.map((path) => join(import.meta.dirname, path)).find((path) => existsSync(path));
  if (example === undefined) return 'the example docs/examples/small_store.py is not there';
  if (spawnSync('python3', ['--version']).status !== 0) return 'python3 is not installed';
  const judge = async (argument: string): Promise<{ readonly steps: number }> => {
    const command = `exec python3 ${JSON.stringify(example)} ${argument}`;
    const { verdict } = await runExec({ command, seed, runs, steps: 60, timeoutMs: 10_000 });
    if (verdict.failure === null) return verdict;
    throw new ConformanceError(verdict.failure.breaks, verdict.failure.message, verdict.failure);
  };
  const wrong = EXAMPLE_ERRORS.map(
    ([argument, breaks]): Work => [`--exec small_store.py ${argument}`, breaks, () => judge(argument)],
  );
  return [['--exec small_store.py', NO_FAILURE, () => judge('')], ...wrong];
}

/** @returns a row for each check. A row that is not as it must be is a failure. */
export async function runOthers({ seed, command, onProgress, runs = RUNS_DEFAULT }: Options): Promise<OthersOutcome> {
  const startedMs = performance.now();
  const options: CheckOptions = { seed, runs, log: quiet };
  const examples = exampleWork(seed, runs);
  const work = [...ownWork(options), ...brokenWork(options), ...(typeof examples === 'string' ? [] : examples)];
  const rows: OthersRow[] = [];
  for (const [what, wanted, check] of work) {
    onProgress?.({ what, done: rows.length, total: work.length });
    rows.push(await row(what, wanted, check));
  }
  const right = rows.filter(({ wanted }) => wanted === NO_FAILURE);
  const wrong = rows.filter(({ wanted }) => wanted !== NO_FAILURE);
  const kept = (of: readonly OthersRow[]): number => of.filter(({ wanted, got }) => wanted === got).length;
  const outcome = makeOutcome({
    mode: 'others',
    command,
    seed,
    profiles: ['linux', 'wiced'],
    seconds: (performance.now() - startedMs) / 1_000,
    steps: right.reduce((sum, { steps }) => sum + steps, 0),
    traceHash: null,
    figures: { right: right.length, passed: kept(right), wrong: wrong.length, found: kept(wrong) },
    failures: rows.length - kept(rows),
    // What a judge from outside has seen is no evidence of the engine's inside.
    coverage: newCoverage(),
    possible: [],
    failure: null,
  });
  return { outcome, rows, skipped: typeof examples === 'string' ? examples : null };
}
