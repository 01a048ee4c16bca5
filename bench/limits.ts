/**
 * `npm run bench:limits`: what this machine can do at best, and beside each limit what the store reaches of it in the same
 * run. It says how far a figure of the benchmark is from the end of the road; docs/benchmarks.md has the how.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, CommanderError } from 'commander';
import { expectedMessage } from '../src/cli/cli-error.ts';
import { Progress, table, thousands } from '../src/cli/screen.ts';
import { directory, seed } from './arguments.ts';
import { atEnd, putRight, putRightWhenStopped } from './cleanup.ts';
import { describeCounting } from './device/counting.ts';
import { describeMachine, type Machine, machineLines } from './machine.ts';
import { type MeasuredLimit, measureLimits, QUICK, SIZES } from './paths/limits.ts';

interface LimitsArguments {
  readonly json: boolean;
  readonly quick: boolean;
  readonly directory: string;
  readonly seed: number;
}

interface LimitsReport {
  readonly machine: Machine;
  readonly run: { readonly seed: number; readonly quick: boolean; readonly repetitions: number };
  readonly limits: readonly MeasuredLimit[];
}

function parse(args: readonly string[]): LimitsArguments {
  const command = new Command('bench:limits')
    .description('Measures the limits of this machine and what the store reaches of each.')
    .option('--quick', 'fewer and smaller: shows that all runs', false)
    .option('--directory <dir>', 'on the disk to measure; a directory is made in it and removed', directory, tmpdir())
    .option('--seed <n>', 'of the records', seed, 1)
    .option('--json', 'print one JSON object instead of the table', false)
    .addHelpText('after', '\nExit code: 0 all was measured; 1 it was not; 2 wrong arguments.')
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({ outputError: () => {} });
  command.parse([...args], { from: 'user' });
  return command.opts<LimitsArguments>();
}

/** Rates with as many digits as they are worth, and their unit. */
function rateText(perSecond: number, unit: MeasuredLimit['unit']): string {
  const millions = perSecond / 1e6;
  const digits = millions >= 100 ? thousands(millions) : millions.toPrecision(millions >= 1 ? 3 : 2);
  return unit === 'bytes' ? `${digits} MB/s` : `${digits} M records/s`;
}

export function limitsText({ machine, run, limits }: LimitsReport): string {
  const rows = limits.map((limit) => {
    const { title, unit, limitPerSecond, operationMs, reached, reachedPerSecond, sharePercent } = limit;
    const each = operationMs === null ? '' : ` (${operationMs.toPrecision(3)} ms each)`;
    const share = `${sharePercent.toPrecision(sharePercent >= 100 ? 3 : 2)} %`;
    return [`${title}${each}`, rateText(limitPerSecond, unit), reached, rateText(reachedPerSecond, unit), share];
  });
  const kind = run.quick
    ? 'quick: shows that all runs, its figures are no claim'
    : `medians of ${run.repetitions} repetitions`;
  return [
    '',
    table(['limit', 'at best', 'the store', 'reaches', 'share'], rows, [1, 3, 4]),
    '',
    `${kind}; seed ${run.seed}. Segments are packed, so their bytes hold more than they count, and some are synced at once.`,
    ...machineLines(machine),
  ].join('\n');
}

async function main(): Promise<void> {
  const given = parse(process.argv.slice(2));
  putRightWhenStopped();
  const own = mkdtempSync(join(given.directory, 'imatrix-limits-'));
  const remove = atEnd(`remove ${own}`, () => rmSync(own, { recursive: true, force: true }));
  const machine = describeMachine(own, describeCounting());
  const shown = new Progress(given.json);
  const progress = (doing: string): void =>
    shown.show(
      () => [doing],
      () => doing,
    );
  try {
    const repetitions = given.quick ? 2 : 5;
    const context = { quick: given.quick, seed: given.seed, repetitions, directory: own, progress };
    const limits = await measureLimits(context, given.quick ? QUICK : SIZES);
    shown.end();
    const report = { machine, run: { seed: given.seed, quick: given.quick, repetitions }, limits };
    console.log(given.json ? JSON.stringify(report) : limitsText(report));
  } finally {
    shown.end();
    await remove();
  }
}

if (import.meta.main) {
  try {
    await main();
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) process.exitCode = 0;
    else if (error instanceof CommanderError) {
      console.error(`bench:limits: ${error.message.replace(/^error: /, '')}; see --help`);
      process.exitCode = 2;
    } else {
      const expected = expectedMessage(error);
      if (expected === null) throw error;
      console.error(`bench:limits: ${expected.message}`);
      process.exitCode = expected.exitCode;
    }
  } finally {
    await putRight();
  }
}
