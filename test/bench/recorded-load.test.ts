/** The load of real recordings: small ones here, of the same forms. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { checkRecords } from '../../bench/ingest/check-records.ts';
import { peerNamed } from '../../bench/peers/all.ts';
import { missingRecordings, recordedLoad } from '../../bench/recorded-load.ts';

const directory = mkdtempSync(join(tmpdir(), 'imatrix-bench-test-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const CSV = ['time,temperature', ...Array.from({ length: 6 }, (_, i) => `2026-01-01T00:0${i}:00Z,${20 + i / 2}`)];
const CAN = ['(1767225600.000000) can0 123#0000000100000002', '(1767225600.250000) can0 123#0000000300000004'];
writeFileSync(join(directory, 'machine.csv'), `${CSV.join('\n')}\n`);
writeFileSync(join(directory, 'bus.log'), `${CAN.join('\n')}\n`);
const FILES = ['bus.log', 'machine.csv'];

// Goal: recordings are played side by side, again and again, and later each time. Method: two small ones, by hand.
test('recordings are played at once and repeated later in time', async () => {
  const load = await recordedLoad(20, directory, FILES);
  expect(load.sensors.map(({ source, kind, type, periodMs }) => [source, kind, type, periodMs])).toEqual([
    ['can_controller', 'evt', 'uint32', 0],
    ['can_controller', 'evt', 'uint32', 0],
    ['mgc', 'tsd', 'float32', 60_000],
  ]);
  // Four samples of the bus and six of the machine: each is spread over the ten.
  expect([...load.sensor.subarray(0, 10)]).toEqual([0, 2, 2, 1, 2, 0, 2, 2, 1, 2]);
  expect([...load.sensor.subarray(10)]).toEqual([...load.sensor.subarray(0, 10)]);
  const laterMs = (load.timeMs[11] as number) - (load.timeMs[1] as number);
  expect(laterMs % 60_000).toBe(0);
  expect(laterMs).toBeGreaterThan(5 * 60_000);
  const temperature = [...load.value].filter((_, i) => load.sensor[i] === 2);
  expect(temperature).toEqual([20, 20.5, 21, 21.5, 22, 22.5, 20, 20.5, 21, 21.5, 22, 22.5]);
  expect([...load.sequence].filter((_, i) => load.sensor[i] === 2)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
});

// Goal: this store gives it back exactly, the seam between two rounds included. Method: written, read, compared.
test('recordings come back as they were', async () => {
  const load = await recordedLoad(200, directory, FILES);
  const store = await peerNamed('own').open(join(directory, 'store'), load.sensors);
  for (let from = 0; from < 200; from += 40) await store.writeBatch(load, from, from + 40);
  expect(await checkRecords(load, store)).toBe(200);
  await store.close();
});

// Goal: what is not there is named, so that a row can say what it was not measured on. Method: an empty place.
test('recordings that are missing are named', () => {
  expect(missingRecordings(directory)).toEqual([
    'nmea2000-boat.candump.log',
    'ublox-m9n.nmea.log',
    'telit-he910.nmea.log',
    'machine-temperature.csv',
  ]);
});
