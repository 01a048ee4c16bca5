/**
 * What the exploration and the conformance run must have printed for their gates to be green, and which tests a run
 * left out. An exit code says that a
 * run found nothing; only its figures say that it looked. A figure that is missing counts as not reached.
 *
 * Pure: text goes in, a verdict comes out, so that the gates themselves are tested.
 */

export const STATES_MIN = 10_000;
export const INVARIANTS = 22;
export const CAUGHT_MIN = 0.95;

export interface Verdict {
  /** What is not as it must be, a sentence each; none when the gate is green. */
  readonly faults: readonly string[];
  /** The run in one line, for the table; null when it printed no report. */
  readonly figures: string | null;
}

interface Exploration {
  readonly states: number;
  readonly invariants: readonly { readonly id: string; readonly witnesses: number }[];
  readonly mutations: { readonly total: number; readonly caught: number } | null;
  readonly faults?: readonly string[];
}

interface Conformance {
  readonly seed: number;
  readonly runs: number;
  readonly steps: number;
  readonly failures: number;
  readonly failure?: { readonly message: string; readonly replay: string };
}

const NO_REPORT: Verdict = { faults: ['it printed no report'], figures: null };

/** @param output of `npm run -s explore -- --json`, whatever else was printed around the object. */
export function judgeExploration(output: string): Verdict {
  const report = lastObject(output) as Partial<Exploration> | null;
  if (report === null) return NO_REPORT;
  const { states = 0, invariants = [], mutations } = report;
  const { total = 0, caught = 0 } = mutations ?? {};
  const faults = [...(report.faults ?? [])];
  if (!(states >= STATES_MIN)) faults.push(`${states} states, and ${STATES_MIN} are asked for`);
  if (new Set(invariants.map(({ id }) => id)).size !== INVARIANTS) {
    faults.push(`${invariants.length} invariants, and there are ${INVARIANTS}`);
  }
  for (const { id, witnesses } of invariants) {
    if (!(witnesses > 0)) faults.push(`the premise of ${id} never held, so the run proves nothing about it`);
  }
  // No mutation at all would be a share of 100 % of nothing.
  if (!(total > 0 && caught >= total * CAUGHT_MIN)) faults.push(`${caught} of ${total} mutations are caught`);
  return { faults, figures: `${states} states, ${invariants.length} invariants, ${caught}/${total} mutations` };
}

/** @param output of `npm run -s conformance -- --json`. @param runsMin what it was asked for. */
export function judgeConformance(output: string, runsMin: number): Verdict {
  const report = lastObject(output) as Partial<Conformance> | null;
  if (report === null) return NO_REPORT;
  const { seed, runs = 0, steps = 0, failures, failure } = report;
  const faults: string[] = [];
  if (failures !== 0) faults.push(`${failures ?? 'no count of'} failures`);
  if (failure !== undefined) faults.push(failure.message, failure.replay);
  if (!(runs >= runsMin) && failures === 0) faults.push(`${runs} runs, and ${runsMin} are asked for`);
  if (!(steps > 0)) faults.push('no step was compared');
  return { faults, figures: `seed ${seed}, ${runs} runs, ${steps} steps, ${failures ?? '?'} failures` };
}

/** The tests that a run of Vitest names as skipped (test/tools/closing-line-reporter.ts), with their reasons. */
export function skipped(output: string): string[] {
  const lines = output.split('\n');
  const from = lines.findIndex((line) => line.startsWith('NOT RUN here:')) + 1;
  if (from === 0) return [];
  const end = lines.findIndex((line, i) => i >= from && line.trim() === '');
  return lines.slice(from, end < 0 ? undefined : end).map((line) => line.trim());
}

/** The last line that is a JSON object; null when there is none. */
function lastObject(output: string): object | null {
  const line = output.split('\n').findLast((each) => each.startsWith('{'));
  if (line === undefined) return null;
  try {
    return JSON.parse(line) as object;
  } catch (error) {
    // A run that was cut off in its report has not reported.
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
