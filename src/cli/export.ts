/** `imatrix-mm export`: what a store retains as files of the first memory manager. The store is not opened. */
import { Command } from 'commander';
import type { ExportReport } from '../migration/index.ts';
import { ExportError, exportStore, MAP_NAME } from '../migration/index.ts';
import { withPlace } from '../operator/read-only-store.ts';
import { CliError } from './cli-error.ts';
import { besideText } from './operator/common.ts';
import { Progress, plural, table, thousands } from './screen.ts';

export const exportCommand = (): Command =>
  new Command('export')
    .summary('write what a store retains as files of the first memory manager')
    .description(
      'Writes every record that a store retains as files that the first memory manager reads, and a map by which they\n' +
        'can be imported again. Nothing counts as read. Close the program first: what is in its RAM is not seen.',
    )
    .argument('<store>', 'directory of the store')
    .argument('<old>', 'directory to write; not there yet, or empty')
    .option('--json', 'one JSON object instead of the table', false)
    .addHelpText('after', '\nWhat the old form cannot say: docs/import-export.md.')
    .action(run);

async function run(store: string, old: string, { json }: { readonly json: boolean }): Promise<void> {
  const progress = new Progress(false);
  let holder: string | null = null;
  const report = await withPlace(store, async (place) => {
    holder = await place.holder();
    try {
      return await exportStore(place, old, {
        onProgress: (records) => {
          const line = (): string => plural(records, 'record');
          progress.show(() => [line()], line);
        },
      });
    } catch (error) {
      throw error instanceof ExportError ? new CliError(error.message) : error;
    }
  }).finally(() => progress.end());
  const text = json
    ? JSON.stringify(
        { ...report, holder },
        (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value),
        2,
      )
    : asText(old, report, holder);
  process.stdout.write(`${text}\n`);
}

function asText(
  old: string,
  { streams, records, files, sum, withoutState }: ExportReport,
  holder: string | null,
): string {
  const rows = streams.map(({ stream, kind, records: count, files: written, sum: of, roundedTimes }) => [
    ...[stream, kind, thousands(count), thousands(written), of.toString(), thousands(roundedTimes)],
  ]);
  const lines = [old, ''];
  if (rows.length > 0)
    lines.push(table(['stream', 'kind', 'records', 'files', 'sum of values', 'ms lost'], rows, [2, 3, 4, 5]), '');
  lines.push(
    `${plural(records, 'record')} in ${plural(files, 'file')}, sum of the values ${sum}; to import: --map ${old}/${MAP_NAME}`,
  );
  const outOfRange = streams.reduce((total, { timesOutOfRange }) => total + timesOutOfRange, 0);
  if (outOfRange > 0)
    lines.push(`${plural(outOfRange, 'record')} with a time behind 2106, which the old form cannot say`);
  if (withoutState.length > 0)
    lines.push(
      `no state file for ${withoutState.join(', ')}: the old form has one for a sensor id, whatever its source`,
    );
  if (holder !== null) lines.push(besideText(holder));
  return lines.join('\n');
}
