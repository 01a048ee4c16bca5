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
import type { CheckpointImage } from './checkpoint-image.ts';
import { ioFailure } from './checkpoint-log.ts';
import type { Result } from './codes.ts';
import { failure, success } from './codes.ts';
import { FILE_BYTES_MAX } from './config.ts';
import { allocatedBytes, parseSegmentName } from './disk-index.ts';
import type { DiskPort, IoResult } from './port.ts';
import { SOURCE_DIRECTORIES } from './port.ts';
import { readFile } from './read-file.ts';
import type { HeaderRead, SegmentHeader } from './segment.ts';
import { KNOWN_VERSIONS, lastSegmentHeader, readSegmentHeader, SEGMENT_HEADER_BYTES } from './segment.ts';
import type { BlockColumns, SegmentColumns } from './segment-columns.ts';
import { isBlank } from './segment-files.ts';

/** Ends the name of a file that was set aside: nobody takes it for a segment, it counts under the quota. */
export const DAMAGED_SUFFIX = '.damaged';

export interface FoundSegment {
  /** Its own, by its header; that of a file whose header does not read is what the log says of the file, or the file's. */
  readonly number: number;
  /** The number in the file's name. */
  readonly file: number;
  readonly source: number;
  readonly bytes: number;
  /** Of the segment in it, as its header says; of the file, where none reads. */
  readonly segmentBytes: number;
  /** From the file's front or, where that is damaged, from the segment's end. Null: neither reads, or it belongs elsewhere. */
  readonly header: SegmentHeader | null;
  /** The header reads well and belongs elsewhere: somebody moved or copied it here. */
  readonly misplaced: boolean;
  /** Its blocks, when it was read whole and is sound to the last byte. */
  readonly blocks: BlockColumns | null;
  /** Made ahead and never written. */
  readonly blank: boolean;
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

interface ListedFile {
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
  const files: ListedFile[] = [];
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
  // In the order in which they were written they lie together on the medium, and their blocks in the columns.
  files.sort((a, b) => a.number - b.number);
  const looked = await lookAtEach(port, files, columns);
  if (!looked.ok) return looked;
  const segments = looked.value;
  segments.sort(byNumber);
  return success({ segments, names, setAsideBytes });
}

async function lookAtEach(
  port: DiskPort,
  files: readonly ListedFile[],
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

const readOnce = (
  port: DiskPort,
  directory: SourceDirectory,
  name: string,
  into: Uint8Array,
): Promise<IoResult<number>> => port.readOnce?.(directory, name, into) ?? port.read(directory, name, 0, into);

async function lookAt(
  port: DiskPort,
  file: ListedFile,
  buffer: Uint8Array,
  columns: SegmentColumns | null,
): Promise<Result<FoundSegment>> {
  const { directory, name, number, source, bytes: size } = file;
  const bytes = buffer.subarray(0, size);
  // A file that is larger than a segment can be has something amiss, as one has that is cut short.
  const whole = columns !== null && size === bytes.length ? await readOnce(port, directory, name, bytes) : null;
  // What may not be read is not damaged.
  if (whole?.ok === false && whole.error.code !== 'IO') return ioFailure(`read ${directory}/${name}`, whole.error);
  const isRead = whole?.ok === true && whole.value === size;
  let front: Front = isRead ? frontOf(bytes) : { header: { state: 'damaged' }, blank: false };
  const isSound = front.header.state === 'ok';
  if (front.header.state === 'damaged' && !front.blank) {
    const read = await readFront(port, directory, name, size);
    if (!read.ok) return ioFailure(`read ${directory}/${name}`, read.error);
    front = read.value;
  }
  const { header, blank } = front;
  if (header.state === 'unsupported') {
    return failure(
      'UNSUPPORTED_FORMAT',
      `${directory}/${name} has format version ${header.version}, this program knows ${KNOWN_VERSIONS}: open the store with the program that wrote it`,
    );
  }
  const read = header.state === 'ok' ? header.header : null;
  const isHere = read !== null && read.source === source;
  return success({
    number: isHere ? read.number : number,
    file: number,
    source,
    bytes: size,
    segmentBytes: header.state === 'ok' ? header.bytes : size,
    header: isHere ? read : null,
    misplaced: read !== null && !isHere,
    blank,
    blocks: isHere && isSound && columns !== null ? columns.read(bytes, read) : null,
  });
}

const byNumber = (a: FoundSegment, b: FoundSegment): number => a.number - b.number || a.file - b.file;

/**
 * The found segments with what the log knows of the files: which number lies in a file that does not say it, and which file
 * holds a copy of a segment that lies elsewhere, or is alone in saying what it holds.
 */
export function placeSegments(
  segments: readonly FoundSegment[],
  { image, storeId }: { readonly image: CheckpointImage; readonly storeId: Uint8Array | null },
): readonly FoundSegment[] {
  const known = storeIdOf(storeId, segments);
  const isOurs = ({ header }: FoundSegment): boolean =>
    header !== null && known !== null && sameBytes(header.storeId, known);
  const living = new Map<string, number>();
  for (const [number, source] of image.segments) living.set(`${source}/${image.fileOf(number)}`, number);
  const taken = new Set<string>();
  const alone = (segment: FoundSegment): FoundSegment => {
    const { number, file, source, header } = segment;
    const lives = living.get(`${source}/${file}`);
    if (header === null || !isOurs(segment)) return { ...segment, number: lives ?? file };
    const isHome = image.segments.get(number) === source && image.fileOf(number) === file;
    const isElsewhere = image.segments.get(number) === source && !isHome;
    // An older segment in the place of a live one is what the file was before: somebody has put it back.
    const isPutBack = lives !== undefined && number < lives;
    if (!isElsewhere && !isPutBack && !taken.has(`${source}/${number}`)) {
      taken.add(`${source}/${number}`);
      return segment;
    }
    return { ...segment, number: lives ?? file, header: null, misplaced: true };
  };
  // Of two that say the same number the one whose name says it too is the first one.
  const named = segments.filter(({ number, file }) => number === file).map(alone);
  const others = segments.filter(({ number, file }) => number !== file).map(alone);
  return [...named, ...others].sort(byNumber);
}

/** What a file says of itself. */
interface Front {
  readonly header: HeaderRead;
  readonly blank: boolean;
}

const frontOf = (bytes: Uint8Array): Front => ({ header: readSegmentHeader(bytes, 0), blank: isBlank(bytes) });

async function readFront(
  port: DiskPort,
  directory: SourceDirectory,
  name: string,
  size: number,
): Promise<IoResult<Front>> {
  if (size >= SEGMENT_HEADER_BYTES) {
    const bytes = new Uint8Array(SEGMENT_HEADER_BYTES);
    const read = await port.read(directory, name, 0, bytes);
    // What the medium does not give is damaged, and that is how recovery goes on. A refusal of the system is none.
    if (!read.ok && read.error.code !== 'IO') return read;
    const front = read.ok ? frontOf(bytes) : null;
    if (front !== null && (front.blank || front.header.state !== 'damaged')) return { ok: true, value: front };
  }
  // The trailer stands where the segment ends, which need not be where the file does.
  const whole = await readFile(port, directory, name, size);
  return whole.ok ? { ok: true, value: { header: lastSegmentHeader(whole.value.bytes), blank: false } } : whole;
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

/** Whose store it is: as the log says, else as most segments say; null when nothing does. */
export const storeIdOf = (logged: Uint8Array | null, segments: readonly FoundSegment[]): Uint8Array | null =>
  logged ?? storeIdsOf(segments)[0] ?? null;
