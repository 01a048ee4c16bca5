/**
 * What a soak has to hold, each as one figure with its limit. A gate that nothing was put to (no crash, no hour offline)
 * proves nothing, so it is missed.
 */
import type { FindingKind } from './findings.ts';

export interface Gate {
  readonly id: string;
  readonly what: string;
  /** How `measured` must stand to `limit`. */
  readonly must: 'be' | 'stay below' | 'be at most' | 'be at least' | 'be above';
  readonly limit: number;
  /** Null: there was nothing to measure. */
  readonly measured: number | null;
  readonly unit: string;
  readonly met: boolean;
}

/** What both forms of a soak measure. */
export interface Measured {
  readonly findings: (kind: FindingKind) => number;
  readonly crashes: number;
  readonly recovered: number;
  readonly flushesOnline: number;
  readonly onlineHours: number;
  readonly flushesOffline: number;
  readonly offlineHours: number;
  /** The same of an outage in which nothing else happened: a crash empties the pool, and spares a flush. */
  readonly quietFlushes: number;
  readonly quietHours: number;
  /** Percent that the strictest of the other ways of storing would write more. */
  readonly wearLess: number | null;
  readonly peakDiskBytes: number;
  readonly peakFileBytes: number;
  readonly quotaBytes: number;
  /** Operations that were answered with an error, and all. */
  readonly errors: number;
  readonly operations: number;
  /** Operations a second of processor time; null in real time, where the load sets the pace. */
  readonly throughput: number | null;
  /** How fast real time was kept, in percent; null in virtual time. */
  readonly pace: number | null;
}

/** Of less than this there is no rate to speak of. */
const HOURS_MIN = 1;
const WEAR_LESS_PERCENT = 80;
const FILE_BYTES_MAX = 65_536;
const ERROR_PERCENT_MAX = 0.1;
/** Kills and starts take a moment each. */
const PACE_PERCENT = 95;
const OPERATIONS_A_SECOND = 900_000;

const MUST: Readonly<Record<Gate['must'], (measured: number, limit: number) => boolean>> = {
  be: (measured, limit) => measured === limit,
  'stay below': (measured, limit) => measured < limit,
  'be at most': (measured, limit) => measured <= limit,
  'be at least': (measured, limit) => measured >= limit,
  'be above': (measured, limit) => measured > limit,
};

function gate(
  id: string,
  what: string,
  must: Gate['must'],
  limit: number,
  measured: number | null,
  unit: string,
): Gate {
  return { id, what, must, limit, measured, unit, met: measured !== null && MUST[must](measured, limit) };
}

const rounded = (value: number): number => Number(value.toFixed(4));
const rate = (count: number, hours: number): number | null => (hours < HOURS_MIN ? null : rounded(count / hours));

export function gatesOf(measured: Measured): Gate[] {
  const { findings, crashes, recovered, errors, operations } = measured;
  const online = rate(measured.flushesOnline, measured.onlineHours);
  const offline = [
    rate(measured.flushesOffline, measured.offlineHours),
    rate(measured.quietFlushes, measured.quietHours),
  ].filter((each) => each !== null);
  const recoveredPercent = crashes === 0 ? null : rounded((100 * recovered) / crashes);
  const gates = [
    gate('corruption', 'records delivered altered, misplaced, invented', 'be', 0, findings('corruption'), 'records'),
    gate('loss-outside-ledger', 'records gone, in no ledger', 'be', 0, findings('loss'), 'records'),
    gate('redelivery', 'records again that may not come again', 'be', 0, findings('redelivery'), 'records'),
    gate('recovery', 'crashes after which the store came back', 'be', 100, recoveredPercent, '%'),
    gate('flushes-per-hour', 'flushes an hour, online', 'stay below', 1, online, ''),
    gate(
      'flushes-per-hour-offline',
      'the same, offline',
      'be at most',
      1,
      offline.length === 0 ? null : Math.max(...offline),
      '',
    ),
    gate('threshold', 'flushes asked for at another use than 80 %', 'be', 0, findings('threshold'), ''),
    gate('eviction-order', 'segments evicted before an older one', 'be', 0, findings('eviction'), ''),
    gate(
      'wear-reduction',
      'less flash wear than the best other way',
      'be above',
      WEAR_LESS_PERCENT,
      measured.wearLess,
      '%',
    ),
    gate('disk-bound', 'most bytes on disk', 'be at most', measured.quotaBytes, measured.peakDiskBytes, 'bytes'),
    gate('file-bound', 'most bytes of one file', 'be at most', FILE_BYTES_MAX, measured.peakFileBytes, 'bytes'),
    gate('liveness', 'troubles that the store did not outlive', 'be', 0, findings('liveness'), ''),
    gate('same-store', 'recoveries as another store, or with damage', 'be', 0, findings('recovery'), ''),
    gate('failures', 'states that cannot be, calls that threw', 'be', 0, findings('failure'), ''),
    gate('counters', 'marks and counts that are not what was done', 'be', 0, findings('counters'), ''),
    gate(
      'error-rate',
      'operations answered with an error',
      'be at most',
      ERROR_PERCENT_MAX,
      operations === 0 ? null : rounded((100 * errors) / operations),
      '%',
    ),
  ];
  const { throughput, pace } = measured;
  if (pace !== null)
    return [...gates, gate('pace', 'real time that was kept', 'be at least', PACE_PERCENT, rounded(pace), '%')];
  const what = 'operations a second of processor time';
  return [
    ...gates,
    gate('throughput', what, 'be above', OPERATIONS_A_SECOND, throughput === null ? null : Math.round(throughput), ''),
  ];
}
