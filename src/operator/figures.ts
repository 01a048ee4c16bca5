/**
 * The figures of a store by stream, as an operator asks for them: what is there, where it is, what was lost and why. Made
 * from marks alone, so a running store and one on disk are reckoned in the same way.
 */
import type { StreamInspection } from '../core/types.ts';

/** Counts of records. */
export interface StreamFigures {
  readonly source: StreamInspection['source'];
  readonly sensor: number;
  readonly kind: StreamInspection['kind'];
  readonly type: StreamInspection['type'];
  readonly periodMs: number;
  readonly retained: number;
  readonly unread: number;
  readonly pending: number;
  /** Of the retained ones: in RAM only, on disk. */
  readonly ram: number;
  readonly disk: number;
  readonly acknowledged: number;
  readonly discarded: number;
  /** Lost, by the ledger's reasons. */
  readonly evicted: number;
  readonly damaged: number;
}

export type Counted = Exclude<keyof StreamFigures, 'source' | 'sensor' | 'kind' | 'type' | 'periodMs'>;

export const COUNTED: readonly Counted[] = [
  'retained',
  'unread',
  'pending',
  'ram',
  'disk',
  'acknowledged',
  'discarded',
  'evicted',
  'damaged',
];

/** How many of [from, to) are in no hole. */
function recordsBetween({ holes }: StreamInspection, from: number, to: number): number {
  let records = Math.max(0, to - from);
  for (const [start, end] of holes) records -= Math.max(0, Math.min(to, end) - Math.max(from, start));
  return records;
}

export function figuresOf(stream: StreamInspection): StreamFigures {
  const { source, sensor, kind, type, periodMs, acknowledged, discarded, evicted, damaged } = stream;
  const disk = recordsBetween(stream, stream.head, stream.synced);
  const ram = stream.appended - stream.synced;
  return {
    ...{ source, sensor, kind, type, periodMs },
    retained: disk + ram,
    unread: recordsBetween(stream, stream.read, stream.appended),
    pending: recordsBetween(stream, stream.head, stream.read),
    ...{ ram, disk, acknowledged, discarded, evicted, damaged },
  };
}

export type Totals = Record<Counted, number>;

export function totalsOf(streams: readonly StreamFigures[]): Totals {
  const totals = Object.fromEntries(COUNTED.map((name) => [name, 0])) as Totals;
  for (const stream of streams) for (const name of COUNTED) totals[name] += stream[name];
  return totals;
}
