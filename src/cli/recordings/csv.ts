/**
 * Tables with a time and one or more values a row.
 *
 * Each value column is a stream of source mgc: sensor id 65,536 x input number + column (from 0), or, with an id column,
 * the id in the row. A cell that holds no number is skipped alone, a row without a good time as a whole; so is a row with
 * cells to spare, because what stands in its columns need not belong there (1,5 with a comma as the decimal point).
 */
import type { CsvLayout } from './csv-layout.ts';
import { parseCell } from './csv-layout.ts';
import type { CsvRow } from './csv-rows.ts';
import { CsvRows, LINE_BREAK } from './csv-rows.ts';
import { isComment, readLines } from './lines.ts';
import type { Batch, SkipReason } from './sample.ts';
import { Sink } from './sample.ts';
import { inTimeRange, parseTime, showTime } from './time.ts';
import { fitsType } from './value-type.ts';

const SENSORS_PER_INPUT = 65_536;
const LINES_PER_BATCH = 512;
const UINT32_MAX = 0xffff_ffff;

export interface CsvSource {
  readonly path: string;
  readonly bytes: number;
  readonly number: number;
  readonly layout: CsvLayout;
}

/** @throws the file system's errors. */
export async function* readCsv(source: CsvSource): AsyncGenerator<Batch> {
  const sink = new Sink();
  const decoder = new TableDecoder(sink, source);
  const rows = new CsvRows(source.layout.delimiter, (cells) => decoder.isWhole(cells));
  for await (const lines of readLines(source.path, source.bytes)) {
    for (const { number, text, tooLong } of lines) if (tooLong) sink.skip(number, 'line-too-long', text.slice(0, 20));
    const table = lines.filter(({ text, tooLong }) => !tooLong && !isComment(text));
    for (let from = 0; from < table.length; from += LINES_PER_BATCH) {
      decoder.take(rows.take(table.slice(from, from + LINES_PER_BATCH)));
      yield sink.take();
    }
  }
  decoder.take(rows.end());
  yield sink.take();
}

interface Fault {
  readonly reason: SkipReason;
  readonly found: string;
}

/** Rows into samples. */
class TableDecoder {
  readonly #sink: Sink;
  readonly #layout: CsvLayout;
  readonly #sensorBase: number;
  readonly #columnsNeeded: number;
  #headerAhead: boolean;

  constructor(sink: Sink, { number, layout }: CsvSource) {
    this.#sink = sink;
    this.#layout = layout;
    this.#sensorBase = number * SENSORS_PER_INPUT;
    this.#columnsNeeded = Math.max(layout.time, layout.id ?? 0, ...layout.values) + 1;
    this.#headerAhead = layout.hasHeader;
  }

  take(rows: readonly CsvRow[]): void {
    for (const { line, cells } of rows) {
      const { number, text, unterminated } = line;
      if (cells === null) this.#sink.skip(number, unterminated ? 'half-written' : 'unreadable', text);
      // The header is the first line that is a row, as it was when the layout was found.
      else if (this.#headerAhead) this.#headerAhead = false;
      else this.#row(cells, number, unterminated);
    }
  }

  /** A value of two lines is two halves of values: only text may go on in the next line. */
  isWhole(cells: readonly string[]): boolean {
    const { id, values } = this.#layout;
    const broken = [...values, ...(id === null ? [] : [id])].some((column) => cells[column]?.includes(LINE_BREAK));
    return !broken && this.#faultOf(cells) === null;
  }

  /** Why nothing of a row can be believed, or null. */
  #faultOf(cells: readonly string[]): Fault | null {
    const { time, columns } = this.#layout;
    const spare = cells.slice(columns.length).some((cell) => cell !== '');
    if (spare || cells.length < this.#columnsNeeded) {
      return { reason: 'unreadable', found: `${cells.length} of ${columns.length} columns` };
    }
    const timeText = cells[time] as string;
    const timeMs = parseTime(timeText);
    if (timeMs === null) return { reason: 'time-unreadable', found: timeText };
    return inTimeRange(timeMs) ? null : { reason: 'time-range', found: showTime(timeMs) };
  }

  #row(cells: readonly string[], line: number, unterminated: boolean): void {
    const sink = this.#sink;
    const layout = this.#layout;
    const fault = this.#faultOf(cells);
    if (unterminated && (cells.length < layout.columns.length || fault?.reason === 'time-unreadable')) {
      return sink.skip(line, 'half-written', cells.join(layout.delimiter));
    }
    if (fault !== null) return sink.skip(line, fault.reason, fault.found);
    const timeMs = parseTime(cells[layout.time] as string) as number;
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
