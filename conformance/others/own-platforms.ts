/** Platforms for checkPlatform: the project's own, and what can be done to each. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLinuxPlatform } from '../../src/platform/linux.ts';
import { createRamPlatform } from '../../src/platform/ram.ts';
import { createWicedPlatform } from '../../src/platform/wiced.ts';
import { SimulatedDisk } from '../simulated-disk.ts';
import { StoreIds, simulatedPlatform, VirtualClock } from '../virtual-clock.ts';
import type { MakePlatform, PlatformManifest } from './platform-manifest.ts';

export interface PlatformUnderTest {
  readonly makePlatform: MakePlatform;
  readonly manifest: PlatformManifest;
}

/** Directories under one of their own, each removed when it is not needed any more. */
export async function linuxPlatforms(): Promise<PlatformUnderTest & { readonly remove: () => Promise<void> }> {
  const root = await mkdtemp(join(tmpdir(), 'imatrix-mm-platform-'));
  const directoryOf = (storage: string): string => join(root, storage, 'not', 'yet', 'there');
  return {
    makePlatform: (storage) => createLinuxPlatform({ directory: directoryOf(storage) }),
    manifest: {
      name: 'a Linux directory',
      dispose: (storage) => rm(join(root, storage), { recursive: true, force: true }),
    },
    remove: () => rm(root, { recursive: true }),
  };
}

/** Simulated disks, whole or broken: they can lose power and be given faults. */
export function simulatedPlatforms(
  name: string,
  Disk: new (clock: VirtualClock) => SimulatedDisk = SimulatedDisk,
): PlatformUnderTest {
  const disks = new Map<string, SimulatedDisk>();
  const clock = new VirtualClock();
  const ids = new StoreIds();
  const diskOf = (storage: string): SimulatedDisk => {
    const disk = disks.get(storage) ?? new Disk(clock);
    disks.set(storage, disk);
    return disk;
  };
  return {
    makePlatform: (storage) => simulatedPlatform(diskOf(storage), clock, ids),
    manifest: {
      name,
      cutPower: (storage) => {
        // What is left, on a disk of the same make.
        const left = diskOf(storage).crash({ kind: 'power', keep: 'nothing' });
        const next = new Disk(clock);
        for (const { directory, name: file, content } of left.files()) next.place(directory, file, content);
        disks.set(storage, next);
      },
      injectFault: (storage, fault) => {
        const { faults } = diskOf(storage);
        faults.length = 0;
        if (fault !== null) faults.push({ kind: fault.operation, times: 1, fault: { code: fault.code } });
      },
      elapse: (ms) => clock.advance(ms),
      dispose: (storage) => disks.delete(storage),
    },
  };
}

/** A store in RAM on Node. */
export const ramPlatforms: PlatformUnderTest = {
  makePlatform: () => createRamPlatform(),
  manifest: { name: 'RAM on Node' },
};

/** A microcontroller whose clock stands still. */
export const wicedPlatforms: PlatformUnderTest = {
  makePlatform: () => createWicedPlatform({ clock: () => 7, storeId: () => new Uint8Array(randomBytes(16)) }),
  manifest: { name: 'a microcontroller' },
};
