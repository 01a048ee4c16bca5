/**
 * The first pass of recovery: which segments there are, by name and header. Reads only, so an unknown format is refused
 * with nothing touched.
 *
 * It judges no content and moves no file; recovery.ts does, with what the checkpoint log says beside it.
 */
import { toHex } from './bytes.ts';
import { ioFailure } from './checkpoint-log.ts';
import type { Result } from './codes.ts';
import { failure, success } from './codes.ts';
import { allocatedBytes, parseSegmentName } from './disk-index.ts';
import type { DiskPort, IoResult } from './port.ts';
import { SOURCE_DIRECTORIES } from './port.ts';
import type { HeaderRead, SegmentHeader } from './segment.ts';
import { KNOWN_VERSIONS, readSegmentHeader, SEGMENT_HEADER_BYTES } from './segment.ts';

/** Ends the name of a file that was set aside: nobody takes it for a segment, it counts under the quota. */
export const DAMAGED_SUFFIX = '.damaged';

export interface FoundSegment {
  readonly number: number;
  readonly source: number;
  readonly bytes: number;
  /** From the file's front or, where that is damaged, its end. Null: neither reads, or it names another file. */
  readonly header: SegmentHeader | null;
  /** The header reads well and names another file: somebody moved or copied it here. */
  readonly misplaced: boolean;
}

/** One of which the header reads well. */
export interface ReadSegment extends FoundSegment {
  readonly header: SegmentHeader;
}

export interface FoundFiles {
  readonly segments: readonly FoundSegment[];
  /** Paths of all files, from the root. */
  readonly names: Set<string>;
  readonly setAsideBytes: number;
}

export type SourceDirectory = (typeof SOURCE_DIRECTORIES)[number];

export const directoryOf = (source: number): SourceDirectory => SOURCE_DIRECTORIES[source] as SourceDirectory;

/** Headers of all segments, in flush order, and the names of all files. Reads only: an unknown format is refused with nothing touched. */
export async function lookAtSegments(port: DiskPort): Promise<Result<FoundFiles>> {
  const segments: FoundSegment[] = [];
  const names = new Set<string>();
  let setAsideBytes = 0;
  for (const directory of ['', ...SOURCE_DIRECTORIES] as const) {
    const listed = await port.list(directory);
    if (!listed.ok) return ioFailure(`list ${directory}`, listed.error);
    for (const file of listed.value) {
      names.add(directory === '' ? file.name : `${directory}/${file.name}`);
      if (file.name.endsWith(DAMAGED_SUFFIX)) setAsideBytes += allocatedBytes(file.bytes);
      const number = parseSegmentName(file.name);
      if (number === null || directory === '') continue;
      const source = SOURCE_DIRECTORIES.indexOf(directory);
      const read = await readHeader(port, directory, file.name, file.bytes);
      if (!read.ok) return ioFailure(`read ${directory}/${file.name}`, read.error);
      const header = read.value;
      if (header.state === 'unsupported') {
        return failure(
          'UNSUPPORTED_FORMAT',
          `${directory}/${file.name} has format version ${header.version}, this program knows ${KNOWN_VERSIONS}: open the store with the program that wrote it`,
        );
      }
      const named = header.state === 'ok' && header.header.number === number && header.header.source === source;
      segments.push({
        number,
        source,
        bytes: file.bytes,
        header: named ? header.header : null,
        misplaced: header.state === 'ok' && !named,
      });
    }
  }
  segments.sort((a, b) => a.number - b.number);
  return success({ segments, names, setAsideBytes });
}

async function readHeader(
  port: DiskPort,
  directory: SourceDirectory,
  name: string,
  size: number,
): Promise<IoResult<HeaderRead>> {
  const bytes = new Uint8Array(SEGMENT_HEADER_BYTES);
  let header: HeaderRead = { state: 'damaged' };
  for (const offset of [0, size - SEGMENT_HEADER_BYTES]) {
    if (offset < 0 || header.state !== 'damaged') continue;
    const read = await port.read(directory, name, offset, bytes);
    // What the medium does not give is damaged, and that is how recovery goes on. A refusal of the system is none.
    if (!read.ok && read.error.code !== 'IO') return read;
    if (read.ok && read.value === SEGMENT_HEADER_BYTES) header = readSegmentHeader(bytes, 0);
  }
  return { ok: true, value: header };
}

/** Ids of the stores that the segments are of, the commonest first: where the log is lost, that is this store's. */
export function storeIdsOf(segments: readonly FoundSegment[]): Uint8Array[] {
  const counts = new Map<string, { readonly id: Uint8Array; segments: number }>();
  for (const { header } of segments) {
    if (header === null) continue;
    const key = toHex(header.storeId);
    const known = counts.get(key) ?? { id: header.storeId, segments: 0 };
    known.segments++;
    counts.set(key, known);
  }
  return [...counts.values()].sort((a, b) => b.segments - a.segments).map(({ id }) => id);
}
