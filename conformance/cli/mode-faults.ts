/** `--faults`: a fault at every I/O operation of the scripts. */
import Table from 'cli-table3';
import type { FaultCell } from '../faults/run.ts';
import { QUICK_ONE_IN, runFaults } from '../faults/run.ts';
import type { ModeCommand } from './modes.ts';

const KINDS = ['list', 'read', 'write', 'sync', 'syncDirectory', 'remove', 'rename', 'lock', 'freeBytes'] as const;

/** Cases per fault and kind of operation. */
function tableOf(cells: readonly FaultCell[]): string {
  const table = new Table({
    head: ['fault', ...KINDS],
    colAligns: ['left', ...KINDS.map(() => 'right' as const)],
    style: { head: [], border: [], compact: true },
  });
  const casesOf = (ailment: string, kind: string): number =>
    cells.find((cell) => cell.ailment === ailment && cell.kind === kind)?.cases ?? 0;
  for (const ailment of [...new Set(cells.map((cell) => cell.ailment))].sort()) {
    table.push([ailment, ...KINDS.map((kind) => casesOf(ailment, kind))]);
  }
  return table.toString();
}

export const command: ModeCommand<{ readonly quick?: boolean }> = {
  options: (options) => {
    options.option('--quick', `one case in ${QUICK_ONE_IN}, beginning with the one that the seed says`);
  },
  run: async ({ seed, quick, command: again }, screen) => {
    const oneIn = quick === true ? QUICK_ONE_IN : 1;
    if (quick === true) screen.text(`seed ${seed}`);
    const { outcome, cases, cells } = await runFaults({
      seed,
      oneIn,
      command: again(quick === true ? seed : null),
      onProgress: ({ what, done, total }) => screen.progress(() => `${what}: ${done} of ${total} cases`),
    });
    const { once = 0, persistent = 0, withCrash = 0 } = outcome.evidence.figures;
    return {
      outcome,
      runs: cases,
      json: { faults: { cases, once, persistent, withCrash, failures: outcome.evidence.failures } },
      text: [
        `\ncases by fault and by the operation that meets it\n${tableOf(cells)}`,
        `${cases} cases: ${once} of one operation, ${persistent} that stay; ${withCrash} with a crash behind the fault`,
      ],
    };
  },
};
