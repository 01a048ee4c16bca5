/**
 * The machine as plain data: its states, one within the other, and its transitions with the names of their guards and
 * actions, walked out of `machine.root`. For pages and drawings; nothing is stepped by it (transitions.ts does that).
 */
import { machine } from './machine.ts';

type StateNode = typeof machine.root;
type Definition = NonNullable<ReturnType<StateNode['transitions']['get']>>[number];

export interface ChartState {
  /** As `ready.ram`; the root is not among them. */
  readonly path: string;
  readonly name: string;
  /** Null for a state of the outermost level. */
  readonly parent: string | null;
  /** Paths of the states within it; empty for one that the machine can rest in. */
  readonly children: readonly string[];
  /** Whether it is entered when only the state around it (or the machine) is. */
  readonly initial: boolean;
}

export interface ChartTransition {
  /** `state EVENT`, and `#n` behind it from the second way on in which a state can take the event. */
  readonly id: string;
  readonly from: string;
  readonly event: string;
  /** Of the ways in which the state can take the event: this one is tried after so many others. */
  readonly way: number;
  /** All must hold. */
  readonly guards: readonly string[];
  readonly actions: readonly string[];
  /** Null: the state is not left. */
  readonly to: string | null;
}

export interface Chart {
  readonly states: readonly ChartState[];
  readonly transitions: readonly ChartTransition[];
}

export const nodePath = (node: { readonly path: readonly string[] }): string => node.path.join('.');

/** Names in a guard: one, or those that `and` binds. */
export function guardNames(guard: unknown): string[] {
  if (typeof guard === 'string') return [guard];
  if (guard !== null && (typeof guard === 'object' || typeof guard === 'function')) {
    if ('guards' in guard && Array.isArray(guard.guards)) return guard.guards.flatMap(guardNames);
    if ('type' in guard && typeof guard.type === 'string') return [guard.type];
  }
  return [];
}

export const actionNames = ({ actions }: Definition): string[] =>
  actions.map((action) => (typeof action === 'object' && 'type' in action ? action.type : String(action)));

function statesWithin(node: StateNode): ChartState[] {
  const children = Object.values(node.states) as unknown as StateNode[];
  const first = node.initial?.target[0]?.key;
  return children.flatMap((child) => [
    {
      path: nodePath(child),
      name: child.key,
      parent: node.path.length === 0 ? null : nodePath(node),
      children: Object.values(child.states).map(nodePath),
      initial: child.key === first,
    },
    ...statesWithin(child),
  ]);
}

function transitionsWithin(node: StateNode): ChartTransition[] {
  const own = [...node.transitions.values()].flatMap((definitions) =>
    definitions.map((definition, way) => ({
      id: `${nodePath(node)} ${definition.eventType}${way === 0 ? '' : `#${way + 1}`}`,
      from: nodePath(node),
      event: definition.eventType,
      way,
      guards: guardNames(definition.guard),
      actions: actionNames(definition),
      to: definition.target?.[0] === undefined ? null : nodePath(definition.target[0]),
    })),
  );
  return [...own, ...Object.values(node.states).flatMap((child) => transitionsWithin(child as unknown as StateNode))];
}

export const chartOf = (root: StateNode = machine.root): Chart => ({
  states: statesWithin(root),
  transitions: transitionsWithin(root),
});
