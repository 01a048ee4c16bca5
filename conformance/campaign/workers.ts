/**
 * Who runs the batches: this thread, or as many threads as there are jobs. A thread has its own engine, model and clock;
 * all that passes between them is a batch and its result, as data.
 */
import { once } from 'node:events';
import { parentPort, Worker, workerData } from 'node:worker_threads';
import type { BatchResult } from './batch.ts';
import { runBatch } from './batch.ts';
import type { Batch } from './plan.ts';

export interface Workers {
  readonly lanes: readonly ((batch: Batch) => Promise<BatchResult>)[];
  close(): Promise<void>;
}

/** This file, as source or as built. */
const OWN_FILE = new URL(import.meta.url);
/** Tells a job's thread from one that somebody else has started and in which this file is loaded too. */
const IS_JOB = 'imatrix-memory-manager conformance job';

function startLane(): { run: Workers['lanes'][number]; worker: Worker } {
  const worker = new Worker(OWN_FILE, { workerData: IS_JOB });
  const run = async (batch: Batch): Promise<BatchResult> => {
    const over = new AbortController();
    const { signal } = over;
    try {
      worker.postMessage(batch);
      return await Promise.race([
        once(worker, 'message', { signal }).then(([result]) => result as BatchResult),
        once(worker, 'exit', { signal }).then(([code]) => Promise.reject(new Error(`a job ended with code ${code}`))),
      ]);
    } finally {
      over.abort();
    }
  };
  return { run, worker };
}

/** @param jobs from 1; 1 is this thread alone. */
export function startWorkers(jobs: number): Workers {
  if (jobs === 1) return { lanes: [runBatch], close: async () => {} };
  const lanes = Array.from({ length: jobs }, startLane);
  return {
    lanes: lanes.map(({ run }) => run),
    close: async () => {
      await Promise.all(lanes.map(({ worker }) => worker.terminate()));
    },
  };
}

// Started as a job: batches come in, results go out.
if (workerData === IS_JOB && parentPort !== null) {
  const port = parentPort;
  port.on('message', async (batch: Batch) => port.postMessage(await runBatch(batch)));
}
