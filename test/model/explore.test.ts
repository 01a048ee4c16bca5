/**
 * Goal: the search visits what it says, a wrong machine does not pass it, and its report cannot call a fault a success.
 * Method: the smallest scopes to their end; machines with a mistake planted; reports of runs that lack something.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { describeTrace } from '../../model/describe.ts';
import { modelPage } from '../../model/diagram.ts';
import { explore } from '../../model/explore.ts';
import { parseOptions } from '../../model/explore-cli.ts';
import { guards } from '../../model/guards.ts';
import { actions, asPredicate, machine } from '../../model/machine.ts';
import { EXPLAINED, mutationsOf, soundPremises, tryMutation, weaken } from '../../model/mutations.ts';
import { faultsOf, reportAsJson, reportAsText } from '../../model/report.ts';
import type { Scope } from '../../model/scope.ts';
import { LINUX_SCOPE, PROFILES, SCOPES, smallBounds, WICED_SCOPE } from '../../model/scope.ts';
import { initialState, step } from '../../model/step.ts';

const TINY: Scope = {
  ...LINUX_SCOPE,
  name: 'tiny',
  bounds: smallBounds(true, 2, 2),
  recordsMax: [1, 1],
  flushCallFrom: 1,
};
const TINY_WICED: Scope = { ...WICED_SCOPE, name: 'tiny wiced', bounds: smallBounds(false, 2, 0), recordsMax: [3, 1] };

describe('the search', () => {
  it('visits every state of a tiny scope of each profile and finds every invariant kept', () => {
    for (const scope of [TINY, TINY_WICED]) {
      const { violation, complete, states, edges } = explore(scope);
      expect(violation).toBeNull();
      expect(complete).toBe(true);
      expect(edges).toBeGreaterThan(states);
    }
  });

  it('finds the same states and edges every time', () => {
    const [once, again] = [explore(TINY), explore(TINY)];
    expect([again.states, again.edges, again.refused]).toEqual([once.states, once.edges, once.refused]);
    expect(again.witnesses).toEqual(once.witnesses);
  });

  it('catches a planted mistake and gives a shortest trace, which replays to the violation', () => {
    const believesInAcknowledges = machine.provide({ guards: { withinPending: () => true } });
    const { violation } = explore(TINY, { rules: believesInAcknowledges });
    expect(violation?.invariant.id).toBe('INV-12');
    expect(violation?.path.map(({ type }) => type)).toEqual(['OPEN', 'RECOVERED', 'ACKNOWLEDGE']);
    let state = initialState(TINY.bounds, believesInAcknowledges);
    for (const event of violation?.path ?? []) state = step(state, event, believesInAcknowledges);
    expect(state.context.streams[0]?.acknowledged).toBe(1);
    expect(describeTrace(violation?.path ?? [], TINY.bounds)[2]).toContain('acknowledge 1 of stream 0');
  });

  it('catches a threshold that is one sector late, or one early', () => {
    for (const flushAtSectors of [3, 1]) {
      const moved = { ...TINY, bounds: { ...TINY.bounds, flushAtSectors } };
      expect(explore(moved).violation?.invariant.id).toBe('INV-08');
    }
  });

  it('catches a crash that may take one synced record', () => {
    const forgetful = machine.provide({
      guards: {
        survivesAsPrefix: asPredicate((context, event) => {
          if (event.type !== 'RECOVERED') return false;
          return event.streams.every(({ appended }, i) => appended <= (context.streams[i]?.appended ?? 0));
        }),
      },
    });
    const { violation } = explore(TINY, { rules: forgetful });
    expect(violation?.invariant.id).toBe('INV-18');
    expect(violation?.witnesses.join()).toMatch(/a second recovery may lose record 0/);
  });

  it('has the scope that was asked for', () => {
    const { bounds, recordsPerBlock, recordsMax } = LINUX_SCOPE;
    expect(bounds.streams.map(({ source, kind }) => [source, kind])).toEqual([
      ['host', 'tsd'],
      ['mgc', 'evt'],
    ]);
    expect([bounds.sectors, bounds.recordsPerSector, bounds.quotaBytes]).toEqual([4, { tsd: 2, evt: 2 }, 3]);
    expect(recordsPerBlock).toBe(2);
    expect(recordsMax.reduce((sum, records) => sum + records, 0)).toBe(6);
    expect(PROFILES.every((profile) => SCOPES[profile].length > 0)).toBe(true);
  });
});

describe('the mutations', () => {
  it('are made from the machine: one for each guard and one for each action it names', () => {
    const list = mutationsOf(machine);
    expect(list.filter(({ kind }) => kind === 'guard').map(({ name }) => name)).toEqual(Object.keys(guards));
    expect(list.filter(({ kind }) => kind === 'assign').map(({ name }) => name)).toEqual(Object.keys(actions));
    const text = JSON.stringify(machine.config, (_, value: unknown) =>
      typeof value === 'function' && 'guards' in value ? value.guards : value,
    );
    for (const { name } of list) expect(text).toContain(`"${name}"`);
  });

  it('are told apart: one that is caught, by what, and one that is not', () => {
    const sound = soundPremises([TINY_WICED]);
    const attempt = (kind: 'guard' | 'assign', name: string) =>
      tryMutation({ kind, name, rules: weaken(kind, name) }, [TINY_WICED], sound);
    expect(attempt('assign', 'lowerRead')).toMatchObject({ caughtBy: 'INV-13', traceLength: 5 });
    expect(attempt('assign', 'countAttempt')).toMatchObject({ caughtBy: 'INV-01', traceLength: 0 });
    expect(attempt('guard', 'withinQuota')).toMatchObject({ caughtBy: null });
  });

  it('have no explanation for a rule that the machine does not have', () => {
    const names = new Set(mutationsOf(machine).map(({ name }) => name));
    expect(Object.keys(EXPLAINED).filter((name) => !names.has(name))).toEqual([]);
  });
});

describe('the report', () => {
  const exploration = explore(TINY_WICED);
  const whole = { outcomes: [], total: 20, caught: 20, survivors: [], stale: [], seconds: 1 };
  const report = { profiles: ['wiced'], explorations: [exploration], mutations: whole, seconds: 1 } as const;

  it('passes a profile whose every invariant was put to the test', () => {
    expect(faultsOf({ ...report, explorations: [exploration] })).toEqual([]);
    expect(reportAsText(report)).toMatch(/ok: every reachable state/);
  });

  it('calls a premise that never held a fault', () => {
    const never = { ...exploration, witnesses: exploration.witnesses.map((held, i) => (i === 12 ? 0 : held)) };
    expect(faultsOf({ ...report, explorations: [never] })).toEqual([
      'INV-13 revert: its premise never held, so the run proves nothing about it',
    ]);
  });

  it('calls a survivor without a reason, a stale reason, and too many survivors a fault', () => {
    const survivors = [{ mutation: 'x', explanation: '' }];
    expect(faultsOf({ ...report, mutations: { ...whole, caught: 19, survivors } })).toHaveLength(1);
    expect(faultsOf({ ...report, mutations: { ...whole, stale: ['y'] } })).toHaveLength(1);
    const explained = [1, 2].map((i) => ({ mutation: `x${i}`, explanation: 'because' }));
    expect(faultsOf({ ...report, mutations: { ...whole, caught: 18, survivors: explained } })).toHaveLength(1);
  });

  it('prints a violation with its trace, and as one JSON object', () => {
    const broken = explore(TINY_WICED, { rules: weaken('assign', 'lowerRead') });
    const failed = { ...report, explorations: [broken], mutations: null };
    expect(reportAsText(failed)).toMatch(
      /INV-13 revert is broken in tiny wiced, after 5 events:[\s\S]*revert stream 0[\s\S]*!! /,
    );
    const json = JSON.parse(reportAsJson(failed)) as { verdict: string; scopes: { violation: { id: string } }[] };
    expect([json.verdict, json.scopes[0]?.violation.id]).toEqual(['failed', 'INV-13']);
  });

  it('takes its options or says in one line what is wrong with them', () => {
    expect(parseOptions(['--json', '--profile', 'wiced'])).toEqual({
      json: true,
      profiles: ['wiced'],
      mutations: true,
    });
    expect(parseOptions(['--profile=both', '--no-mutations'])).toEqual({
      json: false,
      profiles: ['linux', 'wiced'],
      mutations: false,
    });
    expect(parseOptions(['--profile', 'windows'])).toBe("--profile takes linux, wiced or both, not 'windows'");
    expect(parseOptions(['--profile'])).toBe('--profile takes linux, wiced or both, not nothing');
    expect(parseOptions(['--fast'])).toBe("unknown option '--fast'; --help lists what there is");
  });
});

describe('docs/model.md', () => {
  it('is what the machine and the invariants are now', () => {
    const page = readFileSync(join(import.meta.dirname, '../../docs/model.md'), 'utf8');
    expect(page).toBe(modelPage());
  });
});
