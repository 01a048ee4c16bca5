/** The report a person reads: a table of recordings, one of cuts, what the flash took, the verdict. */
import { bar, bytesText, type Paint, plural, secondsText, table, thousands, wrap } from '../screen.ts';
import type { CutReport } from './account.ts';
import type { ReplayResult } from './result.ts';
import { reasonText } from './result.ts';

export interface ReportOptions {
  readonly paint: Paint;
  readonly keep: boolean;
  /** Size of the RAM pool. */
  readonly poolText: string;
  /** Longest list of cuts; more are summed up. */
  readonly cutsMax: number;
}

const GAUGE_CELLS = 30;

export function reportText(result: ReplayResult, options: ReportOptions): string {
  const { paint, keep, cutsMax } = options;
  return [
    recordingsTable(result, keep),
    ...notes(result),
    ...(result.powerCuts.length === 0 ? [] : ['', cutsTable(result.powerCuts, cutsMax)]),
    '',
    ...flashLines(result, options.poolText),
    '',
    ...verdictLines(result, paint, keep),
  ].join('\n');
}

function recordingsTable({ recordings, ...total }: ReplayResult, keep: boolean): string {
  const numbers = (of: {
    readonly drained: number;
    readonly inRamAtCuts: number;
    readonly evicted: number;
    readonly refused: number;
    readonly differing: number;
  }): string[] => [of.drained, of.inRamAtCuts, of.evicted + of.refused, of.differing].map(thousands);
  const lost = total.refused > 0 ? 'not stored' : 'evicted';
  const rows = recordings.map((each) => [
    shorten(each.file),
    each.format,
    thousands(each.records),
    thousands(each.streams),
    ...numbers(each),
  ]);
  if (recordings.length > 1) {
    const differing = recordings.reduce((sum, each) => sum + each.differing, 0);
    rows.push(['all', '', thousands(total.input), thousands(total.streams), ...numbers({ ...total, differing })]);
  }
  const head = ['recording', 'form', 'records', 'streams', keep ? 'compared' : 'drained', 'in RAM at cuts'];
  return table([...head, lost, 'differing'], rows, [2, 3, 4, 5, 6, 7]);
}

const NAME_MAX = 24;
const shorten = (name: string): string => {
  const base = name.split('/').at(-1) ?? name;
  return base.length > NAME_MAX ? `${base.slice(0, NAME_MAX - 3)}...` : base;
};

function notes({ recordings, ...total }: ReplayResult): string[] {
  const lines: string[] = [];
  for (const { file, skipped, passedOver, rounded, leftOutColumns } of recordings) {
    const list = (counts: Readonly<Record<string, number>>): string =>
      Object.entries(counts)
        .map(([reason, count]) => `${thousands(count)} ${reasonText(reason)}`)
        .join(', ');
    const parts = [
      Object.keys(skipped).length > 0 ? `skipped: ${list(skipped)}` : '',
      Object.keys(passedOver).length > 0 ? `nothing to store: ${list(passedOver)}` : '',
      leftOutColumns.length > 0 ? `columns left out: ${leftOutColumns.join(', ')}` : '',
      rounded > 0 ? `${plural(rounded, 'value')} rounded to float32` : '',
    ].filter((part) => part !== '');
    if (parts.length > 0) lines.push(wrap(`${shorten(file)}: ${parts.join('; ')}`, '  ', '    '));
  }
  if (total.evicted > 0) {
    lines.push(
      `  ${thousands(total.evicted)} records were evicted under the quota, oldest first; raise --quota to keep them`,
    );
  }
  return lines;
}

function cutsTable(cuts: readonly CutReport[], max: number): string {
  const head = ['cut', 'killed while', 'at record', 'appended', 'synced', 'survived', 'in RAM', 'unpromised', 'again'];
  const rows = cuts
    .slice(0, max)
    .map((cut) => [
      `${cut.cut}`,
      cut.during,
      ...[cut.atSample, cut.appended, cut.synced, cut.survived, cut.inRam, cut.unpromised, cut.redelivered].map(
        thousands,
      ),
    ]);
  const more = cuts.length > max ? `\n  and ${cuts.length - max} more, all of them in --json` : '';
  return `${table(head, rows, [2, 3, 4, 5, 6, 7, 8])}${more}`;
}

function flashLines({ ramPeakPercent, ...result }: ReplayResult, poolText: string): string[] {
  const { flushes, segments, bytesWritten, syncs, appended, seconds } = result;
  const each = bytesWritten / Math.max(1, appended);
  return [
    `  RAM   ${bar(ramPeakPercent / 100, GAUGE_CELLS, 0.8)} ${ramPeakPercent} % of ${poolText} at most; a flush is asked for at 80 %`,
    `  flash ${plural(flushes, 'flush', 'flushes')}, ${plural(segments, 'segment')}, ${plural(syncs, 'sync')}, ` +
      `${bytesText(bytesWritten)} written (${each.toFixed(1)} bytes a record); ${secondsText(seconds * 1000)} in all`,
  ];
}

function verdictText(result: ReplayResult, keep: boolean): string {
  const { verdict, powerCuts, inRamAtCuts, duplicates, refused, evicted, findings } = result;
  const came = `${thousands(result.drained)} came back bit for bit${keep ? ' and stay in the store' : ''}`;
  if (verdict === 'failed') return `VERDICT failed: ${findings.join('; ')}.`;
  if (verdict === 'incomplete') {
    return `VERDICT incomplete: ${plural(refused, 'record')} were not stored, because ${findings.join('; ')}. ${came}.`;
  }
  const parts = [
    came,
    ...(evicted === 0 ? [] : [`${thousands(evicted)} were evicted under the quota and are in the ledger`]),
    ...(powerCuts.length === 0
      ? []
      : [`${thousands(inRamAtCuts)} were in RAM at one of ${plural(powerCuts.length, 'cut')}`]),
  ];
  const cuts =
    powerCuts.length === 0
      ? ''
      : ` 0 synced records lost, 0 altered, ${thousands(duplicates)} delivered again as the contract allows, 0 beyond it.`;
  return `VERDICT ok: every one of ${plural(result.input, 'record')} is accounted for. ${parts.join(', ')}.${cuts}`;
}

function verdictLines(result: ReplayResult, paint: Paint, keep: boolean): string[] {
  const lines = result.differences.map(({ file, line, stream, expected, found }) =>
    wrap(`${file}:${line} ${stream}: expected ${expected}, found ${found}`, '  ', '    '),
  );
  const colour = result.verdict === 'ok' ? paint.green : paint.red;
  return [...lines, ...wrap(verdictText(result, keep)).split('\n').map(colour)];
}
