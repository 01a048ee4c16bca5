/** Whether what a store answered has the form it must have; a wrong form is a finding like any other. */
import { Divergence } from '../divergence.ts';
import type { StoreMarks, StoreRecord } from './store-under-test.ts';

const show = (value: unknown): string => JSON.stringify(value)?.slice(0, 80) ?? String(value);

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;

const isCountOrAbsent = (value: unknown): boolean => value === undefined || value === null || isCount(value);

/** @returns what is wrong with a record, or null. */
export function recordFault(record: unknown): string | null {
  if (typeof record !== 'object' || record === null) return `${show(record)} is no record`;
  const { bits, timeMs, sequence, epoch } = record as Partial<StoreRecord>;
  if (!isCount(bits) || (bits as number) > 0xffff_ffff)
    return `bits is ${show(bits)}: a whole number below 2^32 was expected`;
  if (!isCount(timeMs)) return `timeMs is ${show(timeMs)}: whole milliseconds were expected`;
  if (!isCountOrAbsent(sequence)) return `sequence is ${show(sequence)}: a whole number was expected`;
  return isCountOrAbsent(epoch) ? null : `epoch is ${show(epoch)}: a whole number was expected`;
}

/** @returns what is wrong with the marks of a store of so many streams, or null. */
export function marksFault(marks: unknown, streams: number): string | null {
  const of = (marks as Partial<StoreMarks> | null)?.streams;
  if (!Array.isArray(of) || of.length !== streams)
    return `streams is ${show(of)}: marks of ${streams} streams were expected`;
  for (const [i, each] of of.entries()) {
    for (const name of ['head', 'read', 'appended'] as const)
      if (!isCount(each?.[name])) return `${name} of stream ${i} is ${show(each?.[name])}: a whole number was expected`;
    if (!isCountOrAbsent(each.synced))
      return `synced of stream ${i} is ${show(each.synced)}: a whole number was expected`;
  }
  const { lost } = marks as StoreMarks;
  return isCountOrAbsent(lost) ? null : `lost is ${show(lost)}: a whole number was expected`;
}

/** @throws Divergence when it is no list of records. */
export function checkRecords(answer: unknown): readonly StoreRecord[] {
  if (!Array.isArray(answer))
    throw new Divergence('answer', `read answered ${show(answer)}: a list of records was expected`);
  answer.forEach((record, i) => {
    const fault = recordFault(record);
    if (fault !== null) throw new Divergence('answer', `record ${i} of the read: ${fault}`);
  });
  return answer.map(({ bits, timeMs, sequence, epoch }) => ({
    bits,
    timeMs,
    sequence: sequence ?? undefined,
    epoch: epoch ?? undefined,
  }));
}

/** @throws Divergence when these are no marks of so many streams. */
export function checkMarks(answer: unknown, streams: number): StoreMarks {
  const fault = marksFault(answer, streams);
  if (fault !== null) throw new Divergence('answer', `inspect: ${fault}`);
  return answer as StoreMarks;
}
