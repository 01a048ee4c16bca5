/**
 * The page of a whole run: its counts are the run's own, every transition is drawn once, and a place of a crash opens a
 * run that went there.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { beforeAll, expect, test } from 'vitest';
import { makeOutcome } from '../../conformance/evidence/make.ts';
import type { ModeEvidence } from '../../conformance/evidence/record.ts';
import { edgesOf, runCampaign } from '../../conformance/run.ts';
import { evidenceData, readEvidence } from '../../conformance/visualise/evidence-data.ts';
import { chartOf } from '../../model/chart.ts';
import { useBrowser } from './browser.ts';

const workbench = useBrowser();

let evidence: ModeEvidence;
let page: Page;
let complaints: string[];

beforeAll(async () => {
  const run = { seed: 11, profiles: ['linux'], runs: 25, steps: 100_000, regressions: null } as const;
  const { coverage, seconds, steps, traceHash, failure } = await runCampaign(run);
  const shown = {
    mode: 'random',
    command: 'npm run conformance',
    seed: 11,
    profiles: ['linux'],
    possible: edgesOf(['linux']),
  } as const;
  evidence = makeOutcome({ ...shown, seconds, steps, traceHash, coverage, failure }).evidence;
  const folder = join(workbench.folder, 'evidence');
  mkdirSync(folder);
  writeFileSync(join(folder, 'random.json'), JSON.stringify(evidence));
  const museum: ModeEvidence = {
    ...evidence,
    mode: 'museum',
    cells: [],
    invariants: {},
    edges: { covered: [], possible: [] },
    exhibits: [
      { id: 'V24', bug: 'nack leaves the cursor', caughtBy: 'INV-12', steps: 5, modes: ['random'] },
      { id: 'X1', bug: 'nobody sees this', caughtBy: null, steps: 0, modes: [] },
    ],
  };
  writeFileSync(join(folder, 'museum.json'), JSON.stringify(museum));
  const opened = await workbench.open(await evidenceData(readEvidence(folder)));
  ({ page, complaints } = opened);
});

// Goal: the chart of a whole run says what the run counted. Method: each drawn transition's count against the sum of the
// counts of the edges that it stands for, worked out here from the chart's data.
test('counts each transition as the run did, and draws each once', async () => {
  const { states, transitions } = chartOf();
  const drawn = await page
    .locator('[data-transition]')
    .evaluateAll((groups) =>
      groups.map(
        (group) => [group.getAttribute('data-transition') ?? '', Number(group.getAttribute('data-count'))] as const,
      ),
    );
  expect(drawn.map(([id]) => id).sort()).toEqual(transitions.map(({ id }) => id).sort());
  const resting = states.filter(({ children }) => children.length === 0).map(({ path }) => path);
  for (const [id, count] of drawn) {
    const [from = '', event = ''] = id.split('#')[0]?.split(' ') ?? [];
    const within = resting.filter((path) => path === from || path.startsWith(`${from}.`));
    const expected = within.reduce((sum, path) => sum + (evidence.edges.counts?.[`${path} ${event}`] ?? 0), 0);
    expect(count, id).toBe(expected);
  }
  expect(drawn.reduce((sum, [, count]) => sum + count, 0)).toBeGreaterThan(evidence.steps / 2);
});

// Goal: the heat map is the run's cells. Method: every square against the sum of the evidence, and the sum of all.
test('shows in each square of edges and crash points what the run counted', async () => {
  const squares = await page.locator('[data-edge]').evaluateAll((cells) =>
    cells.map((cell) => ({
      edge: cell.getAttribute('data-edge'),
      io: cell.getAttribute('data-io'),
      count: Number(cell.getAttribute('data-count')),
    })),
  );
  for (const { edge, io, count } of squares) {
    const expected = evidence.cells.filter((cell) => cell.edge === edge && cell.io === io);
    expect(count, `${edge} ${io}`).toBe(expected.reduce((sum, cell) => sum + cell.count, 0));
  }
  const all = evidence.cells.reduce((sum, { count }) => sum + count, 0);
  expect(squares.reduce((sum, { count }) => sum + count, 0)).toBe(all);
  expect(all).toBeGreaterThan(25);
});

// Goal: a square is not a number but a run that can be looked at. Method: open some; the last step is a crash after that
// edge, at that I/O step; and back.
test('opens from a square a run that went there', async () => {
  const squares = page.locator('[data-edge]:has(button:not([disabled]))');
  const places = await squares.evaluateAll((cells) =>
    cells.map((cell) => [cell.getAttribute('data-edge') ?? '', cell.getAttribute('data-io') ?? ''] as const),
  );
  expect(places.length).toBeGreaterThan(5);
  for (const [edge, io] of [0, Math.floor(places.length / 2), places.length - 1].map((at) => places[at] ?? ['', ''])) {
    await page.locator(`[data-edge="${edge}"][data-io="${io}"] button`).click();
    expect(await page.locator('.words').textContent()).toMatch(/(power loss|killed).*→ (RECOVERY_)?CRASH/);
    const facts = await page.locator('#crash').count();
    expect(facts).toBe(1);
    // The page names the operation, the square its kind and what kind of file it was for.
    const kind = io === 'sync directory' ? 'syncDirectory' : io.split(' ')[0];
    if (io !== 'none') expect(await page.locator('#crash').textContent()).toMatch(new RegExp(`${kind}|Nothing`));
    await page.locator('[data-back]').click();
  }
  expect(complaints).toEqual([]);
});

// Goal: an invariant that was never put to the test is seen to be none. Method: the witness counts, and the planted bugs.
test('lists the invariants by witnesses and the planted bugs by who caught them', async () => {
  for (const [id, count] of Object.entries(evidence.invariants)) {
    expect(await page.locator(`[data-witness="${id}"]`).getAttribute('data-count')).toBe(String(count));
  }
  expect(await page.locator('[data-witness=INV-21]').textContent()).toContain('never');
  expect(await page.locator('[data-exhibit=V24]').textContent()).toContain('INV-12');
  expect(await page.locator('[data-exhibit=X1]').textContent()).toContain('✕ nobody');
});
