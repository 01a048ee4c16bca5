/** One thing that must be so at the engine's surface, whatever its state: a call that is refused, a setting's range. */

export interface Case {
  readonly name: string;
  /** It waits for the machine's own disk. Others wait for nothing but the simulated one, which never waits. */
  readonly onRealDisk?: boolean;
  /** @returns what is wrong, or null. */
  readonly check: () => string | null | Promise<string | null>;
}

/** @returns a sentence when the two differ as JSON, else null. */
export function differs(what: string, found: unknown, wanted: unknown): string | null {
  const [a, b] = [show(found), show(wanted)];
  return a === b ? null : `${what} is ${a}, it must be ${b}`;
}

/** As JSON, with the numbers that JSON does not know. */
export const show = (value: unknown): string =>
  JSON.stringify(value, (_, each) => (typeof each === 'number' && !Number.isFinite(each) ? String(each) : each)) ??
  String(value);
