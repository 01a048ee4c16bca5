/**
 * First look at what the user gave: does the file exist, what form has it, how long is it now.
 *
 * Everything later works on what is found here: the same bytes are read in every pass. A recording that is read more than
 * once must be a file, so standard input, pipes and devices are copied to a temporary file first.
 */
import { createReadStream } from 'node:fs';
import { mkdtemp, open, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { CliError, describeSystemError } from '../cli-error.ts';
import { looksLikeCanboat } from './canboat.ts';
import { looksLikeCandump } from './candump.ts';
import type { CsvLayout, CsvOptions } from './csv-layout.ts';
import { findLayout, looksLikeCsv } from './csv-layout.ts';
import { isComment } from './lines.ts';
import { looksLikeNmea } from './nmea.ts';

export const FORMATS = ['candump', 'canboat', 'nmea', 'csv'] as const;
export type Format = (typeof FORMATS)[number];

export interface InputOptions extends CsvOptions {
  readonly format?: Format;
  /** Midnight UTC of the first day, for NMEA recordings that say no date. */
  readonly dateMs?: number;
}

/** Plain data: it is handed to the processes that read the recording again. */
export interface Input {
  /** As the user gave it, for messages. */
  readonly name: string;
  readonly path: string;
  /** Counted from 1, in the order of the command line. */
  readonly number: number;
  readonly bytes: number;
  readonly modifiedMs: number;
  readonly format: Format;
  readonly dateMs: number | null;
  readonly layout: CsvLayout | null;
}

const HEAD_BYTES = 65_536;
/** More of them in text than this share, and it is no text. */
const CONTROL_SHARE_MAX = 0.02;

/** A temporary directory, for copies of what is no file and whatever else shall not outlive the command. */
export class Spool {
  #directory: string | null = null;
  #files = 0;

  /** Made when first asked for, removed by `remove`. */
  async directory(): Promise<string> {
    this.#directory ??= await mkdtemp(join(tmpdir(), 'imatrix-mm-'));
    return this.#directory;
  }

  async copy(source: AsyncIterable<Uint8Array>): Promise<string> {
    const path = join(await this.directory(), `${this.#files++}`);
    const file = await open(path, 'wx', 0o600);
    await pipeline(source, file.createWriteStream());
    return path;
  }

  async remove(): Promise<void> {
    if (this.#directory !== null) await rm(this.#directory, { recursive: true, force: true });
    this.#directory = null;
  }
}

/** @throws CliError when it is missing, unreadable, or no recording. */
export async function lookAt(name: string, number: number, options: InputOptions, spool: Spool): Promise<Input> {
  try {
    const shown = name === '-' ? 'standard input' : name;
    const given = name === '-' ? null : await stat(name);
    if (given?.isDirectory()) throw new CliError(`${name}: it is a directory; give its files`);
    const path =
      given === null
        ? await spool.copy(process.stdin)
        : given.isFile()
          ? name
          : await spool.copy(createReadStream(name));
    const { size, mtimeMs } = given?.isFile() ? given : await stat(path);
    const head = await readHead(path, Math.min(HEAD_BYTES, size));
    const text = completeLines(head, size);
    const format = options.format ?? guessFormat(text, shown, size);
    return {
      name: shown,
      path,
      number,
      bytes: size,
      modifiedMs: mtimeMs,
      format,
      dateMs: options.dateMs ?? null,
      layout: format === 'csv' ? findLayout(text, options, shown) : null,
    };
  } catch (error) {
    if (error instanceof CliError || !(error instanceof Error) || !('syscall' in error)) throw error;
    throw new CliError(describeSystemError(error as NodeJS.ErrnoException, name));
  }
}

/** @throws CliError when the file is not what it was at the first look: its passes would not agree. */
export async function checkUnchanged(input: Input): Promise<void> {
  const { size, mtimeMs } = await stat(input.path);
  // Growing is fine: only the bytes of the first look are read.
  if (size < input.bytes || (size === input.bytes && mtimeMs !== input.modifiedMs)) {
    throw new CliError(`${input.name}: the file was changed while it was replayed; replay a copy of it`);
  }
}

async function readHead(path: string, bytes: number): Promise<Buffer> {
  await using file = await open(path, 'r');
  const buffer = Buffer.alloc(bytes);
  const { bytesRead } = await file.read(buffer, 0, bytes, 0);
  return buffer.subarray(0, bytesRead);
}

function completeLines(head: Buffer, size: number): string {
  if (head.length >= size) return head.toString('utf8');
  const end = head.lastIndexOf(0x0a);
  return head.subarray(0, end < 0 ? head.length : end + 1).toString('utf8');
}

/** By content, never by the file's name. */
function guessFormat(head: string, name: string, bytes: number): Format {
  if (bytes === 0) throw new CliError(`${name}: the file is empty; give a recording`);
  const lines = head
    .split(/\r?\n/)
    .map((line) => line.replace(/^\uFEFF/, ''))
    .filter((line) => !isComment(line));
  const binary = isBinary(head);
  if (lines.length === 0 && !binary) throw new CliError(`${name}: only comments and blank lines, no recording`);
  const candidates: readonly (readonly [Format, (line: string) => boolean])[] = [
    ['candump', looksLikeCandump],
    ['canboat', looksLikeCanboat],
    ['nmea', looksLikeNmea],
  ];
  for (const [format, looksLike] of candidates) {
    if (lines.filter(looksLike).length * 2 > lines.length) return format;
  }
  // Only now: a receiver mixes its own binary messages into what it says in NMEA, and its lines are good all the same.
  if (binary) {
    throw new CliError(`${name}: binary data, no recording; give the text of candump -L, NMEA 0183, canboat or CSV`);
  }
  if (looksLikeCsv(head)) return 'csv';
  // A recording with more damage than data, or with a single line cut short: any line that is right decides.
  for (const [format, looksLike] of candidates) if (lines.some(looksLike)) return format;
  throw new CliError(
    `${name}: no recording that is known (candump -L, NMEA 0183, canboat, CSV with a time column); check it, or give --format`,
  );
}

function isBinary(head: string): boolean {
  // A power cut leaves a run of zeros where the file system had promised a block: damage to a text, counted once.
  const text = head.replace(/\0+/g, '\0');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  const odd = text.match(/[\0-\x08\x0e-\x1f\ufffd]/g)?.length ?? 0;
  return odd > text.length * CONTROL_SHARE_MAX;
}
