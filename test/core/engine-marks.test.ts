/**
 * What read, acknowledge, revert, discard and eviction do to the marks of a stream, on disk, in RAM and without a disk.
 */
import { describe, expect, it } from 'vitest';
import { appendAll, codeOf, count, drain, settle, TSD, unwrap, Workbench } from './workbench.ts';

const valuesOf = async (bench: Workbench, max: number): Promise<number[]> => [
  ...unwrap(await bench.stream('host', 1).read(max)).values,
];

describe.each(['in RAM', 'on disk'] as const)('records %s', (place) => {
  async function withRecords(records: number): Promise<Workbench> {
    const bench = await Workbench.open({ poolBytes: 65_536 });
    appendAll(bench.stream('host', 1), count(0, records));
    if (place === 'on disk') unwrap(await bench.engine.flush());
    return bench;
  }

  // Goal: a batch may be acknowledged in pieces (bug L2: the whole was erased). Method: read 50, acknowledge 30, revert, read again.
  it('makes the other 20 unread again after read 50, acknowledge 30, revert', async () => {
    const bench = await withRecords(60);
    const stream = bench.stream('host', 1);
    expect(await valuesOf(bench, 50)).toEqual(count(0, 50));
    expect(unwrap(stream.acknowledge(30))).toBe(30);
    expect(stream.marks()).toMatchObject({ head: 30, read: 50, pending: 20, unread: 10, retained: 30 });
    unwrap(stream.revert());
    unwrap(stream.revert());
    expect(stream.marks()).toMatchObject({ head: 30, read: 30, pending: 0, unread: 30 });
    expect(await valuesOf(bench, 50)).toEqual(count(30, 30));
  });

  // Goal: a read does not consume, the next one goes on (bugs V1, M10). Method: reads of one, then acknowledge what they gave.
  it('gives each record once, and gives up none before it is acknowledged', async () => {
    const bench = await withRecords(4);
    const stream = bench.stream('host', 1);
    expect([...(await valuesOf(bench, 1)), ...(await valuesOf(bench, 1)), ...(await valuesOf(bench, 9))]).toEqual([
      0, 1, 2, 3,
    ]);
    expect(await valuesOf(bench, 9)).toEqual([]);
    expect(stream.marks()).toMatchObject({ head: 0, pending: 4, retained: 4 });
    unwrap(stream.acknowledge(4));
    expect(bench.engine.stats()).toMatchObject({ retained: 0, pending: 0, acknowledged: 4, read: 4 });
  });

  // Goal: bounds are checked and a refusal changes nothing. Method: one more than pending, one more than retained, no counts at all.
  it('refuses to acknowledge more than is pending and to discard more than is retained', async () => {
    const bench = await withRecords(5);
    const stream = bench.stream('host', 1);
    await valuesOf(bench, 3);
    const before = bench.engine.inspect();
    expect(codeOf(stream.acknowledge(4))).toBe('BOUNDS_VIOLATION');
    expect(codeOf(stream.discard(6))).toBe('BOUNDS_VIOLATION');
    for (const wrong of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(codeOf(stream.acknowledge(wrong))).toBe('PARAMETER_INVALID');
      expect(codeOf(stream.discard(wrong))).toBe('PARAMETER_INVALID');
      expect(codeOf(await stream.read(wrong))).toBe('PARAMETER_INVALID');
      expect(codeOf(await stream.peek(wrong, 1))).toBe('PARAMETER_INVALID');
      expect(codeOf(await stream.peek(0, wrong))).toBe('PARAMETER_INVALID');
    }
    expect(bench.engine.inspect()).toEqual(before);
  });

  // Goal: discard forgets read and unread records alike. Method: read 2 of 6, discard 4: read is pulled up with head.
  it('discards the oldest, read or not, and pulls the read mark up with the head', async () => {
    const bench = await withRecords(6);
    const stream = bench.stream('host', 1);
    await valuesOf(bench, 2);
    unwrap(stream.discard(1));
    expect(stream.marks()).toMatchObject({ head: 1, read: 2, pending: 1 });
    unwrap(stream.discard(3));
    expect(stream.marks()).toMatchObject({ head: 4, read: 4, pending: 0, retained: 2 });
    expect(bench.inspect('host', 1)).toMatchObject({ discarded: 4, acknowledged: 0 });
    expect(await valuesOf(bench, 9)).toEqual([4, 5]);
  });

  // Goal: peek changes nothing. Method: peek at several offsets, also behind the end, and compare all marks and figures.
  it('peeks from any offset and changes no mark', async () => {
    const bench = await withRecords(6);
    const stream = bench.stream('host', 1);
    await valuesOf(bench, 1);
    const before = [bench.engine.inspect(), bench.engine.stats()];
    const peeked = async (offset: number, max: number) => [...unwrap(await stream.peek(offset, max)).values];
    expect(await peeked(0, 2)).toEqual([1, 2]);
    expect(await peeked(3, 9)).toEqual([4, 5]);
    expect(await peeked(5, 9)).toEqual([]);
    expect(await peeked(99, 9)).toEqual([]);
    expect([bench.engine.inspect(), bench.engine.stats()]).toEqual(before);
  });
});

