/**
 * Non-vacuity: every guard of the machine is weakened and every assign left out, one at a time, and the search must
 * notice.
 *
 * The list is made from the machine, so a rule that is added is on it. A mutation is caught when an invariant is broken,
 * or when an invariant's premise, which holds in the sound machine, never holds any more (a machine that cannot open
 * breaks nothing and proves nothing). A survivor needs a reason in EXPLAINED, and a reason for what is caught is a fault
 * of this file.
 */
import { explore } from './explore.ts';
import { invariants } from './invariants/index.ts';
import type { StoreMachine } from './machine.ts';
import { machine } from './machine.ts';
import type { Scope } from './scope.ts';
import { MUTATION_SCOPES } from './scope.ts';

export interface Mutation {
  readonly kind: 'guard' | 'assign';
  readonly name: string;
  readonly rules: StoreMachine;
}

export interface Outcome {
  readonly mutation: string;
  readonly kind: Mutation['kind'];
  /** Invariant that caught it; null for a survivor. */
  readonly caughtBy: string | null;
  /** What it said, or why nothing can be said. */
  readonly witness: string;
  /** Events of the shortest trace; 0 when a premise went missing. */
  readonly traceLength: number;
  readonly scope: string;
}

/** Why a mutation changes nothing that the contract speaks of. */
export const EXPLAINED: Readonly<Record<string, string>> = {};

/** States past which a weakened machine is given up as one without an end. */
const STATES_MAX = 40_000;

/** One rule weakened: a guard always allows, an assign does nothing. */
export function weaken(kind: Mutation['kind'], name: string): StoreMachine {
  return kind === 'guard'
    ? machine.provide({ guards: { [name]: () => true } })
    : machine.provide({ actions: { [name]: () => {} } });
}

export function mutationsOf(rules: StoreMachine): Mutation[] {
  const list = (kind: Mutation['kind'], names: readonly string[]): Mutation[] =>
    names.map((name) => ({ kind, name, rules: weaken(kind, name) }));
  const { guards, actions } = rules.implementations;
  return [...list('guard', Object.keys(guards ?? {})), ...list('assign', Object.keys(actions ?? {}))];
}

/** Premises that hold in the sound machine, per scope: what a weakened one must still be asked. */
export function soundPremises(scopes: readonly Scope[]): ReadonlyMap<Scope, readonly number[]> {
  return new Map(scopes.map((scope) => [scope, explore(scope).witnesses]));
}

export function tryMutation(
  { kind, name, rules }: Mutation,
  scopes: readonly Scope[],
  sound: ReadonlyMap<Scope, readonly number[]>,
): Outcome {
  const outcome = { mutation: name, kind };
  for (const scope of scopes) {
    const { violation, witnesses, complete } = explore(scope, { rules, statesMax: STATES_MAX });
    if (violation !== null) {
      const { invariant, witnesses: said, path } = violation;
      return {
        ...outcome,
        caughtBy: invariant.id,
        witness: said[0] ?? '',
        traceLength: path.length,
        scope: scope.name,
      };
    }
    const missing = invariants.find((_, i) => (sound.get(scope)?.[i] ?? 0) > 0 && (witnesses[i] ?? 0) === 0);
    if (complete && missing !== undefined) {
      const witness = `the premise of ${missing.name} never holds any more`;
      return { ...outcome, caughtBy: missing.id, witness, traceLength: 0, scope: scope.name };
    }
  }
  return { ...outcome, caughtBy: null, witness: EXPLAINED[name] ?? '', traceLength: 0, scope: '' };
}

export interface MutationReport {
  readonly outcomes: readonly Outcome[];
  readonly total: number;
  readonly caught: number;
  readonly survivors: readonly { readonly mutation: string; readonly explanation: string }[];
  /** Explanations that explain nothing: of what is caught, or of no rule of the machine. */
  readonly stale: readonly string[];
  readonly seconds: number;
}

export function runMutations(
  rules: StoreMachine = machine,
  onProgress?: (done: number, total: number) => void,
  scopes: readonly Scope[] = MUTATION_SCOPES,
): MutationReport {
  const started = performance.now();
  const sound = soundPremises(scopes);
  const mutations = mutationsOf(rules);
  const outcomes = mutations.map((mutation, i) => {
    onProgress?.(i, mutations.length);
    return tryMutation(mutation, scopes, sound);
  });
  const survivors = outcomes.filter(({ caughtBy }) => caughtBy === null);
  const survived = new Set(survivors.map(({ mutation }) => mutation));
  return {
    outcomes,
    total: outcomes.length,
    caught: outcomes.length - survivors.length,
    survivors: survivors.map(({ mutation, witness }) => ({ mutation, explanation: witness })),
    stale: Object.keys(EXPLAINED).filter((name) => !survived.has(name)),
    seconds: (performance.now() - started) / 1000,
  };
}
