/**
 * Charts and the page about performance: drawn from a file of results, from nothing else, and never from half of one.
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DOMParser, onErrorStopParsing } from '@xmldom/xmldom';
import { afterAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { apart } from '../../bench/charts/line-chart.ts';
import { WIDTH } from '../../bench/charts/look.ts';
import { drawnFiles, LATEST, main } from '../../bench/charts/main.ts';
import { Results } from '../../bench/charts/results.ts';
import { element, figure } from '../../bench/charts/svg.ts';
import type { Report } from '../../bench/report.ts';
import type { MeasuredRow } from '../../bench/row.ts';
import { ROOT } from '../tools/project-files.ts';

const BYTES_MOST = 30 * 1_024;

/** Results with every row that a chart needs; the figures are round, and one text is hard for XML and for tables. */
function fixedReport(): Report {
  const xs = [1, 4, 64, 2_048];
  const over = (x: string, ys: Readonly<Record<string, number>>) =>
    xs.map((at, i) => ({
      [x]: at * (x === 'sensors' ? 1 : 65_536),
      ...Object.fromEntries(Object.entries(ys).map(([name, y]) => [name, [y + i, 1.2 * y + i]])),
    }));
  const row = (id: string, raw: MeasuredRow['raw']): MeasuredRow => ({
    id,
    title: `<${id}> & "more" | less`,
    compare: 'at-most',
    demand: 0.15,
    unit: 'exponent',
    measured: 0.05,
    range: [0.04, 0.06],
    met: true,
    note: 'a note',
    raw,
  });
  const turns = (figureName: string, perRepetition: readonly number[]) =>
    perRepetition.map((value) => ({ [figureName]: value, load: 'the load' }));
  const ingest = (x: string) =>
    Object.fromEntries(
      ['own', 'append-log', 'sqlite-rows'].map((name, i) => [
        name,
        over(x, { recordsPerSecond: 10 ** (6 - i), writtenBytesPerRecord: 4 * 10 ** i }),
      ]),
    );
  const line = { bucketMs: 10, longestAppendMs: [0.01, 0, 2, 0.5], flushes: [[3, 12]], records: 100 };
  const peers = {
    own: turns('recordsPerSecond', [3e6, 3.2e6]),
    'sqlite-rows': turns('recordsPerSecond', [6e4, 7e4]),
  };
  const works = ['append', 'flush', 'acknowledge'].flatMap((work) => [
    row(`growth-${work}-sensors`, {
      points: { own: over('sensors', { [`${work}NsPerRecord`]: 40 }) },
      ...(work === 'append' ? { limits: { 'bare-loop': over('sensors', { nsPerRecord: 3 }) } } : {}),
      ...(work === 'flush' ? { ingest: ingest('sensors') } : {}),
    }),
    row(`growth-${work}-stored`, { points: { own: over('storedBytes', { [`${work}NsPerRecord`]: 40 }) } }),
  ]);
  return {
    machine: {
      cpu: 'a processor',
      cores: 2,
      memoryBytes: 2 ** 33,
      platform: 'linux x64',
      kernel: '6.1',
      node: '24.0.0',
      fileSystem: 'ext4',
      freeBytes: 2 ** 36,
      loadBefore: 0.1,
      deviceBytes: 'counted somehow',
    },
    run: { startedAt: '2026-01-01T00:00:00.000Z', seconds: 10, seed: 1, quick: false, repetitions: 2 },
    rows: [
      row('ingest-sqlite-full-16k', { peers }),
      row('ingest-sqlite-full-208k', { peers }),
      row('bytes-append-log', {
        writers: {
          own: turns('deviceBytesPerRecord', [4, 4.1]),
          'append-log-per-record': turns('deviceBytesPerRecord', [8_300, 8_400]),
        },
      }),
      ...works,
      row('growth-ingest-pool', { ingest: ingest('poolBytes') }),
      row('growth-recovery', {
        recovery: {
          own: over('storedBytes', { recoveryMs: 20 }),
          'bare-read': over('storedBytes', { recoveryMs: 2 }),
        },
      }),
      row('growth-append-time', { timelines: { own: line, 'sqlite-rows': line } }),
    ],
    failures: [],
  };
}

const drawn = (report: unknown): Map<string, string> => drawnFiles(new Results(JSON.stringify(report), 'fixed.json'));
const svgsOf = (files: ReadonlyMap<string, string>): [string, string][] =>
  [...files].filter(([name]) => name.endsWith('.svg'));

