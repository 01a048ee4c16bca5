/**
 * `npm run bench`: the store beside its peers, as one table of demands and what was measured. Rows are measured by the
 * groups of bench/groups.ts; this file only runs them and says what came out. docs/benchmarks.md has the how and why.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { CommanderError } from 'commander';
import { CliError, expectedMessage } from '../src/cli/cli-error.ts';
import { bytesText, Progress, paintFor } from '../src/cli/screen.ts';
import { type BenchArguments, parseArguments } from './arguments.ts';
import { atEnd, putRight, putRightWhenStopped } from './cleanup.ts';
import { describeCounting } from './device/counting.ts';
import { type Choice, chosen } from './groups.ts';
import { describeMachine } from './machine.ts';
import { demandTable, exitCodeOf, type Report, reportText } from './report.ts';
import { runGroups } from './run-groups.ts';

const RESULTS = join(import.meta.dirname, 'results');
const REPETITIONS = 5;
/** What the largest turn of a peer takes, with its log and what it has not merged yet. */
const FREE_BYTES_MIN = 2 * 1024 ** 3;
const REPETITIONS_QUICK = 2;

async function measure(given: BenchArguments, choices: readonly Choice[]): Promise<Report> {
  const { quick, seed } = given;
  const directory = mkdtempSync(join(given.directory, 'imatrix-bench-'));
  const remove = atEnd(`remove ${directory}`, () => rmSync(directory, { recursive: true, force: true }));
  const repetitions = quick ? REPETITIONS_QUICK : REPETITIONS;
  const machine = describeMachine(directory, describeCounting());
  if (machine.freeBytes < FREE_BYTES_MIN) {
    const free = `${bytesText(machine.freeBytes)} free, ${bytesText(FREE_BYTES_MIN)} are needed`;
    throw new CliError(`${given.directory}: ${free}; free some, or choose another --directory`);
  }
  const progress = new Progress(given.json);
  const startedMs = performance.now();
  const secondsSoFar = (): number => (performance.now() - startedMs) / 1_000;
  let doing = 'starting';
  const show = (): void => {
    const line = `${Math.round(secondsSoFar())} s  ${doing}`;
    progress.show(
      () => [line],
      () => line,
    );
  };
  const timer = setInterval(show, 500);
  try {
    const startedAt = new Date().toISOString();
    const tell = (group: string, what: string): void => {
      const at = choices.findIndex((choice) => choice.group.name === group) + 1;
      doing = `${group} (${at} of ${choices.length}): ${what}`;
    };
    const outcome = await runGroups({ choices, quick, repetitions, seed, directory, tell });
    return { machine, run: { startedAt, seconds: secondsSoFar(), seed, quick, repetitions }, ...outcome };
  } finally {
    clearInterval(timer);
    progress.end();
    await remove();
  }
}

/** @returns where the figures are kept: whole runs apart from looks at some rows and from runs that went wrong. */
function keep(report: Report, { quick, only, out }: BenchArguments): string {
  const whole = !quick && only.length === 0 && report.failures.length === 0;
  const kept = join(RESULTS, whole ? 'latest.json' : 'partial.json');
  const text = `${JSON.stringify(report, null, 1)}\n`;
  mkdirSync(RESULTS, { recursive: true });
  for (const path of out === undefined ? [kept] : [kept, out]) writeFileSync(path, text);
  return relative(join(RESULTS, '../..'), kept);
}

async function main(): Promise<number> {
  const given = parseArguments(process.argv.slice(2));
  const choices = chosen(given.only);
  const paint = paintFor(process.stdout);
  if (given.list) {
    console.log(given.json ? JSON.stringify(choices.flatMap(({ rows }) => rows)) : demandTable(choices));
    return 0;
  }
  putRightWhenStopped();
  const report = await measure(given, choices);
  const kept = keep(report, given);
  console.log(given.json ? JSON.stringify(report) : `${reportText(choices, report, paint)}\nkept in ${kept}`);
  return exitCodeOf(report, given.gate);
}

try {
  process.exitCode = await main();
} catch (error) {
  if (error instanceof CommanderError && error.exitCode === 0) process.exitCode = 0;
  else if (error instanceof CommanderError) {
    console.error(`bench: ${error.message.replace(/^error: /, '')}; see --help`);
    process.exitCode = 2;
  } else {
    const expected = expectedMessage(error);
    if (expected === null) throw error;
    console.error(`bench: ${expected.message}`);
    process.exitCode = expected.exitCode;
  }
} finally {
  await putRight();
}
