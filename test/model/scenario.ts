/** A store of the model in a test's hands: opened, stepped, and asked what it would answer. */
import { expect } from 'vitest';
import type { ModelState } from '../../model/step.ts';
import { initialState, step } from '../../model/step.ts';
import type { Bounds, ModelEvent, Segment, StreamState } from '../../model/vocabulary.ts';

/** Stream 0 on host is tsd with 1,000 ms, stream 1 on mgc is evt; sectors hold two records each. */
export const bounds = (change: Partial<Bounds> = {}): Bounds => ({
  disk: true,
  streams: [
    { source: 'host', kind: 'tsd', periodMs: 1000 },
    { source: 'mgc', kind: 'evt', periodMs: 0 },
  ],
  sectors: 10,
  recordsPerSector: { tsd: 2, evt: 2 },
  flushAtSectors: 8,
  quotaBytes: 3,
  segmentBytesMax: 1,
  ...change,
});

export class Scenario {
  state: ModelState;

  constructor(change: Partial<Bounds> = {}) {
    this.state = initialState(bounds(change));
    this.does({ type: 'OPEN' });
    this.recovers({});
  }

  stream(index: number): StreamState {
    return this.state.context.streams[index] as StreamState;
  }

  /** The event must be taken. */
  does(event: ModelEvent): this {
    const after = step(this.state, event);
    expect(after, `${event.type} is taken`).not.toBe(this.state);
    this.state = after;
    return this;
  }

  /** The event must be refused, the state untouched. */
  refuses(event: ModelEvent): this {
    expect(step(this.state, event), `${event.type} is refused`).toBe(this.state);
    return this;
  }

  appends(stream: number, count: number, timeMs = 1000 * this.stream(stream).appended): this {
    for (let i = 0; i < count; i++) {
      const { appended } = this.stream(stream);
      this.does({ type: 'APPEND', stream, valueBits: 100 + appended, timeMs: timeMs + 1000 * i });
    }
    return this;
  }

  /** A flush from request to commit, one segment a stream. */
  flushes(): this {
    return this.does({ type: 'FLUSH' }).does({ type: 'FLUSH_STARTED', emergency: false }).does(this.commit());
  }

  commit(): Extract<ModelEvent, { readonly type: 'FLUSH_DONE' }> {
    const { streams, lastSegment, flush, bounds: of } = this.state.context;
    const spans = streams.flatMap((stream, i): Segment['blocks'] => {
      const from = Math.max(stream.head, stream.synced);
      const to = flush?.targets[i] ?? 0;
      return from < to ? [{ stream: i, from, to }] : [];
    });
    const segments = spans.map((block, i): Segment => {
      return {
        number: lastSegment + 1 + i,
        source: of.streams[block.stream]?.source ?? 'host',
        bytes: 1,
        blocks: [block],
      };
    });
    return { type: 'FLUSH_DONE', segments, heads: streams.map(({ head }) => head) };
  }

  /** What recovery says when everything that could survive did, but for what `change` says. */
  recovery(
    change: Partial<Extract<ModelEvent, { readonly type: 'RECOVERED' }>>,
  ): Extract<ModelEvent, { readonly type: 'RECOVERED' }> {
    const { storeId, epoch, streams, segments, bounds: of } = this.state.context;
    const keeps = of.disk && storeId !== 0;
    return {
      type: 'RECOVERED',
      storeId: keeps ? storeId : storeId + 1,
      epoch: keeps ? epoch + 1 : 1,
      streams: streams.map(({ appended, synced, durableHead, evicted }) =>
        of.disk
          ? { appended: Math.max(Math.min(synced, appended), durableHead), head: durableHead, discarded: 0, evicted }
          : { appended: 0, head: 0, discarded: 0, evicted: 0 },
      ),
      damaged: [],
      segments,
      ...change,
    };
  }

  recovers(change: Partial<Extract<ModelEvent, { readonly type: 'RECOVERED' }>>): this {
    return this.does(this.recovery(change));
  }

  crashes(): this {
    return this.does({ type: 'CRASH' }).does({ type: 'OPEN' });
  }
}
