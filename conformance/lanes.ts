/**
 * Work for several threads at a time. A thread has its own engine, model and clock; all that passes between it and this
 * one is a job, its result, and how far the job is meanwhile, as data.
 */
import { once } from 'node:events';
import { parentPort, Worker, workerData } from 'node:worker_threads';
import type { Shrinking } from './shrinking/progress.ts';
import { onShrinking, tellShrinking } from './shrinking/progress.ts';

export interface Lanes<Job, Result> {
  readonly lanes: readonly ((job: Job) => Promise<Result>)[];
  close(): Promise<void>;
}

/** What a thread says. */
type Said<Result> = { readonly told: string } | { readonly shrinking: Shrinking } | { readonly result: Result };

/** What is done of a job, and told on the way. */
type Run<Job, Result> = (job: Job, tell: (what: string) => void) => Promise<Result>;

function startLane<Job, Result>(
  file: URL,
  name: string,
  onTold: (what: string) => void,
): { run: (job: Job) => Promise<Result>; worker: Worker } {
  const worker = new Worker(file, { workerData: name });
  const run = async (job: Job): Promise<Result> => {
    const over = new AbortController();
    const { signal } = over;
    let heard: (said: Said<Result>) => void = () => {};
    const answered = new Promise<Result>((resolve) => {
      heard = (said) => {
        if ('result' in said) resolve(said.result);
        else if ('told' in said) onTold(said.told);
        else tellShrinking(said.shrinking);
      };
    });
    worker.on('message', heard);
    try {
      worker.postMessage(job);
      return await Promise.race([
        answered,
        once(worker, 'exit', { signal }).then(([code]) => Promise.reject(new Error(`a job ended with code ${code}`))),
      ]);
    } finally {
      worker.off('message', heard);
      over.abort();
    }
  };
  return { run, worker };
}

/**
 * @param jobs from 1; 1 is this thread alone.
 * @param file the file that serves the jobs, as source or as built. @param name tells its threads from those of others.
 * @param onTold hears what jobs tell of how far they are, from whichever thread.
 */
export function startLanes<Job, Result>(
  jobs: number,
  file: URL,
  name: string,
  here: Run<Job, Result>,
  onTold: (what: string) => void = () => {},
): Lanes<Job, Result> {
  if (jobs === 1) return { lanes: [(job) => here(job, onTold)], close: async () => {} };
  const lanes = Array.from({ length: jobs }, () => startLane<Job, Result>(file, name, onTold));
  return {
    lanes: lanes.map(({ run }) => run),
    close: async () => {
      await Promise.all(lanes.map(({ worker }) => worker.terminate()));
    },
  };
}

/** In a thread of that name: takes jobs and answers with results. Elsewhere it does nothing. */
export function serveLane<Job, Result>(name: string, run: Run<Job, Result>): void {
  if (workerData !== name || parentPort === null) return;
  const port = parentPort;
  const say = (said: Said<Result>): void => port.postMessage(said);
  onShrinking((shrinking) => say({ shrinking }));
  port.on('message', async (job: Job) => say({ result: await run(job, (told) => say({ told })) }));
}
