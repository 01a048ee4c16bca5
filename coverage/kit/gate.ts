/**
 * Second half of `npm run conformance:coverage`: how much of src/core the kit alone reached, and what not.
 *
 * Exit code 1 when lines or branches fall below coverage/thresholds.ts, when a place is not reached and not listed in
 * coverage/unreached.json, or listed and reached. `--list` prints the list as it would have to be, reasons kept.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { makeOutcome } from '../../conformance/evidence/make.ts';
import { newCoverage } from '../../conformance/model-run.ts';
import type { CoverageSummary } from '../summary.ts';
import { coverageRows } from '../summary.ts';
import { KIT_ALONE } from '../thresholds.ts';
import type { Comparison, FileCoverage, ListedPlace } from './places.ts';
import { compare, placesOf } from './places.ts';

const ROOT = join(import.meta.dirname, '../..');
const OUT = join(ROOT, 'coverage/out/kit');
const LISTED = join(ROOT, 'coverage/unreached.json');
const EVIDENCE = join(ROOT, 'coverage/out/evidence/coverage.json');

const read = <T>(path: string): T => JSON.parse(readFileSync(path, 'utf8')) as T;

function comparison(): Comparison {
  const final = read<Record<string, FileCoverage>>(join(OUT, 'coverage-final.json'));
  const places = Object.entries(final)
    .map(([path, coverage]) => [relative(ROOT, path), readFileSync(path, 'utf8'), coverage] as const)
    .sort(([a], [b]) => a.localeCompare(b))
    .flatMap((file) => placesOf(...file));
  return compare(places, existsSync(LISTED) ? read<readonly ListedPlace[]>(LISTED) : []);
}

/** For the report: what was measured, and what of the list does not fit. */
function writeEvidence(percents: Readonly<Record<string, number>>, { places, unlisted, stale }: Comparison): void {
  const { evidence } = makeOutcome({
    mode: 'coverage',
    command: 'npm run conformance:coverage',
    seed: null,
    profiles: ['linux', 'wiced'],
    seconds: 0,
    steps: 0,
    failures: unlisted.length + stale.length,
    traceHash: null,
    figures: { ...percents, places: places.length, unlisted: unlisted.length, stale: stale.length },
    coverage: newCoverage(),
    possible: [],
    failure: null,
  });
  mkdirSync(join(EVIDENCE, '..'), { recursive: true });
  writeFileSync(EVIDENCE, `${JSON.stringify(evidence, null, 2)}\n`);
  writeFileSync(join(OUT, 'places.json'), `${JSON.stringify(places, null, 2)}\n`);
}

function conclude(): number {
  const found = comparison();
  const rows = coverageRows(read<CoverageSummary>(join(OUT, 'coverage-summary.json')), ROOT, { 'src/core': KIT_ALONE });
  writeEvidence(Object.fromEntries(rows.map(({ measure, percent }) => [measure, percent])), found);
  for (const { measure, percent, demand, met } of rows)
    console.log(
      `${measure} of src/core by the kit alone: ${percent.toFixed(2)} %, at least ${demand} ${met ? '' : 'SHORT'}`,
    );
  for (const { file, line, code } of found.unlisted)
    console.log(`not reached and not in coverage/unreached.json: ${file}:${line} ${code}`);
  for (const { file, code } of found.stale)
    console.log(`in coverage/unreached.json, but reached or not there any more: ${file} ${code}`);
  console.log(`${found.places.length} places are not reached`);
  return rows.every(({ met }) => met) && found.unlisted.length + found.stale.length === 0 ? 0 : 1;
}

if (!existsSync(join(OUT, 'coverage-final.json'))) {
  console.error(
    'coverage/out/kit/coverage-final.json is missing: run npm run conformance:coverage, which measures first',
  );
  process.exitCode = 1;
} else if (process.argv.includes('--list')) {
  const list = comparison().places.map(({ file, code, reason }): ListedPlace => ({ file, code, reason }));
  console.log(JSON.stringify(list, null, 2));
} else process.exitCode = conclude();
