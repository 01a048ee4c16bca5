/**
 * What could happen next, as a person is offered it: for each event of the model, one or a few choices of its payload
 * that make sense in this state, and for one that the model refuses, why.
 *
 * Whether an event is taken is always the machine's word; this file only chooses payloads. Crash points are whole little
 * stories: power fails at an I/O step, the store is opened again, recovery finds what that step allows.
 */
import { layOut } from '../../../model/candidates-flush.ts';
import {
  durableHeads,
  isDead,
  pendingOf,
  placeOnGrid,
  retainedOf,
  survivorAcknowledged,
  unsyncedOf,
} from '../../../model/queries.ts';
import type { Scope } from '../../../model/scope.ts';
import { LINUX_SCOPE } from '../../../model/scope.ts';
import type { ModelState } from '../../../model/step.ts';
import { can, step } from '../../../model/step.ts';
import { pathOf } from '../../../model/transitions.ts';
import type {
  Context,
  EventType,
  ModelEvent,
  Range,
  Segment,
  StreamState,
  Survivor,
} from '../../../model/vocabulary.ts';
import { syncedMark } from '../../../model/vocabulary.ts';
import { guardNamed, waysOf } from './frames.ts';
import { guardValues } from './guard-values.ts';

export interface Offer {
  readonly event: ModelEvent;
  readonly label: string;
  readonly enabled: boolean;
  /** Why not: the guards that say no, with their values, or that no state around takes it. Empty when enabled. */
  readonly refusal: string;
}

/** Power fails here, and this is what is found afterwards. */
export interface CrashPoint {
  readonly label: string;
  readonly events: readonly ModelEvent[];
}

const LAYOUT: Scope = { ...LINUX_SCOPE, recordsPerBlock: 64, blocksPerSegment: 8 };
/** What a file system gives out at least, where the scope counts bytes and not segments. */
const ALLOCATION_BYTES = 4_096;
const RECORD_BYTES = 12;

function weighed({ bounds }: Context, segments: readonly Segment[]): Segment[] {
  if (bounds.segmentBytesMax < ALLOCATION_BYTES) return [...segments];
  return segments.map((segment) => {
    const records = segment.blocks.reduce((sum, { from, to }) => sum + to - from, 0);
    return { ...segment, bytes: ALLOCATION_BYTES * Math.ceil((records * RECORD_BYTES + 1) / ALLOCATION_BYTES) };
  });
}

/** The segments that the running flush would write. */
function flushSegments(context: Context): Segment[] {
  const { streams, flush } = context;
  const from = (i: number, stream: StreamState): number => Math.max(syncedMark(stream), flush?.heads[i] ?? 0);
  return weighed(
    context,
    layOut(context, LAYOUT, (i) => ({ from: from(i, streams[i] as StreamState), to: flush?.targets[i] ?? 0 })),
  );
}

/** A survivor whose head is the stream's own or, if that went further than what is left, where that ends. */
function survivorOf(context: Context, stream: StreamState, appended: number): Survivor {
  if (!context.bounds.disk) return { appended: 0, head: 0, discarded: 0, evicted: 0 };
  const head = Math.max(stream.durableHead, Math.min(stream.head, appended));
  const open = { appended, head, discarded: 0, evicted: stream.evicted };
  const taken = survivorAcknowledged(stream, open, stream.holes);
  return { ...open, discarded: Math.max(0, taken - stream.acknowledged) };
}

function recovered(context: Context, appended: readonly number[], salvaged: readonly Segment[]): ModelEvent {
  const { bounds, storeId, epoch } = context;
  const keeps = bounds.disk && storeId !== 0;
  return {
    type: 'RECOVERED',
    storeId: keeps ? storeId : storeId + 1,
    epoch: (keeps ? epoch : 0) + 1,
    streams: context.streams.map((stream, i) => survivorOf(context, stream, appended[i] ?? 0)),
    damaged: [],
    segments: bounds.disk ? [...context.segments, ...salvaged] : [],
  };
}

