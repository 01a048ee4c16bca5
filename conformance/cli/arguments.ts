/** The options that every mode has, and how numbers, profiles and folders are read from the command line. */
import { join } from 'node:path';
import type { Command } from 'commander';
import { InvalidArgumentError, Option } from 'commander';
import type { Profile } from '../actions.ts';

/** Saved traces: run first, and where a failing one goes. */
export const REGRESSIONS = join(import.meta.dirname, '../regressions');
/** Where each mode leaves its evidence, from the folder the command runs in. */
export const EVIDENCE = 'coverage/out/evidence';

export interface CommonArguments {
  /** Drawn when it was not given. */
  readonly seed: number;
  readonly profile: Profile | 'both';
  readonly profiles: readonly Profile[];
  readonly json: boolean;
  /** Where a failing trace is saved. */
  readonly out: string;
  /** Where evidence goes; false for nowhere. */
  readonly evidence: string | false;
  /** The command line as it was given, without the program: to be shown again. */
  readonly line: string;
}

const FACTOR: Readonly<Record<string, number>> = { '': 1, k: 1_000, M: 1_000_000 };

/** Whole numbers, with k and M for thousands and millions. */
export function count(text: string): number {
  const match = /^(\d+)([kM]?)$/.exec(text);
  const value = match === null ? Number.NaN : Number(match[1]) * (FACTOR[match[2] ?? ''] as number);
  if (!Number.isSafeInteger(value)) throw new InvalidArgumentError('give a whole number, such as 2000, 100k or 10M');
  return value;
}

export function positive(text: string): number {
  const value = count(text);
  if (value < 1) throw new InvalidArgumentError('give a whole number from 1');
  return value;
}

export function seedOf(text: string): number {
  const value = count(text);
  if (value > 0xffff_ffff) throw new InvalidArgumentError('give a whole number from 0 to 4294967295');
  return value;
}

export function addCommonOptions(command: Command): Command {
  return command
    .option('--seed <n>', 'start of all chance; printed, so that a run can be repeated', seedOf)
    .addOption(new Option('--profile <name>', 'which store').choices(['linux', 'wiced', 'both']).default('both'))
    .option('--json', 'one JSON object instead of text', false)
    .addOption(
      new Option('--out <folder>', 'where a failing trace is saved').default(REGRESSIONS, 'conformance/regressions'),
    )
    .option('--evidence <folder>', 'where the evidence of the run is written', EVIDENCE)
    .option('--no-evidence', 'write no evidence');
}

/** What was parsed, with what follows from it. */
export function commonArguments(command: Command, line: readonly string[]): CommonArguments {
  const given = command.opts<CommonArguments>();
  return {
    ...given,
    seed: given.seed ?? Math.floor(Math.random() * 0x1_0000_0000),
    profiles: given.profile === 'both' ? ['linux', 'wiced'] : [given.profile],
    line: line.join(' '),
  };
}
