/**
 * The RAM side alone: chains, free list, geometry, budget (INV-01, INV-04, INV-07).
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RAM_FULL } from '../../src/core/codes.ts';
import { resolveBudget } from '../../src/core/config.ts';
import { SectorPool, SHAPE_EVT, shapeOf } from '../../src/core/sector-pool.ts';
import { unwrap } from './workbench.ts';

const pool = (sectors: number, sectorBytes = 32, disk = true, streamsMax = 4): SectorPool =>
  new SectorPool({ sectors, sectorBytes, streamsMax, ledgerMax: 8, disk });

const addTsd = (to: SectorPool, sensor = 1): number => to.addStream(shapeOf(0, false, 0), sensor, 1000, 0);
const addEvt = (to: SectorPool, sensor = 2): number => to.addStream(shapeOf(1, true, 0), sensor, 0, 0);

const append = (to: SectorPool, slot: number, bits: number, timeMs: number): number =>
  ((to.shape[slot] as number) & SHAPE_EVT) !== 0
    ? to.appendEvt(slot, bits, timeMs)
    : to.appendTsd(slot, bits, timeMs, to.periodMs[slot] as number);

function chainOf(of: SectorPool, slot: number): number[] {
  const chain: number[] = [];
  for (let sector = of.first[slot] as number; sector !== of.none; sector = of.next[sector] as number) {
    chain.push(sector);
    if (chain.length > of.sectors) throw new Error('the chain is a cycle');
  }
  return chain;
}

/** INV-01, INV-04, INV-07 and the rule which sectors a chain has, as sentences that are wrong. */
function complaints(of: SectorPool): string[] {
  const wrong: string[] = [];
  const places = new Array<number>(of.sectors).fill(0);
  for (const sector of of.freeList()) places[sector] = (places[sector] as number) + 1;
  for (let slot = 0; slot < of.streams; slot++) {
    const chain = chainOf(of, slot);
    let expected: number | null = null;
    for (const sector of chain) {
      places[sector] = (places[sector] as number) + 1;
      const first = of.firstSequence[sector] as number;
      const end = of.endOf(sector);
      if (of.owner[sector] !== slot)
        wrong.push(`sector ${sector} is in the chain of ${slot}, owner ${of.owner[sector]}`);
      if (expected !== null && first !== expected) wrong.push(`a gap before sector ${sector}`);
      if (end <= of.ramFrom(slot)) wrong.push(`dead sector ${sector} in the chain of ${slot}`);
      expected = end;
    }
    if (expected !== null && expected !== of.appended[slot]) wrong.push(`chain of ${slot} ends at ${expected}`);
    const [head, read, appended] = [of.head[slot], of.read[slot], of.appended[slot]] as [number, number, number];
    if (!(head <= read && read <= appended)) wrong.push(`marks of ${slot}: ${head} ${read} ${appended}`);
    if ((chain.at(-1) ?? of.none) !== of.last[slot]) wrong.push(`last of ${slot}`);
  }
  for (const [sector, times] of places.entries()) if (times !== 1) wrong.push(`sector ${sector} is in ${times} places`);
  if (of.used !== of.sectors - of.freeList().length) wrong.push(`used is ${of.used}`);
  return wrong;
}

