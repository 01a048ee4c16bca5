/**
 * The engine: opens a store on a platform, drives flush, checkpoint and close, and hands out streams.
 *
 * Keeps INV-08 (a flush is running, asked for or waiting while use is high) and the liveness rule that a flush that is
 * asked for ends. Writing work (flush, checkpoint, close) goes through one queue; reads and appends never wait for it.
 *
 * It holds no clock and no timer of its own: time comes from the platform, the retry of a failed flush from the port.
 */
import { checkpointDue, writeCheckpoint } from './checkpoint.ts';
import { ioFailure } from './checkpoint-log.ts';
import type { Failure, Result } from './codes.ts';
import { failure, success } from './codes.ts';
import type { Settings } from './config.ts';
import { Deadline } from './deadline.ts';
import type { FlushOutcome, FlushPlan } from './flush.ts';
import { planByPriority, planBySource, runFlush } from './flush.ts';
import { inspectStore, ledgerOf, statsOf } from './inspect.ts';
import type { IoError, Platform } from './port.ts';
import { preallocate } from './preallocation.ts';
import { Reader } from './reader.ts';
import { recover } from './recovery.ts';
import { SHAPE_EVT, shapeOf, shapeType } from './sector-pool.ts';
import { StoreReads } from './store-reads.ts';
import type { DiskSide } from './store-state.ts';
import { StoreState } from './store-state.ts';
import { StreamHandle } from './stream-handle.ts';
import { checkStream, describeShape } from './stream-options.ts';
import type { EngineEvent, Ledger, RecoveryReport, Stats, StoreInspection, StreamKey, StreamOptions } from './types.ts';

const RETRY_FIRST_MS = 1_000;
const RETRY_MAX_MS = 60_000;
/** So many empty segments are worth a checkpoint of their own; fewer wait for the next flush. */
const RECLAIM_AT_SEGMENTS = 16;

export interface EngineHooks {
  readonly onEvent?: (event: EngineEvent) => void;
}

/** What a power-fail flush or a close could and could not save, per stream with something in RAM. */
export interface SaveReport {
  readonly saved: number;
  readonly unsaved: number;
  readonly streams: readonly (StreamKey & {
    readonly priority: number;
    readonly saved: number;
    readonly unsaved: number;
  })[];
  /** Why saving ended before its time: what the disk said. Null when it did not, also when the time was up. */
  readonly failure: Failure | null;
}

const badDeadline = (deadlineMs: number): ReturnType<typeof failure> =>
  failure('PARAMETER_INVALID', `deadlineMs is ${deadlineMs}: give the milliseconds that are left, 0 or more`);

interface Waiter {
  readonly settle: (result: Result<void>) => void;
  readonly reject: (error: unknown) => void;
}

export class Engine {
  readonly #state: StoreState;
  readonly #reader: Reader;
  readonly #handles: StreamHandle[] = [];
  /** Reads over all streams, and what becomes of them. */
  readonly reads: StoreReads;
  /** The write queue: each piece of writing work begins when the one before has ended. */
  #queue: Promise<unknown> = Promise.resolve();
  #flushWaiters: Waiter[] = [];
  #running: { readonly appended: number; waiters: Waiter[] } | null = null;
  #roomWaiters = new Set<() => void>();
  #failuresInARow = 0;
  #cancelRetry: (() => void) | null = null;
  /** A power-fail flush is waiting: the running one stops at its next segment. */
  #hurry = false;
  #checkpointQueued = false;

