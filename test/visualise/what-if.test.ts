/**
 * What-if in the page: the model itself runs there, so what it offers, takes and refuses is what it does in Node.
 */
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { modelData } from '../../conformance/visualise/model-data.ts';
import { GUARD_VALUES } from '../../conformance/visualise/shared/guard-values.ts';
import { traceData } from '../../conformance/visualise/trace-data.ts';
import { candidates } from '../../model/candidates.ts';
import { chartOf } from '../../model/chart.ts';
import { guards } from '../../model/guards.ts';
import { LINUX_UPKEEP_SCOPE, NO_HARM } from '../../model/scope.ts';
import type { ModelState } from '../../model/step.ts';
import { can } from '../../model/step.ts';
import type { ModelEvent } from '../../model/vocabulary.ts';
import { useBrowser } from './browser.ts';
import { CRASH_TRACE, EVICTION_TRACE, savedTrace, stepsInNode } from './traces.ts';

const workbench = useBrowser();

async function goTo(page: Page, step: number): Promise<void> {
  await page.locator('input[type=range]').fill(String(step));
  await page.locator(`[data-position="${step}"]`).waitFor();
}

const offered = (page: Page): Promise<ModelEvent[]> =>
  page
    .locator('[data-offer]')
    .evaluateAll((buttons) =>
      buttons.map((button) => JSON.parse(button.getAttribute('data-offer') ?? 'null') as never),
    );

/** Kinds of events that the model takes in the state, by the payloads with which the search tries it. */
function takenInNode(state: ModelState): string[] {
  const scope = {
    ...LINUX_UPKEEP_SCOPE,
    recordsMax: state.context.streams.map(() => 1_000_000),
    recordsPerBlock: 64,
    blocksPerSegment: 8,
    flushCallFrom: 0,
    damagesMax: 1,
    attemptsMax: 100,
  };
  // The search leaves out what changes nothing; the model takes it all the same.
  const idle = state.context.streams.flatMap((_, stream): ModelEvent[] => [
    { type: 'READ', stream, max: 1 },
    { type: 'REVERT', stream },
  ]);
  const heads = state.context.streams.map(({ head }) => head);
  const tried = [
    ...candidates(state, scope, NO_HARM),
    ...idle,
    { type: 'READ_OLDEST', max: 1 },
    { type: 'FLUSH' },
    { type: 'CHECKPOINT', heads },
  ] as const;
  return [...new Set(tried.filter((event) => can(state, event)).map(({ type }) => type))].sort();
}

// Goal: who plays sees all that the model would take, and nothing else. Method: at steps over a whole run the kinds of
// the enabled buttons against those that the model takes of what its own search tries; each button's event is taken.
test('offers as buttons exactly the events that the model takes', async () => {
  const trace = savedTrace(CRASH_TRACE);
  const steps = await stepsInNode(trace);
  const { page } = await workbench.open(await traceData('offers.json', trace));
  const seen = new Set<string>();
  for (const [step, { state }] of steps.entries()) {
    await goTo(page, step);
    const events = await offered(page);
    for (const event of events) expect(can(state, event), `step ${step}: ${JSON.stringify(event)}`).toBe(true);
    const kinds = [...new Set(events.map(({ type }) => type))].sort();
    expect(kinds, `step ${step}`).toEqual(takenInNode(state));
    for (const kind of kinds) seen.add(kind);
  }
  expect(seen.size).toBeGreaterThan(12);
});

