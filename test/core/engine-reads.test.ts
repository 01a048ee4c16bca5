/**
 * Reads: the oldest unread in order, disk before RAM, whole records or the ledgered gap, whatever happens meanwhile
 * (INV-03, INV-06, INV-19).
 */
import { describe, expect, it } from 'vitest';
import type { RecordBatch } from '../../src/core/record-batch.ts';
import { appendAll, codeOf, count, drain, scattered, settle, TSD, unwrap, Workbench } from './workbench.ts';

const BIG = { poolBytes: 65_536, quotaBytes: '1MiB' } as const;

/** `records` on disk in flushes of `each`, then `inRam` more. */
async function mixed(records: number, each: number, inRam: number): Promise<Workbench> {
  const bench = await Workbench.open(BIG);
  const stream = bench.stream('host', 1);
  for (let done = 0; done < records; done += each) {
    appendAll(stream, count(done, each));
    unwrap(await bench.engine.flush());
  }
  appendAll(stream, count(records, inRam));
  return bench;
}

const firstValues = (batch: RecordBatch): number[] => [...batch.values];

describe('a batch', () => {
  // Goal: exactly min(max, unread) records over the seams of blocks, segments and RAM (bugs V2, M1, M3). Method: every size of batch over 3 segments and a RAM tail.
  it('has exactly what was asked for, over segments and into RAM', async () => {
    for (const max of [1, 2, 3, 7, 20, 29, 30, 31, 49, 50, 51, 1000]) {
      const bench = await mixed(30, 10, 20);
      const stream = bench.stream('host', 1);
      const seen: number[] = [];
      for (;;) {
        const batch = unwrap(await stream.read(max));
        expect(batch.length).toBe(Math.min(max, 50 - seen.length));
        if (batch.length === 0) break;
        expect([...batch.sequences]).toEqual(count(seen.length, batch.length));
        expect([...batch.timesMs]).toEqual([...batch.sequences].map((sequence) => 1_000_000 + sequence * 1000));
        seen.push(...batch.values);
      }
      expect(seen).toEqual(count(0, 50));
    }
  });

  // Goal: each record has the epoch in which it was appended, as part of its identity. Method: three opens, records in each.
  it('names the epoch of each record', async () => {
    let bench = await Workbench.open();
    for (let epoch = 1; epoch <= 3; epoch++) {
      appendAll(bench.stream('host', 1), [epoch]);
      if (epoch < 3) bench = await bench.reopen();
    }
    const batch = unwrap(await bench.stream('host', 1).read(9));
    expect([...batch].map(({ epoch, value }) => [epoch, value])).toEqual([
      [1, 1],
      [2, 2],
      [3, 3],
    ]);
  });

  // Goal: what was handed out belongs to the caller. Method: change it, read the same again.
  it('is the caller’s to change', async () => {
    const bench = await mixed(10, 10, 5);
    const stream = bench.stream('host', 1);
    const batch = unwrap(await stream.read(15));
    batch.bits.fill(99);
    batch.sequences.fill(99);
    unwrap(stream.revert());
    expect(firstValues(unwrap(await stream.read(15)))).toEqual(count(0, 15));
    expect(() => batch.value(15)).toThrow(RangeError);
  });

  // Goal: reads of one stream are answered in the order of asking. Method: ten reads of three at once.
  it('is one of several asked for at once, in their order', async () => {
    const bench = await mixed(20, 10, 10);
    const stream = bench.stream('host', 1);
    const batches = await Promise.all(count(0, 10).map(() => stream.read(3)));
    expect(batches.flatMap((batch) => firstValues(unwrap(batch)))).toEqual(count(0, 30));
  });

  // Goal: streams do not disturb each other (INV-20, bug M6). Method: same sensor id in three sources and both kinds; interleaved blocks in shared segments.
  it('has records of its own stream only', async () => {
    const bench = await Workbench.open(BIG);
    const streams = [
      bench.stream('host', 5),
      bench.stream('mgc', 5, TSD),
      bench.stream('can_controller', 5),
      bench.stream('host', 6, TSD),
    ];
    for (let round = 0; round < 5; round++) {
      streams.forEach((stream, i) => appendAll(stream, count(i * 1000 + round * 10, 10)));
      if (round % 2 === 0) unwrap(await bench.engine.flush());
    }
    for (const [i, stream] of streams.entries()) expect(await drain(stream, 7)).toEqual(count(i * 1000, 50));
  });
});

