// Goal: a store that is open elsewhere is refused with words that name the holder, and is there again, whole, as soon
// as the holder is dead. Method: real processes with the public interface, one of them killed.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';
import { openStore } from '../../src/index.ts';
import { temporaryDirectory } from '../platform/temporary.ts';

const HOLDER = join(import.meta.dirname, 'children', 'holder.ts');

async function startHolder(directory: string): Promise<{ pid: number; said: string; kill: () => Promise<void> }> {
  const child = spawn(process.execPath, [HOLDER, directory], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [said] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  const kill = async (): Promise<void> => {
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  };
  return { pid: child.pid as number, said, kill };
}

test('refuses a store that another process has, names it, and takes over when it was killed', async () => {
  const directory = temporaryDirectory();
  const holder = await startHolder(directory);
  expect(holder.said).toBe('open');
  await expect(openStore({ directory })).rejects.toMatchObject({
    code: 'LOCKED',
    message: expect.stringMatching(`^[^\n]*pid ${holder.pid} \\(holder\\.ts\\) on [^\n]* since \\d{4}-[^\n]*$`),
  });
  await holder.kill();
  await using store = await openStore({ directory });
  expect(store.recovery).toMatchObject({ found: 'crash', epoch: 2, records: 100, damagedRecords: 0 });
});

test('refuses a second open in the same process, and the first goes on undisturbed', async () => {
  const directory = temporaryDirectory();
  const store = await openStore({ directory });
  await expect(openStore({ directory })).rejects.toMatchObject({
    code: 'LOCKED',
    message: expect.stringContaining(`pid ${process.pid} `),
  });
  const stream = store.stream('mgc', 2, { kind: 'evt' });
  expect(stream.append(7)).toBe(0);
  await store.flush();
  const other = await startHolder(directory);
  expect(other.said).toMatch(new RegExp(`^LOCKED: .*pid ${process.pid} `));
  await store.close();
  await using again = await openStore({ directory });
  expect(again.recovery).toMatchObject({ found: 'clean', epoch: 2, records: 1 });
});

test('gives the lock back when opening fails for another reason', async () => {
  const directory = temporaryDirectory();
  await (await openStore({ directory })).close();
  const seen = readdirSync(directory).sort();
  await expect(openStore({ directory, quotaBytes: 1 })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  expect(readdirSync(directory).sort()).toEqual(seen);
  await (await openStore({ directory })).close();
});
