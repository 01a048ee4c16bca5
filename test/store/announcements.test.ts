/**
 * What a store announces beside its results, and what may be asked of every append.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openStore, StoreError, type StoreEvent } from '../../src/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'imatrix-mm-announcements-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let directories = 0;
const temporaryDirectory = (): string => join(folder, `${directories++}`);

const EVT = { kind: 'evt' } as const;

describe('the listener that is there from the beginning', () => {
  // Goal: entry and exit of recovery, flush and eviction, in order. Method: a store of which three flushes exceed the quota.
  it('hears entry and exit of recovery, flush and eviction', async () => {
    const events: StoreEvent[] = [];
    const store = await openStore({
      directory: temporaryDirectory(),
      poolBytes: '16KiB',
      sectorBytes: 32,
      quotaBytes: '160KiB',
      freeFloorBytes: 0,
      streamsMax: 8,
      ledgerMax: 64,
      onEvent: (event) => events.push(event),
    });
    const stream = store.stream('host', 1, EVT);
    while (!events.some(({ type }) => type === 'segmentEvicted')) {
      for (let i = 0; i < 600; i++) stream.append(i, i);
      await store.flush();
    }
    await store.close();
    const types = events.map(({ type }) => type);
    expect(types.slice(0, 3)).toEqual(['recoveryStarted', 'recovered', 'flushRequested']);
    expect(types.indexOf('evictionStarted')).toBeGreaterThan(types.indexOf('flushed'));
    expect(types.lastIndexOf('flushStarted')).toBeLessThan(types.indexOf('evictionStarted'));
    const announced = events.reduce((sum, event) => sum + (event.type === 'evictionStarted' ? event.segments : 0), 0);
    expect(types.filter((type) => type === 'segmentEvicted')).toHaveLength(announced);
    expect(types.at(-1)).toBe('closed');
  });

  // Goal: an opening that fails has an exit too. Method: a directory that another store holds.
  it('hears why a store could not be opened', async () => {
    const directory = temporaryDirectory();
    await using _holder = await openStore({ directory });
    const events: StoreEvent[] = [];
    const error = await openStore({ directory, onEvent: (event) => events.push(event) }).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(StoreError);
    expect(events).toEqual([
      { type: 'recoveryStarted' },
      { type: 'recoveryFailed', code: 'LOCKED', message: (error as StoreError).message },
    ]);
  });

  it('is refused when it is none', async () => {
    await expect(openStore({ onEvent: 5 as never })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    await expect(openStore({ flushEachAppend: 'yes' as never })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });
});

// Goal: an acknowledge that is refused is told to more than its caller. Method: more than is pending, and what is no count.
it('announces a refused acknowledge with its reason', async () => {
  await using store = await openStore();
  const events: StoreEvent[] = [];
  store.on('acknowledgeRefused', (event) => events.push(event));
  const stream = store.stream('mgc', 7, EVT);
  stream.append(1);
  expect(() => stream.acknowledge(1)).toThrow(StoreError);
  expect(() => stream.acknowledge(-1)).toThrow(StoreError);
  await stream.read(1);
  expect(stream.acknowledge(1)).toBe(1);
  const key = { source: 'mgc', sensor: 7 };
  expect(events).toEqual([
    { type: 'acknowledgeRefused', key, code: 'BOUNDS_VIOLATION', message: expect.stringContaining('0 are pending') },
    { type: 'acknowledgeRefused', key, code: 'PARAMETER_INVALID', message: expect.stringContaining('-1') },
  ]);
});

describe('each append', () => {
  // Goal: flushEachAppend leaves nothing at risk for longer than a flush takes. Method: append, wait for one flush, look.
  it('asks for a flush when it is told to', async () => {
    await using store = await openStore({ directory: temporaryDirectory(), flushEachAppend: true });
    const stream = store.stream('host', 1, EVT);
    for (const append of [() => stream.append(1), () => stream.appendBits(2), () => stream.appendMany([3, 4])]) {
      const flushed = new Promise<number>((resolve) => {
        const off = store.on('flushed', ({ records }) => {
          off();
          resolve(records);
        });
      });
      append();
      expect(store.stats().atRisk).toBeGreaterThan(0);
      expect(await flushed).toBeGreaterThan(0);
      expect(store.stats().atRisk).toBe(0);
    }
    expect(store.stats().flushes).toBe(3);
  });

  it('waits for the threshold when it is not', async () => {
    await using store = await openStore({ directory: temporaryDirectory() });
    store.stream('host', 1, EVT).append(1);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(store.stats()).toMatchObject({ flushes: 0, atRisk: 1 });
  });

  // Goal: the longest one is known, and only if somebody asked. Method: a clock of the store that takes its time once.
  it('is timed when it is told to', async () => {
    let delayMs = 0;
    const clock = (): number => {
      const endMs = performance.now() + delayMs;
      while (performance.now() < endMs);
      return 1;
    };
    await using store = await openStore({ clock });
    const stream = store.stream('host', 1, EVT);
    stream.append(1);
    expect(store.longestAppendMs).toBeNull();
    store.timeAppends();
    expect(store.longestAppendMs).toBe(0);
    delayMs = 30;
    stream.append(1);
    delayMs = 0;
    stream.appendBits(1);
    expect(store.longestAppendMs).toBeGreaterThanOrEqual(30);
    expect(store.longestAppendMs).toBeLessThan(3000);
  });
});
