/** The report for a terminal. Colour only repeats what the words say. */
import Table from 'cli-table3';
import type { createColors } from 'picocolors';
import type { Report } from './build.ts';
import type { Status } from './demands.ts';
import { oneSidedLines } from './guards.ts';

type Colors = ReturnType<typeof createColors>;

const SURVIVORS_SHOWN = 20;
const WIDTH = 62;

/** Long texts broken between words, so that a table fits a terminal. */
function wrapped(text: string, width = WIDTH): string {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines[lines.length - 1] as string;
    if (line !== '' && line.length + word.length >= width) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines.join('\n');
}

const shown = (value: number | null): string =>
  value === null ? 'not measured' : value.toLocaleString('en-US', { maximumFractionDigits: 2 });

function tableOf(head: readonly string[], rows: readonly (readonly (string | number)[])[], right: readonly number[]) {
  const table = new Table({
    head: [...head],
    colAligns: head.map((_, i) => (right.includes(i) ? 'right' : 'left')),
    style: { head: [], border: [], compact: true },
  });
  for (const row of rows) table.push([...row]);
  return table.toString();
}

type Section = (report: Report, colors: Colors) => string;

const titled =
  (title: string, ...parts: readonly string[]): Section =>
  (_, { bold }) =>
    [bold(title), ...parts].join('\n');

const modes: Section = (report, colors) =>
  titled(
    'Modes',
    tableOf(
      ['mode', 'steps', 'seconds', 'failures', 'seed', ''],
      report.modes.map(({ mode, steps, seconds, failures, seed, recorded }) => [
        mode,
        steps.toLocaleString('en-US'),
        seconds.toFixed(1),
        failures,
        seed ?? '',
        recorded ? 'recorded' : '',
      ]),
      [1, 2, 3, 4],
    ),
  )(report, colors);

function statusOf(status: Status, { green, red, yellow }: Colors): string {
  if (status === 'met' || status === 'held by a test') return green(status);
  return status === 'short' ? red(status) : yellow(status);
}

const demands: Section = (report, colors) =>
  titled(
    'Demands',
    tableOf(
      ['', 'demand', 'measured', '', 'command'],
      report.demands.map(({ id, demand, measured, status, command }) => [
        id,
        wrapped(demand),
        wrapped(measured, 44),
        statusOf(status, colors),
        command,
      ]),
      [],
    ),
  )(report, colors);

const gates: Section = (report, colors) =>
  titled(
    'Gates',
    tableOf(
      ['measure', 'measured', 'at least', ''],
      report.gates.map(({ measure, measured, least, met }) => [
        measure,
        shown(measured),
        shown(least),
        met ? colors.green('met') : colors.red('SHORT'),
      ]),
      [1, 2],
    ),
  )(report, colors);

const signed = (change: number | null): string =>
  change === null ? '' : `${change >= 0 ? '+' : ''}${change.toFixed(1)} %`;

const baseline: Section = (report, colors) =>
  titled(
    'Against the baseline',
    tableOf(
      ['measure', 'before', 'now', 'change', ''],
      report.baseline.map(({ measure, before, now, change, dropped }) => [
        measure,
        shown(before),
        shown(now),
        signed(change),
        dropped ? colors.red('DROPPED') : '',
      ]),
      [1, 2, 3],
    ),
  )(report, colors);

const cells: Section = ({ totals, ...report }, colors) =>
  titled(
    'Edges of the machine: how often taken, and behind each, by the I/O step of a crash, how many classes were left',
    tableOf(
      ['edge', 'taken', ...totals.ioKinds],
      totals.edges.map(({ edge, count, cells: visited }) => [
        edge,
        shown(count),
        ...totals.ioKinds.map((io) => visited.get(io)?.size ?? ''),
      ]),
      [1, ...totals.ioKinds.map((_, i) => i + 2)],
    ),
    `${totals.cells} cells visited; classes of what was left: ${totals.residues.join('; ')}`,
  )({ totals, ...report }, colors);

const invariants: Section = (report, colors) =>
  titled(
    'Invariants: steps in which the premise held',
    tableOf(
      ['', '', 'witnesses'],
      report.totals.invariants.map(({ id, name, witnesses }) => [id, name, shown(witnesses)]),
      [2],
    ),
  )(report, colors);

const events: Section = (report, colors) =>
  titled(
    'Events',
    tableOf(
      ['event', 'count'],
      report.totals.events.map(([event, count]) => [event, shown(count)]),
      [1],
    ),
  )(report, colors);

const guards: Section = (report, colors) =>
  titled(
    'Guards of the model: how often each let an event pass, and how often it refused one',
    tableOf(
      ['guard', 'let pass', 'refused'],
      report.totals.guards.map(({ name, passed, refused }) => [name, shown(passed), shown(refused)]),
      [1, 2],
    ),
    ...oneSidedLines(report.totals.guards).map((line) => wrapped(line, 118)),
  )(report, colors);

const museum: Section = (report, colors) =>
  titled(
    'Planted bugs',
    tableOf(
      ['', 'caught by', 'steps', 'modes', 'bug'],
      report.totals.exhibits.map(({ id, caughtBy, steps, modes: by, bug }) => [
        id,
        caughtBy ?? colors.red('NOT CAUGHT'),
        steps,
        by.join(', '),
        wrapped(bug),
      ]),
      [2],
    ),
  )(report, colors);

const survivors: Section = ({ lists, ...report }, colors) => {
  const all = lists.survivors;
  const lines = all
    .slice(0, SURVIVORS_SHOWN)
    .map(
      ({ file, line, original, replacement, reason }) =>
        `  ${file}:${line} ${original}  ->  ${replacement}  (${reason})`,
    );
  if (all.length > SURVIVORS_SHOWN) lines.push(`  and ${all.length - SURVIVORS_SHOWN} more: see the JSON or the page`);
  return titled(`Mutants that survive: ${all.length}`, ...lines)({ lists, ...report }, colors);
};

const unreached: Section = (report, colors) =>
  titled(
    `Places of src/core that the kit alone does not reach: ${report.lists.unreached.length}`,
    ...report.lists.unreached.map(
      ({ file, line, code, reason }) => `  ${file}:${line} ${code}  (${reason || colors.red('NOT LISTED')})`,
    ),
  )(report, colors);

const verdict: Section = ({ faults }, { green, red }) =>
  faults.length === 0
    ? green('ok: no failure, every gate met, nothing dropped')
    : [...faults.map((fault) => red(`FAULT  ${fault}`)), `failed: ${faults.length} faults`].join('\n');

const SECTIONS: readonly Section[] = [
  modes,
  cells,
  invariants,
  events,
  guards,
  museum,
  survivors,
  unreached,
  gates,
  baseline,
  demands,
  verdict,
];

export const asText = (report: Report, colors: Colors): string =>
  SECTIONS.map((section) => section(report, colors)).join('\n\n');
