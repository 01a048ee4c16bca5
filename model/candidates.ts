/**
 * Which events the search tries in a state: what may happen, and beside it what must be refused.
 *
 * The refused ones are not decoration. A guard that nobody asks to refuse could be left out unnoticed, so each wrong
 * candidate is wrong in one way only: the guard it is meant for is the only one that stands against it.
 */

import { flushCandidates } from './candidates-flush.ts';
import { recoveryCandidates } from './candidates-recovery.ts';
import { durableHeads, isDead, pendingOf, retainedOf, streamOf, unsyncedOf } from './queries.ts';
import type { Harm, Scope } from './scope.ts';
import type { ModelState } from './step.ts';
import { isOpen, lifecycleOf } from './step.ts';
import type { Context, ModelEvent, StreamIndex } from './vocabulary.ts';
import { sectorsUsed, syncedMark } from './vocabulary.ts';

/** A value that tells every record from every other, also from one that a crash took. */
const valueBitsOf = ({ epoch, storeId }: Context, stream: StreamIndex, sequence: number): number =>
  ((storeId * 64 + epoch) * 64 + stream * 32 + sequence) >>> 0;

function appendCandidates(context: Context, stream: StreamIndex): ModelEvent[] {
  const { appended, lastTimeMs } = streamOf(context, stream);
  const { kind, periodMs } = context.bounds.streams[stream] ?? { kind: 'evt', periodMs: 0 };
  const append = (timeMs: number): ModelEvent => ({
    type: 'APPEND',
    stream,
    valueBits: valueBitsOf(context, stream, appended),
    timeMs,
  });
  // Events come with a clock that jumps back: order is by sequence, never by time.
  if (kind === 'evt') return [append(1_000_000 - 10 * appended)];
  if (lastTimeMs === null) return [append(1_000_000 + periodMs * appended)];
  const slightlyLate = lastTimeMs + periodMs + periodMs / 4;
  const halfAPeriodLate = lastTimeMs + periodMs + periodMs / 2 + 1;
  return [append(slightlyLate), append(halfAPeriodLate)];
}

function readerCandidates(context: Context, stream: StreamIndex, scope: Scope): ModelEvent[] {
  const of = streamOf(context, stream);
  const [pending, retained] = [pendingOf(of), retainedOf(of)];
  const events: ModelEvent[] = [];
  const piecemeal = scope.piecemeal.includes(stream);
  if (of.read < of.appended) events.push({ type: 'READ', stream, max: of.appended });
  if (piecemeal && of.appended - of.read > 1) events.push({ type: 'READ', stream, max: 1 });
  if (piecemeal && pending > 1) events.push({ type: 'ACKNOWLEDGE', stream, n: 1 });
  if (pending > 0 || of.forgiven > 0) events.push({ type: 'ACKNOWLEDGE', stream, n: pending + of.forgiven });
  if (of.read > of.head || of.forgiven > 0) events.push({ type: 'REVERT', stream });
  if (retained > 0) events.push({ type: 'DISCARD', stream, n: piecemeal ? 1 : retained });
  events.push(
    { type: 'ACKNOWLEDGE', stream, n: pending + of.forgiven + 1 },
    { type: 'DISCARD', stream, n: retained + 1 },
  );
  return events;
}

/**
 * Where one stream has something unread it is that stream's read. All but one record, so that the order decides which one
 * stays; everything where streams are read in whole batches only, for a part of one would be a state of its own there.
 */
function readOldestCandidates({ streams }: Context, scope: Scope): ModelEvent[] {
  const unread = streams.flatMap(({ read, appended }) => (read < appended ? [appended - read] : []));
  if (unread.length < 2) return [];
  const kept = scope.piecemeal.length === 0 ? 0 : 1;
  return [{ type: 'READ_OLDEST', max: unread.reduce((sum, records) => sum + records, -kept) }];
}

