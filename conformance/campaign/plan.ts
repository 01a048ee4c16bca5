/**
 * A campaign cut into batches: what each one runs follows from the plan alone, never from how many are done at a time, on
 * how many machines, or after which interruption. So any of these gives the same steps and the same trace hash.
 *
 *     round    0             1             2             ...
 *     batch    linux wiced   linux wiced   linux wiced         in this order they are added up
 *     shard    1/3           2/3           3/3                 a shard takes whole rounds, so that it sees both profiles
 */
import type { Profile } from '../actions.ts';

/** What ends a campaign: runs or checked steps in all, shared evenly by the profiles, or time. */
export type Target =
  | { readonly by: 'runs'; readonly runs: number }
  | { readonly by: 'steps'; readonly steps: number }
  | { readonly by: 'time'; readonly seconds: number };

/** The `number`-th part of `of`, counted from 1. */
export interface Shard {
  readonly number: number;
  readonly of: number;
}

export const WHOLE: Shard = { number: 1, of: 1 };

export interface Plan {
  readonly seed: number;
  readonly profiles: readonly Profile[];
  readonly target: Target;
  readonly shard: Shard;
}

export interface Batch {
  readonly profile: Profile;
  readonly seed: number;
  /** Counted from 0 over all shards; its first run takes the start whose turn it is. */
  readonly round: number;
  /** It ends when either is reached; the run that comes to its last step ends there. */
  readonly runs: number;
  readonly steps: number;
}

const ROUND_RUNS = 50;
/** About half a second: what an interruption costs, and what a job fetches at a time. */
const ROUND_STEPS = 5_000;

/** One profile's share of a total; the first ones take what is left over. */
const share = (total: number, parts: number, part: number): number =>
  Math.floor(total / parts) + (part < total % parts ? 1 : 0);

const batchSeed = (seed: number, profile: Profile, round: number): number =>
  (Math.imul(seed ^ (profile === 'wiced' ? 0x5bd1_e995 : 0), 0x9e37_79b1) + round * 0x85eb_ca6b) | 0;

function batchOf({ seed, profiles, target }: Plan, part: number, round: number): Batch | null {
  const profile = profiles[part] as Profile;
  const unbounded = { profile, seed: batchSeed(seed, profile, round), round, runs: Infinity, steps: Infinity };
  if (target.by === 'time') return { ...unbounded, steps: ROUND_STEPS };
  const size = target.by === 'runs' ? ROUND_RUNS : ROUND_STEPS;
  const left = share(target.by === 'runs' ? target.runs : target.steps, profiles.length, part) - round * size;
  if (left <= 0) return null;
  return { ...unbounded, [target.by]: Math.min(size, left) };
}

/** The batches of the plan's shard, in order; without an end when only time ends it. */
export function* batchesOf(plan: Plan): Generator<Batch, void> {
  const { profiles, shard } = plan;
  for (let round = shard.number - 1; ; round += shard.of) {
    const batches = profiles.flatMap((_, part) => batchOf(plan, part, round) ?? []);
    if (batches.length === 0) return;
    yield* batches;
  }
}

/** What the plan's shard will do: runs or steps, by what ends it; null when only time ends it. */
export function sizeOf(plan: Plan): number | null {
  const { target } = plan;
  if (target.by === 'time') return null;
  let size = 0;
  for (const batch of batchesOf(plan)) size += batch[target.by];
  return size;
}
