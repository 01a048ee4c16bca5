/**
 * Records of 16 bytes each, one behind the other, as a log without any compression has them.
 *
 *   0  u32  index of the sensor     4  u32  raw 32 bits     8  f64  time in ms
 */
import type { Load } from '../load.ts';
import type { Visit } from './peer.ts';

export const RECORD_BYTES = 16;

/** Puts batches together in one buffer that is used again and again. */
export class WideRecords {
  #words = new Uint32Array(0);
  #times = new Float64Array(0);
  #bytes = new Uint8Array(0);

  /** Records [from, to); valid until the next call. */
  fill({ sensor, bits, timeMs }: Load, from: number, to: number): Uint8Array {
    this.#reserve((to - from) * RECORD_BYTES);
    const words = this.#words;
    const times = this.#times;
    for (let i = from, at = 0; i < to; i++, at++) {
      words[at * 4] = sensor[i] as number;
      words[at * 4 + 1] = bits[i] as number;
      times[at * 2 + 1] = timeMs[i] as number;
    }
    return this.#bytes.subarray(0, (to - from) * RECORD_BYTES);
  }

  #reserve(bytes: number): void {
    if (this.#bytes.length >= bytes) return;
    const buffer = new ArrayBuffer(bytes);
    this.#words = new Uint32Array(buffer);
    this.#times = new Float64Array(buffer);
    this.#bytes = new Uint8Array(buffer);
  }
}

/** Every whole record in `bytes`, in order. */
export function visitWide(bytes: Uint8Array, visit: Visit): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at + RECORD_BYTES <= bytes.byteLength; at += RECORD_BYTES) {
    visit(view.getUint32(at, true), view.getFloat64(at + 8, true), view.getUint32(at + 4, true));
  }
}
