/**
 * Goal: a long campaign is the same one whoever runs it: in parts, several at a time, interrupted and resumed.
 * Method: the parts against the whole, the trace hash of each way against that of the plain one.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import type { RunOptions } from '../../conformance/campaign/campaign.ts';
import { runPlan } from '../../conformance/campaign/campaign.ts';
import type { Plan, Target } from '../../conformance/campaign/plan.ts';
import { batchesOf, sizeOf, WHOLE } from '../../conformance/campaign/plan.ts';
import { readState, STATE_FORMAT, seedOfState, writeState } from '../../conformance/campaign/state-file.ts';
import { Tally } from '../../conformance/campaign/tally.ts';
import { closingActions, runRecipe } from '../../conformance/execute.ts';
import { newCoverage } from '../../conformance/model-run.ts';
import { Random } from '../../conformance/random.ts';

const ROOT = join(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'campaign-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const planOf = (target: Target, more: Partial<Plan> = {}): Plan => ({
  seed: 7,
  profiles: ['linux', 'wiced'],
  target,
  shard: WHOLE,
  ...more,
});

const run = (plan: Plan, more: Partial<RunOptions> = {}) =>
  runPlan({ plan, jobs: 1, statePath: null, signal: null, onProgress: () => {}, ...more });

describe('the batches of a plan', () => {
  const all = (plan: Plan): string[] => [...batchesOf(plan)].map((batch) => JSON.stringify(batch));

  it.each([
    { by: 'steps', steps: 1_000_003 },
    { by: 'runs', runs: 12_345 },
    { by: 'steps', steps: 1 },
  ] as const)('are the same in shards as in one piece: $by', (target) => {
    const whole = all(planOf(target));
    for (const shards of [1, 2, 3, 8, 64]) {
      const shardOf = (_: unknown, i: number) => all(planOf(target, { shard: { number: i + 1, of: shards } }));
      const parts = Array.from({ length: shards }, shardOf).flat();
      expect(parts.toSorted()).toEqual(whole.toSorted());
    }
    expect(new Set(whole).size).toBe(whole.length);
  });

  it('do what was asked for, half of it on each profile, with a seed of their own each', () => {
    const plan = planOf({ by: 'steps', steps: 100_001 });
    const batches = [...batchesOf(plan)];
    expect(sizeOf(plan)).toBe(100_001);
    const wiced = batches.filter(({ profile }) => profile === 'wiced');
    expect(wiced.reduce((sum, { steps }) => sum + steps, 0)).toBe(50_000);
    expect(new Set(batches.map(({ seed }) => seed)).size).toBe(batches.length);
  });

  it('give every shard both profiles', () => {
    for (let number = 1; number <= 8; number++) {
      const batches = [...batchesOf(planOf({ by: 'steps', steps: 100_000 }, { shard: { number, of: 8 } }))];
      expect(new Set(batches.map(({ profile }) => profile)).size).toBe(2);
    }
  });
});

describe('a campaign', () => {
  const plan = planOf({ by: 'runs', runs: 130 }, { profiles: ['wiced'] });

  it('has the same trace hash with one job and with two, and counts the same', async () => {
    const alone = (await run(plan)).tally.save();
    const together = (await run(plan, { jobs: 2 })).tally.save();
    expect(alone.batches).toBe(3);
    expect({ ...together, rates: alone.rates }).toEqual(alone);
    expect(together.rates.wiced.steps).toBe(alone.rates.wiced.steps);
  });

  it('stops behind the batch that runs, and goes on to the same hash', async () => {
    const statePath = join(folder, 'stopped.json');
    const stop = new AbortController();
    const stopped = await run(plan, { statePath, signal: stop.signal, onProgress: () => stop.abort() });
    expect(stopped).toMatchObject({ finished: false, resumedSteps: 0 });
    const rest = await run(plan, { statePath });
    expect(rest.finished).toBe(true);
    expect(rest.resumedSteps).toBe(stopped.tally.steps);
    expect(rest.resumedSteps).toBeGreaterThan(0);
    expect(rest.tally.hash).toBe((await run(plan)).tally.hash);
    expect(existsSync(statePath)).toBe(false);
  });

  // Goal: --steps N is N. Method: sizes below one run, within one batch and over two, on each profile and on both.
  it.each([
    [1, ['linux', 'wiced']],
    [37, ['linux']],
    [1_001, ['wiced']],
    [6_003, ['linux', 'wiced']],
  ] as const)('of %i steps does so many, on %j', async (steps, profiles) => {
    const { tally, failure, finished } = await run(planOf({ by: 'steps', steps }, { profiles }));
    expect({ steps: tally.steps, failure, finished }).toEqual({ steps, failure: null, finished: true });
  });

  // Goal: a run that has few steps left is judged to its end all the same. Method: one recipe with ever fewer steps; what it
  // ends with is the delivery behind its last crash, unless there is not even room for that.
  it('has runs that come to their end before their last step', async () => {
    const random = new Random(5);
    const choices = Array.from({ length: 150 }, () => ({ entry: random.next(), payload: random.next() }));
    const runOf = (stepsMax: number) =>
      runRecipe('linux', { scenarioSeed: 5, choices }, newCoverage(), () => {}, stepsMax);
    const { scenario, actions: whole } = await runOf(Number.POSITIVE_INFINITY);
    const closing = closingActions(scenario);
    const delivery = closing.slice(-2 * scenario.streams.length);
    expect(whole.length).toBeGreaterThan(120);
    for (const stepsMax of [60, 100, closing.length + 1]) {
      const { actions } = await runOf(stepsMax);
      expect(actions.length).toBeLessThanOrEqual(stepsMax);
      expect(actions.slice(-delivery.length)).toEqual(delivery);
    }
    expect((await runOf(3)).actions).toHaveLength(3);
  });

  it('ends when its time is over', async () => {
    const { finished, seconds } = await run(planOf({ by: 'time', seconds: 1 }));
    expect(finished).toBe(true);
    expect(seconds).toBeGreaterThanOrEqual(1);
  });
});

describe('the command', () => {
  const line = ['--seed', '11', '--runs', '250', '--profile', 'wiced', '--no-evidence', '--json'];
  const start = (...more: string[]) =>
    spawn(process.execPath, ['conformance/cli/main.ts', '--no-regressions', ...line, ...more], { cwd: ROOT });

  async function hashOf(...more: string[]): Promise<string> {
    const child = start(...more);
    let text = '';
    child.stdout.on('data', (chunk) => {
      text += chunk;
    });
    await new Promise((resolve) => child.on('close', resolve));
    return (JSON.parse(text) as { traceHash: string }).traceHash;
  }

  it('goes on after SIGKILL to the hash of a run that nobody disturbed', async () => {
    const state = join(folder, 'killed.json');
    const child = start('--resume', state);
    const ended = new Promise((resolve) => child.on('close', (_, signal) => resolve(signal)));
    while (!existsSync(state)) await pause(5);
    child.kill('SIGKILL');
    expect(await ended).toBe('SIGKILL');
    expect((JSON.parse(readFileSync(state, 'utf8')) as { tally: { runs: number } }).tally.runs).toBeLessThan(250);
    const [resumed, undisturbed] = await Promise.all([hashOf('--resume', state), hashOf()]);
    expect(resumed).toBe(undisturbed);
  });
});

describe('a state file', () => {
  const plan = planOf({ by: 'steps', steps: 10 });
  const path = join(folder, 'state.json');

  function refusal(change: (state: Record<string, unknown>) => unknown, sources = 'here'): string {
    writeState(path, plan, 'here', 3, new Tally());
    writeFileSync(path, JSON.stringify(change(JSON.parse(readFileSync(path, 'utf8')))));
    try {
      readState(path, plan, sources);
    } catch (error) {
      return (error as Error).message;
    }
    return 'accepted';
  }

  it('gives back what was written', () => {
    writeState(path, plan, 'here', 3, new Tally());
    expect(readState(path, plan, 'here')).toMatchObject({ seconds: 3 });
    expect(seedOfState(path)).toBe(7);
    expect(readState(join(folder, 'none.json'), plan, 'here')).toBeNull();
  });

  it('of anything else is refused in one line that says why', () => {
    expect(refusal((state) => state)).toBe('accepted');
    expect(refusal((state) => state, 'there')).toMatch(/^the state .* was begun with other source code: delete it/);
    expect(refusal((state) => ({ ...state, version: 2 }))).toMatch(/is of version 2, and this is version 1/);
    expect(refusal((state) => ({ ...state, plan: { ...plan, seed: 8 } }))).toMatch(/seed 8, and this run has seed 7/);
    expect(refusal((state) => ({ ...state, plan: { ...plan, profiles: ['linux'] } }))).toMatch(/of another command/);
    expect(refusal((state) => ({ ...state, format: `not ${STATE_FORMAT}` }))).toMatch(/is not a state of a conf/);
    expect(refusal(() => null)).toMatch(/is not a state of a conf/);
    writeFileSync(path, '{');
    expect(() => readState(path, plan, 'here')).toThrow(/is not JSON: delete it/);
  });
});
