/**
 * Watches that a flush evicts no more than it must (INV-12): with the last of what it evicted still there, what is on disk
 * at its end would pass the quota.
 *
 * Says nothing of a flush during which an owner made records needless, power was failing, or the disk itself was full:
 * what was needed is then not what was written.
 */
import type { ModelEvent, Segment } from '../model/vocabulary.ts';
import { expect } from './divergence.ts';

export class EvictionWatch {
  #lastEvictedBytes = 0;
  /** Removed behind the last eviction: it may empty a segment of which only damaged blocks were left. */
  #emptiedBytes = 0;
  #calm = false;

  /** Hears of every step of the model, with the live segments before it. */
  observed(event: ModelEvent, segments: readonly Segment[]): void {
    const bytesOf = (segment: number): number => segments.find(({ number }) => number === segment)?.bytes ?? 0;
    switch (event.type) {
      case 'FLUSH_STARTED':
        this.#calm = !event.emergency;
        this.#lastEvictedBytes = 0;
        this.#emptiedBytes = 0;
        break;
      case 'EVICT':
        this.#lastEvictedBytes = bytesOf(event.segment);
        this.#emptiedBytes = 0;
        break;
      case 'REMOVE_SEGMENT':
        this.#emptiedBytes += bytesOf(event.segment);
        break;
      case 'ACKNOWLEDGE':
      case 'DISCARD':
      case 'DAMAGE':
      case 'CRASH':
      case 'CLOSE':
        this.#calm = false;
        break;
    }
  }

  /** The flush has ended well and `heldBytes` are on disk now, segments and what was set aside. */
  flushed(heldBytes: number, quotaBytes: number, lacksSpace: boolean): void {
    if (!this.#calm || lacksSpace || this.#lastEvictedBytes === 0) return;
    expect(
      heldBytes + this.#lastEvictedBytes + this.#emptiedBytes > quotaBytes,
      'INV-12',
      () => `a segment of ${this.#lastEvictedBytes} bytes was evicted, though ${heldBytes} of ${quotaBytes} are in use`,
    );
  }
}
