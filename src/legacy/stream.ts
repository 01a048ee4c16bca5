/**
 * One sensor as the old calls see it: the next unread record is looked at ahead, so that a loop of single reads does not
 * cost a look at the store each, and is marked read when it is handed out, and not before.
 *
 * Throws what the store throws; the manager turns that into codes.
 */
import type { RecordBatch, SensorRecord } from '../core/record-batch.ts';
import type { SensorStream } from '../store.ts';

/** Records looked at in one go. More of them is more memory for each sensor that is being read. */
const AHEAD_RECORDS = 64;

export class LegacyStream {
  readonly sensor: SensorStream;
  /** Order in which the sensors became known: decides between records of the same time. */
  readonly rank: number;
  /** Records handed out and not erased, those lost meanwhile included. */
  taken = 0;
  /** Whether its source has it in line for reading. */
  inLine = false;
  /** Time of its next unread record, as far as known; where it stands in line. */
  nextTimeMs = 0;
  #ahead: RecordBatch | null = null;
  #at = 0;

  constructor(sensor: SensorStream, rank: number) {
    this.sensor = sensor;
    this.rank = rank;
  }

  /** Whether there is an unread record; its time is then in `nextTimeMs`. @throws StoreError IO_FAILED, CLOSED. */
  look(): boolean {
    if (this.#ahead === null || this.#at >= this.#ahead.length) {
      this.#ahead = this.sensor.peekNow(0, AHEAD_RECORDS);
      this.#at = 0;
    }
    if (this.#ahead.length === 0) this.#ahead = null;
    else this.nextTimeMs = this.#ahead.timesMs[this.#at] as number;
    return this.#ahead !== null;
  }

  /** Hands out the oldest unread record, or null when there is none. @throws StoreError IO_FAILED, CLOSED. */
  take(): SensorRecord | null {
    while (this.look()) {
      const { sequences, epochs, timesMs } = this.#ahead as RecordBatch;
      const sequence = sequences[this.#at] as number;
      if (this.sensor.markRead(sequence)) {
        const value = (this.#ahead as RecordBatch).value(this.#at);
        const record = { sequence, epoch: epochs[this.#at] as number, timeMs: timesMs[this.#at] as number, value };
        this.#at++;
        this.taken++;
        return record;
      }
      // Lost since it was looked at: what is the oldest now is looked at anew.
      this.forget();
    }
    return null;
  }

  /** What was looked at may not be what comes next any more. */
  forget(): void {
    this.#ahead = null;
  }
}
