/**
 * What a store does by itself, and when: checkpoints, a new generation of the log, files that go, a flush that is shared,
 * cut short or tried again, and the end when something throws that never should. The model leaves these moments open, so
 * they are stated here.
 */
import type { Result } from '../../src/core/codes.ts';
import { macrotask } from '../answers.ts';
import type { Case } from './case.ts';
import { differs } from './case.ts';
import { appendSome, given, Machine, streamOf } from './machine.ts';

/** Empty segments that are worth a checkpoint of their own while others are live. */
const RECLAIM_AT = 16;

async function reclaims(): Promise<string | null> {
  const machine = new Machine();
  const engine = await machine.open();
  const handle = streamOf(engine, 1);
  const left: number[] = [];
  for (let i = 0; i < RECLAIM_AT + 2; i++) {
    appendSome(handle, 1);
    await engine.flush();
  }
  await handle.read(100);
  for (const n of [RECLAIM_AT - 1, 1, 1, 1]) {
    handle.acknowledge(n);
    await macrotask();
    left.push(machine.files('.seg').length);
  }
  // All but three are empty: they wait. One more is worth a checkpoint. Then the last one: nothing is live any more.
  return differs('segment files behind each acknowledge', left, [RECLAIM_AT + 2, 2, 2, 0]);
}

async function checkpointsWhenDue(): Promise<string | null> {
  const machine = new Machine();
  const engine = await machine.open();
  const handle = streamOf(engine, 1);
  const did: boolean[] = [];
  const checkpoint = async (): Promise<void> => {
    const before = engine.stats();
    await engine.checkpoint();
    const after = engine.stats();
    did.push(after.checkpoints > before.checkpoints);
    if (after.checkpoints === before.checkpoints && after.bytesWritten !== before.bytesWritten) did.push(true);
  };
  await checkpoint();
  await checkpoint();
  appendSome(handle, 3);
  await checkpoint();
  await handle.read(2);
  await checkpoint();
  handle.acknowledge(2);
  await checkpoint();
  await checkpoint();
  await engine.flush();
  await checkpoint();
  const heads = machine.heard('checkpointed').map((event) => (event.type === 'checkpointed' ? event.heads : []));
  return (
    differs('whether a checkpoint wrote something', did, [true, false, false, false, true, false, false]) ??
    differs('the heads that became durable', heads, [[], [{ source: 'host', sensor: 1, head: 2 }], []])
  );
}

async function renewsTheLog(): Promise<string | null> {
  const machine = new Machine();
  // A sixteenth of the quota may be appended before a new generation begins.
  machine.settings = { quotaBytes: 73_728 };
  const engine = await machine.open();
  const handle = streamOf(engine, 1);
  const generations = new Set<string>();
  let most = 0;
  for (let i = 0; i < 400; i++) {
    appendSome(handle, 1);
    await handle.read(1);
    handle.acknowledge(1);
    await engine.checkpoint();
    const logs = machine.files('.log');
    most = Math.max(most, logs.length);
    for (const name of logs) generations.add(name);
  }
  machine.cutPower();
  const again = await machine.open();
  return (
    differs('generations of the log', generations.size, 5) ??
    differs('most files of the log at a time', most, 1) ??
    differs('head and epoch behind a power cut', [streamOf(again, 1).marks().head, again.epoch], [400, 2])
  );
}

async function sharesFlushes(): Promise<string | null> {
  const machine = new Machine();
  const engine = await machine.open();
  const handle = streamOf(engine, 1);
  if (machine.disk !== null) machine.disk.autoSteps = 0;
  appendSome(handle, 1);
  const answers: string[] = [];
  const flush = (name: string): void => {
    void engine.flush().then(({ ok }) => answers.push(`${name} ${ok}`));
  };
  flush('first');
  await macrotask();
  flush('shared');
  appendSome(handle, 1);
  flush('later');
  machine.clock.advance(7);
  await machine.complete();
  const flushed = machine
    .heard('flushed')
    .map((event) => (event.type === 'flushed' ? [event.records, event.durationMs] : []));
  return (
    differs('the answers', answers, ['first true', 'shared true', 'later true']) ??
    differs('records and milliseconds of each flush', flushed, [
      [1, 7],
      [1, 0],
    ]) ??
    differs('requests', machine.heard('flushRequested').length, 2)
  );
}

