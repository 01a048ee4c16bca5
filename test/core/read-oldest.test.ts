/**
 * Reads over all streams: the oldest of the store in the order in which they lie on disk, then RAM; pending in their
 * streams like any other read (INV-03, INV-06, INV-11, INV-13, INV-19, INV-20).
 */
import { describe, expect, it } from 'vitest';
import type { StoreBatch } from '../../src/core/store-batch.ts';
import { appendAll, codeOf, count, settle, unwrap, Workbench } from './workbench.ts';

const BIG = { poolBytes: 65_536, quotaBytes: '1MiB' } as const;

/** Three flushes of both streams, and some in RAM: the values say where they are from. */
async function mixed(): Promise<Workbench> {
  const bench = await Workbench.open(BIG);
  for (let flush = 0; flush < 4; flush++) {
    appendAll(bench.stream('host', 1), count(100 * flush, 3));
    appendAll(bench.stream('mgc', 1), count(1000 + 100 * flush, 2));
    if (flush < 3) unwrap(await bench.engine.flush());
  }
  return bench;
}

const ORDER = [0, 1, 2, 1000, 1001, 100, 101, 102, 1100, 1101, 200, 201, 202, 1200, 1201, 300, 301, 302, 1300, 1301];

const valuesOf = (batch: StoreBatch): number[] => [...batch].map(({ value }) => value);

describe('a read over all streams', () => {
  // Goal: each record once, in the order of the segments, then RAM, whatever the size of the batches. Method: every size, over three segments a stream and RAM.
  it('gives every record once, in the order in which they lie on disk', async () => {
    for (const max of [1, 2, 3, 4, 7, 19, 20, 21]) {
      const bench = await mixed();
      const seen: number[] = [];
      for (;;) {
        const batch = unwrap(await bench.engine.reads.readOldest(max));
        expect(batch.length).toBe(Math.min(max, 20 - seen.length));
        if (batch.length === 0) break;
        seen.push(...valuesOf(batch));
      }
      expect(seen).toEqual(ORDER);
    }
  });

  // Goal: a segment is read once, not once a stream. Method: 40 streams in one segment; count what the disk is asked for.
  it('reads each segment once', async () => {
    const bench = await Workbench.open({ ...BIG, streamsMax: 64 });
    for (const sensor of count(0, 40)) appendAll(bench.stream('host', sensor), [sensor]);
    unwrap(await bench.engine.flush());
    let reads = 0;
    const { disk } = bench;
    disk.observer = {
      asked: () => undefined,
      ended: ({ kind }) => {
        if (kind === 'read') reads++;
      },
    };
    expect(valuesOf(unwrap(await bench.engine.reads.readOldest(1000)))).toEqual(count(0, 40));
    expect(reads).toBe(1);
  });

  // Goal: records are pending as if their streams had been read (INV-13, INV-20). Method: read of one stream and over all in turn; revert one, read again.
  it('moves the marks of the streams, and of no other', async () => {
    const bench = await mixed();
    const [host, mgc] = [bench.stream('host', 1), bench.stream('mgc', 1)];
    unwrap(await host.read(4));
    expect(valuesOf(unwrap(await bench.engine.reads.readOldest(3)))).toEqual([1000, 1001, 101]);
    expect([host.marks().pending, mgc.marks().pending]).toEqual([5, 2]);
    unwrap(host.revert());
    expect(valuesOf(unwrap(await bench.engine.reads.readOldest(4)))).toEqual([0, 1, 2, 100]);
    expect([host.marks().pending, mgc.marks().pending]).toEqual([4, 2]);
  });

  // Goal: what happens while the disk answers is seen as it then is. Method: hold the read, discard and flush, let go.
  it('takes effect when it is complete', async () => {
    const bench = await mixed();
    bench.disk.holdReads = true;
    const reading = bench.engine.reads.readOldest(100);
    await settle();
    unwrap(bench.stream('host', 1).discard(2));
    expect(bench.stream('host', 1).marks().pending).toBe(0);
    bench.disk.holdReads = false;
    bench.disk.completeAll();
    expect(valuesOf(unwrap(await reading))).toEqual(ORDER.slice(2));
  });
});

describe('a batch of all streams', () => {
  // Goal: acknowledged as a whole. Method: two batches in order; marks of both streams.
  it('is acknowledged in all its streams', async () => {
    const bench = await mixed();
    const first = unwrap(await bench.engine.reads.readOldest(7));
    const second = unwrap(await bench.engine.reads.readOldest(8));
    expect(codeOf(bench.engine.reads.acknowledge(second))).toBe('BOUNDS_VIOLATION');
    expect(bench.stream('mgc', 1).marks().head).toBe(0);
    expect(unwrap(bench.engine.reads.acknowledge(first))).toBe(7);
    expect(unwrap(bench.engine.reads.acknowledge(second))).toBe(8);
    expect(unwrap(bench.engine.reads.acknowledge(second))).toBe(0);
    expect([bench.stream('host', 1).marks().head, bench.stream('mgc', 1).marks().head]).toEqual([9, 6]);
  });

  // Goal: a nack repeats it (INV-13). Method: revert a batch, read again.
  it('is repeated after a revert', async () => {
    const bench = await mixed();
    const batch = unwrap(await bench.engine.reads.readOldest(9));
    unwrap(bench.engine.reads.revert(batch));
    expect(valuesOf(unwrap(await bench.engine.reads.readOldest(9)))).toEqual(valuesOf(batch));
    expect(codeOf(bench.engine.reads.acknowledge(batch))).toBe('ok');
  });

  // Goal: bad input is a value, not a throw. Method: sizes that are none, a closed store.
  it('is refused for a size that is none, and by a closed store', async () => {
    const bench = await mixed();
    for (const max of [-1, 0.5, Number.NaN]) {
      expect(codeOf(await bench.engine.reads.readOldest(max))).toBe('PARAMETER_INVALID');
    }
    const batch = unwrap(await bench.engine.reads.readOldest(1));
    unwrap(await bench.engine.close());
    expect(codeOf(await bench.engine.reads.readOldest(1))).toBe('CLOSED');
    expect(codeOf(bench.engine.reads.acknowledge(batch))).toBe('CLOSED');
    expect(codeOf(bench.engine.reads.revert(batch))).toBe('CLOSED');
  });
});
