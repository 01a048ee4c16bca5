/**
 * Where the statechart's states and transitions are drawn: laid out once, when a page is made, and inlined as
 * coordinates, because the library that does it is seven times as large as the page.
 *
 * A transition that leaves its state is an arrow with a label; one that stays is a line in the box of its state. So each
 * transition of the machine has exactly one place.
 */
import type { ElkExtendedEdge, ElkNode } from 'elkjs';
import type { Chart, ChartState, ChartTransition } from '../../model/chart.ts';
import { LINE, TITLE, transitionLabel } from './chart-metrics.ts';

export interface PlacedState {
  readonly path: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface PlacedTransition {
  readonly id: string;
  /** Upper left corner of its text. */
  readonly x: number;
  readonly y: number;
  readonly width: number;
  /** Of an arrow; empty for a line in a box. */
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface ChartLayout {
  readonly width: number;
  readonly height: number;
  readonly states: readonly PlacedState[];
  readonly transitions: readonly PlacedTransition[];
}

/** Of the font that the page draws the chart in: 12 px, fixed width. */
const CHARACTER = 7.25;
const PAD = 8;
/** Room for a count beside a name. */
const COUNT = 8;

const textWidth = (text: string): number => Math.ceil((text.length + COUNT) * CHARACTER);

const staysIn = (chart: Chart, path: string): ChartTransition[] =>
  chart.transitions.filter(({ from, to }) => from === path && to === null);

function nodeOf(chart: Chart, state: ChartState): ElkNode {
  const own = staysIn(chart, state.path);
  const top = TITLE + own.length * LINE + PAD;
  const width = Math.max(96, textWidth(state.name), ...own.map((each) => textWidth(transitionLabel(each)) + PAD));
  const children = chart.states.filter(({ parent }) => parent === state.path).map((child) => nodeOf(chart, child));
  if (children.length === 0) return { id: state.path, width, height: top };
  return {
    id: state.path,
    children,
    layoutOptions: {
      'elk.padding': `[top=${top + PAD},left=16,bottom=16,right=16]`,
      'elk.nodeSize.constraints': 'MINIMUM_SIZE',
      'elk.nodeSize.minimum': `(${width},${top + 40})`,
    },
  };
}

function edgesOf(chart: Chart): ElkExtendedEdge[] {
  return chart.transitions.flatMap((transition) =>
    transition.to === null
      ? []
      : {
          id: transition.id,
          sources: [transition.from],
          targets: [transition.to],
          labels: [{ text: transition.id, width: textWidth(transitionLabel(transition)), height: LINE }],
        },
  );
}

const rounded = (value: number | undefined): number => Math.round((value ?? 0) * 10) / 10;

/** Coordinates of the nodes are relative to what they are in; those of the edges are not (edgeCoords ROOT). */
function placeStates(node: ElkNode, x: number, y: number): PlacedState[] {
  return (node.children ?? []).flatMap((child) => {
    const at = { x: x + (child.x ?? 0), y: y + (child.y ?? 0) };
    const own = { path: child.id, x: rounded(at.x), y: rounded(at.y) };
    return [{ ...own, width: rounded(child.width), height: rounded(child.height) }, ...placeStates(child, at.x, at.y)];
  });
}

function placeArrow({ id, sections = [], labels = [] }: ElkExtendedEdge): PlacedTransition {
  const points = sections.flatMap(({ startPoint, bendPoints = [], endPoint }) =>
    [startPoint, ...bendPoints, endPoint].map(({ x, y }) => [rounded(x), rounded(y)] as const),
  );
  const [label] = labels;
  return { id, x: rounded(label?.x), y: rounded(label?.y), width: rounded(label?.width), points };
}

export async function layOutChart(chart: Chart): Promise<ChartLayout> {
  const { default: Elk } = await import('elkjs');
  const graph: ElkNode = {
    id: 'root',
    layoutOptions: {
      'elk.algorithm': 'layered',
      'elk.direction': 'DOWN',
      'elk.hierarchyHandling': 'INCLUDE_CHILDREN',
      'org.eclipse.elk.json.edgeCoords': 'ROOT',
      'elk.edgeRouting': 'ORTHOGONAL',
      'elk.edgeLabels.inline': 'false',
      'elk.edgeLabels.placement': 'CENTER',
      'elk.spacing.nodeNode': '28',
      'elk.spacing.edgeLabel': '4',
      'elk.spacing.labelLabel': '6',
      'elk.layered.spacing.nodeNodeBetweenLayers': '28',
      'elk.layered.spacing.edgeNodeBetweenLayers': '14',
      'elk.layered.considerModelOrder.strategy': 'NODES_AND_EDGES',
      'elk.layered.cycleBreaking.strategy': 'MODEL_ORDER',
      'elk.padding': '[top=4,left=4,bottom=4,right=4]',
    },
    children: chart.states.filter(({ parent }) => parent === null).map((state) => nodeOf(chart, state)),
    edges: edgesOf(chart),
  };
  // The package's types are of a CommonJS module whose default is the class itself.
  const placed = await new (Elk as unknown as new () => { layout(graph: ElkNode): Promise<ElkNode> })().layout(graph);
  const states = placeStates(placed, 0, 0);
  const lines = states.flatMap(({ path, x, y, width }) =>
    staysIn(chart, path).map(({ id }, i) => ({
      id,
      x: x + PAD,
      y: y + TITLE + i * LINE,
      width: width - 2 * PAD,
      points: [],
    })),
  );
  const arrows = (placed.edges ?? []).map(placeArrow);
  return { width: rounded(placed.width), height: rounded(placed.height), states, transitions: [...lines, ...arrows] };
}
