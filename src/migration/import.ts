/**
 * Imports old files into an open store, beside whatever the program that has it open appends and reads meanwhile.
 *
 * Imported records go behind what their stream has: order is by sequence, never by clock (docs/decisions/0062). Each chunk
 * is announced in the journal and appended in the same turn, so that behind a crash every record of it is found again by
 * epoch and sequence number. What is not known to have arrived is imported again: never lost, and twice only where a
 * crash came between and the records were acknowledged or discarded before the import went on; that is counted.
 */
import { RAM_FULL, refusalCode } from '../core/codes.ts';
import type { SensorStream, Store } from '../store.ts';
import { Journal } from './journal.ts';
import { MapError } from './map.ts';
import type { Plan, PlannedFile } from './plan.ts';
import { timesOf } from './plan.ts';

export interface ImportedFile {
  readonly path: string;
  /** Source and sensor; empty where the map says nothing. */
  readonly stream: string;
  /** Records in the file. */
  readonly records: number;
  /** Left out, for the cloud had them. */
  readonly consumed: number;
  /** Imported now, and by an import before. */
  readonly imported: number;
  readonly before: number;
  /** Of those imported now: they may have come before, too. */
  readonly perhapsTwice: number;
  /** Sum of the raw values imported now. */
  readonly sum: bigint;
  /** Why nothing was imported of it; null otherwise. */
  readonly trouble: string | null;
}

export interface ImportReport {
  readonly files: readonly ImportedFile[];
  readonly records: number;
  readonly imported: number;
  readonly before: number;
  readonly consumed: number;
  readonly perhapsTwice: number;
  /** Sums of what was put in and of what the store gave when it was looked at again. */
  readonly sum: bigint;
  readonly sumInStore: bigint;
  /** Records of which the store no longer gives the value: they were acknowledged meanwhile. */
  readonly notCompared: number;
}

export interface ImportOptions {
  readonly journal: string;
  /** Records so far and in all. */
  readonly onProgress?: (records: number, total: number) => void;
}

const CHUNK_RECORDS = 1_024;
/** Records behind which a flush makes what was imported durable, and the journal shorter to go through. */
const SYNC_RECORDS = 65_536;

/** Nothing was imported: the store has no room. */
export class NoRoomError extends Error {
  override readonly name = 'NoRoomError';
}

const keyOf = ({ file }: PlannedFile): string => `${file.path} ${file.sha256}`;

/**
 * Imports what the plan has. When it resolves, all of it is on disk for good.
 * @throws NoRoomError before anything is done; StoreError as the store says (IO_FAILED, CLOSED, KIND_MISMATCH): run it again,
 * and it goes on where it was; JournalError.
 */
export async function importPlan(store: Store, plan: Plan, options: ImportOptions): Promise<ImportReport> {
  const journal = new Journal(options.journal, store.storeId);
  try {
    return await new Import(store, plan, journal, options).run();
  } finally {
    journal.close();
  }
}

class Import {
  readonly #store: Store;
  readonly #plan: Plan;
  readonly #journal: Journal;
  readonly #options: ImportOptions;
  readonly #total: number;
  /** Files of which something is appended and not synced, and how far. */
  readonly #unsynced = new Map<string, number>();
  #sinceSync = 0;
  #done = 0;
  #sumInStore = 0n;
  #notCompared = 0;

