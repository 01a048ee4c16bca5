/**
 * What may happen: one predicate a rule, each small enough that weakening it is one mistake.
 *
 * Guards of APPEND, ACKNOWLEDGE, DISCARD and FLUSH say when the store refuses. The others say which choices of the
 * environment the contract allows: an engine whose step they refuse has done what it must not.
 */
import { on } from './on.ts';
import {
  blocksOf,
  boundsOf,
  durableHeads,
  holesAfter,
  isDead,
  needsSector,
  pendingOf,
  retainedOf,
  segmentBytes,
  streamOf,
  survivalRange,
  survivorAcknowledged,
  unsyncedOf,
} from './queries.ts';
import { coverSpan } from './spans.ts';
import type { Context, ModelEvent, Segment } from './vocabulary.ts';
import { syncedMark } from './vocabulary.ts';

export type Guard = (context: Context, event: ModelEvent) => boolean;

const between = (low: number, value: number, high: number): boolean => low <= value && value <= high;

const ascending = (segments: readonly Segment[]): boolean =>
  segments.every(({ number }, i) => i === 0 || number > (segments[i - 1] as Segment).number);

/** With a disk a store keeps its id; a store in RAM begins anew under one that was never used. */
const keepsOrRenewsStoreId = on(['RECOVERED'], ({ bounds, storeId }, event) =>
  bounds.disk && storeId !== 0 ? event.storeId === storeId : event.storeId > storeId,
);

/** Every try to open may have raised the epoch before power failed; a new store counts from 1. */
const raisesEpoch = on(['RECOVERED'], ({ storeId, epoch, attempts }, event) => {
  const before = event.storeId === storeId ? epoch : 0;
  return between(before + 1, event.epoch, before + attempts);
});

/** A prefix survives that has at least everything synced, at most everything appended. */
const survivesAsPrefix = on(['RECOVERED'], (context, { streams, damaged }) =>
  streams.every(({ appended }, stream) => {
    const { appendedMin, appendedMax } = survivalRange(context, stream, damaged);
    return between(appendedMin, appended, appendedMax);
  }),
);

/** The head lies between the last durable one and where it was, and not beyond what survived. */
const headSurvives = on(['RECOVERED'], (context, { streams, damaged }) =>
  streams.every(({ appended, head }, stream) => {
    const { headMin, headMax } = survivalRange(context, stream, damaged);
    return between(headMin, head, Math.min(headMax, appended));
  }),
);

/** What is below the head is accounted for: no loss is forgotten, nothing was given up that had not been. */
const accountsForHead = on(['RECOVERED'], ({ bounds, streams }, event) =>
  streams.every((stream, i) => {
    const survivor = event.streams[i];
    if (survivor === undefined) return false;
    if (!bounds.disk) return survivor.discarded === 0 && survivor.evicted === 0;
    const holes = holesAfter(stream.holes, event.damaged, i);
    return (
      between(0, survivor.discarded, stream.discarded) &&
      survivor.evicted >= stream.evicted &&
      between(0, survivorAcknowledged(stream, survivor, holes), stream.acknowledged)
    );
  }),
);

/** Recovery calls damaged only what survived on the disk. */
const damageSurvived = on(['RECOVERED'], ({ streams }, event) =>
  event.damaged.every(({ stream, from, to }) => {
    const survivor = event.streams[stream];
    return (
      survivor !== undefined &&
      from < to &&
      between(streams[stream]?.durableHead ?? to, from, to) &&
      to <= survivor.appended
    );
  }),
);

/** A segment stands after recovery as it was, or is new under a number never used. */
const keepsSegments = on(['RECOVERED'], (context, { segments }) => {
  const known = new Map(context.segments.map((segment) => [segment.number, segment]));
  const kept = ({ number, source, bytes }: Segment): boolean =>
    number > context.lastSegment || (known.get(number)?.source === source && known.get(number)?.bytes === bytes);
  return ascending(segments) && segments.every(kept);
});

/** Everything retained is in a segment, or is a hole. */
const segmentsHoldSurvivors = on(['RECOVERED'], ({ streams }, event) =>
  event.streams.every(({ head, appended }, i) => {
    const holes = holesAfter(streams[i]?.holes ?? [], event.damaged, i);
    return coverSpan([...blocksOf(event.segments, i), ...holes], head, appended);
  }),
);

/** After the event the segments fit into the quota. */
const withinQuota = on(['RECOVERED', 'FLUSH_DONE'], ({ bounds, segments }, event) => {
  const kept = event.type === 'FLUSH_DONE' ? segmentBytes(segments) : 0;
  return kept + segmentBytes(event.segments) <= bounds.quotaBytes;
});

const withinFileLimit = on(['RECOVERED', 'FLUSH_DONE'], ({ bounds }, { segments }) =>
  segments.every(({ bytes }) => between(0, bytes, bounds.segmentBytesMax)),
);

/** A segment lies in the directory of one source and holds that source's streams. */
const blocksOfOneSource = on(['RECOVERED', 'FLUSH_DONE'], (context, { segments }) =>
  segments.every(({ source, blocks }) => blocks.every(({ stream }) => boundsOf(context, stream)?.source === source)),
);

const fitsPool = on(
  ['APPEND'],
  (context, { stream, timeMs }) => context.free > 0 || !needsSector(context, stream, timeMs),
);

const withoutDisk: Guard = ({ bounds }) => !bounds.disk;

