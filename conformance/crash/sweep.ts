/**
 * One run with a crash at each of its I/O steps: everything that may be left, a recovery from it, and of some of them a
 * second crash at each I/O step of that recovery.
 *
 * The run is taken twice. The first time tells which eviction each batch of the log has in it, because one that was being
 * made durable when power failed may have been done; the second time goes from crash to crash.
 */
import { createHash } from 'node:crypto';
import type { ModelEvent } from '../../model/vocabulary.ts';
import type { Action } from '../actions.ts';
import { macrotask } from '../answers.ts';
import { Divergence } from '../divergence.ts';
import { StoreRun } from '../driver.ts';
import { cellName } from '../evidence/cells.ts';
import type { Script } from '../faults/scripts.ts';
import type { Coverage } from '../model-run.ts';
import { keepShorter, newCoverage, tally } from '../model-run.ts';
import type { CrashChoice } from '../simulated-disk.ts';
import { VirtualClock } from '../virtual-clock.ts';
import type { Evicting } from './account.ts';
import { accountOf, alsoEvictedAfter } from './account.ts';
import type { Account, Finding } from './oracle.ts';
import { judgeReopened, startOpen } from './reopened.ts';
import type { ResidueClass } from './residues.ts';
import { residuesOf } from './residues.ts';
import { CrashSite, imageKey } from './site.ts';

/** How many crash images of which kind there were, as `I/O step | residue`. */
export type Counts = Map<string, number>;

export interface SweepFailure {
  readonly finding: Finding;
  /** The run up to the crash, the crash, and with a second one the recovery up to it. */
  readonly actions: readonly Action[];
}

export interface Swept {
  readonly name: string;
  /** Moments at which power failed: one for each I/O step, fewer where nothing had changed since the last. */
  readonly sites: number;
  /** What was left in all, by every rule of the enumeration. */
  readonly enumerated: number;
  /** Images that differ from each other in what they hold or in what is demanded of them; each was recovered and judged. */
  readonly images: number;
  /** Second crashes inside a recovery, each recovered and judged. */
  readonly doubleCrashes: number;
  readonly counts: Counts;
  readonly coverage: Coverage;
  readonly steps: number;
  readonly hash: string;
  readonly failure: SweepFailure | null;
}

export interface SweepOptions {
  readonly seed: number;
  /** One crash image in so many; 1 for all. */
  readonly oneIn: number;
  /** A second crash behind one image in so many. */
  readonly doubleOneIn: number;
}

/** What a batch of the log did, that was made durable in a step. */
interface Batch {
  /** Heads behind it, when an eviction was in it. */
  readonly evictedTo: readonly number[] | undefined;
}

/** What a second crash leaves of what recovery has not made durable. */
const SECOND: readonly CrashChoice[] = [
  { kind: 'power', keep: 'nothing' },
  { kind: 'power', keep: 'everything' },
  { kind: 'kill', underWay: 'done' },
];
const SECOND_DRAWN = 3;

export class Sweep {
  readonly #script: Script;
  readonly #options: SweepOptions;
  readonly #coverage = newCoverage();
  readonly #counts: Counts = new Map();
  readonly #hash = createHash('sha256');
  readonly #known = new Set<string>();
  readonly #taken: Action[] = [];
  #storeId: string | null = null;
  #alsoEvicted: readonly number[] = [];
  #evicting: Evicting;
  #sites = 0;
  #enumerated = 0;
  #images = 0;
  #doubleCrashes = 0;
  #lastSite = '';
  #failure: SweepFailure | null = null;

  constructor(script: Script, options: SweepOptions) {
    this.#script = script;
    this.#options = options;
  }

