/**
 * Goal: the old calls go through the same generated sequences as the engine and keep to the model, and a layer that does
 * not is found, told and replayed. Method: seeded runs in every way of calling, the planted bugs, the command itself.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { CALLS } from '../../conformance/legacy/legacy-store.ts';
import { PLANTED } from '../../conformance/legacy/planted.ts';
import { asFailure, findPlanted, replayLegacy, subjectOf } from '../../conformance/legacy/run-legacy.ts';
import { judgeRuns } from '../../conformance/others/store-run.ts';
import { LegacyMemoryManager } from '../../src/legacy/manager.ts';
import { ROOT } from '../tools/project-files.ts';

const OPTIONS = { seed: 5, runs: 12, steps: 50 } as const;

describe('the old calls', () => {
  const ways = CALLS.flatMap((calls) => (['linux', 'wiced'] as const).map((profile) => ({ calls, profile })));

  test.each(ways)('called by $calls keep to the model ($profile)', async ({ calls, profile }) => {
    const subject = subjectOf(calls, profile, LegacyMemoryManager);
    const { failure, steps } = await judgeRuns(subject, { ...OPTIONS, timeoutMs: 10_000 });
    expect(failure).toBeNull();
    expect(steps).toBeGreaterThan(100);
  });

  // Goal: the runs are not empty. Method: what the model took of them, crashes and failed flushes included.
  test('take every event that an application can cause', async () => {
    const subject = subjectOf('mixed', 'linux', LegacyMemoryManager);
    const { coverage } = await judgeRuns(subject, { ...OPTIONS, runs: 30, timeoutMs: 10_000 });
    for (const event of ['APPEND', 'READ', 'ACKNOWLEDGE', 'REVERT', 'FLUSH', 'FLUSH_FAILED', 'CRASH', 'RECOVERED'])
      expect(coverage.events.get(event) ?? 0, event).toBeGreaterThan(0);
    for (const id of ['INV-02', 'INV-03', 'INV-13', 'INV-15', 'INV-16', 'INV-17'])
      expect(coverage.witnesses.get(id) ?? 0, id).toBeGreaterThan(0);
  });

  test('are judged the same for the same seed', async () => {
    const run = async (seed: number): Promise<string> => {
      const subject = subjectOf('entry', 'linux', LegacyMemoryManager);
      return (await judgeRuns(subject, { ...OPTIONS, seed, timeoutMs: 10_000 })).traceHash;
    };
    expect(await run(3)).toBe(await run(3));
    expect(await run(4)).not.toBe(await run(3));
  });
});

describe('a bug in the layer', () => {
  // Goal: found, and its trace is the bug's and not the layer's. Method: replay with the bug and without it.
  test.each(PLANTED)('$bug: is found, and its trace shows it again', async ({ calls, Manager, ...bug }) => {
    const { failure } = await findPlanted({ calls, Manager, ...bug }, OPTIONS);
    expect(failure?.breaks).toMatch(/^INV-/);
    if (failure === null) return;
    expect(failure.told.length).toBeLessThan(60);
    const { trace } = asFailure(failure, OPTIONS.seed);
    expect((await replayLegacy(trace, calls, Manager))?.breaks).toMatch(/^INV-/);
    expect(await replayLegacy(trace, calls)).toBeNull();
  });
});

describe('npm run conformance -- --legacy', () => {
  async function kit(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
    const line = ['conformance/cli/main.ts', '--legacy', ...args];
    try {
      return { code: 0, ...(await promisify(execFile)(process.execPath, line, { cwd: ROOT })) };
    } catch (error) {
      return error as { code: number; stdout: string; stderr: string };
    }
  }

  test('ends with 0 and one JSON object, saved traces first', async () => {
    const evidence = mkdtempSync(join(tmpdir(), 'imatrix-mm-legacy-evidence-'));
    onTestFinished(() => rmSync(evidence, { recursive: true }));
    const { code, stdout } = await kit('--seed', '2', '--runs', '4', '--json', '--evidence', evidence);
    expect(code).toBe(0);
    const written = JSON.parse(readFileSync(join(evidence, 'legacy.json'), 'utf8')) as object;
    const { length } = PLANTED;
    expect(written).toMatchObject({ mode: 'legacy', failures: 0, figures: { planted: length, found: length } });
    const { rows, ...report } = JSON.parse(stdout) as { rows: { what: string; right: boolean }[] };
    expect(report).toMatchObject({ seed: 2, failures: 0 });
    expect(rows[0]?.what).toBe('legacy-counter-set-back.json, entry calls');
    expect(rows.slice(-PLANTED.length).map(({ what }) => what)).toEqual(PLANTED.map(({ bug }) => bug));
  });

  test('ends with 1 at a failure, saves its trace, and its replay command shows the same', async () => {
    const out = mkdtempSync(join(tmpdir(), 'imatrix-mm-legacy-'));
    onTestFinished(() => rmSync(out, { recursive: true }));
    const { code, stderr } = await kit('--seed', '2', '--plant', 'read-consumes', '--out', out);
    expect(code).toBe(1);
    expect(stderr).toMatch(/--legacy, entry calls, breaks INV-\d\d \(/);
    const saved = join(out, readdirSync(out)[0] as string);
    const again = await kit('--replay', saved, '--calls', 'entry', '--plant', 'read-consumes');
    expect(again.code).toBe(1);
    expect((await kit('--replay', saved, '--calls', 'entry')).code).toBe(0);
  });

  test.each([[['--plant', 'nothing']], [['--replay', 'no/such.json']]])(
    'ends with 2 and one line for %j',
    async (args) => {
      const { code, stderr } = await kit(...args);
      expect(code).toBe(2);
      expect(stderr.trim().split('\n')).toHaveLength(1);
    },
  );
});
