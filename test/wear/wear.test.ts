/** The command `imatrix-mm wear`: loads in, years out, and one line for what makes no sense. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openStore } from '../../src/index.ts';
import { FIXTURES, imatrixMm, scratchDirectory } from '../cli/scratch.ts';

const SMALL = ['--rate', '2', '--sensors', '10', '--pool', '64KiB'];

describe('imatrix-mm wear', () => {
  it('says what a load writes, beside the other ways, and what it is reckoned with', async () => {
    const { code, stdout } = await imatrixMm(['wear', ...SMALL]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^2 records a second of 10 sensors, 6 hours of the day offline: 172,\d{3} records a day/);
    for (const way of ['this store', 'SQLite rows, 1,000 a commit', 'a write and a sync for each record']) {
      expect(stdout).toContain(way);
    }
    expect(stdout).toMatch(/This store wears the flash \d+\.\d % less than the best of the others\./);
  });

  it('gates the saving, and takes a part by its figures', async () => {
    const sized = ['--size', '1GiB', '--cycles', '10', '--write-amplification', '1', '--json'];
    const { code, stdout } = await imatrixMm(['wear', ...SMALL, ...sized, '--gate', '50']);
    const report = JSON.parse(stdout);
    expect(code).toBe(0);
    expect(report.flash).toMatchObject({ bytes: 2 ** 30, cycles: 10, writeAmplification: 1 });
    const [own] = report.ways;
    expect(own.years).toBeCloseTo((2 ** 30 * 10) / (own.deviceBytesPerDay * 365.25), 6);
    const short = await imatrixMm(['wear', ...SMALL, '--gate', '99.99']);
    expect(short.code).toBe(1);
    expect(short.stderr).toMatch(/it saves \d+\.\d %, --gate asks for 99\.99 %/);
  });

  it('plays recordings on and on', async () => {
    const { code, stdout } = await imatrixMm(['wear', join(FIXTURES, 'plant.csv'), '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout).recordsPerDay).toBeGreaterThan(1);
  });

  it('takes the figures of a store in use', async () => {
    const directory = join(scratchDirectory(), 'store');
    const store = await openStore({ directory });
    const stream = store.stream('host', 1, { kind: 'tsd', periodMs: 1000 });
    for (let i = 0; i < 1000; i++) stream.append(i, 1_700_000_000_000 + i * 1000);
    await store.close();
    const { code, stdout } = await imatrixMm(['wear', '--store', directory, '--days', '1', '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ recordsPerDay: 1000, recordsAtRisk: null });
    const young = await imatrixMm(['wear', '--store', directory]);
    expect([young.code, young.stderr]).toEqual([2, expect.stringMatching(/less than an hour old.*give --days/)]);
  });

  it.each([
    [['--rate', '0'], /--rate.*Give a number from 0.001 to 2000/],
    [['--sensors', '1.5'], /--sensors.*Give a whole number from 1 to 2048/],
    [['--device', 'tape'], /--device tape: it is none of emmc-4g-mlc/],
    [['--size', 'big'], /--size is 'big': write a whole number with B, KiB/],
    [['--pool', '1'], /poolBytes is 1/],
    [['nowhere.csv'], /nowhere\.csv: no such file/],
    [['nowhere.csv', '--store', 'x'], /--store and a recording are given: give one of them/],
    [['--store', 'nowhere'], /nowhere/],
  ])('refuses %s in one line', async (args, message) => {
    const { code, stdout, stderr } = await imatrixMm(['wear', ...args]);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(message);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });
});
