/**
 * What is wrong with the files of the checkpoint log: each part held to the format byte by byte, and the generations to what
 * they say of each other.
 *
 * Behind the last whole frame a power cut may leave anything, for a batch is durable only when its sync is. So what stands
 * there is a note, unless segments bear witness that more had been durable.
 */
import { sameBytes, toHex } from '../../core/bytes.ts';
import type { PlacedFrame } from '../../core/checkpoint-format.ts';
import {
  completeBatches,
  PART_HEADER_BYTES,
  parsePartName,
  partName,
  readPartHeader,
  scanPart,
} from '../../core/checkpoint-format.ts';
import type { FoundFile } from '../../core/checkpoint-log.ts';
import { readFile } from '../../core/read-file.ts';
import type { Look } from '../read-only-store.ts';
import type { Finding, FindingKind } from './finding.ts';

const FRAME_NAMES = [
  '',
  'STORE',
  'STREAMS',
  'MARKS',
  'SYNCED_BY',
  'SEGMENTS_ADDED',
  'SEGMENTS_REMOVED',
  'LEDGER',
  'HOLES',
];
/** What is said of the log as one thing. */
const WHOLE_LOG = 'checkpoint-*.log';
const FRAME_HEAD_BYTES = 12;
const CRC_BYTES = 4;
/** Parts grow in such steps (src/core/checkpoint-log.ts). */
const STEP_BYTES = 8192;

interface Part {
  readonly file: FoundFile;
  readonly generation: number;
  readonly part: number;
  readonly bytes: Uint8Array;
  readonly frames: readonly PlacedFrame[];
}

/** Level of what may be a power cut's doing, and of what cannot. */
interface Levels {
  readonly tail: Finding['level'];
  /** The last batch of the part's generation, when it is not whole. */
  readonly tornBatch: number | null;
}

function levelsOf({ found: { log, evidence } }: Look, own: readonly Part[]): Levels {
  const frames = own.flatMap((part) => part.frames);
  const last = frames.reduce((highest, { batch }) => Math.max(highest, batch), 0);
  const tail = log.complete && !evidence.tailLost ? 'note' : 'damage';
  return { tail, tornBatch: last > 0 && !completeBatches(frames).has(last) ? last : null };
}

export async function logFindings(look: Look): Promise<Finding[]> {
  const { log, evidence } = look.found;
  const parts: Part[] = [];
  const findings: Finding[] = [];
  for (const file of log.files) {
    const place = parsePartName(file.name);
    const read = await readFile(look.disk, '', file.name, file.bytes);
    if (place === null || !read.ok) continue;
    const { bytes, error } = read.value;
    const frames = scanPart(bytes, evidence.storeId, place.generation, place.part, look.state.platform.crc32);
    parts.push({ file, ...place, bytes, frames });
    if (error !== null)
      findings.push(
        at(file, 'damage', 'unreadable', 0, file.bytes, `the medium does not give all of it (${error.detail})`),
      );
  }
  if (parts.length === 0) {
    const text =
      'there is no log: all segments are believed, and what had been acknowledged since they were written comes again';
    return [
      {
        level: 'damage',
        what: 'log lost',
        file: WHOLE_LOG,
        offset: 0,
        bytes: 0,
        records: [],
        certain: true,
        text,
      },
    ];
  }
  for (const part of parts) {
    const own = parts.filter(({ generation }) => generation === part.generation);
    findings.push(...partFindings(look, part, levelsOf(look, own)));
  }
  return [...findings, ...generationFindings(look, parts)];
}

function at(
  file: Pick<FoundFile, 'name'>,
  level: Finding['level'],
  what: FindingKind,
  offset: number,
  bytes: number,
  text: string,
): Finding {
  return { level, what, file: file.name, offset, bytes, records: [], certain: true, text };
}

function partFindings(look: Look, part: Part, levels: Levels): Finding[] {
  const { file, bytes, generation, frames } = part;
  const { storeId } = look.found.evidence;
  const findings: Finding[] = [];
  const header = readPartHeader(bytes);
  if (file.blank || frames.length === 0) return [noFrames(part, header, storeId, levels)];
  if (header.state !== 'ok') {
    findings.push(
      at(
        file,
        'damage',
        'log header',
        0,
        PART_HEADER_BYTES,
        'its header does not read; segments or other parts tell the store id, so it costs nothing',
      ),
    );
  }
  if (file.bytes % STEP_BYTES !== 0) {
    const end = Math.ceil(file.bytes / STEP_BYTES) * STEP_BYTES;
    findings.push(
      at(
        file,
        levels.tail,
        'cut short',
        file.bytes,
        end - file.bytes,
        `it has ${file.bytes} bytes, and was written in steps of ${STEP_BYTES}: cut short by a power cut, or since`,
      ),
    );
  }
  const last = frames.at(-1) as PlacedFrame;
  let from = PART_HEADER_BYTES;
  for (const frame of frames) {
    if (frame.offset > from) findings.push(lostFrames(part, from, frame, levels));
    const padding = frame.offset + FRAME_HEAD_BYTES + frame.payload.length + CRC_BYTES;
    const end = frame.offset + frame.bytes;
    const dirt = dirtIn(bytes, padding, end);
    if (dirt !== null)
      findings.push(
        at(
          file,
          'note',
          'log padding',
          dirt.from,
          dirt.to - dirt.from,
          'bytes between two frames are not zero; nobody reads them',
        ),
      );
    from = end;
  }
  const tail = dirtIn(bytes, last.offset + last.bytes, bytes.length);
  if (tail !== null) {
    const text = `behind the last whole frame of generation ${generation} stands something that is none: a batch that a power cut cut off, or damage; it counts for nothing`;
    findings.push(at(file, levels.tail, 'log tail', tail.from, tail.to - tail.from, text));
  }
  return findings;
}