const onDisk = ({ streams }: Context): number[] => streams.map((stream) => Math.max(stream.synced, stream.durableHead));

/** Everything that had been appended, as if a flush had been cut off just before its commit. */
function salvageAll(context: Context): ModelEvent {
  const ends = context.streams.map(({ appended }) => appended);
  const kept = onDisk(context);
  const salvaged = layOut(context, LAYOUT, (i) => ({
    from: Math.max(kept[i] ?? 0, context.streams[i]?.head ?? 0),
    to: ends[i] ?? 0,
  }));
  return recovered(context, ends, weighed(context, salvaged));
}

function appendOffer(context: Context, stream: number): ModelEvent {
  const { appended, lastTimeMs } = context.streams[stream] as StreamState;
  const { periodMs, kind } = context.bounds.streams[stream] as Context['bounds']['streams'][number];
  const timeMs = lastTimeMs === null ? 1_000_000 + appended * (kind === 'tsd' ? periodMs : 10) : lastTimeMs + periodMs;
  const { recordedMs } = placeOnGrid(context.bounds.streams[stream] as never, lastTimeMs, timeMs);
  return { type: 'APPEND', stream, valueBits: (1_000 * stream + appended) >>> 0, timeMs: recordedMs };
}

function streamOffers(context: Context, stream: number): [ModelEvent, string][] {
  const of = context.streams[stream] as StreamState;
  const pending = pendingOf(of) + of.forgiven;
  const retained = retainedOf(of);
  const block = context.segments
    .flatMap(({ blocks }) => blocks)
    .find((each: Range) => each.stream === stream && each.to > of.head);
  const from = Math.max(block?.from ?? syncedMark(of), of.head);
  const several = (n: number): boolean => n > 1;
  return [
    [appendOffer(context, stream), `append to stream ${stream}`],
    [{ type: 'READ', stream, max: 1 }, `read 1 of stream ${stream}`],
    ...(several(of.appended - of.read)
      ? [[{ type: 'READ', stream, max: of.appended }, `read all of stream ${stream}`] as [ModelEvent, string]]
      : []),
    [{ type: 'ACKNOWLEDGE', stream, n: 1 }, `acknowledge 1 of stream ${stream}`],
    ...(several(pending)
      ? [
          [{ type: 'ACKNOWLEDGE', stream, n: pending }, `acknowledge ${pending} of stream ${stream}`] as [
            ModelEvent,
            string,
          ],
        ]
      : []),
    [{ type: 'REVERT', stream }, `revert stream ${stream}`],
    [{ type: 'DISCARD', stream, n: 1 }, `discard 1 of stream ${stream}`],
    ...(several(retained)
      ? [[{ type: 'DISCARD', stream, n: retained }, `discard ${retained} of stream ${stream}`] as [ModelEvent, string]]
      : []),
    [{ type: 'DAMAGE', stream, from, to: block?.to ?? from + 1 }, `damage a block of stream ${stream}`],
  ];
}

