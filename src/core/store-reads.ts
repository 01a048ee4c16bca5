/**
 * The uploader's calls over all streams: readOldest, and acknowledge and revert of what it gave. What they do to a stream
 * is what that stream's own calls do; a batch is acknowledged as a whole or not at all.
 */
import type { Result } from './codes.ts';
import { failure, success } from './codes.ts';
import { OldestReader } from './oldest-reader.ts';
import type { StoreBatch } from './store-batch.ts';
import type { StoreState } from './store-state.ts';
import type { StreamHandle } from './stream-handle.ts';

/** What a batch has of each of its streams: sequence numbers [first, last], in columns that are used again. */
class Spans {
  readonly slots: number[] = [];
  /** By slot; of those in `slots` only. */
  readonly first: number[] = [];
  readonly last: number[] = [];
  /** The batch in which a slot was met last, by a number of its own. */
  readonly #met: number[] = [];
  #batch = 0;

  begin(): void {
    this.slots.length = 0;
    this.#batch++;
  }

  add(slot: number, first: number, last: number): void {
    this.last[slot] = last;
    if (this.#met[slot] === this.#batch) return;
    this.#met[slot] = this.#batch;
    this.first[slot] = first;
    this.slots.push(slot);
  }
}

export class StoreReads {
  readonly #state: StoreState;
  readonly #reader: OldestReader;
  readonly #handles: readonly StreamHandle[];
  readonly #spans = new Spans();
  /** Reads over all streams are queued: the next begins when the one before is complete. */
  #reads: Promise<unknown> = Promise.resolve();

  constructor(state: StoreState, handles: readonly StreamHandle[]) {
    this.#state = state;
    this.#reader = new OldestReader(state);
    this.#handles = handles;
  }

  /**
   * Reads the oldest unread records of the store, at most `max`, in the order in which they lie on disk, then those in
   * RAM; they are pending from then on. An empty batch means that nothing is unread.
   * @returns PARAMETER_INVALID, CLOSED, or IO_FAILED with nothing changed.
   */
  readOldest(max: number): Promise<Result<StoreBatch>> {
    if (!(Number.isSafeInteger(max) && max >= 0)) {
      return Promise.resolve(failure('PARAMETER_INVALID', `max is ${max}: it must be a whole number, 0 or more`));
    }
    const result = this.#reads.then(() => this.#reader.read(max));
    this.#reads = result.catch((error: unknown) => error);
    return result;
  }

  /**
   * Acknowledges a whole batch. What of it was evicted or discarded since is accepted and changes nothing.
   * @returns how many records left; BOUNDS_VIOLATION, nothing changed in any stream, when of one stream something is not
   * pending any more or older records are still pending.
   */
  acknowledge(batch: StoreBatch): Result<number> {
    if (!this.#state.open) return failure('CLOSED', 'the store is closed');
    const spans = this.#spansOf(batch);
    if (!spans.ok) return spans;
    const { slots, first, last } = spans.value;
    for (const slot of slots) {
      const pending = this.#handle(slot).pendingOfSpan(first[slot] as number, last[slot] as number);
      if (!pending.ok) return pending;
    }
    let left = 0;
    for (const slot of slots) {
      const acknowledged = this.#handle(slot).acknowledgeSpan(first[slot] as number, last[slot] as number);
      if (!acknowledged.ok) return acknowledged;
      left += acknowledged.value;
    }
    return success(left);
  }

  /** Gives back what is pending of each stream that the batch has records of. @returns CLOSED, PARAMETER_INVALID. */
  revert(batch: StoreBatch): Result<void> {
    if (!this.#state.open) return failure('CLOSED', 'the store is closed');
    const spans = this.#spansOf(batch);
    if (!spans.ok) return spans;
    for (const slot of spans.value.slots) this.#handle(slot).revert();
    return success(undefined);
  }

  #handle(slot: number): StreamHandle {
    return this.#handles[slot] as StreamHandle;
  }

  #spansOf({ runs }: StoreBatch): Result<Spans> {
    const spans = this.#spans;
    spans.begin();
    let offset = 0;
    for (let i = 0; i < runs.ends.length; i++) {
      const slot = runs.streams[i] as number;
      const end = runs.ends[i] as number;
      if (this.#handles[slot]?.sensor !== runs.sensors[i]) {
        return failure('PARAMETER_INVALID', 'the batch is of another store: give it to the one that was read');
      }
      const first = runs.firsts[i] as number;
      spans.add(slot, first, first + end - offset - 1);
      offset = end;
    }
    return success(spans);
  }
}
