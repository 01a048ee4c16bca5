/**
 * A directory of the first memory manager, looked at: which files there are, what can be imported of each, and what is
 * wrong with the others. Reads only; nothing in it is ever altered.
 */
import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { Source } from '../core/types.ts';
import { SOURCES } from '../core/types.ts';
import type { MapEntry } from './map.ts';
import type { OldMetadata, OldRecords, OldState } from './old-format.ts';
import {
  decodeMetadata,
  decodeRecords,
  decodeState,
  lengthTrouble,
  METADATA_BYTES,
  parseSectorName,
} from './old-format.ts';

/** A data file, or one that should be. */
export interface OldFile {
  /** From the root, with slashes. */
  readonly path: string;
  readonly source: Source;
  readonly sector: number;
  /** Null: the map says nothing of it. */
  readonly entry: MapEntry | null;
  /** Hash of its content; empty for one that cannot be read. */
  readonly sha256: string;
  readonly records: OldRecords | null;
  /** Why it is not imported; null for one that is. */
  readonly trouble: string | null;
}

export interface OldTree {
  readonly root: string;
  /** By source and sector. */
  readonly files: readonly OldFile[];
  /** What else is there and means something: metadata or states that are damaged, names that are none. */
  readonly strange: readonly { readonly path: string; readonly trouble: string }[];
  /** Sound states, by sensor. */
  readonly states: ReadonlyMap<number, OldState>;
}

/** Both names that the old program gave it. */
const METADATA_NAMES = ['metadata.json', '(null)metadata.json'];
const NOT_MAPPED = 'the map says nothing of it';

/** Content of a plain file, or why there is none. */
function contentOf(path: string): Uint8Array | string {
  try {
    const found = lstatSync(path);
    if (!found.isFile()) return found.isDirectory() ? 'it is a directory' : 'it is no plain file';
    return new Uint8Array(readFileSync(path));
  } catch (error) {
    return `it cannot be read: ${(error as NodeJS.ErrnoException).code ?? error}`;
  }
}

/** Names in a directory; none when it is not there. @throws what the system says of one that cannot be listed. */
function namesIn(path: string): readonly string[] {
  try {
    return readdirSync(path).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/**
 * @param map what the files do not say.
 * @throws what the system says of a root or source directory that cannot be listed.
 */
export function readOldTree(root: string, map: readonly MapEntry[]): OldTree {
  readdirSync(root);
  const files: OldFile[] = [];
  const strange: { path: string; trouble: string }[] = [];
  const note = (path: string, trouble: string): number => strange.push({ path, trouble });
  for (const source of SOURCES) {
    const directory = join(root, source);
    const names = namesIn(directory);
    const last = metadataOf(directory, source, names, note);
    for (const name of names) {
      if (METADATA_NAMES.includes(name)) continue;
      const sector = parseSectorName(name);
      if (sector === null) note(`${source}/${name}`, 'its name is none of a data file: sector_NNNN.dat');
      else files.push(readFile(directory, source, name, sector, map, last.get(sector)));
    }
    for (const [sector, { bytes }] of last)
      if (!files.some((file) => file.source === source && file.sector === sector))
        note(`${source}/metadata.json`, `sector ${sector} of ${bytes} bytes, which it describes, is not there`);
  }
  files.sort((a, b) => SOURCES.indexOf(a.source) - SOURCES.indexOf(b.source) || a.sector - b.sector);
  return { root, files, strange, states: statesOf(root, note) };
}

/** What metadata there is, by the sector that it describes. */
function metadataOf(
  directory: string,
  source: Source,
  names: readonly string[],
  note: (path: string, trouble: string) => void,
): ReadonlyMap<number, OldMetadata> {
  const found = new Map<number, OldMetadata>();
  for (const name of METADATA_NAMES.filter((each) => names.includes(each))) {
    const content = contentOf(join(directory, name));
    const metadata = typeof content === 'string' ? null : decodeMetadata(content);
    if (metadata !== null) found.set(metadata.sector, metadata);
    else
      note(
        `${source}/${name}`,
        typeof content === 'string' ? content : `it has ${content.length} bytes, not ${METADATA_BYTES}`,
      );
  }
  return found;
}

function readFile(
  directory: string,
  source: Source,
  name: string,
  sector: number,
  map: readonly MapEntry[],
  metadata: OldMetadata | undefined,
): OldFile {
  const entry = map.find((each) => each.source === source && each.from <= sector && sector <= each.to) ?? null;
  const content = contentOf(join(directory, name));
  const file = { path: `${source}/${name}`, source, sector, entry };
  const refuse = (trouble: string, sha256 = ''): OldFile => ({ ...file, sha256, records: null, trouble });
  if (typeof content === 'string') return refuse(content);
  const sha256 = createHash('sha256').update(content).digest('hex');
  if (metadata !== undefined && metadata.bytes !== content.length)
    return refuse(`it has ${content.length} bytes, its metadata says ${metadata.bytes}`, sha256);
  if (metadata !== undefined && metadata.crc !== crc32(content))
    return refuse('its checksum is not the one of its metadata', sha256);
  if (entry === null) return refuse(NOT_MAPPED, sha256);
  const trouble = lengthTrouble(entry.kind, content.length);
  if (trouble !== null) return refuse(trouble, sha256);
  return { ...file, sha256, records: decodeRecords(entry.kind, content), trouble: null };
}

function statesOf(root: string, note: (path: string, trouble: string) => void): ReadonlyMap<number, OldState> {
  const states = new Map<number, OldState>();
  for (const name of namesIn(join(root, 'state'))) {
    const path = `state/${name}`;
    if (!/^state_[0-9A-Fa-f]{8}\.dat$/.test(name)) {
      note(path, 'its name is none of a state: state_XXXXXXXX.dat');
      continue;
    }
    const content = contentOf(join(root, path));
    const state = typeof content === 'string' ? content : decodeState(content);
    if (typeof state === 'string') note(path, state);
    else states.set(state.sensor, state);
  }
  return states;
}
