/**
 * The limit that appends are held against: the least that a loop can do which puts records of many sensors, in turn,
 * where each sensor's next one belongs.
 *
 * Each step is: the index of the next sensor, one store of a 32-bit value into that sensor's own Uint32Array, that
 * sensor's cursor advanced. Nothing else is computed: no time, no type, no check, no full sector, nothing to ask for, no
 * call. The values come from one column in the order in which they are stored, as the appends' values do. At the end of
 * a batch the cursors go back to their starts, so that the columns are as long as a batch and stay in the cache.
 */

/** One column and one cursor a sensor. */
export interface Cursors {
  readonly columns: readonly Uint32Array[];
  readonly next: Uint32Array;
}

/** @param batchRecords records of all sensors together that the columns take. */
export function makeCursors(sensors: number, batchRecords: number): Cursors {
  const length = Math.ceil(batchRecords / sensors) + 1;
  return {
    columns: Array.from({ length: sensors }, () => new Uint32Array(length)),
    next: new Uint32Array(sensors),
  };
}

/** Runs over all of `bits`. @returns seconds. */
export function bareLoop({ columns, next }: Cursors, bits: Uint32Array, batchRecords: number): number {
  const sensors = columns.length;
  const beganMs = performance.now();
  for (let from = 0; from < bits.length; from += batchRecords) {
    storeBatch(columns, next, bits, from, Math.min(bits.length, from + batchRecords), from % sensors);
    next.fill(0);
  }
  return (performance.now() - beganMs) / 1_000;
}

function storeBatch(
  columns: readonly Uint32Array[],
  next: Uint32Array,
  bits: Uint32Array,
  from: number,
  to: number,
  first: number,
): void {
  const sensors = columns.length;
  let sensor = first;
  for (let i = from; i < to; i++) {
    const at = next[sensor] as number;
    (columns[sensor] as Uint32Array)[at] = bits[i] as number;
    next[sensor] = at + 1;
    sensor = sensor + 1 === sensors ? 0 : sensor + 1;
  }
}
