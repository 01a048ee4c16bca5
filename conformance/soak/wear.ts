/**
 * What a load costs the flash, in bytes that reach the device: measured where the store is, calculated where it is not.
 *
 * The store's own writes and syncs are counted at its disk. What a file system adds to them is calculated: whole pages of
 * 4,096 bytes, a page of journal for each synced file, four for each synced directory. On ext4, measured at the block
 * device, one directory sync a file costs about 17 KB beside the data and one for 16 files about 5 KB a file, which is what
 * these two numbers give. The other ways of storing the same load are calculated from bytes a record, measured there too.
 */
import type { IoErrorCode } from '../../src/index.ts';
import type { DiskObserver, Operation } from '../disk-operations.ts';

const PAGE_BYTES = 4_096;
/** Inode and journal commit of an fdatasync that has changed a file's size. */
const FILE_SYNC_BYTES = PAGE_BYTES;
/** Directory block, inodes, bitmaps and journal commit. */
const DIRECTORY_SYNC_BYTES = 4 * PAGE_BYTES;

/** Other ways to keep the same records, in bytes that reach the device for one of them. */
export const BASELINES = [
  { id: 'file', name: 'a file, each record appended and synced', bytesARecord: 8_300, onlyOffline: false },
  { id: 'sqlite-1', name: 'SQLite (WAL, FULL), a record a commit', bytesARecord: 9_800, onlyOffline: false },
  { id: 'sqlite-1000', name: 'SQLite (WAL, FULL), 1,000 records a commit', bytesARecord: 65, onlyOffline: false },
  { id: 'sqlite-offline', name: 'the same, and only while offline', bytesARecord: 65, onlyOffline: true },
] as const;

export interface Wear {
  /** Bytes that the store wrote, and its syncs. */
  readonly bytesWritten: number;
  readonly syncs: number;
  /** The same with pages and journal, by calculation. */
  readonly deviceBytes: number;
  /** Every baseline, with how much less the store writes, in percent. */
  readonly baselines: readonly {
    readonly id: string;
    readonly name: string;
    readonly bytes: number;
    readonly less: number;
  }[];
}

/** @param records of the whole run. @param offlineRecords those sampled while there was no link. */
export function wearOf(meter: WearTotals, records: number, offlineRecords: number): Wear {
  const { bytesWritten, syncs, deviceBytes } = meter;
  const baselines = BASELINES.map(({ id, name, bytesARecord, onlyOffline }) => {
    const bytes = (onlyOffline ? offlineRecords : records) * bytesARecord;
    return { id, name, bytes, less: bytes === 0 ? 0 : 100 * (1 - deviceBytes / bytes) };
  });
  return { bytesWritten, syncs, deviceBytes, baselines };
}

/** What a meter has counted. */
export interface WearTotals {
  readonly bytesWritten: number;
  readonly syncs: number;
  readonly deviceBytes: number;
}

type Ended = Pick<Operation, 'kind' | 'directory' | 'name' | 'offset' | 'bytes'>;

/** Counts what a disk is asked to write and to sync, and what a file system makes of it. */
export class WearMeter implements DiskObserver {
  bytesWritten = 0;
  syncs = 0;
  deviceBytes = 0;
  /** Pages written and not synced, by file. */
  readonly #dirty = new Map<string, Set<number>>();

  asked(_operation: Operation): void {
    // Only what has ended has cost something.
  }

  ended({ kind, directory, name, offset, bytes }: Ended, _code: IoErrorCode | null): void {
    const file = `${directory}/${name}`;
    if (kind === 'write') this.#wrote(file, offset, bytes);
    else if (kind === 'sync') this.#synced(file);
    else if (kind === 'remove') this.#dirty.delete(file);
    else if (kind === 'syncDirectory') {
      this.syncs++;
      this.deviceBytes += DIRECTORY_SYNC_BYTES;
    }
  }

  /** A write that failed counts whole: what of it reached the flash is not known. */
  #wrote(file: string, offset: number, bytes: number): void {
    this.bytesWritten += bytes;
    const pages = this.#dirty.get(file) ?? new Set();
    this.#dirty.set(file, pages);
    for (let page = Math.floor(offset / PAGE_BYTES); page * PAGE_BYTES < offset + bytes; page++) pages.add(page);
  }

  #synced(file: string): void {
    this.syncs++;
    this.deviceBytes += (this.#dirty.get(file)?.size ?? 0) * PAGE_BYTES + FILE_SYNC_BYTES;
    this.#dirty.delete(file);
  }
}
