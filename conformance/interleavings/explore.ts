/**
 * Every order of a short concurrent program: which call is made next, or which I/O operation ends next, wherever there is
 * a choice. After each step model and engine are compared; at each point of each order power fails too.
 *
 * The search keeps no state of the engine. An order is a list of choices; the next one is the last order up to its last
 * choice that has another way to go, run anew from the start. Nothing is left out: no two orders are taken for one. What
 * is done once for many is the recovery behind a crash, see point.ts.
 */
import { createHash, type Hash } from 'node:crypto';
import type { Action } from '../actions.ts';
import type { OnStep, StoreRun } from '../driver.ts';
import type { Outcome } from '../execute.ts';
import { deliver, runSteps } from '../execute.ts';
import type { Coverage } from '../model-run.ts';
import type { CrashPoint } from './point.ts';
import { crashAndRecover, crashPointOf } from './point.ts';
import type { Program } from './programs.ts';

/** What the search of one program has done. */
export interface Explored {
  readonly name: string;
  readonly orders: number;
  /** Steps that were compared, recoveries included; what an order has in common with one before it is compared once. */
  readonly steps: number;
  /** Points of orders at which power could fail; a point that several orders share counts once. */
  readonly crashPoints: number;
  /** Crashes with recovery: one for each residue at each point that differs in what a crash can see. */
  readonly recoveries: number;
  readonly failure: { readonly outcome: Outcome; readonly orders: number } | null;
}

interface Option {
  readonly action: Action;
  /** Null for an end of I/O. */
  readonly caller: number | null;
}

interface PointFound extends CrashPoint {
  readonly actions: readonly Action[];
}

/** One order being taken: the choices that are given, then the first of each. */
class Walk {
  readonly taken: Action[] = [];
  /** What was chosen at each point, and of how many. */
  readonly chosen: number[] = [];
  readonly widths: number[] = [];
  readonly #program: Program;
  readonly #given: readonly number[];
  readonly #onPoint: (run: StoreRun, walk: Walk) => void;
  readonly #made: number[];
  #left: Action[];
  #ending: Action[] | null = null;
  faults = 0;

  constructor(program: Program, given: readonly number[], onPoint: (run: StoreRun, walk: Walk) => void) {
    this.#program = program;
    this.#given = given;
    this.#onPoint = onPoint;
    this.#made = program.callers.map(() => 0);
    this.#left = [...program.setUp];
  }

  next(run: StoreRun): Action | null {
    const action = this.#left.shift() ?? this.#choose(run) ?? this.#end().shift() ?? null;
    // Up to the last given choice, this is the way of an earlier order.
    run.model.repeats = this.chosen.length < this.#given.length;
    if (action !== null) this.taken.push(action);
    return action;
  }

  #choose(run: StoreRun): Action | null {
    if (this.#ending !== null) return null;
    const options = this.#options(run);
    const depth = this.chosen.length;
    // What lies before the last given choice was seen when an earlier order went by.
    if (depth >= this.#given.length) this.#onPoint(run, this);
    const chosen = this.#given[depth] ?? 0;
    const option = options[chosen];
    if (option === undefined) return null;
    this.chosen.push(chosen);
    this.widths.push(options.length);
    if (option.caller !== null) this.#made[option.caller] = (this.#made[option.caller] ?? 0) + 1;
    else if (option.action.do === 'io' && option.action.fault !== undefined) this.faults++;
    return option.action;
  }

  #options(run: StoreRun): Option[] {
    const { callers, faultsMax = 0 } = this.#program;
    // A store that is closed takes no calls: where they fall then makes no difference.
    const calls = callers.flatMap((actions, caller): Option[] => {
      const action = run.engine === null ? undefined : actions[this.#made[caller] ?? 0];
      return action === undefined ? [] : [{ action, caller }];
    });
    const pending = run.disk?.pending() ?? [];
    const ends = pending.map((_, pick): Option => ({ action: { do: 'io', pick }, caller: null }));
    const fails = this.faults >= faultsMax ? [] : pending;
    const failures = fails.map(
      (_, pick): Option => ({ action: { do: 'io', pick, fault: { code: 'IO' } }, caller: null }),
    );
    return [...calls, ...ends, ...failures];
  }

  /** All calls are made and no I/O goes on: everything is answered, and what is retained is delivered once more. */
  #end(): Action[] {
    const { scenario } = this.#program;
    this.#ending ??= [{ do: 'holdReads', hold: false }, { do: 'open' }, { do: 'rest' }, ...deliver(scenario)];
    return this.#ending;
  }

