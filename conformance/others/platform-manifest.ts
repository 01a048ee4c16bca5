/** What checkPlatform is given: how an adapter is made, and what can be done to it. */
import type { Platform } from '../../src/core/port.ts';
import type { InjectedFault, Offer } from './laws/law.ts';
import type { MaybePromise } from './store-under-test.ts';

/**
 * A platform on a storage. The same name is the same storage; one that was never named is empty, and stays reserved for
 * the check until `dispose`.
 */
export type MakePlatform = (storage: string) => MaybePromise<Platform>;

/** What can be done to the adapter beside using it. All of it may be left out. */
export interface PlatformManifest {
  /** For messages; default the platform's own name. */
  readonly name?: string;
  /**
   * What a crash can be without help. `kill` (default): the adapter is dropped, its lock is given back for it, and a
   * new one finds the storage as it was left. `none`: not even that; then only `cutPower` crashes.
   */
  readonly crash?: 'kill' | 'none';
  /** Loses what of this storage is not synced, and its lock. Adapters made on it before are not used again. */
  readonly cutPower?: (storage: string) => MaybePromise<unknown>;
  /** Makes the next such operation on this storage fail with this code; null: none does any more. */
  readonly injectFault?: (storage: string, fault: InjectedFault | null) => MaybePromise<unknown>;
  /** Lets this much time pass for `after`; default: real time. */
  readonly elapse?: (ms: number) => MaybePromise<unknown>;
  /** The storage is not needed any more. */
  readonly dispose?: (storage: string) => MaybePromise<unknown>;
}

/** An adapter under check. */
export interface Adapter {
  readonly makePlatform: MakePlatform;
  readonly manifest: PlatformManifest;
  /** How long one operation may take. */
  readonly timeoutMs: number;
}

/** What can be tried with this adapter beside using it. */
export function offersOf({ crash = 'kill', cutPower, injectFault }: PlatformManifest): ReadonlySet<Offer> {
  const offers: Offer[] = [];
  if (crash === 'kill') offers.push('kill');
  if (cutPower !== undefined) offers.push('power');
  if (injectFault !== undefined) offers.push('faults');
  return new Set(offers);
}
