/**
 * NMEA 2000 messages as canboat's tools write them ("plain" form), fast packets already put together:
 *
 *   2014-08-15T19:00:00.042Z,3,129029,160,255,43,87,a9,3f,...
 *   time                     priority,PGN,source,destination,bytes,data...
 *
 * The 29-bit CAN id is put together again from priority, PGN, source and destination (ISO 11783-3), so that a message
 * has the same id as in a candump of the same bus. A message has up to 223 bytes: 56 words.
 */
import { putWords } from './can-frame.ts';
import type { CanSensors } from './can-sensor.ts';
import type { LineDecoder, Sink } from './sample.ts';
import { inTimeRange, parseTime, showTime } from './time.ts';

const LINE = /^([^,]{10,35}),(\d{1,3}),(\d{1,12}),(\d{1,3}),(\d{1,3}),(\d{1,3})((?:,[0-9a-f]{2})*)\s*$/i;
const BUS = 'n2k';
const BYTES_MAX = 223;
/** canboat numbers what the two gateways that it knows say about themselves from here on; a bus has no such PGN. */
const GATEWAY_PGN = 0x4_0000;
const GATEWAY_PGN_END = 0x4_0200;

export const looksLikeCanboat = (text: string): boolean => {
  const match = LINE.exec(text);
  return match !== null && parseTime((match[1] ?? '').replace(/-(?=\d\d:\d\d:)/, 'T')) !== null;
};

export class CanboatDecoder implements LineDecoder {
  readonly #sink: Sink;
  readonly #sensors: CanSensors;

  constructor(sink: Sink, sensors: CanSensors) {
    this.#sink = sink;
    this.#sensors = sensors;
  }

  line(text: string, line: number, unterminated: boolean): void {
    const sink = this.#sink;
    const match = LINE.exec(text);
    if (match === null) return sink.skip(line, unterminated ? 'half-written' : 'unreadable', text);
    const [, timeText = '', ...fields] = match;
    const [priority = 0, pgn = 0, source = 0, destination = 0, bytes = 0] = fields.slice(0, 5).map(Number);
    // Older canboat writes 2014-08-15-19:00:00.042.
    const timeMs = parseTime(timeText.replace(/-(?=\d\d:\d\d:)/, 'T'));
    if (timeMs === null) return sink.skip(line, 'time-unreadable', timeText);
    if (!inTimeRange(timeMs)) return sink.skip(line, 'time-range', showTime(timeMs));
    const hex = (fields[5] ?? '').replaceAll(',', '');
    if (hex.length !== bytes * 2) {
      const found = `${hex.length / 2} bytes of ${bytes}`;
      return sink.skip(line, unterminated ? 'half-written' : 'payload', found);
    }
    if (bytes > BYTES_MAX) return sink.skip(line, 'payload', `${bytes} bytes, at most ${BYTES_MAX}`);
    if (pgn >= GATEWAY_PGN && pgn < GATEWAY_PGN_END) return sink.skip(line, 'gateway-message', `PGN ${pgn}`);
    if (pgn >= GATEWAY_PGN || priority > 7 || source > 255 || destination > 255) {
      return sink.skip(line, 'id-range', `priority ${priority}, PGN ${pgn}, ${source} to ${destination}`);
    }
    if (bytes === 0) return sink.skip(line, 'empty-frame', `PGN ${pgn}`);
    putWords(
      { bus: BUS, id: canId(priority, pgn, source, destination), extended: true, timeMs, line },
      hex,
      this.#sensors,
      sink,
    );
  }

  end(): void {
    // Every line stands for itself.
  }
}

/** PDU1 (format below 240) carries its destination in the id, PDU2 is for all. */
function canId(priority: number, pgn: number, source: number, destination: number): number {
  const addressed = ((pgn >>> 8) & 0xff) < 240;
  return priority * 2 ** 26 + ((addressed ? (pgn & 0x3ff00) | destination : pgn) << 8) + source;
}
