/**
 * Whose records stood in bytes of a segment that no intact block covers, as far as it can be known.
 *
 *     one bit of it turned back makes its checksum right         it is that block, beyond doubt
 *     its head reads, and the records that it names are missing  it is that block: its body is what was hit
 *     neither                                                    one or more of the records missing around there
 *
 * The first is tried for each bit of a head, which costs a checksum each: so a head that was hit, which is where a block
 * says whose it is, is still named. For the bits behind it one checksum tells (one-bit.ts).
 */
import { readU32 } from '../../core/bytes.ts';
import type { Crc32 } from '../../core/crc32.ts';
import { crc32 } from '../../core/crc32.ts';
import type { SegmentHeader } from '../../core/segment.ts';
import { blockSeed, readBlock, readBlockHead } from '../../core/segment.ts';
import type { Source } from '../../core/types.ts';
import { SOURCES, VALUE_TYPES } from '../../core/types.ts';
import type { Finding, RecordRange } from './finding.ts';
import { listText, rangeText } from './finding.ts';
import type { BlockHead, MissingRecords } from './missing-records.ts';
import { isOneBit } from './one-bit.ts';

/** Tag to body at the longest (src/core/segment.ts). */
const HEAD_BYTES_MAX = 33;
const CRC_BYTES = 4;

export interface Gap {
  /** Bytes [from, to) of the file. */
  readonly from: number;
  readonly to: number;
}

export interface DamagedSegment {
  readonly file: string;
  readonly bytes: Uint8Array;
  readonly header: SegmentHeader;
  readonly missing: MissingRecords;
  readonly crc32: Crc32 | undefined;
}

interface ReadHead extends BlockHead {
  /** Where the block would end. */
  readonly end: number;
}

/** What the bytes at `offset` say as a block's head, checked against nothing but themselves. */
function readHead(bytes: Uint8Array, offset: number): ReadHead | null {
  const block = readBlockHead(bytes, offset, bytes.length, 0);
  if (block === null || block.sensor > 0xffff_ffff) return null;
  const { sensor, evt, periodMs, first, records } = block;
  const type = VALUE_TYPES[block.type] as (typeof VALUE_TYPES)[number];
  return { sensor, evt, type, periodMs, first, records, end: offset + block.bytes };
}

/** The head as it was, when one bit of it was turned. */
function turnedInHead(segment: DamagedSegment, offset: number, limit: number): ReadHead | null {
  const { header, crc32 } = segment;
  const bytes = segment.bytes.slice();
  const seed = blockSeed(header.storeId, header.number);
  const headEnd = Math.min(bytes.length, offset + HEAD_BYTES_MAX);
  for (let bit = 8 * offset; bit < 8 * headEnd; bit++) {
    const byte = bit >>> 3;
    bytes[byte] = (bytes[byte] as number) ^ (1 << (bit & 7));
    const block = readBlock(bytes, offset, limit, seed, header.baseTimeMs, crc32);
    if (block !== null) return readHead(bytes, offset);
    bytes[byte] = (bytes[byte] as number) ^ (1 << (bit & 7));
  }
  return null;
}

/** Whether one bit of the block, behind its head or in its checksum, turned back makes the checksum right. */
function turnedBehindHead({ bytes, header, crc32: native }: DamagedSegment, offset: number, end: number): boolean {
  const seed = (blockSeed(header.storeId, header.number) ^ offset) >>> 0;
  const bodyEnd = end - CRC_BYTES;
  return isOneBit(crc32(bytes, offset, bodyEnd, seed, native) ^ readU32(bytes, bodyEnd), bodyEnd - offset);
}

const rangeOf = (source: number, { sensor, first, records }: BlockHead): RecordRange => ({
  source: SOURCES[source as 0 | 1 | 2] as Source,
  sensor,
  from: first,
  to: first + records,
});

/** @param limit where the last block ends; behind the end of a file that was cut short. */
export function nameGap(segment: DamagedSegment, gap: Gap, limit: number): Finding[] {
  const findings: Finding[] = [];
  const { source } = segment.header;
  for (let at = gap.from; at < gap.to; ) {
    const turned = turnedInHead(segment, at, gap.to);
    const head = turned ?? readHead(segment.bytes, at);
    const reaches = head !== null && (head.end <= gap.to || (gap.to === segment.bytes.length && head.end <= limit));
    const exact = turned !== null || (head !== null && head.end <= gap.to && turnedBehindHead(segment, at, head.end));
    if (head === null || !reaches || (!exact && !segment.missing.fits(source, head))) {
      findings.push(unnamed(segment, { from: at, to: gap.to }, head));
      break;
    }
    const end = Math.min(head.end, gap.to);
    const how = exact
      ? 'with one bit turned back its checksum is right'
      : 'by its own head, and these records are nowhere else';
    segment.missing.claim(rangeOf(source, head));
    findings.push({
      ...{ level: 'damage', what: 'block', file: segment.file, offset: at, bytes: end - at, certain: true },
      records: [rangeOf(source, head)],
      text: `a block of ${rangeText(rangeOf(source, head))} (${how})${segment.missing.knownText([rangeOf(source, head)])}`,
    });
    at = end;
  }
  return findings;
}

function unnamed({ file, header, missing }: DamagedSegment, { from, to }: Gap, head: BlockHead | null): Finding {
  const records = missing.around(header.source, header.number);
  const said =
    head === null
      ? 'its head does not read'
      : `its head says ${rangeText(rangeOf(header.source, head))}, which cannot be`;
  const text =
    records.length === 0
      ? `one or more blocks; ${said}, and no retained record is missing here: what it held had left the store, or stands elsewhere`
      : `one or more blocks; ${said}; missing around segment ${header.number}, by their sequence numbers: ${listText(records)}${missing.knownText(records)}`;
  return { level: 'damage', what: 'block', file, offset: from, bytes: to - from, records, certain: false, text };
}
