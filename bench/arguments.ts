/** What `npm run bench` may be told, checked: a wrong argument is one line that says what would be right. */
import { statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { GROUPS, unknownNames } from './groups.ts';
import type { RowGroup } from './row.ts';

export interface BenchArguments {
  readonly json: boolean;
  /** Another file for the JSON, beside the one in bench/results. */
  readonly out?: string;
  /** Rows and groups; empty means all. */
  readonly only: readonly string[];
  readonly quick: boolean;
  /** Where a temporary directory is made: on the disk that is measured. */
  readonly directory: string;
  readonly seed: number;
  readonly gate: boolean;
  readonly list: boolean;
}

const SEED_MAX = 0xffff_ffff;

export function seed(text: string): number {
  const given = Number(text);
  if (!/^\d+$/.test(text) || given > SEED_MAX)
    throw new InvalidArgumentError(`give a whole number from 0 to ${SEED_MAX}`);
  return given;
}

export function directory(path: string): string {
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
    throw new InvalidArgumentError('there is no such directory: make it, or choose another one');
  }
  return path;
}

/** Said before the run, and not a quarter of an hour later. */
function file(path: string): string {
  if (!statSync(dirname(path), { throwIfNoEntry: false })?.isDirectory()) {
    throw new InvalidArgumentError('its directory is not there: make it, or choose another file');
  }
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory())
    throw new InvalidArgumentError('it is a directory; give a file');
  return path;
}

function namesIn(groups: readonly RowGroup[]): (text: string, before: readonly string[]) => string[] {
  return (text, before) => {
    const names = text.split(',').filter((name) => name !== '');
    if (names.length === 0) throw new InvalidArgumentError('name a row or a group');
    const [unknown] = unknownNames(names, groups);
    if (unknown !== undefined) {
      const known = groups.flatMap(({ name, rows }) => [name, ...rows.map(({ id }) => id)]);
      throw new InvalidArgumentError(`there is no ${unknown}; known are ${[...new Set(known)].join(', ')}`);
    }
    return [...before, ...names];
  };
}

const HELP = `
Exit code: 0 every row ran, met or short: a row that is short is a result, not a failure (--gate makes it one);
1 a row did not run, a store gave back other records than it took, or with --gate a row is short; 2 wrong arguments.

The figures of a whole run are kept in bench/results/latest.json; those of --quick, --only, or a run in which a row did
not run in bench/results/partial.json, so that they do not replace those that docs/performance.md is drawn from. How it is measured: docs/benchmarks.md.`;

/** @param args without the program's name. @throws CommanderError; code 0 when help was asked for and shown. */
export function parseArguments(args: readonly string[], groups: readonly RowGroup[] = GROUPS): BenchArguments {
  const command = new Command('bench')
    .description(
      'Measures this store beside its peers: same records, same batches, same durability, every value verified.',
    )
    .option('--only <names>', 'rows or groups, with commas between', namesIn(groups), [])
    .option('--quick', 'fewer records and two repetitions, under three minutes: shows that all runs', false)
    .option('--directory <dir>', 'on the disk to measure; a directory is made in it and removed', directory, tmpdir())
    .option('--seed <n>', 'of the records and of the order of the peers', seed, 1)
    .option('--json', 'print one JSON object instead of the table', false)
    .option('--out <file>', 'keep the JSON in this file, too', file)
    .option('--gate', 'exit code 1 when a row is short', false)
    .option('--list', 'name groups, rows and demands, and measure nothing', false)
    .addHelpText('after', HELP)
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({ outputError: () => {} });
  command.parse([...args], { from: 'user' });
  return command.opts<BenchArguments>();
}
