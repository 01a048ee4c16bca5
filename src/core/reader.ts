/**
 * Reads: the oldest records from a position on, disk before RAM, in one batch (INV-03, INV-06).
 *
 * A read takes effect at one instant, when its batch is complete: everything up to there is looked at without an await
 * in between. Bytes that must come from the disk, all that the look misses, are loaded side by side and the look is begun
 * again, so whatever happened meanwhile (an acknowledge, a flush that moved records from RAM to disk, an eviction) is seen
 * as it then is. A segment that went while it was read is not found any more by its number, and its file may hold another
 * one by then: so after each load the segment is looked for again, and bytes of what replaced it do not verify (segment.ts).
 * `peekNow` is the same with a disk that answers at once: for callers that cannot wait (src/legacy).
 *
 * A block that does not verify is a hole from then on: ledgered, passed over, never returned (INV-19).
 */

import { ioFailure } from './checkpoint-log.ts';
import type { Result } from './codes.ts';
import { failure, success } from './codes.ts';
import type { BlockPlace } from './disk-index.ts';
import { segmentName } from './disk-index.ts';
import type { SourceDirectory } from './found-segments.ts';
import type { IoResult } from './port.ts';
import { SOURCE_DIRECTORIES } from './port.ts';
import { RecordBatch } from './record-batch.ts';
import { shapeSource, shapeType } from './sector-pool.ts';
import type { BlockInfo } from './segment.ts';
import { blockSeed, decodeBlock, readBlock } from './segment.ts';
import { SegmentCache } from './segment-cache.ts';
import type { DiskSide, StoreState } from './store-state.ts';
import { SOURCES, VALUE_TYPES } from './types.ts';

/** Verified bytes of a stream's neighbouring blocks. */
interface LoadedRun {
  readonly bytes: Uint8Array;
  /** By block index in the segment; null where the block did not verify. */
  readonly blocks: Map<number, BlockInfo | null>;
}

/** Runs kept between reads: a batch that ends inside a block does not cost the block twice. */
const CACHED_RUNS_MAX = 32;

/** A block that the disk refuses this many times in a row is damaged: it must not block what follows it. */
const READ_FAILURES_MAX = 3;

/** Blocks that one look asks the disk for at most: more wait for the next look. */
const MISSING_MAX = 64;

/** One look at what a batch needs. */
type Step =
  | { readonly result: Result<RecordBatch>; readonly missing?: never }
  | { readonly missing: readonly BlockPlace[]; readonly result?: never };

/** What the disk gave of a run. */
interface GivenRun {
  readonly run: readonly BlockPlace[];
  readonly extent: Extent;
  readonly read: IoResult<number>;
}

/** Where a run lies, and room for its bytes. */
interface Extent {
  readonly directory: SourceDirectory;
  readonly name: string;
  readonly start: number;
  readonly bytes: Uint8Array;
}

export class Reader {
  readonly #state: StoreState;
  readonly #cache = new Map<number, LoadedRun>();
  readonly #readFailures = new Map<number, number>();
  readonly #segments: SegmentCache;

  constructor(state: StoreState) {
    this.#state = state;
    this.#segments = new SegmentCache(state);
  }

