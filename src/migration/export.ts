/**
 * Writes what a store retains as the files of the first memory manager, so that a program which was rolled back finds its
 * records, and a map by which they can be imported again. Reads without opening the store: nothing in it counts as read.
 *
 * The old form knows less. Of evt times the milliseconds are lost, and seconds end in the year 2106; tsd files have no
 * times, so that a new file begins wherever a stream leaves its grid, and the map says when; damaged and lost records are not
 * there. What is lost is counted. The directory appears whole or not at all.
 */
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Source } from '../core/types.ts';
import { SOURCES } from '../core/types.ts';
import type { DumpedRecord } from '../operator/dump.ts';
import { dump } from '../operator/dump.ts';
import type { Place } from '../operator/read-only-store.ts';
import { mustLook } from '../operator/read-only-store.ts';
import type { OldState } from './old-format.ts';
import {
  encodeMetadata,
  encodeRecords,
  encodeState,
  OLD_FILE_BYTES_MAX,
  OLD_RECORD_BYTES,
  sectorFileName,
  stateFileName,
} from './old-format.ts';

export interface ExportedStream {
  readonly stream: string;
  readonly kind: string;
  readonly records: number;
  readonly files: number;
  readonly sum: bigint;
  /** Records whose time lost its milliseconds. */
  readonly roundedTimes: number;
  /** Records whose time no u32 of seconds holds: the last one that does stands in its place. */
  readonly timesOutOfRange: number;
}

export interface ExportReport {
  readonly streams: readonly ExportedStream[];
  readonly records: number;
  readonly files: number;
  readonly sum: bigint;
  /** Sensors whose id is also one of another source, so that the old form has no state for them. */
  readonly withoutState: readonly string[];
}

export interface ExportOptions {
  readonly onProgress?: (records: number) => void;
}

/** What stands in the way of an export. */
export class ExportError extends Error {
  override readonly name = 'ExportError';
}

export const MAP_NAME = 'import-map.json';
const SECONDS_MAX = 0xffff_ffff;

/**
 * @param target a directory that is not there, or is empty.
 * @throws ExportError; what the system says; what a damaged store does not give is not in the files, as in a dump.
 */
export async function exportStore(place: Place, target: string, options: ExportOptions = {}): Promise<ExportReport> {
  const there = namesOf(target);
  if (there !== null && there.length > 0)
    throw new ExportError(`${target} is not empty; give a directory that is not there yet, nothing is overwritten`);
  const parent = dirname(target);
  const made = join(parent, `.${basename(target)}.${process.pid}.new`);
  mkdirSync(made, { recursive: true });
  try {
    const report = await new Export(made, options).run(place);
    if (there !== null) rmdirSync(target);
    renameSync(made, target);
    syncDirectory(parent);
    return report;
  } catch (error) {
    rmSync(made, { recursive: true, force: true });
    throw error;
  }
}

