/**
 * The least share of src/core and src/platform that `npm test` must run, in percent. A change may raise these figures;
 * lowering one needs its reason here.
 *
 * Measured by c8: lines are physical lines of the sources, comments included. Without root the tests that mount a file
 * system do not run, and src/platform falls a little short.
 */
import type { MeasureName } from './report/measures.ts';

export interface Threshold {
  readonly lines: number;
  readonly branches: number;
}

/** By folder, without a trailing slash. */
export const THRESHOLDS: Readonly<Record<string, Threshold>> = {
  'src/core': { lines: 98, branches: 95 },
  'src/platform': { lines: 98, branches: 90 },
};

/** The least share of src/core that the conformance kit must run without any unit test (`npm run conformance:coverage`). */
export const KIT_ALONE: Threshold = { lines: 98, branches: 95 };

/** The least share of mutants that the conformance kit alone must notice, in percent (`npm run conformance:mutants`). */
export const MUTATION_SCORES: Readonly<Record<string, number>> = {
  'src/core': 90,
};

/**
 * The least that a run of all modes of the conformance kit must show, in the size that CI runs (`npm run conformance:all`).
 * What a long run must show has its row among the demands of the report.
 */
export const CONFORMANCE: Readonly<Partial<Record<MeasureName, number>>> = {
  'edges of the machine': 45,
  'events of the machine': 21,
  'invariants put to the test': 22,
  'cells: edge x I/O step x residue': 420,
  'edges of the tour': 60_000,
  'crash images': 3_600,
  'crashes in recovery': 570,
  'fault cases': 230,
  'damage cases': 800,
  'orders of calls': 2_400,
  'crash points in orders': 10_000,
  'states left to themselves': 190,
  'calls and settings refused': 200,
  'checked steps of random runs': 50_000,
  'deep starts': 10,
  'payload boundaries': 10,
  'planted bugs killed': 50,
  'wrong adapters and stores found': 15,
  'lines of src/core by the kit alone, percent': 98,
  'branches of src/core by the kit alone, percent': 95,
};
