/** What the harness says at its end: a table, what was done and seen, or one JSON object. */
import type { Profile } from '../actions.ts';
import type { Paint } from '../soak/report.ts';
import { tableText, thousands } from '../soak/report.ts';
import type { MutationRow } from './mutants.ts';
import type { TestResult } from './run.ts';

/** One test over the profiles that were asked for; it passed when it passed on each. */
export interface Row {
  readonly number: number;
  readonly title: string;
  readonly results: readonly TestResult[];
}

export const passed = ({ results }: Row): boolean => results.every((result) => result.passed);

export const summary = (rows: readonly Row[]): string =>
  `${rows.filter(passed).length} passed, ${rows.filter((row) => !passed(row)).length} failed`;

export const secondsText = (milliseconds: number): string =>
  milliseconds < 1_000 ? `${milliseconds} ms` : `${(milliseconds / 1_000).toFixed(1)} s`;

export function rowsText(rows: readonly Row[], profiles: readonly Profile[], paint: Paint): string {
  const cells = rows.map(({ number, title, results }) => [
    `${number}`,
    title,
    ...results.map((result) => (result.passed ? 'passed' : paint.red('FAILED'))),
    thousands(results.reduce((sum, { checks }) => sum + checks, 0)),
    secondsText(results.reduce((sum, { milliseconds }) => sum + milliseconds, 0)),
  ]);
  return tableText(['test', 'title', ...profiles, 'comparisons', 'took'], cells, [
    0,
    2 + profiles.length,
    3 + profiles.length,
  ]);
}

/** What one test did, and with `sights` what it saw. */
export function told(result: TestResult, sights: boolean): string[] {
  const { number, title, profile, milliseconds, checks } = result;
  const outcome = result.passed ? 'passed' : 'FAILED';
  return [
    `test ${number}, ${title}, ${profile}: ${outcome}, ${thousands(checks)} comparisons in ${secondsText(milliseconds)}`,
    ...result.deeds.map((deed) => `  did: ${deed}`),
    ...result.figures.map((figure) => `  figure: ${figure}`),
    ...(sights ? result.sights.map((sight) => `  saw: ${sight}`) : []),
  ];
}

/** What was expected and what was seen. */
export function failureText({ number, title, profile, failure, expected, seen }: TestResult): string {
  const compared = expected === null ? [] : [`  expected: ${expected}`, `  seen:     ${seen}`];
  return [`test ${number}, ${title}, on ${profile}: ${failure}`, ...compared].join('\n');
}

export const resultsJson = (rows: readonly Row[], seed: number): string =>
  JSON.stringify({
    seed,
    passed: rows.filter(passed).length,
    failed: rows.filter((row) => !passed(row)).length,
    tests: rows.map((row) => ({ number: row.number, title: row.title, passed: passed(row), results: row.results })),
  });

export function mutationsText(rows: readonly MutationRow[], paint: Paint): string {
  const cells = rows.map(({ test, file, bug, red, said }) => [
    `${test}`,
    file,
    bug,
    red ? 'red' : paint.red('GREEN'),
    said.slice(0, 90),
  ]);
  return tableText(['test', 'file', 'what goes wrong', 'turns', 'what the test said'], cells, [0]);
}

export const mutationsSummary = (rows: readonly MutationRow[]): string =>
  `${rows.filter(({ red }) => red).length} of ${rows.length} turn their test red`;
