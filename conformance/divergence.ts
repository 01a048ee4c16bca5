/**
 * What a run finds: the first place where the engine is not where the model says it must be.
 *
 * `breaks` names the invariant that was broken, or the comparison that failed when no invariant names it; shrinking
 * keeps it, so that a trace does not turn into a trace of something else.
 */
import type { Difference } from './refinement.ts';

export class Divergence extends Error {
  override readonly name = 'Divergence';
  readonly breaks: string;
  readonly differences: readonly Difference[];

  constructor(breaks: string, message: string, differences: readonly Difference[] = []) {
    super(message);
    this.breaks = breaks;
    this.differences = differences;
  }
}

export function expect(condition: boolean, breaks: string, message: () => string): asserts condition {
  if (!condition) throw new Divergence(breaks, message());
}
