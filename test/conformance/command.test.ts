/**
 * Goal: the command of the kit says what it did, and how it failed, in the way that people, CI and scripts read.
 * Method: the command as a process, on the sound sources and on a copy with a bug; bad input of every kind.
 */
import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { annotation } from '../../conformance/cli/annotation.ts';
import { duration, jobsOf, positive, seedOf, shardOf } from '../../conformance/cli/arguments.ts';
import { MODE_TABLE } from '../../conformance/cli/modes.ts';
import { progressLine, showDuration } from '../../conformance/cli/rates.ts';
import { EVIDENCE_FORMAT } from '../../conformance/evidence/record.ts';
import { inPlantedCopy } from './planted-copy.ts';

const ROOT = join(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'command-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Answer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function conformance(line: readonly string[], cwd = ROOT, env: Readonly<Record<string, string>> = {}): Promise<Answer> {
  const options = { cwd, env: { ...process.env, GITHUB_ACTIONS: '', ...env }, maxBuffer: 1 << 26 };
  return new Promise((resolve) => {
    execFile(process.execPath, ['conformance/cli/main.ts', ...line], options, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

describe('a run without a failure', () => {
  it('prints one JSON object with every key, and leaves its evidence', async () => {
    const evidence = join(folder, 'evidence');
    const { code, stdout } = await conformance(['--json', '--seed', '7', '--runs', '12', '--evidence', evidence]);
    expect(code).toBe(0);
    expect(stdout.trim().split('\n')).toHaveLength(1);
    const report = JSON.parse(stdout) as Record<string, unknown>;
    expect(report).toMatchObject({ seed: 7, runs: 12, failures: 0 });
    const keys = ['steps', 'stepsPerSecond', 'traceHash', 'regressions', 'events', 'edges', 'invariants', 'crash'];
    expect(Object.keys(report)).toEqual(expect.arrayContaining([...keys, 'edgeCounts', 'starts', 'boundaries']));
    expect(report.edges).toMatchObject({ total: 47, missing: expect.any(Array) });
    expect(report.crash).toEqual({
      images: expect.any(Number),
      recoveries: expect.any(Number),
      doubleCrashes: expect.any(Number),
      failures: 0,
    });
    expect(report).not.toHaveProperty('failure');
    expect(readdirSync(evidence).sort()).toEqual(['random.json', 'regressions.json']);
    const written = JSON.parse(readFileSync(join(evidence, 'random.json'), 'utf8')) as object;
    // Of each append the pool's guard was asked.
    const { guards } = written as { guards: Record<string, { passed: number; refused: number }> };
    const { passed: fitted = 0, refused: full = 0 } = guards.fitsPool ?? {};
    expect(fitted + full).toBe((report.events as { APPEND: number }).APPEND);
    expect(written).toMatchObject({ format: EVIDENCE_FORMAT, mode: 'random', seed: 7, failures: 0 });
  });
});

describe('a run that fails', () => {
  // The owner's nack leaves the cursor: what was read is not read again.
  const bug = {
    file: 'src/core/store-state.ts',
    search: '    pool.read[slot] = at(pool.head, slot);\n    pool.forgiven[slot] = 0;\n',
    replace: '    pool.forgiven[slot] = 0;\n',
  };

  it('ends with 1, saves its trace, shows it last, and tells GitHub where it is', async () => {
    await inPlantedCopy(bug, async (copy) => {
      const line = ['--seed', '7', '--runs', '500', '--no-regressions', '--out', 'found'];
      const { code, stdout, stderr } = await conformance(line, copy, { GITHUB_ACTIONS: 'true' });
      expect(code).toBe(1);
      expect(stdout).not.toContain('no failure');
      const names = readdirSync(join(copy, 'found'));
      const saved = names.find((name) => /(?<!\.itf)\.json$/.test(name));
      const page = names.find((name) => name.endsWith('.html'));
      expect(stderr).toContain(`saved  found/${saved}\nreplay npm run conformance -- --replay found/${saved}\n`);
      expect(page).toBe(saved?.replace('.json', '.html'));
      expect(stderr).toContain(`page   found/${page}\n`);
      expect(stderr).toMatch(/^::error file=found\/.*\.json,line=1,title=conformance%3A .*::.*%0Areplay: npm run/m);
      expect(stderr.trim().split('\n').at(-1)).toMatch(/<< INV-\d\d$|^breaks /);
      expect(stderr.indexOf('step  action  ->')).toBeGreaterThan(stderr.indexOf('::error'));
      const again = await conformance(['--replay', `found/${saved}`], copy);
      expect(again.code).toBe(1);
      // Two jobs find the same, in the same run.
      const found = stderr.match(/FAILED in run \d+/)?.[0];
      const together = await conformance([...line, '--jobs', '2'], copy);
      expect(together.stderr).toContain(found);
    });
  });

  it('is annotated with everything escaped that GitHub reads as its own', () => {
    expect(annotation('INV-02', 'a: 50%\nb', 'x,y:z.json', 'again')).toBe(
      '::error file=x%2Cy%3Az.json,line=1,title=conformance%3A INV-02::a: 50%25%0Ab%0Areplay: again',
    );
  });
});

describe('a reader that goes', () => {
  // Goal: `| head` ends the command, and says nothing. Method: its output is closed before it has written any.
  it('ends the command without a word', async () => {
    const child = spawn(process.execPath, ['conformance/cli/main.ts', '--help'], { cwd: ROOT });
    child.stdout.destroy();
    let stderr = '';
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    const code = await new Promise((resolve) => child.on('close', resolve));
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });
});

describe('bad input', () => {
  it.each([
    [['--shard', '9/8'], /'9\/8' is invalid. give a part of a whole, from 1\/8 to 8\/8/],
    [['--runs', '5', '--steps', '5'], /--runs, --steps and --time each say when to end: give one of them/],
    [['--replay', 'a.json', '--faults'], /are two modes: give one of them/],
    [['--replay', 'there-is-none.json'], /cannot read the trace there-is-none.json/],
    [['surprise'], /too many arguments/],
  ])('%j is one line that says what to give, and 2', async (line, message) => {
    const { code, stdout, stderr } = await conformance(line);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(message);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });

  it('of a number, a part, a time or a number of jobs is refused', () => {
    for (const text of ['', '0', '-1', '1.5', '1G', 'ten']) expect(() => positive(text)).toThrow('whole number');
    expect(() => seedOf('4294967296')).toThrow('from 0 to 4294967295');
    for (const text of ['', '0/8', '9/8', '3', '3/', 'a/b', '1/0']) expect(() => shardOf(text)).toThrow('from 1/8');
    for (const text of ['', '10', '0s', '-1m', '1.5h', '10 m']) expect(() => duration(text)).toThrow('90s, 10m or 2h');
    for (const text of ['0', '257', 'all']) expect(() => jobsOf(text)).toThrow('give a whole number');
    expect([positive('10M'), seedOf('0'), duration('10m'), jobsOf('8')]).toEqual([10_000_000, 0, 600, 8]);
    expect(shardOf('3/8')).toEqual({ number: 3, of: 8 });
  });
});

describe('the screen', () => {
  it('says how far it is, how fast, and how long it will take', () => {
    const tally = { runs: 10, steps: 2_500_000 };
    const steps = { by: 'steps', steps: 10_000_000 } as const;
    expect(progressLine(steps, 10_000_000, tally, 100)).toBe('2500000 of 10000000 steps, 25000 steps/s, 5m 00s left');
    expect(progressLine({ by: 'time', seconds: 600 }, null, tally, 100)).toBe(
      '2500000 steps, 25000 steps/s, 8m 20s left',
    );
    expect([showDuration(45), showDuration(200), showDuration(3_725)]).toEqual(['45s', '3m 20s', '1h 02m']);
  });
});

describe('the table of modes', () => {
  it('has a file for each, and no flag twice', async () => {
    const flags = MODE_TABLE.map(({ flag }) => flag);
    expect(new Set(flags).size).toBe(flags.length);
    expect(flags.filter((flag) => flag === null)).toHaveLength(1);
    for (const { load } of MODE_TABLE) expect((await load()).run).toBeTypeOf('function');
  });
});
