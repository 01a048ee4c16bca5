/**
 * What a crash has left of one stream, told from the records that the store gives afterwards.
 *
 * Contract section 7 allows a set of outcomes: a prefix of what was appended that has everything synced, under a head
 * between the last durable one and the one before the crash. From outside only the records above the head are seen, so
 * every outcome is tried that gives exactly these. When none does, the words say what is wrong with them.
 */
import type { ModelRecord, StreamState } from '../../model/vocabulary.ts';
import { Divergence } from '../divergence.ts';
import type { StoreRecord } from './store-under-test.ts';

export interface Survival {
  readonly head: number;
  readonly appended: number;
  /** Nothing was left to tell by: any count of records from this one up to `appended` looks the same. */
  readonly appendedMin: number;
}

/** What is known of one stream and its crash. */
export interface Crashed {
  /** For messages. */
  readonly name: string;
  /** The model's state when power failed. */
  readonly stream: StreamState;
  /** All that a read gives afterwards. */
  readonly found: readonly StoreRecord[];
  /** Every record that was appended, by the latest use of its sequence number. */
  readonly ever: readonly ModelRecord[];
  readonly same: (expected: ModelRecord, found: StoreRecord) => boolean;
  readonly durable: boolean;
  /** What the store says of itself, if it does. */
  readonly marks: { readonly head: number; readonly appended: number } | null;
}

export const showRecord = ({ bits, timeMs, sequence }: StoreRecord): string =>
  `${sequence === undefined ? '' : `${sequence}:`}0x${bits.toString(16).padStart(8, '0')} at ${timeMs}`;

/** Head and end between which a crash may leave the stream. */
function allowed({ head, synced, appended, durableHead }: StreamState, durable: boolean) {
  if (!durable) return { headMin: 0, headMax: 0, endMin: 0, endMax: 0 };
  return { headMin: durableHead, headMax: head, endMin: Math.max(synced, durableHead), endMax: appended };
}

/** @returns the outcome that gives exactly the records found. @throws Divergence when the contract allows none of these. */
export function survivalOf(crashed: Crashed): Survival {
  const { stream, found, same, durable, marks } = crashed;
  const { headMin, headMax, endMin, endMax } = allowed(stream, durable);
  const fits: number[] = [];
  for (let head = headMin; head <= headMax; head++) {
    const end = head + found.length;
    if (end < endMin || end > endMax) continue;
    const from = head - (stream.records[0]?.sequence ?? head);
    if (found.every((record, i) => same(stream.records[from + i] as ModelRecord, record))) fits.push(head);
  }
  const said = marks === null ? undefined : fits.find((head) => head === marks.head);
  const head = said ?? fits.at(-1);
  if (head === undefined) throw explain(crashed);
  const ambiguous = found.length === 0 && said === undefined;
  return { head, appended: head + found.length, appendedMin: ambiguous ? (fits[0] as number) : head + found.length };
}

/** Why no outcome fits: what a reader of the trace has to be told first. */
function explain({ name, stream, found, ever, same, durable }: Crashed): Divergence {
  const { headMin, headMax, endMin } = allowed(stream, durable);
  if (!durable)
    return new Divergence(
      'INV-16',
      `${name} gives ${found.length} records after a crash, and its manifest says that none survives`,
    );
  const sequences = found.map((record) => ever.findLast((each) => same(each, record))?.sequence);
  const unknown = sequences.indexOf(undefined);
  if (unknown >= 0)
    return new Divergence(
      'INV-16',
      `${name} gives after the crash a record that was never appended: ${showRecord(found[unknown] as StoreRecord)}`,
    );
  const [first = headMin, ...rest] = sequences as number[];
  const broken = rest.findIndex((sequence, i) => sequence !== first + i + 1);
  if (broken >= 0)
    return new Divergence(
      'INV-16',
      `${name} gives record ${rest[broken]} after record ${first + broken} after the crash: what survives must be without a gap`,
    );
  if (found.length > 0 && first < headMin)
    return new Divergence(
      'INV-15',
      `${name} gives record ${first} again after the crash: it had left the store, and a flush has made that durable (head ${headMin})`,
    );
  const end = found.length === 0 ? null : first + found.length;
  if (end === null ? endMin > headMax : end < endMin)
    return new Divergence(
      'INV-15',
      `${name} has lost record ${end ?? headMax} in the crash: a flush has made everything below ${endMin} durable`,
    );
  return new Divergence(
    'INV-12',
    `${name} begins at record ${first} after the crash: record ${headMax} was never acknowledged and is gone`,
  );
}
