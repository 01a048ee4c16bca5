/**
 * What a power cut may leave of what is not durable, enumerated (contract section 7).
 *
 *     nothing, everything   the two ends
 *     prefix                the first so many units, in the order in which they were written
 *     torn                  a prefix that ends inside a write, at one of its 512-byte boundaries
 *     omission              everything but one unit
 *     subset                every subset of the units while they are at most 12, and every subset of the operations
 *     representative        past 12 units: each file absent, whole, or spoiled in each way that recovery can tell apart,
 *                           with each name there or not
 *     killed                the process died, the disk did not
 *
 * A unit is a name, a 512-byte piece of a write, or a file's length that came before its bytes. Which units there are the
 * disk says; nothing in here knows what they mean.
 */
import type { VolatileUnit } from '../disk-state.ts';
import type { CrashChoice } from '../power-cut.ts';
import { Random } from '../random.ts';

export const RESIDUE_CLASSES = [
  'nothing',
  'everything',
  'prefix',
  'torn',
  'omission',
  'subset',
  'representative',
  'killed',
] as const;
export type ResidueClass = (typeof RESIDUE_CLASSES)[number];

export interface EnumeratedResidue {
  readonly of: ResidueClass;
  readonly choice: CrashChoice;
}

/** Up to so many units, or operations, every subset is tried. */
const EXHAUSTIVE_MAX = 12;
/** Past so many combinations of what may be left of each file, so many are drawn. */
const REPRESENTATIVES_MAX = 384;

const power = (of: ResidueClass, keep: readonly number[]): EnumeratedResidue => ({
  of,
  choice: { kind: 'power', keep },
});

/** Every subset of the groups, as the units in them. */
function* subsetsOf(groups: readonly (readonly number[])[]): Generator<number[]> {
  for (let mask = 0; mask < 2 ** groups.length; mask++) {
    yield groups.flatMap((group, bit) => ((mask >>> bit) & 1 ? group : []));
  }
}

/** Indexes by key, in the order of their first. */
function groupBy(indexes: readonly number[], key: (index: number) => string): number[][] {
  const groups = new Map<string, number[]>();
  for (const index of indexes) {
    const group = groups.get(key(index));
    if (group === undefined) groups.set(key(index), [index]);
    else group.push(index);
  }
  return [...groups.values()];
}

/** What may be left of one file's pieces, as far as a reader of checksums can tell one loss from another. */
function statesOfFile(pieces: readonly number[], isLength: (index: number) => boolean): number[][] {
  const content = pieces.filter((index) => !isLength(index));
  const lengths = pieces.filter(isLength);
  const middle = content[content.length >> 1] as number;
  const states = [
    [],
    content,
    lengths,
    content.slice(1),
    content.slice(0, -1),
    content.slice(0, 1),
    content.filter((index) => index !== middle),
    [...lengths, ...content.slice(0, content.length >> 1)],
  ];
  return states.filter((state, i) => states.findIndex((other) => other.join() === state.join()) === i);
}

function* representatives(units: readonly VolatileUnit[], inOrder: readonly number[], seed: number) {
  const isLength = (index: number): boolean => units[index]?.kind === 'length';
  const groups = groupBy(inOrder, (index) => {
    const unit = units[index] as VolatileUnit;
    return unit.kind === 'name' ? `name ${unit.order}` : `file ${unit.inode}`;
  });
  const choices = groups.map((group) => {
    const isName = units[group[0] as number]?.kind === 'name';
    return isName ? [[], group] : statesOfFile(group, isLength);
  });
  const combinations = choices.reduce((product, states) => product * states.length, 1);
  const random = new Random(seed);
  const tries = Math.min(combinations, REPRESENTATIVES_MAX);
  for (let at = 0; at < tries; at++) {
    let rest = combinations <= REPRESENTATIVES_MAX ? at : -1;
    yield choices.flatMap((states) => {
      if (rest < 0) return random.pick(states);
      const state = states[rest % states.length] as number[];
      rest = Math.floor(rest / states.length);
      return state;
    });
  }
}

/** @param seed draws representatives where there are too many. Some residues may come twice under two names. */
export function* residuesOf(units: readonly VolatileUnit[], seed: number): Generator<EnumeratedResidue> {
  const inOrder = units.map((_, index) => index);
  inOrder.sort((a, b) => (units[a]?.order as number) - (units[b]?.order as number) || a - b);
  yield power('nothing', []);
  yield { of: 'everything', choice: { kind: 'power', keep: 'everything' } };
  yield { of: 'killed', choice: { kind: 'kill', underWay: 'done' } };
  yield { of: 'killed', choice: { kind: 'kill', underWay: 'undone' } };
  for (let length = 1; length < inOrder.length; length++) {
    const [last, next] = [units[inOrder[length - 1] as number], units[inOrder[length] as number]];
    const isTorn = last?.kind === 'content' && next?.kind === 'content' && last.order === next.order;
    yield power(isTorn ? 'torn' : 'prefix', inOrder.slice(0, length));
  }
  for (const left of inOrder) {
    yield power(
      'omission',
      inOrder.filter((index) => index !== left),
    );
  }
  const operations = groupBy(
    inOrder.filter((index) => units[index]?.kind !== 'length'),
    (index) => `${units[index]?.order}`,
  );
  if (operations.length <= EXHAUSTIVE_MAX) for (const keep of subsetsOf(operations)) yield power('subset', keep);
  if (inOrder.length <= EXHAUSTIVE_MAX) {
    for (const keep of subsetsOf(inOrder.map((index) => [index]))) yield power('subset', keep);
  } else {
    for (const keep of representatives(units, inOrder, seed)) yield power('representative', keep);
  }
}
