/** docs/performance.md: the table of rows, the charts, and the commands that made both. */
import { machineLines } from '../machine.ts';
import { figureText, notesOf, type Report } from '../report.ts';
import { type MeasuredRow, shortBy } from '../row.ts';
import type { Drawn } from './catalogue.ts';

/** Rows belong together by the first word of their id; what is not named here is about the way of a record. */
const HEADINGS: Readonly<Record<string, string>> = {
  ingest: 'Durable ingest',
  bytes: 'Bytes',
  growth: 'Growth',
};
const OTHERS = 'Append, pauses, reading, recovery, memory';

const headingOf = ({ id }: MeasuredRow): string => HEADINGS[id.split('-')[0] as string] ?? OTHERS;

const INTRODUCTION = `# Performance

How fast this store is, how little it writes, and how both grow: figures and charts of one run of the benchmark, drawn from its
JSON by a program. No figure on this page is typed in. How each is measured, and what it is held against, is in
[benchmarks.md](benchmarks.md).

To make all of it again, on a machine that does nothing else:

\`\`\`sh
npm run bench && npm run bench:charts
\`\`\`

The first command measures and keeps \`bench/results/latest.json\`; the second draws this page and \`docs/charts\` from that file
and from nothing else. A test draws them again and compares.`;

const PROVISIONAL = `> **Provisional.** The figures below come from \`npm run bench -- --quick\`: few records, two repetitions. They show that all runs and
> are no claim.`;

export function pageText({ report, charts }: { readonly report: Report; readonly charts: readonly Drawn[] }): string {
  const { run, rows, failures } = report;
  const met = rows.filter((row) => row.met).length;
  const notes: string[] = [];
  const parts = [
    INTRODUCTION,
    ...(run.quick ? [PROVISIONAL] : []),
    `## The machine\n\n${machineLines(report.machine)
      .map((text) => `- ${text}`)
      .join('\n')}\n- ${run.repetitions} repetitions of each figure, seed ${run.seed}`,
    `## Rows\n\n${met} of ${rows.length} rows met. A figure is the median of the repetitions, the range is from the lowest to the highest.`,
    ...sections(rows, notes),
    ...(notes.length > 0 ? [notes.map((note, i) => `${i + 1}. ${cell(note)}`).join('\n')] : []),
    ...(failures.length > 0
      ? [`Not measured: ${failures.map(({ group, message }) => `${group} (${cell(message)})`).join('; ')}.`]
      : []),
    '## Charts\n\nMarkers are medians, thin lines the range of the repetitions. Each picture follows the light or dark setting of whoever looks.',
    ...chartSections(charts),
  ];
  return `${parts.join('\n\n')}\n`;
}

function sections(rows: readonly MeasuredRow[], notes: string[]): string[] {
  const headings = [...new Set(rows.map(headingOf))];
  return headings.map((heading) => {
    const lines = rows.filter((row) => headingOf(row) === heading).map((row) => rowLine(row, notes));
    return `### ${heading}\n\n| row | demand | measured | range | |\n|---|---:|---:|---:|---|\n${lines.join('\n')}`;
  });
}

function rowLine(row: MeasuredRow, notes: string[]): string {
  const { title, compare, demand, measured, range, met, unit } = row;
  const mark = notesOf(row)
    .map((note) => ` [${noteNumber(notes, note)}]`)
    .join('');
  const sign = compare === 'at-least' ? '≥' : '≤';
  const verdict = met ? 'met' : `**short** by ${figureText(shortBy(row, measured), 'x')}`;
  const figures = [
    `${sign} ${said(demand, unit, true)}`,
    said(measured, unit),
    range.map((end) => said(end, unit)).join(' to '),
  ];
  return `| ${cell(title)}${mark} | ${figures.join(' | ')} | ${verdict} |`;
}

/** An exponent has no unit; the heading says what it is. @param asDemanded digits as they were written. */
function said(value: number, unit: string, asDemanded = false): string {
  if (unit === 'exponent') return asDemanded ? String(value) : value.toFixed(2);
  if (!asDemanded) return figureText(value, unit);
  const text = value.toLocaleString('en-US');
  return unit === 'x' ? `${text}x` : `${text} ${unit}`;
}

function noteNumber(notes: string[], note: string): number {
  const known = notes.indexOf(note);
  return known >= 0 ? known + 1 : notes.push(note);
}

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll(/\s*\n\s*/g, ' ');

function chartSections(charts: readonly Drawn[]): string[] {
  const headings = [...new Set(charts.map(({ section }) => section))];
  return headings.flatMap((heading) => [
    `### ${heading}`,
    ...charts
      .filter(({ section }) => section === heading)
      .map(({ name, title, reading }) => `![${title}](charts/${name}.svg)\n\n${reading}`),
  ]);
}
