/**
 * The store as a Node program uses it: on a real directory, through the public interface only.
 */

import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Code, EngineEvent, SensorRecord, StoreOptions } from '../../src/index.ts';
import { APPEND_INVALID, openStore, RAM_FULL, refusalCode, StoreError } from '../../src/index.ts';
import { temporaryDirectory } from '../platform/temporary.ts';

const SMALL = { poolBytes: 2560, freeFloorBytes: 0, quotaBytes: '8MiB' } as const satisfies StoreOptions;
const EVT = { kind: 'evt' } as const;

/** The code that a call is refused with; anything but a StoreError is passed on. */
async function codeOf(work: () => unknown): Promise<Code | 'ok'> {
  try {
    await work();
    return 'ok';
  } catch (error) {
    if (error instanceof StoreError) return error.code;
    throw error;
  }
}

const count = (from: number, length: number): number[] => Array.from({ length }, (_, i) => from + i);

describe('opening', () => {
  // Goal: the first use as the README shows it. Method: open, append, leave the block, open again.
  it('makes its directory, keeps what was appended when `await using` leaves the block, and finds it again', async () => {
    const directory = join(temporaryDirectory(), 'made', 'below');
    let storeId: string;
    {
      await using store = await openStore({ directory });
      ({ storeId } = store);
      expect(store.recovery).toMatchObject({ found: 'new', epoch: 1 });
      const rpm = store.stream('can_controller', 0x1001, { kind: 'tsd', periodMs: 1000, type: 'float32' });
      expect([rpm.append(812.5), rpm.append(813.25)]).toEqual([0, 1]);
      expect(store.stats()).toMatchObject({ appended: 2, atRisk: 2 });
    }
    expect(readdirSync(directory).sort()).toEqual(expect.arrayContaining(['can_controller', 'host', 'mgc']));
    await using again = await openStore({ directory });
    expect(again.storeId).toBe(storeId);
    expect(again.epoch).toBe(2);
    expect(again.recovery).toMatchObject({ found: 'clean', records: 2 });
    const [rpm] = again.streams();
    const batch = await rpm?.read(10);
    expect([...(batch?.values ?? [])]).toEqual([812.5, 813.25]);
  });

  it('without a directory lives in RAM, under a new id each time', async () => {
    await using first = await openStore();
    await using second = await openStore({ clock: () => 123_456 });
    expect(first.storeId).not.toBe(second.storeId);
    const stream = second.stream('host', 1, EVT);
    stream.append(5);
    expect([...(await stream.read(1)).timesMs]).toEqual([123_456]);
    await second.flush();
    await second.checkpoint();
    expect(second.stats()).toMatchObject({ atRisk: 1, diskBytes: 0 });
  });

  // Goal: every refusal is a StoreError with a code and one line. Method: a table of options.
  it.each([
    [{ directory: '' }, /directory must be a path/],
    [{ directory: 5 }, /directory must be a path/],
    [{ directory: 'a\0b' }, /directory must be a path/],
    [{ clock: 5 }, /clock must be a function/],
    [{ poolByte: 5 }, /poolByte is not a setting; known are/],
    [{ poolBytes: '64KB' }, /poolBytes is '64KB'/],
  ])('refuses %j with CONFIG_INVALID and touches nothing', async (options, wanted) => {
    const error: unknown = await openStore(options as StoreOptions).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(StoreError);
    expect(error).toMatchObject({ name: 'StoreError', code: 'CONFIG_INVALID', message: expect.stringMatching(wanted) });
    expect((error as Error).message).not.toContain('\n');
  });

  it('refuses a path that is a file with IO_FAILED, and a second opener with LOCKED', async () => {
    const directory = temporaryDirectory();
    const file = join(directory, 'file');
    writeFileSync(file, '');
    expect(await codeOf(() => openStore({ directory: file }))).toBe('IO_FAILED');
    await using store = await openStore({ directory });
    const second: unknown = await openStore({ directory }).catch((error: unknown) => error);
    expect(second).toMatchObject({ code: 'LOCKED', message: expect.stringContaining(String(process.pid)) });
    await store.close();
    await using third = await openStore({ directory });
    expect(third.epoch).toBe(2);
  });
});

