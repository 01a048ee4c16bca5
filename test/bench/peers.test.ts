/**
 * The stores that the benchmark measures: each keeps what it is given, and one that does not is found out. A peer that
 * loses records would be a fast one.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { checkRecords } from '../../bench/ingest/check-records.ts';
import { type Load, referenceLoad } from '../../bench/load.ts';
import { PEERS, peerNamed } from '../../bench/peers/all.ts';
import type { PeerStore, Visit } from '../../bench/peers/peer.ts';

const directory = mkdtempSync(join(tmpdir(), 'imatrix-bench-test-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const SENSORS = 24;
const RECORDS = 600;
const BATCH_RECORDS = 100;
const load = referenceLoad(5, RECORDS, SENSORS);

function newDirectory(name: string): string {
  const made = join(directory, name);
  mkdirSync(made);
  return made;
}

async function fill(store: PeerStore, records = RECORDS): Promise<void> {
  for (let from = 0; from < records; from += BATCH_RECORDS) await store.writeBatch(load, from, from + BATCH_RECORDS);
  await store.settle();
}

describe.each(PEERS.map((peer) => [peer.name, peer] as const))('%s', (name, peer) => {
  // Goal: what a peer is measured with is in it afterwards. Method: write, close, open again, compare every record.
  test('gives back every value and time, each sensor in order', async () => {
    const own = newDirectory(name);
    const writing = await peer.open(own, load.sensors);
    await fill(writing);
    await writing.close();
    const reading = await peer.open(own, load.sensors);
    expect(await checkRecords(load, reading)).toBe(RECORDS);
    await reading.close();
  });

  // Goal: one sensor's records are that sensor's, all of them. Method: each sensor in turn, against the columns.
  test('gives back one sensor at a time', async () => {
    const store = await peer.open(newDirectory(`${name}-sensor`), load.sensors);
    await fill(store);
    for (const sensor of load.sensors.keys()) {
      const seen: number[] = [];
      await store.readSensor(sensor, (of, timeMs, bits) => seen.push(of, timeMs, bits));
      expect(seen).toEqual(recordsOf(load, sensor));
    }
    await store.close();
  });

  // Goal: the comparison can say no to this peer. Method: the last batch is never written.
  test('is found out when a batch is missing', async () => {
    const store = await peer.open(newDirectory(`${name}-missing`), load.sensors);
    await fill(store, RECORDS - BATCH_RECORDS);
    await expect(checkRecords(load, store)).rejects.toThrow('100 of 600 records are missing');
    await store.close();
  });
});

function recordsOf({ sensor, timeMs, bits, records }: Load, wanted: number): number[] {
  const found: number[] = [];
  for (let i = 0; i < records; i++) {
    if (sensor[i] === wanted) found.push(wanted, timeMs[i] as number, bits[i] as number);
  }
  return found;
}

/** A store that gives back what `bend` makes of the right records. */
const bent = (bend: (visit: Visit) => Visit): PeerStore => ({
  writeBatch: () => undefined,
  settle: () => undefined,
  readSensor: () => undefined,
  close: () => undefined,
  readAll: (visit) => {
    const through = bend(visit);
    for (let i = 0; i < RECORDS; i++) {
      through(load.sensor[i] as number, load.timeMs[i] as number, load.bits[i] as number);
    }
  },
});

// Goal: no kind of loss gets past the comparison. Method: a store that is right but for one thing.
describe('a store that is wrong in one thing is found out:', () => {
  const once = (then: (visit: Visit, sensor: number, timeMs: number, bits: number) => void): PeerStore => {
    let seen = 0;
    return bent((visit) => (sensor, timeMs, bits) => {
      seen++;
      if (seen === 300) then(visit, sensor, timeMs, bits);
      else visit(sensor, timeMs, bits);
    });
  };

  test('nothing, which passes', async () => {
    expect(
      await checkRecords(
        load,
        bent((visit) => visit),
      ),
    ).toBe(RECORDS);
  });

  test('one bit of a value', async () => {
    const store = once((visit, sensor, timeMs, bits) => visit(sensor, timeMs, (bits ^ 1) >>> 0));
    await expect(checkRecords(load, store)).rejects.toThrow(/record 12 of .* is bits \d+ at \d+, not bits \d+ at \d+/);
  });

  test('one millisecond of a time', async () => {
    const store = once((visit, sensor, timeMs, bits) => visit(sensor, timeMs + 1, bits));
    await expect(checkRecords(load, store)).rejects.toThrow('record 12 of');
  });

  test('a record twice', async () => {
    const store = once((visit, sensor, timeMs, bits) => {
      visit(sensor, timeMs, bits);
      visit(sensor, timeMs, bits);
    });
    await expect(checkRecords(load, store)).rejects.toThrow('record 13 of');
  });

  test('a record of another sensor', async () => {
    const store = once((visit, sensor, timeMs, bits) => visit((sensor + 1) % SENSORS, timeMs, bits));
    await expect(checkRecords(load, store)).rejects.toThrow('record 12 of');
  });

  test('a record more than there were', async () => {
    const more = bent((visit) => visit);
    const store: PeerStore = {
      ...more,
      readAll: async (visit) => {
        await more.readAll(visit);
        visit(3, 0, 0);
      },
    };
    await expect(checkRecords(load, store)).rejects.toThrow('has more records than were written');
  });
});

// Goal: a name that a child process is told is a peer or an error. Method: one that there is not.
test('a peer that nobody knows is named', () => {
  expect(() => peerNamed('redis')).toThrow('there is no peer redis; there are own, sqlite-rows');
});

describe('the reference load', () => {
  // Goal: a run can be repeated. Method: the same seed twice, another seed.
  test('is the same for the same seed and another one for another', () => {
    expect(referenceLoad(5, RECORDS, SENSORS)).toEqual(load);
    expect(referenceLoad(6, RECORDS, SENSORS).bits).not.toEqual(load.bits);
  });

  // Goal: it is what the page says: half tsd, three types, in turn, every value exact in its type. Method: its columns.
  test('is sensors in turn, half tsd and half evt, with values of their types', () => {
    const big = referenceLoad(1, 10_000, 200);
    expect(big.sensors.filter(({ kind }) => kind === 'tsd')).toHaveLength(100);
    expect(new Set(big.sensors.map(({ type }) => type))).toEqual(new Set(['float32', 'int32', 'uint32']));
    for (let i = 0; i < big.records; i++) {
      const type = big.sensors[big.sensor[i] as number]?.type;
      const bits = big.bits[i] as number;
      const value =
        type === 'float32' ? new Float32Array(Uint32Array.of(bits).buffer)[0] : type === 'int32' ? bits | 0 : bits;
      if (big.sensor[i] !== i % 200 || big.sequence[i] !== Math.floor(i / 200) || value !== big.value[i]) {
        throw new Error(`record ${i}: ${big.sensor[i]} ${big.sequence[i]} ${value} ${big.value[i]}`);
      }
    }
  });
});