describe('while the disk is slow', () => {
  // Goal: a flush that moves records from RAM to disk under a read loses and doubles none. Method: hold the read's I/O, flush, let it end.
  it('a read sees each record once though a flush moves them', async () => {
    const bench = await mixed(10, 10, 10);
    const stream = bench.stream('host', 1);
    bench.disk.holdReads = true;
    const reading = stream.read(20);
    await settle();
    expect(bench.disk.pending()).toHaveLength(1);
    unwrap(await bench.engine.flush());
    expect(bench.inspect('host', 1)).toMatchObject({ synced: 20, sectors: [] });
    bench.disk.holdReads = false;
    bench.disk.completeAll();
    expect(firstValues(unwrap(await reading))).toEqual(count(0, 20));
  });

  it('a read during a flush sees the records in RAM, and they may be acknowledged before it ends', async () => {
    const bench = await mixed(0, 1, 20);
    const stream = bench.stream('host', 1);
    bench.disk.autoSteps = 0;
    const flushed = bench.engine.flush();
    await settle();
    expect(firstValues(unwrap(await stream.read(20)))).toEqual(count(0, 20));
    unwrap(stream.acknowledge(15));
    bench.disk.autoSteps = Number.POSITIVE_INFINITY;
    bench.disk.completeAll();
    unwrap(await flushed);
    unwrap(stream.revert());
    expect(await drain(stream)).toEqual(count(15, 5));
    expect(bench.inspect('host', 1)).toMatchObject({ head: 15, synced: 20, sectors: [] });
  });

  // Goal: a read is judged when it completes. Method: acknowledge and discard while its I/O is held.
  it('a read takes what is the oldest unread when its bytes are there', async () => {
    const bench = await mixed(30, 10, 0);
    const stream = bench.stream('host', 1);
    bench.disk.holdReads = true;
    const reading = stream.read(5);
    await settle();
    unwrap(stream.discard(12));
    bench.disk.holdReads = false;
    bench.disk.completeAll();
    expect(firstValues(unwrap(await reading))).toEqual(count(12, 5));
    expect(stream.marks()).toMatchObject({ head: 12, read: 17 });
  });

  // Goal: a segment evicted under a read gives whole records or the ledgered gap. Method: hold a read of the oldest segment until flushes have evicted it.
  it('a read of a segment that is evicted meanwhile goes on behind the gap', async () => {
    const bench = await Workbench.open({ poolBytes: 3200, quotaBytes: 155_648, streamsMax: 4, ledgerMax: 16 });
    const stream = bench.stream('host', 1);
    const one = async (): Promise<void> => {
      appendAll(stream, count(stream.marks().appended, 150));
      unwrap(await bench.engine.flush());
    };
    await one();
    bench.disk.holdReads = true;
    const reading = stream.read(200);
    await settle();
    while (bench.engine.stats().evicted < 300) await one();
    bench.disk.holdReads = false;
    bench.disk.completeAll();
    const { head } = stream.marks();
    expect(head).toBeGreaterThanOrEqual(300);
    expect(firstValues(unwrap(await reading))).toEqual(count(head, 200));
    expect(bench.engine.ledger().entries).toMatchObject([{ from: 0, to: head, records: head, reason: 'evicted' }]);
  });

  // Goal: closing ends what waits; nothing becomes pending in a store that is going. Method: one read at the disk, one behind it, close.
  it('reads that wait are answered CLOSED once the store is closed, and not before', async () => {
    const bench = await mixed(10, 10, 0);
    const stream = bench.stream('host', 1);
    bench.disk.holdReads = true;
    const first = stream.read(1);
    const second = stream.read(1);
    await settle();
    unwrap(await bench.engine.close());
    bench.disk.completeAll();
    await settle();
    bench.disk.completeAll();
    expect(codeOf(await first)).toBe('CLOSED');
    expect(codeOf(await second)).toBe('CLOSED');
    expect(stream.marks().read).toBe(0);
    expect(codeOf(await stream.read(1))).toBe('CLOSED');
  });
});