describe('geometry', () => {
  // Goal: the classic sector holds what the old system's did. Method: fill one sector of 32 bytes of each kind.
  it('holds 6 tsd or 2 evt records in a sector of 32 bytes', () => {
    const classic = pool(2);
    expect([classic.tsdCapacity, classic.evtCapacity]).toEqual([6, 2]);
    const tsd = addTsd(classic);
    for (let i = 0; i < 6; i++) expect(append(classic, tsd, i, i * 1000)).toBe(i);
    expect(classic.used).toBe(1);
    const evt = addEvt(classic);
    expect([append(classic, evt, 1, 5), append(classic, evt, 2, 6), append(classic, evt, 3, 7)]).toEqual([
      0,
      1,
      RAM_FULL,
    ]);
    expect(append(classic, tsd, 6, 6000)).toBe(RAM_FULL);
    expect(complaints(classic)).toEqual([]);
  });

  // Goal: every sector size keeps every value and time apart. Method: fill 4 sectors of each size with both kinds and copy them out.
  it('gives back what it took at every sector size from 32 to 4,096 bytes', () => {
    for (let sectorBytes = 32; sectorBytes <= 4096; sectorBytes += sectorBytes < 128 ? 8 : 488) {
      const some = pool(4, sectorBytes);
      const [tsd, evt] = [addTsd(some), addEvt(some)];
      const [tsdLength, evtLength] = [some.tsdCapacity * 2, some.evtCapacity * 2];
      for (let i = 0; i < tsdLength; i++) append(some, tsd, 0xffff_ffff - i, 7 + i * 1000);
      for (let i = 0; i < evtLength; i++) append(some, evt, i, 2 ** 47 - i);
      expect(some.used).toBe(4);
      const times = new Float64Array(tsdLength);
      const bits = new Uint32Array(tsdLength);
      some.copyOut(tsd, 0, tsdLength, times, bits, 0);
      expect([...times]).toEqual(Array.from({ length: tsdLength }, (_, i) => 7 + i * 1000));
      expect([...bits]).toEqual(Array.from({ length: tsdLength }, (_, i) => 0xffff_ffff - i));
      some.copyOut(evt, 1, evtLength - 1, times, bits, 0);
      expect([...times.subarray(0, evtLength - 1)]).toEqual(
        Array.from({ length: evtLength - 1 }, (_, i) => 2 ** 47 - 1 - i),
      );
      expect([...bits.subarray(0, evtLength - 1)]).toEqual(Array.from({ length: evtLength - 1 }, (_, i) => i + 1));
    }
  });

  // Goal: the microcontroller's budget is counted, metadata included. Method: resolve 12 KiB with 100 streams, make the pool, look at its buffer.
  it('fits 100 streams, their sectors, the ledger and the tables in 12 KiB', () => {
    const plan = (sectors: number, streamsMax: number, ledgerMax: number): number =>
      SectorPool.planBytes({ sectors, sectorBytes: 32, streamsMax, ledgerMax, disk: false });
    const settings = unwrap(resolveBudget(12_288, 100, 32, 16, plan));
    const sectors = settings.poolBytes / 32;
    const made = new SectorPool({ sectors, sectorBytes: 32, streamsMax: 100, ledgerMax: 16, disk: false });
    expect(made.head.buffer.byteLength).toBe(made.arenaBytes);
    expect(made.arenaBytes).toBeLessThanOrEqual(12_288);
    // One sector more would not fit: the budget is used.
    expect(plan(sectors + 1, 100, 16)).toBeGreaterThan(12_288);
    expect(sectors).toBeGreaterThanOrEqual(100);
    for (let slot = 0; slot < 100; slot++) made.addStream(shapeOf(0, slot % 2 === 0, 0), slot, 1000, 0);
    for (let slot = 0; slot < 100; slot++) expect(append(made, slot, slot, 0)).toBe(0);
    expect(made.used).toBe(100);
  });
});

