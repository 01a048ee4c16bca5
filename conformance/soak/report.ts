/** What a soak says at its end: the gates as a table, the figures behind them, the picture; or one JSON object. */
import Table from 'cli-table3';
import colours from 'picocolors';
import type { Gate } from './gates.ts';
import { pictureOf } from './picture.ts';
import type { SoakResult } from './run.ts';

const NO_FRAME = {
  ...{ top: '', 'top-mid': '', 'top-left': '', 'top-right': '', bottom: '', 'bottom-mid': '', 'bottom-left': '' },
  ...{ 'bottom-right': '', left: '  ', 'left-mid': '', mid: '', 'mid-mid': '', right: '', 'right-mid': '' },
  middle: '  ',
};

export const thousands = (count: number): string => count.toLocaleString('en-US', { maximumFractionDigits: 2 });

export function bytesText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log2(Math.max(1, bytes)) / 10)));
  return `${thousands(Number((bytes / 1024 ** power).toFixed(1)))} ${units[power]}`;
}

export type Paint = ReturnType<typeof colours.createColors>;

/** Colour where there is a terminal that shows it and nobody has asked for none. */
export const paintFor = (stream: { readonly isTTY?: boolean }): Paint =>
  colours.createColors(colours.isColorSupported && stream.isTTY === true);

