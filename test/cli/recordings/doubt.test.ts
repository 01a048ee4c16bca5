/**
 * What a recording says in good form and is not believed all the same, and what is no damage though it looks like it.
 */
import { describe, expect, it } from 'vitest';
import { parseTime } from '../../../src/cli/recordings/time.ts';
import { decode, sentence } from '../decode.ts';
import { scratchDirectory } from '../scratch.ts';
import { readAll } from './read-all.ts';

const directory = scratchDirectory();
const NOON_MS = Date.UTC(2026, 1, 27, 12);
const rmc = (latitude: string, longitude: string, knots: string): string =>
  sentence(`GPRMC,120000.00,A,${latitude},${longitude},${knots},87.0,270226,,,A`);
const GOOD = rmc('5410.0,N', '01230.0,W', '5.0');

describe('a sentence with a right checksum', () => {
  it.each([
    ['a digit that is none', rmc('54x0.0,N', '01230.0,W', '5.0'), '54x0.0,N'],
    ['sixty minutes of arc', rmc('5460.0,N', '01230.0,W', '5.0'), '5460.0,N'],
    ['a hemisphere that is none', rmc('5410.0,N', '01230.0,Q', '5.0'), '01230.0,Q'],
    ['a unit behind the speed', rmc('5410.0,N', '01230.0,W', '5kn'), '5kn'],
    ['two points in the altitude', sentence('GPGGA,120000.00,5410.0,N,01230.0,W,1,9,1,1.2.3,M,4,M,,'), '1.2.3'],
  ])('and %s gives nothing', (_, line, found) => {
    const { samples, skips } = decode('nmea', [line], { dateMs: NOON_MS });
    expect(samples).toEqual([]);
    expect(skips).toEqual([{ line: 1, reason: 'not-a-number', found }]);
  });

  it('and a speed below zero gives its position alone', () => {
    for (const lines of [
      [rmc('5410.0,N', '01230.0,W', '-5.0')],
      [rmc('5410.0,N', '01230.0,W', ''), sentence('IIVTG,,T,,M,-5.0,N,,K')],
    ]) {
      const { samples, skips } = decode('nmea', lines);
      expect(samples.map(({ sensor }) => sensor)).toEqual([16, 17]);
      expect(skips.map(({ reason }) => reason)).toEqual(['value-range']);
    }
  });

  it("of a maker's own is no position, whatever its name ends in", () => {
    const { samples, skips } = decode('nmea', [GOOD, sentence('PGRMC,A,200.0,17,,,,,,,,,1,1')]);
    expect(samples.length).toBe(3);
    expect(skips.map(({ line, reason }) => [line, reason])).toEqual([[2, 'other-sentence']]);
  });
});

describe('a canboat message', () => {
  it.each([
    [262_386, 'gateway-message'],
    [262_656, 'id-range'],
    [999_999_999_999, 'id-range'],
  ])('of PGN %d is a %s', (pgn, reason) => {
    const { samples, skips } = decode('canboat', [`2014-08-15T19:00:00Z,3,${pgn},160,255,1,01`]);
    expect(samples).toEqual([]);
    expect(skips.map((skip) => skip.reason)).toEqual([reason]);
  });
});

describe('a time', () => {
  it.each(['2026-01-31 12:00:00 UTC', '2026-01-31 12:00 GMT', '2026-01-31 14:00:00+02', '2026-01-31T06:30:00-0530'])(
    'with the zone of %s is understood',
    (text) => {
      expect(parseTime(text)).toBe(Date.UTC(2026, 0, 31, 12));
    },
  );
});

describe('bytes that are no text', () => {
  const zeros = '\0'.repeat(4096);

  it.each([
    ['candump', '(1767265200.000000) can0 123#11\n', 1],
    ['nmea', `${GOOD}\n`, 3],
    ['csv', '2026-01-01T00:00:00Z,1\n', 1],
  ] as const)('where a power cut left a block of zeros cost %s that line', async (format, line, each) => {
    const head = format === 'csv' ? 'time,v\n' : '';
    const { input, samples, skips } = await readAll(directory, `${head}${line.repeat(5)}${zeros}\n${line}${zeros}`);
    expect(input.format).toBe(format);
    expect(samples.length).toBe(6 * each);
    expect(skips.map(({ reason }) => reason)).toEqual(['unreadable', 'half-written']);
  });

  it("between a receiver's sentences cost nothing but the lines they are in", async () => {
    const ubx = Buffer.from([0xb5, 0x62, 0x01, 0x07, 0x04, 0x00, 0xff, 0xfe, 0x00, 0x80, 0x0c]);
    const bursts = Array.from({ length: 20 }, () => [Buffer.from(`${GOOD}\n${GOOD}\n`), ubx]).flat();
    const { input, samples } = await readAll(directory, Buffer.concat([...bursts, Buffer.from(`${GOOD}\n`)]));
    expect(input.format).toBe('nmea');
    // The first line of each later burst has the receiver's bytes in front of it.
    expect(samples.length).toBe((20 * 2 + 1 - 20) * 3);
  });

  it('are no recording, however many of them are zeros', async () => {
    const wide = Buffer.from('time,v\n2026-01-01,1\n', 'utf16le');
    for (const content of [new Uint8Array(5000), wide]) {
      await expect(readAll(directory, content)).rejects.toThrow(/binary data, no recording/);
    }
  });
});
