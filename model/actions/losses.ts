/**
 * What an eviction and a found damage do: every lost record is entered in the ledger, and no mark is left on it.
 *
 * The accounts run before the marks move: they are reckoned from what is still retained.
 */
import { on } from '../on.ts';
import { oldestSector, recordsBetween, streamOf } from '../queries.ts';
import { addSpan, liveRecords, passHoles } from '../spans.ts';
import type { Context, Loss, ModelEvent, StreamIndex, StreamState } from '../vocabulary.ts';
import type { Action } from './change.ts';
import { changeStream, count, enterLosses, lostRecords, mapStreams } from './change.ts';

/** How far the event evicts a stream: the end of the oldest sector, or of the segment's last block of the stream. */
function evictedUpTo(context: Context, event: ModelEvent, stream: StreamIndex): number {
  const { head } = streamOf(context, stream);
  if (event.type === 'EVICT') {
    const segment = context.segments.find(({ number }) => number === event.segment);
    const blocks = segment?.blocks.filter((block) => block.stream === stream) ?? [];
    return blocks.reduce((high, { to }) => Math.max(high, to), head);
  }
  const oldest = oldestSector(context);
  return oldest?.stream === stream ? Math.max(head, oldest.sector.first + oldest.sector.count) : head;
}

const lossesOf = (context: Context, event: ModelEvent): Loss[] =>
  context.streams.flatMap(({ holes, head }, stream) => {
    const to = evictedUpTo(context, event, stream);
    const records = liveRecords(holes, head, to);
    return records === 0 ? [] : [{ stream, from: head, to, records, reason: 'evicted' }];
  });

const enterEvicted: Action = (context, event) => enterLosses(context, lossesOf(context, event));

const countEvicted: Action = (context, event) => count(context, 'evicted', lostRecords(lossesOf(context, event)));

const tallyEvicted: Action = (context, event) => {
  const losses = lossesOf(context, event);
  return mapStreams(context, (stream, i) => {
    const records = lostRecords(losses.filter((loss) => loss.stream === i));
    return records === 0 ? stream : { ...stream, evicted: stream.evicted + records };
  });
};

/** An acknowledgement that arrives after its records were lost is accepted and changes nothing. */
const forgiveEvicted: Action = (context, event) =>
  mapStreams(context, (stream, i) => {
    const to = Math.min(stream.read, evictedUpTo(context, event, i));
    const pending = liveRecords(stream.holes, stream.head, to);
    return pending === 0 ? stream : { ...stream, forgiven: stream.forgiven + pending };
  });

const raiseEvictedMarks: Action = (context, event) =>
  mapStreams(context, (stream, i) => {
    const to = evictedUpTo(context, event, i);
    if (to === stream.head) return stream;
    const head = passHoles(stream.holes, to);
    return { ...stream, head, read: Math.max(head, stream.read) };
  });

/** The eviction is durable before the segment is gone, so a crash cannot ask for its records again. */
const persistEvictedHeads = on(['EVICT'], (context, event) =>
  mapStreams(context, (stream, i) => {
    const blocks = context.segments
      .filter(({ number }) => number === event.segment)
      .flatMap((segment) => segment.blocks.filter((block) => block.stream === i));
    const durableHead = blocks.reduce((high, { to }) => Math.max(high, to), stream.durableHead);
    return durableHead === stream.durableHead ? stream : { ...stream, durableHead };
  }),
);

const countSegmentEvicted: Action = (context) => count(context, 'segmentsEvicted', 1);

const newInHole = ({ holes }: StreamState, from: number, to: number): number => liveRecords(holes, from, to);

const enterDamaged = on(['DAMAGE'], (context, { stream, from, to }) => {
  const records = newInHole(streamOf(context, stream), from, to);
  return enterLosses(context, records === 0 ? [] : [{ stream, from, to, records, reason: 'damaged' }]);
});

const countDamaged = on(['DAMAGE'], (context, { stream, from, to }) =>
  count(context, 'damaged', newInHole(streamOf(context, stream), from, to)),
);

const tallyDamaged = on(['DAMAGE'], (context, { stream, from, to }) => {
  const of = streamOf(context, stream);
  return changeStream(context, stream, { damaged: of.damaged + newInHole(of, from, to) });
});

const forgiveDamaged = on(['DAMAGE'], (context, { stream, from, to }) => {
  const of = streamOf(context, stream);
  return changeStream(context, stream, { forgiven: of.forgiven + newInHole(of, from, Math.min(to, of.read)) });
});

const openHole = on(['DAMAGE'], (context, { stream, from, to }) =>
  changeStream(context, stream, { holes: addSpan(streamOf(context, stream).holes, { from, to }) }),
);

const dropDamagedRecords = on(['DAMAGE'], (context, { stream, from, to }) => {
  const { records } = streamOf(context, stream);
  const lost = recordsBetween(records, from, to);
  return changeStream(context, stream, { records: records.filter((record) => !lost.includes(record)) });
});

/** A mark never rests on a hole. */
const passHolesWithMarks = on(['DAMAGE'], (context, { stream }) => {
  const { holes, head, read } = streamOf(context, stream);
  return changeStream(context, stream, { head: passHoles(holes, head), read: passHoles(holes, read) });
});

export const lossActions = {
  enterEvicted,
  countEvicted,
  tallyEvicted,
  forgiveEvicted,
  raiseEvictedMarks,
  persistEvictedHeads,
  countSegmentEvicted,
  enterDamaged,
  countDamaged,
  tallyDamaged,
  forgiveDamaged,
  openHole,
  dropDamagedRecords,
  passHolesWithMarks,
} satisfies Record<string, Action>;
