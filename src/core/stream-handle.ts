/**
 * One stream as an application holds it: append, read, acknowledge, revert, discard.
 *
 * `append` is the hot path: synchronous, allocation-free, never waits. Reads of one stream are answered in the order in
 * which they were asked for. Keeps INV-03, INV-13, INV-20.
 */
import type { Result } from './codes.ts';
import { APPEND_CLOSED, APPEND_INVALID, failure, RAM_FULL, success } from './codes.ts';
import type { Reader } from './reader.ts';
import { bitsOfValue, RecordBatch } from './record-batch.ts';
import { SHAPE_EVT, shapeType } from './sector-pool.ts';
import type { StoreState } from './store-state.ts';
import type { Kind, Source, ValueType } from './types.ts';
import { VALUE_TYPES } from './types.ts';

/** First time that does not fit: 2^48 ms, the year 10889. */
const TIME_MS_END = 2 ** 48;

/** Where values wait for their sector: a sector of the largest size holds no more. */
const scratchBits = new Uint32Array(1024);

/** Marks of one stream now; counts of records since it began. */
export interface Marks {
  readonly head: number;
  readonly read: number;
  readonly synced: number;
  readonly appended: number;
  /** Records retained, read and not acknowledged, not read. */
  readonly retained: number;
  readonly pending: number;
  readonly unread: number;
}

export class StreamHandle {
  readonly source: Source;
  readonly sensor: number;
  readonly kind: Kind;
  readonly type: ValueType;
  readonly periodMs: number;
  readonly #state: StoreState;
  readonly #reader: Reader;
  readonly #slot: number;
  readonly #acknowledged: () => void;
  /** Reads are queued: the next begins when the one before is complete. */
  #reads: Promise<unknown> = Promise.resolve();

  constructor(state: StoreState, reader: Reader, slot: number, acknowledged: () => void) {
    const key = state.key(slot);
    const shape = state.pool.shape[slot] as number;
    this.source = key.source;
    this.sensor = key.sensor;
    this.kind = (shape & SHAPE_EVT) !== 0 ? 'evt' : 'tsd';
    this.type = VALUE_TYPES[shapeType(shape) as 0 | 1 | 2];
    this.periodMs = state.pool.periodMs[slot] as number;
    this.#state = state;
    this.#reader = reader;
    this.#slot = slot;
    this.#acknowledged = acknowledged;
  }

  /**
   * Appends one record. RAM only: durable when `synced` has passed its sequence number (INV-15).
   * @param value of the stream's type; a float32 stream takes any number that does not overflow, rounded to float32.
   * @param timeMs UTC milliseconds, a whole number below 2^48; the platform's clock when left out. It orders nothing.
   * @returns the record's sequence number, or RAM_FULL (counted), APPEND_CLOSED, APPEND_INVALID with nothing changed.
   */
  append(value: number, timeMs?: number): number {
    const bits = bitsOfValue(value, this.type);
    return bits < 0 ? APPEND_INVALID : this.#append(bits, timeMs ?? this.#state.platform.nowMs());
  }

  /** As append, for the raw 32 bits: the way to keep every NaN apart. */
  appendBits(bits: number, timeMs?: number): number {
    return bits >>> 0 !== bits ? APPEND_INVALID : this.#append(bits, timeMs ?? this.#state.platform.nowMs());
  }

  #append(bits: number, timeMs: number): number {
    const state = this.#state;
    if (!state.open) return APPEND_CLOSED;
    if (!isTime(timeMs)) return APPEND_INVALID;
    const { pool } = state;
    const sequence =
      this.kind === 'tsd'
        ? pool.appendTsd(this.#slot, bits, timeMs, this.periodMs)
        : pool.appendEvt(this.#slot, bits, timeMs);
    if (sequence < 0) return this.#refused();
    state.counters.appended++;
    // Ask, do not flush: a flush here would put a disk write into the sensor's sampling loop.
    if (pool.used >= state.flushAtSectors) state.wantFlush();
    return sequence;
  }

  /** Apart from the hot path, which is compiled into the caller's loop as long as it is short. */
  #refused(): number {
    this.#state.counters.refusedRamFull++;
    return RAM_FULL;
  }

  /**
   * Appends several, in order, until one is refused. Without times, a tsd stream goes on from its first time in steps
   * of the period and an evt stream gives all of them the same time.
   * @returns how many were appended; fewer than given means that the next one is refused, and `append` says why.
   */
  appendMany(values: ArrayLike<number>, timesMs?: ArrayLike<number>): number {
    const startMs = timesMs === undefined ? this.#state.platform.nowMs() : 0;
    for (let i = 0; i < values.length; ) {
      // Fewer times than values: the record without a time is refused, it does not get the clock's.
      const timeMs = timesMs === undefined ? startMs + i * this.periodMs : (timesMs[i] ?? Number.NaN);
      if (this.append(values[i] as number, timeMs) < 0) return i;
      i++;
      if (this.kind === 'tsd') i += this.#fillSector(values, i, timesMs, startMs);
    }
    return values.length;
  }

