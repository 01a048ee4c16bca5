/**
 * `npm run conformance:mutants`: changes src/core and src/platform in some 5,000 places, one at a time, and looks whether
 * the conformance kit, as the only test, notices.
 *
 * A long run, an hour or two on two cores. It goes a few files at a time, and their outcome is kept in coverage/out/stryker:
 * broken off, it goes on where it was, and code that did not change is not tried again.
 *
 * Exit code 0: the score is reached and every survivor is listed. 1: not so. 2: arguments that make no sense.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Table from 'cli-table3';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { makeOutcome } from '../../conformance/evidence/make.ts';
import { newCoverage } from '../../conformance/model-run.ts';
import { MUTATION_SCORES } from '../thresholds.ts';
import type { FileFigures, ListedSurvivor, MutationReport, Survivor } from './figures.ts';
import { figuresOf, survivorsOf, totalOf, unlisted, withoutSurvivors } from './figures.ts';

const ROOT = join(import.meta.dirname, '../..');
const CONFIG = 'coverage/mutants/stryker.config.json';
/** Where Stryker looks for what it need not try again, and leaves what it has tried. */
const INCREMENTAL = join(ROOT, 'coverage/out/stryker/incremental.json');
/** Its state behind the last file that was done: Stryker, ended while it writes, leaves half a report. */
const KEPT = join(ROOT, 'coverage/out/stryker/kept.json');
const LISTED = join(ROOT, 'coverage/survivors.json');
const SUMMARY = join(ROOT, 'coverage/mutants.json');
const EVIDENCE = join(ROOT, 'coverage/out/evidence/mutants.json');
/** The trial run before the mutants takes a minute: it is shared, and what is lost when a run is broken off stays small. */
const FILES_AT_ONCE = 4;
const FOLDERS = ['src/core', 'src/platform'] as const;

interface Arguments {
  readonly files?: readonly string[];
  readonly again: boolean;
  readonly report: boolean;
  readonly concurrency: number;
  readonly json: boolean;
}

const ALL_FILES: readonly string[] = FOLDERS.flatMap((folder) =>
  readdirSync(join(ROOT, folder))
    .filter((name) => name.endsWith('.ts'))
    .sort()
    .map((name) => `${folder}/${name}`),
);

function files(text: string): string[] {
  return text.split(',').flatMap((part) => {
    const found = ALL_FILES.filter((file) => file === part || file.endsWith(`/${part}.ts`));
    if (found.length === 0) throw new InvalidArgumentError(`there is no ${part} in ${FOLDERS.join(' and ')}`);
    return found;
  });
}

function whole(text: string): number {
  if (!/^[1-9]\d?$/.test(text)) throw new InvalidArgumentError('give a whole number from 1 to 99');
  return Number(text);
}

function parse(): Arguments {
  const command = new Command('conformance:mutants')
    .description('Changes the engine in every place, one at a time; the conformance kit alone must notice.')
    .option('--files <names>', 'some files, such as flush,reader', files)
    .option('--again', 'try the survivors once more, after the kit has become stronger', false)
    .option('--report', 'run nothing: show what the last run kept', false)
    .option('--concurrency <n>', 'mutants at a time', whole, 2)
    .option('--json', 'one JSON object instead of a table', false)
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({ outputError: () => {} });
  command.parse();
  return command.opts<Arguments>();
}

const NOTHING: MutationReport = { files: {} };

const readJson = <T>(path: string, otherwise: T): T =>
  existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as T) : otherwise;

/** Runs Stryker on some files. @throws when it cannot run. */
function mutate(files: readonly string[], concurrency: number): Promise<void> {
  const stryker = join(ROOT, 'node_modules/@stryker-mutator/core/bin/stryker.js');
  const line = [stryker, 'run', CONFIG, '--mutate', files.join(','), '--concurrency', `${concurrency}`];
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, line, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    const hear = (chunk: Buffer): void => {
      said = `${said}${chunk.toString()}`.slice(-4_000);
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve();
      else
        reject(
          new Error(
            `Stryker ended with ${code} on ${files.join(', ')}: ${said.trim().split('\n').slice(-3).join(' ')}`,
          ),
        );
    });
  });
}

