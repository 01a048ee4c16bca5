/**
 * The words of the model: what a state is, which events there are, and which of them are the environment's choice.
 *
 * The machine knows no time and does nothing by itself. Whatever the world decides (how large the segments of a flush
 * are, whether it fails, what survives a power cut) stands in the event, and guards say which choices the contract
 * allows. That makes every run a list of plain data, and every state reachable by a search.
 *
 * Words are those of the contract's section 2. Every mark is a count of records since the stream began; a range
 * [from, to) holds sequence numbers.
 *
 * It deliberately knows no bytes but the sizes of segments, no physical sector numbers and no files.
 */

export const SOURCES = ['host', 'mgc', 'can_controller'] as const;
export type Source = (typeof SOURCES)[number];

export type Kind = 'tsd' | 'evt';

/** Index of a stream in `bounds.streams`, which is the order in which the streams were made. */
export type StreamIndex = number;

export interface StreamBounds {
  readonly source: Source;
  readonly kind: Kind;
  /** Milliseconds between two samples; 0 for `evt`. */
  readonly periodMs: number;
}

/** The store that is modelled. The wiced profile is `disk: false`, nothing else. */
export interface Bounds {
  readonly disk: boolean;
  readonly streams: readonly StreamBounds[];
  /** Sectors in the pool. */
  readonly sectors: number;
  readonly recordsPerSector: { readonly tsd: number; readonly evt: number };
  /** Sectors in use at which a flush is asked for: the smallest count that is >= 80 % of the pool. */
  readonly flushAtSectors: number;
  /** Bytes that all segments together may have. */
  readonly quotaBytes: number;
  /** Bytes that one segment may have (65,536 in the engine). */
  readonly segmentBytesMax: number;
}

/** Smallest number of sectors that is at least 80 % of the pool (contract section 5). */
export const flushAtSectors = (sectors: number): number => Math.ceil((sectors * 80) / 100);

export interface ModelRecord {
  readonly sequence: number;
  readonly epoch: number;
  readonly valueBits: number;
  /** Recorded time: for `tsd` the place on the grid, for `evt` the time that was given. */
  readonly timeMs: number;
}

/** Sequence numbers [from, to). */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** Records [from, to) of one stream. */
export interface Range extends Span {
  readonly stream: StreamIndex;
}

/** A sector in a stream's RAM chain. It is there exactly while it holds a record at or above max(head, synced). */
export interface Sector {
  /** Order of opening in the store, never used twice: the smallest is the oldest. */
  readonly ordinal: number;
  /** Sequence number of its first record, dead or alive. */
  readonly first: number;
  readonly count: number;
  readonly kind: Kind;
}

export interface Segment {
  /** The store's flush order; never used twice. */
  readonly number: number;
  readonly source: Source;
  readonly bytes: number;
  /** One range a block, in file order, also of records that are already acknowledged. */
  readonly blocks: readonly Range[];
}

export interface StreamState {
  readonly head: number;
  readonly read: number;
  /** Raw mark of the last commit; what is on disk is [head, max(head, synced)). */
  readonly synced: number;
  readonly appended: number;
  /** Head that a crash cannot take back. */
  readonly durableHead: number;
  /** Counts of records, since the stream began. */
  readonly acknowledged: number;
  readonly discarded: number;
  /** Counts of records in the loss ledger, by reason. */
  readonly evicted: number;
  readonly damaged: number;
  /** Lost while pending: an acknowledgement may still name them (they are its oldest) and changes nothing. */
  readonly forgiven: number;
  /** Damaged ranges at or above the durable head, ascending, joined. No mark rests on one: it stands behind it. */
  readonly holes: readonly Span[];
  /**
   * Records at or above the durable head (without a disk: the head), without the damaged ones. Those below the head
   * are not retained, but a crash can bring them back.
   */
  readonly records: readonly ModelRecord[];
  /** RAM chain, oldest first. */
  readonly sectors: readonly Sector[];
  /** Recorded time of the newest tsd record since open; null before the first, and for `evt`. */
  readonly lastTimeMs: number | null;
  /** Ghost: what APPEND events offered, with the time they gave, over the same range as `records`. */
  readonly offered: readonly ModelRecord[];
  /** Ghost: identities handed out, newest last, the oldest forgotten past IDENTITY_SPANS_MAX. */
  readonly identities: readonly IdentitySpan[];
}

/** Records [from, to) of a stream got their identity in this store and epoch. */
export interface IdentitySpan extends Span {
  readonly storeId: number;
  readonly epoch: number;
}

export const IDENTITY_SPANS_MAX = 8;

/** Newest entries of the loss ledger that the model keeps; the counts per stream keep the rest. */
export const LEDGER_MAX = 64;

/** The flush that is running. */
export interface Flush {
  /** `appended` of every stream when it started: it takes what is below. */
  readonly targets: readonly number[];
  /** `head` of every stream when it started: a commit makes at least these durable. */
  readonly heads: readonly number[];
  /** Power is failing: it may end before it has taken everything. */
  readonly emergency: boolean;
}

export type LossReason = 'evicted' | 'damaged';

/** One entry of the loss ledger: `records` of the range are lost (the others of it had left before). */
export interface Loss extends Range {
  readonly records: number;
  readonly reason: LossReason;
}

/** Statistics since the last recovery. Units are records unless the name says otherwise. */
export interface Counters {
  readonly appended: number;
  readonly refusedRamFull: number;
  readonly read: number;
  readonly acknowledged: number;
  readonly reverted: number;
  readonly discarded: number;
  readonly evicted: number;
  readonly damaged: number;
  /** Flushes that ended well, and those that failed. */
  readonly flushes: number;
  readonly flushFailures: number;
  readonly checkpoints: number;
  readonly segmentsWritten: number;
  /** Segments removed because nothing in them was retained; evicted ones are not among them. */
  readonly segmentsRemoved: number;
  readonly segmentsEvicted: number;
}