async function cutsTheFlushShort(): Promise<string | null> {
  const machine = new Machine();
  const engine = await machine.open();
  appendSome(streamOf(engine, 1), 1);
  appendSome(streamOf(engine, 2, { kind: 'evt', priority: 1 }, 'mgc'), 2);
  appendSome(streamOf(engine, 3, { kind: 'evt', priority: 9 }, 'can_controller'), 3);
  if (machine.disk !== null) machine.disk.autoSteps = 0;
  const flushed = engine.flush();
  await macrotask();
  machine.clock.wallMs -= 1_000;
  const saved = engine.emergencyFlush(5_000);
  await machine.complete();
  const report = given(await saved);
  const flushes = machine
    .heard('flushed')
    .map((event) => (event.type === 'flushed' ? [event.records, event.durationMs] : []));
  const rows = report.streams.map(({ sensor, saved: kept }) => [sensor, kept]);
  const later = machine.heard('flushed', 'flushStarted').length;
  return (
    differs('the flush that was running', (await flushed).ok, true) ??
    differs('what each flush took, and how long', flushes, [
      [1, 0],
      [5, 0],
    ]) ??
    differs(
      'the report',
      [report.saved, report.unsaved, rows, later],
      [
        6,
        0,
        [
          [3, 3],
          [2, 2],
          [1, 1],
        ],
        4,
      ],
    )
  );
}

async function goesOnBehindAnEmergency(): Promise<string | null> {
  const machine = new Machine();
  const engine = await machine.open();
  const first = streamOf(engine, 1);
  const second = streamOf(engine, 2, { kind: 'evt' }, 'mgc');
  await engine.emergencyFlush(100);
  appendSome(first, 1);
  appendSome(second, 1);
  // What was in a hurry once is not for ever: an everyday flush takes all in one.
  await engine.flush();
  const flushed = machine.heard('flushed').map((event) => (event.type === 'flushed' ? event.records : 0));
  return differs('what each flush took', flushed, [0, 2]);
}

/** Calls that wait when the store is closed, with or without time to save. */
async function answersAtClose(deadlineMs: number): Promise<string[]> {
  const machine = new Machine();
  const engine = await machine.open();
  const handle = streamOf(engine, 1);
  if (machine.disk !== null) machine.disk.autoSteps = 0;
  const answers: string[] = [];
  const note = (name: string, answer: Promise<Result<unknown>>): void => {
    void answer.then((result) => answers.push(`${name} ${result.ok ? 'ok' : result.failure.code}`));
  };
  while (handle.append(1, 1) >= 0);
  note('flush', engine.flush());
  await macrotask();
  await handle.read(2);
  handle.acknowledge(2);
  appendSome(handle, 2);
  note('late flush', engine.flush());
  note('ready', engine.ready());
  note('close', engine.close(deadlineMs));
  await machine.complete();
  return answers;
}

async function closesWhatWaits(): Promise<string | null> {
  const saved = await answersAtClose(60_000);
  const late = await answersAtClose(0);
  return (
    differs('with time to save', saved.sort(), ['close ok', 'flush ok', 'late flush ok', 'ready CLOSED']) ??
    differs('without', late.sort(), ['close ok', 'flush ok', 'late flush CLOSED', 'ready CLOSED'])
  );
}

