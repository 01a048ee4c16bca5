/**
 * The uploader of a soak: while there is a link, once a minute, stream after stream, at most 5,000 records a second in all.
 * Each batch goes to the account, which verifies every record, and is acknowledged; or, while the cloud refuses batches,
 * given back, whole or but for its first half. A read that fails changes nothing and is tried in the next round.
 */
import type { Account } from './account.ts';
import type { Streams } from './device.ts';
import { SENSORS, UPLOAD_A_SECOND } from './load.ts';

/** Records of one packet. */
const BATCH_MAX = 2_000;

export class Uploader {
  /** Reads that the disk refused. */
  failedReads = 0;
  reads = 0;
  #next = 0;

  /** One round. @param seconds since the last one. @returns how many records it handed over. */
  async round(streams: Streams, account: Account, seconds: number, refused: boolean): Promise<number> {
    const budget = UPLOAD_A_SECOND * seconds;
    let left = budget;
    for (let turn = 0; turn < SENSORS && left > 0; turn++) {
      const sensor = this.#next;
      this.#next = (sensor + 1) % SENSORS;
      left -= await this.#send(sensor, streams[sensor] as Streams[number], account, Math.min(left, BATCH_MAX), refused);
    }
    return budget - left;
  }

  async #send(
    sensor: number,
    stream: Streams[number],
    account: Account,
    max: number,
    refused: boolean,
  ): Promise<number> {
    this.reads++;
    const batch = await stream.read(max).catch(() => null);
    if (batch === null) {
      this.failedReads++;
      return 0;
    }
    if (batch.length === 0) return 0;
    account.deliver(sensor, batch);
    if (!refused) account.acknowledge(sensor, stream.acknowledge(batch));
    else this.#giveBack(sensor, stream, account, batch.sequences);
    return batch.length;
  }

  /** The cloud took none of the batch, or its first half; the rest is unread again. */
  #giveBack(sensor: number, stream: Streams[number], account: Account, sequences: Float64Array): void {
    const taken = sensor % 4 < 2 ? 0 : Math.floor(sequences.length / 2);
    if (taken > 0) account.acknowledge(sensor, stream.acknowledge(taken), (sequences[taken - 1] as number) + 1);
    stream.revert();
    account.revert(sensor);
  }
}
