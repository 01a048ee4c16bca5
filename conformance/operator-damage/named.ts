/**
 * Whether verify has named a damage: a finding that covers the bytes that were hit and, for a block, says whose records it
 * held. Which bytes are whose comes from the files as they were written (damage-matrix/layout.ts).
 */
import type { Finding } from '../../src/operator/verify/finding.ts';
import type { FileLayout } from '../damage-matrix/layout.ts';
import { placeOf } from '../damage-matrix/layout.ts';
import type { Spoil } from '../damage-matrix/spoil.ts';
import { describeSpoil } from '../damage-matrix/spoil.ts';
import type { Block } from '../format/read-block.ts';
import type { Damage } from './damages.ts';
import { touched } from './damages.ts';
import type { Case } from './judge.ts';

const pathOf = ({ directory, name }: Pick<Spoil, 'directory' | 'name'>): string =>
  directory === '' ? name : `${directory}/${name}`;

export const logHit = ({ damages }: Pick<Case, 'damages'>): boolean =>
  damages.some(({ spoil }) => spoil.directory === '');

const covers = ({ offset, bytes }: Finding, byte: number): boolean => offset <= byte && byte < offset + bytes;

/** @returns null: it is; else what is missing, in a sentence. */
export function isNamed(of: Case, { spoil, more }: Damage, findings: readonly Finding[]): string | null {
  const on = (file: string): Finding[] => findings.filter((finding) => finding.file === file);
  const missed = (why: string): string => `not named: ${describeSpoil(spoil)} (${why})`;
  if (more !== undefined) return burstNamed(of, [spoil, ...more], on(pathOf(spoil)), missed);
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
    // Of two generations one may be gone after a power cut as well: nothing on the disk tells the two apart.
    const isOneOfTwo = of.written.files.some(({ directory, name }) => directory === '' && name !== spoil.name);
    return told || isOneOfTwo ? null : missed('nothing says that the log is gone');
  }
  // A file that no log names is missed by nobody.
  if (!of.live.has(pathOf(spoil))) return null;
  const told = findings.some(({ what, file }) => what === 'missing' && file === pathOf(spoil));
  // Where the log itself was hit, it may no longer say that there was such a file: then its records are what is missing.
  return told || logHit(of) ? null : missed('no finding says that it is missing');
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
  // With the end of the log spoiled, its newest segments look like those of a flush that was cut off.
  const isCutOff = logHit(of) && covering.some(({ what }) => what === 'cut off');
  return isCutOff || covering.some((finding) => saysWhose(finding, block, layout))
    ? null
    : missed(`${placeOf(layout, byte)}: not said whose block it was`);
}

/** Many bytes: each block that they touch is covered, and what of it was retained is among what may have stood there. */
function burstNamed(
  of: Case,
  spoils: readonly Spoil[],
  found: readonly Finding[],
  missed: (why: string) => string,
): string | null {
  const [{ directory, name }] = spoils as [Spoil];
  const bytes = spoils.flatMap((spoil) => (spoil.how === 'flip' ? [spoil.bit >>> 3] : []));
  const layout = of.written.files.find((file) => file.directory === directory && file.name === name);
  const first = bytes[0] as number;
  if (layout === undefined || !found.some((finding) => covers(finding, first)))
    return missed('its first byte is not covered');
  if (!of.live.has(pathOf(spoils[0] as Spoil))) return null;
  for (const block of layout.blocks) {
    if (!bytes.some((byte) => block.from <= byte && byte < block.to)) continue;
    const on = found.filter(({ offset, bytes: length }) => offset < block.to && block.from < offset + length);
    if (on.length === 0) return missed(`nothing covers the block at ${block.from}`);
    const index = of.written.scenario.streams.findIndex(
      ({ source, sensor }) => source === directory && sensor === block.sensor,
    );
    const retained = new Set(of.written.streams[index]?.retained);
    const isSaid = (sequence: number): boolean =>
      on.some(({ records }) =>
        records.some((range) => range.sensor === block.sensor && range.from <= sequence && sequence < range.to),
      );
    const silent = block.records.find(({ sequence }) => retained.has(sequence) && !isSaid(sequence));
    if (silent !== undefined && !logHit)
      return missed(`record ${silent.sequence} of ${directory}/${block.sensor} stood there, and is not said`);
  }
  return null;
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
