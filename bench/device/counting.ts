/**
 * Where the bytes that reach the device are counted. Where loop devices can be mounted, as root: at a block device of the
 * bench's own. Otherwise: what the kernel says that the writing process caused to be written.
 */
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

export type Counting = 'loop-device' | 'process';

const TOOLS = ['losetup', 'mkfs.ext4', 'mount', 'umount'] as const;

const isInPath = (program: string): boolean =>
  [...(process.env.PATH ?? '').split(delimiter), '/sbin', '/usr/sbin'].some((folder) =>
    existsSync(join(folder, program)),
  );

/** CAP_SYS_ADMIN, as /proc/self/status counts: root in a container may be without it, and then nothing can be mounted. */
const MAY_MOUNT = 1n << 21n;

/** @param status text of /proc/self/status. */
export function mayMount(status: string): boolean {
  const found = /^CapEff:\s*([0-9a-f]+)$/m.exec(status);
  return found !== null && (BigInt(`0x${found[1]}`) & MAY_MOUNT) !== 0n;
}

export const countingHere = (): Counting =>
  existsSync('/dev/loop-control') && mayMount(readFileSync('/proc/self/status', 'utf8')) && TOOLS.every(isInPath)
    ? 'loop-device'
    : 'process';

export function describeCounting(counting: Counting = countingHere()): string {
  return counting === 'loop-device'
    ? 'counted at a loop device with ext4, after sync: data, metadata and journal'
    : 'counted by the kernel for the writing process (/proc/self/io), without the journal: run it as root to count at a device';
}
