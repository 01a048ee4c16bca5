// Goal: an append does no I/O, and neither a flush nor a read holds the event loop or each other. Method: watch every
// function of node:fs that the store could use, and hold a sync back for as long as the test likes; nothing is timed.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { text } from 'node:stream/consumers';
import { afterEach, expect, onTestFinished, test, vi } from 'vitest';
import { openStore, RAM_FULL } from '../../src/index.ts';
import { PATIENCE, temporaryDirectory } from '../platform/temporary.ts';
import { expectIntact } from './intact.ts';
import { appendNext, openStreams } from './known-load.ts';

const SETTINGS = { poolBytes: '64KiB', sectorBytes: 64, streamsMax: 8 } as const;

afterEach(() => {
  vi.restoreAllMocks();
});

/** Counts the calls of all functions of node:fs whose name passes. */
function watch(isWatched: (name: string) => boolean): () => string[] {
  const watched = Object.entries(fs).flatMap(([name, value]) => {
    const isFunction = typeof value === 'function' && /^[a-z]/.test(name);
    return isFunction && isWatched(name) ? [{ name, spy: vi.spyOn(fs, name as 'readSync') }] : [];
  });
  return () => watched.flatMap(({ name, spy }) => (spy.mock.calls.length > 0 ? [name] : []));
}

/** Holds back every fdatasync from now on. @returns the call that lets them all go. */
function holdSyncs(): { readonly count: () => number; readonly release: () => void } {
  const held: (() => void)[] = [];
  let open = false;
  const real = fs.fdatasync;
  vi.spyOn(fs, 'fdatasync').mockImplementation(((fd: number, done: fs.NoParamCallback) => {
    if (open) real(fd, done);
    else held.push(() => real(fd, done));
  }) as never);
  const release = (): void => {
    open = true;
    for (const sync of held.splice(0)) sync();
  };
  return { count: () => held.length, release };
}

test('calls no function of node:fs that blocks while it is open, and to open only those that look and read', async () => {
  const directory = temporaryDirectory();
  const blocking = watch((name) => name.endsWith('Sync'));
  const store = await openStore({ directory, ...SETTINGS });
  const streams = openStreams(store, 8);
  for (let i = 0; i < 2_000; i++) {
    for (const stream of streams) while (appendNext(stream) === RAM_FULL) await store.ready();
  }
  await store.flush();
  await expectIntact(store);
  for (const stream of streams) stream.acknowledge(await stream.read(500));
  await store.checkpoint();
  for (const stream of streams) appendNext(stream);
  await store.close();
  expect(blocking()).toEqual([]);
  await (await openStore({ directory, ...SETTINGS })).close();
  expect(blocking().toSorted()).toEqual(['closeSync', 'lstatSync', 'openSync', 'readSync']);
});

test('touches no file in an append, also in the one that asks for a flush', async () => {
  const store = await openStore({ directory: temporaryDirectory(), ...SETTINGS });
  onTestFinished(() => store.close().then(() => undefined));
  const streams = openStreams(store, 8);
  let asked = 0;
  store.on('flushRequested', () => asked++);
  const called = watch(() => true);
  // Without an await in between nothing but the appends can have run.
  for (let i = 0; asked === 0; i++) appendNext(streams[i % 8] as (typeof streams)[number]);
  for (const stream of streams) appendNext(stream);
  expect(called()).toEqual([]);
  await store.flush();
  expect(called()).toContain('fdatasync');
});

test('appends, reads and acknowledges while the disk takes its time with a sync', async () => {
  const store = await openStore({ directory: temporaryDirectory(), ...SETTINGS });
  onTestFinished(() => store.close().then(() => undefined));
  const streams = openStreams(store, 8);
  for (let i = 0; i < 300; i++) for (const stream of streams) appendNext(stream);
  await store.flush();
  for (let i = 0; i < 20; i++) for (const stream of streams) appendNext(stream);

  const held = holdSyncs();
  let flushed = false;
  const flush = store.flush().then(() => {
    flushed = true;
  });
  // Of three sources: no more than two syncs at once, so that threads are left for the reads.
  await vi.waitFor(() => expect(held.count()).toBe(2), PATIENCE);
  expect(store.inspect().lifecycle).toBe('flushing');
  for (const stream of streams) expect(appendNext(stream)).toBe(320);
  expect(await expectIntact(store)).toBe(321 * 8);
  for (const stream of streams) stream.acknowledge(await stream.read(310));
  expect([flushed, store.inspect().lifecycle]).toEqual([false, 'flushing']);
  held.release();
  await flush;
  expect(await expectIntact(store)).toBe(11 * 8);
});

test('keeps a process alive that waits for room, though the retry of a flush by itself does not', async () => {
  const script = `
    import { openStore, RAM_FULL } from ${JSON.stringify(new URL('../../src/index.ts', import.meta.url).href)};
    import fs from 'node:fs';
    const store = await openStore({ directory: process.argv[1], poolBytes: 8192, sectorBytes: 64, streamsMax: 1 });
    fs.write = (...args) => args.at(-1)(Object.assign(new Error('made up'), { code: 'EIO' }));
    const stream = store.stream('host', 1, { kind: 'evt' });
    while (stream.append(1) !== RAM_FULL);
    await store.flush().catch(() => {});
    const waited = await store.ready({ signal: AbortSignal.timeout(50) }).then(() => 'room', ({ code }) => code);
    console.log(waited);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, temporaryDirectory()], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill());
  expect(await text(child.stdout)).toBe('ABORTED\n');
});
