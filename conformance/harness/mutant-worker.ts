/** A thread in which one file of the engine has another text: runs one numbered test, in its quick form, and says how it ended. */
import { registerHooks, stripTypeScriptTypes } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import type { MutantJob } from './mutants.ts';

const { test, seed, url, source } = workerData as MutantJob;

if (url !== null && source !== null) {
  const text = stripTypeScriptTypes(source);
  registerHooks({
    load: (asked, context, next) =>
      asked === url ? { format: 'module', source: text, shortCircuit: true } : next(asked, context),
  });
}

// Loaded behind the hook, so that they get the changed file.
const { runTest } = await import('./run.ts');
const { TESTS } = await import('./table.ts');
const wanted = TESTS.find(({ number }) => number === test);
if (wanted === undefined) throw new Error(`there is no test ${test}`);
parentPort?.postMessage(await runTest(wanted, { profile: 'linux', seed, quick: true }));
