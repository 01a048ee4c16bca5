/**
 * What the old calls do to the store: a read does not consume, an erase takes what was read, a place that was read before
 * is read again, counters follow. Over the simulated disk, so that flush, eviction and faults are at the test's hand.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LegacyMemoryManager } from '../../src/legacy/manager.ts';
import type { ControlSensorData, ReadRecord } from '../../src/legacy/shapes.ts';
import type { Bench } from './bench.ts';
import { bench, named } from './bench.ts';

const HOST = 0;

async function opened(): Promise<Bench> {
  const made = bench();
  expect(await made.open()).toBe('SUCCESS');
  return made;
}

function write(mm: LegacyMemoryManager, sensor: number, value: number, timeMs: number): string {
  return named(mm.write(HOST, { sensor_id: sensor, value, utc_time_ms: timeMs }));
}

/** The value that a read gives, or the code's name. */
function read(mm: LegacyMemoryManager, position?: unknown): number | string {
  const record: ReadRecord = {};
  const code = mm.read(HOST, record, position);
  return code === 0 ? (record.value as number) : named(code);
}

describe('a read over a source', () => {
  // Goal: reading takes nothing away. Method: read, look at the store's own figures, read the same place again.
  it('does not consume: the same place gives the same record until it is erased', async () => {
    const { mm } = await opened();
    for (let i = 0; i < 4; i++) write(mm, 1, 10 + i, i);
    expect([read(mm, 0), read(mm, 1), read(mm, 1), read(mm, 0)]).toEqual([10, 11, 11, 10]);
    expect(mm.store?.stats()).toMatchObject({ retained: 4, pending: 1, unread: 3 });
    expect([named(mm.erase(HOST, 1)), read(mm, 0)]).toEqual(['SUCCESS', 11]);
  });

  // Goal: what was given back is not erased by accident. Method: nack by starting over, then an erase of the old count.
  it('at an earlier place gives the rest back, so that an erase takes only what was handed out since', async () => {
    const { mm } = await opened();
    for (let i = 0; i < 4; i++) write(mm, 1 + (i % 2), 10 + i, i);
    expect([read(mm), read(mm), read(mm)]).toEqual([10, 11, 12]);
    expect(read(mm, 1)).toBe(11);
    expect(named(mm.erase(HOST, 3))).toBe('BOUNDS_VIOLATION');
    expect(named(mm.erase(HOST, 2))).toBe('SUCCESS');
    expect([read(mm), read(mm), read(mm)]).toEqual([12, 13, 'BOUNDS_VIOLATION']);
  });

  // Goal: no record is skipped unseen, and that is not called empty. Method: a place two behind what was read.
  it('refuses a place that leaves out records nobody has read, and does not call it empty', async () => {
    const { mm } = await opened();
    for (let i = 0; i < 3; i++) write(mm, 1, 10 + i, i);
    expect([read(mm, 2), read(mm, 0), read(mm, 2), read(mm, 1)]).toEqual([
      'SEQUENCE_VIOLATION',
      10,
      'SEQUENCE_VIOLATION',
      11,
    ]);
  });

  // Goal: both kinds of loop work: a cursor that is never touched, and one that is set back. Method: erases in between.
  it('counts a cursor on, through erases too, and starts over where it was set back', async () => {
    const { mm } = await opened();
    for (let i = 0; i < 6; i++) write(mm, 1, 10 + i, i);
    const cursor = { value: 0 };
    expect([read(mm, cursor), read(mm, cursor), cursor.value]).toEqual([10, 11, 2]);
    expect(named(mm.erase(HOST, 2))).toBe('SUCCESS');
    expect([read(mm, cursor), cursor.value, read(mm, cursor)]).toEqual([12, 1, 13]);
    cursor.value = 0;
    expect([read(mm, cursor), read(mm, cursor), read(mm, cursor), read(mm, cursor)]).toEqual([12, 13, 14, 15]);
    expect([read(mm, cursor), cursor.value]).toEqual(['BOUNDS_VIOLATION', 4]);
  });

  // Goal: oldest first over all sensors, in the order of writing within one. Method: a clock that jumps back.
  it('gives the earliest time next, and never reorders a sensor whose clock jumped', async () => {
    const { mm } = await opened();
    for (const [sensor, value, timeMs] of [
      [1, 10, 500],
      [2, 20, 100],
      [1, 11, 50],
      [2, 21, 600],
      [3, 30, 500],
    ] as const)
      write(mm, sensor, value, timeMs);
    expect([read(mm), read(mm), read(mm), read(mm), read(mm)]).toEqual([20, 10, 11, 30, 21]);
  });

  // Goal: any mix of calls keeps to a list that anybody can follow. Method: a reference of ten lines beside the store,
  // flushes and power cuts included; all values differ, so that a record in the wrong place is seen.
  it('agrees with a plain list on any sequence of writes, reads, erases, flushes and restarts', async () => {
    const step = fc.oneof(
      { weight: 5, arbitrary: fc.record({ do: fc.constant('write' as const), n: fc.nat(3) }) },
      { weight: 6, arbitrary: fc.record({ do: fc.constant('read' as const), n: fc.nat(6) }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('place' as const), n: fc.nat(6) }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('erase' as const), n: fc.nat(7) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('flush' as const), n: fc.constant(0) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const), n: fc.constant(0) }) },
    );
    const steps = fc.array(step, { maxLength: 60, size: 'max' });
    await fc.assert(
      fc.asyncProperty(steps, async (sequence) => {
        const { mm, open } = await opened();
        let [all, taken, next]: [number[], number, number] = [[], 0, 0];
        const expectRead = (position?: number): void => {
          const wanted = all[taken] ?? 'BOUNDS_VIOLATION';
          expect(read(mm, position)).toBe(wanted);
          if (wanted !== 'BOUNDS_VIOLATION') taken++;
        };
        for (const { do: what, n } of sequence) {
          if (what === 'write') {
            // Time goes forward, so that the order of time over all sensors is the order of writing.
            expect(write(mm, n, next, next)).toBe('SUCCESS');
            all.push(next++);
          } else if (what === 'read') for (let i = 0; i < n; i++) expectRead();
          else if (what === 'place' && n > taken) expect(read(mm, n)).toBe('SEQUENCE_VIOLATION');
          else if (what === 'place') {
            taken = n;
            expectRead(n);
          } else if (what === 'erase') {
            expect(named(mm.erase(HOST, n))).toBe(n > taken ? 'BOUNDS_VIOLATION' : 'SUCCESS');
            if (n <= taken) [all, taken] = [all.slice(n), taken - n];
          } else if (what === 'flush') expect(named(await mm.flush())).toBe('SUCCESS');
          else {
            expect(named(await mm.shutdown())).toBe('SUCCESS');
            expect(await open()).toBe('SUCCESS');
            taken = 0;
          }
          expect(mm.store?.stats()).toMatchObject({ retained: all.length, pending: taken });
        }
      }),
      { numRuns: 150, seed: 1 },
    );
  });
});