describe('streams', () => {
  it('are one object per key, and list what was recovered', async () => {
    const directory = temporaryDirectory();
    {
      await using store = await openStore({ directory, ...SMALL });
      const stream = store.stream('host', 1, { kind: 'tsd', periodMs: 50, type: 'int32' });
      expect(store.stream('host', 1, { kind: 'tsd', periodMs: 50, type: 'int32' })).toBe(stream);
      expect(await codeOf(() => store.stream('host', 1, EVT))).toBe('KIND_MISMATCH');
      expect(await codeOf(() => store.stream('host', -1, EVT))).toBe('PARAMETER_INVALID');
      stream.append(-7);
    }
    await using store = await openStore({ directory, ...SMALL });
    expect(
      store.streams().map(({ source, sensor, kind, type, periodMs }) => [source, sensor, kind, type, periodMs]),
    ).toEqual([['host', 1, 'tsd', 'int32', 50]]);
    expect(await codeOf(() => store.stream('host', 1, { kind: 'tsd', periodMs: 50 }))).toBe('KIND_MISMATCH');
  });

  it('refuse codes as numbers on the hot path, as errors elsewhere', async () => {
    await using store = await openStore({ ...SMALL, directory: temporaryDirectory() });
    const stream = store.stream('host', 1, EVT);
    expect(refusalCode(stream.append(-1))).toBe('PARAMETER_INVALID');
    expect(stream.appendBits(2 ** 32)).toBe(APPEND_INVALID);
    let last = 0;
    for (let i = 0; last >= 0; i++) last = stream.append(i, i);
    expect(last).toBe(RAM_FULL);
    expect(refusalCode(last)).toBe('RAM_FULL');
    expect(await codeOf(() => stream.acknowledge(1))).toBe('BOUNDS_VIOLATION');
    expect(await codeOf(() => stream.discard(1e9))).toBe('BOUNDS_VIOLATION');
    expect(await codeOf(() => stream.read(-1))).toBe('PARAMETER_INVALID');
    await store.close();
    expect(refusalCode(stream.append(1))).toBe('CLOSED');
    expect(refusalCode(0)).toBeNull();
    for (const work of [
      () => stream.read(1),
      () => stream.acknowledge(0),
      () => stream.revert(),
      () => store.flush(),
      () => store.ready(),
    ]) {
      expect(await codeOf(work)).toBe('CLOSED');
    }
  });

  // Goal: the uploader's whole round. Method: read, acknowledge the batch, revert, peek, discard, on disk and in RAM.
  it('read, acknowledge, revert, peek and discard', async () => {
    await using store = await openStore({ ...SMALL, directory: temporaryDirectory() });
    const stream = store.stream('mgc', 9, EVT);
    expect(stream.appendMany(count(0, 50))).toBe(50);
    await store.flush();
    stream.appendMany(count(50, 50));
    const batch = await stream.read(60);
    expect([...batch].map(({ value, sequence }) => [value, sequence])).toEqual(count(0, 60).map((i) => [i, i]));
    expect(stream.acknowledge(30)).toBe(30);
    expect([...(await stream.peek(2, 2)).values]).toEqual([62, 63]);
    stream.revert();
    expect(stream.marks).toMatchObject({ head: 30, read: 30, pending: 0, retained: 70 });
    expect(stream.acknowledge(await stream.read(70))).toBe(70);
    stream.appendMany([1, 2, 3]);
    stream.discard(2);
    expect([...(await stream.read(9)).values]).toEqual([3]);
    expect(store.ledger().entries).toEqual([]);
  });
});

