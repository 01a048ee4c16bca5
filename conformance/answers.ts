/** Waiting for what the engine answers, and comparing a batch with the records that the model expects. */
import type { ModelRecord } from '../model/vocabulary.ts';
import type { RecordBatch } from '../src/core/record-batch.ts';

/** Ends when everything that can go on without I/O has gone on. */
export const macrotask = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** What the promise gives while all reads answer at once; null when it waits for something else. */
export async function answeredWithoutIo<T>(promise: Promise<T>): Promise<T | null> {
  let answer: { readonly value: T } | null = null;
  const noted = promise.then((value) => {
    answer = { value };
  });
  await Promise.race([noted, macrotask()]);
  return (answer as { readonly value: T } | null)?.value ?? null;
}

/** @returns what is wrong with the batch, or null. */
export function compareBatch(expected: readonly ModelRecord[], batch: RecordBatch): string | null {
  for (let i = 0; i < Math.min(expected.length, batch.length); i++) {
    const { sequence, epoch, valueBits, timeMs } = expected[i] as ModelRecord;
    const same =
      batch.sequences[i] === sequence &&
      batch.bits[i] === valueBits &&
      batch.timesMs[i] === timeMs &&
      batch.epochs[i] === epoch;
    if (!same) {
      return (
        `record ${i} is sequence ${batch.sequences[i]} bits ${batch.bits[i]} time ${batch.timesMs[i]} epoch ${batch.epochs[i]}, ` +
        `the model has sequence ${sequence} bits ${valueBits} time ${timeMs} epoch ${epoch}`
      );
    }
  }
  return expected.length === batch.length ? null : `${batch.length} records, the model has ${expected.length}`;
}
