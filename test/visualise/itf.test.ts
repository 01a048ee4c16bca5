/**
 * The ITF file that the page gives: others can read it, and it comes back as the same states.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ofItf } from '@informalsystems/quint/dist/src/itf.js';
import { expect, test } from 'vitest';
import { readTrace } from '../../conformance/actions.ts';
import { fromItf } from '../../conformance/itf.ts';
import { exportTest } from '../../conformance/replay/export-test.ts';
import { traceData } from '../../conformance/visualise/trace-data.ts';
import { useBrowser } from './browser.ts';
import { CRASH_TRACE, EVICTION_TRACE, savedTrace, stepsInNode } from './traces.ts';

const workbench = useBrowser();

// Goal: what is looked at can be taken to the viewers of others. Method: press the button, let Quint's own reader read
// the file, read it back, and compare every state with those of the run in Node; the file is a trace to run again.
test.each([CRASH_TRACE, EVICTION_TRACE])('of %s is read by Quint, and comes back as the same states', async (name) => {
  const trace = savedTrace(name);
  const expected = await stepsInNode(trace);
  const { page } = await workbench.open(await traceData(`${name}.json`, trace));
  const [download] = await Promise.all([page.waitForEvent('download'), page.locator('[data-itf-button]').click()]);
  expect(download.suggestedFilename()).toBe(`${name}.itf.json`);
  const path = join(workbench.folder, `${name}.itf.json`);
  await download.saveAs(path);
  const itf: unknown = JSON.parse(readFileSync(path, 'utf8'));
  expect(ofItf(itf as Parameters<typeof ofItf>[0])).toHaveLength(expected.length);
  const { trace: again, steps } = fromItf(itf);
  expect(again).toEqual(trace);
  expect(steps.map(({ state }) => [state.value, state.context])).toEqual(
    expected.map(({ state }) => [state.value, state.context]),
  );
  expect(steps.map(({ took }) => took)).toEqual(expected.map(({ events }) => events));
  expect(readTrace(path).actions).toEqual(trace.actions);
});

// Goal: a test is made from what is looked at. Method: the text in the dialog is the one that the kit exports, which has
// tests of its own.
test('stands beside the test that the kit exports', async () => {
  const trace = savedTrace(CRASH_TRACE);
  const { page } = await workbench.open(await traceData('kept.json', trace));
  await page.getByRole('button', { name: 'test', exact: true }).click();
  expect(await page.locator('[data-test]').inputValue()).toBe(exportTest(trace));
});
