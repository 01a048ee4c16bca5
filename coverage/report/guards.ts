/**
 * Which guards of the model were never seen both ways, and what that means.
 *
 * Guards that say when a call is refused see both in any run. Those that say what the environment may do (what survives
 * a crash, what a flush may write) have nothing to refuse while the engine is right: that each of them can refuse is
 * shown by the mutations of `npm run explore` and by the planted bugs.
 */
import type { GuardTotal } from './totals.ts';

export interface OneSided {
  readonly neverAsked: readonly string[];
  readonly neverRefused: readonly string[];
  readonly neverPassed: readonly string[];
}

export function oneSided(guards: readonly GuardTotal[]): OneSided {
  const names = (is: (guard: GuardTotal) => boolean): string[] => guards.filter(is).map(({ name }) => name);
  return {
    neverAsked: names(({ passed, refused }) => passed + refused === 0),
    neverRefused: names(({ passed, refused }) => passed > 0 && refused === 0),
    neverPassed: names(({ passed, refused }) => passed === 0 && refused > 0),
  };
}

/** A sentence for each kind that there is. */
export function oneSidedLines(guards: readonly GuardTotal[]): string[] {
  const { neverAsked, neverRefused, neverPassed } = oneSided(guards);
  return [
    ['never asked', neverAsked],
    [
      'let everything pass, for the engine gave them nothing to refuse (npm run explore shows that they can)',
      neverRefused,
    ],
    ['refused everything', neverPassed],
  ].flatMap(([what, names]) => (names?.length === 0 ? [] : [`${what}: ${(names as string[]).join(', ')}`]));
}
