/** docs/gates.md: each command of the day is accepted, and measures the gates that stand beside it. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT, scratchDirectory } from '../cli/scratch.ts';

const scratch = scratchDirectory();

interface Day {
  readonly gates: readonly string[];
  readonly command: string;
}

const table: readonly Day[] = readFileSync(join(ROOT, 'docs/gates.md'), 'utf8')
  .split('\n')
  .filter((line) => /^\|.*`npm run|^\|.*`npx imatrix-mm/.test(line))
  .map((line) => {
    const [, gates = '', command = ''] = line.split('|');
    const quoted = (text: string): string[] => [...text.matchAll(/`([^`]+)`/g)].map(([, each]) => each as string);
    return { gates: quoted(gates), command: quoted(command)[0] ?? '' };
  });

/** Runs the words of a command of the page from the sources. */
function run(entry: string, args: readonly string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [join(ROOT, entry), ...args], { cwd: ROOT });
  const end = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => {
    end.stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    end.stderr += chunk.toString();
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, ...end }));
  });
}

const commandOf = (words: string): string => table.find(({ command }) => command.startsWith(words))?.command ?? '';

/** Ids of the gates that a soak prints. A short one misses those for which it has not enough hours: exit code 1. */
async function soakGates(command: string, ...more: readonly string[]): Promise<string[]> {
  const args = command.split(' ').slice(2);
  const { code, stdout, stderr } = await run('src/cli/main.ts', [...args, '--seed', '1', '--json', ...more]);
  expect([0, 1], stderr).toContain(code);
  return (JSON.parse(stdout) as { gates: { id: string }[] }).gates.map(({ id }) => id);
}

// Goal: none is forgotten below. Method: the table is the three commands that this file runs.
test('the page has one command for each kind of gate', () => {
  expect(table.map(({ command }) => command.split(' ').slice(0, 4).join(' '))).toEqual([
    'npm run conformance --',
    'npx imatrix-mm soak --real',
    'npx imatrix-mm soak --days',
  ]);
  expect(table.slice(0, 2).every(({ command }) => command.includes(' 24h'))).toBe(true);
});

// Goal: the conformance run of a day is accepted and passes. Method: a second of it, away from an interrupted long run.
test('the conformance run takes a time', async () => {
  const [, args = ''] = commandOf('npm run conformance').replace('24h', '1s').split(' -- ');
  const away = ['--no-evidence', '--no-regressions', '--out', scratch, '--resume', join(scratch, 'state.json')];
  const { code, stdout, stderr } = await run('conformance/cli/main.ts', [...args.split(' '), '--seed', '7', ...away]);
  expect(code, `${stdout}${stderr}`).toBe(0);
});

// Goal: as above for the real soak, and the page names its gates. Method: two seconds of it; the ids that it prints.
test('the real soak measures the gates that the page names', async () => {
  const command = commandOf('npx imatrix-mm soak --real')
    .replace('24h', '2s')
    .replace('soak-store', join(scratch, 'real'));
  expect(await soakGates(command, '--speed', '100')).toEqual(table[1]?.gates);
});

// Goal: as above in virtual time, which has the throughput. Method: a twentieth of a day of it.
test('the soak in virtual time measures the same gates, and the throughput', async () => {
  const command = commandOf('npx imatrix-mm soak --days').replace('--days 1', '--days 0.05');
  const expected = table[1]?.gates.map((id) => (id === 'pace' ? 'throughput' : id));
  expect(await soakGates(command)).toEqual(expected);
  expect(table[2]?.gates).toEqual(['throughput']);
});
