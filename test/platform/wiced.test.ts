// Goal: the platform without a disk needs nothing but the language and never gives an identity twice.
// Method: run it in a realm that has nothing else, and ask it for many identities.
import { readFileSync } from 'node:fs';
import { runInNewContext } from 'node:vm';
import { transformSync } from 'esbuild';
import { expect, test } from 'vitest';
import { createWicedPlatform } from '../../src/platform/wiced.ts';

const ID = Uint8Array.from({ length: 16 }, (_, index) => index);

test('has no disk, the clock it was given and whole milliseconds', () => {
  let now = 1_700_000_000_000.75;
  const platform = createWicedPlatform({ clock: () => now, storeId: ID });
  expect(platform.disk).toBeNull();
  expect(platform.name).toBe('wiced');
  expect(platform.nowMs()).toBe(1_700_000_000_000);
  now = 5;
  expect(platform.nowMs()).toBe(5);
});

test('gives each store its own identity, the first one as it was given', () => {
  const given = ID.slice();
  const platform = createWicedPlatform({ clock: () => 0, storeId: given });
  given.fill(0);
  const ids = Array.from({ length: 1_000 }, () => Buffer.from(platform.newStoreId()).toString('hex'));
  expect(ids[0]).toBe(Buffer.from(ID).toString('hex'));
  expect(new Set(ids).size).toBe(1_000);
});

test('asks the source of identities each time', () => {
  let asked = 0;
  const platform = createWicedPlatform({ clock: () => 0, storeId: () => new Uint8Array(16).fill(++asked) });
  expect(platform.newStoreId()).toEqual(new Uint8Array(16).fill(1));
  expect(platform.newStoreId()).toEqual(new Uint8Array(16).fill(2));
});

test('refuses an identity that is not 16 bytes, and a missing clock, in one line', () => {
  const clock = (): number => 0;
  expect(() => createWicedPlatform({ clock, storeId: new Uint8Array(15) })).toThrow('storeId: 16 bytes');
  expect(() => createWicedPlatform({ clock, storeId: 'abc' as never })).toThrow('storeId: 16 bytes');
  expect(() => createWicedPlatform({ clock, storeId: () => new Uint8Array(4) }).newStoreId()).toThrow(
    'storeId: 16 bytes',
  );
  expect(() => createWicedPlatform({ storeId: ID } as never)).toThrow('clock:');
});

test('runs where there is nothing but the language', () => {
  const source = readFileSync(new URL('../../src/platform/wiced.ts', import.meta.url), 'utf8');
  const { code } = transformSync(source, { loader: 'ts', format: 'iife', globalName: 'wiced' });
  // A new realm has the globals of ECMAScript and no others.
  const given = runInNewContext(`${code}
    const platform = wiced.createWicedPlatform({ clock: () => 7, storeId: new Uint8Array(16) });
    [typeof setTimeout, platform.nowMs(), platform.newStoreId().length].join();`);
  expect(given).toBe('undefined,7,16');
});
