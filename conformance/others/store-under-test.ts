/**
 * What a store looks like to the judge (judge.ts): the contract's operations, by stream, and nothing of its inside.
 *
 * Three things stand behind this interface: a store of somebody's own (check-store.ts), the engine on somebody's own
 * adapter (engine-store.ts), and an implementation in another language (exec/exec-store.ts).
 *
 * A stream is its index in the streams that the run was begun with. Every operation may answer at once or by promise.
 * A refusal is an answer: `{ refused: code }`, or an Error with that code as its `code`. Any other Error is a failure.
 */
import type { Kind, Source, ValueType } from '../../src/core/types.ts';
import type { Fault } from '../disk-operations.ts';

/** What a store may refuse with. `UNSUPPORTED`: it has no such operation, and is not asked for it again. */
export const REFUSALS = ['RAM_FULL', 'BOUNDS_VIOLATION', 'IO_FAILED', 'UNSUPPORTED'] as const;
export type RefusalCode = (typeof REFUSALS)[number];

export interface Refused {
  readonly refused: RefusalCode;
  /** The store's own words, for the trace. */
  readonly message?: string;
}

export interface StoreRecord {
  /** The raw value, 0 to 2^32 - 1. */
  readonly bits: number;
  /** UTC milliseconds; of a `tsd` record its place on the grid. */
  readonly timeMs: number;
  /** Compared when it is there: records of the stream before this one. */
  readonly sequence?: number | undefined;
  /** Compared when it is there: with the sequence number it is the record's identity, which no other record has. */
  readonly epoch?: number | undefined;
}

/** Marks of one stream, each a count of records since it began. */
export interface StreamMarks {
  readonly head: number;
  readonly read: number;
  readonly appended: number;
  /** On disk up to here. Must lie between what a flush has promised and `appended`. */
  readonly synced?: number | undefined;
}

export interface StoreMarks {
  /** In the order of the run's streams. */
  readonly streams: readonly StreamMarks[];
  /** Records in the loss ledger. Nothing is damaged and no bound is reached here, so anything but 0 is a failure. */
  readonly lost?: number | undefined;
}

export type MaybePromise<T> = T | Promise<T>;

/** A stream of a run. */
export interface StreamSpec {
  readonly source: Source;
  /** uint32; the same id in another source is another stream. */
  readonly sensor: number;
  readonly kind: Kind;
  /** 0 for `evt`. */
  readonly periodMs: number;
  readonly type: ValueType;
}

export interface StoreUnderTest {
  /** @returns the sequence number, or nothing when the store has none; RAM_FULL. */
  append(stream: number, bits: number, timeMs: number): MaybePromise<number | undefined | Refused>;
  /** The oldest unread, in order, at most `max`; they become pending. */
  read(stream: number, max: number): MaybePromise<readonly StoreRecord[] | Refused>;
  /** The oldest `n` pending may be forgotten; BOUNDS_VIOLATION when fewer are pending, and nothing changes. */
  acknowledge(stream: number, n: number): MaybePromise<unknown | Refused>;
  /** What is pending is unread again. */
  revert?(stream: number): MaybePromise<unknown | Refused>;
  /** Forgets the oldest `n`, read or not; BOUNDS_VIOLATION when fewer are retained, and nothing changes. */
  discard?(stream: number, n: number): MaybePromise<unknown | Refused>;
  /**
   * Everything appended and acknowledged before the call is durable when it answers. `fault` is given only to a store
   * whose traits say that it can be: one operation of this flush fails, and IO_FAILED is the answer, unless none did.
   */
  flush?(fault?: Fault): MaybePromise<unknown | Refused>;
  /**
   * Power fails: what is not durable may go. Nothing but `recover` is called next. `inFlush` is given only to a store
   * whose traits say that it can be: a flush begins, and power fails after so many of its operations.
   */
  crash?(inFlush?: number): MaybePromise<unknown | Refused>;
  /** Opens the store again after a crash. */
  recover?(): MaybePromise<unknown | Refused>;
  inspect?(): MaybePromise<StoreMarks | Refused>;
  /** The run is over. */
  close?(): MaybePromise<unknown>;
}

/** Operations that a store need not have. `crash` counts only together with `recover`. */
export const OPTIONAL_OPERATIONS = ['revert', 'discard', 'flush', 'crash', 'inspect'] as const;
export type OptionalOperation = (typeof OPTIONAL_OPERATIONS)[number];

/** What the judge has to know of a store beforehand. */
export interface StoreTraits {
  /** What a flush answered ok for survives a crash. False: a crash leaves nothing, as in RAM. */
  readonly durable: boolean;
  readonly supports: ReadonlySet<OptionalOperation>;
  readonly kinds: readonly Kind[];
  /** Streams of a run at most. */
  readonly streamsMax: number;
  /** So many records that are not durable yet it takes for sure; beyond, an append may be refused with RAM_FULL. */
  readonly capacityRecords: number;
  /** It can be cut off inside a flush. */
  readonly cutsFlushes?: boolean;
  /** What it can make fail in a flush; empty or absent for nothing. */
  readonly faults?: readonly Fault[];
}

export const isRefused = (answer: unknown): answer is Refused =>
  typeof answer === 'object' && answer !== null && REFUSALS.includes((answer as Partial<Refused>).refused as never);

/** A thrown Error whose `code` is a refusal is that refusal. */
export function refusalOf(thrown: unknown): Refused | null {
  if (!(thrown instanceof Error)) return null;
  const { code } = thrown as Error & { code?: unknown };
  return REFUSALS.includes(code as never) ? { refused: code as RefusalCode, message: thrown.message } : null;
}
