/**
 * Positions from NMEA 0183 sentences: latitude, longitude, altitude and speed with one time, four streams a receiver.
 *
 * What a receiver says about one moment comes in several sentences (RMC, GGA, GNS, GLL, VTG). Those of the same time are
 * put together into one fix; a sentence of a type that the fix already has begins the next one, so that a receiver
 * with a coarse clock loses nothing. VTG has no time and belongs to the fix before it. RMC and ZDA give the date;
 * past midnight the others go on from it.
 *
 * Values are scaled to int32, because float32 would round a longitude to a metre:
 *   latitude, longitude  1e-7 degree (11 mm)      altitude  cm      speed  mm/s
 *
 * The fields are read by the package gps, but for three things. Time and date are read here: without a date, gps would
 * add today's. VTG is read here: gps refuses it from the many instruments that give knots alone. And numbers are checked
 * before: a checksum of eight bits lets one damaged line in 256 pass, and gps reads 5x as 5 and 60 minutes as a degree.
 */
import { GPS, type NMEA } from 'gps';
import type { LineDecoder, Sink } from './sample.ts';
import { inTimeRange, showTime } from './time.ts';

/** Quantity numbers; the sensor id is 16 x input number + quantity. */
export const QUANTITIES = [
  'latitude (1e-7 degree)',
  'longitude (1e-7 degree)',
  'altitude (cm)',
  'speed (mm/s)',
] as const;
const LATITUDE = 0;
const LONGITUDE = 1;
const ALTITUDE = 2;
const SPEED = 3;
const SENSORS_PER_RECEIVER = 16;

type Quantity = 0 | 1 | 2 | 3;
const KMH_PER_KNOT = 1.852;
const INT32_MAX = 0x7fff_ffff;

/** From degrees, metres, km/h to the stored integer, and what is believed. */
const SCALES = [
  { scale: 1e7, min: -90, max: 90 },
  { scale: 1e7, min: -180, max: 180 },
  { scale: 100, min: -INT32_MAX / 100, max: INT32_MAX / 100 },
  { scale: 1000 / 3.6, min: 0, max: (INT32_MAX / 1000) * 3.6 },
] as const;

const DAY_MS = 86_400_000;

/** Sentences with a time, and the field in which their time of day stands. */
const TIME_FIELD = { RMC: 1, GGA: 1, GNS: 1, ZDA: 1, GLL: 5 } as const;
type TimedType = keyof typeof TIME_FIELD;

/** Where the numbers of a sentence stand. A coordinate is followed by its hemisphere. */
const NUMBER_FIELDS: Readonly<
  Record<TimedType, { readonly latitude?: number; readonly longitude?: number; readonly plain?: number }>
> = {
  RMC: { latitude: 3, longitude: 5, plain: 7 },
  GGA: { latitude: 2, longitude: 4, plain: 9 },
  GNS: { latitude: 2, longitude: 4, plain: 9 },
  GLL: { latitude: 1, longitude: 3 },
  ZDA: {},
};

const SENTENCE = /^[$!][A-Z0-9]{2,}[,*]/i;
const TAG_BLOCK = /^\\[^\\]*\\/;

export const looksLikeNmea = (text: string): boolean => {
  const sentence = text.replace(TAG_BLOCK, '');
  return SENTENCE.test(sentence) && checksumOf(sentence) !== null;
};

interface Fix {
  readonly timeOfDayMs: number;
  readonly line: number;
  readonly types: Set<TimedType>;
  dateMs: number | null;
  readonly values: [number | null, number | null, number | null, number | null];
}

export class NmeaDecoder implements LineDecoder {
  readonly #sink: Sink;
  readonly #sensorBase: number;
  #fix: Fix | null = null;
  /** Midnight of the newest known date, and the time of day it was last used with. */
  #dateMs: number | null;
  #lastTimeOfDayMs = 0;

  /** @param dateMs midnight UTC of the recording's first day, for receivers that say no date; or null. */
  constructor(sink: Sink, inputNumber: number, dateMs: number | null) {
    this.#sink = sink;
    this.#sensorBase = inputNumber * SENSORS_PER_RECEIVER;
    this.#dateMs = dateMs;
  }

