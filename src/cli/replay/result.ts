/** What came of a replay, in figures: the form that `--json` prints, and the one place where the verdict is made. */
import type { SkipReason } from '../recordings/sample.ts';
import { REASONS } from '../recordings/sample.ts';
import type { CutReport } from './account.ts';
import type { Difference, InputTally } from './messages.ts';
import { totalRecords } from './plan.ts';
import type { ReplayOutcome } from './run.ts';

export interface RecordingResult extends InputTally {
  readonly file: string;
  readonly format: string;
  readonly records: number;
  readonly streams: number;
  /** Lines and cells with something wrong, by reason. */
  readonly skipped: Readonly<Record<string, number>>;
  /** Lines and cells that hold nothing to store, by reason. */
  readonly passedOver: Readonly<Record<string, number>>;
  /** Values that float32 rounded. */
  readonly rounded: number;
  readonly leftOutColumns: readonly string[];
}

/** ok: every record accounted for, none lost or altered. incomplete: the store took no more. failed: else. */
export type Verdict = 'ok' | 'incomplete' | 'failed';

export interface ReplayResult {
  readonly input: number;
  readonly skipped: number;
  readonly appended: number;
  readonly drained: number;
  /** In RAM when a process was killed: accounted for, and not appended again. */
  readonly inRamAtCuts: number;
  /** Given up under the quota; the store's ledger has them. */
  readonly evicted: number;
  /** Not stored: the pool was full and the disk failed. */
  readonly refused: number;
  readonly powerCuts: readonly CutReport[];
  readonly lostSynced: number;
  readonly altered: number;
  /** Acknowledged after the last checkpoint before a cut and delivered again, which the contract allows. */
  readonly duplicates: number;
  /** Delivered again, or there twice, beyond that. */
  readonly duplicatesBeyondContract: number;
  readonly streams: number;
  readonly flushes: number;
  readonly segments: number;
  /** All bytes and syncs the store asked of the disk, checkpoint included. */
  readonly bytesWritten: number;
  readonly syncs: number;
  /** Highest use of the pool that was seen. */
  readonly ramPeakPercent: number;
  readonly seed: number;
  readonly seconds: number;
  readonly recordings: readonly RecordingResult[];
  readonly differences: readonly Difference[];
  /** What is wrong, in sentences; empty when the verdict is ok. */
  readonly findings: readonly string[];
  readonly verdict: Verdict;
}

const NO_TALLY: InputTally = { drained: 0, inRamAtCuts: 0, evicted: 0, refused: 0, differing: 0 };

export function resultOf(outcome: ReplayOutcome, seed: number): ReplayResult {
  const { plan, summaries, account } = outcome;
  const recordings = summaries.map((summary, i): RecordingResult => {
    const by = (defect: boolean): Record<string, number> =>
      Object.fromEntries([...summary.skips].filter(([reason]) => REASONS[reason].defect === defect));
    return {
      file: summary.input.name,
      format: summary.input.format,
      records: summary.records,
      streams: summary.streams,
      skipped: by(true),
      passedOver: by(false),
      rounded: summary.rounded,
      leftOutColumns: summary.input.layout?.leftOut ?? [],
      ...(account.tally?.inputs[i] ?? NO_TALLY),
    };
  });
  const add = (of: (recording: RecordingResult) => number): number =>
    recordings.reduce((sum, each) => sum + of(each), 0);
  const input = totalRecords(plan);
  const drained = add((each) => each.drained);
  const inRamAtCuts = add((each) => each.inRamAtCuts);
  const evicted = add((each) => each.evicted);
  const refused = add((each) => each.refused);
  const unexplained = Math.max(0, evicted - (account.done?.evicted ?? 0));
  const lostSynced = account.lostSynced + account.missing + account.skippedUnread + unexplained;
  const duplicatesBeyondContract = account.redeliveredBeyond + account.surplus;
  const inRamByCuts = account.cuts.reduce((sum, cut) => sum + cut.inRam, 0);
  const findings = [
    ...(refused > 0
      ? [`the pool was full and the disk took no more: ${account.flushFailure.replace('quotaBytes', '--quota')}`]
      : []),
    ...says(lostSynced, 'durable records are gone'),
    ...says(account.altered, 'records came back altered'),
    ...says(duplicatesBeyondContract, 'records are there twice beyond the contract'),
    ...says(account.done?.damaged ?? 0, 'records are in blocks found damaged'),
    ...says(account.tally === null ? 1 : 0, 'draining did not come to its end'),
    ...says(Math.abs(inRamByCuts - inRamAtCuts), 'records are not in RAM where the cuts say it'),
    ...says(
      Math.abs(input - drained - inRamAtCuts - evicted - refused - add((each) => each.differing)),
      'records unaccounted for',
    ),
  ];
  return {
    input,
    skipped: add((each) => Object.values(each.skipped).reduce((sum, count) => sum + count, 0)),
    appended: input - refused,
    drained,
    inRamAtCuts,
    evicted,
    refused,
    powerCuts: account.cuts,
    lostSynced,
    altered: account.altered,
    duplicates: account.redelivered,
    duplicatesBeyondContract,
    streams: plan.streams.length,
    flushes: account.flushes,
    segments: account.segments,
    bytesWritten: account.done?.bytesWritten ?? 0,
    syncs: account.done?.syncs ?? 0,
    ramPeakPercent: Math.round(account.peakPoolShare * 100),
    seed,
    seconds: Math.round(outcome.durationMs) / 1000,
    recordings,
    differences: account.differences,
    findings,
    verdict: findings.length > (refused > 0 ? 1 : 0) ? 'failed' : refused > 0 ? 'incomplete' : 'ok',
  };
}

const says = (count: number, what: string): string[] => (count === 0 ? [] : [`${count} ${what}`]);

/** A reason's text for people. */
export const reasonText = (reason: string): string => REASONS[reason as SkipReason].text;
