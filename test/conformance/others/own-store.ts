/** The project's own store as checkStore sees somebody's: openStore behind the operations, on disk and in RAM. */
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import type { StoreMarks, StoreRecord, StoreUnderTest, StreamSpec } from '../../../conformance/index.ts';
import type { SensorStream, Store, StoreOptions } from '../../../src/index.ts';
import { openStore } from '../../../src/index.ts';

const SETTINGS: StoreOptions = {
  poolBytes: '16KiB',
  sectorBytes: 64,
  quotaBytes: '4MiB',
  freeFloorBytes: 0,
  streamsMax: 8,
};

class OwnStore implements StoreUnderTest {
  readonly #streams: readonly StreamSpec[];
  /** Null in RAM. */
  #directory: string | null;
  #lives = 0;
  readonly #left: Store[] = [];
  #store!: Store;
  #handles: SensorStream[] = [];

  constructor(streams: readonly StreamSpec[], directory: string | null) {
    this.#streams = streams;
    this.#directory = directory;
  }

  async recover(): Promise<void> {
    this.#store = await openStore(
      this.#directory === null ? SETTINGS : { ...SETTINGS, directory: join(this.#directory, `${this.#lives}`) },
    );
    this.#handles = this.#streams.map(({ source, sensor, kind, periodMs, type }) =>
      this.#store.stream(source, sensor, { kind, type, ...(kind === 'tsd' ? { periodMs } : {}) }),
    );
  }

  #handle(stream: number): SensorStream {
    return this.#handles[stream] as SensorStream;
  }

  append(stream: number, bits: number, timeMs: number) {
    const sequence = this.#handle(stream).appendBits(bits, timeMs);
    return sequence >= 0 ? sequence : ({ refused: 'RAM_FULL' } as const);
  }

  async read(stream: number, max: number): Promise<StoreRecord[]> {
    const { sequences, epochs, bits, timesMs } = await this.#handle(stream).read(max);
    return Array.from(bits, (each, i) => ({
      bits: each,
      timeMs: timesMs[i] as number,
      sequence: sequences[i],
      epoch: epochs[i],
    }));
  }

  acknowledge(stream: number, n: number): void {
    this.#handle(stream).acknowledge(n);
  }

  revert(stream: number): void {
    this.#handle(stream).revert();
  }

  discard(stream: number, n: number): void {
    this.#handle(stream).discard(n);
  }

  flush(): Promise<void> {
    return this.#store.flush();
  }

  /** What a killed process leaves is what its directory holds at that moment: a copy of it. */
  async crash(): Promise<void> {
    this.#left.push(this.#store);
    if (this.#directory === null) return;
    const from = join(this.#directory, `${this.#lives++}`);
    // A dead process's lock is nobody's; in this test the process lives on.
    const filter = (path: string): boolean => !relative(from, path).startsWith('lock');
    await cp(from, join(this.#directory, `${this.#lives}`), { recursive: true, filter });
  }

  inspect(): StoreMarks {
    const { evicted, damaged } = this.#store.stats();
    const { streams } = this.#store.inspect();
    const of = ({ source, sensor }: StreamSpec) =>
      streams.find((stream) => stream.source === source && stream.sensor === sensor);
    return {
      streams: this.#streams.map((stream) => {
        const { head = 0, read = 0, appended = 0, synced = 0 } = of(stream) ?? {};
        return { head, read, appended, synced };
      }),
      lost: evicted + damaged,
    };
  }

  async close(): Promise<void> {
    for (const store of [...this.#left, this.#store]) await store.close();
    if (this.#directory !== null) await rm(this.#directory, { recursive: true });
  }
}

export async function ownStore(streams: readonly StreamSpec[], where: 'disk' | 'ram'): Promise<StoreUnderTest> {
  const directory = where === 'ram' ? null : await mkdtemp(join(tmpdir(), 'imatrix-mm-store-'));
  const store = new OwnStore(streams, directory);
  await store.recover();
  return store;
}
