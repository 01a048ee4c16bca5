/** `--others`: the checks for others' code, on what is right and on what is wrong. Exit code 1 when one of them errs. */
import Table from 'cli-table3';
import type { OthersRow } from '../others/run-others.ts';
import { runOthers } from '../others/run-others.ts';
import type { ModeCommand } from './modes.ts';

function tableOf(rows: readonly OthersRow[]): string {
  const table = new Table({
    head: ['what', 'must give', 'gave', 'steps'],
    colAligns: ['left', 'left', 'left', 'right'],
    style: { head: [], border: [], compact: true },
  });
  for (const { what, wanted, got, steps } of rows) {
    table.push([what, wanted, got === wanted ? got : `${got}   << wrong`, steps === 0 ? '' : steps]);
  }
  return table.toString();
}

export const command: ModeCommand = {
  run: async ({ seed, command: again }, screen) => {
    screen.text(`seed ${seed}`);
    const { outcome, rows, skipped } = await runOthers({
      seed,
      command: again(seed),
      onProgress: ({ what, done, total }) => screen.progress(() => `${done} of ${total}: ${what}`),
    });
    if (skipped !== null) screen.note(`NOT RUN: the store in Python, because ${skipped}`);
    const { passed = 0, right = 0, found = 0, wrong = 0 } = outcome.evidence.figures;
    return {
      outcome,
      runs: rows.length,
      json: { others: { rows, skipped } },
      text: [tableOf(rows), `${passed} of ${right} that are right pass, ${found} of ${wrong} that are wrong are found`],
    };
  },
};
