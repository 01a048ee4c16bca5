/** What leaves the page as a file: the run as an ITF trace, and as a test. */
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

/** A test file that runs the trace again. */
export const testText = ({ name, trace }: TracePage): string => `// Goal: ${trace.note.replaceAll('\n', ' ')}
// Method: the steps of ${name}, on the model and the engine, compared after each.
import { runActions } from 'imatrix-memory-manager/conformance';
import { expect, test } from 'vitest';

test('model and engine agree on a run that was looked at', async () => {
  const scenario = ${JSON.stringify(trace.scenario, null, 2).replaceAll('\n', '\n  ')} as const;
  const { failure } = await runActions(scenario, [
${trace.actions.map((action) => `    ${JSON.stringify(action)},`).join('\n')}
  ]);
  expect(failure?.message ?? null).toBeNull();
});
`;
