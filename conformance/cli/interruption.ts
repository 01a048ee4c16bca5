/** SIGINT and SIGTERM end a long run behind what is being done, so that it can be kept; a second one ends it at once. */

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

export class Interruption {
  /** What a shell reports of a command that SIGINT ended. */
  static readonly EXIT_CODE = 130;

  readonly #controller = new AbortController();
  readonly #listener = (): void => {
    this.#controller.abort();
    this.stopListening();
  };

  constructor() {
    for (const signal of SIGNALS) process.on(signal, this.#listener);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  stopListening(): void {
    for (const signal of SIGNALS) process.off(signal, this.#listener);
  }
}
