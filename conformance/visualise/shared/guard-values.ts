/**
 * What a guard looked at when it said yes or no, in words with the values of this state and event. One line a guard; a
 * test holds the table to the model's list of guards.
 */
import type { GuardName } from '../../../model/guards.ts';
import {
  blocksOf,
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
} from '../../../model/queries.ts';
import type { Context, EventType, ModelEvent, Range, Segment } from '../../../model/vocabulary.ts';
import { syncedMark } from '../../../model/vocabulary.ts';

type Of<T extends EventType> = Extract<ModelEvent, { readonly type: T }>;
type Words = (context: Context, event: never) => string;

const spans = (ranges: readonly { from: number; to: number }[]): string =>
  ranges.map(({ from, to }) => `[${from}, ${to})`).join(' ') || 'nothing';
const heads = (values: readonly number[]): string => values.join(' ');
const ranges = (list: readonly Range[]): string =>
  list.map(({ stream, from, to }) => `stream ${stream} [${from}, ${to})`).join(', ') || 'none';
const numbers = (segments: readonly Segment[]): string => segments.map(({ number }) => number).join(' ') || 'none';
const perStream = (context: Context, say: (stream: number) => string): string =>
  context.streams.map((_, i) => `stream ${i} ${say(i)}`).join('; ');

