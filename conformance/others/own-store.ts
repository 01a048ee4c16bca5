/** The project's own store as checkStore sees somebody's: openStore behind the operations, on disk and in RAM. */
import { cp, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import type { SensorStream, Store, StoreOptions } from '../../src/store.ts';
import { openStore } from '../../src/store.ts';
import type { StoreMarks, StoreRecord, StoreUnderTest, StreamSpec } from './store-under-test.ts';

const SETTINGS: StoreOptions = {
  poolBytes: '16KiB',
  sectorBytes: 64,
  quotaBytes: '4MiB',
  freeFloorBytes: 0,
  streamsMax: 8,
};

/** A dead process's lock is nobody's; here the process lives on. */
const isLock = (root: string, path: string): boolean => relative(root, path).startsWith('lock');

/** Names and sizes of all files, to see that nothing changed. */
async function listing(root: string): Promise<string> {
  const found = await readdir(root, { recursive: true, withFileTypes: true });
  const files = found.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const sizes = await Promise.all(files.sort().map(async (path) => (await stat(path).catch(() => null))?.size));
  return files.map((path, i) => (isLock(root, path) ? '' : `${path} ${sizes[i]}`)).join('\n');
}

/** A file that goes meanwhile fails the copy; the listings differ then too. */
async function copyUnlocked(from: string, to: string): Promise<void> {
  await cp(from, to, { recursive: true, filter: (path) => !isLock(from, path) }).catch((error: { code?: string }) => {
    if (error.code !== 'ENOENT') throw error;
  });
}

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

  /** What a killed process leaves is what its directory holds at one moment: a copy during which nothing changed. */
  async crash(): Promise<void> {
    this.#left.push(this.#store);
    if (this.#directory === null) return;
    const from = join(this.#directory, `${this.#lives++}`);
    const to = join(this.#directory, `${this.#lives}`);
    for (let before = '', after = await listing(from); before !== after; ) {
      before = after;
      await rm(to, { recursive: true, force: true });
      await copyUnlocked(from, to);
      after = await listing(from);
    }
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
