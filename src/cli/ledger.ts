/** `imatrix-mm ledger`: which records a store has lost, and why. Nothing is touched. */
import { Command } from 'commander';
import type { LossEntry } from '../index.ts';
import type { Look } from '../operator/read-only-store.ts';
import { mustLook, withPlace } from '../operator/read-only-store.ts';
import type { StreamName } from './operator/common.ts';
import { besideText, DEFAULT_DIRECTORY, DIRECTORY_HELP, streamName } from './operator/common.ts';
import { plural, table, thousands } from './screen.ts';

interface Entry extends LossEntry {
  /** False: found damaged now, and entered by the next opening. */
  readonly entered: boolean;
}

interface LedgerReport {
  readonly directory: string;
  readonly holder: string | null;
  readonly entries: readonly Entry[];
  readonly totals: Readonly<Record<LossEntry['reason'], number>>;
  readonly foldedRecords: number;
}

export const ledgerCommand = (): Command =>
  new Command('ledger')
    .summary('which records a store has lost, and why')
    .description('The loss ledger of a store. Safe beside the program that has it open: nothing is written.')
    .argument('[directory]', DIRECTORY_HELP, DEFAULT_DIRECTORY)
    .option('--stream <source/sensor>', 'of this stream only; may be given again', streamName)
    .option('--json', 'one JSON object instead of the table', false)
    .action(
      (directory: string, { json, stream }: { readonly json: boolean; readonly stream?: readonly StreamName[] }) =>
        withPlace(directory, async (place) => {
          const holder = await place.holder();
          const report = reportOf(directory, holder, await mustLook(place), stream);
          process.stdout.write(`${json ? JSON.stringify(report) : ledgerText(report)}\n`);
        }),
    );

function reportOf(
  directory: string,
  holder: string | null,
  { ledger, losses }: Look,
  streams: readonly StreamName[] | undefined,
): LedgerReport {
  const isNew = (entry: LossEntry): boolean =>
    entry.reason === 'damaged' &&
    losses.some(
      ({ key, from, to }) =>
        key.source === entry.source && key.sensor === entry.sensor && from <= entry.from && entry.to <= to,
    );
  const entries = ledger.entries
    .filter(({ source, sensor }) => streams?.some((each) => each.source === source && each.sensor === sensor) ?? true)
    .map((entry) => ({ ...entry, entered: !isNew(entry) }));
  const total = (reason: LossEntry['reason']): number =>
    entries.reduce((sum, entry) => sum + (entry.reason === reason ? entry.records : 0), 0);
  const totals = { evicted: total('evicted'), damaged: total('damaged') };
  return { directory, holder, entries, totals, foldedRecords: ledger.foldedRecords };
}

function ledgerText({ directory, holder, entries, totals, foldedRecords }: LedgerReport): string {
  const rows = entries.map(({ source, sensor, from, to, records, reason, entered }) => [
    source,
    `${sensor}`,
    `${from} to ${to - 1}`,
    thousands(records),
    entered ? reason : `${reason}, found now`,
  ]);
  const lines = [directory, ''];
  if (rows.length > 0)
    lines.push(table(['source', 'sensor', 'sequence numbers', 'records', 'reason'], rows, [1, 3]), '');
  lines.push(
    `${plural(totals.evicted + totals.damaged, 'record')} lost: ${thousands(totals.evicted)} evicted, ${thousands(totals.damaged)} damaged`,
  );
  if (foldedRecords > 0)
    lines.push(`${plural(foldedRecords, 'record')} beside them, whose entries were folded into one figure`);
  if (holder !== null) lines.push(besideText(holder));
  return lines.join('\n');
}
