/**
 * The form of an invariant, and the few words the checks share.
 *
 * A check looks at one step: a state, the event, and the state after it. What must hold in every state is checked on
 * the state after; what binds two states, on both. It reads the data of the state itself (record lists, chains,
 * blocks) rather than the queries that guards and actions are written in, so that a rule and its check cannot be wrong
 * in the same way.
 */
import type { StoreMachine } from '../machine.ts';
import type { ModelState } from '../step.ts';
import type { Context, EventType, ModelEvent, ModelRecord, Range, StreamState } from '../vocabulary.ts';

export type InvariantId = `INV-${string}`;

export interface Step {
  /** The initial state for the step that has no event. */
  readonly before: ModelState;
  readonly event: ModelEvent | null;
  readonly after: ModelState;
  /** The machine that made the step, for checks that go on from it. */
  readonly rules: StoreMachine;
}

export interface Invariant {
  readonly id: InvariantId;
  /** A few words, as in the contract. */
  readonly name: string;
  readonly statement: string;
  readonly why: string;
  /** Set when only one profile has it: without a disk, or without an end of RAM, its premise cannot hold. */
  readonly needs?: 'disk' | 'no disk';
  /** Whether the step says anything about the invariant. One that never does proves nothing. */
  premise(step: Step): boolean;
  /** Empty when it holds; else which part failed, where, with the values. */
  check(step: Step): readonly string[];
}

/** Collects failures: `say(condition that must hold, witness)`. */
export function findings(): { readonly found: string[]; say(holds: boolean, witness: () => string): void } {
  const found: string[] = [];
  return {
    found,
    say(holds, witness) {
      if (!holds) found.push(witness());
    },
  };
}

/** The store has state in RAM: it is open or closing. */
export const isRunning = ({ value }: ModelState): boolean => typeof value === 'object';

export const isEvent = <T extends EventType>(
  event: ModelEvent | null,
  ...types: readonly T[]
): event is Extract<ModelEvent, { readonly type: T }> =>
  event !== null && (types as readonly string[]).includes(event.type);

/** Both states are of one run between recovery and the next crash or close. */
export const staysOpen = ({ before, after }: Step): boolean => isRunning(before) && isRunning(after);

export const retainedRecords = ({ records, head }: StreamState): readonly ModelRecord[] =>
  records.length === 0 || (records[0] as ModelRecord).sequence >= head
    ? records
    : records.filter(({ sequence }) => sequence >= head);

export const inHole = ({ holes }: StreamState, sequence: number): boolean =>
  holes.some(({ from, to }) => from <= sequence && sequence < to);

/** All blocks of a stream, in file order. */
export const blocksOfStream = ({ segments }: Context, stream: number): Range[] => {
  const found: Range[] = [];
  for (const { blocks } of segments) for (const block of blocks) if (block.stream === stream) found.push(block);
  return found;
};

/** How many of the blocks hold the sequence number. */
export const holding = (blocks: readonly Range[], sequence: number): number => {
  let count = 0;
  for (const { from, to } of blocks) if (from <= sequence && sequence < to) count++;
  return count;
};

/** Tells of sequence numbers, asked in any order, whether their record is in the stream's chain, above what is on disk. */
export function inRamOf({ sectors, head, synced }: StreamState): (sequence: number) => boolean {
  const from = Math.max(head, synced);
  // The next one asked for is mostly in the same sector.
  let last = sectors[0];
  return (sequence) => {
    if (sequence < from) return false;
    if (last !== undefined && last.first <= sequence && sequence < last.first + last.count) return true;
    last = sectors.find(({ first, count }) => first <= sequence && sequence < first + count);
    return last !== undefined;
  };
}

export const sectorsLinked = ({ streams }: Context): number =>
  streams.reduce((sum, { sectors }) => sum + sectors.length, 0);

export const sameRecord = (a: ModelRecord | undefined, b: ModelRecord | undefined): boolean =>
  a === b ||
  (a !== undefined &&
    b !== undefined &&
    a.sequence === b.sequence &&
    a.epoch === b.epoch &&
    a.valueBits === b.valueBits &&
    a.timeMs === b.timeMs);

export const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** Streams before and after, paired. */
export const pairs = ({
  before,
  after,
}: Step): { readonly index: number; readonly old: StreamState; readonly now: StreamState }[] =>
  after.context.streams.map((now, index) => ({ index, old: before.context.streams[index] as StreamState, now }));

/** Retained before and not after. */
export function departed(old: StreamState, now: StreamState): readonly ModelRecord[] {
  if (old === now || (old.records === now.records && old.head === now.head)) return [];
  const [were, are] = [retainedRecords(old), retainedRecords(now)];
  // Lists that only grew, or only lost their oldest, agree from one end on: what is the same record need not be looked up.
  let front = 0;
  while (front < were.length && were[front] === are[front]) front++;
  let back = 0;
  const backMost = Math.min(were.length, are.length) - front;
  while (back < backMost && were[were.length - 1 - back] === are[are.length - 1 - back]) back++;
  const left = were.slice(front, were.length - back);
  if (left.length === 0) return left;
  const stays = new Set(are.slice(front, are.length - back).map(({ sequence }) => sequence));
  return left.filter(({ sequence }) => !stays.has(sequence));
}
