/**
 * What a disk holds, with what is durable kept apart from what is not (contract section 7).
 *
 *     file       durable bytes | writes not synced, in order        -> what a reader sees now: `cache`
 *     directory  durable names | name changes not synced, in order  -> what a reader sees now: `current`
 *
 * After a power cut a file is its durable bytes plus some of the unsynced pieces: `volatileUnits` lists them, each
 * of at most 512 bytes, `survive` builds what is left of a choice of them. A write whose sync failed is `lost`: it
 * may still be read, no later sync makes it durable, and a power cut may or may not leave it.
 *
 * Two changes of different names do not depend on each other; of one name the later one decides. So each order of a
 * subset of name changes gives what some subset in issue order gives, and only subsets are drawn for names.
 *
 * It knows nothing of promises, faults or the engine: simulated-disk.ts does.
 */
import { Buffer } from 'node:buffer';
import type { Directory } from '../src/core/port.ts';
import { SOURCE_DIRECTORIES } from '../src/core/port.ts';

/** Bytes that a power cut leaves whole or not at all. */
export const ATOM_BYTES = 512;

export const DIRECTORIES: readonly Directory[] = ['', ...SOURCE_DIRECTORIES];

interface UnsyncedWrite {
  readonly order: number;
  readonly offset: number;
  readonly bytes: Uint8Array;
  lost: boolean;
}

export interface FileState {
  readonly inode: number;
  durable: Uint8Array;
  cache: Uint8Array;
  unsynced: UnsyncedWrite[];
}

type NameChange =
  | { readonly kind: 'create'; readonly name: string; readonly inode: number }
  | { readonly kind: 'remove'; readonly name: string }
  | { readonly kind: 'rename'; readonly name: string; readonly to: string; readonly inode: number };

interface DirectoryState {
  durable: Map<string, number>;
  current: Map<string, number>;
  unsynced: { readonly order: number; readonly change: NameChange }[];
}

/** One thing that a power cut may keep or lose. */
export type VolatileUnit =
  | { readonly kind: 'name'; readonly directory: Directory; readonly order: number; readonly change: NameChange }
  | {
      readonly kind: 'content';
      readonly inode: number;
      /** Of the write that it is a piece of. */
      readonly order: number;
      readonly offset: number;
      readonly bytes: Uint8Array;
      readonly lost: boolean;
    }
  /** The file's length became durable before its bytes: they read as zeros. */
  | { readonly kind: 'length'; readonly inode: number; readonly order: number; readonly bytes: number };

/** A disk as plain JSON data. */
export interface DiskImage {
  readonly nextInode: number;
  readonly files: readonly {
    readonly inode: number;
    readonly durable: string;
    readonly unsynced: readonly { readonly offset: number; readonly bytes: string; readonly lost: boolean }[];
    readonly cache: string;
  }[];
  readonly directories: readonly {
    readonly directory: Directory;
    readonly durable: readonly (readonly [string, number])[];
    readonly unsynced: readonly NameChange[];
  }[];
}

const toBase64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
const fromBase64 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64'));

/** `content` with `bytes` at `offset`; what lies between its old end and `offset` is zeros. */
function overwrite(content: Uint8Array, offset: number, bytes: Uint8Array): Uint8Array {
  const end = offset + bytes.length;
  const result = new Uint8Array(Math.max(content.length, end));
  result.set(content);
  result.set(bytes, offset);
  return result;
}

function applyChange(names: Map<string, number>, change: NameChange): void {
  if (change.kind === 'create') names.set(change.name, change.inode);
  else names.delete(change.name);
  if (change.kind === 'rename') names.set(change.to, change.inode);
}

