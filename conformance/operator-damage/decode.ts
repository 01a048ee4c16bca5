/**
 * The records of a store whose log is whole and whose segments need not be, read as docs/format.md says and without the
 * engine: what repair has left, as somebody with the document would find it.
 */
import { crc32 } from 'node:zlib';
import { Cursor, seedOf } from '../format/cursor.ts';
import type { Block, WrittenRecord } from '../format/read-block.ts';
import { readBlock } from '../format/read-block.ts';
import type { LoggedStore } from '../format/read-log.ts';
import { readLog } from '../format/read-log.ts';
import { segmentFileName } from '../format/write-segment.ts';
import type { StoredFile } from './damages.ts';

export interface DecodedStream {
  readonly source: string;
  readonly sensor: number;
  /** By sequence number, from the head on. */
  readonly records: ReadonlyMap<number, WrittenRecord>;
  /** Sequence numbers that the ledger, or what was folded out of it, has as lost. */
  readonly isLost: (sequence: number) => boolean;
}

export interface Decoded {
  readonly log: LoggedStore;
  readonly streams: readonly DecodedStream[];
}

const HEADER_BYTES = 64;

interface Header {
  readonly epoch: number;
  readonly storeId: Uint8Array;
  readonly number: number;
  readonly baseMs: number;
  readonly bytes: number;
}

function readHeader(bytes: Uint8Array, at: number): Header | null {
  if (at < 0 || at + HEADER_BYTES > bytes.length) return null;
  const header = bytes.slice(at, at + HEADER_BYTES);
  if (Buffer.from(header.subarray(0, 8)).toString('latin1') !== 'IMM2SEGM') return null;
  if (crc32(header.subarray(0, 60), 0) !== new Cursor(header, 60).u32()) return null;
  const cursor = new Cursor(header, 12);
  const epoch = cursor.u32();
  cursor.at = 32;
  const number = cursor.u64();
  cursor.at = 48;
  return { epoch, storeId: header.slice(16, 32), number, baseMs: cursor.u64(), bytes: cursor.u32() };
}

/** Of a file whose front does not read: the trailer of the newest segment in it. */
function readTrailer(bytes: Uint8Array): ReturnType<typeof readHeader> {
  let newest: ReturnType<typeof readHeader> = null;
  for (let at = HEADER_BYTES; at + HEADER_BYTES <= bytes.length; at++) {
    const read = bytes[at] === 0x49 ? readHeader(bytes, at) : null;
    if (read !== null && read.bytes === at + HEADER_BYTES && read.number > (newest?.number ?? -1)) newest = read;
  }
  return newest;
}

function* blocksOf(bytes: Uint8Array): Generator<Block> {
  const header = readHeader(bytes, 0) ?? readTrailer(bytes);
  if (header === null) return;
  const { epoch, baseMs } = header;
  const seed = seedOf(header.storeId, header.number % 2 ** 32, Math.floor(header.number / 2 ** 32));
  const limit = Math.min(bytes.length, header.bytes - HEADER_BYTES);
  for (let at = HEADER_BYTES; at < limit; ) {
    const read = readBlock({ bytes, limit, epoch, baseMs, seed }, at);
    if (read !== null) yield read.block;
    at = read?.block.to ?? at + 1;
  }
}

/** @throws Error where the log is not whole, or names a file that is not there. */
export function decodeStore(files: readonly StoredFile[]): Decoded {
  const log = readLog(files.filter(({ directory, name }) => directory === '' && name.endsWith('.log')));
  const found = new Map<string, Map<number, WrittenRecord>>();
  for (const [number, source] of [...log.segments].sort((a, b) => a[0] - b[0])) {
    const name = segmentFileName(log.files.get(number) ?? number);
    const file = files.find((each) => each.directory === source && each.name === name);
    if (file === undefined) throw new Error(`the log names ${source}/${name}, which is not there`);
    for (const { sensor, records } of blocksOf(file.content)) {
      const key = `${source}/${sensor}`;
      const known = found.get(key) ?? new Map<number, WrittenRecord>();
      for (const record of records) if (!known.has(record.sequence)) known.set(record.sequence, record);
      found.set(key, known);
    }
  }
  const streams = [...log.streams].map(([slot, { source, sensor }]): DecodedStream => {
    const head = log.marks.get(slot)?.head ?? 0;
    const all = found.get(`${source}/${sensor}`) ?? new Map<number, WrittenRecord>();
    const losses = log.ledger.filter((loss) => loss.slot === slot);
    return {
      source,
      sensor,
      records: new Map([...all].filter(([sequence]) => sequence >= head)),
      isLost: (sequence) => losses.some(({ from, to }) => from <= sequence && sequence < to),
    };
  });
  return { log, streams };
}
