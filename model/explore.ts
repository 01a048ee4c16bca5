/**
 * The search: every state of a scope, breadth first, every invariant on every edge.
 *
 * Breadth first, so that the first violation found is a shortest one. Nodes are remembered by their key (key.ts) and
 * by the edge that led to them; the path is rebuilt from these. Invariants are checked on each edge that the machine
 * took, also on one that leads to a known node.
 */
import { candidates, harmAfter } from './candidates.ts';
import type { Invariant, Step } from './invariants/index.ts';
import { invariants } from './invariants/index.ts';
import { nodeKey } from './key.ts';
import type { StoreMachine } from './machine.ts';
import { machine } from './machine.ts';
import type { Harm, Scope } from './scope.ts';
import { NO_HARM } from './scope.ts';
import type { ModelState } from './step.ts';
import { initialState, step } from './step.ts';
import type { EventType, ModelEvent } from './vocabulary.ts';

export interface Violation {
  readonly invariant: Invariant;
  readonly witnesses: readonly string[];
  /** Shortest way from the initial state, the violating event last. */
  readonly path: readonly ModelEvent[];
}

export interface Exploration {
  readonly scope: Scope;
  readonly states: number;
  /** Events that the machine took, and candidates that it refused. */
  readonly edges: number;
  readonly refused: number;
  readonly depth: number;
  /** Per invariant, in the order of `invariants`: on how many edges its premise held. */
  readonly witnesses: readonly number[];
  /** How often each event was taken. */
  readonly events: Readonly<Partial<Record<EventType, number>>>;
  readonly violation: Violation | null;
  /** False when `statesMax` or a violation ended it. */
  readonly complete: boolean;
  readonly seconds: number;
}

export interface ExploreOptions {
  /** Past this many states the search gives up: a weakened machine may have no end. */
  readonly statesMax?: number;
  readonly rules?: StoreMachine;
  readonly onProgress?: (states: number, edges: number) => void;
}

interface Node {
  readonly state: ModelState;
  readonly harm: Harm;
  readonly index: number;
}

const PROGRESS_EVERY = 4096;

/** The first invariant that the step breaks. @param held counts, per invariant, the premises that held. */
export function checkStep(made: Step, held: number[] = []): Pick<Violation, 'invariant' | 'witnesses'> | null {
  const { disk } = made.after.context.bounds;
  for (const [i, invariant] of invariants.entries()) {
    if (invariant.needs !== undefined && (invariant.needs === 'disk') !== disk) continue;
    if (!invariant.premise(made)) continue;
    held[i] = (held[i] ?? 0) + 1;
    const witnesses = invariant.check(made);
    if (witnesses.length > 0) return { invariant, witnesses };
  }
  return null;
}

/** Searches the whole scope, or up to the first violation. */
export function explore(
  scope: Scope,
  { rules = machine, statesMax = Number.POSITIVE_INFINITY, onProgress }: ExploreOptions = {},
): Exploration {
  const started = performance.now();
  const known = new Set<string>();
  const parents: number[] = [];
  const arrivals: (ModelEvent | null)[] = [];
  const held: number[] = invariants.map(() => 0);
  const events: Partial<Record<EventType, number>> = {};
  let [edges, refused, depth] = [0, 0, 0];

  const pathTo = (index: number, last: ModelEvent | null): ModelEvent[] => {
    const path: ModelEvent[] = last === null ? [] : [last];
    for (let at = index; at >= 0; at = parents[at] as number) {
      const event = arrivals[at];
      if (event !== null && event !== undefined) path.unshift(event);
    }
    return path;
  };
  const add = (state: ModelState, harm: Harm, parent: number, event: ModelEvent | null): Node | null => {
    const key = nodeKey(state, scope, harm);
    if (known.has(key)) return null;
    known.add(key);
    arrivals.push(event);
    return { state, harm, index: parents.push(parent) - 1 };
  };
  const report = (violation: Violation | null, complete = false): Exploration => ({
    scope,
    states: known.size,
    edges,
    refused,
    depth,
    witnesses: held,
    events,
    violation,
    complete,
    seconds: (performance.now() - started) / 1000,
  });

  const start = initialState(scope.bounds, rules);
  const broken = checkStep({ before: start, event: null, after: start, rules }, held);
  if (broken !== null) return report({ ...broken, path: [] });
  let frontier: Node[] = [add(start, NO_HARM, -1, null) as Node];
  while (frontier.length > 0) {
    if (known.size > statesMax) return report(null);
    const next: Node[] = [];
    for (const { state, harm, index } of frontier) {
      for (const event of candidates(state, scope, harm)) {
        const after = step(state, event, rules);
        // An append that is refused is counted, so one without any effect is a step to be judged.
        if (after === state && event.type !== 'APPEND') {
          refused++;
          continue;
        }
        if (++edges % PROGRESS_EVERY === 0) onProgress?.(known.size, edges);
        events[event.type] = (events[event.type] ?? 0) + 1;
        const found = checkStep({ before: state, event, after, rules }, held);
        if (found !== null) return report({ ...found, path: pathTo(index, event) });
        const node = add(after, harmAfter(harm, event), index, event);
        if (node !== null) next.push(node);
      }
    }
    frontier = next;
    if (next.length > 0) depth++;
  }
  return report(null, true);
}
