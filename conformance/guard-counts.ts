/**
 * How often each guard of the model let an event pass, and how often it refused one.
 *
 * An event that was taken has passed the guards of its row, and was refused by one guard of each row before it (an
 * append that does not fit the pool). A call that the contract refuses is counted by whoever makes it. Guards that say
 * what the environment may do refuse nothing as long as the engine is right: who wants to see them refuse, plants a bug.
 */
import type { GuardName } from '../model/guards.ts';
import { guards } from '../model/guards.ts';
import { machine } from '../model/machine.ts';
import type { ModelState } from '../model/step.ts';
import { pathOf } from '../model/transitions.ts';
import type { ModelEvent } from '../model/vocabulary.ts';

export const GUARD_NAMES = Object.keys(guards) as readonly GuardName[];

/** By name: how often. */
export interface GuardTally {
  readonly guardsPassed: Map<string, number>;
  readonly guardsRefused: Map<string, number>;
}

/** Names of the guards of each row of an event in a state, in the order in which the machine asks. */
type Rows = readonly (readonly GuardName[])[];

type Guarded = string | { readonly guards?: readonly Guarded[] } | undefined;
interface Node {
  readonly path: readonly string[];
  readonly parent: Node | undefined;
  readonly states: Readonly<Record<string, Node>>;
  readonly transitions: ReadonlyMap<string, readonly { readonly guard?: Guarded }[]>;
}

const namesOf = (guard: Guarded): readonly GuardName[] => {
  if (guard === undefined) return [];
  return typeof guard === 'string' ? [guard as GuardName] : (guard.guards ?? []).flatMap(namesOf);
};

function collect(node: Node, rows: Map<string, Rows>): Map<string, Rows> {
  for (const child of Object.values(node.states)) collect(child, rows);
  if (Object.keys(node.states).length > 0) return rows;
  // The innermost state is asked first, then the ones around it.
  for (let at: Node | undefined = node; at !== undefined; at = at.parent) {
    for (const [event, definitions] of at.transitions) {
      const key = `${node.path.join('.')} ${event}`;
      rows.set(key, [...(rows.get(key) ?? []), ...definitions.map(({ guard }) => namesOf(guard))]);
    }
  }
  return rows;
}

const ROWS = collect(machine.root as unknown as Node, new Map());

const add = (counts: Map<string, number>, name: string): void => {
  counts.set(name, (counts.get(name) ?? 0) + 1);
};

/** Counts what the guards say of an event in this state, asked in the machine's order. */
export function countGuards({ value, context }: ModelState, event: ModelEvent, counts: GuardTally): void {
  const rows = ROWS.get(`${pathOf(value)} ${event.type}`) ?? [];
  for (const row of rows) {
    const refusing = row.find((name) => !guards[name](context, event));
    for (const name of row) {
      if (name === refusing) break;
      add(counts.guardsPassed, name);
    }
    if (refusing === undefined) return;
    add(counts.guardsRefused, refusing);
  }
}

/** Counts the guards of an event that was taken, without asking them where its row is the only one. */
export function countTaken(before: ModelState, event: ModelEvent, edge: string, counts: GuardTally): void {
  const [row = [], ...more] = ROWS.get(edge) ?? [];
  if (more.length > 0) countGuards(before, event, counts);
  else for (const name of row) add(counts.guardsPassed, name);
}
