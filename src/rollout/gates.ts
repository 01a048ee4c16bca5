/**
 * The gates of a rollout: for each what is measured on a device, its limit, and what a miss means. A figure that is missing,
 * not a number or out of its range is unknown; nothing unknown ever opens a gate.
 */

/** What a device reports of itself since it has the new version. A figure that it cannot give is left out. */
export interface DeviceReport {
  readonly device: string;
  /** When it was made, UTC milliseconds. */
  readonly atMs?: number;
  /** Milliseconds since the new version began there. */
  readonly observedMs?: number;
  /** Damaged records and files found; what the medium lost, too. */
  readonly corruption?: number;
  readonly flushesPerHour?: number;
  /** Bytes written to flash a day, by this version and by what ran there before. */
  readonly bytesWrittenPerDay?: number;
  readonly baselineBytesPerDay?: number;
  /** Starts that found a store that was not closed, and of these the ones that ended in an open store. */
  readonly crashes?: number;
  readonly recoveries?: number;
  /** Appends, reads and acknowledges a second; or, where no bench can run, this version's rate over that of the reference device. */
  readonly operationsPerSecond?: number;
  readonly throughputRatio?: number;
  /** Refused and failed calls over all calls. */
  readonly errorRate?: number;
}

export const GATE_IDS = ['corruption', 'recovery', 'errors', 'wear', 'flushes', 'throughput'] as const;
export type GateId = (typeof GATE_IDS)[number];

export type Verdict = 'met' | 'missed' | 'dangerous' | 'unknown';

export interface Gate {
  readonly id: GateId;
  readonly what: string;
  /** The limit as a reader sees it. */
  readonly limit: string;
  /** The figure; NaN when it cannot be told. */
  readonly measure: (report: DeviceReport) => number;
  readonly isMet: (measured: number) => boolean;
  /** A miss by which records are in danger, or flash is: what is out there is taken back. */
  readonly isDangerous: (measured: number) => boolean;
  readonly show: (measured: number) => string;
}

/** A week without corruption, and everything else measured over as long. */
export const OBSERVED_MS_MIN = 7 * 86_400_000;
export const FLUSHES_PER_HOUR_LIMIT = 1;
/** Flash wear must fall by more than this share. */
export const WEAR_DOWN_MIN = 0.8;
export const OPERATIONS_PER_SECOND_MIN = 900_000;
export const ERROR_RATE_MAX = 0.001;
/** An error rate of so many times the limit is no matter of patience. */
const DANGEROUS_ERRORS = 10;

/** A count or rate that a device gave: a finite number from 0. */
const figure = (value: number | undefined): number =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : Number.NaN;

const count = (value: number | undefined): number => (Number.isInteger(value) ? figure(value) : Number.NaN);

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
const plain = (value: number): string => value.toLocaleString('en-US', { maximumFractionDigits: 3 });

/** Crashes after which no open store followed. More recoveries than crashes is a count that is wrong. */
function lostCrashes({ crashes, recoveries }: DeviceReport): number {
  const lost = count(crashes) - count(recoveries);
  return lost < 0 ? Number.NaN : lost;
}

/** Share by which flash wear fell against the device's own past; below 0 it rose. */
function wearDown({ bytesWrittenPerDay, baselineBytesPerDay }: DeviceReport): number {
  const [now, before] = [figure(bytesWrittenPerDay), figure(baselineBytesPerDay)];
  return before > 0 ? 1 - now / before : Number.NaN;
}

/** Operations a second; a ratio stands for that many times the limit. */
const throughput = ({ operationsPerSecond, throughputRatio }: DeviceReport): number =>
  operationsPerSecond === undefined ? figure(throughputRatio) * OPERATIONS_PER_SECOND_MIN : figure(operationsPerSecond);

const never = (): boolean => false;

export const GATES: readonly Gate[] = [
  {
    id: 'corruption',
    what: 'damaged records and files',
    limit: '0 over 7 days',
    measure: ({ corruption }) => count(corruption),
    isMet: (measured) => measured === 0,
    isDangerous: (measured) => measured > 0,
    show: plain,
  },
  {
    id: 'recovery',
    what: 'crashes without a recovery',
    limit: '0',
    measure: lostCrashes,
    isMet: (measured) => measured === 0,
    isDangerous: (measured) => measured > 0,
    show: plain,
  },
  {
    id: 'errors',
    what: 'calls that failed',
    limit: `at most ${percent(ERROR_RATE_MAX)}`,
    measure: ({ errorRate }) => (figure(errorRate) <= 1 ? figure(errorRate) : Number.NaN),
    isMet: (measured) => measured <= ERROR_RATE_MAX,
    isDangerous: (measured) => measured > ERROR_RATE_MAX * DANGEROUS_ERRORS,
    show: (measured) => `${(measured * 100).toFixed(3)} %`,
  },
  {
    id: 'wear',
    what: 'flash wear less than before',
    limit: `more than ${percent(WEAR_DOWN_MIN)}`,
    measure: wearDown,
    isMet: (measured) => measured > WEAR_DOWN_MIN,
    isDangerous: (measured) => measured < 0,
    show: percent,
  },
  {
    id: 'flushes',
    what: 'flushes an hour',
    limit: `under ${FLUSHES_PER_HOUR_LIMIT}`,
    measure: ({ flushesPerHour }) => figure(flushesPerHour),
    isMet: (measured) => measured < FLUSHES_PER_HOUR_LIMIT,
    isDangerous: never,
    show: plain,
  },
  {
    id: 'throughput',
    what: 'operations a second',
    limit: `more than ${plain(OPERATIONS_PER_SECOND_MIN)}`,
    measure: throughput,
    isMet: (measured) => measured > OPERATIONS_PER_SECOND_MIN,
    isDangerous: never,
    show: (measured) => plain(Math.round(measured)),
  },
];

export function verdictOf(gate: Gate, measured: number): Verdict {
  if (Number.isNaN(measured)) return 'unknown';
  if (gate.isMet(measured)) return 'met';
  return gate.isDangerous(measured) ? 'dangerous' : 'missed';
}
