/**
 * The mode `--damage`: everything that can go wrong with the files of some stores, one thing at a time, and what a store
 * that is opened on them makes of it. There is no chance in it; the quick form takes every so-many-th case, beginning with
 * the one that the seed says.
 */
import { createHash } from 'node:crypto';
import type { Action } from '../actions.ts';
import { makeOutcome } from '../evidence/make.ts';
import type { ModeOutcome, ModeProgress } from '../evidence/record.ts';
import { runActions } from '../execute.ts';
import { newCoverage } from '../model-run.ts';
import type { Failure } from '../run.ts';
import { makeTrace } from '../run.ts';
import { shrinkActions } from '../shrink.ts';
import { SimulatedDisk } from '../simulated-disk.ts';
import { VirtualClock } from '../virtual-clock.ts';
import type { DamageCase } from './cases.ts';
import { casesOf } from './cases.ts';
import type { Judgement } from './oracle.ts';
import { Oracle } from './oracle.ts';
import { describeSpoil } from './spoil.ts';
import type { StoreRecipe } from './stores.ts';
import { build, STORES } from './stores.ts';
import { writtenOf } from './written.ts';

export interface DamageOptions {
  readonly seed: number;
  /** One case in so many; 1 for all. */
  readonly oneIn: number;
  readonly command: string;
  readonly stores?: readonly StoreRecipe[];
  readonly onProgress?: ModeProgress;
}

/** One row of the table. */
export interface DamageRow {
  readonly kind: string;
  readonly where: string;
  cases: number;
  /** Cases in which records were lost, all of them in the ledger. */
  costly: number;
  lost: number;
  delivered: number;
  /** Cases that were not as they must be. */
  wrong: number;
}

export interface DamageOutcome {
  readonly outcome: ModeOutcome;
  readonly rows: readonly DamageRow[];
}

/** The quick form: one case in so many. */
export const QUICK_ONE_IN = 151;
const MANY: ReadonlySet<string> = new Set(['bit flipped', 'bit flipped while open', 'cut short', 'header and trailer']);
const SHRINK_TRIALS_MAX = 300;

class DamageRun {
  readonly #options: DamageOptions;
  readonly #hash = createHash('sha256');
  readonly #rows = new Map<string, DamageRow>();
  readonly #startedMs = performance.now();
  #cases = 0;
  #operationsMax = 0;
  /** An assertion of the engine that nobody awaits. */
  #heard: unknown = null;

  constructor(options: DamageOptions) {
    this.#options = options;
  }

  async run(): Promise<DamageOutcome> {
    const overhear = (reason: unknown): void => {
      this.#heard ??= reason;
    };
    process.on('unhandledRejection', overhear);
    try {
      return this.#outcome(await this.#runStores());
    } finally {
      process.off('unhandledRejection', overhear);
    }
  }

  async #runStores(): Promise<Failure | null> {
    const { stores = STORES } = this.#options;
    for (const [index, recipe] of stores.entries()) {
      const failure = await this.#runStore(recipe, `store '${recipe.name}', ${index + 1} of ${stores.length}`);
      if (failure !== null) return failure;
    }
    return null;
  }

  async #runStore(recipe: StoreRecipe, what: string): Promise<Failure | null> {
    const { oneIn, seed, onProgress } = this.#options;
    const run = await build(recipe);
    const written = writtenOf(run);
    const disk = run.disk as SimulatedDisk;
    const store = { layouts: written.files, files: disk.files() };
    const image = disk.snapshot();
    let total = 0;
    for (const _ of casesOf(store)) total++;
    let at = 0;
    for (const damage of casesOf(store)) {
      // Bits and cuts are many and alike; of what else can be wrong with a file the quick form takes more.
      const step = MANY.has(damage.kind) ? oneIn : Math.ceil(oneIn / 16);
      if ((at++ + seed) % step !== 0) continue;
      const clock = new VirtualClock();
      this.#heard = null;
      const judged = await new Oracle(written, SimulatedDisk.restore(clock, image), clock).judge(damage);
      const finding = judged.finding ?? (this.#heard === null ? null : String(this.#heard));
      this.#enter(recipe.name, damage, judged, finding);
      if (finding !== null) return this.#failed(recipe, damage, finding);
      if (at % 50 === 0) onProgress?.({ what, done: at, total });
    }
    return null;
  }

  #enter(store: string, damage: DamageCase, { lost, delivered, operations }: Judgement, finding: string | null): void {
    const { kind, where } = damage;
    const key = `${kind}: ${where}`;
    const row = this.#rows.get(key) ?? { kind, where, cases: 0, costly: 0, lost: 0, delivered: 0, wrong: 0 };
    row.cases++;
    if (lost > 0) row.costly++;
    row.lost += lost;
    row.delivered += delivered;
    if (finding !== null) row.wrong++;
    this.#rows.set(key, row);
    this.#cases++;
    this.#operationsMax = Math.max(this.#operationsMax, operations);
    this.#hash.update(JSON.stringify([store, key, damage.spoils.map(describeSpoil), lost, delivered, operations]));
  }

  async #failed({ scenario, actions }: StoreRecipe, damage: DamageCase, finding: string): Promise<Failure> {
    const { spoils, expected, whileOpen } = damage;
    const whole: Action[] = [...actions, { do: 'spoil', spoils, expected, whileOpen }];
    const first = await runActions(scenario, whole);
    const breaks = first.failure?.breaks ?? 'INV-19';
    const shorter = await shrinkActions(
      whole,
      async (candidate) => (await runActions(scenario, candidate)).failure?.breaks === breaks,
      SHRINK_TRIALS_MAX,
    );
    const trace = makeTrace(scenario, shorter, this.#options.seed, `${damage.kind}, ${damage.where}: ${finding}`);
    return { breaks, message: finding, trace, runs: this.#cases, path: null };
  }

  #outcome(failure: Failure | null): DamageOutcome {
    const { seed, oneIn, command } = this.#options;
    const rows = [...this.#rows.values()];
    const sum = (of: (row: DamageRow) => number): number => rows.reduce((total, row) => total + of(row), 0);
    const outcome = makeOutcome({
      mode: 'damage',
      command,
      seed: oneIn === 1 ? null : seed,
      profiles: ['linux'],
      seconds: (performance.now() - this.#startedMs) / 1_000,
      steps: this.#cases,
      traceHash: this.#hash.digest('hex'),
      figures: {
        cases: this.#cases,
        costly: sum(({ costly }) => costly),
        lost: sum(({ lost }) => lost),
        delivered: sum(({ delivered }) => delivered),
        wrong: sum(({ wrong }) => wrong),
        operationsMax: this.#operationsMax,
      },
      coverage: newCoverage(),
      possible: [],
      failure,
    });
    return { outcome, rows };
  }
}

/** Runs the mode to its first failure, or to its end. */
export const runDamage = (options: DamageOptions): Promise<DamageOutcome> => new DamageRun(options).run();
