/**
 * Whose a store is, for commands that root runs: what they make belongs to the user of the store, or its program could not
 * open it any more. For anybody else nothing here does anything: what a user makes is theirs.
 */
import { chownSync, existsSync, lstatSync, readlinkSync, realpathSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** @throws what the system says where there is no such file. */
export function ownerOf(path: string): Owner {
  const { uid, gid } = statSync(path);
  return { uid, gid };
}

const isRoot = (): boolean => process.geteuid?.() === 0;

/** Makes it the owner's. */
export function give(path: string, { uid, gid }: Owner): void {
  if (isRoot()) chownSync(path, uid, gid);
}

/** Does the work with the owner's rights, so that what stays behind of it is theirs, also when this process is killed. */
export async function asOwner<T>({ uid, gid }: Owner, work: () => Promise<T>): Promise<T> {
  const { setegid, seteuid } = process;
  if (!isRoot() || uid === 0 || setegid === undefined || seteuid === undefined) return work();
  const groupBefore = process.getegid?.() ?? 0;
  // The group first: without root's rights it cannot be changed any more.
  setegid(gid);
  seteuid(uid);
  try {
    return await work();
  } finally {
    seteuid(0);
    setegid(groupBefore);
  }
}

/** Where a path leads, through symbolic links, also to what is not there at the moment. */
export function placeOf(path: string): string {
  if (existsSync(path)) return realpathSync(path);
  const isLink = lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
  return isLink ? resolve(dirname(path), readlinkSync(path)) : resolve(path);
}
