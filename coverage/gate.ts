/**
 * `npm run coverage`, second half: holds what the tests ran against coverage/thresholds.ts, and fails below it.
 * Reads coverage/out/coverage-summary.json, which c8 wrote; the pages to browse are in coverage/out too.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import Table from 'cli-table3';
import { type CoverageSummary, coverageRows } from './summary.ts';
import { THRESHOLDS } from './thresholds.ts';

const REPORT = 'coverage/out/coverage-summary.json';
const root = join(import.meta.dirname, '..');

const summary = await readFile(join(root, REPORT), 'utf8').then(
  (text) => JSON.parse(text) as CoverageSummary,
  () => null,
);
if (summary === null) {
  console.error(`${REPORT} is missing: run npm run coverage, which measures first`);
  process.exitCode = 1;
} else {
  const rows = coverageRows(summary, root, THRESHOLDS);
  const table = new Table({
    head: ['folder', 'files', 'measure', 'percent', 'demand', ''],
    style: { head: [], border: [] },
  });
  for (const { folder, files, measure, percent, demand, met } of rows) {
    table.push([folder, files, measure, percent.toFixed(2), demand, met ? 'met' : 'SHORT']);
  }
  console.log(table.toString());
  const short = rows.filter(({ met }) => !met).length;
  console.log(short === 0 ? `all ${rows.length} demands met` : `${short} of ${rows.length} demands not met`);
  if (short > 0) process.exitCode = 1;
}
