/**
 * Goal: stepping by the machine's table is stepping the machine. Method: every candidate event in every state that a
 * search of each scope reaches (up to a bound), taken both by xstate and by the table; a rule weakened, too.
 */
import { describe, expect, it } from 'vitest';
import { getNextSnapshot } from 'xstate';
import { candidates, harmAfter } from '../../model/candidates.ts';
import { nodeKey } from '../../model/key.ts';
import type { StoreMachine } from '../../model/machine.ts';
import { machine } from '../../model/machine.ts';
import { weaken } from '../../model/mutations.ts';
import type { Harm, Scope } from '../../model/scope.ts';
import { MUTATION_SCOPES, NO_HARM } from '../../model/scope.ts';
import type { ModelState } from '../../model/step.ts';
import { can, initialState, step } from '../../model/step.ts';
import type { ModelEvent } from '../../model/vocabulary.ts';

const STATES_MAX = 400;

const plain = ({ value, context, status }: ModelState) => ({ value, context, status });

/** One candidate event in one state, both ways. @returns the state after it. */
function compare(state: ModelState, event: ModelEvent, rules: StoreMachine): ModelState {
  const byTable = step(state, event, rules);
  const byXstate = getNextSnapshot(rules, state, event);
  expect(plain(byTable), event.type).toEqual(plain(byXstate));
  expect(byTable === state, `${event.type} has no effect`).toBe(byXstate === state);
  expect(can(state, event), `${event.type} is taken`).toBe(state.can(event));
  expect(byTable.can(event)).toBe(byXstate.can(event));
  return byTable;
}

function search(scope: Scope, rules: StoreMachine): number {
  const known = new Set<string>();
  let frontier: { state: ModelState; harm: Harm }[] = [{ state: initialState(scope.bounds, rules), harm: NO_HARM }];
  let compared = 0;
  while (frontier.length > 0 && known.size < STATES_MAX) {
    const next: typeof frontier = [];
    for (const { state, harm } of frontier) {
      for (const event of candidates(state, scope, harm)) {
        const after = compare(state, event, rules);
        compared++;
        const key = nodeKey(after, scope, harmAfter(harm, event));
        if (known.has(key)) continue;
        known.add(key);
        next.push({ state: after, harm: harmAfter(harm, event) });
      }
    }
    frontier = next;
  }
  return compared;
}

describe('stepping by the table', () => {
  it.each(MUTATION_SCOPES)('takes and refuses what xstate does, with the same result, in $name', (scope) => {
    expect(search(scope, machine)).toBeGreaterThan(500);
  });

  it.each([
    ['guard', 'withinPending'],
    ['guard', 'reachesTargets'],
    ['assign', 'raiseRead'],
    ['assign', 'countRefusal'],
  ] as const)('does so with the %s %s weakened', (kind, name) => {
    const [scope] = MUTATION_SCOPES;
    expect(search(scope as Scope, weaken(kind, name))).toBeGreaterThan(500);
  });

  // Goal: a machine with more than the table knows is refused. Method: an action that is no assign by name.
  it('refuses a machine that it would step wrongly', () => {
    const rules = machine.provide({ guards: { withDisk: undefined as never } });
    expect(() => step(initialState((MUTATION_SCOPES[0] as Scope).bounds, rules), { type: 'OPEN' }, rules)).toThrow(
      'no named predicate: withDisk',
    );
  });
});
