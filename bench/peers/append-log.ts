/**
 * A plain append log: 16 bytes a record, one write and one fdatasync a batch. It is about the least that a program can
 * do that wants its records to survive, and it answers nothing: to find one sensor's records is to read all of them.
 *
 * The write and the sync are the synchronous calls, which cost less than a trip through the thread pool, and the batch
 * is put together in place, in a buffer that is used again.
 *
 *   0  u32  index of the sensor     4  u32  raw 32 bits     8  f64  time in ms
 */
import { closeSync, fdatasyncSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Load } from '../load.ts';
import type { Peer, PeerStore, Visit } from './peer.ts';

const RECORD_BYTES = 16;
const READ_RECORDS = 65_536;

class AppendLog implements PeerStore {
  readonly #file: number;
  #words = new Uint32Array(0);
  #times = new Float64Array(0);
  #bytes = new Uint8Array(0);

  constructor(file: number) {
    this.#file = file;
  }

  writeBatch(load: Load, from: number, to: number): void {
    this.#reserve(to - from);
    const { sensor, bits, timeMs } = load;
    const words = this.#words;
    const times = this.#times;
    for (let i = from, at = 0; i < to; i++, at++) {
      words[at * 4] = sensor[i] as number;
      words[at * 4 + 1] = bits[i] as number;
      times[at * 2 + 1] = timeMs[i] as number;
    }
    const bytes = (to - from) * RECORD_BYTES;
    for (let done = 0; done < bytes; ) done += writeSync(this.#file, this.#bytes, done, bytes - done);
    fdatasyncSync(this.#file);
  }

  #reserve(records: number): void {
    if (this.#bytes.length >= records * RECORD_BYTES) return;
    const buffer = new ArrayBuffer(records * RECORD_BYTES);
    this.#words = new Uint32Array(buffer);
    this.#times = new Float64Array(buffer);
    this.#bytes = new Uint8Array(buffer);
  }

  /** Nothing is put off. */
  settle(): void {}

  readAll(visit: Visit): void {
    const buffer = new ArrayBuffer(READ_RECORDS * RECORD_BYTES);
    const words = new Uint32Array(buffer);
    const times = new Float64Array(buffer);
    const bytes = new Uint8Array(buffer);
    const end = fstatSync(this.#file).size;
    for (let position = 0; position < end; ) {
      const read = readSync(this.#file, bytes, 0, bytes.length, position);
      for (let at = 0; at < Math.floor(read / RECORD_BYTES); at++) {
        visit(words[at * 4] as number, times[at * 2 + 1] as number, words[at * 4 + 1] as number);
      }
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
