/** Failing traces made shorter: until nothing can go, on a store as plain as it may be, and the same way every time. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Action, Scenario } from '../../conformance/actions.ts';
import { shrinkingLine } from '../../conformance/cli/screen.ts';
import type { Outcome } from '../../conformance/execute.ts';
import { runActions, runRecipe } from '../../conformance/execute.ts';
import { newCoverage } from '../../conformance/model-run.ts';
import { Random } from '../../conformance/random.ts';
import { shrinkActions, shrinkCase, shrinkFailure } from '../../conformance/shrink.ts';
import { joined, plainerCases } from '../../conformance/shrinking/plainer.ts';
import type { Shrinking } from '../../conformance/shrinking/progress.ts';
import { onShrinking } from '../../conformance/shrinking/progress.ts';
import { StreamHandle } from '../../src/core/stream-handle.ts';

/** An engine whose revert does nothing, for as long as the test runs. */
const breakRevert = (): void => {
  vi.spyOn(StreamHandle.prototype, 'revert').mockReturnValue({ ok: true, value: undefined });
};
afterEach(() => vi.restoreAllMocks());

/** The first drawn run that fails. */
async function failing(profile: 'linux' | 'wiced'): Promise<Outcome> {
  for (let seed = 1; ; seed++) {
    const random = new Random(seed);
    const choices = Array.from({ length: 150 }, () => ({ entry: random.next(), payload: random.next() }));
    const outcome = await runRecipe(profile, { scenarioSeed: seed, choices }, newCoverage());
    if (outcome.failure !== null && outcome.scenario.streams.length > 2) return outcome;
  }
}

