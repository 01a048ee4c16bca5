// Goal: the numbered tests pass on the engine as it is, on both profiles, and each fails on an engine with one line changed.
// Method: all of them in their quick form, in this process; the mutations in threads; the command for its answers.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runMutations } from '../../conformance/harness/mutants.ts';
import { MUTATIONS } from '../../conformance/harness/mutations.ts';
import { runTest } from '../../conformance/harness/run.ts';
import { NUMBERS, TESTS } from '../../conformance/harness/table.ts';

const ROOT = join(import.meta.dirname, '../..');
const MAIN = join(ROOT, 'src/cli/main.ts');
const SEED = 1;

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const harness = (...args: string[]): Promise<Ended> =>
  new Promise((resolve) => {
    execFile(process.execPath, [MAIN, 'harness', ...args], { maxBuffer: 1 << 24 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });

describe('the numbered tests', () => {
  test('are 1 to 42 and 99, each with one mutation', () => {
    const numbers = [...Array.from({ length: 42 }, (_, i) => i + 1), 99];
    expect(NUMBERS).toEqual(numbers);
    expect(MUTATIONS.map(({ test: number }) => number)).toEqual(numbers);
  });

  for (const profile of ['linux', 'wiced'] as const) {
    test(`all pass on ${profile}, in their quick form`, { timeout: 60_000 }, async () => {
      const failed: string[] = [];
      for (const each of TESTS) {
        const { number, failure, checks } = await runTest(each, { profile, seed: SEED, quick: true });
        if (failure !== null) failed.push(`${number}: ${failure}`);
        expect(checks, `${number}`).toBeGreaterThan(1);
      }
      expect(failed).toEqual([]);
    });
  }

  test('each turns red on an engine with its line changed', { timeout: 90_000 }, async () => {
    const rows = await runMutations(MUTATIONS, SEED);
    expect(rows.filter(({ red }) => !red)).toEqual([]);
    expect(rows).toHaveLength(43);
  });
});

describe('the command', () => {
  test('shows a table and ends with the count', async () => {
    const { code, stdout } = await harness('--test=10', '--verbose');
    expect(code).toBe(0);
    expect(stdout).toContain('did: wrote two, read one, acknowledged one');
    expect(stdout).toMatch(/^ {4}10 {2}Data lifecycle {2}passed {2}passed /m);
    expect(stdout.trimEnd().split('\n').at(-1)).toBe('1 passed, 0 failed');
  });

  test('shows what was seen with --detailed, and only the count with --quiet', async () => {
    const detailed = await harness('--test=18', '--platform=wiced', '--detailed');
    expect(detailed.stdout).toContain('saw: before the erase: {"retained":10,"pending":6}');
    const quiet = await harness('--test=18', '--platform=wiced', '--quiet');
    expect(quiet.stdout).toBe('1 passed, 0 failed\n');
  });

  test('as JSON has the same', async () => {
    const { stdout } = await harness('--test=2', '--json', '--seed=9');
    const { seed, passed, failed, tests } = JSON.parse(stdout);
    expect([seed, passed, failed, tests[0].title]).toEqual([9, 1, 0, 'State management']);
    expect(tests[0].results.map((each: { profile: string }) => each.profile)).toEqual(['linux', 'wiced']);
  });

  test.each([
    ['--test=0', "option '--test <n>' argument '0' is invalid"],
    ['--test=43', 'give all, or a number from 1 to 42, or 99'],
    ['--test=x', "'x' is invalid"],
    ['--platform=windows', 'Allowed choices are linux, wiced'],
    ['--nonsense', "unknown option '--nonsense'"],
    ['31', 'too many arguments'],
  ])('answers 2 for %s, in one line', async (argument, said) => {
    const { code, stdout, stderr } = await harness(argument);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(said);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  });
});

test('the page lists every test with its title and its mutation', () => {
  const page = readFileSync(join(ROOT, 'docs/harness.md'), 'utf8');
  for (const { number, title } of TESTS) expect(page).toContain(`| ${number} | ${title} |`);
  for (const { bug } of MUTATIONS) expect(page).toContain(bug);
});