  /**
   * Completes a batch of at most `max` records from where `position` says and calls `take` in the same instant, with
   * the mark behind the last record. `position` is asked anew after every wait.
   * @returns IO_FAILED with nothing changed when the disk cannot be read, CLOSED when the store was closed meanwhile.
   */
  async read(
    slot: number,
    max: number,
    position: () => number,
    take: (batch: RecordBatch, end: number) => void,
  ): Promise<Result<RecordBatch>> {
    const runs = new Map<number, LoadedRun>();
    for (;;) {
      const step = this.#step(slot, max, position, take, runs);
      if (step.result !== undefined) return step.result;
      const whole = this.#segments.fits(step.missing.map(({ segment }) => segment));
      const givens = await Promise.all(step.missing.map((place) => this.#give(this.#runFrom(slot, place), whole)));
      for (const given of givens) {
        const loaded = this.#enter(given, runs);
        if (!loaded.ok) return loaded;
      }
    }
  }

  /**
   * Looks without taking, in one instant: what lies on disk is read before it returns.
   * @returns as read; IO_FAILED also when the platform's disk cannot be read at once.
   */
  peekNow(slot: number, max: number, position: () => number): Result<RecordBatch> {
    const runs = new Map<number, LoadedRun>();
    for (;;) {
      const step = this.#step(slot, max, position, () => undefined, runs);
      if (step.result !== undefined) return step.result;
      const run = this.#runFrom(slot, step.missing[0] as BlockPlace);
      let given = this.#bytesNow(run);
      if (given === null) return failure('IO_FAILED', "this platform's disk cannot be read at once: use read or peek");
      if (isBadPage(given)) given = this.#bytesNow(run.slice(0, 1)) ?? given;
      const loaded = this.#enter(given, runs);
      if (!loaded.ok) return loaded;
    }
  }

  /** Looks once, without a wait: the answer, or the block that must be loaded before the next look. */
  #step(
    slot: number,
    max: number,
    position: () => number,
    take: (batch: RecordBatch, end: number) => void,
    runs: Map<number, LoadedRun>,
  ): Step {
    for (;;) {
      // Closed while it waited for the disk: nothing becomes pending any more, and nothing found is entered.
      if (!this.#state.open) return { result: failure('CLOSED', 'the store was closed meanwhile') };
      const from = position();
      const missing = this.#missing(slot, from, max, runs);
      if (missing.length > 0) return { missing };
      // A hole found just now may have moved the marks that the position comes from.
      if (position() !== from) continue;
      const assembled = this.#assemble(slot, from, max, runs);
      // A block turned out not to be its records: it is damaged, which the next look enters.
      if (assembled === null) continue;
      take(assembled.batch, assembled.end);
      return { result: success(assembled.batch) };
    }
  }

  /**
   * The blocks that the batch needs and that are not loaded, one for each segment: what stands behind it there comes with
   * it. Enters holes that the loaded runs revealed, up to the first block that is missing.
   */
  #missing(slot: number, from: number, max: number, runs: Map<number, LoadedRun>): readonly BlockPlace[] {
    const { disk, pool } = this.#state;
    if (disk === null) return NOTHING;
    const missing: BlockPlace[] = [];
    // A hole at the head is forgotten as soon as the head has passed it.
    const behindHoles = (mark: number): number => disk.index.passHoles(slot, Math.max(mark, pool.head[slot] as number));
    let position = disk.index.passHoles(slot, from);
    let rest = max;
    while (rest > 0 && position < (pool.synced[slot] as number) && missing.length < MISSING_MAX) {
      const place = disk.index.find(slot, position);
      if (place === null || place.first > position) {
        if (missing.length > 0) break;
        // Nothing on disk answers for these records though they are synced: recovery would have found them damaged.
        this.#state.markDamaged(slot, position, place?.first ?? (pool.synced[slot] as number), 'a missing block');
        position = behindHoles(position);
        continue;
      }
      const run = runs.get(runKey(place)) ?? this.#cached(place);
      if (run === undefined) {
        if (missing.at(-1)?.segment !== place.segment) missing.push(place);
      } else runs.set(runKey(place), run);
      if (run?.blocks.get(place.index) === null) {
        if (missing.length > 0) break;
        // What of it was read before is pending, not lost: the uploader has it.
        const from = Math.max(place.first, pool.read[slot] as number);
        this.#state.markDamaged(slot, from, place.end, segmentName(place.segment.file));
        position = behindHoles(position);
        continue;
      }
      const end = readableEnd(disk, slot, place, position);
      rest -= end - position;
      position = disk.index.passHoles(slot, end);
    }
    return missing;
  }

  #cached(place: BlockPlace): LoadedRun | undefined {
    return this.#cache.get(runKey(place));
  }

  #runFrom(slot: number, place: BlockPlace): readonly BlockPlace[] {
    return (this.#state.disk as DiskSide).index.run(slot, place);
  }