export const ZERO_COUNTERS: Counters = {
  appended: 0,
  refusedRamFull: 0,
  read: 0,
  acknowledged: 0,
  reverted: 0,
  discarded: 0,
  evicted: 0,
  damaged: 0,
  flushes: 0,
  flushFailures: 0,
  checkpoints: 0,
  segmentsWritten: 0,
  segmentsRemoved: 0,
  segmentsEvicted: 0,
};

export interface Context {
  readonly bounds: Bounds;
  /** 0 before the first recovery; numbered by the order in which ids appeared. */
  readonly storeId: number;
  /** Of the last recovery; 0 before the first. */
  readonly epoch: number;
  /** Opens tried since the last recovery: each may have raised the epoch before power failed. */
  readonly attempts: number;
  readonly streams: readonly StreamState[];
  /** Sectors in no chain. */
  readonly free: number;
  readonly nextOrdinal: number;
  readonly flush: Flush | null;
  readonly flushRequested: boolean;
  readonly retryWaiting: boolean;
  /** Live segments, oldest first. */
  readonly segments: readonly Segment[];
  /** Highest segment number ever used. */
  readonly lastSegment: number;
  /** Newest last. Ranges are not joined. */
  readonly ledger: readonly Loss[];
  readonly counters: Counters;
}

/** What of one stream came through a crash or a close. */
export interface Survivor {
  readonly appended: number;
  readonly head: number;
  /** Of the records below `head`: how many the owner discarded, how many were evicted. The rest was acknowledged. */
  readonly discarded: number;
  readonly evicted: number;
}

/** Refused events leave the state as it was, but for the count of RAM_FULL. */
export type ModelEvent =
  | { readonly type: 'OPEN' }
  /**
   * Recovery ended. `streams` has one survivor a stream, `damaged` the holes that it found new, `segments` all live
   * segments (kept, or written anew under higher numbers). With a disk the store id stays; without, it is a new one.
   */
  | {
      readonly type: 'RECOVERED';
      readonly storeId: number;
      readonly epoch: number;
      readonly streams: readonly Survivor[];
      readonly damaged: readonly Range[];
      readonly segments: readonly Segment[];
    }
  | { readonly type: 'RECOVERY_CRASHED' }
  | { readonly type: 'OPEN_FAILED' }
  | {
      readonly type: 'APPEND';
      readonly stream: StreamIndex;
      readonly valueBits: number;
      readonly timeMs: number;
    }
  /** Takes effect when the read completes. */
  | {
      readonly type: 'READ';
      readonly stream: StreamIndex;
      readonly max: number;
    }
  /**
   * A read over all streams: the oldest `max` in the order in which they lie on disk, then those in RAM, stream by stream.
   * It takes effect when it completes, in all streams at one instant. `order` is that of the streams in RAM where it is
   * not their own: the store may have come to know them in another, as after a power cut that one of them did not outlive.
   */
  | { readonly type: 'READ_OLDEST'; readonly max: number; readonly order?: readonly StreamIndex[] }
  | {
      readonly type: 'ACKNOWLEDGE';
      readonly stream: StreamIndex;
      readonly n: number;
    }
  | { readonly type: 'REVERT'; readonly stream: StreamIndex }
  | {
      readonly type: 'DISCARD';
      readonly stream: StreamIndex;
      readonly n: number;
    }
  /** flush() was called: asks for one unless everything is synced or taken by the running one. */
  | { readonly type: 'FLUSH' }
  | { readonly type: 'FLUSH_STARTED'; readonly emergency: boolean }
  /** The oldest segment goes because `needBytes` more would not fit into the quota. Durable with its new heads. */
  | {
      readonly type: 'EVICT';
      readonly segment: number;
      readonly needBytes: number;
    }
  /** The commit is durable: `segments` are new, `heads` has the durable head of every stream. */
  | {
      readonly type: 'FLUSH_DONE';
      readonly segments: readonly Segment[];
      readonly heads: readonly number[];
    }
  | { readonly type: 'FLUSH_FAILED' }
  /** The delay after a failed flush is over: it is asked for again. */
  | { readonly type: 'RETRY_DUE' }
  /** `heads` has the durable head of every stream. */
  | { readonly type: 'CHECKPOINT'; readonly heads: readonly number[] }
  | { readonly type: 'REMOVE_SEGMENT'; readonly segment: number }
  /** A block on disk was found damaged; the part of it at or above the head is [from, to). */
  | {
      readonly type: 'DAMAGE';
      readonly stream: StreamIndex;
      readonly from: number;
      readonly to: number;
    }
  | { readonly type: 'CLOSE' }
  /** `unsaved`: records that are in RAM only and go. `checkpointed`: the heads could be made durable. */
  | {
      readonly type: 'CLOSED';
      readonly unsaved: number;
      readonly checkpointed: boolean;
    }
  | { readonly type: 'CRASH' };

export type EventType = ModelEvent['type'];

/** The machine's states as one word. `crashed` is a closed store whose last words were not heard. */
export type Lifecycle = 'closed' | 'recovering' | 'ram' | 'flushing' | 'closing' | 'failed' | 'crashed';

/** First sequence number that is not on disk: the contract's synced'. */
export const syncedMark = (stream: StreamState): number => Math.max(stream.head, stream.synced);

export const sectorsUsed = (context: Context): number => context.bounds.sectors - context.free;