describe('while a flush is under way', () => {
  // Goal: wherever a record lies just then, it is read once, and erased once (INV-05, INV-06). Method: the disk is let go
  // step by step; at each step of the flush all is read from the beginning, and one record is erased and one written.
  it('a read gives every record once and in order, at every step of the disk', async () => {
    const { mm, disk } = await opened();
    let all = Array.from({ length: 24 }, (_, i) => i);
    for (const value of all) write(mm, value % 3, value, value);
    await mm.flush();
    const more = Array.from({ length: 12 }, (_, i) => 24 + i);
    for (const value of more) write(mm, value % 3, value, value);
    all = [...all, ...more];
    disk.autoSteps = 0;
    const flushed = mm.flush();
    let steps = 0;
    for (; ; steps++) {
      await new Promise((resolve) => setImmediate(resolve));
      const seen: (number | string)[] = [];
      for (let at = 0; at <= all.length; at++) seen.push(read(mm, at));
      expect(seen).toEqual([...all, 'BOUNDS_VIOLATION']);
      expect(named(mm.erase(HOST, 1))).toBe('SUCCESS');
      expect(write(mm, steps % 3, 100 + steps, 100 + steps)).toBe('SUCCESS');
      all = [...all.slice(1), 100 + steps];
      if (!disk.complete()) break;
    }
    expect(steps).toBeGreaterThan(4);
    expect(named(await flushed)).toBe('SUCCESS');
    expect(mm.store?.stats()).toMatchObject({ retained: all.length, damaged: 0 });
  });
});

