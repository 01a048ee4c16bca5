/**
 * CAN recordings: candump's log form and canboat's plain form, and who a word belongs to.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CanSensors } from '../../src/cli/recordings/can-sensor.ts';
import { looksLikeCanboat } from '../../src/cli/recordings/canboat.ts';
import { looksLikeCandump } from '../../src/cli/recordings/candump.ts';
import type { SkipReason } from '../../src/cli/recordings/sample.ts';
import { decode } from './decode.ts';

const TIME = '(1767265200.123987)';
const TIME_MS = 1_767_265_200_123;

describe('candump', () => {
  it('cuts the payload into little-endian words and fills up the last one with zeros', () => {
    const { samples, skips } = decode('candump', [`${TIME} can0 09F8027F#0102030405FF`]);
    expect(skips).toEqual([]);
    expect(samples).toEqual([
      { source: 'can_controller', sensor: 0x09f8027f, value: 0x04030201, timeMs: TIME_MS, line: 1 },
      { source: 'can_controller', sensor: 2 ** 29 + 0x09f8027f, value: 0x0000ff05, timeMs: TIME_MS, line: 1 },
    ]);
  });

  // Goal: no payload is changed by the way through words. Method: any payload, put together again from its words.
  it('keeps every byte of any payload', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 64 }),
        fc.integer({ min: 0, max: 0x1fff_ffff }),
        (payload, id) => {
          const hex = Buffer.from(payload).toString('hex').toUpperCase();
          const idText = id.toString(16).toUpperCase().padStart(8, '0');
          const { samples } = decode('candump', [`${TIME} vcan1 ${idText}##1${hex}`]);
          const bytes = Buffer.alloc(samples.length * 4);
          samples.forEach(({ value }, i) => {
            bytes.writeUInt32LE(value, i * 4);
          });
          expect(samples.length).toBe(Math.ceil(payload.length / 4));
          expect(bytes.subarray(0, payload.length)).toEqual(Buffer.from(payload));
          expect(bytes.subarray(payload.length).every((byte) => byte === 0)).toBe(true);
        },
      ),
    );
  });

  const notes: readonly (readonly [what: string, line: string, reason: SkipReason])[] = [
    ['a remote frame', `${TIME} can0 123#R8`, 'remote-frame'],
    ['an error frame', `${TIME} can0 20000004#0004000000000000`, 'error-frame'],
    ['a frame without data', `${TIME} can0 123#`, 'empty-frame'],
    ['an odd number of digits', `${TIME} can0 123#123`, 'payload'],
    ['nine bytes in a classic frame', `${TIME} can0 123#112233445566778899`, 'payload'],
    ['65 bytes in an FD frame', `${TIME} can0 123##0${'00'.repeat(65)}`, 'payload'],
    ['an id of more than 11 bits in the short form', `${TIME} can0 800#00`, 'id-range'],
    ['an id of more than 29 bits', `${TIME} can0 5FFFFFFF#00`, 'id-range'],
    ['an id of more than 32 bits', `${TIME} can0 1FFFFFFFF#00`, 'id-range'],
    ['a time of the year 1970', '(0000000005.000000) can0 123#00', 'time-range'],
    ['a time of the year 2100', '(4102444800.000000) can0 123#00', 'time-range'],
    ['a line of something else', 'hello', 'unreadable'],
  ];
  it.each(notes)('notes %s and stores nothing of it', (_, line, reason) => {
    const { samples, skips } = decode('candump', ['', line].slice(1));
    expect(samples).toEqual([]);
    expect(skips.map((skip) => [skip.line, skip.reason])).toEqual([[1, reason]]);
  });

  it('takes no last line that may be cut off inside its payload', () => {
    const line = `${TIME} can0 123#1122`;
    const { samples, skips } = decode('candump', [line, line], { unterminated: true });
    expect(samples.length).toBe(1);
    expect(skips).toEqual([{ line: 2, reason: 'half-written', found: line }]);
  });

  it.each([`${TIME} can0 123#1122 T`, `${TIME} can0 123#1122334455667788_E`, `${TIME} slcan0 123#11.22`])(
    'reads %s',
    (line) => {
      expect(looksLikeCandump(line)).toBe(true);
      expect(decode('candump', [line]).skips).toEqual([]);
    },
  );
});

describe('canboat', () => {
  it('puts the CAN id together again from priority, PGN, source and destination', () => {
    const broadcast = '2014-08-15T19:00:00.042Z,3,129029,160,255,4,87,a9,3f,fc';
    const addressed = '2014-08-15-19:00:00.042,6,59904,160,5,3,14,f0,01';
    const { samples, skips } = decode('canboat', [broadcast, addressed]);
    expect(skips).toEqual([]);
    expect(samples.map(({ sensor }) => sensor.toString(16))).toEqual(['df805a0', '18ea05a0']);
    expect(samples[0]).toMatchObject({ value: 0xfc3fa987, timeMs: Date.UTC(2014, 7, 15, 19, 0, 0, 42) });
    expect([broadcast, addressed].every(looksLikeCanboat)).toBe(true);
  });

  it('gives every word of a message of 223 bytes a stream', () => {
    const { samples } = decode('canboat', [`2014-08-15T19:00:00Z,3,129029,160,255,223${',01'.repeat(223)}`]);
    expect(samples.length).toBe(56);
    expect(new Set(samples.map(({ sensor }) => sensor)).size).toBe(56);
  });

  const notes: readonly (readonly [what: string, line: string, reason: SkipReason])[] = [
    ['a message cut short', '2014-08-15T19:00:00Z,3,129029,160,255,8,01,02', 'payload'],
    ['a message of the gateway', '2014-08-15T19:00:00Z,3,262386,0,255,1,01', 'gateway-message'],
    ['a source of nine bits', '2014-08-15T19:00:00Z,3,129029,260,255,1,01', 'id-range'],
    ['a time that is none', 'yesterday at noon,3,129029,160,255,1,01', 'time-unreadable'],
    ['a time before any clock', '1970-01-01T00:00:05Z,3,129029,160,255,1,01', 'time-range'],
  ];
  it.each(notes)('notes %s and stores nothing of it', (_, line, reason) => {
    const { samples, skips } = decode('canboat', [line]);
    expect(samples).toEqual([]);
    expect(skips.map((skip) => skip.reason)).toEqual([reason]);
  });
});

describe('sensor ids of CAN words', () => {
  const word = fc.record({
    bus: fc.constantFrom('can0', 'can1', 'vcan0'),
    id: fc.oneof(fc.integer({ min: 0, max: 0x1fff_ffff }), fc.integer({ min: 0, max: 0x7ff })),
    extended: fc.boolean(),
    word: fc.integer({ min: 0, max: 55 }),
  });
  const valid = word.map((each) => ({ ...each, id: each.extended ? each.id : each.id % 0x800 }));

  // Goal: two words never share a stream. Method: many words, as a set of names and as a set of ids.
  it('are unique, below 2^32, and lead back to the word', () => {
    fc.assert(
      fc.property(fc.array(valid, { maxLength: 300, size: 'max' }), (words) => {
        const sensors = new CanSensors();
        const byName = new Map<string, number>();
        for (const { bus, id, extended, word } of words) {
          const sensor = sensors.sensorOf(bus, id, extended, word);
          expect(sensor >>> 0).toBe(sensor);
          const hex = id
            .toString(16)
            .toUpperCase()
            .padStart(extended ? 8 : 3, '0');
          expect(sensors.nameOf(sensor)).toBe(`${bus} ${hex} word ${word}`);
          byName.set(sensors.nameOf(sensor), sensor);
        }
        expect(new Set(byName.values()).size).toBe(byName.size);
      }),
      { numRuns: 200 },
    );
  });

  it('are the same again in a pass that begins in the middle, with the table of the first', () => {
    fc.assert(
      fc.property(fc.array(valid, { minLength: 2, maxLength: 100, size: 'max' }), fc.nat(), (words, from) => {
        const first = new CanSensors();
        const ids = words.map(({ bus, id, extended, word }) => first.sensorOf(bus, id, extended, word));
        const start = from % words.length;
        const second = new CanSensors(first.table);
        const again = words.slice(start).map(({ bus, id, extended, word }) => second.sensorOf(bus, id, extended, word));
        expect(again).toEqual(ids.slice(start));
      }),
    );
  });

  it('have the borders that the documentation draws', () => {
    const sensors = new CanSensors();
    expect(sensors.sensorOf('can0', 0x1fff_ffff, true, 6)).toBe(0xdfff_ffff);
    expect(sensors.sensorOf('can0', 0, false, 0)).toBe(0xe000_0000);
    expect(sensors.sensorOf('can0', 0x7ff, false, 15)).toBe(0xe000_7fff);
    expect(sensors.sensorOf('can0', 0, true, 7)).toBe(0xf000_0000);
    expect(sensors.sensorOf('can1', 0, false, 0)).toBe(0xf000_0001);
  });
});
