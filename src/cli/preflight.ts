/**
 * `imatrix-mm preflight`: is this machine ready for a store? Writes in a scratch directory only, and removes it. Exit code 0:
 * nothing failed; 1: something did; 2: it could not be looked at.
 */
import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { Command } from 'commander';
import { PREFLIGHT, worst } from '../deploy/checks.ts';
import { gatherFacts } from '../deploy/facts.ts';
import { roundChild, runRound } from '../deploy/round.ts';
import { EXIT_WRONG } from './cli-error.ts';
import { checksText } from './deploy/checks-text.ts';
import { DEFAULT_DIRECTORY, DIRECTORY_HELP } from './operator/common.ts';

interface Flags {
  readonly config?: string;
  readonly json: boolean;
}

/** The command's hidden subcommand: the process that is killed. */
export const ROUND_COMMAND = 'preflight-round';

export const runRoundChild = async (directory: string): Promise<void> => {
  await roundChild(directory);
};

/** @param entry the file of the command, for the process that is killed. */
export const preflightCommand = (entry: string): Command =>
  new Command('preflight')
    .summary('is this machine ready for a store')
    .description(
      'Looks at everything that a store needs of a machine, and runs one round on its file system: save, kill, recover,\n' +
        'compare. Writes in a scratch directory beside the store only, and removes it.',
    )
    .argument('[directory]', DIRECTORY_HELP, DEFAULT_DIRECTORY)
    .option('--config <file>', 'configuration file of the store')
    .option('--json', 'one JSON object instead of the table', false)
    .addHelpText('after', '\nExit code: 0 nothing failed, 1 something did. What each check means: docs/deployment.md.')
    .action((directory: string, flags: Flags) => run(directory, flags, entry));

async function run(directory: string, { config, json }: Flags, entry: string): Promise<void> {
  const facts = await gatherFacts({ directory, config: config ?? null });
  const checked = PREFLIGHT.map((check) => check(facts));
  const canWrite = checked.every(({ id, state }) => state !== 'fail' || (id !== 'directory' && id !== 'mount'));
  if (canWrite) checked.push(await runRound(nearest(directory), [process.execPath, entry, ROUND_COMMAND]));
  const answer = { directory: facts.directory, verdict: worst(checked), checks: checked };
  process.stdout.write(`${json ? JSON.stringify(answer) : checksText(facts.directory, checked)}\n`);
  if (answer.verdict === 'fail') process.exitCode = EXIT_WRONG;
}

/** The scratch directory is not inside a store, and on the same file system: beside it. */
function nearest(directory: string): string {
  let at = dirname(resolve(directory));
  while (!existsSync(at)) at = dirname(at);
  return at;
}
