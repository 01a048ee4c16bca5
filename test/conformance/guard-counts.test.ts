/**
 * Goal: the evidence says of each guard of the model how often it let an event pass and how often it refused one.
 * Method: lives of a few calls, told by hand, of which every refusal is known; the rows against the machine's own answer.
 */
import { describe, expect, it } from 'vitest';
import type { Action, Scenario } from '../../conformance/actions.ts';
import { runActions } from '../../conformance/execute.ts';
import { countGuards, GUARD_NAMES } from '../../conformance/guard-counts.ts';
import { newCoverage } from '../../conformance/model-run.ts';
import { boundsOf } from '../../conformance/refinement.ts';
import { oneSided, oneSidedLines } from '../../coverage/report/guards.ts';
import { guards } from '../../model/guards.ts';
import { can, initialState } from '../../model/step.ts';

const SCENARIO: Scenario = {
  profile: 'wiced',
  mode: 'ram',
  sectors: 4,
  sectorBytes: 32,
  quotaBytes: 100_000,
  streams: [{ source: 'host', sensor: 1, kind: 'evt', periodMs: 0, type: 'uint32', priority: 0 }],
  durableAcknowledge: false,
  whenDiskFull: 'evict-oldest',
};

const append: Action = { do: 'append', stream: 0, bits: 1, timeMs: 1_000 };

async function countsOf(actions: readonly Action[]): Promise<(name: string) => readonly [number, number]> {
  const coverage = newCoverage();
  const { failure } = await runActions(SCENARIO, actions, coverage);
  expect(failure).toBeNull();
  return (name) => [coverage.guardsPassed.get(name) ?? 0, coverage.guardsRefused.get(name) ?? 0];
}

describe('the count of a guard', () => {
  it('has the calls that were taken and those that were refused', async () => {
    const acknowledge = (n: number): Action => ({ do: 'acknowledge', stream: 0, n });
    const discard = (n: number): Action => ({ do: 'discard', stream: 0, n });
    const read: Action = { do: 'read', stream: 0, max: 2 };
    const counts = await countsOf([
      { do: 'open' },
      append,
      append,
      append,
      read,
      acknowledge(5),
      acknowledge(1),
      discard(9),
      discard(8),
      discard(1),
    ]);
    expect(counts('withinPending')).toEqual([1, 1]);
    expect(counts('withinRetained')).toEqual([1, 2]);
    expect(counts('fitsPool')).toEqual([3, 0]);
    expect(counts('withoutDisk')).toEqual([0, 0]);
  });

  it('goes on to the next row where the first one refuses', async () => {
    const full = await countsOf([{ do: 'open' }, ...Array.from({ length: 12 }, () => append)]);
    const [fitted, full12] = full('fitsPool');
    expect(fitted + full12).toBe(12);
    expect(full12).toBeGreaterThan(0);
    // Without a disk the oldest sector goes, and the record is taken all the same.
    expect(full('withoutDisk')).toEqual([full12, 0]);
  });

  // Goal: the rows are the machine's. Method: in its first state, what the guards say together is what the machine does.
  it('asks the guards that the machine asks', () => {
    const state = initialState(boundsOf(SCENARIO));
    const counts = { guardsPassed: new Map<string, number>(), guardsRefused: new Map<string, number>() };
    countGuards(state, { type: 'OPEN' }, counts);
    countGuards(state, { type: 'FLUSH' }, counts);
    expect([can(state, { type: 'OPEN' }), can(state, { type: 'FLUSH' })]).toEqual([true, false]);
    expect(counts.guardsPassed.size + counts.guardsRefused.size).toBe(0);
    expect(GUARD_NAMES).toEqual(Object.keys(guards));
  });
});

describe('a guard that was not seen both ways', () => {
  it('is named with what it did', () => {
    const totals = [
      { name: 'both', passed: 3, refused: 1 },
      { name: 'open', passed: 3, refused: 0 },
      { name: 'shut', passed: 0, refused: 2 },
      { name: 'idle', passed: 0, refused: 0 },
    ];
    expect(oneSided(totals)).toEqual({ neverAsked: ['idle'], neverRefused: ['open'], neverPassed: ['shut'] });
    const lines = oneSidedLines(totals);
    expect(lines).toHaveLength(3);
    expect(lines.join()).toMatch(/never asked: idle,let everything pass, .*: open,refused everything: shut/);
    expect(oneSidedLines([{ name: 'both', passed: 1, refused: 1 }])).toEqual([]);
  });
});
