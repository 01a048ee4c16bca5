/** The options that every mode has, and how numbers, profiles and folders are read from the command line. */
import { join } from 'node:path';
import type { Command } from 'commander';
import { InvalidArgumentError, Option } from 'commander';
import type { Profile } from '../actions.ts';
import type { Shard } from '../campaign/plan.ts';

/** The saved traces that come with the kit. */
export const REGRESSIONS = join(import.meta.dirname, '../regressions');
/** Where a failing trace goes, from the folder the command runs in; found there, it is run first from then on. */
const OUT = 'conformance/regressions';
/** Where each mode leaves its evidence, from the folder the command runs in. */
export const EVIDENCE = 'coverage/out/evidence';

export interface CommonArguments {
  /** Drawn when it was not given. */
  readonly seed: number;
  readonly seedGiven: boolean;
  readonly profile: Profile | 'both';
  readonly profiles: readonly Profile[];
  readonly json: boolean;
  /** Where a failing trace is saved. */
  readonly out: string;
  /** Where evidence goes; false for nowhere. */
  readonly evidence: string | false;
  /** The command line that repeats the run, with the seed it had; null for a run without chance. */
  readonly command: (seed: number | null) => string;
}

/** What a reader types to start the kit. */
export const PROGRAM = import.meta.filename.endsWith('.ts') ? 'npm run conformance --' : 'imatrix-mm conformance';

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

/** Seconds from a duration such as 90s, 10m or 2h. */
export function duration(text: string): number {
  const match = /^(\d+)([smh])$/.exec(text);
  const seconds = match === null ? 0 : Number(match[1]) * ({ s: 1, m: 60, h: 3_600 }[match[2] as 's' | 'm' | 'h'] ?? 0);
  if (!(seconds >= 1 && seconds <= 1e9)) throw new InvalidArgumentError('give a time such as 90s, 10m or 2h');
  return seconds;
}

/** A part of a whole, such as 3/8: counted from 1. */
export function shardOf(text: string): Shard {
  const match = /^(\d{1,6})\/(\d{1,6})$/.exec(text);
  const [number, of] = [Number(match?.[1]), Number(match?.[2])];
  if (!(number >= 1 && number <= of)) throw new InvalidArgumentError('give a part of a whole, from 1/8 to 8/8');
  return { number, of };
}

const JOBS_MAX = 256;

export function jobsOf(text: string): number {
  const value = count(text);
  if (value < 1 || value > JOBS_MAX) throw new InvalidArgumentError(`give a whole number from 1 to ${JOBS_MAX}`);
  return value;
}

export function addCommonOptions(command: Command): Command {
  return command
    .option('--seed <n>', 'start of all chance; printed, so that a run can be repeated', seedOf)
    .addOption(new Option('--profile <name>', 'which store').choices(['linux', 'wiced', 'both']).default('both'))
    .option('--json', 'one JSON object instead of text', false)
    .addOption(new Option('--out <folder>', 'where a failing trace is saved').default(OUT))
    .option('--evidence <folder>', 'where the evidence of the run is written', EVIDENCE)
    .option('--no-evidence', 'write no evidence');
}

/** What was parsed, with what follows from it. */
export function commonArguments(command: Command, line: readonly string[]): CommonArguments {
  const given = command.opts<Omit<CommonArguments, 'seed'> & { readonly seed?: number }>();
  const seedGiven = given.seed !== undefined;
  return {
    ...given,
    seed: given.seed ?? Math.floor(Math.random() * 0x1_0000_0000),
    seedGiven,
    profiles: given.profile === 'both' ? ['linux', 'wiced'] : [given.profile],
    command: (seed) =>
      [PROGRAM, ...(seed === null || seedGiven ? [] : ['--seed', `${seed}`]), ...line].join(' ').trim(),
  };
}
