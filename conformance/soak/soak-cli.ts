/**
 * `imatrix-mm soak`: the reference load for days, with crashes, disk trouble and clock jumps, every record verified, and a
 * table of gates. In virtual time over the simulated disk, or with `--real` on a directory, with SIGKILLs.
 *
 * Exit code 0: every gate is met. 1: one is not. 2: what was asked for makes no sense. 130: stopped before its end.
 */
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { count, duration, seedOf } from '../cli/arguments.ts';
import { Interruption } from '../cli/interruption.ts';
import { endWithReader } from '../cli/reader-gone.ts';
import { Screen } from '../cli/screen.ts';
import { SECONDS_A_TICK } from './load.ts';
import { soakPlanted } from './plant.ts';
import { RealSoak } from './real/run-real.ts';
import { findState } from './real/state.ts';
import { STORING_FLAG } from './real/storing-child.ts';
import { serveParent } from './real/storing-process.ts';
import { bytesText, paintFor, reportJson, reportText, thousands } from './report.ts';
import type { SoakResult } from './run.ts';
import { runSoak } from './run.ts';

interface Given {
  readonly days?: number;
  readonly seed?: number;
  readonly real?: true;
  readonly for?: number;
  readonly directory?: string;
  readonly speed?: number;
  readonly plant?: string;
  readonly json: boolean;
}

const DAYS_MAX = 366;
const DAYS_MIN = 0.05;
const DAYS = 7;
const SECONDS = 86_400;
const DIRECTORY = './soak';
const SPEED_MAX = 1_000;

function daysOf(text: string): number {
  const days = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (!(days >= DAYS_MIN && days <= DAYS_MAX))
    throw new InvalidArgumentError(`give days from ${DAYS_MIN} to ${DAYS_MAX}, such as 7 or 0.25`);
  return days;
}

function speedOf(text: string): number {
  const speed = count(text);
  if (!(speed >= 1 && speed <= SPEED_MAX)) throw new InvalidArgumentError(`give a whole number from 1 to ${SPEED_MAX}`);
  return speed;
}

function commandLine(): Command {
  return new Command('soak')
    .description('Runs the reference load for days, with crashes, disk trouble and clock jumps; verifies every record.')
    .option('--days <n>', `how long, in days of virtual time (default: ${DAYS})`, daysOf)
    .option('--seed <n>', 'start of all chance; printed, so that a run can be repeated', seedOf)
    .option('--real', 'in real time on a real directory, with SIGKILLs; Ctrl-C stops it, the same command goes on')
    .option('--for <time>', 'with --real: how long, such as 90s, 10m, 24h (default: 24h)', duration)
    .option(
      '--directory <dir>',
      `with --real: where it keeps store and state; a new or an empty one (default: ${DIRECTORY})`,
    )
    .option('--speed <n>', 'with --real: seconds of the load in one of real time (default: 1)', speedOf)
    .option('--plant <id>', 'plant a known bug of the museum (such as K1) in a copy of the sources; the soak must fail')
    .option('--json', 'one JSON object instead of the report', false)
    .addHelpText('after', '\nExamples:\n  imatrix-mm soak --days 7 --seed 1\n  imatrix-mm soak --days 1 --json')
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({ outputError: () => {} });
}

const drawSeed = (): number => Math.floor(Math.random() * 0x1_0000_0000);

function show(result: SoakResult, json: boolean): number {
  console.log(json ? reportJson(result) : reportText(result, paintFor(process.stdout)));
  return result.gates.every(({ met }) => met) ? 0 : 1;
}

async function soakVirtual({ days = DAYS, json }: Given, seed: number): Promise<number> {
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
  return show(result, json);
}

async function soakReal({ directory = DIRECTORY, seed, speed, json, ...given }: Given): Promise<number> {
  const seconds = given.for;
  const state = findState(directory, {
    ...(seconds === undefined ? {} : { seconds }),
    ...(seed === undefined ? {} : { seed }),
    ...(speed === undefined ? {} : { speed }),
  });
  const plan = state?.plan ?? { seconds: seconds ?? SECONDS, seed: seed ?? drawSeed(), speed: speed ?? 1 };
  const screen = new Screen(json);
  if (!json) {
    const how = `${plan.seconds} s, seed ${plan.seed}, speed ${plan.speed}`;
    screen.note(`soak: ${how}, in ${directory}${state === null ? '' : ', going on'}; Ctrl-C stops it in good order`);
  }
  const interruption = new Interruption();
  const { signal } = interruption;
  const soak = new RealSoak({
    ...{ plan, directory, state, signal, entry: import.meta.filename },
    onProgress: (at) => screen.progress(() => progressOf(at, plan.speed)),
  });
  const result = await soak.run();
  interruption.stopListening();
  screen.clear();
  if (result !== null) return show(result, json);
  const left = Math.round(plan.seconds * (1 - soak.tick / soak.schedule.ticks));
  console.error(`soak: stopped in good order, ${left} s are left; the same command goes on`);
  return Interruption.EXIT_CODE;
}

function progressOf({ tick, schedule, account, figures, findings, storage }: RealSoak, speed: number): string {
  const { appended, delivered } = account.figures;
  const left = ((schedule.ticks - tick) * SECONDS_A_TICK) / speed;
  return (
    `soak  ${((100 * tick) / schedule.ticks).toFixed(1)} %, ${thousands(appended)} records, ${thousands(delivered)} verified, ` +
    `${figures.crashes} kills, ${bytesText(storage.wear.bytesWritten)} written, ${findings.total} findings, ` +
    `${storage.offline ? 'offline' : 'online'}, ${left >= 3_600 ? `${(left / 3_600).toFixed(1)} h` : `${Math.ceil(left)} s`} left`
  );
}

/** An option of one form with the other would do nothing, which nobody means. */
function checkForm(given: Given): void {
  const misplaced =
    given.real === true
      ? (['days', 'plant'] as const).find((each) => given[each] !== undefined)
      : (['for', 'directory', 'speed'] as const).find((each) => given[each] !== undefined);
  if (misplaced === undefined) return;
  const reason = given.real === true ? 'is not for --real: that takes --for' : 'is for --real: give that too';
  throw new Error(`--${misplaced} ${reason}`);
}

async function main(line: readonly string[]): Promise<number> {
  const command = commandLine();
  command.parse(line, { from: 'user' });
  const given = command.opts<Given>();
  checkForm(given);
  if (given.real === true) return soakReal(given);
  const seed = given.seed ?? drawSeed();
  if (given.plant === undefined) return soakVirtual(given, seed);
  return soakPlanted(given.plant, given.days ?? DAYS, ['--seed', `${seed}`, ...(given.json ? ['--json'] : [])]);
}

/** Nothing is left that could still happen, and the run has not ended: the store owes an answer that never comes. */
const unanswered = (): void => {
  console.error('soak: the store gives no answer any more, with a disk that has answered all that it asked for');
  process.exit(1);
};

async function run(line: readonly string[]): Promise<void> {
  process.once('beforeExit', unanswered);
  try {
    process.exitCode = await main(line);
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) process.exitCode = 0;
    else {
      const [message = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
      console.error(`soak: ${message.replace(/^error: /, '')}; see --help`);
      process.exitCode = 2;
    }
  }
  process.off('beforeExit', unanswered);
}

if (process.argv[2] === STORING_FLAG) serveParent();
else {
  endWithReader();
  await run(process.argv.slice(2));
}
