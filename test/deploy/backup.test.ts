/** Backup and rollback: whole or not at all, checked before anything is touched, nothing deleted, safe to kill. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { backup, readBackup, rollBack } from '../../src/deploy/backup.ts';
import { openStore } from '../../src/index.ts';

const scratch = mkdtempSync(join(tmpdir(), 'imatrix-deploy-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
let made = 0;
const fresh = (name: string): string => {
  const folder = join(scratch, `${++made}`);
  mkdirSync(folder);
  return join(folder, name);
};

/** Appends records and closes. @returns how many there are. */
async function fill(directory: string, records: number): Promise<number> {
  await using store = await openStore({ directory });
  const stream = store.stream('host', 1, { kind: 'evt' });
  for (let i = 0; i < records; i++) stream.append(i, i);
  return stream.marks.appended;
}

async function recordsIn(directory: string): Promise<number> {
  await using store = await openStore({ directory });
  return store.streams()[0]?.marks.retained ?? 0;
}

describe('a backup', () => {
  // Goal: the way there and back. Method: a store with a configuration, changed after its backup, brought back; what was there
  // is still there under another name.
  it('brings store and configuration back, and sets aside what was there', async () => {
    const [directory, config, target] = [fresh('store'), fresh('config.ini'), fresh('backup')];
    writeFileSync(config, 'first');
    await fill(directory, 100);
    const manifest = await backup(directory, config, target, '2.0.0');
    expect(manifest.files.map(({ path }) => path)).toContain('config.ini');
    expect(manifest.files.some(({ path }) => path.startsWith('store/lock'))).toBe(false);
    await fill(directory, 50);
    writeFileSync(config, 'second');
    const back = await rollBack(target, directory, config);
    expect(await recordsIn(directory)).toBe(100);
    expect(readFileSync(config, 'utf8')).toBe('first');
    expect(back.setAside).toBe(`${directory}.replaced-1`);
    expect(await recordsIn(back.setAside as string)).toBe(150);
    expect(readFileSync(back.configSetAside as string, 'utf8')).toBe('second');
    expect((await rollBack(target, directory, null)).setAside).toBe(`${directory}.replaced-2`);
  });

  it('is refused while a program has the store open, and so is a rollback', async () => {
    const [directory, target, other] = [fresh('store'), fresh('backup'), fresh('other')];
    await fill(directory, 10);
    await backup(directory, null, target, '2');
    await using store = await openStore({ directory });
    await expect(backup(directory, null, other, '2')).rejects.toThrow(`is open elsewhere: pid ${process.pid}`);
    await expect(rollBack(target, directory, null)).rejects.toThrow('stop that program first, nothing was changed');
    expect([existsSync(other), store.streams().length]).toEqual([false, 1]);
  });

  it('overwrites nothing, and does not go into the store', async () => {
    const directory = fresh('store');
    await fill(directory, 10);
    await expect(backup(directory, null, scratch, '2')).rejects.toThrow('is there already');
    await expect(backup(directory, null, join(directory, 'b'), '2')).rejects.toThrow('is inside the store');
  });

  // Goal: a backup that is not what was made is found before anything is touched. Method: each way to spoil one.
  it.each<[string, (target: string) => void, string]>([
    ['a byte more', (target) => appendFileSync(join(target, 'store', first(target)), 'x'), 'is not what was backed up'],
    ['a file missing', (target) => rmSync(join(target, 'store', first(target))), 'is missing'],
    [
      'a file too many',
      (target) => writeFileSync(join(target, 'store/host/x.seg'), ''),
      'store/host/x.seg is in no manifest',
    ],
    ['no manifest', (target) => rmSync(join(target, 'manifest.json')), 'is no backup: it has no manifest.json'],
    [
      'a manifest cut off',
      (target) => writeFileSync(join(target, 'manifest.json'), '{'),
      'cannot be read as a manifest',
    ],
    [
      'a manifest that leads out of it',
      (target) =>
        writeFileSync(
          join(target, 'manifest.json'),
          JSON.stringify({ format: 1, files: [{ path: 'store/../../x', bytes: 1, sha256: 'a'.repeat(64) }] }),
        ),
      'cannot be read as a manifest',
    ],
  ])('is refused with %s, and the store is as it was', async (_, spoil, message) => {
    const [directory, target] = [fresh('store'), fresh('backup')];
    await fill(directory, 10);
    await backup(directory, null, target, '2');
    spoil(target);
    expect(() => readBackup(target)).toThrow(message);
    await expect(rollBack(target, directory, null)).rejects.toThrow('nothing was changed');
    expect(readdirSync(join(directory, '..'))).toEqual(['store']);
    expect(await recordsIn(directory)).toBe(10);
  });

  // Goal: killed at any point, nothing is lost and the next rollback ends it. Method: a child killed after ever longer times.
  it('is brought back by the next rollback when one was killed', { timeout: 60_000 }, async () => {
    const [directory, target] = [fresh('store'), fresh('backup')];
    await fill(directory, 5_000);
    await backup(directory, null, target, '2');
    await fill(directory, 7);
    const parent = join(directory, '..');
    for (const delayMs of [0, 2, 5, 9, 15]) {
      const child = spawn(process.execPath, [join(import.meta.dirname, 'rollback-child.ts'), target, directory], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      await once(child.stdout, 'data');
      await new Promise((done) => setTimeout(done, delayMs));
      child.kill('SIGKILL');
      await once(child, 'exit');
      const stores = readdirSync(parent).filter((name) => name === 'store' || name.startsWith('store.replaced'));
      expect(stores.length).toBeGreaterThan(0);
    }
    await rollBack(target, directory, null);
    expect(await recordsIn(directory)).toBe(5_000);
    // The one that was there before the first is among those set aside.
    const aside = readdirSync(parent).filter((name) => name.startsWith('store.replaced'));
    const counts = await Promise.all(aside.map((name) => recordsIn(join(parent, name))));
    expect(counts).toContain(5_007);
  });
});

/** A file of the store in the backup. */
const first = (target: string): string =>
  (JSON.parse(readFileSync(join(target, 'manifest.json'), 'utf8')) as { files: { path: string }[] }).files
    .map(({ path }) => path.replace(/^store\//, ''))
    .find((path) => path.endsWith('.seg')) as string;
