/** How a run of the mutants is added up, and how its survivors are found in the list of those that are known. */
import { describe, expect, it } from 'vitest';
import type { MutationReport } from '../../coverage/mutants/figures.ts';
import { figuresOf, survivorsOf, textAt, totalOf, unlisted, withoutSurvivors } from '../../coverage/mutants/figures.ts';
import { strykerPlugins } from '../../coverage/mutants/ignore-messages.ts';
import { CHECKS } from '../../coverage/mutants/kit.ts';

const at = (line: number, from: number, to: number, endLine = line) => ({
  start: { line, column: from },
  end: { line: endLine, column: to },
});
const mutant = (status: string, line: number, replacement: string) => ({
  mutatorName: 'ConditionalExpression',
  replacement,
  status,
  location: at(line, 5, 10),
});

const report = (shift = 0): MutationReport => ({
  files: {
    'src/core/a.ts': {
      source: `${'\n'.repeat(shift)}if (a > b) run();\nif (c > d) run();\n`,
      mutants: [
        mutant('Killed', 1 + shift, 'true'),
        mutant('Timeout', 1 + shift, 'false'),
        mutant('Survived', 2 + shift, 'true'),
        mutant('NoCoverage', 2 + shift, 'false'),
        mutant('Ignored', 2 + shift, ''),
        mutant('RuntimeError', 2 + shift, ''),
      ],
    },
    'src/platform/b.ts': { source: '', mutants: [] },
  },
});

describe('figures of the mutants', () => {
  // Goal: a score is what was seen of what could be. Method: one mutant of each status.
  it('count what was seen, per file and folder', () => {
    const figures = figuresOf(report());
    const counts = { killed: 1, timeout: 1, survived: 1, noCoverage: 1, ignored: 1, score: 50 };
    expect(figures[0]).toEqual({ file: 'src/core/a.ts', ...counts });
    expect(figures[1]?.score).toBeNull();
    expect(totalOf(figures, 'src/core')).toEqual({ file: 'src/core', ...counts });
  });

  // Goal: a survivor is known by its text wherever it stands. Method: the same source with lines before it.
  it('know a survivor again when its line has moved, and each entry once', () => {
    const listed = survivorsOf(report());
    expect(listed).toMatchObject([
      { line: 2, original: 'c > d', replacement: 'false' },
      { line: 2, original: 'c > d', replacement: 'true' },
    ]);
    const moved = survivorsOf(report(3));
    expect(moved[0]?.line).toBe(5);
    expect(unlisted(moved, listed)).toEqual([]);
    expect(unlisted([...moved, ...moved], listed)).toEqual(moved);
    expect(unlisted(moved, listed.slice(1))).toEqual([moved[0]]);
  });

  // Goal: a place over several lines is one line of text. Method: a call over three lines.
  it('show a change over several lines in one', () => {
    expect(textAt('x(\n  a,\n  b);', at(1, 1, 5, 3))).toBe('x( a, b)');
  });

  // Goal: a stronger kit tries again what survived, and nothing else. Method: the report without its survivors.
  it('leave out what survived when it is to be tried again', () => {
    const statuses = (of: MutationReport) => of.files['src/core/a.ts']?.mutants.map(({ status }) => status);
    const left = withoutSurvivors(report(), 'src/core/a.ts');
    expect(statuses(left)).toEqual(['Killed', 'Timeout', 'Ignored', 'RuntimeError']);
    expect(statuses(withoutSurvivors(report(), 'src/platform/b.ts'))).toEqual(statuses(report()));
  });
});

describe('the kit as the only test', () => {
  // Goal: only texts for people are left alone. Method: literals as arguments, with and without a space.
  it('leaves sentences alone and nothing else', () => {
    const call = { type: 'CallExpression', callee: { type: 'Identifier', name: 'failure' } };
    const ignores = (value: string, parent: typeof call | null): boolean =>
      strykerPlugins[0]?.value.shouldIgnore({ node: { type: 'StringLiteral', value }, parent }) !== undefined;
    expect(ignores('the store is closed', call)).toBe(true);
    expect(ignores('CLOSED', call)).toBe(false);
    expect(ignores('the store is closed', null)).toBe(false);
    expect(ignores('the store', { ...call, callee: { type: 'Identifier', name: 'segmentName' } })).toBe(false);
  });

  // Goal: what kills a mutant must pass without one. Method: the cheap checks, on the engine as it is.
  it('passes on the engine as it is', async () => {
    expect(new Set(CHECKS.map(({ name }) => name)).size).toBe(CHECKS.length);
    for (const { run } of CHECKS.slice(0, 5)) await run();
  });
});
