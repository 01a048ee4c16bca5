/**
 * LevelDB (classic-level): as a row a record, and as a blob per sensor and batch. Each batch is one atomic write with
 * `sync: true`, which is one append to its log and one fdatasync.
 *
 * Set up for writing: keys and values as bytes; a write buffer of 16 MiB, four times the default, so that fewer tables
 * are written and merged again; files of 8 MiB; no compression, whose time buys nothing here. Larger buffers than
 * that only put the merging off until behind the measurement. The array form of batch was as fast as the chained one.
 */
import { ClassicLevel } from 'classic-level';
import type { Load, LoadSensor } from '../load.ts';
import { KEY_BYTES, KeyMaker, Slots } from './keys.ts';
import { packBatch, unpack } from './pack.ts';
import type { Peer, PeerStore, Unfold, Visit } from './peer.ts';
import { RowBuffers, visitRow } from './rows.ts';

const MIB = 1024 * 1024;
const READ_PAIRS = 4_096;

type Level = ClassicLevel<Uint8Array, Uint8Array>;

interface Put {
  readonly type: 'put';
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

abstract class LevelStore implements PeerStore {
  protected readonly level: Level;
  protected readonly maker: KeyMaker;
  readonly #unfold: Unfold;

  constructor(level: Level, sensors: readonly LoadSensor[], unfold: Unfold) {
    this.level = level;
    this.maker = new KeyMaker(sensors);
    this.#unfold = unfold;
  }

  abstract writeBatch(load: Load, from: number, to: number): Promise<void>;

  /** Its log holds what no table has yet, by its own rules until the buffer is full or the store is opened again. */
  settle(): void {}

  readAll(visit: Visit): Promise<void> {
    return this.#read({}, (key, value) => this.#unfold(this.maker.sensorOf(key), value, visit));
  }

  readSensor(sensor: number, visit: Visit): Promise<void> {
    const { start, end } = this.maker.range(sensor);
    return this.#read({ gte: start, lte: end }, (_, value) => this.#unfold(sensor, value, visit));
  }

  async #read(range: object, take: (key: Uint8Array, value: Uint8Array) => void): Promise<void> {
    const iterator = this.level.iterator({ ...range, highWaterMarkBytes: MIB });
    try {
      for (;;) {
        const pairs = await iterator.nextv(READ_PAIRS);
        if (pairs.length === 0) return;
        for (const [key, value] of pairs) take(key, value);
      }
    } finally {
      await iterator.close();
    }
  }

  close(): Promise<void> {
    return this.level.close();
  }
}

class LevelRows extends LevelStore {
  readonly #buffers = new RowBuffers();
  #puts: Put[] = [];

  async writeBatch(load: Load, from: number, to: number): Promise<void> {
    this.#buffers.fill(load, from, to, this.maker);
    const { keys, values } = this.#buffers;
    if (this.#puts.length < keys.length) {
      this.#puts = Array.from({ length: keys.length }, (_, i) => ({
        type: 'put',
        key: keys.at(i),
        value: values.at(i),
      }));
    }
    const puts = this.#puts.length === to - from ? this.#puts : this.#puts.slice(0, to - from);
    await this.level.batch(puts, { sync: true });
  }
}

class LevelPacked extends LevelStore {
  readonly #keys: Slots;

  constructor(level: Level, sensors: readonly LoadSensor[]) {
    super(level, sensors, unpack);
    this.#keys = new Slots(sensors.length, KEY_BYTES);
  }

  async writeBatch(load: Load, from: number, to: number): Promise<void> {
    const puts: Put[] = [];
    packBatch(load, from, to, (sensor, sequence, value) => {
      this.maker.write(this.#keys.view, this.#keys.offset(sensor), sensor, sequence);
      puts.push({ type: 'put', key: this.#keys.at(sensor), value });
    });
    await this.level.batch(puts, { sync: true });
  }
}

async function open(directory: string): Promise<Level> {
  const level: Level = new ClassicLevel(directory, {
    keyEncoding: 'view',
    valueEncoding: 'view',
    writeBufferSize: 16 * MIB,
    maxFileSize: 8 * MIB,
    compression: false,
  });
  await level.open();
  return level;
}

export const levelRows: Peer = {
  name: 'level-rows',
  title: 'classic-level, a row a record',
  recordsMax: 2_000_000,
  async open(directory: string, sensors: readonly LoadSensor[]): Promise<PeerStore> {
    return new LevelRows(await open(directory), sensors, visitRow);
  },
};

export const levelPacked: Peer = {
  name: 'level-packed',
  title: 'classic-level, a blob per sensor and batch',
  recordsMax: 2_000_000,
  async open(directory: string, sensors: readonly LoadSensor[]): Promise<PeerStore> {
    return new LevelPacked(await open(directory), sensors);
  },
};
