/**
 * What an engine shows of itself as a state of the model, so that the model's own invariants can be asked about it. Used
 * for the engine at a failing step, and for a running store.
 *
 * An engine shows marks and places, not records. What a record holds is taken from `base` where that has it; where it
 * has not (a running store), a record is its sequence number alone, and what the invariants say of content is not asked.
 */
import type { ModelState } from '../../../model/step.ts';
import { stateOf } from '../../../model/step.ts';
import type { Bounds, Context, Flush, ModelRecord, Segment, Span, StreamState } from '../../../model/vocabulary.ts';
import { syncedMark } from '../../../model/vocabulary.ts';
import type { StoreInspection, StreamInspection } from '../../../src/core/types.ts';

type Keys = readonly { readonly source: string; readonly sensor: number }[];

const holesIn = (holes: StreamInspection['holes']): Span[] => holes.map(([from, to]) => ({ from, to }));

/** Records that there must be: from the durable head on, without the damaged ones. */
function recordsShown(
  base: readonly ModelRecord[],
  from: number,
  appended: number,
  holes: readonly Span[],
): ModelRecord[] {
  const known = new Map(base.map((record) => [record.sequence, record]));
  const records: ModelRecord[] = [];
  for (let sequence = from; sequence < appended; sequence++) {
    if (holes.some((hole) => hole.from <= sequence && sequence < hole.to)) continue;
    records.push(known.get(sequence) ?? { sequence, epoch: 0, valueBits: 0, timeMs: 0 });
  }
  return records;
}

/**
 * Sectors by the order in which their chains name them, for the engine shows places and not ages: within a chain the
 * order is the chain's. A sector that two chains name keeps the order that it got first.
 */
class Ordinals {
  readonly #from: number;
  readonly #of = new Map<number, number>();

  /** @param from what the model has not given yet. */
  constructor(from: number) {
    this.#from = from;
  }

  of(sector: number): number {
    const known = this.#of.get(sector);
    if (known !== undefined) return known;
    this.#of.set(sector, this.next);
    return this.next - 1;
  }

  get next(): number {
    return this.#from + this.#of.size;
  }
}

/** The engine shows of the stream what the model has: it is the model's stream, to the last field. */
function agrees(base: StreamState, shown: StreamInspection): boolean {
  const { head, read, synced, appended, acknowledged, discarded, evicted, damaged, sectors } = shown;
  const marks = [head, read, synced, appended, acknowledged, discarded, evicted, damaged];
  const others = [base.head, base.read, syncedMark(base), base.appended];
  const counts = [base.acknowledged, base.discarded, base.evicted, base.damaged];
  return (
    [...others, ...counts].every((value, i) => value === marks[i]) &&
    sectors.length === base.sectors.length &&
    sectors.every(({ first, count }, i) => base.sectors[i]?.first === first && base.sectors[i]?.count === count)
  );
}

function streamShown(base: StreamState, shown: StreamInspection, ordinals: Ordinals, from: number): StreamState {
  if (agrees(base, shown)) return base;
  const { head, read, appended, acknowledged, discarded, evicted, damaged, durableHead } = shown;
  const holes = holesIn(shown.holes);
  const records = recordsShown(base.records, from, appended, holes);
  const sectors = shown.sectors.map(({ sector, first, count }) => {
    const known = base.sectors.find((each) => each.first === first);
    return { ordinal: known?.ordinal ?? ordinals.of(sector), first, count, kind: shown.kind };
  });
  // What the engine shows is never below the head; the mark itself may be.
  const synced = shown.synced === syncedMark(base) ? base.synced : shown.synced;
  const marks = { head, read, synced, appended, durableHead };
  return { ...base, ...marks, acknowledged, discarded, evicted, damaged, holes, records, offered: records, sectors };
}

/** The first record that the model would know. */
const recordsFrom = ({ head, durableHead }: StreamInspection, disk: boolean): number => (disk ? durableHead : head);

/** The flush that runs, as far as it can be seen: it takes what there is. */
const runningFlush = (streams: readonly StreamState[]): Flush => ({
  targets: streams.map(({ appended }) => appended),
  heads: streams.map(({ head }) => head),
  emergency: false,
});

const VALUES: Readonly<Record<StoreInspection['lifecycle'], ModelState['value']>> = {
  closed: 'closed',
  recovering: 'recovering',
  failed: 'failed',
  ram: { ready: 'ram' },
  flushing: { ready: 'flushing' },
  closing: { closing: 'draining' },
};

/**
 * @param base the model's state beside it: what the engine does not show is taken from there.
 * @param keys who the model's streams are, in the model's order.
 * @param withRecords false: a store has more than can be listed, and no record is.
 */
export function engineState(base: Context, keys: Keys, shown: StoreInspection, withRecords = true): ModelState {
  const { bounds } = base;
  const indexes = new Map(keys.map(({ source, sensor }, i) => [`${source}/${sensor}`, i]));
  const indexOf = (source: string, sensor: number): number => indexes.get(`${source}/${sensor}`) ?? -1;
  const inspected = new Map(shown.streams.map((each) => [indexOf(each.source, each.sensor), each]));
  const segments = shown.segments.map(
    ({ number, source, bytes, blocks }): Segment => ({
      number,
      source,
      bytes,
      blocks: blocks.map(({ sensor, from, to }) => ({ stream: indexOf(source, sensor), from, to })),
    }),
  );
  const ordinals = new Ordinals(base.nextOrdinal);
  const streams = base.streams.map((stream, i) => {
    const found = inspected.get(i);
    return found === undefined
      ? stream
      : streamShown(stream, found, ordinals, withRecords ? recordsFrom(found, bounds.disk) : found.appended);
  });
  return stateOf(VALUES[shown.lifecycle], {
    ...base,
    epoch: shown.epoch,
    streams,
    segments,
    free: shown.pool.free.length,
    nextOrdinal: ordinals.next,
    flush: shown.flushRunning ? (base.flush ?? runningFlush(streams)) : null,
    flushRequested: shown.flushRequested,
    retryWaiting: shown.retryWaiting,
  });
}

/** The bounds that a running store shows; what it does not (records a sector) is worked out from its sector size. */
export function boundsShown({ pool, streams, quotaBytes, segments }: StoreInspection, disk: boolean): Bounds {
  return {
    disk,
    streams: streams.map(({ source, kind, periodMs }) => ({ source, kind, periodMs })),
    sectors: pool.sectors,
    recordsPerSector: { tsd: (pool.sectorBytes - 8) / 4, evt: Math.floor(pool.sectorBytes / 12) },
    flushAtSectors: pool.flushAtSectors,
    quotaBytes,
    segmentBytesMax: Math.max(65_536, ...segments.map(({ bytes }) => bytes)),
  };
}
