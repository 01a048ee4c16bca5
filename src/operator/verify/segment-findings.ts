/**
 * What is wrong with one segment's file. A segment that the log names is held to the format byte by byte; one that counts
 * for nothing (of a flush that was cut off, or left over) is named as a whole.
 */
import { sameBytes, toHex } from '../../core/bytes.ts';
import { segmentName } from '../../core/disk-index.ts';
import type { FoundSegment } from '../../core/found-segments.ts';
import { directoryOf } from '../../core/found-segments.ts';
import type { FileContent } from '../../core/read-file.ts';
import { readFile } from '../../core/read-file.ts';
import type { SegmentHeader } from '../../core/segment.ts';
import { readSegmentHeader, SEGMENT_HEADER_BYTES, scanSegment } from '../../core/segment.ts';
import type { Look } from '../read-only-store.ts';
import type { Gap } from './damaged-blocks.ts';
import { nameGap } from './damaged-blocks.ts';
import type { Finding, FindingKind } from './finding.ts';
import { listText } from './finding.ts';
import type { MissingRecords } from './missing-records.ts';

export interface SegmentContext {
  readonly look: Look;
  readonly missing: MissingRecords;
  /** A process has the store open: what is newer than the log is being written. */
  readonly held: boolean;
}

export const pathOf = ({ source, file }: Pick<FoundSegment, 'source' | 'file'>): string =>
  `${directoryOf(source)}/${segmentName(file)}`;

/** A finding about a whole file. */
function whole(
  segment: Pick<FoundSegment, 'source' | 'file' | 'bytes'>,
  level: Finding['level'],
  what: FindingKind,
  text: string,
  records: Finding['records'] = [],
): Finding {
  return { level, what, file: pathOf(segment), offset: 0, bytes: segment.bytes, records, certain: false, text };
}

/** @returns none for a whole live segment. */
export async function segmentFindings(context: SegmentContext, segment: FoundSegment): Promise<Finding[]> {
  const { look, missing } = context;
  const { number, file, source } = segment;
  const live = look.state.disk?.index.segments.get(number);
  const { image } = look.found.log;
  const isLive = live?.source === source && live.file === file;
  const isHome = image.segments.get(number) === source && image.fileOf(number) === file;
  const isFree = segment.blank || (image.removed.has(number) && look.found.evidence.ours(segment));
  const isNamed = isLive || isHome || (look.found.evidence.logLost && !isFree);
  if (!isNamed && !(mayBeNamed(look, segment) && !segment.misplaced)) return [unnamedFinding(context, segment)];
  const around = missing.around(source, number);
  const costs = around.length === 0 ? 'no retained record is missing here' : `missing around it: ${listText(around)}`;
  const broken = (what: FindingKind, why: string): Finding[] => [
    whole(segment, 'damage', what, `${why}; opening sets it aside; ${costs}`, around),
  ];
  if (segment.misplaced) return broken('misplaced', 'its header names another segment: it was copied or moved here');
  if (segment.header === null) return broken('unreadable', 'neither its header nor its trailer reads');
  if (!look.found.evidence.ours(segment))
    return broken('foreign', `it is of another store (${toHex(segment.header.storeId)})`);
  const read = await readFile(look.disk, directoryOf(source), segmentName(file), segment.bytes);
  if (!read.ok) return broken('unreadable', `it cannot be read (${read.error.detail})`);
  const findings = await liveFindings(context, segment, segment.header, read.value);
  return findings.length > 0 || isNamed ? findings : [unnamedFinding(context, segment)];
}

/** Whether its name may be what a damaged log has lost: then recovery looks into it, and so does verify. */
function mayBeNamed({ found: { log, evidence } }: Look, segment: FoundSegment): boolean {
  if (segment.blank || log.image.removed.has(segment.number)) return false;
  if (log.intact && !evidence.tailLost) return false;
  const isTheirs = segment.header !== null && !evidence.ours(segment);
  return !isTheirs && (segment.number < evidence.nextLogged || evidence.tailLost || evidence.isLater(segment));
}

/** What no log names: it counts for nothing, or opening copies what is whole of it. */
function unnamedFinding({ look, held }: SegmentContext, segment: FoundSegment): Finding {
  const { evidence } = look.found;
  if (segment.blank)
    return whole(segment, 'note', 'free', 'it was made ahead, and no segment has been written into it yet');
  if (segment.misplaced)
    return whole(segment, 'note', 'misplaced', 'no log names it, and its header names another segment: a stray copy');
  if (segment.header !== null && !evidence.ours(segment))
    return whole(segment, 'note', 'foreign', `no log names it, and it is of store ${toHex(segment.header.storeId)}`);
  if (segment.number < evidence.nextLogged || look.found.log.image.removed.has(segment.number))
    return whole(
      segment,
      'note',
      'leftover',
      'no log names it any more: what it held was acknowledged or evicted; opening keeps it to be written again, or removes it',
    );
  const reads = segment.header === null ? 'neither its header nor its trailer reads' : 'its header reads';
  const why = held
    ? 'newer than the log: the store that is open is writing it'
    : 'newer than the log: its flush was cut off; opening copies what continues its streams, and removes it';
  return whole(segment, 'note', 'cut off', `${why} (${reads})`);
}

