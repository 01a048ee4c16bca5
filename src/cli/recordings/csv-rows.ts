/**
 * Rows of a table out of its lines, so that no damage reaches further than its line.
 *
 * A parser that reads a damaged table as one text swallows good rows up to the next quote, or gives up. Here every line is
 * a row of its own, whichever way it ends. Only a line that is none, because a quoted cell goes on behind it, is put
 * together with the lines below; the next line that is a whole row shows that it was torn instead.
 */
import { CsvError, parse } from 'csv-parse/sync';
import type { Line } from './lines.ts';
import { LINE_CHARS_MAX } from './lines.ts';

export interface CsvRow {
  /** The first of the row. */
  readonly line: Line;
  /** null: the line is no row. */
  readonly cells: readonly string[] | null;
}

/** Stands behind each line end inside a cell, so that trimming does not hide it; Latin-1 text has no such character. */
export const LINE_BREAK = '\u2028';
/** Lines of one row, at most. */
const ROW_LINES_MAX = 16;

/** The records of a text without comments and blank lines, or null where its quotes are wrong. */
function parseText(text: string, delimiter: string): string[][] | null {
  try {
    return parse(text, {
      delimiter,
      record_delimiter: '\n',
      relax_column_count: true,
      relax_quotes: true,
      trim: true,
    });
  } catch (error) {
    if (error instanceof CsvError) return null;
    throw error;
  }
}

/**
 * Each line as a row, or null. All are parsed at once, which takes a tenth of the time; if that does not give a row a
 * line, some quote is wrong, and halves of halves find the line that has it.
 */
export function parseLines(texts: readonly string[], delimiter: string): (string[] | null)[] {
  if (texts.length === 0) return [];
  const rows = parseText(texts.join('\n'), delimiter);
  if (rows !== null && rows.length === texts.length) return rows;
  if (texts.length === 1) return [null];
  const half = texts.length >>> 1;
  return [...parseLines(texts.slice(0, half), delimiter), ...parseLines(texts.slice(half), delimiter)];
}

/** Gives the rows of a table chunk by chunk; what may go on in the next chunk is held back. */
export class CsvRows {
  readonly #delimiter: string;
  readonly #isWhole: (cells: readonly string[]) => boolean;
  #held: CsvRow[] = [];

  /** @param isWhole whether the cells make a row, none of whose numbers goes on over a LINE_BREAK. */
  constructor(delimiter: string, isWhole: (cells: readonly string[]) => boolean) {
    this.#delimiter = delimiter;
    this.#isWhole = isWhole;
  }

  /** @param lines the next ones, without comments and blank lines. */
  take(lines: readonly Line[]): CsvRow[] {
    const rows: CsvRow[] = [];
    const parsed = parseLines(
      lines.map(({ text }) => text),
      this.#delimiter,
    );
    lines.forEach((line, i) => {
      this.#add({ line, cells: parsed[i] ?? null }, rows);
    });
    return rows;
  }

  /** What was held back, since nothing follows. */
  end(): CsvRow[] {
    const rows = this.#held;
    this.#held = [];
    return rows;
  }

  #add(row: CsvRow, rows: CsvRow[]): void {
    const held = this.#held;
    if (row.cells !== null && (held.length === 0 || this.#isWhole(row.cells))) {
      rows.push(...this.end(), row);
      return;
    }
    held.push(row);
    const joined = held.length > 1 ? this.#joined() : null;
    if (joined !== null) {
      this.#held = [];
      rows.push(joined);
    } else if (held.length === ROW_LINES_MAX) rows.push(...this.end());
  }

  /** The lines held back as one row, if they are one. */
  #joined(): CsvRow | null {
    const text = this.#held.map(({ line }) => line.text).join(`\n${LINE_BREAK}`);
    const parsed = text.length > LINE_CHARS_MAX ? null : parseText(text, this.#delimiter);
    const [first] = this.#held;
    const [cells] = parsed ?? [];
    if (first === undefined || cells === undefined || parsed?.length !== 1 || !this.#isWhole(cells)) return null;
    return { line: first.line, cells };
  }
}
