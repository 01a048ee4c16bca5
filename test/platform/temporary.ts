/**
 * Places for tests on real disks: a directory that goes away again, and file systems of a given size.
 *
 * Mounting needs root. Without it the caller skips, and says so in the test's own name and on standard error: a test
 * that did not run must not look like one that passed.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** For `vi.waitFor`: what comes in a moment comes late on a machine that has other things to do. */
export const PATIENCE = { timeout: 20_000, interval: 5 } as const;

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

/** The same with ext4 in a file: blocks are given out late there, metadata takes its share, and nothing is kept for root. */
export function mountedExt4Directory(bytes: number): string {
  const image = join(temporaryDirectory(), 'image');
  const path = temporaryDirectory();
  writeFileSync(image, '');
  truncateSync(image, bytes);
  execFileSync('mkfs.ext4', ['-q', '-F', '-m', '0', image], { stdio: 'pipe' });
  mount(['-o', 'loop', image, path]);
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

/** Why no ext4 can be made here, or null. */
export const ext4Refused: string | null = mountsRefused ?? tryToMakeExt4();

function tryToMakeExt4(): string | null {
  const probes: readonly (readonly [string, ...string[]])[] = [
    ['mkfs.ext4', '-V'],
    ['losetup', '--find'],
  ];
  for (const [program, ...args] of probes) {
    try {
      execFileSync(program, args, { stdio: 'ignore' });
    } catch (error) {
      return `${program} does not run: ${(error as Error).message}`;
    }
  }
  return null;
}

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
