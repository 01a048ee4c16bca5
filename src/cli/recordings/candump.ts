/**
 * The log form of candump (`candump -L`, `candump -l`), one frame a line:
 *
 *   (1378145263.123456) can0 09F8027F#FFFC000000FF      data frame, 29-bit id (8 digits)
 *   (1378145263.123456) can0 123#01                     data frame, 11-bit id (3 digits)
 *   (1378145263.123456) can0 123##1AABB                 CAN FD: one digit of flags, then data
 *   (1378145263.123456) can0 123#R8                     remote frame: asks for data, has none
 *   (1378145263.123456) can0 20000004#0004000000000000  error frame of the adapter (bit 29 of the id)
 *
 * A direction (R, T) or a raw length code behind the data is accepted. Times are kept to the millisecond. CAN XL frames are not
 * understood and are reported as such.
 */
import { putWords } from './can-frame.ts';
import type { CanSensors } from './can-sensor.ts';
import type { LineDecoder, Sink } from './sample.ts';
import { inTimeRange, showTime } from './time.ts';

const LINE =
  /^\((\d{1,17})\.(\d{1,9})\)\s+(\S{1,32})\s+([0-9A-F]{1,16})(#R[0-9A-F]?|##([0-9A-F])([0-9A-F.]*)|#([0-9A-F.]*))(?:_[0-9A-F])?(?:\s+[RT])?\s*$/i;

const ERROR_FLAG = 0x2000_0000;
const EXTENDED_MAX = 0x1fff_ffff;
const STANDARD_MAX = 0x7ff;
const CLASSIC_BYTES = 8;
const FD_BYTES = 64;

/** Whether a line has the form of a candump log, whatever is wrong with its content. */
export const looksLikeCandump = (text: string): boolean => LINE.test(text);

export class CandumpDecoder implements LineDecoder {
  readonly #sink: Sink;
  readonly #sensors: CanSensors;

  constructor(sink: Sink, sensors: CanSensors) {
    this.#sink = sink;
    this.#sensors = sensors;
  }

  line(text: string, line: number, unterminated: boolean): void {
    const sink = this.#sink;
    // candump ends every line; without that the payload may be cut where it still reads as a shorter one.
    if (unterminated) return sink.skip(line, 'half-written', text);
    const match = LINE.exec(text);
    if (match === null) return sink.skip(line, 'unreadable', text);
    const [, seconds = '', fraction = '', bus = '', idText = '', rest = '', fdFlags, fdData, classicData] = match;
    const timeMs = Number(seconds) * 1000 + Math.floor(Number(`0.${fraction}`) * 1000 + 1e-6);
    if (!inTimeRange(timeMs)) return sink.skip(line, 'time-range', showTime(timeMs));
    const id = Number.parseInt(idText, 16);
    const extended = idText.length > 3;
    if (idText.length > 8) return sink.skip(line, 'id-range', `id ${idText} has more than 32 bits`);
    if (extended && id >= ERROR_FLAG && id < 2 * ERROR_FLAG) return sink.skip(line, 'error-frame', idText);
    if (id > (extended ? EXTENDED_MAX : STANDARD_MAX)) {
      return sink.skip(line, 'id-range', `id ${idText} has more than ${extended ? 29 : 11} bits`);
    }
    if (/^#R/i.test(rest)) return sink.skip(line, 'remote-frame', idText);
    const hex = (fdData ?? classicData ?? '').replaceAll('.', '');
    const bytesMax = fdFlags === undefined ? CLASSIC_BYTES : FD_BYTES;
    if (hex.length % 2 !== 0 || hex.length > bytesMax * 2) {
      return sink.skip(line, 'payload', `${hex.length} hex digits, at most ${bytesMax} bytes`);
    }
    if (hex === '') return sink.skip(line, 'empty-frame', idText);
    putWords({ bus, id, extended, timeMs, line }, hex, this.#sensors, sink);
  }

  end(): void {
    // Every line stands for itself.
  }
}
