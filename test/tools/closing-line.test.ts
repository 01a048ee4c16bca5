/**
 * A run ends with a count that can be trusted: what failed before its first test is a failure, what was skipped is seen.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from './project-files.ts';

// Goal: the last line counts every outcome. Method: a run of its own with one test of each, and a set-up that throws.
test('closes a run with its count, names what did not run, and exits 1', async () => {
  const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs');
  const args = [vitest, 'run', '--config', join(import.meta.dirname, 'fixtures/vitest.config.ts')];
  const { code, stdout } = await new Promise<{ code: unknown; stdout: string }>((resolve) => {
    execFile(process.execPath, args, { cwd: ROOT, env: { ...process.env, NO_COLOR: '1' } }, (error, out) =>
      resolve({ code: error?.code ?? 0, stdout: out }),
    );
  });
  const lines = stdout.trim().split('\n');
  expect(lines.at(-1)).toBe('1 passed, 2 failed, 2 skipped');
  expect(stdout).toContain('NOT RUN here:');
  expect(stdout).toContain('all-outcomes.fixture.ts > says why not: no second disk here');
  expect(stdout).toContain(
    'all-outcomes.fixture.ts > with a set-up that fails > never starts: the set-up before it failed',
  );
  expect(code).toBe(1);
});
