/** What is done to the files of a store behind its back, drawn by chance; and each thing as the table names it. */
import { Buffer } from 'node:buffer';
import type { Directory } from '../../src/core/port.ts';
import { SOURCE_DIRECTORIES } from '../../src/core/port.ts';
import type { FileLayout } from '../damage-matrix/layout.ts';
import { ofStore, placeOf } from '../damage-matrix/layout.ts';
import type { Spoil } from '../damage-matrix/spoil.ts';
import type { Random } from '../random.ts';

export interface StoredFile {
  readonly directory: Directory;
  readonly name: string;
  readonly content: Uint8Array;
}

export interface Damage {
  /** As the table has it. */
  readonly kind: string;
  readonly spoil: Spoil;
  /** Further bits of the same file, for what hits many bytes at once. */
  readonly more?: readonly Spoil[];
}

export const spoilsOf = (damages: readonly Damage[]): Spoil[] =>
  damages.flatMap(({ spoil, more }) => [spoil, ...(more ?? [])]);

const ANOTHER_STORE = Uint8Array.from({ length: 16 }, (_, i) => 0xe0 + i);
const TEXT = Buffer.from('whoever put this here, it is no file of the store\n'.repeat(5)).toString('base64');
const LOG_STEP_BYTES = 8_192;

const at = ({ directory, name }: Pick<StoredFile, 'directory' | 'name'>): { directory: Directory; name: string } => ({
  directory,
  name,
});

const isLog = ({ directory }: Pick<StoredFile, 'directory'>): boolean => directory === '';

/** A bit anywhere but in the zeros behind the log's last frame more often than they deserve. */
function flip(layout: FileLayout, random: Random): Damage {
  const region = random.pick(layout.regions);
  const byte = region.from + random.below(region.to - region.from);
  return {
    kind: `bit flipped in a ${placeOf(layout, byte)}`,
    spoil: { ...at(layout), how: 'flip', bit: 8 * byte + random.below(8) },
  };
}

const BURST_BYTES_MAX = 300;

/** A run of bytes, each with one bit turned: a worn page, or what another program wrote. */
function burst(layout: FileLayout, random: Random): Damage {
  const from = random.below(layout.bytes);
  const bytes = Math.min(layout.bytes - from, 2 + random.below(BURST_BYTES_MAX));
  const [spoil, ...more] = Array.from(
    { length: bytes },
    (_, i): Spoil => ({ ...at(layout), how: 'flip', bit: 8 * (from + i) + random.below(8) }),
  );
  return { kind: `run of bytes spoiled in a ${isLog(layout) ? 'log' : 'segment'}`, spoil: spoil as Spoil, more };
}

function cut(layout: FileLayout, random: Random): Damage {
  let bytes = random.below(layout.bytes);
  // A log cut where its files end anyway is not cut short.
  if (isLog(layout) && bytes % LOG_STEP_BYTES === 0) bytes++;
  return { kind: `${isLog(layout) ? 'log' : 'segment'} cut short`, spoil: { ...at(layout), how: 'truncate', bytes } };
}

type Maker = (file: StoredFile, layout: FileLayout, others: readonly StoredFile[], random: Random) => Damage | null;

const what = (file: StoredFile): string => (isLog(file) ? 'log' : 'segment');

const MAKERS: readonly (readonly [weight: number, make: Maker])[] = [
  [12, (_file, layout, _others, random) => flip(layout, random)],
  [4, (_file, layout, _others, random) => cut(layout, random)],
  [4, (_file, layout, _others, random) => burst(layout, random)],
  [2, (file) => ({ kind: `${what(file)} of zero length`, spoil: { ...at(file), how: 'truncate', bytes: 0 } })],
  [2, (file) => ({ kind: `${what(file)} missing`, spoil: { ...at(file), how: 'remove' } })],
  [1, (file) => ({ kind: `text in place of a ${what(file)}`, spoil: { ...at(file), how: 'place', base64: TEXT } })],
  [
    2,
    (file, layout) => {
      const base64 = Buffer.from(ofStore(layout, file.content, ANOTHER_STORE)).toString('base64');
      // A whole log of another store says that all segments are somebody else's: a case by itself.
      if (isLog(file)) return null;
      return { kind: 'segment of another store', spoil: { ...at(file), how: 'foreign', base64 } };
    },
  ],
  [
    2,
    (file, _layout, others, random) => {
      const to = random.pick(others.filter((each) => each !== file && !isLog(each)));
      if (isLog(file) || to === undefined) return null;
      return { kind: 'two segments swapped', spoil: { ...at(file), how: 'swap', to: at(to) } };
    },
  ],
  [
    1,
    (file, _layout, others, random) => {
      const to = random.pick(others.filter((each) => each !== file && !isLog(each)));
      if (isLog(file) || to === undefined) return null;
      return { kind: 'segment copied over another', spoil: { ...at(file), how: 'copy', to: at(to) } };
    },
  ],
  [
    2,
    (file, _layout, others, random) => {
      if (isLog(file)) return null;
      const directory = random.pick(SOURCE_DIRECTORIES);
      const name = `${(1_000 + random.below(1_000)).toString().padStart(12, '0')}.seg`;
      if (others.some((each) => each.directory === directory && each.name === name)) return null;
      return {
        kind: 'segment duplicated under another name',
        spoil: { ...at(file), how: 'copy', to: { directory, name } },
      };
    },
  ],
  [
    1,
    (file, _layout, _others, random) => ({
      kind: 'strange file beside them',
      spoil: { directory: file.directory, name: `strange-${random.below(1_000)}.bin`, how: 'place', base64: TEXT },
    }),
  ],
];

