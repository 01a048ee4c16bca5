/**
 * Seeded runs of a store before the judge, until one fails or all are done; a failing one is made as short as it goes.
 *
 * The steps are drawn by the kit's own generator from what the model enables; what the store does not have is passed
 * over. Every run ends with everything delivered once more, a flush, a crash, and everything delivered again.
 */
import { createHash } from 'node:crypto';
import type { Action, Scenario } from '../actions.ts';
import { Divergence } from '../divergence.ts';
import { drawScenario, nextAction } from '../generator.ts';
import type { Coverage } from '../model-run.ts';
import { newCoverage } from '../model-run.ts';
import type { CrashChoice } from '../power-cut.ts';
import { Random } from '../random.ts';
import { quotaBytesMin } from '../refinement.ts';
import { shrinkActions } from '../shrink.ts';
import type { StoreAction } from './actions.ts';
import { isPlain } from './actions.ts';
import type { Told } from './judge.ts';
import { Judge } from './judge.ts';
import type { StoreTraits, StoreUnderTest } from './store-under-test.ts';

/** Something that stores can be made of, one a run. */
export interface Subject {
  readonly traits: StoreTraits;
  /** What a crash is, for the trace. */
  readonly crash: CrashChoice;
  /** An empty store with the scenario's streams. @throws Divergence when it cannot be had. */
  begin(scenario: Scenario): Promise<StoreUnderTest>;
}

export interface StoreRunOptions {
  readonly seed: number;
  readonly runs: number;
  /** Steps of a run, without its closing ones. */
  readonly steps: number;
  /** How long one operation may take. */
  readonly timeoutMs: number;
  readonly onRun?: (runs: number, steps: number) => void;
}

export interface StoreFailure {
  readonly breaks: string;
  readonly message: string;
  /** Number of the run, from 1. */
  readonly run: number;
  readonly scenario: Scenario;
  readonly actions: readonly StoreAction[];
  /** The shortened run as it went, the failing step last. */
  readonly told: readonly Told[];
}

export interface StoreVerdict {
  readonly runs: number;
  readonly steps: number;
  readonly seconds: number;
  readonly traceHash: string;
  readonly coverage: Coverage;
  readonly failure: StoreFailure | null;
}

/** Trials and time that a failing run may take to become shorter; one that hangs takes a while each time. */
const SHRINK_TRIALS = 400;
const SHRINK_MS = 15_000;
const ALL = 1_000_000;
const TIME_MAX = 2 ** 48 - 1;
/** So wide that no run comes near it: what happens at the bound is judged on the engine alone. */
const QUOTA_BYTES = 4_194_304;

/** The streams of a run, and a pool and a quota under which the engine could replay it. */
export function scenarioOf(seed: number, { durable, kinds, streamsMax }: StoreTraits): Scenario {
  const drawn = drawScenario(durable ? 'linux' : 'wiced', seed, quotaBytesMin);
  const streams = drawn.streams.slice(0, streamsMax).map((stream) => {
    if (kinds.includes(stream.kind)) return stream;
    return stream.kind === 'tsd'
      ? { ...stream, kind: 'evt' as const, periodMs: 0 }
      : { ...stream, kind: 'tsd' as const, periodMs: 1_000 };
  });
  const sectors = durable ? Math.max(8, drawn.sectors) : 64;
  return {
    ...drawn,
    streams,
    sectors,
    mode: durable ? 'crash' : 'ram',
    quotaBytes: QUOTA_BYTES,
    whenDiskFull: 'evict-oldest',
    durableAcknowledge: false,
  };
}

/** What a draw of the generator means for a store that is seen from outside; null for nothing. */
function drawn(judge: Judge, scenario: Scenario, { traits, crash }: Subject, random: Random): StoreAction | null {
  const { context, lifecycle } = judge.model;
  const view = {
    scenario,
    context,
    lifecycle,
    enabled: (event: Parameters<Judge['model']['enabled']>[0]) => judge.model.enabled(event),
    ioUnderWay: 0,
    timers: 0,
    holdsReads: false,
    segments: 0,
    nowMs: 1_700_000_000_000,
    readsUnderWay: 0,
    recovering: false,
  };
  const action = nextAction(view, { entry: random.next(), payload: random.next() });
  if (action === null) return null;
  if (action.do === 'flush') {
    const fault = random.chance(0.2) ? random.pick(traits.faults ?? []) : undefined;
    return fault === undefined ? { do: 'flush' } : { do: 'flush', fault };
  }
  if (action.do === 'crash') {
    const inFlush = traits.cutsFlushes === true && random.chance(0.6) ? random.below(12) : undefined;
    return inFlush === undefined ? { do: 'crash', choice: crash } : { do: 'crash', choice: crash, inFlush };
  }
  if (action.do === 'append' && !(Number.isInteger(action.timeMs) && action.timeMs >= 0 && action.timeMs <= TIME_MAX))
    return null;
  return isPlain(action) ? action : null;
}

function closing({ streams }: Scenario, { crash }: Subject): StoreAction[] {
  const deliver = streams.flatMap((_, stream): StoreAction[] => [
    { do: 'revert', stream },
    { do: 'read', stream, max: ALL },
  ]);
  return [{ do: 'open' }, ...deliver, { do: 'flush' }, { do: 'crash', choice: crash }, { do: 'open' }, ...deliver];
}

interface Ran {
  readonly actions: readonly StoreAction[];
  readonly told: readonly Told[];
  readonly failure: Divergence | null;
}

