/**
 * Reads: the oldest records from a position on, disk before RAM, in one batch (INV-03, INV-06).
 *
 * A read takes effect at one instant, when its batch is complete: everything up to there is looked at without an await
 * in between. Bytes that must come from the disk are loaded first and the look is begun again, so whatever happened
 * meanwhile (an acknowledge, a flush that moved records from RAM to disk, an eviction) is seen as it then is. A segment
 * that went while it was read is simply not found any more; bytes of what replaced it do not verify (segment.ts).
 *
 * A block that does not verify is a hole from then on: ledgered, passed over, never returned (INV-19).
 */

import { ioFailure } from './checkpoint-log.ts';
import type { Result } from './codes.ts';
import { failure, success } from './codes.ts';
import type { BlockPlace } from './disk-index.ts';
import { segmentName } from './disk-index.ts';
import type { IoResult } from './port.ts';
import { SOURCE_DIRECTORIES } from './port.ts';
import { RecordBatch } from './record-batch.ts';
import { shapeSource, shapeType } from './sector-pool.ts';
import type { BlockInfo } from './segment.ts';
import { blockSeed, decodeBlock, readBlock } from './segment.ts';
import type { DiskSide, StoreState } from './store-state.ts';
import { SOURCES, VALUE_TYPES } from './types.ts';

/** Verified bytes of a stream's neighbouring blocks. */
interface LoadedRun {
  readonly bytes: Uint8Array;
  /** By block index in the segment; null where the block did not verify. */
  readonly blocks: ReadonlyMap<number, BlockInfo | null>;
}

/** Runs kept between reads: a batch that ends inside a block does not cost the block twice. */
const CACHED_RUNS_MAX = 32;

/** A block that the disk refuses this many times in a row is damaged: it must not block what follows it. */
const READ_FAILURES_MAX = 3;

type Gap = { readonly at: BlockPlace } | null;

export class Reader {
  readonly #state: StoreState;
  readonly #cache = new Map<number, LoadedRun>();
  readonly #readFailures = new Map<number, number>();

  constructor(state: StoreState) {
    this.#state = state;
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
      // Closed while it waited for the disk: nothing becomes pending any more, and nothing found is entered.
      if (!this.#state.open) return failure('CLOSED', 'the store was closed meanwhile');
      const from = position();
      const missing = this.#missing(slot, from, max, runs);
      if (missing === null) {
        // A hole found just now may have moved the marks that the position comes from.
        if (position() !== from) continue;
        const { batch, end } = this.#assemble(slot, from, max, runs);
        take(batch, end);
        return success(batch);
      }
      const loaded = await this.#load(slot, missing.at, runs);
      if (!loaded.ok) return loaded;
    }
  }

  /** The first block that the batch needs and that is not loaded. Enters holes that the loaded runs revealed. */
  #missing(slot: number, from: number, max: number, runs: Map<number, LoadedRun>): Gap {
    const { disk, pool } = this.#state;
    if (disk === null) return null;
    // A hole at the head is forgotten as soon as the head has passed it.
    const behindHoles = (mark: number): number => disk.index.passHoles(slot, Math.max(mark, pool.head[slot] as number));
    let position = disk.index.passHoles(slot, from);
    let rest = max;
    while (rest > 0 && position < (pool.synced[slot] as number)) {
      const place = disk.index.find(slot, position);
      if (place === null || place.first > position) {
        // Nothing on disk answers for these records though they are synced: recovery would have found them damaged.
        this.#state.markDamaged(slot, position, place?.first ?? (pool.synced[slot] as number), 'a missing block');
        position = behindHoles(position);
        continue;
      }
      const run = runs.get(runKey(place)) ?? this.#cached(place);
      if (run === undefined) return { at: place };
      runs.set(runKey(place), run);
      if (run.blocks.get(place.index) === null) {
        // What of it was read before is pending, not lost: the uploader has it.
        const from = Math.max(place.first, pool.read[slot] as number);
        this.#state.markDamaged(slot, from, place.end, segmentName(place.segment.number));
        position = behindHoles(position);
        continue;
      }
      rest -= place.end - position;
      position = disk.index.passHoles(slot, place.end);
    }
    return null;
  }

  #cached(place: BlockPlace): LoadedRun | undefined {
    return this.#cache.get(runKey(place));
  }

  async #load(slot: number, place: BlockPlace, runs: Map<number, LoadedRun>): Promise<Result<void>> {
    const disk = this.#state.disk as DiskSide;
    const { segment } = place;
    const start = segment.offsets[place.index] as number;
    const directory = SOURCE_DIRECTORIES[segment.source as 0 | 1 | 2];
    const readRun = async (blocks: readonly BlockPlace[]): Promise<{ bytes: Uint8Array; read: IoResult<number> }> => {
      const last = (blocks.at(-1) as BlockPlace).index;
      const bytes = new Uint8Array((segment.offsets[last] as number) + (segment.blockBytes[last] as number) - start);
      return { bytes, read: await disk.port.read(directory, segmentName(segment.number), start, bytes) };
    };
    let run = disk.index.run(slot, place);
    let { bytes, read } = await readRun(run);
    if (!read.ok && read.error.code === 'IO' && run.length > 1) {
      // One bad page fails the whole read: this block by itself, so that its neighbours are not taken for damaged.
      run = [place];
      ({ bytes, read } = await readRun(run));
    }
    if (!disk.index.segments.has(segment.number)) return success(undefined);
    if (!read.ok && read.error.code !== 'NOT_FOUND') {
      const failures = (this.#readFailures.get(runKey(place)) ?? 0) + 1;
      this.#readFailures.set(runKey(place), failures);
      if (failures < READ_FAILURES_MAX) {
        return ioFailure(`read segment ${directory}/${segmentName(segment.number)}`, read.error);
      }
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
  ): { batch: RecordBatch; end: number } {
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
        take = Math.min(length - done, place.end - position);
        const block = run.blocks.get(place.index) as BlockInfo;
        decodeBlock(run.bytes, block, position - place.first, take, batch.timesMs, batch.bits, done);
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
