/** The checks before and after an installation: each passes on a machine that is well, and each can fail. */
import { describe, expect, it } from 'vitest';
import type { Checked, Facts } from '../../src/deploy/checks.ts';
import { PREFLIGHT, worst } from '../../src/deploy/checks.ts';
import { mountOptionsOf } from '../../src/deploy/facts.ts';
import type { Installed } from '../../src/deploy/installed.ts';
import { checkInstalled } from '../../src/deploy/installed.ts';

const well: Facts = {
  nodeVersion: '24.1.0',
  uid: 7,
  directory: '/var/store',
  found: { isDirectory: true, uid: 7, mode: 0o40755 },
  writable: true,
  space: { freeBytes: 2 ** 30, freeInodes: 1_000_000, type: 0xef53 },
  mountOptions: ['rw', 'noatime'],
  nowMs: Date.UTC(2026, 0, 1),
  steadyMs: 20,
  wallMs: 20,
  quotaBytes: 2 ** 28,
  configurationProblems: null,
  holder: null,
};

const resultOf = (id: string, facts: Facts): Checked | undefined =>
  PREFLIGHT.map((check) => check(facts)).find((checked) => checked.id === id);
const space = (change: Partial<Facts['space']>): Partial<Facts> => ({ space: { ...well.space, ...change } });

describe('preflight', () => {
  it('finds nothing on a machine that is well', () => {
    expect(PREFLIGHT.map((check) => check(well)).filter(({ state }) => state !== 'ok')).toEqual([]);
    const fresh = { ...well, found: null, configurationProblems: [], space: { ...well.space, freeInodes: null } };
    expect(worst(PREFLIGHT.map((check) => check(fresh)))).toBe('ok');
  });

  // Goal: each check can fail, says what it saw, and what to do. Method: one fact changed at a time; the other checks stay well.
  it.each<[string, 'warn' | 'fail', string, Partial<Facts>]>([
    ['node', 'fail', 'Node 22.11.9', { nodeVersion: '22.11.9' }],
    ['node', 'fail', 'Node 20.20.2', { nodeVersion: '20.20.2' }],
    ['configuration', 'fail', 'enabled is maybe', { configurationProblems: ['enabled is maybe'] }],
    ['directory', 'fail', '/var/store is no directory', { found: { isDirectory: false, uid: 7, mode: 0o755 } }],
    ['directory', 'fail', '/var/store cannot be written', { writable: false }],
    ['owner', 'fail', 'user 0, this is 7', { found: { isDirectory: true, uid: 0, mode: 0o755 } }],
    ['mode', 'fail', '775', { found: { isDirectory: true, uid: 7, mode: 0o775 } }],
    ['mode', 'warn', '700', { found: { isDirectory: true, uid: 7, mode: 0o700 } }],
    ['space', 'fail', '256.0 MiB free, the store may take 256.0 MiB', space({ freeBytes: 2 ** 28 - 1 })],
    ['inodes', 'fail', '1,023 free', space({ freeInodes: 1_023 })],
    ['inodes', 'warn', '65,535 free', space({ freeInodes: 65_535 })],
    ['file system', 'fail', 'nfs', space({ type: 0x6969 })],
    ['file system', 'fail', 'tmpfs', space({ type: 0x01021994 })],
    ['file system', 'warn', 'overlayfs', space({ type: 0x794c7630 })],
    ['file system', 'warn', 'type 0x1', space({ type: 1 })],
    ['mount', 'fail', 'ro', { mountOptions: ['ro', 'noatime'] }],
    ['mount', 'fail', 'nobarrier', { mountOptions: ['rw', 'relatime', 'nobarrier'] }],
    ['mount', 'warn', 'data=writeback', { mountOptions: ['rw', 'noatime', 'data=writeback'] }],
    ['mount', 'warn', 'sync', { mountOptions: ['rw', 'noatime', 'sync'] }],
    ['mount', 'warn', 'rw', { mountOptions: ['rw'] }],
    ['mount', 'warn', 'cannot be told', { mountOptions: null }],
    ['clock', 'warn', '1970-01-01T00:00:00.000Z', { nowMs: 0 }],
    ['clock', 'warn', '2100-01-01T00:00:00.000Z', { nowMs: Date.UTC(2100, 0, 1) }],
    ['clock', 'warn', 'it jumped by 980 ms while it was looked at', { wallMs: 1_000 }],
    ['clock', 'fail', 'the steady clock went back', { steadyMs: -1 }],
    ['lock', 'warn', 'pid 9', { holder: 'pid 9' }],
  ])('%s can %s: %s', (id, state, seen, change) => {
    const facts = { ...well, ...change };
    expect(resultOf(id, facts)).toMatchObject({ state, seen });
    expect(resultOf(id, facts)?.remedy.length).toBeGreaterThan(8);
    expect(PREFLIGHT.map((check) => check(facts)).filter((each) => each.state !== 'ok' && each.id !== id)).toEqual([]);
  });

  it('tries every check', () => {
    expect(PREFLIGHT).toHaveLength(11);
  });

  // Goal: the mount that a path lies on is the right one. Method: lines as Linux has them, one point inside another.
  it('reads the mount of a path, the innermost and the last', () => {
    const lines = [
      '1 0 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw,errors=remount-ro',
      '2 1 8:2 / /data rw,noatime - ext4 /dev/sda2 rw,data=ordered',
      '3 1 8:3 / /data ro - ext4 /dev/sda3 ro',
      '4 1 8:4 / /with\\040space rw - xfs /dev/sda4 rw',
    ].join('\n');
    expect(mountOptionsOf('/var', lines)).toEqual(['rw', 'relatime', 'errors=remount-ro']);
    expect(mountOptionsOf('/data/store', lines)).toEqual(['ro']);
    expect(mountOptionsOf('/database', lines)).toEqual(['rw', 'relatime', 'errors=remount-ro']);
    expect(mountOptionsOf('/with space/x', lines)).toEqual(['rw']);
    expect(mountOptionsOf('/x', '')).toBeNull();
  });
});