describe('acknowledging a batch', () => {
  // Goal: a batch stands for its own records. Method: two batches of five, acknowledged in order, then once more.
  it('takes the batch that was read, and a second time changes nothing', async () => {
    const bench = await Workbench.open();
    const stream = bench.stream('host', 1);
    appendAll(stream, count(0, 12));
    const first = unwrap(await stream.read(5));
    const second = unwrap(await stream.read(5));
    expect(codeOf(stream.acknowledge(second))).toBe('BOUNDS_VIOLATION');
    expect(unwrap(stream.acknowledge(first))).toBe(5);
    expect(unwrap(stream.acknowledge(first))).toBe(0);
    expect(unwrap(stream.acknowledge(second))).toBe(5);
    expect(stream.marks()).toMatchObject({ head: 10, pending: 0, unread: 2 });
  });

  // Goal: a batch that is no longer pending, or another stream's, is refused. Method: revert; hand in a neighbour's batch.
  it('refuses a batch that was reverted and one of another stream', async () => {
    const bench = await Workbench.open();
    const stream = bench.stream('host', 1);
    const other = bench.stream('mgc', 1);
    appendAll(stream, count(0, 3));
    appendAll(other, count(0, 3));
    const batch = unwrap(await stream.read(3));
    unwrap(stream.revert());
    expect(codeOf(stream.acknowledge(batch))).toBe('BOUNDS_VIOLATION');
    expect(codeOf(stream.acknowledge(unwrap(await other.read(3))))).toBe('PARAMETER_INVALID');
    expect(stream.marks()).toMatchObject({ head: 0, retained: 3 });
  });

  // Goal: the rest of a batch of which a part was acknowledged by count. Method: read 6, acknowledge(2), acknowledge the batch.
  it('takes what is left of a batch of which the front was acknowledged by count', async () => {
    const bench = await Workbench.open();
    const stream = bench.stream('host', 1);
    appendAll(stream, count(0, 6));
    const batch = unwrap(await stream.read(6));
    unwrap(stream.acknowledge(2));
    expect(unwrap(stream.acknowledge(batch))).toBe(4);
    expect(stream.marks()).toMatchObject({ head: 6, retained: 0 });
  });
});

