/**
 * The process that a real soak kills: it holds a store on a directory, does what its parent asks, and tells what the store
 * promises in the moment in which it does. It keeps nothing that would have to survive it.
 */
import { readFileSync } from 'node:fs';
import type { RecordBatch, Store } from '../../../src/index.ts';
import { createLinuxPlatform, openOn, resolveSettings } from '../../../src/index.ts';
import { appendTo, bitsAt, openStreams, SENSORS, timeAt } from '../load.ts';
import { StoreWatch } from '../store-watch.ts';
import { WearMeter } from '../wear.ts';
import type { Answers, Gauge, MarkColumns, Note, ReadBatch, Request } from './messages.ts';
import { MeteredDisk } from './metered-disk.ts';

const BATCH_MAX = 2_000;

type Streams = ReturnType<typeof openStreams>;

class StoringProcess {
  readonly #send: (message: object) => void;
  readonly #meter = new WearMeter();
  #disk!: MeteredDisk;
  #store!: Store;
  #streams!: Streams;
  #watch!: StoreWatch;
  #pending: RecordBatch[] = [];
  #next = 0;

  constructor(send: (message: object) => void) {
    this.#send = send;
  }

  async answer(request: Request): Promise<Answers[Request['type']]> {
    switch (request.type) {
      case 'open':
        return this.#open(request.directory);
      case 'sample':
        return this.#sample(request.tick, request.tickMs);
      case 'read':
        return this.#read(request.records);
      case 'acknowledge':
        return this.#acknowledge();
      case 'revert':
        for (const { sensor } of this.#pending) this.#streamOf(sensor).revert();
        this.#pending = [];
        return null;
      case 'flush':
        return this.#flush();
      case 'checkpoint':
        await this.#store.checkpoint();
        return null;
      case 'warned': {
        this.#watch.ask();
        const { unsaved } = await this.#store.emergencyFlush({ deadlineMs: request.deadlineMs });
        return { unsaved };
      }
      case 'close': {
        this.#watch.ask();
        const { unsaved } = await this.#store.close();
        return { unsaved };
      }
    }
  }

  async #open(directory: string): Promise<Answers['open']> {
    const settings = resolveSettings();
    if (!settings.ok) throw new Error(settings.failure.message);
    const platform = createLinuxPlatform({ directory });
    if (platform.disk === null) throw new Error('a soak on a directory needs a disk');
    this.#disk = new MeteredDisk(platform.disk, this.#meter);
    const store = await openOn({ ...platform, disk: this.#disk }, settings.value);
    this.#store = store;
    this.#streams = openStreams(store);
    this.#listen();
    const { found, setAside, salvagedRecords: salvaged } = store.recovery;
    const { retained, quotaBytes } = store.stats();
    const ledger = store.ledger().entries;
    const { storeId, epoch } = store;
    return { storeId, epoch, found, setAside, salvaged, retained, quotaBytes, marks: this.#marks(), ledger };
  }

  #listen(): void {
    const tell = (note: Note): void => this.#send(note);
    this.#watch = new StoreWatch(this.#store, {
      flushed: (asked) => {
        const { synced, head } = this.#marks();
        tell({ note: 'flushed', asked, synced, head });
      },
      flushFailed: () => tell({ note: 'flushFailed' }),
      checkpointed: (heads) =>
        tell({ note: 'checkpointed', heads: heads.map(({ sensor, head }) => ({ sensor, head })) }),
      evicted: () => tell({ note: 'evicted' }),
      ledger: (entries) => tell({ note: 'ledger', entries }),
      finding: (kind, message) => tell({ note: 'finding', kind, message }),
    });
  }

  #streamOf(sensor: number): Streams[number] {
    return this.#streams[sensor] as Streams[number];
  }

  #marks(): MarkColumns {
    const columns = {
      head: new Float64Array(SENSORS),
      read: new Float64Array(SENSORS),
      synced: new Float64Array(SENSORS),
      appended: new Float64Array(SENSORS),
    };
    for (const [sensor, stream] of this.#streams.entries()) {
      const { head, read, synced, appended } = stream.marks;
      columns.head[sensor] = head;
      columns.read[sensor] = read;
      columns.synced[sensor] = synced;
      columns.appended[sensor] = appended;
    }
    return columns;
  }

  #sample(tick: number, tickMs: number): Answers['sample'] {
    const sequences = new Float64Array(SENSORS);
    for (let sensor = 0; sensor < SENSORS; sensor++) {
      const bits = bitsAt(sensor, tick);
      sequences[sensor] = appendTo(this.#streamOf(sensor), bits, timeAt(sensor, tickMs, bits));
    }
    const gauge = this.#gauge();
    this.#watch.checkThreshold(gauge.usedSectors, gauge.sectors);
    return { sequences, gauge };
  }

  #gauge(): Gauge {
    const { poolUsedSectors: usedSectors, poolSectors: sectors, atRisk, diskBytes } = this.#store.stats();
    const { bytesWritten, syncs, deviceBytes } = this.#meter;
    const { fileBytesMax } = this.#disk;
    const kernelBytes = Number(/write_bytes: (\d+)/.exec(readFileSync('/proc/self/io', 'latin1'))?.[1] ?? 0);
    return { usedSectors, sectors, atRisk, diskBytes, bytesWritten, syncs, deviceBytes, fileBytesMax, kernelBytes };
  }

  async #read(records: number): Promise<Answers['read']> {
    let left = records;
    let failed = 0;
    for (let turn = 0; turn < SENSORS && left > 0; turn++) {
      const stream = this.#streamOf(this.#next);
      this.#next = (this.#next + 1) % SENSORS;
      const batch = await stream.read(Math.min(left, BATCH_MAX)).catch(() => null);
      if (batch === null) failed++;
      else if (batch.length > 0) {
        this.#pending.push(batch);
        left -= batch.length;
      }
    }
    const batches = this.#pending.map(
      ({ sensor, sequences, epochs, timesMs, bits }): ReadBatch => ({ sensor, sequences, epochs, timesMs, bits }),
    );
    return { batches, failed, ledger: this.#store.ledger().entries };
  }

  #acknowledge(): Answers['acknowledge'] {
    const left = this.#pending.map((batch): [number, number] => [
      batch.sensor,
      this.#streamOf(batch.sensor).acknowledge(batch),
    ]);
    this.#pending = [];
    return { left };
  }

  async #flush(): Promise<Answers['flush']> {
    this.#watch.ask();
    return this.#store.flush().then(
      () => ({ well: true }),
      // All of it is still in RAM; the parent decides what that means.
      () => ({ well: false }),
    );
  }
}

/** Serves its parent until the parent is gone. */
export function serveParent(): void {
  const send = (message: object): void => {
    process.send?.(message);
  };
  const store = new StoringProcess(send);
  process.on('message', (request: Request) => {
    store.answer(request).then(
      (answer) => send({ answer }),
      (error: unknown) => send({ refused: error instanceof Error ? error.message : String(error) }),
    );
  });
  // What a parent that was killed leaves must not go on writing.
  process.on('disconnect', () => process.exit());
}
