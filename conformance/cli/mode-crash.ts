/** `--crash`: power fails at every I/O step of many runs, with everything that may be left. */
import { availableParallelism } from 'node:os';
import Table from 'cli-table3';
import { RESIDUE_CLASSES } from '../crash/residues.ts';
import { QUICK, runCrash, WHOLE } from '../crash/run.ts';
import type { Counts } from '../crash/sweep.ts';
import { jobsOf, positive } from './arguments.ts';
import type { ModeCommand } from './modes.ts';

interface Own {
  readonly quick?: boolean;
  readonly jobs?: number;
  readonly draws?: number;
}

const STEPS = ['none', 'list', 'read', 'write', 'sync', 'syncDirectory', 'remove', 'rename'] as const;

function tableOf(counts: Counts): string {
  const columns = [...RESIDUE_CLASSES, 'twice'];
  const table = new Table({
    head: ['crash before the end of', ...columns],
    colAligns: ['left', ...columns.map(() => 'right' as const)],
    style: { head: [], border: [], compact: true },
  });
  const sum = columns.map(() => 0);
  for (const step of STEPS) {
    const cells = columns.map((column) => counts.get(`${step} | ${column}`) ?? 0);
    if (cells.every((cell) => cell === 0)) continue;
    for (const [i, cell] of cells.entries()) sum[i] = (sum[i] ?? 0) + cell;
    table.push([step === 'none' ? 'no I/O under way' : step, ...cells]);
  }
  table.push(['all', ...sum]);
  return table.toString();
}

export const command: ModeCommand<Own> = {
  options: (options) => {
    options
      .option('--crash', 'this mode')
      .option('--quick', 'few runs, and one image in three')
      .option(
        '--draws <n>',
        `drawn runs beside the written ones (default ${WHOLE.draws}, with --quick ${QUICK.draws})`,
        positive,
      )
      .option('--jobs <n>', 'threads that run at a time (default: one a core)', jobsOf);
  },
  run: async ({ seed, profile, quick = false, jobs, draws, command: commandLine }, screen) => {
    if (profile === 'wiced') throw new Error('--crash needs a disk, and wiced has none: give --profile linux');
    const size = quick ? QUICK : WHOLE;
    screen.text(`seed ${seed}`);
    const { outcome, counts } = await runCrash({
      ...size,
      seed,
      draws: draws ?? size.draws,
      jobs: jobs ?? availableParallelism(),
      command: commandLine(seed),
      onProgress: ({ what, done, total }) => screen.progress(() => `${what}: ${done} of ${total}`),
    });
    const { figures, failures, seconds } = outcome.evidence;
    const { traces, sites, enumerated, images, recoveries, doubleCrashes } = figures;
    return {
      outcome,
      runs: traces ?? 0,
      json: {
        crash: { images, recoveries, doubleCrashes, failures, sites, enumerated, counts: Object.fromEntries(counts) },
      },
      text: [
        `\ncrash images by the I/O step that was under way and by what was left; twice: a second crash in recovery\n${tableOf(counts)}`,
        `${sites} moments of ${traces} runs, ${enumerated} crashes enumerated, ${images} different images recovered and judged,`,
        `${doubleCrashes} of second crashes in a recovery; ${recoveries} recoveries in ${seconds.toFixed(1)} s, ${failures} failures`,
      ],
    };
  },
};
