/**
 * What a recovery has evicted because its log found no space, as the model sees it. The model knows evictions in a flush
 * only, so they are stepped there, as if a flush had made them just before; and what the recovery had saved of a flush that
 * was cut off, and then gave up, is committed first.
 */
import type { ModelState } from '../model/step.ts';
import { can, stateOf, step } from '../model/step.ts';
import type { Context, ModelEvent, Range, Segment } from '../model/vocabulary.ts';
import { unannouncedEvictions } from './refinement.ts';

type Recovered = Extract<ModelEvent, { type: 'RECOVERED' }>;

/** A flush that may take what it likes. */
const flushing = (context: Context): ModelState =>
  stateOf(
    { ready: 'flushing' },
    {
      ...context,
      flush: {
        targets: context.streams.map(({ appended }) => appended),
        heads: context.streams.map(({ durableHead }) => durableHead),
        emergency: true,
      },
    },
  );

/** Records that no segment of the model holds and that were evicted all the same, one segment a stream. */
function savedAndGivenUp({ streams, bounds, lastSegment }: Context, recovered: Recovered): Segment[] {
  const segments: Segment[] = [];
  for (const [stream, { synced, durableHead, evicted }] of streams.entries()) {
    const survivor = recovered.streams[stream];
    const from = Math.max(synced, durableHead);
    if (survivor === undefined || survivor.evicted <= evicted || survivor.head <= from) continue;
    const source = bounds.streams[stream]?.source ?? 'host';
    const blocks = [{ stream, from, to: survivor.head }];
    segments.push({ number: lastSegment + 1 + segments.length, source, bytes: 0, blocks });
  }
  return segments;
}

/** What explains a recovery: the recovering state behind the evictions, and what the recovery found then. */
interface Explained {
  readonly state: ModelState;
  readonly recovered: Recovered;
}

/** Null when the model allows no evictions that lead there. */
export const evictedByRecovery = (context: Context, recovered: Recovered): Explained | null =>
  evicted(context, recovered, flushing(context)) ?? evicted(context, recovered, withDamage(context, recovered));

/** An acknowledgement that was not durable is undone where recovery found damage instead: the accounts have it as that. */
function withoutAcknowledged({ streams, ...rest }: Context, damaged: readonly Range[]): Context {
  const undone = streams.map((stream, i) => {
    let { head, acknowledged } = stream;
    for (const { stream: of, from, to } of [...damaged].sort((a, b) => b.to - a.to)) {
      if (of !== i || from >= head || head > to) continue;
      acknowledged -= head - from;
      head = from;
    }
    return { ...stream, head, acknowledged };
  });
  return { ...rest, streams: undone };
}

/** What recovery found damaged was so before it evicted anything: a segment that holds nothing else is in nobody's way. */
function withDamage(context: Context, { damaged, segments: kept }: Recovered): ModelState {
  let state = flushing(withoutAcknowledged(context, damaged));
  for (const { stream, from, to } of damaged) {
    const event: ModelEvent = { type: 'DAMAGE', stream, from, to };
    if (can(state, event)) state = step(state, event);
  }
  return withoutEmpty(state, kept);
}

/** The segments that hold nothing any more and that recovery did not keep are gone. */
function withoutEmpty(from: ModelState, kept: readonly Segment[]): ModelState {
  let state = from;
  for (const { number } of from.context.segments) {
    const event: ModelEvent = { type: 'REMOVE_SEGMENT', segment: number };
    if (!kept.some((segment) => segment.number === number) && can(state, event)) state = step(state, event);
  }
  return state;
}

function evicted(context: Context, recovered: Recovered, from: ModelState): Explained | null {
  const saved = savedAndGivenUp(context, recovered);
  const heads = context.streams.map(({ durableHead }) => durableHead);
  let state = from;
  if (saved.length > 0) {
    const done: ModelEvent = { type: 'FLUSH_DONE', segments: saved, heads };
    if (!can(state, done)) return null;
    state = flushing(step(state, done).context);
  }
  for (const event of unannouncedEvictions(state.context, recovered, Number.POSITIVE_INFINITY)) {
    // A checkpoint among them may have emptied a segment, which gives way before one that holds something.
    if (!can(state, event)) state = withoutEmpty(state, recovered.segments);
    if (!can(state, event)) return null;
    state = step(state, event);
  }
  // What was pending is nobody's to acknowledge any more, and the saved segments had no number that counts.
  const streams = state.context.streams.map((stream) => ({ ...stream, forgiven: 0 }));
  const behind = stateOf('recovering', {
    ...state.context,
    streams,
    flush: null,
    flushRequested: false,
    lastSegment: context.lastSegment,
  });
  // What was found damaged in a segment that then gave way is known already: the head has passed it.
  const damaged = recovered.damaged.filter(({ stream, to }) => to > (streams[stream]?.head ?? 0));
  const found = { ...recovered, damaged };
  return can(behind, found) ? { state: behind, recovered: found } : null;
}
