/**
 * What is given to checkPlatform and checkStore, looked at before anything is asked of it: something that is missing, or
 * of another form, is one line that names it and says what to give, and not a law that seems to be broken.
 *
 * @throws each of them a TypeError or RangeError of one line.
 */
import type { DiskPort, Platform } from '../../src/core/port.ts';
import { KINDS } from '../../src/core/types.ts';
import type { StoreManifest } from './check-store.ts';
import type { PlatformManifest } from './platform-manifest.ts';
import type { OptionalOperation, StoreTraits, StoreUnderTest } from './store-under-test.ts';
import { OPTIONAL_OPERATIONS } from './store-under-test.ts';

/** All but `readNow` and `readOnce`, which may be left out. */
const DISK_OPERATIONS = [
  'lock',
  'unlock',
  'list',
  'read',
  'write',
  'sync',
  'syncDirectory',
  'remove',
  'rename',
  'freeBytes',
  'after',
] as const satisfies readonly (keyof DiskPort)[];
const IN_MANIFEST = ['cutPower', 'injectFault', 'elapse', 'dispose'] as const;
const CRASHES: readonly unknown[] = [undefined, 'kill', 'none'];

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

export function mustBePlatformManifest(manifest: PlatformManifest): void {
  for (const name of IN_MANIFEST) {
    const given: unknown = manifest[name];
    if (given !== undefined && typeof given !== 'function')
      throw new TypeError(
        `manifest.${name} is ${String(given)}: give a function of the storage's name, or leave it out`,
      );
  }
  if (!CRASHES.includes(manifest.crash))
    throw new TypeError(`manifest.crash is ${String(manifest.crash)}: give 'kill' or 'none', or leave it out`);
}

export function mustBePlatform(given: unknown): asserts given is Platform {
  if (!isObject(given))
    throw new TypeError(`makePlatform gave ${String(given)}: a platform is needed, with disk, nowMs and newStoreId`);
  const platform: Partial<Platform> = given;
  for (const name of ['nowMs', 'newStoreId'] as const) {
    if (typeof platform[name] !== 'function')
      throw new TypeError(`the platform has no ${name}: add it, as the type Platform of imatrix-memory-manager has it`);
  }
  const { disk } = platform;
  if (disk === null) return;
  if (!isObject(disk))
    throw new TypeError(`the platform's disk is ${String(disk)}: give a disk, or null for a store in RAM`);
  const missing = DISK_OPERATIONS.find((name) => typeof (disk as Partial<DiskPort>)[name] !== 'function');
  if (missing !== undefined)
    throw new TypeError(
      `the platform's disk has no ${missing}: add it, as the type DiskPort of imatrix-memory-manager has it`,
    );
}

/** What a store says of itself, by its manifest and its methods. */
export function traitsOf(manifest: StoreManifest, store: StoreUnderTest): StoreTraits {
  for (const operation of ['append', 'read', 'acknowledge'] as const) {
    if (typeof store?.[operation] !== 'function')
      throw new TypeError(`${operation}: a store must have this operation, the one that was made has not`);
  }
  const has = (operation: OptionalOperation): boolean =>
    typeof store[operation] === 'function' && (operation !== 'crash' || typeof store.recover === 'function');
  const supports = manifest.supports ?? OPTIONAL_OPERATIONS.filter(has);
  const missing = supports.find((operation) => !has(operation));
  if (missing !== undefined) {
    const what = missing === 'crash' ? 'crash and recover' : missing;
    throw new TypeError(
      `manifest.supports names ${missing}, but the store has no ${what}: add the operation, or take it off the list`,
    );
  }
  const { durable, kinds = ['evt'], streamsMax = 4, capacityRecords = Number.POSITIVE_INFINITY } = manifest;
  return { durable, kinds, streamsMax, capacityRecords, supports: new Set(supports) };
}

export function mustBeStoreManifest(manifest: StoreManifest): void {
  if (typeof manifest?.durable !== 'boolean')
    throw new TypeError('manifest.durable: say true or false, whether what was flushed survives a crash');
  const { kinds, supports, streamsMax = 1, capacityRecords = 1 } = manifest;
  mustBeSome('kinds', kinds, KINDS);
  if (kinds?.length === 0) throw new TypeError('manifest.kinds is empty: give evt, tsd or both, or leave it out');
  mustBeSome('supports', supports, OPTIONAL_OPERATIONS);
  if (!Number.isSafeInteger(streamsMax) || streamsMax < 1)
    throw new RangeError(`manifest.streamsMax is ${streamsMax}: give a whole number from 1`);
  const bounded = capacityRecords !== Number.POSITIVE_INFINITY;
  if (bounded && (!Number.isSafeInteger(capacityRecords) || capacityRecords < 1))
    throw new RangeError(`manifest.capacityRecords is ${capacityRecords}: give a whole number from 1, or leave it out`);
}

function mustBeSome(field: string, given: readonly string[] | undefined, names: readonly string[]): void {
  if (given !== undefined && !Array.isArray(given))
    throw new TypeError(`manifest.${field} is no list: give some of ${names.join(', ')}, or leave it out`);
  const unknown = given?.find((name) => !names.includes(name));
  if (unknown !== undefined)
    throw new TypeError(`manifest.${field} names ${unknown}: it is none of ${names.join(', ')}`);
}
