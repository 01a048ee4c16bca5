/**
 * What an engine shows of itself as a state of the model, so that the model's own invariants can be asked about it. Used
 * for the engine at a failing step, and for a running store.
 *
 * An engine shows marks and places, not records. What a record holds is taken from `base` where that has it; where it
 * has not (a running store), a record is its sequence number alone, and what the invariants say of content is not asked.
 */
import type { ModelState } from '../../../model/step.ts';
import { stateOf } from '../../../model/step.ts';
import type { Bounds, Context, ModelRecord, Segment, Span, StreamState } from '../../../model/vocabulary.ts';
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

function streamShown(base: StreamState, shown: StreamInspection, disk: boolean): StreamState {
  const { head, read, synced, appended, acknowledged, discarded, evicted, damaged, durableHead } = shown;
  const holes = holesIn(shown.holes);
  const records = recordsShown(base.records, disk ? durableHead : head, appended, holes);
  const sectors = shown.sectors.map(({ sector, first, count }) => ({
    ordinal: sector,
    first,
    count,
    kind: shown.kind,
  }));
  const marks = { head, read, synced, appended, durableHead };
  return { ...base, ...marks, acknowledged, discarded, evicted, damaged, holes, records, offered: records, sectors };
}

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
 */
export function engineState(base: Context, keys: Keys, shown: StoreInspection): ModelState {
  const { bounds } = base;
  const indexOf = (source: string, sensor: number): number =>
    keys.findIndex((key) => key.source === source && key.sensor === sensor);
  const segments = shown.segments.map(
    ({ number, source, bytes, blocks }): Segment => ({
      number,
      source,
      bytes,
      blocks: blocks.map(({ sensor, from, to }) => ({ stream: indexOf(source, sensor), from, to })),
    }),
  );
  const streams = base.streams.map((stream, i) => {
    const { source, sensor } = keys[i] as Keys[number];
    const found = shown.streams.find((each) => each.source === source && each.sensor === sensor);
    return found === undefined ? stream : streamShown(stream, found, bounds.disk);
  });
  return stateOf(VALUES[shown.lifecycle], {
    ...base,
    epoch: shown.epoch,
    streams,
    segments,
    free: shown.pool.free.length,
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
