/**
 * The figures that gates and baseline are about, each under one name. Null: nothing in the evidence says it.
 */
import type { Seen } from './seen.ts';

export type MeasureName = keyof typeof MEASURES;

const positive = (counts: Readonly<Record<string, number>> | undefined): number | undefined =>
  counts === undefined ? undefined : Object.values(counts).filter((count) => count > 0).length;

const none = (seen: Seen): boolean => seen.run.length === 0;

export const MEASURES = {
  'edges of the machine': (seen: Seen) =>
    none(seen) ? null : seen.totals.edges.filter(({ count }) => count > 0).length,
  'events of the machine': (seen: Seen) =>
    none(seen) ? null : seen.totals.events.filter(([, count]) => count > 0).length,
  'invariants put to the test': (seen: Seen) =>
    none(seen) ? null : seen.totals.invariants.filter(({ witnesses }) => witnesses > 0).length,
  'cells: edge x I/O step x residue': (seen: Seen) => (none(seen) ? null : seen.totals.cells),
  'residue classes': (seen: Seen) => (none(seen) ? null : seen.totals.residues.length),
  'edges of the tour': (seen: Seen) => seen.figure('tour', 'taken'),
  'crash images': (seen: Seen) => seen.figure('crash', 'images'),
  'crashes in recovery': (seen: Seen) => seen.figure('crash', 'doubleCrashes'),
  'fault cases': (seen: Seen) => seen.figure('faults', 'cases'),
  'damage cases': (seen: Seen) => seen.figure('damage', 'cases'),
  'orders of calls': (seen: Seen) => seen.figure('interleavings', 'orders'),
  'crash points in orders': (seen: Seen) => seen.figure('interleavings', 'crashPoints'),
  'states left to themselves': (seen: Seen) => seen.figure('liveness', 'states'),
  'calls and settings refused': (seen: Seen) => seen.figure('refusals', 'cases'),
  'checked steps of random runs': (seen: Seen) => seen.most('random', ({ steps }) => steps),
  'deep starts': (seen: Seen) => seen.most('random', ({ starts }) => positive(starts)),
  'payload boundaries': (seen: Seen) => seen.most('random', ({ boundaries }) => positive(boundaries)),
  'planted bugs killed': (seen: Seen) => seen.figure('museum', 'killed'),
  'wrong adapters and stores found': (seen: Seen) => seen.figure('others', 'found'),
  'mutation score of src/core, percent': (seen: Seen) => seen.figure('mutants', 'src/core score'),
  'lines of src/core by the kit alone, percent': (seen: Seen) => seen.figure('coverage', 'lines'),
  'branches of src/core by the kit alone, percent': (seen: Seen) => seen.figure('coverage', 'branches'),
} as const satisfies Record<string, (seen: Seen) => number | null>;

export const measuresOf = (seen: Seen): Record<MeasureName, number | null> =>
  Object.fromEntries(Object.entries(MEASURES).map(([name, of]) => [name, of(seen)])) as Record<
    MeasureName,
    number | null
  >;
