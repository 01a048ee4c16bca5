/**
 * Everybody can use the page: axe finds nothing in either scheme, every control is reached and works by keyboard, and at
 * a desk's width and a phone's nothing lies over anything else.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { makeOutcome } from '../../conformance/evidence/make.ts';
import { runCampaign } from '../../conformance/run.ts';
import { evidenceData } from '../../conformance/visualise/evidence-data.ts';
import { modelData } from '../../conformance/visualise/model-data.ts';
import type { PageData } from '../../conformance/visualise/page-data.ts';
import { traceData } from '../../conformance/visualise/trace-data.ts';
import { useBrowser } from './browser.ts';
import { CRASH_TRACE, savedTrace } from './traces.ts';

const workbench = useBrowser();

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What axe has to say about levels A and AA, each with the places. */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
  const results = (await page.evaluate(`axe.run({ runOnly: ${JSON.stringify(tags)} })`)) as AxeResults;
  expect(results.passes.length).toBeGreaterThan(5);
  return results.violations.map(
    ({ id, nodes }) =>
      `${id}: ${nodes
        .slice(0, 3)
        .map(({ target, failureSummary }) => `${target.join()} ${failureSummary}`)
        .join('; ')}`,
  );
}

/** Pairs of things that are both to be read or pressed, neither within the other, and lie over each other. */
const overlaps = (page: Page): Promise<string[]> =>
  page.evaluate(`(() => {
    const shown = [...document.querySelectorAll('button, select, input, summary, h1, h2, h3, p, td, th, label, kbd, .mark, .bar, .strip, .id, .name, .truth, .block, .meter')]
      .filter((each) => each.checkVisibility() && !each.closest('.unseen') && !each.closest('svg'));
    const name = (each) => each.tagName + '.' + each.className + ' ' + (each.textContent ?? '').slice(0, 30);
    // What a scrolling region hides is not seen.
    const seen = (each) => {
      let { left, top, right, bottom } = each.getBoundingClientRect();
      for (let around = each.parentElement; around !== null; around = around.parentElement) {
        if (getComputedStyle(around).overflow === 'visible') continue;
        const box = around.getBoundingClientRect();
        [left, top, right, bottom] = [Math.max(left, box.left), Math.max(top, box.top), Math.min(right, box.right), Math.min(bottom, box.bottom)];
      }
      return { left, top, right, bottom };
    };
    const boxes = shown.map((each) => ({ each, ...seen(each) })).filter(({ left, top, right, bottom }) => right - left > 1 && bottom - top > 1);
    const found = [];
    for (const [i, a] of boxes.entries()) {
      for (const b of boxes.slice(i + 1)) {
        if (a.each.contains(b.each) || b.each.contains(a.each)) continue;
        const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
        const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
        if (wide > 1 && high > 1) found.push(name(a.each) + ' over ' + name(b.each));
      }
    }
    if (document.documentElement.scrollWidth > innerWidth) found.push('the page is wider than the window');
    return found;
  })()`) as Promise<string[]>;

const crashPage = async (): Promise<PageData> => traceData('access.json', savedTrace(CRASH_TRACE));

const SCHEMES = ['light', 'dark'] as const;
const SIZES: readonly (readonly [width: number, height: number])[] = [
  [1280, 900],
  [400, 800],
];

describe.each(SCHEMES)('in the %s scheme', (colorScheme) => {
  // Goal: WCAG 2.2 AA. Method: axe on each state of the page that has other things in it, at two widths.
  test.each(SIZES)('axe finds nothing and nothing overlaps at %d by %d', async (width, height) => {
    const options: BrowserContextOptions = { colorScheme, viewport: { width, height } };
    const { page } = await workbench.open(await crashPage(), options);
    expect(await overlaps(page), 'first visit').toEqual([]);
    expect(await violations(page), 'first visit').toEqual([]);
    await page.locator('[data-welcome]').click();
    await page.keyboard.press('c');
    await page.locator('#what-if details').evaluate((details) => details.setAttribute('open', ''));
    expect(await overlaps(page), 'at a crash').toEqual([]);
    expect(await violations(page), 'at a crash').toEqual([]);
    await page.locator('[data-offer]').first().click();
    expect(await overlaps(page), 'on a fork').toEqual([]);
    expect(await violations(page), 'on a fork').toEqual([]);
    await page.keyboard.press('?');
    expect(await violations(page), 'help').toEqual([]);
  });
});

