/** What opening a file for reading leaves behind: nothing; and who is refused that opens it all the same. */
import { execFile } from 'node:child_process';
import { chmodSync, closeSync, readFileSync, readSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { openReading, openReadingNow } from '../../src/platform/open-reading.ts';
import { temporaryDirectory } from './temporary.ts';

const CHILD = join(import.meta.dirname, 'children/read-file.ts');
const NOBODY = 65_534;

/** A file that was read before it was written, so that a file system of the usual kind notes when it is read next. */
function makeFile(directory: string, name: string): string {
  const path = join(directory, name);
  writeFileSync(path, 'abcdef');
  utimesSync(path, new Date('2020-01-01T00:00:00Z'), new Date('2021-01-01T00:00:00Z'));
  return path;
}

const readAtMs = (path: string): number => statSync(path).atimeMs;

// Goal: no inode is written because a segment was read. Method: the time of the last read, beside a file that is read plainly.
test('reading leaves the time of the last read as it is', async ({ skip }) => {
  const directory = temporaryDirectory();
  const [plain, now, later] = ['plain', 'now', 'later'].map((name) => makeFile(directory, name)) as [
    string,
    string,
    string,
  ];
  const before = readAtMs(plain);
  readFileSync(plain);
  skip(readAtMs(plain) === before, 'this file system notes no reads at all');
  for (const opened of [openReadingNow(now), await openReading(later)]) {
    if (!opened.ok) throw new Error(opened.error.detail);
    expect(readSync(opened.value, new Uint8Array(6))).toBe(6);
    closeSync(opened.value);
  }
  expect([readAtMs(now), readAtMs(later)]).toEqual([before, before]);
});

// Goal: who does not own the file reads it all the same. Method: a process of another user, which only root can start.
test('a file of another user is read, and noted', async ({ skip }) => {
  skip(process.getuid?.() !== 0, 'only root starts a process of another user');
  const directory = temporaryDirectory();
  const path = makeFile(directory, 'file');
  chmodSync(directory, 0o755);
  const child = await promisify(execFile)(process.execPath, [CHILD, String(NOBODY), path]);
  expect(child.stdout).toBe('abcdef\nabcdef\n');
});

// Goal: a refusal is told. Method: a file that is not there.
test('what is not there is refused by name', async () => {
  const path = join(temporaryDirectory(), 'missing');
  for (const opened of [openReadingNow(path), await openReading(path)]) {
    expect(opened.ok ? 'opened' : opened.error.errno).toBe('ENOENT');
  }
});
