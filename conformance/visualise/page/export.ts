/** What leaves the page as a file: the run as an ITF trace. */
import type { ItfTrace } from '../../itf.ts';
import { composeItf } from '../../itf.ts';
import type { TracePage } from '../page-data.ts';
import type { Frame } from '../shared/frames.ts';

/** The run as the viewers of Apalache and Quint read it. Without what only the engine and the disk showed. */
export function itfOf(page: TracePage, frames: readonly Frame[]): ItfTrace {
  const { failure, steps, trace } = page;
  return composeItf(
    trace,
    frames.map(({ state }, at) => {
      const step = steps[at - 1];
      const failed = failure !== null && failure.step === at;
      return {
        action: step?.action ?? null,
        took: step?.events.map(({ type }) => type) ?? [],
        breaks: failed ? failure.breaks : '',
        message: failed ? failure.message : '',
        state,
        engine: null,
        disk: null,
      };
    }),
  );
}
