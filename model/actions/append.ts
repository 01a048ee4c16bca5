/** What an append does: a place on the grid, a sector, the record, and at 80 % the wish for a flush. */
import { on } from '../on.ts';
import { boundsOf, needsSector, placeOnGrid, streamOf } from '../queries.ts';
import { IDENTITY_SPANS_MAX, sectorsUsed } from '../vocabulary.ts';
import type { Action } from './change.ts';
import { changeStream, count, NOTHING } from './change.ts';

const takeFreeSector = on(['APPEND'], (context, { stream, timeMs }) =>
  needsSector(context, stream, timeMs) ? { free: context.free - 1 } : NOTHING,
);

const linkSector = on(['APPEND'], (context, { stream, timeMs }) => {
  if (!needsSector(context, stream, timeMs)) return NOTHING;
  const { sectors, appended } = streamOf(context, stream);
  const sector = { ordinal: context.nextOrdinal, first: appended, count: 0, kind: boundsOf(context, stream).kind };
  return { nextOrdinal: context.nextOrdinal + 1, ...changeStream(context, stream, { sectors: [...sectors, sector] }) };
});

const fillSector = on(['APPEND'], (context, { stream }) => {
  const { sectors } = streamOf(context, stream);
  const open = sectors[sectors.length - 1];
  if (open === undefined) return NOTHING;
  return changeStream(context, stream, { sectors: [...sectors.slice(0, -1), { ...open, count: open.count + 1 }] });
});

const putRecord = on(['APPEND'], (context, { stream, valueBits, timeMs }) => {
  const { records, appended, lastTimeMs } = streamOf(context, stream);
  const { recordedMs } = placeOnGrid(boundsOf(context, stream), lastTimeMs, timeMs);
  const record = { sequence: appended, epoch: context.epoch, valueBits, timeMs: recordedMs };
  return changeStream(context, stream, { records: [...records, record] });
});

/** The grid goes on from where the record was put, not from when it came. */
const advanceGrid = on(['APPEND'], (context, { stream, timeMs }) => {
  const bounds = boundsOf(context, stream);
  if (bounds.kind === 'evt') return NOTHING;
  const { recordedMs } = placeOnGrid(bounds, streamOf(context, stream).lastTimeMs, timeMs);
  return changeStream(context, stream, { lastTimeMs: recordedMs });
});

const noteOffer = on(['APPEND'], (context, { stream, valueBits, timeMs }) => {
  const { offered, appended } = streamOf(context, stream);
  const offer = { sequence: appended, epoch: context.epoch, valueBits, timeMs };
  return changeStream(context, stream, { offered: [...offered, offer] });
});

const noteIdentity = on(['APPEND'], (context, { stream }) => {
  const { identities, appended } = streamOf(context, stream);
  const { storeId, epoch } = context;
  const last = identities[identities.length - 1];
  const goesOn = last !== undefined && last.storeId === storeId && last.epoch === epoch && last.to === appended;
  const spans = goesOn
    ? [...identities.slice(0, -1), { ...last, to: appended + 1 }]
    : [...identities, { storeId, epoch, from: appended, to: appended + 1 }];
  return changeStream(context, stream, { identities: spans.slice(-IDENTITY_SPANS_MAX) });
});

const raiseAppended = on(['APPEND'], (context, { stream }) =>
  changeStream(context, stream, { appended: streamOf(context, stream).appended + 1 }),
);

const countAppended: Action = (context) => count(context, 'appended', 1);

const countRefusal: Action = (context) => count(context, 'refusedRamFull', 1);

/** Asks once: not beside a flush that runs, is asked for, or waits for its retry. */
const askFlushAtThreshold: Action = (context) => {
  const { bounds, flush, retryWaiting, flushRequested } = context;
  if (!bounds.disk || flush !== null || retryWaiting || flushRequested) return NOTHING;
  return sectorsUsed(context) >= bounds.flushAtSectors ? { flushRequested: true } : NOTHING;
};

export const appendActions = {
  takeFreeSector,
  linkSector,
  fillSector,
  putRecord,
  advanceGrid,
  noteOffer,
  noteIdentity,
  raiseAppended,
  countAppended,
  countRefusal,
  askFlushAtThreshold,
} satisfies Record<string, Action>;
