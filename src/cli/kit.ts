/**
 * Commands that belong to the conformance kit of this package: they get their arguments as they are, in a process of their
 * own.
 *
 * The kit needs packages that the store does not, and that the user installs who wants it: it is started by path, never
 * imported, so that the command works without them and can say which one is missing.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { Command } from 'commander';
import { CliError } from './cli-error.ts';

/** As package.json has them under peerDependencies. */
const NEEDED = ['xstate', 'fast-check', 'ts-pattern'];

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** A file of the kit: beside the built command, or among the sources. @param path without its ending. */
function kitBeside(entry: string, path: string): string {
  const places = [`../conformance/${path}.js`, `../../conformance/${path}.ts`];
  const found = places.map((place) => join(dirname(entry), place)).find((each) => existsSync(each));
  if (found === undefined) throw new CliError('the conformance kit is not in this package: install it again');
  return found;
}

function isInstalled(name: string): boolean {
  try {
    import.meta.resolve(name);
    return true;
  } catch {
    // The only thing that is asked is whether it is there.
    return false;
  }
}

/** Runs the kit and ends as it ends; what stops this process is passed on, so that the kit can keep its state. */
function runKit(kit: string, args: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, [kit, ...args], { stdio: 'inherit' });
  const pass = (signal: NodeJS.Signals): boolean => child.kill(signal);
  // A terminal tells the whole group of SIGINT: the kit has it already.
  const wait = (): void => {};
  for (const signal of SIGNALS) process.on(signal, signal === 'SIGINT' && process.stdin.isTTY ? wait : pass);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code, signal) => resolve(code ?? 128 + (constants.signals[signal ?? 'SIGTERM'] ?? 0)));
  });
}

/** Starts a command of the kit and ends as it ends. @param needed packages that it cannot do without. */
export async function startKit(
  name: string,
  path: string,
  entry: string,
  needed: readonly string[],
  args: readonly string[],
): Promise<void> {
  const missing = needed.filter((each) => !isInstalled(each));
  if (missing.length > 0) {
    throw new CliError(
      `${name} needs ${missing.join(', ')}, which this project does not have: npm install --save-dev ${missing.join(' ')}`,
    );
  }
  process.exitCode = await runKit(kitBeside(entry, path), args);
}

/**
 * @param path of the kit's own command, without its ending. @param entry this program's file.
 * @param needed packages that it cannot do without.
 */
export const kitCommand = (
  name: string,
  description: string,
  path: string,
  entry: string,
  needed: readonly string[] = NEEDED,
): Command =>
  new Command(name)
    .description(description)
    // All of it is the kit's, its --help too.
    .helpOption(false)
    .allowUnknownOption()
    .allowExcessArguments()
    .action((_options: object, command: Command) => startKit(name, path, entry, needed, command.args));
