/**
 * `checkPlatform`: holds somebody's own platform adapter against the port (src/core/port.ts) and puts the whole engine
 * on it, in step with the model, in a test of their own.
 *
 *     test('is a disk', () => checkPlatform((storage) => new FlashPlatform(storage), { name: 'my flash' }));
 *
 * First the laws of the port, one by one on a fresh storage each; then seeded runs of the engine with crashes. A power
 * cut and faults are tried where the manifest says how.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Platform } from '../../src/core/port.ts';
import type { Scenario } from '../actions.ts';
import type { CrashChoice } from '../simulated-disk.ts';
import type { CheckOptions, CheckReport, Resolved } from './check-store.ts';
import { ConformanceError, resolveOptions } from './check-store.ts';
import { EngineStore } from './engine-store.ts';
import type { Bench, InjectedFault, Law, Offer } from './laws/law.ts';
import { PORT_LAWS } from './laws/table.ts';
import type { Call } from './observed-disk.ts';
import { LawBroken, ObservedDisk } from './observed-disk.ts';
import type { StoreFailure, StoreVerdict, Subject } from './store-run.ts';
import { judgeRuns } from './store-run.ts';
import type { MaybePromise, StoreTraits } from './store-under-test.ts';
import { tellCalls, tellFailure } from './tell.ts';

/**
 * A platform on a storage. The same name is the same storage; one that was never named is empty, and stays reserved for
 * the check until `dispose`.
 */
export type MakePlatform = (storage: string) => MaybePromise<Platform>;

/** What can be done to the adapter beside using it. All of it may be left out. */
export interface PlatformManifest {
  /** For messages; default the platform's own name. */
  readonly name?: string;
  /**
   * What a crash can be without help. `kill` (default): the adapter is dropped, its lock is given back for it, and a
   * new one finds the storage as it was left. `none`: not even that; then only `cutPower` crashes.
   */
  readonly crash?: 'kill' | 'none';
  /** Loses what of this storage is not synced, and its lock. Adapters made on it before are not used again. */
  readonly cutPower?: (storage: string) => MaybePromise<unknown>;
  /** Makes the next such operation on this storage fail with this code; null: none does any more. */
  readonly injectFault?: (storage: string, fault: InjectedFault | null) => MaybePromise<unknown>;
  /** Lets this much time pass for `after`; default: real time. */
  readonly elapse?: (ms: number) => MaybePromise<unknown>;
  /** The storage is not needed any more. */
  readonly dispose?: (storage: string) => MaybePromise<unknown>;
}

export interface PlatformReport extends CheckReport {
  /** Laws that hold. */
  readonly laws: readonly string[];
  /** Laws that were not tried, because the adapter has no disk or the manifest does not say how. */
  readonly notTried: readonly string[];
}

const KILL: CrashChoice = { kind: 'kill', underWay: 'undone' };
const POWER: CrashChoice = { kind: 'power', keep: 'nothing' };
/** In the smallest pool of a run every record may take a sector of its own. */
const CAPACITY_RECORDS = { disk: 8, ram: 64 } as const;

/** The law that a run of the engine breaks when the adapter answered what no port may. */
class Checked {
  readonly #makePlatform: MakePlatform;
  readonly #manifest: PlatformManifest;
  readonly #timeoutMs: number;

  constructor(makePlatform: MakePlatform, manifest: PlatformManifest, timeoutMs: number) {
    this.#makePlatform = makePlatform;
    this.#manifest = manifest;
    this.#timeoutMs = timeoutMs;
  }

  offers(): ReadonlySet<Offer> {
    const { crash = 'kill', cutPower, injectFault } = this.#manifest;
    const offers: Offer[] = [];
    if (crash === 'kill') offers.push('kill');
    if (cutPower !== undefined) offers.push('power');
    if (injectFault !== undefined) offers.push('faults');
    return new Set(offers);
  }

