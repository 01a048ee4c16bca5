/**
 * The account of a replay: where each sample of the input is. It believes nobody alone: what the lives told before they
 * were killed is set against what the store has after each recovery, and the drain looks at every single record.
 *
 * Checked at each cut, per stream:
 *
 *   told synced <= survived <= told appended        else a durable record is lost, or one came from nowhere
 *   told durable head <= head <= told acknowledged  else something is delivered twice beyond the contract, or skipped
 */
import { CliError } from '../cli-error.ts';
import type { Cut } from './cuts.ts';
import type { Difference, DrainTally, Gauge, LifeMessage, MarkOf, Span } from './messages.ts';
import type { Plan } from './plan.ts';
import { totalRecords } from './plan.ts';

/** One cut, in records of all streams: marks when the process was killed and when the next one had recovered. */
export interface CutReport {
  readonly cut: number;
  readonly phase: Cut['phase'];
  /** What went on at that moment. */
  readonly during: string;
  /** Samples of the input that had been appended, or compared, before it. */
  readonly atSample: number;
  readonly appended: number;
  readonly synced: number;
  readonly survived: number;
  /** Appended, not synced, gone: in RAM at this cut. */
  readonly inRam: number;
  /** Survived, though no flush had been reported for it: of one that the cut broke off, found whole. */
  readonly unpromised: number;
  /** Acknowledged after the last checkpoint: delivered a second time, as the contract says. */
  readonly redelivered: number;
  readonly recoveryMs: number;
}

const DIFFERENCES_KEPT = 10;

interface Life {
  readonly epoch: number;
  readonly base: Float64Array;
  readonly appended: Float64Array;
  readonly synced: Float64Array;
  readonly from: number;
  to: number;
  during: string;
  fed: boolean;
}

const sum = (values: Iterable<number>): number => {
  let total = 0;
  for (const value of values) total += value;
  return total;
};

export class Account {
  readonly #plan: Plan;
  readonly cuts: CutReport[] = [];
  readonly spans: Span[] = [];
  readonly differences: Difference[] = [];
  lostSynced = 0;
  altered = 0;
  missing = 0;
  redelivered = 0;
  /** Delivered again although their acknowledgement was durable. */
  redeliveredBeyond = 0;
  /** Records that were never appended and are there. */
  surplus = 0;
  /** Acknowledged by nobody and gone from the head. */
  skippedUnread = 0;
  flushes = 0;
  segments = 0;
  segmentBytes = 0;
  flushFailures = 0;
  flushFailure = '';
  tally: DrainTally | null = null;
  done: Extract<LifeMessage, { type: 'done' }> | null = null;
  evictedBelow: number[] | null = null;
  refusedFrom: number | null = null;
  gauge: Gauge | null = null;
  compared = 0;
  peakPoolShare = 0;
  #life: Life | null = null;
  readonly #acknowledged: Float64Array;
  readonly #durable: Float64Array;

  constructor(plan: Plan) {
    this.#plan = plan;
    this.#acknowledged = new Float64Array(plan.streams.length);
    this.#durable = new Float64Array(plan.streams.length);
  }

