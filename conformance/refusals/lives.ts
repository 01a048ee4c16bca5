/**
 * Short lives of a store, and what it reports of itself at each turn: what was found at open, what a close or a power-fail
 * flush saved, what a flush announces, figures that outlive a close. Said here by hand, record by record.
 */
import type { SaveReport } from '../../src/core/engine.ts';
import type { StreamHandle } from '../../src/core/stream-handle.ts';
import type { Case } from './case.ts';
import { differs } from './case.ts';
import { appendSome, given, Machine, NOW_MS, streamOf } from './machine.ts';

async function opens(): Promise<string | null> {
  const machine = new Machine();
  const first = await machine.open();
  const reports = [first.recovery];
  appendSome(streamOf(first, 1), 3);
  await first.close();
  const second = await machine.open();
  reports.push(second.recovery);
  appendSome(streamOf(second, 1), 2);
  machine.cutPower();
  const third = await machine.open();
  reports.push(third.recovery);
  const nothing = { segments: 0, records: 0, salvagedRecords: 0, setAside: [], damagedRecords: 0 };
  const kept = { ...nothing, segments: 1, records: 3 };
  const wanted = [
    { found: 'new', epoch: 1, ...nothing },
    { found: 'clean', epoch: 2, ...kept },
    { found: 'crash', epoch: 3, ...kept },
  ];
  return (
    differs('what was found', reports, wanted) ??
    differs('the events', machine.events.filter(({ type }) => type === 'recovered').length, 3) ??
    differs('the recoveries counted', [first.stats().recoveries, third.stats().recoveries], [0, 1]) ??
    differs('the epochs', [first.epoch, second.epoch, third.epoch], [1, 2, 3]) ??
    differs('the store id', [second.storeId, third.inspect().storeId], [first.storeId, first.storeId])
  );
}

async function opensWithoutDisk(): Promise<string | null> {
  const machine = new Machine(false);
  const first = await machine.open();
  const second = await machine.open();
  const wanted = {
    found: 'new',
    epoch: 1,
    segments: 0,
    records: 0,
    salvagedRecords: 0,
    setAside: [],
    damagedRecords: 0,
  };
  appendSome(streamOf(first, 1), 2);
  const saved = given(await first.emergencyFlush(1));
  const answers = [await first.flush(), await first.checkpoint(), await first.ready()].map(({ ok }) => ok);
  return (
    differs('what was found', [first.recovery, second.recovery], [wanted, wanted]) ??
    differs('the two ids alike', first.storeId === second.storeId, false) ??
    differs('what was saved', [saved.saved, saved.unsaved], [0, 2]) ??
    differs('flush, checkpoint and ready', answers, [true, true, true]) ??
    differs('what a close saved', given(await first.close()).unsaved, 2)
  );
}

async function locks(): Promise<string | null> {
  const machine = new Machine();
  const first = await machine.open();
  const second = await machine.tryOpen();
  const code = second.ok ? 'ok' : second.failure.code;
  const names = !second.ok && second.failure.message.includes('the engine that this disk already serves');
  await first.close();
  const third = await machine.tryOpen();
  return (
    differs('a second open', [code, names], ['LOCKED', true]) ?? differs('an open after the close', third.ok, true)
  );
}

async function failsToOpen(): Promise<string | null> {
  const machine = new Machine();
  await (await machine.open()).close();
  machine.disk?.faults.push({ kind: 'list', times: 1, fault: { code: 'IO' } });
  const failed = await machine.tryOpen();
  const code = failed.ok ? 'ok' : failed.failure.code;
  // The lock is given back, or this one would be refused.
  const again = await machine.tryOpen();
  return differs('the opens', [code, again.ok], ['IO_FAILED', true]);
}