// Goal: a refusal is explained. Method: every disabled event at some steps names a guard of the model, or that no
// transition is there; one is looked at with its values.
test('names for each disabled event the guard that says no, with its values', async () => {
  expect(Object.keys(GUARD_VALUES).sort()).toEqual(Object.keys(guards).sort());
  const trace = savedTrace(CRASH_TRACE);
  const { page } = await workbench.open(await traceData('refused.json', trace));
  for (const step of [0, 2, 5, 9]) {
    await goTo(page, step);
    const refusals = await page.locator('[data-refusal]').allTextContents();
    expect(refusals.length).toBeGreaterThan(5);
    for (const refusal of refusals)
      expect(refusal).toMatch(/^(no transition: \S+ does not take [A-Z_]+|([a-zA-Z]+) says no: .+)/);
    for (const [, guard] of refusals.join('\n').matchAll(/([a-zA-Z]+) says no/g))
      expect(Object.keys(guards)).toContain(guard);
  }
  await goTo(page, 2);
  const acknowledge = page.locator('[data-refused=ACKNOWLEDGE] [data-refusal]').first();
  expect(await acknowledge.textContent()).toBe('withinPending says no: n 1, pending 0, lost while pending 0');
  expect(await page.locator('[data-refused] button:not([disabled])').count()).toBe(0);
});

// Goal: playing harms nothing. Method: the data in the file and what the trunk shows, before and after two forks, one
// inside the run and one by a crash point; the fork comes back from its address.
test('keeps forks beside the trunk, which stays byte for byte as it was', async () => {
  const trace = savedTrace(EVICTION_TRACE);
  const { page } = await workbench.open(await traceData('forks.json', trace));
  const trunk = async (): Promise<string> => {
    const shown: string[] = [(await page.locator('#page-data').textContent()) ?? ''];
    for (let step = 0; step <= trace.actions.length; step += 4) {
      await goTo(page, step);
      shown.push((await page.locator('#placement').innerHTML()) + (await page.locator('.words').textContent()));
    }
    return shown.join('\n');
  };
  const before = await trunk();
  await goTo(page, 8);
  await page.locator('[data-event=APPEND]').first().click();
  await page.locator('[data-position="9"]').waitFor();
  await page.locator('[data-event=READ]').first().click();
  await page.locator('[data-position="10"]').waitFor();
  expect(await page.locator('.words').textContent()).toMatch(/^hypothetical: read/);
  expect(await page.locator('[data-fork]').count()).toBe(2);
  const address = page.url();
  await page.locator('[data-fork="0"] button').click();
  await goTo(page, 6);
  await page.locator('[data-crash-point]').first().click();
  expect(await page.locator('[data-fork]').count()).toBe(3);
  expect(await page.locator('#chart').textContent()).toContain('now in ready.ram');
  await page.locator('[data-fork="0"] button').click();
  expect(await trunk()).toBe(before);

  const { page: other } = await workbench.open(await traceData('forks.json', trace), {
    hash: new URL(address).hash.slice(1),
  });
  expect(await other.locator('[data-position]').getAttribute('data-position')).toBe('10');
  expect(await other.locator('.words').textContent()).toMatch(/^hypothetical: read/);
});

// Goal: the model can be played with alone. Method: open, append until a flush is asked for, flush, crash, recover, by
// the buttons only; every transition of the machine is drawn once, and those taken are counted.
test('plays the model alone, and draws every transition of the machine once', async () => {
  const { page, complaints } = await workbench.open(modelData());
  const press = (label: string): Promise<void> => page.getByRole('button', { name: label, exact: true }).click();
  await press('open');
  await press('recovered: everything came through');
  for (let i = 0; i < 4; i++) await press('append to stream 1');
  for (let i = 0; i < 4; i++) await press('append to stream 0');
  await press('flush starts');
  expect(await page.locator('[data-crash-point]').count()).toBeGreaterThan(3);
  await press('flush done');
  expect(await page.locator('#segments').textContent()).toContain('live segment');
  await press('⚡ now, nothing is left of what is not durable');
  expect(await page.locator('[data-invariant][data-truth=fails]').count()).toBe(0);
  const drawn = await page
    .locator('[data-transition]')
    .evaluateAll((groups) => groups.map((group) => group.getAttribute('data-transition')));
  expect([...drawn].sort()).toEqual(
    chartOf()
      .transitions.map(({ id }) => id)
      .sort(),
  );
  expect(new Set(drawn).size).toBe(drawn.length);
  expect(await page.locator('[data-transition="ready APPEND"]').getAttribute('data-count')).toBe('8');
  expect(complaints).toEqual([]);
});
