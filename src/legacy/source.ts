/**
 * One source (CSD type) as the old calls read and erase it: over all its sensors, one record at a time.
 *
 * Reading: the record with the earliest time among the sensors' oldest unread ones comes next; within a sensor the order
 * is always that of writing, whatever its clock did (INV-03). What was handed out stands in one list, in the order of
 * reading, until it is erased: a position is a place in that list, and an erase takes from its front (INV-12).
 *
 * A read at a place that was read before begins there anew: everything from it on is unread again (INV-13), so that an
 * erase never takes what was not handed out since.
 */
import type { SensorRecord } from '../core/record-batch.ts';
import type { LegacyStream } from './stream.ts';
import { UNKNOWN } from './stream.ts';

/** A record that was handed out and not erased. */
interface HandedOut {
  readonly stream: LegacyStream;
  /** GONE: it was lost after it was read, and its erase changes nothing. */
  readonly sequence: number;
}

const GONE = -1;

export class LegacySource {
  readonly #streams: LegacyStream[] = [];
  /** Sensors that may have something unread, by the time of their next record. */
  readonly #line: LegacyStream[] = [];
  #handedOut: HandedOut[] = [];
  #scanned = false;

  add(stream: LegacyStream): void {
    this.#streams.push(stream);
  }

  /** Records handed out and not erased. */
  get pending(): number {
    return this.#handedOut.length;
  }

  /** A record was written. A sensor in line has older ones unread, and before the first read nobody stands in line. */
  written(stream: LegacyStream): void {
    if (!stream.inLine && this.#scanned) this.#enter(stream);
  }

  /**
   * Hands out the record behind those handed out; null when nothing is unread.
   * @throws StoreError IO_FAILED, CLOSED; nothing has changed then.
   */
  read(): { readonly stream: LegacyStream; readonly record: SensorRecord } | null {
    if (!this.#scanned) this.#scan();
    for (;;) {
      const stream = this.#line[0];
      if (stream === undefined) {
        // Before anybody is told that there is nothing, every sensor is asked.
        if (!this.#scan()) return null;
      } else if (stream.nextTimeMs === UNKNOWN) {
        const hasUnread = stream.look();
        this.#leave(stream);
        if (hasUnread) this.#enter(stream);
      } else {
        const record = this.readFrom(stream);
        if (record !== null) return { stream, record };
      }
    }
  }

  /** As read, of one sensor. */
  readFrom(stream: LegacyStream): SensorRecord | null {
    this.#leave(stream);
    let mayHaveMore = true;
    try {
      const record = stream.take();
      if (record === null) mayHaveMore = false;
      else this.#handedOut.push({ stream, sequence: record.sequence });
      return record;
    } finally {
      // A disk that refused is asked again by the next read.
      if (mayHaveMore) this.#enter(stream);
    }
  }

  /** What was handed out from `position` on is unread again. @throws StoreError CLOSED. */
  rewind(position: number): void {
    const back = new Set(this.#handedOut.slice(position).map(({ stream }) => stream));
    this.#handedOut.length = Math.min(position, this.#handedOut.length);
    this.#giveBack(back);
  }

  /** The same of one sensor: its first `keep` stay handed out. */
  rewindStream(stream: LegacyStream, keep: number): void {
    let kept = 0;
    this.#handedOut = this.#handedOut.filter((each) => each.stream !== stream || kept++ < keep);
    this.#giveBack(new Set([stream]));
  }

  /** Records of these sensors that are not in the list any more are unread again; those that are, stay read. */
  #giveBack(streams: ReadonlySet<LegacyStream>): void {
    for (const stream of streams) {
      this.#leave(stream);
      stream.sensor.revert();
      stream.forget();
      stream.taken = 0;
    }
    this.#handedOut = this.#handedOut.map((each) => {
      const { stream, sequence } = each;
      if (!streams.has(stream)) return each;
      stream.taken++;
      return sequence !== GONE && stream.sensor.markRead(sequence) ? each : { stream, sequence: GONE };
    });
    for (const stream of streams) this.#enter(stream);
  }

  /** Erases the oldest `count` handed out. @returns false, nothing changed, when fewer were. @throws StoreError CLOSED. */
  erase(count: number): boolean {
    if (count > this.#handedOut.length) return false;
    this.#acknowledge(this.#handedOut.slice(0, count));
    this.#handedOut = this.#handedOut.slice(count);
    return true;
  }

  /** The same of one sensor. */
  eraseOf(stream: LegacyStream, count: number): boolean {
    if (count > stream.taken) return false;
    let left = count;
    const isErased = (each: HandedOut): boolean => each.stream === stream && left-- > 0;
    const [erased, kept]: [HandedOut[], HandedOut[]] = [[], []];
    for (const each of this.#handedOut) (isErased(each) ? erased : kept).push(each);
    this.#acknowledge(erased);
    this.#handedOut = kept;
    return true;
  }

  #acknowledge(records: readonly HandedOut[]): void {
    const counts = new Map<LegacyStream, { taken: number; acknowledged: number }>();
    for (const { stream, sequence } of records) {
      const count = counts.get(stream) ?? { taken: 0, acknowledged: 0 };
      count.taken++;
      if (sequence !== GONE) count.acknowledged++;
      counts.set(stream, count);
    }
    for (const [stream, { taken, acknowledged }] of counts) {
      stream.sensor.acknowledge(acknowledged);
      stream.taken -= taken;
    }
  }

  // ---- The line

  /** Puts every sensor with something unread in line. @returns whether there is one. */
  #scan(): boolean {
    this.#scanned = true;
    for (const stream of this.#streams) {
      if (!stream.inLine && stream.sensor.marks.unread > 0) this.#enter(stream);
    }
    return this.#line.length > 0;
  }

  #enter(stream: LegacyStream): void {
    let low = 0;
    let high = this.#line.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = this.#line[middle] as LegacyStream;
      const isBefore = other.nextTimeMs - stream.nextTimeMs || other.rank - stream.rank;
      if (isBefore > 0) high = middle;
      else low = middle + 1;
    }
    this.#line.splice(low, 0, stream);
    stream.inLine = true;
  }

  #leave(stream: LegacyStream): void {
    if (!stream.inLine) return;
    this.#line.splice(this.#line.indexOf(stream), 1);
    stream.inLine = false;
  }
}
