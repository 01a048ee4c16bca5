/**
 * inspect(), stats() and ledger(): marks, placement and figures as plain data. They change nothing and share nothing
 * with the engine, so a checker can keep what it got. For a checker and an operator, not for a hot path.
 */
import { LOSS_REASONS } from './ledger.ts';
import { SHAPE_EVT, shapeType } from './sector-pool.ts';
import type { DiskSide, StoreState } from './store-state.ts';
import type { Ledger, SectorInspection, SegmentInspection, Stats, StoreInspection, StreamInspection } from './types.ts';
import { SOURCES, VALUE_TYPES } from './types.ts';

export function inspectStore(state: StoreState): StoreInspection {
  const { pool, settings, disk } = state;
  const streams: StreamInspection[] = [];
  for (let slot = 0; slot < pool.streams; slot++) streams.push(inspectStream(state, slot));
  return {
    storeId: state.storeIdHex,
    epoch: state.epoch,
    lifecycle: state.lifecycle,
    flushRequested: state.flushRequested,
    flushRunning: state.flushRunning,
    retryWaiting: state.retryWaiting,
    pool: {
      sectorBytes: pool.sectorBytes,
      sectors: pool.sectors,
      used: pool.used,
      flushAtSectors: state.flushAtSectors,
      free: pool.freeList(),
    },
    streams,
    segments: disk === null ? [] : inspectSegments(state, disk),
    diskBytes: state.diskBytes(),
    quotaBytes: settings.quotaBytes,
  };
}

/** One stream of it. */
export function inspectStream(state: StoreState, slot: number): StreamInspection {
  const { pool, disk } = state;
  const shape = pool.shape[slot] as number;
  const sectors: SectorInspection[] = [];
  for (let sector = pool.first[slot] as number; sector !== pool.none; sector = pool.next[sector] as number) {
    sectors.push({
      sector,
      first: pool.firstSequence[sector] as number,
      count: pool.endOf(sector) - (pool.firstSequence[sector] as number),
    });
    // A chain that leads back into itself is shown, not followed for ever (INV-04 is checked from outside).
    if (sectors.length > pool.sectors) break;
  }
  return {
    ...state.key(slot),
    kind: (shape & SHAPE_EVT) !== 0 ? 'evt' : 'tsd',
    type: VALUE_TYPES[shapeType(shape) as 0 | 1 | 2],
    periodMs: pool.periodMs[slot] as number,
    priority: pool.priority[slot] as number,
    head: pool.head[slot] as number,
    read: pool.read[slot] as number,
    synced: state.syncedTo(slot),
    appended: pool.appended[slot] as number,
    acknowledged: state.acknowledged(slot),
    discarded: pool.discarded[slot] as number,
    evicted: pool.evicted[slot] as number,
    damaged: state.damagedRecords(slot),
    holes: disk === null ? [] : disk.index.holes(slot).map(([from, to]) => [from, to] as const),
    durableHead: disk === null ? 0 : (disk.durableHead[slot] as number),
    sectors,
  };
}

function inspectSegments(state: StoreState, disk: DiskSide): SegmentInspection[] {
  const segments: SegmentInspection[] = [];
  for (const segment of disk.index.segments.values()) {
    const blocks: { sensor: number; from: number; to: number }[] = [];
    segment.slots.forEach((slot, i) => {
      const from = segment.first[i] as number;
      blocks.push({
        sensor: state.pool.sensor[slot] as number,
        from,
        to: from + (segment.records[i] as number),
      });
    });
    segments.push({
      number: segment.number,
      source: SOURCES[segment.source as 0 | 1 | 2],
      flush: segment.flush,
      epoch: segment.epoch,
      bytes: segment.bytes,
      file: segment.file,
      fileBytes: segment.fileBytes,
      blocks,
    });
  }
  return segments;
}

export function statsOf(state: StoreState): Stats {
  const { pool, counters, disk, settings } = state;
  let retained = 0;
  let unread = 0;
  let pending = 0;
  let atRisk = 0;
  for (let slot = 0; slot < pool.streams; slot++) {
    retained += state.retained(slot);
    unread += state.unread(slot);
    pending += state.pending(slot);
    atRisk += (pool.appended[slot] as number) - pool.ramFrom(slot);
  }
  return {
    ...counters,
    bytesWrittenTotal: counters.bytesWritten + (disk?.bytesWrittenBefore ?? 0),
    syncsTotal: counters.syncs + (disk?.syncsBefore ?? 0),
    streams: pool.streams,
    retained,
    unread,
    pending,
    atRisk,
    poolUsedSectors: pool.used,
    poolSectors: pool.sectors,
    ramUsagePercent: (100 * pool.used) / pool.sectors,
    diskBytes: state.diskBytes(),
    quotaBytes: settings.quotaBytes,
  };
}

export function ledgerOf(state: StoreState): Ledger {
  const { ledger } = state.pool;
  const entries = Array.from({ length: ledger.length }, (_, i) => {
    const entry = ledger.at(i);
    return {
      ...state.key(ledger.slot[entry] as number),
      from: ledger.from[entry] as number,
      to: ledger.to[entry] as number,
      records: ledger.records[entry] as number,
      reason: LOSS_REASONS[ledger.reason[entry] as 0 | 1] as 'evicted' | 'damaged',
    };
  });
  return { entries, foldedRecords: ledger.foldedRecords };
}
