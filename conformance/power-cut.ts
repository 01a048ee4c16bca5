/**
 * What a crash of the simulated disk leaves: as data, so that a failing run can be replayed and made smaller; drawn at
 * random; and in a few classes, for the evidence.
 */
import type { VolatileUnit } from './disk-state.ts';
import { Random } from './random.ts';

/**
 * What a crash leaves.
 * `power`: of everything not durable, nothing, everything, the units with these indexes of `volatileUnits()` in this
 * order, or a drawn choice. `kill`: only the process died; of the operations under way, all or none took effect.
 */
export interface PowerChoice {
  readonly kind: 'power';
  readonly keep: 'nothing' | 'everything' | readonly number[] | { readonly seed: number };
}
export type CrashChoice = PowerChoice | { readonly kind: 'kill'; readonly underWay: 'done' | 'undone' };

/** Draws which units a power cut leaves: nothing, all, a prefix, all but one, or each by its own chance; out of order too. */
export function drawSurvivors(units: readonly VolatileUnit[], random: Random): number[] {
  const all = units.map((_, index) => index);
  switch (random.below(6)) {
    case 0:
      return [];
    case 1:
      return all.filter((index) => units[index]?.kind !== 'length');
    case 2:
      return all.slice(0, random.below(all.length + 1));
    case 3:
      all.splice(random.below(all.length), 1);
      return all;
    default: {
      const probability = random.pick([0.1, 0.5, 0.9]);
      const drawn = all.filter(() => random.chance(probability));
      return random.chance(0.25) ? random.shuffle(drawn) : drawn;
    }
  }
}

/** Indexes of the units that a power cut leaves, in the order in which they reached the medium. */
export function keptUnits(units: readonly VolatileUnit[], keep: PowerChoice['keep']): readonly number[] {
  if (keep === 'nothing') return [];
  if (keep === 'everything') {
    const isKept = (unit: VolatileUnit): boolean => unit.kind === 'name' || (unit.kind === 'content' && !unit.lost);
    return units.flatMap((unit, index) => (isKept(unit) ? [index] : []));
  }
  return 'seed' in keep ? drawSurvivors(units, new Random(keep.seed)) : keep;
}

/** What a crash left of all that was not durable, in a few classes. */
export type Residue =
  | 'all was durable'
  | 'nothing left'
  | 'everything left'
  | 'some left'
  | 'a file torn'
  | 'killed, under way done'
  | 'killed, under way undone';

/** @param kept indexes of the units that are left. */
export function residueOf(units: readonly VolatileUnit[], kept: ReadonlySet<number>): Residue {
  if (units.length === 0) return 'all was durable';
  if (kept.size === 0) return 'nothing left';
  const leftOf = new Map<number, boolean>();
  for (const [index, unit] of units.entries()) {
    if (unit.kind !== 'content') continue;
    const left = kept.has(index);
    if ((leftOf.get(unit.inode) ?? left) !== left) return 'a file torn';
    leftOf.set(unit.inode, left);
  }
  return units.every((unit, index) => unit.kind === 'length' || kept.has(index)) ? 'everything left' : 'some left';
}
