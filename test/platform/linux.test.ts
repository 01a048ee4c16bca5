// Goal: the Linux adapter is a disk as the port describes it, and what only a real file system can do is met with a
// value, not with an exception. Method: the shared suite on a temporary directory; then wrong layouts, small and
// read-only file systems, and node:fs itself made to fail.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DiskPort } from '../../src/core/port.ts';
import { createLinuxPlatform } from '../../src/platform/linux.ts';
import { describeDiskPort } from './disk-port-suite.ts';

describeDiskPort('a Linux directory', async () => {
  const parent = await mkdtemp(join(tmpdir(), 'imatrix-mm-'));
  return {
    disk: createLinuxPlatform({ directory: join(parent, 'not', 'yet', 'there') }).disk as DiskPort,
    elapse: (ms) => sleep(ms),
    dispose: () => rm(parent, { recursive: true }),
  };
});