  /** Number of the first sample that has not been appended. */
  get next(): number {
    return this.refusedFrom !== null ? totalRecords(this.#plan) : (this.#life?.to ?? 0);
  }

  take(message: LifeMessage): void {
    switch (message.type) {
      case 'opened':
        this.#opened(message);
        break;
      case 'fed':
        this.#fed(message.to, message.appended);
        break;
      case 'gauge':
        this.gauge = message.gauge;
        this.peakPoolShare = Math.max(this.peakPoolShare, message.gauge.poolUsed / message.gauge.poolSectors);
        break;
      case 'flushStarted':
        break;
      case 'flushed':
        this.flushes++;
        this.segments += message.segments;
        this.segmentBytes += message.bytes;
        for (const [stream, mark] of message.synced) this.#raise(this.#life?.synced, stream, mark);
        break;
      case 'flushFailed':
        this.flushFailures++;
        this.flushFailure = message.message;
        break;
      case 'refused':
        this.refusedFrom = message.from;
        break;
      case 'drainBegins':
        this.evictedBelow = this.#plan.streams.map(() => 0);
        for (const [stream, head] of message.heads) {
          this.evictedBelow[stream] = head;
          this.#acknowledged[stream] = head;
          this.#durable[stream] = head;
        }
        break;
      case 'compared':
        this.compared = message.to;
        break;
      case 'acknowledged':
        this.#raise(this.#acknowledged, ...message.head);
        break;
      case 'durable':
        for (const [stream, head] of message.heads) this.#raise(this.#durable, stream, head);
        break;
      case 'differs':
        if (message.what === 'altered') this.altered++;
        else this.missing++;
        if (this.differences.length < DIFFERENCES_KEPT) this.differences.push(message.difference);
        break;
      case 'cut':
        if (this.#life !== null) this.#life.during = message.during;
        break;
      case 'done':
        this.done = message;
        this.tally = message.tally;
        this.surplus += message.tally?.surplus ?? 0;
        break;
      case 'failed':
        throw new CliError(message.message, message.exitCode);
      default:
        message satisfies never;
    }
  }

  #raise(marks: Float64Array | undefined, stream: number, mark: number): void {
    if (marks !== undefined) marks[stream] = Math.max(marks[stream] ?? 0, mark);
  }

  #fed(to: number, appended: readonly MarkOf[]): void {
    const life = this.#life;
    if (life === null) return;
    life.to = to;
    life.fed = true;
    for (const [stream, mark] of appended) life.appended[stream] = mark;
  }

  /** What the killed life before the next one appended, if it did. */
  get broken(): Omit<Span, 'survived'> | null {
    const life = this.#pending?.life;
    if (life === undefined || !life.fed) return null;
    return { epoch: life.epoch, from: life.from, to: life.to, base: [...life.base] };
  }

  #pending: { readonly cut: Cut; readonly life: Life } | null = null;

  /** The process of the present life was killed. What survived is known when the next one has opened the store. */
  killedAt(cut: Cut): void {
    if (this.#life !== null) this.#pending = { cut, life: this.#life };
  }

  #opened(message: Extract<LifeMessage, { type: 'opened' }>): void {
    const size = this.#plan.streams.length;
    const base = new Float64Array(size);
    for (const [stream, mark] of message.appended) base[stream] = mark;
    if (this.#pending !== null) this.#settle(this.#pending, base, message);
    this.#pending = null;
    const { next } = this;
    this.#life = {
      epoch: message.epoch,
      base,
      appended: base.slice(),
      // What recovery has taken over is on disk.
      synced: base.slice(),
      from: next,
      to: next,
      during: '',
      fed: false,
    };
  }

  #settle(
    { cut, life }: { readonly cut: Cut; readonly life: Life },
    survived: Float64Array,
    opened: Extract<LifeMessage, { type: 'opened' }>,
  ): void {
    const { broken } = this;
    if (broken !== null) this.spans.push({ ...broken, survived: [...survived] });
    for (let stream = 0; stream < survived.length; stream++) {
      const there = survived[stream] as number;
      this.lostSynced += Math.max(0, (life.synced[stream] as number) - there);
      this.surplus += Math.max(0, there - (life.appended[stream] as number));
    }
    const redelivered = this.evictedBelow === null ? 0 : this.#settleHeads(opened.heads);
    this.redelivered += redelivered;
    this.cuts.push({
      cut: cut.number,
      phase: cut.phase,
      during: life.during,
      atSample: cut.phase === 'append' ? life.to : cut.atSample,
      appended: sum(life.appended),
      synced: sum(life.synced),
      survived: sum(survived),
      inRam: sum(life.appended) - sum(survived),
      unpromised: sum(survived) - sum(life.synced),
      redelivered,
      recoveryMs: opened.durationMs,
    });
  }

  #settleHeads(heads: readonly MarkOf[]): number {
    let redelivered = 0;
    for (const [stream, head] of heads) {
      const acknowledged = this.#acknowledged[stream] as number;
      redelivered += Math.max(0, acknowledged - head);
      this.skippedUnread += Math.max(0, head - acknowledged);
      this.redeliveredBeyond += Math.max(0, (this.#durable[stream] as number) - head);
      this.#acknowledged[stream] = head;
      this.#durable[stream] = head;
    }
    return redelivered;
  }
}
