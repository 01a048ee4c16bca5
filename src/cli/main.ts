#!/usr/bin/env node
/**
 * The command `imatrix-mm`. One file a command; this one joins them and turns what goes wrong into one line on stderr and
 * an exit code (cli-error.ts). A stack trace means a defect of this program.
 */
import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Command, CommanderError, Option } from 'commander';
import { EXIT_UNUSABLE, expectedMessage, oneLine } from './cli-error.ts';
import { configCommand } from './config.ts';
import { conformanceCommand } from './conformance.ts';
import { deployCommand } from './deploy.ts';
import { dumpCommand } from './dump.ts';
import { exportCommand } from './export.ts';
import { harnessCommand } from './harness.ts';
import { importCommand } from './import.ts';
import { infoCommand } from './info.ts';
import { ledgerCommand } from './ledger.ts';
import { preflightCommand, ROUND_COMMAND, runRoundChild } from './preflight.ts';
import { repairCommand } from './repair.ts';
import { runWorker, WORKER_COMMAND } from './replay/worker.ts';
import { replayCommand } from './replay.ts';
import { rolloutCommand } from './rollout.ts';
import { serveCommand } from './serve.ts';
import { soakCommand } from './soak.ts';
import { statsCommand } from './stats.ts';
import { verifyCommand } from './verify.ts';
import { versionText } from './version.ts';
import { visualiseCommand } from './visualise.ts';
import { wearCommand } from './wear.ts';

/** What operators of the first memory manager type: another name of a command. */
const MEMORY_STATS = '--memory-stats';

const entry = realpathSync(fileURLToPath(import.meta.url));

function program(): Command {
  const command = new Command('imatrix-mm')
    .description('Durable sensor storage for gateways: tools of the package imatrix-memory-manager.')
    .version(versionText(), '-V, --version', 'versions of package, storage format and Node')
    .addOption(
      new Option(`${MEMORY_STATS} [directory]`, 'the older name of stats: imatrix-mm --memory-stats [--watch]'),
    )
    .addHelpText(
      'after',
      '\nExample:\n  imatrix-mm replay bus.log gps.nmea machine.csv --storage ./store --power-cut 20',
    )
    .addCommand(replayCommand(entry))
    .addCommand(conformanceCommand(entry))
    .addCommand(visualiseCommand(entry))
    .addCommand(configCommand())
    .addCommand(serveCommand(entry))
    .addCommand(harnessCommand(entry))
    .addCommand(soakCommand(entry))
    .addCommand(statsCommand())
    .addCommand(infoCommand())
    .addCommand(verifyCommand())
    .addCommand(dumpCommand())
    .addCommand(importCommand())
    .addCommand(exportCommand())
    .addCommand(preflightCommand(entry))
    .addCommand(deployCommand(entry))
    .addCommand(rolloutCommand())
    .addCommand(repairCommand())
    .addCommand(ledgerCommand())
    .addCommand(wearCommand());
  command.command(WORKER_COMMAND, { hidden: true }).action(runWorker);
  command.command(`${ROUND_COMMAND} <directory>`, { hidden: true }).action(runRoundChild);
  for (const each of withSubcommands(command)) {
    each.exitOverride().configureOutput({ outputError: (text, write) => write(usageLine(text, each)) });
  }
  return command;
}

const withSubcommands = (command: Command): Command[] => [command, ...command.commands.flatMap(withSubcommands)];

/** As it is typed: `imatrix-mm config check`. */
const typed = (command: Command): string =>
  command.parent === null ? command.name() : `${typed(command.parent)} ${command.name()}`;

function commandLine(given: readonly string[]): string[] {
  const at = given.indexOf(MEMORY_STATS);
  const isFirst = at >= 0 && given.slice(0, at).every((each) => each.startsWith('-'));
  return isFirst ? ['stats', ...given.filter((_, i) => i !== at)] : [...given];
}

const usageLine = (text: string, command: Command): string =>
  `imatrix-mm: ${oneLine(text.replace(/^error: /, '').replace(/\n\((Did you mean .*\?)\)/, '; $1'))} (see ${typed(command)} --help)\n`;

/** The reader of our output has gone (`| head`): nothing is left to say, and to whom. */
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit();
  throw error;
});

try {
  await program().parseAsync(commandLine(process.argv.slice(2)), { from: 'user' });
} catch (error) {
  if (error instanceof CommanderError) {
    // Help and version end with 0; commander has said what was wrong with the rest.
    process.exitCode = error.exitCode === 0 ? 0 : EXIT_UNUSABLE;
  } else {
    const expected = expectedMessage(error);
    if (expected === null) throw error;
    process.stderr.write(`imatrix-mm: ${expected.message}\n`);
    process.exitCode = expected.exitCode;
  }
}
