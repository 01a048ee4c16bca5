/**
 * The first pass of recovery: which segments there are, by name and header, and of those that are whole the blocks. Reads
 * only, so an unknown format is refused with nothing touched.
 *
 * Each file is read once, whole, several at a time: a disk that has to fetch them is kept busy. One in which anything is
 * amiss is looked at again, with care, here for its header and by recovery.ts for its blocks.
 *
 * It judges no content and moves no file; recovery.ts does, with what the checkpoint log says beside it.
 */
import { sameBytes } from './bytes.ts';
import { ioFailure } from './checkpoint-log.ts';
import type { Result } from './codes.ts';
import { failure, success } from './codes.ts';
import { FILE_BYTES_MAX } from './config.ts';
import { allocatedBytes, parseSegmentName } from './disk-index.ts';
import type { DiskPort, IoResult } from './port.ts';
import { SOURCE_DIRECTORIES } from './port.ts';
import type { HeaderRead, SegmentHeader } from './segment.ts';
import { KNOWN_VERSIONS, readSegmentHeader, SEGMENT_HEADER_BYTES } from './segment.ts';
import type { BlockColumns, SegmentColumns } from './segment-columns.ts';

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
  /** Its blocks, when it was read whole and is sound to the last byte. */
  readonly blocks: BlockColumns | null;
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

/** Files looked at at a time; each has a buffer of its own. */
const READS_AT_ONCE = 8;

interface SegmentFile {
  readonly directory: SourceDirectory;
  readonly name: string;
  readonly number: number;
  readonly source: number;
  readonly bytes: number;
}

/**
 * All segments, in flush order, and the names of all files. Reads only: an unknown format is refused with nothing touched.
 * @param columns takes the blocks of those that are whole; null: headers alone are read.
 */
export async function lookAtSegments(
  port: DiskPort,
  columns: SegmentColumns | null = null,
): Promise<Result<FoundFiles>> {
  const files: SegmentFile[] = [];
  const names = new Set<string>();
  let setAsideBytes = 0;
  for (const directory of ['', ...SOURCE_DIRECTORIES] as const) {
    const listed = await port.list(directory);
    if (!listed.ok) return ioFailure(`list ${directory}`, listed.error);
    for (const { name, bytes } of listed.value) {
      names.add(directory === '' ? name : `${directory}/${name}`);
      if (name.endsWith(DAMAGED_SUFFIX)) setAsideBytes += allocatedBytes(bytes);
      const number = parseSegmentName(name);
      if (number === null || directory === '') continue;
      files.push({ directory, name, number, source: SOURCE_DIRECTORIES.indexOf(directory), bytes });
    }
  }
  const looked = await lookAtEach(port, files, columns);
  if (!looked.ok) return looked;
  const segments = looked.value;
  segments.sort((a, b) => a.number - b.number);
  return success({ segments, names, setAsideBytes });
}

async function lookAtEach(
  port: DiskPort,
  files: readonly SegmentFile[],
  columns: SegmentColumns | null,
): Promise<Result<FoundSegment[]>> {
  const found: FoundSegment[] = [];
  const failed: Result<never>[] = [];
  let next = 0;
  const reader = async (): Promise<void> => {
    const buffer = new Uint8Array(columns === null ? 0 : FILE_BYTES_MAX);
    for (let file = files[next++]; file !== undefined && failed.length === 0; file = files[next++]) {
      const segment = await lookAt(port, file, buffer, columns);
      if (segment.ok) found.push(segment.value);
      else failed.push(segment);
    }
  };
  await Promise.all(Array.from({ length: Math.min(READS_AT_ONCE, files.length) }, reader));
  return failed[0] ?? success(found);
}

async function lookAt(
  port: DiskPort,
  file: SegmentFile,
  buffer: Uint8Array,
  columns: SegmentColumns | null,
): Promise<Result<FoundSegment>> {
  const { directory, name, number, source, bytes: size } = file;
  const bytes = buffer.subarray(0, size);
  // A file that is larger than a segment can be has something amiss, as one has that is cut short.
  const whole = columns !== null && size === bytes.length ? await port.read(directory, name, 0, bytes) : null;
  let header: HeaderRead = { state: 'damaged' };
  if (whole?.ok && whole.value === size) header = readSegmentHeader(bytes, 0);
  const isSound = header.state === 'ok';
  if (header.state === 'damaged') {
    const read = await readHeader(port, directory, name, size);
    if (!read.ok) return ioFailure(`read ${directory}/${name}`, read.error);
    header = read.value;
  }
  if (header.state === 'unsupported') {
    return failure(
      'UNSUPPORTED_FORMAT',
      `${directory}/${name} has format version ${header.version}, this program knows ${KNOWN_VERSIONS}: open the store with the program that wrote it`,
    );
  }
  const read = header.state === 'ok' ? header.header : null;
  const named = read !== null && read.number === number && read.source === source;
  return success({
    number,
    source,
    bytes: size,
    header: named ? read : null,
    misplaced: read !== null && !named,
    blocks: named && isSound && columns !== null ? columns.read(bytes, read) : null,
  });
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
  const counts: { readonly id: Uint8Array; segments: number }[] = [];
  for (const { header } of segments) {
    if (header === null) continue;
    const known = counts.find(({ id }) => sameBytes(id, header.storeId));
    if (known === undefined) counts.push({ id: header.storeId, segments: 1 });
    else known.segments++;
  }
  return counts.sort((a, b) => b.segments - a.segments).map(({ id }) => id);
}