describe('an entry', () => {
  const csb = [
    { id: 5, csd_type: 2 },
    { id: 6, csd_type: 2, sample_rate: 100, data_type: 'int32' as const },
  ];

  /** The value that a read of the entry gives, or the code's name. */
  const readEntry = (mm: LegacyMemoryManager, csd: ControlSensorData[], entry = 0): number | string => {
    const out: ReadRecord = {};
    const code = mm.readEntry(csb, csd, entry, out);
    return code === 0 ? (out.value as number) : named(code);
  };

  async function written(values: number): Promise<Bench & { readonly csd: ControlSensorData[] }> {
    const made = await opened();
    const csd: ControlSensorData[] = [{}, {}];
    for (let i = 0; i < values; i++) expect(named(made.mm.writeEntry(csb, csd, 0, 10 + i, false))).toBe('SUCCESS');
    return { ...made, csd };
  }

  // Goal: empty and unknown are no values. Method: an entry never written, one that holds a 0, an index beyond.
  it('tells empty, unknown and the value 0 apart', async () => {
    const { mm, csd } = await written(0);
    expect(readEntry(mm, csd)).toBe('BOUNDS_VIOLATION');
    expect(named(mm.writeEntry(csb, csd, 0, 0, false))).toBe('SUCCESS');
    expect(readEntry(mm, csd)).toBe(0);
    expect(readEntry(mm, csd)).toBe('BOUNDS_VIOLATION');
    expect(readEntry(mm, csd, 2)).toBe('INVALID_PARAMETER');
    expect(csd[0]).toMatchObject({ no_samples: 1, no_pending: 1, last_read: { value: 0 } });
  });

  // Goal: pending and retained go down by the batch. Method: five written, three read, erased, the rest still there.
  it('keeps no_samples and no_pending as the store has them', async () => {
    const { mm, csd } = await written(5);
    expect(csd[0]).toMatchObject({ no_samples: 5, no_pending: 0, last_value: 14, valid: 1 });
    expect([readEntry(mm, csd), readEntry(mm, csd), readEntry(mm, csd)]).toEqual([10, 11, 12]);
    expect(csd[0]).toMatchObject({ no_samples: 5, no_pending: 3 });
    expect(named(mm.eraseEntry(csb, csd, 0))).toBe('SUCCESS');
    expect(csd[0]).toMatchObject({ no_samples: 2, no_pending: 0 });
    expect([readEntry(mm, csd), readEntry(mm, csd), readEntry(mm, csd)]).toEqual([13, 14, 'BOUNDS_VIOLATION']);
  });

  // Goal: the pattern of the first uploader works: no_pending is set to what was sent, the rest put back. Method: it.
  it('erases as many as no_pending is set to, and goes on behind what was read', async () => {
    const { mm, csd } = await written(5);
    for (let i = 0; i < 4; i++) readEntry(mm, csd);
    const data = csd[0] as ControlSensorData;
    const before = data.no_pending as number;
    data.no_pending = 3;
    expect(named(mm.eraseEntry(csb, csd, 0))).toBe('SUCCESS');
    data.no_pending = before - 3;
    expect(data).toMatchObject({ no_samples: 2, no_pending: 1 });
    expect(readEntry(mm, csd)).toBe(14);
  });

  // Goal: an erase never takes what nobody read, and a counter gone astray is said to be so. Method: no_pending too high.
  it('refuses a no_pending that is more than was read, once, in an erase and in a read, and puts it right', async () => {
    const { mm, csd } = await written(5);
    const data = csd[0] as ControlSensorData;
    readEntry(mm, csd);
    data.no_pending = 4;
    expect(named(mm.eraseEntry(csb, csd, 0))).toBe('BOUNDS_VIOLATION');
    expect(data).toMatchObject({ no_samples: 5, no_pending: 1, errors: 1 });
    data.no_pending = 4;
    expect(readEntry(mm, csd)).toBe('CONSISTENCY_FAILURE');
    expect(data).toMatchObject({ no_samples: 5, no_pending: 1, errors: 2 });
    expect(mm.store?.stats()).toMatchObject({ retained: 5, pending: 1 });
    expect([readEntry(mm, csd), named(mm.eraseEntry(csb, csd, 0)), readEntry(mm, csd)]).toEqual([11, 'SUCCESS', 12]);
  });

  // Goal: both ways of a nack repeat the batch. Method: no_pending set to 0 by hand, and revert_tsd_evt_pending_data.
  it('repeats what was read after a nack, whichever way it is said', async () => {
    const { mm, csd } = await written(3);
    expect([readEntry(mm, csd), readEntry(mm, csd)]).toEqual([10, 11]);
    (csd[0] as ControlSensorData).no_pending = 0;
    expect([readEntry(mm, csd), readEntry(mm, csd)]).toEqual([10, 11]);
    expect(named(mm.forEntries(csb, 2, (entry) => mm.revertEntry(csb, csd, entry)))).toBe('SUCCESS');
    expect([csd[0]?.no_pending, readEntry(mm, csd)]).toEqual([0, 10]);
  });

  // Goal: a nack outlives what the sampling loop does in between: what was not sent is not erased. Method: set back by
  // hand, one more write to the same entry, then the whole upload again.
  it('repeats what was read also when a write came between the nack and the read', async () => {
    const { mm, csd } = await written(2);
    expect([readEntry(mm, csd), readEntry(mm, csd)]).toEqual([10, 11]);
    (csd[0] as ControlSensorData).no_pending = 0;
    expect(named(mm.writeEntry(csb, csd, 0, 12, false))).toBe('SUCCESS');
    expect(csd[0]).toMatchObject({ no_samples: 3, no_pending: 0 });
    expect([readEntry(mm, csd), named(mm.eraseEntry(csb, csd, 0))]).toEqual([10, 'SUCCESS']);
    expect([readEntry(mm, csd), readEntry(mm, csd), readEntry(mm, csd)]).toEqual([11, 12, 'BOUNDS_VIOLATION']);
  });

  it('with a sample_rate is a tsd sensor of its type, and refuses what the sensor is not', async () => {
    const { mm, csd } = await written(0);
    expect([named(mm.writeEntry(csb, csd, 1, -7, false)), readEntry(mm, csd, 1)]).toEqual(['SUCCESS', -7]);
    expect(mm.store?.streams()[0]).toMatchObject({ kind: 'tsd', periodMs: 100, type: 'int32' });
    expect(named(mm.write(2, { sensor_id: 6, value: 1, sample_rate: 200 }))).toBe('CONSISTENCY_FAILURE');
    expect(named(mm.write(2, { sensor_id: 6, value: 1, data_type: 2 }))).toBe('CONSISTENCY_FAILURE');
    expect(named(mm.write(2, { sensor_id: 6, value: 1 }))).toBe('SUCCESS');
    expect(named(mm.writeEntry(csb, csd, 1, 2 ** 31, false))).toBe('INVALID_PARAMETER');
  });
});

