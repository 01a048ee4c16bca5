/** The outcome of a run: the table for people, one JSON object for programs, the same figures in both. */
import { type Paint, table, thousands, wrap } from '../src/cli/screen.ts';
import type { Choice } from './groups.ts';
import { type Machine, machineLines } from './machine.ts';
import { type MeasuredRow, type RowDemand, shortBy } from './row.ts';

/** A group that gave no rows, and why. */
export interface GroupFailure {
  readonly group: string;
  readonly message: string;
}

export interface Report {
  readonly machine: Machine;
  readonly run: {
    readonly startedAt: string;
    readonly seconds: number;
    readonly seed: number;
    readonly quick: boolean;
    readonly repetitions: number;
  };
  readonly rows: readonly MeasuredRow[];
  readonly failures: readonly GroupFailure[];
}

/** A row that is short is a result; with `gate`, it is a failure as a group that gave no rows is one. */
export const exitCodeOf = ({ rows, failures }: Report, gate: boolean): 0 | 1 =>
  failures.length > 0 || (gate && rows.some(({ met }) => !met)) ? 1 : 0;

function inUnit(figure: string, unit: string): string {
  return unit === 'x' ? `${figure}x` : `${figure} ${unit}`;
}

/** Three digits tell figures apart; a hundred and more are whole. */
export function figureText(value: number, unit: string): string {
  const size = Math.abs(value);
  return inUnit(size >= 100 ? thousands(value) : value.toPrecision(size >= 1 ? 3 : 2), unit);
}

/** A demand is shown as it was written. */
const demandText = ({ compare, demand, unit }: RowDemand): string =>
  `${compare === 'at-least' ? '>=' : '<='} ${inUnit(demand >= 1_000 ? thousands(demand) : String(demand), unit)}`;

const HEAD = ['row', 'demand', 'measured', 'range', ''];

/** One line a row; rows whose group failed are shown as not measured. */
export function tableText(choices: readonly Choice[], rows: readonly MeasuredRow[], paint: Paint): string {
  const measured = new Map(rows.map((row) => [row.id, row]));
  const notes: string[] = [];
  const lines = choices.flatMap((choice) =>
    choice.rows.map((demand) => {
      const row = measured.get(demand.id);
      if (row === undefined) return [demand.title, demandText(demand), '', '', 'not measured'];
      const { unit, range } = row;
      const mark = notesOf(row)
        .map((note) => ` [${noteNumber(notes, note)}]`)
        .join('');
      return [
        `${row.title}${mark}`,
        demandText(row),
        figureText(row.measured, unit),
        `${figureText(range[0], unit)} to ${figureText(range[1], unit)}`,
        row.met ? 'met' : `short by ${figureText(shortBy(row, row.measured), 'x')}`,
      ];
    }),
  );
  const text = table(HEAD, lines, [1, 2, 3])
    .replaceAll(/ met$/gm, ` ${paint.green('met')}`)
    .replaceAll(/ (short by \S+)$/gm, (_, text: string) => ` ${paint.yellow(text)}`)
    .replaceAll(/ not measured$/gm, ` ${paint.red('not measured')}`);
  return [text, ...(notes.length > 0 ? [''] : []), ...notes.map((note, i) => wrap(note, `[${i + 1}] `, '    '))].join(
    '\n',
  );
}

/** What there is to measure, for `--list`. */
export const demandTable = (choices: readonly Choice[]): string =>
  table(
    ['group', 'id', 'demand', 'row'],
    choices.flatMap(({ group, rows }) => rows.map((row) => [group.name, row.id, demandText(row), row.title])),
    [2],
  );

/** How a row was measured, and where it is short, what stands in its way. */
export const notesOf = ({ note, limit }: MeasuredRow): string[] => [note, limit].filter((text) => text !== undefined);

/** Rows of one group share their note: it is said once. */
function noteNumber(notes: string[], note: string): number {
  const known = notes.indexOf(note);
  return known >= 0 ? known + 1 : notes.push(note);
}

export function reportText(choices: readonly Choice[], report: Report, paint: Paint): string {
  const { run, rows, failures } = report;
  const met = rows.filter((row) => row.met).length;
  const kind = run.quick
    ? 'quick: shows that all runs, its figures are no claim'
    : `medians of ${run.repetitions} repetitions`;
  return [
    '',
    tableText(choices, rows, paint),
    '',
    `${met} of ${rows.length} rows met, ${rows.length - met} short; ${kind}; seed ${run.seed}; ${Math.round(run.seconds)} s`,
    ...machineLines(report.machine),
    ...failures.map(({ group, message }) => `${paint.red('failed')} ${group}: ${message}`),
  ].join('\n');
}
