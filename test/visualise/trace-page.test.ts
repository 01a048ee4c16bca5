/**
 * The page of a trace in a real browser: it needs nothing but its file, goes where it is told, and shows what Node
 * computes.
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { traceData } from '../../conformance/visualise/trace-data.ts';
import { syncedMark } from '../../model/vocabulary.ts';
import { isReady, useBrowser } from './browser.ts';
import { CRASH_TRACE, drawnTrace, EVICTION_TRACE, savedTrace, stepsInNode } from './traces.ts';

const workbench = useBrowser();

const position = async (page: Page): Promise<number> =>
  Number(await page.locator('[data-position]').getAttribute('data-position'));

async function goTo(page: Page, step: number): Promise<void> {
  await page.locator('input[type=range]').fill(String(step));
  await page.locator(`[data-position="${step}"]`).waitFor();
}

// Goal: it opens from a mail or an artefact, without a network, at once, also for a long run.
// Method: 1,000 steps drawn from a seed; every request, error and warning is noted; the page says when it was ready.
test('opens from its file without a request or a complaint, within a second, and takes less than 300 KB', async () => {
  const data = await traceData('long.json', await drawnTrace(5, 1_000));
  expect(data.steps.length).toBe(1_000);
  const { page, requests, complaints } = await workbench.open(data);
  const path = join(workbench.folder, 'page-1.html');
  expect(requests).toEqual([`file://${path}`]);
  expect(complaints).toEqual([]);
  expect(statSync(path).size).toBeLessThan(300_000);
  const readyMs: number[] = [];
  // What else runs on the machine is not the page's: its best of three counts.
  for (let tries = 0; tries < 3; tries++) {
    readyMs.push(Number(await page.locator('html').getAttribute('data-ready')));
    await page.reload();
    await isReady(page);
  }
  expect(Math.min(...readyMs)).toBeLessThan(1_000);
  await page.keyboard.press('End');
  expect(await position(page)).toBe(1_000);
  expect(complaints).toEqual([]);
});

// Goal: what is looked at can be sent to somebody. Method: go to an address, move, reload, and use each key.
test('is where its address says, moves by keys, and is there again after a reload', async () => {
  const trace = savedTrace(CRASH_TRACE);
  const data = await traceData('crash.json', trace);
  const crashes = trace.actions.flatMap(({ do: what }, i) => (what === 'crash' ? [i + 1] : []));
  expect(crashes.length).toBeGreaterThan(0);
  const { page } = await workbench.open(data);
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  expect(await position(page)).toBe(2);
  await page.keyboard.press('c');
  expect(await position(page)).toBe(crashes[0]);
  await page.keyboard.press('ArrowRight');
  await page.reload();
  expect(await position(page)).toBe((crashes[0] as number) + 1);
  await page.keyboard.press('Home');
  expect(await position(page)).toBe(0);
  await page.keyboard.press('v');
  expect(await page.locator('[data-notice]').textContent()).toBe('No invariant fails at any step.');
  await page.keyboard.press('d');
  expect(await page.locator('[data-notice]').textContent()).toBe('Model and engine agree at every step.');
  expect(await position(page)).toBe(0);
  const hash = new URL(page.url()).hash;
  await page.evaluate(`location.hash = ${JSON.stringify(hash.replace('step=0', 'step=5'))}`);
  await page.locator('[data-position="5"]').waitFor();
});

// Goal: a step of another model is never mistaken for one of this. Method: an address with another version.
test('refuses the address of a page of another version of the model, with a sentence', async () => {
  const data = await traceData('crash.json', savedTrace(CRASH_TRACE));
  const { page } = await workbench.open(data, { hash: 'model=0000000000&trace=1a2b3c4d&step=7' });
  const text = await page.locator('[data-refused-address]').textContent();
  expect(text).toMatch(/made for version 0000000000 of the model, and this page has version [0-9a-f]{10}/);
  expect(await position(page)).toBe(0);
  const { page: other } = await workbench.open(data, {
    hash: `model=${/this page has version ([0-9a-f]{10})/.exec(text ?? '')?.[1]}&trace=ffffffff&step=7`,
  });
  expect(await other.locator('[data-refused-address]').textContent()).toContain('another trace');
});

// Goal: the truth that is shown is the truth. Method: for each step of two runs, every invariant's word against what
// the checks say in Node on the states of the run itself.
test.each([CRASH_TRACE, EVICTION_TRACE])('shows at every step of %s the truth that Node computes', async (name) => {
  const trace = savedTrace(name);
  const expected = await stepsInNode(trace);
  const { page } = await workbench.open(await traceData(name, trace));
  for (const [step, { truths }] of expected.entries()) {
    await goTo(page, step);
    const shown = await page
      .locator('[data-invariant]')
      .evaluateAll((rows) => rows.map((row) => [row.getAttribute('data-invariant'), row.getAttribute('data-truth')]));
    expect(Object.fromEntries(shown), `step ${step}`).toEqual(truths);
  }
});

interface ShownPiece {
  readonly from: number;
  readonly to: number;
  readonly reader: string;
  readonly place: string;
  readonly left: number;
  readonly width: number;
}

/** Pieces of each lane as they are drawn, measured by the browser. */
const lanes = (page: Page): Promise<{ pixels: number; pieces: ShownPiece[] }[]> =>
  page.locator('.lane .bar').evaluateAll((bars) =>
    bars.map((bar) => ({
      pixels: bar.clientWidth,
      pieces: [...bar.querySelectorAll('.piece')].map((piece) => {
        const [box, outer] = [piece.getBoundingClientRect(), bar.getBoundingClientRect()];
        const of = (name: string): string => piece.getAttribute(`data-${name}`) ?? '';
        return {
          from: Number(of('from')),
          to: Number(of('to')),
          reader: of('reader'),
          place: of('place'),
          left: box.left - outer.left,
          width: box.width,
        };
      }),
    })),
  );