describe('charts of fixed results', () => {
  const svgs = svgsOf(drawn(fixedReport()));

  // Goal: any viewer can read every chart. Method: a strict reader, and what must and must not be in each file.
  test.each(svgs)('%s is XML, named, described, for day and night, small, and without a script', (_, svg) => {
    const parsed = new DOMParser({ onError: onErrorStopParsing }).parseFromString(svg, 'image/svg+xml');
    const root = parsed.documentElement;
    expect(root?.tagName).toBe('svg');
    expect(root?.getElementsByTagName('title')[0]?.textContent).toMatch(/\w/);
    expect(root?.getElementsByTagName('desc')[0]?.textContent).toMatch(/\w/);
    expect(root?.getElementsByTagName('script').length).toBe(0);
    expect(svg).toContain('prefers-color-scheme:dark');
    expect(svg).not.toMatch(/NaN|undefined|Infinity|null/);
    expect(svg.length).toBeLessThan(BYTES_MOST);
  });

  // Goal: no label is cut off. Method: each text's place and a generous width of its letters, against the picture's.
  test.each(svgs)('%s has its words inside', (_, svg) => {
    const parsed = new DOMParser().parseFromString(svg, 'image/svg+xml');
    for (const text of Array.from(parsed.getElementsByTagName('text'))) {
      const x = Number(text.getAttribute('x'));
      const width = (text.textContent ?? '').length * 6.6;
      const anchor = text.getAttribute('text-anchor') ?? 'start';
      const left = anchor === 'start' ? x : anchor === 'middle' ? x - width / 2 : x - width;
      expect({ text: text.textContent, isInside: left >= 0 && left + width <= WIDTH }).toEqual({
        text: text.textContent,
        isInside: true,
      });
    }
  });

  // Goal: curves are told apart without colour. Method: the curves of one chart, by dash and by marker.
  test('give each curve of a chart a dash and a marker of its own', () => {
    const svg = svgs.find(([name]) => name.includes('work-over-sensors'))?.[1] ?? '';
    const classes = ['own', 'second', 'third', 'limit'];
    const dashes = classes.map((name) => new RegExp(`\\.line-${name}\\{([^}]*)\\}`).exec(svg)?.[1]);
    expect(new Set(dashes).size).toBe(classes.length);
    const markers = classes.map((name) => new RegExp(`<path d="([^"]*)"[^>]*class="fill-${name}"`).exec(svg)?.[1]);
    expect(new Set(markers).size).toBe(classes.length);
    expect(markers).not.toContain(undefined);
  });
});

// Goal: labels stay readable where curves end together. Method: heights that coincide, and some at the edges.
test('labels are moved apart, in their order, inside the chart', () => {
  expect(apart([50, 50, 50], 10, [0, 100])).toEqual([50, 60, 70]);
  expect(apart([98, 99], 10, [0, 100])).toEqual([90, 100]);
  expect(apart([5, 90, 4], 10, [0, 100])).toEqual([14, 90, 4]);
});

describe('a picture', () => {
  // Goal: no figure that is none, no text that breaks the file. Method: both handed to what writes elements.
  test('refuses a number that is none, and escapes text', () => {
    expect(() => figure(Number.NaN)).toThrow('cannot show NaN');
    expect(() => element('path', { x: Number.POSITIVE_INFINITY })).toThrow('cannot show Infinity');
    expect(element('text', { title: '"<&>' })).toBe('<text title="&quot;&lt;&amp;&gt;"/>');
  });
});

