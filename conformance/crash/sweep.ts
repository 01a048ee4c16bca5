/**
 * One run with a crash at each of its I/O steps: everything that may be left, a recovery from it, and of some of them a
 * second crash at each I/O step of that recovery.
 *
 * The run is taken more than once. First for its steps, and for the evictions that were being made durable at each of
 * them (coming.ts), because one that power cut off may have been done; then from crash to crash.
 */
import { createHash } from 'node:crypto';
import type { Action, Scenario } from '../actions.ts';
import { Divergence } from '../divergence.ts';
import { StoreRun } from '../driver.ts';
import { cellName, ioStepOf } from '../evidence/cells.ts';
import type { Script } from '../faults/scripts.ts';
import type { Coverage } from '../model-run.ts';
import { keepShorter, newCoverage, tally } from '../model-run.ts';
import { VirtualClock } from '../virtual-clock.ts';
import { accountOf, alsoEvictedAfter } from './account.ts';
import type { Evicting } from './coming.ts';
import { evictionsComing } from './coming.ts';
import type { Account, Finding } from './oracle.ts';
import type { Revived } from './reopened.ts';
import { judgeRevived, revive } from './reopened.ts';
import type { EnumeratedResidue } from './residues.ts';
import { residuesOf } from './residues.ts';
import { secondCrashes } from './second.ts';
import { CrashSite, imageHash, imageKey } from './site.ts';

/** How many crash images of which kind there were, as `I/O step | residue`. */
export type Counts = Map<string, number>;

export interface SweepFailure {
  readonly finding: Finding;
  readonly scenario: Scenario;
  /** The run up to the crash, the crash, and with a second one the recovery up to it. */
  readonly actions: readonly Action[];
}

