/**
 * imatrix-memory-manager/migration: records of the first memory manager into a store that a program has open, and what a
 * store retains back into the old files. docs/import-export.md.
 */
import { readFileSync } from 'node:fs';
import type { Store } from '../store.ts';
import type { ImportReport } from './import.ts';
import { importPlan } from './import.ts';
import type { MapEntry } from './map.ts';
import { parseMap } from './map.ts';
import type { OldTree } from './old-tree.ts';
import { readOldTree } from './old-tree.ts';
import type { Plan } from './plan.ts';
import { planOf } from './plan.ts';

export type { ExportedStream, ExportOptions, ExportReport } from './export.ts';
export { ExportError, exportStore, MAP_NAME } from './export.ts';
export type { ImportedFile, ImportOptions, ImportReport } from './import.ts';
export { importPlan, NoRoomError } from './import.ts';
export { JournalError } from './journal.ts';
export type { MapEntry } from './map.ts';
export { MapError } from './map.ts';

/** An old directory, read, with what is to be imported of it. Nothing was written. */
export interface OldRecordsFound {
  readonly tree: OldTree;
  readonly plan: Plan;
  readonly map: readonly MapEntry[];
}

/** Reads everything and checks it. @throws MapError; what the system says of a path. */
export function lookAtOld(directory: string, mapFile: string): OldRecordsFound {
  const map = parseMap(readFileSync(mapFile, 'utf8'), mapFile);
  const tree = readOldTree(directory, map);
  return { map, tree, plan: planOf(tree, map) };
}

export interface ImportOldOptions {
  readonly directory: string;
  readonly map: string;
  /** A file that remembers what was imported; the same one when it is run again. */
  readonly journal: string;
  readonly onProgress?: (records: number, total: number) => void;
}

/**
 * Imports an old directory into a store that is open, beside whatever else the program does with it. Durable when it
 * resolves; run again after a crash, it goes on where it was.
 * @throws as lookAtOld and importPlan.
 */
export async function importOld(store: Store, options: ImportOldOptions): Promise<ImportReport> {
  const { directory, map, journal, onProgress } = options;
  const { plan } = lookAtOld(directory, map);
  return importPlan(store, plan, { journal, ...(onProgress === undefined ? {} : { onProgress }) });
}