describe('chains', () => {
  // Goal: a freed sector is used again and leads nowhere (bugs M16, M17, V3, V7). Method: fill, release, fill again in another stream.
  it('hands freed sectors out again, last freed first', () => {
    const some = pool(3);
    const [tsd, evt] = [addTsd(some), addEvt(some)];
    for (let i = 0; i < 6; i++) append(some, evt, i, i);
    expect(some.freeList()).toEqual([]);
    some.head[evt] = 4;
    some.read[evt] = 4;
    some.releaseDead(evt);
    expect([some.used, some.freeList(), chainOf(some, evt)]).toEqual([1, [1, 0], [2]]);
    for (let i = 0; i < 7; i++) append(some, tsd, i, i * 1000);
    expect([some.used, some.freeList(), chainOf(some, tsd)]).toEqual([3, [], [1, 0]]);
    expect(complaints(some)).toEqual([]);
  });

  // Goal: an open sector goes too when it holds nothing. Method: acknowledge all of a half full sector, append again.
  it('frees the open sector when its last record leaves', () => {
    const some = pool(2);
    const evt = addEvt(some);
    append(some, evt, 1, 1);
    some.head[evt] = 1;
    some.read[evt] = 1;
    some.releaseDead(evt);
    expect([some.used, chainOf(some, evt)]).toEqual([0, []]);
    expect(append(some, evt, 2, 2)).toBe(1);
    expect(complaints(some)).toEqual([]);
  });

  /** One step: append to a stream, move its head or its synced mark. */
  const step = fc.record({
    slot: fc.nat(3),
    what: fc.constantFrom('append' as const, 'append' as const, 'append' as const, 'head' as const, 'synced' as const),
    by: fc.integer({ min: 1, max: 9 }),
    off: fc.boolean(),
  });

  // Goal: every sector is free or in one chain, whatever happens. Method: drawn appends and releases, all checks after each step, with and without a disk.
  it.each([true, false])('keeps every sector in exactly one place (disk: %s)', (disk) => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120, size: 'max' }), (steps) => {
        const some = pool(7, 32, disk);
        const slots = [addTsd(some, 1), addEvt(some, 2), addTsd(some, 3), addEvt(some, 4)];
        let offsetMs = 0;
        let ordinal = 0;
        const kept: number[][] = [[], [], [], []];
        for (const { slot, what, by, off } of steps) {
          const of = slots[slot] as number;
          if (off) offsetMs += 700;
          const limit = what === 'head' ? (some.appended[of] as number) : 0;
          for (let i = 0; what === 'append' && i < by; i++) {
            const appended = some.appended[of] as number;
            const bits = ordinal++;
            if (append(some, of, bits, offsetMs + appended * 1000) === RAM_FULL) expect(some.used).toBe(7);
            else (kept[slot] as number[]).push(bits);
          }
          if (what === 'head') {
            some.head[of] = Math.min(limit, (some.head[of] as number) + by);
            some.read[of] = Math.max(some.read[of] as number, some.head[of] as number);
            some.releaseDead(of);
          }
          if (what === 'synced' && disk) {
            some.synced[of] = Math.min(some.appended[of] as number, (some.synced[of] as number) + by);
            some.releaseDead(of);
          }
          expect(complaints(some)).toEqual([]);
        }
        slots.forEach((slot, i) => {
          const from = some.ramFrom(slot);
          const length = (some.appended[slot] as number) - from;
          const bits = new Uint32Array(length);
          some.copyOut(slot, from, length, new Float64Array(length), bits, 0);
          expect([...bits]).toEqual((kept[i] as number[]).slice(from));
        });
      }),
      { numRuns: 120 },
    );
  });

  // Goal: without a disk the sector opened first goes, also the appending stream's own. Method: one stream alone in 2 sectors.
  it('gives up a stream’s own oldest sector when it is the oldest of all', () => {
    const some = pool(2, 32, false);
    const evt = addEvt(some);
    const told: number[][] = [];
    some.onSectorEvicted = (...eviction) => told.push([...eviction, some.appended[evt] as number]);
    for (let i = 0; i < 5; i++) expect(append(some, evt, i, i)).toBe(i);
    // Told when the append is complete: five are appended by then.
    expect(told).toEqual([[evt, 0, 2, 5]]);
    expect([some.head[evt], some.read[evt], some.evicted[evt], some.forgiven[evt]]).toEqual([2, 2, 2, 0]);
    expect(complaints(some)).toEqual([]);
  });
});

describe('the ledger', () => {
  // Goal: totals are exact when ranges no longer fit. Method: more ranges than entries, of streams in turn so that none touches.
  it('joins ranges that touch and folds the oldest when it is full', () => {
    const { ledger } = pool(4);
    ledger.add(0, 0, 5, 5, 0);
    ledger.add(1, 0, 2, 2, 0);
    ledger.add(0, 5, 9, 3, 0);
    expect([ledger.length, ledger.to[ledger.at(0)], ledger.records[ledger.at(0)]]).toEqual([2, 9, 8]);
    ledger.add(0, 9, 10, 1, 1);
    expect(ledger.length).toBe(3);
    for (let i = 0; i < 10; i++) ledger.add(2, i * 10, i * 10 + 1, 1, 0);
    expect([ledger.length, ledger.foldedRecords]).toEqual([8, 8 + 2 + 1 + 2]);
    expect(Array.from({ length: 8 }, (_, i) => ledger.from[ledger.at(i)])).toEqual([20, 30, 40, 50, 60, 70, 80, 90]);
  });
});