  line(text: string, line: number, unterminated: boolean): void {
    const sink = this.#sink;
    const sentence = text.replace(TAG_BLOCK, '').trimEnd();
    const stated = checksumOf(sentence);
    if (!SENTENCE.test(sentence) || stated === null) {
      return sink.skip(line, unterminated ? 'half-written' : 'unreadable', text);
    }
    if (stated !== xorOf(sentence)) return sink.skip(line, 'checksum', text);
    const fields = sentence.slice(0, -3).split(',');
    // Makers' own sentences begin with P and may end like any other: $PGRMC is none of a position.
    const type = /^.P/i.test(sentence) ? '' : (fields[0] ?? '').slice(3).toUpperCase();
    if (type === 'VTG') return this.#speed(fields, line);
    if (!isTimed(type)) return sink.skip(line, 'other-sentence', fields[0] ?? '');
    const parsed = parse(sentence, line, sink);
    if (parsed !== null) this.#take(parsed, type, fields, line);
  }

  /** VTG has no time: its speed is of the fix before it. */
  #speed(fields: readonly string[], line: number): void {
    const [knots = '', kmh = '', mode = ''] = [fields[5], fields[7], fields[9]];
    if (this.#fix === null) return this.#sink.skip(line, 'other-sentence', 'VTG before any time');
    if (mode === 'N' || (knots === '' && kmh === '')) return this.#sink.skip(line, 'no-fix', 'VTG');
    this.#set(this.#fix, SPEED, knots !== '' ? Number(knots) * KMH_PER_KNOT : Number(kmh), line);
  }

  #take(parsed: NMEA, type: TimedType, fields: readonly string[], line: number): void {
    const text = fields[TIME_FIELD[type]] ?? '';
    if (text === '') return this.#sink.skip(line, 'no-fix', type);
    const timeOfDayMs = timeOfDay(text);
    if (timeOfDayMs === null) return this.#sink.skip(line, 'time-unreadable', text);
    let fix = this.#fix;
    if (fix === null || fix.timeOfDayMs !== timeOfDayMs || fix.types.has(type)) {
      this.#emit();
      fix = { timeOfDayMs, line, types: new Set(), dateMs: null, values: [null, null, null, null] };
      this.#fix = fix;
    }
    fix.types.add(type);
    fix.dateMs ??= dateOf(type, fields);
    if (!hasFix(parsed)) return this.#sink.skip(line, 'no-fix', type);
    const wrong = wrongNumber(type, fields);
    if (wrong !== null) return this.#sink.skip(line, 'not-a-number', wrong);
    if ('lat' in parsed) {
      this.#set(fix, LATITUDE, parsed.lat, line);
      this.#set(fix, LONGITUDE, parsed.lon, line);
    }
    if ('alt' in parsed) this.#set(fix, ALTITUDE, parsed.alt, line);
    if ('speed' in parsed) this.#set(fix, SPEED, parsed.speed, line);
  }

  /** The first sentence that has a quantity gives it. @param value degrees, metres, km/h. */
  #set(fix: Fix, quantity: Quantity, value: number | null, line: number): void {
    if (value === null || fix.values[quantity] !== null) return;
    const { scale, min, max } = SCALES[quantity];
    if (Number.isNaN(value)) return this.#sink.skip(line, 'not-a-number', QUANTITIES[quantity]);
    if (value < min || value > max) return this.#sink.skip(line, 'value-range', `${QUANTITIES[quantity]} ${value}`);
    // On the equator a southern latitude rounds to -0, which no stored integer can be.
    fix.values[quantity] = Math.round(value * scale) + 0;
  }

  #emit(): void {
    const fix = this.#fix;
    if (fix === null) return;
    this.#fix = null;
    const dateMs = fix.dateMs ?? this.#dateAfter(fix.timeOfDayMs);
    if (fix.dateMs !== null || this.#dateMs !== null) {
      this.#dateMs = dateMs;
      this.#lastTimeOfDayMs = fix.timeOfDayMs;
    }
    if (fix.values.every((value) => value === null)) return;
    if (dateMs === null) return this.#sink.skip(fix.line, 'no-date', 'a position');
    const timeMs = dateMs + fix.timeOfDayMs;
    if (!inTimeRange(timeMs)) return this.#sink.skip(fix.line, 'time-range', showTime(timeMs));
    fix.values.forEach((value, quantity) => {
      if (value !== null) this.#sink.sample('host', this.#sensorBase + quantity, value, timeMs, fix.line);
    });
  }

  /** The date goes on: a time of day that jumps back by more than half a day is past midnight. */
  #dateAfter(timeOfDayMs: number): number | null {
    if (this.#dateMs === null) return null;
    return timeOfDayMs < this.#lastTimeOfDayMs - DAY_MS / 2 ? this.#dateMs + DAY_MS : this.#dateMs;
  }

  end(): void {
    this.#emit();
  }
}