describe('the iterator', () => {
  async function filled(records: number) {
    const store = await openStore({ directory: temporaryDirectory(), poolBytes: '256KiB' });
    const stream = store.stream('host', 1, EVT);
    stream.appendMany(count(0, records), count(0, records));
    await store.flush();
    return { store, stream };
  }

  it('gives everything that is unread when it starts, and ends', async () => {
    const { store, stream } = await filled(1500);
    await using _ = store;
    await stream.read(10);
    const seen: SensorRecord[] = [];
    for await (const record of stream) {
      seen.push(record);
      if (seen.length === 3) stream.append(9999, 0);
    }
    expect(seen.map(({ value }) => value)).toEqual(count(10, 1490));
    expect(seen[0]).toEqual({ sequence: 10, epoch: 1, timeMs: 10, value: 10 });
    expect(stream.marks).toMatchObject({ pending: 1500, unread: 1 });
  });

  // Goal: what was not handed out is not pending. Method: leave the loop early; the rest must be read next.
  it('leaves unread what a loop that is left early has not seen', async () => {
    const { store, stream } = await filled(1000);
    await using _ = store;
    const seen: number[] = [];
    for await (const { value } of stream) {
      seen.push(value);
      if (seen.length === 3) break;
    }
    expect(stream.marks).toMatchObject({ pending: 3, unread: 997 });
    expect(stream.acknowledge(3)).toBe(3);
    expect([...(await stream.read(2)).values]).toEqual([3, 4]);
  });

  it('goes on in order when its records are acknowledged or discarded on the way', async () => {
    const { store, stream } = await filled(600);
    await using _ = store;
    const seen: number[] = [];
    for await (const { value } of stream) {
      seen.push(value);
      stream.acknowledge(1);
      if (value === 100) stream.discard(50);
    }
    expect(seen).toEqual([...count(0, 101), ...count(151, 449)]);
    expect(stream.marks).toMatchObject({ retained: 0 });
  });

  it('ends with CLOSED when the store is closed under it', async () => {
    const { store, stream } = await filled(600);
    const walk = async (): Promise<void> => {
      for await (const { value } of stream) if (value === 20) await store.close();
    };
    expect(await codeOf(walk)).toBe('CLOSED');
  });
});

describe('waiting', () => {
  it('is given up on an AbortSignal, before and during; the work goes on', async () => {
    await using store = await openStore({ ...SMALL, directory: temporaryDirectory() });
    const stream = store.stream('host', 1, EVT);
    const gone = AbortSignal.abort();
    for (const work of [
      () => store.flush({ signal: gone }),
      () => store.checkpoint({ signal: gone }),
      () => stream.read(1, { signal: gone }),
      () => stream.peek(0, 1, { signal: gone }),
      () => store.ready({ signal: gone }),
    ]) {
      expect(await codeOf(work)).toBe('ABORTED');
    }
    expect(store.stats().flushes).toBe(0);
    stream.appendMany(count(0, 20));
    const controller = new AbortController();
    const flushed = codeOf(() => store.flush({ signal: controller.signal }));
    controller.abort();
    expect(await flushed).toBe('ABORTED');
    await store.flush({ signal: new AbortController().signal });
    expect(store.stats().atRisk).toBe(0);
  });

  // Goal: a producer that can wait loses nothing. Method: many times the pool, waiting for room when refused.
  it('for room keeps a fast producer from ever being refused for long', async () => {
    await using store = await openStore({ ...SMALL, directory: temporaryDirectory() });
    const stream = store.stream('host', 1, EVT);
    for (let i = 0; i < 3000; i++) {
      await store.ready();
      expect(stream.append(i, i)).toBe(i);
    }
    const values: number[] = [];
    for await (const { value } of stream) values.push(value);
    expect(values).toEqual(count(0, 3000));
    expect(store.stats().refusedRamFull).toBe(0);
  });
});

