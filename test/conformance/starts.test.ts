/**
 * Goal: deep states and boundaries of payloads are really reached, and counted where they are.
 * Method: each start alone; all of them with some chance behind it, against the list of what there is.
 */
import { describe, expect, it } from 'vitest';
import { BOUNDARIES, boundariesOf, boundariesReached } from '../../conformance/boundaries.ts';
import { runActions, runRecipe } from '../../conformance/execute.ts';
import type { Coverage } from '../../conformance/model-run.ts';
import { newCoverage } from '../../conformance/model-run.ts';
import { Random } from '../../conformance/random.ts';
import { runCampaign } from '../../conformance/run.ts';
import type { Start } from '../../conformance/starts.ts';
import { drawStart, STARTS, startsOf } from '../../conformance/starts.ts';
import { initialState, step } from '../../model/step.ts';
import type { Bounds, ModelEvent } from '../../model/vocabulary.ts';

const cases = STARTS.flatMap((start) => start.profiles.map((profile) => ({ name: start.name, profile, start })));

/** What all starts reach together. */
const reached: Coverage = newCoverage();

describe('a deep start', () => {
  it.each(cases)('is reached: $name, $profile', async ({ profile, start }) => {
    // Thousands of records take their time: one of those is enough.
    const seeds = start.weight < 1 ? [1] : [1, 2, 3, 4, 5];
    const coverage = newCoverage();
    for (const scenarioSeed of seeds) {
      const outcome = await runRecipe(profile, { scenarioSeed, choices: [], start }, coverage);
      expect(outcome.failure).toBeNull();
    }
    expect(coverage.starts.get(start.name)).toBe(seeds.length);
    for (const [name, count] of coverage.boundaries) reached.boundaries.set(name, count);
  });

  it('is part of the trace: its actions alone lead there again', async () => {
    const start = STARTS.find(({ name }) => name === 'sequence numbers across 2^32') as Start;
    const outcome = await runRecipe('linux', { scenarioSeed: 3, choices: [], start }, newCoverage());
    const again = newCoverage();
    const replayed = await runActions(outcome.scenario, outcome.actions, again);
    expect(replayed.failure).toBeNull();
    expect(replayed.actions).toEqual(outcome.actions);
    expect(again.boundaries.get('block across 2^32')).toBeGreaterThan(0);
  });

  it('is drawn for every number, each of them sometimes, none mostly', () => {
    const random = new Random(1);
    for (const profile of ['linux', 'wiced'] as const) {
      const drawn = new Map<string, number>();
      for (let i = 0; i < 100_000; i++) {
        const name = drawStart(profile, random.next())?.name ?? 'none';
        drawn.set(name, (drawn.get(name) ?? 0) + 1);
      }
      const names = ['none', ...startsOf(profile).map(({ name }) => name)];
      expect(names.filter((name) => !drawn.has(name))).toEqual([]);
      expect(drawn.get('none')).toBeGreaterThan(60_000);
    }
    expect(drawStart('linux', 0)).toBeNull();
  });
});

describe('the boundaries of payloads', () => {
  it('are all reached by the starts and a few hundred runs, and a profile without a disk names its own', async () => {
    const { coverage, failure } = await runCampaign({
      seed: 7,
      profiles: ['linux', 'wiced'],
      runs: 300,
      steps: Number.MAX_SAFE_INTEGER,
      regressions: null,
    });
    expect(failure).toBeNull();
    const missing = BOUNDARIES.filter((name) => !reached.boundaries.has(name) && !coverage.boundaries.has(name));
    expect(missing).toEqual([]);
    expect([...coverage.boundaries.keys()].filter((name) => !(BOUNDARIES as readonly string[]).includes(name))).toEqual(
      [],
    );
    expect(boundariesOf(['wiced'])).toContain('pool at 79 %');
    expect(boundariesOf(['wiced'])).not.toContain('sequence across 2^32');
  });

  // Goal: a count means what its name says. Method: one append each, next to the boundary and on it.
  it.each([
    ['float32', 0x8000_0000, ['value one bit set', 'float32 -0']],
    ['uint32', 0x8000_0000, ['value one bit set']],
    ['float32', 0x7fc0_0000, []],
    ['float32', 0x7fc0_0001, ['float32 quiet NaN with payload']],
    ['float32', 0x7f80_0001, ['float32 signalling NaN']],
    ['float32', 0xff80_0000, ['float32 infinite']],
    ['float32', 0x0000_0003, ['float32 subnormal']],
    ['int32', 0x7fff_ffff, ['value one bit clear', 'int32 least and most']],
    ['uint32', 0xffff_ffff, ['value all ones']],
    ['uint32', 0x1234_5678, []],
  ] as const)('of a value: %s %d', (type, valueBits, expected) => {
    const bounds: Bounds = {
      disk: false,
      streams: [{ source: 'host', kind: 'evt', periodMs: 0 }],
      sectors: 100,
      recordsPerSector: { tsd: 6, evt: 2 },
      flushAtSectors: 80,
      quotaBytes: 0,
      segmentBytesMax: 65_536,
    };
    const events: ModelEvent[] = [
      { type: 'OPEN' },
      {
        type: 'RECOVERED',
        storeId: 1,
        epoch: 1,
        streams: [{ appended: 0, head: 0, discarded: 0, evicted: 0 }],
        damaged: [],
        segments: [],
      },
    ];
    const open = events.reduce((state, event) => step(state, event), initialState(bounds));
    const append: ModelEvent = { type: 'APPEND', stream: 0, valueBits, timeMs: 5 };
    const noted: string[] = [];
    boundariesReached(append, open.context, step(open, append).context, type, (name) => noted.push(name));
    expect(noted).toEqual(expected);
  });
});
