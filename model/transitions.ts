/**
 * The machine's transition table, walked once out of `machine.root`, and stepping by it.
 *
 * xstate's own interpreter copies a snapshot for every single assign and works out anew on every step which nodes there
 * are; a run of millions of steps spends most of its time there. Here each state and event has its list of candidates:
 * guards, then actions, then where it goes. It is the same machine, with the same named rules, a weakened one too; a test
 * holds both ways of stepping against each other on every state that a search reaches.
 *
 * It knows what this machine uses: named guards, `and` of them, named assigns, targets, states within states. A machine
 * with anything more is refused, never stepped wrongly.
 */
import type { SnapshotFrom } from 'xstate';
import type { StoreMachine } from './machine.ts';
import type { Context, EventType, ModelEvent } from './vocabulary.ts';

type ModelState = SnapshotFrom<StoreMachine>;
type StateNode = StoreMachine['root'];
type Definition = NonNullable<ReturnType<StateNode['transitions']['get']>>[number];

interface Arguments {
  readonly context: Context;
  readonly event: ModelEvent;
}
type Predicate = (of: Arguments) => boolean;
type Assignment = (of: Arguments) => Partial<Context>;

/** One way a state can take an event. */
interface Candidate {
  readonly guards: readonly Predicate[];
  readonly assignments: readonly Assignment[];
  /** A snapshot in the state it leads to, of which only the context is still to be replaced; null: it stays. */
  readonly target: ModelState | null;
}

type Table = ReadonlyMap<string, ReadonlyMap<EventType, readonly Candidate[]>>;

const tables = new WeakMap<StoreMachine, Table>();

/** `ready.ram` for a state within a state. */
export const pathOf = (value: ModelState['value']): string => {
  if (typeof value === 'string') return value;
  for (const parent in value) return `${parent}.${value[parent as keyof typeof value]}`;
  throw new Error('a state of the machine has no name');
};

function leaves(node: StateNode): StateNode[] {
  const children = Object.values(node.states) as unknown as StateNode[];
  return children.length === 0 ? [node] : children.flatMap(leaves);
}

function predicatesOf(rules: StoreMachine, guard: Definition['guard']): Predicate[] {
  if (guard === undefined) return [];
  const several = (guard as { readonly guards?: readonly Definition['guard'][] }).guards;
  if (several !== undefined) return several.flatMap((each) => predicatesOf(rules, each));
  const found = typeof guard === 'string' ? rules.implementations.guards[guard] : undefined;
  if (typeof found !== 'function') throw new Error(`the machine has a guard that is no named predicate: ${guard}`);
  return [found as unknown as Predicate];
}

/** A rule that a mutation left out is a function that assigns nothing. */
function assignmentsOf(rules: StoreMachine, { actions }: Definition): Assignment[] {
  return actions.flatMap((action) => {
    const name = action as unknown as string;
    const found = (rules.implementations.actions as Record<string, unknown>)[name];
    if (typeof found !== 'function') throw new Error(`the machine has an action that is no named assign: ${name}`);
    const { assignment } = found as { readonly assignment?: Assignment };
    return assignment === undefined ? [] : [assignment];
  });
}

/** The state within a state that is entered when only the outer one is named. */
function entered(node: StateNode): StateNode {
  const [inner] = node.initial?.target ?? [];
  return inner === undefined ? node : entered(inner as unknown as StateNode);
}

function assertPlain(node: StateNode): void {
  const more = [node.entry, node.exit, node.invoke, node.after, node.always ?? []].some((list) => list.length > 0);
  if (more || node.type === 'parallel' || node.type === 'history')
    throw new Error(`state ${node.id} has more than events: its steps must be taken by xstate`);
}

function tableOf(rules: StoreMachine): Table {
  const known = tables.get(rules);
  if (known !== undefined) return known;
  const templates = new Map<string, ModelState>();
  const valueAt = ({ path }: StateNode): ModelState['value'] =>
    (path.length === 1 ? path[0] : { [path[0] as string]: path[1] }) as ModelState['value'];
  const template = (node: StateNode): ModelState => {
    const path = node.path.join('.');
    const made = templates.get(path) ?? rules.resolveState({ value: valueAt(node), context: {} as Context });
    templates.set(path, made);
    return made;
  };
  const candidate = (definition: Definition): Candidate => ({
    guards: predicatesOf(rules, definition.guard),
    assignments: assignmentsOf(rules, definition),
    target: definition.target === undefined ? null : template(entered(definition.target[0] as unknown as StateNode)),
  });
  const table = new Map<string, Map<EventType, Candidate[]>>();
  for (const leaf of leaves(rules.root)) {
    const events = new Map<EventType, Candidate[]>();
    // The innermost state is asked first, then the ones around it.
    for (let node: StateNode | undefined = leaf; node !== undefined; node = node.parent as StateNode | undefined) {
      assertPlain(node);
      for (const [event, definitions] of node.transitions) {
        const list = events.get(event as EventType) ?? [];
        events.set(event as EventType, [...list, ...definitions.map(candidate)]);
      }
    }
    table.set(leaf.path.join('.'), events);
  }
  tables.set(rules, table);
  return table;
}

function choose(rules: StoreMachine, { value }: ModelState, of: Arguments): Candidate | null {
  for (const candidate of tableOf(rules).get(pathOf(value))?.get(of.event.type) ?? []) {
    if (candidate.guards.every((guard) => guard(of))) return candidate;
  }
  return null;
}

/** Whether the machine takes the event in this state. */
export const takes = (rules: StoreMachine, state: ModelState, event: ModelEvent): boolean =>
  choose(rules, state, { context: state.context, event }) !== null;

/** The state after the event; the same object when it was refused, or when it has no effect at all. */
export function take(rules: StoreMachine, state: ModelState, event: ModelEvent): ModelState {
  const taken = choose(rules, state, { context: state.context, event });
  if (taken === null || (taken.target === null && taken.assignments.length === 0)) return state;
  // Written in place, and nobody else's yet: each assign sees what the ones before it did.
  const context: Context = { ...state.context };
  const of: Arguments = { context, event };
  for (const assignment of taken.assignments) Object.assign(context, assignment(of));
  return { ...(taken.target ?? state), context };
}
