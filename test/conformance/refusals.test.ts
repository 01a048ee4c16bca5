/** The refusals: a table that holds, and that does not hold for an engine that accepts one thing more. */
import { describe, expect, it } from 'vitest';
import { CASES, findingOf, runRefusals } from '../../conformance/refusals/run.ts';
import { runWith } from './planted-copy.ts';

describe('refusals', () => {
  // Goal: each case holds, and each is another one. Method: the table.
  it('hold for every call and every setting', async () => {
    for (const each of CASES) expect(await findingOf(each), each.name).toBeNull();
    expect(new Set(CASES.map(({ name }) => name)).size).toBe(CASES.length);
    const { evidence } = await runRefusals({ command: 'test' });
    expect(evidence).toMatchObject({ mode: 'refusals', failures: 0, figures: { cases: CASES.length } });
  });

  // Goal: the table can fail. Method: an engine that takes one byte more, and one that changes something in refusing.
  it.each([
    [
      'a range that is one wider',
      { file: 'src/core/config.ts', search: 'parsed.value > rule.max', replace: 'parsed.value > rule.max + 8' },
    ],
    [
      'a refused acknowledge that moves the mark',
      {
        file: 'src/core/stream-handle.ts',
        search: '    if (!isCount(what)) {\n      return failure(',
        replace: '    if (!isCount(what)) {\n      state.pool.read[this.#slot] = 0;\n      return failure(',
      },
    ],
  ])('see %s', async (_, bug) => {
    const answer = await runWith(bug, ['--refusals']);
    expect(answer.failures).toBeGreaterThan(0);
    expect(answer.failure?.breaks).toBe('refusal');
  });
});