async function mutateAll({ files: chosen = ALL_FILES, again, concurrency }: Arguments): Promise<void> {
  mkdirSync(join(KEPT, '..'), { recursive: true });
  for (let at = 0; at < chosen.length; at += FILES_AT_ONCE) {
    const some = chosen.slice(at, at + FILES_AT_ONCE);
    console.error(`  ${at + 1} to ${at + some.length} of ${chosen.length}: ${some.join(', ')}`);
    const kept = readJson<MutationReport>(KEPT, NOTHING);
    if (kept === NOTHING) rmSync(INCREMENTAL, { force: true });
    else writeFileSync(INCREMENTAL, JSON.stringify(again ? some.reduce(withoutSurvivors, kept) : kept));
    await mutate(some, concurrency);
    keep(readJson<MutationReport>(INCREMENTAL, NOTHING));
  }
}

/** As a whole or not at all. */
function keep(report: MutationReport): void {
  writeFileSync(`${KEPT}.new`, JSON.stringify(report));
  renameSync(`${KEPT}.new`, KEPT);
}

const percent = (score: number | null): string => (score === null ? '' : score.toFixed(1));

function tableOf(rows: readonly FileFigures[]): string {
  const table = new Table({
    head: ['file', 'killed', 'timeout', 'survived', 'not reached', 'texts', 'score'],
    colAligns: ['left', 'right', 'right', 'right', 'right', 'right', 'right'],
    style: { head: [], border: [], compact: true },
  });
  for (const { file, killed, timeout, survived, noCoverage, ignored, score } of rows) {
    table.push([file, killed, timeout, survived, noCoverage, ignored, percent(score)]);
  }
  return table.toString();
}

const lineOf = ({ file, line, mutator, original, replacement }: Survivor): string =>
  `${file}:${line} ${mutator}: ${original}  ->  ${replacement}`;

function writeEvidence(totals: readonly FileFigures[], failures: number): void {
  const figures: Record<string, number> = {};
  for (const { file, killed, timeout, survived, noCoverage, score } of totals) {
    figures[`${file} killed`] = killed + timeout;
    figures[`${file} survived`] = survived + noCoverage;
    figures[`${file} score`] = Math.round((score ?? 0) * 10) / 10;
  }
  const { evidence } = makeOutcome({
    mode: 'mutants',
    command: 'npm run conformance:mutants',
    seed: null,
    profiles: ['linux', 'wiced'],
    seconds: 0,
    steps: 0,
    failures,
    traceHash: null,
    figures,
    coverage: newCoverage(),
    possible: [],
    failure: null,
  });
  mkdirSync(join(EVIDENCE, '..'), { recursive: true });
  writeFileSync(EVIDENCE, `${JSON.stringify(evidence, null, 2)}\n`);
}

/** Shows what is kept and holds it against thresholds and list. @returns the exit code. */
function conclude(json: boolean): number {
  const report = readJson<MutationReport>(KEPT, NOTHING);
  const rows = figuresOf(report).filter(({ score }) => score !== null);
  const totals = FOLDERS.map((folder) => totalOf(rows, folder)).filter(({ score }) => score !== null);
  const survivors = survivorsOf(report);
  const unknown = unlisted(survivors, readJson<readonly ListedSurvivor[]>(LISTED, []));
  const short = totals.filter(({ file, score }) => (score ?? 0) < (MUTATION_SCORES[file] ?? 0));
  writeFileSync(SUMMARY, `${JSON.stringify({ totals, files: rows }, null, 2)}\n`);
  writeEvidence(totals, short.length + unknown.length);
  if (json) console.log(JSON.stringify({ totals, files: rows, survivors, unlisted: unknown }));
  else {
    console.log(tableOf([...rows, ...totals]));
    console.log(`${survivors.length} survivors, ${unknown.length} of them not in coverage/survivors.json`);
    for (const each of unknown) console.log(`  ${lineOf(each)}`);
    for (const { file, score } of short) {
      console.log(`${file}: the score is ${percent(score)}, coverage/thresholds.ts demands ${MUTATION_SCORES[file]}`);
    }
  }
  return short.length === 0 && unknown.length === 0 ? 0 : 1;
}

try {
  const given = parse();
  if (!given.report) await mutateAll(given);
  process.exitCode = conclude(given.json);
} catch (error) {
  if (error instanceof CommanderError && error.exitCode === 0) process.exitCode = 0;
  else {
    const [message = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
    console.error(`conformance:mutants: ${message.replace(/^error: /, '')}; see --help`);
    process.exitCode = error instanceof CommanderError ? 2 : 1;
  }
}
