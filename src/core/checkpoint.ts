/**
 * Writes what changed to the checkpoint log: dirty marks, losses, segments that came and went. One call, one batch,
 * whole or not at all; afterwards the heads it carried cannot be taken back by a crash (INV-15, INV-17).
 *
 * Also frees, or removes, the files of segments that the log has forgotten. Never the other way round: a file goes, or is
 * written again, only when no durable log names its segment.
 */

import { FrameList } from './checkpoint-format.ts';
import {
  encodeLedger,
  encodeMarks,
  encodeSegmentAdded,
  encodeSegmentRemoved,
  encodeStore,
  encodeStream,
  encodeSynced,
} from './checkpoint-image.ts';
import { checkpointGrowthBytes } from './config.ts';
import type { LiveSegment } from './disk-index.ts';
import { allocatedBytes, segmentName } from './disk-index.ts';
import { LOSS_REASONS } from './ledger.ts';
import type { IoResult } from './port.ts';
import { SOURCE_DIRECTORIES } from './port.ts';
import type { DiskSide, StoreState } from './store-state.ts';
import { heldBytes } from './store-state.ts';
import type { StreamKey } from './types.ts';

/** What a batch carries beside dirty marks and pending losses. */
export interface CheckpointChange {
  /** Segments written and synced, to become live. */
  readonly added?: readonly LiveSegment[];
  /** By slot: the synced mark of a stream in them, or one that is logged already; 0 where there is none. */
  readonly synced?: Float64Array;
  /** Live segments that give way to new ones. Only when the batch is durable do marks pass their records. */
  readonly evicted?: readonly LiveSegment[];
  /** The store is being closed and everything is saved. */
  readonly clean?: boolean;
}

/** A stream's synced mark as the log has it when the change is durable. */
const syncedOf = ({ loggedSynced }: DiskSide, { synced }: CheckpointChange, slot: number): number =>
  Math.max(loggedSynced[slot] as number, synced?.[slot] ?? 0);

/** What an eviction will take of one stream, as reckoned when its batch was put together. */
interface Eviction {
  readonly from: number;
  readonly to: number;
  readonly records: number;
  /** Where head will stand: `to`, holes passed over. */
  readonly head: number;
}

const OK: IoResult<void> = { ok: true, value: undefined };
const EVICTED = LOSS_REASONS.indexOf('evicted');

/**
 * Logs the change; durable when it answers ok. Fully acknowledged segments go with it. After an error the marks are
 * dirty again and the log is suspect. The caller holds the write queue.
 */
export async function writeCheckpoint(state: StoreState, change: CheckpointChange = {}): Promise<IoResult<void>> {
  const disk = state.disk as DiskSide;
  const { pool } = state;
  // Everything is captured before the first await: appends and acknowledges go on meanwhile.
  // One that its owner emptied meanwhile goes with the empty ones, without a loss.
  const evicted = (change.evicted ?? []).filter((segment) => segment.liveBlocks > 0);
  const evictions = planEvictions(state, evicted);
  const empty = [...disk.index.empty];
  const forgotten = [...empty, ...evicted];
  const renew =
    disk.log.suspect || disk.renewLog || disk.log.appendedBytes > checkpointGrowthBytes(state.settings.quotaBytes);
  const dirty: number[] = [];
  for (let slot = 0; slot < pool.streams; slot++) {
    if (disk.marksDirty[slot] === 1 || evictions.has(slot)) dirty.push(slot);
  }
  const heads = dirty.map((slot) => pool.head[slot] as number);
  const streams = pool.streams;
  const losses = disk.pendingLedger;
  const list = new FrameList();
  encodeStore(list, {
    epoch: state.epoch,
    clean: change.clean ?? false,
    // Segments of a flush that is not committed yet stay beyond what the log knows, so that recovery salvages them.
    nextSegment: change.added === undefined ? Math.min(disk.nextSegment, disk.firstUncommitted) : disk.nextSegment,
    nextFlush: disk.nextFlush,
    foldedRecords: pool.ledger.foldedRecords,
    bytesWrittenTotal: disk.bytesWrittenBefore + state.counters.bytesWritten,
    syncsTotal: disk.syncsBefore + state.counters.syncs,
  });
  if (renew) encodeSnapshot(state, list, change, forgotten, evictions);
  else encodeChange(state, list, change, forgotten, dirty, evictions);
  for (const slot of dirty) disk.marksDirty[slot] = 0;
  disk.pendingLedger = [];
  const frames = list.finish();
  const written = await (renew ? disk.log.begin(frames, state.logRoomBytes()) : disk.log.append(frames));
  if (!written.ok) {
    for (const slot of dirty) disk.marksDirty[slot] = 1;
    disk.pendingLedger = [...losses, ...disk.pendingLedger];
    return written;
  }
  disk.loggedStreams = Math.max(disk.loggedStreams, streams);
  if (renew) disk.renewLog = false;
  const recovering = state.lifecycle === 'recovering';
  if (!recovering) state.counters.checkpoints++;
  const moved: (StreamKey & { head: number })[] = [];
  dirty.forEach((slot, i) => {
    const head = heads[i] as number;
    if (disk.durableHead[slot] !== head) moved.push({ ...state.key(slot), head });
    disk.durableHead[slot] = head;
  });
  if (change.synced !== undefined) {
    for (let slot = 0; slot < change.synced.length; slot++) disk.loggedSynced[slot] = syncedOf(disk, change, slot);
  }
  if (!recovering) state.emit({ type: 'checkpointed', heads: moved });
  for (const segment of empty) {
    forget(disk, segment);
    if (recovering) continue;
    state.counters.segmentsRemoved++;
    state.emit({ type: 'segmentRemoved', segment: segment.number });
  }
  let planned = 0;
  for (const { records } of evictions.values()) planned += records;
  for (const segment of evicted) planned -= evict(state, segment);
  // The owner was quicker with some of them: the ledger in the log is renewed from the one in RAM.
  if (planned > 0) disk.renewLog = true;
  await removeDoomed(state);
  return OK;
}

