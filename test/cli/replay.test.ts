/**
 * `imatrix-mm replay` as a user runs it, on recordings of our own: everything comes back, through power cuts too.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openStore } from '../../src/index.ts';
import { FIXTURES, imatrixMm, ROOT, scratchDirectory, writeScratch } from './scratch.ts';

const directory = scratchDirectory();
const ALL = ['bus.candump.log', 'boat.canboat.log', 'ship.nmea.log', 'plant.csv'].map((name) => join(FIXTURES, name));
const RECORDS = 203 + 170 + 160 + 359;

interface Result {
  readonly input: number;
  readonly skipped: number;
  readonly appended: number;
  readonly drained: number;
  readonly inRamAtCuts: number;
  readonly evicted: number;
  readonly refused: number;
  readonly powerCuts: readonly {
    readonly phase: string;
    readonly appended: number;
    readonly synced: number;
    readonly survived: number;
    readonly inRam: number;
  }[];
  readonly lostSynced: number;
  readonly altered: number;
  readonly duplicates: number;
  readonly duplicatesBeyondContract: number;
  readonly recordings: readonly { readonly drained: number; readonly records: number; readonly rounded: number }[];
  readonly flushes: number;
  readonly verdict: string;
}

const resultIn = (stdout: string): Result => JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as Result;

let stores = 0;
const newStore = (): string => join(directory, `store-${stores++}`);

/** A recording that fills a small pool many times: two buses' worth of frames. */
function longRecording(frames: number): string {
  const lines = Array.from({ length: frames }, (_, i) => {
    const time = (1_767_265_200 + i * 0.01).toFixed(6);
    const payload = Buffer.alloc(8);
    payload.writeUInt32LE((i * 40_503 * 65_537) % 2 ** 32, 0);
    payload.writeUInt32LE((i * 2_654_435_761) % 2 ** 32, 4);
    return `(${time}) can${i % 2} ${(0x18fe_f100 + (i % 7)).toString(16).toUpperCase()}#${payload.toString('hex')}`;
  });
  return writeScratch(directory, `${lines.join('\n')}\n`);
}

describe('replay', () => {
  it('gives every record of every form back, in one line of JSON', async () => {
    const store = newStore();
    const { code, stdout, stderr } = await imatrixMm(['replay', ...ALL, '--storage', store, '--json']);
    expect(stderr).toBe('');
    expect(stdout.split('\n').length).toBe(2);
    expect(resultIn(stdout)).toMatchObject({
      ...{ input: RECORDS, appended: RECORDS, drained: RECORDS, skipped: 0, powerCuts: [], inRamAtCuts: 0 },
      ...{ lostSynced: 0, altered: 0, duplicates: 0, evicted: 0, refused: 0, verdict: 'ok' },
    });
    expect(code).toBe(0);
    expect(readdirSync(store).filter((name) => name.startsWith('checkpoint-')).length).toBeGreaterThan(0);
  });

  it('waits for the flushes of a pool that is much smaller than the recording', async () => {
    const path = longRecording(4000);
    const args = ['replay', path, '--storage', newStore(), '--pool', '4KiB', '--sector', '64', '--json'];
    const { stdout } = await imatrixMm(args);
    const result = resultIn(stdout);
    expect(result).toMatchObject({ input: 8000, drained: 8000, verdict: 'ok' });
    expect(result.flushes).toBeGreaterThan(10);
  });

  it('keeps what the quota leaves and accounts for what was evicted', async () => {
    const path = longRecording(110_000);
    const args = ['replay', path, '--storage', newStore(), '--pool', '8KiB', '--quota', '1280KiB', '--json'];
    const { code, stdout } = await imatrixMm(args);
    const result = resultIn(stdout);
    expect(result.drained + result.evicted).toBe(220_000);
    expect(result.evicted).toBeGreaterThan(0);
    expect(result).toMatchObject({ lostSynced: 0, altered: 0, verdict: 'ok' });
    expect(code).toBe(0);
  });

  it('shows a table, the gauge with its mark and a verdict, without colour when it is not asked for', async () => {
    const { stdout } = await imatrixMm(['replay', ...ALL, '--storage', newStore(), '--quiet']);
    expect(stdout).toMatch(/bus\.candump\.log\s+candump\s+203\s+12\s+203\s+0\s+0\s+0/);
    expect(stdout).toMatch(/all\s+892\s+\d+\s+892/);
    expect(stdout).toMatch(/RAM {3}\[[= ]{24}\|[= ]{6}\]/);
    expect(stdout).toContain('columns left out: state');
    expect(stdout).toContain('VERDICT ok: every one of 892 records is accounted for.');
    expect(stdout.includes('\u001b')).toBe(false);
    const coloured = await imatrixMm(['replay', ...ALL, '--storage', newStore()], {
      env: { FORCE_COLOR: '1', NO_COLOR: '' },
    });
    expect(coloured.stdout).toContain('\u001b[32m');
    const plain = await imatrixMm(['replay', ...ALL, '--storage', newStore()], {
      env: { FORCE_COLOR: '1', NO_COLOR: '1' },
    });
    expect(plain.stdout.includes('\u001b')).toBe(false);
  });

  it('reads standard input, more than once', async () => {
    const input = readFileSync(ALL[0] as string, 'utf8');
    const { stdout } = await imatrixMm(['replay', '-', '--storage', newStore(), '--power-cut', '2', '--json'], {
      input,
    });
    expect(resultIn(stdout)).toMatchObject({ input: 203, verdict: 'ok' });
  });

  it('makes tsd of a column with a period and evt of the rest, exactly', async () => {
    const store = newStore();
    await imatrixMm(['replay', join(FIXTURES, 'plant.csv'), '--storage', store, '--keep', '--quiet']);
    await using opened = await openStore({ directory: store });
    const found = opened
      .streams()
      .map(({ sensor, kind, periodMs, type, marks }) => [sensor % 65_536, kind, periodMs, type, marks.unread]);
    expect(found).toEqual([
      [1, 'tsd', 10_000, 'float32', 120],
      [2, 'tsd', 10_000, 'uint32', 119],
      [3, 'tsd', 10_000, 'uint32', 120],
    ]);
    const [pressure] = opened.streams();
    const batch = await pressure?.read(72);
    expect(batch?.timesMs[69]).toBe(Date.UTC(2026, 2, 1) + 690_000);
    expect(batch?.timesMs[70]).toBe(Date.UTC(2026, 2, 1) + 730_000);
    expect(batch?.value(0)).toBe(Math.fround(1013.25));
  });
});

