/**
 * The rows about single paths: append, pauses, drain, recovery, memory, bytes a record. Each is measured at a tiny size, by
 * the same way, and gives rows of the right shape; what is told from figures that are given is right. No time is judged.
 */
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { limitsText } from '../../bench/limits.ts';
import { referenceLoad } from '../../bench/load.ts';
import { describeMachine } from '../../bench/machine.ts';
import { appendRows, measureRates } from '../../bench/paths/append.ts';
import { bareLoop, makeCursors } from '../../bench/paths/bare-loop.ts';
import { densityRow, measureDensity, ofKind } from '../../bench/paths/density.ts';
import { drainRows, expectSame, measureDrain, sumsOf } from '../../bench/paths/drain.ts';
import { PATH_GROUPS } from '../../bench/paths/groups.ts';
import { limitOf, measureLimits } from '../../bench/paths/limits.ts';
import { measureMemory, memoryRow } from '../../bench/paths/memory.ts';
import { openOwn } from '../../bench/paths/open-own.ts';
import { histogramOf, producePaced, worstByBucket } from '../../bench/paths/paced.ts';
import { measurePauses, pauseRows } from '../../bench/paths/pauses.ts';
import { sinkPlatform, withSlowSync } from '../../bench/paths/platforms.ts';
import { readRecordings } from '../../bench/paths/recorded-streams.ts';
import { measureRecovery, recoveryRows } from '../../bench/paths/recovery.ts';
import type { BenchContext, MeasuredRow, RowDemand } from '../../bench/row.ts';

const root = mkdtempSync(join(tmpdir(), 'imatrix-paths-'));
let context: BenchContext;
let made = 0;