/** One run: `next` gives its steps until it gives null. */
async function runOnce(
  subject: Subject,
  scenario: Scenario,
  timeoutMs: number,
  coverage: Coverage,
  next: (judge: Judge) => StoreAction | null,
  onStep: (action: StoreAction, judge: Judge) => void = () => {},
): Promise<Ran> {
  const actions: StoreAction[] = [];
  let judge: Judge | null = null;
  let store: StoreUnderTest | null = null;
  try {
    store = await subject.begin(scenario);
    judge = new Judge(store, subject.traits, scenario.streams, coverage, timeoutMs);
    for (let action = next(judge); action !== null; action = next(judge)) {
      actions.push(action);
      if (await judge.take(action)) onStep(action, judge);
      else actions.pop();
    }
    return { actions, told: judge.told, failure: null };
  } catch (thrown) {
    const failure =
      thrown instanceof Divergence
        ? thrown
        : new Divergence('thrown', thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown));
    return { actions, told: judge?.told ?? [], failure };
  } finally {
    // What closing has to say of a store that failed is not worth hiding the failure for.
    await Promise.resolve(store?.close?.()).catch(() => {});
  }
}

/** Takes exactly these actions. */
export const runStoreActions = (
  subject: Subject,
  scenario: Scenario,
  actions: readonly StoreAction[],
  timeoutMs: number,
): Promise<Ran> => {
  let at = 0;
  return runOnce(subject, scenario, timeoutMs, newCoverage(), () => actions[at++] ?? null);
};

/** From outside these three show in the same place, a read; which of them it is comes out as the run gets shorter. */
const SHOWN_BY_READ: readonly string[] = ['INV-03', 'INV-12', 'INV-13'];

const isSame = (a: string | undefined, b: string | undefined): boolean =>
  a === b || (SHOWN_BY_READ.includes(a ?? '') && SHOWN_BY_READ.includes(b ?? ''));

/**
 * Removes what the failure does not need. A count in the failing step often stands for as many appends before it: these
 * go together, which no single removal would try.
 */
async function shrunk(subject: Subject, scenario: Scenario, ran: Ran, timeoutMs: number): Promise<Ran> {
  const endMs = performance.now() + SHRINK_MS;
  let best = ran;
  const fails = async (candidate: readonly Action[]): Promise<boolean> => {
    if (performance.now() > endMs) return false;
    const again = await runStoreActions(subject, scenario, candidate as readonly StoreAction[], timeoutMs);
    if (!isSame(again.failure?.breaks, ran.failure?.breaks)) return false;
    if (again.actions.length <= best.actions.length) best = again;
    return true;
  };
  await shrinkActions(ran.actions, fails, SHRINK_TRIALS);
  while (await countsDown(best.actions, fails)) await shrinkActions(best.actions, fails, SHRINK_TRIALS);
  // Once more, so that the last run that anybody can look at is the one that is told.
  const again = await runStoreActions(subject, scenario, best.actions, timeoutMs);
  return isSame(again.failure?.breaks, best.failure?.breaks) ? again : best;
}

/** Tries the failing step with a count of one less, together with one step before it. @returns whether that failed too. */
async function countsDown(
  actions: readonly StoreAction[],
  fails: (candidate: readonly Action[]) => Promise<boolean>,
): Promise<boolean> {
  const last = actions.at(-1);
  if (last === undefined || (last.do !== 'acknowledge' && last.do !== 'discard') || last.n <= 1) return false;
  for (let at = actions.length - 2; at >= 0; at--) {
    if (await fails([...actions.slice(0, -1).toSpliced(at, 1), { ...last, n: last.n - 1 }])) return true;
  }
  return false;
}

/** Runs until one fails or all are done. The same seed gives the same runs. */
export async function judgeRuns(
  subject: Subject,
  { seed, runs, steps: stepsMax, timeoutMs, onRun }: StoreRunOptions,
): Promise<StoreVerdict> {
  const startedMs = performance.now();
  const hash = createHash('sha256');
  const coverage = newCoverage();
  let steps = 0;
  let failure: StoreFailure | null = null;
  let run = 0;
  while (run < runs && failure === null) {
    const random = new Random((Math.imul(seed, 0x9e37_79b1) + run++) | 0);
    const scenario = scenarioOf(random.next(), subject.traits);
    const last = closing(scenario, subject);
    let choices = 1 + random.below(stepsMax);
    let closed = 0;
    const next = (judge: Judge): StoreAction | null => {
      while (choices-- > 0) {
        const action = drawn(judge, scenario, subject, random);
        if (action !== null) return action;
      }
      return last[closed++] ?? null;
    };
    const ran = await runOnce(subject, scenario, timeoutMs, coverage, next, (action, judge) => {
      steps++;
      const marks = judge.model.context.streams.map(({ head, read, synced, appended }) => [
        head,
        read,
        synced,
        appended,
      ]);
      hash.update(JSON.stringify([action, judge.model.lifecycle, marks]));
    });
    onRun?.(run, steps);
    if (ran.failure === null) continue;
    const { actions, told, failure: found } = await shrunk(subject, scenario, ran, timeoutMs);
    const { breaks, message } = found as Divergence;
    failure = { breaks, message, run, scenario, actions, told };
  }
  return {
    runs: run,
    steps,
    seconds: (performance.now() - startedMs) / 1_000,
    traceHash: hash.digest('hex'),
    coverage,
    failure,
  };
}
