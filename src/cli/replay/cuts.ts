/**
 * Where a process dies: the plan of cuts, drawn from a seed, and the plug in the store's disk operations.
 *
 * A cut names a sample and, behind it, a disk operation: 0 falls right behind the sample, n into the n-th write, sync
 * or removal that follows, so that cuts fall between appends, into the middle of flushes, into checkpoints. The process
 * stops there and its parent kills it with SIGKILL; the operation itself may or may not finish, as the kernel
 * has it. What a power cut may take beyond that (unsynced pages, torn sectors, names) is examined on the simulated
 * disk of the conformance run.
 */
import type { DiskPort, Platform } from '../../index.ts';
import { SeededRandom } from './random.ts';

export interface Cut {
  readonly number: number;
  readonly phase: 'append' | 'drain';
  /** Samples, in the order of the input, that are appended or compared before it. */
  readonly atSample: number;
  readonly diskOperation: number;
}

/** Of five cuts one falls while records are drained and acknowledged. */
const DRAIN_CUT_EVERY = 5;
/** A flush of three sources asks for about twelve operations: the cuts fall into all of its steps. */
const DISK_OPERATIONS_MAX = 12;
/** Share of the cuts that fall right behind a sample. */
const PLAIN_SHARE = 0.4;

/** @param drain whether some may fall while draining. */
export function planCuts(count: number, samples: number, seed: number, drain: boolean): readonly Cut[] {
  const random = new SeededRandom(seed);
  const draining = drain ? Math.floor(count / DRAIN_CUT_EVERY) : 0;
  const draw = (phase: Cut['phase'], cuts: number): Omit<Cut, 'number'>[] =>
    Array.from({ length: cuts }, () => ({
      phase,
      atSample: random.between(Math.min(1, samples), samples),
      diskOperation: random.next() < PLAIN_SHARE ? 0 : random.between(1, DISK_OPERATIONS_MAX),
    })).sort((a, b) => a.atSample - b.atSample);
  return [...draw('append', count - draining), ...draw('drain', draining)].map((cut, i) => ({ number: i + 1, ...cut }));
}

/** Counts disk operations once it is armed, and pulls at the one that is meant. */
export class Plug {
  readonly #cut: Cut | null;
  readonly #pull: (during: string) => void;
  #armed = false;
  #operations = 0;

  /** @param pull tells the parent and does not return. */
  constructor(cut: Cut | null, pull: (during: string) => void) {
    this.#cut = cut;
    this.#pull = pull;
  }

  /** The sample number at which `reached` is to be called; Infinity without a cut in this phase. */
  atSample(phase: Cut['phase']): number {
    return this.#cut?.phase === phase ? this.#cut.atSample : Number.POSITIVE_INFINITY;
  }

  /** The sample of the cut is done. Does not return when it falls here. */
  reached(): void {
    if (this.#cut === null) return;
    if (this.#cut.diskOperation === 0) this.#pull(this.#cut.phase === 'append' ? 'appending' : 'draining');
    this.#armed = true;
  }

  /** The work is over: a cut whose operation never came falls now. */
  finished(): void {
    if (this.#cut !== null) this.#pull(this.#cut.phase === 'append' ? 'appending' : 'draining');
  }

  #operation(what: string): void {
    if (!this.#armed || this.#cut === null) return;
    this.#operations++;
    if (this.#operations >= this.#cut.diskOperation) this.#pull(what);
  }

  /** The same platform with the plug in it. Each operation is under way when the plug is pulled. */
  wire(platform: Platform): Platform {
    const { disk } = platform;
    if (disk === null || this.#cut === null) return platform;
    const cut = <T>(what: string, started: Promise<T>): Promise<T> => {
      this.#operation(what);
      return started;
    };
    const wired: DiskPort = {
      lock: () => disk.lock(),
      unlock: () => disk.unlock(),
      list: (directory) => disk.list(directory),
      read: (directory, name, offset, into) => disk.read(directory, name, offset, into),
      write: (directory, name, offset, bytes) =>
        cut(`writing ${kindOf(name)}`, disk.write(directory, name, offset, bytes)),
      sync: (directory, name) => cut(`syncing ${kindOf(name)}`, disk.sync(directory, name)),
      syncDirectory: (directory) => cut('syncing a directory', disk.syncDirectory(directory)),
      remove: (directory, name) => cut(`removing ${kindOf(name)}`, disk.remove(directory, name)),
      rename: (directory, from, to) => cut('renaming', disk.rename(directory, from, to)),
      freeBytes: () => disk.freeBytes(),
      after: (delayMs, callback) => disk.after(delayMs, callback),
    };
    return { ...platform, disk: wired };
  }
}

const kindOf = (name: string): string => (name.endsWith('.seg') ? 'a segment' : 'the checkpoint');
