/**
 * Bugs from outside the project: a folder with one unified diff a file, as `git diff` or `diff -u` writes it.
 *
 * A diff may change several files, make one or take one away. It is applied without fuzz: a hunk whose lines are not in
 * the source as it says is an error that names file and hunk, for a bug planted somewhere else proves nothing. Lines may
 * have moved. Without `git`, so that it works from an unpacked archive too.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join, posix } from 'node:path';
import type { StructuredPatch } from 'diff';
import { applyPatch, parsePatch } from 'diff';
import type { Planting } from './exhibit.ts';
import { COPIED } from './visit.ts';

const NOTHING = '/dev/null';

/** Reads every `.diff` and `.patch` of the folder. @throws an Error with one clear line: which file, what is wrong. */
export function plantingsIn(folder: string, root: string): Planting[] {
  if (!existsSync(folder) || !statSync(folder).isDirectory()) {
    throw new Error(`${folder} is not a folder: give one with a unified diff a file, named *.diff or *.patch`);
  }
  const names = readdirSync(folder).filter((name) => /\.(diff|patch)$/.test(name));
  if (names.length === 0)
    throw new Error(`${folder} has no *.diff and no *.patch: put one unified diff into each file`);
  return names.sort().map((name) => plantingOfDiff(join(folder, name), root));
}

/** @throws an Error with one clear line when the file is no diff, or does not fit the sources. */
export function plantingOfDiff(path: string, root: string): Planting {
  const patches = parse(path).filter(({ hunks, oldFileName, newFileName }) => {
    return hunks.length > 0 || oldFileName !== newFileName;
  });
  if (patches.length === 0) throw new Error(`${path} has no hunk: make it with git diff or diff -u`);
  const files = new Map<string, string | null>();
  for (const patch of patches) {
    const [from, to] = [nameOf(path, patch.oldFileName), nameOf(path, patch.newFileName)];
    const source = from === null ? '' : (files.get(from) ?? readSource(path, root, from));
    if (from !== null && from !== to) files.set(from, null);
    if (to !== null) files.set(to, applied(path, to, source, patch));
  }
  const id = basename(path).replace(/\.(diff|patch)$/, '');
  return { id, bug: `changes ${[...files.keys()].join(', ')}`, files };
}

function parse(path: string): StructuredPatch[] {
  try {
    return parsePatch(readFileSync(path, 'utf8'));
  } catch (error) {
    const [reason = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
    throw new Error(`${path} is no unified diff: ${reason}; make it with git diff or diff -u`);
  }
}

/** A file of the project, without the a/ or b/ that git puts before it; null for none. */
function nameOf(path: string, given: string | undefined): string | null {
  if (given === NOTHING) return null;
  const name = posix.normalize((given ?? '').replace(/^[ab]\//, ''));
  if (!COPIED.some((folder) => name.startsWith(`${folder}/`))) {
    throw new Error(`${path} changes ${given ?? 'a file without a name'}: only ${COPIED.join(', ')} can be changed`);
  }
  return name;
}

function readSource(path: string, root: string, name: string): string {
  if (!existsSync(join(root, name))) throw new Error(`${path} changes ${name}, which is not there: make the diff anew`);
  return readFileSync(join(root, name), 'utf8');
}

function applied(path: string, name: string, source: string, patch: StructuredPatch): string {
  const whole = applyPatch(source, patch);
  if (whole !== false) return whole;
  // The first hunk that does not fit behind those before it, for the message.
  const at = patch.hunks.findIndex(
    (_, i) => applyPatch(source, { ...patch, hunks: patch.hunks.slice(0, i + 1) }) === false,
  );
  const { oldStart, oldLines } = patch.hunks[at] as StructuredPatch['hunks'][number];
  throw new Error(
    `${path} does not apply: hunk ${at + 1} of ${name} (lines ${oldStart} to ${oldStart + Math.max(1, oldLines) - 1}) is not in the source; make the diff anew`,
  );
}
