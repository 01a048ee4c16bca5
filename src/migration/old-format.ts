/**
 * Files of the first memory manager, byte by byte. All numbers are little-endian.
 *
 *   <root>/{host,mgc,can_controller}/sector_NNNN.dat   at most 65,536 bytes, no header
 *       tsd   value u32 | value u32 | ...
 *       evt   seconds u32, value u32 | ...
 *
 *   metadata.json beside them, 40 bytes, of the file that was written last; believe size and CRC, not the record count
 *       0 sector u32     8 first id u32    16 CRC-32 (IEEE) of the data   24 seconds u64    36 file size u32
 *       4 records u32   12 last id u32     20 zeros                       32 csd_type u32
 *
 *   <root>/state/state_XXXXXXXX.dat, 52 bytes, of one sensor
 *       0 magic 0x53544154   8 total u32       20 first sector u32     30 records in active u16   40 event u8
 *       4 version u16, 2    12 consumed u32    24 active sector u32    32 sensor id u32           41 initialised u8
 *       6 size u16, 52      16 sequence u32    28 sectors u16          36 last time u32           44 checksum u32
 *                                                                                                 48 a copy of it
 *
 * Kind and sensor of a data file stand nowhere in it. Nothing here touches a file.
 */
import { crc32 } from 'node:zlib';
import type { Kind } from '../core/types.ts';

export const OLD_FILE_BYTES_MAX = 65_536;
export const METADATA_BYTES = 40;
export const STATE_BYTES = 52;
const STATE_MAGIC = 0x5354_4154;
const STATE_VERSION = 2;
const CHECKED_BYTES = 44;

export const OLD_RECORD_BYTES: Readonly<Record<Kind, number>> = { tsd: 4, evt: 8 };

export interface OldMetadata {
  readonly sector: number;
  readonly crc: number;
  readonly bytes: number;
}

export interface OldState {
  readonly sensor: number;
  readonly evt: boolean;
  /** Records ever, and those that the cloud had. */
  readonly total: number;
  readonly consumed: number;
  /** Seconds. */
  readonly lastTime: number;
  readonly firstSector: number;
  readonly activeSector: number;
  readonly sectors: number;
  readonly recordsInActive: number;
}

/** Raw values and, of evt, milliseconds; tsd has no times of its own. */
export interface OldRecords {
  readonly bits: Uint32Array;
  readonly timesMs: Float64Array | null;
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

/** @returns what is wrong with a file of such a length, or null. */
export function lengthTrouble(kind: Kind, bytes: number): string | null {
  if (bytes > OLD_FILE_BYTES_MAX) return `it has ${bytes} bytes, ${OLD_FILE_BYTES_MAX} at most`;
  const over = bytes % OLD_RECORD_BYTES[kind];
  return over === 0 ? null : `its ${bytes} bytes are no whole number of ${kind} records of ${OLD_RECORD_BYTES[kind]}`;
}

/** The length must be right. */
export function decodeRecords(kind: Kind, bytes: Uint8Array): OldRecords {
  const view = viewOf(bytes);
  const count = bytes.length / OLD_RECORD_BYTES[kind];
  const bits = new Uint32Array(count);
  if (kind === 'tsd') {
    for (let i = 0; i < count; i++) bits[i] = view.getUint32(4 * i, true);
    return { bits, timesMs: null };
  }
  const timesMs = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    timesMs[i] = view.getUint32(8 * i, true) * 1_000;
    bits[i] = view.getUint32(8 * i + 4, true);
  }
  return { bits, timesMs };
}

/** `seconds` of evt; null for tsd. */
export function encodeRecords(bits: readonly number[], seconds: readonly number[] | null): Uint8Array {
  const size = seconds === null ? 4 : 8;
  const bytes = new Uint8Array(bits.length * size);
  const view = viewOf(bytes);
  bits.forEach((value, i) => {
    if (seconds !== null) view.setUint32(i * size, seconds[i] as number, true);
    view.setUint32(i * size + size - 4, value, true);
  });
  return bytes;
}

