/**
 * Keys of the ordered peers: big-endian, so that the order of bytes is the order of records.
 *
 *   0  u32  source     4  u32  sensor     8  u64  sequence of the (first) record
 */

import { SOURCES } from '../../src/index.ts';
import type { LoadSensor } from '../load.ts';

export const KEY_BYTES = 16;

/** Buffers of one size that are made once, lie side by side, and are written again for each batch. */
export class Slots {
  readonly view: DataView;
  readonly #slots: readonly Buffer[];
  readonly #bytes: number;

  constructor(count: number, bytes: number) {
    const memory = new ArrayBuffer(count * bytes);
    this.view = new DataView(memory);
    this.#slots = Array.from({ length: count }, (_, i) => Buffer.from(memory, i * bytes, bytes));
    this.#bytes = bytes;
  }

  get length(): number {
    return this.#slots.length;
  }

  at(slot: number): Buffer {
    return this.#slots[slot] as Buffer;
  }

  /** Where slot `slot` begins in `view`. */
  offset(slot: number): number {
    return slot * this.#bytes;
  }
}

/** Knows the numbers that sources and sensors have in a key, and the way back. */
export class KeyMaker {
  readonly sources: Uint32Array;
  readonly ids: Uint32Array;
  readonly #indexes = new Map<number, number>();

  constructor(sensors: readonly LoadSensor[]) {
    this.sources = Uint32Array.from(sensors, ({ source }) => SOURCES.indexOf(source));
    this.ids = Uint32Array.from(sensors, ({ sensor }) => sensor);
    for (const i of sensors.keys())
      this.#indexes.set(this.#number(this.sources[i] as number, this.ids[i] as number), i);
  }

  #number(source: number, id: number): number {
    return source * 2 ** 32 + id;
  }

  write(view: DataView, at: number, sensor: number, sequence: number): void {
    view.setUint32(at, this.sources[sensor] as number);
    view.setUint32(at + 4, this.ids[sensor] as number);
    view.setUint32(at + 8, Math.floor(sequence / 2 ** 32));
    view.setUint32(at + 12, sequence >>> 0);
  }

  /** First key that a record of this sensor could have, and first behind its last. */
  range(sensor: number): { readonly start: Buffer; readonly end: Buffer } {
    const start = Buffer.alloc(KEY_BYTES);
    const end = Buffer.alloc(KEY_BYTES, 0xff);
    this.write(new DataView(start.buffer, start.byteOffset, KEY_BYTES), 0, sensor, 0);
    start.copy(end, 0, 0, 8);
    return { start, end };
  }

  /** @throws Error when the key names a sensor that the load does not have. */
  sensorOf(key: Uint8Array): number {
    const view = new DataView(key.buffer, key.byteOffset, key.byteLength);
    return this.indexOf(view.getUint32(0), view.getUint32(4));
  }

  /** @throws as sensorOf. */
  indexOf(source: number, id: number): number {
    const index = this.#indexes.get(this.#number(source, id));
    if (index === undefined) throw new Error(`there is a record of ${source}/${id}, which nobody wrote`);
    return index;
  }
}
