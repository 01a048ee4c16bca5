/**
 * Liveness (contract section 8) as part of every test run, and the proof that the mode can fail.
 */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readTrace } from '../../conformance/actions.ts';
import { runActions } from '../../conformance/execute.ts';
import { REST_MS_MAX, REST_STEPS_MAX } from '../../conformance/liveness/life.ts';
import { runLiveness } from '../../conformance/liveness/run.ts';
import { RetryWatch } from '../../conformance/retry-watch.ts';
import { runWith } from './planted-copy.ts';

const SEED = Number(process.env.CONFORMANCE_SEED ?? 7);
const STATES = 200;
const LONG_MS = 200_000;
const REGRESSIONS = join(import.meta.dirname, '../../conformance/regressions');

describe('liveness', () => {
  // Goal: when faults end the store comes back, from whatever they made of it. Method: seeded lives, each ended so.
  it(
    'brings the store to rest, in RAM mode, with everything saved, within bounds',
    async () => {
      const { evidence, failure } = await runLiveness({ seed: SEED, states: STATES, command: 'test' });
      const { restStepsMax = 0, restMsMax = 0, retryMsMax = 0 } = evidence.figures;
      console.log(`liveness seed ${SEED}: ${STATES} states, at most ${restStepsMax} steps and ${restMsMax} ms`);
      expect(failure?.message).toBeUndefined();
      expect(restStepsMax).toBeGreaterThan(10);
      expect(restStepsMax).toBeLessThanOrEqual(REST_STEPS_MAX);
      expect(restMsMax).toBeLessThanOrEqual(REST_MS_MAX);
      expect(retryMsMax).toBeGreaterThanOrEqual(8_000);
    },
    LONG_MS,
  );

  // Goal: the same seed is the same run. Method: twice, and another.
  it('gives the same trace hash for the same seed', async () => {
    const hash = async (seed: number) => (await runLiveness({ seed, states: 20, command: 'test' })).evidence.traceHash;
    expect(await hash(7)).toBe(await hash(7));
    expect(await hash(8)).not.toBe(await hash(7));
  });

  // Goal: a bound that is passed is seen. Method: a trace that comes to rest, judged by bounds that nothing meets.
  it('is judged by its bounds', async () => {
    const { scenario, actions } = readTrace(join(REGRESSIONS, 'stillborn-logs.json'));
    const judged = async (withinSteps: number) => {
      const settled = { do: 'settled', withinSteps, withinMs: REST_MS_MAX, saved: false } as const;
      return (await runActions(scenario, [...actions, { do: 'rest' }, settled])).failure?.message;
    };
    expect(await judged(REST_STEPS_MAX)).toBeUndefined();
    expect(await judged(1)).toMatch(/to come to rest took \d+ steps, not 1/);
  });

  // Goal: delays grow and stay bounded. Method: what the watch takes and what it does not.
  it('tries again after 1, 2, 4 ... 60 seconds, and by a timer that is set', () => {
    const watch = new RetryWatch();
    for (const seconds of [1, 2, 4, 8, 16, 32, 60, 60]) watch.flushFailed(seconds * 1_000);
    expect(() => watch.flushFailed(64_000)).toThrow(/tried again in 64000 ms, not 60000/);
    watch.flushed();
    expect(() => watch.flushFailed(1_000)).not.toThrow();
    expect(() => watch.waits(null)).toThrow(/no timer will end the wait/);
    expect(() => watch.waits(60_000)).not.toThrow();
  });

  // Goal: the mode can fail. Method: bugs in a copy of the engine.
  it.each([
    [
      'the timer of a retry is never set',
      {
        file: 'src/core/engine.ts',
        search: '      this.#cancelRetry = (state.disk as DiskSide).port.after(retryInMs, () => {\n',
        replace: '      this.#cancelRetry = ((_: number, later: () => void) => () => void later)(retryInMs, () => {\n',
      },
    ],
    [
      'a flush that failed is not tried again',
      {
        file: 'src/core/engine.ts',
        search: '        this.#endRetryWait();\n        state.wantFlush();\n',
        replace: '',
      },
    ],
  ])(
    'is seen to be missing when %s',
    async (_, bug) => {
      const { failures, failure } = await runWith(bug, ['--liveness', '--quick', '--seed', '7']);
      console.log(`caught by ${failure?.breaks}: ${failure?.message} (${failure?.steps} steps)`);
      expect(failures).toBe(1);
    },
    LONG_MS,
  );
});
