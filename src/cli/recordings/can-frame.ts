/** Cuts a CAN payload into samples: 32-bit little-endian words, a stream a word, the last one filled up with zeros. */
import type { CanSensors } from './can-sensor.ts';
import type { Sink } from './sample.ts';

export interface Frame {
  readonly bus: string;
  readonly id: number;
  readonly extended: boolean;
  readonly timeMs: number;
  readonly line: number;
}

/** @param hex payload as hex digits, an even number of them. */
export function putWords(frame: Frame, hex: string, sensors: CanSensors, sink: Sink): void {
  const { bus, id, extended, timeMs, line } = frame;
  for (let word = 0; word * 8 < hex.length; word++) {
    const sensor = sensors.sensorOf(bus, id, extended, word);
    if (sensor < 0) {
      sink.skip(line, 'too-many-streams', `${bus} ${id.toString(16)}`);
      return;
    }
    sink.sample('can_controller', sensor, littleEndian(hex, word * 8), timeMs, line);
  }
}

function littleEndian(hex: string, from: number): number {
  let value = 0;
  for (let byte = 3; byte >= 0; byte--) {
    const at = from + byte * 2;
    value = value * 256 + (at < hex.length ? Number.parseInt(hex.slice(at, at + 2), 16) : 0);
  }
  return value;
}