async function describesStreams(): Promise<string | null> {
  const engine = await new Machine().open();
  const tsd = streamOf(engine, 1, { kind: 'tsd', periodMs: 10, type: 'int32', priority: 3 });
  const evt = streamOf(engine, 2);
  appendSome(evt, 4);
  await engine.flush();
  appendSome(evt, 1);
  await evt.read(3);
  evt.acknowledge(1);
  const shapes = engine
    .streams()
    .map(({ source, sensor, kind, type, periodMs }) => [source, sensor, kind, type, periodMs]);
  const { streams, segments, quotaBytes, pool, flushRunning } = engine.inspect();
  const { segmentsWritten, streams: counted, poolSectors, quotaBytes: quota } = engine.stats();
  return (
    differs('the streams', shapes, [
      ['host', 1, 'tsd', 'int32', 10],
      ['host', 2, 'evt', 'uint32', 0],
    ]) ??
    differs('the same handles', [engine.streams()[0] === tsd, streamOf(engine, 2) === evt], [true, true]) ??
    differs('the marks', evt.marks(), {
      head: 1,
      read: 3,
      synced: 4,
      appended: 5,
      retained: 4,
      pending: 2,
      unread: 2,
    }) ??
    differs(
      'what inspect says of them',
      streams.map(({ kind, type, periodMs, priority }) => [kind, type, periodMs, priority]),
      [
        ['tsd', 'int32', 10, 3],
        ['evt', 'uint32', 0, 0],
      ],
    ) ??
    differs(
      'the segments',
      segments.map(({ flush, epoch, source }) => [flush, epoch, source]),
      [[1, 1, 'host']],
    ) ??
    differs('the pool', [pool.sectorBytes, pool.sectors, flushRunning], [32, 16, false]) ??
    differs(
      'the figures',
      [segmentsWritten, counted, poolSectors, quotaBytes, quota],
      [1, 2, 16, 256 * 2 ** 20, 256 * 2 ** 20],
    )
  );
}

async function announcesFlushes(): Promise<string | null> {
  const machine = new Machine();
  const engine = await machine.open();
  appendSome(streamOf(engine, 1), 3);
  const other = engine.stream({ source: 'mgc', sensor: 1 }, { kind: 'evt' });
  appendSome(given(other), 2);
  await engine.flush();
  const of = machine.events.filter(({ type }) => type.startsWith('flush'));
  const onDisk = machine.disk?.files().filter(({ name }) => name.endsWith('.seg')) ?? [];
  const bytes = onDisk.reduce((sum, { content }) => sum + content.length, 0);
  return differs('the events', of, [
    { type: 'flushRequested' },
    { type: 'flushStarted', flush: 1 },
    { type: 'flushed', flush: 1, records: 5, segments: 2, bytes, durationMs: 0 },
  ]);
}

async function keepsTotals(): Promise<string | null> {
  const machine = new Machine();
  const first = await machine.open();
  appendSome(streamOf(first, 1), 3);
  await first.flush();
  const before = first.stats();
  await first.close();
  const second = await machine.open();
  const { bytesWritten, syncs, bytesWrittenTotal, syncsTotal } = second.stats();
  const grew = bytesWrittenTotal - bytesWritten >= before.bytesWritten && syncsTotal - syncs >= before.syncs;
  const closing = { bytes: bytesWrittenTotal - bytesWritten, syncs: syncsTotal - syncs };
  // The close itself writes one batch of the log: less than a part's step.
  const sane = closing.bytes < before.bytesWritten + 16_384 && closing.syncs < before.syncs + 8;
  return (
    differs(
      'totals of the first open are its figures',
      [before.bytesWrittenTotal, before.syncsTotal],
      [before.bytesWritten, before.syncs],
    ) ?? differs('totals go on behind a close', [grew, sane], [true, true])
  );
}

async function savesByPriority(): Promise<string | null> {
  const machine = new Machine();
  const engine = await machine.open();
  const low = streamOf(engine, 1, { kind: 'evt', priority: 1 });
  const high = streamOf(engine, 2, { kind: 'evt', priority: 200 });
  streamOf(engine, 3);
  appendSome(low, 2);
  appendSome(high, 3);
  const late = given(await engine.emergencyFlush(0));
  const nothing = { saved: 0, unsaved: 5 };
  const saved = given(await engine.emergencyFlush(1_000));
  const rows = (report: SaveReport): unknown =>
    report.streams.map((row) => [row.sensor, row.priority, row.saved, row.unsaved]);
  return (
    differs(
      'with no time left',
      [{ saved: late.saved, unsaved: late.unsaved }, rows(late)],
      [
        nothing,
        [
          [2, 200, 0, 3],
          [1, 1, 0, 2],
        ],
      ],
    ) ??
    differs(
      'with time',
      [saved.saved, saved.unsaved, rows(saved)],
      [
        5,
        0,
        [
          [2, 200, 3, 0],
          [1, 1, 2, 0],
        ],
      ],
    )
  );
}

async function closes(): Promise<string | null> {
  const machine = new Machine();
  const engine = await machine.open();
  appendSome(streamOf(engine, 1), 3);
  const late = given(await engine.close(0));
  const second = await machine.open();
  const handle = streamOf(second, 1);
  appendSome(handle, 4);
  const saved = given(await second.close(1_000));
  const third = await machine.open();
  const left = streamOf(third, 1).marks().retained;
  return (
    differs('a close without time', [late.saved, late.unsaved], [0, 3]) ??
    differs('a close with time', [saved.saved, saved.unsaved, left], [4, 0, 4]) ??
    differs('the lifecycle', [engine.inspect().lifecycle, third.inspect().lifecycle], ['closed', 'ram'])
  );
}

