/**
 * What may be asked of every append beside storing it: to be timed, and to be followed by a flush. Neither is done
 * unless somebody asks, so that an append is what src/core/stream-handle.ts says and nothing more.
 */

export class AppendWatch {
  /** Asks for a flush; null when appends wait for the threshold. */
  readonly #flush: (() => void) | null;
  #flushAsked = false;
  #timed = false;
  #longestMs = 0;
  #beganMs = 0;
  /** False: an append need not come here at all. */
  isWanted: boolean;

  constructor(flush: (() => void) | null) {
    this.#flush = flush;
    this.isWanted = flush !== null;
  }

  /** Times every append from now on. */
  time(): void {
    this.#timed = true;
    this.isWanted = true;
  }

  /** Longest of the appends since they are timed, in milliseconds; null before that. */
  get longestMs(): number | null {
    return this.#timed ? this.#longestMs : null;
  }

  begin(): void {
    if (this.#timed) this.#beganMs = performance.now();
  }

  end(): void {
    if (this.#timed) {
      const tookMs = performance.now() - this.#beganMs;
      if (tookMs > this.#longestMs) this.#longestMs = tookMs;
    }
    this.askForFlush();
  }

  /** One flush for all that is appended before the program waits again. */
  askForFlush(): void {
    const flush = this.#flush;
    if (flush === null || this.#flushAsked) return;
    this.#flushAsked = true;
    queueMicrotask(() => {
      this.#flushAsked = false;
      flush();
    });
  }
}