/** Each as often as it weighs. */
const DEALT: readonly Maker[] = MAKERS.flatMap(([weight, make]) => Array.from({ length: weight }, () => make));

const DAMAGES_MAX = 4;

/** Files that a spoil changes. */
export const touched = (spoil: Spoil): string[] => {
  const path = ({ directory, name }: { readonly directory: Directory; readonly name: string }): string =>
    `${directory}/${name}`;
  if (spoil.how === 'swap') return [path(spoil), path(spoil.to)];
  return [spoil.how === 'copy' ? path(spoil.to) : path(spoil)];
};

/** One to four things done to a store, each to files of its own, so that each can be named by itself. */
export function drawDamages(files: readonly StoredFile[], layouts: readonly FileLayout[], random: Random): Damage[] {
  const known = files.filter((file) =>
    layouts.some(({ directory, name }) => directory === file.directory && name === file.name),
  );
  const damages: Damage[] = [];
  const used = new Set<string>();
  const wanted = 1 + random.below(DAMAGES_MAX);
  for (let tries = 0; damages.length < wanted && tries < 20; tries++) {
    const file = random.pick(known);
    const layout = layouts.find(({ directory, name }) => directory === file.directory && name === file.name);
    const make = random.pick(DEALT);
    const damage = layout === undefined ? null : make(file, layout, known, random);
    if (damage === null) continue;
    // What a copy is made of must be whole, too.
    const paths = [...touched(damage.spoil), `${damage.spoil.directory}/${damage.spoil.name}`];
    if (paths.some((path) => used.has(path))) continue;
    if (hidesWhose([...damages, damage])) continue;
    for (const path of paths) used.add(path);
    damages.push(damage);
  }
  return damages;
}

/** With the log gone, segments alone say whose store it is: one of another store must not outvote them. */
const hidesWhose = (damages: readonly Damage[]): boolean =>
  damages.some(({ spoil }) => spoil.how === 'foreign') && damages.some(({ spoil }) => isLog(spoil));

/** The files after it. */
export function applyDamages(files: readonly StoredFile[], damages: readonly Damage[]): StoredFile[] {
  const after = new Map(files.map((file) => [`${file.directory}/${file.name}`, file]));
  const get = (of: { readonly directory: Directory; readonly name: string }): StoredFile =>
    after.get(`${of.directory}/${of.name}`) as StoredFile;
  const put = (of: { readonly directory: Directory; readonly name: string }, content: Uint8Array): void => {
    after.set(`${of.directory}/${of.name}`, { directory: of.directory, name: of.name, content });
  };
  for (const spoil of spoilsOf(damages)) {
    if (spoil.how === 'flip') {
      const content = get(spoil).content.slice();
      content[spoil.bit >>> 3] = (content[spoil.bit >>> 3] as number) ^ (1 << (spoil.bit & 7));
      put(spoil, content);
    } else if (spoil.how === 'truncate') put(spoil, get(spoil).content.slice(0, spoil.bytes));
    else if (spoil.how === 'remove') after.delete(`${spoil.directory}/${spoil.name}`);
    else if (spoil.how === 'place' || spoil.how === 'foreign')
      put(spoil, new Uint8Array(Buffer.from(spoil.base64, 'base64')));
    else if (spoil.how === 'copy') put(spoil.to, get(spoil).content);
    else if (spoil.how === 'swap') {
      const [here, there] = [get(spoil).content, get(spoil.to).content];
      put(spoil, there);
      put(spoil.to, here);
    }
  }
  return [...after.values()];
}
