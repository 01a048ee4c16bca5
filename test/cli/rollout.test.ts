/** The command `imatrix-mm rollout`: files in, a decision out. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { imatrixMm } from './scratch.ts';

const runCli = async (...args: string[]) => {
  const { code, stdout, stderr } = await imatrixMm(args);
  return { exitCode: code, stdout, stderr };
};

const folder = mkdtempSync(join(tmpdir(), 'imatrix-rollout-'));
afterAll(() => rmSync(folder, { recursive: true }));

const file = (name: string, content: unknown): string => {
  const path = join(folder, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
};

const NOW = '2026-01-31T08:00:00Z';
const report = (device: string, change: object = {}) => ({
  device,
  atMs: Date.parse(NOW) - 1000,
  observedMs: 8 * 86_400_000,
  corruption: 0,
  flushesPerHour: 0,
  bytesWrittenPerDay: 1,
  baselineBytesPerDay: 100,
  crashes: 0,
  recoveries: 0,
  operationsPerSecond: 2_000_000,
  errorRate: 0,
  ...change,
});

const fleet = file('fleet.json', {
  devices: [
    { id: 'desk', group: 'dev' },
    { id: 'lab', group: 'staging' },
  ],
});
const good = file('good.json', [report('desk'), report('lab')]);
file('folder/desk.json', report('desk'));
file('folder/lab.json', report('lab', { flushesPerHour: 4 }));
file('folder/readme.txt', 'no report');

const rollout = (...flags: string[]) => runCli('rollout', fleet, '--stage', 'staging', '--now', NOW, ...flags);

describe('imatrix-mm rollout', () => {
  // Goal: the exit code is the decision, the line the figure that decided. Method: good and bad reports, a file and a folder.
  it('says go with 0', async () => {
    const { stdout, exitCode } = await rollout('--reports', good);
    expect(stdout).toContain('GO\nthe next stage may begin');
    expect(stdout).toContain('12 figures within their limits');
    expect(exitCode).toBe(0);
    const all = file('all.json', [report('desk'), report('lab'), report('gw')]);
    const whole = file('whole.json', [
      { id: 'desk', group: 'dev' },
      { id: 'lab', group: 'staging' },
      { id: 'gw', group: 'production' },
    ]);
    const last = await runCli('rollout', whole, '--stage', 'full', '--now', NOW, '--reports', all);
    expect(last.stdout).toContain('the rollout is complete');
  });

  it('says hold with 1 and names the figure', async () => {
    const { stdout, exitCode } = await rollout('--reports', join(folder, 'folder'));
    expect(stdout).toContain('HOLD: lab, flushes is 4, it must be under 1');
    expect(exitCode).toBe(1);
  });

  it('says roll back with 1, as JSON too', async () => {
    const bad = file('bad.json', [report('desk', { corruption: 2 }), report('lab')]);
    expect((await rollout('--reports', bad)).stdout).toContain(
      'ROLL BACK: desk, corruption is 2, it must be 0 over 7 days',
    );
    const { stdout, exitCode } = await rollout('--reports', bad, '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      decision: 'roll back',
      stage: 'staging',
      members: ['lab'],
      because: { device: 'desk', gate: 'corruption', measured: '2' },
    });
    expect(exitCode).toBe(1);
  });

  // Goal: a mistake in a file is named with its place, and nothing is decided. Method: one of each kind.
  it.each([
    ['no JSON', '{', 'is no JSON'],
    ['no list', {}, 'has no list of devices; give { "devices": [ ... ] }'],
    ['no object', [3], 'device 1: is no object'],
    ['no id', [{ group: 'dev' }], 'device 1: has no id'],
    [
      'twice',
      [
        { id: 'a', group: 'dev' },
        { id: 'a', group: 'dev' },
      ],
      'device 2: a is there twice',
    ],
    ['group', [{ id: 'a', group: 'prod' }], 'device 1 (a): group is prod; give one of dev, staging, production'],
    ['pilot', [{ id: 'a', group: 'dev', pilot: 'yes' }], 'pilot is yes; give true or false'],
    ['stray', [{ id: 'a', group: 'dev', pilots: true }], 'pilots is no field'],
  ])('refuses a fleet: %s', async (name, content, message) => {
    const path = file(`wrong-${name}.json`, content);
    const { stderr, stdout, exitCode } = await runCli('rollout', path, '--stage', 'dev', '--reports', good);
    expect([exitCode, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });

  it.each([
    ['no object', [[]], 'report 1: is no object'],
    ['no device', {}, 'has no device; give its id as "device"'],
    ['text', { device: 'desk', corruption: '0' }, '(desk): corruption is "0"; give a number, or leave it out'],
    ['stray', { device: 'desk', corrupted: 0 }, 'corrupted is no figure of a report; the figures are atMs'],
  ])('refuses a report: %s', async (name, content, message) => {
    const content2 = name === 'no object' ? [[], report('desk')] : content;
    const { stderr, exitCode } = await rollout('--reports', file(`report-${name}.json`, content2));
    expect(exitCode).toBe(2);
    expect(stderr).toContain(message);
  });

  it('refuses a path that is not there, a stage that is none, and a time that is none', async () => {
    expect((await rollout('--reports', join(folder, 'nowhere'))).stderr).toContain('no such file or directory');
    const stage = await runCli('rollout', fleet, '--reports', good, '--stage', 'all');
    expect([stage.exitCode, stage.stderr.includes('dev, staging, pilot, full')]).toEqual([2, true]);
    const time = await runCli('rollout', fleet, '--reports', good, '--stage', 'dev', '--now', 'soon');
    expect([time.exitCode, time.stderr.includes('2026-01-31T08:00:00Z')]).toEqual([2, true]);
  });
});
