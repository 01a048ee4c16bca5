/**
 * Bytes of the checkpoint log at the ends of what they take: frames that fill a part to its last byte, parts that follow,
 * headers and frames that are none. What the engine lays out is held against conformance/format, and both ways read.
 */
import type { Frame, LogEnd, PlacedFrame } from '../../src/core/checkpoint-format.ts';
import { encodePartHeader, FrameList, placeBatch, readPartHeader, scanPart } from '../../src/core/checkpoint-format.ts';
import { crc32 } from '../../src/core/crc32.ts';
import type { FrameContent } from '../format/write-log.ts';
import { lost, writeLogPart } from '../format/write-log.ts';
import type { Case } from './case.ts';
import { differs } from './case.ts';

const STORE = Uint8Array.from({ length: 16 }, (_, i) => i + 1);
const GENERATION = 0x0102_0304;
const STEP = 8_192;
const PART_BYTES = 65_536;
const HEADER_BYTES = 64;
/** Of a frame around its payload, in multiples of 8. */
const AROUND = 16;
const CUT_AT = 2_048;
const START: LogEnd = { part: 0, offset: 0, allocated: 0 };

const frameOf = (payloadBytes: number, type = 3): Frame => ({ type, payload: new Uint8Array(payloadBytes).fill(7) });

const place = (frames: readonly Frame[], end: LogEnd, batch = 0): ReturnType<typeof placeBatch> =>
  placeBatch(frames, STORE, GENERATION, batch, end, STEP);

/** Lays batches out one behind the other. @returns the parts as files. */
function filesOf(batches: readonly (readonly Frame[])[]): { readonly files: Uint8Array[]; readonly end: LogEnd } {
  const files: Uint8Array[] = [];
  let end = START;
  batches.forEach((frames, batch) => {
    const laid = place(frames, end, batch);
    for (const { part, offset, bytes } of laid.placements) {
      const grown = new Uint8Array(Math.max(files[part]?.length ?? 0, offset + bytes.length));
      grown.set(files[part] ?? []);
      grown.set(bytes, offset);
      files[part] = grown;
    }
    end = laid.end;
  });
  return { files, end };
}

/** Batch, index, last and payload bytes of each. */
const told = (frames: readonly PlacedFrame[]): unknown[] =>
  frames.map(({ batch, index, last, payload }) => [batch, index, last, payload.length]);

const written = (batches: readonly (readonly FrameContent[])[], bytes?: number): Uint8Array =>
  writeLogPart({ storeId: STORE, generation: GENERATION, batches, ...(bytes === undefined ? {} : { bytes }) });

const scanned = (bytes: Uint8Array): unknown[] => told(scanPart(bytes, STORE, GENERATION, 0));

const PLACING: readonly Case[] = [
  {
    name: 'log bytes: batches are laid out as the format says',
    check: () => {
      const batches = [[frameOf(5), frameOf(0), frameOf(8)], [frameOf(1)], [frameOf(300), frameOf(4)]];
      const { files } = filesOf(batches);
      // The two are written by different hands: of the header only the version may be another.
      const wanted = written(batches);
      return differs(
        'the file',
        Buffer.from(files[0] as Uint8Array).toString('hex', HEADER_BYTES),
        Buffer.from(wanted).toString('hex', HEADER_BYTES),
      );
    },
  },
  {
    name: 'log bytes: a frame that fills a part to its last byte stays in it, the next one begins another',
    check: () => {
      const full = Array.from({ length: 31 }, () => frameOf(CUT_AT - AROUND));
      const rest = PART_BYTES - HEADER_BYTES - 31 * CUT_AT;
      const { files, end } = filesOf([[...full, frameOf(rest - AROUND)], [frameOf(5)]]);
      const second = scanPart(files[1] as Uint8Array, STORE, GENERATION, 1);
      const header = readPartHeader(files[1] as Uint8Array);
      return (
        differs(
          'bytes of the parts',
          files.map((file) => file.length),
          [PART_BYTES, STEP],
        ) ??
        differs('frames of the first', scanned(files[0] as Uint8Array).length, 32) ??
        differs('frames of the second', told(second), [[1, 0, true, 5]]) ??
        differs('its header', header.state === 'ok' && [header.part, header.generation], [1, GENERATION]) ??
        differs('the end', end, { part: 1, offset: HEADER_BYTES + 24, allocated: STEP })
      );
    },
  },
  {
    name: 'log bytes: a frame that a part has no room for begins another within its batch',
    check: () => {
      const frames = Array.from({ length: 70 }, (_, i) => frameOf(CUT_AT - AROUND + (i % 2)));
      const { files } = filesOf([frames]);
      const found = files.flatMap((file, part) => told(scanPart(file, STORE, GENERATION, part)));
      return (
        differs('parts', files.length, 3) ??
        differs('none is too large', Math.max(...files.map(({ length }) => length)), PART_BYTES) ??
        differs(
          'the frames',
          found,
          frames.map(({ payload }, i) => [0, i, i === 69, payload.length]),
        )
      );
    },
  },
  {
    name: 'log bytes: a part grows in steps, and is written where it has not grown',
    check: () => {
      const first = place([frameOf(5)], START);
      const second = place([frameOf(5)], first.end);
      const exact = place([frameOf(STEP - second.end.offset - AROUND)], second.end);
      const beyond = place([frameOf(0)], exact.end);
      const sizes = [first, second, exact, beyond].map(({ placements }) =>
        placements.map(({ offset, bytes }) => [offset, bytes.length]),
      );
      return (
        differs('places and bytes', sizes, [
          [[0, STEP]],
          [[HEADER_BYTES + 24, 24]],
          [[HEADER_BYTES + 48, STEP - HEADER_BYTES - 48]],
          [[STEP, STEP]],
        ]) ??
        differs(
          'what it has',
          [exact.end, beyond.end.allocated],
          [{ part: 0, offset: STEP, allocated: STEP }, 2 * STEP],
        ) ??
        differs('no frame is no write', place([], first.end), { placements: [], end: first.end })
      );
    },
  },
  {
    name: 'log bytes: a frame larger than any is refused',
    check: () => {
      const whole = place([frameOf(60_000)], START);
      try {
        place([frameOf(60_001)], START);
        return 'it is not';
      } catch (error) {
        return differs('the refusal', [error instanceof RangeError, whole.placements.length], [true, 1]);
      }
    },
  },
];