describe('eviction without a disk', () => {
  // 4 sectors of 2 evt records.
  const full = async (): Promise<Workbench> => {
    const bench = await Workbench.openRamOnly({ poolBytes: 128 });
    appendAll(bench.stream('host', 1), count(0, 8));
    return bench;
  };

  // Goal: the record is taken, the oldest sector goes into the ledger, pending or not. Method: fill 4 sectors, append one more.
  it('gives up the sector opened first, whoever owns it', async () => {
    const bench = await Workbench.openRamOnly({ poolBytes: 128 });
    const [a, b] = [bench.stream('host', 1), bench.stream('mgc', 1)];
    appendAll(a, [10, 11]);
    appendAll(b, [20, 21, 22]);
    appendAll(a, [12, 13]);
    // Sectors in the order in which they were opened: a(10 11) b(20 21) b(22) a(12 13); b's second is half full.
    appendAll(a, [14]);
    expect(bench.engine.ledger().entries).toEqual([
      { source: 'host', sensor: 1, from: 0, to: 2, records: 2, reason: 'evicted' },
    ]);
    appendAll(a, [15, 16]);
    expect(bench.inspect('mgc', 1)).toMatchObject({ head: 2, read: 2, evicted: 2 });
    expect(await drain(a)).toEqual([12, 13, 14, 15, 16]);
    expect(await drain(b)).toEqual([22]);
    expect(bench.engine.stats()).toMatchObject({ evicted: 4, refusedRamFull: 0, poolUsedSectors: 4 });
  });

  // Goal: an acknowledgement after the eviction is accepted and changes nothing. Method: read 4, lose 2 of them, acknowledge all 4.
  it('accepts the acknowledgement of what was evicted while it was pending', async () => {
    const bench = await full();
    const stream = bench.stream('host', 1);
    await valuesOf(bench, 4);
    appendAll(stream, [8]);
    expect(stream.marks()).toMatchObject({ head: 2, pending: 2 });
    expect(codeOf(stream.acknowledge(5))).toBe('BOUNDS_VIOLATION');
    expect(unwrap(stream.acknowledge(4))).toBe(2);
    expect(stream.marks()).toMatchObject({ head: 4, pending: 0 });
    expect(codeOf(stream.acknowledge(1))).toBe('BOUNDS_VIOLATION');
  });

  // Goal: an evicted batch does not eat the acknowledgement of the next one. Method: read two batches, evict the first, acknowledge both.
  it('acknowledges the batch behind an evicted one', async () => {
    const bench = await full();
    const stream = bench.stream('host', 1);
    const evicted = unwrap(await stream.read(2));
    appendAll(stream, [8]);
    const next = unwrap(await stream.read(2));
    expect([...next.values]).toEqual([2, 3]);
    expect(unwrap(stream.acknowledge(evicted))).toBe(0);
    expect(unwrap(stream.acknowledge(next))).toBe(2);
    expect(stream.marks().head).toBe(4);
  });

  // Goal: the same when nobody acknowledges the evicted batch, and when half of a batch went. Method: acknowledge only the later one.
  it('acknowledges a batch whose front, or whose forerunner, was evicted', async () => {
    const bench = await full();
    const stream = bench.stream('host', 1);
    unwrap(await stream.read(1));
    const batch = unwrap(await stream.read(3));
    appendAll(stream, [8]);
    expect(unwrap(stream.acknowledge(batch))).toBe(2);
    expect(stream.marks()).toMatchObject({ head: 4, pending: 0 });
    const later = unwrap(await stream.read(1));
    expect(unwrap(stream.acknowledge(later))).toBe(1);
  });

  // Goal: nothing evicted can be named once it was given back. Method: read, evict, revert, then acknowledge one.
  it('forgets after a revert that something pending was lost', async () => {
    const bench = await full();
    const stream = bench.stream('host', 1);
    await valuesOf(bench, 4);
    appendAll(stream, [8]);
    unwrap(stream.revert());
    expect(codeOf(stream.acknowledge(1))).toBe('BOUNDS_VIOLATION');
  });

  // Goal: a listener may append (bug found by reading: the freed sector was taken from under the append). Method: append inside the event.
  it('lets the listener of an eviction append', async () => {
    const bench = await full();
    const [stream, other] = [bench.stream('host', 1), bench.stream('mgc', 9)];
    bench.engine.onEvent = (event) => {
      if (event.type === 'sectorEvicted' && other.marks().appended === 0) other.append(77, 5);
    };
    expect(stream.append(8, 1)).toBe(8);
    const { pool, streams } = bench.engine.inspect();
    const owned = streams.flatMap(({ sectors }) => sectors.map(({ sector }) => sector));
    expect([...owned, ...pool.free].sort()).toEqual([0, 1, 2, 3]);
    expect(pool.used).toBe(owned.length);
    expect(await drain(other)).toEqual([77]);
    expect(await drain(stream)).toEqual([4, 5, 6, 7, 8]);
  });
});

