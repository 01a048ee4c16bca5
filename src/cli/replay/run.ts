/**
 * A replay as a whole: look at the recordings, let one life after the other append them, drain, and give the account.
 * Without cuts everything happens in this process; with them every life is a child, and all but the last are killed.
 */
import { readdir, stat } from 'node:fs/promises';
import type { SettingsInput } from '../../index.ts';
import { CliError, EXIT_INTERRUPTED } from '../cli-error.ts';
import type { Input, InputOptions } from '../recordings/input.ts';
import { checkUnchanged, lookAt, Spool } from '../recordings/input.ts';
import type { Skip, SkipReason } from '../recordings/sample.ts';
import { REASONS } from '../recordings/sample.ts';
import { Account } from './account.ts';
import type { Cut } from './cuts.ts';
import { planCuts } from './cuts.ts';
import { runLife } from './life.ts';
import type { LifeJob, LifeMessage } from './messages.ts';
import type { InputSummary, Plan } from './plan.ts';
import { scan, totalRecords } from './plan.ts';
import { SeededRandom } from './random.ts';
import { startLife } from './worker.ts';

export interface ReplayRequest {
  readonly files: readonly { readonly name: string; readonly options: InputOptions }[];
  readonly directory: string;
  readonly settings: SettingsInput;
  readonly powerCuts: number;
  readonly seed: number;
  readonly keep: boolean;
  /** The file that a child is started with: the command's own. */
  readonly entry: string;
}

export type Phase = 'reading' | 'storing' | 'draining';

/** What a replay shows while it runs. */
export interface ReplayListener {
  skipped(input: Input, skip: Skip): void;
  planned(plan: Plan, summaries: readonly InputSummary[]): void;
  /** Called after each change; cheap calls only. */
  progress(phase: Phase, records: number, total: number | null, account: Account | null): void;
}

export interface ReplayOutcome {
  readonly plan: Plan;
  readonly summaries: readonly InputSummary[];
  readonly account: Account;
  readonly durationMs: number;
}

const STREAMS_DEFAULT = 2048;
/** A cut falls up to so long after its place was reached: disk operations go on meanwhile. */
const KILL_DELAY_MS_MAX = 4;
/** Checkpoints while draining, with cuts: some acknowledgements are durable at a cut and some are not. */
const CHECKPOINTS_PER_DRAIN = 8;
const STORE_NAMES = /^(host|mgc|can_controller|lock|lock\..*|checkpoint-.*)$/;

/** @throws CliError, StoreError, or the file system's error; the store keeps what it has. */
export async function replay(
  request: ReplayRequest,
  listener: ReplayListener,
  signal: AbortSignal,
): Promise<ReplayOutcome> {
  const beginMs = performance.now();
  await refuseForeignDirectory(request.directory);
  const spool = new Spool();
  try {
    const inputs: Input[] = [];
    for (const [i, { name, options }] of request.files.entries()) {
      inputs.push(await lookAt(name, i + 1, options, spool));
    }
    const { plan, summaries } = await scan(inputs, {
      onSkip: (input, skip) => listener.skipped(input, skip),
      onProgress: (_, records) => {
        if (signal.aborted) throw new CliError('stopped; nothing was stored yet', EXIT_INTERRUPTED);
        listener.progress('reading', records, null, null);
      },
    });
    if (totalRecords(plan) === 0) throw nothingStored(summaries);
    listener.planned(plan, summaries);
    const account = new Account(plan);
    await runLives(request, plan, account, listener, signal, () => spool.directory());
    for (const input of inputs) await checkUnchanged(input);
    return { plan, summaries, account, durationMs: performance.now() - beginMs };
  } finally {
    await spool.remove();
  }
}

/** No sample in any recording: one line with the first reasons, so that nobody has to count. */
function nothingStored(summaries: readonly InputSummary[]): CliError {
  const names = summaries.map(
    ({ input, firstSkip }) => `${input.name}${firstSkip === null ? '' : `:${firstSkip.line}`}`,
  );
  const reasons = new Map<SkipReason, number>();
  for (const { skips } of summaries) {
    for (const [reason, count] of skips) reasons.set(reason, (reasons.get(reason) ?? 0) + count);
  }
  const counts = [...reasons].map(([reason, count]) => `${count} x ${REASONS[reason].text}`).join(', ');
  const remedy = [...reasons.keys()].map((reason) => REASONS[reason].remedy).find((text) => text !== '');
  return new CliError(
    `${names.join(', ')}: nothing that could be stored (${counts === '' ? 'no data' : counts}); ` +
      `${remedy ?? 'give a recording with values'}`,
  );
}

/** A directory with other people's files in it is not made into a store. */
async function refuseForeignDirectory(directory: string): Promise<void> {
  let names: string[];
  try {
    if (!(await stat(directory)).isDirectory()) {
      throw new CliError(`--storage ${directory}: it is a file; give a directory`);
    }
    names = await readdir(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  const foreign = names.filter((name) => !STORE_NAMES.test(name));
  if (foreign.length > 0 && !names.some((name) => name.startsWith('checkpoint-'))) {
    throw new CliError(
      `--storage ${directory}: it holds other files (${foreign.slice(0, 3).join(', ')}); give an empty or a new directory`,
    );
  }
}

async function runLives(
  request: ReplayRequest,
  plan: Plan,
  account: Account,
  listener: ReplayListener,
  signal: AbortSignal,
  scratch: () => Promise<string>,
): Promise<void> {
  const total = totalRecords(plan);
  const cuts = planCuts(request.powerCuts, total, request.seed, !request.keep);
  const delays = new SeededRandom(request.seed + 1);
  const drainCuts = cuts.some(({ phase }) => phase === 'drain');
  const take = (message: LifeMessage): void => {
    account.take(message);
    const draining = account.evictedBelow !== null;
    listener.progress(draining ? 'draining' : 'storing', draining ? account.compared : account.next, total, account);
  };
  for (const cut of [...cuts, null] as (Cut | null)[]) {
    const job: LifeJob = {
      plan,
      directory: request.directory,
      settings: { streamsMax: Math.max(STREAMS_DEFAULT, plan.streams.length), ...request.settings },
      from: account.next,
      drain: cut?.phase !== 'append',
      keep: request.keep,
      first: account.cuts.length === 0 && (cut?.number ?? 1) === 1,
      cut,
      flushFirst: drainCuts,
      checkpointEvery: drainCuts ? Math.ceil(total / CHECKPOINTS_PER_DRAIN) : 0,
      spans: account.spans,
      broken: account.broken,
      evictedBelow: account.evictedBelow,
    };
    if (request.powerCuts === 0) {
      await runLife(job, take, neverPulled, signal);
    } else {
      const delayMs = cut?.diskOperation === 0 ? 0 : delays.between(0, KILL_DELAY_MS_MAX);
      const command = { entry: request.entry, scratch: await scratch() };
      const { killed } = await startLife(command, job, delayMs, take, signal);
      if (killed && cut !== null) account.killedAt(cut);
    }
    if (signal.aborted) {
      throw new CliError(
        `stopped; ${account.next} of ${total} records had been appended to ${request.directory}`,
        EXIT_INTERRUPTED,
      );
    }
  }
}

function neverPulled(): never {
  throw new Error('a life without a cut has no plug');
}
