/**
 * Calls at the same time, in every order: the search leaves no order out, the engine stands in all of them, and bugs that
 * need two things at once are found.
 */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Action } from '../../conformance/actions.ts';
import { runActions } from '../../conformance/execute.ts';
import { Exploration } from '../../conformance/interleavings/explore.ts';
import { startSearches } from '../../conformance/interleavings/jobs.ts';
import type { Program } from '../../conformance/interleavings/programs.ts';
import { PROGRAMS } from '../../conformance/interleavings/programs.ts';
import { runInterleavings } from '../../conformance/interleavings/run.ts';
import { runScheduled } from '../../conformance/interleavings/scheduled.ts';
import { newCoverage } from '../../conformance/model-run.ts';
import { plantingOf } from '../../conformance/museum/exhibit.ts';
import { EXHIBITS } from '../../conformance/museum/run.ts';
import { visit } from '../../conformance/museum/visit.ts';

const ROOT = join(import.meta.dirname, '../..');
const SEED = 7;

const [FIRST] = PROGRAMS as readonly [Program, ...Program[]];
const append = (bits: number): Action => ({ do: 'append', stream: 0, bits, timeMs: 1_000 });

/** Without I/O: what is left are the orders of the calls. */
const calls = (...callers: (readonly Action[])[]): Program => ({
  name: 'calls alone',
  scenario: FIRST.scenario,
  setUp: [{ do: 'open' }, { do: 'drain' }],
  callers,
  quick: true,
});

describe('the search', () => {
  // Goal: no order is left out and none is counted twice. Method: callers without I/O, whose orders are known: n! / (a! b! c!).
  it.each([
    [[[append(1)], [append(2)], [append(3)]], 6],
    [
      [
        [append(1), append(2)],
        [append(3), append(4)],
      ],
      6,
    ],
    [[[append(1), append(2)], [append(3), append(4)], [append(5)]], 30],
  ] as const)('takes every order of calls once (%#)', async (callers, orders) => {
    const explored = await new Exploration(calls(...callers), SEED, newCoverage()).run(() => {});
    expect(explored.failure).toBeNull();
    expect(explored.orders).toBe(orders);
  });

  // Goal: calls fall between any two ends of I/O. Method: one append beside a flush of the call itself and five operations,
  // of which the two syncs end in either order: seven places in each of two orders, in each of which power fails too.
  it('puts a call in every place between the operations of a flush', async () => {
    const setUp: Action[] = [{ do: 'open' }, { do: 'drain' }, append(1)];
    const program: Program = { ...calls([{ do: 'flush' }], [append(2)]), setUp };
    const explored = await new Exploration(program, SEED, newCoverage()).run(() => {});
    expect(explored.failure).toBeNull();
    expect(explored.orders).toBe(14);
    // 3 + 2 x 4 points before the append, and behind it as many as the flush had left: 11 + 10 + 9 + 2 x (4 + 3 + 2 + 1).
    // Many of them look the same to a crash.
    expect(explored.crashPoints).toBe(61);
    expect(explored.recoveries).toBeGreaterThan(14);
    expect(explored.recoveries).toBeLessThan(2 * 61);
  });

  // Goal: a fault is tried at each operation. Method: the same flush, one of its five operations failing or none.
  it('lets each operation fail once where a program says so', async () => {
    const setUp: Action[] = [{ do: 'open' }, { do: 'drain' }, append(1)];
    const program: Program = { ...calls([{ do: 'flush' }]), setUp, faultsMax: 1 };
    const explored = await new Exploration(program, SEED, newCoverage()).run(() => {});
    expect(explored.failure).toBeNull();
    expect(explored.orders).toBeGreaterThanOrEqual(6);
  });
});

