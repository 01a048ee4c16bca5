/**
 * Evictions that were done and never announced: their batch of the log was durable when power failed, or was reported
 * as failed and reached the disk all the same. They come to light with the next recovery.
 *
 * Kept are the moments at which one may have been under way, when a flush failed, damage was found, or power failed;
 * what followed is taken again behind the eviction, and only a state that the model reaches so explains the recovery.
 */
import type { ModelState } from '../../model/step.ts';
import { can, step } from '../../model/step.ts';
import type { ModelEvent } from '../../model/vocabulary.ts';
import type { FaultWatch } from '../fault-watch.ts';
import { mostNeededBytes, unannouncedEvictions } from '../refinement.ts';

type Recovered = Extract<ModelEvent, { type: 'RECOVERED' }>;

/** The model at a moment at which an eviction may have been done unseen, and what it took since. */
interface Moment {
  readonly state: ModelState;
  readonly otherBytes: number;
  readonly since: ModelEvent[];
  /** Durable batches of the log that it has come through: the first one may have been put together before it. */
  batches: number;
}

/** The checkpoint behind an eviction that the model has taken sooner: no durable head goes back for it. */
const notBelow = (
  { streams }: ModelState['context'],
  event: Extract<ModelEvent, { type: 'CHECKPOINT' }>,
): ModelEvent => ({
  ...event,
  heads: event.heads.map((head, i) => Math.max(head, streams[i]?.durableHead ?? 0)),
});

/** An eviction of a segment that has been taken away already. */
const isGone = ({ segments }: ModelState['context'], event: ModelEvent): boolean =>
  event.type === 'EVICT' && !segments.some(({ number }) => number === event.segment);

export class Moments {
  #moments: Moment[] = [];
  readonly #faults: FaultWatch;

  constructor(faults: FaultWatch) {
    this.#faults = faults;
  }

  /** @param otherBytes of segment files that are not live. */
  note(state: ModelState, otherBytes: number): void {
    this.#moments.push({ state, otherBytes, since: [], batches: 0 });
  }

  /** Hears of every step of the model. */
  observed(event: ModelEvent): void {
    for (const { since } of this.#moments) since.push(event);
  }

  /**
   * A batch is durable. It is what of a failed flush is still to come; damage that was found while it was being written
   * is not in it, though: an eviction in it was reckoned before, and a power cut behind it leaves that.
   */
  passBatch(): void {
    this.#moments = this.#moments.filter(({ since: [first], batches }) => first?.type === 'DAMAGE' && batches === 0);
    for (const moment of this.#moments) moment.batches++;
  }

  /** The state now, had evictions been done unseen, in which the model takes this recovery; null when there is none. */
  explaining(recovered: Recovered): ModelState | null {
    for (const moment of this.#moments) {
      const states = [false, true].map((byCount) => this.#withEvictions(moment, recovered, byCount));
      const state = states.find((each) => each !== null && can(each, recovered));
      if (state !== undefined && state !== null) return state;
    }
    return this.undone(recovered);
  }

  /** The state now without damage that only the running store knew of; null when none makes the model take this recovery. */
  undone(recovered: Recovered): ModelState | null {
    for (const moment of this.#moments) {
      const state = withoutDamage(moment);
      if (state !== null && can(state, recovered)) return state;
    }
    return null;
  }

  /** What a recovery has found is the truth from now on. */
  recovered(): void {
    this.#moments = [];
  }

  /** The state now, had evictions been done at that moment; null when there were none or what followed excludes it. */
  #withEvictions(moment: Moment, recovered: Recovered, byCount: boolean): ModelState | null {
    const { context } = moment.state;
    const needBytes = this.#faults.lackedSpace ? Number.POSITIVE_INFINITY : mostNeededBytes(context, moment.otherBytes);
    const unannounced = unannouncedEvictions(context, recovered, needBytes, byCount);
    if (unannounced.length === 0) return null;
    let { state } = moment;
    for (const event of [...unannounced, ...moment.since]) {
      const meant = event.type === 'CHECKPOINT' ? notBelow(state.context, event) : event;
      if (can(state, meant)) state = step(state, meant);
      // What was found damaged meanwhile went with the eviction, and recovery knows it as that. It may have been
      // announced since, when nothing was left for it to take.
      else if (event.type !== 'DAMAGE' && !isGone(state.context, event)) return null;
    }
    return state;
  }
}

/**
 * The state now without damage that no batch of the log has. A full disk makes the engine remove the oldest files before
 * the log can say so, and who reads in between finds them missing; a power cut may bring such a file back. Null when the
 * moment is of something else, or what followed needs the damage.
 */
function withoutDamage({ state: before, since: [first, ...rest], batches }: Moment): ModelState | null {
  if (first?.type !== 'DAMAGE' || batches > 0) return null;
  let state = before;
  for (const event of rest) {
    if (can(state, event)) state = step(state, event);
    else if (!LEAVES_NOTHING.has(event.type)) return null;
  }
  return state;
}

/** Of these nothing is left behind a power cut: a flush may have been begun, in vain, for the damage's sake alone. */
const LEAVES_NOTHING: ReadonlySet<ModelEvent['type']> = new Set([
  'READ',
  'READ_OLDEST',
  'REVERT',
  'FLUSH_STARTED',
  'FLUSH_FAILED',
  'RETRY_DUE',
]);
