/**
 * Goal: the model says what the contract says, in the examples that the contract gives.
 * Method: traces made by hand, each with the answer that a reader of the contract expects.
 */
import { describe, expect, it } from 'vitest';
import {
  expectedAcknowledge,
  expectedAppend,
  expectedDiscard,
  expectedPeek,
  expectedRead,
  initialState,
  lifecycleOf,
  step,
} from '../../model/step.ts';
import type { ModelRecord } from '../../model/vocabulary.ts';
import { flushAtSectors } from '../../model/vocabulary.ts';
import { bounds, Scenario } from './scenario.ts';

const sequences = (records: readonly ModelRecord[]): number[] => records.map(({ sequence }) => sequence);
const upTo = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

describe('a stream', () => {
  it('gives the other 20 again after read 50, acknowledge 30, revert', () => {
    const store = new Scenario({ sectors: 100, flushAtSectors: 80 }).appends(1, 60);
    expect(sequences(expectedRead(store.state, 1, 50))).toEqual(upTo(0, 50));
    store.does({ type: 'READ', stream: 1, max: 50 }).does({ type: 'ACKNOWLEDGE', stream: 1, n: 30 });
    store.does({ type: 'REVERT', stream: 1 });
    expect(sequences(expectedRead(store.state, 1, 20))).toEqual(upTo(30, 50));
  });

  it('refuses to acknowledge one more than is pending, and to discard one more than is retained', () => {
    const store = new Scenario().appends(1, 3).does({ type: 'READ', stream: 1, max: 2 });
    expect(expectedAcknowledge(store.state, 1, 3)).toBe('BOUNDS_VIOLATION');
    expect(expectedDiscard(store.state, 1, 4)).toBe('BOUNDS_VIOLATION');
    store.refuses({ type: 'ACKNOWLEDGE', stream: 1, n: 3 }).refuses({ type: 'DISCARD', stream: 1, n: 4 });
    store.does({ type: 'ACKNOWLEDGE', stream: 1, n: 2 }).does({ type: 'DISCARD', stream: 1, n: 1 });
  });

  it('raises read when a discard passes it', () => {
    const store = new Scenario().appends(1, 4).does({ type: 'READ', stream: 1, max: 1 });
    store.does({ type: 'DISCARD', stream: 1, n: 3 });
    expect(store.stream(1)).toMatchObject({ head: 3, read: 3, discarded: 3, acknowledged: 0 });
  });

  it('peeks without changing anything', () => {
    const store = new Scenario().appends(1, 4).does({ type: 'READ', stream: 1, max: 1 });
    expect(sequences(expectedPeek(store.state, 1, 1, 5))).toEqual([2, 3]);
    expect(sequences(expectedPeek(store.state, 1, 0, 2))).toEqual([1, 2]);
  });

  it('frees a sector with its last record, also the open one', () => {
    const store = new Scenario().appends(1, 3).does({ type: 'READ', stream: 1, max: 3 });
    expect(store.state.context.free).toBe(8);
    store.does({ type: 'ACKNOWLEDGE', stream: 1, n: 1 });
    expect(store.state.context.free).toBe(8);
    store.does({ type: 'ACKNOWLEDGE', stream: 1, n: 1 });
    expect(store.state.context.free).toBe(9);
    store.does({ type: 'ACKNOWLEDGE', stream: 1, n: 1 });
    expect(store.state.context.free).toBe(10);
  });
});

describe('the tsd grid', () => {
  it('records a sample up to half a period off at its place, and begins a new run one past it', () => {
    const store = new Scenario();
    for (const timeMs of [0, 1500, 2500, 3501, 4400]) store.does({ type: 'APPEND', stream: 0, valueBits: 0, timeMs });
    expect(store.stream(0).records.map(({ timeMs }) => timeMs)).toEqual([0, 1000, 2000, 3501, 4501]);
    expect(store.stream(0).sectors.map(({ first, count }) => [first, count])).toEqual([
      [0, 2],
      [2, 1],
      [3, 2],
    ]);
  });

  it('keeps the order of appends when the clock jumps back', () => {
    const store = new Scenario();
    for (const timeMs of [9000, 10_000, 500]) store.does({ type: 'APPEND', stream: 0, valueBits: 0, timeMs });
    expect(store.stream(0).records.map(({ sequence, timeMs }) => [sequence, timeMs])).toEqual([
      [0, 9000],
      [1, 10_000],
      [2, 500],
    ]);
  });
});

