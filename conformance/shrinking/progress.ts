/**
 * How far the shrinking of a failure is, from wherever it is shrunk to whoever shows it. A failure may be shrunk deep
 * inside any mode, in a thread of its own too (lanes.ts passes it on), and only the command has a screen.
 */
import { channel } from 'node:diagnostics_channel';

export interface Shrinking {
  /** What the failure breaks, where it is known. */
  readonly breaks: string | null;
  /** Shorter candidates that were run so far. */
  readonly tries: number;
  /** Of the shortest run that still fails. */
  readonly steps: number;
}

const progress = channel('imatrix-memory-manager.conformance.shrinking');

/** Costs nothing while nobody listens. */
export const tellShrinking = (shrinking: Shrinking): void => {
  if (progress.hasSubscribers) progress.publish(shrinking);
};

/** Calls the listener after each try in this thread. @returns what ends that. */
export function onShrinking(listener: (shrinking: Shrinking) => void): () => void {
  const heard = (message: unknown): void => listener(message as Shrinking);
  progress.subscribe(heard);
  return () => progress.unsubscribe(heard);
}
