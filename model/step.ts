/**
 * Stepping the machine as a pure function, and what the store must answer in a state.
 *
 * A state is the machine's snapshot; nothing is kept beside it. `step` never throws for an event that the contract
 * refuses: the state comes back unchanged (RAM_FULL is counted), and `can` says so beforehand.
 */
import type { SnapshotFrom } from 'xstate';
import { initialTransition } from 'xstate';
import { guards } from './guards.ts';
import { newContext } from './initial.ts';
import type { StoreMachine } from './machine.ts';
import { machine } from './machine.ts';
import { oldestUnread, pendingOf, recordsBetween, retainedOf, streamOf } from './queries.ts';
import { advance } from './spans.ts';
import { take, takes } from './transitions.ts';
import type { Bounds, Context, Lifecycle, ModelEvent, ModelRecord, StreamIndex } from './vocabulary.ts';

export type ModelState = SnapshotFrom<StoreMachine>;

/** @param rules another machine of the same form, with a rule weakened. */
export function initialState(bounds: Bounds, rules: StoreMachine = machine): ModelState {
  return initialTransition(rules, newContext(bounds))[0];
}

export const can = (state: ModelState, event: ModelEvent): boolean => takes(state.machine, state, event);

/** The state after the event; the same object when it was refused. */
export const step = (state: ModelState, event: ModelEvent, rules: StoreMachine = machine): ModelState =>
  take(rules, state, event);

/** The same context in a given state: for hand-made states and for comparing profiles. */
export const stateOf = (value: ModelState['value'], context: Context): ModelState =>
  machine.resolveState({ value, context });

export const lifecycleOf = ({ value }: ModelState): Lifecycle => {
  if (typeof value === 'string') return value;
  return 'ready' in value ? value.ready : 'closing';
};

/** Whether the store takes operations. */
export const isOpen = (state: ModelState): boolean => typeof state.value === 'object' && 'ready' in state.value;

export type Refusal = 'CLOSED' | 'RAM_FULL' | 'BOUNDS_VIOLATION';

/** The sequence number that an append gets, or why it is refused. */
export function expectedAppend(state: ModelState, stream: StreamIndex, timeMs: number): number | Refusal {
  const { context } = state;
  if (!isOpen(state)) return 'CLOSED';
  const fits = !context.bounds.disk || guards.fitsPool(context, { type: 'APPEND', stream, valueBits: 0, timeMs });
  return fits ? streamOf(context, stream).appended : 'RAM_FULL';
}

const retained = (context: Context, stream: StreamIndex): readonly ModelRecord[] => {
  const { records, head, appended } = streamOf(context, stream);
  return recordsBetween(records, head, appended);
};

/** The oldest unread records, at most `max`, as a read that completes now gives them. */
export function expectedRead(state: ModelState, stream: StreamIndex, max: number): readonly ModelRecord[] {
  const { records, read, appended } = streamOf(state.context, stream);
  return recordsBetween(records, read, appended).slice(0, max);
}

/** The oldest `max` of the store, as a read over all streams that completes now gives them: runs of one stream each. */
export const expectedOldest = (
  { context }: ModelState,
  { max, order }: Pick<Extract<ModelEvent, { readonly type: 'READ_OLDEST' }>, 'max' | 'order'>,
): readonly { readonly stream: StreamIndex; readonly records: readonly ModelRecord[] }[] =>
  oldestUnread(context, max, order).map(({ stream, from, to }) => ({
    stream,
    records: recordsBetween(streamOf(context, stream).records, from, to),
  }));

/** `max` retained records from the `offset`-th unread on. */
export function expectedPeek(
  state: ModelState,
  stream: StreamIndex,
  offset: number,
  max: number,
): readonly ModelRecord[] {
  const { records, read, holes, appended } = streamOf(state.context, stream);
  return recordsBetween(records, advance(holes, read, offset), appended).slice(0, max);
}

export const expectedRetained = (state: ModelState, stream: StreamIndex): readonly ModelRecord[] =>
  retained(state.context, stream);

/** Null: accepted. */
export function expectedAcknowledge(state: ModelState, stream: StreamIndex, n: number): Refusal | null {
  if (!isOpen(state)) return 'CLOSED';
  return guards.withinPending(state.context, { type: 'ACKNOWLEDGE', stream, n }) ? null : 'BOUNDS_VIOLATION';
}

/** Null: accepted. */
export function expectedDiscard(state: ModelState, stream: StreamIndex, n: number): Refusal | null {
  if (!isOpen(state)) return 'CLOSED';
  return guards.withinRetained(state.context, { type: 'DISCARD', stream, n }) ? null : 'BOUNDS_VIOLATION';
}

export const pendingCount = (state: ModelState, stream: StreamIndex): number =>
  pendingOf(streamOf(state.context, stream));

export const retainedCount = (state: ModelState, stream: StreamIndex): number =>
  retainedOf(streamOf(state.context, stream));
