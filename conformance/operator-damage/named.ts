/**
 * Whether verify has named a damage: a finding that covers the bytes that were hit and, for a block, says whose records it
 * held. Which bytes are whose comes from the files as they were written (damage-matrix/layout.ts).
 */
import type { Finding } from '../../src/operator/verify/finding.ts';
import type { Block, FileLayout } from '../damage-matrix/layout.ts';
import { placeOf } from '../damage-matrix/layout.ts';
import type { Spoil } from '../damage-matrix/spoil.ts';
import { describeSpoil } from '../damage-matrix/spoil.ts';
import type { Damage } from './damages.ts';
import { touched } from './damages.ts';
import type { Case } from './judge.ts';

const pathOf = ({ directory, name }: Pick<Spoil, 'directory' | 'name'>): string =>
  directory === '' ? name : `${directory}/${name}`;

const covers = ({ offset, bytes }: Finding, byte: number): boolean => offset <= byte && byte < offset + bytes;

/** @returns null: it is; else what is missing, in a sentence. */
export function isNamed(of: Case, { spoil }: Damage, findings: readonly Finding[]): string | null {
  const on = (file: string): Finding[] => findings.filter((finding) => finding.file === file);
  const missed = (why: string): string => `not named: ${describeSpoil(spoil)} (${why})`;
  if (spoil.how === 'flip') return flipNamed(of, spoil, on(pathOf(spoil)), missed);
  if (spoil.how === 'truncate' && spoil.bytes > 0) {
    const found = on(pathOf(spoil));
    const isLive = spoil.directory === '' || of.live.has(pathOf(spoil));
    const covered = found.some((each) => covers(each, spoil.bytes)) || found.some(({ offset }) => offset === 0);
    return (isLive ? covered : found.length > 0) ? null : missed('no finding has what was cut off');
  }
  if (spoil.how === 'remove') return removalNamed(of, spoil, findings, missed);
  const paths = touched(spoil).map((path) => path.replace(/^\//, ''));
  const silent = paths.find((path) => on(path).length === 0);
  return silent === undefined ? null : missed(`no finding on ${silent}`);
}

function removalNamed(
  of: Case,
  spoil: Spoil,
  findings: readonly Finding[],
  missed: (why: string) => string,
): string | null {
  if (spoil.directory === '') {
    const told = findings.some(({ what, file }) => what === 'log lost' || file === spoil.name);
    return told ? null : missed('nothing says that the log is gone');
  }
  // A file that no log names is missed by nobody.
  if (!of.live.has(pathOf(spoil))) return null;
  const told = findings.some(({ what, file }) => what === 'missing' && file === pathOf(spoil));
  // Where the log itself was hit, it may no longer say that there was such a file: then its records are what is missing.
  const logHit = of.damages.some(({ spoil: other }) => other.directory === '');
  return told || logHit ? null : missed('no finding says that it is missing');
}

function flipNamed(
  of: Case,
  spoil: Spoil & { readonly how: 'flip' },
  found: readonly Finding[],
  missed: (why: string) => string,
): string | null {
  const byte = spoil.bit >>> 3;
  const layout = of.written.files.find(({ directory, name }) => directory === spoil.directory && name === spoil.name);
  const covering = found.filter((finding) => covers(finding, byte));
  if (covering.length === 0) return missed('no finding covers the byte');
  const block = layout?.blocks.find(({ from, to }) => from <= byte && byte < to);
  if (layout === undefined || block === undefined || !of.live.has(pathOf(spoil))) return null;
  return covering.some((finding) => saysWhose(finding, block, layout))
    ? null
    : missed(`${placeOf(layout, byte)}: not said whose block it was`);
}

/** One bit of a block is hit: whose it was can be known, so it must be. */
function saysWhose(
  { what, certain, records }: Finding,
  { sensor, records: held }: Block,
  { directory }: FileLayout,
): boolean {
  const [range] = records;
  const first = held[0]?.sequence;
  return (
    what === 'block' &&
    certain &&
    range !== undefined &&
    [range.source, range.sensor, range.from, range.to].join() ===
      [directory, sensor, first, (first ?? 0) + held.length].join()
  );
}

/** Files that nothing was done to. */
export function soundFiles({ written, damages }: Case): Set<string> {
  const hit = new Set(damages.flatMap(({ spoil }) => touched(spoil)).map((path) => path.replace(/^\//, '')));
  return new Set(written.files.map(pathOf).filter((path) => !hit.has(path)));
}
