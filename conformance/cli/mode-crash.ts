/** `--crash`: power fails at every I/O step of many runs, with everything that may be left. */
import { availableParallelism } from 'node:os';
import Table from 'cli-table3';
import { RESIDUE_CLASSES } from '../crash/residues.ts';
import type { CrashCounts } from '../crash/run.ts';
import { QUICK, runCrash, WHOLE } from '../crash/run.ts';
import type { Counts } from '../crash/sweep.ts';
import { jobsOf, positive } from './arguments.ts';
import type { ModeCommand } from './modes.ts';
import { showDuration } from './rates.ts';

interface Own {
  readonly quick?: boolean;
  readonly jobs?: number;
  readonly draws?: number;
}

/** A table of counts that are named `row | column`, with sums. */
function tableOf(title: string, columns: readonly string[], counts: Counts): string {
  const table = new Table({
    head: [title, ...columns, 'all'],
    colAligns: ['left', ...columns.map(() => 'right' as const), 'right'],
    style: { head: [], border: [], compact: true },
  });
  const rows = [...new Set([...counts.keys()].map((name) => name.split(' | ')[0] as string))].sort();
  const sum = columns.map(() => 0);
  const total = (cells: readonly number[]): number => cells.reduce((all, cell) => all + cell, 0);
  for (const row of rows) {
    const cells = columns.map((column) => counts.get(`${row} | ${column}`) ?? 0);
    for (const [i, cell] of cells.entries()) sum[i] = (sum[i] ?? 0) + cell;
    table.push([row === 'none' ? 'no I/O under way' : row, ...cells, total(cells)]);
  }
  table.push(['all', ...sum, total(sum)]);
  return table.toString();
}

/** Both counts of each edge of the model, as a table has them. */
const byEdge = ({ edges, edgesAgain }: CrashCounts): Counts =>
  new Map([
    ...[...edges].map(([edge, count]) => [`${edge} | images`, count] as const),
    ...[...edgesAgain].map(([edge, count]) => [`${edge} | second crashes`, count] as const),
  ]);

/** Of all threads of this process, in seconds. */
const processorSeconds = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

export const command: ModeCommand<Own> = {
  options: (options) => {
    options
      .option('--crash', 'this mode')
      .option('--quick', 'few runs: seconds')
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
    const startedMs = performance.now();
    const { outcome, ...counts } = await runCrash({
      ...size,
      seed,
      draws: draws ?? size.draws,
      jobs: jobs ?? availableParallelism(),
      command: commandLine(seed),
      onProgress: ({ what, done, total }) =>
        screen.progress(() => {
          const left = ((total ?? done) - done) * ((performance.now() - startedMs) / 1_000 / done);
          return `${what}: ${done} of ${total}, ${showDuration(left)} left`;
        }),
    });
    const { figures, failures, seconds } = outcome.evidence;
    const { traces, sites, enumerated, judged, images, recoveries, doubleCrashes, doubleImages } = figures;
    const own = { images, recoveries, doubleCrashes, failures, sites, enumerated, judged, doubleImages };
    return {
      outcome,
      runs: traces ?? 0,
      json: {
        crash: {
          ...own,
          counts: Object.fromEntries(counts.counts),
          again: Object.fromEntries(counts.again),
          edges: Object.fromEntries(counts.edges),
        },
      },
      text: [
        `\nimages by the I/O step that was under way and by what was left\n${tableOf('before the end of', RESIDUE_CLASSES, counts.counts)}`,
        `\nsecond crashes by the I/O step of recovery and by what was left\n${tableOf('before the end of', RESIDUE_CLASSES, counts.again)}`,
        `\nby the edge of the model taken last\n${tableOf('edge', ['images', 'second crashes'], byEdge(counts))}`,
        `\n${sites} moments of ${traces} runs, ${enumerated} crashes enumerated, ${judged} of them differ in image or demand and were judged;`,
        `${images} images differ in what they hold, over all runs; ${doubleCrashes} second crashes in a recovery, ${doubleImages} images of them;`,
        `${recoveries} recoveries, ${failures} failures, ${seconds.toFixed(1)} s, ${processorSeconds().toFixed(1)} s of processor time`,
      ],
    };
  },
};
