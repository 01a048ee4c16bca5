// Goal: the platforms without a disk are what the port says, and carry the engine as a store in RAM. Method: the check
// that the adapters with a disk pass; of the laws, those that need none.
import { expect, test } from 'vitest';
import { checkPlatform } from '../../conformance/index.ts';
import { ramPlatforms, wicedPlatforms } from '../../conformance/others/own-platforms.ts';

test.each([ramPlatforms, wicedPlatforms])(
  '$manifest.name keeps the laws of a platform and carries the engine',
  async ({ makePlatform, manifest }) => {
    const { laws, steps } = await checkPlatform(makePlatform, manifest, { seed: 22, runs: 60, log: () => {} });
    expect(laws).toEqual(['PORT-25', 'PORT-26', 'PORT-27']);
    expect(steps).toBeGreaterThan(1_000);
  },
);
