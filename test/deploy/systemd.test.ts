/** The systemd unit of the package, and the messages of a program that runs under it. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { notifier } from '../../src/systemd.ts';
import { ROOT } from '../tools/project-files.ts';

const UNIT = join(ROOT, 'docs/systemd/gateway.service');
const scratch = mkdtempSync(join(tmpdir(), 'imatrix-systemd-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** Keys and values by section. */
function parseUnit(text: string): Record<string, Record<string, string>> {
  const sections: Record<string, Record<string, string>> = {};
  let section = '';
  for (const line of text.split('\n')) {
    const named = /^\[(\w+)\]$/.exec(line)?.[1];
    if (named !== undefined) {
      section = named;
      sections[section] = {};
    }
    const [, key, value] = /^(\w+)=(.*)$/.exec(line) ?? [];
    if (key !== undefined) (sections[section] as Record<string, string>)[key] = value as string;
  }
  return sections;
}

const analyze = spawnSync('systemd-analyze', ['--version']).status === 0;

describe('the unit', () => {
  // Goal: systemd takes it without a word. Method: systemd-analyze verify, and the same with a key that is none.
  it.skipIf(!analyze)('passes systemd-analyze verify, which finds a wrong key', () => {
    const verify = (path: string) => spawnSync('systemd-analyze', ['verify', '--man=no', path], { encoding: 'utf8' });
    const mine = (text: string): string =>
      text
        .split('\n')
        .filter((line) => line.includes('gateway'))
        .join('\n');
    const good = verify(UNIT);
    expect([good.status, mine(good.stderr)]).toEqual([0, '']);
    const wrong = join(scratch, 'gateway.service');
    writeFileSync(wrong, readFileSync(UNIT, 'utf8').replace('WatchdogSec=60', 'WatchDogSecs=60'));
    expect(mine(verify(wrong).stderr)).toContain('WatchDogSecs');
  });

  if (!analyze) console.warn('systemd-analyze is not here: the unit was not given to it (apt-get install systemd)');

  it('watches, restarts, has a state directory and is hardened', () => {
    const { Service = {}, Install } = parseUnit(readFileSync(UNIT, 'utf8'));
    expect(Service).toMatchObject({
      ...{ Type: 'notify', NotifyAccess: 'all', WatchdogSec: '60', Restart: 'always', User: 'imatrix' },
      ...{ StateDirectory: 'imatrix', StateDirectoryMode: '0755', ReadWritePaths: '/var/imatrix' },
      ...{ ProtectSystem: 'strict', NoNewPrivileges: 'yes', CapabilityBoundingSet: '', PrivateTmp: 'yes' },
    });
    // A flush of a full pool on slow flash takes seconds, not minutes.
    expect(Number(Service.TimeoutStopSec)).toBeGreaterThanOrEqual(60);
    expect(Install).toEqual({ WantedBy: 'multi-user.target' });
  });
});

describe('the notifier', () => {
  /** A systemd-notify that writes down what it was given. */
  const said = join(scratch, 'said');
  const fake = join(scratch, 'systemd-notify');
  writeFileSync(fake, `#!/bin/sh\necho "$@" >> ${said}\n`);
  chmodSync(fake, 0o755);
  const under = (more: Record<string, string> = {}) => ({
    PATH: `${scratch}${delimiter}${process.env.PATH}`,
    NOTIFY_SOCKET: '/run/x',
    ...more,
  });
  const lines = (): string[] => readFileSync(said, 'utf8').trim().split('\n');

  // Goal: ready, then signs of life while the program is well, then stopping. Method: a notify command that writes down.
  it('says ready, gives signs of life while all is well, and says stopping', async () => {
    writeFileSync(said, '');
    let alive = true;
    const it = notifier({ environment: under({ WATCHDOG_USEC: '40000' }), isAlive: () => alive });
    expect(it.everyMs).toBe(20);
    await it.ready();
    await expect.poll(() => lines().filter((line) => line === 'WATCHDOG=1').length).toBeGreaterThan(1);
    alive = false;
    await new Promise((done) => setTimeout(done, 100));
    const before = lines().length;
    await new Promise((done) => setTimeout(done, 100));
    expect(lines()).toHaveLength(before);
    await it.stopping();
    expect([lines()[0], lines().at(-1)]).toEqual([`READY=1 MAINPID=${process.pid}`, 'STOPPING=1']);
  });

  it('does nothing outside of systemd, and feeds no watchdog that is another program’s', async () => {
    writeFileSync(said, '');
    const outside = notifier({ environment: { PATH: scratch, WATCHDOG_USEC: '40000' } });
    await outside.ready();
    await outside.stopping();
    expect([outside.everyMs, readFileSync(said, 'utf8')]).toEqual([null, '']);
    expect(notifier({ environment: under({ WATCHDOG_USEC: '40000', WATCHDOG_PID: '1' }) }).everyMs).toBeNull();
    for (const wrong of ['', '0', '-5', 'soon'])
      expect(notifier({ environment: under({ WATCHDOG_USEC: wrong }) }).everyMs).toBeNull();
  });

  it('says why a message could not be sent, and goes on', async () => {
    const errors: string[] = [];
    const it = notifier({
      environment: { PATH: '/nowhere', NOTIFY_SOCKET: '/run/x' },
      onError: (message) => errors.push(message),
    });
    await it.ready();
    expect(errors).toEqual([expect.stringContaining('systemd-notify cannot be run')]);
  });
});
