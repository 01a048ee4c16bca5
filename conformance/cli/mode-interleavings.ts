/** `--interleavings`: every order of short concurrent programs, random orders of longer ones, crashes in both. */
import { availableParallelism } from 'node:os';
import type { Searched } from '../interleavings/jobs.ts';
import { runInterleavings } from '../interleavings/run.ts';
import type { ScheduledResult } from '../interleavings/scheduled.ts';
import { jobsOf, positive } from './arguments.ts';
import type { ModeCommand } from './modes.ts';

const RUNS_DEFAULT = 3_000;
const RUNS_QUICK = 100;

interface Own {
  readonly quick?: boolean;
  readonly runs?: number;
  readonly jobs?: number;
}

const COLUMNS = ['orders', 'steps', 'crash points', 'recoveries', 'failures'];

function rows(programs: readonly Searched[], { runs, steps, crashes, failure }: ScheduledResult): string[] {
  const random = {
    name: `${runs} runs in random order`,
    orders: runs,
    steps,
    crashPoints: crashes,
    recoveries: crashes,
    failure,
  };
  const all = [...programs, random];
  const width = Math.max(...all.map(({ name }) => name.length));
  const line = (name: string, cells: readonly (string | number)[]): string =>
    `  ${name.padEnd(width)}${cells.map((cell) => String(cell).padStart(14)).join('')}`;
  return [
    '',
    line('calls at the same time', COLUMNS),
    ...all.map((each) =>
      line(each.name, [each.orders, each.steps, each.crashPoints, each.recoveries, each.failure === null ? 0 : 1]),
    ),
  ];
}

export const command: ModeCommand<Own> = {
  options: (options) => {
    options
      .option('--interleavings', 'this mode')
      .option('--quick', 'the small programs only, and few random runs')
      .option('--jobs <n>', 'threads that search at a time (default: one a core)', jobsOf)
      .option('--runs <n>', `random runs (default ${RUNS_DEFAULT}, with --quick ${RUNS_QUICK})`, positive);
  },
  run: async ({ seed, profile, quick = false, runs, jobs, command: commandLine }, screen) => {
    if (profile === 'wiced') throw new Error('--interleavings needs a disk, and wiced has none: give --profile linux');
    screen.text(`seed ${seed}`);
    const { outcome, programs, scheduled } = await runInterleavings({
      seed,
      quick,
      jobs: jobs ?? availableParallelism(),
      runs: runs ?? (quick ? RUNS_QUICK : RUNS_DEFAULT),
      command: commandLine(seed),
      onProgress: ({ what }) => screen.progress(() => what),
    });
    const json = {
      interleavings: {
        ...outcome.evidence.figures,
        failures: outcome.evidence.failures,
        programs: programs.map(({ failure, coverage: _, hash: __, ...each }) => ({
          ...each,
          failures: failure === null ? 0 : 1,
        })),
      },
    };
    return { outcome, runs: outcome.evidence.figures.orders ?? 0, json, text: rows(programs, scheduled) };
  },
};
