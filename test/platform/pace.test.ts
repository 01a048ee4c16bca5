// Goal: opening a store makes calls at once while they come from memory, and holds up nothing when they do not. Method: a
// clock that the test sets, and calls that take as long as it likes; then a file read both ways by the Linux disk.
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { LinuxDisk } from '../../src/platform/linux-disk.ts';
import { Pace } from '../../src/platform/pace.ts';
import { temporaryDirectory } from './temporary.ts';

let clockMs = 0;

beforeEach(() => {
  clockMs = 1_000;
  vi.spyOn(performance, 'now').mockImplementation(() => clockMs);
});

afterEach(() => {
  vi.restoreAllMocks();
});

/** Makes `calls` calls, one after the other. @returns how often each way was gone. */
async function make(pace: Pace, calls: number, tookMs: number): Promise<{ now: number; later: number }> {
  const made = { now: 0, later: 0 };
  for (let i = 0; i < calls; i++) {
    await pace.run(
      () => {
        made.now++;
        clockMs += tookMs;
      },
      async () => {
        made.later++;
      },
    );
  }
  return made;
}

it('makes every call at once while they come from memory', async () => {
  expect(await make(new Pace(), 1_000, 0.03)).toEqual({ now: 1_000, later: 0 });
});

it('tries one call of many when the medium has to fetch what they ask for', async () => {
  const { now, later } = await make(new Pace(), 4_000, 1);
  expect(now + later).toBe(4_000);
  expect(now).toBeLessThan(25);
});

it('makes calls at once again when they come from memory again', async () => {
  const pace = new Pace();
  expect(await make(pace, 1, 5)).toEqual({ now: 1, later: 0 });
  expect(await make(pace, 116, 0.03)).toEqual({ now: 100, later: 16 });
  expect(await make(pace, 17, 5)).toEqual({ now: 1, later: 16 });
});

it('lets timers and input have their turn between calls', async () => {
  const pace = new Pace();
  let turns = 0;
  const interval = setInterval(() => turns++, 0);
  await new Promise((resolve) => setTimeout(resolve, 2));
  turns = 0;
  await make(pace, 4_000, 0.05);
  clearInterval(interval);
  expect(turns).toBeGreaterThan(3);
});

it.each([
  ['a whole file', 'file', 6],
  ['more than there is', 'file', 100],
  ['a file that is missing', 'missing', 4],
  ['a directory', 'directory', 4],
  ['a symbolic link, which leads elsewhere', 'link', 4],
  ['a name that leads out', '../outside', 4],
])('reads %s once, at once or later, as the one that keeps the file open does', async (_, name, bytes) => {
  const root = temporaryDirectory();
  mkdirSync(join(root, 'host/directory'), { recursive: true });
  writeFileSync(join(root, 'host/file'), 'abcdef');
  writeFileSync(join(root, 'outside'), 'secret');
  symlinkSync(join(root, 'outside'), join(root, 'host/link'));
  const read = async (slow: boolean): Promise<unknown> => {
    const disk = new LinuxDisk(root);
    if (slow) vi.spyOn(performance, 'now').mockImplementation(() => clockMs++);
    await disk.readOnce('host', 'file', new Uint8Array(1));
    const into = new Uint8Array(bytes).fill(7);
    return [await disk.readOnce('host', name, into), into];
  };
  const into = new Uint8Array(bytes).fill(7);
  const expected = [await new LinuxDisk(root).read('host', name, 0, into), into];
  expect([await read(false), await read(true)]).toEqual([expected, expected]);
});
