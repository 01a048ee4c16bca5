/** The arithmetic of wear: dimensions, directions, and the figures of a day that can be reckoned by hand. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dayOf } from '../../src/cli/wear/day.ts';
import { describedLoad } from '../../src/cli/wear/load.ts';
import { MemoryDisk } from '../../src/cli/wear/memory-disk.ts';
import type { Flash, Work } from '../../src/cli/wear/model.ts';
import {
  FLASHES,
  savingPercent,
  sqliteWear,
  storeWear,
  writePerRecordWear,
  yearsOf,
} from '../../src/cli/wear/model.ts';
import { wearReport } from '../../src/cli/wear/report.ts';
import { resolveSettings } from '../../src/index.ts';
import { unwrap } from '../core/workbench.ts';

const FLASH: Flash = { name: 'test', bytes: 1e9, cycles: 1000, writeAmplification: 2 };
const WORK: Work = { seconds: 86_400, records: 1e6, flushes: 24, pageBytes: 4e6, fileSyncs: 100, directorySyncs: 10 };

describe('years', () => {
  // Goal: the one formula. Method: a part of 1 GB and 1,000 cycles takes 1 TB; half of it at an amplification of 2.
  it('are size times cycles over what is written inside in a year', () => {
    expect(yearsOf(FLASH, 1e9) * 365.25).toBeCloseTo(500, 9);
    expect(yearsOf(FLASH, 0)).toBe(Number.POSITIVE_INFINITY);
  });

  // Goal: each argument acts in its own direction. Method: any part and load, each argument made larger alone.
  it('grow with size and cycles, and shrink with bytes and amplification', () => {
    const some = fc.double({ min: 1, max: 1e9, noNaN: true });
    fc.assert(
      fc.property(some, some, some, fc.double({ min: 1.01, max: 10, noNaN: true }), (bytes, cycles, perDay, factor) => {
        const flash = { name: 'any', bytes, cycles, writeAmplification: 1 };
        const years = yearsOf(flash, perDay);
        expect(yearsOf({ ...flash, bytes: bytes * factor }, perDay)).toBeGreaterThan(years);
        expect(yearsOf({ ...flash, cycles: cycles * factor }, perDay)).toBeGreaterThan(years);
        expect(yearsOf({ ...flash, writeAmplification: factor }, perDay)).toBeLessThan(years);
        expect(yearsOf(flash, perDay * factor)).toBeLessThan(years);
      }),
    );
  });
});

describe('the three ways', () => {
  it('are reckoned from the same records', () => {
    expect(writePerRecordWear(FLASH, WORK).deviceBytesPerRecord).toBe(8_300);
    expect(sqliteWear(FLASH, WORK, 1).deviceBytesPerRecord).toBe(9_855);
    expect(sqliteWear(FLASH, WORK, 1000).deviceBytesPerRecord).toBeCloseTo(64.8, 9);
    expect(storeWear(FLASH, WORK).deviceBytesPerDay).toBe(4e6 + 100 * 4_096 + 10 * (33_000 - 4_096));
    expect(storeWear(FLASH, { ...WORK, seconds: 43_200 }).deviceBytesPerDay).toBe(
      2 * storeWear(FLASH, WORK).deviceBytesPerDay,
    );
  });

  it('are compared with the best of the others', () => {
    const report = wearReport('a load', FLASH, WORK, 5_000);
    const [own, ...others] = report.ways;
    const best = Math.min(...others.map(({ deviceBytesPerDay }) => deviceBytesPerDay));
    expect(report.savingPercent).toBeCloseTo(100 * (1 - (own?.deviceBytesPerDay ?? 0) / best), 9);
    expect(others.map(({ atRisk }) => atRisk)).toEqual([5_000, 1_000, 1]);
    expect(savingPercent(writePerRecordWear(FLASH, WORK), sqliteWear(FLASH, WORK, 1000))).toBeLessThan(0);
  });

  it('have parts whose figures are numbers of the right kind', () => {
    for (const { bytes, cycles, writeAmplification } of FLASHES) {
      expect(bytes).toBeGreaterThan(1e6);
      expect(cycles).toBeGreaterThan(100);
      expect(writeAmplification).toBeGreaterThanOrEqual(1);
    }
  });
});

describe('a day', () => {
  const settings = unwrap(resolveSettings({ poolBytes: '64KiB' }));
  const onProgress = (): void => undefined;
  const load = describedLoad({ recordsPerSecond: 2, sensors: 10, seed: 3 });

  // Goal: what is counted is what the load gave. Method: a day of 2 a second, offline and online.
  it('has the records of the load, and flushes only what the cloud did not take', async () => {
    const offline = await dayOf(load, { settings, hoursOffline: 24, onProgress });
    expect(offline.records).toBeGreaterThan(172_700);
    expect(offline.records).toBeLessThanOrEqual(172_800);
    expect(offline.flushes).toBeGreaterThan(10);
    const online = await dayOf(load, { settings, hoursOffline: 0, onProgress });
    expect(online.flushes).toBe(0);
    expect(online.pageBytes).toBeLessThan(offline.pageBytes / 10);
    expect(online.atRiskMax).toBeLessThan(200);
  });

  it('is the same each time', async () => {
    const day = () => dayOf(load, { settings, hoursOffline: 6, onProgress });
    expect(await day()).toEqual(await day());
  });
});

describe('the disk in memory', () => {
  it('counts pages once a sync, however often they were written', async () => {
    const disk = new MemoryDisk();
    await disk.write('host', 'a', 0, new Uint8Array(10));
    await disk.write('host', 'a', 4_090, new Uint8Array(10));
    await disk.sync('host', 'a');
    await disk.write('host', 'a', 0, new Uint8Array(1));
    await disk.sync('host', 'a');
    await disk.syncDirectory();
    expect(disk.counts).toEqual({ bytes: 21, pageBytes: 3 * 4096, fileSyncs: 2, directorySyncs: 1 });
    const into = new Uint8Array(5_000);
    expect(await disk.read('host', 'a', 0, into)).toEqual({ ok: true, value: 4_100 });
    expect(await disk.list('host')).toEqual({ ok: true, value: [{ name: 'a', bytes: 4_100 }] });
  });
});
