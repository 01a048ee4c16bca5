/** Power-fail flushes as the model sees them: cut short, in parts, the highest priority first. */
import { describe, expect, it } from 'vitest';
import type { Action, Scenario } from '../../conformance/actions.ts';
import { Divergence } from '../../conformance/divergence.ts';
import { runActions } from '../../conformance/execute.ts';
import { newCoverage } from '../../conformance/model-run.ts';
import { goesOn, inEmergency, judgePriorities } from '../../conformance/power-fail.ts';
import { quotaBytesMin } from '../../conformance/refinement.ts';
import type { StreamState } from '../../model/vocabulary.ts';

const stream = (sensor: number, priority: number) =>
  ({ source: 'host', sensor, kind: 'evt', periodMs: 0, type: 'uint32', priority }) as const;

const SCENARIO: Scenario = {
  profile: 'linux',
  mode: 'ram',
  streams: [stream(1, 0), stream(2, 255), { ...stream(3, 5), source: 'mgc' }, stream(4, 5)],
  sectors: 8,
  sectorBytes: 32,
  quotaBytes: 4 * quotaBytesMin(8, 32),
  whenDiskFull: 'evict-oldest',
  durableAcknowledge: false,
};

const append = (of: number): Action => ({ do: 'append', stream: of, bits: of, timeMs: 1_000 });

describe('a power-fail flush', () => {
  // Goal: each priority is durable before the next is begun, and the model follows each commit. Method: four streams of three
  // priorities, I/O step by step, a crash at each step that keeps nothing unsynced; what the model had as synced is there.
  it('is followed commit by commit, and survives a power cut at each step of it', async () => {
    const begun: Action[] = [{ do: 'open' }, { do: 'drain' }, ...[0, 1, 2, 3].map(append), append(0)];
    const orders = new Set<string>();
    for (let steps = 0; steps < 30; steps++) {
      const io: Action[] = Array.from({ length: steps }, () => ({ do: 'io', pick: 0 }));
      const actions: Action[] = [
        ...begun,
        { do: 'emergencyFlush', deadlineMs: 200 },
        ...io,
        { do: 'crash', choice: { kind: 'power', keep: 'nothing' } },
        { do: 'open' },
        { do: 'drain' },
      ];
      const { failure } = await runActions(SCENARIO, actions, newCoverage(), (action, { model }) => {
        if (action.do === 'io') orders.add(model.context.streams.map(({ synced }) => synced).join(''));
      });
      expect(failure).toBeNull();
    }
    expect([...orders]).toEqual(['0000', '0100', '0101', '0111', '2111']);
  });

  // Goal: with no time left nothing is written, with a flush running that one is cut. Method: deadline 0 alone, and behind a flush.
  it('saves nothing without time, and cuts a flush that runs at its next segment', async () => {
    const late: Action[] = [
      { do: 'open' },
      { do: 'drain' },
      append(0),
      { do: 'emergencyFlush', deadlineMs: 0 },
      { do: 'rest' },
    ];
    const alone = await runActions(SCENARIO, late);
    expect(alone.failure).toBeNull();
    expect(alone.run.model.context.streams[0]?.synced).toBe(0);
    const behind = late.toSpliced(3, 0, append(2), { do: 'flush' }, { do: 'io', pick: 0 });
    const cut = await runActions(SCENARIO, behind);
    expect(cut.failure).toBeNull();
    expect(cut.run.model.context.streams.map(({ synced }) => synced)).toEqual([1, 0, 1, 0]);
  });

  // Goal: the wrong order is seen. Method: states made by hand, a lower priority saved while a higher one is not.
  it('is wrong when a lower priority is on disk before a higher one', async () => {
    const { run } = await runActions(SCENARIO, [
      { do: 'open' },
      { do: 'drain' },
      append(0),
      append(1),
      { do: 'flush' },
    ]);
    const before = inEmergency(run.model.state);
    expect(before.context.flush?.emergency).toBe(true);
    const saved = (which: number): typeof before.context => ({
      ...before.context,
      streams: before.context.streams.map((each, i): StreamState => (i === which ? { ...each, synced: 1 } : each)),
    });
    expect(() => judgePriorities(SCENARIO, before.context, saved(1))).not.toThrow();
    expect(() => judgePriorities(SCENARIO, before.context, saved(0))).toThrow(Divergence);
    const on = goesOn(before, { ...before, context: { ...saved(1), flush: null } });
    expect(on.context.flush).toEqual(before.context.flush);
    expect(on.context.streams[1]?.synced).toBe(1);
  });
});