describe('a store with records in it', () => {
  it('is not touched, unless they are to be kept beside the new ones', async () => {
    const store = newStore();
    const bus = join(FIXTURES, 'bus.candump.log');
    await imatrixMm(['replay', bus, '--storage', store, '--keep', '--quiet']);
    const refused = await imatrixMm(['replay', bus, '--storage', store]);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(
      /^imatrix-mm: --storage .*: it holds 203 records of an earlier run; give another directory, or --keep/,
    );
    const kept = await imatrixMm([
      'replay',
      bus,
      '--storage',
      store,
      '--keep',
      '--json',
      '--power-cut',
      '3',
      '--pool',
      '4KiB',
    ]);
    const result = resultIn(kept.stdout);
    expect(result).toMatchObject({ input: 203, lostSynced: 0, altered: 0, verdict: 'ok' });
    expect(result.drained + result.inRamAtCuts).toBe(203);
    await using opened = await openStore({ directory: store });
    expect(opened.stats().retained).toBe(203 + result.drained);
  });

  it('that another run has open is refused by the name of its holder', async () => {
    const store = newStore();
    await using holder = await openStore({ directory: store });
    const { code, stderr } = await imatrixMm(['replay', join(FIXTURES, 'plant.csv'), '--storage', store]);
    expect(code).toBe(2);
    expect(stderr.trimEnd().split('\n').length).toBe(1);
    expect(stderr).toContain(`pid ${process.pid}`);
    expect(holder.stats().retained).toBe(0);
  });

  // Goal: the check can fail. Method: keep a run, change one value in the recording, compare the kept store with it by
  // hand-made damage: a byte of a segment is flipped, and the next run over it must notice.
  it('that was damaged gives a verdict other than ok', async () => {
    const store = newStore();
    const bus = join(FIXTURES, 'bus.candump.log');
    await imatrixMm(['replay', bus, '--storage', store, '--keep', '--quiet']);
    const [segment = ''] = readdirSync(join(store, 'can_controller'));
    const path = join(store, 'can_controller', segment);
    const bytes = readFileSync(path);
    bytes.writeUInt8((bytes.readUInt8(200) ^ 0x10) & 0xff, 200);
    writeFileSync(path, bytes);
    const { code, stdout } = await imatrixMm(['replay', bus, '--storage', store, '--keep', '--json']);
    expect(resultIn(stdout)).toMatchObject({ verdict: 'failed' });
    expect(code).toBe(1);
  });
});

