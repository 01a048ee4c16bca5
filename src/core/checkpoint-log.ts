/**
 * The checkpoint log on the disk: appends batches, begins generations, finds the newest one again.
 *
 * A batch is durable when `append` or `begin` answers ok. After an error the log is suspect: what of the batch reached
 * the disk is unknown and a retried fsync proves nothing, so the next write begins a new generation in new files
 * (contract section 5, failed flush). The old generation's files go only when the new one is durable.
 *
 * One writer at a time; the engine's write queue sees to it.
 */
import type { FoundFrame, Frame, LogEnd } from './checkpoint-format.ts';
import { completeBatches, parsePartName, partName, placeBatch, readPartHeader, scanPart } from './checkpoint-format.ts';
import { CheckpointImage } from './checkpoint-image.ts';
import type { Result } from './codes.ts';
import { failure, success } from './codes.ts';
import { FILE_BYTES_MAX } from './config.ts';
import type { Crc32 } from './crc32.ts';
import type { DiskPort, IoError, IoResult } from './port.ts';

/** A part grows in these steps, so that most appends find their space already in the file. */
const PAD_TO_BYTES = 8192;
const ROOT = '';

const OK: IoResult<void> = { ok: true, value: undefined };

/** What the log tells the engine's counters about each write. */
export interface LogMeter {
  wrote(bytes: number): void;
  synced(): void;
}

export class CheckpointLog {
  generation: number;
  /** After an error: the next write must be `begin`. */
  suspect = true;
  readonly #disk: DiskPort;
  readonly #storeId: Uint8Array;
  readonly #native: Crc32 | undefined;
  readonly #meter: LogMeter;
  #end: LogEnd = { part: 0, offset: 0, allocated: 0 };
  #batch = 0;
  /** Size of each file of the log on disk, older generations included until they are gone. */
  readonly #files = new Map<string, number>();
  #snapshotBytes = 0;

  constructor(disk: DiskPort, storeId: Uint8Array, generation: number, meter: LogMeter, native?: Crc32) {
    this.#disk = disk;
    this.#storeId = storeId;
    this.generation = generation;
    this.#meter = meter;
    this.#native = native;
  }

  /** Takes note of files found on disk, so that they count and go with the next generation. */
  adopt(name: string, bytes: number): void {
    this.#files.set(name, bytes);
  }

  /** Sizes of the log's files. */
  get fileSizes(): Iterable<number> {
    return this.#files.values();
  }

  /** Bytes of frames appended since the generation's snapshot. */
  get appendedBytes(): number {
    return this.#end.part * FILE_BYTES_MAX + this.#end.offset - this.#snapshotBytes;
  }

  /** Appends one batch. Durable when it answers ok. */
  async append(frames: readonly Frame[]): Promise<IoResult<void>> {
    return this.#write(frames, this.#batch + 1, this.#end);
  }

  /** Begins a new generation with the snapshot in `frames`; removes the older ones once it is durable. */
  async begin(frames: readonly Frame[]): Promise<IoResult<void>> {
    const older = [...this.#files.keys()];
    this.generation++;
    const written = await this.#write(frames, 0, {
      part: 0,
      offset: 0,
      allocated: 0,
    });
    if (!written.ok) {
      // Not believed and never gone on with: on a full disk its space is what the next attempt needs.
      await this.#remove([...this.#files.keys()].filter((name) => !older.includes(name)));
      return written;
    }
    this.#snapshotBytes = this.#end.part * FILE_BYTES_MAX + this.#end.offset;
    await this.#remove(older);
    return OK;
  }

  async #remove(names: readonly string[]): Promise<void> {
    for (const name of names) {
      const removed = await this.#disk.remove(ROOT, name);
      // A file that cannot be removed now is removed with the next generation; it is older and never believed.
      if (removed.ok) this.#files.delete(name);
    }
  }

  async #write(frames: readonly Frame[], batch: number, from: LogEnd): Promise<IoResult<void>> {
    this.suspect = true;
    const { placements, end } = placeBatch(
      frames,
      this.#storeId,
      this.generation,
      batch,
      from,
      PAD_TO_BYTES,
      this.#native,
    );
    let created = false;
    for (const { part, offset, bytes } of placements) {
      const name = partName(this.generation, part);
      created ||= offset === 0;
      const size = Math.max(this.#files.get(name) ?? 0, offset + bytes.length);
      this.#files.set(name, size);
      const written = await this.#disk.write(ROOT, name, offset, bytes);
      if (!written.ok) return written;
      this.#meter.wrote(bytes.length);
      const synced = await this.#disk.sync(ROOT, name);
      if (!synced.ok) return synced;
      this.#meter.synced();
    }
    if (created) {
      const named = await this.#disk.syncDirectory(ROOT);
      if (!named.ok) return named;
      this.#meter.synced();
    }
    this.#end = end;
    this.#batch = batch;
    this.suspect = false;
    return OK;
  }
}