export class DiskState {
  #nextInode = 1;
  #order = 0;
  #files = new Map<number, FileState>();
  #directories = new Map<Directory, DirectoryState>(
    DIRECTORIES.map((directory) => [directory, { durable: new Map(), current: new Map(), unsynced: [] }]),
  );

  #directory(directory: Directory): DirectoryState {
    return this.#directories.get(directory) as DirectoryState;
  }

  /** The file a reader finds under this name now. */
  file(directory: Directory, name: string): FileState | undefined {
    const inode = this.#directory(directory).current.get(name);
    return inode === undefined ? undefined : this.#files.get(inode);
  }

  names(directory: Directory): string[] {
    return [...this.#directory(directory).current.keys()];
  }

  /** Sum of the lengths of all files that have a name now. */
  totalBytes(): number {
    let bytes = 0;
    for (const directory of DIRECTORIES) {
      for (const inode of this.#directory(directory).current.values())
        bytes += (this.#files.get(inode) as FileState).cache.length;
    }
    return bytes;
  }

  /** A point in the order of changes; `sync` and `syncDirectory` make durable what came before one. */
  mark(): number {
    return this.#order;
  }

  #changeName(directory: Directory, change: NameChange): void {
    const state = this.#directory(directory);
    applyChange(state.current, change);
    state.unsynced.push({ order: this.#order++, change });
  }

  write(directory: Directory, name: string, offset: number, bytes: Uint8Array): void {
    let file = this.file(directory, name);
    if (file === undefined) {
      file = { inode: this.#nextInode++, durable: new Uint8Array(0), cache: new Uint8Array(0), unsynced: [] };
      this.#files.set(file.inode, file);
      this.#changeName(directory, { kind: 'create', name, inode: file.inode });
    }
    if (bytes.length === 0) return;
    const taken = bytes.slice();
    file.unsynced.push({ order: this.#order++, offset, bytes: taken, lost: false });
    file.cache = overwrite(file.cache, offset, taken);
  }

  remove(directory: Directory, name: string): void {
    if (this.file(directory, name) !== undefined) this.#changeName(directory, { kind: 'remove', name });
  }

  rename(directory: Directory, from: string, to: string): void {
    const file = this.file(directory, from) as FileState;
    this.#changeName(directory, { kind: 'rename', name: from, to, inode: file.inode });
  }

  sync(directory: Directory, name: string, before: number): void {
    const file = this.file(directory, name);
    if (file === undefined) return;
    for (const write of file.unsynced) {
      if (write.order < before && !write.lost) file.durable = overwrite(file.durable, write.offset, write.bytes);
    }
    file.unsynced = file.unsynced.filter((write) => write.order >= before || write.lost);
  }

  /** A sync that failed: nothing of what it was to save is saved by a later one. */
  loseUnsynced(directory: Directory, name: string, before: number, keepReadable: boolean): void {
    const file = this.file(directory, name);
    if (file === undefined) return;
    for (const write of file.unsynced) if (write.order < before) write.lost = true;
    if (keepReadable) return;
    file.cache = file.unsynced
      .filter((write) => !write.lost)
      .reduce(
        (content, write) => overwrite(content, write.offset, write.bytes),
        overwrite(file.durable, 0, new Uint8Array(0)),
      );
  }

  syncDirectory(directory: Directory, before: number): void {
    const state = this.#directory(directory);
    for (const { order, change } of state.unsynced) if (order < before) applyChange(state.durable, change);
    state.unsynced = state.unsynced.filter(({ order }) => order >= before);
    this.#forgetUnreachable();
  }

  #forgetUnreachable(): void {
    const reachable = new Set<number>();
    for (const { durable, current, unsynced } of this.#directories.values()) {
      for (const inode of durable.values()) reachable.add(inode);
      for (const inode of current.values()) reachable.add(inode);
      for (const { change } of unsynced) if (change.kind !== 'remove') reachable.add(change.inode);
    }
    for (const inode of this.#files.keys()) if (!reachable.has(inode)) this.#files.delete(inode);
  }

  /** All that a power cut now may keep or lose, names first, each in the order in which it was done. */
  volatileUnits(): VolatileUnit[] {
    const units: VolatileUnit[] = [];
    for (const directory of DIRECTORIES) {
      for (const { order, change } of this.#directory(directory).unsynced)
        units.push({ kind: 'name', directory, order, change });
    }
    for (const { inode, durable, unsynced } of this.#files.values()) {
      let end = durable.length;
      let longest = 0;
      for (const { order, offset, bytes, lost } of unsynced) {
        for (let from = 0; from < bytes.length; ) {
          const to = Math.min(bytes.length, (Math.floor((offset + from) / ATOM_BYTES) + 1) * ATOM_BYTES - offset);
          units.push({ kind: 'content', inode, order, offset: offset + from, bytes: bytes.subarray(from, to), lost });
          from = to;
        }
        if (offset + bytes.length > end) longest = order;
        end = Math.max(end, offset + bytes.length);
      }
      if (end > durable.length) units.push({ kind: 'length', inode, order: longest, bytes: end });
    }
    return units;
  }

  /** The disk after a power cut that left exactly these units beside what was durable, in this order. */
  survive(units: readonly VolatileUnit[]): DiskState {
    const after = new DiskState();
    after.#nextInode = this.#nextInode;
    for (const { inode, durable } of this.#files.values()) {
      after.#files.set(inode, { inode, durable, cache: durable, unsynced: [] });
    }
    for (const unit of units) {
      if (unit.kind === 'name') continue;
      const file = after.#files.get(unit.inode) as FileState;
      file.durable =
        unit.kind === 'content'
          ? overwrite(file.durable, unit.offset, unit.bytes)
          : overwrite(file.durable, Math.max(unit.bytes, file.durable.length), new Uint8Array(0));
      file.cache = file.durable;
    }
    for (const directory of DIRECTORIES) {
      const state = after.#directory(directory);
      state.durable = new Map(this.#directory(directory).durable);
      const changes = units.filter((unit) => unit.kind === 'name').filter((unit) => unit.directory === directory);
      for (const { change } of changes.sort((a, b) => a.order - b.order)) applyChange(state.durable, change);
      state.current = new Map(state.durable);
    }
    after.#forgetUnreachable();
    return after;
  }

  /** The same disk once more, in the same order of changes; a later change of one does not touch the other. */
  copy(): DiskState {
    const copy = new DiskState();
    copy.#nextInode = this.#nextInode;
    copy.#order = this.#order;
    // Contents are never written into, only replaced.
    for (const [inode, file] of this.#files) {
      copy.#files.set(inode, { ...file, unsynced: file.unsynced.map((write) => ({ ...write })) });
    }
    for (const [directory, { durable, current, unsynced }] of this.#directories) {
      const names = { durable: new Map(durable), current: new Map(current), unsynced: [...unsynced] };
      copy.#directories.set(directory, names);
    }
    return copy;
  }

  /** Changes bytes under the file system's feet: what the medium does when it decays. */
  decay(directory: Directory, name: string, change: (content: Uint8Array) => Uint8Array): void {
    const file = this.file(directory, name);
    if (file === undefined) throw new Error(`no file ${directory}/${name} to damage`);
    const whole = change(overwrite(file.cache, 0, new Uint8Array(0)));
    file.cache = whole;
    file.durable = whole;
    file.unsynced = [];
  }

  snapshot(): DiskImage {
    return {
      nextInode: this.#nextInode,
      files: [...this.#files.values()].map((file) => ({
        inode: file.inode,
        durable: toBase64(file.durable),
        unsynced: file.unsynced.map(({ offset, bytes, lost }) => ({ offset, bytes: toBase64(bytes), lost })),
        cache: toBase64(file.cache),
      })),
      directories: DIRECTORIES.map((directory) => ({
        directory,
        durable: [...this.#directory(directory).durable],
        unsynced: this.#directory(directory).unsynced.map(({ change }) => change),
      })),
    };
  }

  static restore(image: DiskImage): DiskState {
    const state = new DiskState();
    state.#nextInode = image.nextInode;
    for (const { inode, durable, unsynced, cache } of image.files) {
      state.#files.set(inode, {
        inode,
        durable: fromBase64(durable),
        cache: fromBase64(cache),
        unsynced: unsynced.map(({ offset, bytes, lost }) => ({
          order: state.#order++,
          offset,
          bytes: fromBase64(bytes),
          lost,
        })),
      });
    }
    for (const { directory, durable, unsynced } of image.directories) {
      const target = state.#directory(directory);
      target.durable = new Map(durable);
      target.current = new Map(durable);
      for (const change of unsynced) state.#changeName(directory, change);
    }
    return state;
  }
}
