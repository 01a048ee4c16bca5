/**
 * `npm run conformance:museum`: plants each known bug in a copy of the engine and shows what catches it.
 *
 * Exit code 0: all were caught. 1: one was not. 2: arguments that make no sense, or an exhibit that no longer fits.
 */
import { join } from 'node:path';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import type { Catch, Exhibit } from './museum.ts';
import { EXHIBITS, visit } from './museum.ts';

const ROOT = join(import.meta.dirname, '..');
/** Copies that run at a time: one a core of a small machine. */
const AT_ONCE = 2;

interface Arguments {
  readonly seed: number;
  readonly runs: number;
  readonly only?: readonly Exhibit[];
  readonly json: boolean;
}

function whole(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('give a whole number');
  return Number(text);
}

function named(text: string): Exhibit[] {
  return text.split(',').map((id) => {
    const exhibit = EXHIBITS.find((each) => each.id === id);
    if (exhibit === undefined)
      throw new InvalidArgumentError(`there is no ${id}; there are ${EXHIBITS.map((each) => each.id).join(', ')}`);
    return exhibit;
  });
}

function parse(): Arguments {
  const command = new Command('conformance:museum')
    .description('Plants known bugs in a copy of the engine, one at a time, and shows what catches each.')
    .option('--seed <n>', 'seed of the runs', whole, 7)
    .option('--runs <n>', 'runs after which a bug counts as not caught', whole, 2_000)
    .option('--only <ids>', 'some of them, such as V1,V13', named)
    .option('--json', 'one JSON object instead of a table', false)
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({ outputError: () => {} });
  command.parse();
  return command.opts<Arguments>();
}

const row = ({ id, caughtBy, steps, runs, bug }: Catch): string =>
  `${id.padEnd(4)} ${(caughtBy ?? 'NOT CAUGHT').padEnd(12)} ${String(steps).padStart(5)} ${String(runs).padStart(6)}  ${bug}`;

async function main(): Promise<number> {
  const { seed, runs, only, json } = parse();
  const exhibits = only ?? EXHIBITS;
  const rows = new Map<string, Catch>();
  const waiting = [...exhibits];
  if (!json) console.log('id   caught by    steps   runs  bug');
  const work = async (): Promise<void> => {
    for (let exhibit = waiting.shift(); exhibit !== undefined; exhibit = waiting.shift()) {
      const caught = await visit(ROOT, exhibit, seed, runs);
      rows.set(exhibit.id, caught);
      if (!json) console.log(row(caught));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  const ordered = exhibits.flatMap(({ id }) => rows.get(id) ?? []);
  const killed = ordered.filter(({ caughtBy }) => caughtBy !== null).length;
  if (json) console.log(JSON.stringify({ planted: ordered.length, killed, rows: ordered }));
  else console.log(`\n${killed} of ${ordered.length} caught`);
  return killed === ordered.length ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (error instanceof CommanderError && error.exitCode === 0) process.exitCode = 0;
  else {
    console.error(`conformance:museum: ${error instanceof Error ? error.message : String(error)}; see --help`);
    process.exitCode = 2;
  }
}
