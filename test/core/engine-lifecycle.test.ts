/**
 * Streams, saving when power fails, closing, events, figures, and what happens when something impossible does.
 */
import { describe, expect, it } from 'vitest';
import { simulatedPlatform } from '../../conformance/virtual-clock.ts';
import { Engine } from '../../src/core/engine.ts';
import type { Source, StreamOptions } from '../../src/core/types.ts';
import { appendAll, codeOf, count, drain, EVT, scattered, settle, TSD, unwrap, Workbench } from './workbench.ts';

/** What comes up by itself while `work` runs: errors that nobody handles, which the test runner must not see. */
async function uncaught(work: () => Promise<void>): Promise<unknown[]> {
  const errors: unknown[] = [];
  const others = process.listeners('unhandledRejection');
  process.removeAllListeners('unhandledRejection');
  process.on('unhandledRejection', (error) => errors.push(error));
  try {
    await work();
    await settle();
  } finally {
    process.removeAllListeners('unhandledRejection');
    for (const listener of others) process.on('unhandledRejection', listener);
  }
  return errors;
}

describe('streams', () => {
  it('are found again under their key, whatever the source', async () => {
    const bench = await Workbench.open();
    const stream = bench.stream('host', 7, TSD);
    expect(bench.stream('host', 7, TSD)).toBe(stream);
    expect(bench.stream('mgc', 7)).not.toBe(stream);
    expect(bench.engine.streams()).toHaveLength(2);
  });

  // Goal: a stream is one kind for good (bug M5). Method: each property changed alone, before and after a reopen.
  it.each([
    [{ kind: 'evt', type: 'float32' }, /is tsd every 1000 ms of float32, not evt of float32/],
    [{ kind: 'tsd', periodMs: 1001, type: 'float32' }, /not tsd every 1001 ms/],
    [{ kind: 'tsd', periodMs: 1000, type: 'int32' }, /not tsd every 1000 ms of int32/],
    [{ kind: 'tsd', periodMs: 1000 }, /of uint32/],
  ] as const)('refuse to be another: %j', async (options, wanted) => {
    const bench = await Workbench.open();
    appendAll(bench.stream('host', 1, { ...TSD, type: 'float32', priority: 3 }), [1]);
    const asked = (store: Workbench) => store.engine.stream({ source: 'host', sensor: 1 }, options as StreamOptions);
    const before = asked(bench);
    const again = await bench.reopen();
    for (const refused of [before, asked(again)]) {
      expect(codeOf(refused)).toBe('KIND_MISMATCH');
      expect(refused.ok ? '' : refused.failure.message).toMatch(wanted);
    }
    expect(again.inspect('host', 1)).toMatchObject({ kind: 'tsd', type: 'float32', periodMs: 1000, priority: 3 });
  });

  it('are refused beyond streamsMax, and the known ones are still found', async () => {
    const bench = await Workbench.open({ streamsMax: 2 });
    bench.stream('host', 1);
    bench.stream('host', 2);
    const refused = bench.engine.stream({ source: 'host', sensor: 3 }, EVT);
    expect(codeOf(refused)).toBe('TOO_MANY_STREAMS');
    expect(refused.ok ? '' : refused.failure.message).toMatch(/host\/3 would be number 3, streamsMax is 2: raise it/);
    expect(bench.stream('host', 2).sensor).toBe(2);
  });

  // Goal: each wrong argument is named with its value and the remedy. Method: a table.
  it.each([
    ['cloud', 1, EVT, /source is cloud: it must be one of host, mgc, can_controller/],
    ['host', -1, EVT, /sensor id is -1: it must be a whole number from 0 to 4294967295/],
    ['host', 2 ** 32, EVT, /sensor id is 4294967296/],
    ['host', 1.5, EVT, /sensor id is 1.5/],
    ['host', '1', EVT, /sensor id is 1/],
    ['host', 1, null, /options are missing/],
    ['host', 1, { kind: 'log' }, /kind is log: it must be 'tsd' or 'evt'/],
    ['host', 1, { kind: 'tsd' }, /periodMs is undefined: a tsd stream needs whole milliseconds from 1 to 2147483647/],
    ['host', 1, { kind: 'tsd', periodMs: 0 }, /periodMs is 0/],
    ['host', 1, { kind: 'tsd', periodMs: 2 ** 31 }, /periodMs is 2147483648/],
    ['host', 1, { kind: 'evt', periodMs: 5 }, /periodMs is 5: an evt stream has none/],
    ['host', 1, { kind: 'evt', type: 'double' }, /type is double: it must be one of uint32, int32, float32/],
    ['host', 1, { kind: 'evt', priority: 256 }, /priority is 256: it must be a whole number from 0 to 255/],
  ])('refuse %s/%s %j', async (source, sensor, options, wanted) => {
    const bench = await Workbench.open();
    const key = { source: source as Source, sensor: sensor as number };
    const refused = bench.engine.stream(key, options as StreamOptions);
    expect(codeOf(refused)).toBe('PARAMETER_INVALID');
    expect(refused.ok ? '' : refused.failure.message).toMatch(wanted);
    expect(bench.engine.streams()).toHaveLength(0);
  });

  // Goal: 2,048 sensors work in the classic pool. Method: 64 KiB in sectors of 32 bytes; a record each in three rounds, all drained.
  it('work 2,048 at a time in the classic 64 KiB pool', async () => {
    const bench = await Workbench.open({ poolBytes: 65_536, streamsMax: 2048, ledgerMax: 4096, quotaBytes: '8MiB' });
    const sources = ['host', 'mgc', 'can_controller'] as const;
    const streams = count(0, 2048).map((i) => bench.stream(sources[i % 3] as Source, i, i % 2 === 0 ? TSD : EVT));
    for (let round = 0; round < 3; round++) {
      for (const [i, stream] of streams.entries()) {
        expect(stream.append(i * 3 + round, 1_000_000 + round * 1000)).toBe(round);
        if (i % 500 === 0) await settle();
      }
      await settle();
    }
    unwrap(await bench.engine.flush());
    const after = await bench.crash('nothing');
    for (const i of [0, 1, 2, 1000, 2046, 2047]) {
      const stream = after.stream(sources[i % 3] as Source, i, i % 2 === 0 ? TSD : EVT);
      expect(await drain(stream)).toEqual([i * 3, i * 3 + 1, i * 3 + 2]);
    }
    expect(after.engine.stats().retained).toBe(2048 * 3);
  });
});

