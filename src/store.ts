/**
 * The store as a Node program uses it: openStore, `await using`, AbortSignal, typed events, diagnostics channels.
 * A thin shell over src/core/engine.ts: it turns Results into StoreErrors and announces what the engine announces.
 */
import diagnostics_channel from 'node:diagnostics_channel';
import type { Code, Failure, Result } from './core/codes.ts';
import { failure } from './core/codes.ts';
import type { Settings, SettingsInput } from './core/config.ts';
import { resolveSettings } from './core/config.ts';
import type { SaveReport } from './core/engine.ts';
import { Engine } from './core/engine.ts';
import type { Platform } from './core/port.ts';
import type { RecordBatch, SensorRecord } from './core/record-batch.ts';
import type { Marks, StreamHandle } from './core/stream-handle.ts';
import type {
  EngineEvent,
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
}

export interface WaitOptions {
  /** Gives up waiting (StoreError ABORTED); the work itself goes on. */
  readonly signal?: AbortSignal;
}

/** Any interval would do: it is there, and what it does is nothing. */
const AWAKE_MS = 60_000;

type EventOf<T extends EngineEvent['type']> = Extract<EngineEvent, { type: T }>;

const EVENT_TYPES = [
  'recovered',
  'flushRequested',
  'flushStarted',
  'flushed',
  'flushFailed',
  'checkpointed',
  'segmentEvicted',
  'sectorEvicted',
  'segmentRemoved',
  'damaged',
  'closed',
] as const satisfies readonly EngineEvent['type'][];

/** Channels `imatrix-memory-manager:<type>`; a message is { storeId, event }. */
const CHANNELS = new Map(
  EVENT_TYPES.map((type) => [type, diagnostics_channel.channel(`imatrix-memory-manager:${type}`)] as const),
);

/**
 * Opens a store: locks its directory, recovers what a crash left, and is ready when the promise resolves.
 * @throws StoreError CONFIG_INVALID, LOCKED (names the holder), UNSUPPORTED_FORMAT, IO_FAILED.
 */
export async function openStore(options: StoreOptions = {}): Promise<Store> {
  const { directory, clock, ...input } = options;
  if (directory !== undefined && (typeof directory !== 'string' || directory === '' || directory.includes('\0'))) {
    throw new StoreError(
      failure('CONFIG_INVALID', 'directory must be a path, not empty and without NUL bytes').failure,
    );
  }
  if (clock !== undefined && typeof clock !== 'function') {
    throw new StoreError(failure('CONFIG_INVALID', 'clock must be a function that gives UTC milliseconds').failure);
  }
  const settings = unwrap(resolveSettings(input));
  const timed = clock === undefined ? {} : { clock };
  const platform = directory === undefined ? createRamPlatform(timed) : createLinuxPlatform({ directory, ...timed });
  return openOn(platform, settings);
}

/** Opens a store on a platform of the caller's own. @throws StoreError as openStore. */
export async function openOn(platform: Platform, settings: Settings): Promise<Store> {
  const announcer = new Announcer();
  const engine = unwrap(
    await Engine.open(platform, settings, {
      onEvent: (event) => announcer.announce(event),
    }),
  );
  return new Store(engine, announcer);
}

function unwrap<T>(result: Result<T>): T {
  if (result.ok) return result.value;
  throw new StoreError(result.failure);
}

/** Passes the engine's events to listeners and diagnostics channels. */
class Announcer {
  #storeId: string | null = null;
  /** What happened before the store's id was known: recovery's own events. */
  #early: EngineEvent[] = [];
  readonly #listeners = new Map<EngineEvent['type'], Set<(event: EngineEvent) => void>>();

  on(type: EngineEvent['type'], listener: (event: EngineEvent) => void): () => void {
    const set = this.#listeners.get(type) ?? new Set();
    this.#listeners.set(type, set);
    set.add(listener);
    return () => set.delete(listener);
  }

  /** The store is open under this id. */
  begin(storeId: string): void {
    this.#storeId = storeId;
    const early = this.#early;
    this.#early = [];
    for (const event of early) this.announce(event);
  }

  announce(event: EngineEvent): void {
    if (this.#storeId === null) {
      this.#early.push(event);
      return;
    }
    const channel = CHANNELS.get(event.type);
    if (channel?.hasSubscribers === true) channel.publish({ storeId: this.#storeId, event });
    for (const listener of this.#listeners.get(event.type) ?? []) {
      try {
        listener(event);
      } catch (error) {
        // The other listeners hear the event all the same; the error comes up by itself, as an unhandled rejection.
        void Promise.reject(error);
      }
    }
  }
}

export class Store implements AsyncDisposable {
  readonly #engine: Engine;
  readonly #announcer: Announcer;
  readonly #streams = new Map<StreamHandle, SensorStream>();
  #closing: Promise<Result<SaveReport>> | null = null;

  /** Made by openStore. */
  constructor(engine: Engine, announcer: Announcer) {
    this.#engine = engine;
    this.#announcer = announcer;
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
    const made = new SensorStream(handle);
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

  /** Listens to one type of event; called synchronously. @returns the call that stops listening. */
  on<T extends EngineEvent['type']>(type: T, listener: (event: EventOf<T>) => void): () => void {
    return this.#announcer.on(type, listener as (event: EngineEvent) => void);
  }
}

/** One stream of a store. What `append` guarantees, and its refusals, are said in src/core/stream-handle.ts. */
export class SensorStream implements AsyncIterable<SensorRecord> {
  readonly #handle: StreamHandle;

  /** Made by Store.stream. */
  constructor(handle: StreamHandle) {
    this.#handle = handle;
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
    return this.#handle.append(value, timeMs);
  }

  /** As append, for the raw 32 bits. */
  appendBits(bits: number, timeMs?: number): number {
    return this.#handle.appendBits(bits, timeMs);
  }

  /** Appends in order until one is refused. @returns how many were appended. */
  appendMany(values: ArrayLike<number>, timesMs?: ArrayLike<number>): number {
    return this.#handle.appendMany(values, timesMs);
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
   * As read, without waiting: what is on disk is read while the program stands still, so prefer `read` where waiting is
   * possible. Reads that wait come after it. @throws StoreError as read; IO_FAILED also on a platform that cannot.
   */
  readNow(max: number): RecordBatch {
    return unwrap(this.#handle.readNow(max));
  }

  /** As peek, without waiting. @throws as readNow. */
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
   * checkpoint or close. @returns how many left. @throws StoreError BOUNDS_VIOLATION, PARAMETER_INVALID, CLOSED.
   */
  acknowledge(what: number | RecordBatch): number {
    return unwrap(this.#handle.acknowledge(what));
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
