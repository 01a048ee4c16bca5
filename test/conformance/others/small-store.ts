/**
 * A store as somebody might write it in an afternoon: arrays, a durable copy made by flush. Right as it stands; the
 * tests break it one method at a time. It shows no marks and no identities unless a test says so.
 */
import type { Refused, StoreRecord, StoreUnderTest, StreamSpec } from '../../../conformance/index.ts';

export interface Line {
  records: StoreRecord[];
  head: number;
  read: number;
}

const bounds: Refused = { refused: 'BOUNDS_VIOLATION' };

export class SmallStore implements StoreUnderTest {
  lines: Line[];
  durable: Line[];

  constructor(streams: readonly StreamSpec[]) {
    this.lines = streams.map(() => ({ records: [], head: 0, read: 0 }));
    this.durable = structuredClone(this.lines);
  }

  line(stream: number): Line {
    return this.lines[stream] as Line;
  }

  append(stream: number, bits: number, timeMs: number): number | undefined | Refused {
    this.line(stream).records.push({ bits, timeMs });
    return undefined;
  }

  read(stream: number, max: number): StoreRecord[] {
    const line = this.line(stream);
    const batch = line.records.slice(line.read, line.read + max);
    line.read += batch.length;
    return batch;
  }

  acknowledge(stream: number, n: number): Refused | undefined {
    const line = this.line(stream);
    if (n > line.read - line.head) return bounds;
    line.head += n;
    return undefined;
  }

  revert(stream: number): void {
    this.line(stream).read = this.line(stream).head;
  }

  discard(stream: number, n: number): Refused | undefined {
    const line = this.line(stream);
    if (n > line.records.length - line.head) return bounds;
    line.head += n;
    line.read = Math.max(line.read, line.head);
    return undefined;
  }

  flush(): unknown {
    this.durable = structuredClone(this.lines);
    return undefined;
  }

  crash(): void {
    this.lines = [];
  }

  recover(): void {
    this.lines = structuredClone(this.durable);
    for (const line of this.lines) line.read = line.head;
  }
}
