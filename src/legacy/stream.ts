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

/** Before every time, so that a sensor that was not looked at comes to the front, and is looked at there. */
export const UNKNOWN = -1;

export class LegacyStream {
  readonly sensor: SensorStream;
  /** Order in which the sensors became known: decides between records of the same time. */
  readonly rank: number;
  /** Records handed out and not erased, those lost meanwhile included. */
  taken = 0;
  /** Whether its source has it in line for reading. */
  inLine = false;
  /** Where it stands in line: the time of its next unread record, UNKNOWN before that was looked at. */
  nextTimeMs = UNKNOWN;
  #ahead: RecordBatch | null = null;
  #at = 0;

  constructor(sensor: SensorStream, rank: number) {
    this.sensor = sensor;
    this.rank = rank;
  }

  /** Looks at the next unread record unless it has. @returns whether there is one. @throws StoreError IO_FAILED, CLOSED. */
  look(): boolean {
    if (this.nextTimeMs !== UNKNOWN) return true;
    this.#ahead = this.sensor.peekNow(0, AHEAD_RECORDS);
    this.#at = 0;
    this.#noteNext();
    return this.nextTimeMs !== UNKNOWN;
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
        this.#noteNext();
        this.taken++;
        return record;
      }
      // Lost since it was looked at: what is the oldest now is looked at anew.
      this.forget();
    }
    return null;
  }

  #noteNext(): void {
    this.nextTimeMs = this.#ahead?.timesMs[this.#at] ?? UNKNOWN;
  }

  /** What was looked at may not be what comes next any more. */
  forget(): void {
    this.#ahead = null;
    this.nextTimeMs = UNKNOWN;
  }
}
