/**
 * `imatrix-mm serve --metrics`: what Prometheus gets, beside a running store and from a closed one, and how it ends.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openStore } from '../../src/index.ts';
import { startOwner } from '../operator/owner.ts';
import { imatrixMm, ROOT, scratchDirectory, writeScratch } from './scratch.ts';

const directory = scratchDirectory();

interface Served {
  readonly url: string;
  /** Ends it as a service manager does. @returns its exit code. */
  stop(): Promise<number | null>;
}

/** Starts the command; it is ended with the test. */
async function serve(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Served> {
  const child = spawn(process.execPath, [join(ROOT, 'src/cli/main.ts'), 'serve', ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const gone = once(child, 'exit') as Promise<[number | null]>;
  const stop = async (): Promise<number | null> => {
    child.kill('SIGTERM');
    return (await gone)[0];
  };
  onTestFinished(async () => void (await stop()));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return { url: (await lines.next()).value as string, stop };
}

const sample = (text: string, name: string): string | undefined =>
  new RegExp(`^imatrix_mm_${name}\\{[^}]*\\} (\\S+)$`, 'm').exec(text)?.[1];

// Goal: the whole way, over two processes, and the store goes on. Method: scrape while it works, after its end, and stop.
test('gives the figures of the running process, then those of its files, and ends when it is told to', async () => {
  const store = join(directory, 'running');
  const owner = await startOwner(store, 'shown');
  const { url, stop } = await serve(['--metrics', '0', store]);
  await owner.tell('append 12');
  const scrape = async (): Promise<string> => {
    const response = await fetch(url);
    expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    return response.text();
  };
  const running = await scrape();
  expect(running).toContain('# HELP imatrix_mm_records_at_risk Records that a power cut now would take');
  expect(running).toContain('# TYPE imatrix_mm_records_appended_total counter');
  expect([sample(running, 'up'), sample(running, 'records_at_risk')]).toEqual(['1', '12']);
  await owner.tell('close');
  await expect.poll(async () => sample(await scrape(), 'open')).toBe('0');
  const closed = await scrape();
  expect([sample(closed, 'up'), sample(closed, 'records_unread')]).toEqual(['0', '12']);
  expect(sample(closed, 'records_at_risk')).toBeUndefined();
  expect((await fetch(new URL('/', url))).status).toBe(200);
  expect((await fetch(new URL('/other', url))).status).toBe(404);
  expect((await fetch(url, { method: 'POST' })).status).toBe(405);
  expect(await stop()).toBe(0);
});

// Goal: a gateway's service needs no directory in its command. Method: none given, a configuration that has one.
test('looks where the configuration says when no directory is given', async () => {
  const store = join(directory, 'configured');
  await (await openStore({ directory: store })).close();
  const file = writeScratch(directory, `[memory_manager_v2]\ndisk_path = ${store}\n`);
  const { url } = await serve(['--metrics', '0'], { MEMORY_MANAGER_V2_CONFIG: file });
  expect(await (await fetch(url)).text()).toContain(`imatrix_mm_readable{store="${store}"} 1`);
});

describe('is refused in one line', () => {
  test.each([
    [['--metrics', '70000'], /'--metrics <port>' argument '70000' is invalid\. give a port from 0 to 65535/],
    [['--metrics', '0', '/nowhere/at/all'], /\/nowhere\/at\/all is no directory: give the one that holds the store/],
    [['--metrics', '0', '--live', directory], /needs --live <place> or --metrics <port>, one of them/],
    [[], /needs --live <place> or --metrics <port>, one of them/],
    [['--live', directory, 'more'], /--live has its place already: leave more out/],
    [['--metrics', '0', '--host', '203.0.113.7', directory], /cannot listen at 203\.0\.113\.7:0: EADDRNOTAVAIL/],
  ])('serve %j', async (args, says) => {
    const { code, stdout, stderr } = await imatrixMm(['serve', ...args]);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(says);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  });

  test('for a port that is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => void other.close());
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const { code, stderr } = await imatrixMm(['serve', '--metrics', `${port}`, directory]);
    expect(code).toBe(2);
    expect(stderr).toContain(`cannot listen at 127.0.0.1:${port}: the port is taken`);
  });
});
