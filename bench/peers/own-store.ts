/**
 * This store, as its users open it: `openStore` with the default settings, and where a row says so in a directory that was
 * prepared once with `preallocateBytes`. Its 4 MiB pool takes a batch of 208,000
 * records of 2,000 sensors without reaching the threshold, so that a flush happens at the batch's end and nowhere else,
 * as with every peer. Its time has all of it: the appends, a call each, and the flush.
 */
import { existsSync, readdirSync } from 'node:fs';
import type { SensorStream, Store } from '../../src/index.ts';
import { openStore } from '../../src/index.ts';
import type { Load, LoadSensor } from '../load.ts';
import type { Peer, PeerStore, Visit } from './peer.ts';

/** Records a read asks for. */
const READ_RECORDS = 4_096;
/** Records of a batch that an uploader takes of all streams. */
const UPLOAD_RECORDS = 16_000;
/** Space that is made ready before the first record, as somebody sets it who knows what a day brings. */
const PREALLOCATE = '64MiB';
/** Records of one look: a few blocks. */
const LOOK_RECORDS = 128;

/** What the benchmark uses of this store beside what it asks of every peer. */
export class OwnStore implements PeerStore {
  readonly #store: Store;
  readonly #streams: readonly SensorStream[];

  constructor(store: Store, streams: readonly SensorStream[]) {
    this.#store = store;
    this.#streams = streams;
  }

  async writeBatch(load: Load, from: number, to: number): Promise<void> {
    const streams = this.#streams;
    const { sensor, value, timeMs } = load;
    for (let i = from; i < to; i++) {
      const stream = streams[sensor[i] as number] as SensorStream;
      if (stream.append(value[i] as number, timeMs[i] as number) < 0) throw new Error(`record ${i} was refused`);
    }
    await this.#store.flush();
  }

  async settle(): Promise<void> {
    await this.#store.checkpoint();
  }

  async readAll(visit: Visit): Promise<void> {
    for (const index of this.#streams.keys()) await this.readSensor(index, visit);
  }

  async readSensor(sensor: number, visit: Visit): Promise<void> {
    const stream = this.#streams[sensor] as SensorStream;
    for (;;) {
      const batch = await stream.read(READ_RECORDS);
      if (batch.length === 0) break;
      const { timesMs, bits } = batch;
      for (let i = 0; i < batch.length; i++) visit(sensor, timesMs[i] as number, bits[i] as number);
    }
    stream.revert();
  }

  /** Empties the store as an uploader does: everything unread in the order of the disk, each batch acknowledged. */
  async drainOldest(visit: Visit): Promise<void> {
    for (;;) {
      const batch = await this.#store.readOldest(UPLOAD_RECORDS);
      if (batch.length === 0) return;
      const { runs, timesMs, bits } = batch;
      let at = 0;
      for (let run = 0; run < batch.runCount; run++) {
        // The streams were made in the order of the load's sensors.
        const sensor = runs.streams[run] as number;
        const end = runs.ends[run] as number;
        for (; at < end; at++) visit(sensor, timesMs[at] as number, bits[at] as number);
      }
      this.#store.acknowledge(batch);
    }
  }

  lookAtAll(visit: Visit): void {
    for (const [sensor, stream] of this.#streams.entries()) {
      for (let offset = 0; ; offset += LOOK_RECORDS) {
        const { length, timesMs, bits } = stream.peekNow(offset, LOOK_RECORDS);
        if (length === 0) break;
        for (let i = 0; i < length; i++) visit(sensor, timesMs[i] as number, bits[i] as number);
      }
    }
  }

  async close(): Promise<void> {
    await this.#store.close();
  }
}

export async function openOwnStore(directory: string, sensors: readonly LoadSensor[]): Promise<OwnStore> {
  const isPrepared = existsSync(directory) && readdirSync(directory).length > 0;
  const store = await openStore({ directory, ...(isPrepared ? { preallocateBytes: PREALLOCATE } : {}) });
  const streams = sensors.map(({ source, sensor, kind, periodMs, type }) =>
    store.stream(source, sensor, { kind, type, ...(kind === 'tsd' ? { periodMs } : {}) }),
  );
  return new OwnStore(store, streams);
}

/** The files are there before the first record, as on a device that has been set up. What that cost is told apart. */
async function prepareOwnStore(directory: string): Promise<Readonly<Record<string, number>>> {
  const startMs = performance.now();
  const store = await openStore({ directory, preallocateBytes: PREALLOCATE });
  const { bytesWritten } = store.stats();
  await store.close();
  return { preallocatedBytes: bytesWritten, preallocateMs: performance.now() - startMs };
}

export const ownStore: Peer = { name: 'own', title: 'this store', prepare: prepareOwnStore, open: openOwnStore };
