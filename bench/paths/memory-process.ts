/**
 * Process whose memory is looked at: one that has loaded the store and does nothing, or one in which 2,000 sensors
 * append at a pace, flushes run, and an uploader reads and acknowledges stream by stream. Both have loaded the same
 * modules. The records are computed as they are appended, so that the only memory beside the store's is that of the loop.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { createLinuxPlatform, type SensorStream, type Store } from '../../src/index.ts';
import { answerProcess } from '../ask-process.ts';
import { PERIOD_MS, referenceSensors } from '../load.ts';
import { openOwn } from './open-own.ts';

export interface MemoryRequest {
  readonly work: 'idle' | 'load';
  readonly directory: string;
  readonly seconds: number;
  readonly sensors: number;
  readonly recordsPerSecond: number;
  /** Records between two flushes. */
  readonly batchRecords: number;
  readonly uploadPerSecond: number;
}

export interface MemoryAnswer {
  /** Resident set, every SAMPLE_MS of the second half of the time. */
  readonly rssBytes: readonly number[];
  readonly appended: number;
  readonly flushes: number;
  readonly uploaded: number;
}

const SAMPLE_MS = 50;
/** How often the producer wakes. */
const TICK_MS = 5;
const UPLOAD_RECORDS = 500;
const CATCH_UP_MS = 50;
/** Of an uploader between two ticks, so that it does not go round and round over streams without records. */
const READS_MAX = 20;
const START_MS = 1_767_225_600_000;

/** Looks at the resident set until the time is over. */
async function sample(seconds: number): Promise<number[]> {
  const endMs = performance.now() + seconds * 1_000;
  const halfMs = endMs - seconds * 500;
  const rssBytes: number[] = [];
  while (performance.now() < endMs) {
    await delay(SAMPLE_MS);
    if (performance.now() >= halfMs) rssBytes.push(process.memoryUsage.rss());
  }
  return rssBytes;
}

async function produce(streams: readonly SensorStream[], store: Store, request: MemoryRequest): Promise<void> {
  const { seconds, recordsPerSecond, batchRecords } = request;
  const total = Math.round(seconds * recordsPerSecond);
  const beganMs = performance.now();
  for (let done = 0, flushed = 0; done < total; ) {
    const due = Math.min(total, Math.floor(((performance.now() - beganMs) / 1_000) * recordsPerSecond));
    for (; done < due; done++) {
      const sensor = done % streams.length;
      const round = (done - sensor) / streams.length;
      // A step now and then, of a size that every type of value holds.
      const sequence = (streams[sensor] as SensorStream).append(
        1_000 + ((round >> 2) % 100) + sensor,
        START_MS + round * PERIOD_MS,
      );
      if (sequence < 0) throw new Error(`record ${done} was refused`);
    }
    if (done - flushed >= batchRecords) {
      flushed = done;
      await store.flush();
    } else await delay(TICK_MS);
  }
}

/** Reads and acknowledges stream after stream, at the pace of the link, until told to stop. */
async function upload(streams: readonly SensorStream[], perSecond: number, signal: AbortSignal): Promise<void> {
  const beganMs = performance.now();
  let uploaded = 0;
  for (let next = 0; !signal.aborted; ) {
    const due = ((performance.now() - beganMs) / 1_000) * perSecond;
    // A link that had nothing to do for a while does not make up for it.
    uploaded = Math.max(uploaded, due - perSecond * (CATCH_UP_MS / 1_000));
    for (let read = 0; uploaded < due && read < READS_MAX && !signal.aborted; read++) {
      const stream = streams[next] as SensorStream;
      next = (next + 1) % streams.length;
      const batch = await stream.read(UPLOAD_RECORDS);
      if (batch.length > 0) stream.acknowledge(batch);
      uploaded += batch.length;
    }
    await delay(TICK_MS);
  }
}

async function load(request: MemoryRequest): Promise<MemoryAnswer> {
  const { directory, seconds, sensors } = request;
  const { store, streams } = await openOwn(createLinuxPlatform({ directory }), referenceSensors(sensors));
  const stop = new AbortController();
  const uploading = upload(streams, request.uploadPerSecond, stop.signal);
  const [rssBytes] = await Promise.all([sample(seconds), produce(streams, store, request)]);
  stop.abort();
  await uploading;
  const { appended, flushes, acknowledged: uploaded } = store.stats();
  await store.close();
  return { rssBytes, appended, flushes, uploaded };
}

answerProcess(async (request: MemoryRequest): Promise<MemoryAnswer> => {
  if (request.work === 'load') return load(request);
  return { rssBytes: await sample(request.seconds), appended: 0, flushes: 0, uploaded: 0 };
});
