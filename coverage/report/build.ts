/** Puts the report together: what every renderer draws, and whether the run passes. Pure. */
import type { Mode } from '../../conformance/evidence/record.ts';
import type { DemandRow } from './demands.ts';
import { demandRows } from './demands.ts';
import type { Baseline, BaselineRow, GateRow } from './gates.ts';
import { baselineRows, gateRows } from './gates.ts';
import type { MeasureName } from './measures.ts';
import { measuresOf } from './measures.ts';
import type { Lists } from './seen.ts';
import { Seen } from './seen.ts';
import type { Totals } from './totals.ts';

export interface ModeRow {
  readonly mode: Mode;
  readonly command: string;
  readonly seed: number | null;
  readonly seconds: number;
  readonly steps: number;
  readonly failures: number;
  readonly traceHash: string | null;
  /** Of an earlier long run, kept in coverage/recorded. */
  readonly recorded: boolean;
}

export interface Report {
  readonly modes: readonly ModeRow[];
  readonly demands: readonly DemandRow[];
  readonly gates: readonly GateRow[];
  readonly baseline: readonly BaselineRow[];
  readonly measures: Readonly<Record<MeasureName, number | null>>;
  readonly totals: Totals;
  readonly lists: Lists;
  /** A sentence each; empty when the run passes. */
  readonly faults: readonly string[];
}

export interface BuildOptions {
  readonly baseline: Baseline;
  /** Whether a test file exists. */
  readonly isThere: (path: string) => boolean;
}

function faultsOf({ modes, gates, baseline }: Pick<Report, 'modes' | 'gates' | 'baseline'>): string[] {
  return [
    ...(modes.length === 0 ? ['there is no evidence: run npm run conformance:all first'] : []),
    ...modes.filter(({ failures }) => failures > 0).map(({ mode, failures }) => `${mode}: ${failures} failures`),
    ...gates
      .filter(({ met }) => !met)
      .map(({ measure, measured, least }) => `gate ${measure}: ${measured ?? 'not measured'}, at least ${least}`),
    ...baseline
      .filter(({ dropped }) => dropped)
      .map(({ measure, before, now }) => `baseline ${measure}: ${now}, it was ${before}`),
  ];
}

export function buildReport(seen: Seen, { baseline, isThere }: BuildOptions): Report {
  const modes = [
    ...seen.run.map((each) => [each, false] as const),
    ...seen.recorded.map((each) => [each, true] as const),
  ];
  // A gate is for what ran now: what was recorded once would meet it for ever.
  const measures = measuresOf(new Seen(seen.run, [], seen.lists));
  const parts = {
    modes: modes.map(([{ mode, command, seed, seconds, steps, failures, traceHash }, recorded]) => ({
      mode,
      command,
      seed,
      seconds,
      steps,
      failures,
      traceHash,
      recorded,
    })),
    gates: gateRows(measures),
    baseline: baselineRows(baseline, measures),
  };
  return {
    ...parts,
    demands: demandRows(seen, isThere),
    measures,
    totals: seen.totals,
    lists: seen.lists,
    faults: faultsOf(parts),
  };
}
