/**
 * The report as one HTML page: no network, no script, light and dark as the reader's system is. Every mark of colour has
 * its word beside it, and every table its headers.
 */
import type { Report } from './build.ts';
import { oneSidedLines } from './guards.ts';
import { escaped } from './markup.ts';

const STYLE = `
:root { color-scheme: light dark; --back: #fdfdfc; --text: #1d2327; --soft: #5b646b; --line: #d5d9dc; --good: #1a6b3c; --bad: #a3201d; --open: #7a5200; --fill: 28, 107, 160; }
@media (prefers-color-scheme: dark) { :root { --back: #15191c; --text: #e4e8ea; --soft: #9aa5ac; --line: #343c42; --good: #6fcf97; --bad: #ff8d86; --open: #e2b45c; --fill: 86, 170, 226; } }
body { margin: 0 auto; max-width: 78rem; padding: 1.5rem; background: var(--back); color: var(--text); font: 1rem/1.45 system-ui, sans-serif; }
h1 { font-size: 1.6rem; margin: 0 0 0.25rem; } h2 { font-size: 1.2rem; margin: 2.2rem 0 0.5rem; }
nav ul { display: flex; flex-wrap: wrap; gap: 0.25rem 1rem; list-style: none; padding: 0; }
a { color: inherit; } code { font-family: ui-monospace, monospace; font-size: 0.9em; }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-size: 0.9rem; }
caption { text-align: left; color: var(--soft); padding: 0 0 0.4rem; }
th, td { border: 1px solid var(--line); padding: 0.25rem 0.5rem; text-align: left; vertical-align: top; }
td.n { text-align: right; font-variant-numeric: tabular-nums; }
.good { color: var(--good); } .bad { color: var(--bad); font-weight: 600; } .open { color: var(--open); }
`;

interface Cell {
  readonly text: string | number;
  readonly number?: boolean;
  readonly code?: boolean;
  readonly mark?: 'good' | 'bad' | 'open';
  /** 0 to 1: how strongly the cell is filled, beside the number that says it. */
  readonly fill?: number;
}

const n = (value: number | null): Cell => ({
  text: value === null ? 'not measured' : value.toLocaleString('en-US', { maximumFractionDigits: 2 }),
  number: true,
});
const t = (text: string): Cell => ({ text });
const code = (text: string): Cell => ({ text, code: true });

function cellOf({ text, number, code: isCode, mark, fill }: Cell): string {
  const classes = [number === true ? 'n' : '', mark ?? ''].filter((name) => name !== '').join(' ');
  const style = fill === undefined ? '' : ` style="background: rgba(var(--fill), ${(0.05 + 0.4 * fill).toFixed(2)})"`;
  const inner = isCode === true ? `<code>${escaped(text)}</code>` : escaped(text);
  return `<td${classes === '' ? '' : ` class="${classes}"`}${style}>${inner}</td>`;
}

/** The first column names the row. */
function table(caption: string, head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const header = head.map((name) => `<th scope="col">${escaped(name)}</th>`).join('');
  const body = rows.map(([first, ...rest]) => {
    const name = first === undefined ? '' : escaped(first.text);
    return `<tr><th scope="row">${name}</th>${rest.map(cellOf).join('')}</tr>`;
  });
  return `<div class="wide" tabindex="0" role="region" aria-label="${escaped(caption)}"><table><caption>${escaped(caption)}</caption><thead><tr>${header}</tr></thead><tbody>${body.join('\n')}</tbody></table></div>`;
}

const MARKS = { met: 'good', 'held by a test': 'good', short: 'bad', 'not measured': 'open' } as const;

function cellsTable({ totals }: Report): string {
  const { edges, ioKinds, residues } = totals;
  const rows = edges.map(({ edge, count, cells }): Cell[] => [
    t(edge),
    n(count),
    ...ioKinds.map((io): Cell => {
      const visited = cells.get(io);
      if (visited === undefined) return { text: '', number: true };
      const crashes = [...visited.values()].reduce((sum, each) => sum + each, 0);
      return {
        text: `${visited.size} of ${residues.length} (${crashes.toLocaleString('en-US')})`,
        number: true,
        fill: visited.size / Math.max(1, residues.length),
      };
    }),
  ]);
  const caption = `Classes of what a crash left, of ${residues.length}, and crashes, by the edge before the crash and the I/O step at which it came. Classes: ${residues.join('; ')}`;
  return table(caption, ['edge', 'taken', ...ioKinds], rows);
}

