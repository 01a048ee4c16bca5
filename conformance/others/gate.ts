/**
 * The gate between the engine and somebody's disk: knows when nothing is under way, and lets the process "die" at any
 * operation. Behind a closed gate nothing is answered any more, as to a process that is not there.
 */
import type { Directory, DiskPort, FileEntry, IoResult, LockResult } from '../../src/core/port.ts';

const NEVER = new Promise<never>(() => {});

export class Gate implements DiskPort {
  /** So many changing operations still pass; the next one is held for ever. */
  budget = Number.POSITIVE_INFINITY;
  /** An operation was held because the budget was used up. */
  held = false;
  /** Resolves when the disk did what no port may do. Nothing is answered after that: the engine cannot go on from it. */
  readonly breach: Promise<unknown>;
  #breached: (thrown: unknown) => void = () => {};
  #closed = false;
  #underWay = 0;
  readonly #disk: DiskPort;
  readonly #cancels = new Set<() => void>();

  constructor(disk: DiskPort) {
    this.#disk = disk;
    this.breach = new Promise((resolve) => {
      this.#breached = resolve;
    });
  }

  get idle(): boolean {
    return this.#underWay === 0;
  }

  /** From now on nothing passes, and no timer calls back. What is under way ends, unheard. */
  close(): void {
    this.#closed = true;
    for (const cancel of this.#cancels) cancel();
    this.#cancels.clear();
  }

  lock(): Promise<LockResult> {
    return this.#pass(() => this.#disk.lock());
  }

  unlock(): Promise<void> {
    return this.#pass(() => this.#disk.unlock());
  }

  list(directory: Directory): Promise<IoResult<readonly FileEntry[]>> {
    return this.#pass(() => this.#disk.list(directory));
  }

  read(directory: Directory, name: string, offset: number, into: Uint8Array): Promise<IoResult<number>> {
    return this.#pass(() => this.#disk.read(directory, name, offset, into));
  }

  write(directory: Directory, name: string, offset: number, bytes: Uint8Array): Promise<IoResult<void>> {
    return this.#change(() => this.#disk.write(directory, name, offset, bytes));
  }

  sync(directory: Directory, name: string): Promise<IoResult<void>> {
    return this.#change(() => this.#disk.sync(directory, name));
  }

  syncDirectory(directory: Directory): Promise<IoResult<void>> {
    return this.#change(() => this.#disk.syncDirectory(directory));
  }

  remove(directory: Directory, name: string): Promise<IoResult<void>> {
    return this.#change(() => this.#disk.remove(directory, name));
  }

  rename(directory: Directory, from: string, to: string): Promise<IoResult<void>> {
    return this.#change(() => this.#disk.rename(directory, from, to));
  }

  freeBytes(): Promise<IoResult<number>> {
    return this.#pass(() => this.#disk.freeBytes());
  }

  after(delayMs: number, callback: () => void): () => void {
    if (this.#closed) return () => {};
    const cancel = this.#disk.after(delayMs, () => {
      this.#cancels.delete(cancel);
      if (!this.#closed) callback();
    });
    this.#cancels.add(cancel);
    return cancel;
  }

  #change<T>(call: () => Promise<T>): Promise<T> {
    if (this.budget <= 0) {
      this.held = true;
      return NEVER;
    }
    this.budget--;
    return this.#pass(call);
  }

  async #pass<T>(call: () => Promise<T>): Promise<T> {
    if (this.#closed) return NEVER;
    this.#underWay++;
    try {
      const answer = await call();
      this.#underWay--;
      return this.#closed ? NEVER : answer;
    } catch (thrown) {
      this.#underWay--;
      this.close();
      this.#breached(thrown);
      return NEVER;
    }
  }
}
