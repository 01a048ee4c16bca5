/**
 * The tour held against the model's own search: of every state that the tour has come through, which events the search
 * tries and the machine takes there, and which of those were seen on the engine.
 *
 * What was not seen must belong to a class of left-out.ts, which says why this engine never does it; what belongs to
 * none is a hole in the tour.
 */
import { candidates, harmAfter } from '../../model/candidates.ts';
import { nodeKey } from '../../model/key.ts';
import type { Harm } from '../../model/scope.ts';
import type { ModelState } from '../../model/step.ts';
import { can, step } from '../../model/step.ts';
import type { ModelEvent } from '../../model/vocabulary.ts';
import { labelOf } from './choices.ts';
import type { LeftOut } from './left-out.ts';
import { LEFT_OUT } from './left-out.ts';
import type { TourScope } from './scopes.ts';

/** What came of the comparison. */
export interface ModelTally {
  /** States of the model in which the tour stood. */
  readonly states: number;
  /** States that the engine only passes through, saying several things in one turn: nobody comes in between. */
  readonly passed: number;
  /** Edges that the search has from the states in which the tour stood. */
  readonly edges: number;
  readonly covered: number;
  /** Events that the search tries and the machine refuses: wrong deeds of an engine, that this one does not do. */
  readonly refused: number;
  readonly leftOut: ReadonlyMap<LeftOut['id'], number>;
  /** Edges that were neither seen nor explained. */
  readonly missing: readonly string[];
}

interface Seen {
  readonly state: ModelState;
  readonly harm: Harm;
  stood: boolean;
}

export class ModelEdges {
  readonly #of: TourScope;
  readonly #states = new Map<string, Seen>();
  readonly #seen = new Set<string>();

  constructor(of: TourScope) {
    this.#of = of;
  }

  #key(state: ModelState, harm: Harm): string {
    return nodeKey(state, this.#of.scope, harm);
  }

  /** The tour stands in this state, or passes through it while the engine goes on. @returns its key. */
  arrive(state: ModelState, harm: Harm, stands: boolean): string {
    const key = this.#key(state, harm);
    const known = this.#states.get(key);
    if (known === undefined) this.#states.set(key, { state, harm, stood: stands });
    else known.stood ||= stands;
    return key;
  }

  observe(before: ModelState, harmBefore: Harm, event: ModelEvent, after: ModelState, harm: Harm): void {
    this.#seen.add(`${this.#key(before, harmBefore)} ${labelOf(event)} ${this.arrive(after, harm, false)}`);
  }

  tally(): ModelTally {
    const leftOut = new Map<LeftOut['id'], number>();
    const missing: string[] = [];
    const stood = [...this.#states].filter(([, seen]) => seen.stood);
    let [edges, covered, refused] = [0, 0, 0];
    for (const [key, { state, harm }] of stood) {
      const { accepted, wrong } = this.#edgesFrom(key, state, harm);
      refused += wrong;
      edges += accepted.size;
      for (const [edge, event] of accepted) {
        if (this.#seen.has(edge)) {
          covered++;
          continue;
        }
        const reason = LEFT_OUT.find(({ covers }) => covers(state, event, this.#of));
        if (reason === undefined) missing.push(edge);
        else leftOut.set(reason.id, (leftOut.get(reason.id) ?? 0) + 1);
      }
    }
    const states = stood.length;
    return { states, passed: this.#states.size - states, edges, covered, refused, leftOut, missing };
  }

  /** What the search finds from here: edges by their name, and how many events the machine refused. */
  #edgesFrom(key: string, state: ModelState, harm: Harm): { accepted: Map<string, ModelEvent>; wrong: number } {
    const accepted = new Map<string, ModelEvent>();
    let wrong = 0;
    for (const event of candidates(state, this.#of.scope, harm)) {
      if (can(state, event)) {
        const to = this.#key(step(state, event), harmAfter(harm, event));
        accepted.set(`${key} ${labelOf(event)} ${to}`, event);
      } else wrong++;
    }
    return { accepted, wrong };
  }
}