function namesOf(path: string): readonly string[] | null {
  try {
    return readdirSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

function writeFile(path: string, bytes: Uint8Array): void {
  const fd = openSync(path, 'wx');
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function syncDirectory(path: string): void {
  const fd = openSync(path, 'r');
  fsyncSync(fd);
  closeSync(fd);
}

/** Records that go into one file. */
interface OpenFile {
  readonly bits: number[];
  readonly seconds: number[];
  readonly firstTimeMs: number;
  lastTimeMs: number;
}

interface StreamTally {
  readonly source: Source;
  readonly sensor: number;
  readonly record: DumpedRecord;
  readonly periodMs: number;
  records: number;
  files: number;
  sum: bigint;
  rounded: number;
  outOfRange: number;
  firstSector: number;
  lastSector: number;
  recordsInLast: number;
  lastSeconds: number;
}

class Export {
  readonly #root: string;
  readonly #options: ExportOptions;
  readonly #tallies: StreamTally[] = [];
  readonly #nextSector = new Map<Source, number>();
  readonly #lastFile = new Map<Source, Parameters<typeof encodeMetadata>[0]>();
  readonly #map: object[] = [];
  #file: OpenFile | null = null;
  #records = 0;

  constructor(root: string, options: ExportOptions) {
    this.#root = root;
    this.#options = options;
  }

  async run(place: Place): Promise<ExportReport> {
    for (const source of SOURCES) mkdirSync(join(this.#root, source));
    mkdirSync(join(this.#root, 'state'));
    const periods = new Map<string, number>();
    const seen = await mustLook(place);
    for (const { source, sensor, periodMs } of seen.streams) periods.set(`${source}/${sensor}`, periodMs);
    for await (const record of dump(place, {}, 'stream')) this.#take(record, periods);
    this.#endFile();
    this.#writeRest();
    return this.#report();
  }

  #take(record: DumpedRecord, periods: ReadonlyMap<string, number>): void {
    const { source, sensor, kind, timeMs, bits } = record;
    let tally = this.#tallies.at(-1);
    if (tally?.source !== source || tally.sensor !== sensor) {
      this.#endFile();
      tally = {
        ...{ source, sensor, record, periodMs: periods.get(`${source}/${sensor}`) ?? 0 },
        ...{ records: 0, files: 0, sum: 0n, rounded: 0, outOfRange: 0 },
        ...{ firstSector: -1, lastSector: -1, recordsInLast: 0, lastSeconds: 0 },
      };
      this.#tallies.push(tally);
    }
    const file = this.#file;
    const offGrid = kind === 'tsd' && file !== null && timeMs !== file.lastTimeMs + tally.periodMs;
    const full = file !== null && (file.bits.length + 1) * OLD_RECORD_BYTES[kind] > OLD_FILE_BYTES_MAX;
    if (offGrid || full) this.#endFile();
    this.#file ??= { bits: [], seconds: [], firstTimeMs: timeMs, lastTimeMs: timeMs };
    const seconds = Math.min(SECONDS_MAX, Math.floor(timeMs / 1_000));
    this.#file.bits.push(bits);
    this.#file.seconds.push(seconds);
    this.#file.lastTimeMs = timeMs;
    tally.records++;
    tally.sum += BigInt(bits);
    tally.lastSeconds = seconds;
    if (kind === 'evt' && timeMs % 1_000 !== 0) tally.rounded++;
    if (kind === 'evt' && Math.floor(timeMs / 1_000) > SECONDS_MAX) tally.outOfRange++;
    this.#records++;
    this.#options.onProgress?.(this.#records);
  }

  #endFile(): void {
    const file = this.#file;
    const tally = this.#tallies.at(-1);
    if (file === null || tally === undefined) return;
    const { source, sensor, record, periodMs } = tally;
    const { kind, type } = record;
    const sector = this.#nextSector.get(source) ?? 0;
    this.#nextSector.set(source, sector + 1);
    const data = encodeRecords(file.bits, kind === 'evt' ? file.seconds : null);
    writeFile(join(this.#root, source, sectorFileName(sector)), data);
    this.#lastFile.set(source, {
      ...{ sector, data, records: file.bits.length },
      ...{ csdType: SOURCES.indexOf(source), seconds: Math.floor(file.lastTimeMs / 1_000) },
    });
    if (tally.firstSector < 0) tally.firstSector = sector;
    tally.lastSector = sector;
    tally.recordsInLast = file.bits.length;
    tally.files++;
    const times = kind === 'tsd' ? { periodMs, firstTimeMs: file.firstTimeMs } : {};
    this.#map.push({ source, sectors: `${sector}`, sensor, kind, type, ...times, consumed: 0 });
    this.#file = null;
  }

  #writeRest(): void {
    for (const [source, last] of this.#lastFile)
      writeFile(join(this.#root, source, 'metadata.json'), encodeMetadata(last));
    for (const tally of this.#tallies) {
      if (this.#isAmbiguous(tally)) continue;
      writeFile(join(this.#root, 'state', stateFileName(tally.sensor)), encodeState(stateOf(tally)));
    }
    writeFile(join(this.#root, MAP_NAME), Buffer.from(`${JSON.stringify({ sensors: this.#map }, null, 2)}\n`));
    for (const name of [...SOURCES, 'state', '.']) syncDirectory(join(this.#root, name));
  }

  #isAmbiguous({ source, sensor }: StreamTally): boolean {
    return this.#tallies.some((other) => other.sensor === sensor && other.source !== source);
  }

  #report(): ExportReport {
    const streams = this.#tallies.map(
      ({ source, sensor, record, records, files, sum, rounded, outOfRange }): ExportedStream => ({
        stream: `${source}/${sensor}`,
        kind: record.kind,
        ...{ records, files, sum, roundedTimes: rounded, timesOutOfRange: outOfRange },
      }),
    );
    return {
      streams,
      records: this.#records,
      files: streams.reduce((total, { files }) => total + files, 0),
      sum: streams.reduce((total, { sum }) => total + sum, 0n),
      withoutState: this.#tallies
        .filter((tally) => this.#isAmbiguous(tally))
        .map(({ source, sensor }) => `${source}/${sensor}`),
    };
  }
}

const stateOf = ({
  sensor,
  record,
  records,
  files,
  firstSector,
  lastSector,
  recordsInLast,
  lastSeconds,
}: StreamTally): OldState => ({
  sensor,
  evt: record.kind === 'evt',
  total: records,
  consumed: 0,
  lastTime: lastSeconds,
  firstSector,
  activeSector: lastSector,
  sectors: Math.min(0xffff, files),
  recordsInActive: recordsInLast,
});
