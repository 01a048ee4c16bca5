/**
 * What a numbered test has at hand: its profile, its own directory, its chance, and the ways to say what was expected and
 * what was seen. The first thing that is not as it must be ends the test.
 */

import type { Profile } from '../actions.ts';
import { Random } from '../random.ts';

/** A test saw something else than it had to. */
export class HarnessFailure extends Error {
  readonly expected: string;
  readonly seen: string;

  constructor(what: string, expected: string, seen: string) {
    super(`${what}: expected ${expected}, seen ${seen}`);
    this.expected = expected;
    this.seen = seen;
  }
}

export interface BenchOptions {
  readonly profile: Profile;
  /** Of this test alone; empty, and removed behind it. */
  readonly directory: string;
  readonly seed: number;
  /** Smaller counts, for a run that shall only show that the test can fail. */
  readonly quick: boolean;
  readonly onProgress?: (what: string) => void;
}

const SHOWN_CHARACTERS = 160;

/** A value as one short line. */
export function show(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value));
  return text.length <= SHOWN_CHARACTERS ? text : `${text.slice(0, SHOWN_CHARACTERS)}...`;
}

type Numbers = ArrayLike<number>;

export class Bench {
  readonly profile: Profile;
  readonly directory: string;
  readonly seed: number;
  readonly quick: boolean;
  readonly random: Random;
  /** What was done, a sentence each: for --verbose. */
  readonly deeds: string[] = [];
  /** What was seen, a line for each comparison that was worth a line: for --detailed. */
  readonly sights: string[] = [];
  /** Figures that the test measured, with their units. */
  readonly figures: string[] = [];
  #checks = 0;
  readonly #onProgress: (what: string) => void;
  readonly #endings: (() => Promise<unknown>)[] = [];

  constructor({ profile, directory, seed, quick, onProgress }: BenchOptions) {
    this.profile = profile;
    this.directory = directory;
    this.seed = seed;
    this.quick = quick;
    this.random = new Random(seed);
    this.#onProgress = onProgress ?? (() => {});
  }

  /** Comparisons made so far. */
  get checks(): number {
    return this.#checks;
  }

  get hasDisk(): boolean {
    return this.profile === 'linux';
  }

  /** `full`, or `quick` where the run shall only show that the test can fail. */
  size(full: number, quick: number): number {
    return this.quick ? quick : full;
  }

  did(sentence: string): void {
    this.deeds.push(sentence);
  }

  figure(text: string): void {
    this.figures.push(text);
  }

  progress(what: string): void {
    this.#onProgress(what);
  }

  /** Done when the test has ended, whatever its end. */
  atEnd(ending: () => Promise<unknown>): void {
    this.#endings.push(ending);
  }

  async end(): Promise<void> {
    for (const ending of this.#endings.splice(0).reverse()) await ending();
  }

  // ---- Comparisons

  equal(what: string, seen: unknown, expected: unknown): void {
    this.#checks++;
    const [left, right] = [JSON.stringify(seen), JSON.stringify(expected)];
    if (left !== right) throw new HarnessFailure(what, show(expected), show(seen));
    this.sights.push(`${what}: ${show(seen)}`);
  }

  /** As equal, item by item: names the first that differs. */
  sameNumbers(what: string, seen: Numbers, expected: Numbers): void {
    this.#checks += Math.max(1, expected.length);
    const most = Math.max(seen.length, expected.length);
    for (let i = 0; i < most; i++) {
      if (Object.is(seen[i], expected[i])) continue;
      throw new HarnessFailure(
        `${what}, number ${i} of ${expected.length}`,
        expected[i] === undefined ? 'none' : `${expected[i]}`,
        seen[i] === undefined ? 'none' : `${seen[i]}`,
      );
    }
    this.sights.push(`${what}: ${expected.length} as expected`);
  }

  holds(what: string, isSo: boolean, expected: string, seen: () => unknown): void {
    this.#checks++;
    if (!isSo) throw new HarnessFailure(what, expected, show(seen()));
    this.sights.push(`${what}: ${show(seen())}`);
  }

  /** A comparison in a loop: counted, and shown only when it fails. */
  each(isSo: boolean, what: () => readonly [what: string, expected: unknown, seen: unknown]): void {
    this.#checks++;
    if (isSo) return;
    const [name, expected, seen] = what();
    throw new HarnessFailure(name, show(expected), show(seen));
  }

  /** Comparisons that something else has made. */
  counted(checks: number): void {
    this.#checks += checks;
  }
}