function forget(disk: DiskSide, segment: LiveSegment): void {
  const { number, source, file, fileBytes } = segment;
  disk.index.remove(segment);
  const isGone = disk.files.gone.delete(file);
  disk.doomed.set(file, { file, source, bytes: isGone ? 0 : fileBytes, held: number, sound: !isGone });
}

/** Reckons what the eviction of these segments takes of each stream; changes nothing. */
function planEvictions(state: StoreState, segments: readonly LiveSegment[]): Map<number, Eviction> {
  const disk = state.disk as DiskSide;
  const ends = new Map<number, number>();
  for (const { slots, first, records } of segments) {
    slots.forEach((slot, i) => ends.set(slot, (first[i] as number) + (records[i] as number)));
  }
  const evictions = new Map<number, Eviction>();
  for (const [slot, to] of ends) {
    const from = state.pool.head[slot] as number;
    if (to <= from) continue;
    const records = state.recordsBetween(slot, from, to);
    evictions.set(slot, { from, to, records, head: disk.index.passHoles(slot, to) });
  }
  return evictions;
}

/** The batch is durable: marks pass the segment's records, its file is doomed. @returns how many records went. */
function evict(state: StoreState, segment: LiveSegment): number {
  const disk = state.disk as DiskSide;
  let records = 0;
  segment.slots.forEach((slot, i) => {
    const to = (segment.first[i] as number) + (segment.records[i] as number);
    records += state.evictBelow(slot, to);
    // Not the head itself: the owner may have gone further since the batch was put together.
    disk.durableHead[slot] = Math.max(disk.durableHead[slot] as number, to);
  });
  forget(disk, segment);
  state.emit({ type: 'segmentEvicted', segment: segment.number, records });
  return records;
}

/** True when a checkpoint would say something that the log does not say yet. */
export function checkpointDue(state: StoreState): boolean {
  const disk = state.disk as DiskSide;
  return (
    disk.index.empty.size > 0 ||
    disk.pendingLedger.length > 0 ||
    disk.loggedStreams < state.pool.streams ||
    disk.marksDirty.subarray(0, state.pool.streams).includes(1)
  );
}

/**
 * Files whose segments no durable log names become free, as many as are kept; the others are removed. One that cannot be
 * removed now is tried again with the next batch.
 */
export async function removeDoomed(state: StoreState): Promise<void> {
  const disk = state.disk as DiskSide;
  if (disk.log.suspect) return;
  const limit = state.segmentQuotaBytes() - disk.setAsideBytes;
  let held = heldBytes(disk);
  for (const doomed of [...disk.doomed.values()]) {
    const { file, source, bytes, sound } = doomed;
    const otherBytes = held - disk.files.freeBytes - allocatedBytes(bytes);
    if (sound && held <= limit && disk.files.keeps(bytes, otherBytes)) {
      // What is held stays the same.
      disk.doomed.delete(file);
      disk.files.put(doomed);
      continue;
    }
    const removed = await disk.port.remove(SOURCE_DIRECTORIES[source as 0 | 1 | 2], segmentName(file));
    if (removed.ok) disk.doomed.delete(file);
    held = heldBytes(disk);
  }
}