describe('the page', () => {
  // Goal: what is said is what was measured. Method: the same results with other figures, and the sentences of both.
  test('says the figures of its results, and others when they change', () => {
    const page = drawn(fixedReport()).get('performance.md') ?? '';
    expect(page).toContain('append 0.05, flush 0.05, acknowledge 0.05');
    expect(page).toContain('| ≤ 0.15 | 0.05 | 0.04 to 0.06 | met |');
    const report = fixedReport();
    const rows = report.rows.map((row) =>
      row.id === 'growth-flush-sensors' ? { ...row, measured: 0.31, met: false } : row,
    );
    const changed = drawn({ ...report, rows }).get('performance.md') ?? '';
    expect(changed).toContain('append 0.05, flush 0.31, acknowledge 0.05');
    expect(changed).toContain('| 0.31 | 0.04 to 0.06 | **short** by 2.07x |');
  });

  test('keeps its tables whole, whatever stands in a title', () => {
    const page = drawn(fixedReport()).get('performance.md') ?? '';
    for (const row of page.split('\n').filter((each) => each.startsWith('| <'))) {
      expect(row.replaceAll('\\|', '').split('|')).toHaveLength(7);
    }
  });

  // Goal: nobody takes a trial for a claim. Method: a quick run, and one with a group that failed.
  test('says when its figures are no claim, and what was not measured', () => {
    const report = fixedReport();
    expect(drawn(report).get('performance.md')).not.toContain('Provisional');
    expect(drawn({ ...report, run: { ...report.run, quick: true } }).get('performance.md')).toContain('Provisional');
    const failed = drawn({ ...report, failures: [{ group: 'growth-x', message: 'it broke' }] });
    expect(failed.get('performance.md')).toContain('Not measured: growth-x (it broke).');
  });

  // Goal: the page in the repository is never older than its results. Method: drawn again, every file compared.
  test('and its charts in docs are what is drawn from the results that are kept', () => {
    const files = drawnFiles(Results.read(LATEST));
    const docs = join(ROOT, 'docs');
    const charts = readdirSync(join(docs, 'charts')).map((name) => join('charts', name));
    expect(['performance.md', ...charts].sort()).toEqual([...files.keys()].sort());
    const stale = [...files].filter(([name, text]) => readFileSync(join(docs, name), 'utf8') !== text);
    expect(stale.map(([name]) => `${name} is stale: run npm run bench:charts`)).toEqual([]);
    for (const [name, svg] of svgsOf(files)) {
      expect(svg.length, name).toBeLessThan(BYTES_MOST);
      expect(() => new DOMParser({ onError: onErrorStopParsing }).parseFromString(svg, 'image/svg+xml')).not.toThrow();
    }
  });
});

describe('bench:charts', () => {
  const root = mkdtempSync(join(tmpdir(), 'imatrix-charts-'));
  const results = join(root, 'results.json');
  const docs = join(root, 'docs');
  const said: string[] = [];
  beforeEach(() => {
    said.length = 0;
    rmSync(docs, { recursive: true, force: true });
    vi.spyOn(console, 'error').mockImplementation((text: string) => void said.push(text));
    vi.spyOn(console, 'log').mockImplementation((text: string) => void said.push(text));
  });
  afterAll(() => {
    vi.restoreAllMocks();
    rmSync(root, { recursive: true, force: true });
  });
  const run = (text: string): number => {
    writeFileSync(results, text);
    return main(['--results', results, '--docs', docs]);
  };

  // Goal: results that cannot be drawn are one clear line, and nothing is written. Method: each kind of them.
  test.each([
    ['an empty file', '', 'is not JSON: measure all rows with npm run bench'],
    ['something else', '{"rows": 3}', 'is no result of this bench'],
    ['results without a row', JSON.stringify({ ...fixedReport(), rows: [] }), 'has no row: measure'],
    [
      'results of a part',
      JSON.stringify({ ...fixedReport(), rows: fixedReport().rows.filter(({ id }) => id !== 'growth-recovery') }),
      'has no row growth-recovery',
    ],
    [
      'results of an older bench',
      JSON.stringify(fixedReport()).replaceAll('recoveryMs', 'milliseconds'),
      'row growth-recovery has no recovery.own of storedBytes and recoveryMs, it is of another version',
    ],
    [
      'a run over time in another shape',
      JSON.stringify(fixedReport()).replaceAll('bucketMs', 'bucket'),
      'row growth-append-time has no timelines.own in buckets',
    ],
    [
      'results without the peers',
      JSON.stringify(fixedReport()).replaceAll('deviceBytesPerRecord', 'bytes'),
      'has no row about device bytes, with deviceBytesPerRecord of each store',
    ],
  ])('refuses %s', (_, text, sentence) => {
    expect(run(text)).toBe(2);
    expect(said).toEqual([expect.stringContaining(sentence)]);
    expect(said[0]).toMatch(/^bench:charts: /);
    expect(said[0]).not.toContain('\n');
    expect(existsSync(docs)).toBe(false);
  });

  test('refuses a file that is missing, and an argument that it does not know', () => {
    expect(main(['--results', join(root, 'nowhere.json')])).toBe(2);
    expect(main(['--colour'])).toBe(2);
    expect(said).toEqual([
      expect.stringContaining('measure first with npm run bench'),
      expect.stringContaining('--help'),
    ]);
  });

  // Goal: a chart that is no longer drawn does not stay. Method: a foreign chart and a foreign file, then drawn again.
  test('draws all files and takes away a chart that is none any more', () => {
    expect(run(JSON.stringify(fixedReport()))).toBe(0);
    const before = readdirSync(join(docs, 'charts'));
    writeFileSync(join(docs, 'charts', 'old.svg'), '<svg/>');
    expect(run(JSON.stringify(fixedReport()))).toBe(0);
    expect(readdirSync(join(docs, 'charts'))).toEqual(before);
    expect(said[0]).toContain(`${before.length + 1} files drawn`);
  });
});
