/**
 * The reference load (contract section 9), as a function of stream and tick: 1,000 sensors over three sources, half tsd,
 * half evt, each gives a record every ten seconds, so 100 records a second.
 *
 * Nothing of it is stored. Whoever wants to know what a sensor gave at a tick computes it again: that is how each of sixty
 * million records is verified when it is delivered. Values are 32 spread bits, so that no two neighbours are alike and a
 * store that delivers one in place of another is found; for the flash they are the worst case, for nothing compresses.
 */
import type { Store, StreamOptions, ValueType } from '../../src/index.ts';
import { SOURCES } from '../../src/index.ts';

export const SENSORS = 1_000;
/** How often each sensor gives a record; a tick is one such turn of all of them. */
export const TICK_MS = 10_000;
export const SECONDS_A_TICK = TICK_MS / 1_000;
export const TICKS_A_DAY = 86_400 / SECONDS_A_TICK;
export const UPLOAD_A_SECOND = 5_000;

/** Real samples come a little late; events whenever they like within their second. */
const LATE_TSD_MS = 50;
const LATE_EVT_MS = 1_000;

export const isTsd = (sensor: number): boolean => sensor % 2 === 0;

const TYPES = ['uint32', 'int32', 'float32'] as const;
export const typeOf = (sensor: number): ValueType => TYPES[Math.floor(sensor / 2) % 3] as ValueType;
export const sourceOf = (sensor: number): (typeof SOURCES)[number] => SOURCES[sensor % 3] as (typeof SOURCES)[number];

const optionsOf = (sensor: number): StreamOptions =>
  isTsd(sensor)
    ? { kind: 'tsd', periodMs: TICK_MS, type: typeOf(sensor) }
    : { kind: 'evt', type: typeOf(sensor), priority: sensor % 4 };

/** The 1,000 streams of a store, in the order of their sensors. */
export const openStreams = (store: Store): ReturnType<Store['stream']>[] =>
  Array.from({ length: SENSORS }, (_, sensor) => store.stream(sourceOf(sensor), sensor, optionsOf(sensor)));

/** The raw 32 bits that a sensor gives at a tick. */
export function bitsAt(sensor: number, tick: number): number {
  let mixed = Math.imul(sensor + 1, 0x9e3779b1) ^ Math.imul(tick + 1, 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d);
  mixed = Math.imul(mixed ^ (mixed >>> 12), 0x297a2d39);
  return (mixed ^ (mixed >>> 15)) >>> 0;
}

/** The time that a sensor gives its record. @param tickMs what the clock said when the tick began. */
export const timeAt = (sensor: number, tickMs: number, bits: number): number =>
  tickMs +
  (sensor % SECONDS_A_TICK) * 1_000 +
  ((Math.imul(bits, 0x2545f491) >>> 16) % (isTsd(sensor) ? LATE_TSD_MS : LATE_EVT_MS));

/** Appends one record as an application does that has it in the form of its stream's type. @returns sequence or refusal. */
export function appendTo(stream: ReturnType<Store['stream']>, bits: number, timeMs: number): number {
  if (stream.type === 'float32') return stream.appendBits(bits, timeMs);
  return stream.append(stream.type === 'int32' ? bits | 0 : bits, timeMs);
}
