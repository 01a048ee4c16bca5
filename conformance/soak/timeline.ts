/** A run by half hours, for the picture: how full pool and disk were, what happened, where there was no link. */
import type { Mark } from './incidents.ts';

export interface Slot {
  /** Most of the pool in use, in percent. */
  poolPercent: number;
  /** Most bytes on disk. */
  diskBytes: number;
  flushes: number;
  /** Share of the slot without a link, 0 to 1. */
  offline: number;
  readonly marks: Set<Mark>;
}

export const SLOTS_A_DAY = 48;

export class Timeline {
  readonly slots: Slot[] = [];
  readonly #ticksASlot: number;

  constructor(ticksADay: number) {
    this.#ticksASlot = ticksADay / SLOTS_A_DAY;
  }

  at(tick: number): Slot {
    const index = Math.floor(tick / this.#ticksASlot);
    while (this.slots.length <= index) {
      this.slots.push({ poolPercent: 0, diskBytes: 0, flushes: 0, offline: 0, marks: new Set() });
    }
    return this.slots[index] as Slot;
  }

  note(tick: number, poolPercent: number, diskBytes: number): void {
    const slot = this.at(tick);
    slot.poolPercent = Math.max(slot.poolPercent, poolPercent);
    slot.diskBytes = Math.max(slot.diskBytes, diskBytes);
  }

  noteOffline(tick: number): void {
    this.at(tick).offline += 1 / this.#ticksASlot;
  }
}
