/** `--replay FILE`: runs one saved trace again and tells it step by step. Exit code 1 when it still fails. */
import type { Command } from 'commander';
import { readTrace } from '../actions.ts';
import { runActions } from '../execute.ts';
import { timeline } from '../timeline.ts';
import type { ModeCommand } from './modes.ts';

export const command: ModeCommand<{ readonly replay: string }> = {
  options: (options: Command) => options.requiredOption('--replay <file>', 'the saved trace'),
  run: async ({ replay }) => {
    const { scenario, actions, note } = readTrace(replay);
    console.log(`${replay}: ${note}\n`);
    console.log(await timeline(scenario, actions));
    return (await runActions(scenario, actions)).failure === null ? 0 : 1;
  },
};