const LISTS: readonly Case[] = [
  {
    name: 'log bytes: items of a type share a frame until it is large enough',
    check: () => {
      const list = new FrameList();
      const starts: boolean[] = [];
      const add = (type: number, bytes: number): void => {
        starts.push(list.startsFrame(type));
        list.item(type).zeros(bytes);
      };
      add(2, CUT_AT - 1);
      add(2, 1);
      add(2, 3);
      add(3, 4);
      add(3, 0);
      list.cut();
      add(3, 5);
      add(2, 1);
      const frames = list.finish().map(({ type, payload }) => [type, payload.length]);
      return (
        differs('frames', frames, [
          [2, CUT_AT],
          [2, 3],
          [3, 4],
          [3, 5],
          [2, 1],
        ]) ?? differs('where one begins', starts, [true, false, true, true, false, true, true])
      );
    },
  },
];

const headerWith = (change: (header: Uint8Array) => void): Uint8Array => {
  const header = encodePartHeader(STORE, GENERATION, 2).slice();
  change(header);
  const checksum = crc32(header, 0, 60, 0);
  for (let i = 0; i < 4; i++) header[60 + i] = checksum >>> (8 * i);
  return header;
};

const READING: readonly Case[] = [
  {
    name: 'log bytes: a header is one when all of it is there',
    check: () => {
      const whole = encodePartHeader(STORE, GENERATION, 2);
      const flipped = whole.slice();
      flipped[40] = 1;
      const states = [
        readPartHeader(whole),
        readPartHeader(whole.slice(0, 63)),
        readPartHeader(flipped),
        readPartHeader(headerWith((header) => header.fill(0x49, 0, 1))),
        readPartHeader(headerWith((header) => header.fill(0x48, 7, 8))),
        readPartHeader(headerWith((header) => header.fill(0xff, 8, 10))),
      ].map((header) => (header.state === 'unsupported' ? [header.state, header.version] : header.state));
      return differs('what it is', states, ['ok', 'damaged', 'damaged', 'ok', 'damaged', ['unsupported', 0xffff]]);
    },
  },
  {
    name: 'log bytes: a frame that ends with the file is one, cut by a byte it is none',
    check: () => {
      const lengths = [0, 5, 4];
      for (const payloadBytes of lengths) {
        const batches = [[frameOf(9)], [frameOf(payloadBytes)]];
        const ends = HEADER_BYTES + 32 + AROUND + payloadBytes;
        const found =
          differs(`of ${payloadBytes}, whole`, scanned(written(batches, ends)), [
            [0, 0, true, 9],
            [1, 0, true, payloadBytes],
          ]) ?? differs(`of ${payloadBytes}, cut`, scanned(written(batches, ends - 1)), [[0, 0, true, 9]]);
        if (found !== null) return found;
      }
      return null;
    },
  },
  {
    name: 'log bytes: a frame of no type is none, and one behind it is found',
    check: () =>
      differs('the frames', scanned(written([[frameOf(9, 0), frameOf(4)], [frameOf(7)]])), [
        [0, 1, true, 4],
        [1, 0, true, 7],
      ]),
  },
  {
    name: 'log bytes: behind a damaged frame the next one is found',
    check: () =>
      differs('the frames', scanned(written([[lost(frameOf(900)), frameOf(4)], [frameOf(7)]])), [
        [0, 1, true, 4],
        [1, 0, true, 7],
      ]),
  },
  {
    name: 'log bytes: a frame of another generation, store or part is none',
    check: () => {
      const file = written([[frameOf(9)]]);
      const other = STORE.slice().fill(9, 15);
      return differs(
        'frames found',
        [
          scanPart(file, STORE, GENERATION, 0),
          scanPart(file, STORE, GENERATION + 1, 0),
          scanPart(file, STORE, GENERATION, 1),
          scanPart(file, other, GENERATION, 0),
        ].map(({ length }) => length),
        [1, 0, 0, 0],
      );
    },
  },
];

export const LOG_BYTES: readonly Case[] = [...PLACING, ...LISTS, ...READING];
