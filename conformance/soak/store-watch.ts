/**
 * Listens to a store and judges at once what can be judged at once: at which use of the pool it asks for a flush (INV-08),
 * and which segment it evicts (INV-11). What it promises is passed on to who keeps the account.
 */
import type { LossEntry, Store } from '../../src/index.ts';
import type { FindingKind } from './findings.ts';

/** Hears what a store promised, and what of it was wrong. */
export interface WatchListener {
  /** @param asked whether the run had asked for it, and not the store by itself. */
  readonly flushed: (asked: boolean, words: string) => void;
  readonly flushFailed: () => void;
  /** Head marks up to these are durable. */
  readonly checkpointed: (heads: readonly { readonly sensor: number; readonly head: number }[]) => void;
  readonly evicted: (words: string) => void;
  /** The ledger has changed. */
  readonly ledger: (entries: readonly LossEntry[]) => void;
  readonly finding: (kind: FindingKind, message: string) => void;
}

const FLUSH_AT_PERCENT = 80;

export class StoreWatch {
  readonly #store: Store;
  readonly #listener: WatchListener;
  /** The run has asked for a flush that has not ended. */
  #asked = false;
  /** A flush failed since the last that went well: the next is asked for by the retry, whatever the pool's use. */
  #retrying = false;

  constructor(store: Store, listener: WatchListener) {
    this.#store = store;
    this.#listener = listener;
    store.on('flushRequested', () => this.#flushRequested());
    store.on('flushed', ({ flush, records, segments, bytes }) => {
      const asked = this.#asked;
      this.#asked = false;
      this.#retrying = false;
      listener.flushed(asked, `flush ${flush}: ${records} records, ${segments} segments, ${bytes} bytes`);
    });
    store.on('flushFailed', () => {
      this.#retrying = true;
      listener.flushFailed();
    });
    store.on('checkpointed', ({ heads }) => listener.checkpointed(heads));
    store.on('segmentEvicted', ({ segment, records }) => this.#evicted(segment, records));
    store.on('damaged', () => listener.ledger(store.ledger().entries));
  }

  /** The run asks for the next flush. */
  ask(): void {
    this.#asked = true;
  }

  /** Asked for by an append: then it is the append that brought the pool to 80 %, not one before and none after. */
  #flushRequested(): void {
    if (this.#asked || this.#retrying) return;
    const { poolUsedSectors: used, poolSectors: sectors } = this.#store.stats();
    const reached = used * 100 >= FLUSH_AT_PERCENT * sectors;
    const before = (used - 1) * 100 >= FLUSH_AT_PERCENT * sectors;
    if (!reached || before)
      this.#listener.finding('threshold', `a flush was asked for at ${used} of ${sectors} sectors`);
  }

  /** Pool use at or above 80 % means that a flush is running, asked for, or waiting for its retry. */
  checkThreshold(usedSectors: number, sectors: number): void {
    if (usedSectors * 100 < FLUSH_AT_PERCENT * sectors) return;
    const { flushRequested, flushRunning, retryWaiting } = this.#store.inspect();
    if (flushRequested || flushRunning || retryWaiting) return;
    this.#listener.finding('threshold', `${usedSectors} of ${sectors} sectors are in use, and nobody asks for a flush`);
  }

  /** The oldest must go first: no older segment may hold a record that is still retained. */
  #evicted(segment: number, records: number): void {
    this.#listener.ledger(this.#store.ledger().entries);
    const { segments, streams } = this.#store.inspect();
    const heads = new Map(streams.map(({ sensor, head }) => [sensor, head]));
    const older = segments.find(
      ({ number, blocks }) => number < segment && blocks.some(({ sensor, to }) => to > (heads.get(sensor) ?? 0)),
    );
    if (older !== undefined) {
      const message = `segment ${segment} was evicted, and ${older.number} is older and still retained`;
      this.#listener.finding('eviction', message);
    }
    this.#listener.evicted(`evicted segment ${segment}: ${records} records`);
  }
}
