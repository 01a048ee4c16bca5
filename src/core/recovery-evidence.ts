/**
 * What log and segments together bear witness of, before recovery touches anything: whose store it is, how far its
 * numbers went, and whether the log has lost what it said last. Keeps INV-17: no identity is used twice.
 *
 * It reads nothing itself and moves nothing; recovery.ts acts on it.
 */
import { sameBytes } from './bytes.ts';
import type { FoundLog } from './checkpoint-log.ts';
import type { FoundSegment, ReadSegment } from './found-segments.ts';
import { storeIdOf } from './found-segments.ts';

/** Epochs skipped when nothing says which one was the last. */
const EPOCH_JUMP = 65_536;
/** More segments than one flush writes, so that a name this far off is none of a flush that was cut off. */
const NEAR_SEGMENTS = 65_536;

export class Evidence {
  readonly storeId: Uint8Array;
  /** Nothing of the log is left that says anything of the store. */
  readonly logLost: boolean;
  /** The log knows the segments below this number. */
  readonly nextLogged: number;
  /** Newest epoch that the log tells of; without a log, the newest of a segment. */
  readonly knownEpoch: number;
  /** The epoch that begins now: no record was ever appended in it. */
  readonly epoch: number;
  /** What the log said last is gone. */
  readonly tailLost: boolean;
  /** Where segment numbers go on. */
  readonly nextSegment: number;

  /** @param freshId for a store that is new. */
  constructor(log: FoundLog, found: readonly FoundSegment[], freshId: Uint8Array) {
    const { store } = log.image;
    const knownId = storeIdOf(log.storeId, found);
    this.storeId = knownId ?? freshId;
    this.logLost = store === null;
    this.nextLogged = store?.nextSegment ?? 0;
    const highestEpoch = found.reduce((high, segment) => Math.max(high, this.#epochOf(segment)), 0);
    this.knownEpoch = store?.epoch ?? highestEpoch;
    // Under a fresh id nothing was ever appended, so it needs no jump.
    const isLast = log.newest && highestEpoch <= this.knownEpoch;
    this.epoch = Math.max(this.knownEpoch, highestEpoch) + (isLast || knownId === null ? 0 : EPOCH_JUMP) + 1;
    this.tailLost = !this.logLost && this.#lostTail(log, found);
    this.nextSegment = this.#nextNumber(store?.nextSegment ?? 1, found);
  }

  /** Written by this store, under this name. */
  ours(segment: FoundSegment): segment is ReadSegment {
    return segment.header !== null && sameBytes(segment.header.storeId, this.storeId);
  }

  /** Of an epoch that the log does not know: it was begun by a generation that is lost. */
  isLater(segment: FoundSegment): boolean {
    return this.#epochOf(segment) > this.knownEpoch;
  }

  #epochOf(segment: FoundSegment): number {
    return this.ours(segment) ? segment.header.epoch : 0;
  }

  /**
   * A power cut may leave a generation of the log short, or bring an older one back, but not behind segments of an epoch
   * that a whole one began: then the file was cut short, or lost, since. (One that a running store began in vain is short
   * as well; beside it lies the one that it was to follow.)
   */
  #lostTail(log: FoundLog, found: readonly FoundSegment[]): boolean {
    const behind = (segment: FoundSegment): boolean =>
      segment.number >= this.nextLogged && this.#epochOf(segment) === this.knownEpoch;
    return found.some((segment) => this.isLater(segment)) || (log.short && found.some(behind));
  }

  /**
   * Behind all that the log or a segment of this store tells of, and behind names near them, for such a file may stay.
   * One far off is nobody's number.
   */
  #nextNumber(logged: number, found: readonly FoundSegment[]): number {
    let next = logged;
    for (const segment of found) if (this.ours(segment)) next = Math.max(next, segment.number + 1);
    const near = next + NEAR_SEGMENTS;
    for (const { file } of found) if (file < near) next = Math.max(next, file + 1);
    return next;
  }
}
