/** Tries one law of the port on an adapter: a storage of its own, its lock held, every call written down. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Platform } from '../../../src/core/port.ts';
import type { Call } from '../observed-disk.ts';
import { LawBroken, ObservedDisk } from '../observed-disk.ts';
import type { Adapter } from '../platform-manifest.ts';
import type { MaybePromise } from '../store-under-test.ts';
import type { Bench, Law } from './law.ts';

export interface Breach {
  readonly broken: LawBroken;
  /** All calls that the law made, of every adapter on its storage. */
  readonly calls: readonly Call[];
}

async function lock(disk: ObservedDisk): Promise<void> {
  const locked = await disk.lock();
  if (!locked.ok) throw new LawBroken(`lock was refused, and nobody holds it: ${JSON.stringify(locked)}`);
}

class LawBench implements Bench {
  readonly platform: Platform;
  /** Null without a disk: then no law that uses it is tried. */
  readonly observed: ObservedDisk | null;
  /** Who holds the lock now. */
  holder: ObservedDisk | null;
  readonly #adapter: Adapter;
  readonly #storage: string;

  constructor(adapter: Adapter, storage: string, platform: Platform) {
    this.#adapter = adapter;
    this.#storage = storage;
    this.platform = platform;
    this.observed = platform.disk === null ? null : new ObservedDisk(platform.disk, adapter.timeoutMs);
    this.holder = this.observed;
  }

  get disk(): ObservedDisk {
    return this.observed as ObservedDisk;
  }

  async another(): Promise<ObservedDisk> {
    const { disk } = await this.#adapter.makePlatform(this.#storage);
    if (disk === null) throw new LawBroken('another adapter on the same storage has no disk, and the first one has');
    this.disk.note('another adapter on the same storage', 'made');
    return new ObservedDisk(disk, this.#adapter.timeoutMs, this.disk.calls);
  }

  kill(): Promise<ObservedDisk> {
    return this.#after('the process is killed', () => this.platform.disk?.unlock());
  }

  cutPower(): Promise<ObservedDisk> {
    return this.#after('power is cut', () => this.#adapter.manifest.cutPower?.(this.#storage));
  }

  async #after(what: string, crash: () => MaybePromise<unknown>): Promise<ObservedDisk> {
    await crash();
    this.disk.note(what, '');
    this.holder = await this.another();
    await lock(this.holder);
    return this.holder;
  }

  async inject(fault: Parameters<Bench['inject']>[0]): Promise<void> {
    const what = fault === null ? 'no fault any more' : `the next ${fault.operation} is to fail with ${fault.code}`;
    this.disk.note(what, '');
    await this.#adapter.manifest.injectFault?.(this.#storage, fault);
  }

  async elapse(ms: number): Promise<void> {
    await (this.#adapter.manifest.elapse ?? sleep)(ms);
  }
}

/** @returns what is wrong, or null. */
export async function tryLaw(adapter: Adapter, law: Law): Promise<Breach | null> {
  const storage = `law ${law.id}`;
  const bench = new LawBench(adapter, storage, await adapter.makePlatform(storage));
  try {
    if (bench.observed !== null) await lock(bench.observed);
    await law.check(bench);
    await bench.holder?.unlock();
    return null;
  } catch (thrown) {
    const calls = [...(bench.observed?.calls ?? [])];
    // Whatever the lock is now: the storage is given up.
    await bench.holder?.unlock().catch(() => {});
    if (thrown instanceof LawBroken) return { broken: thrown, calls };
    // A law that stumbles over an answer it could not foresee is broken by that answer.
    const [line] = String(thrown instanceof Error ? thrown.message : thrown).split('\n');
    return { broken: new LawBroken(`the law could not be tried: ${line}`), calls };
  } finally {
    await adapter.manifest.dispose?.(storage);
  }
}