/** Columns aligned, the head ruled; the columns in `right` hold numbers. */
export function tableText(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  right: readonly number[],
): string {
  const table = new Table({
    colAligns: head.map((_, i) => (right.includes(i) ? 'right' : 'left')),
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
    chars: NO_FRAME,
  });
  const widths = head.map((name, i) => Math.max(name.length, ...rows.map((row) => row[i]?.length ?? 0)));
  for (const row of [head, widths.map((width) => '-'.repeat(width)), ...rows]) table.push([...row]);
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

const COLUMNS = 100;
const NAME_CELLS = 24;

const SIGN: Readonly<Record<Gate['must'], string>> = {
  be: '=',
  'stay below': '<',
  'be at most': '<=',
  'be at least': '>=',
  'be above': '>',
};

function figure(value: number | null, unit: string): string {
  if (value === null) return 'none';
  if (unit === 'bytes') return bytesText(value);
  // A share of almost nothing is not nothing.
  const text = value > 0 && value < 0.01 ? `${value}` : thousands(value);
  return unit === '%' ? `${text} %` : text;
}

export function gatesText(gates: readonly Gate[], paint: Paint): string {
  const rows = gates.map(({ id, what, must, limit, measured, unit, met }) => [
    id,
    what,
    `${SIGN[must]} ${figure(limit, unit)}`,
    figure(measured, unit),
    met ? 'yes' : 'NO',
  ]);
  const text = tableText(['gate', 'what is measured', 'limit', 'measured', 'met'], rows, [2, 3]);
  return text
    .split('\n')
    .map((line) => (line.endsWith(' NO') ? paint.red(line) : line))
    .join('\n');
}

const kernelText = ({ kernelBytes }: SoakResult): string =>
  kernelBytes === null ? '' : `; the kernel counts ${bytesText(kernelBytes)}`;

function figureLines(result: SoakResult): string[] {
  const { account, device, hours, atRiskMax, wear, seconds } = result;
  const { appended, refused, delivered, acknowledged, lostInRam, redelivered, ledgered } = account;
  const rows: [string, string][] = [
    ['records appended', `${thousands(appended)}, ${thousands(refused)} refused because RAM was full`],
    ['delivered and verified', `${thousands(delivered)}, ${thousands(acknowledged)} acknowledged`],
    ['delivered again', `${thousands(redelivered)}, acknowledged and not durably so when a crash came`],
    ['in RAM at a crash', `${thousands(lostInRam)}, what the contract lets a crash take`],
    ['in the loss ledger', `${thousands(ledgered)}, evicted from a full disk or decayed on it`],
    ['most at risk', `${thousands(atRiskMax)} records in RAM at one moment`],
    [
      'hours',
      `${thousands(hours.online)} online, ${thousands(hours.offline)} offline, ${thousands(hours.quiet)} of them left alone, with ${result.quietFlushes} of the flushes`,
    ],
    [
      'flushes',
      `${device.flushesOnline} online, ${device.flushesOffline} offline, ${device.flushesAsked} asked for by the run, ${device.flushFailures} failed`,
    ],
    [
      'crashes',
      `${device.crashes}, ${device.recoveriesCutOff} recoveries cut off as well, ${thousands(device.salvaged)} records salvaged`,
    ],
    [
      'written',
      `${bytesText(wear.bytesWritten)} in ${thousands(wear.syncs)} syncs; ${bytesText(wear.deviceBytes)} with pages and journal${kernelText(result)}`,
    ],
    [
      'time',
      `${seconds.toFixed(0)} s, ${thousands(Math.round((appended + delivered + acknowledged) / seconds))} operations a second`,
    ],
  ];
  return rows.map(([name, text]) => `  ${name.padEnd(NAME_CELLS)}${text}`);
}

function wearText({ wear }: SoakResult): string {
  const rows = wear.baselines.map(({ name, bytes, less }) => [name, bytesText(bytes), `${less.toFixed(1)} %`]);
  return tableText(['the same records otherwise (calculated)', 'written', 'this store less'], rows, [1, 2]);
}

/** A list after its name, broken between items. */
function listLines(name: string, items: readonly string[]): string[] {
  const lines: string[] = [];
  let line = `  ${name.padEnd(NAME_CELLS)}`;
  for (const [i, item] of items.entries()) {
    const text = `${item}${i === items.length - 1 ? '' : ', '}`;
    if (line.length + text.trimEnd().length > COLUMNS) {
      lines.push(line.trimEnd());
      line = `  ${' '.repeat(NAME_CELLS)}`;
    }
    line += text;
  }
  return [...lines, line];
}

export function reportText(result: SoakResult, paint: Paint): string {
  const { gates, findings, timeline, hash, days, seed, incidents } = result;
  const missed = gates.filter(({ met }) => !met).map(({ id }) => id);
  const happened = Object.entries(incidents).sort(([a], [b]) => a.localeCompare(b));
  const verdict =
    missed.length === 0
      ? paint.green(`VERDICT ok: all ${gates.length} gates are met.`)
      : paint.red(`VERDICT failed: ${missed.join(', ')}.`);
  const tint = (mark: string, text: string): string =>
    mark === 'crash' ? paint.red(text) : mark === 'offline' ? paint.dim(text) : paint.yellow(text);
  return [
    pictureOf(timeline, tint, bytesText),
    '',
    ...figureLines(result),
    ...listLines(
      'happened',
      happened.map(([kind, count]) => `${count} ${kind}`),
    ),
    '',
    wearText(result),
    '',
    gatesText(gates, paint),
    '',
    ...findings.told.map(({ kind, message }) => paint.red(`  ${kind}: ${message}`)),
    `${verdict} ${thousands(days)} days, seed ${seed}${hash === null ? '' : `, hash ${hash}`}`,
  ].join('\n');
}

/** The machine-readable form; the first fields are those that a caller may rely on. */
export function reportJson(result: SoakResult): string {
  const { days, seed, hash, seconds, account, device, gates, findings, wear, hours, incidents, atRiskMax } = result;
  return JSON.stringify({
    days,
    records: account.appended,
    crashes: device.crashes,
    corruption: findings.count('corruption'),
    lossOutsideLedger: findings.count('loss'),
    gates: gates.map(({ id, limit, measured, met }) => ({ id, limit, measured, met })),
    ...{ seed, hash, seconds: Number(seconds.toFixed(1)), account, device, hours, atRiskMax, wear, incidents },
    findings: findings.told,
    kernelBytes: result.kernelBytes,
  });
}
