/**
 * What a person sees while a mode runs: text lines, and one line of progress that is rewritten on a terminal and repeated
 * now and then elsewhere. Progress goes to stderr, so that stdout is the result; with `--json` only a terminal sees it.
 */

import colours from 'picocolors';
import type { Highlight } from '../replay/three-way.ts';
import type { Shrinking } from '../shrinking/progress.ts';

/** What differs in red, where there is a terminal that shows colours and nobody has asked for none (NO_COLOR). */
export const highlightOn = (stream: { readonly isTTY?: boolean }): Highlight =>
  colours.createColors(colours.isColorSupported && stream.isTTY === true).red;

/** A failure was found, and is made shorter before it is shown. */
export const shrinkingLine = ({ breaks, tries, steps }: Shrinking): string =>
  `shrinking ${breaks ?? 'the failure'}: ${tries} tries, shortest so far ${steps} steps`;

/** Nothing is said of the progress of something that ends sooner. */
const FIRST_AFTER_MS = 2_000;
const REWRITE_EVERY_MS = 250;
/** A log is read later: behind the first line, one now and then is enough. */
const REPEAT_EVERY_MS = 10_000;

export class Screen {
  readonly #json: boolean;
  readonly #terminal = process.stderr.isTTY === true;
  readonly #startedMs = performance.now();
  #shownMs = Number.NEGATIVE_INFINITY;
  #onScreen = false;

  constructor(json: boolean) {
    this.#json = json;
  }

  /** A line of the result; nothing with `--json`. */
  text(line: string): void {
    if (this.#json) return;
    this.clear();
    console.log(line);
  }

  /** A line for a person, on stderr, with or without `--json`. */
  note(line: string): void {
    this.clear();
    console.error(line);
  }

  /** How far it is. `line` is called only when it will be shown. */
  progress(line: () => string): void {
    if (this.#json && !this.#terminal) return;
    const nowMs = performance.now();
    const everyMs = this.#terminal ? REWRITE_EVERY_MS : REPEAT_EVERY_MS;
    if (nowMs - this.#startedMs < FIRST_AFTER_MS || nowMs - this.#shownMs < everyMs) return;
    this.#shownMs = nowMs;
    if (this.#terminal) process.stderr.write(`\r\u001b[K${line().slice(0, (process.stderr.columns ?? 80) - 1)}`);
    else console.error(`  ${line()}`);
    this.#onScreen = this.#terminal;
  }

  /** Takes the progress line away. */
  clear(): void {
    if (this.#onScreen) process.stderr.write('\r\u001b[K');
    this.#onScreen = false;
  }
}
