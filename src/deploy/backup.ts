/**
 * A copy of a store and its configuration that can be brought back, whole or not at all.
 *
 *   <backup>/manifest.json   { "format": 1, "madeAt", "package", "files": [ { "path", "bytes", "sha256" } ] }
 *   <backup>/store/...       every file of the store, the lock left out
 *   <backup>/config.ini      the configuration, when one was named
 *
 * The store is held while it is copied, so the copy is of one moment. The manifest is written last and the directory gets
 * its name when everything in it is durable: what has the name is whole.
 *
 * A rollback checks every checksum before it touches anything, builds the store beside the one that is there, and then
 * changes names: the one that is there is set aside, never deleted. Killed at any point, either the old store or the one that
 * was brought back has the name, or nothing has it and the next rollback goes on (`<store>.rollback`).
 *
 * Who backs up is often root, and the store another user's: what is made belongs to that user (owner.ts), and a symbolic link
 * stays one.
 */
import { createHash } from 'node:crypto';
import {
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { ProcessLock } from '../platform/process-lock.ts';
import { asOwner, give, type Owner, ownerOf, placeOf } from './owner.ts';

export interface BackupManifest {
  readonly format: 1;
  /** ISO time. */
  readonly madeAt: string;
  /** Version of the package that made it. */
  readonly package: string;
  readonly files: readonly { readonly path: string; readonly bytes: number; readonly sha256: string }[];
}

/** What stands in the way of a backup or rollback; nothing was changed. */
export class DeployError extends Error {
  override readonly name = 'DeployError';
}

const MANIFEST = 'manifest.json';
const STORE = 'store';
const CONFIG = 'config.ini';
const LOCK_PREFIX = 'lock';

/** Files below a directory, by path from it; the lock is nobody's to copy. */
function filesBelow(root: string, under = ''): string[] {
  return readdirSync(join(root, under), { withFileTypes: true })
    .flatMap((entry) => {
      const path = under === '' ? entry.name : `${under}/${entry.name}`;
      if (under === '' && (entry.name === LOCK_PREFIX || entry.name.startsWith(`${LOCK_PREFIX}.`))) return [];
      return entry.isDirectory() ? filesBelow(root, path) : entry.isFile() ? [path] : [];
    })
    .sort();
}

const hashOf = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');

function sync(path: string): void {
  const fd = openSync(path, 'r');
  fsyncSync(fd);
  closeSync(fd);
}

/** Directories of a store, there also while they are empty. */
const SOURCES = ['host', 'mgc', 'can_controller'];

/** Copies the files of a store, durably, with its directories, for its owner. @param to is made. */
function copyStore(from: string, to: string, paths: readonly string[], owner: Owner): void {
  const directories = new Set([to, ...SOURCES.map((name) => join(to, name))]);
  for (const directory of directories) mkdirSync(directory, { recursive: true });
  for (const path of paths) {
    const target = join(to, path);
    mkdirSync(dirname(target), { recursive: true });
    directories.add(dirname(target));
    copyFile(join(from, path), target, owner);
  }
  for (const directory of directories) {
    give(directory, owner);
    sync(directory);
  }
}

function copyFile(from: string, to: string, owner: Owner): void {
  copyFileSync(from, to);
  give(to, owner);
  sync(to);
}

/** Holds the store while `work` runs. @throws DeployError when somebody else does. */
async function holding<T>(directory: string, work: () => T): Promise<T> {
  const lock = new ProcessLock(directory);
  const owner = ownerOf(directory);
  const taken = await asOwner(owner, () => lock.take());
  if (!taken.ok) {
    const who = 'holder' in taken ? taken.holder : taken.error.detail;
    throw new DeployError(`${directory} is open elsewhere: ${who}; stop that program first, nothing was changed`);
  }
  try {
    return work();
  } finally {
    await asOwner(owner, () => lock.release());
  }
}

/**
 * Makes a backup of a store that no program has open.
 * @param target a path that is not there.
 * @throws DeployError; what the system says.
 */
export async function backup(
  directory: string,
  config: string | null,
  target: string,
  version: string,
): Promise<BackupManifest> {
  const [store, to] = [placeOf(directory), resolve(target)];
  if (existsSync(to)) throw new DeployError(`${target} is there already; name another path, nothing is overwritten`);
  if (to.startsWith(`${store}/`)) throw new DeployError(`${target} is inside the store; name a path beside it`);
  const made = join(dirname(to), `.${basename(to)}.${process.pid}.new`);
  return holding(store, () => {
    try {
      mkdirSync(made);
      const paths = filesBelow(store);
      copyStore(store, join(made, STORE), paths, ownerOf(store));
      const named = paths.map((path) => `${STORE}/${path}`);
      if (config !== null) {
        copyFile(config, join(made, CONFIG), ownerOf(config));
        named.push(CONFIG);
      }
      const files = named.map((path) => ({
        path,
        bytes: statSync(join(made, path)).size,
        sha256: hashOf(join(made, path)),
      }));
      const manifest: BackupManifest = { format: 1, madeAt: new Date().toISOString(), package: version, files };
      writeFileSync(join(made, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`);
      sync(join(made, MANIFEST));
      sync(made);
      renameSync(made, to);
      sync(dirname(to));
      return manifest;
    } catch (error) {
      rmSync(made, { recursive: true, force: true });
      throw error;
    }
  });
}

/** A backup, every byte of it checked. @throws DeployError naming the first file that is not as the manifest says. */
export function readBackup(path: string): BackupManifest {
  const manifest = readManifest(path);
  for (const { path: name, bytes, sha256 } of manifest.files) {
    const file = join(path, name);
    if (!existsSync(file))
      throw new DeployError(`${path}: ${name} is missing; use another backup, nothing was changed`);
    if (statSync(file).size !== bytes || hashOf(file) !== sha256)
      throw new DeployError(`${path}: ${name} is not what was backed up; use another backup, nothing was changed`);
  }
  const known = new Set(manifest.files.map((file) => file.path));
  const stray = existsSync(join(path, STORE))
    ? filesBelow(join(path, STORE)).find((name) => !known.has(`${STORE}/${name}`))
    : undefined;
  if (stray !== undefined)
    throw new DeployError(`${path}: ${STORE}/${stray} is in no manifest; take it away, nothing was changed`);
  return manifest;
}

function readManifest(path: string): BackupManifest {
  const file = join(path, MANIFEST);
  if (!existsSync(file))
    throw new DeployError(
      `${path} is no backup: it has no ${MANIFEST}; name one that deploy backup made, nothing was changed`,
    );
  try {
    const manifest = JSON.parse(readFileSync(file, 'utf8')) as BackupManifest;
    const isSound =
      manifest.format === 1 &&
      manifest.files.every(
        ({ path: name, bytes, sha256 }) =>
          typeof name === 'string' &&
          !name.split('/').includes('..') &&
          !name.startsWith('/') &&
          Number.isInteger(bytes) &&
          /^[0-9a-f]{64}$/.test(sha256),
      );
    if (isSound) return manifest;
  } catch {
    // Said below, as any other manifest that cannot be read.
  }
  throw new DeployError(`${file} cannot be read as a manifest of format 1; use another backup, nothing was changed`);
}

export interface Rollback {
  readonly manifest: BackupManifest;
  /** Where the store that was there is now; null when none was. */
  readonly setAside: string | null;
  /** Where the configuration that was there is now; null when none was changed. */
  readonly configSetAside: string | null;
}

/**
 * Brings a backup back in place of what is there.
 * @param config where the configuration of the backup goes; null leaves the one there alone.
 * @throws DeployError, nothing changed; what the system says: run it again.
 */
export async function rollBack(path: string, directory: string, config: string | null): Promise<Rollback> {
  const manifest = readBackup(path);
  const store = placeOf(directory);
  const built = `${store}.rollback`;
  const paths = manifest.files.flatMap(({ path: name }) =>
    name.startsWith(`${STORE}/`) ? [name.slice(STORE.length + 1)] : [],
  );
  const work = (): string | null => {
    rmSync(built, { recursive: true, force: true });
    copyStore(join(path, STORE), built, paths, ownerOf(existsSync(store) ? store : join(path, STORE)));
    const aside = existsSync(store) ? freeName(`${store}.replaced`) : null;
    if (aside !== null) renameSync(store, aside);
    renameSync(built, store);
    // The lock that is held here went with the store that it is of.
    if (aside !== null) rmSync(join(aside, LOCK_PREFIX), { recursive: true, force: true });
    sync(dirname(store));
    return aside;
  };
  // One that is not there needs no lock.
  const setAside = existsSync(store) ? await holding(store, work) : work();
  return { manifest, setAside, configSetAside: config === null ? null : bringConfigBack(path, config, manifest) };
}

function bringConfigBack(path: string, named: string, { files }: BackupManifest): string | null {
  if (!files.some((file) => file.path === CONFIG)) return null;
  const config = placeOf(named);
  const built = `${config}.rollback`;
  const aside = existsSync(config) ? freeName(`${config}.replaced`) : null;
  copyFile(join(path, CONFIG), built, ownerOf(aside === null ? join(path, CONFIG) : config));
  if (aside !== null) copyFile(config, aside, ownerOf(config));
  renameSync(built, config);
  sync(dirname(config));
  return aside;
}

function freeName(wanted: string): string {
  for (let n = 1; ; n++) if (!existsSync(`${wanted}-${n}`)) return `${wanted}-${n}`;
}
