/** The report a person reads: a table of recordings, one of cuts, what the flash took, the verdict. */
import { bytesText, type Paint, plural, secondsText, table, thousands } from '../screen.ts';
import type { CutReport } from './account.ts';
import type { ReplayResult } from './result.ts';
import { reasonText } from './result.ts';

export interface ReportOptions {
  readonly paint: Paint;
  readonly keep: boolean;
  /** Longest list of cuts; more are summed up. */
  readonly cutsMax: number;
}

export function reportText(result: ReplayResult, { paint, keep, cutsMax }: ReportOptions): string {
  return [
    recordingsTable(result, keep),
    ...notes(result),
    ...(result.powerCuts.length === 0 ? [] : ['', cutsTable(result.powerCuts, cutsMax)]),
    '',
    flashLine(result),
    '',
    ...verdictLines(result, paint),
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
  const head = ['recording', 'format', 'records in', 'streams', keep ? 'compared' : 'drained', 'in RAM at cuts'];
  return table([...head, 'evicted', 'differing'], rows, [2, 3, 4, 5, 6, 7]);
}

const NAME_MAX = 34;
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
    if (parts.length > 0) lines.push(`  ${shorten(file)}: ${parts.join('; ')}`);
  }
  if (total.evicted > 0) {
    lines.push(
      `  ${thousands(total.evicted)} records were evicted under the quota, oldest first; raise --quota to keep them`,
    );
  }
  return lines.length > 0 ? ['', ...lines] : [];
}

function cutsTable(cuts: readonly CutReport[], max: number): string {
  const head = ['cut', 'killed while', 'at record', 'appended', 'synced', 'survived', 'in RAM', 'salvaged', 'again'];
  const rows = cuts
    .slice(0, max)
    .map((cut) => [
      `${cut.cut}`,
      cut.during,
      ...[
        cut.atSample,
        cut.appended,
        cut.synced,
        cut.survived,
        cut.inRam,
        cut.survived - cut.synced,
        cut.redelivered,
      ].map(thousands),
    ]);
  const more = cuts.length > max ? `\n  and ${cuts.length - max} more, all of them in --json` : '';
  return `${table(head, rows, [2, 3, 4, 5, 6, 7, 8])}${more}`;
}

function flashLine({ flushes, segments, bytesWritten, syncs, input, inRamAtCuts, seconds }: ReplayResult): string {
  const each = bytesWritten / Math.max(1, input - inRamAtCuts);
  return (
    `  flash: ${plural(flushes, 'flush', 'flushes')}, ${plural(segments, 'segment')}, ${bytesText(bytesWritten)} written ` +
    `(${each.toFixed(1)} bytes a record), ${plural(syncs, 'sync')}; ${secondsText(seconds * 1000)} in all`
  );
}

function verdictLines(result: ReplayResult, paint: Paint): string[] {
  const { verdict, powerCuts, inRamAtCuts, duplicates, refused, findings, differences } = result;
  if (verdict === 'ok') {
    const cut =
      powerCuts.length === 0
        ? ''
        : `, ${thousands(inRamAtCuts)} were in RAM at one of ${plural(powerCuts.length, 'cut')}; 0 synced records lost, ` +
          `0 altered, ${thousands(duplicates)} delivered again as the contract allows, 0 beyond it`;
    const evicted = result.evicted === 0 ? '' : `, ${thousands(result.evicted)} evicted and in the ledger`;
    return [
      paint.green(
        `VERDICT ok: of ${plural(result.input, 'record')} ${thousands(result.drained)} came back bit for bit${evicted}${cut}.`,
      ),
    ];
  }
  if (verdict === 'incomplete') {
    return [
      paint.red(
        `VERDICT incomplete: ${plural(refused, 'record')} were not stored, because ${findings.join('; ')}. ` +
          `${plural(result.drained, 'record')} came back bit for bit.`,
      ),
    ];
  }
  return [
    ...differences.map(
      ({ file, line, stream, expected, found }) => `  ${file}:${line} ${stream}: expected ${expected}, found ${found}`,
    ),
    paint.red(`VERDICT failed: ${findings.join('; ')}.`),
  ];
}
