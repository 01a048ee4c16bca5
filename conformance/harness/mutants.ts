/**
 * Runs numbered tests in their quick form on an engine with one line changed, each in a thread of its own: the changed file
 * is given to that thread in place of the one on disk, so that nothing is written and nothing else sees it.
 */
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { plantingOf } from '../museum/exhibit.ts';
import type { HarnessMutation } from './mutations.ts';
import type { TestResult } from './run.ts';
import { TESTS } from './table.ts';

const ROOT = join(import.meta.dirname, '../..');
/** A test that takes longer in its quick form does not end, which is red as well. */
const NEVER_ENDS_MS = 30_000;

export interface MutationRow {
  readonly test: number;
  readonly title: string;
  readonly file: string;
  readonly bug: string;
  /** Whether the test failed, as it must. */
  readonly red: boolean;
  /** What the test said of it. */
  readonly said: string;
}

/** What a thread gets: which test to run, and the text that one file is to have there; null for none. */
export interface MutantJob {
  readonly test: number;
  readonly seed: number;
  readonly url: string | null;
  readonly source: string | null;
}

/** @throws with one clear line where the sources are not there to be changed. */
export function needSources(): void {
  if (existsSync(join(ROOT, 'src/core/engine.ts'))) return;
  throw new Error(
    '--mutations needs the sources of the project, which an installed package does not have: use a clone',
  );
}

/** One test in a thread; null: it did not end. */
function runIn(job: MutantJob): Promise<TestResult | string> {
  // What a changed file ran is nothing that the one on disk ran: a measurement of coverage must not add the two up.
  const { NODE_V8_COVERAGE: _, ...env } = process.env;
  return new Promise((resolve) => {
    const worker = new Worker(new URL('./mutant-worker.ts', import.meta.url), {
      workerData: job,
      env,
      stdout: true,
      stderr: true,
    });
    const end = (result: TestResult | string): void => {
      clearTimeout(timer);
      resolve(result);
      void worker.terminate();
    };
    const timer = setTimeout(() => end(`no end within ${NEVER_ENDS_MS / 1_000} s`), NEVER_ENDS_MS);
    worker.once('message', (result: TestResult) => end(result));
    worker.once('error', (error) => end(`it ended with ${error.message}`));
    worker.once('exit', () => end('it ended without an answer'));
  });
}

async function tryOne(mutation: HarnessMutation, seed: number): Promise<MutationRow> {
  const { test, file, bug } = mutation;
  const source = plantingOf(ROOT, mutation).files.get(file) ?? null;
  const result = await runIn({ test, seed, url: pathToFileURL(join(ROOT, file)).href, source });
  const title = TESTS.find(({ number }) => number === test)?.title ?? '';
  const red = typeof result === 'string' || !result.passed;
  const said = typeof result === 'string' ? result : (result.failure ?? 'nothing: it passed');
  return { test, title, file, bug, red, said: said.split('\n')[0] ?? '' };
}

/** The same test on the engine as it is: a test that is red anyway says nothing of its mutation. */
export async function passesUnchanged(test: number, seed: number): Promise<string | null> {
  const result = await runIn({ test, seed, url: null, source: null });
  return typeof result === 'string' ? result : result.failure;
}

/** In the order of `mutations`, whatever ends first. */
export async function runMutations(
  mutations: readonly HarnessMutation[],
  seed: number,
  onDone: (done: number) => void = () => {},
): Promise<MutationRow[]> {
  const rows: MutationRow[] = [];
  let [next, done] = [0, 0];
  const lane = async (): Promise<void> => {
    while (next < mutations.length) {
      const at = next++;
      rows[at] = await tryOne(mutations[at] as HarnessMutation, seed);
      onDone(++done);
    }
  };
  await Promise.all(Array.from({ length: Math.min(4, Math.max(1, availableParallelism())) }, lane));
  return rows;
}