async function liveFindings(
  { look, missing }: SegmentContext,
  segment: FoundSegment,
  header: SegmentHeader,
  { bytes, error }: FileContent,
): Promise<Finding[]> {
  const crc32 = look.state.platform.crc32;
  const scan = scanSegment(bytes, crc32);
  // Looked at once already, when its header read.
  if (scan.state !== 'ok') return [whole(segment, 'damage', 'unreadable', 'it does not read as a segment any more')];
  const file = pathOf(segment);
  const size = scan.bytes;
  const limit = size - SEGMENT_HEADER_BYTES;
  const findings = frameFindings(file, segment.bytes, size, bytes);
  if (error !== null) {
    const text = `the medium does not give all of it (${error.detail}); what it does not give is read as zeros`;
    findings.push({ ...whole(segment, 'damage', 'unreadable', text), certain: true });
  }
  const damaged = { file, bytes, header, missing, crc32 };
  for (const gap of gapsOf(scan.blocks, Math.min(bytes.length, limit))) findings.push(...nameGap(damaged, gap, limit));
  if (bytes.length < limit) findings.push(behindCut(damaged, bytes.length, limit));
  return findings;
}

/** Header, trailer and length. */
function frameFindings(file: string, listed: number, size: number, bytes: Uint8Array): Finding[] {
  const findings: Finding[] = [];
  const add = (what: FindingKind, offset: number, length: number, text: string): void => {
    findings.push({ level: 'damage', what, file, offset, bytes: length, records: [], certain: true, text });
  };
  const headerOk = readSegmentHeader(bytes, 0).state === 'ok';
  if (!headerOk)
    add('header', 0, SEGMENT_HEADER_BYTES, 'its header does not read; the trailer serves, so it costs nothing');
  if (listed < size) {
    add('cut short', listed, size - listed, `it has ${listed} of the ${size} bytes that its header says`);
  } else {
    const trailerAt = size - SEGMENT_HEADER_BYTES;
    const trailer = bytes.subarray(trailerAt, size);
    const isCopy = headerOk ? sameBytes(trailer, bytes.subarray(0, SEGMENT_HEADER_BYTES)) : true;
    if (!isCopy)
      add(
        'trailer',
        trailerAt,
        SEGMENT_HEADER_BYTES,
        'its trailer is no copy of its header, which serves: it costs nothing',
      );
  }
  return findings;
}

/** Bytes between 64 and `limit` that no intact block covers. */
function gapsOf(blocks: readonly { readonly offset: number; readonly bytes: number }[], limit: number): Gap[] {
  const gaps: Gap[] = [];
  let at = SEGMENT_HEADER_BYTES;
  for (const { offset, bytes } of [...blocks, { offset: limit, bytes: 0 }]) {
    if (offset > at) gaps.push({ from: at, to: offset });
    at = Math.max(at, offset + bytes);
  }
  return gaps;
}

/** What stood behind the end of a file that was cut short: nothing of it is there to be asked. */
function behindCut(
  {
    file,
    header,
    missing,
  }: { readonly file: string; readonly header: SegmentHeader; readonly missing: MissingRecords },
  from: number,
  to: number,
): Finding {
  const records = missing.around(header.source, header.number);
  const text =
    records.length === 0
      ? 'blocks that were cut off; no retained record is missing here'
      : `blocks that were cut off; missing around segment ${header.number}, by their sequence numbers: ${listText(records)}`;
  return { level: 'damage', what: 'block', file, offset: from, bytes: to - from, records, certain: false, text };
}

/** Segments that the log names and that are not there. */
export function missingSegments({ look, missing }: SegmentContext): Finding[] {
  const { image } = look.found.log;
  const there = new Set(look.found.files.segments.map(({ source, number }) => `${source}/${number}`));
  const findings: Finding[] = [];
  for (const [number, source] of image.segments) {
    const gone = { source, file: image.fileOf(number), bytes: 0 };
    if (there.has(`${source}/${number}`)) continue;
    const around = missing.around(source, number);
    const costs = around.length === 0 ? 'no retained record is missing here' : `missing around it: ${listText(around)}`;
    findings.push(whole(gone, 'damage', 'missing', `the log names it, and no such file is there; ${costs}`, around));
  }
  return findings;
}
