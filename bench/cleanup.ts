/**
 * What a process of the benchmark has to put right however it ends: directories, processes it started, mounts.
 *
 * Work that was registered runs in reverse order, once; a step that fails is told and does not keep the others from
 * running. Only SIGKILL of this very process gets past it.
 */

type Undo = () => void | Promise<void>;

const undos: { readonly what: string; readonly undo: Undo }[] = [];

/** @param what completes "could not ..." when it fails. @returns the call that does it now instead of at the end. */
export function atEnd(what: string, undo: Undo): () => Promise<void> {
  const entry = { what, undo };
  undos.push(entry);
  return async () => {
    const at = undos.indexOf(entry);
    if (at < 0) return;
    undos.splice(at, 1);
    await undo();
  };
}

/** Does all that is still registered, the latest first. */
export async function putRight(): Promise<void> {
  for (let entry = undos.pop(); entry !== undefined; entry = undos.pop()) {
    try {
      await entry.undo();
    } catch (error) {
      console.error(`bench: could not ${entry.what}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

/** Ends the process in good order when it is stopped; 128 and the signal's number, as shells have it. */
export function putRightWhenStopped(): void {
  let stopping = false;
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