describe('power is failing', () => {
  async function threePriorities(): Promise<Workbench> {
    const bench = await Workbench.open({ poolBytes: 65_536 });
    for (const [source, sensor, priority] of [
      ['host', 1, 0],
      ['mgc', 1, 200],
      ['host', 2, 200],
      ['can_controller', 1, 7],
    ] as const) {
      appendAll(bench.stream(source, sensor, { ...EVT, priority }), count(0, 10));
    }
    return bench;
  }

  // Goal: highest priority first, each durable before the next begins. Method: let time run out after each step of the disk; power fails; what was reported saved is there.
  it('saves the highest priority first and reports what it saved', async () => {
    const saved = new Set<string>();
    for (let steps = 0; steps <= 24; steps++) {
      const bench = await threePriorities();
      bench.disk.autoSteps = steps;
      const saving = bench.engine.emergencyFlush(200);
      await settle();
      bench.clock.advance(200);
      bench.disk.autoSteps = Number.POSITIVE_INFINITY;
      bench.disk.completeAll();
      const report = unwrap(await saving);
      expect(report.saved + report.unsaved).toBe(40);
      expect(report.streams.map(({ priority }) => priority)).toEqual([200, 200, 7, 0]);
      const after = await bench.crash('nothing');
      for (const { source, sensor, saved: records, unsaved } of report.streams) {
        expect(records + unsaved).toBe(10);
        const found = after.engine.inspect().streams.find((each) => each.source === source && each.sensor === sensor);
        expect(found?.appended ?? 0).toBe(records);
      }
      saved.add(report.streams.map(({ saved: records }) => records).join());
    }
    // Of one priority host comes before mgc.
    expect([...saved]).toEqual(['0,10,0,0', '10,10,0,0', '10,10,10,0', '10,10,10,10']);
  });

  it('saves nothing and says so when no time is left', async () => {
    const bench = await threePriorities();
    expect(unwrap(await bench.engine.emergencyFlush(0))).toMatchObject({ saved: 0, unsaved: 40 });
    expect(bench.engine.stats().atRisk).toBe(40);
    expect(unwrap(await bench.engine.emergencyFlush(1000))).toMatchObject({ saved: 40, unsaved: 0 });
    expect(codeOf(await bench.engine.emergencyFlush(Number.NaN))).toBe('PARAMETER_INVALID');
    expect(codeOf(await bench.engine.emergencyFlush(-1))).toBe('PARAMETER_INVALID');
  });

  // Goal: who has little time left hears what is safe, also when the disk fails on the way. Method: the disk fails at the second priority.
  it('says what the priorities before saved when the disk fails at one', async () => {
    const bench = await threePriorities();
    bench.fault({ kind: 'write', directory: 'mgc', times: Number.POSITIVE_INFINITY, fault: { code: 'IO' } });
    const report = unwrap(await bench.engine.emergencyFlush(1_000));
    expect(report.saved).toBeGreaterThan(0);
    expect(report.saved + report.unsaved).toBe(40);
    expect(report.failure).toMatchObject({ code: 'IO_FAILED', message: expect.stringContaining('EIO: write mgc/') });
    const after = await bench.crash('nothing');
    for (const { source, sensor, saved: records } of report.streams) {
      const found = after.engine.inspect().streams.find((each) => each.source === source && each.sensor === sensor);
      expect(found?.appended ?? 0).toBe(records);
    }
  });

  // Goal: a clock that somebody sets moves no deadline. Method: set it back, and forward, while the disk is slow; let the time pass.
  it.each([-3_600_000, 3_600_000])('keeps its deadline when the clock is set by %d ms', async (byMs) => {
    const bench = await Workbench.open();
    for (const priority of [9, 1]) appendAll(bench.stream('host', 50 + priority, { ...EVT, priority }), [1]);
    bench.disk.autoSteps = 0;
    const saving = bench.engine.emergencyFlush(200);
    await settle();
    bench.clock.wallMs += byMs;
    bench.disk.complete();
    await settle();
    bench.clock.advance(200);
    bench.disk.autoSteps = Number.POSITIVE_INFINITY;
    bench.disk.completeAll();
    expect(unwrap(await saving)).toMatchObject({ saved: 1, unsaved: 1, failure: null });
  });

  // Goal: a deadline that is none closes nothing. Method: NaN and a negative one, then a record, then a proper close.
  it('is no reason to close a store when it is no number', async () => {
    const bench = await Workbench.open();
    for (const deadlineMs of [Number.NaN, -1])
      expect(codeOf(await bench.engine.close(deadlineMs))).toBe('PARAMETER_INVALID');
    appendAll(bench.stream('host', 1), [1]);
    expect(unwrap(await bench.engine.close(1_000))).toMatchObject({ saved: 1, unsaved: 0, failure: null });
  });

  // Goal: a running flush does not eat the time. Method: a flush of many segments is held in its first; the emergency cuts it at the next, and its callers are served all the same.
  it('cuts a running flush at its next segment', async () => {
    const bench = await Workbench.open({ poolBytes: 1_048_576, sectorBytes: 4096, quotaBytes: '4MiB' });
    appendAll(bench.stream('host', 1, TSD), scattered(0, 60_000));
    appendAll(bench.stream('mgc', 1, { ...EVT, priority: 255 }), count(0, 10));
    bench.disk.autoSteps = 0;
    const flushed = bench.engine.flush();
    await settle();
    const saving = bench.engine.emergencyFlush(10_000);
    bench.disk.autoSteps = Number.POSITIVE_INFINITY;
    bench.disk.completeAll();
    expect(unwrap(await saving)).toMatchObject({ saved: 60_010, unsaved: 0 });
    unwrap(await flushed);
    const [first, second] = bench.events.filter(({ type }) => type === 'flushed');
    expect(first).toMatchObject({ segments: 1 });
    expect(second).toMatchObject({ segments: 4 });
    // Written first of what the emergency wrote: the highest priority.
    expect(bench.engine.inspect().segments[1]).toMatchObject({ source: 'mgc' });
  });

  it('reports everything unsaved without a disk', async () => {
    const bench = await Workbench.openRamOnly();
    appendAll(bench.stream('host', 1), [1, 2]);
    expect(unwrap(await bench.engine.emergencyFlush(100))).toMatchObject({ saved: 0, unsaved: 2 });
  });
});

