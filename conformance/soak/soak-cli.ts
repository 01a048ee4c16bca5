/**
 * `imatrix-mm soak`: the reference load for days, with crashes, disk trouble and clock jumps, every record verified, and a
 * table of gates. In virtual time over the simulated disk, or with `--real` on a directory, with SIGKILLs.
 *
 * Exit code 0: every gate is met. 1: one is not. 2: what was asked for makes no sense. 130: stopped before its end.
 */
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { seedOf } from '../cli/arguments.ts';
import { Screen } from '../cli/screen.ts';
import { soakPlanted } from './plant.ts';
import { bytesText, paintFor, reportJson, reportText, thousands } from './report.ts';
import { runSoak } from './run.ts';

interface Given {
  readonly days: number;
  readonly seed?: number;
  readonly plant?: string;
  readonly json: boolean;
}

const DAYS_MAX = 366;
const DAYS_MIN = 0.05;

function daysOf(text: string): number {
  const days = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (!(days >= DAYS_MIN && days <= DAYS_MAX))
    throw new InvalidArgumentError(`give days from ${DAYS_MIN} to ${DAYS_MAX}, such as 7 or 0.25`);
  return days;
}

function commandLine(): Command {
  return new Command('soak')
    .description('Runs the reference load for days, with crashes, disk trouble and clock jumps; verifies every record.')
    .option('--days <n>', 'how long, in days of virtual time', daysOf, 7)
    .option('--seed <n>', 'start of all chance; printed, so that a run can be repeated', seedOf)
    .option('--plant <id>', 'plant a known bug of the museum (such as K1) in a copy of the sources; the soak must fail')
    .option('--json', 'one JSON object instead of the report', false)
    .addHelpText('after', '\nExamples:\n  imatrix-mm soak --days 7 --seed 1\n  imatrix-mm soak --days 1 --json')
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({ outputError: () => {} });
}

async function soakVirtual({ days, json }: Given, seed: number): Promise<number> {
  const screen = new Screen(json);
  const startedMs = performance.now();
  const result = await runSoak({
    days,
    seed,
    onProgress: ({ tick, ticks, device }) =>
      screen.progress(() => {
        const share = (tick + 1) / ticks;
        const seconds = (performance.now() - startedMs) / 1_000;
        const { appended, delivered } = device.account.figures;
        return (
          `soak  day ${(share * days).toFixed(2)} of ${days}, ${thousands(appended)} records, ${thousands(delivered)} verified, ` +
          `${device.figures.crashes} crashes, ${bytesText(device.wear.bytesWritten)} written, ${device.findings.total} findings, ` +
          `${Math.ceil(seconds / share - seconds)} s left`
        );
      }),
  });
  screen.clear();
  console.log(json ? reportJson(result) : reportText(result, paintFor(process.stdout)));
  return result.gates.every(({ met }) => met) ? 0 : 1;
}

async function main(line: readonly string[]): Promise<number> {
  const command = commandLine();
  command.parse(line, { from: 'user' });
  const given = command.opts<Given>();
  const seed = given.seed ?? Math.floor(Math.random() * 0x1_0000_0000);
  if (given.plant === undefined) return soakVirtual(given, seed);
  return soakPlanted(given.plant, ['--days', `${given.days}`, '--seed', `${seed}`, ...(given.json ? ['--json'] : [])]);
}

// Nothing is left that could still happen, and the run has not ended: the store owes an answer that never comes.
process.once('beforeExit', () => {
  console.error('soak: the store gives no answer any more, with a disk that has answered all that it asked for');
  process.exit(1);
});

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (error instanceof CommanderError && error.exitCode === 0) process.exitCode = 0;
  else {
    const [message = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
    console.error(`soak: ${message.replace(/^error: /, '')}; see --help`);
    process.exitCode = 2;
  }
}
process.removeAllListeners('beforeExit');