describe('the hot path', () => {
  // Goal: a refused record changes nothing, and is counted when the pool was full. Method: fill a pool with a disk whose flush is held back.
  it('answers RAM_FULL with a full pool and counts it; the tsd grid does not move', async () => {
    const bench = await Workbench.open({ poolBytes: 128 });
    bench.disk.autoSteps = 0;
    const tsd = bench.stream('host', 1, TSD);
    expect(tsd.append(1, 0)).toBe(0);
    // Off the grid each time: a sector each.
    expect([1, 2, 3].map((i) => tsd.append(i, i * 10_000))).toEqual([1, 2, 3]);
    const before = bench.engine.inspect();
    expect(tsd.append(9, 99_000)).toBe(-1);
    expect(bench.engine.inspect()).toEqual(before);
    expect(tsd.append(4, 31_400)).toBe(4);
    expect(bench.engine.stats()).toMatchObject({ appended: 5, refusedRamFull: 1 });
    expect([...unwrap(await tsd.read(9)).timesMs]).toEqual([0, 10_000, 20_000, 30_000, 31_000]);
  });

  // Goal: what is no value or no time of the stream is refused, one by one. Method: a table of values and times.
  it.each([
    ['uint32', [-1, 0.5, 4_294_967_296, Number.NaN], [0, 4_294_967_295]],
    ['int32', [2_147_483_648, -2_147_483_649, 0.5, Number.NaN], [-2_147_483_648, 2_147_483_647, 0]],
    ['float32', [1e39, -1e39, '1' as unknown as number], [Number.NaN, Number.POSITIVE_INFINITY, -0, 0.1]],
  ] as const)('refuses values that are not %s and keeps those that are', async (type, wrong, right) => {
    const bench = await Workbench.open();
    const stream = bench.stream('host', 1, { kind: 'evt', type });
    for (const value of wrong) expect(stream.append(value, 0)).toBe(-3);
    for (const value of right) expect(stream.append(value, 0)).toBeGreaterThanOrEqual(0);
    const kept = await drain(stream);
    expect(kept).toEqual(right.map((value) => (type === 'float32' ? Math.fround(value) : value)));
  });

  it('refuses times that are no whole milliseconds below 2^48, and takes 1970 and the year 10889', async () => {
    const bench = await Workbench.open();
    const stream = bench.stream('host', 1);
    for (const timeMs of [-1, 0.5, 2 ** 48, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(stream.append(1, timeMs)).toBe(-3);
      expect(stream.appendBits(1, timeMs)).toBe(-3);
    }
    expect(stream.appendBits(-1, 0)).toBe(-3);
    expect(stream.appendBits(2 ** 32, 0)).toBe(-3);
    expect([stream.append(1, 0), stream.append(2, 2 ** 48 - 1), stream.append(3, 1)]).toEqual([0, 1, 2]);
    expect([...unwrap(await stream.read(9)).timesMs]).toEqual([0, 2 ** 48 - 1, 1]);
  });

  // Goal: appendMany says how many it took. Method: one bad value in the middle; fewer times than values.
  it('appends many until one is refused, also when a time is missing', async () => {
    const bench = await Workbench.open();
    const evt = bench.stream('host', 1);
    expect(evt.appendMany([1, 2, -3, 4], [10, 20, 30, 40])).toBe(2);
    expect(evt.appendMany([5, 6, 7], [50, 60])).toBe(2);
    expect(evt.appendMany([])).toBe(0);
    const tsd = bench.stream('host', 2, TSD);
    expect(tsd.appendMany([1, 2, 3])).toBe(3);
    const start = bench.clock.wallMs;
    expect([...unwrap(await tsd.read(9)).timesMs]).toEqual([start, start + 1000, start + 2000]);
    expect([...unwrap(await evt.read(9)).timesMs]).toEqual([10, 20, 50, 60]);
  });
});

describe('the tsd grid', () => {
  // Goal: the rule of half a period, to the millisecond. Method: samples 0, exactly half, and one more than half a period off.
  it('keeps a sample up to half a period off on the grid and begins a new run beyond', async () => {
    const bench = await Workbench.open({ poolBytes: 3200 });
    const stream = bench.stream('host', 1, TSD);
    for (const timeMs of [5_000, 6_000, 7_500, 7_500, 9_001, 10_502, 10_001]) stream.append(0, timeMs);
    const batch = unwrap(await stream.read(99));
    //                      first  on     +500   -500   +1     +502 off  -1501 off: time may jump back
    expect([...batch.timesMs]).toEqual([5_000, 6_000, 7_000, 8_000, 9_000, 10_502, 10_001]);
    expect(bench.inspect('host', 1).sectors.map(({ first, count: records }) => [first, records])).toEqual([
      [0, 5],
      [5, 1],
      [6, 1],
    ]);
  });

  // Goal: the grid goes on over sectors, a flush, and an emptied stream. Method: 20 samples with jitter, flushed and acknowledged between.
  it('goes on over full sectors, flushes and acknowledgements', async () => {
    const bench = await Workbench.open({ poolBytes: 3200 });
    const stream = bench.stream('host', 1, TSD);
    const jitter = (i: number): number => 1_000_000 + i * 1000 + ((i * 37) % 400) - 200 + 200 * Number(i === 0);
    for (let i = 0; i < 10; i++) stream.append(i, jitter(i));
    unwrap(await bench.engine.flush());
    for (let i = 10; i < 15; i++) stream.append(i, jitter(i));
    await drain(stream);
    unwrap(stream.acknowledge(15));
    for (let i = 15; i < 20; i++) stream.append(i, jitter(i));
    unwrap(await bench.engine.flush());
    const batch = unwrap(await stream.read(99));
    expect([...batch.timesMs]).toEqual(count(15, 5).map((i) => 1_000_000 + i * 1000));
    await settle();
  });

  // Goal: nothing is known of the grid after a start. Method: reopen; a sample a little off keeps its own time.
  it('begins anew when the store is opened again', async () => {
    const bench = await Workbench.open();
    bench.stream('host', 1, TSD).append(1, 5_000);
    const again = await bench.reopen();
    again.stream('host', 1, TSD).append(2, 6_100);
    expect([...unwrap(await again.stream('host', 1, TSD).read(9)).timesMs]).toEqual([5_000, 6_100]);
  });
});