describe('a damaged block', () => {
  // Goal: it costs its own records, is told in the log, and stops nobody: no code, no value in its place, and counts that
  // fit (INV-19). Method: three segments, a bit of the second turned over, read by the loop of an uploader.
  it('is passed over by a read, and an erase takes what was read', async () => {
    const { mm, disk, logged } = await opened();
    for (let i = 0; i < 30; i++) {
      write(mm, 1, i, i);
      if (i % 10 === 9) await mm.flush();
    }
    disk.flipBit('host', '000000000002.seg', 8 * 70);
    const values: (number | string)[] = [];
    for (let value = read(mm); typeof value === 'number'; value = read(mm)) values.push(value);
    expect(values).toEqual([
      ...Array.from({ length: 10 }, (_, i) => i),
      ...Array.from({ length: 10 }, (_, i) => 20 + i),
    ]);
    expect(logged.join('\n')).toContain('damaged stream=host/1 from=10 to=20');
    expect(named(mm.erase(HOST, 21))).toBe('BOUNDS_VIOLATION');
    expect(named(mm.erase(HOST, 20))).toBe('SUCCESS');
    expect(mm.store?.stats()).toMatchObject({ retained: 0, damaged: 10, acknowledged: 20 });
  });
});

describe('a program that uses the store itself as well', () => {
  // Goal: the old calls never say "empty" for records that came another way. Method: append past them, to a sensor that
  // they know and have read to its end, and to one that they do not know.
  it('finds what was written past the old calls', async () => {
    const { mm } = await opened();
    write(mm, 1, 10, 1);
    expect([read(mm), read(mm)]).toEqual([10, 'BOUNDS_VIOLATION']);
    mm.store?.stream('host', 1, { kind: 'evt' }).append(11, 2);
    expect([read(mm), read(mm)]).toEqual([11, 'BOUNDS_VIOLATION']);
    mm.store?.stream('host', 2, { kind: 'evt', type: 'float32' }).append(0.5, 3);
    expect([read(mm), read(mm)]).toEqual([0.5, 'BOUNDS_VIOLATION']);
    mm.store?.stream('host', 3, { kind: 'evt', type: 'int32' });
    expect([write(mm, 3, -7, 4), read(mm)]).toEqual(['SUCCESS', -7]);
    expect(named(mm.erase(HOST, 4))).toBe('SUCCESS');
  });
});

