/** What `imatrix-mm wear` says: three ways of storing beside each other, and the sentence that reads them. */
import { bytesText, table, thousands } from '../screen.ts';
import type { Flash, Wear, Work } from './model.ts';
import {
  APPEND_SYNC_DEVICE_BYTES,
  DIRECTORY_SYNC_DEVICE_BYTES,
  FILE_SYNC_DEVICE_BYTES,
  SQLITE_COMMIT_DEVICE_BYTES,
  SQLITE_ROW_DEVICE_BYTES,
  savingPercent,
  sqliteWear,
  storeWear,
  writePerRecordWear,
} from './model.ts';

const SQLITE_ROWS_USUAL = 1000;
const SECONDS_PER_HOUR = 3600;

export interface WearReport {
  readonly load: string;
  readonly flash: Flash;
  readonly recordsPerDay: number;
  readonly flushesPerHour: number;
  /** Records that a power cut takes at the worst moment; null where it was not looked at. */
  readonly recordsAtRisk: number | null;
  readonly ways: readonly ({ readonly way: string; readonly atRisk: number | null } & Wear)[];
  /** Of this store against the best of the others, in percent. */
  readonly savingPercent: number;
  readonly assumptions: readonly string[];
}

export function wearReport(load: string, flash: Flash, work: Work, recordsAtRisk: number | null): WearReport {
  const own = storeWear(flash, work);
  const rows = Math.max(SQLITE_ROWS_USUAL, recordsAtRisk ?? 0);
  const others = [
    { way: `SQLite rows, ${thousands(rows)} a commit`, atRisk: rows, ...sqliteWear(flash, work, rows) },
    {
      way: `SQLite rows, ${thousands(SQLITE_ROWS_USUAL)} a commit`,
      atRisk: SQLITE_ROWS_USUAL,
      ...sqliteWear(flash, work, SQLITE_ROWS_USUAL),
    },
    { way: 'a write and a sync for each record', atRisk: 1, ...writePerRecordWear(flash, work) },
  ].filter(({ way }, i, all) => all.findIndex((each) => each.way === way) === i);
  const best = others.reduce((low, each) => (each.deviceBytesPerDay < low.deviceBytesPerDay ? each : low));
  return {
    load,
    flash,
    recordsPerDay: (work.records / work.seconds) * SECONDS_PER_HOUR * 24,
    flushesPerHour: (work.flushes / work.seconds) * SECONDS_PER_HOUR,
    recordsAtRisk,
    ways: [{ way: 'this store', atRisk: recordsAtRisk, ...own }, ...others],
    savingPercent: savingPercent(own, best),
    assumptions: [
      `each sync of a file adds ${thousands(FILE_SYNC_DEVICE_BYTES)} bytes at the device, one of a directory ${thousands(DIRECTORY_SYNC_DEVICE_BYTES)}`,
      `an append that is synced costs ${thousands(APPEND_SYNC_DEVICE_BYTES)} bytes at the device`,
      `a commit of SQLite (WAL, FULL) costs ${thousands(SQLITE_COMMIT_DEVICE_BYTES)} bytes, each further row ${SQLITE_ROW_DEVICE_BYTES}`,
      `${flash.name}: ${bytesText(flash.bytes)}, ${thousands(flash.cycles)} cycles, ${flash.writeAmplification} bytes written inside for each byte given`,
    ],
  };
}

const yearsText = (years: number): string =>
  years >= 1000 ? 'over 1,000' : years >= 10 ? thousands(years) : years.toFixed(years >= 1 ? 1 : 3);

export function wearText(report: WearReport): string {
  const { load, recordsPerDay, flushesPerHour, ways } = report;
  const rows = ways.map(({ way, atRisk, deviceBytesPerDay, deviceBytesPerRecord, years }) => [
    way,
    atRisk === null ? 'not known' : thousands(atRisk),
    bytesText(deviceBytesPerDay),
    deviceBytesPerRecord.toFixed(1),
    yearsText(years),
  ]);
  return [
    `${load}: ${thousands(recordsPerDay)} records a day, ${flushesPerHour.toFixed(2)} flushes an hour`,
    '',
    table(
      ['way', 'records at risk', 'device bytes a day', 'bytes a record', `years on ${report.flash.name}`],
      rows,
      [1, 2, 3, 4],
    ),
    '',
    `This store wears the flash ${report.savingPercent.toFixed(1)} % less than the best of the others.`,
    '',
    'Reckoned with:',
    ...report.assumptions.map((each) => `  ${each}`),
  ].join('\n');
}
