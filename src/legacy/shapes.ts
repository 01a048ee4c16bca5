/**
 * The shapes in which applications hand over and get back records, and their checks. A check answers null for what is
 * no such thing: null, NaN, a wrong type, an object whose fields throw. Nothing here changes a store.
 *
 * Names are the old ones (sensor_id, no_pending, ...), so that call sites stay as they are.
 */
import type { SensorRecord } from '../core/record-batch.ts';
import type { Source, StreamOptions, ValueType } from '../core/types.ts';
import { SOURCES, VALUE_TYPES } from '../core/types.ts';

/** What `write_tsd_evt_unified` takes. */
export interface WriteData {
  /** uint32. */
  readonly sensor_id: number;
  /** Of `data_type`. */
  readonly value: number;
  /** UTC milliseconds; left out, `utc_time`, and without that the store's clock. */
  readonly utc_time_ms?: number;
  /** UTC seconds, as the first system kept them. */
  readonly utc_time?: number;
  /** Milliseconds between two samples: a `tsd` sensor. 0: an `evt` sensor. Left out: the kind it has, else `evt`. */
  readonly sample_rate?: number;
  /** 0 or 'uint32' (default), 1 or 'int32', 2 or 'float32'. Left out for a known sensor: the type it has. */
  readonly data_type?: number | ValueType;
}

/** What a read fills in; untouched unless the call answers SUCCESS. */
export interface ReadRecord {
  csd_type?: number;
  sensor_id?: number;
  value?: number;
  utc_time_ms?: number;
  /** Whole UTC seconds of it. */
  utc_time?: number;
  /** Sequence number in its sensor and the store's epoch: the record's identity. */
  sequence?: number;
  epoch?: number;
  /** Whether the sensor has a time for each value (`evt`). */
  is_event?: boolean;
}

/** A place in what was read and not erased, counted on by each read: `{ value: 0 }` before the first. */
export interface PositionCursor {
  value: number;
}

/** One sensor's configuration, by entry. */
export interface ControlSensorBlock {
  /** Sensor id, uint32. */
  readonly id: number;
  /** Default CSD_TYPE_HOST. */
  readonly csd_type?: number;
  readonly sample_rate?: number;
  readonly data_type?: number | ValueType;
  readonly name?: string;
}

/** One sensor's counters, by entry; kept up to date by every call that names it. */
export interface ControlSensorData {
  /** Records of this sensor that the store retains. */
  no_samples?: number;
  /** Of these, read and not erased. Set it back, and the next read repeats from there. */
  no_pending?: number;
  last_sample_time?: number;
  last_value?: number;
  valid?: number;
  /** Calls for this entry that answered something else than SUCCESS, empty reads not counted. */
  errors?: number;
  /** The record that `read_tsd_evt` gave last. */
  last_read?: ReadRecord;
  [other: string]: unknown;
}

/** Where the device is. Any finite number is a position, 0 too; without a fix the provider gives null. */
export interface Position {
  readonly latitude: number;
  readonly longitude: number;
  readonly altitude: number;
  readonly speed: number;
}

export const POSITION_FIELDS = ['latitude', 'longitude', 'altitude', 'speed'] as const;

/** A sensor, and what the caller says of it. */
export interface Target {
  readonly source: Source;
  readonly sensor: number;
  /** Null where the caller does not say: the sensor stays what it is, or becomes an evt sensor of uint32. */
  readonly periodMs: number | null;
  readonly type: ValueType | null;
}

export interface Entry {
  readonly index: number;
  readonly target: Target;
  readonly data: ControlSensorData;
}

/** First time that does not fit: 2^48 ms, the year 10889. */
export const TIME_MS_END = 2 ** 48;

type Fields = Readonly<Record<string, unknown>>;

const isObject = (given: unknown): given is Fields => typeof given === 'object' && given !== null;

export const isCount = (given: unknown): given is number => Number.isSafeInteger(given) && (given as number) >= 0;

const isUint32 = (given: unknown): given is number => typeof given === 'number' && given >>> 0 === given;

