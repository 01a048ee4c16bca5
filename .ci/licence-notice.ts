/**
 * The licences of the packages that are inside the bundled command: their terms ask that the text travels with the
 * code. Made from what was really bundled, never from a list kept by hand. A package without a licence text is an
 * error: it must not be shipped by accident.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** @param inputs paths of the bundled files, relative to `root`. @param what they are bundled into. */
export async function licenceNotice(
  root: string,
  inputs: readonly string[],
  what = 'The imatrix-mm command',
): Promise<string> {
  const folders = new Set(inputs.map(packageFolder).filter((folder) => folder !== null));
  const notices = await Promise.all([...folders].sort().map((folder) => notice(join(root, folder))));
  return [`${what} contains these packages.`, ...notices].join(`\n\n${'-'.repeat(78)}\n\n`);
}

/** `node_modules/a/node_modules/@b/c/lib/x.js` -> `node_modules/a/node_modules/@b/c`; null for the project's own. */
export function packageFolder(input: string): string | null {
  return /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1] ?? null;
}

async function notice(folder: string): Promise<string> {
  const manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as {
    name: string;
    version: string;
    license?: string;
  };
  const file = (await readdir(folder)).find((name) => /^licen[cs]e/i.test(name));
  if (file === undefined) throw new Error(`${manifest.name} is bundled and has no licence file: do not ship it`);
  const text = await readFile(join(folder, file), 'utf8');
  return `${manifest.name} ${manifest.version} (${manifest.license ?? 'see below'})\n\n${text.trim()}`;
}
