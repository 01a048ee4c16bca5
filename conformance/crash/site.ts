/** A moment at which power fails or the process dies: everything that either may leave, as often as one likes. */
import { createHash } from 'node:crypto';
import type { DiskState, VolatileUnit } from '../disk-state.ts';
import type { CrashChoice, PowerChoice, Residue } from '../power-cut.ts';
import { keptUnits, residueOf } from '../power-cut.ts';
import { SimulatedDisk } from '../simulated-disk.ts';
import type { VirtualClock } from '../virtual-clock.ts';

export class CrashSite {
  readonly units: readonly VolatileUnit[];
  readonly #states: { readonly undone: DiskState; readonly done: DiskState };

  /** The disk goes on; what it holds at this moment is kept. */
  constructor(disk: SimulatedDisk) {
    this.#states = disk.crashStates();
    this.units = this.#states.done.volatileUnits();
  }

  /** The disk that is found afterwards, made anew on every call. */
  leaves(choice: CrashChoice, clock: VirtualClock): SimulatedDisk {
    return new SimulatedDisk(clock, this.#after(choice));
  }

  /** The class of what is left, as the cells of the evidence have it. */
  residue(choice: CrashChoice): Residue {
    if (choice.kind === 'kill')
      return choice.underWay === 'done' ? 'killed, under way done' : 'killed, under way undone';
    return residueOf(this.units, new Set(keptUnits(this.units, choice.keep)));
  }

  #after(choice: CrashChoice): DiskState {
    const { undone, done } = this.#states;
    // A killed process leaves what is not durable as it is, and the next one goes on with it: it gets a copy.
    if (choice.kind === 'kill') return (choice.underWay === 'done' ? done : undone).copy();
    return done.survive(this.#kept(choice));
  }

  #kept({ keep }: PowerChoice): VolatileUnit[] {
    return keptUnits(this.units, keep).flatMap((index) => this.units[index] ?? []);
  }
}

const known = new WeakMap<Uint8Array, string>();

/** Files are shared between the images of a site, so each content is hashed once. */
function hashOf(content: Uint8Array): string {
  const hash = known.get(content) ?? createHash('sha1').update(content).digest('base64');
  known.set(content, hash);
  return hash;
}

/** Two disks with the same key read the same. */
export const imageKey = (disk: SimulatedDisk): string =>
  disk
    .files()
    .map(({ directory, name, content }) => `${directory}/${name}:${hashOf(content)}`)
    .join('\n');

/** The same as a number of 64 bits, for counting images over many runs. */
export const imageHash = (key: string): bigint => createHash('sha1').update(key).digest().readBigUInt64LE();
