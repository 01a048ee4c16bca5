/**
 * The page of a run in which model and engine part, and of one in which they do not.
 */
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readTrace } from '../../conformance/actions.ts';
import { traceData } from '../../conformance/visualise/trace-data.ts';
import { ROOT } from '../tools/project-files.ts';
import { useBrowser } from './browser.ts';
import { CRASH_TRACE, savedTrace } from './traces.ts';

const workbench = useBrowser();

/** The failure that the first system shipped: a nack leaves the cursor where it was. */
const PLACE = '    pool.read[slot] = at(pool.head, slot);\n    pool.forgiven[slot] = 0;\n';
const BUG = '    pool.head[slot] = at(pool.read, slot);\n    pool.forgiven[slot] = 0;\n';

interface Report {
  readonly failure: { readonly breaks: string; readonly steps: number; readonly message: string };
}

/** Plants the bug in a copy of the engine and lets the conformance run look for it, as a user would. */
async function runPlanted(): Promise<{ report: Report; folder: string }> {
  const folder = join(workbench.folder, 'planted');
  mkdirSync(folder);
  for (const part of ['src', 'model', 'conformance']) cpSync(join(ROOT, part), join(folder, part), { recursive: true });
  cpSync(join(ROOT, 'package.json'), join(folder, 'package.json'));
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  const file = join(folder, 'src/core/store-state.ts');
  const source = readFileSync(file, 'utf8');
  expect(source.split(PLACE).length, 'the place of the bug').toBe(2);
  writeFileSync(file, source.replace(PLACE, BUG));
  const args = [
    'conformance/cli/main.ts',
    '--seed',
    '7',
    '--json',
    '--no-regressions',
    '--no-evidence',
    '--out',
    'found',
  ];
  const stdout = await new Promise<string>((resolve) =>
    execFile(process.execPath, args, { cwd: folder, maxBuffer: 1 << 26 }, (_, out) => resolve(out)),
  );
  return { report: JSON.parse(stdout) as Report, folder: join(folder, 'found') };
}

// Goal: whoever meets a red run sees where it went wrong. Method: a bug planted in a copy; the page that the failing run
// wrote by itself is opened and compared with what the run said.
test('of a failing run is written by itself, and shows the step, the field and the invariants that fail', async () => {
  const { report, folder } = await runPlanted();
  const { breaks, steps } = report.failure;
  const saved = readdirSync(folder);
  const pageName = saved.find((name) => name.endsWith('.html'));
  const traceName = saved.find((name) => name.endsWith('.json') && !name.endsWith('.itf.json'));
  expect(pageName).toBe(traceName?.replace('.json', '.html'));
  expect(readTrace(join(folder, traceName as string)).actions).toHaveLength(steps);
  const { page, complaints } = await workbench.openFile(join(folder, pageName as string));
  expect(await page.locator('[data-title]').textContent()).toContain(`${breaks} fails at ${steps}`);
  await page.keyboard.press('d');
  expect(await page.locator('[data-position]').getAttribute('data-position')).toBe(String(steps));
  expect(await page.locator('[data-verdict=diverged]').getAttribute('data-step')).toBe(String(steps));
  const fields = report.failure.message.split('; ').map((each) => /^(.*?): model (.*), engine (.*)$/.exec(each));
  expect(fields.length).toBeGreaterThan(0);
  for (const found of fields) {
    const [, field, model, engine] = found as RegExpExecArray;
    const text = await page.locator(`[data-difference="${field}"]`).textContent();
    expect(text).toContain(`model ${model}, engine ${engine}`);
    const row = page.locator(`tr[data-field="${field}"]`);
    expect(await row.getAttribute('data-apart')).toBe('true');
  }
  expect(await page.locator('[data-difference]').count()).toBe(fields.length);
  const failing = page.locator('[data-invariant][data-truth=fails]');
  const ids = await failing.evaluateAll((rows) => rows.map((row) => row.getAttribute('data-invariant')));
  expect(ids).toContain(breaks);
  // The formula of revert itself fails on what the engine shows, with its witness.
  expect(ids).toContain('INV-13');
  const findings = await page.locator('[data-invariant=INV-13] [data-finding]').allTextContents();
  expect(findings.join('\n')).toMatch(/stream \d+: revert moved head from \d+ to \d+/);
  await page.keyboard.press('Home');
  await page.keyboard.press('v');
  expect(await page.locator('[data-position]').getAttribute('data-position')).toBe(String(steps));
  expect(complaints).toEqual([]);
});

// Goal: silence is not agreement: a clean run says that it is one. Method: a saved trace of a bug that is no more.
test('of a clean trace says that model and engine agree', async () => {
  const trace = savedTrace(CRASH_TRACE);
  const { page } = await workbench.open(await traceData('clean.json', trace));
  const said = await page.locator('[data-verdict=clean]').textContent();
  expect(said).toMatch(new RegExp(`agree at every one of the ${trace.actions.length} steps; \\d+ fields are`));
  expect(await page.locator('[data-title]').textContent()).toContain('model and engine agree');
});
