/**
 * A clock and timers that stand still until the harness moves them, and the platform made of them and a simulated
 * disk. No real time enters a run: the same events give the same state on every machine.
 */
import type { DiskPort, Platform } from '../src/core/port.ts';

interface Timer {
  readonly dueMs: number;
  readonly order: number;
  readonly callback: () => void;
}

/** Wall clock (may jump, for `nowMs`) and monotonic timers (never jump, for `after`) apart, as on a real machine. */
export class VirtualClock {
  wallMs: number;
  #elapsedMs = 0;
  #timers: Timer[] = [];
  #order = 0;

  constructor(wallMs = 1_700_000_000_000) {
    this.wallMs = wallMs;
  }

  /** Milliseconds since the clock was made; timers go by it. */
  get elapsedMs(): number {
    return this.#elapsedMs;
  }

  get timers(): number {
    return this.#timers.length;
  }

  /** How long until the next timer is due, or null when there is none. */
  get nextTimerInMs(): number | null {
    const next = this.#timers[0];
    return next === undefined ? null : next.dueMs - this.#elapsedMs;
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer: Timer = { dueMs: this.#elapsedMs + delayMs, order: this.#order++, callback };
    this.#timers.push(timer);
    this.#timers.sort((a, b) => a.dueMs - b.dueMs || a.order - b.order);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** Lets `durationMs` pass; timers that fall due are called in order. @returns how many were called. */
  advance(durationMs: number): number {
    const untilMs = this.#elapsedMs + durationMs;
    let called = 0;
    for (let next = this.#timers[0]; next !== undefined && next.dueMs <= untilMs; next = this.#timers[0]) {
      this.#timers.shift();
      this.wallMs += next.dueMs - this.#elapsedMs;
      this.#elapsedMs = next.dueMs;
      next.callback();
      called++;
    }
    this.wallMs += untilMs - this.#elapsedMs;
    this.#elapsedMs = untilMs;
    return called;
  }

  /** Forgets all timers, as a process does that dies. */
  clear(): void {
    this.#timers = [];
  }
}

/** Store ids that are never handed out twice: a counter behind a fixed prefix. */
export class StoreIds {
  #issued = 0;

  next(): Uint8Array {
    const id = new Uint8Array(16);
    id.set([0x73, 0x69, 0x6d]);
    new DataView(id.buffer).setUint32(12, ++this.#issued);
    return id;
  }
}

/** The platform that a run gives the engine. `disk` null is the microcontroller's capability set. */
export function simulatedPlatform(disk: DiskPort | null, clock: VirtualClock, ids: StoreIds): Platform {
  return {
    name: disk === null ? 'simulated without disk' : 'simulated',
    disk,
    nowMs: () => clock.wallMs,
    elapsedMs: () => clock.elapsedMs,
    newStoreId: () => ids.next(),
  };
}
