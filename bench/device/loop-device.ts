/**
 * A block device of the bench's own: an image file as a loop device with a new ext4 on it, mounted. The kernel counts the
 * sectors that are written to it, whoever caused them: data, metadata, journal, each as often as it was written.
 *
 * It is unmounted, detached and removed however the process ends, short of SIGKILL.
 */
import { execFile } from 'node:child_process';
import { mkdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { atEnd, checkGoingOn } from '../cleanup.ts';

const run = promisify(execFile);

/** The image is sparse: it takes what is written. */
const IMAGE_BYTES = 2 * 1024 ** 3;
/** As /sys/block has them, whatever the device's own are. */
const SECTOR_BYTES = 512;
const SECTORS_WRITTEN_FIELD = 6;
/** Nothing has been written for so long: what was on its way has arrived. */
const QUIET_MS = 250;
const SETTLE_MS_MAX = 10_000;

export class LoopDevice {
  /** Where it is mounted; empty but for lost+found. */
  readonly mountPoint: string;
  readonly #device: string;
  readonly #remove: () => Promise<void>;

  private constructor(device: string, mountPoint: string, remove: () => Promise<void>) {
    this.#device = device;
    this.mountPoint = mountPoint;
    this.#remove = remove;
  }

  /** @param directory is made, and removed with the device. @throws Error of the program that failed, or when this process is about to end. */
  static async make(directory: string): Promise<LoopDevice> {
    checkGoingOn();
    const image = join(directory, 'image');
    const mountPoint = join(directory, 'mounted');
    let device: string | null = null;
    let mounted = false;
    const build = async (): Promise<string> => {
      await mkdir(mountPoint, { recursive: true });
      await writeFile(image, '');
      await truncate(image, IMAGE_BYTES);
      device = (await run('losetup', ['--find', '--show', image])).stdout.trim();
      // Tables are written now, and not by the kernel some time later, in the middle of a count.
      await run('mkfs.ext4', ['-q', '-F', '-E', 'lazy_itable_init=0,lazy_journal_init=0', device]);
      await run('mount', [device, mountPoint]);
      mounted = true;
      return device;
    };
    const building = build();
    const remove = atEnd(`remove the loop device in ${directory}`, async () => {
      // Stopped in the middle: what is being attached is waited for, else it would stay.
      await building.catch(() => undefined);
      if (mounted) await unmount(mountPoint);
      if (device !== null) await run('losetup', ['--detach', device]);
      await rm(directory, { recursive: true, force: true });
    });
    try {
      return new LoopDevice(await building, mountPoint, remove);
    } catch (error) {
      await remove();
      throw error;
    }
  }

  /** Bytes written to the device since it was attached, when all that was on its way has been written. */
  async settledBytes(): Promise<number> {
    await run('sync', ['--file-system', this.mountPoint]);
    let before = await this.#bytesWritten();
    for (let waitedMs = 0; waitedMs < SETTLE_MS_MAX; waitedMs += QUIET_MS) {
      await sleep(QUIET_MS);
      const now = await this.#bytesWritten();
      if (now === before) return now;
      before = now;
    }
    throw new Error(`${this.#device} is written to without end: its bytes cannot be counted`);
  }

  async #bytesWritten(): Promise<number> {
    const fields = (await readFile(`/sys/block/${basename(this.#device)}/stat`, 'utf8')).trim().split(/\s+/);
    return Number(fields[SECTORS_WRITTEN_FIELD]) * SECTOR_BYTES;
  }

  /** Unmounts, detaches, removes. */
  remove(): Promise<void> {
    return this.#remove();
  }
}

/** What runs on it at this moment, such as a sync, ends by itself. @throws Error of umount when it does not. */
async function unmount(mountPoint: string): Promise<void> {
  for (let waitedMs = 0; ; waitedMs += QUIET_MS) {
    try {
      await run('umount', [mountPoint]);
      return;
    } catch (error) {
      if (waitedMs >= SETTLE_MS_MAX) throw error;
      await sleep(QUIET_MS);
    }
  }
}
