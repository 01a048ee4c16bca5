/**
 * The coverage gate adds up what c8 wrote, and is red when it measured nothing.
 */
import { expect, test } from 'vitest';
import { coverageRows } from '../../coverage/summary.ts';

const count = (covered: number, total: number) => ({ covered, total });

const SUMMARY = {
  total: { lines: count(1, 1), branches: count(1, 1) },
  '/p/src/core/a.ts': { lines: count(90, 100), branches: count(8, 10) },
  '/p/src/core/b.ts': { lines: count(5, 100), branches: count(0, 0) },
  '/p/src/corelike/c.ts': { lines: count(100, 100), branches: count(10, 10) },
};

// Goal: a folder's figure is that of its files together, not of the rest. Method: two files in it, one beside it.
test('adds up the files of a folder and of no other', () => {
  const rows = coverageRows(SUMMARY, '/p', { 'src/core': { lines: 47.5, branches: 81 } });
  expect(rows).toEqual([
    { folder: 'src/core', files: 2, measure: 'lines', percent: 47.5, demand: 47.5, met: true },
    { folder: 'src/core', files: 2, measure: 'branches', percent: 80, demand: 81, met: false },
  ]);
});

// Goal: a gate that measured nothing is red. Method: a folder of which the report knows no file.
test('counts a folder that was never seen as 0 percent', () => {
  const rows = coverageRows(SUMMARY, '/p', { 'src/platform': { lines: 1, branches: 1 } });
  expect(rows.map(({ percent, met }) => [percent, met])).toEqual([
    [0, false],
    [0, false],
  ]);
});
