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
import {
  completeBatches,
  FRAME_STORE,
  PART_HEADER_BYTES,
  parsePartName,
  partName,
  placeBatch,
  readPartHeader,
  scanPart,
} from './checkpoint-format.ts';
import { CheckpointImage } from './checkpoint-image.ts';
import type { Result } from './codes.ts';
import { failure, success } from './codes.ts';
import { FILE_BYTES_MAX, LOG_STEP_BYTES } from './config.ts';
import type { Crc32 } from './crc32.ts';
import { allocatedBytes } from './disk-index.ts';
import type { DiskPort, IoError, IoResult } from './port.ts';
import { readFile } from './read-file.ts';
import { KNOWN_VERSIONS } from './segment.ts';

const ROOT = '';
/** A name that cannot be written, because a directory has it for instance, is passed by; a disk that takes none is not. */
const NAMES_TRIED_MAX = 4;

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
  readonly #stepBytes: number;
  #end: LogEnd = { part: 0, offset: 0, allocated: 0 };
  #batch = 0;
  /** Size of each file of the log on disk, older generations included until they are gone. */
  readonly #files = new Map<string, number>();
  /** Files that go only when a newer generation is durable, and their generation: a recovery may need them until then. */
  #needed = new Map<string, number>();
  #snapshotBytes = 0;
  /** Whether anything of the last batch was written. */
  #begun = false;
  /** What the disk said when it last kept an older file of the log that was to go. */
  #kept: IoError | null = null;

  /** @param stepBytes in which a part grows. */
  constructor(
    disk: DiskPort,
    storeId: Uint8Array,
    generation: number,
    meter: LogMeter,
    native?: Crc32,
    stepBytes = LOG_STEP_BYTES,
  ) {
    this.#stepBytes = stepBytes;
    this.#disk = disk;
    this.#storeId = storeId;
    this.generation = generation;
    this.#meter = meter;
    this.#native = native;
  }

  /** Takes note of files found on disk, so that they count and go with the next generation. */
  adopt({ name, bytes, generation, whole }: FoundFile): void {
    this.#files.set(name, bytes);
    if (whole) this.#needed.set(name, generation);
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

  /**
   * Begins a new generation with the snapshot in `frames`; removes the older ones once it is durable.
   * @param roomBytes what all files of the log may take. A disk that takes files and neither syncs nor removes them would
   * have one more with each attempt; NO_SPACE instead, with nothing written.
   */
  async begin(frames: readonly Frame[], roomBytes: number): Promise<IoResult<void>> {
    await this.#clearLeftovers();
    const older = [...this.#files.keys()];
    let others: readonly string[];
    let written: IoResult<void>;
    let tries = 0;
    do {
      others = [...this.#files.keys()];
      this.generation++;
      written = await this.#write(frames, 0, { part: 0, offset: 0, allocated: 0 }, roomBytes);
    } while (!written.ok && written.error.code === 'IO' && !this.#begun && ++tries < NAMES_TRIED_MAX);
    if (!written.ok) {
      // Not believed and never gone on with: on a full disk its space is what the next attempt needs.
      await this.#remove([...this.#files.keys()].filter((name) => !older.includes(name)));
      return written;
    }
    this.#snapshotBytes = this.#end.part * FILE_BYTES_MAX + this.#end.offset;
    this.#needed.clear();
    for (const name of this.#files.keys()) if (!others.includes(name)) this.#needed.set(name, this.generation);
    await this.#remove(others);
    return OK;
  }

  /**
   * Removals are made durable by the directory sync of the next generation, so a crash brings files back, and one crash
   * after the other would pile them up. What is no whole generation goes at once. Of whole ones two are left, so that
   * with the new one there are three at most: the newest may be readable without being durable, when a process was
   * killed before its sync, so both are synced before any older one goes.
   */
  async #clearLeftovers(): Promise<void> {
    await this.#remove([...this.#files.keys()].filter((name) => !this.#needed.has(name)));
    const [, oldestKept, older] = [...new Set(this.#needed.values())].sort((a, b) => b - a);
    if (oldestKept === undefined || older === undefined) return;
    const confirmed = await this.#syncNeeded(oldestKept);
    if (!confirmed.ok) {
      this.#kept = confirmed.error;
      return;
    }
    const leaving = [...this.#needed].filter(([, generation]) => generation < oldestKept).map(([name]) => name);
    for (const name of leaving) this.#needed.delete(name);
    await this.#remove(leaving);
  }

  /**
   * Makes durable what recovery has read: it need not be yet, when a process was killed before its sync. To be asked
   * before anything is removed of which the log says that it may go, and the next generation does not say so yet.
   */
  confirm(): Promise<IoResult<void>> {
    return this.#syncNeeded(0);
  }

  async #syncNeeded(fromGeneration: number): Promise<IoResult<void>> {
    for (const [name, generation] of this.#needed) {
      if (generation < fromGeneration) continue;
      const synced = await this.#disk.sync(ROOT, name);
      if (!synced.ok) return synced;
      this.#meter.synced();
    }
    const named = await this.#disk.syncDirectory(ROOT);
    if (named.ok) this.#meter.synced();
    return named;
  }

  async #remove(names: readonly string[]): Promise<void> {
    for (const name of names) {
      const removed = await this.#disk.remove(ROOT, name);
      // A file that cannot be removed now is removed with the next generation; it is older and never believed. One whose
      // first write failed may not be there at all.
      if (removed.ok || removed.error.code === 'NOT_FOUND') this.#files.delete(name);
      else this.#kept = removed.error;
    }
  }

  /** Whether the files that there are and these fit. */
  #roomFor(placements: ReturnType<typeof placeBatch>['placements'], roomBytes: number): IoResult<void> {
    let bytes = 0;
    for (const size of this.#files.values()) bytes += allocatedBytes(size);
    for (const placement of placements) bytes += allocatedBytes(placement.bytes.length);
    if (bytes <= roomBytes) return OK;
    const why = this.#kept === null ? 'the disk is full' : this.#kept.detail;
    const detail = `${why}; so the log's older files are still there, and with them it would take ${bytes} bytes of the ${roomBytes} that the quota leaves it`;
    return { ok: false, error: { code: 'NO_SPACE', detail } };
  }

  async #write(frames: readonly Frame[], batch: number, from: LogEnd, roomBytes?: number): Promise<IoResult<void>> {
    this.suspect = true;
    this.#begun = false;
    const { placements, end } = placeBatch(
      frames,
      this.#storeId,
      this.generation,
      batch,
      from,
      this.#stepBytes,
      this.#native,
    );
    const room = roomBytes === undefined ? OK : this.#roomFor(placements, roomBytes);
    if (!room.ok) return room;
    let created = false;
    for (const { part, offset, bytes } of placements) {
      const name = partName(this.generation, part);
      created ||= offset === 0;
      const size = Math.max(this.#files.get(name) ?? 0, offset + bytes.length);
      this.#files.set(name, size);
      if (batch > 0) this.#needed.set(name, this.generation);
      const written = await this.#disk.write(ROOT, name, offset, bytes);
      if (!written.ok) return written;
      this.#begun = true;
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
  /** Whether the image comes from a whole snapshot, and no newer generation lost its own. */
  readonly complete: boolean;
  /** Complete, and every batch behind the snapshot is there: a segment that the image does not name is not live. */
  readonly intact: boolean;
  readonly files: readonly FoundFile[];
  /** A part of the newest generation is shorter than any that was synced, and no running store began it beside another. */
  readonly short: boolean;
  /** Whether the newest generation there is said something of the store: its epoch is the newest, then. */
  readonly newest: boolean;
  /** What the medium said where it did not give a page of the log; null: it gave them all. */
  readonly unread: IoError | null;
}

export interface FoundFile {
  readonly name: string;
  readonly bytes: number;
  readonly generation: number;
  /** Of a generation whose snapshot is whole. */
  readonly whole: boolean;
  /** Holds nothing: a generation that a crash, or a disk that failed, cut off before its first frame was on disk. */
  readonly blank: boolean;
}

interface FoundGeneration {
  readonly storeId: Uint8Array;
  readonly frames: FoundFrame[];
}

interface PartFile {
  readonly name: string;
  readonly bytes: number;
  readonly generation: number;
  readonly part: number;
}

/**
 * Reads the newest generation whose snapshot is whole; failing that, or when a newer one lost its snapshot to damage, what
 * is intact of all of them, one behind the other. Changes nothing on disk.
 * @param storeIds ids that segments of the store carry: a part whose header is damaged is tried with them.
 * @returns UNSUPPORTED_FORMAT for a version of the future, IO_FAILED.
 */
export async function readCheckpointLog(
  disk: DiskPort,
  storeIds: readonly Uint8Array[],
  native?: Crc32,
): Promise<Result<FoundLog>> {
  const listed = await disk.list(ROOT);
  if (!listed.ok) return ioFailure('list the storage directory', listed.error);
  const parts: PartFile[] = [];
  for (const { name, bytes } of listed.value) {
    const named = parsePartName(name);
    if (named !== null) parts.push({ name, bytes, ...named });
  }
  parts.sort((a, b) => a.generation - b.generation || a.part - b.part);
  const blanks = new Set<string>();
  const unreadable = new Map<number, IoError>();
  const generations = new Map<number, FoundGeneration>();
  const ids = [...storeIds];
  for (const { name, bytes: size, generation, part } of parts) {
    const read = await readFile(disk, ROOT, name, size);
    if (!read.ok) return ioFailure(`read ${name}`, read.error);
    const { bytes, error } = read.value;
    if (error !== null) unreadable.set(generation, error);
    const header = readPartHeader(bytes);
    if (header.state === 'unsupported') {
      return failure(
        'UNSUPPORTED_FORMAT',
        `${name} has format version ${header.version}, this program knows ${KNOWN_VERSIONS}: open the store with the program that wrote it`,
      );
    }
    if (header.state === 'ok') ids.unshift(header.storeId);
    const known = generations.get(generation);
    if (known !== undefined) ids.unshift(known.storeId);
    const found = scanWithAny(bytes, header.state === 'ok' ? [header.storeId] : ids, generation, part, native);
    // Zeros in place of what the medium does not give are no blank file; one too short for a frame never held any.
    const empty = header.state === 'ok' || bytes.length <= PART_HEADER_BYTES || bytes.every((byte) => byte === 0);
    const blank = found === null && error === null && empty;
    if (blank) blanks.add(name);
    if (found === null) continue;
    if (known === undefined) generations.set(generation, found);
    else known.frames.push(...found.frames);
  }
  const generation = parts.reduce((highest, part) => Math.max(highest, part.generation), 0);
  const whole = new Set<number>();
  for (const [number, { frames }] of generations) if (completeBatches(frames).has(0)) whole.add(number);
  const files: FoundFile[] = parts.map(({ name, bytes, generation: of }) => ({
    name,
    bytes,
    generation: of,
    whole: whole.has(of),
    blank: blanks.has(name),
  }));
  const newestWhole = Math.max(...whole);
  const found = generations.get(newestWhole);
  const damagedSince = [...generations].some(([number, { frames }]) => number > newestWhole && wasDurable(frames));
  const unreadSince = [...unreadable.keys()].some((number) => number > newestWhole);
  const unread = [...unreadable.values()].at(-1) ?? null;
  const short = isShort(parts, newestWhole) && !beganWithin(generations, whole, newestWhole);
  if (found !== undefined && !damagedSince && !unreadSince) {
    const batches = completeBatches(found.frames);
    const image = new CheckpointImage();
    replay(image, found, batches);
    const durable = lastDurable(found.frames, batches) + 1;
    const intact = Array.from({ length: durable }, (_, batch) => batches.has(batch)).every(Boolean);
    return success({
      image,
      storeId: found.storeId,
      generation,
      complete: true,
      intact,
      short,
      newest: true,
      files,
      unread,
    });
  }
  const image = new CheckpointImage();
  for (const found of generations.values()) replay(image, found, completeBatches(found.frames));
  const last = Math.max(...generations.keys());
  const newest = last >= Math.max(...unreadable.keys()) && saysEpoch(generations.get(last)?.frames ?? []);
  const storeId = generations.get(last)?.storeId ?? null;
  return success({ image, storeId, generation, complete: false, intact: false, short, newest, files, unread });
}

const isShort = (parts: readonly PartFile[], generation: number): boolean =>
  parts.some((part) => part.generation === generation && part.bytes < LOG_STEP_BYTES);

/** Whether an older whole generation is of the same epoch: then a running store began the newer one, perhaps in vain. */
function beganWithin(
  generations: ReadonlyMap<number, FoundGeneration>,
  whole: ReadonlySet<number>,
  newest: number,
): boolean {
  const epoch = epochOf(generations.get(newest));
  return [...whole].some((older) => older < newest && epochOf(generations.get(older)) === epoch);
}

function epochOf(found: FoundGeneration | undefined): number {
  const image = new CheckpointImage();
  for (const frame of found?.frames ?? []) if (frame.type === FRAME_STORE) image.apply(frame);
  return image.store?.epoch ?? 0;
}

const saysEpoch = (frames: readonly FoundFrame[]): boolean => frames.some(({ type }) => type === FRAME_STORE);

/** A batch behind the snapshot was begun when the snapshot was durable: where that is not whole, it was damaged since. */
const wasDurable = (frames: readonly FoundFrame[]): boolean => frames.some(({ batch }) => batch > 0);

/** The part's frames under the first of the ids that gives any. */
function scanWithAny(
  bytes: Uint8Array,
  ids: readonly Uint8Array[],
  generation: number,
  part: number,
  native: Crc32 | undefined,
): FoundGeneration | null {
  for (const storeId of ids) {
    const frames = scanPart(bytes, storeId, generation, part, native);
    if (frames.length > 0) return { storeId, frames };
  }
  return null;
}

/** A batch is begun when the one before is durable; so what is seen of a later one proves those before it. */
function lastDurable(frames: readonly FoundFrame[], whole: ReadonlyMap<number, unknown>): number {
  const lastSeen = frames.reduce((last, { batch }) => Math.max(last, batch), 0);
  return whole.has(lastSeen) ? lastSeen : Math.max(0, lastSeen - 1);
}

/**
 * Applies a generation's batches in order. One that was durable and misses a frame lost it to damage, and counts in its
 * intact ones. The last one alone may be torn by a crash, and takes effect whole or not at all.
 */
function replay(
  image: CheckpointImage,
  { frames }: FoundGeneration,
  whole: ReadonlyMap<number, readonly FoundFrame[]>,
): void {
  const last = lastDurable(frames, whole);
  for (const frame of frames) if (frame.batch <= last) image.apply(frame);
}

export const ioFailure = (doing: string, error: IoError): ReturnType<typeof failure> =>
  failure('IO_FAILED', `could not ${doing}: ${error.detail}`);
