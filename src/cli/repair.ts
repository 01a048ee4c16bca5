/**
 * `imatrix-mm repair`: does what opening a store does, and tells it. With `--dry-run` it tells it only, and touches
 * nothing. Beside a running store it refuses: that store was repaired when it was opened.
 */
import { Command, InvalidArgumentError } from 'commander';
import { asOwner, ownerOf } from '../deploy/owner.ts';
import { parseSize, StoreError } from '../index.ts';
import { withPlace } from '../operator/read-only-store.ts';
import type { Deed, Repair } from '../operator/repair.ts';
import { planRepair, repair } from '../operator/repair.ts';
import { rangeText } from '../operator/verify/finding.ts';
import { DIRECTORY_HELP } from './operator/common.ts';
import { plural } from './screen.ts';

interface RepairFlags {
  readonly dryRun: boolean;
  readonly quota?: string;
  readonly json: boolean;
}

export const repairCommand = (): Command =>
  new Command('repair')
    .summary('set damaged files aside, enter what is lost into the ledger, begin the log anew')
    .description(
      'Does what opening the store does, and says what that was. Damaged files are set aside, never deleted.\n' +
        'Refused with LOCKED while a program has the store open.',
    )
    .argument('<directory>', DIRECTORY_HELP)
    .option('--dry-run', 'say what would be done, and touch nothing', false)
    .option('--quota <size>', 'most bytes on disk while a cut-off flush is copied (default: no bound)', size)
    .option('--json', 'one JSON object instead of text', false)
    .action(run);

function size(text: string): string {
  const parsed = parseSize('--quota', text);
  if (!parsed.ok) throw new InvalidArgumentError(parsed.failure.message);
  return text;
}

async function run(directory: string, { dryRun, quota, json }: RepairFlags): Promise<void> {
  const done = await withPlace(directory, (place) =>
    // Root repairs it for its user, whose it stays.
    dryRun ? planRepair(place, quota) : asOwner(ownerOf(directory), () => repair(place, quota)),
  );
  if (!done.ok) throw new StoreError(done.failure);
  const report = { directory, dryRun, ...done.value };
  process.stdout.write(`${json ? JSON.stringify(report) : repairText(directory, dryRun, done.value)}\n`);
}

function deedText(deed: Deed, would: string): string {
  if (deed.do === 'set aside') return `  ${would}set aside  ${deed.file} as ${deed.as}`;
  return `  ${would}${deed.do.padEnd(9)}  ${deed.file}`;
}

function repairText(directory: string, dryRun: boolean, { deeds, lost, recovery }: Repair): string {
  const would = dryRun ? 'would ' : '';
  const records = lost.reduce((sum, { from, to }) => sum + to - from, 0);
  const lines = [directory, '', ...deeds.map((deed) => deedText(deed, would)), ''];
  if (lost.length > 0) {
    lines.push(`${would}enter ${plural(records, 'record')} into the ledger as damaged:`);
    lines.push(...lost.map((range) => `  ${rangeText(range)}`));
  }
  const salvaged = recovery.salvagedRecords;
  if (salvaged > 0) lines.push(`${would}keep ${plural(salvaged, 'record')} of a flush that was cut off`);
  lines.push(
    `${plural(recovery.records, 'record')} in ${plural(recovery.segments, 'segment')} ${dryRun ? 'would be' : 'are'} there afterwards`,
    dryRun ? 'nothing was touched' : 'repaired: the store is closed and whole',
  );
  return lines.join('\n');
}
