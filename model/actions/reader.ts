/** What the reader's and the owner's operations do to the marks, and how space becomes free behind the head. */
import { on } from '../on.ts';
import { keptFrom, oldestUnread, pendingOf, recordsBetween, streamOf, unreadOf } from '../queries.ts';
import { advance, cutSpans, passHoles } from '../spans.ts';
import { syncedMark } from '../vocabulary.ts';
import type { Action } from './change.ts';
import { changeStream, count, mapStreams } from './change.ts';

const countRead = on(['READ'], (context, { stream, max }) =>
  count(context, 'read', Math.min(max, unreadOf(streamOf(context, stream)))),
);

const raiseRead = on(['READ'], (context, { stream, max }) => {
  const of = streamOf(context, stream);
  return changeStream(context, stream, { read: advance(of.holes, of.read, Math.min(max, unreadOf(of))) });
});

const countReadOldest = on(['READ_OLDEST'], (context, { max, order }) =>
  count(
    context,
    'read',
    oldestUnread(context, max, order).reduce((sum, { from, to }) => sum + to - from, 0),
  ),
);

/** All marks move in one instant; each stands behind the hole that follows its last record. */
const raiseReads = on(['READ_OLDEST'], (context, { max, order }) => {
  const runs = oldestUnread(context, max, order);
  return mapStreams(context, (stream, index) => {
    const end = runs.findLast((run) => run.stream === index)?.to;
    return end === undefined ? stream : { ...stream, read: passHoles(stream.holes, end) };
  });
});

/** Of the `n` that an acknowledgement names, those that were lost while pending come first and change nothing. */
const namedAlive = (n: number, forgiven: number): number => n - Math.min(n, forgiven);

const countAcknowledged = on(['ACKNOWLEDGE'], (context, { stream, n }) =>
  count(context, 'acknowledged', namedAlive(n, streamOf(context, stream).forgiven)),
);

const tallyAcknowledged = on(['ACKNOWLEDGE'], (context, { stream, n }) => {
  const { acknowledged, forgiven } = streamOf(context, stream);
  return changeStream(context, stream, { acknowledged: acknowledged + namedAlive(n, forgiven) });
});

const raiseHeadByAcknowledge = on(['ACKNOWLEDGE'], (context, { stream, n }) => {
  const { holes, head, forgiven } = streamOf(context, stream);
  return changeStream(context, stream, { head: advance(holes, head, namedAlive(n, forgiven)) });
});

const useForgiven = on(['ACKNOWLEDGE'], (context, { stream, n }) => {
  const { forgiven } = streamOf(context, stream);
  return changeStream(context, stream, { forgiven: forgiven - Math.min(n, forgiven) });
});

const countReverted = on(['REVERT'], (context, { stream }) =>
  count(context, 'reverted', pendingOf(streamOf(context, stream))),
);

const lowerRead = on(['REVERT'], (context, { stream }) =>
  changeStream(context, stream, { read: streamOf(context, stream).head }),
);

/** After a nack nothing is pending, so nothing lost can be named any more. */
const dropForgiven = on(['REVERT'], (context, { stream }) => changeStream(context, stream, { forgiven: 0 }));

const countDiscarded = on(['DISCARD'], (context, { n }) => count(context, 'discarded', n));

const tallyDiscarded = on(['DISCARD'], (context, { stream, n }) =>
  changeStream(context, stream, { discarded: streamOf(context, stream).discarded + n }),
);

const raiseHeadByDiscard = on(['DISCARD'], (context, { stream, n }) => {
  const { holes, head } = streamOf(context, stream);
  return changeStream(context, stream, { head: advance(holes, head, n) });
});

/** Read never stands below head. */
const pullReadUp = on(['DISCARD'], (context, { stream }) => {
  const { head, read } = streamOf(context, stream);
  return changeStream(context, stream, { read: Math.max(head, read) });
});

/** A sector leaves its chain at once when it holds no record at or above max(head, synced); also the open one. */
const unlinkDeadSectors: Action = (context) =>
  mapStreams(context, (stream) => {
    const ramFrom = syncedMark(stream);
    const sectors = stream.sectors.filter(({ first, count: records }) => first + records > ramFrom);
    return sectors.length === stream.sectors.length ? stream : { ...stream, sectors };
  });

/** Runs before they are unlinked: a sector is never nobody's. */
const freeDeadSectors: Action = (context) => {
  let { free } = context;
  for (const stream of context.streams) {
    const ramFrom = syncedMark(stream);
    for (const { first, count: records } of stream.sectors) if (first + records <= ramFrom) free++;
  }
  return { free };
};

/** Records, offers and holes that not even a crash can bring back are forgotten. */
const forgetGone: Action = (context) =>
  mapStreams(context, (stream) => {
    const from = keptFrom(context, stream);
    const records = recordsBetween(stream.records, from, stream.appended);
    const offered = recordsBetween(stream.offered, from, stream.appended);
    const holes = cutSpans(stream.holes, from);
    const same = records === stream.records && offered === stream.offered && holes === stream.holes;
    return same ? stream : { ...stream, records, offered, holes };
  });

export const readerActions = {
  countRead,
  raiseRead,
  countReadOldest,
  raiseReads,
  countAcknowledged,
  tallyAcknowledged,
  raiseHeadByAcknowledge,
  useForgiven,
  countReverted,
  lowerRead,
  dropForgiven,
  countDiscarded,
  tallyDiscarded,
  raiseHeadByDiscard,
  pullReadUp,
  freeDeadSectors,
  unlinkDeadSectors,
  forgetGone,
} satisfies Record<string, Action>;
