/** A store's files in a real directory: put there, read back, and compared with how they were. */
import { lstat, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Directory } from '../../src/core/port.ts';
import { SOURCE_DIRECTORIES } from '../../src/core/port.ts';
import type { StoredFile } from './damages.ts';

const DIRECTORIES: readonly Directory[] = ['', ...SOURCE_DIRECTORIES];

export async function writeFiles(root: string, files: readonly StoredFile[]): Promise<void> {
  for (const directory of DIRECTORIES) await mkdir(join(root, directory), { recursive: true });
  for (const { directory, name, content } of files) await writeFile(join(root, directory, name), content);
}

export async function filesIn(root: string): Promise<StoredFile[]> {
  const files: StoredFile[] = [];
  for (const directory of DIRECTORIES) {
    for (const entry of await readdir(join(root, directory), { withFileTypes: true })) {
      if (!entry.isFile()) continue;
      files.push({ directory, name: entry.name, content: await readFile(join(root, directory, entry.name)) });
    }
  }
  return files;
}

/** Everything that a change of the directory would change, as text: names, inodes, sizes, times, contents. */
export async function stateOf(root: string): Promise<string> {
  const lines: string[] = [];
  const look = async (path: string): Promise<void> => {
    const stats = await lstat(path);
    const { ino, mode, size, mtimeMs, ctimeMs } = stats;
    const content = stats.isFile() ? (await readFile(path)).toString('base64') : '';
    lines.push([path, ino, mode, size, mtimeMs, ctimeMs, content].join(' '));
    if (stats.isDirectory()) for (const name of (await readdir(path)).sort()) await look(join(path, name));
  };
  await look(root);
  return lines.join('\n');
}
