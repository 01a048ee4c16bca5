/** The files of a store on a real directory, and what an own reader of the format finds in them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FileLayout } from '../damage-matrix/layout.ts';
import { readSegmentFile } from '../damage-matrix/layout.ts';
import { HarnessFailure } from './bench.ts';

export const SOURCES = ['host', 'mgc', 'can_controller'] as const;

/** Segments of a source, by number. */
export function segmentsOf(
  root: string,
  source: (typeof SOURCES)[number],
): { readonly path: string; readonly layout: FileLayout }[] {
  const names = readdirSync(join(root, source))
    .filter((name) => name.endsWith('.seg'))
    .sort();
  return names.map((name) => {
    const path = join(root, source, name);
    try {
      return { path, layout: readSegmentFile(source, name, readFileSync(path)) };
    } catch (error) {
      throw new HarnessFailure(
        `${source}/${name}`,
        'a whole segment',
        error instanceof Error ? error.message : String(error),
      );
    }
  });
}

/** Values of one sensor as they lie in the files of its source, oldest file first. */
export const valuesIn = (root: string, source: (typeof SOURCES)[number], sensor: number): number[] =>
  segmentsOf(root, source).flatMap(({ layout }) =>
    layout.blocks
      .filter((block) => block.sensor === sensor)
      .flatMap(({ records }) => records.map(({ valueBits }) => valueBits)),
  );

/** Bytes of all files under the root. */
export function bytesUnder(root: string): number {
  let bytes = 0;
  for (const each of readdirSync(root, { recursive: true, withFileTypes: true }))
    if (each.isFile()) bytes += readFileSync(join(each.parentPath, each.name)).length;
  return bytes;
}
