/**
 * How a command ends badly: with one line on stderr and an exit code, never with a stack trace.
 *
 *   1  the work was done and something is wrong with the result (records differ or are missing)
 *   2  it could not be done as asked: usage, settings, input, a locked or unusable directory
 */
import { StoreError } from '../index.ts';

export const EXIT_WRONG = 1;
export const EXIT_UNUSABLE = 2;
/** As shells have it: 128 + SIGINT. */
export const EXIT_INTERRUPTED = 130;

export class CliError extends Error {
  override readonly name = 'CliError';
  readonly exitCode: number;

  /** @param message what, where, and what to do, in one line. */
  constructor(message: string, exitCode: number = EXIT_UNUSABLE) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** The error as one line for the user; null when it is none of the expected kinds, a defect of this program. */
export function expectedMessage(error: unknown): { readonly message: string; readonly exitCode: number } | null {
  if (error instanceof CliError) return { message: oneLine(error.message), exitCode: error.exitCode };
  if (error instanceof StoreError) return { message: oneLine(error.message), exitCode: EXIT_UNUSABLE };
  if (isSystemError(error)) return { message: oneLine(describeSystemError(error)), exitCode: EXIT_UNUSABLE };
  return null;
}

const isSystemError = (error: unknown): error is NodeJS.ErrnoException =>
  error instanceof Error && typeof (error as NodeJS.ErrnoException).syscall === 'string';

const SYSTEM_WORDS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or directory; check the path',
  EACCES: 'permission denied; check owner and mode',
  EPERM: 'not permitted; check owner and mode',
  EISDIR: 'it is a directory; give a file',
  ENOTDIR: 'a part of the path is not a directory; check the path',
  ENOSPC: 'no space left on the device; free some or choose another directory',
  EROFS: 'the file system is read-only; choose another directory',
  EMFILE: 'too many open files; raise the limit (ulimit -n)',
  ENAMETOOLONG: 'the path is too long; choose a shorter one',
  ELOOP: 'too many symbolic links; check the path',
};

export function describeSystemError(error: NodeJS.ErrnoException, path = error.path): string {
  const where = path === undefined ? '' : `${path}: `;
  return `${where}${SYSTEM_WORDS[error.code ?? ''] ?? `${error.syscall} failed with ${error.code}`}`;
}

export const oneLine = (text: string): string => text.trim().replace(/\s*\n\s*/g, '; ');