// Goal: a lane can be trusted to the pixel. Method: every step of a run with evictions and a crash; the pieces are
// compared with the marks of Node's states, and what the browser measures with the lane's width.
test('draws lanes whose pieces are the marks, split at synced, and whose widths add up', async () => {
  const trace = savedTrace(EVICTION_TRACE);
  const expected = await stepsInNode(trace);
  const longest = Math.max(...expected.flatMap(({ state }) => state.context.streams.map(({ appended }) => appended)));
  // Nothing may be on its way when it is measured.
  const { page } = await workbench.open(await traceData('lanes.json', trace), { reducedMotion: 'reduce' });
  for (const [step, { state }] of expected.entries()) {
    await goTo(page, step);
    const shown = await lanes(page);
    expect(shown.length).toBe(state.context.streams.length);
    for (const [index, stream] of state.context.streams.entries()) {
      const { pixels, pieces } = shown[index] as { pixels: number; pieces: ShownPiece[] };
      const { head, read, appended } = stream;
      const where = `step ${step} stream ${index}`;
      const sumOf = (keep: (piece: ShownPiece) => boolean): number =>
        pieces.filter(keep).reduce((sum, { from, to }) => sum + to - from, 0);
      expect(
        sumOf(({ reader }) => reader === 'erased'),
        where,
      ).toBe(head);
      expect(
        sumOf(({ reader }) => reader === 'pending'),
        where,
      ).toBe(read - head);
      expect(
        sumOf(({ reader }) => reader === 'unread'),
        where,
      ).toBe(appended - read);
      expect(
        sumOf(({ place }) => place === 'disk'),
        where,
      ).toBe(syncedMark(stream) - head);
      expect(
        sumOf(({ place }) => place === 'ram'),
        where,
      ).toBe(appended - syncedMark(stream));
      const width = pieces.reduce((sum, piece) => sum + piece.width, 0);
      expect(Math.abs(width - (pixels * appended) / longest), where).toBeLessThanOrEqual(1);
      let left = 0;
      for (const piece of pieces) {
        expect(Math.abs(piece.left - left), where).toBeLessThan(0.01);
        left += piece.width;
      }
    }
  }
});

// Goal: who looks at a power cut sees what it took. Method: the crash's own step, against the run in Node.
test('says at a crash what was durable, kept, lost and torn, in bytes and records', async () => {
  const trace = savedTrace(CRASH_TRACE);
  const data = await traceData('crash.json', trace);
  const at = trace.actions.findIndex(({ do: what }) => what === 'crash') + 1;
  const facts = data.steps[at - 1]?.crash;
  expect(facts).toBeDefined();
  const { page } = await workbench.open(data);
  await goTo(page, at);
  const bytes = (of: 'durable' | 'kept' | 'lost'): string =>
    (facts?.files ?? []).reduce((sum, file) => sum + file[of], 0).toLocaleString('en-US');
  const text = (await page.locator('#crash [data-bytes]').textContent()) ?? '';
  expect(text).toContain(`${bytes('durable')} were durable`);
  expect(text).toContain(`${bytes('kept')} stayed and ${bytes('lost')} went`);
  expect(await page.locator('#crash [data-file]').count()).toBe(facts?.files.length);
  expect(await page.locator('#crash [data-records]').textContent()).toMatch(/Recovery at step \d+ brought back/);
});
