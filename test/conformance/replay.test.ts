/**
 * What is left of a failing run: where model, engine and disk stand, and a test file that anybody can keep.
 */
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Action, Scenario } from '../../conformance/actions.ts';
import { readTrace } from '../../conformance/actions.ts';
import { runActions } from '../../conformance/execute.ts';
import { plantingOf } from '../../conformance/museum/exhibit.ts';
import { EXHIBITS } from '../../conformance/museum/run.ts';
import { quotaBytesMin } from '../../conformance/refinement.ts';
import { exportTest } from '../../conformance/replay/export-test.ts';
import { threeWay } from '../../conformance/replay/three-way.ts';
import { makeTrace } from '../../conformance/run.ts';
import { timeline } from '../../conformance/timeline.ts';
import { StreamHandle } from '../../src/core/stream-handle.ts';

const ROOT = join(import.meta.dirname, '../..');

const SCENARIO: Scenario = {
  profile: 'linux',
  mode: 'ram',
  streams: [{ source: 'host', sensor: 7, kind: 'evt', periodMs: 0, type: 'uint32', priority: 0 }],
  sectors: 4,
  sectorBytes: 32,
  quotaBytes: quotaBytesMin(4, 32),
  whenDiskFull: 'evict-oldest',
  durableAcknowledge: false,
};

const append = (bits: number): Action => ({ do: 'append', stream: 0, bits, timeMs: 1_000 });
const REVERTED: readonly Action[] = [
  { do: 'open' },
  { do: 'drain' },
  append(1),
  { do: 'flush' },
  { do: 'drain' },
  { do: 'read', stream: 0, max: 1 },
  { do: 'revert', stream: 0 },
];

afterEach(() => vi.restoreAllMocks());

const lineOf = (lines: readonly string[], start: string): string =>
  lines.find((line) => line.startsWith(start)) ?? `no line begins with ${start}`;

describe('the failing step', () => {
  // Goal: one sees at once what differs and where. Method: an engine whose revert does nothing; the row of the mark is marked,
  // the others are not, and there is no colour where nobody asked for it.
  it('is shown as model beside engine beside disk, with what differs marked', async () => {
    vi.spyOn(StreamHandle.prototype, 'revert').mockReturnValue({ ok: true, value: undefined });
    const lines = (await timeline(SCENARIO, REVERTED)).split('\n');
    expect(lineOf(lines, '  read')).toMatch(/^ {2}read +0 +1 +<<$/);
    expect(lineOf(lines, '  head')).toMatch(/^ {2}head +0 +0$/);
    expect(lineOf(lines, 'segment 1')).toMatch(
      /host 4096 bytes 0:\[0,1\) +host 4096 bytes 0:\[0,1\) +host \d+ bytes 7:\[0,1\)$/,
    );
    expect(lineOf(lines, 'log generation 1')).toMatch(/8192 bytes, 2 batches$/);
    expect(lines.filter((line) => line.endsWith('  <<')).length).toBe(1);
    expect(lines.join('\n')).not.toContain('\u001b');
    const red = (await timeline(SCENARIO, REVERTED, (text) => `<red>${text}</red>`)).split('\n');
    expect(red.filter((line) => line.startsWith('<red>')).length).toBe(1);
    expect(lineOf(red, '<red>  read')).toContain('<<</red>');
  });

  // Goal: the disk's side says what a power cut now could take. Method: a flush stopped behind its first write.
  it('shows operations under way, and what on the disk is not durable', async () => {
    const { run } = await runActions(SCENARIO, [...REVERTED.slice(0, 4), { do: 'io', pick: 0 }]);
    const lines = threeWay(run);
    expect(lineOf(lines, 'segment 1')).toMatch(/segment 1 +- +- +host \d+ bytes 7:\[0,1\)\+ \(not live\)$/);
    expect(lineOf(lines, 'under way')).toMatch(/under way +sync host\/000000000001\.seg$/);
    expect(lineOf(lines, 'flush running')).toMatch(/true +true$/);
    const closed = threeWay((await runActions(SCENARIO, [])).run);
    expect(closed[0]).toContain('engine (none is open)');
  });

  // Goal: a segment that the disk does not have as model and engine believe is seen. Method: its file damaged at both ends.
  it('marks a segment whose file cannot be read', async () => {
    const { run } = await runActions(SCENARIO, REVERTED.slice(0, 5));
    expect(lineOf(threeWay(run), 'segment 1')).not.toContain('<<');
    for (const bit of [0, 8 * 100]) run.disk?.flipBit('host', '000000000001.seg', bit);
    run.disk?.truncate('host', '000000000001.seg', 90);
    expect(lineOf(threeWay(run), 'segment 1')).toMatch(/<<$/);
  });
});

