/**
 * `checkStore`: holds somebody's own store against the model, in a test of their own (Vitest, node:test, or none).
 *
 *     test('keeps its promises', () => checkStore(() => new MyStore(), { name: 'my store', durable: true }));
 *
 * It sees what the store's answers show and nothing else. Time, damage and full disks are not tried: a store from
 * outside has no way to be given them.
 */
import type { Kind } from '../../src/core/types.ts';
import type { Coverage } from '../model-run.ts';
import { mustBeStoreManifest, traitsOf } from './given.ts';
import type { StoreFailure } from './store-run.ts';
import { judgeRuns } from './store-run.ts';
import type { MaybePromise, OptionalOperation, StoreUnderTest, StreamSpec } from './store-under-test.ts';
import { tellFailure } from './tell.ts';

/** What the store is, so that it is judged by what it promises. */
export interface StoreManifest {
  /** For messages; default `the store`. */
  readonly name?: string;
  /** Whether what a flush answered ok for survives a crash. False for a store in RAM: then a crash must leave nothing. */
  readonly durable: boolean;
  /** Operations beside append, read and acknowledge; default: those that the object has. */
  readonly supports?: readonly OptionalOperation[];
  /** Kinds of streams; default `evt` alone. `tsd` puts samples on a grid of their period (contract section 5). */
  readonly kinds?: readonly Kind[];
  /** Streams it can hold; default 4. */
  readonly streamsMax?: number;
  /** Records that it takes for sure before any of them is durable; beyond, RAM_FULL is right. Default: no bound. */
  readonly capacityRecords?: number;
}

export interface CheckOptions {
  /** Start of all chance; drawn and logged when left out. The same seed makes the same runs. */
  readonly seed?: number;
  /** Seeded runs; default 60. */
  readonly runs?: number;
  /** Steps of one run at most, without the closing ones; default 60. */
  readonly steps?: number;
  /** How long one operation may take before it counts as hanging; default 10,000. */
  readonly timeoutMs?: number;
  /** Gets each line that is worth a look; default console.log. `() => {}` for silence. */
  readonly log?: (line: string) => void;
}

export interface CheckReport {
  readonly seed: number;
  readonly runs: number;
  readonly steps: number;
  /** The same for the same seed, as long as the store answers the same. */
  readonly traceHash: string;
  readonly coverage: Coverage;
}

/** What a check throws: its message is the whole story, for any test runner to show. */
export class ConformanceError extends Error {
  override readonly name = 'ConformanceError';
  /** The law or invariant that is broken, such as `INV-13`. */
  readonly breaks: string;
  /** The run that shows it; null when no run was needed. */
  readonly failure: StoreFailure | null;

  constructor(breaks: string, message: string, failure: StoreFailure | null = null) {
    super(message);
    this.breaks = breaks;
    this.failure = failure;
  }
}

const TIMEOUT_MS = 10_000;

export interface Resolved {
  readonly seed: number;
  readonly runs: number;
  readonly steps: number;
  readonly timeoutMs: number;
  readonly log: (line: string) => void;
}

/** The options with their defaults. @throws RangeError, in one line, for a number that makes no sense. */
export function resolveOptions(options: CheckOptions, runsDefault: number, stepsDefault: number): Resolved {
  const { seed = Math.floor(Math.random() * 0x1_0000_0000), log = console.log } = options;
  const { runs = runsDefault, steps = stepsDefault, timeoutMs = TIMEOUT_MS } = options;
  for (const [name, value, least] of [
    ['seed', seed, 0],
    ['runs', runs, 0],
    ['steps', steps, 1],
    ['timeoutMs', timeoutMs, 1],
  ] as const) {
    if (!Number.isSafeInteger(value) || value < least)
      throw new RangeError(`${name} is ${value}: give a whole number from ${least}`);
  }
  return { seed, runs, steps, timeoutMs, log };
}

/**
 * Runs a store in step with the model on seeded runs.
 * @param makeStore called once a run: a new, empty store with these streams. `close` is called on it at the end.
 * @returns what was run. @throws ConformanceError whose message tells the shortest failing run step by step; TypeError or
 * RangeError, in one line, for a manifest, a store or options that make no sense.
 */
export async function checkStore(
  makeStore: (streams: readonly StreamSpec[]) => MaybePromise<StoreUnderTest>,
  manifest: StoreManifest,
  options: CheckOptions = {},
): Promise<CheckReport> {
  const { log, ...resolved } = resolveOptions(options, 60, 60);
  const { seed } = resolved;
  if (typeof makeStore !== 'function')
    throw new TypeError('makeStore: a function that makes a store with these streams is needed');
  mustBeStoreManifest(manifest);
  const { name = 'the store', kinds: [kind = 'evt'] = [] } = manifest;
  const periodMs = kind === 'tsd' ? 1_000 : 0;
  const probe = await makeStore([{ source: 'host', sensor: 0, kind, periodMs, type: 'uint32' }]);
  const traits = traitsOf(manifest, probe);
  await probe.close?.();
  const begin = async ({ streams }: { streams: readonly StreamSpec[] }): Promise<StoreUnderTest> => makeStore(streams);
  const { runs, steps, seconds, traceHash, coverage, failure } = await judgeRuns(
    { traits, crash: { kind: 'power', keep: 'nothing' }, begin },
    resolved,
  );
  if (failure !== null)
    throw new ConformanceError(
      failure.breaks,
      tellFailure(`checkStore: ${name}`, failure, `{ seed: ${seed} }`),
      failure,
    );
  log(`checkStore: ${name}, seed ${seed}, ${runs} runs, ${steps} steps in ${seconds.toFixed(1)} s, no failure`);
  return { seed, runs, steps, traceHash, coverage };
}
