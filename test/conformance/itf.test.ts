/**
 * A run as an ITF trace: what the viewers of others read must be what the model did, and the file must still run.
 */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ofItf } from '@informalsystems/quint/dist/src/itf.js';
import { describe, expect, it, vi } from 'vitest';
import type { Action, Trace } from '../../conformance/actions.ts';
import { readTrace } from '../../conformance/actions.ts';
import { runActions, runRecipe, scenarioOf } from '../../conformance/execute.ts';
import { fromItf, toItf } from '../../conformance/itf.ts';
import { newCoverage } from '../../conformance/model-run.ts';
import { Random } from '../../conformance/random.ts';
import { makeTrace } from '../../conformance/run.ts';
import type { ModelState } from '../../model/step.ts';
import { StreamHandle } from '../../src/core/stream-handle.ts';

const REGRESSIONS = join(import.meta.dirname, '../../conformance/regressions');

const REVERT_OF_ONE: readonly Action[] = [
  { do: 'open' },
  { do: 'append', stream: 0, bits: 1, timeMs: 5 },
  { do: 'read', stream: 0, max: 1 },
  { do: 'revert', stream: 0 },
];

/** A drawn run with a crash, faults and an eviction in it. */
async function drawnTrace(): Promise<Trace> {
  const random = new Random(11);
  const choices = Array.from({ length: 120 }, () => ({ entry: random.next(), payload: random.next() }));
  const { scenario, actions } = await runRecipe('linux', { scenarioSeed: 4, choices }, newCoverage());
  return makeTrace(scenario, actions, 11, 'a drawn run');
}

async function statesOf({ scenario, actions }: Trace): Promise<ModelState[]> {
  const states: ModelState[] = [];
  await runActions(scenario, actions, newCoverage(), (_, run) => states.push(run.model.state));
  return states;
}

describe('an ITF trace', () => {
  // Goal: nothing of the model is lost on the way. Method: a drawn run to text and back, every state compared with the run's.
  it('reads back to the same model states and the same steps', async () => {
    const trace = await drawnTrace();
    const { trace: again, steps } = fromItf(JSON.parse(JSON.stringify(await toItf(trace))));
    expect(again).toEqual(trace);
    const states = await statesOf(trace);
    expect(steps.length).toBe(states.length + 1);
    for (const [index, { value, context }] of states.entries()) {
      expect(steps[index + 1]?.state.value).toEqual(value);
      expect(steps[index + 1]?.state.context).toEqual(context);
      expect(steps[index + 1]?.action).toEqual(trace.actions[index]);
    }
    expect(steps.some(({ engine }) => (engine?.segments.length ?? 0) > 0)).toBe(true);
  });

  // Goal: the tools that the format is for can read it. Method: Quint's own reader on each saved trace; integers, lists,
  // records and options must come out as such.
  it('is read by Quint, state by state', async () => {
    const names = readdirSync(REGRESSIONS).filter((name) => name.endsWith('.json') && !name.endsWith('.itf.json'));
    expect(names.length).toBeGreaterThan(0);
    for (const name of names) {
      const itf = JSON.parse(JSON.stringify(await toItf(readTrace(join(REGRESSIONS, name)))));
      const states = ofItf(itf);
      expect(states.length).toBe(itf.states.length);
      const last = JSON.stringify(states.at(-1), (_, value) => (typeof value === 'bigint' ? Number(value) : value));
      expect(last).toContain('"kind":"str","value":"mbt::actionTaken"');
      expect(last).toContain('"opcode":"variant"');
      expect(last).toMatch(/"kind":"int","value":\d+/);
      expect(itf.vars.every((variable: string) => itf.states.every((state: object) => variable in state))).toBe(true);
    }
  });

  // Goal: a failing run is seen as failing by who knows only the file. Method: an engine whose revert does nothing.
  it('marks the step that failed and the invariant that it broke', async () => {
    const revert = vi.spyOn(StreamHandle.prototype, 'revert').mockReturnValue({ ok: true, value: undefined });
    try {
      const trace = makeTrace(scenarioOf('wiced', 1), REVERT_OF_ONE, 1, 'revert does nothing');
      const { steps } = fromItf(JSON.parse(JSON.stringify(await toItf(trace))));
      expect(steps.map(({ breaks }) => breaks)).toEqual(['', '', '', '', 'INV-13']);
      const failed = steps.at(-1);
      expect(failed?.took).toEqual(['REVERT']);
      expect(failed?.state.context.streams[0]?.read).toBe(0);
      expect(failed?.engine?.streams[0]?.read).toBe(1);
      const { states } = await toItf(trace);
      expect(states.map(({ invariants }) => (invariants as Record<string, boolean>)['INV-13'])).toEqual([
        true,
        true,
        true,
        true,
        false,
      ]);
    } finally {
      revert.mockRestore();
    }
  });

  // Goal: an exported trace is a trace. Method: written as a file and read as one is that replays; files of others refused.
  it('runs again from its file, and a file of another tool is refused in one line', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'itf-'));
    try {
      const trace = await drawnTrace();
      const path = join(folder, 'run.itf.json');
      writeFileSync(path, JSON.stringify(await toItf(trace)));
      expect(readTrace(path)).toEqual(trace);
      const foreign = join(folder, 'foreign.itf.json');
      writeFileSync(foreign, JSON.stringify({ vars: ['x'], states: [{ x: 1 }] }));
      expect(() => readTrace(foreign)).toThrow(/^.*foreign\.itf\.json is an ITF trace without steps for the engine/);
      expect(() => fromItf({ vars: ['x'] })).toThrow('the ITF trace has no vars or no states');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
