/**
 * The store as a Node program uses it: openStore, `await using`, AbortSignal, typed events, diagnostics channels.
 * A thin shell over src/core/engine.ts: it turns Results into StoreErrors and announces what the engine announces.
 */
import { Announcer, type EventOf, type StoreEvent } from './announcer.ts';
import { AppendWatch } from './append-watch.ts';
import type { Code, Failure, Result } from './core/codes.ts';
import { failure } from './core/codes.ts';
import type { Settings, SettingsInput } from './core/config.ts';
import { resolveSettings } from './core/config.ts';
import type { SaveReport } from './core/engine.ts';
import { Engine } from './core/engine.ts';
import type { Platform } from './core/port.ts';
import type { RecordBatch, SensorRecord } from './core/record-batch.ts';
import type { StoreBatch } from './core/store-batch.ts';
import type { Marks, StreamHandle } from './core/stream-handle.ts';
import type {
  Kind,
  Ledger,
  RecoveryReport,
  Source,
  Stats,
  StoreInspection,
  StreamOptions,
  ValueType,
} from './core/types.ts';
import { createLinuxPlatform } from './platform/linux.ts';
import { createRamPlatform } from './platform/ram.ts';

/** What a call was refused with: `code` for the program, `message` for the reader. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly code: Code;

  constructor({ code, message }: Failure) {
    super(message);
    this.code = code;
  }
}

export interface StoreOptions extends SettingsInput {
  /** Where the store lives; made when missing. Left out, the store is RAM only and drops its oldest when full. */
  readonly directory?: string;
  /** UTC milliseconds for records without a time of their own; default Date.now. */
  readonly clock?: () => number;
  /** Hears everything that the store announces, from the beginning of recovery on; called synchronously. */
  readonly onEvent?: (event: StoreEvent) => void;
  /** Each append asks for a flush: least is at risk, and the flash wears out fastest. Default false. */
  readonly flushEachAppend?: boolean;
}

/** What the shell around the engine is told; the engine's own settings are Settings. */
export type ShellOptions = Pick<StoreOptions, 'onEvent' | 'flushEachAppend'>;

export interface WaitOptions {
  /** Gives up waiting (StoreError ABORTED); the work itself goes on. */
  readonly signal?: AbortSignal;
}

/** Any interval would do: it is there, and what it does is nothing. */
const AWAKE_MS = 60_000;

/**
 * Opens a store: locks its directory, recovers what a crash left, and is ready when the promise resolves.
 * @throws StoreError CONFIG_INVALID, LOCKED (names the holder), UNSUPPORTED_FORMAT, IO_FAILED.
 */
export async function openStore(options: StoreOptions = {}): Promise<Store> {
  const { directory, clock, onEvent, flushEachAppend, ...input } = options;
  if (directory !== undefined && (typeof directory !== 'string' || directory === '' || directory.includes('\0'))) {
    throw new StoreError(
      failure('CONFIG_INVALID', 'directory must be a path, not empty and without NUL bytes').failure,
    );
  }
  if (clock !== undefined && typeof clock !== 'function') {
    throw new StoreError(failure('CONFIG_INVALID', 'clock must be a function that gives UTC milliseconds').failure);
  }
  if (onEvent !== undefined && typeof onEvent !== 'function') {
    throw new StoreError(failure('CONFIG_INVALID', 'onEvent must be a function that takes an event').failure);
  }
  if (flushEachAppend !== undefined && typeof flushEachAppend !== 'boolean') {
    throw new StoreError(failure('CONFIG_INVALID', 'flushEachAppend must be true or false').failure);
  }
  const settings = unwrap(resolveSettings(input));
  const timed = clock === undefined ? {} : { clock };
  const platform = directory === undefined ? createRamPlatform(timed) : createLinuxPlatform({ directory, ...timed });
  return openOn(platform, settings, {
    ...(onEvent === undefined ? {} : { onEvent }),
    ...(flushEachAppend === undefined ? {} : { flushEachAppend }),
  });
}

/** Opens a store on a platform of the caller's own. @throws StoreError as openStore. */
export async function openOn(platform: Platform, settings: Settings, shell: ShellOptions = {}): Promise<Store> {
  const announcer = new Announcer(shell.onEvent);
  announcer.opening({ type: 'recoveryStarted' });
  const opened = await Engine.open(platform, settings, {
    onEvent: (event) => announcer.announce(event),
  });
  if (!opened.ok) announcer.opening({ type: 'recoveryFailed', ...opened.failure });
  return new Store(unwrap(opened), announcer, shell.flushEachAppend ?? false);
}

