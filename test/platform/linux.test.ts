// Goal: the Linux adapter is a disk as the port describes it, and carries the whole engine through killed processes.
// Method: the conformance kit's own check of adapters on temporary directories. What only a real file system can do is
// met in linux-faults.test.ts.
import { expect, test } from 'vitest';
import { checkPlatform } from '../../conformance/index.ts';
import { linuxPlatforms } from '../../conformance/others/own-platforms.ts';
import type { DiskPort } from '../../src/core/port.ts';
import { createLinuxPlatform } from '../../src/platform/linux.ts';
import { temporaryDirectory } from './temporary.ts';

test('keeps every law of the port and carries the engine', async () => {
  const { makePlatform, manifest, remove } = await linuxPlatforms();
  try {
    const { laws, notTried, steps } = await checkPlatform(makePlatform, manifest, {
      seed: 20,
      runs: 30,
      log: () => {},
    });
    expect(laws).toHaveLength(29);
    // Nobody cuts this machine's power, and faults of a real disk are another file's business.
    expect(notTried).toEqual(['PORT-31', 'PORT-32', 'PORT-33', 'PORT-34', 'PORT-35', 'PORT-40']);
    expect(steps).toBeGreaterThan(500);
  } finally {
    await remove();
  }
});

// Goal: a user finds the system's own word in a message. Method: files that are not there.
test("says the system's own name of an error", async () => {
  const disk = createLinuxPlatform({ directory: temporaryDirectory() }).disk as DiskPort;
  const missing = { ok: false, error: { code: 'NOT_FOUND', detail: expect.stringContaining('ENOENT') } };
  expect(await disk.read('host', 'x', 0, new Uint8Array(1))).toMatchObject(missing);
  expect(await disk.sync('host', 'x')).toMatchObject(missing);
  expect(await disk.rename('host', 'x', 'y')).toMatchObject(missing);
});