  /** Whether adapters have a disk at all, and what they call themselves. */
  async look(): Promise<{ readonly name: string; readonly hasDisk: boolean }> {
    const platform = await this.#makePlatform('first look');
    await this.#manifest.dispose?.('first look');
    return { name: this.#manifest.name ?? platform.name, hasDisk: platform.disk !== null };
  }

  /** @returns what is wrong, or null. */
  async tryLaw(law: Law): Promise<{ readonly broken: LawBroken; readonly calls: readonly Call[] } | null> {
    const storage = `law ${law.id}`;
    const platform = await this.#makePlatform(storage);
    const observed = platform.disk === null ? null : new ObservedDisk(platform.disk, this.#timeoutMs);
    let holder = observed;
    try {
      if (observed !== null) await this.#lock(observed);
      await law.check(
        this.#bench(storage, platform, observed, (disk) => {
          holder = disk;
        }),
      );
      await holder?.unlock();
      return null;
    } catch (thrown) {
      // A law that stumbles over an answer it could not foresee is broken by that answer.
      const [line] = String(thrown instanceof Error ? thrown.message : thrown).split('\n');
      const broken = thrown instanceof LawBroken ? thrown : new LawBroken(`the law could not be tried: ${line}`);
      const calls = [...(observed?.calls ?? [])];
      // Whatever the lock is now: the storage is given up.
      await holder?.unlock().catch(() => {});
      return { broken: broken.law === law.id ? new LawBroken(broken.message) : broken, calls };
    } finally {
      await this.#manifest.dispose?.(storage);
    }
  }

  async #lock(disk: ObservedDisk): Promise<void> {
    const locked = await disk.lock();
    if (!locked.ok) throw new LawBroken(`lock of a new storage was refused: ${JSON.stringify(locked)}`);
  }

  #bench(
    storage: string,
    platform: Platform,
    observed: ObservedDisk | null,
    holds: (disk: ObservedDisk) => void,
  ): Bench {
    const disk = observed as ObservedDisk;
    // Calls of all adapters of a law are one story.
    const another = async (): Promise<ObservedDisk> => {
      const next = new ObservedDisk(
        (await this.#makePlatform(storage)).disk as ObservedDisk,
        this.#timeoutMs,
        disk.calls,
      );
      disk.note('another adapter on the same storage', 'made');
      return next;
    };
    const after = async (what: string, crash: () => MaybePromise<unknown>): Promise<ObservedDisk> => {
      await crash();
      disk.note(what, '');
      const next = await another();
      holds(next);
      await this.#lock(next);
      return next;
    };
    const { cutPower, injectFault, elapse } = this.#manifest;
    return {
      platform,
      disk,
      another,
      kill: () => after('the process is killed', () => platform.disk?.unlock()),
      cutPower: () => after('power is cut', () => cutPower?.(storage)),
      inject: async (fault) => {
        disk.note(
          fault === null ? 'no fault any more' : `the next ${fault.operation} is to fail with ${fault.code}`,
          '',
        );
        await injectFault?.(storage, fault);
      },
      elapse: async (ms) => void (await (elapse ?? sleep)(ms)),
    };
  }

  /** What runs are made of. `last` gets the store of the newest run, for its calls. */
  subject(hasDisk: boolean, crash: CrashChoice | null, last: { store: EngineStore | null }): Subject {
    const { cutPower, injectFault, dispose } = this.#manifest;
    let runs = 0;
    const traits: StoreTraits = {
      durable: hasDisk,
      supports: new Set(['revert', 'discard', 'flush', 'inspect', ...(crash === null ? [] : (['crash'] as const))]),
      kinds: ['tsd', 'evt'],
      streamsMax: 4,
      capacityRecords: hasDisk ? CAPACITY_RECORDS.disk : CAPACITY_RECORDS.ram,
      cutsFlushes: hasDisk,
      faults: hasDisk && injectFault !== undefined ? [{ code: 'IO', shortBytes: 0 }, { code: 'IO' }] : [],
    };
    const begin = async (scenario: Scenario): Promise<EngineStore> => {
      const storage = `run ${crash?.kind ?? ''} ${++runs}`;
      const store = new EngineStore(scenario, {
        makePlatform: () => this.#makePlatform(storage),
        cutPower: crash?.kind === 'power' && cutPower !== undefined ? () => cutPower(storage) : null,
        inject: injectFault === undefined ? null : (fault) => injectFault(storage, fault),
        dispose: () => dispose?.(storage),
        timeoutMs: this.#timeoutMs,
      });
      last.store = store;
      await store.recover();
      return store;
    };
    return { traits, crash: crash ?? KILL, begin };
  }
}

