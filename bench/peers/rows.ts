/** One key and one value a record, for peers that keep pairs: key as in keys.ts, value f64 time and u32 raw bits. */
import type { Load } from '../load.ts';
import { KEY_BYTES, type KeyMaker, Slots } from './keys.ts';
import type { Visit } from './peer.ts';

const VALUE_BYTES = 12;

/** Keys and values of one batch, in buffers that are used again. */
export class RowBuffers {
  keys = new Slots(0, KEY_BYTES);
  values = new Slots(0, VALUE_BYTES);

  /** Writes records [from, to) into the first slots. */
  fill({ sensor, sequence, timeMs, bits }: Load, from: number, to: number, maker: KeyMaker): void {
    if (this.keys.length < to - from) {
      this.keys = new Slots(to - from, KEY_BYTES);
      this.values = new Slots(to - from, VALUE_BYTES);
    }
    const { keys, values } = this;
    for (let i = from, slot = 0; i < to; i++, slot++) {
      maker.write(keys.view, keys.offset(slot), sensor[i] as number, sequence[i] as number);
      values.view.setFloat64(values.offset(slot), timeMs[i] as number);
      values.view.setUint32(values.offset(slot) + 8, bits[i] as number);
    }
  }
}

export function visitRow(sensor: number, value: Uint8Array, visit: Visit): void {
  if (value.byteLength !== VALUE_BYTES) throw new Error(`a value of ${value.byteLength} bytes is no record`);
  const view = new DataView(value.buffer, value.byteOffset, VALUE_BYTES);
  visit(sensor, view.getFloat64(0), view.getUint32(8));
}