  constructor(store: Store, plan: Plan, journal: Journal, options: ImportOptions) {
    this.#store = store;
    this.#plan = plan;
    this.#journal = journal;
    this.#options = options;
    this.#total = plan.files.reduce(
      (sum, { file, trouble }) => sum + (trouble === null ? (file.records?.bits.length ?? 0) : 0),
      0,
    );
  }

  async run(): Promise<ImportReport> {
    this.#mustFit();
    const files: ImportedFile[] = [];
    for (const planned of this.#plan.files) files.push(await this.#file(planned));
    await this.#sync();
    const total = (of: (file: ImportedFile) => number): number => files.reduce((sum, file) => sum + of(file), 0);
    return {
      files,
      records: total(({ records }) => records),
      imported: total(({ imported }) => imported),
      before: total(({ before }) => before),
      consumed: total(({ consumed }) => consumed),
      perhapsTwice: total(({ perhapsTwice }) => perhapsTwice),
      sum: files.reduce((sum, file) => sum + file.sum, 0n),
      sumInStore: this.#sumInStore,
      notCompared: this.#notCompared,
    };
  }

  /** Nothing that is in the store is evicted for what is old. */
  #mustFit(): void {
    const known = this.#plan.files.reduce((sum, planned) => sum + this.#journal.progressOf(keyOf(planned)).synced, 0);
    const share = this.#total === 0 ? 0 : 1 - known / this.#total;
    const needed = Math.ceil(this.#plan.bytes * Math.max(0, share));
    const { quotaBytes, diskBytes } = this.#store.stats();
    if (quotaBytes === null || needed <= quotaBytes - diskBytes) return;
    throw new NoRoomError(
      `the old records can take ${needed} bytes, and the store has room for ${Math.max(0, quotaBytes - diskBytes)} of its ` +
        `${quotaBytes}: raise the quota by ${needed - (quotaBytes - diskBytes)} bytes, or import fewer files; nothing was imported`,
    );
  }

  async #file(planned: PlannedFile): Promise<ImportedFile> {
    const { file, consumed, trouble } = planned;
    const { entry } = file;
    const stream = entry === null ? '' : `${entry.source}/${entry.sensor}`;
    const records = file.records?.bits.length ?? 0;
    const nothing = { path: file.path, stream, records, consumed: 0, imported: 0, before: 0, perhapsTwice: 0, sum: 0n };
    if (trouble !== null || entry === null || file.records === null) return { ...nothing, trouble };
    const { source, sensor, kind, type, periodMs } = entry;
    const handle = this.#store.stream(source, sensor, kind === 'tsd' ? { kind, type, periodMs } : { kind, type });
    const { arrived, perhapsTwice } = await this.#arrived(handle, keyOf(planned));
    const from = Math.max(consumed, arrived);
    const sum = await this.#append(handle, planned, from);
    return {
      ...nothing,
      consumed,
      imported: records - from,
      before: from - consumed,
      perhapsTwice,
      sum,
      trouble: null,
    };
  }

  /** How many records of the file are in the store, or were; and how many may have been behind these. */
  async #arrived(
    handle: SensorStream,
    key: string,
  ): Promise<{ readonly arrived: number; readonly perhapsTwice: number }> {
    const { synced, chunks } = this.#journal.progressOf(key);
    let arrived = synced;
    for (const { at, count, epoch, first } of chunks) {
      if (at > arrived) break;
      const { head } = handle.marks;
      const end = await endOfEpoch(handle, epoch);
      // Nothing of that epoch is left to tell by: what stands before the head came from it, or from a later one.
      if (end <= head && head > first) return { arrived, perhapsTwice: Math.min(count, head - first) };
      arrived = Math.max(arrived, at + Math.max(0, Math.min(count, end - first)));
    }
    if (arrived > synced) this.#unsynced.set(key, arrived);
    return { arrived, perhapsTwice: 0 };
  }

  /** @returns the sum of what was appended. */
  async #append(handle: SensorStream, planned: PlannedFile, from: number): Promise<bigint> {
    const key = keyOf(planned);
    const bits = planned.file.records?.bits ?? new Uint32Array(0);
    let sum = 0n;
    let at = from;
    while (at < bits.length) {
      const count = Math.min(CHUNK_RECORDS, bits.length - at);
      const first = handle.marks.appended;
      this.#journal.begin(key, { at, count, epoch: this.#store.epoch, first });
      const taken = appendSome(handle, planned, at, count);
      if (taken < count) this.#journal.cut(key, taken);
      for (let i = at; i < at + taken; i++) sum += BigInt(bits[i] as number);
      await this.#compare(handle, first, taken);
      at += taken;
      this.#unsynced.set(key, at);
      this.#sinceSync += taken;
      this.#done += taken;
      this.#options.onProgress?.(this.#done, this.#total);
      if (taken < count || this.#sinceSync >= SYNC_RECORDS) await this.#sync();
    }
    return sum;
  }

  /** Looks at them again, as a reader would get them. */
  async #compare(handle: SensorStream, first: number, count: number): Promise<void> {
    const { read } = handle.marks;
    if (read > first) {
      this.#notCompared += count;
      return;
    }
    const batch = await handle.peek(handle.marks.unread - (handle.marks.appended - first), count);
    for (let i = 0; i < batch.length; i++) this.#sumInStore += BigInt(batch.bits[i] as number);
    this.#notCompared += count - batch.length;
  }

  async #sync(): Promise<void> {
    const upTo = [...this.#unsynced];
    this.#unsynced.clear();
    this.#sinceSync = 0;
    await this.#store.flush();
    for (const [key, at] of upTo) this.#journal.synced(key, at);
  }
}

/** @returns how many were taken before the pool was full. @throws MapError for a time that no record can have. */
function appendSome(handle: SensorStream, planned: PlannedFile, at: number, count: number): number {
  const bits = planned.file.records?.bits as Uint32Array;
  for (let i = 0; i < count; i++) {
    const sequence = handle.appendBits(bits[at + i] as number, timesOf(planned, at + i));
    if (sequence >= 0) continue;
    if (sequence === RAM_FULL) return i;
    throw new MapError(`${planned.file.path}: record ${at + i} is refused with ${refusalCode(sequence)}`);
  }
  return count;
}

/** Sequence number behind the last retained record of this epoch or one before it; the head when there is none. */
async function endOfEpoch(handle: SensorStream, epoch: number): Promise<number> {
  const { read, appended, unread } = handle.marks;
  let [low, high] = [0, unread];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const batch = await handle.peek(middle, 1);
    if ((batch.epochs[0] as number) <= epoch) low = middle + 1;
    else high = middle;
  }
  if (low === 0) return read;
  const last = await handle.peek(low - 1, 1);
  return Math.min(appended, (last.sequences[0] as number) + 1);
}