function unwrap<T>(result: Result<T>): T {
  if (result.ok) return result.value;
  throw new StoreError(result.failure);
}

export class Store implements AsyncDisposable {
  readonly #engine: Engine;
  readonly #announcer: Announcer;
  readonly #appends: AppendWatch;
  readonly #streams = new Map<StreamHandle, SensorStream>();
  #closing: Promise<Result<SaveReport>> | null = null;

  /** Made by openStore. */
  constructor(engine: Engine, announcer: Announcer, flushEachAppend: boolean) {
    this.#engine = engine;
    this.#announcer = announcer;
    // A flush that fails is announced, keeps everything in RAM, and is tried again by the engine itself.
    const flush = (): void => void engine.flush().then();
    this.#appends = new AppendWatch(flushEachAppend ? flush : null);
    announcer.begin(engine.storeId);
  }

  get storeId(): string {
    return this.#engine.storeId;
  }

  /** Counted up by every open; part of each record's identity. */
  get epoch(): number {
    return this.#engine.epoch;
  }

  /** What opening found and did. */
  get recovery(): RecoveryReport {
    return this.#engine.recovery;
  }

  /**
   * Finds or makes a stream. The same call gives the same object.
   * @throws StoreError PARAMETER_INVALID, KIND_MISMATCH, TOO_MANY_STREAMS, CLOSED.
   */
  stream(source: Source, sensor: number, options: StreamOptions): SensorStream {
    return this.#wrap(unwrap(this.#engine.stream({ source, sensor }, options)));
  }

  /** Every stream the store knows, those recovered from disk included. */
  streams(): SensorStream[] {
    return this.#engine.streams().map((handle) => this.#wrap(handle));
  }

  #wrap(handle: StreamHandle): SensorStream {
    const known = this.#streams.get(handle);
    if (known !== undefined) return known;
    const made = new SensorStream(handle, this.#announcer, this.#appends);
    this.#streams.set(handle, made);
    return made;
  }

