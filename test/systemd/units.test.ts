/** The units of the package: systemd takes each line of them, and they say what docs/service.md promises. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ROOT, scratchDirectory, writeScratch } from '../cli/scratch.ts';

const UNITS = join(ROOT, 'docs/systemd');
const GATEWAY = 'imatrix-gateway.service';
const METRICS = 'imatrix-mm-metrics.service';
const scratch = scratchDirectory();

const hasAnalyze = spawnSync('systemd-analyze', ['--version']).status === 0;
if (!hasAnalyze) console.warn('systemd-analyze is not installed: the units are held to their keys only');

const textOf = (unit: string): string => readFileSync(join(UNITS, unit), 'utf8');

/** What systemd says against a unit; it ends with 0 also when it has ignored a line. */
function complaints(path: string): string {
  const { status, stdout, stderr } = spawnSync('systemd-analyze', ['verify', path], { encoding: 'utf8' });
  return `${stdout}${stderr}${status === 0 ? '' : `exit code ${status}`}`;
}

/** `[Section] Key` to its values. */
function keysOf(text: string): Map<string, string[]> {
  const found = new Map<string, string[]>();
  let section = '';
  for (const line of text.split('\n')) {
    if (line.startsWith('[')) section = line;
    const [, key, value] = /^([A-Za-z]+)=(.*)$/.exec(line) ?? [];
    if (key === undefined || value === undefined) continue;
    const name = `${section} ${key}`;
    found.set(name, [...(found.get(name) ?? []), value]);
  }
  return found;
}

const BOTH: Readonly<Record<string, readonly string[]>> = {
  '[Unit] StartLimitIntervalSec': ['0'],
  '[Service] Type': ['notify'],
  '[Service] NotifyAccess': ['all'],
  '[Service] Restart': ['always'],
  '[Service] WatchdogSec': ['60s'],
  '[Service] User': ['imatrix'],
  '[Service] StateDirectory': ['imatrix'],
  '[Service] StateDirectoryMode': ['0755'],
  '[Service] NoNewPrivileges': ['yes'],
  '[Service] CapabilityBoundingSet': [''],
  '[Service] ProtectSystem': ['strict'],
  '[Service] ProtectHome': ['yes'],
  '[Service] PrivateTmp': ['yes'],
  '[Service] RestrictNamespaces': ['yes'],
  '[Install] WantedBy': ['multi-user.target'],
};

describe.each([GATEWAY, METRICS])('%s', (unit) => {
  // Goal: systemd takes every line. Method: its own check, which must print nothing.
  test.skipIf(!hasAnalyze)('is taken by systemd without a word', () => {
    expect(complaints(join(UNITS, unit))).toBe('');
  });

  // Goal: watchdog, restart, state directory and hardening stay in. Method: the keys, also where systemd is not installed.
  test('has a watchdog, restarts, a state directory and is hardened', () => {
    const keys = keysOf(textOf(unit));
    const missing = Object.entries(BOTH).filter(([key, values]) => keys.get(key)?.join() !== values.join());
    expect(missing).toEqual([]);
    expect(keys.get('[Service] Environment')).toContain('MEMORY_MANAGER_V2_DISK_PATH=%S/imatrix/storage');
    // Node compiles as it runs: with this key it ends before its first line.
    expect(keys.has('[Service] MemoryDenyWriteExecute')).toBe(false);
  });
});

// Goal: the check above can fail. Method: one wrong value, one unknown key, one program that is not there.
test.skipIf(!hasAnalyze)('a unit that is wrong is complained of', () => {
  const wrong: readonly (readonly [RegExp, string])[] = [
    [/^WatchdogSec=.*$/m, 'WatchdogSec=sixty'],
    [/^Restart=.*$/m, 'Restarts=always'],
    [/^ExecStart=.*$/m, 'ExecStart=/nowhere/at/all'],
  ];
  for (const [i, [line, instead]] of wrong.entries()) {
    const path = writeScratch(scratch, textOf(GATEWAY).replace(line, instead), `wrong-${i}.service`);
    expect(complaints(path), instead).not.toBe('');
  }
});

// Goal: the metrics cannot change what they look at, and the program may. Method: the keys in which the two differ.
test('the metrics are read-only, and close after the program has had its time', () => {
  const [gateway, metrics] = [keysOf(textOf(GATEWAY)), keysOf(textOf(METRICS))];
  expect(metrics.get('[Service] ReadOnlyPaths')).toEqual(['%S/imatrix']);
  expect(gateway.has('[Service] ReadOnlyPaths')).toBe(false);
  expect(gateway.get('[Service] KillMode')).toEqual(['mixed']);
  expect(gateway.get('[Service] TimeoutStopSec')).toEqual(['90s']);
});

// Goal: the command in the unit is one that the package has. Method: its words, with --help behind them.
test('the command of the metrics unit exists', () => {
  const [line = ''] = keysOf(textOf(METRICS)).get('[Service] ExecStart') ?? [];
  const [env, program, command = '', option = ''] = line.split(' ');
  expect([env, program]).toEqual(['/usr/bin/env', 'imatrix-mm']);
  const help = execFileSync(process.execPath, [join(ROOT, 'src/cli/main.ts'), command, '--help'], { encoding: 'utf8' });
  expect(help).toContain(option);
});

// Goal: the page speaks of what is there. Method: each unit of the folder is linked from it.
test('docs/service.md names every unit', () => {
  const page = readFileSync(join(ROOT, 'docs/service.md'), 'utf8');
  const units = readdirSync(UNITS);
  expect(units.sort()).toEqual([GATEWAY, METRICS]);
  expect(units.filter((unit) => !page.includes(`(systemd/${unit})`))).toEqual([]);
});
