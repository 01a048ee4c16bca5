/**
 * Times as recordings write them, and the range that is believed.
 *
 * A clock that was never set says 1970, a damaged one any year: such a time would put a record where no query looks.
 * A time without a zone is UTC.
 */

/** First and first no longer accepted UTC millisecond: the years 1980 (GPS time begins there) to 2099. */
export const TIME_MS_MIN = Date.UTC(1980, 0, 1);
export const TIME_MS_END = Date.UTC(2100, 0, 1);

export const inTimeRange = (timeMs: number): boolean => timeMs >= TIME_MS_MIN && timeMs < TIME_MS_END;

const CALENDAR =
  /^(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?:[T ]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d+))?)?\s*(Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?)?$/i;
const NUMBER = /^[+-]?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?$/;

/**
 * Parses a calendar time (2026-01-31, 2026-01-31 12:00, 2026-01-31T12:00:00.250+01:00, 2026-01-31 12:00 UTC) or a number since 1970: seconds,
 * and from 11, 14, 17 digits on milliseconds, microseconds, nanoseconds.
 * @returns UTC milliseconds, fractions cut off, in any range; null when it is no time.
 */
export function parseTime(text: string): number | null {
  const trimmed = text.trim();
  const calendar = CALENDAR.exec(trimmed);
  if (calendar !== null) return calendarMs(calendar);
  return NUMBER.test(trimmed) ? epochMs(trimmed) : null;
}

function calendarMs(match: RegExpExecArray): number | null {
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((part) => Number(part ?? 0)) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  if (hour > 23 || minute > 59 || second > 59) return null;
  const midnight = new Date(0);
  midnight.setUTCFullYear(year, month - 1, day);
  // A 30th of February rolls over into March: no such day.
  if (midnight.getUTCMonth() !== month - 1 || midnight.getUTCDate() !== day) return null;
  const fraction = Math.trunc(Number(`0.${match[7] ?? '0'}`) * 1000);
  const clockMs = ((hour * 60 + minute) * 60 + second) * 1000 + fraction;
  return midnight.getTime() + clockMs - zoneMs(match[8] ?? 'Z');
}

function zoneMs(zone: string): number {
  if (/^[A-Z]/i.test(zone)) return 0;
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(3).replace(':', ''));
  return (zone.startsWith('-') ? -minutes : minutes) * 60_000;
}

function epochMs(text: string): number {
  const number = Number(text);
  const size = Math.abs(number);
  if (size < 1e11) return Math.floor(number * 1000 + 1e-4);
  if (size < 1e14) return Math.floor(number);
  // More digits than a double holds: whole microseconds and nanoseconds are cut as text.
  const digits = size < 1e17 ? 3 : 6;
  return /^\d+$/.test(text) ? Number(text.slice(0, -digits)) : Math.floor(number / 10 ** digits);
}

/** For a message: the time as a person reads it. */
export const showTime = (timeMs: number): string =>
  Math.abs(timeMs) <= 8.64e15 ? new Date(timeMs).toISOString() : `${timeMs} ms`;