/** A project that uses the package, whose sources are a copy with these files in them. */
function projectWith(files: ReadonlyMap<string, string | null>, test: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'exported-'));
  const kit = join(folder, 'kit');
  for (const part of ['src', 'model', 'conformance']) cpSync(join(ROOT, part), join(kit, part), { recursive: true });
  for (const [file, content] of files) writeFileSync(join(kit, file), content ?? '');
  const { name } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { name: string };
  const manifest = { name, version: '0.0.0', type: 'module', exports: { './conformance': './conformance/index.ts' } };
  writeFileSync(join(kit, 'package.json'), JSON.stringify(manifest));
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(kit, join(folder, 'node_modules', name));
  for (const used of ['vitest', 'fast-check', 'xstate', 'ts-pattern', 'commander', 'picocolors']) {
    symlinkSync(join(ROOT, 'node_modules', used), join(folder, 'node_modules', used));
  }
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'user', version: '0.0.0', type: 'module' }));
  writeFileSync(join(folder, 'kept.test.ts'), test);
  return folder;
}

function runNode(
  folder: string,
  line: readonly string[],
): Promise<{ readonly code: unknown; readonly output: string }> {
  const options = { cwd: folder, timeout: 60_000, env: { ...process.env, NO_COLOR: '1' } };
  return new Promise((resolve) => {
    execFile(process.execPath, line, options, (error, stdout, stderr) => {
      resolve({ code: error?.code ?? 0, output: stdout + stderr });
    });
  });
}

const runVitest = (folder: string) =>
  runNode(folder, [join(ROOT, 'node_modules/vitest/vitest.mjs'), 'run', '--root', folder]);

/** A short campaign that finds a broken revert. */
const LINE = ['--runs', '40', '--profile', 'wiced', '--seed', '7', '--json', '--no-evidence'] as const;

describe('the command', () => {
  // Goal: a saved trace is written in other forms, and each form replays. Method: a saved trace through the command, what it
  // wrote through it again; then a file that cannot be written.
  it('writes a saved trace as ITF and as a test, and replays the ITF', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'forms-'));
    try {
      const replay = (file: string, ...more: string[]) =>
        runNode(ROOT, ['conformance/cli/main.ts', '--replay', file, ...more]);
      const [itf, test] = [join(folder, 'a.itf.json'), join(folder, 'a.test.ts')];
      const first = await replay('conformance/regressions/inv-10-8892239e.json', '--itf', itf, '--export-test', test);
      expect(first).toMatchObject({ code: 0, output: expect.stringContaining(`written ${itf}`) as unknown });
      expect(readFileSync(test, 'utf8')).toContain("from 'imatrix-memory-manager/conformance'");
      const again = await replay(itf);
      expect(again.code).toBe(0);
      expect(again.output.split('\n').slice(1)).toEqual(first.output.split('\n').slice(3));
      const nowhere = await replay(itf, '--itf', join(folder, 'missing/a'));
      expect(nowhere.code).toBe(2);
      expect(nowhere.output).toMatch(
        /^conformance: cannot write .*; give a file in a folder that is there; see --help\n$/,
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('an exported test', () => {
  const V24 = EXHIBITS.find(({ id }) => id === 'V24');
  const text = exportTest(makeTrace(SCENARIO, REVERTED, 7, "INV-13: a 'revert' leaves the mark */ where it was"));

  // Goal: red for as long as the bug is there, green without it. Method: a bug of the museum planted in a copy that a user's
  // project has installed, the file run there by Vitest; then the same with the sound sources.
  it('is red where the bug is and green where it is not', async () => {
    if (V24 === undefined) throw new Error('no exhibit V24');
    const planted = projectWith(plantingOf(ROOT, V24).files, text);
    const sound = projectWith(new Map(), text);
    try {
      const red = await runVitest(planted);
      expect(red.output).toMatch(/1 failed/);
      expect(red.output).toContain('behind the failing step');
      expect(red.code).toBe(1);
      const found = join(planted, 'found');
      await runNode(planted, ['kit/conformance/cli/main.ts', ...LINE, '--no-regressions', '--out', found]);
      const saved = readdirSync(found)
        .filter((name) => name.endsWith('.json'))
        .sort();
      expect(saved.map((name) => name.replace(/^.*-[0-9a-f]{8}/, ''))).toEqual(['.itf.json', '.json']);
      expect(readTrace(join(found, saved[0] as string))).toEqual(readTrace(join(found, saved[1] as string)));
      const green = await runVitest(sound);
      expect(green.output).toMatch(/1 passed/);
      expect(green.code).toBe(0);
    } finally {
      rmSync(planted, { recursive: true });
      rmSync(sound, { recursive: true });
    }
  });
});