export interface Swept {
  readonly name: string;
  /** Moments at which power failed: one for each I/O step, fewer where nothing had changed since the last. */
  readonly sites: number;
  /** What was left in all, by every rule of the enumeration. */
  readonly enumerated: number;
  /** Crashes that differ in their image or in what is demanded behind it; each was judged. */
  readonly judged: number;
  /** By I/O step and residue: images of this run, each different, and recovered from. */
  readonly counts: Counts;
  /** The same for second crashes, by the I/O step of recovery. */
  readonly again: Counts;
  /** By edge of the model: images, and second crashes. */
  readonly edges: Counts;
  readonly edgesAgain: Counts;
  /** What the images hold, in short, so that those of several runs can be told apart. */
  readonly images: readonly bigint[];
  readonly imagesAgain: readonly bigint[];
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

/** Where a run stands when power fails. */
interface Moment {
  readonly edge: string;
  readonly io: string;
  readonly site: CrashSite;
  readonly account: Account;
  /** The account as text. */
  readonly demanded: string;
}

export class Sweep {
  readonly #script: Script;
  readonly #options: SweepOptions;
  readonly #coverage = newCoverage();
  readonly #counts: Counts = new Map();
  readonly #again: Counts = new Map();
  readonly #edges: Counts = new Map();
  readonly #edgesAgain: Counts = new Map();
  readonly #images: bigint[] = [];
  readonly #imagesAgain: bigint[] = [];
  readonly #hash = createHash('sha256');
  readonly #judged = new Set<string>();
  readonly #revived = new Map<string, Revived>();
  readonly #taken: Action[] = [];
  #storeId: string | null = null;
  #alsoEvicted: readonly number[] = [];
  #sites = 0;
  #enumerated = 0;
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
      judged: this.#judged.size,
      counts: this.#counts,
      again: this.#again,
      edges: this.#edges,
      edgesAgain: this.#edgesAgain,
      images: this.#images,
      imagesAgain: this.#imagesAgain,
      coverage: this.#coverage,
      steps: this.#taken.length,
      hash: this.#hash.digest('hex'),
      failure: this.#failure,
    };
  }

  async #sweep(heard: () => unknown): Promise<void> {
    await this.#walk(newCoverage(), async () => {});
    if (this.#failure !== null) return;
    const coming = await evictionsComing(this.#script.scenario, this.#taken);
    this.#taken.length = 0;
    this.#storeId = null;
    this.#alsoEvicted = [];
    await this.#walk(this.#coverage, (run) => this.#crashAt(run, coming[this.#taken.length - 1], heard));
  }

  /** Takes the run, I/O operations one by one. */
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
      if (action.do === 'drain')
        while (run.view().ioUnderWay > 0 && this.#failure === null) await take({ do: 'io', pick: 0 });
      else if (action.do === 'io') {
        const { times = 1, ...once } = action;
        for (let i = 0; i < times; i++) await take(once);
      } else await take(action);
      if (this.#failure !== null) return;
    }
  }

  /** Model and engine part without a crash: that is a failure too, and ends the sweep. */
  #partAt(action: Action, thrown: unknown): false {
    const finding =
      thrown instanceof Divergence
        ? { breaks: thrown.breaks, message: thrown.message }
        : asFinding(thrown ?? 'nothing');
    this.#fail(finding as Finding, [...this.#taken, action]);
    return false;
  }

  #fail(finding: Finding, actions: readonly Action[]): void {
    this.#failure = { finding, scenario: this.#script.scenario, actions };
  }

  async #crashAt(run: StoreRun, evicting: Evicting, heard: () => unknown): Promise<void> {
    const { disk, model } = run;
    const crashable = model.enabled({ type: 'CRASH' }) || model.enabled({ type: 'RECOVERY_CRASHED' });
    if (disk === null || !crashable) return;
    const site = new CrashSite(disk);
    const account = accountOf(run, { storeId: this.#storeId, evicting, alsoEvicted: this.#alsoEvicted });
    const demanded = JSON.stringify(account);
    // Between two steps that touch no disk and change no mark there is nothing that a crash could tell apart.
    const siteKey = `${disk.pending()[0]?.id}:${disk.counts.steps}:${site.units.length}:${demanded}`;
    if (siteKey === this.#lastSite) return;
    this.#lastSite = siteKey;
    const at = { edge: model.lastEdge, io: ioStepOf(disk.pending()[0]), site, account, demanded };
    const seed = (this.#options.seed ^ Math.imul(++this.#sites, 0x85eb_ca6b)) >>> 0;
    for (const residue of residuesOf(site.units, seed)) {
      if (this.#failure !== null) return;
      if (this.#enumerated++ % this.#options.oneIn === 0) await this.#crash(at, residue, seed, heard);
    }
  }

  async #crash(
    { edge, io, site, account, demanded }: Moment,
    { of, choice }: EnumeratedResidue,
    seed: number,
    heard: () => unknown,
  ): Promise<void> {
    const { scenario } = this.#script;
    const clock = new VirtualClock();
    const image = site.leaves(choice, clock);
    const key = `${imageKey(image)}|${choice.kind}`;
    const demand = `${key}|${demanded}`;
    if (this.#judged.has(demand)) return;
    this.#judged.add(demand);
    const actions: Action[] = [...this.#taken, { do: 'crash', choice }];
    const known = this.#revived.get(key);
    const revived = known ?? (await revive(scenario, account, image, clock));
    const { found } = revived;
    this.#hash.update(`${of} ${found?.epoch} ${found?.streams.map(({ head, appended }) => `${head}-${appended}`)}\n`);
    const wrong = asFinding(heard()) ?? judgeRevived(account, revived);
    if (wrong !== null) return this.#fail(wrong, actions);
    if (known !== undefined) return;
    // A process that was killed leaves more on the disk than can be read there: that image is revived each time.
    if (choice.kind === 'power') this.#revived.set(key, revived);
    this.#images.push(imageHash(key));
    tally(this.#counts, `${io} | ${of}`);
    tally(this.#edges, edge);
    const cell = cellName(edge, io, site.residue(choice));
    tally(this.#coverage.cells, cell);
    keepShorter(this.#coverage, cell, { scenario, actions });
    if (found === null || this.#images.length % this.#options.doubleOneIn !== 0) return;
    for await (const second of secondCrashes({ scenario, site, choice, account, found, seed })) {
      this.#imagesAgain.push(imageHash(second.key));
      tally(this.#again, `${second.io} | ${second.of}`);
      tally(this.#edgesAgain, edge);
      const wrongAgain = asFinding(heard()) ?? second.finding;
      if (wrongAgain === null) continue;
      const message = `after a second crash, in recovery: ${wrongAgain.message}`;
      return this.#fail({ ...wrongAgain, message }, [...actions, ...second.actions]);
    }
  }
}

const asFinding = (heard: unknown): Finding | null =>
  heard === null
    ? null
    : { breaks: 'assertion', message: heard instanceof Error ? (heard.stack ?? heard.message) : String(heard) };
