/**
 * The gates of the exploration and of the conformance run are green for figures that prove something, and for no others.
 */
import { describe, expect, test } from 'vitest';
import { judgeConformance, judgeExploration, skipped } from '../../.ci/figures.ts';

const invariants = Array.from({ length: 22 }, (_, i) => ({
  id: `INV-${String(i + 1).padStart(2, '0')}`,
  witnesses: i + 1,
}));

const EXPLORED = { states: 10_000, edges: 1, invariants, mutations: { total: 20, caught: 19, survivors: [] } };
const CONFORMED = { seed: 7, runs: 200, steps: 19_213, failures: 0 };

// Goal: an exploration that says what is asked of it passes, and not a state less. Method: the least that is green,
// then one figure at a time made too small, and the sentence that it must earn.
describe('the exploration', () => {
  test('is green with the least that is asked for, whatever is printed around it', () => {
    const { faults, figures } = judgeExploration(`a warning\n${JSON.stringify(EXPLORED)}\n`);
    expect(faults).toEqual([]);
    expect(figures).toBe('10000 states, 22 invariants, 19/20 mutations');
  });

  test.each([
    ['a state too few', { states: 9_999 }, '9999 states'],
    ['no count of states', { states: undefined }, '0 states'],
    ['an invariant too few', { invariants: invariants.slice(1) }, '21 invariants'],
    ['one invariant twice', { invariants: [...invariants.slice(1), invariants[1]] }, '22 invariants, and'],
    ['a premise that never held', { invariants: [...invariants.slice(1), { id: 'INV-01', witnesses: 0 }] }, 'INV-01'],
    ['a mutation too few', { mutations: { total: 20, caught: 18 } }, '18 of 20 mutations'],
    ['no mutation at all', { mutations: { total: 0, caught: 0 } }, '0 of 0 mutations'],
    ['mutations left out', { mutations: null }, '0 of 0 mutations'],
    ['a fault of its own', { faults: ['INV-03 is broken'] }, 'INV-03 is broken'],
  ])('is red with %s', (_what, change, sentence) => {
    const { faults } = judgeExploration(JSON.stringify({ ...EXPLORED, ...change }));
    expect(faults).toEqual([expect.stringContaining(sentence)]);
  });
});

// Goal: a run that compared nothing, or less than it was asked, is no proof. Method: as above.
describe('the conformance run', () => {
  test('is green when it did what it was asked, without a failure', () => {
    expect(judgeConformance(JSON.stringify(CONFORMED), 200)).toEqual({
      faults: [],
      figures: 'seed 7, 200 runs, 19213 steps, 0 failures',
    });
  });

  test.each([
    ['a run too few', { runs: 199 }, '199 runs'],
    ['no step', { steps: 0 }, 'no step'],
    ['no count of failures', { failures: undefined }, 'no count of failures'],
  ])('is red with %s', (_what, change, sentence) => {
    const { faults } = judgeConformance(JSON.stringify({ ...CONFORMED, ...change }), 200);
    expect(faults).toEqual([expect.stringContaining(sentence)]);
  });

  test('names what failed, and how to see it again', () => {
    const failure = { message: 'head is 3, the model says 2', replay: 'npm run conformance -- --replay x.json' };
    const { faults } = judgeConformance(JSON.stringify({ ...CONFORMED, runs: 12, failures: 1, failure }), 200);
    expect(faults).toEqual(['1 failures', failure.message, failure.replay]);
  });
});

// Goal: a run that died before its report is red. Method: nothing, prose, and a report that was cut off.
test.each(['', 'out of memory', '{"states": 251504, "inva'])('a run that printed %j has not reported', (output) => {
  const noReport = { faults: ['it printed no report'], figures: null };
  expect(judgeExploration(output)).toEqual(noReport);
  expect(judgeConformance(output, 1)).toEqual(noReport);
});

// Goal: a skipped test is seen in the table too. Method: what the reporter prints, with a skip and without.
test('finds the tests that a run left out, with their reasons', () => {
  const printed =
    '3 tests\n\nNOT RUN here:\n  a.test.ts > mounts: needs root\n  b.test.ts > waits: no clock\n\n1 passed';
  expect(skipped(printed)).toEqual(['a.test.ts > mounts: needs root', 'b.test.ts > waits: no clock']);
  expect(skipped('3 tests\n\n3 passed, 0 failed\n')).toEqual([]);
});
