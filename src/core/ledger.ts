/**
 * The loss ledger: which records of which stream are gone, and why (INV-02, INV-12).
 *
 * A bounded table. Ranges that touch are joined; when the table is full the oldest range is folded: its count stays
 * in the stream's totals and in `foldedRecords`, its bounds are forgotten. Totals are exact for ever.
 */
import type { Arena, ArenaPlan, IndexArray } from './arena.ts';
import type { LossReason } from './types.ts';

export const LOSS_REASONS: readonly LossReason[] = ['evicted', 'damaged'];

export class LossLedger {
  readonly from: Float64Array;
  readonly to: Float64Array;
  readonly records: Float64Array;
  readonly slot: IndexArray;
  readonly reason: Uint8Array;
  readonly max: number;
  /** Entries form a ring from `start`. */
  #start = 0;
  #length = 0;
  foldedRecords = 0;

  constructor(arena: Arena, max: number) {
    this.max = max;
    this.from = arena.f64(max);
    this.to = arena.f64(max);
    this.records = arena.f64(max);
    this.slot = arena.u16(max);
    this.reason = arena.u8(max);
  }

  static plan(plan: ArenaPlan, max: number): void {
    for (let column = 0; column < 3; column++) plan.add('f64', max);
    plan.add('u16', max);
    plan.add('u8', max);
  }

  get length(): number {
    return this.#length;
  }

  /** Physical index of the i-th entry, oldest first. */
  at(i: number): number {
    return (this.#start + i) % this.max;
  }

  /** Adds `records` lost of [from, to). @param reason index in LOSS_REASONS. */
  add(slot: number, from: number, to: number, records: number, reason: number): void {
    // Losses of one stream come in runs (one eviction after the other), so the newest few entries are where a
    // neighbour stands; a missed one costs an entry, never a count.
    for (let i = this.#length - 1; i >= 0 && i >= this.#length - 8; i--) {
      const entry = this.at(i);
      if (this.slot[entry] === slot && this.reason[entry] === reason && this.to[entry] === from) {
        this.to[entry] = to;
        this.records[entry] = (this.records[entry] as number) + records;
        return;
      }
    }
    if (this.#length === this.max) {
      this.foldedRecords += this.records[this.#start] as number;
      this.#start = (this.#start + 1) % this.max;
      this.#length--;
    }
    const entry = this.at(this.#length++);
    this.slot[entry] = slot;
    this.reason[entry] = reason;
    this.from[entry] = from;
    this.to[entry] = to;
    this.records[entry] = records;
  }
}