describe('the pool', () => {
  it('asks for a flush at 80 % and not before', () => {
    expect([4, 5, 10, 11].map(flushAtSectors)).toEqual([4, 4, 8, 9]);
    const store = new Scenario().appends(1, 14);
    expect(store.state.context.flushRequested).toBe(false);
    store.appends(1, 1);
    expect(store.state.context.flushRequested).toBe(true);
  });

  it('refuses and counts a record when it is full and there is a disk', () => {
    const store = new Scenario().appends(1, 20);
    expect(expectedAppend(store.state, 1, 0)).toBe('RAM_FULL');
    const before = store.stream(1);
    store.does({ type: 'APPEND', stream: 1, valueBits: 1, timeMs: 0 });
    expect(store.stream(1)).toBe(before);
    expect(store.state.context.counters.refusedRamFull).toBe(1);
  });

  it('gives up the sector that was opened first when it is full and there is no disk, pending or not', () => {
    const store = new Scenario({ disk: false, sectors: 2 }).appends(0, 2).does({ type: 'READ', stream: 0, max: 1 });
    store.appends(1, 2).appends(1, 1);
    expect(store.stream(0)).toMatchObject({ head: 2, read: 2, evicted: 2, forgiven: 1 });
    expect(store.state.context.ledger).toEqual([{ stream: 0, from: 0, to: 2, records: 2, reason: 'evicted' }]);
    expect(sequences(expectedRead(store.state, 1, 9))).toEqual([0, 1, 2]);
  });

  it('accepts an acknowledgement of what was evicted, which changes nothing', () => {
    const store = new Scenario({ disk: false, sectors: 1 }).appends(1, 2).does({ type: 'READ', stream: 1, max: 2 });
    store.appends(1, 1);
    expect(store.stream(1)).toMatchObject({ head: 2, forgiven: 2, evicted: 2 });
    store.does({ type: 'ACKNOWLEDGE', stream: 1, n: 2 });
    expect(store.stream(1)).toMatchObject({ head: 2, forgiven: 0, acknowledged: 0 });
    store.refuses({ type: 'ACKNOWLEDGE', stream: 1, n: 1 });
  });
});

describe('a flush', () => {
  it('takes what was appended before it started, and returns to ram', () => {
    const store = new Scenario().appends(0, 3).appends(1, 2).does({ type: 'FLUSH' });
    store.does({ type: 'FLUSH_STARTED', emergency: false }).appends(1, 1);
    expect(lifecycleOf(store.state)).toBe('flushing');
    store.does(store.commit());
    expect(lifecycleOf(store.state)).toBe('ram');
    expect([store.stream(0).synced, store.stream(1).synced]).toEqual([3, 2]);
    expect(store.state.context.free).toBe(9);
  });

  it('leaves out what was acknowledged meanwhile, and nothing else', () => {
    const store = new Scenario().appends(1, 4).does({ type: 'FLUSH' });
    store.does({ type: 'FLUSH_STARTED', emergency: false });
    const early = {
      type: 'FLUSH_DONE',
      segments: [{ number: 1, source: 'mgc', bytes: 1, blocks: [{ stream: 1, from: 2, to: 4 }] }],
    } as const;
    store.refuses({ ...early, heads: [0, 0] });
    store.does({ type: 'DISCARD', stream: 1, n: 2 }).does({ ...early, heads: [0, 0] });
    expect(store.stream(1)).toMatchObject({ head: 2, synced: 4, sectors: [] });
  });

  it('frees nothing when it fails, and is asked for again when its retry is due', () => {
    const store = new Scenario().appends(1, 4).does({ type: 'FLUSH' });
    store.does({ type: 'FLUSH_STARTED', emergency: false }).does({ type: 'FLUSH_FAILED' });
    expect(store.stream(1)).toMatchObject({ synced: 0 });
    expect(store.stream(1).sectors).toHaveLength(2);
    store.refuses({ type: 'FLUSH_STARTED', emergency: false }).does({ type: 'RETRY_DUE' });
    store.does({ type: 'FLUSH_STARTED', emergency: false }).does(store.commit());
    expect(store.stream(1).synced).toBe(4);
  });

  it('evicts the oldest segment only, only under pressure, and only what nobody acknowledged', () => {
    const store = new Scenario({ quotaBytes: 2 }).appends(1, 2).flushes().appends(1, 2).flushes();
    store.does({ type: 'READ', stream: 1, max: 1 }).appends(1, 2).does({ type: 'FLUSH' });
    store.does({ type: 'FLUSH_STARTED', emergency: false });
    store.refuses(store.commit());
    store.refuses({ type: 'EVICT', segment: 2, needBytes: 1 }).refuses({ type: 'EVICT', segment: 1, needBytes: 0 });
    store.does({ type: 'EVICT', segment: 1, needBytes: 1 }).does(store.commit());
    expect(store.stream(1)).toMatchObject({ head: 2, durableHead: 2, evicted: 2, forgiven: 1 });
    expect(store.state.context.segments.map(({ number }) => number)).toEqual([2, 3]);
  });

  it('may end early in an emergency only', () => {
    const part = {
      type: 'FLUSH_DONE',
      segments: [{ number: 1, source: 'host', bytes: 1, blocks: [{ stream: 0, from: 0, to: 2 }] }],
      heads: [0, 0],
    } as const;
    const store = new Scenario().appends(0, 2).appends(1, 2).does({ type: 'FLUSH' });
    store.does({ type: 'FLUSH_STARTED', emergency: false }).refuses(part).does(store.commit());
    const hurried = new Scenario().appends(0, 2).appends(1, 2).does({ type: 'FLUSH' });
    hurried.does({ type: 'FLUSH_STARTED', emergency: true }).does(part);
    expect([hurried.stream(0).synced, hurried.stream(1).synced]).toEqual([2, 0]);
  });
});

