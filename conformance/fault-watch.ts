/**
 * What went wrong on the disk of a run: how many operations failed, for lack of space or otherwise, and what of that
 * explains an answer, an eviction or a segment that is gone.
 *
 * A live segment's file may go before the log has forgotten it in one case only (docs/decisions/0013): the log itself
 * finds no space. Then the oldest go first, and what of them is missed before the log says so is called damaged.
 */
import { heads, isDead } from '../model/queries.ts';
import type { Context, Lifecycle, Segment } from '../model/vocabulary.ts';
import { parseSegmentName } from '../src/core/disk-index.ts';
import type { IoErrorCode } from '../src/core/port.ts';
import type { DamageMade } from './damage.ts';
import type { DiskObserver, Operation } from './disk-operations.ts';
import { expect } from './divergence.ts';

export interface Circumstances {
  readonly context: Context;
  readonly lifecycle: Lifecycle;
}

export class FaultWatch implements DiskObserver {
  /** Operations that failed so far. */
  met = 0;
  /** `met` when the running flush started. */
  metAtFlush = 0;
  /** Others fill the disk, or did since a flush last ended well: what is refused need not be an operation that failed. */
  tight = false;
  #tightNow = false;
  #eases = false;
  #space = 0;
  #spaceAtFlush = 0;
  /** For lack of space, of the log. */
  #logSpace = 0;
  #logSpaceBefore = 0;
  #wasOpen = true;
  readonly #givenUp = new Set<number>();
  readonly #damage: DamageMade;
  readonly #mayEvict: boolean;
  readonly #now: () => Circumstances;
  readonly #fileOf: (number: number) => number;

  /** @param fileOf the number in the name of a segment's file. */
  constructor(damage: DamageMade, mayEvict: boolean, now: () => Circumstances, fileOf: (number: number) => number) {
    this.#fileOf = fileOf;
    this.#damage = damage;
    this.#mayEvict = mayEvict;
    this.#now = now;
  }

  /** An open that failed, or was cut off, is one recovery with the open that ends well. */
  opening(): void {
    if (!this.#wasOpen) return;
    this.#wasOpen = false;
    this.flushStarted();
  }

  opened(): void {
    this.#wasOpen = true;
  }

  /** Others fill the disk from now on, or no longer. */
  fill(isTight: boolean): void {
    this.#tightNow = isTight;
    this.tight ||= isTight;
  }

  flushed(): void {
    this.#eases = true;
  }

  /** What a flush before the one that ended well was answered is judged by now. */
  stepEnded(): void {
    if (this.#eases) this.tight = this.#tightNow;
    this.#eases = false;
  }

  flushStarted(): void {
    this.metAtFlush = this.met;
    this.#spaceAtFlush = this.#space;
    this.#logSpaceBefore = this.#logSpace;
  }

  /** The file system itself refused for lack of space since this flush, or this open, began; or others fill the disk. */
  get lacksSpace(): boolean {
    return this.tight || this.#space > this.#spaceAtFlush;
  }

  /** The file system ever refused for lack of space. */
  get lackedSpace(): boolean {
    return this.tight || this.#space > 0;
  }

  /** Whether the file of a live segment had to go because the log found no space to say so. */
  gaveUp(number: number): boolean {
    return this.#givenUp.has(number);
  }

  asked({ kind, directory, name }: Operation): void {
    const file = kind === 'remove' && directory !== '' ? parseSegmentName(name) : null;
    if (file === null) return;
    const { context, lifecycle } = this.#now();
    const segment = context.segments.find((each) => this.#fileOf(each.number) === file);
    const number = segment?.number ?? file;
    // What the log had forgotten when power failed goes in recovery, and nobody misses it; without space others go, too.
    if (lifecycle === 'recovering' && this.#logLacksSpace) this.#noteGone(number);
    else if (lifecycle !== 'recovering' && segment !== undefined) this.#judgeRemoval(segment);
  }

  ended({ kind, directory, name }: Operation, code: IoErrorCode | null): void {
    if (code === null) return;
    this.met++;
    if (code === 'NO_SPACE') {
      this.#space++;
      if (directory === '') this.#logSpace++;
    }
    const unreadable = kind === 'read' && directory !== '' ? parseSegmentName(name) : null;
    if (unreadable === null) return;
    const live = this.#now().context.segments.find((each) => this.#fileOf(each.number) === unreadable);
    this.#noteGone(live?.number ?? unreadable);
  }

  /**
   * What cannot be read, or was given up, is as good as damaged. A segment that the model does not know, in recovery, is of
   * a flush that was durable and not announced, or a copy of such; its records may have been acknowledged since, from RAM,
   * and not durably.
   */
  #noteGone(number: number): void {
    const { context, lifecycle } = this.#now();
    const known = context.segments.find((segment) => segment.number === number);
    if (known !== undefined) this.#damage.noteUnreadable(known);
    if (known !== undefined || lifecycle !== 'recovering') return;
    const blocks = context.streams.map(({ durableHead, appended }, i) => ({
      stream: i,
      from: durableHead,
      to: appended,
    }));
    this.#damage.noteUnheardOf({ number, source: 'host', bytes: 0, blocks });
  }

  get #logLacksSpace(): boolean {
    return this.#logSpace > this.#logSpaceBefore;
  }

  #judgeRemoval(segment: Segment): void {
    const { context } = this.#now();
    expect(this.#logLacksSpace, 'INV-12', () => `the file of segment ${segment.number} goes, and the segment is live`);
    const now = heads(context);
    const older = context.segments.find(
      (each) => each.number < segment.number && !this.#givenUp.has(each.number) && !isDead(context, each, now),
    );
    expect(
      isDead(context, segment, now) || (this.#mayEvict && older === undefined),
      'INV-11',
      () =>
        `the log finds no space and segment ${segment.number} gives way, though ${older?.number ?? 'none'} is older`,
    );
    this.#givenUp.add(segment.number);
    this.#damage.noteUnreadable(segment);
  }
}