function encodeSlotMarks(
  state: StoreState,
  list: FrameList,
  slot: number,
  synced: number,
  eviction: Eviction | undefined,
): void {
  const disk = state.disk as DiskSide;
  const { pool } = state;
  encodeMarks(list, {
    slot,
    head: eviction?.head ?? (pool.head[slot] as number),
    synced,
    discarded: pool.discarded[slot] as number,
    evicted: (pool.evicted[slot] as number) + (eviction?.records ?? 0),
    damaged: disk.damaged[slot] as number,
    holes: disk.index.holes(slot),
  });
}

function encodeEvictions(list: FrameList, evictions: ReadonlyMap<number, Eviction>): void {
  for (const [slot, { from, to, records }] of evictions) {
    if (records > 0) encodeLedger(list, { slot, from, to, records, reason: EVICTED });
  }
}

function encodeStreamOf(state: StoreState, list: FrameList, slot: number): void {
  const { pool } = state;
  encodeStream(list, {
    slot,
    shape: pool.shape[slot] as number,
    sensor: pool.sensor[slot] as number,
    periodMs: pool.periodMs[slot] as number,
    priority: pool.priority[slot] as number,
  });
}

function encodeChange(
  state: StoreState,
  list: FrameList,
  change: CheckpointChange,
  forgotten: readonly LiveSegment[],
  dirty: readonly number[],
  evictions: ReadonlyMap<number, Eviction>,
): void {
  const disk = state.disk as DiskSide;
  for (let slot = disk.loggedStreams; slot < state.pool.streams; slot++) encodeStreamOf(state, list, slot);
  for (const slot of dirty) {
    encodeSlotMarks(state, list, slot, disk.loggedSynced[slot] as number, evictions.get(slot));
  }
  for (const loss of disk.pendingLedger) encodeLedger(list, loss);
  encodeEvictions(list, evictions);
  for (const segment of change.added ?? []) encodeSegment(list, segment);
  for (const segment of forgotten) encodeSegmentRemoved(list, segment.number);
  encodeGone(disk, list, disk.doomed.values());
  if (change.synced === undefined) return;
  encodeSynced(
    list,
    change.synced.map((_, slot) => syncedOf(disk, change, slot) - (disk.loggedSynced[slot] as number)),
  );
}

const encodeSegment = (list: FrameList, { source, number, file }: LiveSegment): void =>
  encodeSegmentAdded(list, source, number, file);

/** What stands in these files is gone for good, though it still reads well: where the log is damaged, nobody takes it back. */
function encodeGone(disk: DiskSide, list: FrameList, files: Iterable<{ readonly held: number | null }>): void {
  // A stray file may have the number of a live segment in another directory; the log knows numbers only.
  for (const { held } of files) if (held !== null && !disk.index.segments.has(held)) encodeSegmentRemoved(list, held);
}

function encodeSnapshot(
  state: StoreState,
  list: FrameList,
  change: CheckpointChange,
  forgotten: readonly LiveSegment[],
  evictions: ReadonlyMap<number, Eviction>,
): void {
  const disk = state.disk as DiskSide;
  const { pool } = state;
  for (let slot = 0; slot < pool.streams; slot++) encodeStreamOf(state, list, slot);
  for (let slot = 0; slot < pool.streams; slot++) {
    encodeSlotMarks(state, list, slot, syncedOf(disk, change, slot), evictions.get(slot));
  }
  for (let i = 0; i < pool.ledger.length; i++) {
    const entry = pool.ledger.at(i);
    encodeLedger(list, {
      slot: pool.ledger.slot[entry] as number,
      from: pool.ledger.from[entry] as number,
      to: pool.ledger.to[entry] as number,
      records: pool.ledger.records[entry] as number,
      reason: pool.ledger.reason[entry] as number,
    });
  }
  encodeEvictions(list, evictions);
  for (const segment of disk.index.segments.values()) {
    if (!forgotten.includes(segment)) encodeSegment(list, segment);
  }
  for (const segment of change.added ?? []) encodeSegment(list, segment);
  if (!disk.files.recycles) return;
  encodeGone(disk, list, disk.files.free());
  encodeGone(disk, list, disk.doomed.values());
  for (const { number } of forgotten) encodeSegmentRemoved(list, number);
}
