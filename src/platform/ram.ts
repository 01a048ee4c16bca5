/**
 * A Node platform without a disk: for a store that is RAM only by choice, and for trying the library out.
 * Full, it drops its oldest records into the ledger; a restart begins anew under a new store id.
 */
import { randomBytes } from 'node:crypto';
import type { Platform } from '../core/port.ts';

export function createRamPlatform({ clock = Date.now }: { readonly clock?: () => number } = {}): Platform {
  return {
    name: 'node-ram',
    disk: null,
    nowMs: clock,
    newStoreId: () => new Uint8Array(randomBytes(16)),
  };
}