export interface FoundLog {
  readonly image: CheckpointImage;
  readonly storeId: Uint8Array | null;
  /** Highest generation seen in any file name, so that the next one is new. */
  readonly generation: number;
  /** Whether the image comes from a whole snapshot. */
  readonly complete: boolean;
  readonly files: readonly FoundFile[];
}

interface FoundFile {
  readonly name: string;
  readonly bytes: number;
  /** Holds nothing: a generation that a crash cut off before its first frame was on disk. */
  readonly blank: boolean;
}

interface FoundGeneration {
  readonly storeId: Uint8Array;
  readonly frames: FoundFrame[];
}

/**
 * Reads the newest generation whose snapshot is whole; failing that, what is intact of the newest one.
 * Changes nothing on disk. @returns UNSUPPORTED_FORMAT for a version of the future, IO_FAILED.
 */
export async function readCheckpointLog(disk: DiskPort, native?: Crc32): Promise<Result<FoundLog>> {
  const listed = await disk.list(ROOT);
  if (!listed.ok) return ioFailure('list the storage directory', listed.error);
  const parts = listed.value.filter((file) => parsePartName(file.name) !== null);
  const files: FoundFile[] = [];
  const generations = new Map<number, FoundGeneration>();
  let highest = 0;
  for (const file of [...parts].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const named = parsePartName(file.name) as {
      generation: number;
      part: number;
    };
    highest = Math.max(highest, named.generation);
    const bytes = new Uint8Array(Math.min(file.bytes, FILE_BYTES_MAX));
    const read = await disk.read(ROOT, file.name, 0, bytes);
    if (!read.ok) return ioFailure(`read ${file.name}`, read.error);
    const header = readPartHeader(bytes);
    if (header.state === 'unsupported') {
      return failure(
        'UNSUPPORTED_FORMAT',
        `${file.name} has format version ${header.version}, this program knows 1: open the store with the program that wrote it`,
      );
    }
    if (header.state === 'damaged' && generations.get(named.generation) === undefined) {
      files.push({ name: file.name, bytes: file.bytes, blank: bytes.every((byte) => byte === 0) });
      continue;
    }
    const known = generations.get(named.generation);
    const storeId = header.state === 'ok' ? header.storeId : (known as FoundGeneration).storeId;
    const frames = scanPart(bytes, storeId, named.generation, named.part, native);
    files.push({ name: file.name, bytes: file.bytes, blank: header.state === 'ok' && frames.length === 0 });
    if (known === undefined) generations.set(named.generation, { storeId, frames });
    else known.frames.push(...frames);
  }
  const newestFirst = [...generations].sort((a, b) => b[0] - a[0]);
  for (const [, found] of newestFirst) {
    const batches = completeBatches(found.frames);
    if (batches.has(0)) return success(replay(found, batches, true, highest, files));
  }
  const newest = newestFirst.find(([, found]) => found.frames.length > 0)?.[1];
  if (newest === undefined) {
    return success({
      image: new CheckpointImage(),
      storeId: null,
      generation: highest,
      complete: false,
      files,
    });
  }
  return success(replay(newest, completeBatches(newest.frames), false, highest, files));
}

function replay(
  found: FoundGeneration,
  batches: ReadonlyMap<number, readonly FoundFrame[]>,
  complete: boolean,
  generation: number,
  files: FoundLog['files'],
): FoundLog {
  const image = new CheckpointImage();
  // Of a broken snapshot every intact frame is taken: each says something true on its own.
  if (!complete) for (const frame of found.frames) if (frame.batch === 0) image.apply(frame);
  for (const batch of [...batches.keys()].sort((a, b) => a - b)) {
    for (const frame of batches.get(batch) as readonly FoundFrame[]) image.apply(frame);
  }
  return { image, storeId: found.storeId, generation, complete, files };
}

export const ioFailure = (doing: string, error: IoError): ReturnType<typeof failure> =>
  failure('IO_FAILED', `could not ${doing}: ${error.detail}`);
