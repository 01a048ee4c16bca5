/** Evidence of several modes added up: edges, transitions, invariants, places of crashes. */
import { chartOf } from '../../../model/chart.ts';
import type { EvidencePage, ShownCell } from '../page-data.ts';
import { waysOf } from './frames.ts';

type Modes = EvidencePage['modes'];

const CHART = chartOf();

/** Paths of the states that the machine can rest in. */
const LEAVES = CHART.states.filter(({ children }) => children.length === 0).map(({ path }) => path);

const add = (sums: Map<string, number>, name: string, by: number): Map<string, number> =>
  sums.set(name, (sums.get(name) ?? 0) + by);

/** How often each edge, `state EVENT`, was taken in all modes. */
export function edgeCounts(modes: Modes): Map<string, number> {
  const sums = new Map<string, number>();
  for (const { edges } of modes) for (const [edge, by] of Object.entries(edges.counts ?? {})) add(sums, edge, by);
  return sums;
}

/**
 * The same for the transitions that are drawn. One of a state around others counts for all that are within it; where a
 * state has several ways to take an event the edge does not say which it was: each has the count of all.
 */
export function transitionCounts(edges: ReadonlyMap<string, number>): Map<string, number> {
  const sums = new Map<string, number>();
  for (const leaf of LEAVES) {
    for (const event of new Set(CHART.transitions.map((each) => each.event))) {
      const count = edges.get(`${leaf} ${event}`) ?? 0;
      for (const { id } of count === 0 ? [] : waysOf(leaf, event)) add(sums, id, count);
    }
  }
  return sums;
}

/** Steps in which each invariant's premise held, in all modes. */
export function witnessCounts(modes: Modes): Map<string, number> {
  const sums = new Map<string, number>();
  for (const { invariants } of modes) for (const [id, by] of Object.entries(invariants)) add(sums, id, by);
  return sums;
}

/** What is in one square of the heat map. */
export interface Square {
  readonly count: number;
  /** Index of the shortest example; null: none was kept. */
  readonly example: number | null;
}

export interface HeatMap {
  readonly edges: readonly string[];
  /** I/O steps at which crashes came. */
  readonly ios: readonly string[];
  readonly residues: readonly string[];
  /** @param residue null: all of them. */
  square(edge: string, io: string, residue: string | null): Square;
}

export function heatMapOf({ cells, examples }: Pick<EvidencePage, 'cells' | 'examples'>): HeatMap {
  const sorted = (of: (cell: ShownCell) => string): string[] => [...new Set(cells.map(of))].sort();
  const stepsOf = (index: number | null): number =>
    index === null ? Number.POSITIVE_INFINITY : (examples[index]?.steps.length ?? Number.POSITIVE_INFINITY);
  return {
    edges: sorted(({ edge }) => edge),
    ios: sorted(({ io }) => io),
    residues: sorted(({ residue }) => residue),
    square(edge, io, residue) {
      const within = cells.filter(
        (cell) => cell.edge === edge && cell.io === io && (residue === null || cell.residue === residue),
      );
      const shortest = within.reduce<number | null>(
        (best, { example }) => (stepsOf(example) < stepsOf(best) ? example : best),
        null,
      );
      return { count: within.reduce((sum, { count }) => sum + count, 0), example: shortest };
    },
  };
}
