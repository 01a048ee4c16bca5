/**
 * The museum: known bugs, each planted in a copy of the engine, and what of the kit catches it. A bug that nothing
 * catches is a hole in the kit, and fails the run.
 */
import { makeOutcome } from '../evidence/make.ts';
import type { ModeOutcome, ModeProgress } from '../evidence/record.ts';
import { newCoverage } from '../model-run.ts';
import type { Exhibit, Planting } from './exhibit.ts';
import { OWN } from './own.ts';
import { RECYCLING } from './recycling.ts';
import { SHIPPED } from './shipped.ts';
import type { Catch, VisitOptions } from './visit.ts';
import { visit } from './visit.ts';

/** Every bug of the museum: those that were shipped, then the museum's own. */
export const EXHIBITS: readonly Exhibit[] = [...SHIPPED, ...OWN, ...RECYCLING];

/** Copies that run at a time: one a core of a small machine. */
const AT_ONCE = 2;

export interface MuseumOptions extends VisitOptions {
  /** Of the sources to be copied. */
  readonly root: string;
  readonly plantings: readonly Planting[];
  /** As typed, for the evidence. */
  readonly command: string;
  /** Called with each row as it is known, not in order. */
  readonly onCatch?: (caught: Catch) => void;
  readonly onProgress?: ModeProgress;
}

export interface MuseumResult {
  /** In the order of the plantings. */
  readonly rows: readonly Catch[];
  readonly killed: number;
  readonly outcome: ModeOutcome;
}

/** Plants and looks, two at a time. @throws when a planted copy cannot run at all. */
export async function runMuseum(options: MuseumOptions): Promise<MuseumResult> {
  const { root, plantings, onCatch, onProgress } = options;
  const startedMs = performance.now();
  const rows = new Map<string, Catch>();
  const waiting = [...plantings];
  const work = async (): Promise<void> => {
    for (let planting = waiting.shift(); planting !== undefined; planting = waiting.shift()) {
      const caught = await visit(root, planting, options).catch((error: unknown) => {
        // The others would only make it late to say so.
        waiting.length = 0;
        throw error;
      });
      rows.set(planting.id, caught);
      onCatch?.(caught);
      onProgress?.({ what: 'bugs planted', done: rows.size, total: plantings.length });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  const ordered = plantings.flatMap(({ id }) => rows.get(id) ?? []);
  const killed = ordered.filter(({ caughtBy }) => caughtBy !== null).length;
  const seconds = (performance.now() - startedMs) / 1_000;
  return { rows: ordered, killed, outcome: outcomeOf(options, ordered, killed, seconds) };
}

/** Middle of the shrunk traces' lengths; 0 without one. */
export function medianSteps(rows: readonly Catch[]): number {
  const steps = rows.flatMap((row) => (row.steps > 0 ? [row.steps] : [])).sort((a, b) => a - b);
  return steps[Math.floor(steps.length / 2)] ?? 0;
}

function outcomeOf(options: MuseumOptions, rows: readonly Catch[], killed: number, seconds: number): ModeOutcome {
  const figures: Record<string, number> = {
    planted: rows.length,
    killed,
    medianSteps: medianSteps(rows),
    longestSteps: rows.reduce((longest, { steps }) => Math.max(longest, steps), 0),
  };
  for (const { id, caughtBy, steps } of rows) figures[caughtBy === null ? `${id} survived` : `${id} steps`] = steps;
  return makeOutcome({
    mode: 'museum',
    command: options.command,
    seed: options.seed,
    profiles: ['linux', 'wiced'],
    seconds,
    steps: 0,
    failures: rows.length - killed,
    traceHash: null,
    figures,
    exhibits: rows.map(({ id, bug, caughtBy, steps, modes }) => ({ id, bug, caughtBy, steps, modes })),
    coverage: newCoverage(),
    possible: [],
    failure: null,
  });
}
