// Goal: the soak in real time kills, verifies, and goes on where it was, also when it was itself killed.
// Method: an hour and a half of the load at a thousand times its pace on a real directory; the run is killed, started again,
// stopped, started again, and must end with nothing lost, nothing altered, and every kill recovered from.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, test } from 'vitest';

const COMMAND = join(import.meta.dirname, '../../conformance/soak/soak-cli.ts');
const FOLDER = mkdtempSync(join(tmpdir(), 'soak-real-'));
afterAll(() => rmSync(FOLDER, { recursive: true, force: true }));

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** @param stop sent once the run has come so far: the tick in its state file. */
async function soak(
  directory: string,
  args: readonly string[],
  stop?: { signal: NodeJS.Signals; tick: number },
): Promise<Ended> {
  const child = spawn(process.execPath, [COMMAND, '--real', '--directory', directory, ...args]);
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)));
  while (stop !== undefined && child.exitCode === null && tickOf(directory) < stop.tick) await sleep(10);
  if (stop !== undefined) child.kill(stop.signal);
  return { code: await ended, stdout, stderr };
}

function tickOf(directory: string): number {
  try {
    return (JSON.parse(readFileSync(join(directory, 'soak.json'), 'utf8')) as { tick: number }).tick;
  } catch {
    // It has not been written yet.
    return -1;
  }
}

test('a real soak that is killed and stopped on the way ends with nothing lost', async () => {
  const directory = join(FOLDER, 'run');
  const plan = ['--for', '6s', '--speed', '1000', '--seed', '2', '--json'];
  expect((await soak(directory, plan, { signal: 'SIGKILL', tick: 100 })).code).toBeNull();
  const stopped = await soak(directory, plan, { signal: 'SIGTERM', tick: 300 });
  expect(stopped).toMatchObject({ code: 130, stdout: '' });
  expect(stopped.stderr).toMatch(/stopped in good order, \d+ s are left/);
  const other = await soak(directory, ['--for', '7s']);
  expect(other).toMatchObject({ code: 2, stdout: '' });
  expect(other.stderr).toContain('the soak in it is one of --for 6s --seed 2 --speed 1000');
  const { stdout } = await soak(directory, ['--json']);
  const told = JSON.parse(stdout);
  expect(told).toMatchObject({ records: 600_000, corruption: 0, lossOutsideLedger: 0, findings: [] });
  expect(told.device.crashes).toBeGreaterThanOrEqual(8);
  expect(told.device.recovered).toBe(told.device.crashes);
  const missed = told.gates.flatMap(({ id, met }: { id: string; met: boolean }) => (met ? [] : [id]));
  // The hours of so short a run are too few, so many kills in them cost more than a week's share, and the pace is the machine's.
  const depends = ['flushes-per-hour', 'flushes-per-hour-offline', 'wear-reduction', 'pace'];
  expect(missed.filter((id: string) => !depends.includes(id))).toEqual([]);
  expect((await soak(directory, ['--json'])).stderr).toContain('the soak in it has ended');
});

// Goal: nothing of somebody else is touched. Method: places and options that cannot be meant.
test.each([
  ['a directory that holds something else', ['--real', '--directory', '@'], /is not empty and holds no soak/],
  ['days for the real form', ['--real', '--directory', 'x', '--days', '7'], /--days is not for --real/],
  ['a time for the virtual form', ['--for', '24h'], /--for is for --real/],
  ['a time without a unit', ['--real', '--directory', 'x', '--for', '24'], /such as 90s, 10m or 2h/],
])('the real form refuses %s', async (_, args, says) => {
  const other = mkdtempSync(join(FOLDER, 'other-'));
  writeFileSync(join(other, 'mine'), 'thesis');
  const child = spawn(process.execPath, [COMMAND, ...args.map((arg) => (arg === '@' ? other : arg))]);
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const code = await new Promise((resolve) => child.once('close', resolve));
  expect(stderr).toMatch(says);
  expect(stderr.trim().split('\n')).toHaveLength(1);
  expect(code).toBe(2);
});
