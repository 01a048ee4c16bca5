/** `--liveness`: faults end, and the store comes back. */
import { REST_MS_MAX, REST_STEPS_MAX } from '../liveness/life.ts';
import { runLiveness } from '../liveness/run.ts';
import { positive } from './arguments.ts';
import type { ModeCommand } from './modes.ts';

const STATES_DEFAULT = 20_000;
const QUICK_STATES = 200;

export const command: ModeCommand<{ readonly states?: number; readonly quick?: boolean }> = {
  options: (options) => {
    options
      .option('--states <n>', `states from which the store comes back (default ${STATES_DEFAULT})`, positive)
      .option('--quick', `${QUICK_STATES} states`);
  },
  run: async ({ seed, states, quick, command: again }, screen) => {
    screen.text(`seed ${seed}`);
    const outcome = await runLiveness({
      seed,
      states: states ?? (quick === true ? QUICK_STATES : STATES_DEFAULT),
      command: again(seed),
      onProgress: ({ done, total }) => screen.progress(() => `${done} of ${total} states`),
    });
    const { figures } = outcome.evidence;
    const from = Object.entries(figures).filter(([name]) => name.startsWith('from '));
    const rows = from.map(([name, count]) => `  ${name.slice(5).padEnd(18)}${String(count).padStart(10)}`);
    return {
      outcome,
      runs: figures.states ?? 0,
      json: {
        liveness: {
          ...figures,
          restStepsBound: REST_STEPS_MAX,
          restMsBound: REST_MS_MAX,
          failures: outcome.evidence.failures,
        },
      },
      text: [
        `\nstates in which faults ended\n${rows.join('\n')}`,
        `to come to rest: at most ${figures.restStepsMax} I/O operations and retries (bound ${REST_STEPS_MAX}), ` +
          `${figures.restMsMax} ms (bound ${REST_MS_MAX}); longest delay of a retry ${figures.retryMsMax} ms`,
      ],
    };
  },
};
