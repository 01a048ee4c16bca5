/**
 * `imatrix-mm harness`: the numbered tests that operators know, each real, on the profiles linux and wiced.
 *
 * Exit code 0: all that were asked for passed. 1: one failed. 2: what was asked for makes no sense.
 */
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import type { Profile } from '../actions.ts';
import { seedOf } from '../cli/arguments.ts';
import { endWithReader } from '../cli/reader-gone.ts';
import { Screen } from '../cli/screen.ts';
import { paintFor } from '../soak/report.ts';
import { needSources, runMutations } from './mutants.ts';
import { MUTATIONS } from './mutations.ts';
import type { Row } from './report.ts';
import {
  failureText,
  mutationsSummary,
  mutationsText,
  passed,
  resultsJson,
  rowsText,
  summary,
  told,
} from './report.ts';
import { runTest } from './run.ts';
import type { HarnessTest } from './table.ts';
import { NUMBERS, TESTS } from './table.ts';

interface Given {
  readonly test: readonly HarnessTest[];
  readonly platform?: Profile;
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly detailed: boolean;
  readonly mutations: boolean;
  readonly json: boolean;
  readonly seed: number;
}

/** So that two runs do the same unless somebody asks for another one. */
const SEED = 1;

function testsOf(text: string): readonly HarnessTest[] {
  if (text === 'all') return TESTS;
  const found = /^\d{1,3}$/.test(text) ? TESTS.filter(({ number }) => number === Number(text)) : [];
  if (found.length === 0) throw new InvalidArgumentError(`give all, or a number from 1 to ${NUMBERS.at(-2)}, or 99`);
  return found;
}

function commandLine(): Command {
  return new Command('harness')
    .description('Runs the numbered tests, on both profiles unless one is asked for.')
    .option('--test <n>', 'one test by its number, or all', testsOf, TESTS)
    .addOption(new Option('--platform <name>', 'one profile only').choices(['linux', 'wiced']))
    .addOption(
      new Option('--quiet', 'failures and the last line only').default(false).conflicts(['verbose', 'detailed']),
    )
    .addOption(new Option('--verbose', 'what each test did').default(false).conflicts('detailed'))
    .option('--detailed', 'what each test did and saw', false)
    .option('--mutations', 'run each test on an engine with one line changed: it must fail there', false)
    .option('--seed <n>', 'start of all chance', seedOf, SEED)
    .option('--json', 'one JSON object instead of text', false)
    .addHelpText(
      'after',
      '\nExamples:\n  imatrix-mm harness --test=all\n  imatrix-mm harness --test=31 --platform=linux --detailed',
    )
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({ outputError: () => {} });
}

async function runAll(given: Given, screen: Screen): Promise<number> {
  const { test: tests, platform, seed, json, quiet, verbose, detailed } = given;
  const profiles: readonly Profile[] = platform === undefined ? ['linux', 'wiced'] : [platform];
  const rows: Row[] = [];
  for (const test of tests) {
    const results = [];
    for (const profile of profiles) {
      const onProgress = (what: string): void =>
        screen.progress(() => `${rows.length} of ${tests.length} tests, ${what}`);
      onProgress(`test ${test.number}, ${test.title}`);
      const result = await runTest(test, { profile, seed, quick: false, onProgress });
      results.push(result);
      if (verbose || detailed) for (const line of told(result, detailed)) screen.text(line);
      if (!result.passed) screen.text(failureText(result));
    }
    rows.push({ number: test.number, title: test.title, results });
  }
  screen.clear();
  if (json) console.log(resultsJson(rows, seed));
  if (!quiet) screen.text(`\n${rowsText(rows, profiles, paintFor(process.stdout))}\n\nseed ${seed}`);
  screen.text(summary(rows));
  return rows.every(passed) ? 0 : 1;
}

async function runMutants({ test: tests, seed, json, quiet }: Given, screen: Screen): Promise<number> {
  needSources();
  const wanted = MUTATIONS.filter(({ test }) => tests.some(({ number }) => number === test));
  const rows = await runMutations(wanted, seed, (done) =>
    screen.progress(() => `${done} of ${wanted.length} mutations`),
  );
  screen.clear();
  if (json) console.log(JSON.stringify({ seed, red: rows.filter(({ red }) => red).length, mutations: rows }));
  if (!quiet) screen.text(mutationsText(rows, paintFor(process.stdout)));
  screen.text(mutationsSummary(rows));
  return rows.every(({ red }) => red) ? 0 : 1;
}

async function main(line: readonly string[]): Promise<number> {
  const command = commandLine();
  command.parse(line, { from: 'user' });
  const given = command.opts<Given>();
  const screen = new Screen(given.json);
  return given.mutations ? runMutants(given, screen) : runAll(given, screen);
}

endWithReader();
try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (error instanceof CommanderError && error.exitCode === 0) process.exitCode = 0;
  else {
    const [message = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
    console.error(`harness: ${message.replace(/^error: /, '')}; see --help`);
    process.exitCode = 2;
  }
}
