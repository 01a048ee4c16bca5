/**
 * Judges an implementation behind a command: who it is, then seeded runs, or one saved trace again.
 *
 * Unusable (thrown, one line): it cannot be started, or does not speak the protocol when it is asked who it is. From
 * then on whatever it does wrong is a failure with a trace.
 */
import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Trace } from '../actions.ts';
import { Divergence } from '../divergence.ts';
import { newCoverage } from '../model-run.ts';
import { fromSaved, toSaved } from '../others/actions.ts';
import type { StoreFailure, StoreVerdict } from '../others/store-run.ts';
import { judgeRuns, runStoreActions } from '../others/store-run.ts';
import type { Failure } from '../run.ts';
import { makeTrace } from '../run.ts';
import { Implementation } from './exec-store.ts';
import type { Introduction } from './protocol.ts';

export interface ExecOptions {
  readonly command: string;
  readonly seed: number;
  readonly runs: number;
  /** Steps of one run at most, without the closing ones. */
  readonly steps: number;
  /** How long one answer may take. */
  readonly timeoutMs: number;
  /** How long the first answer of a process may take, its start included; default 10 s, or `timeoutMs` if that is more. */
  readonly startTimeoutMs?: number;
  /** Only this is run when it is given. */
  readonly trace?: Trace;
  readonly onProgress?: (progress: { readonly runs: number; readonly steps: number }) => void;
}

export interface ExecOutcome {
  readonly introduction: Introduction;
  readonly verdict: StoreVerdict;
  /** Lines of the failing run, `> ` to the implementation and `< ` from it; empty without a failure. */
  readonly transcript: readonly string[];
}

/** The judge waits longer than the process is given, so that it is the process that is named. */
const JUDGE_GRACE_MS = 60_000;
/** Interpreters and runtimes take their time on a machine that is busy. */
const START_TIMEOUT_MS = 10_000;

/** @throws Error with one line when the command is no implementation of the protocol. */
export async function runExec(options: ExecOptions): Promise<ExecOutcome> {
  const { command, timeoutMs, trace, onProgress } = options;
  const startTimeoutMs = options.startTimeoutMs ?? Math.max(START_TIMEOUT_MS, timeoutMs);
  const root = await mkdtemp(join(tmpdir(), 'imatrix-mm-exec-'));
  // A process that is ended by a signal leaves no folder behind.
  const remove = (): void => rmSync(root, { recursive: true, force: true });
  process.on('exit', remove);
  const implementation = new Implementation(command, root, { timeoutMs, startTimeoutMs });
  try {
    const introduction = await introduce(implementation, command);
    const subject = implementation.subject(introduction);
    const forJudge = {
      ...options,
      timeoutMs: timeoutMs + JUDGE_GRACE_MS,
      onRun: (runs: number, steps: number) => onProgress?.({ runs, steps }),
    };
    const verdict =
      trace === undefined ? await judgeRuns(subject, forJudge) : await replay(subject, trace, forJudge.timeoutMs);
    return { introduction, verdict, transcript: verdict.failure === null ? [] : [...implementation.transcript] };
  } finally {
    await implementation.stop();
    process.off('exit', remove);
    remove();
  }
}

async function introduce(implementation: Implementation, command: string): Promise<Introduction> {
  try {
    return await implementation.introduce();
  } catch (thrown) {
    if (!(thrown instanceof Divergence)) throw thrown;
    throw new Error(
      `--exec ${JSON.stringify(command)} cannot be judged: ${thrown.message}; give a command that speaks docs/conformance-protocol.md`,
    );
  }
}

/** The saved steps, once. */
async function replay(
  subject: ReturnType<Implementation['subject']>,
  { scenario, actions }: Trace,
  timeoutMs: number,
): Promise<StoreVerdict> {
  const startedMs = performance.now();
  const ran = await runStoreActions(subject, scenario, fromSaved(actions), timeoutMs);
  const { breaks = '', message = '' } = ran.failure ?? {};
  const failure: StoreFailure | null =
    ran.failure === null ? null : { breaks, message, run: 1, scenario, actions: ran.actions, told: ran.told };
  return {
    runs: 1,
    steps: ran.actions.length,
    seconds: (performance.now() - startedMs) / 1_000,
    traceHash: '',
    coverage: newCoverage(),
    failure,
  };
}

/** The failure as the kit saves failures; its steps can be replayed on the implementation and on the engine. */
export function asFailure({ breaks, message, run, scenario, actions }: StoreFailure, seed: number): Failure {
  const trace = makeTrace(scenario, toSaved(actions), seed, `${breaks}: ${message}`);
  return { breaks, message, trace, runs: run, path: null };
}
