/**
 * A store as opening it would give it, looked at without opening it: the engine's own recovery over a frozen view of the
 * directory (frozen-disk.ts). Nothing is locked and nothing is written, so it is safe beside the process that has the
 * store open, and on a directory that cannot be written to.
 *
 * RAM of a running store is not in its directory: what was appended since its last flush, and acknowledged since its last
 * checkpoint, is not seen from here. live-client.ts asks the running process itself.
 */
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parsePartName } from '../core/checkpoint-format.ts';
import type { FoundLog } from '../core/checkpoint-log.ts';
import { readCheckpointLog } from '../core/checkpoint-log.ts';
import type { Result } from '../core/codes.ts';
import { failure, success } from '../core/codes.ts';
import type { Settings } from '../core/config.ts';
import { resolveSettings } from '../core/config.ts';
import { allocatedBytes, parseSegmentName } from '../core/disk-index.ts';
import type { FoundFiles } from '../core/found-segments.ts';
import { DAMAGED_SUFFIX, lookAtSegments, placeSegments, storeIdsOf } from '../core/found-segments.ts';
import { inspectStream, ledgerOf } from '../core/inspect.ts';
import type { Platform } from '../core/port.ts';
import { Reader } from '../core/reader.ts';
import { recover } from '../core/recovery.ts';
import { Evidence } from '../core/recovery-evidence.ts';
import { StoreState } from '../core/store-state.ts';
import { StreamHandle } from '../core/stream-handle.ts';
import type { EngineEvent, Ledger, RecoveryReport, StreamInspection } from '../core/types.ts';
import { createLinuxPlatform } from '../platform/linux.ts';
import { LinuxDisk } from '../platform/linux-disk.ts';
import { ProcessLock } from '../platform/process-lock.ts';
import { StoreError } from '../store.ts';
import type { FrozenDisk, ReadOnlyDisk } from './frozen-disk.ts';
import { DIRECTORIES, freeze, PREFETCH_BYTES } from './frozen-disk.ts';

/** A view of a large and busy store that aged while it was read is made anew, so often at most. */
export const LOOKS_MAX = 100;

/** Where a store is looked at: its files, and who has it open. */
export interface Place {
  /** As the user named it. */
  readonly directory: string;
  readonly disk: ReadOnlyDisk;
  /** Bytes of segments that a view takes into memory (frozen-disk.ts). */
  readonly prefetchBytes: number;
  /** The process that has it open, as text; null for none. */
  holder(): Promise<string | null>;
  close(): Promise<void>;
}

/** What stands on the disk before recovery does anything about it. */
export interface Found {
  readonly files: FoundFiles;
  readonly log: FoundLog;
  readonly evidence: Evidence;
}

/** A store as opening it now would give it. */
export interface Look {
  /** The files as they are: recovery had a view of its own. */
  readonly disk: FrozenDisk;
  readonly found: Found;
  readonly state: StoreState;
  readonly reader: Reader;
  readonly report: RecoveryReport;
  /** What recovery would enter as lost, in the order in which it finds it. */
  readonly losses: readonly Extract<EngineEvent, { type: 'damaged' }>[];
  readonly streams: readonly StreamInspection[];
  readonly ledger: Ledger;
}

/**
 * Settings that take any store: the most streams and ledger entries, a quota that leaves nothing out. None of them is
 * written down by an open.
 */
export function settingsForAny(quota?: string): Result<Settings> {
  return resolveSettings({
    poolBytes: '8KiB',
    streamsMax: 4096,
    ledgerMax: 65_536,
    freeFloorBytes: 0,
    // Whoever looks, or repairs, leaves the free files to the program whose store it is.
    recycleBytes: '1024GiB',
    quotaBytes: quota ?? '1024GiB',
  });
}

/**
 * A directory to look at.
 * @throws the system's error when it is not there; StoreError PARAMETER_INVALID when it is no directory.
 */
export async function placeAt(directory: string): Promise<Place> {
  const root = resolve(directory);
  if (!(await stat(root)).isDirectory()) {
    throw new StoreError(
      failure('PARAMETER_INVALID', `${directory} is no directory; give the one that holds the store`).failure,
    );
  }
  const disk = new LinuxDisk(root);
  return {
    directory,
    disk,
    prefetchBytes: PREFETCH_BYTES,
    holder: async () => {
      const holder = await new ProcessLock(root).holder();
      // A lock that cannot be looked at is somebody's: better to say so than to take the store for closed.
      return holder.ok ? holder.value : `a process that cannot be made out (${holder.error.detail})`;
    },
    // It never took the lock: this closes what it has open for reading, and nothing else.
    close: () => disk.unlock(),
  };
}

