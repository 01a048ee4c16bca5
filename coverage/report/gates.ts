/** Holds the figures of a run against the least that is demanded of them, and against those of an earlier run. */
import { CONFORMANCE } from '../thresholds.ts';
import type { MeasureName } from './measures.ts';

export interface GateRow {
  readonly measure: MeasureName;
  readonly measured: number | null;
  readonly least: number;
  /** False as well when nothing was measured: a gate that measures nothing is red. */
  readonly met: boolean;
}

export function gateRows(measures: Readonly<Record<MeasureName, number | null>>): GateRow[] {
  return Object.entries(CONFORMANCE).map(([name, least]) => {
    const measure = name as MeasureName;
    const measured = measures[measure];
    return { measure, measured, least, met: measured !== null && measured >= least };
  });
}

/** What an earlier run reached, as coverage/baseline.json has it. */
export interface Baseline {
  /** How much less is no drop yet, in percent. */
  readonly tolerancePercent: number;
  readonly measures: Readonly<Partial<Record<MeasureName, number>>>;
}

export interface BaselineRow {
  readonly measure: MeasureName;
  readonly before: number;
  readonly now: number | null;
  /** In percent of what it was; null when there is nothing to compare. */
  readonly change: number | null;
  readonly dropped: boolean;
}

/** Only what was measured is compared: a run of some modes says nothing of the others, and the gates ask for all. */
export function baselineRows(
  { tolerancePercent, measures: before }: Baseline,
  now: Readonly<Record<MeasureName, number | null>>,
): BaselineRow[] {
  return Object.entries(before).map(([name, was]) => {
    const measure = name as MeasureName;
    const is = now[measure];
    const change = is === null || was === 0 ? null : (100 * (is - was)) / was;
    return { measure, before: was, now: is, change, dropped: change !== null && change < -tolerancePercent };
  });
}
