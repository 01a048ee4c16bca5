/** A disk whose writes and syncs are counted, on the way to the platform's own. */
import type { Directory, DiskPort, FileEntry, IoResult, LockResult } from '../../../src/core/port.ts';
import type { WearMeter } from '../wear.ts';

export class MeteredDisk implements DiskPort {
  fileBytesMax = 0;
  readonly #disk: DiskPort;
  readonly #meter: WearMeter;

  constructor(disk: DiskPort, meter: WearMeter) {
    this.#disk = disk;
    this.#meter = meter;
  }

  lock(): Promise<LockResult> {
    return this.#disk.lock();
  }

  unlock(): Promise<void> {
    return this.#disk.unlock();
  }

  list(directory: Directory): Promise<IoResult<readonly FileEntry[]>> {
    return this.#disk.list(directory);
  }

  read(directory: Directory, name: string, offset: number, into: Uint8Array): Promise<IoResult<number>> {
    return this.#disk.read(directory, name, offset, into);
  }

  write(directory: Directory, name: string, offset: number, bytes: Uint8Array): Promise<IoResult<void>> {
    this.#meter.ended({ kind: 'write', directory, name, offset, bytes: bytes.length }, null);
    this.fileBytesMax = Math.max(this.fileBytesMax, offset + bytes.length);
    return this.#disk.write(directory, name, offset, bytes);
  }

  sync(directory: Directory, name: string): Promise<IoResult<void>> {
    this.#meter.ended({ kind: 'sync', directory, name, offset: 0, bytes: 0 }, null);
    return this.#disk.sync(directory, name);
  }

  syncDirectory(directory: Directory): Promise<IoResult<void>> {
    this.#meter.ended({ kind: 'syncDirectory', directory, name: '', offset: 0, bytes: 0 }, null);
    return this.#disk.syncDirectory(directory);
  }

  remove(directory: Directory, name: string): Promise<IoResult<void>> {
    this.#meter.ended({ kind: 'remove', directory, name, offset: 0, bytes: 0 }, null);
    return this.#disk.remove(directory, name);
  }

  rename(directory: Directory, from: string, to: string): Promise<IoResult<void>> {
    return this.#disk.rename(directory, from, to);
  }

  freeBytes(): Promise<IoResult<number>> {
    return this.#disk.freeBytes();
  }

  after(delayMs: number, callback: () => void): () => void {
    return this.#disk.after(delayMs, callback);
  }
}
