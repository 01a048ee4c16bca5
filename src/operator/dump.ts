/**
 * Every record that opening a store would give, read without opening it: stream by stream in the order of sequence
 * numbers, or all streams together by time. One batch of a stream is in memory at a time (of each stream, when by time).
 *
 * Beside a running store a segment may go while it is read, because its records were acknowledged. Then the rest is read from
 * a new view: each record comes once, and what has left the store meanwhile does not come.
 */
import { failure } from '../core/codes.ts';
import type { RecordBatch } from '../core/record-batch.ts';
import type { StreamInspection } from '../core/types.ts';
import { StoreError } from '../store.ts';
import type { Look, Place } from './read-only-store.ts';
import { mustLook, streamOf } from './read-only-store.ts';

export interface DumpFilter {
  /** Left out: all of them. */
  readonly streams?: readonly Pick<StreamInspection, 'source' | 'sensor'>[];
  /** UTC milliseconds, the first that counts and the first that does not. */
  readonly fromMs?: number;
  readonly toMs?: number;
}

export interface DumpedRecord {
  readonly source: StreamInspection['source'];
  readonly sensor: number;
  readonly kind: StreamInspection['kind'];
  readonly type: StreamInspection['type'];
  readonly epoch: number;
  readonly sequence: number;
  readonly timeMs: number;
  readonly value: number;
  /** Its raw 32 bits. */
  readonly bits: number;
}

const BATCH_RECORDS = 512;
/** Batches at once that a merge by time holds of each stream: less, for there may be thousands of streams. */
const MERGE_RECORDS = 64;

/** Thrown inside only: the view is no longer of one moment, and the reader takes a new one. */
class ViewAged extends Error {}

/** The records of one stream from `next` on; goes on where it was when the view is renewed. */
class StreamCursor {
  readonly stream: StreamInspection;
  /** Sequence number of the next record to give. */
  next = 0;
  #read = 0;
  #batch: RecordBatch | null = null;
  #at = 0;

  constructor(stream: StreamInspection) {
    this.stream = stream;
  }

  /** What was read ahead from the old view is given up with it. */
  renew(): void {
    this.#batch = null;
    this.#read = 0;
  }

  async peek(look: Look, records: number): Promise<DumpedRecord | null> {
    for (;;) {
      if (this.#batch === null || this.#at >= this.#batch.length) {
        this.#batch = await this.#load(look, records);
        this.#at = 0;
        if (this.#batch.length === 0) return null;
      }
      const sequence = this.#batch.sequences[this.#at] as number;
      if (sequence >= this.next) return this.#record(this.#batch, sequence);
      this.#at++;
    }
  }

  async #load(look: Look, records: number): Promise<RecordBatch> {
    const slot = look.streams.findIndex(
      ({ source, sensor }) => source === this.stream.source && sensor === this.stream.sensor,
    );
    const batch = await streamOf(look, slot).peek(this.#read, records);
    if (look.disk.aged) throw new ViewAged();
    if (!batch.ok) throw new StoreError(batch.failure);
    this.#read += batch.value.length;
    return batch.value;
  }

  #record(batch: RecordBatch, sequence: number): DumpedRecord {
    const { source, sensor, kind, type } = this.stream;
    return {
      ...{ source, sensor, kind, type, sequence },
      epoch: batch.epochs[this.#at] as number,
      timeMs: batch.timesMs[this.#at] as number,
      value: batch.value(this.#at),
      bits: batch.bits[this.#at] as number,
    };
  }
}

const wanted = ({ fromMs, toMs }: DumpFilter, { timeMs }: DumpedRecord): boolean =>
  (fromMs === undefined || timeMs >= fromMs) && (toMs === undefined || timeMs < toMs);

/** Views of a store that changes all the time; each goes further than the one before. */
const VIEWS_MAX = 1_000;

/** @throws StoreError as looking does; PARAMETER_INVALID for a stream that the store does not have. */
export async function* dump(
  place: Place,
  filter: DumpFilter = {},
  order: 'stream' | 'time' = 'stream',
): AsyncGenerator<DumpedRecord> {
  let look = await mustLook(place);
  const cursors = cursorsOf(look, filter);
  for (let views = 1; ; views++) {
    try {
      for await (const [cursor, record] of order === 'stream' ? byStream(look, cursors) : byTime(look, cursors)) {
        cursor.next = record.sequence + 1;
        if (wanted(filter, record)) yield record;
      }
      return;
    } catch (error) {
      if (!(error instanceof ViewAged) || views >= VIEWS_MAX) throw error;
    }
    look = await mustLook(place);
    for (const cursor of cursors) cursor.renew();
  }
}

function cursorsOf(look: Look, { streams }: DumpFilter): StreamCursor[] {
  const is = (a: Pick<StreamInspection, 'source' | 'sensor'>, b: typeof a): boolean =>
    a.source === b.source && a.sensor === b.sensor;
  for (const each of streams ?? []) {
    if (look.streams.some((stream) => is(stream, each))) continue;
    throw new StoreError(
      failure('PARAMETER_INVALID', `the store has no stream ${each.source}/${each.sensor}; stats lists those it has`)
        .failure,
    );
  }
  return look.streams
    .filter((stream) => streams === undefined || streams.some((each) => is(stream, each)))
    .map((stream) => new StreamCursor(stream));
}

type Step = readonly [StreamCursor, DumpedRecord];

async function* byStream(look: Look, cursors: readonly StreamCursor[]): AsyncGenerator<Step> {
  for (const cursor of cursors) {
    for (;;) {
      const record = await cursor.peek(look, BATCH_RECORDS);
      if (record === null) break;
      yield [cursor, record];
    }
  }
}

/** The oldest of all streams' next records, again and again; within a stream the order stays that of its sequence. */
async function* byTime(look: Look, cursors: readonly StreamCursor[]): AsyncGenerator<Step> {
  const heap: Step[] = [];
  for (const cursor of cursors) {
    const record = await cursor.peek(look, MERGE_RECORDS);
    if (record !== null) heap.push([cursor, record]);
  }
  heap.sort((a, b) => a[1].timeMs - b[1].timeMs);
  while (heap[0] !== undefined) {
    const [cursor] = heap[0];
    yield heap[0];
    const next = await cursor.peek(look, MERGE_RECORDS);
    if (next !== null) heap[0] = [cursor, next];
    else {
      const last = heap.pop() as Step;
      if (heap.length > 0) heap[0] = last;
    }
    sink(heap);
  }
}

/** The heap again, when its first step may be none of the oldest. */
function sink(heap: Step[]): void {
  const timeAt = (i: number): number => heap[i]?.[1].timeMs ?? Number.POSITIVE_INFINITY;
  for (let at = 0; ; ) {
    const child = timeAt(2 * at + 1) <= timeAt(2 * at + 2) ? 2 * at + 1 : 2 * at + 2;
    if (timeAt(child) >= timeAt(at)) return;
    [heap[at], heap[child]] = [heap[child] as Step, heap[at] as Step];
    at = child;
  }
}
