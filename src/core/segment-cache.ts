/**
 * Whole segments in memory, for reads of one stream: a flush puts a few records of each of many streams into a segment, so
 * whoever walks through the streams would read the same file once for each of them.
 *
 * At most CACHE_BYTES_MAX bytes of CACHED_SEGMENTS_MAX segments are kept, and as many bytes are on their way from the disk;
 * what does not fit is not loaded, and the caller reads its blocks alone. Bytes are kept under the number of their segment, which no other one ever gets. The
 * name of a file may pass to another segment while the file is read (segment-files.ts), so after each load the segment is
 * looked for again by its number: bytes of one that has gone are not kept. It verifies nothing, its callers do (INV-19).
 */
import type { LiveSegment } from './disk-index.ts';
import { segmentName } from './disk-index.ts';
import type { IoResult } from './port.ts';
import { SOURCE_DIRECTORIES } from './port.ts';
import type { DiskSide, StoreState } from './store-state.ts';

/** 16 full segments: a store with 2,000 streams at work is to stay below 12 MB of memory in all. */
const CACHE_BYTES_MAX = 1_048_576;
/** Small ones cost more than their bytes. */
const CACHED_SEGMENTS_MAX = 32;

export class SegmentCache {
  readonly #state: StoreState;
  /** By the segment's number, least recently used first. */
  readonly #kept = new Map<number, Uint8Array>();
  #keptBytes = 0;
  /** Numbers of the segments on their way. Nobody waits for what another one has asked the disk for (INV-20). */
  readonly #loading = new Set<number>();
  #loadingBytes = 0;

  constructor(state: StoreState) {
    this.#state = state;
  }

  /** Whether segments can be kept side by side. If not, each would push the others out before it is used again. */
  fits(segments: readonly LiveSegment[]): boolean {
    let bytes = 0;
    for (const segment of segments) bytes += segment.bytes;
    return bytes <= CACHE_BYTES_MAX && segments.length <= CACHED_SEGMENTS_MAX;
  }

  /** The segment's bytes as they were on disk, fewer when its file was cut; null when they are not here. */
  get({ number }: LiveSegment): Uint8Array | null {
    const bytes = this.#kept.get(number);
    if (bytes === undefined) return null;
    this.#kept.delete(number);
    this.#kept.set(number, bytes);
    return bytes;
  }

  /**
   * Reads one that is not here.
   * @returns null when there is no room, when it is on its way for somebody else, or when the segment has gone meanwhile;
   * the disk's error when it does not give it whole.
   */
  async load(segment: LiveSegment): Promise<IoResult<Uint8Array> | null> {
    const { number, file, source } = segment;
    if (this.#loading.has(number) || this.#loadingBytes + segment.bytes > CACHE_BYTES_MAX) return null;
    this.#loading.add(number);
    this.#loadingBytes += segment.bytes;
    const { index, port } = this.#state.disk as DiskSide;
    const bytes = new Uint8Array(segment.bytes);
    const read = await port.read(SOURCE_DIRECTORIES[source as 0 | 1 | 2], segmentName(file), 0, bytes);
    this.#loading.delete(number);
    this.#loadingBytes -= segment.bytes;
    if (index.segments.get(number) !== segment) return null;
    if (!read.ok) return read;
    const whole = bytes.subarray(0, read.value);
    this.#keep(number, whole);
    return { ok: true, value: whole };
  }

  #keep(number: number, bytes: Uint8Array): void {
    this.#kept.set(number, bytes);
    this.#keptBytes += bytes.length;
    for (const [oldest, { length }] of this.#kept) {
      if (this.#keptBytes <= CACHE_BYTES_MAX && this.#kept.size <= CACHED_SEGMENTS_MAX) break;
      this.#kept.delete(oldest);
      this.#keptBytes -= length;
    }
  }
}
