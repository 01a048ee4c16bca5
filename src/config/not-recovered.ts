/**
 * recovery_enabled=false: what earlier runs left in a storage directory is set aside before the store is opened, so that
 * it begins anew. Nothing is deleted: `not-recovered-N` below the directory is a whole store, to be opened by hand.
 *
 * Done under the store's lock, so that nothing is taken from under a process that has it open. A power cut on the way
 * leaves what was moved in that folder and the rest where it was: the next start sets the rest aside in a folder of its
 * own.
 */
import { existsSync } from 'node:fs';
import { mkdir, open, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Result } from '../core/codes.ts';
import { failure, success } from '../core/codes.ts';
import type { DiskPort } from '../core/port.ts';
import { SOURCE_DIRECTORIES } from '../core/port.ts';

const isCheckpoint = (name: string): boolean => name.startsWith('checkpoint-');

/** @returns the folder it was set aside to, null when there was nothing; LOCKED, IO_FAILED. */
export async function setAside(root: string, disk: DiskPort): Promise<Result<string | null>> {
  const locked = await disk.lock();
  if (!locked.ok) {
    return 'holder' in locked
      ? failure('LOCKED', `the store is open elsewhere: ${locked.holder}; close it there first`)
      : failure('IO_FAILED', `cannot lock the storage directory: ${locked.error.detail}`);
  }
  try {
    return success(await move(root));
  } catch (error) {
    return failure('IO_FAILED', `cannot set aside what is in ${root}: ${(error as Error).message}`);
  } finally {
    await disk.unlock();
  }
}

async function move(root: string): Promise<string | null> {
  const names = (await readdir(root)).filter(isCheckpoint);
  for (const source of SOURCE_DIRECTORIES) {
    if ((await readdir(join(root, source))).length > 0) names.push(source);
  }
  if (names.length === 0) return null;
  let number = 1;
  while (existsSync(join(root, `not-recovered-${number}`))) number++;
  const aside = join(root, `not-recovered-${number}`);
  await mkdir(aside, { mode: 0o755 });
  // The sources first: a log without segments is a store that lost them, segments without a log are still recovered.
  for (const name of names.sort((a, b) => Number(isCheckpoint(a)) - Number(isCheckpoint(b)))) {
    await rename(join(root, name), join(aside, name));
  }
  // The new store is written into the same root: its names must not become durable before the old ones are gone.
  await syncFolder(aside);
  await syncFolder(root);
  return aside;
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
