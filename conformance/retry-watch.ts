/**
 * Whether a failed flush is tried again when it should be: after 1, 2, 4 ... at most 60 seconds (contract section 5,
 * "tried again with growing delay"; docs/design.md for the figures), with a timer that is really set.
 */
import { expect } from './divergence.ts';

const FIRST_MS = 1_000;
const MOST_MS = 60_000;

export class RetryWatch {
  #failuresInARow = 0;
  /** Longest delay that was announced. */
  longestMs = 0;

  opening(): void {
    this.#failuresInARow = 0;
  }

  flushed(): void {
    this.#failuresInARow = 0;
  }

  flushFailed(retryInMs: number): void {
    const wanted = Math.min(MOST_MS, FIRST_MS * 2 ** this.#failuresInARow++);
    expect(retryInMs === wanted, 'liveness', () => `a failed flush is tried again in ${retryInMs} ms, not ${wanted}`);
    this.longestMs = Math.max(this.longestMs, retryInMs);
  }

  /** @param nextTimerInMs when the next timer is due, null for none. */
  waits(nextTimerInMs: number | null): void {
    const set = nextTimerInMs !== null && nextTimerInMs <= MOST_MS;
    expect(set, 'liveness', () => 'a failed flush waits for its retry, and no timer will end the wait');
  }
}
