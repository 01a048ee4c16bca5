/**
 * `imatrix-mm deploy`: backup, rollback, and the checks after an installation. Exit code 0: done, or all is well; 1: a check
 * failed; 2: it could not be done, and nothing was changed.
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Command } from 'commander';
import { checkConfiguration } from '../config/index.ts';
import { backup, DeployError, rollBack } from '../deploy/backup.ts';
import { worst } from '../deploy/checks.ts';
import { checkInstalled } from '../deploy/installed.ts';
import { withPlace } from '../operator/read-only-store.ts';
import { verify } from '../operator/verify/verify.ts';
import { CliError, EXIT_WRONG, expectedMessage } from './cli-error.ts';
import { checksText } from './deploy/checks-text.ts';
import { bytesText, plural } from './screen.ts';
import { packageVersion } from './version.ts';

interface Flags {
  readonly storage: string;
  readonly config?: string;
  readonly json: boolean;
}

interface VerifyFlags extends Flags {
  readonly report?: string;
  readonly expect?: string;
  readonly unit?: string;
  readonly stopped: boolean;
}

const common = (command: Command): Command =>
  command
    .requiredOption('--storage <directory>', 'directory of the store')
    .option('--config <file>', 'configuration file of the store')
    .option('--json', 'one JSON object instead of text', false);

/** @param entry the file of the command. */
export const deployCommand = (entry: string): Command =>
  new Command('deploy')
    .description('Backup and rollback of a store with its configuration, and the checks after an installation.')
    .addCommand(
      common(new Command('verify').summary('the checks after an installation'))
        .description(
          'Is what runs now what was installed, on a store that is whole? Nothing is written but the report.',
        )
        .option('--expect <version>', 'version that must be installed')
        .option('--unit <name>', 'systemd unit that must be active')
        .option('--stopped', 'no program need have the store open', false)
        .option('--report <file>', 'the checks as JSON in a file too')
        .action((flags: VerifyFlags) => verifyInstalled(flags, entry)),
    )
    .addCommand(
      common(new Command('backup').summary('copy a store and its configuration, checked and whole'))
        .description('Copies a store that no program has open, with its configuration and a manifest of checksums.')
        .argument('<target>', 'directory to make')
        .action(makeBackup),
    )
    .addCommand(
      common(new Command('rollback').summary('bring a backup back'))
        .description(
          'Checks a backup, builds the store beside the one that is there, and changes names. What is there is set\n' +
            'aside, never deleted. Cut off at any point, it is run again.',
        )
        .argument('<backup>', 'directory that deploy backup made')
        .action(bringBack),
    );

async function expecting<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof DeployError ? new CliError(error.message) : error;
  }
}

async function makeBackup(target: string, { storage, config, json }: Flags): Promise<void> {
  const manifest = await expecting(() => backup(storage, config ?? null, target, packageVersion()));
  const bytes = manifest.files.reduce((sum, file) => sum + file.bytes, 0);
  const text = `${plural(manifest.files.length, 'file')}, ${bytesText(bytes)}, in ${target}\nto bring it back: imatrix-mm deploy rollback ${target} --storage ${storage}`;
  process.stdout.write(`${json ? JSON.stringify({ target, ...manifest }) : text}\n`);
}

async function bringBack(path: string, { storage, config, json }: Flags): Promise<void> {
  const back = await expecting(() => rollBack(path, storage, config ?? null));
  const lines = [`${plural(back.manifest.files.length, 'file')} of ${back.manifest.madeAt} are back in ${storage}`];
  if (back.setAside !== null) lines.push(`what was there is in ${back.setAside}`);
  if (back.configSetAside !== null) lines.push(`the configuration that was there is in ${back.configSetAside}`);
  process.stdout.write(`${json ? JSON.stringify(back) : lines.join('\n')}\n`);
}

async function verifyInstalled(flags: VerifyFlags, entry: string): Promise<void> {
  const { storage, config, expect, unit, stopped, report, json } = flags;
  const checked = checkInstalled({
    directory: resolve(storage),
    versionText: outputOf(process.execPath, [entry, '--version']),
    wantedVersion: expect ?? null,
    configurationProblems:
      config === undefined ? null : checkConfiguration({ file: config }).problems.map(({ message }) => message),
    running: !stopped,
    unit:
      unit === undefined
        ? null
        : { name: unit, active: outputOf('systemctl', ['is-active', unit])?.trim() || 'unknown' },
    ...(await storeFacts(storage)),
  });
  const answer = {
    madeAt: new Date().toISOString(),
    directory: resolve(storage),
    verdict: worst(checked),
    checks: checked,
  };
  if (report !== undefined) writeFileSync(report, `${JSON.stringify(answer, null, 2)}\n`);
  process.stdout.write(`${json ? JSON.stringify(answer) : checksText(answer.directory, checked)}\n`);
  if (answer.verdict === 'fail') process.exitCode = EXIT_WRONG;
}

/** What a command prints, also when it ends badly; null when it cannot be run. */
function outputOf(program: string, args: readonly string[]): string | null {
  try {
    return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch (error) {
    return (error as { stdout?: string }).stdout ?? null;
  }
}

async function storeFacts(storage: string): Promise<{
  readonly holder: string | null;
  readonly damage: readonly string[] | null;
  readonly storeTrouble: string | null;
  readonly formatTrouble: string | null;
}> {
  try {
    return await withPlace(storage, async (place) => {
      const holder = await place.holder();
      const { findings, refused } = await verify(place, () => undefined);
      const isFormat = refused?.code === 'UNSUPPORTED_FORMAT';
      const damage = findings.filter(({ level }) => level === 'damage').map(({ file, text }) => `${file}: ${text}`);
      return {
        holder,
        damage: refused === null || isFormat ? damage : null,
        storeTrouble: refused?.message ?? null,
        formatTrouble: isFormat ? (refused?.message ?? null) : null,
      };
    });
  } catch (error) {
    const expected = expectedMessage(error);
    if (expected === null) throw error;
    return { holder: null, damage: null, storeTrouble: expected.message, formatTrouble: null };
  }
}
