/** `--verify`: what the operator's verify, dump and repair make of stores that are damaged by chance. */
import Table from 'cli-table3';
import { InvalidArgumentError } from 'commander';
import type { VerifyRunResult } from '../operator-damage/run.ts';
import { runVerify } from '../operator-damage/run.ts';
import { count, positive } from './arguments.ts';
import type { ModeCommand } from './modes.ts';

const COUNT_DEFAULT = 1_000;
const FAILURES_SHOWN = 10;

function numberOf(text: string): number {
  const value = count(text);
  if (value > 0xffff_ffff) throw new InvalidArgumentError('give the number of a store');
  return value;
}

function tableOf({ rows, damages, named }: VerifyRunResult): string {
  const table = new Table({
    head: ['damage', 'done', 'named'],
    colAligns: ['left', 'right', 'right'],
    style: { head: [], border: [], compact: true },
  });
  for (const row of rows) table.push([row.kind, row.damages, row.named]);
  table.push(['all', damages, named]);
  return table.toString();
}

export const command: ModeCommand<{ readonly count?: number; readonly only?: number }> = {
  options: (options) => {
    options
      .option('--count <n>', `stores (default ${COUNT_DEFAULT})`, positive)
      .option('--only <number>', 'the store with this number and no other', numberOf);
  },
  run: async ({ seed, json, count: stores = COUNT_DEFAULT, only }, screen) => {
    screen.text(`seed ${seed}`);
    const result = await runVerify({
      seed,
      count: stores,
      ...(only === undefined ? {} : { only }),
      onProgress: ({ done, total }) => screen.progress(() => `${done} of ${total} stores`),
    });
    screen.clear();
    if (json) console.log(JSON.stringify(result));
    const { damages, named, retained, lost, uncommitted, kept, failures } = result;
    screen.text(`\n${tableOf(result)}`);
    screen.text(`${result.stores} stores with ${damages} damages, ${named} of them named`);
    screen.text(
      `${retained} retained records: ${lost} in blocks that were hit, ${kept} of the other ${retained - lost} kept`,
    );
    if (uncommitted > 0) {
      screen.text(
        `${uncommitted} not kept: behind a hit block of a flush whose commit in the log was spoiled as well, which makes it a flush cut off`,
      );
    }
    for (const { store, damages: done, findings } of failures.slice(0, FAILURES_SHOWN)) {
      screen.note(
        `store ${store}: ${done.join('; ')}\n  ${findings.join('\n  ')}\n  again: --verify --seed ${seed} --only ${store}`,
      );
    }
    screen.text(`${failures.length} failures`);
    return failures.length === 0 ? 0 : 1;
  },
};
