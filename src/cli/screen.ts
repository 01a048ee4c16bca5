/**
 * What commands show: numbers, gauges, tables, and progress that is redrawn on a terminal and told now and then elsewhere.
 *
 * Colour only on a terminal that wants it (NO_COLOR, TERM=dumb, FORCE_COLOR), and never as the only sign.
 */
import type { WriteStream } from 'node:tty';
import Table from 'cli-table3';
import { createLogUpdate } from 'log-update';
import picocolors from 'picocolors';

export type Paint = ReturnType<typeof picocolors.createColors>;

export function paintFor(stream: NodeJS.WriteStream): Paint {
  const { NO_COLOR, FORCE_COLOR, TERM } = process.env;
  const wanted = stream.isTTY === true ? TERM !== 'dumb' : FORCE_COLOR !== undefined && FORCE_COLOR !== '0';
  return picocolors.createColors(wanted && (NO_COLOR === undefined || NO_COLOR === ''));
}

export const thousands = (count: number): string => Math.round(count).toLocaleString('en-US');

export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${thousands(count)} ${count === 1 ? one : many}`;

/** Bytes with a binary unit: 64 KiB, 1.8 MiB. */
export function bytesText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

export const secondsText = (ms: number): string =>
  ms < 10_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 1000)} s`;

/** A bar of `cells` cells, with a mark before the cell at which `markShare` is reached: `[=======     |   ]`. */
export function bar(share: number, cells: number, markShare?: number): string {
  const markCell = markShare === undefined ? -1 : Math.round(markShare * cells);
  let text = '';
  for (let cell = 0; cell < cells; cell++) {
    if (cell === markCell) text += '|';
    text += share * cells > cell ? '=' : ' ';
  }
  return `[${text}]`;
}

const NO_FRAME = {
  ...{ top: '', 'top-mid': '', 'top-left': '', 'top-right': '', bottom: '', 'bottom-mid': '', 'bottom-left': '' },
  ...{
    'bottom-right': '',
    left: '  ',
    'left-mid': '',
    mid: '',
    'mid-mid': '',
    right: '',
    'right-mid': '',
    middle: '  ',
  },
};

const widthOf = (cell: string): number => Math.max(...cell.split('\n').map((line) => line.length));

/** A table with a ruled head; the columns whose indexes are in `right` are numbers. A cell may have several lines. */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  right: readonly number[] = [],
): string {
  const made = new Table({
    colAligns: head.map((_, i) => (right.includes(i) ? 'right' : 'left')),
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
    chars: NO_FRAME,
  });
  const widths = head.map((name, i) => Math.max(name.length, ...rows.map((row) => widthOf(row[i] ?? ''))));
  for (const row of [head, widths.map((width) => '-'.repeat(width)), ...rows]) made.push([...row]);
  return made
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

export const COLUMNS = 98;

/** Breaks a sentence into lines of at most COLUMNS characters. */
export function wrap(text: string, firstIndent = '', indent = firstIndent): string {
  const lines: string[] = [];
  let line = firstIndent;
  let words = 0;
  for (const word of text.split(' ')) {
    if (words > 0 && line.length + 1 + word.length > COLUMNS) {
      lines.push(line);
      line = indent;
      words = 0;
    }
    line += words === 0 ? word : ` ${word}`;
    words++;
  }
  return [...lines, line].join('\n');
}

const REDRAW_EVERY_MS = 80;
const TELL_EVERY_MS = 3000;

/** Progress on standard error: a block that is redrawn on a terminal, a plain line every three seconds elsewhere. */
export class Progress {
  readonly #stream: WriteStream;
  readonly #redraw: ReturnType<typeof createLogUpdate> | null;
  readonly #quiet: boolean;
  #shownMs: number;

  constructor(quiet: boolean) {
    this.#stream = process.stderr;
    this.#quiet = quiet;
    this.#redraw =
      !quiet && this.#stream.isTTY === true && process.env.TERM !== 'dumb' ? createLogUpdate(this.#stream) : null;
    this.#shownMs = this.#redraw === null ? performance.now() : 0;
  }

  /** @param lines made only when they are shown: the block for a terminal, else one line. */
  show(block: () => readonly string[], line: () => string): void {
    if (this.#quiet) return;
    const nowMs = performance.now();
    if (nowMs - this.#shownMs < (this.#redraw === null ? TELL_EVERY_MS : REDRAW_EVERY_MS)) return;
    this.#shownMs = nowMs;
    if (this.#redraw === null) this.#stream.write(`${line()}\n`);
    else this.#redraw(block().join('\n'));
  }

  /** A line that stays above what is redrawn; also when quiet, for warnings. */
  say(line: string): void {
    this.#redraw?.clear();
    this.#stream.write(`${line}\n`);
  }

  /** Takes the block away. */
  end(): void {
    this.#redraw?.clear();
    this.#redraw?.done();
  }
}