describe('a crash', () => {
  it('leaves a prefix that has everything synced and nothing that was never appended', () => {
    const store = new Scenario().appends(1, 2).flushes().appends(1, 2).crashes();
    const [first] = store.state.context.segments;
    const survivor = (appended: number) => ({ appended, head: 0, discarded: 0, evicted: 0 });
    const none = survivor(0);
    const blocks = (to: number) => [{ stream: 1, from: 0, to }];
    const file = (to: number) => [{ number: 2, source: 'mgc', bytes: 1, blocks: blocks(to) } as const];
    store.refuses(store.recovery({ streams: [none, survivor(1)] }));
    store.refuses(store.recovery({ streams: [none, survivor(5)], segments: file(5) }));
    store.refuses(store.recovery({ streams: [none, survivor(2)], segments: [] }));
    expect(first?.blocks).toEqual(blocks(2));
    store.does(store.recovery({ streams: [none, survivor(3)], segments: file(3) }));
    expect(store.stream(1)).toMatchObject({ head: 0, read: 0, synced: 3, appended: 3, sectors: [] });
  });

  it('delivers twice exactly what was acknowledged since the last checkpoint', () => {
    const store = new Scenario().appends(1, 4).flushes().does({ type: 'READ', stream: 1, max: 4 });
    store.does({ type: 'ACKNOWLEDGE', stream: 1, n: 1 }).does({ type: 'CHECKPOINT', heads: [0, 1] });
    store.does({ type: 'ACKNOWLEDGE', stream: 1, n: 2 }).crashes().recovers({});
    expect(store.stream(1)).toMatchObject({ head: 1, acknowledged: 1, durableHead: 1 });
    expect(sequences(expectedRead(store.state, 1, 9))).toEqual([1, 2, 3]);
  });

  it('raises the epoch by one, or by as many as were tried when recovery itself lost power', () => {
    const store = new Scenario().crashes();
    store.refuses(store.recovery({ epoch: 1 })).refuses(store.recovery({ epoch: 3 }));
    store.does({ type: 'RECOVERY_CRASHED' }).does({ type: 'OPEN' });
    store.refuses(store.recovery({ epoch: 4 })).does(store.recovery({ epoch: 3 }));
  });

  it('leaves nothing of a store without a disk, which begins anew under another id', () => {
    const store = new Scenario({ disk: false }).appends(1, 2).crashes();
    store.refuses(store.recovery({ storeId: 1 })).recovers({});
    expect(store.state.context).toMatchObject({ storeId: 2, epoch: 1 });
    expect(store.stream(1)).toMatchObject({ head: 0, appended: 0, records: [] });
  });
});

describe('damage', () => {
  it('loses the block it hits, and reads and acknowledgements pass over it', () => {
    const store = new Scenario().appends(1, 2).flushes().appends(1, 2).flushes().appends(1, 1);
    store.does({ type: 'READ', stream: 1, max: 1 }).refuses({ type: 'DAMAGE', stream: 1, from: 4, to: 5 });
    store.does({ type: 'DAMAGE', stream: 1, from: 2, to: 4 });
    expect(sequences(expectedRead(store.state, 1, 9))).toEqual([1, 4]);
    store.does({ type: 'READ', stream: 1, max: 2 }).does({ type: 'ACKNOWLEDGE', stream: 1, n: 3 });
    expect(store.stream(1)).toMatchObject({ head: 5, read: 5, acknowledged: 3, damaged: 2 });
  });

  it('leaves no mark on the hole', () => {
    const store = new Scenario().appends(1, 2).flushes().appends(1, 1);
    store.does({ type: 'DAMAGE', stream: 1, from: 0, to: 2 });
    expect(store.stream(1)).toMatchObject({ head: 2, read: 2 });
  });
});

describe('close', () => {
  it('asks to save what is in RAM, and says how much it could not', () => {
    const store = new Scenario().appends(1, 3).does({ type: 'CLOSE' });
    expect(store.state.context.flushRequested).toBe(true);
    store.does({ type: 'FLUSH_STARTED', emergency: false }).does({ type: 'FLUSH_FAILED' });
    store.refuses({ type: 'CLOSED', unsaved: 0, checkpointed: true });
    store.does({ type: 'CLOSED', unsaved: 3, checkpointed: true });
    expect(lifecycleOf(store.state)).toBe('closed');
  });

  it('takes no operation any more', () => {
    const store = new Scenario().appends(1, 1).does({ type: 'CLOSE' });
    expect(expectedAppend(store.state, 1, 0)).toBe('CLOSED');
    store.refuses({ type: 'APPEND', stream: 1, valueBits: 0, timeMs: 0 }).refuses({ type: 'READ', stream: 1, max: 1 });
    const closed = initialState(bounds());
    expect(step(closed, { type: 'APPEND', stream: 1, valueBits: 0, timeMs: 0 })).toBe(closed);
  });
});