describe('closing', () => {
  // Goal: everything is saved and acknowledged state too (bug M29). Method: append, acknowledge, close, open.
  it('saves all records and all heads, gives the lock back, and refuses what comes later', async () => {
    const bench = await Workbench.open();
    const stream = bench.stream('host', 1);
    appendAll(stream, count(0, 8));
    unwrap(await stream.read(3));
    unwrap(stream.acknowledge(3));
    expect(unwrap(await bench.engine.close())).toEqual({
      saved: 5,
      unsaved: 0,
      streams: [{ source: 'host', sensor: 1, priority: 0, saved: 5, unsaved: 0 }],
      failure: null,
    });
    expect(bench.engine.inspect().lifecycle).toBe('closed');
    expect(stream.append(9, 9)).toBe(-2);
    expect(codeOf(await stream.read(1))).toBe('CLOSED');
    for (const refused of [stream.acknowledge(0), stream.revert(), stream.discard(0)]) {
      expect(codeOf(refused)).toBe('CLOSED');
    }
    const { engine } = bench;
    const calls = [engine.flush(), engine.checkpoint(), engine.emergencyFlush(1), engine.ready(), engine.close()];
    for (const call of calls) expect(codeOf(await call)).toBe('CLOSED');
    expect(codeOf(engine.stream({ source: 'host', sensor: 1 }, EVT))).toBe('CLOSED');
    const again = new Workbench({}, bench.disk);
    unwrap(await again.tryOpen());
    expect(again.engine.recovery).toMatchObject({ found: 'clean', records: 5 });
    expect(await drain(again.stream('host', 1))).toEqual(count(3, 5));
  });

  it('is refused to a second opener while the first has the store', async () => {
    const bench = await Workbench.open();
    const second = await Engine.open(simulatedPlatform(bench.disk, bench.clock, bench.ids), bench.settings);
    expect(codeOf(second)).toBe('LOCKED');
    expect(second.ok ? '' : second.failure.message).toMatch(/is open elsewhere: .+; close it there first/);
  });

  // Goal: a disk that fails does not keep the store open, and the report says what was not saved. Method: every write fails.
  it('ends with a failing disk, and says what it could not save', async () => {
    const bench = await Workbench.open();
    appendAll(bench.stream('host', 1), [1, 2, 3]);
    bench.fault({ kind: 'write', times: Number.POSITIVE_INFINITY, fault: { code: 'IO' } });
    expect(unwrap(await bench.engine.close())).toMatchObject({ saved: 0, unsaved: 3 });
    expect(bench.events.at(-1)).toEqual({ type: 'closed', unsaved: 3 });
    expect(bench.clock.timers).toBe(0);
    bench.clearFaults();
    const again = new Workbench({}, bench.disk);
    unwrap(await again.tryOpen());
    expect(again.engine.recovery.found).toBe('crash');
  });

  it('stops saving at its deadline, highest priority saved first', async () => {
    const bench = await Workbench.open({ poolBytes: 65_536 });
    appendAll(bench.stream('host', 1, { ...EVT, priority: 1 }), count(0, 5));
    appendAll(bench.stream('mgc', 2, { ...EVT, priority: 9 }), count(0, 5));
    bench.disk.autoSteps = 0;
    const closing = bench.engine.close(100);
    await settle();
    bench.clock.advance(100);
    bench.disk.autoSteps = Number.POSITIVE_INFINITY;
    bench.disk.completeAll();
    expect(unwrap(await closing)).toMatchObject({
      saved: 5,
      unsaved: 5,
      streams: [
        { source: 'mgc', saved: 5 },
        { source: 'host', saved: 0 },
      ],
    });
  });

  // Goal: a flush that was called before the close is answered by what became of it. Method: call both without a wait between.
  it('answers a flush that was under way, well when all was saved', async () => {
    const bench = await Workbench.open();
    appendAll(bench.stream('host', 1), [1]);
    const flushed = bench.engine.flush();
    const closed = bench.engine.close();
    unwrap(await flushed);
    expect(unwrap(await closed)).toMatchObject({ saved: 1, unsaved: 0 });

    const idle = await Workbench.open();
    const nothing = idle.engine.flush();
    unwrap(await idle.engine.close());
    unwrap(await nothing);
  });

  it('wakes who waits for room', async () => {
    const bench = await Workbench.open();
    bench.disk.autoSteps = 0;
    appendAll(bench.stream('host', 1), count(0, 20));
    const ready = bench.engine.ready();
    const closed = bench.engine.close();
    await settle();
    bench.disk.autoSteps = Number.POSITIVE_INFINITY;
    bench.disk.completeAll();
    await closed;
    expect(codeOf(await ready)).toBe('CLOSED');
  });
});