export const GUARD_VALUES = {
  keepsOrRenewsStoreId: ({ bounds, storeId }, event: Of<'RECOVERED'>) =>
    `store id ${event.storeId}, it was ${storeId}; ${bounds.disk ? 'a disk keeps it' : 'without a disk it is a new one'}`,
  raisesEpoch: ({ epoch, attempts, storeId }, event: Of<'RECOVERED'>) =>
    `epoch ${event.epoch}, it was ${event.storeId === storeId ? epoch : 0}, tries to open ${attempts}`,
  survivesAsPrefix: (context, event: Of<'RECOVERED'>) =>
    perStream(context, (i) => {
      const { appendedMin, appendedMax } = survivalRange(context, i, event.damaged);
      return `appended ${event.streams[i]?.appended}, allowed ${appendedMin} to ${appendedMax}`;
    }),
  headSurvives: (context, event: Of<'RECOVERED'>) =>
    perStream(context, (i) => {
      const { headMin, headMax } = survivalRange(context, i, event.damaged);
      return `head ${event.streams[i]?.head}, allowed ${headMin} to ${headMax}`;
    }),
  accountsForHead: (context, event: Of<'RECOVERED'>) =>
    perStream(context, (i) => {
      const survivor = event.streams[i];
      const stream = streamOf(context, i);
      if (survivor === undefined) return 'is not named';
      const taken = survivorAcknowledged(stream, survivor, holesAfter(stream.holes, event.damaged, i));
      return `acknowledged ${taken} of ${stream.acknowledged}, discarded ${survivor.discarded} of ${stream.discarded}, evicted ${survivor.evicted} (were ${stream.evicted})`;
    }),
  damageSurvived: (_, event: Of<'RECOVERED'>) =>
    `damaged ${ranges(event.damaged)}; appended ${event.streams.map(({ appended }) => appended).join(' ')}`,
  keepsSegments: ({ segments, lastSegment }, event: Of<'RECOVERED'>) =>
    `segments ${numbers(event.segments)}, there were ${numbers(segments)}, the last number used is ${lastSegment}`,
  segmentsHoldSurvivors: (context, event: Of<'RECOVERED'>) =>
    perStream(context, (i) => {
      const { head = 0, appended = 0 } = event.streams[i] ?? {};
      return `[${head}, ${appended}) in ${spans(blocksOf(event.segments, i))}`;
    }),
  withinQuota: ({ bounds, segments }, event: Of<'RECOVERED' | 'FLUSH_DONE'>) => {
    const kept = event.type === 'FLUSH_DONE' ? segmentBytes(segments) : 0;
    return `${kept + segmentBytes(event.segments)} bytes, quota ${bounds.quotaBytes}`;
  },
  withinFileLimit: ({ bounds }, event: Of<'RECOVERED' | 'FLUSH_DONE'>) =>
    `files of ${event.segments.map(({ bytes }) => bytes).join(' ') || 0} bytes, limit ${bounds.segmentBytesMax}`,
  blocksOfOneSource: (_, event: Of<'RECOVERED' | 'FLUSH_DONE'>) =>
    event.segments.map(({ number, source, blocks }) => `segment ${number} in ${source}: ${ranges(blocks)}`).join('; '),
  fitsPool: (context, event: Of<'APPEND'>) =>
    `free sectors ${context.free}, the record ${needsSector(context, event.stream, event.timeMs) ? 'needs one' : 'fits the open one'}`,
  withoutDisk: ({ bounds }) => `disk ${bounds.disk}`,
  withDisk: ({ bounds }) => `disk ${bounds.disk}`,
  withinPending: (context, event: Of<'ACKNOWLEDGE'>) => {
    const of = streamOf(context, event.stream);
    return `n ${event.n}, pending ${pendingOf(of)}, lost while pending ${of.forgiven}`;
  },
  withinRetained: (context, event: Of<'DISCARD'>) =>
    `n ${event.n}, retained ${retainedOf(streamOf(context, event.stream))}`,
  notTakenByRunningFlush: ({ bounds, streams, flush }) =>
    `disk ${bounds.disk}, appended ${heads(streams.map(({ appended }) => appended))}, the running flush takes ${flush === null ? 'nothing (none runs)' : heads(flush.targets)}`,
  flushAsked: ({ flushRequested }) => `flushRequested ${flushRequested}`,
  retryWaits: ({ retryWaiting }) => `retryWaiting ${retryWaiting}`,
  isOldestSegment: ({ segments }, event: Of<'EVICT'>) =>
    `segment ${event.segment}, the oldest is ${segments[0]?.number ?? 'none'}`,
  quotaWouldOverflow: ({ bounds, segments }, event: Of<'EVICT'>) =>
    `${segmentBytes(segments)} + ${event.needBytes} bytes, quota ${bounds.quotaBytes}`,
  nothingReclaimable: ({ segments, flush }, event: Of<'EVICT'>) => {
    const free = segments.filter(
      ({ number, blocks }) =>
        number !== event.segment && blocks.every(({ stream, to }) => to <= (flush?.heads[stream] ?? 0)),
    );
    return `segments that every head had passed: ${numbers(free)}`;
  },
  numbersSegmentsOnward: ({ lastSegment }, event: Of<'FLUSH_DONE'>) =>
    `segments ${numbers(event.segments)}, the last number used is ${lastSegment}`,
  continuesStreams: (context, event: Of<'FLUSH_DONE'>) =>
    perStream(context, (i) => {
      const from = Math.max(streamOf(context, i).synced, context.flush?.heads[i] ?? 0);
      return `blocks ${spans(blocksOf(event.segments, i))}, on disk to ${from}, target ${context.flush?.targets[i] ?? 'none'}`;
    }),
  reachesTargets: (context, event: Of<'FLUSH_DONE'>) =>
    perStream(context, (i) => {
      const end = blocksOf(event.segments, i).reduce(
        (to, block) => Math.max(to, block.to),
        syncedMark(streamOf(context, i)),
      );
      return `reaches ${end} of ${context.flush?.targets[i] ?? 0}`;
    }),
  headsAdvance: (context, event: Of<'FLUSH_DONE' | 'CHECKPOINT'>) =>
    perStream(context, (i) => {
      const { durableHead, head } = streamOf(context, i);
      return `durable head ${event.heads[i] ?? 'missing'}, allowed ${durableHead} to ${head}`;
    }),
  headsSinceStart: ({ flush }, event: Of<'FLUSH_DONE'>) =>
    `durable heads ${heads(event.heads)}, at its start ${flush === null ? 'none' : heads(flush.heads)}`,
  holdsNothing: (context, event: Of<'REMOVE_SEGMENT'>) => {
    const segment = context.segments.find(({ number }) => number === event.segment);
    if (segment === undefined) return `there is no segment ${event.segment}`;
    const dead = isDead(context, segment, durableHeads(context));
    return `segment ${event.segment} holds ${ranges(segment.blocks)}, durable heads ${heads(durableHeads(context))}${dead ? '' : ': still needed'}`;
  },
  liesOnDisk: (context, event: Of<'DAMAGE'>) => {
    const of = streamOf(context, event.stream);
    return `[${event.from}, ${event.to}), on disk [${of.head}, ${syncedMark(of)}) in ${spans(blocksOf(context.segments, event.stream))}`;
  },
  namesUnsaved: (context, event: Of<'CLOSED'>) =>
    `unsaved ${event.unsaved}, in RAM only ${context.streams.reduce((sum, stream) => sum + unsyncedOf(stream), 0)}`,
  headsAreDurable: (context, event: Of<'CLOSED'>) =>
    event.checkpointed
      ? perStream(context, (i) => `head ${streamOf(context, i).head}, durable ${streamOf(context, i).durableHead}`)
      : 'no checkpoint is claimed',
} satisfies Record<GuardName, Words>;

/** @param name of a guard that is written for events of this type. */
export const guardValues = (name: string, context: Context, event: ModelEvent): string =>
  (GUARD_VALUES as Readonly<Record<string, (context: Context, event: ModelEvent) => string>>)[name]?.(context, event) ??
  '';
