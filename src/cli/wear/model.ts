/**
 * How long a flash lasts: pure arithmetic, units in the names. What a file system and SQLite add to the bytes that are
 * stored are constants, each with where it comes from (docs/wear.md).
 */

/** What reaches the device when one small append to a file is synced, with a journalling file system: page and journal. */
export const APPEND_SYNC_DEVICE_BYTES = 8_300;
/** What a directory sync adds for new files: inodes, bitmaps, the directory and the journal. */
export const DIRECTORY_SYNC_DEVICE_BYTES = 33_000;
/** What the sync of a file adds whose space is there already. */
export const FILE_SYNC_DEVICE_BYTES = 4_096;
/** SQLite, WAL, synchronous=FULL: one commit of one row, and what each further row of the same commit adds. */
export const SQLITE_COMMIT_DEVICE_BYTES = 9_800;
export const SQLITE_ROW_DEVICE_BYTES = 55;

const SECONDS_PER_DAY = 86_400;
const DAYS_PER_YEAR = 365.25;

export interface Flash {
  readonly name: string;
  readonly bytes: number;
  /** Program and erase cycles that a block is good for. */
  readonly cycles: number;
  /** What the device writes for each byte it is given. */
  readonly writeAmplification: number;
}

/** Order-of-magnitude figures of parts as they are sold; a data sheet beats them. */
export const FLASHES: readonly Flash[] = [
  { name: 'emmc-4g-mlc', bytes: 4e9, cycles: 3_000, writeAmplification: 4 },
  { name: 'emmc-4g-slc', bytes: 4e9, cycles: 30_000, writeAmplification: 3 },
  { name: 'emmc-8g-tlc', bytes: 8e9, cycles: 1_000, writeAmplification: 4 },
  { name: 'nand-512m-slc', bytes: 512e6, cycles: 60_000, writeAmplification: 3 },
  { name: 'nor-128m', bytes: 16e6, cycles: 100_000, writeAmplification: 2 },
];

/** What a store did over some time. */
export interface Work {
  readonly seconds: number;
  readonly records: number;
  readonly flushes: number;
  /** In whole pages. */
  readonly pageBytes: number;
  readonly fileSyncs: number;
  readonly directorySyncs: number;
}

export interface Wear {
  readonly deviceBytesPerDay: number;
  readonly deviceBytesPerRecord: number;
  readonly years: number;
}

/** Years that a flash lasts when so many bytes reach it a day. Infinity for none. */
export function yearsOf({ bytes, cycles, writeAmplification }: Flash, deviceBytesPerDay: number): number {
  return (bytes * cycles) / (deviceBytesPerDay * writeAmplification * DAYS_PER_YEAR);
}

function wearOf(flash: Flash, deviceBytes: number, records: number, seconds: number): Wear {
  const deviceBytesPerDay = (deviceBytes / seconds) * SECONDS_PER_DAY;
  return { deviceBytesPerDay, deviceBytesPerRecord: deviceBytes / records, years: yearsOf(flash, deviceBytesPerDay) };
}

/** This store. */
export const storeWear = (flash: Flash, work: Work): Wear =>
  wearOf(
    flash,
    work.pageBytes +
      work.fileSyncs * FILE_SYNC_DEVICE_BYTES +
      work.directorySyncs * (DIRECTORY_SYNC_DEVICE_BYTES - FILE_SYNC_DEVICE_BYTES),
    work.records,
    work.seconds,
  );

/** A write and an fdatasync for each record. */
export const writePerRecordWear = (flash: Flash, { records, seconds }: Work): Wear =>
  wearOf(flash, records * APPEND_SYNC_DEVICE_BYTES, records, seconds);

/** SQLite rows, `rowsPerCommit` of them in each transaction. */
export const sqliteWear = (flash: Flash, { records, seconds }: Work, rowsPerCommit: number): Wear =>
  wearOf(
    flash,
    Math.ceil(records / rowsPerCommit) * SQLITE_COMMIT_DEVICE_BYTES + records * SQLITE_ROW_DEVICE_BYTES,
    records,
    seconds,
  );

/** How much less the first wears than the second, in percent; below zero when it wears more. */
export const savingPercent = (own: Wear, other: Wear): number =>
  100 * (1 - own.deviceBytesPerDay / other.deviceBytesPerDay);
