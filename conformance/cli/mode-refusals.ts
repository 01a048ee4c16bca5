/** `--refusals`: every call that must be refused, every setting at the ends of its range. */
import { runRefusals } from '../refusals/run.ts';
import type { ModeCommand } from './modes.ts';

export const command: ModeCommand = {
  run: async ({ command: again }) => {
    const outcome = await runRefusals({ command: again(null) });
    const { cases = 0 } = outcome.evidence.figures;
    return {
      outcome,
      json: { refusals: { cases, failures: outcome.evidence.failures } },
      text: [`${cases} cases at the surface of the engine, ${outcome.evidence.failures} wrong`],
    };
  },
};