function storeOffers(context: Context): [ModelEvent, string][] {
  const heads = context.streams.map(({ head }) => head);
  const { segments, bounds } = context;
  const dead = segments.find((segment) => isDead(context, segment, durableHeads(context))) ?? segments[0];
  const oldest = segments[0]?.number ?? 0;
  const unsaved = context.streams.reduce((sum, stream) => sum + unsyncedOf(stream), 0);
  const writes = flushSegments(context);
  const needBytes =
    writes.reduce((sum, { bytes }) => sum + bytes, 0) || Math.min(ALLOCATION_BYTES, bounds.segmentBytesMax);
  return [
    [{ type: 'OPEN' }, 'open'],
    [{ type: 'READ_OLDEST', max: 3 }, 'read the oldest 3 of the store'],
    [salvageAll(context), 'recovered: everything came through'],
    [recovered(context, onDisk(context), []), 'recovered: only what was synced'],
    [{ type: 'RECOVERY_CRASHED' }, 'crash inside recovery'],
    [{ type: 'OPEN_FAILED' }, 'open fails'],
    [{ type: 'FLUSH' }, 'flush() is called'],
    [{ type: 'FLUSH_STARTED', emergency: false }, 'flush starts'],
    [{ type: 'FLUSH_STARTED', emergency: true }, 'emergency flush starts'],
    [{ type: 'FLUSH_DONE', segments: writes, heads }, 'flush done'],
    [{ type: 'FLUSH_FAILED' }, 'flush fails'],
    [{ type: 'RETRY_DUE' }, 'the retry is due'],
    [{ type: 'EVICT', segment: oldest, needBytes }, `evict segment ${oldest}`],
    [{ type: 'CHECKPOINT', heads }, 'checkpoint'],
    [{ type: 'REMOVE_SEGMENT', segment: dead?.number ?? 0 }, `remove segment ${dead?.number ?? 0}`],
    [{ type: 'CLOSE' }, 'close'],
    [{ type: 'CLOSED', unsaved, checkpointed: true }, 'closed, with a checkpoint'],
    [{ type: 'CLOSED', unsaved, checkpointed: false }, 'closed, without a checkpoint'],
    [{ type: 'CRASH' }, 'crash'],
  ];
}

/** Why the machine refuses the event in this state, in one line; empty when it takes it. */
export function refusalOf(state: ModelState, event: ModelEvent): string {
  if (can(state, event)) return '';
  const path = pathOf(state.value);
  const ways = waysOf(path, event.type);
  if (ways.length === 0) return `no transition: ${path} does not take ${event.type}`;
  const no = ways.flatMap(({ guards }) => guards.filter((name) => !guardNamed(name)(state.context, event)));
  return no.map((name) => `${name} says no: ${guardValues(name, state.context, event)}`).join('; ');
}

/** Every event that is offered in the state, taken or not, those of the store first. */
export function offersIn(state: ModelState): Offer[] {
  const { context } = state;
  const all = [...storeOffers(context), ...context.streams.flatMap((_, stream) => streamOffers(context, stream))];
  return all.map(([event, label]) => {
    const refusal = refusalOf(state, event);
    return { event, label, enabled: refusal === '', refusal };
  });
}

export const eventTypesOf = (offers: readonly Offer[]): Set<EventType> =>
  new Set(offers.map(({ event }) => event.type));

/** What a cut at each I/O step of the running flush leaves, and the two ends of what a cut now may leave. */
export function crashPointsIn(state: ModelState): CrashPoint[] {
  if (!can(state, { type: 'CRASH' })) return [];
  const { context } = state;
  const recovering = step(step(state, { type: 'CRASH' }), { type: 'OPEN' });
  const story = (label: string, found: ModelEvent, before: readonly ModelEvent[] = []): CrashPoint[] => {
    const from = before.reduce((at, event) => step(at, event), state);
    const at = before.length === 0 ? recovering : step(step(from, { type: 'CRASH' }), { type: 'OPEN' });
    return can(at, found) ? [{ label, events: [...before, { type: 'CRASH' }, { type: 'OPEN' }, found] }] : [];
  };
  const points = story('now, nothing is left of what is not durable', recovered(context, onDisk(context), []));
  if (context.flush === null) return [...points, ...story('now, everything is left', salvageAll(context))];
  const segments = flushSegments(context);
  const heads = context.streams.map(({ head }) => head);
  const ends = onDisk(context);
  for (const [index, segment] of segments.entries()) {
    const nth = `segment ${index + 1} of ${segments.length}`;
    points.push(...story(`write ${nth}: torn`, recovered(context, [...ends], segments.slice(0, index))));
    for (const { stream, to } of segment.blocks) ends[stream] = Math.max(ends[stream] ?? 0, to);
    points.push(...story(`sync ${nth}: done`, recovered(context, [...ends], segments.slice(0, index + 1))));
  }
  const done: ModelEvent = { type: 'FLUSH_DONE', segments, heads };
  if (!can(state, done)) return points;
  const after = step(state, done).context;
  return [...points, ...story('commit: written and synced', recovered(after, onDisk(after), []), [done])];
}