/** Runs a check on what may be a proxy or have getters: one that throws is no such thing. */
export function checked<T>(check: () => T | null): T | null {
  try {
    return check();
  } catch {
    // Whatever it threw is about the argument, and the caller is told that the argument is invalid.
    return null;
  }
}

export function sourceOf(csdType: unknown): Source | null {
  return isCount(csdType) ? (SOURCES[csdType] ?? null) : null;
}

/** Null for an invalid one; `{ type: null }` where none is given. */
function typeOf(given: unknown): { readonly type: ValueType | null } | null {
  if (given === undefined) return { type: null };
  const type = typeof given === 'number' ? VALUE_TYPES[given] : VALUE_TYPES.find((each) => each === given);
  return type === undefined ? null : { type };
}

function targetOf(source: Source | null, sensor: unknown, { sample_rate, data_type }: Fields): Target | null {
  const typed = typeOf(data_type);
  if (source === null || typed === null || !isUint32(sensor)) return null;
  if (sample_rate !== undefined && !(isCount(sample_rate) && sample_rate <= 0x7fff_ffff)) return null;
  return { source, sensor, periodMs: sample_rate ?? null, type: typed.type };
}

/** Milliseconds of a record; undefined where the caller gives none. */
function timeOf({ utc_time_ms, utc_time }: Fields): { readonly timeMs: number | undefined } | null {
  if (utc_time_ms !== undefined)
    return isCount(utc_time_ms) && utc_time_ms < TIME_MS_END ? { timeMs: utc_time_ms } : null;
  if (utc_time === undefined) return { timeMs: undefined };
  return isUint32(utc_time) ? { timeMs: utc_time * 1_000 } : null;
}

export interface Write {
  readonly target: Target;
  readonly value: number;
  readonly timeMs: number | undefined;
}

export function writeOf(csdType: unknown, data: unknown): Write | null {
  return checked(() => {
    if (!isObject(data) || typeof data.value !== 'number') return null;
    const target = targetOf(sourceOf(csdType), data.sensor_id, data);
    const time = timeOf(data);
    return target === null || time === null ? null : { target, value: data.value, timeMs: time.timeMs };
  });
}

/** @param csb configuration, @param csd counters: both by entry, as arrays. */
export function entryOf(csb: unknown, csd: unknown, entry: unknown): Entry | null {
  return checked(() => {
    if (!isCount(entry) || !isObject(csb) || !isObject(csd)) return null;
    const [block, data] = [csb[entry], csd[entry]];
    if (!isObject(block) || !isWritable(data)) return null;
    const target = targetOf(sourceOf(block.csd_type ?? 0), block.id, block);
    return target === null ? null : { index: entry, target, data: data as ControlSensorData };
  });
}

/** Where the device is, or null: no fix, or a provider that gives none. */
export function positionOf(given: unknown): Position | null {
  if (!isObject(given)) return null;
  return POSITION_FIELDS.every((field) => Number.isFinite(Math.fround(given[field] as number)))
    ? (given as unknown as Position)
    : null;
}

/** Whether a call could fill it in. */
export function isWritable(given: unknown): given is object {
  return isObject(given) && !Object.isFrozen(given) && !Array.isArray(given);
}

/** What a sensor is opened as: what the caller says, else what it is, else an evt sensor of uint32. */
export function optionsOf({ periodMs, type }: Target, known: StreamOptions | null): StreamOptions {
  const period = periodMs ?? known?.periodMs ?? 0;
  const typed = { type: type ?? known?.type ?? 'uint32' } as const;
  return period === 0 ? { kind: 'evt', ...typed } : { kind: 'tsd', periodMs: period, ...typed };
}

/** A record in the old names. */
export function readRecordOf(
  target: Pick<Target, 'source' | 'sensor'>,
  isEvent: boolean,
  record: SensorRecord,
): ReadRecord {
  return {
    csd_type: SOURCES.indexOf(target.source),
    sensor_id: target.sensor,
    value: record.value,
    utc_time_ms: record.timeMs,
    utc_time: Math.floor(record.timeMs / 1_000),
    sequence: record.sequence,
    epoch: record.epoch,
    is_event: isEvent,
  };
}
