/** What a run has written, from the model's records and from the bytes of its files. */
import type { Context } from '../../model/vocabulary.ts';
import type { Scenario } from '../actions.ts';
import type { WrittenRecord } from '../format/read-block.ts';
import type { SimulatedDisk } from '../simulated-disk.ts';
import type { FileLayout } from './layout.ts';
import { layOut } from './layout.ts';

/** What was written of one stream, and what of it counts. */
export interface WrittenStream {
  /** Retained for certain: at or above the head and synced, by sequence number, without what was lost before. */
  readonly retained: readonly number[];
  /** Sequence number of the next record that a store with all its files would take. */
  readonly appended: number;
  readonly head: number;
  /** Everything that any file holds of it, and what is known beside. */
  readonly records: ReadonlyMap<number, WrittenRecord>;
}

export interface Written {
  readonly scenario: Scenario;
  readonly streams: readonly WrittenStream[];
  readonly files: readonly FileLayout[];
  /** Highest epoch in which a record was appended. */
  readonly epoch: number;
}

/** A run whose store is closed or was cut off. */
export interface RunAtRest {
  readonly scenario: Scenario;
  readonly model: { readonly context: Context };
  readonly disk: SimulatedDisk | null;
  /** Paths of files that the run itself has damaged: they are not laid out, and what they held is not spoiled again. */
  readonly spoiledFiles: ReadonlySet<string>;
}

/** What a run at rest has written, from the model's records and from its files. The store must not be open. */
export function writtenOf(run: RunAtRest): Written {
  const { context } = run.model;
  const files = layOut(run.disk?.files() ?? [], run.spoiledFiles);
  const streams = run.scenario.streams.map(({ source, sensor }, i): WrittenStream => {
    const stream = context.streams[i] as (typeof context.streams)[number];
    const records = new Map<number, WrittenRecord>();
    for (const { directory, blocks } of files) {
      if (directory !== source) continue;
      for (const block of blocks) {
        if (block.sensor === sensor) for (const record of block.records) records.set(record.sequence, record);
      }
    }
    for (const { sequence, epoch, valueBits, timeMs } of stream.records)
      records.set(sequence, { sequence, epoch, valueBits, timeMs });
    const retained = stream.records
      .map(({ sequence }) => sequence)
      .filter((sequence) => sequence >= stream.head && sequence < stream.synced);
    return { retained, appended: stream.appended, head: stream.head, records };
  });
  return { scenario: run.scenario, streams, files, epoch: context.epoch };
}
