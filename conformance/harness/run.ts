/** Runs numbered tests one after the other, each in a directory of its own, and says how each ended. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Profile } from '../actions.ts';
import { Bench, HarnessFailure } from './bench.ts';
import type { HarnessTest } from './table.ts';
import { testsOf } from './table.ts';

export interface TestResult extends HarnessTest {
  readonly profile: Profile;
  readonly passed: boolean;
  /** Comparisons made. */
  readonly checks: number;
  readonly milliseconds: number;
  /** What was expected and what was seen; null when it passed. */
  readonly failure: string | null;
  readonly expected: string | null;
  readonly seen: string | null;
  readonly deeds: readonly string[];
  readonly sights: readonly string[];
  readonly figures: readonly string[];
}

export interface RunOptions {
  readonly profile: Profile;
  readonly seed: number;
  readonly quick: boolean;
  readonly onProgress?: (what: string) => void;
}

/** The seed of one test, so that it draws the same whether others run before it or not. */
const seedOf = (seed: number, number: number): number => (seed + Math.imul(number, 0x9e37_79b1)) >>> 0;

export async function runTest(test: HarnessTest, options: RunOptions): Promise<TestResult> {
  const { profile, seed, quick, onProgress } = options;
  const run = (await testsOf(test.group))[test.number];
  if (run === undefined) throw new Error(`test ${test.number} has no code`);
  const directory = await mkdtemp(join(tmpdir(), `imatrix-mm-harness-${test.number}-`));
  const said = (what: string): void => onProgress?.(`test ${test.number}, ${test.title}: ${what}`);
  const bench = new Bench({ profile, directory, seed: seedOf(seed, test.number), quick, onProgress: said });
  const startedMs = performance.now();
  const thrown = await outcomeOf(bench, run);
  await rm(directory, { recursive: true, force: true });
  const failure = thrown === null ? null : messageOf(thrown);
  return {
    ...test,
    profile,
    passed: failure === null,
    checks: bench.checks,
    milliseconds: Math.round(performance.now() - startedMs),
    failure,
    expected: thrown instanceof HarnessFailure ? thrown.expected : null,
    seen: thrown instanceof HarnessFailure ? thrown.seen : failure,
    deeds: bench.deeds,
    sights: bench.sights,
    figures: bench.figures,
  };
}

/** @returns what ended the test early, an assertion that nobody awaits included; null when it passed. */
async function outcomeOf(bench: Bench, run: (bench: Bench) => Promise<void>): Promise<unknown> {
  let heard: unknown = null;
  const overhear = (reason: unknown): void => {
    heard ??= reason;
  };
  process.on('unhandledRejection', overhear);
  try {
    await run(bench);
    if (!bench.hasDisk) bench.equal('files of a store without a disk', await readdir(bench.directory), []);
    bench.holds('comparisons', bench.checks > 0, 'some', () => bench.checks);
  } catch (thrown) {
    return thrown;
  } finally {
    await bench.end().catch(overhear);
    process.off('unhandledRejection', overhear);
  }
  return heard;
}

function messageOf(thrown: unknown): string {
  if (thrown instanceof HarnessFailure) return thrown.message;
  return `it ended with ${thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown)}`;
}
