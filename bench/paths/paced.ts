/**
 * A producer that keeps a pace, as a sampling loop does, and times every single record that it hands over.
 *
 * Every millisecond the records that are due are handed over, then the event loop has its turn, so that a flush can go on. Two times are taken of each: how long the call took, and how late its end was, against the moment at which
 * the record was due. The second one has what the first one cannot see: a pause between two calls. Pauses of the
 * garbage collector are in both wherever they fall, none is taken out; the heap is collected once before the clock starts,
 * so that no garbage of an earlier repetition is charged to this one.
 */
import { setTimeout as delay } from 'node:timers/promises';

export interface Pace {
  readonly recordsPerSecond: number;
  readonly seconds: number;
}

export interface PacedRun {
  /** Records that were handed over; fewer than the pace asks for when the one who takes them is slower. */
  readonly records: number;
  readonly seconds: number;
  /** Of each record, in milliseconds: when its call began, after the start; how long it took; how late it ended. */
  readonly beganMs: Float64Array;
  readonly tookMs: Float64Array;
  readonly lateMs: Float64Array;
  readonly startedMs: number;
}

/** A tick of the producer, and the most that it hands over before the event loop has its turn. */
const TICK_MS = 1;
const BURST_MS = 4;
/** Who is slower than the pace is stopped when the run has taken this many times as long as it should. */
const PATIENCE = 1.5;

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/**
 * Twice, one behind the other, into the same store: once in which the code is compiled and nothing is counted, and once that
 * counts. A store is open for years, and compiled in its first seconds.
 */
export async function produceSettled(pace: Pace, put: (i: number) => void): Promise<PacedRun> {
  const { records } = await producePaced(pace, put);
  return producePaced(pace, put, records);
}

/** Records that both runs of produceSettled hand over. */
export const settledRecords = ({ recordsPerSecond, seconds }: Pace): number =>
  2 * Math.round(recordsPerSecond * seconds);

/** @param put takes record i, from `from` on. Whatever it throws ends the run. */
export async function producePaced(
  { recordsPerSecond, seconds }: Pace,
  put: (i: number) => void,
  from = 0,
): Promise<PacedRun> {
  const total = Math.round(recordsPerSecond * seconds);
  const perMs = recordsPerSecond / 1_000;
  const began = new Float64Array(total);
  const took = new Float64Array(total);
  const late = new Float64Array(total);
  // Touched now: a page that is new to the process would be met inside a call.
  for (const column of [began, took, late]) column.fill(1);
  globalThis.gc?.();
  const endMs = seconds * 1_000 * PATIENCE;
  const startedMs = performance.now();
  let done = 0;
  for (let nowMs = 0; done < total && nowMs < endMs; nowMs = performance.now() - startedMs) {
    const due = Math.min(total, Math.floor(nowMs * perMs));
    const end = Math.min(due, done + Math.ceil(BURST_MS * perMs));
    let beforeMs = performance.now() - startedMs;
    for (; done < end; done++) {
      put(from + done);
      const afterMs = performance.now() - startedMs;
      began[done] = beforeMs;
      took[done] = afterMs - beforeMs;
      late[done] = afterMs - done / perMs;
      beforeMs = afterMs;
    }
    await (done < due ? turn() : delay(TICK_MS));
  }
  const elapsedMs = performance.now() - startedMs;
  return {
    records: done,
    seconds: elapsedMs / 1_000,
    beganMs: began.subarray(0, done),
    tookMs: took.subarray(0, done),
    lateMs: late.subarray(0, done),
    startedMs,
  };
}

export interface Histogram {
  readonly p50: number;
  readonly p99: number;
  readonly p99_9: number;
  readonly p99_99: number;
  readonly max: number;
}

/** Of all values, none sampled. @throws RangeError for none at all. */
export function histogramOf(values: Float64Array): Histogram {
  if (values.length === 0) throw new RangeError('the histogram of no value');
  const sorted = values.slice().sort();
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] as number;
  return { p50: at(0.5), p99: at(0.99), p99_9: at(0.999), p99_99: at(0.9999), max: at(1) };
}

export const BUCKET_MS = 10;

/** The longest call of each BUCKET_MS from the start on, in milliseconds; 0 where none began. */
export function worstByBucket({ beganMs, tookMs, seconds }: PacedRun): number[] {
  const worst = new Array<number>(Math.ceil((seconds * 1_000) / BUCKET_MS)).fill(0);
  for (let i = 0; i < beganMs.length; i++) {
    const bucket = Math.floor((beganMs[i] as number) / BUCKET_MS);
    worst[bucket] = Math.max(worst[bucket] ?? 0, tookMs[i] as number);
  }
  // A microsecond is finer than any pause that matters.
  return worst.map((ms) => Math.round(ms * 1_000) / 1_000);
}
