/** `--damage`: everything that can go wrong with the files of some stores. */
import Table from 'cli-table3';
import type { DamageRow } from '../damage-matrix/run.ts';
import { QUICK_ONE_IN, runDamage } from '../damage-matrix/run.ts';
import type { ModeCommand } from './modes.ts';

function tableOf(rows: readonly DamageRow[]): string {
  const right = Array.from({ length: 5 }, () => 'right' as const);
  const table = new Table({
    head: ['damage', 'where', 'cases', 'that cost records', 'lost, all in the ledger', 'delivered', 'wrong'],
    colAligns: ['left', 'left', ...right],
    style: { head: [], border: [], compact: true },
  });
  for (const { kind, where, cases, costly, lost, delivered, wrong } of rows)
    table.push([kind, where, cases, costly, lost, delivered, wrong]);
  return table.toString();
}

export const command: ModeCommand<{ readonly quick?: boolean }> = {
  options: (options) => {
    options.option('--quick', `one case in ${QUICK_ONE_IN}, beginning with the one that the seed says`);
  },
  run: async ({ seed, quick, command: again }, screen) => {
    if (quick === true) screen.text(`seed ${seed}`);
    const { outcome, rows } = await runDamage({
      seed,
      oneIn: quick === true ? QUICK_ONE_IN : 1,
      command: again(quick === true ? seed : null),
      onProgress: ({ what, done, total }) => screen.progress(() => `${what}: ${done} of ${total} cases`),
    });
    const { figures } = outcome.evidence;
    return {
      outcome,
      runs: figures.cases ?? 0,
      json: { damage: { ...figures, rows, failures: outcome.evidence.failures } },
      text: [
        `\n${tableOf(rows)}`,
        `${figures.cases} cases, ${figures.costly} that cost records; at most ${figures.operationsMax} I/O operations to open and read a store`,
      ],
    };
  },
};