  private constructor(state: StoreState) {
    this.#state = state;
    this.#reader = new Reader(state);
    this.reads = new StoreReads(state, this.#handles);
    state.onFlushWanted = () => this.#startFlush();
    state.onRoom = () => this.#wakeRoomWaiters();
    state.onSegmentsEmpty = () => this.#reclaim();
  }

  /**
   * Opens the store: lock, recover, epoch + 1 durable, ready.
   * @returns LOCKED (names the holder), UNSUPPORTED_FORMAT, IO_FAILED, CONFIG_INVALID; then nothing is held.
   */
  static async open(platform: Platform, settings: Settings, hooks: EngineHooks = {}): Promise<Result<Engine>> {
    const state = new StoreState(platform, settings, platform.newStoreId(), hooks.onEvent ?? null);
    const engine = new Engine(state);
    const { disk } = platform;
    if (disk === null) {
      state.epoch = 1;
      state.recovery = {
        found: 'new',
        epoch: 1,
        segments: 0,
        records: 0,
        salvagedRecords: 0,
        setAside: [],
        damagedRecords: 0,
      };
    } else {
      const locked = await disk.lock();
      if (!locked.ok) {
        state.lifecycle = 'failed';
        return 'holder' in locked
          ? failure('LOCKED', `the store is open elsewhere: ${locked.holder}; close it there first`)
          : ioFailure('lock the storage directory', locked.error);
      }
      let recovered: Result<void> | null = null;
      try {
        recovered = await recover(state, disk);
        if (recovered.ok) await preallocate(state);
      } finally {
        if (recovered?.ok !== true) {
          state.lifecycle = 'failed';
          await disk.unlock();
        }
      }
      if (!recovered.ok) return recovered;
    }
    state.lifecycle = 'ram';
    for (let slot = 0; slot < state.pool.streams; slot++) engine.#addHandle(slot);
    state.emit({ type: 'recovered', report: engine.recovery });
    return success(engine);
  }

  get onEvent(): ((event: EngineEvent) => void) | null {
    return this.#state.onEvent;
  }

  set onEvent(listener: ((event: EngineEvent) => void) | null) {
    this.#state.onEvent = listener;
  }

  get recovery(): RecoveryReport {
    return this.#state.recovery as RecoveryReport;
  }

  get storeId(): string {
    return this.#state.storeIdHex;
  }

  get epoch(): number {
    return this.#state.epoch;
  }

  /**
   * Finds or makes a stream.
   * @returns PARAMETER_INVALID, KIND_MISMATCH (it exists with another kind, type or period), TOO_MANY_STREAMS, CLOSED.
   */
  stream(key: StreamKey, options: StreamOptions): Result<StreamHandle> {
    if (!this.#state.open) return failure('CLOSED', 'the store is closed: open it before asking for a stream');
    const checked = checkStream(key, options);
    if (!checked.ok) return checked;
    const { source, evt, type, periodMs, priority } = checked.value;
    const { pool, settings } = this.#state;
    const name = `${key.source}/${key.sensor}`;
    const known = pool.find(source, key.sensor);
    if (known >= 0) {
      const shape = pool.shape[known] as number;
      const has = describeShape((shape & SHAPE_EVT) !== 0, shapeType(shape), pool.periodMs[known] as number);
      const asked = describeShape(evt, type, periodMs);
      if (has !== asked) {
        return failure('KIND_MISMATCH', `stream ${name} is ${has}, not ${asked}: use it as it is or another sensor id`);
      }
      if (options.priority !== undefined) pool.priority[known] = priority;
      return success(this.#handles[known] as StreamHandle);
    }
    if (pool.streams >= settings.streamsMax) {
      return failure(
        'TOO_MANY_STREAMS',
        `stream ${name} would be number ${pool.streams + 1}, streamsMax is ${settings.streamsMax}: raise it`,
      );
    }
    return success(this.#addHandle(pool.addStream(shapeOf(source, evt, type), key.sensor, periodMs, priority)));
  }

  streams(): readonly StreamHandle[] {
    return this.#handles;
  }

  #addHandle(slot: number): StreamHandle {
    const handle = new StreamHandle(this.#state, this.#reader, slot, () => this.#acknowledged());
    this.#handles[slot] = handle;
    return handle;
  }

  /**
   * Resolves when everything appended before the call is on disk for good. Concurrent calls share one flush.
   * @returns IO_FAILED: everything is still in RAM and the engine tries again by itself; CLOSED. Without a disk it
   * resolves at once: there is nothing that could be made durable.
   */
  flush(): Promise<Result<void>> {
    const state = this.#state;
    if (!state.open) return Promise.resolve(failure('CLOSED', 'the store is closed'));
    if (state.disk === null) return Promise.resolve(success(undefined));
    return new Promise((settle, reject) => {
      if (this.#running !== null && this.#running.appended === state.counters.appended) {
        this.#running.waiters.push({ settle, reject });
        return;
      }
      this.#flushWaiters.push({ settle, reject });
      if (state.retryWaiting) this.#endRetryWait();
      if (!state.flushRequested) {
        state.flushRequested = true;
        state.emit({ type: 'flushRequested' });
      }
      if (!state.flushRunning) this.#startFlush();
    });
  }

  /** Runs one flush outside the caller's stack: an append must not find itself writing to a disk. */
  #startFlush(): void {
    this.#inBackground(() => this.#flushOnce());
  }

  async #flushOnce(): Promise<void> {
    const state = this.#state;
    if (!state.flushRequested || !state.open) return;
    await this.#attempt(planBySource(state, () => this.#hurry));
  }

  /** One attempt at a flush with its bookkeeping. The caller holds the write queue. */
  async #attempt(plan: FlushPlan): Promise<FlushOutcome> {
    const state = this.#state;
    const waiters = this.#flushWaiters;
    this.#flushWaiters = [];
    this.#running = { appended: state.counters.appended, waiters };
    this.#endRetryWait();
    state.flushRequested = false;
    state.flushRunning = true;
    if (state.lifecycle === 'ram') state.lifecycle = 'flushing';
    const startedMs = state.platform.nowMs();
    const flush = state.disk?.nextFlush ?? 0;
    const outcome = await runFlush(state, plan);
    state.flushRunning = false;
    if (state.lifecycle === 'flushing') state.lifecycle = 'ram';
    this.#running = null;
    if (!outcome.ok) {
      this.#flushFailed(flush, outcome.error, waiters);
      // Somebody called flush() while this one ran: that call does not wait for the delay.
      if (state.flushRequested) this.#startFlush();
      return outcome;
    }
    state.counters.flushes++;
    this.#failuresInARow = 0;
    const { records, segments, bytes } = outcome;
    // The clock may have been set back meanwhile.
    const durationMs = Math.max(0, state.platform.nowMs() - startedMs);
    state.emit({
      type: 'flushed',
      flush,
      records,
      segments,
      bytes,
      durationMs,
    });
    if (outcome.complete) for (const waiter of waiters) waiter.settle(success(undefined));
    else this.#flushWaiters.push(...waiters);
    if (this.#flushWaiters.length > 0 && !state.flushRequested) {
      state.flushRequested = true;
      state.emit({ type: 'flushRequested' });
    }
    if (state.pool.used >= state.flushAtSectors) state.wantFlush();
    if (state.flushRequested) this.#startFlush();
    this.#wakeRoomWaiters();
    return outcome;
  }

  #flushFailed(flush: number, { code, detail }: IoError, waiters: readonly Waiter[]): void {
    const state = this.#state;
    state.counters.flushFailures++;
    const retryInMs = Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** this.#failuresInARow);
    this.#failuresInARow++;
    const message = `flush ${flush} failed: ${detail}`;
    if (state.open) {
      state.retryWaiting = true;
      this.#cancelRetry = (state.disk as DiskSide).port.after(retryInMs, () => {
        this.#endRetryWait();
        state.wantFlush();
      });
    }
    state.emit({ type: 'flushFailed', flush, message, code, retryInMs });
    for (const waiter of waiters) waiter.settle(failure('IO_FAILED', `${message}; all records are still in RAM`));
  }

  #endRetryWait(): void {
    this.#cancelRetry?.();
    this.#cancelRetry = null;
    this.#state.retryWaiting = false;
  }

  /** Makes the acknowledgements so far durable. @returns IO_FAILED (nothing lost), CLOSED. */
  async checkpoint(): Promise<Result<void>> {
    const state = this.#state;
    if (!state.open) return failure('CLOSED', 'the store is closed');
    if (state.disk === null) return success(undefined);
    return this.#exclusive(async () => {
      if (!state.open) return failure('CLOSED', 'the store is closed');
      if (!checkpointDue(state)) return success(undefined);
      const written = await writeCheckpoint(state);
      return written.ok ? success(undefined) : ioFailure('write the checkpoint', written.error);
    });
  }

  #acknowledged(): void {
    if (this.#state.settings.durableAcknowledge) this.#queueCheckpoint();
  }

  #reclaim(): void {
    const index = this.#state.disk?.index;
    if (index === undefined || !this.#state.open) return;
    if (index.empty.size >= RECLAIM_AT_SEGMENTS || index.empty.size === index.segments.size) this.#queueCheckpoint();
  }

  /** A checkpoint nobody waits for. When it fails the marks stay dirty, and the next one carries them. */
  #queueCheckpoint(): void {
    if (this.#checkpointQueued || this.#state.disk === null) return;
    this.#checkpointQueued = true;
    this.#inBackground(async () => {
      this.#checkpointQueued = false;
      if (this.#state.open && checkpointDue(this.#state)) await writeCheckpoint(this.#state);
    });
  }

  /**
   * Resolves when pool use is below the threshold: the pace for a producer that can wait.
   * @param wait gets a `cancel` while the call waits: who gives up takes itself off the list, and is never answered.
   */
  ready(wait: { cancel?: () => void } = {}): Promise<Result<void>> {
    if (!this.#state.open) return Promise.resolve(failure('CLOSED', 'the store is closed'));
    if (this.#hasRoom()) return Promise.resolve(success(undefined));
    return new Promise((resolve) => {
      const waiter = (): void =>
        resolve(this.#state.open ? success(undefined) : failure('CLOSED', 'the store was closed meanwhile'));
      this.#roomWaiters.add(waiter);
      wait.cancel = () => this.#roomWaiters.delete(waiter);
    });
  }

  #hasRoom(): boolean {
    return this.#state.disk === null || this.#state.pool.used < this.#state.flushAtSectors;
  }

  #wakeRoomWaiters(): void {
    if (this.#roomWaiters.size === 0 || (this.#state.open && !this.#hasRoom())) return;
    const waiters = this.#roomWaiters;
    this.#roomWaiters = new Set();
    for (const wake of waiters) wake();
  }

  /**
   * Power is failing: saves what is in RAM, highest priority first, each priority durable before the next is begun,
   * until `deadlineMs` milliseconds from now. A running flush is cut at its next segment.
   * @returns what was and what was not saved, also when the disk failed on the way; CLOSED, PARAMETER_INVALID.
   */
  async emergencyFlush(deadlineMs: number): Promise<Result<SaveReport>> {
    const state = this.#state;
    if (!state.open) return failure('CLOSED', 'the store is closed');
    if (!(deadlineMs >= 0)) return badDeadline(deadlineMs);
    const before = this.#inRam();
    if (state.disk === null) return success(this.#report(before, null));
    const deadline = new Deadline(state.platform, deadlineMs);
    this.#hurry = true;
    return this.#exclusive(async () => {
      this.#hurry = false;
      if (state.lifecycle === 'failed') return failure('CLOSED', 'the store has failed and writes nothing more');
      const outcome = await this.#attempt(planByPriority(state, () => deadline.isOver));
      // Whoever asks has little time left and one question: what is safe. An error is no answer to that.
      return success(this.#report(before, outcome.ok ? null : outcome.error));
    });
  }

  /** Records in RAM and not on disk, by slot. */
  #inRam(): number[] {
    const { pool } = this.#state;
    return this.#handles.map((_, slot) => (pool.appended[slot] as number) - pool.ramFrom(slot));
  }

  #report(before: readonly number[], error: IoError | null): SaveReport {
    const { pool, disk } = this.#state;
    const streams: SaveReport['streams'][number][] = [];
    const total = { saved: 0, unsaved: 0 };
    before.forEach((records, slot) => {
      if (records === 0) return;
      const unsaved = disk === null ? records : Math.min(records, (pool.appended[slot] as number) - pool.ramFrom(slot));
      total.saved += records - unsaved;
      total.unsaved += unsaved;
      const priority = pool.priority[slot] as number;
      streams.push({
        ...this.#state.key(slot),
        priority,
        saved: records - unsaved,
        unsaved,
      });
    });
    return {
      ...total,
      streams: streams.sort((a, b) => b.priority - a.priority),
      failure: error === null ? null : ioFailure('save everything', error).failure,
    };
  }

  /**
   * Flushes, writes the checkpoint, unlocks. Appends are refused from the call on. With a deadline, saving stops
   * there. The store is closed in every other case; the report says what could not be saved.
   * @returns CLOSED when it is closed already or being closed; PARAMETER_INVALID, nothing changed.
   */
  async close(deadlineMs = Number.POSITIVE_INFINITY): Promise<Result<SaveReport>> {
    const state = this.#state;
    const failed = state.lifecycle === 'failed';
    if (!state.open && !failed) return failure('CLOSED', 'the store is closed already');
    if (!(deadlineMs >= 0)) return badDeadline(deadlineMs);
    const before = this.#inRam();
    const deadline = new Deadline(state.platform, deadlineMs);
    const late = (): boolean => deadline.isOver;
    state.lifecycle = 'closing';
    this.#endRetryWait();
    this.#hurry = Number.isFinite(deadlineMs);
    return this.#exclusive(async () => {
      this.#hurry = false;
      let error: IoError | null = null;
      if (state.disk !== null) {
        try {
          // On top of a state that cannot be, nothing is written: what is on disk stays as it is.
          if (!failed && state.lifecycle !== 'failed') error = await this.#saveAll(Number.isFinite(deadlineMs), late);
        } finally {
          await state.disk.port.unlock();
        }
      }
      const report = this.#report(before, error);
      state.lifecycle = 'closed';
      const saved = report.unsaved === 0;
      for (const waiter of this.#flushWaiters) {
        waiter.settle(saved ? success(undefined) : failure('CLOSED', 'the store was closed before all was saved'));
      }
      this.#flushWaiters = [];
      this.#wakeRoomWaiters();
      state.emit({ type: 'closed', unsaved: report.unsaved });
      return success(report);
    });
  }

  /** @returns what kept records from being saved. */
  async #saveAll(byPriority: boolean, late: () => boolean): Promise<IoError | null> {
    const state = this.#state;
    const inRam = (): boolean => this.#inRam().some((records) => records > 0);
    // A flush that was running when close was called may have saved everything.
    const plan = byPriority ? planByPriority(state, late) : planBySource(state, late);
    const flushed = inRam() ? await this.#attempt(plan) : null;
    // A failure here costs the acknowledgements since the last checkpoint: delivered again, never lost.
    await writeCheckpoint(state, { clean: !inRam() });
    return flushed?.ok === false ? flushed.error : null;
  }

  #exclusive<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(work);
    this.#queue = result.catch((error: unknown) => this.#fail(error));
    return result;
  }

  /** Work that nobody waits for. Its promise is left without a handler, so that what ends it unforeseen comes up. */
  #inBackground(work: () => Promise<void>): void {
    void this.#exclusive(work).then();
  }

  /** An impossible state, or a port that threw: the store writes nothing more, and nobody is left waiting. */
  #fail(error: unknown): void {
    const state = this.#state;
    state.lifecycle = 'failed';
    state.flushRunning = false;
    const waiters = [...(this.#running?.waiters ?? []), ...this.#flushWaiters];
    this.#running = null;
    this.#flushWaiters = [];
    for (const waiter of waiters) waiter.reject(error);
    this.#wakeRoomWaiters();
  }

  inspect(): StoreInspection {
    return inspectStore(this.#state);
  }

  stats(): Stats {
    return statsOf(this.#state);
  }

  ledger(): Ledger {
    return ledgerOf(this.#state);
  }
}