describe('power cuts', () => {
  it('lose nothing that was synced, and every record is drained or in RAM at a cut', async () => {
    const path = longRecording(3000);
    for (const seed of [1, 7]) {
      const store = newStore();
      const args = [
        'replay',
        path,
        ...ALL,
        '--storage',
        store,
        '--pool',
        '16KiB',
        '--power-cut',
        '10',
        '--seed',
        `${seed}`,
      ];
      const { code, stdout, stderr } = await imatrixMm([...args, '--json', '--quiet']);
      expect(stderr).toBe('');
      const result = resultIn(stdout);
      expect(result).toMatchObject({ lostSynced: 0, altered: 0, duplicatesBeyondContract: 0, verdict: 'ok' });
      expect(result.powerCuts.length).toBe(10);
      expect(result.powerCuts.filter(({ phase }) => phase === 'drain').length).toBe(2);
      for (const { appended, synced, survived, inRam } of result.powerCuts) {
        expect(synced).toBeLessThanOrEqual(survived);
        expect(survived).toBeLessThanOrEqual(appended);
        expect(inRam).toBe(appended - survived);
      }
      const inRam = result.powerCuts.reduce((sum, cut) => sum + cut.inRam, 0);
      expect(result.drained + inRam).toBe(6000 + RECORDS);
      expect(result.inRamAtCuts).toBe(inRam);
      expect(code).toBe(0);
      rmSync(store, { recursive: true });
    }
  });

  it('fall at the same samples for the same seed', async () => {
    const of = async (seed: string): Promise<number[]> => {
      const args = ['replay', ...ALL, '--storage', newStore(), '--power-cut', '4', '--seed', seed, '--json', '--quiet'];
      const { powerCuts } = resultIn((await imatrixMm(args)).stdout) as unknown as {
        powerCuts: { atSample: number }[];
      };
      return powerCuts.map(({ atSample }) => atSample);
    };
    const [once, again, other] = await Promise.all([of('5'), of('5'), of('6')]);
    expect(again).toEqual(once);
    expect(other).not.toEqual(once);
  });
});

describe('the command', () => {
  it('says its version, with every part of it', async () => {
    const { stdout, code } = await imatrixMm(['--version']);
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
    expect(stdout).toMatch(/MEMORY_V2/);
    expect(stdout).toContain(version);
    expect(stdout).toMatch(/storage format \d+, Node \d+\.\d+\.\d+/);
    expect(code).toBe(0);
  });

  it.each([[[]], [['replay']]])('explains itself with an example: %s --help', async (command) => {
    const { stdout, stderr, code } = await imatrixMm([...command, '--help']);
    expect(stdout).toMatch(/Example.*:\n {2}imatrix-mm replay/);
    expect(stdout).not.toContain('replay-life');
    expect(stderr).toBe('');
    expect(code).toBe(0);
  });

  it('stops in good order when it is told to, and keeps what was stored', async () => {
    const path = longRecording(60_000);
    const store = newStore();
    let pid = 0;
    const ended = imatrixMm(['replay', path, '--storage', store, '--pool', '4KiB', '--sector', '64'], {
      onStart: (started) => {
        pid = started;
      },
    });
    while (!existsSync(join(store, 'can_controller')) || readdirSync(join(store, 'can_controller')).length === 0) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    process.kill(pid, 'SIGTERM');
    const { code, stderr } = await ended;
    expect(stderr).toMatch(/imatrix-mm: stopped; \d+ of 120000 records had been appended to /);
    expect(code).toBe(130);
    const appended = Number(/stopped; (\d+)/.exec(stderr)?.[1]);
    await using opened = await openStore({ directory: store });
    expect(opened.recovery.found).toBe('clean');
    expect(opened.stats().retained).toBe(appended);
  });

  it('ends quietly when nobody reads its output', () => {
    const main = `${join(ROOT, 'node_modules/.bin/node')} ${join(ROOT, 'src/cli/main.ts')}`;
    const shell = `${main} replay --help | head -n 1`;
    expect(execFileSync('sh', ['-c', shell], { encoding: 'utf8', stdio: 'pipe' })).toContain('Usage');
  });
});
