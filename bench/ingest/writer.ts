/**
 * Process that fills one peer's store, batch by batch, each durable before the next begins, and says how long it took.
 * Then it waits, with the store open, to be killed: whoever reads the store afterwards sees what a dead process left.
 */
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { answerProcess } from '../ask-process.ts';
import type { Load } from '../load.ts';
import { makeLoad } from '../load-spec.ts';
import { peerNamed } from '../peers/all.ts';
import type { Peer, PeerStore } from '../peers/peer.ts';
import { storeIn, type WriteRequest, type Written } from './requests.ts';

async function write(request: WriteRequest): Promise<Written> {
  const { directory, batchRecords, warmUpBatches } = request;
  const peer = peerNamed(request.peer);
  const load = await makeLoad(request.load);
  await warmUp(peer, load, batchRecords, warmUpBatches, join(directory, 'warm-up'));
  mkdirSync(storeIn(directory), { recursive: true });
  const store = await peer.open(storeIn(directory), load.sensors);
  globalThis.gc?.();
  const before = processBytes();
  const figures = await timed(store, load, batchRecords);
  if (request.settle) await store.settle();
  // The store stays open: this process is killed as it stands.
  return { load: load.name, records: load.records, ...figures, processBytes: processBytes() - before };
}

async function warmUp(peer: Peer, load: Load, batchRecords: number, batches: number, directory: string): Promise<void> {
  if (batches === 0) return;
  mkdirSync(directory, { recursive: true });
  const store = await peer.open(directory, load.sensors);
  const end = Math.min(load.records, batches * batchRecords);
  for (let from = 0; from < end; from += batchRecords)
    await store.writeBatch(load, from, Math.min(end, from + batchRecords));
  await store.close();
  rmSync(directory, { recursive: true });
}

async function timed(
  store: PeerStore,
  load: Load,
  batchRecords: number,
): Promise<Pick<Written, 'batches' | 'seconds' | 'longestBatchMs'>> {
  let batches = 0;
  let longestBatchMs = 0;
  const startMs = performance.now();
  let beforeMs = startMs;
  for (let from = 0; from < load.records; from += batchRecords) {
    await store.writeBatch(load, from, Math.min(load.records, from + batchRecords));
    const nowMs = performance.now();
    longestBatchMs = Math.max(longestBatchMs, nowMs - beforeMs);
    beforeMs = nowMs;
    batches++;
  }
  return { batches, seconds: (beforeMs - startMs) / 1_000, longestBatchMs };
}

/** NaN where the kernel does not say. */
function processBytes(): number {
  const io = '/proc/self/io';
  const found = existsSync(io) ? /^write_bytes: (\d+)$/m.exec(readFileSync(io, 'utf8')) : null;
  return Number(found?.[1] ?? Number.NaN);
}

answerProcess(write);
