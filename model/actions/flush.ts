/** What a flush, a checkpoint and the removal of segments do (contract section 5). */
import { on } from '../on.ts';
import { blocksOf, heads } from '../queries.ts';
import type { Action } from './change.ts';
import { count, mapStreams } from './change.ts';

const requestFlush: Action = () => ({ flushRequested: true });

const startFlush = on(['FLUSH_STARTED'], (context, { emergency }) => ({
  flush: { targets: context.streams.map(({ appended }) => appended), heads: heads(context), emergency },
}));

const clearRequest: Action = () => ({ flushRequested: false });

const clearRetry: Action = () => ({ retryWaiting: false });

const addSegments = on(['FLUSH_DONE'], ({ segments }, event) => ({ segments: [...segments, ...event.segments] }));

const noteLastSegment = on(['RECOVERED', 'FLUSH_DONE'], ({ lastSegment }, { segments }) => ({
  lastSegment: segments.reduce((last, { number }) => Math.max(last, number), lastSegment),
}));

const commitSynced = on(['FLUSH_DONE'], (context, { segments }) =>
  mapStreams(context, (stream, i) => {
    const synced = blocksOf(segments, i).reduce((to, block) => Math.max(to, block.to), stream.synced);
    return synced === stream.synced ? stream : { ...stream, synced };
  }),
);

const persistHeads = on(['FLUSH_DONE', 'CHECKPOINT'], (context, event) =>
  mapStreams(context, (stream, i) => {
    const durableHead = event.heads[i] ?? stream.durableHead;
    return durableHead === stream.durableHead ? stream : { ...stream, durableHead };
  }),
);

const endFlush: Action = () => ({ flush: null });

const waitForRetry: Action = () => ({ retryWaiting: true });

const countFlush: Action = (context) => count(context, 'flushes', 1);

const countFlushFailure: Action = (context) => count(context, 'flushFailures', 1);

const countSegmentsWritten = on(['FLUSH_DONE'], (context, { segments }) =>
  count(context, 'segmentsWritten', segments.length),
);

const countCheckpoint: Action = (context) => count(context, 'checkpoints', 1);

const dropSegment = on(['EVICT', 'REMOVE_SEGMENT'], ({ segments }, event) => ({
  segments: segments.filter(({ number }) => number !== event.segment),
}));

const countSegmentRemoved: Action = (context) => count(context, 'segmentsRemoved', 1);

export const flushActions = {
  requestFlush,
  startFlush,
  clearRequest,
  clearRetry,
  addSegments,
  noteLastSegment,
  commitSynced,
  persistHeads,
  endFlush,
  waitForRetry,
  countFlush,
  countFlushFailure,
  countSegmentsWritten,
  countCheckpoint,
  dropSegment,
  countSegmentRemoved,
} satisfies Record<string, Action>;
