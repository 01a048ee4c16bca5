/**
 * `imatrix-mm import`: records of the first memory manager into a store that no program has open. Exit code 0: everything
 * was imported; 1: something of it is damaged or not in the map, and was left where it is; 2: it could not be done.
 */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { asOwner, ownerOf } from '../deploy/owner.ts';
import { openStore, parseSize } from '../index.ts';
import type { ImportReport, OldRecordsFound } from '../migration/index.ts';
import { importPlan, JournalError, lookAtOld, MapError, NoRoomError } from '../migration/index.ts';
import { CliError, EXIT_WRONG } from './cli-error.ts';
import { Progress, paintFor, plural, table, thousands } from './screen.ts';

interface Flags {
  readonly map: string;
  readonly storage: string;
  readonly journal?: string;
  readonly quota?: string;
  readonly dryRun: boolean;
  readonly json: boolean;
}

const JOURNAL_NAME = 'import.jsonl';

function size(text: string): string {
  const parsed = parseSize('quota', text);
  if (!parsed.ok) throw new InvalidArgumentError(parsed.failure.message);
  return text;
}

export const importCommand = (): Command =>
  new Command('import')
    .summary('take the records of the first memory manager into a store')
    .description(
      'Reads the files of the first memory manager, checks them, and puts their records behind what a store has.\n' +
        'The old files are never altered. Run again, it goes on where it was; what is imported stays imported once.\n' +
        'A program that has the store open imports by itself: importOld of imatrix-memory-manager/migration.',
    )
    .argument('<old>', 'directory of the first memory manager')
    .requiredOption('--map <file>', 'JSON file that says what the old files do not: sensors, kinds, periods, times')
    .requiredOption('--storage <directory>', 'directory of the store; made when missing')
    .option('--journal <file>', `what was imported so far (default: ${JOURNAL_NAME} in the storage directory)`)
    .option('--quota <size>', 'bytes that the store may take, such as 256MiB', size)
    .option('--dry-run', 'read and check everything, write nothing', false)
    .option('--json', 'one JSON object instead of the table', false)
    .addHelpText('after', '\nThe map and an example: docs/import-export.md.')
    .action(run);

async function run(old: string, flags: Flags): Promise<void> {
  const found = expecting(() => lookAtOld(old, flags.map));
  // Root imports into a store for its user, whose it stays. The old files are read already.
  const importing = (): Promise<ImportReport> => importInto(found, flags);
  const report = flags.dryRun
    ? null
    : existsSync(flags.storage)
      ? await asOwner(ownerOf(flags.storage), importing)
      : await importing();
  process.stdout.write(`${flags.json ? asJson(found, report) : asText(old, found, report)}\n`);
  const troubled = found.plan.files.some(({ trouble }) => trouble !== null) || found.tree.strange.length > 0;
  const differs = report !== null && report.notCompared === 0 && report.sum !== report.sumInStore;
  if (troubled || differs) process.exitCode = EXIT_WRONG;
}

/** Mistakes of the user in one line each. */
function expecting<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw asExpected(error);
  }
}

const asExpected = (error: unknown): unknown =>
  error instanceof MapError || error instanceof JournalError || error instanceof NoRoomError
    ? new CliError(error.message)
    : error;

async function importInto({ plan }: OldRecordsFound, { storage, journal, quota }: Flags): Promise<ImportReport> {
  const store = await openStore({ directory: storage, ...(quota === undefined ? {} : { quotaBytes: quota }) });
  const progress = new Progress(false);
  try {
    return await importPlan(store, plan, {
      journal: journal ?? join(resolve(storage), JOURNAL_NAME),
      onProgress: (records, total) => {
        const line = (): string => `${thousands(records)} of ${plural(total, 'record')}`;
        progress.show(() => [line()], line);
      },
    });
  } catch (error) {
    throw asExpected(error);
  } finally {
    progress.end();
    await store.close();
  }
}

function asJson({ plan, tree }: OldRecordsFound, report: ImportReport | null): string {
  const files =
    report?.files ??
    plan.files.map(({ file, consumed, trouble }) => ({
      path: file.path,
      stream: file.entry === null ? '' : `${file.entry.source}/${file.entry.sensor}`,
      records: file.records?.bits.length ?? 0,
      consumed,
      trouble,
    }));
  const whole = { dryRun: report === null, ...report, files, strange: tree.strange, notes: plan.notes };
  return JSON.stringify(whole, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value), 2);
}

function asText(old: string, { plan, tree }: OldRecordsFound, report: ImportReport | null): string {
  const paint = paintFor(process.stdout);
  const lines = [old, ''];
  const rows = plan.files.map(({ file, consumed, trouble }, at) => {
    const imported = report?.files[at];
    const stream = file.entry === null ? '' : `${file.entry.source}/${file.entry.sensor}`;
    const counts = [file.records?.bits.length ?? 0, consumed, imported?.before ?? 0, imported?.imported ?? 0];
    return [file.path, stream, ...counts.map(thousands), trouble === null ? 'ok' : 'LEFT OUT'];
  });
  const head = ['file', 'stream', 'records', 'consumed', 'before', report === null ? 'would be' : 'imported', ''];
  if (rows.length > 0) lines.push(table(head, rows, [2, 3, 4, 5]), '');
  else lines.push('no data files: give the directory that has host, mgc and can_controller in it', '');
  for (const { file, trouble } of plan.files) if (trouble !== null) lines.push(paint.red(`${file.path}: ${trouble}`));
  for (const { path, trouble } of tree.strange) lines.push(paint.yellow(`${path}: ${trouble}`));
  for (const note of plan.notes) lines.push(note);
  if (report === null) lines.push(dryLine(plan.files));
  else lines.push(...resultLines(report));
  return lines.join('\n');
}

function dryLine(files: OldRecordsFound['plan']['files']): string {
  const records = files.reduce(
    (sum, { file, consumed, trouble }) => (trouble === null ? sum + (file.records?.bits.length ?? 0) - consumed : sum),
    0,
  );
  return `${plural(records, 'record')} could be imported; nothing was written`;
}

function resultLines(report: ImportReport): string[] {
  const { imported, before, consumed, perhapsTwice, sum, sumInStore, notCompared } = report;
  const lines = [
    `${plural(imported, 'record')} imported, ${thousands(before)} were in the store before, ${thousands(consumed)} were consumed`,
    `sum of the values: ${sum} in the old files, ${sumInStore} in the store${notCompared === 0 ? '' : ` (${plural(notCompared, 'record')} had left it already)`}`,
  ];
  if (perhapsTwice > 0)
    lines.push(
      `${plural(perhapsTwice, 'record')} may be there twice: a crash came between, and they had left the store`,
    );
  return lines;
}
