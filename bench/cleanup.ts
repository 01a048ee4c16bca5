/**
 * What a process of the benchmark has to put right however it ends: directories, processes it started, mounts.
 *
 * Work that was registered runs in reverse order, once; a step that fails is told and does not keep the others from
 * running. Only SIGKILL of this very process gets past it.
 */

type Undo = () => void | Promise<void>;

interface Entry {
  readonly what: string;
  readonly undo: Undo;
  /** Under way or done: whoever asks again waits for the same. */
  done: Promise<void> | null;
}

const entries: Entry[] = [];
let stopping = false;

/** @param what completes "could not ..." when it fails. @returns the call that does it now instead of at the end. */
export function atEnd(what: string, undo: Undo): () => Promise<void> {
  const entry: Entry = { what, undo, done: null };
  entries.push(entry);
  return () => putEntryRight(entry);
}

/** It stays in the list until it is done, so that nobody who waits for all of them goes on without it. */
function putEntryRight(entry: Entry): Promise<void> {
  entry.done ??= (async () => {
    try {
      await entry.undo();
    } finally {
      entries.splice(entries.indexOf(entry), 1);
    }
  })();
  return entry.done;
}

/** @throws Error when the process is about to end: nothing is begun that would have to be put right again. */
export function checkGoingOn(): void {
  if (stopping) throw new Error('stopped');
}

/** Does all that is still registered, the latest first. */
export async function putRight(): Promise<void> {
  for (let entry = entries.at(-1); entry !== undefined; entry = entries.at(-1)) {
    try {
      await putEntryRight(entry);
    } catch (error) {
      console.error(`bench: could not ${entry.what}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

/** Ends the process in good order when it is stopped; 128 and the signal's number, as shells have it. */
export function putRightWhenStopped(): void {
  const stop = (exitCode: number): void => {
    if (stopping) return;
    stopping = true;
    void putRight().then(() => process.exit(exitCode));
  };
  process.on('SIGINT', () => stop(130));
  process.on('SIGTERM', () => stop(143));
  process.on('SIGHUP', () => stop(129));
  // The one who started this process is gone: nobody is left to take its result.
  if (process.send !== undefined) process.on('disconnect', () => stop(143));
}
