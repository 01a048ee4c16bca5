/** Without a flag: the saved traces, then seeded runs on each profile, until one fails or all are done. */
import { makeOutcome } from '../evidence/make.ts';
import { edgesOf, runCampaign } from '../run.ts';
import { positive, REGRESSIONS } from './arguments.ts';
import type { ModeCommand } from './modes.ts';

const RUNS_DEFAULT = 2_000;

interface Own {
  readonly runs?: number;
  readonly steps?: number;
  readonly regressions: boolean;
}

export const command: ModeCommand<Own> = {
  options: (options) => {
    options
      .option('--runs <n>', `runs in all, half of them on each profile (default ${RUNS_DEFAULT})`, positive)
      .option('--steps <n>', 'go on until so many steps are done, such as 100k or 10M', positive)
      .option('--no-regressions', 'do not run the saved traces first');
  },
  run: async ({ seed, profiles, runs, steps, regressions, line }, screen) => {
    screen.text(`seed ${seed}, profile ${profiles.join(' and ')}`);
    const result = await runCampaign({
      seed,
      profiles,
      runs: runs ?? (steps === undefined ? RUNS_DEFAULT : Number.MAX_SAFE_INTEGER),
      steps: steps ?? Number.MAX_SAFE_INTEGER,
      regressions: regressions ? REGRESSIONS : null,
      onProgress: (progress) =>
        screen.progress(() => `${progress.profile}: ${progress.runs} runs, ${progress.steps} steps`),
    });
    const outcome = makeOutcome({
      mode: 'random',
      command: `npm run conformance -- ${line.includes('--seed') ? line : `--seed ${seed} ${line}`}`.trim(),
      seed,
      profiles,
      seconds: result.seconds,
      steps: result.steps,
      traceHash: result.traceHash,
      figures: { runs: result.runs, regressions: result.regressions },
      coverage: result.coverage,
      possible: edgesOf(profiles),
      failure: result.failure,
    });
    return { outcome, runs: result.runs, regressions: result.regressions };
  },
};
