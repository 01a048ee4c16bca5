/**
 * Verify: reads every byte of a store and names everything in it that is not as it should be, without touching it. Segment
 * by segment: what it keeps in memory is the engine's index of blocks, one file, and the findings.
 *
 * What recovery would make of it stands beside the findings, because it is the engine's own recovery that is asked
 * (read-only-store.ts).
 */
import { parsePartName } from '../../core/checkpoint-format.ts';
import type { Failure } from '../../core/codes.ts';
import { parseSegmentName } from '../../core/disk-index.ts';
import { DAMAGED_SUFFIX } from '../../core/found-segments.ts';
import type { Directory } from '../../core/port.ts';
import { LIVE_FILE } from '../../live.ts';
import { StoreError } from '../../store.ts';
import type { FrozenDisk } from '../frozen-disk.ts';
import { DIRECTORIES, freeze } from '../frozen-disk.ts';
import type { Look, Place } from '../read-only-store.ts';
import { LOOKS_MAX, look } from '../read-only-store.ts';
import type { Finding, RecordRange } from './finding.ts';
import { logFindings } from './log-findings.ts';
import { MissingRecords } from './missing-records.ts';
import { missingSegments, segmentFindings } from './segment-findings.ts';

export interface Verdict {
  readonly directory: string;
  /** Who has the store open; null for nobody. */
  readonly holder: string | null;
  /** Why opening it is refused; null: it opens. Then only the refusal is known, and the strange files. */
  readonly refused: Failure | null;
  readonly segments: number;
  readonly logParts: number;
  readonly blocks: number;
  readonly bytes: number;
  /** Records that opening gives. */
  readonly retained: number;
  readonly findings: readonly Finding[];
  /** Records that opening would enter as damaged, beside those that are in the ledger already. */
  readonly lost: readonly RecordRange[];
}

export interface VerifyProgress {
  readonly done: number;
  readonly total: number;
}

/**
 * @returns what was found, also of a store that cannot be opened.
 * @throws StoreError PARAMETER_INVALID when the directory holds no store.
 */
export async function verify(
  place: Place,
  onProgress: (progress: VerifyProgress) => void = () => {},
): Promise<Verdict> {
  for (let looks = 1; ; looks++) {
    const holder = await place.holder();
    const looked = await look(place);
    if (!looked.ok && looked.failure.code === 'PARAMETER_INVALID') throw new StoreError(looked.failure);
    if (!looked.ok) return refusedVerdict(place, holder, looked.failure);
    const findings = await findingsOf(looked.value, holder !== null, onProgress);
    // Files went while they were read: what was found missing belongs to no moment.
    if (looked.value.disk.aged && looks < LOOKS_MAX) continue;
    return verdictOf(place, holder, looked.value, findings);
  }
}

async function findingsOf(
  looked: Look,
  held: boolean,
  onProgress: (progress: VerifyProgress) => void,
): Promise<Finding[]> {
  const context = { look: looked, missing: new MissingRecords(looked), held };
  const findings = await logFindings(looked);
  const { segments } = looked.found.files;
  for (const [done, segment] of segments.entries()) {
    findings.push(...(await segmentFindings(context, segment)));
    onProgress({ done: done + 1, total: segments.length });
  }
  findings.push(...missingSegments(context), ...(await strangers(looked.disk)));
  return findings;
}

/** Files that are none of the store's, and those that it has set aside. */
async function strangers(disk: FrozenDisk): Promise<Finding[]> {
  const findings: Finding[] = disk.missingDirectories.map((directory) =>
    stranger(`${directory}/`, 0, 'missing', 'the directory is not there; opening makes it'),
  );
  for (const directory of DIRECTORIES) {
    const listed = await disk.list(directory);
    for (const { name, bytes } of listed.ok ? listed.value : []) {
      const file = directory === '' ? name : `${directory}/${name}`;
      if (isOurs(directory, name)) continue;
      const aside = name.endsWith(DAMAGED_SUFFIX);
      const text = aside
        ? 'set aside by an earlier opening; it counts under the quota, and nobody reads it'
        : 'no file of the store; it is left alone';
      findings.push(stranger(file, bytes, aside ? 'set aside' : 'strange', text));
    }
  }
  return findings;
}

const stranger = (file: string, bytes: number, what: Finding['what'], text: string): Finding => ({
  ...{ level: 'note', what, file, offset: 0, bytes, records: [], certain: true, text },
});

const isOurs = (directory: Directory, name: string): boolean =>
  directory === '' ? name === LIVE_FILE || parsePartName(name) !== null : parseSegmentName(name) !== null;

function verdictOf(place: Place, holder: string | null, looked: Look, findings: readonly Finding[]): Verdict {
  const { files, log } = looked.found;
  let blocks = 0;
  for (const segment of looked.state.disk?.index.segments.values() ?? []) blocks += segment.slots.length;
  const sizes = [...files.segments, ...log.files].map(({ bytes }) => bytes);
  return {
    directory: place.directory,
    holder,
    refused: null,
    segments: files.segments.length,
    logParts: log.files.length,
    blocks,
    bytes: sizes.reduce((sum, bytes) => sum + bytes, 0) + files.setAsideBytes,
    retained: looked.report.records,
    findings,
    lost: looked.losses.map(({ key, from, to }) => ({ ...key, from, to })),
  };
}

async function refusedVerdict(place: Place, holder: string | null, refused: Failure): Promise<Verdict> {
  const disk = await freeze(place.disk, place.prefetchBytes);
  const findings = disk.ok ? await strangers(disk.value) : [];
  return {
    ...{ directory: place.directory, holder, refused, segments: 0, logParts: 0, blocks: 0, bytes: 0, retained: 0 },
    ...{ findings, lost: [] },
  };
}
