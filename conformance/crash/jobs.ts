/** Who sweeps the traces: this thread, or as many threads as there are jobs. */
import type { Lanes } from '../lanes.ts';
import { serveLane, startLanes } from '../lanes.ts';
import type { SweepOptions, Swept } from './sweep.ts';
import { Sweep } from './sweep.ts';
import { crashTrace } from './traces.ts';

/** The `index`-th trace of this seed. */
export interface SweepJob extends SweepOptions {
  readonly index: number;
}

const NAME = 'imatrix-memory-manager crash job';

const sweep = async ({ index, ...options }: SweepJob): Promise<Swept> =>
  new Sweep(await crashTrace(options.seed, index), options).run();

/** @param jobs from 1; 1 is this thread alone. */
export const startSweepers = (jobs: number): Lanes<SweepJob, Swept> =>
  startLanes(jobs, new URL(import.meta.url), NAME, sweep);

serveLane(NAME, sweep);
