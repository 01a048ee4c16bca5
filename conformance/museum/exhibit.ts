/**
 * An exhibit: a bug as a change of the engine's sources, planted in a copy and never in the sources themselves.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A bug of the museum's own: one place of one file, found by its text, so that it follows the engine or says that it cannot. */
export interface Exhibit {
  readonly id: string;
  /** What goes wrong, in a few words. */
  readonly bug: string;
  readonly file: string;
  readonly search: string;
  readonly replace: string;
}

/** A bug ready to be planted: what the changed files are to hold; null for a file that goes. */
export interface Planting {
  readonly id: string;
  readonly bug: string;
  readonly files: ReadonlyMap<string, string | null>;
}

/** Applies the exhibit to a source text. @throws when its place is not found exactly once. */
export function plant(source: string, { id, file, search, replace }: Exhibit): string {
  const found = source.split(search).length - 1;
  if (found !== 1)
    throw new Error(`exhibit ${id}: its place in ${file} is found ${found} times, not once; write it anew`);
  return source.replace(search, () => replace);
}

/** @param root of the sources. @throws when the exhibit's place is not found exactly once. */
export const plantingOf = (root: string, exhibit: Exhibit): Planting => ({
  id: exhibit.id,
  bug: exhibit.bug,
  files: new Map([[exhibit.file, plant(readFileSync(join(root, exhibit.file), 'utf8'), exhibit)]]),
});
