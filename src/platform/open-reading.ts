/**
 * Opens files for reading without having the file system note that they were read: as most are mounted (relatime) the first
 * read behind each write rewrites the file's inode, and opening a full store or uploading it reads every file.
 *
 * Only a file's owner and the superuser may ask for that. Refused to others it is opened as any file.
 */
import fs from 'node:fs';
import type { SystemResult } from './io-error.ts';
import { attempt, attemptNow } from './io-error.ts';

/** Never through a symbolic link, as in open-files.ts. */
const FLAGS = fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW;
/** Not every system has it. */
const QUIETLY = FLAGS | (fs.constants.O_NOATIME ?? 0);

const mayNot = (opened: SystemResult<number>): boolean => !opened.ok && opened.error.errno === 'EPERM';

export async function openReading(path: string): Promise<SystemResult<number>> {
  const opened = await attempt<number>('read', path, (done) => fs.open(path, QUIETLY, done));
  return mayNot(opened) ? attempt('read', path, (done) => fs.open(path, FLAGS, done)) : opened;
}

/** The same in one instant. */
export function openReadingNow(path: string): SystemResult<number> {
  const opened = attemptNow('read', path, () => fs.openSync(path, QUIETLY));
  return mayNot(opened) ? attemptNow('read', path, () => fs.openSync(path, FLAGS)) : opened;
}
