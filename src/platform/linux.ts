/**
 * The platform of a gateway: node's file system, clock, randomness and checksum.
 *
 * Made of linux-disk.ts (the disk), process-lock.ts (one process at a time), process-identity.ts (is the holder still
 * there), open-files.ts (descriptors) and io-error.ts (what the system said).
 */
import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import { performance } from 'node:perf_hooks';
import { crc32 } from 'node:zlib';
import type { Platform } from '../core/port.ts';
import { LinuxDisk } from './linux-disk.ts';

const STORE_ID_BYTES = 16;

export interface LinuxPlatformOptions {
  /** The store's directory; made when it is missing. Relative to the working directory of this moment. */
  readonly directory: string;
  /** UTC milliseconds; a fraction is cut off. Default: the system's clock. */
  readonly clock?: () => number;
}

/** A platform over one directory. Nothing is touched on disk before `disk.lock()`. */
export function createLinuxPlatform(options: LinuxPlatformOptions): Platform {
  const clock = options.clock ?? Date.now;
  return {
    name: 'linux',
    disk: new LinuxDisk(resolve(options.directory)),
    nowMs: () => Math.trunc(clock()),
    elapsedMs: () => performance.now(),
    newStoreId: () => new Uint8Array(randomBytes(STORE_ID_BYTES)),
    crc32: (bytes, seed) => crc32(bytes, seed),
  };
}
