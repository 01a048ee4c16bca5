/**
 * A store that is found with files of any kind in its directories: made by a machine that was cut off, then changed by
 * hand, and opened. For the table in src/core/recovery.ts, row by row.
 */
import type { Source } from '../../model/vocabulary.ts';
import type { Engine } from '../../src/core/engine.ts';
import type { Stats, StoreInspection } from '../../src/core/types.ts';
import type { LogContent } from '../format/write-log.ts';
import { logFileName, writeLogPart } from '../format/write-log.ts';
import type { BlockContent } from '../format/write-segment.ts';
import { segmentFileName, writeSegment } from '../format/write-segment.ts';
import type { SimulatedDisk } from '../simulated-disk.ts';
import { appendSome, given, Machine, NOW_MS, streamOf } from './machine.ts';

/** Segment numbers and sensors are of `host` unless it is said. */
export interface Made {
  readonly number: number;
  readonly blocks: readonly BlockContent[];
  readonly source?: Source;
  readonly epoch?: number;
  readonly storeId?: Uint8Array;
  /** Of the file, when it is not that of the number. */
  readonly name?: string;
  readonly directory?: Source | '';
}

/** A block of `records` evt records from `first`, as `appendSome` appends them: value and milliseconds are the sequence number. */
export const evts = (sensor: number, first: number, records: number): BlockContent => ({
  sensor,
  kind: 'evt',
  type: 'uint32',
  first,
  timesMs: Array.from({ length: records }, (_, i) => NOW_MS + first + i),
  bits: Array.from({ length: records }, (_, i) => first + i),
});

export class FoundStore {
  readonly machine = new Machine();
  storeId = new Uint8Array(16);
  epoch = 0;

  get disk(): SimulatedDisk {
    return this.machine.disk as SimulatedDisk;
  }

  /**
   * An evt stream of sensor 1 with a segment for each count, then a power cut that leaves what is durable. The next segment
   * number is one above the count.
   */
  static async with(...counts: readonly number[]): Promise<FoundStore> {
    const found = new FoundStore();
    const engine = await found.machine.open();
    const handle = streamOf(engine, 1);
    let sequence = 0;
    for (const count of counts) {
      for (let i = 0; i < count; i++, sequence++) handle.append(sequence, NOW_MS + sequence);
      given(await engine.flush());
    }
    found.storeId = Uint8Array.from(Buffer.from(engine.storeId, 'hex'));
    found.epoch = engine.epoch;
    found.machine.cutPower();
    return found;
  }

  /** Puts a segment there, of this store and of the epoch that was cut off unless it is said. */
  put({ number, blocks, source = 'host', epoch = this.epoch, storeId = this.storeId, name, directory }: Made): this {
    const bytes = writeSegment({ source, epoch, storeId, number, flush: 9, blocks });
    this.disk.place(directory ?? source, name ?? segmentFileName(number), bytes);
    return this;
  }

  /** Takes the log away, and puts these parts there instead. */
  logs(...parts: readonly Omit<LogContent, 'storeId'>[]): this {
    for (const { directory, name } of this.disk.files()) if (directory === '') this.disk.displace('', name);
    for (const part of parts) {
      const bytes = writeLogPart({ storeId: this.storeId, ...part });
      this.disk.place('', logFileName(part.generation, part.part), bytes);
    }
    return this;
  }

  change(name: string, how: (bytes: Uint8Array) => Uint8Array, directory: Source | '' = 'host'): this {
    const file = this.disk.files().find((each) => each.directory === directory && each.name === name);
    if (file === undefined) throw new Error(`there is no ${directory}/${name}`);
    this.disk.place(directory, name, how(file.content.slice()));
    return this;
  }

  /** Opens it; what came of it is in the answer. @throws when it does not open. */
  async open(): Promise<Opened> {
    const engine = await this.machine.open();
    return new Opened(engine, this.disk);
  }

  /** The code with which it does not open; `ok` when it does. */
  async codeOfOpen(): Promise<string> {
    const opened = await this.machine.tryOpen();
    return opened.ok ? 'ok' : opened.failure.code;
  }

  /** Names of all segments and of what was set aside, with their directory. */
  names(): string[] {
    return this.disk
      .files()
      .filter(({ directory, name }) => directory !== '' || name.endsWith('.damaged') || name.endsWith('.seg'))
      .map(({ directory, name }) => (directory === '' ? name : `${directory}/${name}`));
  }
}

/** A store after its recovery. */
export class Opened {
  readonly engine: Engine;
  readonly #disk: SimulatedDisk;

  constructor(engine: Engine, disk: SimulatedDisk) {
    this.engine = engine;
    this.#disk = disk;
  }

  /** Found, segments, records, salvaged, damaged. */
  report(): readonly unknown[] {
    const { found, segments, records, salvagedRecords, damagedRecords } = this.engine.recovery ?? {};
    return [found, segments, records, salvagedRecords, damagedRecords];
  }

  get setAside(): readonly string[] {
    return this.engine.recovery?.setAside ?? [];
  }

  /** Head, synced and appended of each stream, by source and sensor. */
  marks(): Record<string, readonly number[]> {
    const marks: Record<string, readonly number[]> = {};
    for (const { source, sensor, head, synced, appended } of this.engine.inspect().streams)
      marks[`${source}/${sensor}`] = [head, synced, appended];
    return marks;
  }

  /** Values and milliseconds since the beginning that a reader gets, and they must be each other's. */
  async records(sensor: number, source: Source = 'host'): Promise<readonly number[]> {
    const handle = this.engine.streams().find((each) => each.source === source && each.sensor === sensor);
    if (handle === undefined) throw new Error(`there is no ${source}/${sensor}`);
    const batch = given(await handle.peek(0, 1_000));
    return [...batch].map(({ sequence, value, timeMs }) => {
      if (value !== sequence || timeMs !== NOW_MS + sequence)
        throw new Error(`record ${sequence} of sensor ${sensor} is ${value} at ${timeMs - NOW_MS}`);
      return sequence;
    });
  }

  /** Stream, range, records and reason of what was lost. */
  losses(): readonly (readonly unknown[])[] {
    return this.engine
      .ledger()
      .entries.map(({ source, sensor, from, to, records, reason }) => [
        `${source}/${sensor}`,
        from,
        to,
        records,
        reason,
      ]);
  }

  segments(): StoreInspection['segments'] {
    return this.engine.inspect().segments;
  }

  stats(): Stats {
    return this.engine.stats();
  }

  /** The store takes a record more for sensor 1 and saves it. @returns the number of the segment that it wrote. */
  async goesOn(): Promise<number> {
    const handle = streamOf(this.engine, 1);
    appendSome(handle, 1);
    given(await this.engine.flush());
    return Math.max(...this.segments().map(({ number }) => number));
  }

  get bytesOnDisk(): number {
    return this.#disk.files().reduce((sum, { content }) => sum + Math.ceil(content.length / 4_096) * 4_096, 0);
  }
}