  /**
   * Resolves when everything appended before the call is on disk for good. Concurrent calls share one flush.
   * @throws StoreError IO_FAILED (all is still in RAM, the engine tries again by itself), CLOSED, ABORTED.
   */
  async flush({ signal }: WaitOptions = {}): Promise<void> {
    unwrap(await orAbort(signal, () => this.#engine.flush()));
  }

  /** Makes the acknowledgements so far durable. @throws StoreError IO_FAILED, CLOSED, ABORTED. */
  async checkpoint({ signal }: WaitOptions = {}): Promise<void> {
    unwrap(await orAbort(signal, () => this.#engine.checkpoint()));
  }

  /** Resolves when pool use is below the threshold: how a producer that can wait keeps pace. @throws CLOSED, ABORTED. */
  async ready({ signal }: WaitOptions = {}): Promise<void> {
    const wait: { cancel?: () => void } = {};
    // The engine's retry keeps no process alive, nor does AbortSignal.timeout: a caller who waits for them must.
    const awake = setInterval(() => undefined, AWAKE_MS);
    try {
      unwrap(await orAbort(signal, () => this.#engine.ready(wait)));
    } finally {
      clearInterval(awake);
      wait.cancel?.();
    }
  }

  /**
   * The oldest unread records of the whole store, at most `max`, over all streams: those on disk in the order in which
   * they lie there, so that each segment is read once, then those in RAM. They are pending in their streams from then on,
   * as if each stream had been read; the order within a stream is that of its own reads. Empty means that nothing is unread.
   * @throws StoreError PARAMETER_INVALID, IO_FAILED (nothing changed), CLOSED, ABORTED. A read that was given up takes
   * effect all the same when its bytes arrive; revert gives its records back.
   */
  async readOldest(max: number, { signal }: WaitOptions = {}): Promise<StoreBatch> {
    return unwrap(await orAbort(signal, () => this.#engine.reads.readOldest(max)));
  }

  /**
   * The cloud has all of a batch that readOldest gave. Durable with the next flush, checkpoint or close.
   * @returns how many records left. @throws StoreError BOUNDS_VIOLATION (of one stream something is not pending any more,
   * or older records still are; no stream has changed), PARAMETER_INVALID, CLOSED.
   */
  acknowledge(batch: StoreBatch): number {
    return unwrap(this.#engine.reads.acknowledge(batch));
  }

  /** Gives back what is pending of each stream in the batch. @throws StoreError PARAMETER_INVALID, CLOSED. */
  revert(batch: StoreBatch): void {
    unwrap(this.#engine.reads.revert(batch));
  }

  /**
   * Power is failing: saves highest priority first until `deadlineMs` milliseconds have passed.
   * @returns what was and was not saved; `failure` says what the disk said, when it failed on the way.
   * @throws StoreError CLOSED, PARAMETER_INVALID.
   */
  async emergencyFlush({ deadlineMs }: { readonly deadlineMs: number }): Promise<SaveReport> {
    return unwrap(await this.#engine.emergencyFlush(deadlineMs));
  }

  /**
   * Flushes, writes the checkpoint, unlocks. A second call changes nothing; it resolves with the first one, and with
   * the same report, so that nobody goes on while another is still saving.
   * @returns what was and, with a deadline or a failing disk, was not saved.
   * @throws StoreError PARAMETER_INVALID for a deadline that is none; the store is as it was.
   */
  async close({ deadlineMs }: { readonly deadlineMs?: number } = {}): Promise<SaveReport> {
    this.#closing ??= this.#engine.close(deadlineMs);
    const result = await this.#closing;
    // A call that was refused for what it asked has closed nothing.
    if (!result.ok && result.failure.code === 'PARAMETER_INVALID') this.#closing = null;
    return unwrap(result);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  stats(): Stats {
    return this.#engine.stats();
  }

  /** Marks and placement of everything, as plain data for a checker. */
  inspect(): StoreInspection {
    return this.#engine.inspect();
  }

  /** Which records are lost, and why. */
  ledger(): Ledger {
    return this.#engine.ledger();
  }

  /** Times every append from now on, at the cost of looking at the clock twice. appendMany is not timed. */
  timeAppends(): void {
    this.#appends.time();
  }

  /** Longest append since timeAppends was called, in milliseconds; null before that. */
  get longestAppendMs(): number | null {
    return this.#appends.longestMs;
  }

  /** Listens to one type of event; called synchronously. @returns the call that stops listening. */
  on<T extends StoreEvent['type']>(type: T, listener: (event: EventOf<T>) => void): () => void {
    return this.#announcer.on(type, listener as (event: StoreEvent) => void);
  }
}

/** One stream of a store. What `append` guarantees, and its refusals, are said in src/core/stream-handle.ts. */
export class SensorStream implements AsyncIterable<SensorRecord> {
  readonly #handle: StreamHandle;
  readonly #announcer: Announcer;
  readonly #appends: AppendWatch;

  /** Made by Store.stream. */
  constructor(handle: StreamHandle, announcer: Announcer, appends: AppendWatch) {
    this.#handle = handle;
    this.#announcer = announcer;
    this.#appends = appends;
  }

  get source(): Source {
    return this.#handle.source;
  }

  get sensor(): number {
    return this.#handle.sensor;
  }

  get kind(): Kind {
    return this.#handle.kind;
  }

  get type(): ValueType {
    return this.#handle.type;
  }

  get periodMs(): number {
    return this.#handle.periodMs;
  }

  /** Marks and counts now. */
  get marks(): Marks {
    return this.#handle.marks();
  }

  /**
   * Appends one record to RAM: synchronous, no allocation, no I/O. Nothing is thrown in the sampling loop.
   * @param timeMs UTC milliseconds; the store's clock when left out.
   * @returns its sequence number, or a negative refusal (RAM_FULL, APPEND_CLOSED, APPEND_INVALID; see refusalCode).
   */
  append(value: number, timeMs?: number): number {
    return this.#appends.isWanted ? this.#watchedAppend(value, timeMs) : this.#handle.append(value, timeMs);
  }

  #watchedAppend(value: number, timeMs?: number): number {
    this.#appends.begin();
    const sequence = this.#handle.append(value, timeMs);
    this.#appends.end();
    return sequence;
  }

  /** As append, for the raw 32 bits. */
  appendBits(bits: number, timeMs?: number): number {
    if (!this.#appends.isWanted) return this.#handle.appendBits(bits, timeMs);
    this.#appends.begin();
    const sequence = this.#handle.appendBits(bits, timeMs);
    this.#appends.end();
    return sequence;
  }

  /** Appends in order until one is refused. @returns how many were appended. */
  appendMany(values: ArrayLike<number>, timesMs?: ArrayLike<number>): number {
    const appended = this.#handle.appendMany(values, timesMs);
    this.#appends.askForFlush();
    return appended;
  }

  /**
   * The oldest unread records, at most `max`; pending from then on. Empty means that nothing is unread.
   * @throws StoreError PARAMETER_INVALID, IO_FAILED (nothing changed), CLOSED, ABORTED. A read that was given up takes
   * effect all the same when its bytes arrive; revert gives its records back.
   */
  async read(max: number, { signal }: WaitOptions = {}): Promise<RecordBatch> {
    return unwrap(await orAbort(signal, () => this.#handle.read(max)));
  }

  /** As read, from `offset` records behind the oldest unread one; changes nothing. @throws as read. */
  async peek(offset: number, max: number, { signal }: WaitOptions = {}): Promise<RecordBatch> {
    return unwrap(await orAbort(signal, () => this.#handle.peek(offset, max)));
  }

  /**
   * As peek, without waiting: what is on disk is read while the program stands still, so prefer `read` where waiting is
   * possible. With `markRead`, a read that does not wait. @throws StoreError as peek; IO_FAILED also on a platform whose
   * disk cannot be read at once.
   */
  peekNow(offset: number, max: number): RecordBatch {
    return unwrap(this.#handle.peekNow(offset, max));
  }

  /**
   * Takes one record as read whose content a peek gave.
   * @returns false, nothing changed, when the oldest unread record is another one by now, or the store is closed.
   */
  markRead(sequence: number): boolean {
    return this.#handle.markRead(sequence);
  }

  /**
   * The cloud has these: a number of records, oldest pending first, or a batch. Durable with the next flush,
   * checkpoint or close. @returns how many left. @throws StoreError BOUNDS_VIOLATION, PARAMETER_INVALID, CLOSED; each is
   * announced as `acknowledgeRefused` too.
   */
  acknowledge(what: number | RecordBatch): number {
    const left = this.#handle.acknowledge(what);
    if (!left.ok) {
      const { source, sensor } = this.#handle;
      this.#announcer.announce({ type: 'acknowledgeRefused', key: { source, sensor }, ...left.failure });
    }
    return unwrap(left);
  }

  /** Gives back what is pending; the next read repeats it. @throws StoreError CLOSED. */
  revert(): void {
    unwrap(this.#handle.revert());
  }

  /** Forgets the oldest records, read or not. @throws StoreError BOUNDS_VIOLATION, PARAMETER_INVALID, CLOSED. */
  discard(records: number): void {
    unwrap(this.#handle.discard(records));
  }

  /**
   * Everything that is unread now, oldest first. Each record is pending once it has been handed out, and not before:
   * a loop that is left early leaves the rest unread.
   */
  async *[Symbol.asyncIterator](): AsyncIterator<SensorRecord> {
    const { appended } = this.marks;
    for (;;) {
      const batch = await this.peek(0, ITERATE_RECORDS);
      if (batch.length === 0) return;
      for (const record of batch) {
        if (record.sequence >= appended) return;
        // Somebody else read, reverted or lost what was looked at: look again.
        if (!this.#handle.markRead(record.sequence)) break;
        yield record;
      }
    }
  }
}

/** Records the iterator looks at in one go. */
const ITERATE_RECORDS = 512;

/** Waits for `work`, or until the signal gives up. Already aborted: the work is not begun. */
async function orAbort<T>(signal: AbortSignal | undefined, work: () => Promise<Result<T>>): Promise<Result<T>> {
  if (signal === undefined) return work();
  const aborted = failure('ABORTED', 'the caller gave up waiting (AbortSignal); the store goes on by itself');
  if (signal.aborted) return aborted;
  let stopListening: (() => void) | undefined;
  const abort = new Promise<Result<T>>((resolve) => {
    const listener = (): void => resolve(aborted);
    signal.addEventListener('abort', listener, { once: true });
    stopListening = () => signal.removeEventListener('abort', listener);
  });
  try {
    return await Promise.race([work(), abort]);
  } finally {
    stopListening?.();
  }
}
