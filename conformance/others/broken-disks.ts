/**
 * Disks that break the port in one way each, and the law that says so: whether checkPlatform finds anything is seen on
 * these. Each is the simulated disk with one method that is wrong.
 */
import type { Directory, DiskPort } from '../../src/core/port.ts';
import { SimulatedDisk } from '../simulated-disk.ts';
import type { VirtualClock } from '../virtual-clock.ts';

export interface BrokenDisk {
  readonly name: string;
  /** The law that must be named. */
  readonly law: string;
  /** Words that the message must have. */
  readonly shows: string;
  readonly Disk: new (clock: VirtualClock) => SimulatedDisk;
}

const OK = { ok: true, value: undefined } as const;

export const BROKEN_DISKS: readonly BrokenDisk[] = [
  {
    name: 'a sync that does not sync',
    law: 'PORT-31',
    shows: 'read of a: 0 bytes, 700 were expected',
    Disk: class extends SimulatedDisk {
      override async sync(directory: Directory, name: string) {
        const read = await super.read(directory, name, 0, new Uint8Array(0));
        return read.ok ? OK : read;
      }
    },
  },
  {
    name: 'a sync of a directory that does not sync',
    law: 'PORT-31',
    shows: 'read of a answered NOT_FOUND',
    Disk: class extends SimulatedDisk {
      override async syncDirectory() {
        return OK;
      }
    },
  },
  {
    name: 'a short read',
    law: 'PORT-01',
    shows: '',
    Disk: class extends SimulatedDisk {
      override read(directory: Directory, name: string, offset: number, into: Uint8Array) {
        return super.read(directory, name, offset, into.subarray(0, 4_096));
      }
    },
  },
  {
    name: 'a read that fills the rest of the buffer with zeros',
    law: 'PORT-04',
    shows: 'the buffer of a short read: byte 3 is 0, 238 was written there',
    Disk: class extends SimulatedDisk {
      override read(directory: Directory, name: string, offset: number, into: Uint8Array) {
        into.fill(0);
        return super.read(directory, name, offset, into);
      }
    },
  },
  {
    name: 'a read once that begins where the last one ended',
    law: 'PORT-36',
    shows: 'read of mgc/a.seg once: byte 0 is',
    Disk: class extends SimulatedDisk {
      #at = 0;
      async readOnce(directory: Directory, name: string, into: Uint8Array) {
        const read = await super.read(directory, name, this.#at, into);
        if (read.ok) this.#at += 1;
        return read;
      }
    },
  },
  {
    name: 'a rename that replaces',
    law: 'PORT-17',
    shows: 'rename of host/a onto host/b answered ok: IO was expected',
    Disk: class extends SimulatedDisk {
      override async rename(directory: Directory, from: string, to: string) {
        await super.remove(directory, to);
        return super.rename(directory, from, to);
      }
    },
  },
  {
    name: 'a rename that leaves the old name',
    law: 'PORT-15',
    shows: 'list of host names a, which is not there',
    Disk: class extends SimulatedDisk {
      override async rename(directory: Directory, from: string, to: string) {
        const into = new Uint8Array(1 << 17);
        const read = await super.read(directory, from, 0, into);
        return read.ok ? super.write(directory, to, 0, into.subarray(0, read.value)) : read;
      }
    },
  },
  {
    name: 'a list that forgets',
    law: 'PORT-11',
    shows: 'list of host does not name ',
    Disk: class extends SimulatedDisk {
      override async list(directory: Directory) {
        const listed = await super.list(directory);
        return listed.ok ? { ok: true as const, value: listed.value.slice(0, 32) } : listed;
      }
    },
  },
  {
    name: 'a lock that everybody gets',
    law: 'PORT-20',
    shows: 'a second call was given the lock, and it was held already',
    Disk: class extends SimulatedDisk {
      override async lock() {
        return { ok: true } as const;
      }
    },
  },
  {
    name: 'a write at the wrong offset',
    law: 'PORT-02',
    shows: 'read of log: byte 60 is 14, 75 was written there',
    Disk: class extends SimulatedDisk {
      override write(directory: Directory, name: string, offset: number, bytes: Uint8Array) {
        const end =
          this.files().find((file) => file.directory === directory && file.name === name)?.content.length ?? 0;
        return super.write(directory, name, offset < end ? offset : offset >= 100 ? 60 : offset, bytes);
      }
    },
  },
  {
    name: 'a removal of what is missing that fails',
    law: 'PORT-12',
    shows: 'remove of host/a answered NOT_FOUND',
    Disk: class extends SimulatedDisk {
      override async remove(directory: Directory, name: string) {
        const found = await super.read(directory, name, 0, new Uint8Array(0));
        return found.ok ? super.remove(directory, name) : found;
      }
    },
  },
  {
    name: 'an error that is thrown',
    law: 'PORT-19',
    shows: 'threw "EACCES',
    Disk: class extends SimulatedDisk {
      override sync(directory: Directory, name: string) {
        if (name === 'x') throw new Error('EACCES: permission denied');
        return super.sync(directory, name);
      }
    },
  },
  {
    name: 'an error with a code of its own',
    law: 'PORT-19',
    shows: 'this is no result of the port',
    Disk: class extends SimulatedDisk {
      override async read(directory: Directory, name: string, offset: number, into: Uint8Array) {
        const read = await super.read(directory, name, offset, into);
        return read.ok ? read : { ok: false as const, error: { code: 'ENOENT' as 'IO', detail: read.error.detail } };
      }
    },
  },
  {
    name: 'free space that is no number',
    law: 'PORT-19',
    shows: 'free bytes answered',
    Disk: class extends SimulatedDisk {
      override async freeBytes() {
        return { ok: true, value: Number.NaN } as const;
      }
    },
  },
  {
    name: 'a timer that cannot be cancelled',
    law: 'PORT-24',
    shows: 'these calls came: late, cancelled',
    Disk: class extends SimulatedDisk {
      override after(delayMs: number, callback: () => void) {
        super.after(delayMs, callback);
        return () => {};
      }
    },
  },
  {
    name: 'a fault that is swallowed',
    law: 'PORT-40',
    shows: 'a write that fails with IO answered ok: IO was expected',
    Disk: class extends SimulatedDisk {
      override async write(...given: Parameters<DiskPort['write']>) {
        const written = await super.write(...given);
        return written.ok || written.error.code === 'NOT_FOUND' ? written : OK;
      }
    },
  },
];
