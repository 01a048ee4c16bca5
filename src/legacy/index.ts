/**
 * imatrix-memory-manager/legacy: the names, constants and result codes that applications of the first memory manager
 * call, over this store (contract section 10). `import * as mm from 'imatrix-memory-manager/legacy'`.
 *
 * A result code is a number, 0 for success; nothing is ever thrown. A read does not consume, an erase takes what was
 * read, an error is a code and leaves out-parameters as they were. There is one memory manager in a process, as there
 * always was; docs/migration.md shows the call sites and says what differs.
 */
import type { Store } from '../store.ts';
import type { ResultCode } from './codes.ts';
import { LegacyMemoryManager } from './manager.ts';
import type { LegacyOptions } from './options.ts';
import type { ControlSensorBlock, ControlSensorData, PositionCursor, ReadRecord, WriteData } from './shapes.ts';

export type { ResultCode } from './codes.ts';
export * from './codes.ts';
export type { LegacyOptions, LogProvider } from './options.ts';
export { POSITION_SENSORS } from './position.ts';
export type {
  ControlSensorBlock,
  ControlSensorData,
  Position,
  PositionCursor,
  ReadRecord,
  WriteData,
} from './shapes.ts';

const manager = new LegacyMemoryManager();

/**
 * Opens the store: `if ((await memory_manager_v2_init()) !== SUCCESS) ...`. Never rejects. Takes options or the path of a
 * configuration file; without either, the file and the environment that docs/configuration.md names. Until it has answered, every
 * other call answers MODE_TRANSITION_FAILED; before it, and after a refusal, INITIALIZATION_FAILED.
 * @returns SUCCESS; INVALID_PARAMETER; INITIALIZATION_FAILED (another process has the store open, or enabled is false);
 * PLATFORM_UNSUPPORTED (a format of another version); DISK_IO_FAILED. Open already: SUCCESS without options, with some
 * MODE_TRANSITION_FAILED.
 */
export function memory_manager_v2_init(options?: LegacyOptions | string): Promise<ResultCode> {
  process.off('beforeExit', save).on('beforeExit', save);
  return manager.init(options);
}

/** A program that has nothing more to do ends with its records saved; one that is stopped must shut down by itself. */
function save(): void {
  void manager.shutdown();
}

/** Saves everything and closes the store. @returns SUCCESS, or DISK_IO_FAILED when records could not be saved; never rejects. */
export function memory_manager_v2_shutdown(): Promise<ResultCode> {
  return manager.shutdown();
}

/** The store behind these calls while it is open: figures, ledger, events. Null otherwise. */
export function memory_manager_v2_store(): Store | null {
  return manager.store;
}

/** Before init. @returns SUCCESS, INVALID_PARAMETER, MODE_TRANSITION_FAILED when a store is open in the other mode. */
export function set_memory_mode(mode: number): ResultCode {
  return manager.setMode(mode);
}

/** Before init. @returns SUCCESS, INVALID_PARAMETER, MODE_TRANSITION_FAILED when a store is open elsewhere. */
export function set_disk_path(path: string): ResultCode {
  return manager.setDiskPath(path);
}

/** Everything written before the call is on disk for good when it answers SUCCESS. @returns also DISK_IO_FAILED; never rejects. */
export function flush_all_to_disk(): Promise<ResultCode> {
  return manager.flush();
}

/**
 * Writes one record, to RAM; the next flush makes it durable.
 * @returns SUCCESS; INVALID_PARAMETER; INSUFFICIENT_SPACE (RAM is full, or the limit of sensors is reached); DISK_FULL
 * (RAM is full because the disk is); CONSISTENCY_FAILURE (the sensor has another kind, period or type).
 */
export function write_tsd_evt_unified(csd_type: number, data: WriteData): ResultCode {
  return manager.write(csd_type, data);
}

/**
 * Gives the record that is `position` records behind the oldest one not erased, over all sensors of the source, the one
 * with the earliest time next. It stays until it is erased. A cursor `{ value: 0 }` is counted on by each read, and by an
 * erase need not be touched; a number, or none for the record behind the last one read, does as well. A position that was
 * read before begins there anew: what was read behind it is unread again.
 * @returns SUCCESS; BOUNDS_VIOLATION (there is none); SEQUENCE_VIOLATION (records before that position were never read);
 * DISK_IO_FAILED (try again); INVALID_PARAMETER.
 */
export function read_tsd_evt_ptr_unified(
  csd_type: number,
  record: ReadRecord,
  position?: number | PositionCursor | null,
): ResultCode {
  return manager.read(csd_type, record, position);
}

/**
 * Erases the oldest `count` records of the source that were read: the cloud has them. All or nothing.
 * @returns SUCCESS; BOUNDS_VIOLATION (fewer were read; nothing is erased); INVALID_PARAMETER.
 */
export function atomic_erase_records(csd_type: number, count: number): ResultCode {
  return manager.erase(csd_type, count);
}

/**
 * Writes `value` for csb[entry], with the time of the clock; with `add_gps` and a fix also latitude, longitude, altitude
 * and speed, with the same time: all of them or none.
 * @returns as write_tsd_evt_unified.
 */
export function write_tsd_evt(
  csb: readonly ControlSensorBlock[],
  csd: ControlSensorData[],
  entry: number,
  value: number,
  add_gps = false,
): ResultCode {
  return manager.writeEntry(csb, csd, entry, value, add_gps);
}

/**
 * Gives the oldest unread record of csb[entry], into `value` when it is given and into csd[entry].last_read, and counts
 * csd[entry].no_pending up. Set no_pending back, and the next read repeats from there.
 * @returns SUCCESS; BOUNDS_VIOLATION (there is none); CONSISTENCY_FAILURE (no_pending was more than was read, and is right again);
 * DISK_IO_FAILED (try again); INVALID_PARAMETER.
 */
export function read_tsd_evt(
  csb: readonly ControlSensorBlock[],
  csd: ControlSensorData[],
  entry: number,
  value?: ReadRecord,
): ResultCode {
  return manager.readEntry(csb, csd, entry, value);
}

/**
 * Erases the csd[entry].no_pending oldest records of csb[entry]: those that were read, or fewer if it was set so.
 * @returns SUCCESS; BOUNDS_VIOLATION (no_pending was more than was read, and is right again; nothing is erased);
 * INVALID_PARAMETER.
 */
export function erase_tsd_evt(csb: readonly ControlSensorBlock[], csd: ControlSensorData[], entry: number): ResultCode {
  return manager.eraseEntry(csb, csd, entry);
}

/** The upload failed: what was read of the first `no_items` entries is unread again. @returns the first code that is not SUCCESS. */
export function revert_tsd_evt_pending_data(
  csb: readonly ControlSensorBlock[],
  csd: ControlSensorData[],
  no_items: number,
): ResultCode {
  return manager.forEntries(csb, no_items, (entry) => manager.revertEntry(csb, csd, entry));
}

/** The upload succeeded: erase_tsd_evt for the first `no_items` entries. @returns the first code that is not SUCCESS. */
export function erase_tsd_evt_pending_data(
  csb: readonly ControlSensorBlock[],
  csd: ControlSensorData[],
  no_items: number,
): ResultCode {
  return manager.forEntries(csb, no_items, (entry) => manager.eraseEntry(csb, csd, entry));
}
