/**
 * `checkPlatform`: holds somebody's own platform adapter against the port (src/core/port.ts) and puts the whole engine
 * on it, in step with the model, in a test of their own.
 *
 *     test('is a disk', () => checkPlatform((storage) => new FlashPlatform(storage), { name: 'my flash' }));
 *
 * First the laws of the port, one by one on a fresh storage each; then seeded runs of the engine with crashes. A power
 * cut and faults are tried where the manifest says how.
 */
import type { CheckOptions, CheckReport } from './check-store.ts';
import { ConformanceError, resolveOptions } from './check-store.ts';
import { runEngine } from './engine-runs.ts';
import { mustBePlatform, mustBePlatformManifest } from './given.ts';
import type { Law } from './laws/law.ts';
import { PORT_LAWS } from './laws/table.ts';
import type { Breach } from './laws/try-law.ts';
import { tryLaw } from './laws/try-law.ts';
import type { Call } from './observed-disk.ts';
import type { Adapter, MakePlatform, PlatformManifest } from './platform-manifest.ts';
import { offersOf } from './platform-manifest.ts';
import type { StoreFailure } from './store-run.ts';
import { tellCalls, tellFailure } from './tell.ts';

export interface PlatformReport extends CheckReport {
  /** Laws that hold. */
  readonly laws: readonly string[];
  /** Laws that were not tried, because the adapter has no disk or the manifest does not say how. */
  readonly notTried: readonly string[];
}

const RUNS_DEFAULT = 40;
const STEPS_DEFAULT = 60;
const FIRST_LOOK = 'first look';

/** Whether adapters have a disk at all, and what they call themselves. */
async function look({
  makePlatform,
  manifest,
}: Adapter): Promise<{ readonly name: string; readonly hasDisk: boolean }> {
  const platform: unknown = await makePlatform(FIRST_LOOK);
  mustBePlatform(platform);
  await manifest.dispose?.(FIRST_LOOK);
  return { name: manifest.name ?? platform.name, hasDisk: platform.disk !== null };
}

interface BrokenLaw {
  readonly law: Law;
  readonly breach: Breach;
}

/** Tries all laws, so that one report names all that is broken. */
async function holdLaws(
  adapter: Adapter,
  name: string,
  hasDisk: boolean,
): Promise<{ held: string[]; notTried: string[] }> {
  const offers = offersOf(adapter.manifest);
  const held: string[] = [];
  const notTried: string[] = [];
  const broken: BrokenLaw[] = [];
  for (const law of PORT_LAWS) {
    const asked = law.of === 'platform' || (hasDisk && (law.of === undefined || offers.has(law.of)));
    const breach = asked ? await tryLaw(adapter, law) : null;
    // An answer that no port may give breaks the law on answers, whichever law met it.
    if (breach !== null) broken.push({ law: PORT_LAWS.find(({ id }) => id === breach.broken.law) ?? law, breach });
    else (asked ? held : notTried).push(law.id);
  }
  const [first] = broken;
  if (first !== undefined) throw lawFailure(name, first, broken);
  return { held, notTried };
}

function lawFailure(name: string, { law, breach }: BrokenLaw, broken: readonly BrokenLaw[]): ConformanceError {
  const others = new Set(broken.map((each) => each.law).filter((each) => each !== law));
  const lines = [`checkPlatform: ${name} breaks ${law.id}: ${law.statement}`, `  ${breach.broken.message}`];
  if (breach.calls.length > 0) lines.push('', ...tellCalls(breach.calls, 'what was asked of the adapter'));
  if (others.size > 0)
    lines.push('', '  broken as well:', ...[...others].map(({ id, statement }) => `  ${id}: ${statement}`));
  return new ConformanceError(law.id, lines.join('\n'));
}

function runFailure(name: string, seed: number, failure: StoreFailure, calls: readonly Call[]): ConformanceError {
  const law = PORT_LAWS.find(({ id }) => id === failure.breaks);
  const named = law === undefined ? failure : { ...failure, breaks: `${law.id}: ${law.statement}` };
  const told = tellFailure(`checkPlatform: the engine on ${name}`, named, `{ seed: ${seed} }`);
  const asked = calls.length === 0 ? [] : ['', ...tellCalls(calls, 'what was asked of the adapter, at the end')];
  return new ConformanceError(failure.breaks, [told, ...asked].join('\n'), failure);
}

/**
 * Holds an adapter against the laws of the port, then runs the engine on it in step with the model.
 * @returns what was tried. @throws ConformanceError whose message names the law or the invariant and tells the calls, or
 * the shortest failing run, step by step; TypeError or RangeError, in one line, for what is no adapter, no manifest or no
 * option.
 */
export async function checkPlatform(
  makePlatform: MakePlatform,
  manifest: PlatformManifest = {},
  options: CheckOptions = {},
): Promise<PlatformReport> {
  if (typeof makePlatform !== 'function') {
    throw new TypeError('makePlatform: a function that makes a platform on a storage is needed');
  }
  mustBePlatformManifest(manifest);
  const resolved = resolveOptions(options, RUNS_DEFAULT, STEPS_DEFAULT);
  const { seed, log, timeoutMs } = resolved;
  const adapter: Adapter = { makePlatform, manifest, timeoutMs };
  const { name, hasDisk } = await look(adapter);
  const { held, notTried } = await holdLaws(adapter, name, hasDisk);
  const { failure, calls, ...ran } = await runEngine(adapter, hasDisk, resolved);
  if (failure !== null) throw runFailure(name, seed, failure, calls);
  const laws = `${held.length} laws${notTried.length === 0 ? '' : ` (${notTried.length} not tried)`}`;
  log(
    `checkPlatform: ${name}, seed ${seed}, ${laws}, ${ran.runs} runs, ${ran.steps} steps in ${ran.seconds.toFixed(1)} s, no failure`,
  );
  return {
    seed,
    laws: held,
    notTried,
    runs: ran.runs,
    steps: ran.steps,
    traceHash: ran.traceHash,
    coverage: ran.coverage,
  };
}
