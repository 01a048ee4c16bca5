/**
 * A bare ECMAScript engine: QuickJS with no console, no timers, no modules but those handed in.
 */
import { getQuickJS } from 'quickjs-emscripten';

/**
 * Runs `entry`, a module that exports `run`, and answers with what its promise resolved to, by way of JSON.
 * @param modules by the specifier under which they are imported. @param prelude runs before anything is loaded.
 * @throws Error with the engine's own message and stack when anything throws in it.
 */
export async function runInQuickJs(
  entry: string,
  modules: Readonly<Record<string, string>>,
  prelude = '',
): Promise<unknown> {
  const quickJs = await getQuickJS();
  const runtime = quickJs.newRuntime();
  const context = runtime.newContext();
  try {
    runtime.setModuleLoader(
      (name) => modules[name] ?? { error: new Error(`a bare engine has no module "${name}"`) },
      (_base, requested) => requested,
    );
    const main = `
      import { run } from ${JSON.stringify(entry)};
      const told = (what) => { globalThis.report = JSON.stringify(what); };
      run().then((value) => told({ value }), (error) => told({ error: String(error) + '\\n' + error.stack }));`;
    context.unwrapResult(context.evalCode(prelude)).dispose();
    context.unwrapResult(context.evalCode(main, 'main.js', { type: 'module' })).dispose();
    runtime.executePendingJobs().dispose();
    const report = context.getProp(context.global, 'report').consume((handle) => context.dump(handle) as unknown);
    if (typeof report !== 'string') throw new Error('the scenario waits for something that never comes');
    const told = JSON.parse(report) as { value?: unknown; error?: string };
    if (told.error !== undefined) throw new Error(told.error);
    return told.value;
  } finally {
    context.dispose();
    runtime.dispose();
  }
}