describe('shrinking', () => {
  // Goal: what is left is what the failure needs. Method: a long drawn run on an engine whose revert does nothing, with a disk
  // that has no part in it.
  it('leaves the four steps and the one stream that a broken revert needs', async () => {
    breakRevert();
    const outcome = await failing('linux');
    expect(outcome.actions.length).toBeGreaterThan(20);
    const { breaks, trace } = await shrinkFailure(outcome, { seed: 1, runs: 1, path: null });
    expect(breaks).toBe(outcome.failure?.breaks);
    const [open, append, read, revert, ...more] = trace.actions.map((action) => action.do);
    expect([open, append, revert, more]).toEqual(['open', 'append', 'revert', []]);
    expect(['read', 'readOldest']).toContain(read);
    expect(trace.scenario).toMatchObject({ profile: 'wiced', sectors: 4, sectorBytes: 32, durableAcknowledge: false });
    expect(trace.scenario.streams).toEqual([
      { source: 'host', sensor: 1, kind: 'evt', periodMs: 0, type: 'uint32', priority: 0 },
    ]);
    expect((await runActions(trace.scenario, trace.actions)).failure?.breaks).toBe(breaks);
  });

  // Goal: nobody waits before a silent screen. Method: what is told on the way, up to the trace that comes of it.
  it('tells what is shrunk, how many tries there were, and the shortest so far', async () => {
    breakRevert();
    const outcome = await failing('linux');
    const told: Shrinking[] = [];
    const stop = onShrinking((shrinking) => told.push(shrinking));
    const { breaks, trace } = await shrinkFailure(outcome, { seed: 1, runs: 1, path: null });
    stop();
    const heard = told.length;
    await shrinkFailure(outcome, { seed: 1, runs: 1, path: null });
    expect(told).toHaveLength(heard);
    expect(told.map(({ tries }) => tries)).toEqual(told.map((_, at) => at + 1));
    expect(told.map(({ steps }) => steps)).toEqual(told.map(({ steps }) => steps).toSorted((a, b) => b - a));
    expect(told.at(-1)).toMatchObject({ breaks, steps: trace.actions.length });
    expect(shrinkingLine({ breaks: 'INV-13', tries: 31, steps: 9 })).toBe(
      'shrinking INV-13: 31 tries, shortest so far 9 steps',
    );
  });

  // Goal: the same trace shrinks to the same. Method: twice, compared as text.
  it('gives the same result twice', async () => {
    breakRevert();
    const outcome = await failing('wiced');
    const breaks = outcome.failure?.breaks ?? '';
    const once = await shrinkCase(outcome, breaks);
    expect(JSON.stringify(await shrinkCase(outcome, breaks))).toBe(JSON.stringify(once));
  });

  // Goal: it ends. Method: a failure that everything keeps, with few tries; what it has by then still fails.
  it('keeps to its tries, and what it has then still fails', async () => {
    let tries = 0;
    const actions: Action[] = Array.from({ length: 200 }, (_, n) => ({ do: 'discard', stream: 0, n: n + 1 }));
    const fails = async (candidate: readonly Action[]): Promise<boolean> => {
      tries++;
      return candidate.some((action) => action.do === 'discard' && action.n > 150);
    };
    const shorter = await shrinkActions(actions, fails, 25);
    expect(tries).toBeLessThanOrEqual(25);
    expect(shorter.length).toBeLessThan(actions.length);
    expect(await fails(shorter)).toBe(true);
  });

  // Goal: ends of I/O side by side become one step. Method: lists made by hand, the candidates compared.
  it('joins ends of I/O, and reads and acknowledgements of one stream', () => {
    const io: Action = { do: 'io', pick: 1 };
    expect([...joined([{ do: 'open' }, io, io, { do: 'io', pick: 0 }])]).toContainEqual([
      { do: 'open' },
      { do: 'drain' },
    ]);
    expect([...joined([{ do: 'open' }, io, io, io])]).toContainEqual([{ do: 'open' }, { do: 'io', pick: 0, times: 3 }]);
    const read = (stream: number): Action => ({ do: 'read', stream, max: 2 });
    expect([...joined([read(0), read(0), read(1)])]).toEqual([[{ do: 'read', stream: 0, max: 4 }, read(1)]]);
  });

  // Goal: a stream that goes takes its steps with it, or leaves them to another. Method: the candidates of two streams.
  it('renumbers streams when one goes', async () => {
    const { scenario } = await runRecipe('wiced', { scenarioSeed: 3, choices: [] }, newCoverage());
    const [one, two] = scenario.streams as [Scenario['streams'][0], Scenario['streams'][0]];
    const start = { scenario: { ...scenario, streams: [one, two] }, actions: [{ do: 'revert', stream: 1 } as const] };
    const candidates = [...plainerCases(start)].filter(({ scenario: { streams } }) => streams.length === 1);
    expect(candidates.map(({ scenario: { streams }, actions }) => [streams[0] === two, actions])).toEqual([
      [true, [{ do: 'revert', stream: 0 }]],
      [true, [{ do: 'revert', stream: 0 }]],
      [false, []],
      [false, [{ do: 'revert', stream: 0 }]],
    ]);
  });
});

// Goal: a store that is made plainer must not fail for that alone. Method: a sound store without a disk takes every kind of
// step, those that only a disk has a use for too.
it('a store without a disk takes every step without a failure', async () => {
  const { scenario } = await runRecipe('wiced', { scenarioSeed: 3, choices: [] }, newCoverage());
  const append: Action = { do: 'append', stream: 0, bits: 1, timeMs: 1_000 };
  const steps: Action[] = [
    { do: 'flush' },
    { do: 'checkpoint' },
    { do: 'emergencyFlush', deadlineMs: 200 },
    { do: 'holdReads', hold: true },
    { do: 'io', pick: 0 },
    { do: 'io', pick: 0, times: 3, fault: { code: 'IO' } },
    { do: 'drain' },
    { do: 'timer' },
    { do: 'wait', ms: 1_000 },
    { do: 'damage', pick: 0, bit: 9 },
    { do: 'space', bytes: 0 },
    { do: 'fault', rule: { times: 1, fault: { code: 'IO' } } },
    { do: 'faultsEnd' },
    { do: 'rest' },
  ];
  const actions = [...steps, { do: 'close' } as const, { do: 'open' } as const, append];
  const crash: Action = { do: 'crash', choice: { kind: 'power', keep: 'nothing' } };
  const outcome = await runActions(scenario, [
    { do: 'open' },
    append,
    ...actions.flatMap((action) => [action, append, { do: 'read', stream: 0, max: 3 } as const]),
    crash,
    { do: 'open' },
    { do: 'rest' },
  ]);
  expect(outcome.failure).toBeNull();
});
