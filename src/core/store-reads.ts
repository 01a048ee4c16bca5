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

/** Sequence numbers [first, last] of one stream. */
interface BatchSpan {
  readonly handle: StreamHandle;
  readonly first: number;
  last: number;
}

export class StoreReads {
  readonly #state: StoreState;
  readonly #reader: OldestReader;
  readonly #handles: readonly StreamHandle[];
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
    for (const { handle, first, last } of spans.value) {
      const pending = handle.pendingOfSpan(first, last);
      if (!pending.ok) return pending;
    }
    let left = 0;
    for (const { handle, first, last } of spans.value) {
      const acknowledged = handle.acknowledgeSpan(first, last);
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
    for (const { handle } of spans.value) handle.revert();
    return success(undefined);
  }

  #spansOf({ runs, sequences }: StoreBatch): Result<BatchSpan[]> {
    const spans = new Map<number, BatchSpan>();
    let offset = 0;
    for (let i = 0; i < runs.ends.length; i++) {
      const stream = runs.streams[i] as number;
      const end = runs.ends[i] as number;
      const last = sequences[end - 1] as number;
      const known = spans.get(stream);
      if (known === undefined) {
        const handle = this.#handles[stream];
        if (handle === undefined || handle.sensor !== runs.sensors[i]) {
          return failure('PARAMETER_INVALID', 'the batch is of another store: give it to the one that was read');
        }
        spans.set(stream, { handle, first: sequences[offset] as number, last });
      } else known.last = last;
      offset = end;
    }
    return success([...spans.values()]);
  }
}