async function triesAgain(): Promise<string | null> {
  const machine = new Machine();
  const engine = await machine.open();
  appendSome(streamOf(engine, 1), 1);
  machine.disk?.faults.push({ kind: 'write', directory: 'host', times: 8, fault: { code: 'IO' } });
  const failed = await engine.flush();
  const waits = [machine.clock.nextTimerInMs];
  // A call does not wait for the delay, and the next delay is longer.
  const again = await engine.flush();
  waits.push(machine.clock.nextTimerInMs);
  for (let i = 0; i < 6; i++) {
    machine.clock.advance(waits.at(-1) ?? 0);
    await macrotask();
    waits.push(machine.clock.nextTimerInMs);
  }
  machine.clock.advance(waits.at(-1) ?? 0);
  await macrotask();
  const codes = [failed, again].map((result) => (result.ok ? 'ok' : result.failure.code));
  const { flushes, flushFailures } = engine.stats();
  machine.disk?.faults.push({ kind: 'write', directory: 'host', times: 1, fault: { code: 'IO' } });
  appendSome(streamOf(engine, 1), 1);
  await engine.flush();
  const afterwards = machine.clock.nextTimerInMs;
  await engine.close();
  return (
    differs('the answers', codes, ['IO_FAILED', 'IO_FAILED']) ??
    differs('the delays', waits, [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]) ??
    differs('flushes that ended well and not', [flushes, flushFailures], [1, 8]) ??
    differs('a delay behind a flush that ended well', afterwards, 1_000) ??
    differs('timers behind a close', machine.clock.timers, 0)
  );
}

async function failsForGood(): Promise<string | null> {
  const machine = new Machine();
  const engine = await machine.open();
  const handle = streamOf(engine, 1);
  while (handle.append(1, 1) >= 0);
  const { disk } = machine;
  if (disk === null) return 'no disk';
  const thrown: unknown[] = [];
  const overhear = (reason: unknown): number => thrown.push(reason);
  const others = process.listeners('unhandledRejection');
  process.removeAllListeners('unhandledRejection');
  process.on('unhandledRejection', overhear);
  try {
    // The port's promise is not to throw; one that does is a defect that must not end in a damaged store.
    disk.write = () => {
      throw new Error('a defect of the port');
    };
    const answers: string[] = [];
    const flushed = engine.flush().then(
      () => 'answered',
      (error: unknown) => String(error),
    );
    void engine.ready().then((result) => answers.push(result.ok ? 'ok' : result.failure.code));
    await macrotask();
    const { lifecycle, flushRunning } = engine.inspect();
    const refused = [await engine.flush(), await handle.read(1), await engine.emergencyFlush(1)];
    const closed = await engine.close();
    return (
      differs('who waited for the flush', await flushed, 'Error: a defect of the port') ??
      differs('the defect comes up', thrown.map(String), ['Error: a defect of the port']) ??
      differs('the store', [lifecycle, flushRunning, answers], ['failed', false, ['CLOSED']]) ??
      differs(
        'calls',
        refused.map((result) => (result.ok ? 'ok' : result.failure.code)),
        ['CLOSED', 'CLOSED', 'CLOSED'],
      ) ??
      differs('the close', [closed.ok && closed.value.saved, closed.ok && closed.value.unsaved > 0], [0, true]) ??
      differs('the lock is given back', (await disk.lock()).ok, true)
    );
  } finally {
    process.off('unhandledRejection', overhear);
    for (const each of others) process.on('unhandledRejection', each);
  }
}

const life = (name: string, check: Case['check']): Case => ({ name, check });

export const UPKEEP: readonly Case[] = [
  life(`${RECLAIM_AT} empty segments go by themselves, fewer when nothing else is live`, reclaims),
  life('a checkpoint writes when it has something to say, and says which heads', checkpointsWhenDue),
  life('the log begins anew when it has grown by a sixteenth of the quota', renewsTheLog),
  life('calls share a flush while nothing was appended', sharesFlushes),
  life('a power-fail flush cuts the running one short at its next segment', cutsTheFlushShort),
  life('behind a power-fail flush flushes are as ever', goesOnBehindAnEmergency),
  life('a close answers who waits', closesWhatWaits),
  life('a failed flush is tried again, later each time, and no more behind a close', triesAgain),
  life('a port that throws ends the store, and nothing is written on top', failsForGood),
];
