/** A call that the engine has not answered yet, and what the driver has to know of it to judge the answer. */
import type { expectedOldest } from '../../model/step.ts';
import type { ModelRecord } from '../../model/vocabulary.ts';
import type { Result } from '../../src/core/codes.ts';

export interface UnderWay {
  readonly what:
    | 'read'
    | 'readOldest'
    | 'peek'
    | 'flush'
    | 'emergencyFlush'
    | 'checkpoint'
    | 'ready'
    | 'close'
    | 'open';
  /** Stream of a read or peek. */
  readonly stream: number;
  readonly offset: number;
  readonly max: number;
  /** Marks when it was called: what a flush or checkpoint that answers ok has made durable. */
  readonly marks: readonly number[];
  readonly faultsBefore: number;
  /** Until when it may save, by the wall clock. */
  readonly endMs: number;
  /** What the read had to give, once it took effect. */
  expected: readonly ModelRecord[] | null;
  /** The same of a read over all streams. */
  expectedRuns: ReturnType<typeof expectedOldest> | null;
  answered: { readonly result: Result<unknown> } | { readonly thrown: unknown } | null;
}
