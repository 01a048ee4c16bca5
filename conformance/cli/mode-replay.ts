/**
 * `--replay FILE`: runs one saved trace again, from its JSON or its ITF form, and tells it step by step. With `--itf` and
 * `--export-test` it is written in other forms too. Exit code 1 when it still fails.
 */
import { writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { readTrace } from '../actions.ts';
import { runActions } from '../execute.ts';
import { toItf } from '../itf.ts';
import { exportTest } from '../replay/export-test.ts';
import { timeline } from '../timeline.ts';
import type { ModeCommand } from './modes.ts';
import { highlightOn } from './screen.ts';

interface Own {
  readonly replay: string;
  readonly itf?: string;
  readonly exportTest?: string;
}

/** @throws with one clear line. */
function write(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`cannot write ${path}: ${reason}; give a file in a folder that is there`);
  }
  console.log(`written ${path}`);
}

export const command: ModeCommand<Own> = {
  options: (options: Command) =>
    options
      .requiredOption('--replay <file>', 'the saved trace: JSON or ITF')
      .option('--itf <file>', 'write it as an ITF trace, for the viewers of Apalache and Quint')
      .option('--export-test <file>', 'write it as a Vitest file that fails as long as the bug is there'),
  run: async ({ replay, itf, exportTest: test }) => {
    const trace = readTrace(replay);
    const { scenario, actions, note } = trace;
    if (itf !== undefined) write(itf, `${JSON.stringify(await toItf(trace), null, 1)}\n`);
    if (test !== undefined) write(test, exportTest(trace));
    console.log(`${replay}: ${note}\n`);
    console.log(await timeline(scenario, actions, highlightOn(process.stdout)));
    return (await runActions(scenario, actions)).failure === null ? 0 : 1;
  },
};
