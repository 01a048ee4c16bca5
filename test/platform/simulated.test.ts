// Goal: the simulated disk is a disk like every other, so that what the conformance run finds on it holds on a real one.
// Method: the check that the Linux adapter passes, with the power cuts and faults that only this one can have.
import { expect, test } from 'vitest';
import { checkPlatform } from '../../conformance/index.ts';
import { simulatedPlatforms } from '../../conformance/others/own-platforms.ts';

test('keeps every law of the port and carries the engine', async () => {
  const { makePlatform, manifest } = simulatedPlatforms('the simulated disk');
  const { notTried, steps } = await checkPlatform(makePlatform, manifest, { seed: 21, runs: 100, log: () => {} });
  expect(notTried).toEqual([]);
  expect(steps).toBeGreaterThan(3_000);
});
