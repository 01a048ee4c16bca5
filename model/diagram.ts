/**
 * The machine as text: a Mermaid chart and a table of its transitions, both walked out of `machine.root`, and the
 * invariants beside it. `node model/diagram.ts` writes the page docs/model.md; a test holds the page to the machine.
 */
import { actionNames, guardNames, nodePath } from './chart.ts';
import type { Invariant } from './invariants/index.ts';
import { invariants } from './invariants/index.ts';
import { machine } from './machine.ts';

type StateNode = typeof machine.root;
type Transition = NonNullable<ReturnType<StateNode['transitions']['get']>>[number];

const nodeId = (node: { readonly path: readonly string[] }): string => node.path.join('_');

function nodesOf(node: StateNode): StateNode[] {
  return [node, ...Object.values(node.states).flatMap((child) => nodesOf(child))];
}

const transitionsOf = (node: StateNode): Transition[] => [...node.transitions.values()].flat();

function stateLines(node: StateNode, indent: string): string[] {
  const children = Object.values(node.states);
  if (children.length === 0) return [`${indent}state "${node.key}" as ${nodeId(node)}`];
  const initial = node.initial.target.map((target) => `${indent}  [*] --> ${nodeId(target)}`);
  return [
    `${indent}state "${node.key}" as ${nodeId(node)} {`,
    ...initial,
    ...children.flatMap((child) => stateLines(child, `${indent}  `)),
    `${indent}}`,
  ];
}

/** Transitions that lead elsewhere, one arrow a pair of states. What stays in its state is in the table. */
function arrowLines(root: StateNode): string[] {
  const arrows = new Map<string, Set<string>>();
  for (const node of nodesOf(root)) {
    for (const { target, eventType } of node === root ? [] : transitionsOf(node)) {
      for (const goal of target ?? []) {
        const arrow = `${nodeId(node)} --> ${nodeId(goal)}`;
        arrows.set(arrow, (arrows.get(arrow) ?? new Set()).add(eventType));
      }
    }
  }
  return [...arrows].map(([arrow, events]) => `  ${arrow} : ${[...events].join(', ')}`);
}

export function mermaidOf(root: StateNode = machine.root): string {
  const states = Object.values(root.states).flatMap((node) => stateLines(node, '  '));
  const initial = root.initial.target.map((target) => `  [*] --> ${nodeId(target)}`);
  return ['stateDiagram-v2', ...initial, ...states, ...arrowLines(root)].join('\n');
}

function transitionRows(root: StateNode): string[] {
  return nodesOf(root).flatMap((node) =>
    transitionsOf(node).map((transition) => {
      const { eventType, target } = transition;
      const goal = target?.map((each) => nodePath(each)).join(', ') ?? '';
      const guards = guardNames(transition.guard).join(', ');
      return `| ${nodePath(node)} | ${eventType} | ${guards} | ${goal} | ${actionNames(transition).join(', ')} |`;
    }),
  );
}

const invariantRow = ({ id, name, statement, why, needs }: Invariant): string =>
  `| ${id} | ${name} | ${statement}${needs === undefined ? '' : ` (needs ${needs})`} | ${why} |`;

export const modelPage = (): string => `# The model

Made from model/machine.ts and model/invariants/ by \`npx node model/diagram.ts > docs/model.md\`.
\`npm run explore\` visits every reachable state of a small scope and checks every invariant on every edge.

## States

An event that a state has no transition for is refused, and changes nothing.

\`\`\`mermaid
${mermaidOf()}
\`\`\`

## Transitions

Guards must all hold. Actions run from left to right, each on what the one before it left. Where an event stands more
than once for a state, the first whose guards hold is taken.

| state | event | guards | to | actions |
|---|---|---|---|---|
${transitionRows(machine.root).join('\n')}

## Invariants

| id | name | formula | why |
|---|---|---|---|
${invariants.map(invariantRow).join('\n')}
`;

if (import.meta.main) process.stdout.write(modelPage());
