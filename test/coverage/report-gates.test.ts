import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { FileCoverage, ListedPlace } from '../../coverage/kit/places.ts';
import { compare, placesOf } from '../../coverage/kit/places.ts';
import { baselineRows, gateRows } from '../../coverage/report/gates.ts';
import type { MeasureName } from '../../coverage/report/measures.ts';
import { MEASURES } from '../../coverage/report/measures.ts';
import { CONFORMANCE } from '../../coverage/thresholds.ts';
import { CRASH, MUSEUM, report, TOUR } from './report-fixture.ts';

const ROOT = join(import.meta.dirname, '../..');
const folders: string[] = [];
const scratch = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'report-'));
  folders.push(folder);
  return folder;
};
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

type Measures = Record<MeasureName, number | null>;
const measures = (value: number | null): Measures =>
  Object.fromEntries(Object.keys(MEASURES).map((name) => [name, value])) as Measures;

describe('the gates of the report', () => {
  // Goal: what is below is red, and what was not measured too. Method: all figures high, one low, one missing.
  it('are red below the least and where nothing was measured', () => {
    expect(gateRows(measures(1e9)).every(({ met }) => met)).toBe(true);
    const low = gateRows({ ...measures(1e9), 'crash images': 1 });
    expect(low.filter(({ met }) => !met).map(({ measure }) => measure)).toEqual(['crash images']);
    const missing = gateRows({ ...measures(1e9), 'edges of the tour': null });
    expect(missing.filter(({ met }) => !met).map(({ measure }) => measure)).toEqual(['edges of the tour']);
    expect(Object.keys(CONFORMANCE).length).toBeGreaterThan(15);
  });

  // Goal: a drop is seen, what grew or stayed within the tolerance is none. Method: the rows of four figures.
  it('see a drop beyond the tolerance', () => {
    const before = { 'crash images': 1_000, 'fault cases': 1_000, 'damage cases': 1_000, 'orders of calls': 1_000 };
    const rows = baselineRows(
      { tolerancePercent: 2, measures: before },
      { ...measures(0), 'crash images': 979, 'fault cases': 981, 'damage cases': 2_000, 'orders of calls': null },
    );
    expect(rows.filter(({ dropped }) => dropped).map(({ measure }) => measure)).toEqual(['crash images']);
    expect(rows.find(({ measure }) => measure === 'damage cases')?.change).toBe(100);
    expect(rows.find(({ measure }) => measure === 'orders of calls')?.change).toBeNull();
  });

  // Goal: a run that misses a gate, fails or drops has a sentence for each, and one that does not has none.
  it('make faults of the report', () => {
    const { faults } = report([TOUR, CRASH, MUSEUM]);
    expect(faults).toContain('gate planted bugs killed: 1, at least 50');
    expect(faults).toContain('baseline crash images: 3690, it was 4000');
    expect(faults.join()).not.toContain('edges of the tour');
    expect(report([]).faults[0]).toContain('there is no evidence');
  });
});

describe('npm run conformance:report', () => {
  const run = (...line: string[]) =>
    spawnSync(process.execPath, ['coverage/report/cli.ts', ...line], { cwd: ROOT, encoding: 'utf8' });

  // Goal: exit codes and files. Method: the command on a folder with two modes.
  it('writes the page and the XML and fails where a gate is missed', () => {
    const folder = scratch();
    writeFileSync(join(folder, 'tour.json'), JSON.stringify(TOUR));
    const html = join(scratch(), 'report.html');
    const { status, stdout } = run('--evidence', folder, '--json', '--html', html, '--junit', `${html}.xml`);
    expect(status).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ verdict: 'failed' });
  });

  // Goal: bad input is one line and exit code 2. Method: a broken file, a strange one, an option that is none.
  it.each([
    ['broken.json', '{', 'cannot read the evidence'],
    ['strange.json', '{"format":"else"}', 'is no evidence of version 1'],
    ['mode.json', JSON.stringify({ ...TOUR, mode: 'magic' }), "of the mode 'magic'"],
  ])('says what is wrong with %s', (name, content, words) => {
    const folder = scratch();
    writeFileSync(join(folder, name), content);
    const { status, stderr } = run('--evidence', folder);
    expect(status).toBe(2);
    expect(stderr).toContain(words);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });

  it('refuses to record a mode that was not run', () => {
    const { status, stderr } = run('--evidence', scratch(), '--record', 'random');
    expect(status).toBe(2);
    expect(stderr).toContain("no evidence of the mode 'random'");
  });
});

describe('what the kit alone does not reach', () => {
  const SOURCE = ['one();', 'if (never) {', '  two();', '  three();', '}', 'a ?? b;', 'four();'].join('\n');
  const spot = (line: number) => ({ start: { line }, end: { line } });
  const COVERAGE: FileCoverage = {
    statementMap: Object.fromEntries([1, 2, 3, 4, 5, 6, 7].map((line) => [String(line), spot(line)])),
    s: { '1': 3, '2': 3, '3': 0, '4': 0, '5': 3, '6': 3, '7': 3 },
    branchMap: { '0': { loc: spot(2) }, '1': { loc: spot(6) }, '2': { loc: spot(7) } },
    b: { '0': [0], '1': [0], '2': [9] },
  };
  const PLACES = placesOf('src/core/a.ts', SOURCE, COVERAGE);

  // Goal: a run of lines is one place, a branch of a reached line another, and the branch that opens the lines is no third.
  it('is found as places', () => {
    expect(PLACES).toEqual([
      { file: 'src/core/a.ts', line: 3, lines: 2, code: 'two();' },
      { file: 'src/core/a.ts', line: 6, lines: 0, code: 'a ?? b;' },
    ]);
  });

  // Goal: the committed list is about the sources as they are. Method: each entry's code is a line of its file, with a reason.
  it('is listed with a reason, place by place', () => {
    const listed = JSON.parse(readFileSync(join(ROOT, 'coverage/unreached.json'), 'utf8')) as ListedPlace[];
    for (const { file, code, reason } of listed) {
      const lines = readFileSync(join(ROOT, file), 'utf8').split('\n');
      expect(
        lines.some((line) => line.trim() === code),
        `${file} has no line '${code}' any more: run npm run conformance:coverage`,
      ).toBe(true);
      expect(reason.length, `${file} ${code}`).toBeGreaterThan(20);
    }
  });

  // Goal: both ways red: not reached and not listed, listed and reached. Method: lists that fit, that lack one, with one too many.
  it('is held against its list both ways', () => {
    const listed: ListedPlace[] = PLACES.map(({ file, code }) => ({ file, code, reason: 'because' }));
    expect(compare(PLACES, listed)).toMatchObject({ unlisted: [], stale: [] });
    expect(compare(PLACES, listed.slice(1)).unlisted).toHaveLength(1);
    expect(compare(PLACES.slice(1), listed).stale).toEqual([listed[0]]);
    const unexplained = compare(
      PLACES,
      listed.map((each) => ({ ...each, reason: '' })),
    );
    expect(unexplained.unlisted).toHaveLength(2);
  });
});
