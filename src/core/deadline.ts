/**
 * A time limit for saving. It goes by the platform's own count of elapsed time; where there is none, by the clock, of which
 * only steps forward count: set back, it gives what passed since it was last looked at, set forward, it ends the limit early.
 */
import type { Platform } from './port.ts';

export class Deadline {
  readonly #read: () => number;
  #lastMs: number;
  #leftMs: number;

  /** @param leftMs from now; Infinity for no limit. */
  constructor(platform: Platform, leftMs: number) {
    this.#read = (): number => platform.elapsedMs?.() ?? platform.nowMs();
    this.#lastMs = this.#read();
    this.#leftMs = leftMs;
  }

  get isOver(): boolean {
    const nowMs = this.#read();
    this.#leftMs -= Math.max(0, nowMs - this.#lastMs);
    this.#lastMs = nowMs;
    return this.#leftMs <= 0;
  }
}