const withDisk: Guard = ({ bounds }) => bounds.disk;

/** Records that were lost while pending may be named: their acknowledgement changes nothing. */
const withinPending = on(['ACKNOWLEDGE'], (context, { stream, n }) => {
  const of = streamOf(context, stream);
  return between(0, n, pendingOf(of) + of.forgiven);
});

const withinRetained = on(['DISCARD'], (context, { stream, n }) =>
  between(0, n, retainedOf(streamOf(context, stream))),
);

/** A call shares the running flush when that takes all there is; else it asks for one, which makes heads durable too. */
const notTakenByRunningFlush: Guard = ({ bounds, streams, flush }) =>
  bounds.disk && (flush === null || streams.some(({ appended }, i) => appended > (flush.targets[i] ?? 0)));

const flushAsked: Guard = ({ flushRequested }) => flushRequested;

const retryWaits: Guard = ({ retryWaiting }) => retryWaiting;

const isOldestSegment = on(['EVICT'], ({ segments }, { segment }) => segments[0]?.number === segment);

const quotaWouldOverflow = on(
  ['EVICT'],
  ({ bounds, segments }, { needBytes }) => segmentBytes(segments) + needBytes > bounds.quotaBytes,
);

/**
 * No loss while a segment that every head had passed when the flush began was still there. One that is only a hole is
 * no such segment: it is in its stream's way, and damaged files are not dropped for space before their turn.
 */
const nothingReclaimable = on(['EVICT'], ({ segments, flush }, event) =>
  segments.every(
    ({ number, blocks }) =>
      number === event.segment || blocks.some(({ stream, to }) => to > (flush?.heads[stream] ?? 0)),
  ),
);

const numbersSegmentsOnward = on(
  ['FLUSH_DONE'],
  ({ lastSegment }, { segments }) => ascending(segments) && segments.every(({ number }) => number > lastSegment),
);

/** Blocks go on where the disk ends, in order; left out is only what was given up meanwhile. */
const continuesStreams = on(['FLUSH_DONE'], (context, { segments }) =>
  context.streams.every((stream, i) => {
    const blocks = blocksOf(segments, i);
    let at = Math.max(stream.synced, context.flush?.heads[i] ?? 0);
    for (const { from, to } of blocks) {
      if (from < at || from >= to || (from > at && from > stream.head)) return false;
      at = to;
    }
    return at <= Math.max(context.flush?.targets[i] ?? 0, stream.synced) || blocks.length === 0;
  }),
);

/** Everything appended before the start is taken, but in an emergency. */
const reachesTargets = on(['FLUSH_DONE'], (context, { segments }) =>
  context.streams.every((stream, i) => {
    const end = blocksOf(segments, i).reduce((to, block) => Math.max(to, block.to), syncedMark(stream));
    return context.flush?.emergency === true || end >= (context.flush?.targets[i] ?? 0);
  }),
);

/** A durable head never goes back and never passes the head. */
const headsAdvance = on(['FLUSH_DONE', 'CHECKPOINT'], ({ streams }, event) =>
  streams.every(({ durableHead, head }, i) => between(durableHead, event.heads[i] ?? -1, head)),
);

/** Acknowledgements become durable with the next flush: those from before it are. */
const headsSinceStart = on(['FLUSH_DONE'], ({ streams, flush }, event) =>
  streams.every((_, i) => (event.heads[i] ?? -1) >= (flush?.heads[i] ?? 0)),
);

/** A segment goes only when no crash can bring back a head that still needs it. */
const holdsNothing = on(['REMOVE_SEGMENT'], (context, event) => {
  const segment = context.segments.find(({ number }) => number === event.segment);
  return segment !== undefined && isDead(context, segment, durableHeads(context));
});

/** Damage can hit only what a segment holds. */
const liesOnDisk = on(['DAMAGE'], (context, { stream, from, to }) => {
  const of = streamOf(context, stream);
  return (
    of.head <= from &&
    from < to &&
    to <= syncedMark(of) &&
    coverSpan([...blocksOf(context.segments, stream), ...of.holes], from, to)
  );
});

/** close() says how many records it could not save. */
const namesUnsaved = on(
  ['CLOSED'],
  (context, { unsaved }) => context.streams.reduce((sum, stream) => sum + unsyncedOf(stream), 0) === unsaved,
);

/** When close() could write its checkpoint, every head is durable. */
const headsAreDurable = on(
  ['CLOSED'],
  ({ bounds, streams }, { checkpointed }) =>
    !checkpointed || !bounds.disk || streams.every(({ head, durableHead }) => head === durableHead),
);

export const guards = {
  keepsOrRenewsStoreId,
  raisesEpoch,
  survivesAsPrefix,
  headSurvives,
  accountsForHead,
  damageSurvived,
  keepsSegments,
  segmentsHoldSurvivors,
  withinQuota,
  withinFileLimit,
  blocksOfOneSource,
  fitsPool,
  withoutDisk,
  withDisk,
  withinPending,
  withinRetained,
  notTakenByRunningFlush,
  flushAsked,
  retryWaits,
  isOldestSegment,
  quotaWouldOverflow,
  nothingReclaimable,
  numbersSegmentsOnward,
  continuesStreams,
  reachesTargets,
  headsAdvance,
  headsSinceStart,
  holdsNothing,
  liesOnDisk,
  namesUnsaved,
  headsAreDurable,
} satisfies Record<string, Guard>;

export type GuardName = keyof typeof guards;
