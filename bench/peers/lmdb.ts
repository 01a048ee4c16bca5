/**
 * LMDB (lmdb): as a row a record, and as a blob per sensor and batch. A batch is one transaction. Its writes are queued
 * and done by lmdb's own thread, which is faster than a synchronous transaction; it is durable when `committed` and
 * `flushed` have resolved. Looked at with strace, that is one fdatasync of the pages and a synchronous write of the
 * meta page for each batch. `overlappingSync` is off: with it a commit is answered before its sync.
 *
 * Keys and values are bytes as they are. Pages are left at 4 KiB: larger ones were slower and wrote more. The map is
 * large enough never to grow; it is address space, not memory.
 */
import { join } from 'node:path';
import { open as openLmdb, type RootDatabase } from 'lmdb';
import type { Load, LoadSensor } from '../load.ts';
import { KEY_BYTES, KeyMaker, Slots } from './keys.ts';
import { packBatch, unpack } from './pack.ts';
import type { Peer, PeerStore, Unfold, Visit } from './peer.ts';
import { RowBuffers, visitRow } from './rows.ts';

const MAP_BYTES = 8 * 1024 ** 3;

type Lmdb = RootDatabase<Buffer, Buffer>;

abstract class LmdbStore implements PeerStore {
  protected readonly lmdb: Lmdb;
  protected readonly maker: KeyMaker;
  readonly #unfold: Unfold;

  constructor(lmdb: Lmdb, sensors: readonly LoadSensor[], unfold: Unfold) {
    this.lmdb = lmdb;
    this.maker = new KeyMaker(sensors);
    this.#unfold = unfold;
  }

  async writeBatch(load: Load, from: number, to: number): Promise<void> {
    this.put(load, from, to);
    await this.lmdb.committed;
    await this.lmdb.flushed;
  }

  /** Queues the batch: all of it in one turn of the event loop is one transaction. */
  protected abstract put(load: Load, from: number, to: number): void;

  /** Nothing is put off: a commit is the tree as it is going to stay. */
  settle(): void {}

  readAll(visit: Visit): void {
    for (const { key, value } of this.lmdb.getRange({})) this.#unfold(this.maker.sensorOf(key), value, visit);
  }

  readSensor(sensor: number, visit: Visit): void {
    for (const { value } of this.lmdb.getRange(this.maker.range(sensor))) this.#unfold(sensor, value, visit);
  }

  close(): Promise<void> {
    return this.lmdb.close();
  }
}

class LmdbRows extends LmdbStore {
  readonly #buffers = new RowBuffers();

  protected put(load: Load, from: number, to: number): void {
    this.#buffers.fill(load, from, to, this.maker);
    const { keys, values } = this.#buffers;
    // The result of each put is the transaction's, which writeBatch waits for.
    for (let slot = 0; slot < to - from; slot++) void this.lmdb.put(keys.at(slot), values.at(slot));
  }
}

class LmdbPacked extends LmdbStore {
  readonly #keys: Slots;

  constructor(lmdb: Lmdb, sensors: readonly LoadSensor[]) {
    super(lmdb, sensors, unpack);
    this.#keys = new Slots(sensors.length, KEY_BYTES);
  }

  protected put(load: Load, from: number, to: number): void {
    packBatch(load, from, to, (sensor, sequence, value) => {
      this.maker.write(this.#keys.view, this.#keys.offset(sensor), sensor, sequence);
      void this.lmdb.put(this.#keys.at(sensor), value);
    });
  }
}

const open = (directory: string): Lmdb =>
  openLmdb<Buffer, Buffer>({
    path: join(directory, 'lmdb'),
    encoding: 'binary',
    keyEncoding: 'binary',
    mapSize: MAP_BYTES,
    overlappingSync: false,
  });

export const lmdbRows: Peer = {
  name: 'lmdb-rows',
  title: 'lmdb, a row a record',
  recordsMax: 1_000_000,
  open: (directory: string, sensors: readonly LoadSensor[]): PeerStore =>
    new LmdbRows(open(directory), sensors, visitRow),
};

export const lmdbPacked: Peer = {
  name: 'lmdb-packed',
  title: 'lmdb, a blob per sensor and batch',
  recordsMax: 2_000_000,
  open: (directory: string, sensors: readonly LoadSensor[]): PeerStore => new LmdbPacked(open(directory), sensors),
};
