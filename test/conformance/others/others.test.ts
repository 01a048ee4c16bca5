// Goal: what the kit says of the checks for others' code is what they do. Method: the mode itself, in short runs: its
// rows, its figures, and a table in which nothing is left out in silence.
import { expect, test } from 'vitest';
import { BROKEN_DISKS } from '../../../conformance/others/broken-disks.ts';
import { runOthers } from '../../../conformance/others/run-others.ts';

test('all that is right passes and all that is wrong is found', async () => {
  const seen: string[] = [];
  const { outcome, rows, skipped } = await runOthers({
    seed: 1,
    runs: 12,
    command: 'again',
    onProgress: ({ what }) => seen.push(what),
  });
  expect(rows.filter(({ wanted, got }) => wanted !== got)).toEqual([]);
  expect(seen).toEqual(rows.map(({ what }) => what));
  const wrong = BROKEN_DISKS.length + (skipped === null ? 3 : 0);
  const right = skipped === null ? 7 : 6;
  expect(outcome.evidence).toMatchObject({
    mode: 'others',
    failures: 0,
    command: 'again',
    figures: { right, passed: right, wrong, found: wrong },
  });
  if (skipped !== null) console.error(`SKIPPED: the store in Python, because ${skipped}`);
});