describe('the checks after an installation', () => {
  const installed: Installed = {
    directory: '/var/store',
    versionText: 'MEMORY_V2 imatrix-memory-manager 2.0.0 (storage format 1)',
    wantedVersion: '2.0.0',
    configurationProblems: [],
    holder: 'pid 9',
    running: true,
    damage: [],
    storeTrouble: null,
    formatTrouble: null,
    unit: { name: 'gateway', active: 'active' },
  };

  it('pass on what is well', () => {
    const checked = checkInstalled(installed);
    expect(checked.map(({ id }) => id)).toEqual([
      'command',
      'version',
      'configuration',
      'format',
      'store',
      'process',
      'unit',
    ]);
    expect(worst(checked)).toBe('ok');
  });

  it.each<[string, Partial<Installed>]>([
    ['command', { versionText: null, wantedVersion: null }],
    ['command', { versionText: 'another program', wantedVersion: null }],
    ['version', { wantedVersion: '2.0.1' }],
    ['version', { wantedVersion: '2.0' }],
    ['configuration', { configurationProblems: ['disk_path is empty'] }],
    ['format', { formatTrouble: 'format version 2' }],
    ['store', { damage: ['host/1.seg: a block'] }],
    ['store', { damage: null, storeTrouble: 'permission denied' }],
    ['process', { holder: null }],
    ['unit', { unit: { name: 'gateway', active: 'failed' } }],
  ])('%s can fail', (id, change) => {
    const failed = checkInstalled({ ...installed, ...change }).filter(({ state }) => state === 'fail');
    expect(failed.map((each) => each.id)).toEqual([id]);
    expect(failed[0]?.remedy.length).toBeGreaterThan(8);
  });
});