beforeEach(() => {
  const directory = join(root, String(made++));
  mkdirSync(directory);
  context = { quick: true, repetitions: 2, seed: 1, directory, progress: () => undefined };
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const demandsOf = (name: string): readonly RowDemand[] => PATH_GROUPS.find((group) => group.name === name)?.rows ?? [];

/** Rows of a group, in its order, each with its demand and figures above 0. */
function expectRows(name: string, rows: readonly MeasuredRow[]): void {
  expect(rows.map(({ id, title, compare, demand, unit }) => ({ id, title, compare, demand, unit }))).toEqual(
    demandsOf(name),
  );
  for (const { measured, range, raw } of rows) {
    expect(range[0]).toBeGreaterThan(0);
    expect(range[0]).toBeLessThanOrEqual(range[1]);
    expect(measured).toBeGreaterThan(0);
    expect(JSON.parse(JSON.stringify(raw))).toEqual(raw);
  }
}

describe('append', () => {
  const sizes = { records: 4_096, sensors: 8, batchRecords: 2_000 };

  // Goal: shares come from appends that happened. Method: small ones, every way; a refused append would end it.
  test('gives a share of the bare loop for append and for appendMany', async () => {
    const rates = await measureRates(context, sizes);
    for (const each of Object.values(rates)) expect(each).toHaveLength(2);
    expectRows('append', appendRows(rates, sizes));
  });

  // Goal: a share is that of the loop in the same repetition. Method: rates that are given.
  test('takes shares within a repetition', () => {
    const rate = { appendByClock: [10, 10], appendManyByClock: [20, 20] };
    const rates = { bareLoop: [100, 200], append: [25, 80], appendMany: [50, 90], ...rate };
    const [each, many] = appendRows(rates, sizes);
    expect([each?.measured, each?.range, each?.met]).toEqual([32.5, [25, 40], true]);
    expect([many?.measured, many?.range, many?.met]).toEqual([47.5, [45, 50], false]);
    expect(each?.raw.withoutTimeSharePercent).toEqual([10, 5]);
  });

  // Goal: the limit does the work that it says. Method: what lies in the columns after one batch.
  test('the bare loop puts each value into the column of its sensor', () => {
    const cursors = makeCursors(3, 7);
    bareLoop(cursors, Uint32Array.of(10, 20, 30, 11, 21, 31, 12), 7);
    expect(cursors.columns.map((column) => [...column])).toEqual([
      [10, 11, 12, 0],
      [20, 21, 0, 0],
      [30, 31, 0, 0],
    ]);
  });

  // Goal: flushes onto the disk that keeps nothing are flushes. Method: everything appended is synced afterwards.
  test('a store on a disk that keeps nothing flushes all the same', async () => {
    const load = referenceLoad(1, 40, 4);
    const { store, streams } = await openOwn(sinkPlatform(), load.sensors);
    for (let i = 0; i < load.records; i++) streams[i % 4]?.append(load.value[i] ?? 0, load.timeMs[i]);
    await store.flush();
    expect(streams.map(({ marks }) => marks.synced)).toEqual([10, 10, 10, 10]);
    await store.close();
  });
});

describe('pauses', () => {
  const sizes = { recordsPerSecond: 20_000, seconds: 0.15, sensors: 8, batchRecords: 1_000, syncDelayMs: 20 };

  // Goal: the three producers run, flush, and give both rows. Method: a tenth of the pace for a moment.
  test('gives both rows, with histogram, series and flushes', async () => {
    const measured = await measurePauses(context, sizes);
    expectRows('pauses', pauseRows(measured, sizes));
    for (const [producer, runs] of Object.entries(measured.repetitions)) {
      expect(runs).toHaveLength(2);
      for (const { records, flushes, appendMs } of runs) {
        expect(records).toBeGreaterThan(0);
        expect(flushes > 0).toBe(producer !== 'nothing');
        expect(appendMs.p50).toBeLessThanOrEqual(appendMs.max);
      }
    }
    expect(measured.series.own?.flushesMs.length).toBeGreaterThan(0);
    expect(readdirSync(context.directory)).toEqual([]);
  });

  // Goal: the rows are ratios of medians, their range that within the repetitions. Method: longest appends that are given.
  test('compares medians of the longest append', () => {
    const runs = (...longest: number[]) =>
      longest.map((max) => {
        const histogram = { p50: 0, p99: 0, p99_9: 0, p99_99: 0, max };
        return { records: 100, seconds: 1, appendMs: histogram, lateMs: histogram, flushes: 1, longestFlushMs: 1 };
      });
    const repetitions = {
      own: runs(1, 2, 4),
      ownSlowSync: runs(2, 3, 4),
      sqlite: runs(400, 900, 500),
      nothing: runs(0.5, 0.1, 0.2),
    };
    const [sqlite, slow] = pauseRows({ repetitions, series: {} }, sizes);
    expect([sqlite?.measured, sqlite?.range, sqlite?.met]).toEqual([250, [125, 450], true]);
    expect([slow?.measured, slow?.range, slow?.met]).toEqual([1.5, [1, 2], true]);
    expect(sqlite?.note).toContain('it kept 100 records a second');
    expect(slow?.note).toContain('stood still for 0.20 ms, and once for 0.50');
  });

  // Goal: every record is handed over once, in order, and timed. Method: a producer that writes down what it gets.
  test('a paced producer hands over all records in order', async () => {
    const seen: number[] = [];
    const run = await producePaced({ recordsPerSecond: 5_000, seconds: 0.02 }, (i) => seen.push(i));
    expect(seen).toEqual(Array.from({ length: 100 }, (_, i) => i));
    expect([run.records, run.tookMs.length, run.beganMs.length, run.lateMs.length]).toEqual([100, 100, 100, 100]);
  });

  // Goal: percentiles are those of all values. Method: a thousand values whose percentiles are known.
  test('a histogram is of all values', () => {
    const values = Float64Array.from({ length: 1_000 }, (_, i) => ((i * 7) % 1_000) + 1);
    expect(histogramOf(values)).toEqual({ p50: 501, p99: 991, p99_9: 1_000, p99_99: 1_000, max: 1_000 });
    expect(() => histogramOf(new Float64Array(0))).toThrow('of no value');
  });

  // Goal: the chart shows the worst of each ten milliseconds. Method: calls at known times.
  test('the longest call of each bucket is kept', () => {
    const columns = {
      beganMs: Float64Array.of(0, 9, 31),
      tookMs: Float64Array.of(2, 0.5, 1),
      lateMs: new Float64Array(3),
    };
    expect(worstByBucket({ records: 3, seconds: 0.04, startedMs: 0, ...columns })).toEqual([2, 0, 0, 1]);
  });

  // Goal: only syncs are late. Method: the order in which operations end on the slowed platform.
  test('the slow disk delays syncs and nothing else', async () => {
    const { disk } = withSlowSync(sinkPlatform(), 20);
    const ended: string[] = [];
    const note = (what: string, work: Promise<unknown> | undefined) => work?.then(() => ended.push(what));
    await Promise.all([
      note('sync', disk?.sync('', 'a')),
      note('syncDirectory', disk?.syncDirectory('')),
      note('write', disk?.write('', 'a', 0, new Uint8Array(1))),
    ]);
    expect(ended).toEqual(['write', 'sync', 'syncDirectory']);
  });
});

describe('drain', () => {
  const sizes = { records: 600, sensors: 6, batchRecords: 200, smallBatchRecords: 50, smallRecords: 100 };

  // Goal: both stores give back what was written, and the rows say how fast. Method: real stores, small.
  test('gives its rows', async () => {
    expectRows('drain', drainRows(await measureDrain(context, sizes), sizes));
    expect(readdirSync(context.directory)).toEqual([]);
  });

  // Goal: a drain that loses or alters a record is no measurement. Method: sums of other records.
  test('is refused when other records came than were written', () => {
    const load = referenceLoad(1, 600, 6);
    const altered = { ...load, bits: load.bits.map((bits, i) => (i === 17 ? bits + 1 : bits)) };
    const later = { ...load, timeMs: load.timeMs.map((timeMs, i) => (i === 17 ? timeMs + 1 : timeMs)) };
    expect(() => expectSame(sumsOf(load, 600), sumsOf(load, 600))).not.toThrow();
    for (const other of [sumsOf(load, 599), sumsOf(altered, 600), sumsOf(later, 600)]) {
      expect(() => expectSame(other, sumsOf(load, 600))).toThrow('others than were written');
    }
  });
});

describe('recovery', () => {
  const sizes = { storeBytes: 60_000, sensors: 6, batchRecords: 2_000 };

  // Goal: a store that nobody closed is opened by new processes, and its files are read by others. Method: a small one.
  test('gives the share of a bare read', async () => {
    const measured = await measureRecovery({ ...context, repetitions: 1 }, sizes, false);
    expect(measured.records % sizes.batchRecords).toBe(0);
    expect(measured.bytes).toBeGreaterThan(sizes.batchRecords);
    const [row, ...others] = recoveryRows(measured);
    expect(others).toEqual([]);
    expect(row?.note).toContain('Cold recovery was not measured');
    expect(row?.measured).toBeGreaterThan(0);
  });

  // Goal: warm is a share, cold a multiple, each within its repetition. Method: seconds that are given.
  test('compares warm with warm and cold with cold', () => {
    const seconds = { openWarm: [2, 4], readWarm: [1, 1], openCold: [6, 12], readCold: [5, 8] };
    const [warm, cold] = recoveryRows({ seconds, bytes: 10, records: 5, notCold: null });
    expect([warm?.measured, warm?.range, warm?.met]).toEqual([37.5, [25, 50], false]);
    expect([cold?.measured, cold?.range, cold?.met]).toEqual([1.35, [1.2, 1.5], false]);
    expectRows('recovery', [warm, cold] as MeasuredRow[]);
  });
});

describe('memory', () => {
  const sizes = { seconds: 0.3, sensors: 20, recordsPerSecond: 2_000, batchRecords: 100, uploadPerSecond: 2_000 };

  // Goal: both processes run, the working one flushes and uploads. Method: for a moment.
  test('looks at an idle process and at one with a store at work', async () => {
    const measured = await measureMemory({ ...context, repetitions: 1 }, sizes);
    const [idle, load] = [measured.idle[0], measured.load[0]];
    expect([idle?.appended, load?.appended]).toEqual([0, 600]);
    expect(load?.flushes).toBeGreaterThan(1);
    expect(load?.uploaded).toBeGreaterThan(0);
    expectRows('memory', [{ ...memoryRow(measured, sizes), measured: 1, range: [1, 1] }]);
  });

  // Goal: growth is against the idle process of the same repetition. Method: resident sets that are given.
  test('takes the idle process away', () => {
    const at = (...megabytes: number[]) => ({
      rssBytes: megabytes.map((each) => each * 1e6),
      ...{ appended: 0, flushes: 0, uploaded: 0 },
    });
    const row = memoryRow({ idle: [at(50), at(60)], load: [at(60, 61, 90), at(68)], unpaced: at(80) }, sizes);
    expect([row.measured, row.range, row.met]).toEqual([9.5, [8, 11], true]);
    expect(row.raw.highestLoadMegabytes).toEqual([90, 68]);
  });
});

describe('bytes a record', () => {
  // Goal: the figure is about records that come back. Method: the real recordings that are there, both kinds apart.
  test('gives the row for the recordings, compared bit by bit', async () => {
    const recorded = await readRecordings();
    const tsd = ofKind(recorded, 'tsd');
    expect(tsd.stream.length + ofKind(recorded, 'evt').stream.length).toBe(recorded.stream.length);
    const measured = await measureDensity(context.directory, tsd, '64KiB');
    expect(measured.records).toBe(tsd.stream.length);
    expect(measured.bytesPerRecord).toBe(measured.bytes / measured.records);
    expectRows('density', [densityRow({ tsdSmallPool: measured }, recorded)]);
  });

  // Goal: a record that comes back another one ends the measurement. Method: a time that the grid of its stream moves.
  test('is refused when a record comes back altered', async () => {
    const [plan] = ofKind(await readRecordings(), 'tsd').streams.filter(({ kind }) => kind === 'tsd');
    const stream = { ...(plan as NonNullable<typeof plan>), periodMs: 1_000 };
    const recorded = { files: [], missing: [], streams: [stream], stream: [0, 0], bits: [1, 2] };
    const { bytesPerRecord } = await measureDensity(context.directory, { ...recorded, timeMs: [0, 1_000] }, '64KiB');
    expect(bytesPerRecord).toBeGreaterThan(0);
    const moved = measureDensity(join(context.directory, 'moved'), { ...recorded, timeMs: [0, 1_001] }, '64KiB');
    await expect(moved).rejects.toThrow('came back as another one than was stored');
  });

  // Goal: a figure without some recordings says so. Method: figures that are given, of recordings that are not there.
  test('says which recordings were not there', () => {
    const some = { records: 10, streams: 1, segments: 1, bytes: 15, bytesPerRecord: 1.5 };
    const row = densityRow({ tsdSmallPool: some }, { files: ['a.csv'], missing: ['b.log'], streams: [] });
    expect([row.measured, row.met]).toEqual([1.5, true]);
    expect(row.note).toContain('Not there, and so not in the figure: b.log.');
    expect(() => densityRow({}, { files: ['b.log'], missing: [], streams: [] })).toThrow('none of the recordings');
  });
});

describe('the limits of the machine', () => {
  const sizes = { memoryBytes: 1 << 20, syncs: 2, files: 2, sensors: 6, records: 600, rounds: 2, storeBytes: 30_000 };

  // Goal: each limit is measured with the store beside it, and nothing stays. Method: all of them, small.
  test('are measured beside what the store reaches', async () => {
    const limits = await measureLimits({ ...context, repetitions: 1 }, sizes);
    const ids = ['bare-loop', 'crc32', 'memcpy', 'overwrite-sync', 'create-sync', 'append-sync', 'read'];
    expect(limits.map(({ id }) => id)).toEqual(ids);
    for (const { limitPerSecond, reachedPerSecond, sharePercent } of limits) {
      for (const figure of [limitPerSecond, reachedPerSecond, sharePercent]) expect(figure).toBeGreaterThan(0);
    }
    expect(readdirSync(context.directory)).toEqual([]);
  });

  // Goal: shares are taken within a repetition, and a slow operation is told by itself. Method: efforts that are given.
  test('are medians, and shares within a repetition', () => {
    const effort = (units: number) => ({ units, operations: 4, seconds: 2 });
    const kind = { id: 'a', title: 'A', unit: 'bytes', slow: true, reaches: 'flush', reachesTitle: 'a flush' } as const;
    const limit = limitOf(kind, [effort(100), effort(200), effort(400)], [effort(40), effort(200), effort(160)]);
    expect([limit.limitPerSecond, limit.limitRange, limit.operationMs]).toEqual([100, [50, 200], 500]);
    expect([limit.reachedPerSecond, limit.sharePercent]).toEqual([80, 40]);
    expect(limitOf({ ...kind, slow: false }, [effort(1)], [effort(1)]).operationMs).toBeNull();
  });

  // Goal: people see what programs get. Method: the text of a report that is given.
  test('are a table with rates, times of slow operations and shares', () => {
    const limit = { id: 'a', title: 'a sync', unit: 'bytes', limitPerSecond: 12_345_678, limitRange: [1, 2] } as const;
    const reached = { reached: 'a flush', reachedPerSecond: 2.5e6, sharePercent: 20.25, operationMs: 5.125 };
    const machine = describeMachine(root, 'nowhere');
    const text = limitsText({
      machine,
      run: { seed: 7, quick: false, repetitions: 5 },
      limits: [{ ...limit, ...reached }],
    });
    expect(text).toMatch(/a sync \(5\.13 ms each\) +12\.3 MB\/s +a flush +2\.50 MB\/s +20 %/);
    expect(text).toContain('medians of 5 repetitions; seed 7.');
  });
});
