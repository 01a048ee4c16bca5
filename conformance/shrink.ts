/**
 * Makes a failing trace shorter: delta debugging over the concrete actions, after fast-check has shrunk the choices.
 *
 * Choices mean something else as soon as one before them goes; actions do not, so removing them reaches further. What
 * is left is minimal in this sense: no single action can be removed, and no number in it can be made plainer.
 */
import type { Action } from './actions.ts';

export type Fails = (actions: readonly Action[]) => Promise<boolean>;

/** Shortest trace found within `budget` trials that still fails. `fails(actions)` must hold. */
export async function shrinkActions(actions: readonly Action[], fails: Fails, budget = 3_000): Promise<Action[]> {
  let trials = 0;
  const stillFails = async (candidate: readonly Action[]): Promise<boolean> => ++trials <= budget && fails(candidate);
  let current = [...actions];
  for (;;) {
    const before = JSON.stringify(current);
    current = await removeChunks(current, stillFails);
    current = await plainerNumbers(current, stillFails);
    if (JSON.stringify(current) === before || trials > budget) return current;
  }
}

async function removeChunks(actions: Action[], fails: Fails): Promise<Action[]> {
  let current = actions;
  for (let size = Math.ceil(current.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = current.length - size; at > -size; at -= size) {
      const from = Math.max(0, at);
      const without = [...current.slice(0, from), ...current.slice(Math.max(0, at + size))];
      if (without.length < current.length && (await fails(without))) current = without;
    }
  }
  return current;
}

/** Plainer forms of one action, plainest first. */
function plainer(action: Action): Action[] {
  switch (action.do) {
    case 'append':
      return action.bits > 0xff ? [{ ...action, bits: action.bits & 0xff }] : [];
    case 'read':
      return action.max > 1
        ? [
            { ...action, max: 1 },
            { ...action, max: action.max - 1 },
          ]
        : [];
    case 'peek':
      return action.offset > 0 ? [{ ...action, offset: 0 }] : [];
    case 'acknowledge':
    case 'discard':
      return action.n > 1
        ? [
            { ...action, n: 1 },
            { ...action, n: action.n - 1 },
          ]
        : [];
    case 'io':
      return [
        ...(action.fault === undefined ? [] : [{ do: 'io', pick: action.pick } as const]),
        ...(action.pick > 0 ? [{ ...action, pick: 0 }] : []),
        { do: 'drain' } as const,
      ];
    case 'damage':
      return action.pick > 0 ? [{ ...action, pick: 0 }] : [];
    case 'crash':
      return action.choice.kind === 'power' && typeof action.choice.keep !== 'string'
        ? (['nothing', 'everything'] as const).map(
            (keep) => ({ do: 'crash', choice: { kind: 'power', keep } }) as const,
          )
        : [];
    default:
      return [];
  }
}

async function plainerNumbers(actions: Action[], fails: Fails): Promise<Action[]> {
  let current = actions;
  for (let at = 0; at < current.length; at++) {
    for (const candidate of plainer(current[at] as Action)) {
      const changed = current.with(at, candidate);
      if (await fails(changed)) {
        current = changed;
        break;
      }
    }
  }
  return current;
}
