/** Runs a decoder over lines that a test writes down, and gives samples and notes back as plain tuples. */
import { CanSensors } from '../../src/cli/recordings/can-sensor.ts';
import { CanboatDecoder } from '../../src/cli/recordings/canboat.ts';
import { CandumpDecoder } from '../../src/cli/recordings/candump.ts';
import { NmeaDecoder } from '../../src/cli/recordings/nmea.ts';
import type { Batch, LineDecoder } from '../../src/cli/recordings/sample.ts';
import { Sink } from '../../src/cli/recordings/sample.ts';

export interface DecodeOptions {
  readonly dateMs?: number;
  /** The last line is not ended. */
  readonly unterminated?: boolean;
}

export type LineFormat = 'candump' | 'canboat' | 'nmea';

export function decode(format: LineFormat, lines: readonly string[], options: DecodeOptions = {}): Batch {
  const sink = new Sink();
  const sensors = new CanSensors();
  const decoder: LineDecoder =
    format === 'candump'
      ? new CandumpDecoder(sink, sensors)
      : format === 'canboat'
        ? new CanboatDecoder(sink, sensors)
        : new NmeaDecoder(sink, 1, options.dateMs ?? null);
  lines.forEach((line, i) => {
    decoder.line(line, i + 1, options.unterminated === true && i === lines.length - 1);
  });
  decoder.end();
  return sink.take();
}

/** A sentence with its checksum. */
export function sentence(body: string): string {
  let sum = 0;
  for (const char of body) sum ^= char.charCodeAt(0);
  return `$${body}*${sum.toString(16).toUpperCase().padStart(2, '0')}`;
}
