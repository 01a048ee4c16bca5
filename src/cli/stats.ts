/**
 * `imatrix-mm stats`, also as `imatrix-mm --memory-stats`: what a store holds, stream by stream. The process that has it open
 * is asked first, for it alone knows what is in RAM; else the disk is looked at, without touching it.
 */

import { setTimeout as wait } from 'node:timers/promises';
import { Command, InvalidArgumentError } from 'commander';
import { createLogUpdate } from 'log-update';
import type { Look } from '../operator/read-only-store.ts';
import { withPlace } from '../operator/read-only-store.ts';
import { DEFAULT_DIRECTORY, DIRECTORY_HELP } from './operator/common.ts';
import { lookAtStats } from './operator/stats-report.ts';
import { statsText } from './operator/stats-text.ts';

interface StatsFlags {
  readonly watch: boolean;
  readonly every: number;
  readonly count?: number;
  readonly total: boolean;
  readonly json: boolean;
}

const EVERY_SECONDS = 2;
const EVERY_SECONDS_MAX = 86_400;

function seconds(text: string): number {
  const value = Number(text);
  if (!(value >= 0.2 && value <= EVERY_SECONDS_MAX)) throw new InvalidArgumentError('give seconds, from 0.2 to 86400');
  return value;
}

function times(text: string): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (value < 1) throw new InvalidArgumentError('give a whole number from 1');
  return value;
}

export const statsCommand = (): Command =>
  new Command('stats')
    .summary('what a store holds, by source and sensor: retained, unread, pending, RAM, disk, losses')
    .description(
      'What a store holds, by source and sensor. Safe beside the program that has it open: nothing is written.',
    )
    .argument('[directory]', DIRECTORY_HELP, DEFAULT_DIRECTORY)
    .option('--watch', 'again and again, until it is stopped; rewritten on a terminal', false)
    .option('--every <seconds>', 'how often with --watch', seconds, EVERY_SECONDS)
    .option('--count <n>', 'with --watch: so many times, and then end', times)
    .option('--total', 'sources and totals only, no sensors', false)
    .option('--json', 'one JSON object instead of the table; with --watch one a line', false)
    .addHelpText('after', '\nThe same by its older name: imatrix-mm --memory-stats [--watch] [directory]')
    .action(run);

async function run(directory: string, { watch, every, count, total, json }: StatsFlags): Promise<void> {
  await withPlace(directory, async (place) => {
    const redraw = watch && !json && process.stdout.isTTY === true && process.env.TERM !== 'dumb';
    const update = redraw ? createLogUpdate(process.stdout) : null;
    const rounds = watch ? (count ?? Number.POSITIVE_INFINITY) : 1;
    let known: Look | undefined;
    for (let round = 0; round < rounds; round++) {
      if (round > 0) await wait(every * 1000);
      const { report, look } = await lookAtStats(place, known);
      known = look ?? known;
      const text = json
        ? JSON.stringify(report)
        : statsText(report, total, update === null ? undefined : process.stdout.rows);
      if (update === null) process.stdout.write(`${round > 0 && !json ? '\n' : ''}${text}\n`);
      else update(text);
    }
    update?.done();
  });
}
