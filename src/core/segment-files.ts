/**
 * The files that segments lie in, apart from the segments: which are free, which one the next segment takes, how many are kept.
 *
 *     made (new name) -> written -> live -> its records are gone, the log says so durably -> free -> written again, in place
 *                                                                                              -> removed, when too many
 *
 * A new name costs a directory sync, a file that grows costs the file system's journal; a file that is written over costs its
 * own pages alone. What makes that safe (INV-12, INV-15, INV-19): a file becomes free only when a durable log says of its
 * segment that it is gone, so nothing that is live is ever written over; and what a file holds is said by the segment's own
 * header and checksums, which go by its number, so bytes of the older segment never read as bytes of the newer one. A file
 * of which a write or a sync failed is removed and not written again.
 *
 * A file's name has a number of the same counter as the segments, most often that of the first segment in it. It knows
 * neither marks nor streams; flush.ts asks for files, checkpoint.ts gives them back.
 */
import { ByteWriter, sameBytes } from './bytes.ts';
import { crc32 } from './crc32.ts';
import { allocatedBytes } from './disk-index.ts';

/** A file in the directory of a source. */
export interface SegmentFile {
  /** The number in its name. */
  readonly file: number;
  readonly source: number;
  /** Its size. */
  readonly bytes: number;
  /** Number of the segment that it held last; null for one that never held any. */
  readonly held: number | null;
}

/** How many free files are kept. */
export interface Keeping {
  /** Free bytes that stay in any case. */
  readonly recycleBytes: number;
  /** Bytes of live and free files together up to which free ones stay. */
  readonly preallocateBytes: number;
}

export class SegmentFiles {
  readonly #free: SegmentFile[][] = [[], [], []];
  readonly #keeping: Keeping;
  /** Files that were removed before the log could say that their segments are gone, and the space that they took: never free. */
  readonly gone = new Map<number, number>();
  freeBytes = 0;

  constructor(keeping: Keeping) {
    this.#keeping = keeping;
  }

  /** Free files. */
  get count(): number {
    return this.#free.reduce((sum, files) => sum + files.length, 0);
  }

  /** Whether files are written again at all. */
  get recycles(): boolean {
    return this.#keeping.recycleBytes > 0 || this.#keeping.preallocateBytes > 0;
  }

  *free(): Iterable<SegmentFile> {
    for (const files of this.#free) yield* files;
  }

  /** Whether a file that becomes free now is kept, while files that are not free take `otherBytes`. */
  keeps(bytes: number, otherBytes: number): boolean {
    const free = this.freeBytes + allocatedBytes(bytes);
    return free <= this.#keeping.recycleBytes || free + otherBytes <= this.#keeping.preallocateBytes;
  }

  put(file: SegmentFile): void {
    (this.#free[file.source] as SegmentFile[]).push(file);
    this.freeBytes += allocatedBytes(file.bytes);
  }

  /** Whether a free file of the source has room for so many bytes. */
  fits(source: number, bytes: number): boolean {
    return (this.#free[source] as SegmentFile[]).some((file) => file.bytes >= bytes);
  }

  /** Takes the smallest free file of the source that has room for so many bytes; else the largest, which must grow. */
  take(source: number, bytes: number): SegmentFile | null {
    const files = this.#free[source] as SegmentFile[];
    let best: SegmentFile | null = null;
    for (const file of files) {
      if (best === null || (best.bytes < bytes ? file.bytes > best.bytes : between(bytes, file.bytes, best.bytes)))
        best = file;
    }
    if (best !== null) this.drop(best);
    return best;
  }

  /** The free file to remove first, when space is short: the largest. */
  largest(): SegmentFile | null {
    let largest: SegmentFile | null = null;
    for (const file of this.free()) if (largest === null || file.bytes > largest.bytes) largest = file;
    return largest;
  }

  /** Not free any more: taken, or removed. */
  drop(file: SegmentFile): void {
    const files = this.#free[file.source] as SegmentFile[];
    files.splice(files.indexOf(file), 1);
    this.freeBytes -= allocatedBytes(file.bytes);
  }
}

/** Whether `least <= bytes < most`. */
const between = (least: number, bytes: number, most: number): boolean => least <= bytes && bytes < most;

/** Bytes at the front of a file that was made ahead. */
const BLANK_BYTES = 64;
const BLANK_MAGIC = new Uint8Array([0x49, 0x4d, 0x4d, 0x32, 0x46, 0x52, 0x45, 0x45]);

/** A file that is made ahead of its first segment: "IMM2FREE", zeros, CRC-32 of bytes 0 to 59; zeros behind them. */
export function blankFile(bytes: number): Uint8Array {
  const out = new ByteWriter(bytes);
  out.copy(BLANK_MAGIC);
  out.zeros(BLANK_BYTES - BLANK_MAGIC.length - 4);
  out.u32(crc32(out.bytes, 0, out.length, 0));
  out.zeros(bytes - BLANK_BYTES);
  return out.view();
}

const BLANK = blankFile(BLANK_BYTES);

/** Whether the first bytes of a file are those of one that was made ahead and never written. */
export const isBlank = (bytes: Uint8Array): boolean =>
  bytes.length >= BLANK_BYTES && sameBytes(bytes.subarray(0, BLANK_BYTES), BLANK);
