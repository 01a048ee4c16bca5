/**
 * The store behind the old calls while it is open: its sensors and sources, and what a write, a read, an erase is there.
 * Throws StoreError where the store does; the manager turns that into codes.
 */
import { refusalCode } from '../core/codes.ts';
import { bitsOfValue } from '../core/record-batch.ts';
import type { Source, StreamOptions } from '../core/types.ts';
import type { SensorStream, Store } from '../store.ts';
import type { ResultCode } from './codes.ts';
import { CODE_OF, DISK_FULL, INSUFFICIENT_SPACE, INVALID_PARAMETER, SUCCESS } from './codes.ts';
import type { Target } from './shapes.ts';
import { optionsOf } from './shapes.ts';
import { LegacySource } from './source.ts';
import { LegacyStream } from './stream.ts';

/** A value for a sensor. */
export interface Sample {
  readonly target: Target;
  readonly value: number;
}

export class Session {
  readonly store: Store;
  /** UTC milliseconds for a record without a time. */
  readonly now: () => number;
  readonly #sources = { host: new LegacySource(), mgc: new LegacySource(), can_controller: new LegacySource() };
  readonly #streams = new Map<string, LegacyStream>();
  /** Why the last flush failed; null when it did not. */
  #diskRefused: 'full' | 'failed' | null = null;

  constructor(store: Store, now: () => number) {
    this.store = store;
    this.now = now;
    store.on('flushFailed', ({ code }) => {
      this.#diskRefused = code === 'NO_SPACE' ? 'full' : 'failed';
    });
    store.on('flushed', () => {
      this.#diskRefused = null;
    });
    this.#adopt();
  }

  source(source: Source): LegacySource {
    return this.#sources[source];
  }

  /**
   * The record behind those that were handed out of a source, or null.
   * @throws StoreError IO_FAILED, CLOSED; nothing has changed then.
   */
  read(source: Source): ReturnType<LegacySource['read']> {
    const records = this.#sources[source];
    return records.read() ?? (this.#adopt() ? records.read() : null);
  }

  /** Takes in sensors that the program made in the store itself. @returns whether there was one. */
  #adopt(): boolean {
    const known = this.#streams.size;
    for (const sensor of this.store.streams().slice(known)) this.#add(sensor);
    return this.#streams.size > known;
  }

  /** The sensor when it has ever been written, or null. */
  find(target: Pick<Target, 'source' | 'sensor'>): LegacyStream | null {
    const name = `${target.source}/${target.sensor}`;
    return this.#streams.get(name) ?? (this.#adopt() ? (this.#streams.get(name) ?? null) : null);
  }

  #add(sensor: SensorStream): LegacyStream {
    const stream = new LegacyStream(sensor, this.#streams.size);
    this.#streams.set(`${sensor.source}/${sensor.sensor}`, stream);
    this.#sources[sensor.source].add(stream);
    return stream;
  }

  /** The sensor as the caller describes it, made when it is new. @throws StoreError KIND_MISMATCH, TOO_MANY_STREAMS. */
  #open(target: Target): LegacyStream {
    const known = this.find(target);
    const sensor = this.store.stream(
      target.source,
      target.sensor,
      optionsOf(target, known === null ? null : shapeOf(known.sensor)),
    );
    return known ?? this.#add(sensor);
  }

  /**
   * Writes samples of one time: all of them, or none and the code that says why.
   * @throws StoreError as #open; then none is written.
   */
  write(samples: readonly Sample[], timeMs: number): ResultCode {
    // Looked at before a sensor is made for it, so that a refused value leaves nothing behind.
    if (!samples.every((sample) => this.#isOfType(sample))) return INVALID_PARAMETER;
    const streams = samples.map(({ target }) => this.#open(target));
    if (samples.length > 1 && !this.#hasRoomFor(samples.length)) return this.#full();
    for (const [i, { value }] of samples.entries()) {
      const stream = streams[i] as LegacyStream;
      // Of several only the first can be refused, for its time: all have the same, and there is room for all.
      const refused = refusalCode(stream.sensor.append(value, timeMs));
      if (refused !== null) return refused === 'RAM_FULL' ? this.#full() : CODE_OF[refused];
      this.source(stream.sensor.source).written(stream);
    }
    return SUCCESS;
  }

  #isOfType({ target, value }: Sample): boolean {
    const type = target.type ?? this.find(target)?.sensor.type ?? 'uint32';
    return bitsOfValue(value, type) >= 0;
  }

  /** Whether so many records fit for sure: each takes one sector at most. Without a disk the oldest makes room. */
  #hasRoomFor(records: number): boolean {
    const { poolSectors, poolUsedSectors, diskBytes } = this.store.stats();
    return diskBytes === 0 || poolSectors - poolUsedSectors >= records;
  }

  #full(): ResultCode {
    return this.#diskRefused === 'full' ? DISK_FULL : INSUFFICIENT_SPACE;
  }
}

function shapeOf({ kind, periodMs, type }: SensorStream): StreamOptions {
  return kind === 'tsd' ? { kind, periodMs, type } : { kind, type };
}
