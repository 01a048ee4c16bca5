/**
 * When a flush starts, what it takes, what it leaves behind when it fails, and how space is made for it (INV-05, INV-08,
 * INV-09, INV-10, INV-11, INV-14).
 */
import { describe, expect, it } from 'vitest';
import type { EngineEvent } from '../../src/core/types.ts';
import { appendAll, codeOf, count, drain, settle, TSD, unwrap, Workbench } from './workbench.ts';

const EIO = { code: 'IO' } as const;

/** Lets time pass until timers that are due by then have run and what they began has gone on. */
async function pass(bench: Workbench, ms: number): Promise<void> {
  bench.clock.advance(ms);
  await settle();
}

const ofType = <T extends EngineEvent['type']>(bench: Workbench, type: T): Extract<EngineEvent, { type: T }>[] =>
  bench.events.filter((event): event is Extract<EngineEvent, { type: T }> => event.type === type);

describe('the threshold', () => {
  // Goal: not at 79 %, always at 80 %. Method: pools of 5 to 200 sectors, filled one by one; the first request must come at the smallest count that is 80 % or more.
  it.each([5, 9, 10, 11, 99, 100, 101, 200])(
    'asks for a flush at four fifths of %d sectors, not before',
    async (sectors) => {
      const bench = await Workbench.open({ poolBytes: sectors * 32 });
      bench.disk.autoSteps = 0;
      const stream = bench.stream('host', 1, TSD);
      for (let used = 1; ; used++) {
        // Off the grid each time: a sector each.
        stream.append(used, used * 1_000_000);
        const { pool, flushRequested } = bench.engine.inspect();
        expect(pool.used).toBe(used);
        if (flushRequested) {
          expect((100 * used) / sectors).toBeGreaterThanOrEqual(80);
          expect((100 * (used - 1)) / sectors).toBeLessThan(80);
          expect(pool.flushAtSectors).toBe(used);
          return;
        }
        await settle();
        expect(bench.disk.pending()).toEqual([]);
      }
    },
  );

  // Goal: append itself does no I/O, the flush starts behind it, once. Method: cross the threshold, look before and after a turn of the event loop.
  it('starts outside the append, announces the request once, and is back in ram mode with an empty pool', async () => {
    const bench = await Workbench.open();
    const stream = bench.stream('host', 1);
    appendAll(stream, count(0, 18));
    expect(bench.typesOfEvents()).toEqual(['recovered', 'flushRequested']);
    expect(bench.engine.inspect()).toMatchObject({ lifecycle: 'ram', flushRequested: true, flushRunning: false });
    const before = bench.disk.counts.steps;
    await settle();
    expect(bench.disk.counts.steps).toBeGreaterThan(before);
    expect(bench.typesOfEvents()).toEqual(['recovered', 'flushRequested', 'flushStarted', 'checkpointed', 'flushed']);
    expect(bench.engine.inspect()).toMatchObject({ lifecycle: 'ram', flushRequested: false, pool: { used: 0 } });
    expect(ofType(bench, 'flushed')[0]).toMatchObject({ flush: 1, records: 18, segments: 1 });
  });

  // Goal: one flush takes all streams of all sources (bug M20), one segment a source here, and one directory sync a source. Method: streams in all three; count the disk's operations.
  it('takes every stream of every source in one flush', async () => {
    const bench = await Workbench.open({ poolBytes: 65_536 });
    const sources = ['host', 'mgc', 'can_controller'] as const;
    for (const source of sources)
      for (const sensor of [7, 8]) appendAll(bench.stream(source, sensor), count(sensor, 9));
    const before = { ...bench.disk.counts };
    unwrap(await bench.engine.flush());
    // Three segments and three directories, and one batch of the log.
    expect(bench.disk.counts.syncs - before.syncs).toBe(3 + 3 + 1);
    expect(bench.disk.counts.writes - before.writes).toBe(3 + 1);
    const { segments, streams } = bench.engine.inspect();
    expect(segments.map(({ source, number }) => [source, number])).toEqual([
      ['host', 1],
      ['mgc', 2],
      ['can_controller', 3],
    ]);
    for (const stream of streams) expect(stream).toMatchObject({ synced: 9, sectors: [] });
    const after = await bench.crash('nothing');
    for (const source of sources) expect(await drain(after.stream(source, 7))).toEqual(count(7, 9));
  });

  // Goal: appends during a flush belong to the next one and stay in RAM. Method: hold the flush, append to an old and a new stream, let it end.
  it('leaves in RAM what was appended, and streams that were made, while it ran', async () => {
    const bench = await Workbench.open({ poolBytes: 3200 });
    const stream = bench.stream('host', 1);
    appendAll(stream, count(0, 5));
    bench.disk.autoSteps = 0;
    const flushed = bench.engine.flush();
    await settle();
    appendAll(stream, count(5, 2));
    appendAll(bench.stream('host', 2), [77]);
    appendAll(bench.stream('mgc', 2), [78]);
    bench.disk.autoSteps = Number.POSITIVE_INFINITY;
    bench.disk.completeAll();
    unwrap(await flushed);
    expect(bench.inspect('host', 1)).toMatchObject({
      synced: 5,
      appended: 7,
      sectors: [
        { first: 4, count: 3 - 1 },
        { first: 6, count: 1 },
      ],
    });
    expect(bench.inspect('host', 2)).toMatchObject({ synced: 0, appended: 1 });
    unwrap(await bench.engine.flush());
    const after = await bench.crash('nothing');
    expect(await drain(after.stream('host', 1))).toEqual(count(0, 7));
    expect(await drain(after.stream('host', 2))).toEqual([77]);
    expect(await drain(after.stream('mgc', 2))).toEqual([78]);
  });

  // Goal: what leaves while the flush runs is not written any more. Method: two segments' worth; acknowledge all while the first is being written.
  it('does not write what was discarded before its segment was gathered', async () => {
    const bench = await Workbench.open({ poolBytes: 262_144, sectorBytes: 256, quotaBytes: '2MiB' });
    const stream = bench.stream('host', 1);
    appendAll(stream, count(0, 15_000));
    bench.disk.autoSteps = 0;
    const flushed = bench.engine.flush();
    await settle();
    unwrap(stream.discard(15_000));
    bench.disk.autoSteps = Number.POSITIVE_INFINITY;
    bench.disk.completeAll();
    unwrap(await flushed);
    expect(bench.engine.stats()).toMatchObject({ segmentsWritten: 1, retained: 0, atRisk: 0 });
    expect(bench.inspect('host', 1)).toMatchObject({ head: 15_000, sectors: [] });
    unwrap(await bench.engine.close());
    expect(bench.names().filter((name) => name.endsWith('.seg'))).toEqual([]);
  });
});

