/**
 * Which column of a CSV is what: by option, or guessed from the first rows.
 *
 * Time is the first column that is named like one and holds times of the accepted range, else the first with calendar
 * times of that range, else one that has but the name or numbers that may be times. Values are all other columns whose
 * cells are numbers. What is neither is named in the report as left out.
 */
import type { ValueType } from '../../index.ts';
import { CliError } from '../cli-error.ts';
import { CsvRows, parseLines } from './csv-rows.ts';
import type { Line } from './lines.ts';
import { isComment } from './lines.ts';
import { inTimeRange, parseTime } from './time.ts';

export interface CsvOptions {
  /** A column's name, or its number from 1. */
  readonly time?: string;
  readonly values?: readonly string[];
  readonly id?: string;
  readonly type?: ValueType;
}

/** Plain data: it is handed to the processes that read the recording again. */
export interface CsvLayout {
  readonly delimiter: string;
  readonly hasHeader: boolean;
  readonly columns: readonly string[];
  readonly time: number;
  readonly values: readonly number[];
  /** Column with the sensor's id, or null: each value column is a sensor. */
  readonly id: number | null;
  /** Type asked for; null: the narrowest that holds all values of a stream. */
  readonly type: ValueType | null;
  readonly leftOut: readonly string[];
}

const DELIMITERS = [',', ';', '\t', '|'];
const SAMPLE_LINES = 200;
const TIME_NAME = /^(utc|ts|t|epoch|month|day|year)$|time|date|stamp/i;
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const NO_VALUE = /^(|null|none|na|n\/a|-|\?)$/i;
const NOT_FINITE = /^[+-]?(nan|inf|infinity|1\.#\w+)$/i;

export type Cell = number | 'empty-cell' | 'not-a-number' | 'not-finite';

/** A cell as a number, or why it is none. A comma is a decimal point where it does not part the columns. */
export function parseCell(text: string, delimiter: string): Cell {
  const cell = delimiter !== ',' && /^[+-]?\d+,\d+$/.test(text) ? text.replace(',', '.') : text;
  if (NUMBER.test(cell)) {
    const value = Number(cell);
    return Number.isFinite(value) ? value : 'not-finite';
  }
  if (NO_VALUE.test(cell)) return 'empty-cell';
  return NOT_FINITE.test(cell) ? 'not-finite' : 'not-a-number';
}

/** The table in the first lines of a file, or null when they hold no table. */
function sampleTable(
  head: string,
): { readonly delimiter: string; readonly rows: readonly (readonly string[])[] } | null {
  let best: { delimiter: string; rows: readonly (readonly string[])[]; score: number } | null = null;
  const lines = head
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .map((text, i) => ({ number: i + 1, text, tooLong: false, unterminated: false }))
    .filter(({ text }) => !isComment(text))
    .slice(0, SAMPLE_LINES);
  for (const delimiter of DELIMITERS) {
    const rows = sampleRows(lines, delimiter);
    const width = rows[0]?.length ?? 0;
    if (width < 2) continue;
    const even = rows.filter((row) => row.length === width).length / rows.length;
    // A decimal comma makes columns as even as the delimiter does; times are whole with the right one only.
    const score = even + rows.filter((row) => row.some(isTimeText)).length / rows.length;
    if (even >= 0.5 && (best === null || score > best.score)) best = { delimiter, rows, score };
  }
  return best;
}

function sampleRows(lines: readonly Line[], delimiter: string): (readonly string[])[] {
  const texts = lines.map(({ text }) => text);
  const width = parseLines(texts, delimiter).find((cells) => cells !== null)?.length;
  const rows = new CsvRows(delimiter, (cells) => cells.length === width && cells.some(isTimeText));
  return [...rows.take(lines), ...rows.end()].map(({ cells }) => cells).filter((cells) => cells !== null);
}

const isTimeText = (text: string): boolean => {
  const timeMs = parseTime(text);
  return timeMs !== null && inTimeRange(timeMs);
};

/** Whether the first lines of a file are a table with a time and a value in most rows. */
export function looksLikeCsv(head: string): boolean {
  const table = sampleTable(head);
  if (table === null) return false;
  const { rows, delimiter } = table;
  const good = rows.filter(
    (row) =>
      row.some((cell) => parseTime(cell) !== null) &&
      row.some((cell) => typeof parseCell(cell, delimiter) === 'number'),
  );
  return good.length > 0 && good.length * 2 >= rows.length - 1;
}

/** @param name of the file, for messages. @throws CliError when the columns asked for, or a time column, are not there. */
export function findLayout(head: string, options: CsvOptions, name: string): CsvLayout {
  const table = sampleTable(head);
  if (table === null) {
    throw new CliError(`${name}: no CSV with at least two columns; check the file, or give another --format`);
  }
  const { delimiter, rows } = table;
  const [first = []] = rows;
  const isData = (cell: string): boolean => parseTime(cell) !== null || typeof parseCell(cell, delimiter) === 'number';
  const below = rows.slice(1);
  const shareBelow = (column: number): number =>
    below.filter((row) => isTimeText(row[column] ?? '')).length / Math.max(1, below.length);
  // A header may name columns by numbers; the name of the time column above times tells it from a row.
  const hasHeader = !first.some(isData) || first.some((cell, i) => TIME_NAME.test(cell) && shareBelow(i) >= 0.5);
  const columns = first.map((cell, i) => (hasHeader && cell !== '' ? cell : `${i + 1}`));
  const data = hasHeader ? below : rows;
  const share = (column: number, test: (cell: string) => boolean): number =>
    data.length === 0 ? 0 : data.filter((row) => test(row[column] ?? '')).length / data.length;

  const find = (option: string, given: string): number => {
    const index = columnIndex(columns, given);
    if (index !== null) return index;
    throw new CliError(`${name}: no column '${given}' (${option}); it has ${columns.join(', ')}`);
  };
  const time = options.time === undefined ? guessTime() : find('--time', options.time);
  function guessTime(): number {
    // A running time (uptime) or a temperature (t) has the name and numbers, too: what is a time for certain goes first.
    const signs: readonly ((column: number) => boolean)[] = [
      (i) => TIME_NAME.test(columns[i] as string) && share(i, isTimeText) >= 0.5,
      (i) => share(i, (cell) => isTimeText(cell) && !NUMBER.test(cell)) >= 0.5,
      (i) => TIME_NAME.test(columns[i] as string) && share(i, (cell) => parseTime(cell) !== null) >= 0.5,
      (i) => share(i, isTimeText) >= 0.5,
    ];
    for (const sign of signs) {
      const index = columns.findIndex((_, i) => sign(i));
      if (index >= 0) return index;
    }
    throw new CliError(`${name}: no time column found among ${columns.join(', ')}; name it with --time COLUMN`);
  }
  const id = options.id === undefined ? null : find('--id', options.id);
  const others = columns.map((_, i) => i).filter((i) => i !== time && i !== id);
  const isValue = (i: number): boolean =>
    share(i, (cell) => typeof parseCell(cell, delimiter) === 'number') > 0 &&
    share(i, (cell) => parseCell(cell, delimiter) === 'not-a-number') < 0.5;
  const values = options.values?.map((given) => find('--value', given)) ?? others.filter(isValue);
  if (values.length === 0) {
    throw new CliError(
      `${name}: no column with numbers beside the time '${columns[time]}'; name it with --value COLUMN`,
    );
  }
  if (id !== null && values.length > 1) {
    const named = values.map((i) => columns[i]).join(', ');
    throw new CliError(`${name}: --id goes with one value column, not with ${named}; choose one with --value COLUMN`);
  }
  const leftOut = others.filter((i) => !values.includes(i)).map((i) => columns[i] as string);
  return { delimiter, hasHeader, columns, time, values, id, type: options.type ?? null, leftOut };
}

function columnIndex(columns: readonly string[], given: string): number | null {
  const exact = columns.indexOf(given);
  if (exact >= 0) return exact;
  const folded = columns.findIndex((column) => column.toLowerCase() === given.toLowerCase());
  if (folded >= 0) return folded;
  const number = /^\d+$/.test(given) ? Number(given) : 0;
  return number >= 1 && number <= columns.length ? number - 1 : null;
}
