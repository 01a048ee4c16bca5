/**
 * `npm run bench`: the store beside its peers, as one table of demands and what was measured. Rows are measured by the
 * groups of bench/groups.ts; this file only runs them and says what came out. docs/benchmarks.md has the how and why.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CommanderError } from 'commander';
import { expectedMessage } from '../src/cli/cli-error.ts';
import { Progress, paintFor } from '../src/cli/screen.ts';
import { type BenchArguments, parseArguments } from './arguments.ts';
import { atEnd, putRight, putRightWhenStopped } from './cleanup.ts';
import { describeCounting } from './device/counting.ts';
import { type Choice, chosen } from './groups.ts';
import { describeMachine } from './machine.ts';
import { demandTable, exitCodeOf, type Report, reportText } from './report.ts';
import { runGroups } from './run-groups.ts';

const RESULTS = join(import.meta.dirname, 'results');
const REPETITIONS = 5;
const REPETITIONS_QUICK = 2;

async function measure(given: BenchArguments, choices: readonly Choice[]): Promise<Report> {
  const { quick, seed } = given;
  const directory = mkdtempSync(join(given.directory, 'imatrix-bench-'));
  const remove = atEnd(`remove ${directory}`, () => rmSync(directory, { recursive: true, force: true }));
  const repetitions = quick ? REPETITIONS_QUICK : REPETITIONS;
  const machine = describeMachine(directory, describeCounting());
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
      doing = `${group}: ${what}`;
    };
    const outcome = await runGroups({ choices, quick, repetitions, seed, directory, tell });
    return { machine, run: { startedAt, seconds: secondsSoFar(), seed, quick, repetitions }, ...outcome };
  } finally {
    clearInterval(timer);
    progress.end();
    await remove();
  }
}

/** @returns where the figures are kept besides `out`. */
function keep(report: Report, { quick, only, out }: BenchArguments): string {
  const kept = join(RESULTS, quick || only.length > 0 ? 'partial.json' : 'latest.json');
  const text = `${JSON.stringify(report, null, 1)}\n`;
  for (const path of out === undefined ? [kept] : [kept, out]) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  return kept;
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
  keep(report, given);
  console.log(given.json ? JSON.stringify(report) : reportText(choices, report, paint));
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