describe('sharing', () => {
  // Goal: calls that a running flush covers share it; others get the next. Method: three calls, an append between.
  it('shares one flush between concurrent calls, and runs another for what came later', async () => {
    const bench = await Workbench.open();
    const stream = bench.stream('host', 1);
    appendAll(stream, [1]);
    bench.disk.autoSteps = 0;
    const calls = [bench.engine.flush(), bench.engine.flush()];
    await settle();
    calls.push(bench.engine.flush());
    appendAll(stream, [2]);
    const later = bench.engine.flush();
    await settle();
    expect(bench.engine.inspect()).toMatchObject({ flushRunning: true, flushRequested: true });
    bench.disk.autoSteps = Number.POSITIVE_INFINITY;
    bench.disk.completeAll();
    for (const call of calls) unwrap(await call);
    expect(bench.engine.stats().flushes).toBe(1);
    unwrap(await later);
    expect(bench.engine.stats().flushes).toBe(2);
    expect(bench.inspect('host', 1).synced).toBe(2);
  });
});

describe('a failed flush', () => {
  /** Each kind of step a flush can fail at, how many matching ones pass first, and where. */
  const STEPS = [
    ['the first write', { kind: 'write', directory: 'host' }, 0],
    ['a short write', { kind: 'write', directory: 'mgc' }, 0],
    ['the sync of a segment', { kind: 'sync', directory: 'mgc' }, 0],
    ['the sync of a directory', { kind: 'syncDirectory', directory: 'host' }, 0],
    ['the write of the log', { kind: 'write', directory: '' }, 0],
    ['the sync of the log', { kind: 'sync', directory: '' }, 0],
  ] as const;

  // Goal: it loses and frees nothing, says so, and the next one writes everything elsewhere (INV-14, bug V18). Method: fail each kind of step once, then let the retry run, then crash.
  it.each(STEPS)('at %s keeps everything in RAM, and the retry saves it in new files', async (name, rule, skip) => {
    const bench = await Workbench.open({ poolBytes: 3200 });
    appendAll(bench.stream('host', 1), count(0, 10));
    appendAll(bench.stream('mgc', 2, TSD), count(0, 10));
    const before = bench.engine.inspect();
    const shortBytes = name === 'a short write' ? 10 : 0;
    bench.fault({ ...rule, skip, times: 1, fault: { ...EIO, shortBytes } });
    const flushed = await bench.engine.flush();
    expect(codeOf(flushed)).toBe('IO_FAILED');
    expect(flushed.ok ? '' : flushed.failure.message).toMatch(/flush 1 failed: EIO.*all records are still in RAM/);
    const failed = bench.engine.inspect();
    expect(failed.streams).toEqual(before.streams);
    expect(failed).toMatchObject({ lifecycle: 'ram', retryWaiting: true, flushRunning: false, segments: [] });
    expect(failed.pool).toEqual(before.pool);
    expect(bench.engine.stats()).toMatchObject({ flushes: 0, flushFailures: 1, atRisk: 20 });
    const used = failed.segments.length;
    await pass(bench, 999);
    expect(bench.engine.stats().flushes).toBe(used);
    await pass(bench, 1);
    expect(bench.engine.stats()).toMatchObject({ flushes: 1, atRisk: 0 });
    expect(bench.engine.inspect()).toMatchObject({ retryWaiting: false, pool: { used: 0 } });
    // A file whose fsync failed is never believed: none of the attempt's numbers is live.
    const attempted = name.includes('log') || name.includes('segment') || name === 'a short write' ? 2 : 1;
    for (const { number } of bench.engine.inspect().segments) expect(number).toBeGreaterThan(attempted);
    const after = await bench.crash('nothing');
    expect(await drain(after.stream('host', 1))).toEqual(count(0, 10));
    expect(await drain(after.stream('mgc', 2, TSD))).toEqual(count(0, 10));
  });

  // Goal: the delays grow 1, 2, 4 ... 60 s and start anew after a success. Method: a disk that refuses; note each announced delay and when the attempt really comes.
  it('is tried again after 1, 2, 4, 8, 16, 32, 60, 60 seconds, and after 1 again once one went well', async () => {
    const bench = await Workbench.open();
    appendAll(bench.stream('host', 1), [1]);
    bench.fault({ kind: 'write', times: Number.POSITIVE_INFINITY, fault: EIO });
    await bench.engine.flush();
    for (const seconds of [1, 2, 4, 8, 16, 32, 60, 60]) {
      const failures = bench.engine.stats().flushFailures;
      expect(ofType(bench, 'flushFailed').at(-1)).toMatchObject({ retryInMs: seconds * 1000 });
      await pass(bench, seconds * 1000 - 1);
      expect(bench.engine.stats().flushFailures).toBe(failures);
      await pass(bench, 1);
      expect(bench.engine.stats().flushFailures).toBe(failures + 1);
      expect(bench.clock.timers).toBe(1);
    }
    bench.clearFaults();
    await pass(bench, 60_000);
    expect(bench.engine.stats()).toMatchObject({ flushes: 1, atRisk: 0 });
    bench.fault({ kind: 'write', times: 1, fault: EIO });
    appendAll(bench.stream('host', 1), [2]);
    await bench.engine.flush();
    expect(ofType(bench, 'flushFailed').at(-1)).toMatchObject({ retryInMs: 1000 });
  });

  // Goal: an explicit call does not wait for the delay; no timer is left over. Method: call during the wait, and call while a failing flush runs.
  it('is tried at once when flush is called', async () => {
    const bench = await Workbench.open();
    const stream = bench.stream('host', 1);
    appendAll(stream, [1]);
    bench.fault({ kind: 'write', times: 1, fault: EIO });
    expect(codeOf(await bench.engine.flush())).toBe('IO_FAILED');
    unwrap(await bench.engine.flush());
    expect(bench.clock.timers).toBe(0);
    expect(bench.engine.inspect().retryWaiting).toBe(false);

    appendAll(stream, [2]);
    bench.disk.autoSteps = 0;
    const failing = bench.engine.flush();
    await settle();
    appendAll(stream, [3]);
    const meanwhile = bench.engine.flush();
    bench.disk.fail(EIO);
    bench.disk.autoSteps = Number.POSITIVE_INFINITY;
    expect(codeOf(await failing)).toBe('IO_FAILED');
    unwrap(await meanwhile);
    expect(bench.inspect('host', 1).synced).toBe(3);
    expect(bench.clock.timers).toBe(0);
  });

  // Goal: a failing disk does not stop sampling before RAM is full, and then refuses and counts (contract section 5). Method: no write succeeds; fill the pool; recover the disk.
  it('lets appends go on until the pool is full, and all of it is saved when the disk is back', async () => {
    const bench = await Workbench.open();
    const stream = bench.stream('host', 1);
    bench.fault({ kind: 'write', times: Number.POSITIVE_INFINITY, fault: EIO });
    let taken = 0;
    while (stream.append(taken, taken) >= 0) {
      taken++;
      if (taken % 4 === 0) await settle();
    }
    expect(taken).toBe(20);
    expect([stream.append(99, 99), stream.append(99, 99)]).toEqual([-1, -1]);
    expect(bench.engine.stats()).toMatchObject({ refusedRamFull: 3, retained: 20, appended: 20 });
    bench.clearFaults();
    await pass(bench, 60_000);
    const after = await bench.crash('nothing');
    expect(await drain(after.stream('host', 1))).toEqual(count(0, 20));
  });

  // Goal: failing attempts do not fill the disk. Method: 200 attempts that fail at each kind of step; files and bytes stay bounded.
  it.each(STEPS)('200 times at %s leaves no trail of files', async (_, rule, skip) => {
    const bench = await Workbench.open();
    appendAll(bench.stream('host', 1), count(0, 5));
    appendAll(bench.stream('mgc', 1), count(0, 5));
    const fault = { ...rule, skip, times: Number.POSITIVE_INFINITY, fault: EIO };
    bench.fault(fault);
    for (let attempt = 0; attempt < 200; attempt++) {
      await bench.engine.flush();
      if (skip > 0) fault.skip = skip;
    }
    expect(bench.engine.stats().flushFailures).toBe(200);
    expect(bench.disk.totalBytes).toBeLessThan(bench.settings.quotaBytes);
    expect(bench.engine.inspect().diskBytes).toBeGreaterThanOrEqual(bench.disk.totalBytes);
    bench.clearFaults();
    unwrap(await bench.engine.flush());
    expect(bench.names().length).toBeLessThan(6);
  });
});