describe('events', () => {
  it('reach listeners until they are taken off, and one that throws keeps none from the others', async () => {
    await using store = await openStore({ ...SMALL, directory: temporaryDirectory() });
    const heard: string[] = [];
    const mine = new Error('mine');
    const off = store.on('flushed', ({ records }) => heard.push(`first ${records}`));
    store.on('flushed', () => {
      throw mine;
    });
    store.on('flushed', ({ segments }) => heard.push(`last ${segments}`));
    const errors: unknown[] = [];
    const others = process.listeners('unhandledRejection');
    process.removeAllListeners('unhandledRejection');
    process.on('unhandledRejection', (error) => errors.push(error));
    try {
      store.stream('host', 1, EVT).append(1);
      await store.flush();
      off();
      await store.flush();
      await new Promise((resolve) => setImmediate(resolve));
    } finally {
      process.removeAllListeners('unhandledRejection');
      for (const listener of others) process.on('unhandledRejection', listener);
    }
    expect(heard).toEqual(['first 1', 'last 1', 'last 0']);
    expect(errors).toEqual([mine, mine]);
  });

  // Goal: what happens while a store is opened is told too, under its id. Method: subscribe to the channel before opening.
  it('reach diagnostics channels with the store’s id, recovery’s own included', async () => {
    const messages: { storeId: string; event: EngineEvent }[] = [];
    const listener = (message: unknown): void => {
      messages.push(message as (typeof messages)[number]);
    };
    const names = ['recovered', 'flushed', 'closed'].map((type) => `imatrix-memory-manager:${type}`);
    for (const name of names) subscribe(name, listener);
    try {
      const store = await openStore({ ...SMALL, directory: temporaryDirectory() });
      await store.flush();
      await store.close();
      expect(messages.map(({ event }) => event.type)).toEqual(['recovered', 'flushed', 'closed']);
      expect(new Set(messages.map(({ storeId }) => storeId))).toEqual(new Set([store.storeId]));
    } finally {
      for (const name of names) unsubscribe(name, listener);
    }
  });
});

describe('ending', () => {
  it('closes once: a second call waits for the first and reports the same', async () => {
    const store = await openStore({ ...SMALL, directory: temporaryDirectory() });
    store.stream('host', 1, EVT).appendMany(count(0, 10));
    const [first, second] = await Promise.all([store.close(), store.close({ deadlineMs: 0 })]);
    expect(first).toMatchObject({ saved: 10, unsaved: 0 });
    expect(second).toEqual(first);
    await store[Symbol.asyncDispose]();
    expect(store.inspect().lifecycle).toBe('closed');
  });

  it('saves what it can when power fails, and says what', async () => {
    await using store = await openStore({ ...SMALL, directory: temporaryDirectory() });
    store.stream('host', 1, { ...EVT, priority: 5 }).appendMany(count(0, 10));
    expect(await store.emergencyFlush({ deadlineMs: 5000 })).toEqual({
      saved: 10,
      unsaved: 0,
      streams: [{ source: 'host', sensor: 1, priority: 5, saved: 10, unsaved: 0 }],
      failure: null,
    });
    expect(await codeOf(() => store.emergencyFlush({ deadlineMs: Number.NaN }))).toBe('PARAMETER_INVALID');
    expect(await codeOf(() => store.close({ deadlineMs: Number.NaN }))).toBe('PARAMETER_INVALID');
    expect(store.inspect().lifecycle).toBe('ram');
  });

  it('leaves a lock that nobody holds, so that the next one needs no space to take it', async () => {
    const directory = temporaryDirectory();
    await (await openStore({ directory })).close();
    expect(readdirSync(directory).map((name) => name.replace(/-\S+/, ''))).toEqual([
      'can_controller',
      'checkpoint',
      'host',
      'lock',
      'lock.spare',
      'mgc',
    ]);
    expect([...readdirSync(join(directory, 'lock')), ...readdirSync(join(directory, 'lock.spare'))]).toEqual([]);
  });
});
