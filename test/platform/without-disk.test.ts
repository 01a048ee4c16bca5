// Goal: the platforms without a disk are what the port says, and carry the engine as a store in RAM. Method: the check
// that the adapters with a disk pass; of the laws, those that need none.
import { expect, test } from 'vitest';
import { checkPlatform } from '../../conformance/index.ts';
import { createRamPlatform } from '../../src/platform/ram.ts';
import { createWicedPlatform } from '../../src/platform/wiced.ts';

test.each([
  ['RAM on Node', () => createRamPlatform()],
  [
    'a microcontroller',
    () => createWicedPlatform({ clock: () => 7, storeId: () => crypto.getRandomValues(new Uint8Array(16)) }),
  ],
])('%s keeps the laws of a platform and carries the engine', async (name, makePlatform) => {
  const { laws, steps } = await checkPlatform(makePlatform, { name }, { seed: 22, runs: 60, log: () => {} });
  expect(laws).toEqual(['PORT-25', 'PORT-26', 'PORT-27']);
  expect(steps).toBeGreaterThan(1_000);
});
