/** Who runs the batches: this thread, or as many threads as there are jobs. */
import type { Lanes } from '../lanes.ts';
import { serveLane, startLanes } from '../lanes.ts';
import type { BatchResult } from './batch.ts';
import { runBatch } from './batch.ts';
import type { Batch } from './plan.ts';

export type Workers = Lanes<Batch, BatchResult>;

const NAME = 'imatrix-memory-manager conformance job';

/** @param jobs from 1; 1 is this thread alone. */
export const startWorkers = (jobs: number): Workers => startLanes(jobs, new URL(import.meta.url), NAME, runBatch);

serveLane(NAME, runBatch);
