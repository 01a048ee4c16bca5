/**
 * Positions from NMEA 0183: what belongs to one fix, which time it has, and what is not believed.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Sample, SkipReason } from '../../src/cli/recordings/sample.ts';
import { decode, sentence } from './decode.ts';

const [LATITUDE, LONGITUDE, ALTITUDE, SPEED] = [16, 17, 18, 19] as const;
const RMC = sentence('GPRMC,120000.25,A,5410.00000,N,01230.00000,W,10.0,87.0,270226,,,A');
const GGA = sentence('GPGGA,120000.25,5410.00000,N,01230.00000,W,1,09,0.9,-3.4,M,44.1,M,,');
const NOON_MS = Date.UTC(2026, 1, 27, 12, 0, 0, 250);

const values = (samples: readonly Sample[]): Record<number, number> =>
  Object.fromEntries(samples.map(({ sensor, value }) => [sensor, value]));

describe('a fix', () => {
  it('is put together from sentences of one time, in any order', () => {
    const expected = { [LATITUDE]: 541_666_667, [LONGITUDE]: -125_000_000, [ALTITUDE]: -340, [SPEED]: 5144 };
    for (const lines of [
      [RMC, GGA],
      [GGA, RMC],
    ]) {
      const { samples, skips } = decode('nmea', lines);
      expect(skips).toEqual([]);
      expect(values(samples)).toEqual(expected);
      expect(new Set(samples.map(({ timeMs }) => timeMs))).toEqual(new Set([NOON_MS]));
      expect(new Set(samples.map(({ source }) => source))).toEqual(new Set(['host']));
    }
  });

  it('takes the speed of a VTG behind it, in knots or km/h', () => {
    const still = sentence('GPGGA,120000.25,5410.00000,N,01230.00000,W,1,09,0.9,1.0,M,44.1,M,,');
    const date = sentence('GPZDA,120000.25,27,02,2026,00,00');
    for (const vtg of ['IIVTG,87.0,T,,M,10.00,N,,,D', 'IIVTG,87.0,T,,M,,N,18.52,K,D']) {
      expect(values(decode('nmea', [date, still, sentence(vtg)]).samples)[SPEED]).toBe(5144);
    }
  });

  it('ends where a sentence of the same type and time comes again', () => {
    const { samples } = decode('nmea', [RMC, GGA, RMC, GGA]);
    expect(samples.map(({ sensor }) => sensor)).toEqual([16, 17, 18, 19, 16, 17, 18, 19]);
  });

  it('tells an empty field from 0', () => {
    const zero = sentence('GPGGA,120000.25,0000.00000,N,00000.00000,E,1,09,0.9,0.0,M,,M,,');
    const none = sentence('GPGGA,120001.25,5410.00000,N,01230.00000,W,1,09,0.9,,M,,M,,');
    const { samples } = decode('nmea', [RMC, sentence('GPRMC,120001.25,A,5410.0,N,01230.0,W,,,270226,,,A'), none]);
    expect(values(samples.slice(3))).toEqual({ [LATITUDE]: 541_666_667, [LONGITUDE]: -125_000_000 });
    expect(values(decode('nmea', [zero], { dateMs: Date.UTC(2026, 1, 27) }).samples)).toEqual({
      [LATITUDE]: 0,
      [LONGITUDE]: 0,
      [ALTITUDE]: 0,
    });
  });

  // Goal: a position keeps its precision. Method: any coordinate written with five decimals of a minute.
  it('keeps a coordinate to the stored ten-millionth of a degree', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 89 }), fc.integer({ min: 0, max: 5_999_999 }), (degrees, minutesE5) => {
        const minutes = (minutesE5 / 1e5).toFixed(5).padStart(8, '0');
        const latitude = `${`${degrees}`.padStart(2, '0')}${minutes}`;
        const line = sentence(`GPGLL,${latitude},S,00000.00000,E,120000.00,A,A`);
        const [sample] = decode('nmea', [line], { dateMs: Date.UTC(2026, 0, 1) }).samples;
        expect(sample?.value).toBe(-Math.round((degrees + minutesE5 / 6e6) * 1e7) + 0);
      }),
      { examples: [[0, 0]] },
    );
  });
});

describe('the date', () => {
  const gll = (time: string): string => sentence(`GPGLL,5410.0,N,01230.0,W,${time},A,A`);

  it('goes on past midnight where sentences do not say it', () => {
    const rmc = sentence('GPRMC,235959.00,A,5410.0,N,01230.0,W,1.0,1.0,311226,,,A');
    const { samples } = decode('nmea', [rmc, gll('000001.00'), gll('000002.00')]);
    expect([...new Set(samples.map(({ timeMs }) => new Date(timeMs).toISOString()))]).toEqual([
      '2026-12-31T23:59:59.000Z',
      '2027-01-01T00:00:01.000Z',
      '2027-01-01T00:00:02.000Z',
    ]);
  });

  it('of a fix may come behind its position', () => {
    const { samples } = decode('nmea', [GGA, RMC, gll('120001.00')]);
    expect(samples[0]?.timeMs).toBe(NOON_MS);
  });

  it('is asked for where nothing says it, and can be given', () => {
    const { samples, skips } = decode('nmea', [gll('120000.00')]);
    expect(samples).toEqual([]);
    expect(skips.map(({ reason }) => reason)).toEqual(['no-date']);
    const given = decode('nmea', [gll('120000.00')], { dateMs: Date.UTC(2026, 1, 27) });
    expect(given.samples[0]?.timeMs).toBe(Date.UTC(2026, 1, 27, 12));
  });
});

describe('what is not believed', () => {
  const damaged = RMC.replace('5410', '5411');
  const notes: readonly (readonly [what: string, line: string, reason: SkipReason])[] = [
    ['a wrong checksum', damaged, 'checksum'],
    ['a sentence without checksum', RMC.slice(0, -3), 'unreadable'],
    ['noise', '\u00ff\u00fe\u00fd', 'unreadable'],
    ['a receiver without a fix', sentence('GPRMC,120000.00,V,,,,,,,270226,,,N'), 'no-fix'],
    ['an empty sentence', sentence('GPGGA,,,,,,0,,,,M,,M,,'), 'no-fix'],
    ['a latitude beyond the pole', sentence('GPGLL,9510.0,N,01230.0,W,120000.00,A,A'), 'value-range'],
    ['a time of day that does not exist', sentence('GPGLL,5410.0,N,01230.0,W,250000.00,A,A'), 'time-unreadable'],
    ['satellites in view', sentence('GPGSV,1,1,01,05,45,120,40'), 'other-sentence'],
    ['too few fields', sentence('GPRMC,120000.00,A'), 'unreadable'],
  ];
  it.each(notes)('notes %s', (_, line, reason) => {
    const { skips } = decode('nmea', [line]);
    expect(skips.map((skip) => [skip.line, skip.reason])[0]).toEqual([1, reason]);
  });

  it('notes a date of the year 2100 and of a receiver before its first fix', () => {
    const future = sentence('GPZDA,120000.25,01,01,2100,00,00');
    const past = sentence('GPZDA,120000.25,01,01,1970,00,00');
    for (const date of [future, past]) {
      const { samples, skips } = decode('nmea', [date, GGA]);
      expect(samples).toEqual([]);
      expect(skips.map(({ reason }) => reason)).toEqual(['time-range']);
    }
  });

  // Goal: no line, however damaged, throws or gives a value outside the globe. Method: good lines with bytes changed.
  it('survives any damage to a line', () => {
    fc.assert(
      fc.property(fc.constantFrom(RMC, GGA), fc.nat(), fc.string({ maxLength: 3 }), (line, at, put) => {
        const i = at % line.length;
        const broken = line.slice(0, i) + put + line.slice(i + 1);
        for (const text of [broken, sentence(broken.slice(1, -3))]) {
          for (const { sensor, value } of decode('nmea', [text], { dateMs: NOON_MS }).samples) {
            expect(value | 0).toBe(value);
            if (sensor === LATITUDE) expect(Math.abs(value)).toBeLessThanOrEqual(900_000_000);
          }
        }
      }),
      { numRuns: 500 },
    );
  });
});
