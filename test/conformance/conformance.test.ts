/**
 * The conformance run as part of every test run. museum.test.ts has the proof that it can fail.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readTrace } from '../../conformance/actions.ts';
import { runActions, runRecipe, scenarioOf } from '../../conformance/execute.ts';
import { newCoverage } from '../../conformance/model-run.ts';
import { Random } from '../../conformance/random.ts';
import { makeTrace, runCampaign, saveTrace } from '../../conformance/run.ts';
import { shrinkActions } from '../../conformance/shrink.ts';
import { timeline } from '../../conformance/timeline.ts';

const ROOT = join(import.meta.dirname, '../..');
const REGRESSIONS = join(ROOT, 'conformance/regressions');
const STEPS = 100_000;
/** The same run for everyone who runs the tests; a nightly job gives its own. Printed, so that a find can be repeated. */
const SEED = Number(process.env.CONFORMANCE_SEED ?? 7);
/** The steps take 15 s on an idle machine; others may be at work on it. */
const LONG_MS = 400_000;

describe('conformance', () => {
  // Goal: the engine does what the model does, on both profiles. Method: saved traces, then seeded runs of 100,000 steps,
  // everything compared after each; every event and every invariant must have had its turn.
  it(
    'keeps engine and model in step for 100,000 steps on both profiles',
    async () => {
      const result = await runCampaign({
        seed: SEED,
        profiles: ['linux', 'wiced'],
        runs: Number.MAX_SAFE_INTEGER,
        steps: STEPS,
        regressions: REGRESSIONS,
      });
      const { failure, steps, seconds, edges, coverage } = result;
      console.log(
        `conformance seed ${SEED}: ${steps} steps in ${seconds.toFixed(1)} s, edges ${edges.covered} of ${edges.total}, trace hash ${result.traceHash}`,
      );
      if (failure !== null) {
        const shown = await timeline(failure.trace.scenario, failure.trace.actions);
        const saved = saveTrace(REGRESSIONS, failure);
        expect.fail(`${shown}\n\nreplay: npm run conformance -- --replay ${saved}`);
      }
      // Those of the saved traces beside the seeded ones.
      expect(steps).toBeGreaterThan(STEPS);
      expect(edges.covered).toBeGreaterThanOrEqual(edges.total - 5);
      expect(coverage.witnesses.size).toBe(22);
    },
    LONG_MS,
  );

  // Goal: a run is its seed. Method: the same seed twice, another seed once.
  it('gives the same trace hash for the same seed and another for another', async () => {
    const hash = async (seed: number): Promise<string> => {
      const options = {
        seed,
        profiles: ['linux', 'wiced'],
        runs: 30,
        steps: Number.MAX_SAFE_INTEGER,
        regressions: null,
      } as const;
      return (await runCampaign(options)).traceHash;
    };
    expect(await hash(7)).toBe(await hash(7));
    expect(await hash(8)).not.toBe(await hash(7));
  });

  // Goal: what a run did can be done again from its actions alone. Method: draw a run, take its actions, compare coverage.
  it('repeats a drawn run from its concrete actions', async () => {
    const random = new Random(3);
    const choices = Array.from({ length: 100 }, () => ({ entry: random.next(), payload: random.next() }));
    const drawn = newCoverage();
    const outcome = await runRecipe('linux', { scenarioSeed: 5, choices }, drawn);
    expect(outcome.failure).toBeNull();
    expect(outcome.actions.length).toBeGreaterThanOrEqual(choices.length);
    const again = newCoverage();
    expect((await runActions(outcome.scenario, outcome.actions, again)).actions).toEqual(outcome.actions);
    expect([...again.events]).toEqual([...drawn.events]);
  });
});

describe('a failing run', () => {
  // Goal: no superfluous step is left. Method: a failure that needs two of many actions.
  it('shrinks to the actions that it needs, with plain numbers', async () => {
    const noise = Array.from({ length: 60 }, (_, stream) => ({ do: 'revert', stream }) as const);
    const actions = [
      ...noise,
      { do: 'discard', stream: 0, n: 7 } as const,
      ...noise,
      { do: 'read', stream: 1, max: 5 } as const,
      ...noise,
    ];
    const shorter = await shrinkActions(actions, async (candidate) => {
      const discard = candidate.findIndex((action) => action.do === 'discard' && action.n > 2);
      const read = candidate.findIndex((action) => action.do === 'read');
      return discard >= 0 && read > discard;
    });
    expect(shorter).toEqual([
      { do: 'discard', stream: 0, n: 3 },
      { do: 'read', stream: 1, max: 1 },
    ]);
  });

  // Goal: a saved trace is the run. Method: save, read, compare; then files that are none.
  it('is saved as JSON that reads back, and anything else is refused in one line', () => {
    const folder = mkdtempSync(join(tmpdir(), 'conformance-'));
    try {
      const trace = makeTrace(scenarioOf('wiced', 1), [{ do: 'open' }], 7, 'INV-00: example');
      const saved = saveTrace(folder, { breaks: 'INV-00', trace });
      expect(readTrace(saved)).toEqual(trace);
      const refused = (name: string, text: string): string => {
        const path = join(folder, name);
        writeFileSync(path, text);
        try {
          readTrace(path);
        } catch (error) {
          return (error as Error).message;
        }
        return 'accepted';
      };
      expect(refused('a.json', '{')).toMatch(/^cannot read the trace .*a\.json: /);
      expect(refused('b.json', '{}')).toMatch(/b\.json is not a conformance trace of version 1/);
      const strange = JSON.stringify({ ...trace, actions: [{ do: 'dance' }] });
      expect(refused('c.json', strange)).toMatch(/c\.json: action 0 is none that this version knows/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  // Goal: the timeline says what was done and where it went wrong. Method: a trace that does not fail.
  it('is shown step by step with the marks of the model', async () => {
    const shown = await timeline(scenarioOf('wiced', 1), [
      { do: 'open' },
      { do: 'append', stream: 0, bits: 1, timeMs: 5 },
    ]);
    expect(shown).toContain('   1  open  ->  OPEN RECOVERED');
    expect(shown).toContain('   2  append stream 0 bits 0x00000001 at 5 ms  ->  APPEND');
    expect(shown).toContain('no failure');
  });
});
