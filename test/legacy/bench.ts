/** A memory manager over the simulated disk, for tests of the old calls that need time, faults or power cuts. */
import { SimulatedDisk } from '../../conformance/simulated-disk.ts';
import { StoreIds, simulatedPlatform, VirtualClock } from '../../conformance/virtual-clock.ts';
import { CODE_NAMES } from '../../src/legacy/codes.ts';
import { LegacyMemoryManager } from '../../src/legacy/manager.ts';
import type { LegacyOptions } from '../../src/legacy/options.ts';

/** The code's name, so that a failing test says what it saw. */
export const named = (code: number): string => CODE_NAMES[code] ?? `code ${code}`;

export const SMALL = { poolBytes: 2560, sectorBytes: 64, quotaBytes: '8MiB', freeFloorBytes: 0, streamsMax: 16 };

export interface Bench {
  readonly mm: LegacyMemoryManager;
  readonly clock: VirtualClock;
  readonly logged: string[];
  disk: SimulatedDisk;
  /** Opens; again after `cutPower` or a shutdown. */
  open(options?: LegacyOptions): Promise<string>;
  /** What is not durable is gone, and so is the process: the next `open` is of a new one. */
  cutPower(): Bench;
}

export function bench(disk?: SimulatedDisk, clock = new VirtualClock()): Bench {
  const ids = new StoreIds();
  const mm = new LegacyMemoryManager();
  const made: Bench = {
    mm,
    clock,
    logged: [],
    disk: disk ?? new SimulatedDisk(clock),
    open: async (options = {}) => {
      const platform = simulatedPlatform(made.disk, clock, ids);
      const log = (_: string, message: string): void => {
        made.logged.push(message);
      };
      return named(await mm.init({ config: null, platform, settings: SMALL, log, ...options }));
    },
    cutPower: () => bench(made.disk.crash({ kind: 'power', keep: 'nothing' }), clock),
  };
  return made;
}
