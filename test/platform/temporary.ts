/**
 * Places for tests on real disks: a directory that goes away again, and file systems of a given size.
 *
 * Mounting needs root. Without it the caller skips, and says so in the test's own name and on standard error: a test
 * that did not run must not look like one that passed.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A fresh directory, removed when the test ends. */
export function temporaryDirectory(): string {
  const path = mkdtempSync(join(tmpdir(), 'imatrix-mm-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** Mounts a file system held in memory on a fresh directory; unmounted when the test ends. @param size as mount takes it. */
export function mountedDirectory(size: string): string {
  const path = temporaryDirectory();
  mount(['-t', 'tmpfs', '-o', `size=${size}`, 'imatrix-mm-test', path]);
  // Registered after the removal of the directory, so run before it.
  onTestFinished(() => unmount(path));
  return path;
}

export function mount(args: readonly string[]): void {
  execFileSync('mount', args, { stdio: 'pipe' });
}

export function unmount(path: string): void {
  execFileSync('umount', ['-l', path], { stdio: 'pipe' });
}

/** Why nothing can be mounted here, or null. */
export const mountsRefused: string | null = tryToMount();

function tryToMount(): string | null {
  if (process.platform !== 'linux') return `${process.platform} is not Linux`;
  if (process.getuid?.() !== 0) return 'mounting needs root';
  const path = mkdtempSync(join(tmpdir(), 'imatrix-mm-'));
  try {
    mount(['-t', 'tmpfs', '-o', 'size=64k', 'imatrix-mm-test', path]);
    unmount(path);
    return null;
  } catch (error) {
    return `mount failed: ${(error as Error).message.split('\n').at(-1) || 'no reason given'}`;
  } finally {
    rmSync(path, { recursive: true, force: true });
  }
}

/** Says on standard error that tests did not run, and why; for `test.skipIf`. */
export function skipLoudly(reason: string | null, what: string): boolean {
  if (reason !== null) process.stderr.write(`SKIPPED: ${what}: ${reason}\n`);
  return reason !== null;
}
