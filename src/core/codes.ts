/**
 * The engine's result codes and the Result that carries them.
 *
 * An expected failure is a value with a code from one union; an impossible one is an assertion.
 * The hot path cannot afford an object, so `append` answers with a number: the sequence number, or one of the
 * negative refusals below.
 */

/** What each code means, in one line. The text is what a user reads. */
export const CODE_MEANINGS = {
  CONFIG_INVALID: 'a setting is unknown, of the wrong type or out of range',
  LOCKED: 'another process has this store open',
  UNSUPPORTED_FORMAT: 'the store was written by a version whose format this one does not know',
  IO_FAILED: 'the disk refused an operation; what was in RAM is still in RAM',
  PARAMETER_INVALID: 'an argument is of the wrong type or out of range',
  KIND_MISMATCH: 'the stream exists with another kind, type or period',
  TOO_MANY_STREAMS: 'the limit of streams is reached',
  RAM_FULL: 'the pool has no free sector; the record was refused and counted',
  BOUNDS_VIOLATION: 'more records were named than are pending (acknowledge) or retained (discard)',
  CLOSED: 'the store is not open',
  ABORTED: 'the caller gave up waiting',
} as const;

export type Code = keyof typeof CODE_MEANINGS;

/** Why something was refused: the code, a sentence that names the input, the reason and the remedy. */
export interface Failure {
  readonly code: Code;
  readonly message: string;
}

export type Result<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly failure: Failure };

export const success = <T>(value: T): Result<T> => ({ ok: true, value });
export const failure = (code: Code, message: string): { readonly ok: false; readonly failure: Failure } => ({
  ok: false,
  failure: { code, message },
});

/** `append` refusals. Negative, so that every number >= 0 is a sequence number. */
export const RAM_FULL = -1;
export const APPEND_CLOSED = -2;
export const APPEND_INVALID = -3;

/** The code behind a number that `append` returned, or null when it is a sequence number. */
export function refusalCode(appended: number): Code | null {
  if (appended >= 0) return null;
  if (appended === RAM_FULL) return 'RAM_FULL';
  return appended === APPEND_CLOSED ? 'CLOSED' : 'PARAMETER_INVALID';
}

/**
 * The engine met a state that its invariants exclude. Never a user's mistake: a defect of the engine, thrown so that
 * nothing is written on top of it.
 */
export class ImpossibleState extends Error {
  override readonly name = 'ImpossibleState';
}

/** Assertion that stays on in production. @param because why the condition cannot be false. */
export function invariant(condition: boolean, because: string): asserts condition {
  if (!condition) throw new ImpossibleState(because);
}
