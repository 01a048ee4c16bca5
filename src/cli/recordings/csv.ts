/**
 * Tables with a time and one or more values a row, read by csv-parse as a stream.
 *
 * Each value column is a stream of source mgc: sensor id 65,536 x input number + column (from 0), or, with an id column,
 * the id in the row. A cell that holds no number is skipped alone, a row without a good time as a whole.
 */
import { createReadStream } from 'node:fs';
import { CsvError, parse } from 'csv-parse';
import { CliError } from '../cli-error.ts';
import type { CsvLayout } from './csv-layout.ts';
import { csvParseOptions, parseCell } from './csv-layout.ts';
import { LINE_CHARS_MAX } from './lines.ts';
import type { Batch } from './sample.ts';
import { Sink } from './sample.ts';
import { inTimeRange, parseTime, showTime } from './time.ts';
import { fitsType } from './value-type.ts';

const SENSORS_PER_INPUT = 65_536;
const ROWS_PER_BATCH = 512;
const UINT32_MAX = 0xffff_ffff;

export interface CsvSource {
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
  readonly number: number;
  /** The last line ends with a newline. */
  readonly terminated: boolean;
  readonly layout: CsvLayout;
}

interface Row {
  readonly record: readonly string[];
  readonly info: { readonly lines: number };
}

/** @throws CliError where the table cannot be parsed any further, and the file system's errors. */
export async function* readCsv(source: CsvSource): AsyncGenerator<Batch> {
  if (source.bytes === 0) return;
  const { layout } = source;
  const file = createReadStream(source.path, { end: source.bytes - 1 });
  const parser = parse({ ...csvParseOptions(layout.delimiter), info: true });
  file.once('error', (error) => parser.destroy(error));
  file.pipe(parser);
  const sink = new Sink();
  const decoder = new RowDecoder(sink, source);
  // One row is held back: only the last one may be half-written.
  let held: Row | null = null;
  let rows = 0;
  try {
    for await (const row of parser as AsyncIterable<Row>) {
      if (held !== null && !(layout.hasHeader && rows === 1)) decoder.row(held.record, held.info.lines, false);
      held = row;
      rows++;
      if (sink.samples.length + sink.skips.length >= ROWS_PER_BATCH) yield sink.take();
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const line = typeof error.lines === 'number' ? error.lines : (held?.info.lines ?? 0);
    throw new CliError(`${source.name}:${line}: no CSV from here on (${error.message}); check quotes and delimiters`);
  } finally {
    file.destroy();
  }
  if (held !== null && !(layout.hasHeader && rows === 1)) decoder.row(held.record, held.info.lines, !source.terminated);
  yield sink.take();
}

/** One row into samples. */
export class RowDecoder {
  readonly #sink: Sink;
  readonly #layout: CsvLayout;
  readonly #sensorBase: number;
  readonly #columnsNeeded: number;

  constructor(sink: Sink, source: { readonly number: number; readonly layout: CsvLayout }) {
    const { layout } = source;
    this.#sink = sink;
    this.#layout = layout;
    this.#sensorBase = source.number * SENSORS_PER_INPUT;
    this.#columnsNeeded = Math.max(layout.time, layout.id ?? 0, ...layout.values) + 1;
  }

  row(cells: readonly string[], line: number, unterminated: boolean): void {
    const sink = this.#sink;
    const layout = this.#layout;
    const short = cells.length < this.#columnsNeeded;
    if (unterminated && (short || cells.length < layout.columns.length)) {
      return sink.skip(line, 'half-written', cells.join(layout.delimiter));
    }
    if (short) return sink.skip(line, 'unreadable', `${cells.length} of ${layout.columns.length} columns`);
    if (cells.some((cell) => cell.length > LINE_CHARS_MAX)) return sink.skip(line, 'line-too-long', 'a cell');
    const timeText = cells[layout.time] as string;
    const timeMs = parseTime(timeText);
    if (timeMs === null) return sink.skip(line, unterminated ? 'half-written' : 'time-unreadable', timeText);
    if (!inTimeRange(timeMs)) return sink.skip(line, 'time-range', showTime(timeMs));
    const id = layout.id === null ? null : this.#id(cells[layout.id] as string, line);
    if (id === -1) return;
    for (const column of layout.values)
      this.#cell(cells[column] as string, id ?? this.#sensorBase + column, timeMs, line);
  }

  #id(text: string, line: number): number {
    const id = /^\d+$/.test(text) ? Number(text) : -1;
    if (id >= 0 && id <= UINT32_MAX) return id;
    this.#sink.skip(line, 'id-range', `id '${text}' is no whole number of 32 bits`);
    return -1;
  }

  #cell(text: string, sensor: number, timeMs: number, line: number): void {
    const value = parseCell(text, this.#layout.delimiter);
    if (typeof value !== 'number') return this.#sink.skip(line, value, text);
    const type = this.#layout.type ?? 'float32';
    if (!fitsType(value, type)) return this.#sink.skip(line, 'value-range', `${text} as ${type}`);
    this.#sink.sample('mgc', sensor, value, timeMs, line);
  }
}