describe('records that went meanwhile', () => {
  // Goal: a partial repeat, with an eviction before it, still erases what was handed out and no more. Method: six read,
  // the sector of the first five goes, the sixth is read again, all six are erased, the seventh is next.
  it('stay countable when a later place is read again', async () => {
    const { mm } = bench();
    expect(named(await mm.init({ config: null, mode: 0, settings: { poolBytes: 256, sectorBytes: 64 } }))).toBe(
      'SUCCESS',
    );
    for (let i = 0; i < 20; i++) write(mm, 1, i, i);
    expect(Array.from({ length: 6 }, () => read(mm))).toEqual([0, 1, 2, 3, 4, 5]);
    write(mm, 1, 20, 20);
    expect(mm.store?.stats()).toMatchObject({ evicted: 5, pending: 1 });
    expect(read(mm, 5)).toBe(5);
    expect(named(mm.erase(HOST, 7))).toBe('BOUNDS_VIOLATION');
    expect(named(mm.erase(HOST, 6))).toBe('SUCCESS');
    expect(read(mm)).toBe(6);
    expect(named(await mm.shutdown())).toBe('SUCCESS');
  });

  // Goal: an erase of what was evicted after it was read is accepted, and no newer record pays for it. Method: RAM only,
  // full, so that the oldest sector goes while it is pending.
  it('may be erased, and the newer ones are still there', async () => {
    const made = bench();
    expect(named(await made.mm.init({ config: null, mode: 0, settings: { poolBytes: 256, sectorBytes: 64 } }))).toBe(
      'SUCCESS',
    );
    const { mm } = made;
    let values = 0;
    const fill = (): void => void write(mm, 1, values, values++);
    while (mm.store?.stats().evicted === 0) fill();
    const oldest = mm.store?.stats().evicted as number;
    expect([read(mm), read(mm), read(mm)]).toEqual([oldest, oldest + 1, oldest + 2]);
    const evictedBefore = mm.store?.stats().evicted as number;
    while (mm.store?.stats().evicted === evictedBefore) fill();
    const lost = (mm.store?.stats().evicted as number) - evictedBefore;
    expect(lost).toBeGreaterThanOrEqual(3);
    expect(named(mm.erase(HOST, 3))).toBe('SUCCESS');
    expect(read(mm)).toBe(oldest + lost);
    expect(named(await mm.shutdown())).toBe('SUCCESS');
  });
});
