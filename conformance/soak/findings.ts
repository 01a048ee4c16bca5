/** What a soak found wrong, counted by kind, with the first few of each told in a sentence. */

/**
 * `corruption`: a record was delivered that is not what was appended, not at its place, or under another identity.
 * `loss`: a record is gone, and neither the loss ledger nor the contract's set for a crash has it.
 * `redelivery`: a record came again that the contract does not let come again.
 * `recovery`: a store did not open after a crash, or not as the same store.
 * `threshold`: a flush was asked for at another use of the pool than 80 %, or not asked for there.
 * `eviction`: an older segment stayed when a younger one was evicted.
 * `liveness`: a trouble was over, and the store did not come back.
 * `counters`: a figure of the store is not what the run did.
 * `failure`: the store has thrown, or has ended in a state that cannot be.
 */
export const FINDING_KINDS = [
  'corruption',
  'loss',
  'redelivery',
  'recovery',
  'threshold',
  'eviction',
  'liveness',
  'counters',
  'failure',
] as const;
export type FindingKind = (typeof FINDING_KINDS)[number];

/** Findings as plain data. */
export interface FindingsImage {
  readonly counts: readonly (readonly [FindingKind, number])[];
  readonly told: readonly { readonly kind: FindingKind; readonly message: string }[];
}

const TOLD_OF_EACH = 3;

export class Findings {
  readonly #counts = new Map<FindingKind, number>();
  readonly #told: { readonly kind: FindingKind; readonly message: string }[] = [];
  readonly #where: () => string;

  /** @param where when in the run it is now. */
  constructor(where: () => string) {
    this.#where = where;
  }

  /** @param records how many records it is about. @param message made only when it will be told. */
  add(kind: FindingKind, records: number, message: () => string): void {
    this.#counts.set(kind, this.count(kind) + records);
    if (this.#told.filter((each) => each.kind === kind).length >= TOLD_OF_EACH) return;
    this.#told.push({ kind, message: `${this.#where()}: ${message()}` });
  }

  /** As add, of one, unless `held`. */
  expect(held: boolean, kind: FindingKind, message: () => string): void {
    if (!held) this.add(kind, 1, message);
  }

  count(kind: FindingKind): number {
    return this.#counts.get(kind) ?? 0;
  }

  get total(): number {
    return FINDING_KINDS.reduce((sum, kind) => sum + this.count(kind), 0);
  }

  image(): FindingsImage {
    return { counts: [...this.#counts], told: this.#told };
  }

  /** Goes on with what an earlier part of the same run found. */
  restore({ counts, told }: FindingsImage): void {
    for (const [kind, count] of counts) this.#counts.set(kind, count);
    this.#told.push(...told);
  }

  get told(): readonly { readonly kind: FindingKind; readonly message: string }[] {
    return this.#told;
  }
}
