/**
 * Durable ingest of one peer at one point of a curve: records a second, and bytes that the kernel had written for them.
 * In this process, one peer after the other, no verification: the rows of bench/ingest do that.
 */
import { readFileSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Load } from '../load.ts';
import { peerNamed } from '../peers/all.ts';

export interface IngestFigures {
  readonly recordsPerSecond: number;
  /** Counted by the kernel for this process, what was put off included; without the file system's own. */
  readonly writtenBytesPerRecord: number;
}

/** Writes the first batch of the load uncounted, then all others. @param directory exists; left as it was. */
export async function ingest(
  directory: string,
  name: string,
  load: Load,
  batchRecords: number,
): Promise<IngestFigures> {
  const own = join(directory, name);
  await mkdir(own);
  const store = await peerNamed(name).open(own, load.sensors);
  const warm = Math.min(batchRecords, load.records);
  await store.writeBatch(load, 0, warm);
  globalThis.gc?.();
  const bytesBefore = writtenBytes();
  const startMs = performance.now();
  for (let from = warm; from < load.records; from += batchRecords) {
    await store.writeBatch(load, from, Math.min(load.records, from + batchRecords));
  }
  const seconds = (performance.now() - startMs) / 1_000;
  await store.settle();
  const bytes = writtenBytes() - bytesBefore;
  await store.close();
  await rm(own, { recursive: true });
  const records = load.records - warm;
  return { recordsPerSecond: records / seconds, writtenBytesPerRecord: bytes / records };
}

/** Bytes that this process has had written to a device so far. @throws Error where the kernel does not tell. */
export function writtenBytes(): number {
  const found = /^write_bytes: (\d+)$/m.exec(readFileSync('/proc/self/io', 'utf8'));
  if (found === null) throw new Error('/proc/self/io does not say write_bytes: this kernel does not count them');
  return Number(found[1]);
}