describe('the quota', () => {
  const BOUNDED = { poolBytes: 3200, quotaBytes: 155_648, streamsMax: 4, ledgerMax: 16 };

  /** Flushes of 150 records each until the first eviction. */
  async function full(input = {}): Promise<Workbench> {
    const bench = await Workbench.open({ ...BOUNDED, ...input });
    const stream = bench.stream('host', 1);
    for (let flush = 0; flush < 60 && !bench.typesOfEvents().includes('segmentEvicted'); flush++) {
      appendAll(stream, count(stream.marks().appended, 150));
      const flushed = await bench.engine.flush();
      if (!flushed.ok) return bench;
    }
    return bench;
  }

  // Goal: the oldest goes first, into the ledger, and what stays is whole (INV-10, INV-11). Method: flush until an eviction, ten times over; the disk notes its peak.
  it('evicts the oldest segment by flush order and enters it in the ledger', async () => {
    const bench = await full();
    const stream = bench.stream('host', 1);
    expect(ofType(bench, 'segmentEvicted')).toEqual([{ type: 'segmentEvicted', segment: 1, records: 150 }]);
    for (let flush = 0; flush < 10; flush++) {
      appendAll(stream, count(stream.marks().appended, 150));
      unwrap(await bench.engine.flush());
    }
    const evicted = ofType(bench, 'segmentEvicted').map(({ segment }) => segment);
    expect(evicted).toEqual(count(1, evicted.length));
    const lost = evicted.length * 150;
    expect(bench.engine.ledger()).toEqual({
      entries: [{ source: 'host', sensor: 1, from: 0, to: lost, records: lost, reason: 'evicted' }],
      foldedRecords: 0,
    });
    expect(await drain(stream)).toEqual(count(lost, stream.marks().appended - lost));
    expect(bench.disk.counts.peakBytes).toBeLessThanOrEqual(BOUNDED.quotaBytes);
    expect(bench.engine.stats()).toMatchObject({ evicted: lost, segmentsRemoved: 0 });
    const after = await bench.crash('nothing');
    expect(after.engine.ledger().entries).toEqual(bench.engine.ledger().entries);
    expect(after.inspect('host', 1)).toMatchObject({ head: lost, evicted: lost });
  });

  // Goal: what is acknowledged costs nothing. Method: acknowledge the oldest segment's records before the disk is full again.
  it('removes acknowledged segments before it evicts any', async () => {
    const bench = await full();
    const stream = bench.stream('host', 1);
    unwrap(await stream.read(450));
    unwrap(stream.acknowledge(450));
    const before = ofType(bench, 'segmentEvicted').length;
    for (let flush = 0; flush < 3; flush++) {
      appendAll(stream, count(stream.marks().appended, 150));
      unwrap(await bench.engine.flush());
    }
    expect(ofType(bench, 'segmentEvicted')).toHaveLength(before);
    expect(ofType(bench, 'segmentRemoved').map(({ segment }) => segment)).toEqual([2, 3, 4]);
  });

  // Goal: with refuse-new the old stays and the new is refused once RAM is full. Method: flush until it fails; acknowledge; go on.
  it('refuses new records instead when it is told to', async () => {
    const bench = await full({ whenDiskFull: 'refuse-new' });
    const stream = bench.stream('host', 1);
    expect(bench.typesOfEvents()).not.toContain('segmentEvicted');
    const failed = await bench.engine.flush();
    expect(failed.ok ? '' : failed.failure.message).toMatch(/the disk is full: quotaBytes is 155648/);
    while (stream.append(stream.marks().appended, 0) >= 0) await Promise.resolve();
    const appended = stream.marks().appended;
    expect(bench.engine.stats()).toMatchObject({ evicted: 0, retained: appended });
    unwrap(await stream.read(300));
    unwrap(stream.acknowledge(300));
    unwrap(await bench.engine.flush());
    expect(await drain(stream)).toEqual(count(300, appended - 300));
  });

  // Goal: the floor of free space is kept by eviction where that helps, and nothing is evicted where it does not. Method: another file takes some of the disk, then nearly all of it, then goes.
  it('evicts for the floor of free space, and not in vain', async () => {
    const bench = await Workbench.open({ ...BOUNDED, quotaBytes: '1MiB', freeFloorBytes: 50_000 });
    const stream = bench.stream('host', 1);
    const one = async () => {
      appendAll(stream, count(stream.marks().appended, 150));
      return bench.engine.flush();
    };
    bench.disk.capacityBytes = 300_000;
    for (let flush = 0; flush < 5; flush++) unwrap(await one());
    // The floor, the log's next generation and the segment need some 78,000 bytes: a little more than is left now.
    bench.disk.place('', 'other', new Uint8Array(300_000 - bench.disk.totalBytes - 72_000));
    expect(codeOf(await one())).toBe('ok');
    const evicted = bench.engine.stats().evicted;
    expect(evicted).toBeGreaterThan(0);
    expect(evicted).toBeLessThan(750);
    bench.disk.place('', 'another', new Uint8Array(60_000));
    const full = await one();
    expect(full.ok ? '' : full.failure.message).toMatch(/dropping what the store holds would not be enough/);
    expect(bench.engine.stats().evicted).toBe(evicted);
    bench.disk.displace('', 'another');
    unwrap(await bench.engine.flush());
    expect(await drain(stream)).toEqual(count(stream.marks().head, 7 * 150 - stream.marks().head));
  });

  // Goal: an eviction that is not durable does not happen (INV-12). Method: the log's write fails when the eviction is to be logged.
  it('evicts nothing when the eviction cannot be logged', async () => {
    const bench = await full();
    const stream = bench.stream('host', 1);
    appendAll(stream, count(stream.marks().appended, 150));
    const before = bench.engine.ledger();
    const { streams } = bench.engine.inspect();
    bench.fault({ kind: 'write', directory: '', times: 1, fault: EIO });
    expect(codeOf(await bench.engine.flush())).toBe('IO_FAILED');
    expect(bench.engine.ledger()).toEqual(before);
    expect(bench.engine.inspect().streams).toEqual(streams);
    unwrap(await bench.engine.flush());
  });
});