describe('waiting for room', () => {
  it('resolves at once below the threshold, else when a flush or an acknowledgement made room', async () => {
    const bench = await Workbench.open();
    const stream = bench.stream('host', 1);
    unwrap(await bench.engine.ready());
    bench.disk.autoSteps = 0;
    appendAll(stream, count(0, 18));
    const woken: string[] = [];
    void bench.engine.ready().then(() => woken.push('acknowledged'));
    await settle();
    expect(woken).toEqual([]);
    unwrap(await stream.read(18));
    unwrap(stream.acknowledge(4));
    await settle();
    expect(woken).toEqual(['acknowledged']);
  });
});

describe('giving up to wait for room', () => {
  // Goal: no list grows with those who gave up. Method: wait with a cancel, use it, make room: the call is never answered.
  it('takes the call off the list', async () => {
    const bench = await Workbench.open();
    const stream = bench.stream('host', 1);
    bench.disk.autoSteps = 0;
    appendAll(stream, count(0, 18));
    const woken: string[] = [];
    const wait: { cancel?: () => void } = {};
    void bench.engine.ready(wait).then(() => woken.push('gave up'));
    void bench.engine.ready().then(() => woken.push('waits'));
    wait.cancel?.();
    unwrap(await stream.read(18));
    unwrap(stream.acknowledge(4));
    await settle();
    expect(woken).toEqual(['waits']);
  });
});

