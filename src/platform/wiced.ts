/**
 * The platform of a device without a disk: a clock and an identity, both given by the firmware that embeds the engine.
 *
 * Uses nothing but the language, so that it loads in a bare ECMAScript engine: no node:, no timers, no console.
 * It does not size anything: the 12 KiB budget is the engine's own setting.
 */
import type { Platform } from '../core/port.ts';

const STORE_ID_BYTES = 16;

export interface WicedPlatformOptions {
  /** UTC milliseconds of the device's clock; a fraction is cut off. May jump. */
  readonly clock: () => number;
  /**
   * 16 bytes, the identity of a store. Nothing survives a restart here, so every start must bring other ones: a
   * random source, or a boot counter kept by the firmware. Bytes serve the first store of this platform as they
   * are; each further store gets them with the last four counted up, so that no two share an identity.
   */
  readonly storeId: Uint8Array | (() => Uint8Array);
}

/** A RAM-only platform. Throws TypeError when an option is missing or a store id is not 16 bytes. */
export function createWicedPlatform(options: WicedPlatformOptions): Platform {
  const { clock, storeId } = options;
  if (typeof clock !== 'function') throw new TypeError('clock: a function that gives UTC milliseconds is needed');
  // Checked here as well, so that a wrong id stops the firmware's start and not its first store.
  const fixed = typeof storeId === 'function' ? null : checkedStoreId(storeId);
  let stores = 0;
  return {
    name: 'wiced',
    disk: null,
    nowMs: () => Math.trunc(clock()),
    newStoreId: () => (fixed === null ? checkedStoreId((storeId as () => Uint8Array)()) : countUp(fixed, stores++)),
  };
}

/** A copy, because the caller may use its buffer again. */
function checkedStoreId(bytes: Uint8Array): Uint8Array {
  if (!(bytes instanceof Uint8Array) || bytes.length !== STORE_ID_BYTES) {
    throw new TypeError(`storeId: ${STORE_ID_BYTES} bytes in a Uint8Array are needed`);
  }
  return bytes.slice();
}

function countUp(id: Uint8Array, by: number): Uint8Array {
  const counted = id.slice();
  const lastFour = new DataView(counted.buffer, STORE_ID_BYTES - 4);
  lastFour.setUint32(0, (lastFour.getUint32(0) + by) >>> 0);
  return counted;
}
