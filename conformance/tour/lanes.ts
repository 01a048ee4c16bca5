/**
 * Who walks the scopes: this thread, or as many threads as there are jobs. A scope goes in and what was found comes out,
 * as data; each walk is the same in any thread.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { parentPort, Worker, workerData } from 'node:worker_threads';
import { hashedStep } from '../campaign/batch.ts';
import type { Coverage } from '../model-run.ts';
import { newCoverage } from '../model-run.ts';
import type { Failure } from '../saved-traces.ts';
import { shrinkFailure } from '../shrink.ts';
import type { Shrinking } from '../shrinking/progress.ts';
import { onShrinking, tellShrinking } from '../shrinking/progress.ts';
import type { TourScope } from './scopes.ts';
import type { WalkResult } from './walk.ts';
import { Walk } from './walk.ts';

export interface ScopeResult {
  readonly walk: WalkResult;
  readonly coverage: Coverage;
  /** Of every action of the walk and every mark behind it. */
  readonly hash: string;
  readonly failure: Failure | null;
}

type OnProgress = (taken: number, edges: number) => void;

/** Walks one scope in this thread; a failure comes shrunk. */
export async function walkScope(of: TourScope, onProgress: OnProgress): Promise<ScopeResult> {
  const coverage = newCoverage();
  const hash = createHash('sha256');
  const walk = new Walk(of, coverage, (action, run) => hash.update(hashedStep(action, run)));
  const { result, failure: found } = await walk.run(onProgress);
  const failure =
    found === null
      ? null
      : await shrinkFailure({ scenario: of.scenario, ...found }, { seed: 0, runs: result.legs, path: null });
  return { walk: result, coverage, hash: hash.digest('hex'), failure };
}

/** This file, as source or as built. */
const OWN_FILE = new URL(import.meta.url);
const IS_LANE = 'imatrix-memory-manager conformance tour';

type Said =
  | { readonly progress: readonly [number, number] }
  | { readonly shrinking: Shrinking }
  | { readonly result: ScopeResult };

async function walkInThread(of: TourScope, onProgress: OnProgress): Promise<ScopeResult> {
  const worker = new Worker(OWN_FILE, { workerData: IS_LANE });
  const over = new AbortController();
  try {
    worker.postMessage(of);
    const answered = new Promise<ScopeResult>((resolve) => {
      worker.on('message', (said: Said) => {
        if ('result' in said) resolve(said.result);
        else if ('shrinking' in said) tellShrinking(said.shrinking);
        else onProgress(...said.progress);
      });
    });
    const ended = once(worker, 'exit', { signal: over.signal });
    const result = await Promise.race([answered, ended]);
    if (Array.isArray(result)) throw new Error(`a thread of the tour ended with code ${result[0]}`);
    return result;
  } finally {
    over.abort();
    await worker.terminate();
  }
}

/** Walks all scopes, so many at a time. @returns what was found, in the order of the scopes. */
export async function walkScopes(
  scopes: readonly TourScope[],
  jobs: number,
  onProgress: (scope: string, taken: number, edges: number) => void,
): Promise<ScopeResult[]> {
  const results: ScopeResult[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let at = next++; at < scopes.length; at = next++) {
      const of = scopes[at] as TourScope;
      const walk = jobs === 1 ? walkScope : walkInThread;
      results[at] = await walk(of, (taken, edges) => onProgress(of.scope.name, taken, edges));
    }
  };
  await Promise.all(Array.from({ length: jobs }, lane));
  return results;
}

if (workerData === IS_LANE && parentPort !== null) {
  const port = parentPort;
  port.once('message', async (of: TourScope) => {
    const say = (said: Said): void => port.postMessage(said);
    onShrinking((shrinking) => say({ shrinking }));
    say({ result: await walkScope(of, (taken, edges) => say({ progress: [taken, edges] })) });
  });
}