async function survivesListeners(): Promise<string | null> {
  const machine = new Machine();
  const engine = await machine.open();
  const thrown: unknown[] = [];
  const overhear = (reason: unknown): number => thrown.push(reason);
  const others = process.listeners('unhandledRejection');
  process.removeAllListeners('unhandledRejection');
  process.on('unhandledRejection', overhear);
  try {
    engine.onEvent = () => {
      throw new Error('a log line');
    };
    appendSome(streamOf(engine, 1), 3);
    const flushed = await engine.flush();
    await new Promise((resolve) => setImmediate(resolve));
    engine.onEvent = null;
    return (
      differs('the flush', [flushed.ok, engine.inspect().lifecycle], [true, 'ram']) ??
      differs('its errors come up', thrown.length > 0 && String(thrown[0]), 'Error: a log line') ??
      differs('the listener', engine.onEvent, null)
    );
  } finally {
    process.off('unhandledRejection', overhear);
    for (const each of others) process.on('unhandledRejection', each);
  }
}

async function waitsForRoom(): Promise<string | null> {
  const machine = new Machine();
  const engine = await machine.open();
  const handle = streamOf(engine, 1);
  const free = await Promise.race([engine.ready(), Promise.resolve('waits')]);
  if (machine.disk !== null) machine.disk.autoSteps = 0;
  while (handle.append(1, NOW_MS) >= 0);
  const answers: string[] = [];
  const wait: { cancel?: () => void } = {};
  void engine.ready().then(({ ok }) => answers.push(`first ${ok}`));
  void engine.ready(wait).then(({ ok }) => answers.push(`cancelled ${ok}`));
  wait.cancel?.();
  await new Promise((resolve) => setImmediate(resolve));
  const before = answers.length;
  while (machine.disk?.complete() === true) await new Promise((resolve) => setImmediate(resolve));
  return (
    differs('with room', free, { ok: true }) ??
    differs('answers while it is full', before, 0) ??
    differs('answers with room again', answers, ['first true'])
  );
}

async function takesMany(): Promise<string | null> {
  const engine = await new Machine().open();
  const evt = streamOf(engine, 1);
  const tsd = streamOf(engine, 2, { kind: 'tsd', periodMs: 10 });
  const taken = [
    evt.appendMany([1, 2, 3], [5, 4, 6]),
    // Fewer times than values: the record without one is refused.
    evt.appendMany([4, 5], [7]),
    evt.appendMany([6, -1, 8]),
    evt.appendMany([]),
    tsd.appendMany([1, 2, 3]),
  ];
  const times = async (handle: StreamHandle): Promise<number[]> => [...given(await handle.peek(0, 100)).timesMs];
  return (
    differs('what was taken', taken, [3, 1, 1, 0, 3]) ??
    differs('times of evt', await times(evt), [5, 4, 6, 7, NOW_MS]) ??
    differs('times of tsd', await times(tsd), [NOW_MS, NOW_MS + 10, NOW_MS + 20])
  );
}

async function refusesTooManyStreams(): Promise<string | null> {
  const machine = new Machine();
  const engine = await machine.open();
  for (let sensor = 1; sensor <= 3; sensor++) appendSome(streamOf(engine, sensor), 1);
  await engine.close();
  machine.settings = { streamsMax: 2 };
  const refused = await machine.tryOpen();
  machine.settings = { streamsMax: 3 };
  const again = await machine.tryOpen();
  return differs('the opens', [refused.ok ? 'ok' : refused.failure.code, again.ok], ['CONFIG_INVALID', true]);
}

const life = (name: string, check: Case['check']): Case => ({ name, check });

export const LIVES: readonly Case[] = [
  life('a store says what it found: new, closed, cut off', opens),
  life('a store without a disk is a new one every time, and saves nothing', opensWithoutDisk),
  life('a store is open once at a time', locks),
  life('an open that fails gives the lock back', failsToOpen),
  life('streams, marks, segments and pool are described as they are', describesStreams),
  life('a flush announces what it took', announcesFlushes),
  life('what was written is added up over every open', keepsTotals),
  life('a power-fail flush reports by priority what it saved', savesByPriority),
  life('a close saves until its deadline, and says what it could not save', closes),
  life('a listener that throws ends nothing, and its error comes up', survivesListeners),
  life('who waits for room is answered when there is some, who gave up is not', waitsForRoom),
  life('several values in one call go in until one is refused', takesMany),
  life('a store with more streams than the settings allow is not opened', refusesTooManyStreams),
];
