/**
 * Where the bytes that reach the device are counted. As root on a Linux with loop devices: at a block device of the
 * bench's own. Otherwise: what the kernel says that the writing process caused to be written.
 */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

export type Counting = 'loop-device' | 'process';

const TOOLS = ['losetup', 'mkfs.ext4', 'mount', 'umount'] as const;

const isInPath = (program: string): boolean =>
  [...(process.env.PATH ?? '').split(delimiter), '/sbin', '/usr/sbin'].some((folder) =>
    existsSync(join(folder, program)),
  );

export const countingHere = (): Counting =>
  process.geteuid?.() === 0 && existsSync('/dev/loop-control') && TOOLS.every(isInPath) ? 'loop-device' : 'process';

export function describeCounting(counting: Counting = countingHere()): string {
  return counting === 'loop-device'
    ? 'counted at a loop device with ext4, after sync: data, metadata and journal'
    : 'counted by the kernel for the writing process (/proc/self/io), without the journal: run it as root to count at a device';
}
