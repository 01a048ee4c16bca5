/**
 * `npm run conformance:museum`: plants each known bug in a copy of the engine and shows what catches it.
 *
 * Exit code 0: all were caught. 1: one was not. 2: arguments that make no sense, a patch or an exhibit that does not fit.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { EVIDENCE, positive, seedOf } from './cli/arguments.ts';
import { endWithReader } from './cli/reader-gone.ts';
import { Screen } from './cli/screen.ts';
import type { Exhibit } from './museum/exhibit.ts';
import { plantingOf } from './museum/exhibit.ts';
import { plantingsIn } from './museum/patches.ts';
import { EXHIBITS, medianSteps, runMuseum } from './museum/run.ts';
import type { Catch } from './museum/visit.ts';
import { SEARCHING_MODES } from './museum/visit.ts';

const ROOT = join(import.meta.dirname, '..');

interface Arguments {
  readonly seed: number;
  readonly runs: number;
  readonly only?: readonly Exhibit[];
  readonly museum?: string;
  readonly modes?: readonly string[];
  readonly everyMode: boolean;
  readonly json: boolean;
  readonly evidence: string | false;
}

function named(text: string): Exhibit[] {
  return text.split(',').map((id) => {
    const exhibit = EXHIBITS.find((each) => each.id === id);
    if (exhibit === undefined)
      throw new InvalidArgumentError(`there is no ${id}; there are ${EXHIBITS.map((each) => each.id).join(', ')}`);
    return exhibit;
  });
}

function modes(text: string): string[] {
  return text.split(',').map((name) => {
    if (!(SEARCHING_MODES as readonly string[]).includes(name))
      throw new InvalidArgumentError(`no mode ${name} looks; these do: ${SEARCHING_MODES.join(', ')}`);
    return name;
  });
}

function parse(): Arguments {
  const command = new Command('conformance:museum')
    .description('Plants known bugs in a copy of the engine, one at a time, and shows what catches each.')
    .option('--seed <n>', 'seed of the runs', seedOf, 7)
    .option('--runs <n>', 'seeded runs after which a bug counts as not caught by them', positive, 2_000)
    .option('--only <ids>', 'some of them, such as V1,V13', named)
    .option('--museum <folder>', 'instead of the known bugs, those of a folder with one unified diff a file')
    .option('--modes <names>', 'only these modes look, such as random,damage', modes)
    .option('--every-mode', 'let every mode look, and tell all that catch the bug', false)
    .option('--json', 'one JSON object instead of a table', false)
    .option('--evidence <folder>', 'where the evidence of the run is written', EVIDENCE)
    .option('--no-evidence', 'write no evidence')
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({ outputError: () => {} });
  command.parse();
  return command.opts<Arguments>();
}

const HEADING = 'id   caught by    steps   runs  mode           bug';

const row = ({ id, caughtBy, steps, runs, modes, bug }: Catch): string =>
  `${id.padEnd(4)} ${(caughtBy ?? 'NOT CAUGHT').padEnd(12)} ${String(steps).padStart(5)} ${String(runs).padStart(6)}  ${modes.join(',').padEnd(14)} ${bug}`;

async function main(): Promise<number> {
  const { seed, runs, only, museum, modes: asked, everyMode, json, evidence } = parse();
  if (museum !== undefined && only !== undefined) throw new Error('--only names known bugs, --museum others: give one');
  const plantings =
    museum === undefined ? (only ?? EXHIBITS).map((exhibit) => plantingOf(ROOT, exhibit)) : plantingsIn(museum, ROOT);
  const screen = new Screen(json);
  screen.text(HEADING);
  const { rows, killed, outcome } = await runMuseum({
    root: ROOT,
    plantings,
    seed,
    runs,
    everyMode,
    ...(asked === undefined ? {} : { only: asked }),
    command: `npm run conformance:museum -- ${process.argv.slice(2).join(' ')}`.trim(),
    onCatch: (caught) => screen.text(row(caught)),
    onProgress: ({ done, total }) => screen.progress(() => `${done} of ${total} bugs planted`),
  });
  screen.clear();
  if (evidence !== false && only === undefined && museum === undefined) {
    mkdirSync(evidence, { recursive: true });
    writeFileSync(join(evidence, 'museum.json'), `${JSON.stringify(outcome.evidence, null, 2)}\n`);
  }
  if (json) console.log(JSON.stringify({ planted: rows.length, killed, rows }));
  else {
    const left = rows.filter(({ caughtBy }) => caughtBy === null).map(({ id }) => id);
    const survived = left.length === 0 ? '' : `, NOT CAUGHT: ${left.join(', ')}`;
    console.log(
      `\n${killed} of ${rows.length} caught${survived}; median of the shrunk traces ${medianSteps(rows)} steps, ${outcome.evidence.seconds.toFixed(0)} s`,
    );
  }
  return killed === rows.length ? 0 : 1;
}

endWithReader();
try {
  process.exitCode = await main();
} catch (error) {
  if (error instanceof CommanderError && error.exitCode === 0) process.exitCode = 0;
  else {
    const [message = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
    console.error(`conformance:museum: ${message.replace(/^error: /, '')}; see --help`);
    process.exitCode = 2;
  }
}
