/** What is done to the files of a store behind its back, as data, and which bytes of which file it costs. */
import { Buffer } from 'node:buffer';
import type { Directory } from '../../src/core/port.ts';
import type { SimulatedDisk } from '../simulated-disk.ts';

export interface FileName {
  readonly directory: Directory;
  readonly name: string;
}

export type Spoil =
  | (FileName & { readonly how: 'flip'; readonly bit: number })
  | (FileName & { readonly how: 'truncate'; readonly bytes: number })
  | (FileName & { readonly how: 'remove' })
  | (FileName & { readonly how: 'place'; readonly base64: string })
  /** The same file of another store. Of a log it says whose segments count: all that is here is somebody else's then. */
  | (FileName & { readonly how: 'foreign'; readonly base64: string })
  /** The medium gives none of its bytes (IO), or the system does not let it be read (DENIED). */
  | (FileName & { readonly how: 'unreadable'; readonly code: 'IO' | 'DENIED' })
  /** A strange file that nobody may change, rename or remove. */
  | (FileName & { readonly how: 'stuck'; readonly base64: string })
  /** A directory has the file's name. It is no regular file, so it is not listed, and nothing can be done to it. */
  | (FileName & { readonly how: 'directory' })
  | (FileName & { readonly how: 'copy'; readonly to: FileName })
  | (FileName & { readonly how: 'swap'; readonly to: FileName });

/** What is expected of a store that is opened on spoiled files. */
export type Expectation = 'opens' | 'UNSUPPORTED_FORMAT' | 'IO_FAILED';

export interface Spoiling {
  readonly spoils: readonly Spoil[];
  readonly expected: Expectation;
  /** Done to a store that is open, and found by its readers. */
  readonly whileOpen: boolean;
}

/** Bytes [from, to) of a file that are not what was written any more. */
export interface Hit extends FileName {
  readonly from: number;
  readonly to: number;
}

const contentOf = (disk: SimulatedDisk, { directory, name }: FileName): Uint8Array =>
  disk.files().find((file) => file.directory === directory && file.name === name)?.content ?? new Uint8Array(0);

const exists = (disk: SimulatedDisk, { directory, name }: FileName): boolean =>
  disk.files().some((file) => file.directory === directory && file.name === name);

export function spoil(disk: SimulatedDisk, what: Spoil): void {
  const { directory, name } = what;
  switch (what.how) {
    case 'flip':
      // What recovery has removed cannot go bad any more.
      if (exists(disk, what)) disk.flipBit(directory, name, what.bit);
      return;
    case 'truncate':
      disk.truncate(directory, name, what.bytes);
      return;
    case 'remove':
      disk.displace(directory, name);
      return;
    case 'place':
    case 'foreign':
      disk.place(directory, name, new Uint8Array(Buffer.from(what.base64, 'base64')));
      return;
    case 'unreadable':
      disk.faults.push({
        kind: 'read',
        directory,
        namePrefix: name,
        times: Number.POSITIVE_INFINITY,
        fault: { code: what.code },
      });
      return;
    case 'stuck':
      disk.place(directory, name, new Uint8Array(Buffer.from(what.base64, 'base64')));
      disk.faults.push({
        kind: ['write', 'remove', 'rename'],
        directory,
        namePrefix: name,
        times: Number.POSITIVE_INFINITY,
        fault: { code: 'DENIED' },
      });
      return;
    case 'directory':
      if (exists(disk, what)) disk.displace(directory, name);
      disk.faults.push({
        kind: ['read', 'write', 'sync', 'remove', 'rename'],
        directory,
        namePrefix: name,
        times: Number.POSITIVE_INFINITY,
        fault: { code: 'IO' },
      });
      return;
    case 'copy':
      disk.place(what.to.directory, what.to.name, contentOf(disk, what));
      return;
    case 'swap': {
      const [here, there] = [contentOf(disk, what), contentOf(disk, what.to)];
      disk.place(directory, name, there);
      disk.place(what.to.directory, what.to.name, here);
    }
  }
}

const WHOLE = { from: 0, to: Number.POSITIVE_INFINITY };

/** What of the written files is lost by it. */
export function hitsOf(what: Spoil): Hit[] {
  const { directory, name } = what;
  switch (what.how) {
    case 'flip': {
      const byte = Math.floor(what.bit / 8);
      return [{ directory, name, from: byte, to: byte + 1 }];
    }
    case 'truncate':
      return [{ directory, name, from: what.bytes, to: Number.POSITIVE_INFINITY }];
    case 'copy':
      return [{ ...what.to, ...WHOLE }];
    case 'swap':
      return [
        { directory, name, ...WHOLE },
        { ...what.to, ...WHOLE },
      ];
    default:
      return [{ directory, name, ...WHOLE }];
  }
}

const pathOf = ({ directory, name }: FileName): string => (directory === '' ? name : `${directory}/${name}`);

export function describeSpoil(what: Spoil): string {
  const path = pathOf(what);
  switch (what.how) {
    case 'flip':
      return `flip bit ${what.bit & 7} of byte ${what.bit >>> 3} of ${path}`;
    case 'truncate':
      return `cut ${path} to ${what.bytes} bytes`;
    case 'remove':
      return `remove ${path}`;
    case 'place':
      return `put ${atob(what.base64).length} strange bytes under ${path}`;
    case 'stuck':
      return `put strange bytes under ${path} that nobody may remove`;
    case 'foreign':
      return `${path} is one of another store`;
    case 'unreadable':
      return `${path} cannot be read: ${what.code}`;
    case 'directory':
      return `a directory is named ${path}`;
    case 'copy':
      return `copy ${path} to ${pathOf(what.to)}`;
    case 'swap':
      return `swap ${path} and ${pathOf(what.to)}`;
  }
}
