/**
 * What the model lets an engine do and this one never does: why an edge of the model's search is not on the tour.
 *
 * Each class is a sentence about this engine and a test of state and event. It is asked only for edges that were not
 * seen, so a class that is too wide could hide a hole: keep them narrow. An edge in none of them makes the tour fail.
 */
import { durableHeads, isDead } from '../../model/queries.ts';
import type { Scope } from '../../model/scope.ts';
import type { ModelState } from '../../model/step.ts';
import { lifecycleOf } from '../../model/step.ts';
import type { ModelEvent } from '../../model/vocabulary.ts';
import { syncedMark } from '../../model/vocabulary.ts';

export interface LeftOut {
  readonly id: string;
  readonly why: string;
  readonly covers: (
    state: ModelState,
    event: ModelEvent,
    of: { readonly scope: Scope; readonly faults: boolean },
  ) => boolean;
}

const isClosing = (state: ModelState): boolean => lifecycleOf(state) === 'closing';

const hasUnsaved = ({ context }: ModelState): boolean =>
  context.streams.some((stream) => stream.appended > syncedMark(stream));

const hasUndurableHead = ({ context }: ModelState): boolean =>
  context.streams.some(({ head, durableHead }) => head > durableHead);

const holdsDeadSegment = ({ context }: ModelState): boolean =>
  context.segments.some((segment) => isDead(context, segment, durableHeads(context)));

export const LEFT_OUT: readonly LeftOut[] = [
  {
    id: 'no fault here',
    why: 'no I/O fails in this scope; flushes and closing checkpoints that fail are taken in the scopes with faults',
    covers: (state, event, { faults }) =>
      !faults &&
      (event.type === 'FLUSH_FAILED' ||
        (event.type === 'CLOSED' && !hasUnsaved(state) && (hasUndurableHead(state) || holdsDeadSegment(state)))),
  },
  {
    id: 'survivors',
    why: 'what survives is settled when power fails, by what was being written then: a batch of the log and a segment of this size are on the disk whole or not at all',
    covers: (_, event) => event.type === 'RECOVERED',
  },
  {
    id: 'commit',
    why: 'a commit is a batch of the log, so its heads and the removals are announced in the same turn, before FLUSH_DONE',
    covers: (state, event) =>
      event.type === 'FLUSH_DONE' &&
      (holdsDeadSegment(state) ||
        state.context.streams.some(({ durableHead }, i) => durableHead < (event.heads[i] ?? 0))),
  },
  {
    id: 'layout',
    why: 'a tsd block ends where the grid breaks, and so does its sector; the search puts all records of a stream into one block',
    covers: ({ context }, event) =>
      event.type === 'FLUSH_DONE' &&
      context.streams.some(({ sectors }, i) => context.bounds.streams[i]?.kind === 'tsd' && sectors.length > 1),
  },
  {
    id: 'batch of its time',
    why: 'what is written goes one at a time, and a batch has the heads of when it was put together; those of now come with the next',
    covers: (state, event) =>
      (event.type === 'REMOVE_SEGMENT' && hasUndurableHead(state)) ||
      (event.type === 'FLUSH_STARTED' && isClosing(state) && hasUndurableHead(state)) ||
      ((event.type === 'CHECKPOINT' || event.type === 'REMOVE_SEGMENT') &&
        (isClosing(state) || state.context.flush !== null || state.context.flushRequested)),
  },
  {
    id: 'flush ends the wait',
    why: 'a call of flush() while a retry waits ends the wait: its step is RETRY_DUE',
    covers: ({ context }, event) => event.type === 'FLUSH' && context.retryWaiting,
  },
  {
    id: 'close saves first',
    why: 'close() tries to save what is in RAM before it ends',
    covers: (state, event) => event.type === 'CLOSED' && state.context.flushRequested && hasUnsaved(state),
  },
  {
    id: 'close waits for nothing',
    why: 'close() flushes at once, and once: it waits for no delay',
    covers: (state, event) => event.type === 'RETRY_DUE' && isClosing(state),
  },
  {
    id: 'close has nothing to save',
    why: 'close() begins no flush when nothing is in RAM: its checkpoint makes the heads durable',
    covers: (state, event) => event.type === 'FLUSH_STARTED' && isClosing(state) && !hasUnsaved(state),
  },
  {
    id: 'damaged file stays',
    why: 'a segment of which only a hole is left stays until its stream has passed it',
    covers: ({ context }, event) =>
      event.type === 'REMOVE_SEGMENT' &&
      context.segments.some(
        ({ number, blocks }) =>
          number === event.segment && blocks.some(({ stream, to }) => to > (context.streams[stream]?.head ?? to)),
      ),
  },
  {
    id: 'emergency too late',
    why: 'a store that closes takes no call, so power fails in it without emergencyFlush()',
    covers: (state, event) => event.type === 'FLUSH_STARTED' && event.emergency && isClosing(state),
  },
  {
    id: 'emergency without time',
    why: 'an emergency that has no time left and no head to make durable writes nothing, and ends in the turn in which it began',
    covers: (state, event) =>
      event.type === 'FLUSH_DONE' &&
      state.context.flush?.emergency === true &&
      event.segments.length === 0 &&
      hasUnsaved(state),
  },
  {
    id: 'read goes to the disk',
    why: 'a read of all streams that goes to the disk is answered in a later turn: a flush asked for in its own begins before it',
    covers: ({ context }, event) =>
      event.type === 'READ_OLDEST' &&
      context.flushRequested &&
      context.streams.some(({ read, synced }) => read < synced),
  },
  {
    id: 'found by reading',
    why: 'damage is found by who reads the block, all that is unread of it, and what is held in memory is not read again',
    covers: ({ context }, event) =>
      event.type === 'DAMAGE' ||
      (event.type === 'READ_OLDEST' && context.streams.some(({ holes }) => holes.length > 0)) ||
      (event.type === 'READ' && (context.streams[event.stream]?.holes.length ?? 0) > 0),
  },
];
