/**
 * Who hears what a store does: one listener from the first moment on (`onEvent`), listeners by type (`store.on`), and
 * node's diagnostics channels. What the engine announces comes first; what only the shell around it knows is added here.
 */
import diagnostics_channel from 'node:diagnostics_channel';
import type { Code } from './core/codes.ts';
import type { EngineEvent, StreamKey } from './core/types.ts';

/** Everything that a store announces. */
export type StoreEvent =
  | EngineEvent
  /** The store is being opened; `recovered` or `recoveryFailed` follows. */
  | { readonly type: 'recoveryStarted' }
  /** It could not be opened; openStore throws the same. */
  | { readonly type: 'recoveryFailed'; readonly code: Code; readonly message: string }
  /** An acknowledge was refused and changed nothing; the call throws the same. */
  | { readonly type: 'acknowledgeRefused'; readonly key: StreamKey; readonly code: Code; readonly message: string };

export type EventOf<T extends StoreEvent['type']> = Extract<StoreEvent, { type: T }>;

const EVENT_TYPES = [
  'recoveryStarted',
  'recovered',
  'recoveryFailed',
  'flushRequested',
  'flushStarted',
  'flushed',
  'flushFailed',
  'checkpointed',
  'evictionStarted',
  'segmentEvicted',
  'sectorEvicted',
  'segmentRemoved',
  'acknowledgeRefused',
  'damaged',
  'closed',
] as const satisfies readonly StoreEvent['type'][];

/** Channels `imatrix-memory-manager:<type>`; a message is { storeId, event }, the id null while it is not known. */
const CHANNELS = new Map(
  EVENT_TYPES.map((type) => [type, diagnostics_channel.channel(`imatrix-memory-manager:${type}`)] as const),
);

export class Announcer {
  readonly #onEvent: ((event: StoreEvent) => void) | null;
  #storeId: string | null = null;
  /** What happened before the store's id was known: recovery's own events. */
  #early: StoreEvent[] = [];
  readonly #listeners = new Map<StoreEvent['type'], Set<(event: StoreEvent) => void>>();

  constructor(onEvent: ((event: StoreEvent) => void) | null = null) {
    this.#onEvent = onEvent;
  }

  on(type: StoreEvent['type'], listener: (event: StoreEvent) => void): () => void {
    const set = this.#listeners.get(type) ?? new Set();
    this.#listeners.set(type, set);
    set.add(listener);
    return () => set.delete(listener);
  }

  /** The store is open under this id: the channels are told what happened before. */
  begin(storeId: string): void {
    this.#storeId = storeId;
    const early = this.#early;
    this.#early = [];
    for (const event of early) this.#publish(event);
  }

  /** Opening begins or has failed: no id is known, and who waits for one would never hear of it. */
  opening(event: EventOf<'recoveryStarted' | 'recoveryFailed'>): void {
    this.#tell(this.#onEvent, event);
    this.#publish(event);
  }

  announce(event: StoreEvent): void {
    this.#tell(this.#onEvent, event);
    if (this.#storeId === null) {
      this.#early.push(event);
      return;
    }
    this.#publish(event);
    for (const listener of this.#listeners.get(event.type) ?? []) this.#tell(listener, event);
  }

  #publish(event: StoreEvent): void {
    const channel = CHANNELS.get(event.type);
    if (channel?.hasSubscribers === true) channel.publish({ storeId: this.#storeId, event });
  }

  #tell(listener: ((event: StoreEvent) => void) | null, event: StoreEvent): void {
    try {
      listener?.(event);
    } catch (error) {
      // The other listeners hear the event all the same; the error comes up by itself, as an unhandled rejection.
      void Promise.reject(error);
    }
  }
}
