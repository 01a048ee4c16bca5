/** `npm run bench:charts`: draws docs/performance.md and docs/charts from the JSON of `npm run bench`. */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { Command, CommanderError } from 'commander';
import { CliError, expectedMessage } from '../../src/cli/cli-error.ts';
import { drawAll } from './catalogue.ts';
import { pageText } from './page.ts';
import { Results } from './results.ts';

const ROOT = join(import.meta.dirname, '../..');
export const LATEST = join(ROOT, 'bench/results/latest.json');
const DOCS = join(ROOT, 'docs');

/** Every file that is drawn, by its path below the documents. @throws CliError when the results lack something. */
export function drawnFiles(results: Results): Map<string, string> {
  const charts = drawAll(results);
  return new Map([
    ['performance.md', pageText({ report: results.report, charts })],
    ...charts.map(({ name, svg }) => [join('charts', `${name}.svg`), svg] as const),
  ]);
}

/** All is drawn before the first file is written; charts that are no longer drawn go. */
function write(files: ReadonlyMap<string, string>, docs: string): void {
  const charts = join(docs, 'charts');
  mkdirSync(charts, { recursive: true });
  for (const [name, text] of files) {
    mkdirSync(dirname(join(docs, name)), { recursive: true });
    writeFileSync(join(docs, name), text);
  }
  for (const name of readdirSync(charts)) {
    if (name.endsWith('.svg') && !files.has(join('charts', name))) rmSync(join(charts, name));
  }
}

interface Given {
  readonly results: string;
  readonly docs: string;
}

function parse(args: readonly string[]): Given {
  const command = new Command('bench:charts')
    .description('Draws docs/performance.md and docs/charts/*.svg from the JSON that npm run bench has kept.')
    .option('--results <file>', 'JSON of npm run bench', LATEST)
    .option('--docs <dir>', 'where performance.md and charts/ are written', DOCS)
    .addHelpText('after', '\nExit code: 0 drawn; 2 wrong arguments, or results that lack what a chart needs.')
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({ outputError: () => {} });
  command.parse([...args], { from: 'user' });
  return command.opts<Given>();
}

/** @returns the exit code. */
export function main(args: readonly string[]): number {
  try {
    const { results, docs } = parse(args);
    const name = relative(process.cwd(), results) || results;
    const files = drawnFiles(readResults(results, name));
    write(files, docs);
    console.log(`${files.size} files drawn from ${name} into ${relative(process.cwd(), docs) || '.'}`);
    return 0;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    const expected =
      error instanceof CommanderError
        ? { message: `${error.message.replace(/^error: /, '')}; see --help`, exitCode: 2 }
        : expectedMessage(error);
    if (expected === null) throw error;
    console.error(`bench:charts: ${expected.message}`);
    return expected.exitCode;
  }
}

function readResults(path: string, name: string): Results {
  try {
    return Results.read(path, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new CliError(`there is no ${name}: measure first with npm run bench, or name a file with --results`);
  }
}

if (import.meta.main) process.exitCode = main(process.argv.slice(2));
