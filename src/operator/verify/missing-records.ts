/**
 * Which records a store misses, and where among its segments they must have stood: how a block that cannot be read is
 * named all the same. What recovery calls a hole lies between two blocks of its stream, and a damaged block can have held
 * it only if its segment lies between theirs.
 */
import type { Source, StreamInspection } from '../../core/types.ts';
import { SOURCES } from '../../core/types.ts';
import type { Look } from '../read-only-store.ts';
import type { RecordRange } from './finding.ts';

/** What the head of a block says, right or wrong. */
export interface BlockHead {
  readonly sensor: number;
  readonly evt: boolean;
  readonly type: StreamInspection['type'];
  readonly periodMs: number;
  readonly first: number;
  readonly records: number;
}

const overlap = (a: readonly [number, number], b: readonly [number, number]): number =>
  Math.max(0, Math.min(a[1], b[1]) - Math.max(a[0], b[0]));

export class MissingRecords {
  readonly #look: Look;
  readonly #slots = new Map<string, number>();
  /** What damaged blocks were found to have held: it stood nowhere else. */
  readonly #claimed: RecordRange[] = [];

  constructor(look: Look) {
    this.#look = look;
    look.streams.forEach(({ source, sensor }, slot) => {
      this.#slots.set(`${source}/${sensor}`, slot);
    });
  }

  /** Whether all that the head says can be: its stream is of that shape, and what it retained is missing elsewhere. */
  fits(source: number, head: BlockHead): boolean {
    const slot = this.#slots.get(`${SOURCES[source as 0 | 1 | 2]}/${head.sensor}`);
    const stream = slot === undefined ? undefined : this.#look.streams[slot];
    if (stream === undefined) return false;
    const { kind, type, periodMs, holes, synced } = stream;
    if (head.evt !== (kind === 'evt') || head.type !== type || (!head.evt && head.periodMs !== periodMs)) return false;
    const range = [Math.max(head.first, this.#headBefore(stream)), head.first + head.records] as const;
    if (range[1] > synced) return false;
    const missing = holes.reduce((sum, hole) => sum + overlap(range, hole), this.#passed(stream, range));
    return missing === Math.max(0, range[1] - range[0]);
  }

  /** Recovery has moved the head over what is missing at the front: where it stood before. */
  #headBefore({ source, sensor, head }: StreamInspection): number {
    const losses = this.#look.losses.filter(({ key }) => key.source === source && key.sensor === sensor);
    return losses.reduce((low, { from }) => Math.min(low, from), head);
  }

  /** How much of the range recovery has just passed as missing, below the head. */
  #passed({ source, sensor, head }: StreamInspection, range: readonly [number, number]): number {
    return this.#look.losses
      .filter(({ key }) => key.source === source && key.sensor === sensor)
      .reduce((sum, { from, to }) => sum + overlap(range, [from, Math.min(to, head)]), 0);
  }

  /** What a finding says of records that are in the ledger already; empty for those that recovery would enter now. */
  knownText(ranges: readonly RecordRange[]): string {
    const isNew = ({ source, sensor, from, to }: RecordRange): boolean =>
      this.#look.losses.some(
        (loss) =>
          loss.key.source === source && loss.key.sensor === sensor && overlap([from, to], [loss.from, loss.to]) > 0,
      );
    return ranges.length === 0 || ranges.some(isNew) ? '' : '; the ledger has what was retained of them already';
  }

  /** Says that a damaged block held these: from now on no other one can have. */
  claim(range: RecordRange): void {
    this.#claimed.push(range);
  }

  /** What of a range nobody has claimed. */
  #unclaimed(range: RecordRange): RecordRange[] {
    let rest = [range];
    for (const { source, sensor, from, to } of this.#claimed) {
      if (source !== range.source || sensor !== range.sensor) continue;
      rest = rest
        .flatMap((each) => [
          { ...each, to: Math.min(each.to, from) },
          { ...each, from: Math.max(each.from, to) },
        ])
        .filter((each) => each.from < each.to);
    }
    return rest;
  }

  /** Every range of missing records that a segment of this number and source can have held. */
  around(source: number, number: number): RecordRange[] {
    const name = SOURCES[source as 0 | 1 | 2] as Source;
    const ranges: RecordRange[] = [];
    for (const [slot, stream] of this.#look.streams.entries()) {
      if (stream.source !== name) continue;
      for (const [from, to] of this.#holesOf(stream)) {
        if (!this.#between(slot, from, to, number)) continue;
        ranges.push(...this.#unclaimed({ source: name, sensor: stream.sensor, from, to }));
      }
    }
    return ranges;
  }

  /** Its holes, those that recovery has just moved the head over included. */
  #holesOf(stream: StreamInspection): (readonly [number, number])[] {
    const { source, sensor, head, holes } = stream;
    const passed = this.#look.losses
      .filter(({ key, from }) => key.source === source && key.sensor === sensor && from < head)
      .map(({ from, to }) => [from, Math.min(to, head)] as const);
    return [...passed, ...holes];
  }

  #between(slot: number, from: number, to: number, number: number): boolean {
    const index = this.#look.state.disk?.index;
    const before = from === 0 ? null : index?.find(slot, from - 1);
    const after = index?.find(slot, to);
    const low = before !== null && before !== undefined && before.first < from ? before.segment.number : 0;
    const high = after?.segment.number ?? Number.POSITIVE_INFINITY;
    return low <= number && number <= high;
  }
}