describe('reclaiming', () => {
  // Goal: segments go when their records are acknowledged and that is durable (bug V14: not before). Method: two streams in one segment; acknowledge one, then the other.
  it('removes a segment when every stream in it is acknowledged, and not earlier', async () => {
    const bench = await Workbench.open();
    const [a, b] = [bench.stream('host', 1), bench.stream('host', 2)];
    appendAll(a, count(0, 4));
    appendAll(b, count(0, 4));
    unwrap(await bench.engine.flush());
    await drain(a);
    unwrap(a.acknowledge(4));
    await settle();
    expect(bench.names()).toContain('host/000000000001.seg');
    await drain(b);
    unwrap(b.acknowledge(4));
    // Nothing live is left on disk: worth a checkpoint of its own.
    await settle();
    expect(bench.names()).not.toContain('host/000000000001.seg');
    expect(bench.inspect('host', 1).durableHead).toBe(4);
    expect(bench.engine.stats()).toMatchObject({ segmentsRemoved: 1, checkpoints: 2 });
  });

  it('waits for the next flush with fewer than 16 empty segments, and does not with 16', async () => {
    const bench = await Workbench.open();
    const stream = bench.stream('host', 1);
    for (let flush = 0; flush < 20; flush++) {
      appendAll(stream, [flush]);
      unwrap(await bench.engine.flush());
    }
    unwrap(await stream.read(20));
    for (let n = 1; n <= 16; n++) {
      unwrap(stream.acknowledge(1));
      await settle();
      expect(bench.engine.inspect().segments).toHaveLength(n < 16 ? 20 : 4);
    }
  });

  // Goal: acknowledgements are durable when the documentation says so. Method: crash right after an acknowledge, with and without the setting, and after checkpoint.
  it.each([
    [false, 0],
    [true, 3],
  ])('with durableAcknowledge %s a crash brings the head back to %d', async (durableAcknowledge, head) => {
    const bench = await Workbench.open({ durableAcknowledge });
    const stream = bench.stream('host', 1);
    appendAll(stream, count(0, 6));
    unwrap(await bench.engine.flush());
    unwrap(await stream.read(6));
    unwrap(stream.acknowledge(3));
    await settle();
    expect(bench.inspect('host', 1).durableHead).toBe(head);
    const after = await bench.crash('nothing');
    expect(await drain(after.stream('host', 1))).toEqual(count(head, 6 - head));
  });

  it('makes acknowledgements durable with checkpoint, and refuses when it could not', async () => {
    const bench = await Workbench.open();
    const stream = bench.stream('host', 1);
    appendAll(stream, count(0, 6));
    unwrap(await bench.engine.flush());
    unwrap(await stream.read(6));
    unwrap(stream.acknowledge(3));
    bench.fault({ kind: 'sync', directory: '', times: 1, fault: EIO });
    expect(codeOf(await bench.engine.checkpoint())).toBe('IO_FAILED');
    expect(bench.inspect('host', 1).durableHead).toBe(0);
    unwrap(await bench.engine.checkpoint());
    expect(bench.inspect('host', 1).durableHead).toBe(3);
    expect(ofType(bench, 'checkpointed').at(-1)?.heads).toEqual([{ source: 'host', sensor: 1, head: 3 }]);
    const { checkpoints } = bench.engine.stats();
    unwrap(await bench.engine.checkpoint());
    expect(bench.engine.stats().checkpoints).toBe(checkpoints);
    expect(await drain((await bench.crash('nothing')).stream('host', 1))).toEqual([3, 4, 5]);
  });
});
