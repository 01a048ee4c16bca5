/**
 * A plain append log: 16 bytes a record, one write and one fdatasync a batch. It is about the least that a program can
 * do that wants its records to survive, and it answers nothing: to find one sensor's records is to read all of them.
 * With batches of one record it is the append and sync per record that many programs begin with.
 *
 * The write and the sync are the synchronous calls, which cost less than a trip through the thread pool, and the batch
 * is put together in place, in a buffer that is used again.
 */
import { closeSync, fdatasyncSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Load } from '../load.ts';
import type { Peer, PeerStore, Visit } from './peer.ts';
import { RECORD_BYTES, visitWide, WideRecords } from './wide-records.ts';

const READ_RECORDS = 65_536;

class AppendLog implements PeerStore {
  readonly #file: number;
  readonly #records = new WideRecords();

  constructor(file: number) {
    this.#file = file;
  }

  writeBatch(load: Load, from: number, to: number): void {
    const bytes = this.#records.fill(load, from, to);
    for (let done = 0; done < bytes.length; ) done += writeSync(this.#file, bytes, done);
    fdatasyncSync(this.#file);
  }

  /** Nothing is put off. */
  settle(): void {}

  readAll(visit: Visit): void {
    const bytes = new Uint8Array(READ_RECORDS * RECORD_BYTES);
    const end = fstatSync(this.#file).size;
    for (let position = 0; position < end; ) {
      const read = readSync(this.#file, bytes, 0, bytes.length, position);
      visitWide(bytes.subarray(0, read), visit);
      position += read;
    }
  }

  readSensor(sensor: number, visit: Visit): void {
    this.readAll((each, timeMs, bits) => {
      if (each === sensor) visit(each, timeMs, bits);
    });
  }

  close(): void {
    closeSync(this.#file);
  }
}

export const appendLog: Peer = {
  name: 'append-log',
  title: 'append log, 16 bytes a record',
  open: (directory: string): PeerStore => new AppendLog(openSync(join(directory, 'append.log'), 'a+')),
};