  /** The choices of the order that comes next; null when this was the last one. */
  following(): readonly number[] | null {
    for (let depth = this.chosen.length - 1; depth >= 0; depth--) {
      const chosen = (this.chosen[depth] as number) + 1;
      if (chosen < (this.widths[depth] as number)) return [...this.chosen.slice(0, depth), chosen];
    }
    return null;
  }
}

export class Exploration {
  readonly #program: Program;
  readonly #seed: number;
  readonly #coverage: Coverage;
  readonly #hash: Hash = createHash('sha256');
  readonly #known = new Set<string>();
  #points: PointFound[] = [];
  #orders = 0;
  #steps = 0;
  #crashPoints = 0;
  #recoveries = 0;

  constructor(program: Program, seed: number, coverage: Coverage) {
    this.#program = program;
    this.#seed = seed;
    this.#coverage = coverage;
  }

  /** @param onOrder called after each order with how many there were. */
  async run(onOrder: (orders: number) => void): Promise<Explored> {
    let given: readonly number[] | null = [];
    while (given !== null) {
      const walk: Walk = new Walk(this.#program, given, (run, { taken, faults }) => this.#note(run, taken, faults));
      const failed = (await this.#take(walk)) ?? (await this.#crashAll());
      this.#orders++;
      if (failed !== null) return this.#explored({ outcome: failed, orders: this.#orders });
      onOrder(this.#orders);
      given = walk.following();
    }
    return this.#explored(null);
  }

  readonly #onStep: OnStep = (_, { model }) => {
    if (!model.repeats) this.#steps++;
  };

  /** Over every order and where it left the streams. */
  get hash(): string {
    return this.#hash.copy().digest('hex');
  }

  async #take(walk: Walk): Promise<Outcome | null> {
    const { scenario } = this.#program;
    const outcome = await runSteps(scenario, (run) => walk.next(run), this.#coverage, this.#onStep);
    const { streams } = outcome.run.model.context;
    const marks = streams.map(({ head, read, synced, appended, durableHead }) => [
      head,
      read,
      synced,
      appended,
      durableHead,
    ]);
    this.#hash.update(JSON.stringify([walk.taken, marks]));
    return outcome.failure === null ? null : outcome;
  }

  #note(run: StoreRun, taken: readonly Action[], faults: number): void {
    this.#crashPoints++;
    const point = crashPointOf(run, faults > 0 ? taken : [], this.#seed);
    if (this.#known.has(point.key)) return;
    this.#known.add(point.key);
    this.#points.push({ ...point, actions: [...taken] });
  }

  async #crashAll(): Promise<Outcome | null> {
    const points = this.#points;
    this.#points = [];
    const { scenario } = this.#program;
    for (const { actions, residues } of points) {
      for (const residue of residues) {
        this.#recoveries++;
        const all = [...actions, ...crashAndRecover(scenario, residue)];
        let at = 0;
        const next = (run: StoreRun): Action | null => {
          run.model.repeats = at < actions.length;
          return all[at++] ?? null;
        };
        const outcome = await runSteps(scenario, next, this.#coverage, this.#onStep);
        if (outcome.failure !== null) return outcome;
      }
    }
    return null;
  }

  #explored(failure: Explored['failure']): Explored {
    return {
      name: this.#program.name,
      orders: this.#orders,
      steps: this.#steps,
      crashPoints: this.#crashPoints,
      recoveries: this.#recoveries,
      failure,
    };
  }
}