/** Null when it is none. */
export function decodeMetadata(bytes: Uint8Array): OldMetadata | null {
  if (bytes.length !== METADATA_BYTES) return null;
  const view = viewOf(bytes);
  return { sector: view.getUint32(0, true), crc: view.getUint32(16, true), bytes: view.getUint32(36, true) };
}

export interface NewMetadata {
  readonly sector: number;
  readonly data: Uint8Array;
  readonly records: number;
  readonly csdType: number;
  readonly seconds: number;
}

export function encodeMetadata({ sector, data, records, csdType, seconds }: NewMetadata): Uint8Array {
  const bytes = new Uint8Array(METADATA_BYTES);
  const view = viewOf(bytes);
  view.setUint32(0, sector, true);
  view.setUint32(4, records, true);
  view.setUint32(12, Math.max(0, records - 1), true);
  view.setUint32(16, crc32(data), true);
  view.setUint32(24, seconds % 2 ** 32, true);
  view.setUint32(28, Math.floor(seconds / 2 ** 32), true);
  view.setUint32(32, csdType, true);
  view.setUint32(36, data.length, true);
  return bytes;
}

/** Over the first 44 bytes: the byte is added, then all of it rotated left by one. */
function stateChecksum(bytes: Uint8Array): number {
  let sum = 0;
  for (const byte of bytes.subarray(0, CHECKED_BYTES)) {
    sum = (sum + byte) >>> 0;
    sum = ((sum << 1) | (sum >>> 31)) >>> 0;
  }
  return sum;
}

/** @returns the state, or a sentence that says why it is none. */
export function decodeState(bytes: Uint8Array): OldState | string {
  if (bytes.length !== STATE_BYTES) return `it has ${bytes.length} bytes, not ${STATE_BYTES}`;
  const view = viewOf(bytes);
  if (view.getUint32(0, true) !== STATE_MAGIC) return 'its magic is wrong';
  if (view.getUint16(4, true) !== STATE_VERSION)
    return `its version is ${view.getUint16(4, true)}, not ${STATE_VERSION}`;
  if (view.getUint32(44, true) !== stateChecksum(bytes)) return 'its checksum is wrong';
  const [total, consumed] = [view.getUint32(8, true), view.getUint32(12, true)];
  if (consumed > total) return `it has ${consumed} of ${total} records consumed`;
  return {
    total,
    consumed,
    firstSector: view.getUint32(20, true),
    activeSector: view.getUint32(24, true),
    sectors: view.getUint16(28, true),
    recordsInActive: view.getUint16(30, true),
    sensor: view.getUint32(32, true),
    lastTime: view.getUint32(36, true),
    evt: bytes[40] !== 0,
  };
}

export function encodeState(state: OldState): Uint8Array {
  const bytes = new Uint8Array(STATE_BYTES);
  const view = viewOf(bytes);
  view.setUint32(0, STATE_MAGIC, true);
  view.setUint16(4, STATE_VERSION, true);
  view.setUint16(6, STATE_BYTES, true);
  view.setUint32(8, state.total, true);
  view.setUint32(12, state.consumed, true);
  view.setUint32(16, state.total, true);
  view.setUint32(20, state.firstSector, true);
  view.setUint32(24, state.activeSector, true);
  view.setUint16(28, state.sectors, true);
  view.setUint16(30, state.recordsInActive, true);
  view.setUint32(32, state.sensor, true);
  view.setUint32(36, state.lastTime, true);
  bytes[40] = state.evt ? 1 : 0;
  bytes[41] = 1;
  const sum = stateChecksum(bytes);
  view.setUint32(44, sum, true);
  view.setUint32(48, sum, true);
  return bytes;
}

export const sectorFileName = (sector: number): string => `sector_${sector.toString().padStart(4, '0')}.dat`;

/** The sector of a data file's name; null for any other. */
export function parseSectorName(name: string): number | null {
  const digits = /^sector_(\d{4,10})\.dat$/.exec(name)?.[1];
  const sector = Number(digits);
  return digits !== undefined && sector < 2 ** 32 && sectorFileName(sector) === name ? sector : null;
}

/** Of the sensor with this id. */
export const stateFileName = (sensor: number): string =>
  `state_${sensor.toString(16).toUpperCase().padStart(8, '0')}.dat`;
