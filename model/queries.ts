/**
 * What follows from a state without changing it: counts, the tsd grid, where a record goes, what a crash may leave.
 * Guards and actions say their rules in these words; the invariants do not use them where that would make them agree
 * by construction.
 */
import { addSpan, holeRecords, liveRecords, passHoles, spanRecords } from './spans.ts';
import type {
  Context,
  ModelRecord,
  Range,
  Sector,
  Segment,
  Span,
  StreamBounds,
  StreamIndex,
  StreamState,
  Survivor,
} from './vocabulary.ts';
import { syncedMark } from './vocabulary.ts';

export const streamOf = (context: Context, stream: StreamIndex): StreamState => context.streams[stream] as StreamState;

export const boundsOf = (context: Context, stream: StreamIndex): StreamBounds =>
  context.bounds.streams[stream] as StreamBounds;

export const pendingOf = ({ holes, head, read }: StreamState): number => liveRecords(holes, head, read);

export const retainedOf = ({ holes, head, appended }: StreamState): number => liveRecords(holes, head, appended);

export const unreadOf = ({ holes, read, appended }: StreamState): number => liveRecords(holes, read, appended);

/** Records that a power cut now would take for certain or at its will: not synced. */
export const unsyncedOf = (stream: StreamState): number => stream.appended - syncedMark(stream);

/** Records with a sequence in [from, to). */
export function recordsBetween(records: readonly ModelRecord[], from: number, to: number): readonly ModelRecord[] {
  const first = records[0];
  const last = records[records.length - 1];
  if (first === undefined || last === undefined || (first.sequence >= from && last.sequence < to)) return records;
  return records.filter((record) => record.sequence >= from && record.sequence < to);
}

/** First sequence number whose record the model still has to know: a crash cannot bring back what is below. */
export const keptFrom = (context: Context, { head, durableHead }: StreamState): number =>
  context.bounds.disk ? durableHead : head;

/**
 * The tsd grid: a sample at most half a period off is recorded at its place, any other begins a new run there.
 * @returns the recorded time, and whether a new run (a new sector, a new block) begins.
 */
export function placeOnGrid(
  bounds: StreamBounds,
  lastTimeMs: number | null,
  timeMs: number,
): { recordedMs: number; newRun: boolean } {
  if (bounds.kind === 'evt') return { recordedMs: timeMs, newRun: false };
  if (lastTimeMs === null) return { recordedMs: timeMs, newRun: true };
  const expected = lastTimeMs + bounds.periodMs;
  const onGrid = Math.abs(2 * (timeMs - expected)) <= bounds.periodMs;
  return { recordedMs: onGrid ? expected : timeMs, newRun: !onGrid };
}

/** Whether the next record of the stream begins a sector. */
export function needsSector(context: Context, stream: StreamIndex, timeMs: number): boolean {
  const { sectors, lastTimeMs } = streamOf(context, stream);
  const bounds = boundsOf(context, stream);
  const open = sectors[sectors.length - 1];
  if (open === undefined || open.count >= context.bounds.recordsPerSector[bounds.kind]) return true;
  return placeOnGrid(bounds, lastTimeMs, timeMs).newRun;
}

export interface OwnedSector {
  readonly stream: StreamIndex;
  readonly sector: Sector;
}

/** The sector of the store that was opened first. */
export function oldestSector(context: Context): OwnedSector | null {
  let oldest: OwnedSector | null = null;
  for (const [stream, { sectors }] of context.streams.entries()) {
    const sector = sectors[0];
    if (sector !== undefined && (oldest === null || sector.ordinal < oldest.sector.ordinal))
      oldest = { stream, sector };
  }
  return oldest;
}

/**
 * The oldest unread records of the store, at most `max`: by segment and block, then in RAM by stream, in this order. No
 * range has a hole.
 */
export function oldestUnread(
  context: Context,
  max: number,
  order: readonly StreamIndex[] = [...context.streams.keys()],
): Range[] {
  const marks = context.streams.map(({ read }) => read);
  const runs: Range[] = [];
  let left = max;
  const take = (stream: StreamIndex, end: number): void => {
    const { holes } = streamOf(context, stream);
    while (left > 0) {
      const from = passHoles(holes, marks[stream] as number);
      if (from >= end) return;
      const hole = holes.find((each) => each.from > from)?.from ?? end;
      const to = Math.min(end, hole, from + left);
      runs.push({ stream, from, to });
      left -= to - from;
      marks[stream] = to;
    }
  };
  for (const { blocks } of context.segments) for (const { stream, to } of blocks) take(stream, to);
  for (const stream of order) take(stream, streamOf(context, stream).appended);
  return runs;
}

export const segmentBytes = (segments: readonly Segment[]): number =>
  segments.reduce((bytes, segment) => bytes + segment.bytes, 0);

/** Blocks of one stream, in segment order. */
export const blocksOf = (segments: readonly Segment[], stream: StreamIndex): Range[] =>
  segments.flatMap(({ blocks }) => blocks.filter((block) => block.stream === stream));

/** Whether nothing of the segment could be read any more, by the given heads. */
export const isDead = (context: Context, segment: Segment, heads: readonly number[]): boolean =>
  segment.blocks.every(({ stream, from, to }) => {
    const head = heads[stream] as number;
    return liveRecords(streamOf(context, stream).holes, Math.max(from, head), to) === 0;
  });

export const durableHeads = (context: Context): number[] => context.streams.map(({ durableHead }) => durableHead);

export const heads = (context: Context): number[] => context.streams.map(({ head }) => head);

/** Whether a flush that starts now, beside the running one, would take a record. */
export const flushWouldHelp = ({ bounds, streams, flush }: Context): boolean =>
  bounds.disk && streams.some((stream, i) => stream.appended > Math.max(syncedMark(stream), flush?.targets[i] ?? 0));

/** What contract section 7 allows a crash (or a close) to leave of a stream: lowest and highest of both marks. */
export function survivalRange(context: Context, stream: StreamIndex, damaged: readonly Range[]) {
  const { head, synced, appended, durableHead, holes } = streamOf(context, stream);
  if (!context.bounds.disk) return { appendedMin: 0, appendedMax: 0, headMin: 0, headMax: 0 };
  const found = holesAfter(holes, damaged, stream);
  return {
    appendedMin: Math.max(synced, durableHead),
    appendedMax: appended,
    headMin: durableHead,
    headMax: passHoles(found, head),
  };
}

/** Records that a recovery found damaged and that were not known to be. */
export const newlyDamaged = (holes: readonly Span[], all: readonly Span[]): number =>
  spanRecords(all) - spanRecords(holes);

/** Records below the survivor's head that were acknowledged: what the known losses and the discards leave. */
export function survivorAcknowledged(
  { damaged, holes }: StreamState,
  survivor: Survivor,
  all: readonly Span[],
): number {
  const belowDurableHead = damaged - spanRecords(holes);
  const damagedBelowHead = belowDurableHead + holeRecords(all, 0, survivor.head);
  return survivor.head - survivor.discarded - survivor.evicted - damagedBelowHead;
}

/** Holes of a stream after a recovery that found `damaged`. */
export const holesAfter = (holes: readonly Span[], damaged: readonly Range[], stream: StreamIndex): readonly Span[] =>
  damaged.filter((range) => range.stream === stream).reduce<readonly Span[]>(addSpan, holes);
