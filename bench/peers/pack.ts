/**
 * One blob per sensor and batch, for peers that keep blobs: how a user packs records who has seen what rows cost.
 *
 *   f64 x n  times in ms, then  u32 x n  raw 32 bits
 *
 * Two columns, because that is written and read with no work per byte. A batch is sorted by sensor first (a count and a
 * pass); that is part of the peer's time, for without it there is no such blob.
 */
import { bySensor, type Load } from '../load.ts';
import type { Visit } from './peer.ts';

const PACKED_BYTES = 12;

/** Packs records [from, to) into one buffer and hands out each sensor's part, in the order of sensors, with its first sequence. */
export function packBatch(
  load: Load,
  from: number,
  to: number,
  take: (sensor: number, sequence: number, blob: Buffer) => void,
): void {
  const { order, starts } = bySensor(load, from, to);
  // Each part begins at a multiple of 8, as float64 wants it.
  const room = (to - from) * PACKED_BYTES + load.sensors.length * 8;
  const buffer = new ArrayBuffer(room);
  const times = new Float64Array(buffer, 0, room >> 3);
  const words = new Uint32Array(buffer, 0, room >> 2);
  const { timeMs, bits } = load;
  let byte = 0;
  for (let sensor = 0; sensor < load.sensors.length; sensor++) {
    const first = starts[sensor] as number;
    const count = (starts[sensor + 1] as number) - first;
    if (count === 0) continue;
    const timesAt = byte >> 3;
    const wordsAt = (byte >> 2) + count * 2;
    for (let k = 0; k < count; k++) {
      const i = order[first + k] as number;
      times[timesAt + k] = timeMs[i] as number;
      words[wordsAt + k] = bits[i] as number;
    }
    take(sensor, load.sequence[order[first] as number] as number, Buffer.from(buffer, byte, count * PACKED_BYTES));
    byte = (byte + count * PACKED_BYTES + 7) & ~7;
  }
}

/** Records of one blob, in order. */
export function unpack(sensor: number, blob: Uint8Array, visit: Visit): void {
  // Where a database puts a value in memory is its own affair: it may stand at any byte.
  const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength);
  const count = blob.byteLength / PACKED_BYTES;
  if (!Number.isInteger(count)) throw new Error(`a blob of ${blob.byteLength} bytes is no whole number of records`);
  for (let k = 0; k < count; k++) visit(sensor, view.getFloat64(k * 8, true), view.getUint32(count * 8 + k * 4, true));
}
