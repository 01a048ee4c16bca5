/**
 * What a running store did and how it is doing, as plain figures that can go to another process: its own statistics, and
 * what only its events tell. src/metrics makes Prometheus metrics of them; src/live.ts gives them to other processes.
 *
 * It listens to events that are rare beside appends, and looks at the statistics once a minute. Appends are timed from
 * the first time that somebody asks, so that a store of which nobody asks does not pay for it.
 */
import type { RecoveryReport, Stats } from './core/types.ts';
import type { Store } from './store.ts';

/** What happened since the meter was made, beside Stats. */
export interface Activity {
  /** In the last 60 minutes, to the minute. */
  readonly flushesLastHour: number;
  /** Of the appends and flushes of the last 60 minutes, and the acknowledges refused in it, the share that went wrong. */
  readonly errorRate: number;
  readonly acknowledgesRefused: number;
  readonly segmentsEvicted: number;
  /** Ranges of records found damaged while it ran. */
  readonly damagedRanges: number;
  readonly longestFlushMs: number;
  /** Since somebody first asked. */
  readonly longestAppendMs: number;
}

/** A store at one moment, for operators. Plain data: JSON and back gives the same. */
export interface StoreFigures {
  readonly storeId: string;
  readonly epoch: number;
  /** False for a store without a disk. */
  readonly disk: boolean;
  readonly stats: Stats;
  readonly recovery: Pick<RecoveryReport, 'found' | 'records' | 'salvagedRecords' | 'damagedRecords'> & {
    /** How many files. */
    readonly setAside: number;
  };
  /** Null for a store that was looked at on disk: nothing of it runs. */
  readonly activity: Activity | null;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** Counts since the store was opened, at one moment. */
interface Sample {
  readonly atMs: number;
  readonly flushes: number;
  readonly operations: number;
  readonly errors: number;
}

export interface MeterOptions {
  /** Milliseconds since any moment; never goes back. For tests. */
  readonly elapsedMs?: () => number;
}

export class StoreMeter {
  readonly #store: Store;
  readonly #elapsedMs: () => number;
  readonly #offs: readonly (() => void)[];
  readonly #timer: NodeJS.Timeout;
  /** One a minute, oldest first; the first one is where the hour begins. */
  readonly #samples: Sample[];
  #acknowledgesRefused = 0;
  #segmentsEvicted = 0;
  #damagedRanges = 0;
  #longestFlushMs = 0;

  /** @param store as soon as it is open, so that nothing of its first hour is missed. */
  constructor(store: Store, { elapsedMs = () => performance.now() }: MeterOptions = {}) {
    this.#store = store;
    this.#elapsedMs = elapsedMs;
    this.#offs = [
      store.on('acknowledgeRefused', () => {
        this.#acknowledgesRefused++;
      }),
      store.on('segmentEvicted', () => {
        this.#segmentsEvicted++;
      }),
      store.on('damaged', () => {
        this.#damagedRanges++;
      }),
      store.on('flushed', ({ durationMs }) => {
        this.#longestFlushMs = Math.max(this.#longestFlushMs, durationMs);
      }),
      store.on('closed', () => clearInterval(this.#timer)),
    ];
    this.#samples = [this.#sample()];
    this.#timer = setInterval(() => this.tick(), MINUTE_MS);
    // Counting keeps no process alive.
    this.#timer.unref();
  }

  #sample(): Sample {
    const { appended, refusedRamFull, flushes, flushFailures } = this.#store.stats();
    const errors = refusedRamFull + flushFailures + this.#acknowledgesRefused;
    return { atMs: this.#elapsedMs(), flushes, errors, operations: appended + flushes + errors };
  }

  /** Once a minute, by its own timer. */
  tick(): void {
    const sample = this.#sample();
    this.#samples.push(sample);
    // The newest one that is an hour old is where the hour begins; those before it are over.
    while ((this.#samples[1]?.atMs ?? Number.POSITIVE_INFINITY) <= sample.atMs - HOUR_MS) this.#samples.shift();
  }

  figures(): StoreFigures {
    const store = this.#store;
    store.timeAppends();
    const { found, records, salvagedRecords, damagedRecords, setAside } = store.recovery;
    const stats = store.stats();
    return {
      storeId: store.storeId,
      epoch: store.epoch,
      // A store with a disk has its log there from the first moment on.
      disk: stats.diskBytes > 0,
      stats,
      recovery: { found, records, salvagedRecords, damagedRecords, setAside: setAside.length },
      activity: this.#activity(),
    };
  }

  #activity(): Activity {
    const now = this.#sample();
    const begin = this.#samples.findLast(({ atMs }) => atMs <= now.atMs - HOUR_MS) ?? (this.#samples[0] as Sample);
    const operations = now.operations - begin.operations;
    return {
      flushesLastHour: now.flushes - begin.flushes,
      errorRate: operations === 0 ? 0 : (now.errors - begin.errors) / operations,
      acknowledgesRefused: this.#acknowledgesRefused,
      segmentsEvicted: this.#segmentsEvicted,
      damagedRanges: this.#damagedRanges,
      longestFlushMs: this.#longestFlushMs,
      longestAppendMs: this.#store.longestAppendMs ?? 0,
    };
  }

  /** Listens and counts no more; figures stay what they are. */
  stop(): void {
    clearInterval(this.#timer);
    for (const off of this.#offs) off();
  }
}
