/**
 * Makes a failing trace shorter: delta debugging over the concrete actions and the store, after fast-check has shrunk the
 * choices.
 *
 * Choices mean something else as soon as one before them goes; actions do not, so removing them reaches further. What
 * is left is minimal in this sense: no single action, no two of them and no stream can be removed, no two neighbours be
 * made one, and no number made plainer, with the same failure. Actions that have lost their meaning on the way, and those
 * behind the failing one, go by themselves.
 *
 * Deterministic, and bounded by the number of tries, none of which takes longer than the trace that was given.
 */
import type { Action, Scenario } from './actions.ts';
import type { Divergence } from './divergence.ts';
import type { Outcome } from './execute.ts';
import { runActions } from './execute.ts';
import { isAccepted } from './refinement.ts';
import type { Failure } from './saved-traces.ts';
import { makeTrace } from './saved-traces.ts';
import { countedDown, joined, plainerActions, plainerCases } from './shrinking/plainer.ts';
import { tellShrinking } from './shrinking/progress.ts';

export type Fails = (actions: readonly Action[]) => Promise<boolean>;

/** A store and what is done to it. */
export interface Case {
  readonly scenario: Scenario;
  readonly actions: readonly Action[];
}

/** Runs a case. @returns what of its actions had a meaning up to the failing one; null when it fails otherwise or not. */
type Attempt = (candidate: Case) => Promise<readonly Action[] | null>;

const TRIES_MAX = 3_000;
/** Pairs of actions are tried in traces of at most so many. */
const PAIRS_UP_TO = 40;
/** Neighbours that are removed together, from every place on. */
const WINDOW_MAX = 6;

class Shrinker {
  #current: Case;
  #left: number;
  readonly #budget: number;
  readonly #breaks: string | null;
  readonly #attempt: Attempt;
  readonly #tried = new Set<string>();

  /** @param breaks what the failure breaks, to be told; null where nobody knows. */
  constructor(start: Case, attempt: Attempt, budget: number, breaks: string | null) {
    this.#current = start;
    this.#attempt = attempt;
    this.#left = budget;
    this.#budget = budget;
    this.#breaks = breaks;
  }

  /** @param stores whether the store may be made plainer too. */
  async run(stores: boolean): Promise<Case> {
    for (;;) {
      const before = this.#current;
      await this.#removeChunks();
      if (stores) await this.#first(() => plainerCases(this.#current));
      await this.#first(() => this.#candidates(joined(this.#current.actions)));
      await this.#plainerNumbers();
      await this.#first(() => this.#candidates(countedDown(this.#current.actions)));
      await this.#removeWindows();
      await this.#removePairs();
      if (this.#current === before || this.#left <= 0) return this.#current;
    }
  }

  get #actions(): readonly Action[] {
    return this.#current.actions;
  }

  *#candidates(lists: Iterable<Action[]>): Generator<Case> {
    for (const actions of lists) yield { ...this.#current, actions };
  }

  /** Takes the candidate if it fails in the same way. */
  async #try(candidate: Case): Promise<boolean> {
    const key = JSON.stringify(candidate);
    if (this.#left <= 0 || this.#tried.has(key)) return false;
    this.#tried.add(key);
    this.#left--;
    const kept = await this.#attempt(candidate);
    if (kept !== null) this.#current = { scenario: candidate.scenario, actions: kept };
    tellShrinking({ breaks: this.#breaks, tries: this.#budget - this.#left, steps: this.#actions.length });
    return kept !== null;
  }

  /** Takes the first of the candidates that fails, and begins anew, until none does. */
  async #first(candidates: () => Iterable<Case>): Promise<void> {
    for (let found = true; found; ) {
      found = false;
      for (const candidate of candidates()) {
        found = await this.#try(candidate);
        if (found) break;
      }
    }
  }

  #without(from: number, count: number): Promise<boolean> {
    return this.#try({ ...this.#current, actions: this.#actions.toSpliced(from, count) });
  }

  async #removeChunks(): Promise<void> {
    for (let size = Math.ceil(this.#actions.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
      for (let at = this.#actions.length - size; at > -size; at -= size) {
        const from = Math.max(0, at);
        // More may have gone than was removed.
        if (from < this.#actions.length) await this.#without(from, Math.max(0, at + size) - from);
      }
    }
  }

  async #removeWindows(): Promise<void> {
    for (let size = 2; size <= WINDOW_MAX; size++) {
      for (let from = this.#actions.length - size; from >= 0; from--) await this.#without(from, size);
    }
  }

  async #removePairs(): Promise<void> {
    if (this.#actions.length > PAIRS_UP_TO) return;
    for (let late = this.#actions.length - 1; late > 0; late--) {
      for (let early = Math.min(late, this.#actions.length) - 1; early >= 0; early--) {
        if (late >= this.#actions.length) break;
        const actions = this.#actions.toSpliced(late, 1).toSpliced(early, 1);
        await this.#try({ ...this.#current, actions });
      }
    }
  }

  async #plainerNumbers(): Promise<void> {
    for (let at = 0; at < this.#actions.length; at++) {
      for (const plainer of plainerActions(this.#actions[at] as Action)) {
        if (await this.#try({ ...this.#current, actions: this.#actions.with(at, plainer) })) break;
      }
    }
  }
}

/** Shortest list of actions found within `budget` tries that still fails. `fails(actions)` must hold. The store stays. */
export async function shrinkActions(actions: readonly Action[], fails: Fails, budget = TRIES_MAX): Promise<Action[]> {
  const attempt: Attempt = async (candidate) => ((await fails(candidate.actions)) ? candidate.actions : null);
  // No pass that leaves the store as it is looks at it.
  const start = { scenario: null as unknown as Scenario, actions };
  return [...(await new Shrinker(start, attempt, budget, null).run(false)).actions];
}

/** Shortest trace found within `budget` tries that breaks the same thing, on a store as plain as it may be. */
export function shrinkCase(start: Case, breaks: string, budget = TRIES_MAX): Promise<Case> {
  const attempt: Attempt = async ({ scenario, actions }) => {
    if (!isAccepted(scenario)) return null;
    const outcome = await runActions(scenario, actions);
    return outcome.failure?.breaks === breaks ? outcome.actions : null;
  };
  return new Shrinker(start, attempt, budget, breaks).run(true);
}

/**
 * A failing run as it is saved: shrunk, with what its last run said.
 * @param runs up to and including the one that failed. @param path fast-check's way to it, if it has one.
 */
export async function shrinkFailure(
  outcome: Case & Pick<Outcome, 'failure'>,
  about: { readonly seed: number; readonly runs: number; readonly path: string | null },
  budget = TRIES_MAX,
): Promise<Failure> {
  const found = outcome.failure as Divergence;
  const { scenario, actions } = await shrinkCase(outcome, found.breaks, budget);
  const last = (await runActions(scenario, actions)).failure ?? found;
  const trace = makeTrace(scenario, actions, about.seed, `${last.breaks}: ${last.message}`);
  return { breaks: last.breaks, message: last.message, trace, runs: about.runs, path: about.path };
}