const isTimed = (type: string): type is TimedType => Object.hasOwn(TIME_FIELD, type);

function parse(sentence: string, line: number, sink: Sink): NMEA | null {
  try {
    const parsed = GPS.Parse(sentence);
    if (parsed !== false) return parsed;
    sink.skip(line, 'unreadable', sentence);
  } catch (error) {
    // gps throws on a sentence whose checksum is right and whose fields are not.
    sink.skip(line, 'unreadable', error instanceof Error ? error.message : String(error));
  }
  return null;
}

function hasFix(parsed: NMEA): boolean {
  switch (parsed.type) {
    case 'RMC':
    case 'GLL':
      return parsed.status === 'active' && parsed.lat !== null;
    case 'GGA':
      return parsed.quality !== null && parsed.lat !== null;
    case 'GNS':
      return parsed.lat !== null && /[^N]/.test(parsed.mode);
    default:
      return true;
  }
}

/** The first field of a sentence that should be a number and is none, or null. */
function wrongNumber(type: TimedType, fields: readonly string[]): string | null {
  const { latitude, longitude, plain } = NUMBER_FIELDS[type];
  const read = (at: number | undefined): string => (at === undefined ? '' : (fields[at] ?? ''));
  const wrongCoordinate = (at: number | undefined, hemispheres: RegExp): string | null => {
    const [text, hemisphere] = [read(at), read(at === undefined ? at : at + 1)];
    const good = /^\d{3,5}(\.\d*)?$/.test(text) && Number(text) % 100 < 60 && hemispheres.test(hemisphere);
    return text === '' || good ? null : `${text},${hemisphere}`;
  };
  const number = read(plain);
  const wrongPlain = number === '' || /^-?(\d+\.?\d*|\.\d+)$/.test(number) ? null : number;
  return wrongCoordinate(latitude, /^[NS]$/) ?? wrongCoordinate(longitude, /^[EW]$/) ?? wrongPlain;
}

/** hhmmss with any fraction; a leap second counts as the next minute's first. */
function timeOfDay(text: string): number | null {
  const match = /^(\d{2})(\d{2})(\d{2})(?:\.(\d*))?$/.exec(text);
  if (match === null) return null;
  const [hour = 0, minute = 0, second = 0] = match.slice(1, 4).map(Number);
  if (hour > 23 || minute > 59 || second > 60) return null;
  return ((hour * 60 + minute) * 60 + second) * 1000 + Math.floor(Number(`0.${match[4] || '0'}`) * 1000 + 1e-6);
}

/** Midnight of the date a sentence states (RMC: ddmmyy, ZDA: dd, mm, yyyy), or null. */
function dateOf(type: TimedType, fields: readonly string[]): number | null {
  const text = type === 'RMC' ? (fields[9] ?? '') : type === 'ZDA' ? fields.slice(2, 5).join('') : '';
  const match = /^(\d{2})(\d{2})(\d{2}|\d{4})$/.exec(text);
  if (match === null) return null;
  const [day = 0, month = 0, year = 0] = match.slice(1, 4).map(Number);
  // Two digits are of this century up to 79: GPS time began in 1980.
  const fullYear = year > 99 ? year : year < 80 ? 2000 + year : 1900 + year;
  const midnight = new Date(Date.UTC(fullYear, month - 1, day));
  return midnight.getUTCMonth() === month - 1 && midnight.getUTCDate() === day ? midnight.getTime() : null;
}

function checksumOf(sentence: string): number | null {
  const match = /\*([0-9A-F]{2})\s*$/i.exec(sentence);
  return match === null ? null : Number.parseInt(match[1] ?? '', 16);
}

/** XOR of everything between the first character and the asterisk. */
function xorOf(sentence: string): number {
  let sum = 0;
  for (let i = 1, end = sentence.lastIndexOf('*'); i < end; i++) sum ^= sentence.charCodeAt(i);
  return sum;
}