/** Tries all laws, so that one report names all that is broken. */
async function holdLaws(
  checked: Checked,
  name: string,
  hasDisk: boolean,
): Promise<{ held: string[]; notTried: string[] }> {
  const offers = checked.offers();
  const held: string[] = [];
  const notTried: string[] = [];
  const broken: { law: Law; found: NonNullable<Awaited<ReturnType<Checked['tryLaw']>>> }[] = [];
  for (const law of PORT_LAWS) {
    const asked = law.of === 'platform' || (hasDisk && (law.of === undefined || offers.has(law.of)));
    const found = asked ? await checked.tryLaw(law) : null;
    if (found !== null) broken.push({ law: PORT_LAWS.find(({ id }) => id === found.broken.law) ?? law, found });
    else (asked ? held : notTried).push(law.id);
  }
  const [first] = broken;
  if (first === undefined) return { held, notTried };
  const others = [...new Set(broken.map(({ law }) => law))].filter((law) => law !== first.law);
  const lines = [
    `checkPlatform: ${name} breaks ${first.law.id}: ${first.law.statement}`,
    `  ${first.found.broken.message}`,
    ...(first.found.calls.length === 0 ? [] : ['', ...tellCalls(first.found.calls, 'what was asked of the adapter')]),
    ...(others.length === 0
      ? []
      : ['', '  broken as well:', ...others.map(({ id, statement }) => `  ${id}: ${statement}`)]),
  ];
  throw new ConformanceError(first.law.id, lines.join('\n'));
}

function runFailure(name: string, seed: number, failure: StoreFailure, store: EngineStore | null): ConformanceError {
  const law = PORT_LAWS.find(({ id }) => id === failure.breaks);
  const what = `checkPlatform: the engine on ${name}`;
  const told = tellFailure(
    what,
    law === undefined ? failure : { ...failure, breaks: `${law.id}: ${law.statement}` },
    `{ seed: ${seed} }`,
  );
  const calls = store === null ? [] : ['', ...tellCalls(store.calls, 'what was asked of the adapter, at the end')];
  return new ConformanceError(failure.breaks, [told, ...calls].join('\n'), failure);
}

/**
 * Holds an adapter against the laws of the port, then runs the engine on it in step with the model.
 * @returns what was tried. @throws ConformanceError whose message names the law or the invariant and tells the calls, or
 * the shortest failing run, step by step.
 */
export async function checkPlatform(
  makePlatform: MakePlatform,
  manifest: PlatformManifest = {},
  options: CheckOptions = {},
): Promise<PlatformReport> {
  if (typeof makePlatform !== 'function')
    throw new TypeError('makePlatform: a function that makes a platform on a storage is needed');
  const resolved = resolveOptions(options, 40, 60);
  const { seed, log } = resolved;
  const checked = new Checked(makePlatform, manifest, resolved.timeoutMs);
  const { name, hasDisk } = await checked.look();
  const { held, notTried } = await holdLaws(checked, name, hasDisk);
  const verdict = await runEngine(checked, name, hasDisk, resolved);
  const untried = notTried.length === 0 ? '' : ` (${notTried.length} not tried)`;
  const { runs, steps, seconds, traceHash, coverage } = verdict;
  log(
    `checkPlatform: ${name}, seed ${seed}, ${held.length} laws${untried}, ${runs} runs, ${steps} steps in ${seconds.toFixed(1)} s, no failure`,
  );
  return { seed, laws: held, notTried, runs, steps, traceHash, coverage };
}

/** Half of the runs with each kind of crash that there is. */
async function runEngine(checked: Checked, name: string, hasDisk: boolean, resolved: Resolved): Promise<StoreVerdict> {
  const offers = checked.offers();
  const crashes = [...(offers.has('kill') ? [KILL] : []), ...(offers.has('power') && hasDisk ? [POWER] : [])];
  const verdicts: StoreVerdict[] = [];
  for (const [i, crash] of (crashes.length === 0 ? [null] : crashes).entries()) {
    const last: { store: EngineStore | null } = { store: null };
    const runs = Math.ceil(resolved.runs / Math.max(1, crashes.length));
    const verdict = await judgeRuns(checked.subject(hasDisk, crash, last), {
      ...resolved,
      seed: resolved.seed + i,
      runs,
    });
    if (verdict.failure !== null) throw runFailure(name, resolved.seed, verdict.failure, last.store);
    verdicts.push(verdict);
  }
  return verdicts.reduce((sum, verdict) => merged(sum, verdict));
}

function merged(a: StoreVerdict, b: StoreVerdict): StoreVerdict {
  for (const [event, count] of b.coverage.events)
    a.coverage.events.set(event, (a.coverage.events.get(event) ?? 0) + count);
  for (const [id, count] of b.coverage.witnesses)
    a.coverage.witnesses.set(id, (a.coverage.witnesses.get(id) ?? 0) + count);
  for (const [edge, count] of b.coverage.edges) a.coverage.edges.set(edge, (a.coverage.edges.get(edge) ?? 0) + count);
  return {
    runs: a.runs + b.runs,
    steps: a.steps + b.steps,
    seconds: a.seconds + b.seconds,
    traceHash: `${a.traceHash}${b.traceHash}`,
    coverage: a.coverage,
    failure: null,
  };
}
