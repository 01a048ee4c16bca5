/** What systemd is told, and when not: a stand-in for systemd-notify writes down what it was called with. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { serviceNotifier } from '../../src/systemd.ts';
import { ROOT, scratchDirectory, writeScratch } from '../cli/scratch.ts';

const scratch = scratchDirectory();
let tests = 0;

interface Systemd {
  readonly environment: Readonly<Record<string, string>>;
  /** What it was told, in order. */
  told(): string[];
}

/** @param limitMs of the watchdog. */
function standIn(limitMs: number, more: Readonly<Record<string, string>> = {}): Systemd {
  const directory = join(scratch, `${tests++}`);
  const log = join(directory, 'told');
  mkdirSync(directory);
  const command = writeScratch(directory, `#!/bin/sh\necho "$NOTIFY_SOCKET $*" >> '${log}'\n`, 'systemd-notify');
  chmodSync(command, 0o755);
  return {
    environment: {
      PATH: `${directory}:/usr/bin:/bin`,
      NOTIFY_SOCKET: '@s',
      WATCHDOG_USEC: `${limitMs * 1_000}`,
      ...more,
    },
    told: () => (existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : []),
  };
}

const LIFE = '@s WATCHDOG=1';
const livesIn = (told: readonly string[]): number => told.filter((each) => each === LIFE).length;

// Goal: the whole life of a service. Method: ready, wait for signs of life, stop, and wait whether any comes behind it.
test('says that it is ready, then that it lives, then that it ends, and nothing more', async () => {
  const { environment, told } = standIn(100);
  const notifier = serviceNotifier({ environment });
  expect(notifier.everyMs).toBe(50);
  await notifier.ready();
  expect(told()).toEqual(['@s --ready']);
  await expect.poll(() => livesIn(told()), { timeout: 10_000 }).toBeGreaterThan(2);
  await notifier.stopping();
  await expect.poll(() => told().includes('@s STOPPING=1')).toBe(true);
  await sleep(100); // the one that was under way
  const lives = livesIn(told());
  await sleep(200);
  expect(livesIn(told())).toBe(lives);
});

// Goal: the watchdog bites a program that is not well. Method: well, then not, then one whose question throws.
test('gives no sign of life while the program is not well, and says why', async () => {
  const { environment, told } = standIn(100);
  const trouble: string[] = [];
  let isWell = (): boolean => false;
  const notifier = serviceNotifier({ environment, isWell: () => isWell(), onTrouble: (text) => trouble.push(text) });
  onTestFinished(() => notifier.stopping());
  await notifier.ready();
  await expect.poll(() => trouble).toContain('the program is not well: systemd is given no sign of life');
  isWell = () => {
    throw new Error('no samples');
  };
  await expect.poll(() => trouble.some((text) => text.includes('no samples'))).toBe(true);
  expect(livesIn(told())).toBe(0);
  isWell = () => true;
  await expect.poll(() => livesIn(told()), { timeout: 10_000 }).toBeGreaterThan(0);
});

// Goal: outside systemd, and in a process that the watchdog is not of, nothing is sent. Method: take away what systemd gives.
test('does nothing that systemd has not asked for', async () => {
  const alone = standIn(100, { NOTIFY_SOCKET: '' });
  const notifier = serviceNotifier({ environment: alone.environment });
  expect(notifier.everyMs).toBe(null);
  await notifier.ready();
  await notifier.stopping();
  expect(alone.told()).toEqual([]);
  expect(serviceNotifier({ environment: standIn(100, { WATCHDOG_PID: '1' }).environment }).everyMs).toBe(null);
  expect(serviceNotifier({ environment: standIn(100, { WATCHDOG_USEC: '0' }).environment }).everyMs).toBe(null);
  expect(serviceNotifier({ environment: standIn(100, { WATCHDOG_PID: `${process.pid}` }).environment }).everyMs).toBe(
    50,
  );
});

// Goal: a device without the command goes on, and is told. Method: a path on which there is none.
test('says what is missing where there is no systemd-notify', async () => {
  const trouble: string[] = [];
  const environment = { PATH: join(scratch, 'empty'), NOTIFY_SOCKET: '@s' };
  await serviceNotifier({ environment, onTrouble: (text) => trouble.push(text) }).ready();
  expect(trouble).toHaveLength(1);
  expect(trouble[0]).toMatch(/^systemd was not told --ready: there is no systemd-notify; install systemd's tools/);
});

// Goal: the metrics unit comes up, stays alive and ends. Method: its command, with what systemd would give it.
test('serve --metrics tells systemd that it listens, lives and ends', async () => {
  const { environment, told } = standIn(1_000);
  const args = [join(ROOT, 'src/cli/main.ts'), 'serve', '--metrics', '0', scratch];
  const child = spawn(process.execPath, args, { env: environment, stdio: ['ignore', 'pipe', 'inherit'] });
  const gone = once(child, 'exit');
  onTestFinished(() => void child.kill('SIGKILL'));
  await expect.poll(() => livesIn(told()), { timeout: 15_000 }).toBeGreaterThan(0);
  child.kill('SIGTERM');
  expect(await gone).toEqual([0, null]);
  expect([told()[0], told().at(-1)]).toEqual(['@s --ready', '@s STOPPING=1']);
});
