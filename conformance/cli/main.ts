/**
 * `npm run conformance`: runs model and engine in step, in the mode that a flag selects (modes.ts), and says what was
 * exercised, or how a run failed.
 *
 * Exit code 0: no failure. 1: a failure, with its trace saved and shown. 2: arguments that make no sense.
 */
import { Command, CommanderError } from 'commander';
import { onShrinking } from '../shrinking/progress.ts';
import { addCommonOptions, commonArguments, PROGRAM } from './arguments.ts';
import type { ModeEntry } from './modes.ts';
import { MODE_TABLE } from './modes.ts';
import { endWithReader } from './reader-gone.ts';
import { finish } from './report.ts';
import { Screen, shrinkingLine } from './screen.ts';

/** The one mode whose flag was given. @throws when there are two. */
function modeOf(line: readonly string[]): ModeEntry {
  const given = MODE_TABLE.filter(({ flag }) => flag !== null && line.some((each) => each.split('=')[0] === flag));
  const named = given.filter(({ flag }) => !given.some((other) => other.with?.includes(flag ?? '')));
  if (named.length > 1)
    throw new Error(`${named.map(({ flag }) => flag).join(' and ')} are two modes: give one of them`);
  return named[0] ?? (MODE_TABLE[0] as ModeEntry);
}

function helpOfModes(): string {
  const rows = MODE_TABLE.map(({ flag, help }) => `  ${(flag ?? '(none)').padEnd(20)}${help}`);
  return `\nModes, one at a time; --help beside a flag shows its own options:\n${rows.join('\n')}`;
}

async function main(line: readonly string[]): Promise<number> {
  const entry = modeOf(line);
  const mode = await entry.load();
  const command = addCommonOptions(new Command(PROGRAM))
    .description('Runs the model and the engine in step and compares them after every step.')
    .addHelpText('after', helpOfModes())
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({ outputError: () => {} });
  mode.options?.(command);
  // A mode whose flag takes no value is not an option of its own.
  if (entry.flag !== null && !command.options.some(({ long }) => long === entry.flag))
    command.option(entry.flag, entry.help);
  command.parse(line, { from: 'user' });
  const given = commonArguments(command, line);
  const screen = new Screen(given.json);
  onShrinking((shrinking) => screen.progress(() => shrinkingLine(shrinking)));
  const report = await mode.run(given as never, screen);
  return typeof report === 'number' ? report : finish(report, given, screen);
}

endWithReader();
try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (error instanceof CommanderError && error.exitCode === 0) process.exitCode = 0;
  else {
    const [message = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
    console.error(`conformance: ${message.replace(/^error: /, '')}; see --help`);
    process.exitCode = 2;
  }
}