describe('events', () => {
  // Goal: they come in the order of what happened, and the state they tell of is there. Method: a store's whole life.
  it('tell the life of a store in order', async () => {
    const bench = await Workbench.open();
    const stream = bench.stream('host', 1);
    appendAll(stream, count(0, 4));
    unwrap(await bench.engine.flush());
    unwrap(await stream.read(4));
    unwrap(stream.acknowledge(4));
    unwrap(await bench.engine.close());
    expect(bench.typesOfEvents()).toEqual([
      'recovered',
      'flushRequested',
      'flushStarted',
      'checkpointed',
      'flushed',
      'checkpointed',
      'segmentRemoved',
      'closed',
    ]);
  });

  // Goal: a listener that throws breaks nothing and its error is not swallowed. Method: throw in every event of a flush and a close.
  it('of a listener that throws change nothing, and its error comes up', async () => {
    const bench = await Workbench.open();
    const mine = new Error('the listener’s own');
    const errors = await uncaught(async () => {
      bench.engine.onEvent = () => {
        throw mine;
      };
      appendAll(bench.stream('host', 1), count(0, 18));
      unwrap(await bench.engine.flush());
      expect(bench.engine.inspect()).toMatchObject({ lifecycle: 'ram', pool: { used: 0 } });
      unwrap(await bench.engine.close());
    });
    expect(new Set(errors)).toEqual(new Set([mine]));
    expect(errors.length).toBeGreaterThanOrEqual(5);
  });

  it('let a listener call the store again', async () => {
    const bench = await Workbench.open();
    const stream = bench.stream('host', 1);
    bench.engine.onEvent = ({ type }) => {
      if (type === 'flushStarted' || type === 'checkpointed' || type === 'flushed') {
        stream.append(7, 7);
        bench.engine.stats();
        bench.engine.inspect();
      }
    };
    appendAll(stream, [1]);
    unwrap(await bench.engine.flush());
    expect(await drain(stream)).toEqual([1, 7, 7, 7]);
  });
});

