/** Backup and rollback by root, and through symbolic links: the program of the store can open it afterwards. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { backup, rollBack } from '../../src/deploy/backup.ts';
import { placeOf } from '../../src/deploy/owner.ts';
import { openStore } from '../../src/index.ts';
import { makeOldTree } from '../migration/old-tree-maker.ts';

const scratch = realpathSync(mkdtempSync(join(tmpdir(), 'imatrix-owner-')));
chmodSync(scratch, 0o755);
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const SERVICE = 65_534;
const isRoot = process.getuid?.() === 0;
if (!isRoot) console.warn('this is not root: backup and rollback by root of the store of another user were not tried');

const child = (script: string, ...args: readonly string[]): string =>
  execFileSync(process.execPath, [join(import.meta.dirname, script), ...args], { encoding: 'utf8' }).trim();

async function fill(directory: string, records: number): Promise<void> {
  await using store = await openStore({ directory });
  const stream = store.stream('host', 1, { kind: 'evt' });
  for (let i = 0; i < records; i++) stream.append(i, i);
}

async function recordsIn(directory: string): Promise<number> {
  await using store = await openStore({ directory });
  return store.streams()[0]?.marks.retained ?? 0;
}

/** Paths below that are not the user's. */
const notOf = (uid: number, root: string): string[] =>
  [root, ...readdirSync(root, { recursive: true, encoding: 'utf8' }).map((name) => join(root, name))].filter(
    (path) => statSync(path).uid !== uid,
  );

// Goal: root backs up and rolls back, and the service goes on each time. Method: the service's user opens the store after each.
test.skipIf(!isRoot)('root leaves a store that its user can open', () => {
  const home = join(scratch, 'service');
  const [directory, config, target] = [join(home, 'storage'), join(home, 'config.ini'), join(scratch, 'by-root')];
  mkdirSync(home);
  chownSync(home, SERVICE, SERVICE);
  writeFileSync(config, 'first');
  chownSync(config, SERVICE, SERVICE);
  expect(child('opens-as.ts', `${SERVICE}`, directory)).toBe('1');
  child('backs-up.ts', 'backup', target, directory, config);
  expect(child('opens-as.ts', `${SERVICE}`, directory)).toBe('2');
  child('backs-up.ts', 'rollback', target, directory, config);
  expect(notOf(SERVICE, directory)).toEqual([]);
  expect(notOf(SERVICE, `${directory}.replaced-1`)).toEqual([]);
  expect([config, `${config}.replaced-1`].map((path) => statSync(path).uid)).toEqual([SERVICE, SERVICE]);
  expect(child('opens-as.ts', `${SERVICE}`, directory)).toBe('2');
  // With nothing there to take the owner from, it is the backup's.
  rmSync(directory, { recursive: true });
  child('backs-up.ts', 'rollback', target, directory, config);
  expect(child('opens-as.ts', `${SERVICE}`, directory)).toBe('2');
});

// Goal: root repairs a store and imports into it, and the service goes on. Method: the commands, then the service's user.
test.skipIf(!isRoot)('root repairs and imports for the user of the store', { timeout: 30_000 }, () => {
  const home = join(scratch, 'repaired');
  const directory = join(home, 'storage');
  mkdirSync(home);
  chownSync(home, SERVICE, SERVICE);
  expect(child('opens-as.ts', `${SERVICE}`, directory)).toBe('1');
  const map = makeOldTree(join(home, 'old'), [
    { source: 'host', sensor: 9, kind: 'evt', firstSector: 0, files: [[[1, 2]]] },
  ]);
  const command = (...args: readonly string[]): string =>
    execFileSync(process.execPath, [join(import.meta.dirname, '../../src/cli/main.ts'), ...args], { encoding: 'utf8' });
  command('repair', directory);
  expect(notOf(SERVICE, directory)).toEqual([]);
  expect(command('import', join(home, 'old'), '--map', map, '--storage', directory)).toContain('1 record imported');
  expect(notOf(SERVICE, directory)).toEqual([]);
  expect(child('opens-as.ts', `${SERVICE}`, directory)).toMatch(/^[23]$/);
});

// Goal: a store that lies on another disk stays there. Method: a link to it, and one to the configuration, both brought back.
test('a symbolic link stays one, and what it leads to is brought back', async () => {
  const [disk, home, target] = [join(scratch, 'disk'), join(scratch, 'home'), join(scratch, 'linked')];
  mkdirSync(disk);
  mkdirSync(home);
  const [directory, config] = [join(home, 'storage'), join(home, 'config.ini')];
  symlinkSync(join(disk, 'storage'), directory);
  symlinkSync('../disk/config.ini', config);
  await fill(join(disk, 'storage'), 10);
  writeFileSync(config, 'first');
  await backup(directory, config, target, '2');
  await fill(directory, 5);
  writeFileSync(config, 'second');
  const back = await rollBack(target, directory, config);
  expect([directory, config].map((path) => lstatSync(path).isSymbolicLink())).toEqual([true, true]);
  expect(back.setAside).toBe(join(disk, 'storage.replaced-1'));
  expect(readFileSync(join(disk, 'config.ini'), 'utf8')).toBe('first');
  expect([await recordsIn(join(disk, 'storage')), await recordsIn(back.setAside as string)]).toEqual([10, 15]);
  rmSync(join(disk, 'storage'), { recursive: true });
  expect(placeOf(directory)).toBe(join(disk, 'storage'));
});

// Goal: killed at the one moment at which nothing has the name. Method: what is there then, made by hand.
test('a rollback goes on where one was killed between its two names', async () => {
  const [directory, target] = [join(scratch, 'between'), join(scratch, 'between-backup')];
  await fill(directory, 10);
  await backup(directory, null, target, '2');
  await fill(directory, 5);
  renameSync(directory, `${directory}.replaced-1`);
  mkdirSync(join(`${directory}.rollback`, 'host'), { recursive: true });
  writeFileSync(join(`${directory}.rollback`, 'host', 'half.seg'), 'half');
  await rollBack(target, directory, null);
  // Looked at before the store is opened, which puts away what it does not know.
  expect(readdirSync(join(directory, 'host'))).not.toContain('half.seg');
  expect([await recordsIn(directory), await recordsIn(`${directory}.replaced-1`)]).toEqual([10, 15]);
  expect(existsSync(`${directory}.rollback`)).toBe(false);
});