/** A part in which nothing verifies: cut off before anything was in it, somebody else's, or damaged as a whole. */
function noFrames(
  { file, generation, part, bytes }: Part,
  header: ReturnType<typeof readPartHeader>,
  storeId: Uint8Array,
  levels: Levels,
): Finding {
  if (header.state === 'ok' && !sameBytes(header.storeId, storeId))
    return at(
      file,
      'damage',
      'foreign',
      0,
      file.bytes,
      `it is of another store (${toHex(header.storeId)}), and counts for nothing`,
    );
  if (header.state === 'ok' && (header.generation !== generation || header.part !== part)) {
    const said = `generation ${header.generation}, part ${header.part}`;
    return at(
      file,
      levels.tail,
      'misplaced',
      0,
      file.bytes,
      `its header names ${said}: a copy, which counts for nothing`,
    );
  }
  if (file.blank || bytes.length === 0)
    return at(
      file,
      levels.tail,
      'log tail',
      0,
      file.bytes,
      'it holds no frame: a generation that was cut off while it was begun, or an emptied file',
    );
  return at(file, 'damage', 'unreadable', 0, file.bytes, 'neither its header nor any frame of it reads');
}

/** Bytes before an intact frame that are none. Before a later batch was begun, what stood there was durable. */
function lostFrames({ file, bytes }: Part, from: number, next: PlacedFrame, levels: Levels): Finding {
  const type = bytes[from + 2] as number;
  const said =
    FRAME_NAMES[type] === undefined || type === 0
      ? 'its head does not read'
      : `a frame of ${FRAME_NAMES[type]}, by its own head`;
  const inTail = next.batch === levels.tornBatch;
  const why = inTail
    ? 'the last batch misses them, so it counts for nothing: it was cut off by a power cut, or damaged since'
    : 'intact ones of a later batch follow, so they were durable once';
  const text = `one or more frames (${said}) do not verify; ${why}`;
  return at(file, inTail ? levels.tail : 'damage', 'log frame', from, next.offset - from, text);
}

/** The range of bytes that are not zero; null when all are. */
function dirtIn(bytes: Uint8Array, from: number, to: number): { readonly from: number; readonly to: number } | null {
  let first = from;
  while (first < to && bytes[first] === 0) first++;
  if (first >= to) return null;
  let last = to;
  while (bytes[last - 1] === 0) last--;
  return { from: first, to: last };
}

/** Parts that are not there, and what the log as a whole has lost. */
function generationFindings(look: Look, parts: readonly Part[]): Finding[] {
  const findings: Finding[] = [];
  for (const generation of new Set(parts.filter(({ frames }) => frames.length > 0).map((each) => each.generation))) {
    const own = new Set(parts.filter((each) => each.generation === generation).map(({ part }) => part));
    for (let part = 0; part < Math.max(...own); part++) {
      const name = partName(generation, part);
      const text = 'a part of the log with a later one behind it is not there';
      if (!own.has(part)) findings.push(at({ name }, 'damage', 'missing', 0, 0, text));
    }
  }
  const lost = lostText(look, parts);
  if (lost !== null) findings.push(at({ name: WHOLE_LOG }, 'damage', 'log lost', 0, 0, lost));
  return findings;
}

/** What of the log is gone beyond single frames, in one sentence; null: nothing. The first that is true says it. */
function lostText({ found: { log, evidence } }: Look, parts: readonly Part[]): string | null {
  if (!parts.some(({ file }) => file.whole))
    return 'no generation of the log is whole: what is intact of it is believed, together with the segments';
  if (!log.complete) return 'a newer generation lost its snapshot to damage: what is intact of both is believed';
  if (evidence.tailLost) return 'the newest that the log said is gone: there are segments that were written after it';
  if (!log.intact) return 'a batch that was durable misses frames: what is intact of it is believed';
  return null;
}
