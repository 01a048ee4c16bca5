/**
 * Whether calls of the file system are made at once, or handed to libuv's threads. What the kernel has in memory it gives
 * in less time than it takes to wake a thread; what a medium has to fetch would hold up the whole process meanwhile.
 *
 * Nothing says beforehand which it will be. So calls are made at once as long as they return as fast as memory does.
 * After one that did not, the next ones wait on threads, and then one is tried again. Only for the many calls by which a
 * store is opened: while it samples, no reader may hold up an append.
 */
import { setImmediate } from 'node:timers/promises';

/** A call that took longer has waited for the medium. A whole segment comes from memory in a fifth of it. */
const WAITED_MS = 0.1;
/** Calls that are handed to threads after one that waited: twice as many each time, so that few of them hold up anything. */
const HANDED_OVER_MIN = 16;
const HANDED_OVER_MAX = 256;
/** Calls at once go on for so long; then whatever else the process has to do gets its turn. */
const TURN_MS = 10;

export class Pace {
  #handOver = 0;
  #nextHandOver = HANDED_OVER_MIN;
  #turnBeganMs = performance.now();

  /** `now` and `later` do the same; one of them is called, once. A promise only where there is something to wait for. */
  run<T>(now: () => T, later: () => Promise<T>): T | Promise<T> {
    if (this.#handOver > 0) {
      this.#handOver--;
      return later();
    }
    const beganMs = performance.now();
    return beganMs - this.#turnBeganMs > TURN_MS ? this.#inNextTurn(now) : this.#atOnce(now, beganMs);
  }

  async #inNextTurn<T>(now: () => T): Promise<T> {
    await setImmediate();
    const beganMs = performance.now();
    this.#turnBeganMs = beganMs;
    return this.#atOnce(now, beganMs);
  }

  #atOnce<T>(now: () => T, beganMs: number): T {
    const result = now();
    if (performance.now() - beganMs <= WAITED_MS) {
      this.#nextHandOver = HANDED_OVER_MIN;
      return result;
    }
    this.#handOver = this.#nextHandOver;
    this.#nextHandOver = Math.min(2 * this.#nextHandOver, HANDED_OVER_MAX);
    return result;
  }
}
