/**
 * The tour of one scope: greedy, breadth first to the nearest choice not yet made, until there is none in the whole graph.
 *
 * The graph is found by walking it: what a choice leads to is known once it was made. A leg ends where nothing new can be
 * reached any more, or after so many actions, and the next begins with a new store. Nothing in it is drawn: the same
 * engine is walked in the same order.
 */
import type { Action } from '../actions.ts';
import type { Divergence } from '../divergence.ts';
import { asDivergence, overhearing } from '../execute.ts';
import type { Coverage } from '../model-run.ts';
import { newCoverage } from '../model-run.ts';
import type { Edge, Place } from './graph.ts';
import { TourGraph } from './graph.ts';
import type { OnAction } from './leg.ts';
import { Leg } from './leg.ts';
import type { ModelTally } from './model-edges.ts';
import { ModelEdges } from './model-edges.ts';
import type { TourScope } from './scopes.ts';

/** A leg that goes on for longer is no trace that anybody reads; a new one costs little. */
const LEG_ACTIONS_MAX = 400;

export interface WalkFailure {
  /** From the first opening on, the failing action last. */
  readonly actions: readonly Action[];
  readonly failure: Divergence;
}

interface FoundFailure extends WalkFailure {
  /** The place where it failed, and the choice made there; null when the last turn of a leg was made. */
  readonly at: Place;
  readonly edge: Edge | null;
}

export interface WalkResult {
  readonly scope: string;
  readonly places: number;
  readonly edges: number;
  readonly taken: number;
  readonly legs: number;
  readonly actions: number;
  /** Edges that led elsewhere when they were taken again: something decides there that a place does not tell. */
  readonly diverted: number;
  readonly model: ModelTally;
}

/** What a walk has found out; `failure` null: it came to its end. */
export interface Walked {
  readonly result: WalkResult;
  readonly failure: WalkFailure | null;
}

export class Walk {
  readonly #of: TourScope;
  readonly #coverage: Coverage;
  readonly #onAction: OnAction;
  readonly #graph = new TourGraph();
  readonly #edges: ModelEdges;
  #legs = 0;
  #actions = 0;
  #diverted = 0;
  #taking: Edge | null = null;

  constructor(of: TourScope, coverage: Coverage, onAction: OnAction) {
    this.#of = of;
    this.#coverage = coverage;
    this.#onAction = onAction;
    this.#edges = new ModelEdges(of);
  }

  async run(onProgress: (taken: number, edges: number) => void): Promise<Walked> {
    for (;;) {
      const leg = this.#newLeg();
      const start = await this.#enter(leg);
      if (this.#graph.wayToUntaken(start) === null) return { result: this.#result(), failure: null };
      this.#legs++;
      const failure = await overhearing(leg.run, () => this.#walk(leg, start));
      onProgress(this.#graph.taken, this.#graph.edges);
      if (failure !== null) return { result: this.#result(), failure: await this.#shortest(start, failure) };
    }
  }

  #newLeg(): Leg {
    return new Leg(this.#of, this.#coverage, this.#edges, (action, run) => {
      this.#actions++;
      this.#onAction(action, run);
    });
  }

  /** One leg, until nothing new can be reached. @returns what model and engine parted over. */
  async #walk(leg: Leg, start: Place): Promise<FoundFailure | null> {
    let at = start;
    let way: Edge[] = [];
    try {
      while (leg.actions.length < LEG_ACTIONS_MAX) {
        let edge = way.shift() ?? at.untaken.at(-1);
        if (edge === undefined) {
          way = this.#graph.wayToUntaken(at) ?? [];
          edge = way.shift();
        }
        if (edge === undefined) break;
        const expected = edge.to;
        this.#taking = edge;
        at = await this.#follow(leg, at, edge);
        if (at !== expected) way = [];
      }
      this.#taking = null;
      await leg.finish();
    } catch (thrown) {
      return { actions: leg.actions, failure: asDivergence(thrown), at, edge: this.#taking };
    }
    return null;
  }

  /** The same failure by the shortest way that is known to its place; as it was found when that way does not fail. */
  async #shortest(start: Place, found: FoundFailure): Promise<WalkFailure> {
    const way = this.#graph.wayTo(start, found.at);
    if (way === null || found.edge === null) return found;
    const leg = new Leg(this.#of, newCoverage(), new ModelEdges(this.#of), () => {});
    try {
      await overhearing(leg.run, async () => {
        for (const { label } of [...way, found.edge as Edge]) {
          const choice = leg.choices().find((each) => each.label === label);
          if (choice === undefined) return;
          await leg.carryOut(choice);
          await leg.place();
        }
      });
    } catch (thrown) {
      const failure = asDivergence(thrown);
      if (failure.breaks === found.failure.breaks) return { actions: leg.actions, failure };
    }
    return found;
  }

  async #follow(leg: Leg, from: Place, edge: Edge): Promise<Place> {
    const choice = leg.choices().find(({ label }) => label === edge.label);
    if (choice === undefined) throw new Error(`'${edge.label}' is no choice any more at ${from.id}`);
    await leg.carryOut(choice);
    const to = await this.#enter(leg);
    if (this.#graph.took(from, edge, to)) this.#diverted++;
    return to;
  }

  async #enter(leg: Leg): Promise<Place> {
    return this.#graph.enter(await leg.place(), () => leg.choices());
  }

  #result(): WalkResult {
    const { edges, taken, places } = this.#graph;
    return {
      scope: this.#of.scope.name,
      places: places.size,
      edges,
      taken,
      legs: this.#legs,
      actions: this.#actions,
      diverted: this.#diverted,
      model: this.#edges.tally(),
    };
  }
}
