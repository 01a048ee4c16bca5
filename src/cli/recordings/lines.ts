/**
 * A file as lines, streamed: memory is bounded by one chunk and one line, whatever the length of the file.
 *
 * Reads at most the bytes that were there when the recording was first looked at, so that a file that is still being
 * written gives the same lines in every pass.
 */
import { createReadStream } from 'node:fs';

/** Longest line that is read; what is longer is no line of a recording. */
export const LINE_CHARS_MAX = 65_536;
const CHUNK_BYTES = 65_536;
/** As Latin-1 shows it. */
const BYTE_ORDER_MARK = /^\u00ef\u00bb\u00bf/;

export interface Line {
  /** Counted from 1. */
  readonly number: number;
  /** Without its end. Cut off after LINE_CHARS_MAX characters when `tooLong`. */
  readonly text: string;
  readonly tooLong: boolean;
  /** The file ends inside this line. */
  readonly unterminated: boolean;
}

/** The lines of each chunk. @throws the file system's error. */
export async function* readLines(path: string, bytes: number): AsyncGenerator<Line[]> {
  if (bytes === 0) return;
  // Latin-1 gives every byte a character: no multi-byte sequence is cut in two, and the formats are ASCII.
  const stream = createReadStream(path, { encoding: 'latin1', highWaterMark: CHUNK_BYTES, end: bytes - 1 });
  let rest = '';
  let tooLong = false;
  let number = 1;
  for await (const chunk of stream as AsyncIterable<string>) {
    const lines: Line[] = [];
    let from = 0;
    for (let end = chunk.indexOf('\n'); end >= 0; end = chunk.indexOf('\n', from)) {
      const text = rest + chunk.slice(from, end);
      lines.push(toLine(number++, text, tooLong, false));
      rest = '';
      tooLong = false;
      from = end + 1;
    }
    rest += chunk.slice(from);
    if (rest.length > LINE_CHARS_MAX) {
      rest = rest.slice(0, LINE_CHARS_MAX);
      tooLong = true;
    }
    yield lines;
  }
  if (rest !== '') yield [toLine(number, rest, tooLong, true)];
}

function toLine(number: number, text: string, cut: boolean, unterminated: boolean): Line {
  const tooLong = cut || text.length > LINE_CHARS_MAX;
  const ended = text.endsWith('\r') ? text.slice(0, -1) : text;
  return { number, text: number === 1 ? ended.replace(BYTE_ORDER_MARK, '') : ended, tooLong, unterminated };
}

/** Blank, or a comment: nothing to read and nothing to report. */
export const isComment = (text: string): boolean => text.trim() === '' || text.trimStart().startsWith('#');