function damageCandidates(context: Context, stream: StreamIndex, mayHarm: boolean): ModelEvent[] {
  const of = streamOf(context, stream);
  const onDisk = syncedMark(of);
  const events: ModelEvent[] = [];
  for (const { blocks } of mayHarm ? context.segments : []) {
    for (const block of blocks) {
      const from = Math.max(block.from, of.head);
      const known = of.holes.some((hole) => hole.from <= from && block.to <= hole.to);
      if (block.stream === stream && from < block.to && !known)
        events.push({ type: 'DAMAGE', stream, from, to: block.to });
    }
  }
  if (onDisk < of.appended) events.push({ type: 'DAMAGE', stream, from: onDisk, to: onDisk + 1 });
  return events;
}

/** Checkpoints and removals go on beside everything. */
function upkeepCandidates(context: Context, scope: Scope): ModelEvent[] {
  const heads = context.streams.map(({ head }) => head);
  const events: ModelEvent[] = context.segments.map(({ number }) => ({ type: 'REMOVE_SEGMENT', segment: number }));
  const frees = context.segments.some((segment) => isDead(context, segment, heads));
  const moves = context.streams.some(({ head, durableHead }) => head > durableHead);
  // Without a disk it must be refused, so that is where it is always tried.
  if (frees || (moves && (scope.upkeepAnytime || !context.bounds.disk))) events.push({ type: 'CHECKPOINT', heads });
  events.push({ type: 'CHECKPOINT', heads: heads.map((head, i) => (i === 0 ? head + 1 : head)) });
  return events;
}

function closeCandidates(context: Context): ModelEvent[] {
  const unsaved = context.streams.reduce((sum, stream) => sum + unsyncedOf(stream), 0);
  return [
    { type: 'CLOSED', unsaved, checkpointed: true },
    { type: 'CLOSED', unsaved, checkpointed: false },
    { type: 'CLOSED', unsaved: unsaved + 1, checkpointed: false },
  ];
}

/** Every event that the search tries in the state; what the machine refuses of them leaves it where it is. */
export function candidates(state: ModelState, scope: Scope, harm: Harm): ModelEvent[] {
  const { context } = state;
  const lifecycle = lifecycleOf(state);
  if (lifecycle === 'recovering') {
    const events = recoveryCandidates(context, scope, harm.damages < scope.damagesMax);
    if (context.attempts < scope.attemptsMax) events.push({ type: 'OPEN_FAILED' }, { type: 'RECOVERY_CRASHED' });
    return events;
  }
  if (lifecycle === 'closed' || lifecycle === 'crashed' || lifecycle === 'failed') return [{ type: 'OPEN' }];

  const events: ModelEvent[] = [{ type: 'CRASH' }, ...upkeepCandidates(context, scope)];
  const removable = context.segments.some((segment) => isDead(context, segment, durableHeads(context)));
  if (removable && !scope.upkeepAnytime) return events;
  events.push({ type: 'FLUSH_STARTED', emergency: false }, { type: 'RETRY_DUE' });
  if (harm.emergencies < scope.emergenciesMax) events.push({ type: 'FLUSH_STARTED', emergency: true });
  if (context.flush !== null) events.push(...flushCandidates(context, scope));
  if (!isOpen(state)) return [...events, ...closeCandidates(context)];

  events.push({ type: 'CLOSE' });
  const undurable = context.streams.some(({ durableHead, appended }) => durableHead < appended);
  const worthIt = undurable && sectorsUsed(context) >= scope.flushCallFrom;
  if (worthIt) events.push({ type: 'FLUSH' });
  events.push(...readOldestCandidates(context, scope));
  for (const [stream, of] of context.streams.entries()) {
    if (of.appended < (scope.recordsMax[stream] ?? 0)) events.push(...appendCandidates(context, stream));
    if (scope.untouched?.includes(stream) !== true) events.push(...readerCandidates(context, stream, scope));
    events.push(...damageCandidates(context, stream, harm.damages < scope.damagesMax));
  }
  return events;
}

/** What an accepted event adds to the harm done so far. */
export function harmAfter(harm: Harm, event: ModelEvent): Harm {
  switch (event.type) {
    case 'DAMAGE':
      return { ...harm, damages: harm.damages + 1 };
    case 'RECOVERED':
      return event.damaged.length === 0 ? harm : { ...harm, damages: harm.damages + 1 };
    case 'FLUSH_STARTED':
      return event.emergency ? { ...harm, emergencies: harm.emergencies + 1 } : harm;
    default:
      return harm;
  }
}
