/** A deadline by a count of elapsed time, and by a clock that jumps. */
import { describe, expect, it } from 'vitest';
import { StoreIds, simulatedPlatform, VirtualClock } from '../../conformance/virtual-clock.ts';
import { Deadline } from '../../src/core/deadline.ts';

function platforms() {
  const clock = new VirtualClock();
  const counting = simulatedPlatform(null, clock, new StoreIds());
  const { elapsedMs: _, ...clockAlone } = counting;
  return { clock, counting, clockAlone };
}

describe('a deadline', () => {
  // Goal: it is over when its time has passed, not before. Method: both kinds of platform, with looks in between.
  it('is over after its time, to the millisecond', () => {
    const { clock, counting, clockAlone } = platforms();
    const both = [new Deadline(counting, 100), new Deadline(clockAlone, 100)];
    for (const ms of [40, 59]) {
      clock.advance(ms);
      expect(both.map(({ isOver }) => isOver)).toEqual([false, false]);
    }
    clock.advance(1);
    expect(both.map(({ isOver }) => isOver)).toEqual([true, true]);
  });

  // Goal: none is none, and no time is over at once. Method: the two ends.
  it('may be none, and may be over from the start', () => {
    const { clock, counting } = platforms();
    const [none, now] = [new Deadline(counting, Number.POSITIVE_INFINITY), new Deadline(counting, 0)];
    clock.advance(1e12);
    expect([none.isOver, now.isOver]).toEqual([false, true]);
  });

  // Goal: a clock that is set back by an hour does not give an hour. Method: set it back between two looks.
  it('by a clock alone counts its steps forward only', () => {
    const { clock, clockAlone } = platforms();
    const deadline = new Deadline(clockAlone, 100);
    clock.advance(60);
    expect(deadline.isOver).toBe(false);
    clock.wallMs -= 3_600_000;
    expect(deadline.isOver).toBe(false);
    clock.advance(40);
    expect(deadline.isOver).toBe(true);
  });

  // Goal: with a count of elapsed time the clock does not matter. Method: set it both ways.
  it('by elapsed time does not look at the clock', () => {
    const { clock, counting } = platforms();
    const deadline = new Deadline(counting, 100);
    clock.wallMs += 3_600_000;
    expect(deadline.isOver).toBe(false);
    clock.wallMs -= 7_200_000;
    clock.advance(100);
    expect(deadline.isOver).toBe(true);
  });
});