  /**
   * Appends values that lie on the grid, as far as the open sector takes them: no sector is opened, so no flush becomes
   * due. @returns how many; the next one goes the way of all records.
   */
  #fillSector(
    values: ArrayLike<number>,
    from: number,
    timesMs: ArrayLike<number> | undefined,
    startMs: number,
  ): number {
    const { pool, counters, open } = this.#state;
    const space = Math.min(values.length - from, pool.roomOf(this.#slot), scratchBits.length);
    // Whoever hears of the flush that the one before asked for may have closed the store.
    if (!open || startMs + (from + space) * this.periodMs >= TIME_MS_END) return 0;
    // Without times of their own they lie on the grid, for the one before them does.
    const room = timesMs === undefined ? space : this.#timesOnGrid(timesMs, from, space);
    let length = 0;
    for (; length < room; length++) {
      const bits = bitsOfValue(values[from + length] as number, this.type);
      if (bits < 0) break;
      scratchBits[length] = bits;
    }
    pool.appendRun(this.#slot, scratchBits, length, this.periodMs);
    counters.appended += length;
    return length;
  }

  /** How many of the times from `from` on, at most `max`, are times that the stream's grid takes. */
  #timesOnGrid(timesMs: ArrayLike<number>, from: number, max: number): number {
    const period = this.periodMs;
    let expected = (this.#state.pool.lastTime[this.#slot] as number) + period;
    for (let i = 0; i < max; i++) {
      const timeMs = timesMs[from + i] as number;
      const twiceOff = 2 * (timeMs - expected);
      if (!(isTime(timeMs) && twiceOff <= period && twiceOff >= -period)) return i;
      expected += period;
    }
    return max;
  }

  /**
   * Reads the oldest unread records, at most `max`, disk before RAM; they are pending from then on. An empty batch
   * means that there is nothing unread.
   * @returns PARAMETER_INVALID, CLOSED, or IO_FAILED with nothing changed.
   */
  read(max: number): Promise<Result<RecordBatch>> {
    return this.#queued(max, () => this.#reader.read(this.#slot, max, this.#unreadFrom, this.#markUpTo));
  }

  readonly #unreadFrom = (): number => this.#state.pool.read[this.#slot] as number;

  readonly #markUpTo = (batch: RecordBatch, end: number): void => {
    if (batch.length === 0) return;
    this.#state.pool.read[this.#slot] = end;
    this.#state.counters.read += batch.length;
  };

  /**
   * Takes one record as read whose content a peek gave: what `read(1)` does, without a wait.
   * @returns false, nothing changed, when the oldest unread record is another one by now, or the store is closed.
   */
  markRead(sequence: number): boolean {
    const state = this.#state;
    const { read } = state.pool;
    const next = state.advance(this.#slot, read[this.#slot] as number, 0);
    if (!state.open || next !== sequence || state.unread(this.#slot) === 0) return false;
    read[this.#slot] = state.advance(this.#slot, next, 1);
    state.counters.read++;
    return true;
  }

  /** As read, from `offset` records behind the oldest unread one; changes no mark. */
  peek(offset: number, max: number): Promise<Result<RecordBatch>> {
    if (!isCount(offset)) {
      return Promise.resolve(failure('PARAMETER_INVALID', `offset is ${offset}: it must be a whole number, 0 or more`));
    }
    return this.#queued(max, () => this.#reader.read(this.#slot, max, this.#unreadBehind(offset), () => undefined));
  }

  /**
   * As peek, in one instant: what lies on disk is read before it returns. With markRead, a read that does not wait.
   * @returns as peek; IO_FAILED also on a platform whose disk cannot be read at once.
   */
  peekNow(offset: number, max: number): Result<RecordBatch> {
    for (const [name, count] of [
      ['offset', offset],
      ['max', max],
    ] as const) {
      if (!isCount(count)) {
        return failure('PARAMETER_INVALID', `${name} is ${count}: it must be a whole number, 0 or more`);
      }
    }
    return this.#reader.peekNow(this.#slot, max, this.#unreadBehind(offset));
  }

  #unreadBehind(offset: number): () => number {
    const state = this.#state;
    return () => state.advance(this.#slot, this.#unreadFrom(), Math.min(offset, state.unread(this.#slot)));
  }

  #queued(max: number, read: () => Promise<Result<RecordBatch>>): Promise<Result<RecordBatch>> {
    if (!isCount(max)) {
      return Promise.resolve(failure('PARAMETER_INVALID', `max is ${max}: it must be a whole number, 0 or more`));
    }
    const result = this.#reads.then(() => (this.#state.open ? read() : failure('CLOSED', 'the store is closed')));
    this.#reads = result.catch((error: unknown) => error);
    return result;
  }

  /**
   * Acknowledges what was read: a number of records, oldest pending first, or a whole batch. What was evicted since it
   * was read is accepted and changes nothing. Durable with the next flush, checkpoint or close.
   * @returns how many records left; BOUNDS_VIOLATION when more are named than are pending, or a batch that is not the
   * oldest pending one.
   */
  acknowledge(what: number | RecordBatch): Result<number> {
    const state = this.#state;
    if (!state.open) return failure('CLOSED', 'the store is closed');
    if (what instanceof RecordBatch) return this.#acknowledgeBatch(what);
    const before = state.acknowledged(this.#slot);
    if (!isCount(what)) {
      return failure(
        'PARAMETER_INVALID',
        `acknowledge of ${String(what)}: give a whole number or the batch that was read`,
      );
    }
    if (!state.acknowledge(this.#slot, what)) {
      const pending = state.pending(this.#slot);
      return failure('BOUNDS_VIOLATION', `acknowledge of ${what} records, ${pending} are pending: read them first`);
    }
    this.#acknowledged();
    return success(state.acknowledged(this.#slot) - before);
  }

  #acknowledgeBatch(batch: RecordBatch): Result<number> {
    if (batch.source !== this.source || batch.sensor !== this.sensor) {
      return failure('PARAMETER_INVALID', `the batch is of ${batch.source}/${batch.sensor}, not of this stream`);
    }
    const first = batch.sequences[0];
    const last = batch.sequences[batch.length - 1];
    return first === undefined || last === undefined ? success(0) : this.acknowledgeSpan(first, last);
  }

  /**
   * Acknowledges the records of a batch: [first, last] by their sequence numbers.
   * @returns how many records left; BOUNDS_VIOLATION as pendingOfSpan.
   */
  acknowledgeSpan(first: number, last: number): Result<number> {
    const state = this.#state;
    const pending = this.pendingOfSpan(first, last);
    if (!pending.ok) return pending;
    const { head, forgiven } = state.pool;
    if (pending.value === 0) {
      // The whole batch left before: what of it was lost is acknowledged now, and stands in no later one's way.
      const since = Math.max(0, (head[this.#slot] as number) - last - 1);
      forgiven[this.#slot] = Math.min(forgiven[this.#slot] as number, since);
      return success(0);
    }
    const before = state.acknowledged(this.#slot);
    state.acknowledge(this.#slot, pending.value);
    this.#acknowledged();
    return success(state.acknowledged(this.#slot) - before);
  }

  /**
   * How many records, forgiven ones included, an acknowledgement of [first, last] stands for; changes nothing.
   * @returns BOUNDS_VIOLATION when they are not pending, or older ones still are.
   */
  pendingOfSpan(first: number, last: number): Result<number> {
    const state = this.#state;
    const { pool } = state;
    const head = pool.head[this.#slot] as number;
    if (last < head) return success(0);
    if (last >= (pool.read[this.#slot] as number)) {
      return failure('BOUNDS_VIOLATION', 'the batch is not pending any more: it was reverted; read it again');
    }
    if (state.recordsBetween(this.#slot, head, first) > 0) {
      return failure('BOUNDS_VIOLATION', 'an older batch is still pending: acknowledge in the order of reading');
    }
    // All that was lost while it was pending is older than this batch's end, so this acknowledges it too.
    return success((pool.forgiven[this.#slot] as number) + state.recordsBetween(this.#slot, head, last + 1));
  }

  /** Gives back what is pending: the next read repeats it. Idempotent (INV-13). @returns CLOSED. */
  revert(): Result<void> {
    if (!this.#state.open) return failure('CLOSED', 'the store is closed');
    this.#state.revert(this.#slot);
    return success(undefined);
  }

  /** Forgets the oldest `records`, read or not. @returns BOUNDS_VIOLATION when more are named than are retained. */
  discard(records: number): Result<void> {
    const state = this.#state;
    if (!state.open) return failure('CLOSED', 'the store is closed');
    if (!isCount(records)) {
      return failure('PARAMETER_INVALID', `discard of ${String(records)}: it must be a whole number, 0 or more`);
    }
    if (!state.discard(this.#slot, records)) {
      const retained = state.retained(this.#slot);
      return failure('BOUNDS_VIOLATION', `discard of ${records} records, ${retained} are retained`);
    }
    return success(undefined);
  }

  marks(): Marks {
    const state = this.#state;
    const slot = this.#slot;
    return {
      head: state.pool.head[slot] as number,
      read: state.pool.read[slot] as number,
      synced: state.syncedTo(slot),
      appended: state.pool.appended[slot] as number,
      retained: state.retained(slot),
      pending: state.pending(slot),
      unread: state.unread(slot),
    };
  }
}

const isTime = (ms: number): boolean => ms >= 0 && ms < TIME_MS_END && Math.floor(ms) === ms;

const isCount = (n: number): boolean => Number.isSafeInteger(n) && n >= 0;
