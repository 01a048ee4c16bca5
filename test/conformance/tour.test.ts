import { describe, expect, it } from 'vitest';
import { runActions } from '../../conformance/execute.ts';
import { newCoverage } from '../../conformance/model-run.ts';
import { ModelEdges } from '../../conformance/tour/model-edges.ts';
import { runTour } from '../../conformance/tour/run.ts';
import { QUICK_TOUR_SCOPES, TOUR_SCOPES } from '../../conformance/tour/scopes.ts';
import { Walk } from '../../conformance/tour/walk.ts';
import { NO_HARM } from '../../model/scope.ts';
import { can, initialState, step } from '../../model/step.ts';
import { runWith } from './planted-copy.ts';

const tour = () =>
  runTour({
    profiles: ['linux', 'wiced'],
    scopes: QUICK_TOUR_SCOPES,
    command: 'npm run conformance -- --tour --quick',
  });

describe('the tour', () => {
  // Goal: every edge is taken, none is left without a reason, and nothing in it is drawn. Method: the quick scopes twice.
  it('takes every edge of its scopes, and the same way each time', async () => {
    const first = await tour();
    for (const { scope, edges, taken, diverted, model } of first.walks) {
      expect({ scope, taken, diverted, missing: model.missing }).toEqual({
        scope,
        taken: edges,
        diverted: 0,
        missing: [],
      });
      expect(model.covered).toBeGreaterThan(100);
    }
    expect(first.outcome.evidence.failures).toBe(0);
    const second = await tour();
    expect(second.outcome.evidence.traceHash).toBe(first.outcome.evidence.traceHash);
  });

  // Goal: a leg is a trace like any other. Method: write down the actions of one scope's legs and run them as traces.
  it('can be run again from the actions of its legs', async () => {
    const [, linux] = QUICK_TOUR_SCOPES;
    if (linux === undefined) throw new Error('there is a quick scope with a disk');
    const legs: (typeof actions)[] = [];
    let actions: Parameters<typeof runActions>[1][number][] = [];
    let last: unknown = null;
    await new Walk(linux, newCoverage(), (action, run) => {
      if (run !== last) {
        actions = [];
        legs.push(actions);
      }
      last = run;
      actions.push(action);
    }).run(() => {});
    expect(legs.length).toBeGreaterThan(10);
    for (const leg of legs.slice(0, 10)) {
      const outcome = await runActions(linux.scenario, leg);
      expect(outcome.failure).toBeNull();
      expect(outcome.actions).toHaveLength(leg.length);
    }
  });

  // Goal: the tour can fail. Method: bugs in a copy of the engine; one that a call shows, one that only recovery does.
  it.each([
    [
      'a nack leaves the cursor where it is',
      {
        file: 'src/core/store-state.ts',
        search: '    pool.read[slot] = at(pool.head, slot);\n    pool.forgiven[slot] = 0;',
        replace: '    pool.forgiven[slot] = 0;',
      },
    ],
    [
      'a commit does not say that its segments are live',
      {
        file: 'src/core/checkpoint.ts',
        search:
          '  for (const segment of change.added ?? []) encodeSegment(list, segment);\n  for (const segment of forgotten)',
        replace: '  for (const segment of forgotten)',
      },
    ],
  ])('finds that %s', async (_, bug) => {
    const { failures, failure } = await runWith(bug, ['--tour', '--quick']);
    expect(failures).toBeGreaterThan(0);
    expect(failure?.steps).toBeLessThanOrEqual(8);
  });

  // Goal: an edge that nobody saw and nobody explains is a hole. Method: a tally of a state that the tour never went on from.
  it('calls an edge that was not seen and has no reason missing', () => {
    const [scope] = TOUR_SCOPES;
    if (scope === undefined) throw new Error('there is a scope');
    const edges = new ModelEdges(scope);
    const closed = initialState(scope.scope.bounds);
    edges.arrive(closed, NO_HARM, true);
    expect(can(closed, { type: 'OPEN' })).toBe(true);
    expect(edges.tally()).toMatchObject({ states: 1, edges: 1, covered: 0 });
    expect(edges.tally().missing).toHaveLength(1);
    edges.observe(closed, NO_HARM, { type: 'OPEN' }, step(closed, { type: 'OPEN' }), NO_HARM);
    expect(edges.tally()).toMatchObject({ states: 1, passed: 1, covered: 1, missing: [] });
  });

  // Goal: what every scope together is for. Method: their freedoms, not a run: a gate of the report has the counts.
  it('has a scope for each theme: faults, damage, an emergency, a tight quota, a full pool, and no disk', () => {
    expect(TOUR_SCOPES.some(({ faults }) => faults)).toBe(true);
    expect(TOUR_SCOPES.some(({ scope }) => scope.damagesMax > 0)).toBe(true);
    expect(TOUR_SCOPES.some(({ scope }) => scope.emergenciesMax > 0)).toBe(true);
    expect(TOUR_SCOPES.some(({ scope }) => !scope.bounds.disk)).toBe(true);
  });
});
