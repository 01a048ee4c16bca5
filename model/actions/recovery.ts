/** What opening, closing and a crash do to the state (contract sections 5 and 7). */
import { on } from '../on.ts';
import { flushWouldHelp, holesAfter, newlyDamaged, survivorAcknowledged } from '../queries.ts';
import { liveRecords, passHoles, spanRecords } from '../spans.ts';
import type { StreamIndex, Survivor } from '../vocabulary.ts';
import { ZERO_COUNTERS } from '../vocabulary.ts';
import type { Action } from './change.ts';
import { enterLosses, mapStreams, NOTHING } from './change.ts';

const NO_SURVIVOR: Survivor = { appended: 0, head: 0, discarded: 0, evicted: 0 };

const survivorOf = (streams: readonly Survivor[], index: StreamIndex): Survivor => streams[index] ?? NO_SURVIVOR;

const countAttempt: Action = ({ attempts }) => ({ attempts: attempts + 1 });

const forgetAttempts: Action = () => ({ attempts: 0 });

const takeStoreId = on(['RECOVERED'], (_, { storeId }) => ({ storeId }));

const takeEpoch = on(['RECOVERED'], (_, { epoch }) => ({ epoch }));

/** The accounts go before the holes and the marks: they are reckoned from what was known. */
const recoverCounts = on(['RECOVERED'], (context, event) =>
  mapStreams(context, (stream, i) => {
    if (!context.bounds.disk) return { ...stream, acknowledged: 0, discarded: 0, evicted: 0, damaged: 0 };
    const survivor = survivorOf(event.streams, i);
    const holes = holesAfter(stream.holes, event.damaged, i);
    return {
      ...stream,
      acknowledged: survivorAcknowledged(stream, survivor, holes),
      discarded: survivor.discarded,
      evicted: survivor.evicted,
      damaged: stream.damaged + newlyDamaged(stream.holes, holes),
    };
  }),
);

const enterRecoveredDamage = on(['RECOVERED'], (context, { damaged }) =>
  enterLosses(
    context,
    damaged.map((range) => ({ ...range, records: spanRecords([range]), reason: 'damaged' as const })),
  ),
);

const recoverHoles = on(['RECOVERED'], (context, event) =>
  mapStreams(context, (stream, i) => ({
    ...stream,
    holes: context.bounds.disk ? holesAfter(stream.holes, event.damaged, i) : [],
  })),
);

const recoverHeads = on(['RECOVERED'], (context, event) =>
  mapStreams(context, (stream, i) => {
    const head = passHoles(stream.holes, survivorOf(event.streams, i).head);
    return { ...stream, head, durableHead: head };
  }),
);

const recoverReads = on(['RECOVERED'], (context) =>
  mapStreams(context, (stream) => ({ ...stream, read: stream.head })),
);

/** Everything that survived is on disk. */
const recoverAppended = on(['RECOVERED'], (context, event) =>
  mapStreams(context, (stream, i) => {
    const { appended } = survivorOf(event.streams, i);
    return { ...stream, appended, synced: appended };
  }),
);

const dropRecordsFoundDamaged = on(['RECOVERED'], (context) =>
  mapStreams(context, (stream) => ({
    ...stream,
    records: stream.records.filter(({ sequence }) => liveRecords(stream.holes, sequence, sequence + 1) === 1),
  })),
);

const takeSegments = on(['RECOVERED'], (_, { segments }) => ({ segments }));

const zeroCounters: Action = () => ({ counters: ZERO_COUNTERS });

/** A crash, and a close, empty the pool. */
const emptyPool: Action = (context) => ({
  free: context.bounds.sectors,
  ...mapStreams(context, (stream) => (stream.sectors.length === 0 ? stream : { ...stream, sectors: [] })),
});

/** The grid is known since open only. */
const forgetGrid: Action = (context) =>
  mapStreams(context, (stream) => (stream.lastTimeMs === null ? stream : { ...stream, lastTimeMs: null }));

/** What was pending before it stopped is nobody's to acknowledge afterwards. */
const forgetForgiven: Action = (context) =>
  mapStreams(context, (stream) => (stream.forgiven === 0 ? stream : { ...stream, forgiven: 0 }));

const forgetFlush: Action = () => ({ flush: null });

const forgetRequests: Action = () => ({ flushRequested: false, retryWaiting: false });

/** close() saves what is in RAM. */
const askFlushToClose: Action = (context) => (flushWouldHelp(context) ? { flushRequested: true } : NOTHING);

export const recoveryActions = {
  countAttempt,
  forgetAttempts,
  takeStoreId,
  takeEpoch,
  recoverCounts,
  enterRecoveredDamage,
  recoverHoles,
  recoverHeads,
  recoverReads,
  recoverAppended,
  dropRecordsFoundDamaged,
  takeSegments,
  zeroCounters,
  emptyPool,
  forgetGrid,
  forgetForgiven,
  forgetFlush,
  forgetRequests,
  askFlushToClose,
} satisfies Record<string, Action>;
