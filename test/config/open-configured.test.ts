/**
 * A store as its configuration asks for it: each switch does on a real directory what its effect says.
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { ConfigurationOptions } from '../../src/config/index.ts';
import { loadConfiguration, openConfigured } from '../../src/config/index.ts';
import { openStore, type Store, type StoreEvent } from '../../src/index.ts';
import { LegacyMemoryManager } from '../../src/legacy/manager.ts';
import { observeDirectory } from '../../src/metrics/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'imatrix-mm-configured-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let directories = 0;
const temporaryDirectory = (): string => join(folder, `${directories++}`);

const EVT = { kind: 'evt' } as const;

async function open(options: ConfigurationOptions, onEvent?: (event: StoreEvent) => void): Promise<Store | null> {
  const loaded = loadConfiguration({ file: null, environment: {}, options });
  if (!loaded.ok) throw new Error(loaded.failure.message);
  return openConfigured(loaded.value, onEvent === undefined ? {} : { onEvent });
}

async function opened(options: ConfigurationOptions, onEvent?: (event: StoreEvent) => void): Promise<Store> {
  const store = await open(options, onEvent);
  if (store === null) throw new Error('it is not enabled');
  return store;
}

/** Writes `count` records as an earlier run, synced. */
async function earlierRun(disk_path: string, count: number): Promise<void> {
  const store = await opened({ disk_path });
  for (let i = 0; i < count; i++) store.stream('host', 1, EVT).append(i, i);
  await store.close();
}

/** Everything in a store, by value, without taking it. */
async function contentOf(directory: string): Promise<number[]> {
  await using store = await openStore({ directory });
  const batch = await store.stream('host', 1, EVT).peek(0, 1000);
  return [...batch].map(({ value }) => value);
}

describe('enabled = false', () => {
  // Goal: nothing is opened, made or written. Method: with a log that is asked for, look at the directory.
  test('leaves the disk as it is', async () => {
    const directory = temporaryDirectory();
    const log_file = join(directory, 'mm.log');
    expect(await open({ enabled: false, disk_path: directory, log: 'file', log_file })).toBeNull();
    expect(existsSync(directory)).toBe(false);
  });
});

describe('recovery_enabled = false', () => {
  // Goal: begins anew and destroys nothing. Method: an earlier run, a start without recovery, and both stores opened again.
  test('sets the old store aside, whole, and begins a new one', async () => {
    const directory = temporaryDirectory();
    await earlierRun(directory, 20);
    const store = await opened({ disk_path: directory, recovery_enabled: false });
    expect(store.recovery).toMatchObject({ found: 'new', records: 0 });
    store.stream('host', 1, EVT).append(777, 0);
    await store.close();
    expect(await contentOf(directory)).toEqual([777]);
    expect(await contentOf(join(directory, 'not-recovered-1'))).toEqual(Array.from({ length: 20 }, (_, i) => i));
  });

  test('does so at each start, and makes nothing where there was no store', async () => {
    const directory = temporaryDirectory();
    await (await opened({ disk_path: directory, recovery_enabled: false })).close();
    expect(readdirSync(directory).filter((name) => name.startsWith('not-recovered'))).toEqual([]);
    for (const records of [1, 2]) {
      await (await opened({ disk_path: directory, recovery_enabled: false })).close();
      expect(readdirSync(directory).filter((name) => name.startsWith('not-recovered'))).toHaveLength(records);
    }
  });

  // Goal: nothing is taken from under a program that runs. Method: a store that is open.
  test('is refused while another program has the store open, and touches nothing', async () => {
    const directory = temporaryDirectory();
    await using holder = await opened({ disk_path: directory });
    holder.stream('host', 1, EVT).append(5, 0);
    await holder.flush();
    const events: StoreEvent[] = [];
    await expect(
      opened({ disk_path: directory, recovery_enabled: false }, (event) => events.push(event)),
    ).rejects.toMatchObject({ code: 'LOCKED' });
    expect(events.map(({ type }) => type)).toEqual(['recoveryFailed']);
    expect(readdirSync(directory).filter((name) => name.startsWith('not-recovered'))).toEqual([]);
    expect((await holder.stream('host', 1, EVT).read(9)).length).toBe(1);
  });

  test('and true recovers', async () => {
    const directory = temporaryDirectory();
    await earlierRun(directory, 3);
    expect(await contentOf(directory)).toEqual([0, 1, 2]);
  });
});

