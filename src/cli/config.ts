/**
 * `imatrix-mm config check [FILE]`: what the store would be set to, where each value comes from and what it does. Opens
 * and makes nothing. Exit code 0: everything is accepted; 1: something is not, and a store would not be opened; 2: the
 * file cannot be read.
 */
import { Command } from 'commander';
import type { Checked, Key } from '../config/index.ts';
import { checkConfiguration, FILE_VARIABLE, KEY_NAMES, KEYS, originText } from '../config/index.ts';
import { sizeText } from '../config/keys.ts';
import { CliError, describeSystemError, EXIT_WRONG } from './cli-error.ts';
import { paintFor, plural, table } from './screen.ts';

interface CheckFlags {
  readonly environment: boolean;
  readonly json: boolean;
}

/** A line of the table is as wide as the terminal, within what reads well. */
const COLUMNS_MIN = 100;
const COLUMNS_MAX = 160;

export function configCommand(): Command {
  return new Command('config').description('Looks at configuration files of the store.').addCommand(
    new Command('check')
      .summary('explain each value of a configuration file, its source and its effect')
      .description(
        'Explains what a store would be set to: each value, who set it, and what it does.\n' +
          'Variables MEMORY_MANAGER_V2_* of the environment are stronger than the file.',
      )
      .argument('[file]', 'INI file with a section [memory_manager_v2] (default: the one that a program would read)')
      .option('--no-environment', 'leave the variables of the environment out')
      .option('--json', 'one JSON object instead of the table', false)
      .addHelpText(
        'after',
        '\nThe keys: docs/configuration.md; a file with all of them: docs/examples/memory-manager.ini.',
      )
      .action(check),
  );
}

function check(file: string | undefined, { environment, json }: CheckFlags): void {
  const checked = read(file, environment);
  process.stdout.write(json ? `${JSON.stringify(asJson(checked), null, 2)}\n` : asText(checked));
  if (checked.problems.length > 0) process.exitCode = EXIT_WRONG;
}

function read(file: string | undefined, environment: boolean): Checked {
  try {
    return checkConfiguration({
      ...(file === undefined ? {} : { file }),
      ...(environment ? {} : { environment: {} }),
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    throw new CliError(describeSystemError(error as NodeJS.ErrnoException, file ?? process.env[FILE_VARIABLE]));
  }
}

const effectOf = (key: Key, { values }: Checked): string => KEYS[key].effect(values[key] as never, values);

function asJson(checked: Checked): object {
  const { file, problems, values, origins } = checked;
  return {
    file,
    accepted: problems.length === 0,
    values: KEY_NAMES.map((key) => ({
      key,
      value: values[key],
      source: origins[key],
      effect: effectOf(key, checked),
    })),
    problems: problems.map(({ key, origin, message }) => ({ key, source: origin, message })),
  };
}

function asText(checked: Checked): string {
  const { values, origins, problems, file } = checked;
  const paint = paintFor(process.stdout);
  const badKeys = new Set(problems.map(({ key }) => key));
  const rows = KEY_NAMES.map((key) => {
    const origin = origins[key];
    const value = key === 'pool_size' || key === 'sector_size' ? sizeText(values[key]) : String(values[key]);
    const source = origin.kind === 'file' ? `line ${origin.line}` : originText(origin);
    return badKeys.has(key)
      ? [key, '-', source, 'Not accepted: see below.']
      : [key, value, source, effectOf(key, checked)];
  });
  const columns = Math.min(COLUMNS_MAX, Math.max(COLUMNS_MIN, process.stdout.columns ?? 0));
  const before = [0, 1, 2].reduce((sum, i) => sum + Math.max(...rows.map((row) => row[i]?.length ?? 0)) + 2, 2);
  const wrapped = rows.map((row) => [...row.slice(0, 3), inColumn(row[3] ?? '', Math.max(40, columns - before))]);
  const lines = [
    `[memory_manager_v2] ${file === null ? 'without a file' : `of ${file}`}`,
    '',
    table(['key', 'value', 'source', 'effect'], wrapped),
    '',
  ];
  if (problems.length === 0)
    lines.push(
      paint.green(values.enabled ? 'accepted: a store opens with these values' : 'accepted: nothing is opened'),
    );
  else {
    lines.push(paint.red(`${plural(problems.length, 'problem')}: no store opens with this`));
    for (const { message } of problems) lines.push(`  ${message}`);
  }
  return `${lines.join('\n')}\n`;
}

/** Breaks a sentence into lines of at most `columns` characters. */
function inColumn(text: string, columns: number): string {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? '';
    if (line !== '' && line.length + 1 + word.length > columns) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines.join('\n');
}
