/**
 * A saved trace as a test file that anybody's Vitest runs: red for as long as the bug is there, and kept from then on.
 *
 * The steps stand in the file, so that it needs nothing but the package; a failure is told as the timeline that
 * `--replay` shows.
 */
import type { Trace } from '../actions.ts';

const quoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

/** Indented as the rest of the file is. */
const literal = (value: unknown): string => JSON.stringify(value, null, 2).replaceAll('\n', '\n  ');

/** The text of the file. */
export function exportTest({ note, seed, scenario, actions }: Trace): string {
  return `/** Replays a run that failed: ${note.replaceAll('*/', '* /')} (seed ${seed}). */
import type { Action, Scenario } from 'imatrix-memory-manager/conformance';
import { runActions, timeline } from 'imatrix-memory-manager/conformance';
import { expect, it } from 'vitest';

const scenario: Scenario = ${literal(scenario).replaceAll('\n  ', '\n')};

const actions: readonly Action[] = [
${actions.map((action) => `  ${JSON.stringify(action)},`).join('\n')}
];

// Goal: what went wrong once does not again. Method: the same steps, model and engine compared after each.
it(${quoted(`does not fail any more: ${note}`)}, async () => {
  const { failure } = await runActions(scenario, actions);
  if (failure !== null) expect.fail(await timeline(scenario, actions));
});
`;
}
