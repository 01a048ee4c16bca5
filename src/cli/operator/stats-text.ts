/** The table of `imatrix-mm stats`. */
import type { Counted } from '../../operator/figures.ts';
import { bytesText, plural, table, thousands } from '../screen.ts';
import { besideText } from './common.ts';
import type { StatsReport } from './stats-report.ts';

const COLUMNS: readonly Counted[] = ['retained', 'unread', 'pending', 'ram', 'disk', 'evicted', 'damaged', 'discarded'];
const HEAD = ['source', 'sensor', 'kind', ...COLUMNS.map((name) => (name === 'ram' ? 'RAM' : name))];
const RIGHT = HEAD.map((_, i) => i).filter((i) => i === 1 || i > 2);
/** Lines around the table's rows. */
const FRAME_ROWS = 8;

/** @param rowsMax of the terminal that it must fit, for what is rewritten there; left out: everything. */
export function statsText(report: StatsReport, totalOnly: boolean, rowsMax?: number): string {
  const numbers = (of: Readonly<Record<Counted, number>>): string[] =>
    COLUMNS.map((name) => (name === 'ram' && !report.ramVisible ? '?' : thousands(of[name])));
  const sensors = totalOnly ? [] : report.streams;
  const room = rowsMax === undefined ? sensors.length : Math.max(0, rowsMax - FRAME_ROWS - report.sources.length);
  const rows = sensors
    .slice(0, room)
    .map((stream) => [stream.source, `${stream.sensor}`, stream.kind, ...numbers(stream)]);
  const left = sensors.length - rows.length;
  if (left > 0) rows.push(['...', '', `${thousands(left)} more`, ...COLUMNS.map(() => '')]);
  for (const source of report.sources) {
    if (source.streams > 0) rows.push([source.source, 'all', plural(source.streams, 'sensor'), ...numbers(source)]);
  }
  rows.push(['all', 'all', plural(report.streams.length, 'sensor'), ...numbers(report.totals)]);
  return [heading(report), '', table(HEAD, rows, RIGHT), '', ...notes(report)].join('\n');
}

const heading = ({ directory, storeId, from, takenMs }: StatsReport): string =>
  `${directory}  store ${storeId}  ${from === 'live' ? 'live' : 'from disk'}  ${new Date(takenMs).toISOString()}`;

function notes({ live, diskBytes, holder, ramVisible, whyNotLive, foldedRecords }: StatsReport): string[] {
  const lines: string[] = [];
  if (live === null) lines.push(`${bytesText(diskBytes)} on disk`);
  else {
    const { poolUsedSectors, poolSectors, ramUsagePercent, quotaBytes, atRisk, flushes, refusedRamFull } = live;
    lines.push(
      `RAM ${ramUsagePercent.toFixed(1)} % (${thousands(poolUsedSectors)} of ${thousands(poolSectors)} sectors), ` +
        `disk ${bytesText(diskBytes)} of ${bytesText(quotaBytes)}, ${plural(flushes, 'flush', 'flushes')} since it was opened`,
      `a power cut now would take ${plural(atRisk, 'record')}; ${plural(refusedRamFull, 'record')} refused because RAM was full`,
    );
  }
  if (foldedRecords !== null && foldedRecords > 0)
    lines.push(`${plural(foldedRecords, 'lost record')} that the ledger no longer lists one by one`);
  if (holder !== null && !ramVisible) lines.push(besideText(holder, whyNotLive ?? undefined));
  else if (holder !== null) lines.push(`open by ${holder}`);
  return lines;
}
