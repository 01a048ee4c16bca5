/**
 * Goal: the Linux disk answers at once what it answers by promise: bytes, short reads, refusals. Method: both for each
 * kind of file, one beside the other.
 */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { LinuxDisk } from '../../src/platform/linux-disk.ts';
import { temporaryDirectory } from './temporary.ts';

it.each([
  ['a whole file', 'file', 0, 6],
  ['the middle of one', 'file', 2, 3],
  ['more than there is', 'file', 4, 100],
  ['beyond its end', 'file', 100, 4],
  ['nothing', 'file', 0, 0],
  ['a file that is missing', 'missing', 0, 4],
  ['a directory', 'directory', 0, 4],
  ['a symbolic link, which leads elsewhere', 'link', 0, 4],
  ['a name that leads out', '../outside', 0, 4],
])('reads %s as the one that waits does', async (_, name, offset, bytes) => {
  const root = temporaryDirectory();
  const disk = new LinuxDisk(root);
  mkdirSync(join(root, 'host/directory'), { recursive: true });
  writeFileSync(join(root, 'host/file'), 'abcdef');
  writeFileSync(join(root, 'outside'), 'secret');
  symlinkSync(join(root, 'outside'), join(root, 'host/link'));
  const [now, later] = [new Uint8Array(bytes).fill(7), new Uint8Array(bytes).fill(7)];
  const answer = disk.readNow('host', name, offset, now);
  expect(answer).toEqual(await disk.read('host', name, offset, later));
  expect(now).toEqual(later);
  expect(answer.ok).toBe(name === 'file');
});