/** A small run's evidence: counts, squares, bars. */
async function evidencePage(): Promise<PageData> {
  const run = { seed: 3, profiles: ['linux'], runs: 6, steps: 10_000, regressions: null } as const;
  const { coverage, seconds, steps, traceHash, failure } = await runCampaign(run);
  const shown = { mode: 'random', command: 'npm run conformance', seed: 3, profiles: ['linux'], possible: [] } as const;
  return evidenceData([makeOutcome({ ...shown, seconds, steps, traceHash, coverage, failure }).evidence]);
}

// Goal: as above, for the pages that have no steps. Method: as above.
test('axe finds nothing and nothing overlaps on the pages of the model and of evidence', async () => {
  for (const data of [modelData(), await evidencePage()]) {
    for (const [index, [width, height]] of SIZES.entries()) {
      const colorScheme = SCHEMES[index] as (typeof SCHEMES)[number];
      const { page } = await workbench.open(data, { colorScheme, viewport: { width, height } });
      expect(await overlaps(page), `${data.kind} at ${width}`).toEqual([]);
      expect(await violations(page), `${data.kind} at ${width}`).toEqual([]);
    }
  }
});

// Goal: a mouse is not needed. Method: Tab through the page and note where the focus goes; every control that is shown
// must have been there, visibly focused; then the keys that help names, and controls pressed by Enter and Space.
test('every control is reached and works by keyboard', async () => {
  const { page } = await workbench.open(modelData());
  await page.keyboard.press('Tab');
  const reached = new Set<string>();
  await page.evaluate(`document.querySelectorAll('a, button:not(:disabled), select, input, summary, textarea, [role=button], [tabindex="0"]')
    .forEach((each, i) => { each.dataset.control = String(i); })`);
  const all = (await page.evaluate(
    `[...document.querySelectorAll('[data-control]')].filter((each) => each.checkVisibility()).map((each) => each.dataset.control)`,
  )) as string[];
  expect(all.length).toBeGreaterThan(50);
  for (let presses = 0; presses < all.length + 5; presses++) {
    const at = (await page.evaluate(`(() => {
      const focused = document.activeElement;
      const style = getComputedStyle(focused.matches('g') ? focused.querySelector('.hit') : focused);
      return [focused.dataset.control ?? '', style.outlineStyle !== 'none' || parseFloat(style.strokeWidth) > 2];
    })()`)) as [string, boolean];
    if (at[0] !== '') {
      reached.add(at[0]);
      expect(at[1], `control ${at[0]} shows that it is focused`).toBe(true);
    }
    await page.keyboard.press('Tab');
  }
  expect(all.filter((control) => !reached.has(control))).toEqual([]);

  await page.keyboard.press('?');
  await page.locator('dialog').waitFor();
  await page.keyboard.press('Escape');
  await page.locator('dialog').waitFor({ state: 'detached' });
  await page.keyboard.press('t');
  expect(await page.locator('html').getAttribute('data-theme')).toBe('light');
  await page.keyboard.press('w');
  await page.keyboard.press('Enter');
  await page.locator('[data-position="1"]').waitFor();
  await page.locator('[data-transition="closed OPEN"] [role=button]').focus();
  await page.keyboard.press('Space');
  expect(await page.locator('.details').textContent()).toContain('OPEN in closed');
  await page.locator('input[type=range]').focus();
  await page.keyboard.press('ArrowLeft');
  await page.locator('[data-position="0"]').waitFor();
});