describe('interleavings', () => {
  // Goal: the engine stands in every order of the small programs and in random orders of longer ones, with crashes.
  // Method: the quick form of the mode; what it did is held against what it must at least have done.
  it('hold in every order of the small programs, and in drawn orders of longer ones', async () => {
    const { outcome, programs, scheduled } = await runInterleavings({
      seed: SEED,
      quick: true,
      runs: 40,
      command: 'npm run conformance -- --interleavings --quick',
    });
    const { figures, failures } = outcome.evidence;
    console.log(`interleavings seed ${SEED}: ${JSON.stringify(figures)}`);
    expect(outcome.failure?.message).toBeUndefined();
    expect(failures).toBe(0);
    expect(programs.length).toBe(PROGRAMS.filter(({ quick }) => quick).length);
    for (const { orders, recoveries } of programs) expect(Math.min(orders, recoveries)).toBeGreaterThan(5);
    expect(figures.orders).toBeGreaterThan(1_500);
    expect(figures.recoveries).toBeGreaterThan(1_000);
    expect(scheduled.runs).toBe(40);
    expect(scheduled.crashes).toBeGreaterThan(10);
    // Each recovery is behind a crash that has its cell, and so has each crash of a drawn order.
    const { cells } = outcome.evidence;
    const crashes = cells.reduce((sum, { count }) => sum + count, 0);
    expect(crashes).toBeGreaterThanOrEqual((figures.recoveries ?? 0) + scheduled.crashes);
    expect(new Set(cells.map(({ edge }) => edge)).size).toBeGreaterThan(15);
    expect(new Set(cells.map(({ io }) => io)).size).toBeGreaterThan(5);
  });

  // Goal: a search is the same in any thread, and tells how far it is from there. Method: two small programs, here and in two
  // threads; what was found, compared as a whole.
  it('are searched the same by one thread and by two', async () => {
    const small = ['flush || append', 'emergencyFlush || append'].map((wanted) =>
      PROGRAMS.findIndex(({ name }) => name === wanted),
    );
    const found = async (jobs: number, told: string[]): Promise<object[]> => {
      const { lanes, close } = startSearches(jobs, (what) => told.push(what));
      const searched = small.map((index, at) => lanes[at % jobs]?.({ index, seed: SEED }));
      const results = await Promise.all(searched);
      await close();
      return results as object[];
    };
    const [here, there] = [[] as string[], [] as string[]];
    const alone = await found(1, here);
    expect(alone).toMatchObject([{ orders: 14, failure: null }, { failure: null }]);
    expect(await found(2, there)).toEqual(alone);
    expect(there.toSorted()).toEqual(here.toSorted());
    expect(here).toContain('flush || append: 14 orders');
  });

  // Goal: a drawn order is its seed, and its actions are the order. Method: the same seed twice, another once; each run once
  // more from its actions alone, by the trace of marks.
  it('repeats drawn orders from their seed', async () => {
    const hash = async (seed: number): Promise<string> => (await runScheduled(seed, 12, newCoverage(), () => {})).hash;
    expect(await hash(3)).toBe(await hash(3));
    expect(await hash(4)).not.toBe(await hash(3));
  });
});

describe('bugs that need two things at once', () => {
  const FREES_WHAT_CAME_MEANWHILE = {
    id: 'meanwhile',
    bug: 'a flush frees what was appended meanwhile',
    file: 'src/core/flush.ts',
    search: 'pool.synced[slot] = end;',
    replace: 'pool.synced[slot] = pool.appended[slot] as number;',
  };

  const shipped = (id: string) => {
    const exhibit = EXHIBITS.find((each) => each.id === id);
    if (exhibit === undefined) throw new Error(`no exhibit ${id}`);
    return exhibit;
  };

  // Goal: this mode finds them, by itself. Method: each planted in a copy of the sources, only this mode looks.
  it.each([['M16'], ['V14'], ['meanwhile']])('%s is found by the order that shows it', async (id) => {
    const exhibit = id === 'meanwhile' ? FREES_WHAT_CAME_MEANWHILE : shipped(id);
    const options = { seed: SEED, runs: 0, everyMode: false, only: ['interleavings'] };
    const caught = await visit(ROOT, plantingOf(ROOT, exhibit), options);
    console.log(`${id} (${exhibit.bug}): ${caught.caughtBy} after ${caught.runs} orders, ${caught.steps} steps`);
    expect(caught.modes).toEqual(['interleavings']);
    expect(caught.steps).toBeGreaterThan(0);
    expect(caught.steps).toBeLessThanOrEqual(15);
  });
});

// Goal: an order that was searched is a trace like any other. Method: one program's set-up with its calls and a crash, as actions.
it('an order is a list of actions that replays', async () => {
  const { scenario, setUp, callers } = FIRST;
  const actions: Action[] = [...setUp, ...callers.flat(), { do: 'io', pick: 1 }, { do: 'drain' }, { do: 'rest' }];
  const outcome = await runActions(scenario, actions);
  expect(outcome.failure).toBeNull();
  expect(outcome.actions.length).toBeGreaterThan(setUp.length + callers.length);
});