  async run(): Promise<Swept> {
    // An assertion of the engine that nobody awaits belongs to the image that was being recovered.
    let heard: unknown = null;
    const overhear = (reason: unknown): void => {
      heard ??= reason;
    };
    process.on('unhandledRejection', overhear);
    try {
      await this.#sweep(() => {
        const last = heard;
        heard = null;
        return last;
      });
    } finally {
      process.off('unhandledRejection', overhear);
    }
    return {
      name: this.#script.name,
      sites: this.#sites,
      enumerated: this.#enumerated,
      images: this.#images,
      doubleCrashes: this.#doubleCrashes,
      counts: this.#counts,
      coverage: this.#coverage,
      steps: this.#taken.length,
      hash: this.#hash.digest('hex'),
      failure: this.#failure,
    };
  }

  async #sweep(heard: () => unknown): Promise<void> {
    const batches: (Batch | 'cut off' | null)[] = [];
    await this.#walk(newCoverage(), async (run) => {
      batches.push(batchOf(run));
    });
    if (this.#failure !== null) return;
    this.#taken.length = 0;
    this.#storeId = null;
    this.#alsoEvicted = [];
    this.#evicting = undefined;
    await this.#walk(this.#coverage, async (run) => {
      const { lifecycle } = run.model;
      // Until a recovery has told, what was under way when the run's own crash came may have been done.
      if (lifecycle !== 'crashed' && lifecycle !== 'recovering') {
        const coming = batches.slice(this.#taken.length).find((batch) => batch !== null);
        const batch = coming === 'cut off' ? await this.#batchUnderWay() : coming;
        this.#evicting = batch?.evictedTo;
      }
      await this.#crashAt(run, this.#evicting, heard);
    });
  }

  /** The next batch, had the run's own crash not cut it off: what is under way goes on in a run beside this one. */
  async #batchUnderWay(): Promise<Batch | null> {
    const run = new StoreRun(this.#script.scenario, newCoverage());
    for (const action of this.#taken) await run.take(action);
    while (run.view().ioUnderWay > 0) {
      await run.take({ do: 'io', pick: 0 });
      const batch = batchOf(run);
      if (batch !== null) return batch === 'cut off' ? null : batch;
    }
    return null;
  }

  /** Takes the run with each drain as the I/O steps that it is. */
  async #walk(coverage: Coverage, atStep: (run: StoreRun) => Promise<void>): Promise<void> {
    const run = new StoreRun(this.#script.scenario, coverage);
    const take = async (action: Action): Promise<void> => {
      const taken = await run.take(action).catch((thrown: unknown) => this.#partAt(action, thrown));
      if (!taken) return;
      this.#taken.push(action);
      this.#storeId = run.engine?.storeId ?? this.#storeId;
      this.#alsoEvicted = alsoEvictedAfter(run, this.#alsoEvicted);
      await atStep(run);
    };
    for (const action of this.#script.actions) {
      const times = action.do === 'io' ? (action.times ?? 1) : 0;
      if (action.do === 'drain')
        while (run.view().ioUnderWay > 0 && this.#failure === null) await take({ do: 'io', pick: 0 });
      else if (action.do === 'io') for (let i = 0; i < times; i++) await take({ do: 'io', pick: action.pick });
      else await take(action);
      if (this.#failure !== null) return;
    }
  }

  /** Model and engine part without a crash: that is a failure too, and ends the sweep. */
  #partAt(action: Action, thrown: unknown): false {
    const finding =
      thrown instanceof Divergence
        ? { breaks: thrown.breaks, message: thrown.message }
        : asFinding(thrown ?? 'nothing');
    this.#failure = { finding: finding as Finding, actions: [...this.#taken, action] };
    return false;
  }

  async #crashAt(run: StoreRun, evicting: Evicting, heard: () => unknown): Promise<void> {
    const { disk, model } = run;
    const crashable = model.enabled({ type: 'CRASH' }) || model.enabled({ type: 'RECOVERY_CRASHED' });
    if (disk === null || !crashable) return;
    const site = new CrashSite(disk);
    const account = accountOf(run, { storeId: this.#storeId, evicting, alsoEvicted: this.#alsoEvicted });
    const demanded = JSON.stringify(account);
    // Between two steps that touch no disk and change no mark there is nothing that a crash could tell apart.
    const siteKey = `${disk.pending()[0]?.id}:${site.units.length}:${demanded}`;
    if (siteKey === this.#lastSite) return;
    this.#lastSite = siteKey;
    const io = disk.pending()[0]?.kind ?? 'none';
    const seed = (this.#options.seed ^ Math.imul(++this.#sites, 0x85eb_ca6b)) >>> 0;
    for (const { of, choice } of residuesOf(site.units, seed)) {
      if (this.#failure !== null) return;
      if (this.#enumerated++ % this.#options.oneIn !== 0) continue;
      const clock = new VirtualClock();
      const image = site.leaves(choice, clock);
      const key = `${imageKey(image)}|${choice.kind}|${demanded}`;
      if (this.#known.has(key)) continue;
      this.#known.add(key);
      this.#images++;
      tally(this.#counts, `${io} | ${of}`);
      const cell = cellName(model.lastEdge, io, site.residue(choice));
      const actions: Action[] = [...this.#taken, { do: 'crash', choice }];
      tally(this.#coverage.cells, cell);
      keepShorter(this.#coverage, cell, { scenario: this.#script.scenario, actions });
      const { finding, found } = await judgeReopened(this.#script.scenario, account, image, clock);
      this.#hash.update(`${of} ${found?.epoch} ${found?.streams.map(({ head, appended }) => `${head}-${appended}`)}\n`);
      const wrong = asFinding(heard()) ?? finding;
      if (wrong !== null) this.#failure = { finding: wrong, actions };
      else if (this.#images % this.#options.doubleOneIn === 0)
        await this.#crashAgain(site, choice, { io, of, account, actions, seed }, heard);
    }
  }

  /** Recovery from the image is cut off at each of its I/O steps. */
  async #crashAgain(
    site: CrashSite,
    choice: CrashChoice,
    first: { io: string; of: ResidueClass; account: Account; actions: readonly Action[]; seed: number },
    heard: () => unknown,
  ): Promise<void> {
    const { scenario } = this.#script;
    const account = { ...first.account, opensCutOff: first.account.opensCutOff + 1 };
    const known = new Set<string>();
    for (let steps = 0; ; steps++) {
      const clock = new VirtualClock();
      const disk = site.leaves(choice, clock);
      disk.autoSteps = steps;
      void startOpen(scenario, disk, clock);
      await macrotask();
      if (disk.pending().length === 0) return;
      const again = new CrashSite(disk);
      const drawn = Array.from(
        { length: SECOND_DRAWN },
        (_, i): CrashChoice => ({ kind: 'power', keep: { seed: (first.seed + steps * 31 + i) >>> 0 } }),
      );
      for (const second of [...SECOND, ...drawn]) {
        const image = again.leaves(second, clock);
        const key = imageKey(image);
        if (known.has(key)) continue;
        known.add(key);
        this.#doubleCrashes++;
        tally(this.#counts, `${first.io} | twice`);
        const { finding } = await judgeReopened(scenario, account, image, clock);
        const wrong = asFinding(heard()) ?? finding;
        if (wrong === null) continue;
        const cut: Action[] = steps === 0 ? [] : [{ do: 'io', pick: 0, times: steps }];
        this.#failure = {
          finding: { ...wrong, message: `after a second crash, in recovery: ${wrong.message}` },
          actions: [...first.actions, { do: 'open' }, ...cut, { do: 'crash', choice: second }],
        };
        return;
      }
    }
  }
}

const asFinding = (heard: unknown): Finding | null =>
  heard === null
    ? null
    : { breaks: 'assertion', message: heard instanceof Error ? (heard.stack ?? heard.message) : String(heard) };

/** What the step made durable in the log, as the model heard of it; `cut off` when the run lost power in it. */
function batchOf({ observed, model }: StoreRun): Batch | 'cut off' | null {
  const has = (...types: readonly ModelEvent['type'][]): boolean => observed.some(({ type }) => types.includes(type));
  if (has('CRASH', 'RECOVERY_CRASHED')) return 'cut off';
  if (!has('CHECKPOINT', 'FLUSH_DONE')) return null;
  return { evictedTo: has('EVICT') ? model.context.streams.map(({ head }) => head) : undefined };
}
