/**
 * Process that opens a store as a gateway does when it starts: new, with nothing compiled. Or one that reads the same
 * files and does nothing but checksum them, which is the limit that opening is held against. It is killed when it has
 * answered, so that the next one finds a store that nobody closed.
 */
import { closeSync, openSync, readdirSync, readSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { openStore } from '../../src/index.ts';
import { answerProcess } from '../ask-process.ts';

export interface RecoveryRequest {
  readonly work: 'open' | 'read';
  /** Of the store. */
  readonly directory: string;
  readonly quotaBytes: number;
  /** Files that are read at a time; 1 reads without waiting, as fast as the calls return. */
  readonly readers: number;
}

export interface RecoveryAnswer {
  readonly seconds: number;
  /** Of all files that were read; 0 when a store was opened. */
  readonly bytes: number;
  /** Of the store that was opened. */
  readonly records: number;
}

const FILE_BYTES_MAX = 65_536;

async function openIt({ directory, quotaBytes }: RecoveryRequest): Promise<RecoveryAnswer> {
  const beganMs = performance.now();
  const store = await openStore({ directory, quotaBytes });
  const seconds = (performance.now() - beganMs) / 1_000;
  const { found, records, damagedRecords } = store.recovery;
  if (found === 'new' || damagedRecords > 0)
    throw new Error(`recovery found ${found}, ${damagedRecords} damaged records`);
  return { seconds, bytes: 0, records };
}

/** Names are looked up before the clock starts. */
async function readIt({ directory, readers }: RecoveryRequest): Promise<RecoveryAnswer> {
  const paths = readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  const beganMs = performance.now();
  const bytes = readers === 1 ? readInTurn(paths) : await readAtOnce(paths, readers);
  return { seconds: (performance.now() - beganMs) / 1_000, bytes, records: 0 };
}

function readInTurn(paths: readonly string[]): number {
  const buffer = new Uint8Array(FILE_BYTES_MAX);
  let bytes = 0;
  for (const path of paths) {
    const file = openSync(path, 'r');
    const got = readSync(file, buffer, 0, buffer.length, 0);
    crc32(buffer.subarray(0, got));
    bytes += got;
    closeSync(file);
  }
  return bytes;
}

async function readAtOnce(paths: readonly string[], readers: number): Promise<number> {
  let next = 0;
  let bytes = 0;
  const reader = async (): Promise<void> => {
    const buffer = new Uint8Array(FILE_BYTES_MAX);
    for (let path = paths[next++]; path !== undefined; path = paths[next++]) {
      await using file = await open(path, 'r');
      const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
      crc32(buffer.subarray(0, bytesRead));
      bytes += bytesRead;
    }
  };
  await Promise.all(Array.from({ length: readers }, reader));
  return bytes;
}

answerProcess((request: RecoveryRequest) => (request.work === 'open' ? openIt(request) : readIt(request)));
