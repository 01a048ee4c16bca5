/**
 * Stryker's test runner for the kit: the kit is loaded once in a thread and asked for one mutant after the other. A mutant
 * that is caught at once costs a few milliseconds that way, not the start of a test framework.
 *
 * Whether a mutant never ends is judged by the processor time it takes, not by the clock: other work on the machine must
 * not make a mutant look caught.
 */
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type {
  DryRunResult,
  MutantRunOptions,
  MutantRunResult,
  TestRunner,
  TestRunnerCapabilities,
} from '@stryker-mutator/api/test-runner';
import type { Report, Task, WorkerData } from './kit-worker.ts';
import { CHECK, SIGNS } from './kit-worker-signs.ts';

/** Processor time without a sign of life after which a mutant is in a loop. */
const SILENT_CPU_MS = 2_000;
/** A mutant may make a part of the kit so much slower than it is, and a moment beside. */
const SLOWER_AT_MOST = 8;
const MOMENT_CPU_MS = 1_000;
/** While the kit is loaded, and where this process has not seen what a part takes: another one made the run without a mutant. */
const UNKNOWN_CPU_MS = 800;
const LOOK_EVERY_MS = 100;

const cpuMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
};

class KitRunner implements TestRunner {
  #worker: Worker | null = null;
  #alive = new Int32Array(new SharedArrayBuffer(8));
  /** What each part of the kit took without a mutant, in their order; empty before that is known. */
  #checkMs: readonly number[] = [];

  capabilities(): TestRunnerCapabilities {
    return { reloadEnvironment: true };
  }

  async dryRun(): Promise<DryRunResult> {
    const report = await this.#ask({ mutant: null, checks: null, hitLimit: null }, null);
    if (report === 'timeout') return { status: 'timeout' as never };
    this.#checkMs = report.checks.map(({ ms }) => ms);
    const failed = report.checks.find((check) => check.failed !== null);
    if (failed !== undefined) return { status: 'error' as never, errorMessage: `${failed.name}: ${failed.failed}` };
    return {
      status: 'complete' as never,
      tests: report.checks.map(({ name, ms }) => ({ id: name, name, timeSpentMs: ms, status: 0 as never })),
      mutantCoverage: report.coverage as never,
    };
  }

  async mutantRun({
    activeMutant,
    testFilter,
    hitLimit,
    mutantActivation,
  }: MutantRunOptions): Promise<MutantRunResult> {
    const task = { mutant: activeMutant.id, checks: testFilter ?? null, hitLimit: hitLimit ?? null };
    const atLoad = mutantActivation === 'static' ? activeMutant.id : null;
    const report = await this.#ask(task, atLoad);
    if (atLoad !== null) await this.#drop();
    if (report === 'timeout') return { status: 'timeout' as never, reason: 'no sign of life' };
    if (report.hitLimitReached) return { status: 'timeout' as never, reason: 'its code is run without end' };
    const failed = report.checks.find((check) => check.failed !== null);
    const nrOfTests = report.checks.length;
    return failed === undefined
      ? { status: 'survived' as never, nrOfTests }
      : { status: 'killed' as never, killedBy: [failed.name], failureMessage: failed.failed ?? '', nrOfTests };
  }

  async dispose(): Promise<void> {
    await this.#drop();
  }

  async #drop(): Promise<void> {
    await this.#worker?.terminate();
    this.#worker = null;
  }

  /** In Stryker's copy of the project, which is where it lets this run. */
  async #start(activeAtLoad: string | null): Promise<Worker> {
    if (activeAtLoad !== null) await this.#drop();
    if (this.#worker !== null) return this.#worker;
    Atomics.store(this.#alive, CHECK, -1);
    const workerData: WorkerData = { alive: this.#alive, activeAtLoad };
    this.#worker = new Worker(join(process.cwd(), 'coverage/mutants/kit-worker.ts'), { workerData });
    return this.#worker;
  }

  async #ask(task: Task, activeAtLoad: string | null): Promise<Report | 'timeout'> {
    const worker = await this.#start(activeAtLoad);
    const answer = await new Promise<Report | 'timeout'>((resolve) => {
      const watch = this.#watch(() => end('timeout'));
      // A mutant may end the thread, by exhausting the heap for one.
      const died = (): void => end('timeout');
      const end = (result: Report | string): void => {
        clearInterval(watch);
        worker.off('message', end).off('error', died).off('exit', died);
        resolve(typeof result === 'string' ? 'timeout' : result);
      };
      worker.on('message', end).on('error', died).on('exit', died);
      worker.postMessage(task);
    });
    if (answer === 'timeout') await this.#drop();
    return answer;
  }

  #watch(onTimeout: () => void): NodeJS.Timeout {
    let signs = Atomics.load(this.#alive, SIGNS);
    let check = Atomics.load(this.#alive, CHECK);
    let [signMs, checkMs] = [cpuMs(), cpuMs()];
    const watch = setInterval(() => {
      const nowMs = cpuMs();
      const nowSigns = Atomics.load(this.#alive, SIGNS);
      const nowCheck = Atomics.load(this.#alive, CHECK);
      if (nowSigns !== signs) [signs, signMs] = [nowSigns, nowMs];
      if (nowCheck !== check) [check, checkMs] = [nowCheck, nowMs];
      const within = MOMENT_CPU_MS + SLOWER_AT_MOST * (this.#checkMs[check] ?? UNKNOWN_CPU_MS);
      if (nowMs - signMs < SILENT_CPU_MS && nowMs - checkMs < within) return;
      clearInterval(watch);
      onTimeout();
    }, LOOK_EVERY_MS);
    return watch;
  }
}

const makeKitRunner = Object.assign(() => new KitRunner(), { inject: [] as const });

export const strykerPlugins = [{ kind: 'TestRunner', name: 'kit', factory: makeKitRunner }];