describe('flash_wear_minimize = false', () => {
  const WORKLOAD = 20;

  /** The same records and acknowledges, a moment apart; what is at risk at the end, and what the disk was asked for. */
  async function work(
    flash_wear_minimize: boolean,
  ): Promise<{ readonly atRisk: number; readonly bytes: number; readonly syncs: number; readonly again: number[] }> {
    const directory = temporaryDirectory();
    const store = await opened({ disk_path: directory, flash_wear_minimize });
    const before = store.stats();
    const stream = store.stream('host', 1, EVT);
    for (let i = 0; i < WORKLOAD; i++) {
      stream.append(i, i);
      if (!flash_wear_minimize) await expect.poll(() => store.stats().atRisk, { interval: 1 }).toBe(0);
    }
    stream.acknowledge(await stream.read(5));
    await new Promise((resolve) => setTimeout(resolve, 100));
    const { atRisk } = store.stats();
    const durable = store.inspect().streams[0]?.durableHead ?? 0;
    await store.close();
    const after = store.stats();
    const bytes = after.bytesWritten - before.bytesWritten;
    return {
      atRisk,
      bytes,
      syncs: after.syncs - before.syncs,
      again: Array.from({ length: 5 - durable }, (_, i) => i),
    };
  }

  // Goal: next to nothing at risk, acknowledges durable, and what it costs. Method: one workload with either setting.
  test('leaves nothing at risk, makes acknowledges durable, and writes many times as much', async () => {
    const [minimal, prompt] = await Promise.all([work(true), work(false)]);
    expect(minimal).toMatchObject({ atRisk: WORKLOAD - 5, again: [0, 1, 2, 3, 4] });
    expect(prompt).toMatchObject({ atRisk: 0, again: [] });
    expect(prompt.bytes).toBeGreaterThan(3 * minimal.bytes);
    expect(prompt.syncs).toBeGreaterThan(10 * minimal.syncs);
  });
});

// Goal: log = file gives the lines of a life in log_file. Method: open, flush, close, open again; the names in order.
test('a configured log has the life of its store', async () => {
  const directory = temporaryDirectory();
  const log_file = join(directory, 'log/mm.log');
  const options = { disk_path: directory, log: 'file', log_file } as const;
  const store = await opened(options);
  store.stream('host', 1, EVT).append(1, 1);
  await store.close();
  await (await opened({ ...options, recovery_enabled: false })).close();
  await expect.poll(() => readFileSync(log_file, 'utf8').match(/ closed /g)?.length).toBe(2);
  const names = readFileSync(log_file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => line.split(/ +/)[2]);
  expect(names).toEqual([
    ...['recovery-begin', 'recovery-end', 'flush-begin', 'flush-end', 'closed'],
    ...['not-recovered', 'recovery-begin', 'recovery-end', 'closed'],
  ]);
});

// Goal: an application that cannot be changed can be asked all the same. Method: the figures from beside it; then the same
// with a place for the address that is taken.
test('live = true lets other programs ask for figures, and what fails about that stops nobody', async () => {
  const directory = temporaryDirectory();
  const store = await opened({ disk_path: directory, live: true });
  store.stream('host', 1, EVT).append(1, 1);
  const look = observeDirectory(directory);
  expect(await look()).toMatchObject({ isUp: true, figures: { stats: { atRisk: 1 } } });
  await store.close();
  expect(await look()).toMatchObject({ isUp: false, figures: { stats: { retained: 1 } } });

  const unseen = await opened({ disk_path: directory });
  expect(await look()).toMatchObject({ isUp: false, isOpen: true });
  await unseen.close();

  mkdirSync(join(directory, 'live.json'));
  const log_file = join(folder, 'live.log');
  const other = await opened({ disk_path: directory, live: true, log: 'file', log_file });
  expect(await look()).toMatchObject({ isUp: false, isOpen: true });
  await other.close();
  await expect.poll(() => readFileSync(log_file, 'utf8')).toMatch(/ warn {2}live-failed store=.* message=/);
});

// Goal: the old calls do as the file says, without a change of the application. Method: the file is named by a variable
// that every application has around it; the store is asked from beside it.
test('live = true in a file reaches the store behind the old calls', async () => {
  const directory = temporaryDirectory();
  const file = join(folder, 'old.ini');
  writeFileSync(file, `[memory_manager_v2]\ndisk_path = ${directory}\nlive = yes\n`);
  vi.stubEnv('MEMORY_MANAGER_V2_CONFIG', file);
  onTestFinished(() => void vi.unstubAllEnvs());
  const mm = new LegacyMemoryManager();
  expect(await mm.init()).toBe(0);
  expect(await observeDirectory(directory)()).toMatchObject({ isUp: true });
  expect(await mm.shutdown()).toBe(0);
});
