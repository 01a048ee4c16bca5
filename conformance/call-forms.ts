/**
 * The other forms of calls, in the model's terms: a value instead of its bits, a whole batch instead of a count, one
 * record marked as read instead of a read. Said here once more and not by the engine, which is judged by it.
 */
import { liveRecords } from '../model/spans.ts';
import type { StreamState } from '../model/vocabulary.ts';
import type { Code } from '../src/core/codes.ts';
import type { RecordBatch } from '../src/core/record-batch.ts';
import type { ValueType } from '../src/core/types.ts';

const view = new DataView(new ArrayBuffer(4));

/** The number that these bits are in a stream of that type. Numbers have one NaN: which bits a copy of it has is left open. */
export function numberOf(type: ValueType, bits: number): number {
  view.setUint32(0, bits);
  if (type === 'uint32') return bits;
  if (type === 'int32') return view.getInt32(0);
  const value = view.getFloat32(0);
  return Number.isNaN(value) ? Number.NaN : value;
}

/** The bits that are stored when a number is appended: there is one NaN among the numbers. */
export const bitsAsNumber = (type: ValueType, bits: number): number =>
  type === 'float32' && Number.isNaN(numberOf(type, bits)) ? 0x7fc0_0000 : bits;

/** What an acknowledge of a batch means: a count for ACKNOWLEDGE, or the code it is refused with. */
export type BatchMeaning = { readonly n: number } | { readonly code: Code };

/**
 * A batch stands for its own records and for all that was lost among what is pending, for that is older than its end. One
 * that left as a whole takes back only what of the lost ones it named.
 */
export function meaningOf(batch: RecordBatch, { head, read, forgiven, holes }: StreamState): BatchMeaning {
  const first = batch.sequences[0];
  const last = batch.sequences.at(-1);
  if (first === undefined || last === undefined) return { n: 0 };
  if (last < head) return { n: Math.max(0, forgiven - (head - last - 1)) };
  if (last >= read || liveRecords(holes, head, first) > 0) return { code: 'BOUNDS_VIOLATION' };
  return { n: forgiven + liveRecords(holes, head, last + 1) };
}