function sectionsOf(report: Report): readonly (readonly [id: string, title: string, body: string])[] {
  const { modes, demands, gates, baseline, totals, lists } = report;
  return [
    [
      'demands',
      'Demands',
      table(
        'What was asked of the kit, and what was measured of it',
        ['', 'about', 'demand', 'measured', 'status', 'command'],
        demands.map((row) => [
          t(row.id),
          t(row.about),
          t(row.demand),
          t(row.measured),
          { text: row.status, mark: MARKS[row.status] },
          code(row.command),
        ]),
      ),
    ],
    [
      'modes',
      'Modes',
      table(
        'What was run',
        ['mode', 'steps', 'seconds', 'failures', 'seed', 'trace hash', 'command'],
        modes.map((row) => [
          t(row.recorded ? `${row.mode} (recorded)` : row.mode),
          n(row.steps),
          { text: row.seconds.toFixed(1), number: true },
          { text: row.failures, number: true, mark: row.failures === 0 ? 'good' : 'bad' },
          { text: row.seed ?? 'none', number: true },
          code(row.traceHash?.slice(0, 16) ?? ''),
          code(row.command),
        ]),
      ),
    ],
    [
      'gates',
      'Gates and baseline',
      table(
        'The least that a run must show (coverage/thresholds.ts)',
        ['measure', 'measured', 'at least', 'status'],
        gates.map(({ measure, measured, least, met }) => [
          t(measure),
          n(measured),
          n(least),
          { text: met ? 'met' : 'SHORT', mark: met ? 'good' : 'bad' },
        ]),
      ) +
        table(
          'Against an earlier run (coverage/baseline.json)',
          ['measure', 'before', 'now', 'status'],
          baseline.map(({ measure, before, now, dropped, change }) => [
            t(measure),
            n(before),
            n(now),
            dropped
              ? { text: `DROPPED by ${Math.abs(change ?? 0).toFixed(1)} %`, mark: 'bad' }
              : { text: change === null ? 'not compared' : 'kept', mark: change === null ? 'open' : 'good' },
          ]),
        ),
    ],
    ['cells', 'Edges, I/O steps, residues', cellsTable(report)],
    [
      'invariants',
      'Invariants and events',
      table(
        'Steps in which the premise of an invariant held',
        ['invariant', 'name', 'witnesses'],
        totals.invariants.map(({ id, name, witnesses }) => [t(id), t(name), n(witnesses)]),
      ) +
        table(
          'How often each event of the machine happened',
          ['event', 'count'],
          totals.events.map(([event, count]) => [t(event), n(count)]),
        ),
    ],
    [
      'guards',
      'Guards of the model',
      table(
        'How often each guard let an event pass, and how often it refused one',
        ['guard', 'let pass', 'refused'],
        totals.guards.map(({ name, passed, refused }) => [t(name), n(passed), n(refused)]),
      ) +
        oneSidedLines(totals.guards)
          .map((line) => `<p>${escaped(line)}</p>`)
          .join(''),
    ],
    [
      'museum',
      'Planted bugs',
      table(
        'Each bug planted in a copy of the engine, and what caught it',
        ['bug', 'what is wrong', 'caught by', 'shortest trace, steps', 'modes'],
        totals.exhibits.map(({ id, bug, caughtBy, steps, modes: by }) => [
          t(id),
          t(bug),
          caughtBy === null ? { text: 'NOT CAUGHT', mark: 'bad' } : t(caughtBy),
          n(steps),
          t(by.join(', ')),
        ]),
      ),
    ],
    [
      'survivors',
      'Mutants that survive',
      table(
        `${lists.survivors.length} changes of the engine that the kit does not notice`,
        ['place', 'code', 'changed to', 'why'],
        lists.survivors.map(({ file, line, original, replacement, reason }) => [
          t(`${file}:${line}`),
          code(original),
          code(replacement),
          reason === '' ? { text: 'NO REASON GIVEN', mark: 'bad' } : t(reason),
        ]),
      ),
    ],
    [
      'unreached',
      'Code that is not reached',
      table(
        `${lists.unreached.length} places of src/core that the kit alone does not reach`,
        ['place', 'code', 'why'],
        lists.unreached.map(({ file, line, code: text, reason }) => [
          t(`${file}:${line}`),
          code(text),
          reason === '' ? { text: 'NOT LISTED', mark: 'bad' } : t(reason),
        ]),
      ),
    ],
  ];
}

export function asHtml(report: Report): string {
  const sections = sectionsOf(report);
  const { faults } = report;
  const verdict =
    faults.length === 0
      ? '<p class="good">ok: no failure, every gate met, nothing dropped</p>'
      : `<p class="bad">failed: ${faults.length} faults</p><ul>${faults.map((fault) => `<li>${escaped(fault)}</li>`).join('')}</ul>`;
  const links = sections.map(([id, title]) => `<li><a href="#${id}">${escaped(title)}</a></li>`).join('');
  const bodies = sections.map(
    ([id, title, body]) => `<section id="${id}"><h2>${escaped(title)}</h2>\n${body}\n</section>`,
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Conformance: the evidence</title>
<style>${STYLE}</style>
</head>
<body>
<header><h1>Conformance: the evidence</h1>
${verdict}
<nav aria-label="Sections"><ul>${links}</ul></nav></header>
<main>
${bodies.join('\n')}
</main>
</body>
</html>
`;
}
