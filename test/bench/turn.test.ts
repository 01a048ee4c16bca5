/**
 * A turn of a peer: written in one process, killed, read in another, and what came out of it as rows. Small and untimed:
 * the way is the same as with five million records.
 */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { type Counting, countingHere, describeCounting, mayMount } from '../../bench/device/counting.ts';
import { type CountedTurn, countedTurn } from '../../bench/device/device-bytes.ts';
import { bytesRow } from '../../bench/device/groups.ts';
import { ratioRow } from '../../bench/ingest/groups.ts';
import { measureIngest, type Turn } from '../../bench/ingest/ingest.ts';
import { rotated, writeKillVerify } from '../../bench/ingest/turn.ts';

const directory = mkdtempSync(join(tmpdir(), 'imatrix-bench-test-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const RECORDS = 400;
const load = { kind: 'reference', seed: 3, records: RECORDS } as const;
const context = {
  ...{ quick: true, seed: 1, directory },
  progress: (): void => undefined,
};

// Goal: every repetition has every peer once, its records verified. Method: two peers, real processes.
test('each peer has its turn in each repetition, and every record is compared', async () => {
  const turns = await measureIngest(
    { ...context, repetitions: 1 },
    {
      ...{ peers: ['own', 'append-log'], batchRecords: 100, load, warmUpBatches: 1 },
    },
  );
  for (const peer of ['own', 'append-log']) {
    const verified = turns.get(peer)?.map((turn) => [turn.records, turn.batches, turn.verifiedRecords]);
    expect(verified).toEqual([[RECORDS, 4, RECORDS]]);
  }
  expect(readdirSync(directory)).toEqual([]);
});

// Goal: a store that loses a record fails the run, by name. Method: the log loses its last record before the kill.
test('a peer that loses what it took is named', async () => {
  const own = join(directory, 'loses');
  mkdirSync(own);
  const request = { peer: 'append-log', load, batchRecords: 100, directory: own, warmUpBatches: 0, settle: false };
  const log = join(own, 'store/append.log');
  const lossy = writeKillVerify(request, async () => truncateSync(log, statSync(log).size - 16));
  await expect(lossy).rejects.toThrow('append-log did not keep what it took: 1 of 400 records are missing');
});

// Goal: nobody always comes first. Method: as many repetitions as there are peers.
test('the order of peers changes from one repetition to the next', () => {
  const orders = [-1, 0, 1, 2, 3].map((by) => rotated(['a', 'b', 'c'], by).join(''));
  expect(orders).toEqual(['cab', 'abc', 'bca', 'cab', 'abc']);
});

const turn = (recordsPerSecond: number): Turn => ({
  ...{ load: 'a load', records: 10, batches: 1, seconds: 1, longestBatchMs: 1, processBytes: 0, verifiedRecords: 10 },
  recordsPerSecond,
});

// Goal: a ratio is of one repetition and against its best peer. Method: peers that take turns in being the best.
test('a ratio is against the best peer of the same repetition', () => {
  const demand = { id: 'i', title: 't', compare: 'at-least', demand: 3, unit: 'x', against: ['a', 'b'] } as const;
  const turns = new Map([
    ['own', [turn(100), turn(200), turn(300)]],
    ['a', [turn(50), turn(10), turn(10)]],
    ['b', [turn(10), turn(50), turn(100)]],
  ]);
  const row = ratioRow(demand, turns);
  expect(row).toMatchObject({ measured: 3, range: [2, 4], met: true });
  expect(row.raw).toMatchObject({ load: 'a load', ratios: [2, 4, 3] });
  expect(row).not.toHaveProperty('against');
});

// Goal: fewer bytes is a ratio above one, against the thriftiest. Method: as above, with bytes.
test('device bytes are held against the thriftiest writer of the same repetition', () => {
  const demand = { id: 'i', title: 't', compare: 'at-least', demand: 5, unit: 'x', against: ['a', 'b'] } as const;
  const bytes = (deviceBytesPerRecord: number): CountedTurn => ({
    ...turn(1),
    ...{ deviceBytes: 10 * deviceBytesPerRecord, deviceBytesPerRecord },
  });
  const turns = new Map([
    ['own', [bytes(2), bytes(2)]],
    ['a', [bytes(20), bytes(8)]],
    ['b', [bytes(12), bytes(30)]],
  ]);
  const row = bytesRow(demand, turns, 'counted');
  expect(row).toMatchObject({ measured: 5, range: [4, 6], met: true, note: 'counted' });
});

describe('device bytes', () => {
  const writer = { name: 'log', peer: 'append-log', batchRecords: 100, records: RECORDS };

  // Goal: what is counted is at least what was written, and not a multiple of it. Method: a log whose size is known.
  const counted = async (counting: Counting): Promise<void> => {
    const { deviceBytes, verifiedRecords } = await countedTurn(directory, load, writer, counting);
    expect(verifiedRecords).toBe(RECORDS);
    expect(deviceBytes).toBeGreaterThanOrEqual(RECORDS * 16);
    expect(deviceBytes).toBeLessThan(1_000_000);
    expect(readdirSync(directory)).not.toContain('log');
  };

  test('are counted for the process that writes', () => counted('process'));

  test.skipIf(countingHere() !== 'loop-device')('are counted at a loop device (needs root)', () =>
    counted('loop-device'),
  );

  // Goal: root without the right to mount is not asked to. Method: what the kernel says of a process, with and without.
  test('are counted at a device only by who may mount one', () => {
    expect(mayMount('Name:\tnode\nCapEff:\t000001ffffffffff\n')).toBe(true);
    expect(mayMount('Name:\tnode\nCapEff:\t00000000a80425fb\n')).toBe(false);
    expect(mayMount('Name:\tnode\n')).toBe(false);
  });

  // Goal: a figure says where it comes from. Method: both sentences.
  test('say where they were counted', () => {
    expect(describeCounting('loop-device')).toContain('loop device with ext4');
    expect(describeCounting('process')).toContain('/proc/self/io');
  });
});
