/** What all modes together have exercised. Pure: evidence in, sums out. */

import type { ExhibitRow, GuardCount, ModeEvidence } from '../../conformance/evidence/record.ts';
import { GUARD_NAMES } from '../../conformance/guard-counts.ts';
import { ALL_EDGES } from '../../conformance/model-run.ts';
import { invariants } from '../../model/invariants/index.ts';

export interface EdgeTotal {
  /** `state EVENT`. */
  readonly edge: string;
  /** How often it was taken. */
  readonly count: number;
  /** Crashes right behind it: by I/O step kind, and in each by what was left. */
  readonly cells: ReadonlyMap<string, ReadonlyMap<string, number>>;
}

export interface InvariantTotal {
  readonly id: string;
  readonly name: string;
  /** Steps in which its premise held. */
  readonly witnesses: number;
}

export interface GuardTotal extends GuardCount {
  readonly name: string;
}

export interface Totals {
  readonly edges: readonly EdgeTotal[];
  /** I/O step kinds and classes of what was left, as far as any crash came there, by name. */
  readonly ioKinds: readonly string[];
  readonly residues: readonly string[];
  /** Cells visited: different triples of edge, I/O step kind and class. */
  readonly cells: number;
  readonly invariants: readonly InvariantTotal[];
  readonly events: readonly (readonly [string, number])[];
  readonly guards: readonly GuardTotal[];
  readonly exhibits: readonly ExhibitRow[];
}

/** Every event that the machine knows, with the edges it is on. */
const ALL_EVENTS: readonly string[] = [...new Set(ALL_EDGES.map((edge) => edge.split(' ')[1] as string))].sort();

function addInto(sums: Map<string, number>, counts: Readonly<Record<string, number>>): void {
  for (const [name, count] of Object.entries(counts)) sums.set(name, (sums.get(name) ?? 0) + count);
}

type Cells = Map<string, Map<string, Map<string, number>>>;

function cellsOf(evidence: readonly ModeEvidence[]): Cells {
  const cells: Cells = new Map();
  for (const { edge, io, residue, count } of evidence.flatMap((mode) => mode.cells)) {
    const ofEdge = cells.get(edge) ?? new Map<string, Map<string, number>>();
    const ofIo = ofEdge.get(io) ?? new Map<string, number>();
    ofIo.set(residue, (ofIo.get(residue) ?? 0) + count);
    ofEdge.set(io, ofIo);
    cells.set(edge, ofEdge);
  }
  return cells;
}

function guardsOf(evidence: readonly ModeEvidence[]): GuardTotal[] {
  const sum = (name: string, of: keyof GuardCount): number =>
    evidence.reduce((total, { guards }) => total + (guards?.[name]?.[of] ?? 0), 0);
  return GUARD_NAMES.map((name) => ({ name, passed: sum(name, 'passed'), refused: sum(name, 'refused') }));
}

export function totalsOf(evidence: readonly ModeEvidence[]): Totals {
  const [edges, events, witnesses] = [new Map<string, number>(), new Map<string, number>(), new Map<string, number>()];
  for (const mode of evidence) {
    const taken = Object.fromEntries(mode.edges.covered.map((edge) => [edge, 1]));
    addInto(edges, mode.edges.counts ?? taken);
    addInto(events, mode.events);
    addInto(witnesses, mode.invariants);
  }
  const cells = cellsOf(evidence);
  const visited = evidence.flatMap((mode) => mode.cells);
  const names = (of: (cell: (typeof visited)[number]) => string): string[] => [...new Set(visited.map(of))].sort();
  return {
    edges: ALL_EDGES.map((edge) => ({ edge, count: edges.get(edge) ?? 0, cells: cells.get(edge) ?? new Map() })),
    ioKinds: names(({ io }) => io),
    residues: names(({ residue }) => residue),
    cells: new Set(visited.map(({ edge, io, residue }) => `${edge}|${io}|${residue}`)).size,
    invariants: invariants.map(({ id, name }) => ({ id, name, witnesses: witnesses.get(id) ?? 0 })),
    events: ALL_EVENTS.map((event) => [event, events.get(event) ?? 0] as const),
    guards: guardsOf(evidence),
    exhibits: evidence.flatMap(({ exhibits }) => exhibits ?? []),
  };
}
