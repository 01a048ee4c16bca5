/**
 * Turns what node:fs says into the port's values: a code the engine branches on and a sentence a user can act on.
 *
 * Nothing here throws. It does not decide what to do about an error; that is the engine's.
 */
import type { IoError, IoErrorCode, IoResult } from '../core/port.ts';

/** An IoError that keeps the system's name for it, for the adapter's own branches. */
export interface SystemError extends IoError {
  readonly errno: string;
}

export type SystemResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: SystemError };

export const DONE: IoResult<void> & { readonly ok: true } = { ok: true, value: undefined };

const CODES: Readonly<Record<string, IoErrorCode>> = {
  ENOENT: 'NOT_FOUND',
  ENOSPC: 'NO_SPACE',
  EDQUOT: 'NO_SPACE',
  EROFS: 'READ_ONLY',
  EACCES: 'DENIED',
  EPERM: 'DENIED',
};

/** What it means here and what helps. An errno that is not listed speaks for itself. */
const REMEDIES: Readonly<Record<string, () => string>> = {
  ENOENT: () => 'there is no such file or directory',
  ENOSPC: () => 'the file system is full; free some space or lower the quota',
  EDQUOT: () => "this user's quota of the file system is used up; raise it or lower the store's",
  EROFS: () => 'the file system is mounted read-only; mount it for writing or choose another directory',
  EACCES: () => `not permitted to ${who()}; change owner or mode, or choose another directory`,
  EPERM: () => `not permitted to ${who()}; change owner or mode, or choose another directory`,
  EEXIST: () => 'something else has this name already; move it away',
  ENOTDIR: () => 'a file stands where a directory is needed; move it away or choose another directory',
  EISDIR: () => 'a directory stands where a file is needed; move it away',
  ELOOP: () => 'a symbolic link stands where a file is needed; move it away',
  ENAMETOOLONG: () => 'the path is too long for the file system; choose a shorter directory',
  EMFILE: () => 'this process has too many files open; raise its limit (ulimit -n)',
  ENFILE: () => 'the system has too many files open',
  EIO: () => 'the device failed; look at the kernel log and check the medium',
  EINVAL: () => 'the file system cannot do this; choose a directory on a local disk',
};

function who(): string {
  const uid = process.getuid?.();
  return uid === undefined ? 'this user' : `user ${uid}`;
}

/** @param doing what was tried, in a word or two. @param path on what. */
export function systemError(errno: string, doing: string, path: string, message?: string): SystemError {
  const meaning = message ?? REMEDIES[errno]?.() ?? 'the system refused it';
  return { code: CODES[errno] ?? 'IO', errno, detail: `${errno}: ${doing} ${path}: ${meaning}` };
}

export function refused(error: SystemError): { readonly ok: false; readonly error: SystemError } {
  return { ok: false, error };
}

/** What node:fs threw or handed to a callback, as a value. */
function refusedBy(error: NodeJS.ErrnoException, doing: string, path: string): ReturnType<typeof refused> {
  const errno = error.code ?? 'EUNKNOWN';
  return refused(systemError(errno, doing, path, REMEDIES[errno] === undefined ? error.message : undefined));
}

/** Runs synchronous calls of node:fs. */
export function attemptNow<T>(doing: string, path: string, work: () => T): SystemResult<T> {
  try {
    return { ok: true, value: work() };
  } catch (error) {
    return refusedBy(error as NodeJS.ErrnoException, doing, path);
  }
}

/**
 * Runs one callback-style call of node:fs. In that form descriptors stay plain numbers, with a lifetime that is this
 * adapter's alone.
 */
export function attempt<T = void>(
  doing: string,
  path: string,
  start: (done: (error: NodeJS.ErrnoException | null, value?: T) => void) => void,
): Promise<SystemResult<T>> {
  return new Promise((resolve) => {
    const fail = (error: NodeJS.ErrnoException): void => resolve(refusedBy(error, doing, path));
    try {
      start((error, value) => (error === null ? resolve({ ok: true, value: value as T }) : fail(error)));
    } catch (error) {
      // node:fs throws at once for arguments it refuses, such as a path with a NUL in it.
      fail(error as NodeJS.ErrnoException);
    }
  });
}
