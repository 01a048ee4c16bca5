/**
 * What of an old tree is to be imported, file by file: which records, with which times. Pure.
 *
 * A tsd file has no times: they go on from the entry's first time, record by record. Where a file before it is damaged so
 * that nobody can say how many records it held, the times of those behind it are not known, and they are refused: an entry
 * of its own with a first time lets them in.
 */
import type { MapEntry } from './map.ts';
import { OLD_RECORD_BYTES } from './old-format.ts';
import type { OldFile, OldTree } from './old-tree.ts';

export interface PlannedFile {
  readonly file: OldFile;
  /** Of its own records, the first so many are left out: the cloud had them. */
  readonly consumed: number;
  /** UTC milliseconds of its first record; of tsd. */
  readonly firstTimeMs: number;
  /** Why nothing of it is imported; null for a file that is. */
  readonly trouble: string | null;
}

export interface Plan {
  readonly files: readonly PlannedFile[];
  /** What the operator should know of the old states. */
  readonly notes: readonly string[];
  /** Bytes on disk that the records can take at most, about. */
  readonly bytes: number;
}

/** What a record takes in a segment, with its share of what stands around it. */
const SEGMENT_BYTES_A_RECORD = { tsd: 5, evt: 12 } as const;

export function planOf(tree: OldTree, map: readonly MapEntry[]): Plan {
  const notes: string[] = [];
  const planned = new Map<OldFile, PlannedFile>();
  for (const entry of map) {
    const files = tree.files.filter((file) => file.entry === entry);
    let left = consumedOf(entry, files, tree, notes);
    let before: number | null = 0;
    let uncertain = '';
    for (const file of files) {
      const held = file.records?.bits.length ?? null;
      const consumed = Math.min(left, held ?? 0);
      const trouble =
        file.trouble ??
        (before === null && entry.kind === 'tsd'
          ? `the times of its records are not known, for ${uncertain} before it is damaged; give it an entry of its own with firstTimeMs`
          : null);
      planned.set(file, { file, consumed, firstTimeMs: entry.firstTimeMs + (before ?? 0) * entry.periodMs, trouble });
      left -= consumed;
      if (held === null && before !== null) [before, uncertain] = [null, file.path];
      else if (before !== null) before += held ?? 0;
    }
  }
  const files = tree.files.map(
    (file) => planned.get(file) ?? { file, consumed: 0, firstTimeMs: 0, trouble: file.trouble },
  );
  const bytes = files.reduce(
    (sum, { file, consumed, trouble }) =>
      trouble === null && file.records !== null && file.entry !== null
        ? sum + (file.records.bits.length - consumed) * SEGMENT_BYTES_A_RECORD[file.entry.kind]
        : sum,
    0,
  );
  return { files, notes, bytes };
}

/** Records at the beginning of an entry that the cloud had. */
function consumedOf(entry: MapEntry, files: readonly OldFile[], { states }: OldTree, notes: string[]): number {
  if (entry.consumed !== null) return entry.consumed;
  const state = states.get(entry.sensor);
  if (state === undefined || state.consumed === 0) return 0;
  const held = files.reduce<number | null>(
    (sum, { records }) => (sum === null || records === null ? null : sum + records.bits.length),
    0,
  );
  if (held === state.total && state.evt === (entry.kind === 'evt')) return state.consumed;
  notes.push(
    `the state of sensor ${entry.sensor} has ${state.consumed} of ${state.total} records consumed, its files in ` +
      `${entry.source} hold ${held ?? 'nobody knows how many'}: nothing is left out; say "consumed" in the map where you know it`,
  );
  return 0;
}

/** Times of records of a file, from `at` on. */
export function timesOf({ file, firstTimeMs }: PlannedFile, at: number): number {
  const { records, entry } = file;
  return records?.timesMs?.[at] ?? firstTimeMs + at * (entry?.periodMs ?? 0);
}

/** Bytes that a file of so many records had. */
export const oldBytesOf = ({ entry, records }: OldFile): number =>
  (records?.bits.length ?? 0) * OLD_RECORD_BYTES[entry?.kind ?? 'tsd'];