  /** @param whole with the whole segment, which other streams will ask for. */
  async #give(run: readonly BlockPlace[], whole: boolean): Promise<GivenRun> {
    const { segment } = run[0] as BlockPlace;
    const here = this.#segments.get(segment);
    if (here !== null) return partOf(here, run);
    const loaded = whole ? await this.#segments.load(segment) : null;
    if (loaded?.ok) return partOf(loaded.value, run);
    // A bad page may be another block's. What is refused for another reason is not asked for again.
    const alone = segment.slots.length === 1;
    if (loaded !== null && (alone || loaded.error.code !== 'IO')) return { run, extent: extentOf(run), read: loaded };
    const given = await this.#bytesOf(run);
    // One bad page fails the whole read: this block by itself, so that its neighbours are not taken for damaged.
    return isBadPage(given) ? await this.#bytesOf(run.slice(0, 1)) : given;
  }

  async #bytesOf(run: readonly BlockPlace[]): Promise<GivenRun> {
    const extent = extentOf(run);
    const { directory, name, start, bytes } = extent;
    return { run, extent, read: await (this.#state.disk as DiskSide).port.read(directory, name, start, bytes) };
  }

  /** @returns null when the disk cannot be read at once. */
  #bytesNow(run: readonly BlockPlace[]): GivenRun | null {
    const { port } = this.#state.disk as DiskSide;
    if (port.readNow === undefined) return null;
    const here = this.#segments.get((run[0] as BlockPlace).segment);
    if (here !== null) return partOf(here, run);
    const extent = extentOf(run);
    const { directory, name, start, bytes } = extent;
    return { run, extent, read: port.readNow(directory, name, start, bytes) };
  }

  /** Verifies what the disk gave and keeps it. @returns IO_FAILED when the disk refused, and may do better next time. */
  #enter({ run, extent, read }: GivenRun, runs: Map<number, LoadedRun>): Result<void> {
    const { index } = this.#state.disk as DiskSide;
    const place = run[0] as BlockPlace;
    const { segment } = place;
    const { directory, name, start, bytes } = extent;
    if (!index.segments.has(segment.number)) return success(undefined);
    if (!read.ok && read.error.code !== 'NOT_FOUND') {
      const failures = (this.#readFailures.get(runKey(place)) ?? 0) + 1;
      this.#readFailures.set(runKey(place), failures);
      if (failures < READ_FAILURES_MAX) return ioFailure(`read segment ${directory}/${name}`, read.error);
    }
    this.#readFailures.delete(runKey(place));
    const got = read.ok ? read.value : 0;
    const seed = blockSeed(this.#state.storeId, segment.number);
    const blocks = new Map<number, BlockInfo | null>();
    for (const { index, first } of run) {
      const offset = segment.offsets[index] as number;
      const block = readBlockAt(bytes, offset, start, got, seed, segment.baseTimeMs);
      const expected = block !== null && block.first === first && block.records === segment.records[index];
      blocks.set(index, expected ? block : null);
    }
    const loaded = { bytes, blocks };
    for (const { index } of run) runs.set(segment.number * 65_536 + index, loaded);
    for (const { index } of run) this.#keep(segment.number * 65_536 + index, loaded);
    return success(undefined);
  }

  #keep(key: number, run: LoadedRun): void {
    this.#cache.delete(key);
    this.#cache.set(key, run);
    if (this.#cache.size > CACHED_RUNS_MAX) {
      for (const oldest of this.#cache.keys()) {
        this.#cache.delete(oldest);
        break;
      }
    }
  }

  #assemble(
    slot: number,
    from: number,
    max: number,
    runs: ReadonlyMap<number, LoadedRun>,
  ): { batch: RecordBatch; end: number } | null {
    const { disk, pool, epoch } = this.#state;
    const appended = pool.appended[slot] as number;
    const shape = pool.shape[slot] as number;
    const length = Math.min(max, this.#state.recordsBetween(slot, from, appended));
    const batch = new RecordBatch(
      SOURCES[shapeSource(shape) as 0 | 1 | 2],
      pool.sensor[slot] as number,
      VALUE_TYPES[shapeType(shape) as 0 | 1 | 2],
      length,
    );
    let done = 0;
    let position = disk === null ? from : disk.index.passHoles(slot, from);
    while (done < length) {
      let take: number;
      if (disk !== null && position < (pool.synced[slot] as number)) {
        const place = disk.index.find(slot, position) as BlockPlace;
        const run = runs.get(runKey(place)) as LoadedRun;
        take = Math.min(length - done, readableEnd(disk, slot, place, position) - position);
        const block = run.blocks.get(place.index) as BlockInfo;
        if (!decodeBlock(run.bytes, block, position - place.first, take, batch.timesMs, batch.bits, done)) {
          run.blocks.set(place.index, null);
          return null;
        }
        batch.epochs.fill(place.segment.epoch, done, done + take);
      } else {
        take = length - done;
        pool.cursor[slot] = pool.copyOut(slot, position, take, batch.timesMs, batch.bits, done);
        batch.epochs.fill(epoch, done, done + take);
      }
      for (let i = 0; i < take; i++) batch.sequences[done + i] = position + i;
      done += take;
      position = disk === null ? position + take : disk.index.passHoles(slot, position + take);
    }
    return { batch, end: position };
  }
}

const NOTHING: readonly BlockPlace[] = [];

/** A run out of its whole segment. */
function partOf(whole: Uint8Array, run: readonly BlockPlace[]): GivenRun {
  const extent = extentOf(run);
  const { start, bytes } = extent;
  const part = whole.subarray(start, start + bytes.length);
  bytes.set(part);
  return { run, extent, read: { ok: true, value: part.length } };
}

const isBadPage = ({ run, read }: GivenRun): boolean => !read.ok && read.error.code === 'IO' && run.length > 1;

function extentOf(run: readonly BlockPlace[]): Extent {
  const { segment, index } = run[0] as BlockPlace;
  const last = (run.at(-1) as BlockPlace).index;
  const start = segment.offsets[index] as number;
  return {
    directory: SOURCE_DIRECTORIES[segment.source as 0 | 1 | 2],
    name: segmentName(segment.file),
    start,
    bytes: new Uint8Array((segment.offsets[last] as number) + (segment.blockBytes[last] as number) - start),
  };
}

/**
 * How far a block can be read from a position in it. A hole may begin inside: part of it was pending when the medium failed,
 * and the rest is in the ledger, also when the medium gives it again.
 */
const readableEnd = ({ index }: DiskSide, slot: number, { end }: BlockPlace, position: number): number =>
  Math.min(end, index.nextHole(slot, position));

const runKey = (place: BlockPlace): number => place.segment.number * 65_536 + place.index;

/** readBlock for bytes that begin at `start` of the file: the checksum is seeded with the place in the file. */
function readBlockAt(
  bytes: Uint8Array,
  offset: number,
  start: number,
  limit: number,
  seed: number,
  baseTimeMs: number,
): BlockInfo | null {
  const at = offset - start;
  // seed ^ offset is what the block was written with; readBlock xors the offset it is given.
  return readBlock(bytes, at, limit, (seed ^ offset ^ at) >>> 0, baseTimeMs);
}
