/**
 * Go, hold or roll back: pure, from the fleet, what its devices report and the time.
 *
 *   a device in danger (corruption, a crash without recovery,
 *   ten times the errors, more wear than before)                roll back
 *   a device whose report is missing, of another time, told
 *   twice, too young, or lacks a figure                         hold
 *   a device that misses a gate                                 hold
 *   no device in the stage                                      hold
 *   every gate met on every device                              go
 *
 * The first row that holds for any device decides; what is known to be dangerous counts also when other figures of the
 * same device are missing. Devices of earlier stages still count: one that regresses later is seen.
 */
import type { DeviceReport, GateId } from './gates.ts';
import { GATES, OBSERVED_MS_MIN, verdictOf } from './gates.ts';
import type { Device, Stage } from './stages.ts';
import { devicesOf, devicesUpTo } from './stages.ts';

export type Decision = 'go' | 'hold' | 'roll back';

/** One figure of one device, or why there is none. */
export interface Finding {
  readonly device: string;
  readonly gate: GateId | 'report';
  readonly verdict: 'met' | 'missed' | 'dangerous' | 'unknown';
  readonly measured: string;
  readonly limit: string;
}

export interface RolloutDecision {
  readonly stage: Stage;
  readonly decision: Decision;
  /** The figure that decided; null for go. */
  readonly because: Finding | null;
  /** Devices that have the new version in this stage. */
  readonly devices: number;
  /** Of these, by finding: all figures that were looked at, worst first. */
  readonly findings: readonly Finding[];
}

export interface RolloutInput {
  readonly stage: Stage;
  readonly devices: readonly Device[];
  readonly reports: readonly DeviceReport[];
  readonly nowMs: number;
  /** Names the release; see `isChosen`. */
  readonly salt: string;
}

/** A report older than this is of another time. */
export const REPORT_AGE_MS_MAX = 24 * 3_600_000;
/** How far a device's clock may be ahead of ours. */
export const CLOCK_AHEAD_MS_MAX = 300_000;

const RANK: Readonly<Record<Finding['verdict'], number>> = { dangerous: 0, unknown: 1, missed: 2, met: 3 };

/** @returns the decision, and each figure behind it. */
export function decide({ stage, devices, reports, nowMs, salt }: RolloutInput): RolloutDecision {
  const counted = devicesUpTo(stage, devices, salt);
  const findings = counted
    .flatMap(({ id }) =>
      findingsOf(
        id,
        reports.filter(({ device }) => device === id),
        nowMs,
      ),
    )
    .sort((a, b) => RANK[a.verdict] - RANK[b.verdict]);
  const own = devicesOf(stage, devices, salt).length;
  const empty: Finding = {
    device: `stage ${stage}`,
    gate: 'report',
    verdict: 'unknown',
    measured: 'no device',
    limit: 'at least 1 device',
  };
  const all =
    own === 0 ? [...findings.filter(isDangerous), empty, ...findings.filter((each) => !isDangerous(each))] : findings;
  const worst = all[0] ?? empty;
  const decision: Decision = worst.verdict === 'met' ? 'go' : worst.verdict === 'dangerous' ? 'roll back' : 'hold';
  return { stage, decision, because: decision === 'go' ? null : worst, devices: counted.length, findings: all };
}

const isDangerous = ({ verdict }: Finding): boolean => verdict === 'dangerous';

function findingsOf(device: string, reports: readonly DeviceReport[], nowMs: number): Finding[] {
  const [report] = reports;
  const unknown = (measured: string, limit: string): Finding => ({
    device,
    gate: 'report',
    verdict: 'unknown',
    measured,
    limit,
  });
  if (report === undefined) return [unknown('no report', '1 report')];
  // Danger is believed from any of several reports; nothing good is.
  const figures = reports.flatMap((each) => GATES.map((gate) => gateFinding(device, each, gate)));
  if (reports.length > 1) return [unknown(`${reports.length} reports`, '1 report'), ...figures.filter(isDangerous)];
  const trouble = timeTrouble(report, nowMs);
  return trouble === null ? figures : [unknown(...trouble), ...figures];
}

function gateFinding(device: string, report: DeviceReport, gate: (typeof GATES)[number]): Finding {
  const measured = gate.measure(report);
  const verdict = verdictOf(gate, measured);
  return {
    device,
    gate: gate.id,
    verdict,
    measured: verdict === 'unknown' ? 'no figure' : gate.show(measured),
    limit: gate.limit,
  };
}

/** What is wrong with the time of a report, and how it must be; null when nothing is. */
function timeTrouble({ atMs, observedMs }: DeviceReport, nowMs: number): [string, string] | null {
  const hours = (ms: number): string => `${(ms / 3_600_000).toFixed(1)} h`;
  if (!Number.isFinite(atMs)) return ['no time', 'the time of the report'];
  const ageMs = nowMs - (atMs as number);
  if (ageMs > REPORT_AGE_MS_MAX) return [`${hours(ageMs)} old`, `at most ${hours(REPORT_AGE_MS_MAX)} old`];
  if (-ageMs > CLOCK_AHEAD_MS_MAX)
    return [`${hours(-ageMs)} ahead of this clock`, `at most ${CLOCK_AHEAD_MS_MAX / 60_000} minutes ahead`];
  if (!Number.isFinite(observedMs)) return ['no time observed', '7 days observed'];
  const days = (observedMs as number) / 86_400_000;
  return (observedMs as number) < OBSERVED_MS_MIN
    ? [`${days < 0 ? days.toFixed(1) : Math.floor(days * 10) / 10} days observed`, '7 days observed']
    : null;
}