describe('what cannot be', () => {
  const boom = new Error('a port that throws');

  /** A store whose disk breaks the port's promise and throws on `call`. */
  async function withThrowing(call: 'write' | 'sync'): Promise<Workbench> {
    const bench = await Workbench.open();
    appendAll(bench.stream('host', 1), [1, 2]);
    bench.disk[call] = () => {
      throw boom;
    };
    return bench;
  }

  // Goal: nobody waits for ever, nothing is written on top, the lock comes back. Method: a port that throws inside a flush.
  it.each(['write', 'sync'] as const)('ends the store with the error for who waits, when %s throws', async (call) => {
    const bench = await withThrowing(call);
    const errors = await uncaught(async () => {
      const [flushed, room] = [bench.engine.flush(), bench.engine.checkpoint()];
      await expect(flushed).rejects.toBe(boom);
      expect(codeOf(await room)).toBe('CLOSED');
    });
    expect(errors).toEqual([boom]);
    expect(bench.engine.inspect()).toMatchObject({ lifecycle: 'failed', flushRunning: false });
    expect(bench.stream.bind(bench, 'host', 1)).toThrow(/CLOSED/);
    expect(codeOf(await bench.engine.emergencyFlush(10))).toBe('CLOSED');
    const steps = bench.disk.counts.steps;
    expect(unwrap(await bench.engine.close())).toMatchObject({ saved: 0, unsaved: 2 });
    expect(bench.disk.counts.steps).toBe(steps);
    expect(await bench.disk.lock()).toEqual({ ok: true });
  });

  it('gives the lock back when opening throws', async () => {
    const bench = new Workbench();
    bench.disk.list = () => {
      throw boom;
    };
    await expect(bench.tryOpen()).rejects.toBe(boom);
    expect(await bench.disk.lock()).toEqual({ ok: true });
  });
});

describe('figures', () => {
  // Goal: every figure equals what the trace did (INV-22, bugs M8, M25). Method: a run counted by hand, and the disk's own counts.
  it('are what was done', async () => {
    const bench = await Workbench.open();
    const opened = { ...bench.disk.counts };
    const stream = bench.stream('host', 1);
    appendAll(stream, count(0, 10));
    unwrap(await bench.engine.flush());
    appendAll(stream, count(10, 4));
    unwrap(await stream.read(9));
    unwrap(stream.acknowledge(4));
    unwrap(stream.revert());
    unwrap(await stream.read(3));
    unwrap(stream.discard(5));
    const stats = bench.engine.stats();
    expect(stats).toMatchObject({
      appended: 14,
      read: 12,
      acknowledged: 4,
      reverted: 5,
      discarded: 5,
      evicted: 0,
      damaged: 0,
      flushes: 1,
      flushFailures: 0,
      checkpoints: 1,
      segmentsWritten: 1,
      segmentsRemoved: 0,
      refusedRamFull: 0,
      streams: 1,
      retained: 5,
      pending: 0,
      unread: 5,
      atRisk: 4,
      poolUsedSectors: 2,
      poolSectors: 10,
      ramUsagePercent: 20,
    });
    expect(stats.bytesWritten).toBe(bench.disk.counts.bytesWritten);
    expect(stats.syncs).toBe(bench.disk.counts.syncs);
    expect(stats.bytesWritten).toBeGreaterThan(opened.bytesWritten);
    expect(stats.diskBytes).toBeGreaterThanOrEqual(bench.disk.totalBytes);
    expect(stats.diskBytes % 4096).toBe(0);
    const again = await bench.reopen();
    const total = again.engine.stats();
    // What the new open's own first batch says of itself is behind by that batch, and caught up by the next.
    expect(total.bytesWrittenTotal).toBeGreaterThan(stats.bytesWritten);
    expect(total.bytesWritten).toBeLessThan(stats.bytesWritten + 10_000);
  });
});