/** Whether anything of a store lies in the directory, be it damaged. */
async function holdsStore(disk: FrozenDisk): Promise<boolean> {
  for (const directory of DIRECTORIES) {
    const listed = await disk.list(directory);
    const known = (name: string): boolean =>
      name.endsWith(DAMAGED_SUFFIX) || (directory === '' ? parsePartName(name) : parseSegmentName(name)) !== null;
    if (listed.ok && listed.value.some(({ name }) => known(name))) return true;
  }
  return false;
}

function readOnlyPlatform(disk: FrozenDisk): Platform {
  return { ...createLinuxPlatform({ directory: '.' }), name: 'read-only', disk };
}

/** Recovery over one view. */
async function lookOnce(disk: FrozenDisk): Promise<Result<Look>> {
  const settings = settingsForAny();
  if (!settings.ok) return settings;
  const recovered = disk.fork();
  const platform = readOnlyPlatform(recovered);
  const files = await lookAtSegments(disk);
  if (!files.ok) return files;
  const log = await readCheckpointLog(disk, storeIdsOf(files.value.segments), platform.crc32);
  if (!log.ok) return log;
  const segments = placeSegments(files.value.segments, log.value);
  const evidence = new Evidence(log.value, segments, new Uint8Array(16));
  const losses: Extract<EngineEvent, { type: 'damaged' }>[] = [];
  const state = new StoreState(platform, settings.value, platform.newStoreId(), (event) => {
    if (event.type === 'damaged') losses.push(event);
  });
  const opened = await recover(state, recovered);
  if (!opened.ok) return opened;
  state.lifecycle = 'ram';
  return success({
    disk,
    found: { files: { ...files.value, segments }, log: log.value, evidence },
    state,
    reader: new Reader(state),
    report: state.recovery as RecoveryReport,
    losses,
    streams: Array.from({ length: state.pool.streams }, (_, slot) => inspectStream(state, slot)),
    ledger: ledgerOf(state),
  });
}

/**
 * The store as opening it now would give it.
 * @param known an earlier look: the answer again, without reading a segment, when log and names are what they were.
 * @returns UNSUPPORTED_FORMAT, IO_FAILED as opening would; PARAMETER_INVALID when nothing of a store is there.
 */
export async function look(place: Place, known?: Look): Promise<Result<Look>> {
  for (let looks = 0; looks < LOOKS_MAX; looks++) {
    const disk = await freeze(place.disk, place.prefetchBytes);
    if (!disk.ok) return failure('IO_FAILED', `could not look at ${place.directory}: ${disk.error.detail}`);
    if (!(await holdsStore(disk.value))) {
      return failure(
        'PARAMETER_INVALID',
        `${place.directory} holds no store: there is neither a log nor a segment in it`,
      );
    }
    if (known !== undefined && known.disk.moment === disk.value.moment) return success(known);
    const looked = await lookOnce(disk.value);
    if (!disk.value.aged) return looked;
  }
  return failure('IO_FAILED', `${place.directory} changes faster than it can be read: try again in a moment`);
}

/** @throws StoreError with what `look` refuses with. */
export async function mustLook(place: Place, known?: Look): Promise<Look> {
  const looked = await look(place, known);
  if (!looked.ok) throw new StoreError(looked.failure);
  return looked.value;
}

/** Bytes of all files of the store as the file system gives space out. */
export function diskBytesOf({ found: { files, log } }: Look): number {
  const sizes = [...files.segments, ...log.files].map(({ bytes }) => allocatedBytes(bytes));
  return sizes.reduce((sum, bytes) => sum + bytes, files.setAsideBytes);
}

/** A stream of the look that its records can be read from, by `peek`. */
export const streamOf = ({ state, reader }: Look, slot: number): StreamHandle =>
  new StreamHandle(state, reader, slot, () => undefined);

/** Runs `use` with the directory, and closes what it opened. */
export async function withPlace<T>(directory: string, use: (place: Place) => Promise<T>): Promise<T> {
  const place = await placeAt(directory);
  try {
    return await use(place);
  } finally {
    await place.close();
  }
}