describe('damage found while reading', () => {
  const SEGMENT = '000000000002.seg';

  /** The second of three segments is hit where its one block lies. */
  async function damaged(): Promise<Workbench> {
    const bench = await mixed(30, 10, 5);
    bench.disk.flipBit('host', SEGMENT, 8 * 70);
    return bench;
  }

  // Goal: a bad block is passed over, ledgered, announced once, and the batch is full all the same. Method: flip a bit under an open store, read in pieces and at once.
  it.each([3, 10, 15, 100])('is passed over, in the ledger, and costs that block alone (reads of %d)', async (max) => {
    const bench = await damaged();
    const stream = bench.stream('host', 1);
    expect(await drain(stream, max)).toEqual([...count(0, 10), ...count(20, 15)]);
    expect(bench.engine.ledger().entries).toEqual([
      { source: 'host', sensor: 1, from: 10, to: 20, records: 10, reason: 'damaged' },
    ]);
    expect(bench.events.filter(({ type }) => type === 'damaged')).toEqual([
      { type: 'damaged', key: { source: 'host', sensor: 1 }, from: 10, to: 20, file: SEGMENT },
    ]);
    // Counts are counts of records: 25 were read, the hole is passed over.
    unwrap(stream.acknowledge(12));
    expect(stream.marks()).toMatchObject({ head: 22, pending: 13 });
    expect(bench.engine.stats()).toMatchObject({ damaged: 10, acknowledged: 12, retained: 13 });
    unwrap(await bench.engine.checkpoint());
    const after = await bench.crash('nothing');
    expect(after.engine.ledger().entries).toEqual(bench.engine.ledger().entries);
    expect(after.engine.recovery.damagedRecords).toBe(0);
  });

  // Goal: peek sees it too, and marks nothing read. Method: peek behind and over the hole.
  it('is found by peek as well', async () => {
    const bench = await damaged();
    const stream = bench.stream('host', 1);
    expect(firstValues(unwrap(await stream.peek(8, 4)))).toEqual([8, 9, 20, 21]);
    expect(stream.marks()).toMatchObject({ head: 0, read: 0, unread: 25 });
  });

  // Goal: what was handed out before the damage is pending, not lost; its acknowledgement hits the right records. Method: read half a block, damage it, read on, acknowledge in order.
  it('takes nothing back that was read before the block went bad', async () => {
    const bench = await Workbench.open(BIG);
    const stream = bench.stream('host', 1);
    for (const first of [0, 10, 20]) {
      appendAll(stream, count(first, 10));
      unwrap(await bench.engine.flush());
    }
    const [one, two] = [unwrap(await stream.read(8)), unwrap(await stream.read(7))];
    expect(firstValues(two)).toEqual(count(8, 7));
    // Other segments push this one out of the reader's caches.
    const other = bench.stream('mgc', 9);
    for (let i = 0; i < 40; i++) {
      appendAll(other, [i]);
      unwrap(await bench.engine.flush());
    }
    for (let i = 0; i < 4; i++) unwrap(await other.read(10));
    bench.disk.flipBit('host', SEGMENT, 8 * 70);
    const three = unwrap(await stream.read(10));
    expect(firstValues(three)).toEqual(count(20, 10));
    expect(bench.inspect('host', 1)).toMatchObject({ damaged: 5, holes: [[15, 20]] });
    expect(unwrap(stream.acknowledge(one))).toBe(8);
    expect(unwrap(stream.acknowledge(two))).toBe(7);
    expect(stream.marks().head).toBe(20);
    unwrap(stream.revert());
    expect(await drain(stream)).toEqual(count(20, 10));
  });

  // Goal: after a revert a block that went bad is found as well, and its hole joins. Method: as above, revert instead of acknowledging.
  it('joins the hole with what a revert brings back', async () => {
    const bench = await damaged();
    const stream = bench.stream('host', 1);
    await drain(stream);
    unwrap(stream.acknowledge(5));
    unwrap(stream.revert());
    expect(await drain(stream)).toEqual([...count(5, 5), ...count(20, 15)]);
    expect(bench.inspect('host', 1).holes).toEqual([[10, 20]]);
  });

  // Goal: an I/O error is told twice and the third time a hole: it must not block what follows. Method: reads of one segment fail for good.
  it('is what three failed reads of a block are, and nothing changes before', async () => {
    const bench = await mixed(30, 10, 0);
    const stream = bench.stream('host', 1);
    expect(firstValues(unwrap(await stream.read(10)))).toEqual(count(0, 10));
    bench.fault({ kind: 'read', namePrefix: SEGMENT, times: Number.POSITIVE_INFINITY, fault: { code: 'IO' } });
    const before = bench.engine.inspect();
    for (let attempt = 0; attempt < 2; attempt++) {
      const refused = await stream.read(15);
      expect(codeOf(refused)).toBe('IO_FAILED');
      expect(refused.ok ? '' : refused.failure.message).toMatch(/could not read segment host\/000000000002.seg: EIO/);
      expect(bench.engine.inspect()).toEqual(before);
    }
    expect(firstValues(unwrap(await stream.read(15)))).toEqual(count(20, 10));
    expect(bench.inspect('host', 1)).toMatchObject({ damaged: 10, holes: [[10, 20]] });
  });

  it('is not what two failed reads are when the third goes well', async () => {
    const bench = await mixed(30, 10, 0);
    const stream = bench.stream('host', 1);
    bench.fault({ kind: 'read', namePrefix: '000000000001', times: 2, fault: { code: 'IO' } });
    expect(codeOf(await stream.read(9))).toBe('IO_FAILED');
    expect(codeOf(await stream.read(9))).toBe('IO_FAILED');
    expect(await drain(stream)).toEqual(count(0, 30));
    expect(bench.engine.stats().damaged).toBe(0);
  });

  // Goal: one unreadable page costs the blocks it holds, not their neighbours (INV-19). Method: a disk on which reads that touch one block fail; the segment has sixteen blocks of the stream.
  it('costs the block on an unreadable page, not the others of the segment', async () => {
    const bench = await Workbench.open({ poolBytes: 131_072, sectorBytes: 256, quotaBytes: '1MiB' });
    const stream = bench.stream('host', 1, TSD);
    const written = scattered(0, 12_000);
    appendAll(stream, written);
    unwrap(await bench.engine.flush());
    const { blocks } = bench.engine.inspect().segments[0] ?? { blocks: [] };
    expect(blocks.length).toBeGreaterThan(8);
    const bad = blocks[5] as { from: number; to: number };
    const { read } = bench.disk;
    const badAt = 64 + 5 * 4090;
    bench.disk.read = (directory, name, offset, into) =>
      offset <= badAt && badAt < offset + into.length
        ? Promise.resolve({ ok: false, error: { code: 'IO', detail: 'EIO: a bad page' } })
        : read.call(bench.disk, directory, name, offset, into);
    const values: number[] = [];
    let refused = 0;
    for (;;) {
      const batch = await stream.read(500);
      if (!batch.ok) refused++;
      else if (batch.value.length === 0) break;
      else values.push(...batch.value.values);
      expect(refused).toBeLessThan(10);
    }
    expect(values).toEqual([...written.slice(0, bad.from), ...written.slice(bad.to)]);
    expect(refused).toBe(2);
  });
});
