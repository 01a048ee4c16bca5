/**
 * Moments at which nothing is to happen, or only a little: calls that change nothing and write nothing, room that somebody
 * waits for, calls that meet a flush under way, and what a store of many streams leaves free for its log.
 */
import { ALLOCATION_BYTES } from '../../src/core/disk-index.ts';
import { macrotask } from '../answers.ts';
import type { SimulatedDisk } from '../simulated-disk.ts';
import type { Case } from './case.ts';
import { differs } from './case.ts';
import { evts, FoundStore } from './found-store.ts';
import { appendSome, given, Machine, NOW_MS, streamOf } from './machine.ts';

const diskOf = (machine: Machine): SimulatedDisk => machine.disk as SimulatedDisk;

const allocated = (machine: Machine): number =>
  diskOf(machine)
    .files()
    .reduce((sum, { content }) => sum + Math.ceil(content.length / ALLOCATION_BYTES) * ALLOCATION_BYTES, 0);

/** What the engine asks the disk to change while this is done. */
async function changes(machine: Machine, work: () => unknown): Promise<number> {
  const before = diskOf(machine).counts.steps;
  await work();
  await macrotask();
  return diskOf(machine).counts.steps - before;
}

async function changesNothing(): Promise<string | null> {
  const machine = new Machine();
  const engine = await machine.open();
  const handle = streamOf(engine, 1);
  given(await engine.checkpoint());
  appendSome(handle, 4);
  await handle.read(2);
  const inRam = await changes(machine, () => given(handle.acknowledge(1)));
  given(await engine.flush());
  const nothing = [
    await changes(machine, () => engine.flush()),
    await changes(machine, () => engine.emergencyFlush(100)),
    await changes(machine, async () => {
      given(handle.acknowledge(0));
      await engine.checkpoint();
    }),
    await changes(machine, async () => {
      given(handle.discard(0));
      await engine.checkpoint();
    }),
    await changes(machine, async () => {
      given(handle.revert());
      given(await handle.read(0));
      await engine.checkpoint();
    }),
  ];
  return (
    differs('changes for an acknowledgement while no segment is there', inRam, 0) ??
    differs('changes for calls that change nothing', nothing, [0, 0, 0, 0, 0])
  );
}

async function flushesInOneCommit(): Promise<string | null> {
  const machine = new Machine();
  const engine = await machine.open();
  for (const source of ['host', 'mgc', 'can_controller'] as const) streamOf(engine, 1, { kind: 'evt' }, source);
  given(await engine.checkpoint());
  for (const handle of engine.streams()) appendSome(handle, 2);
  machine.events.length = 0;
  const before = engine.stats();
  given(await engine.flush());
  const { syncs, segmentsWritten } = engine.stats();
  return (
    differs('segments', segmentsWritten, 3) ??
    // A file and a directory for each source, and the log once.
    differs('syncs', syncs - before.syncs, 7) ??
    differs('commits', machine.heard('checkpointed').length, 1)
  );
}

async function countsSyncsThatEndedWell(): Promise<string | null> {
  const machine = new Machine();
  const engine = await machine.open();
  const handle = streamOf(engine, 1);
  given(await engine.checkpoint());
  appendSome(handle, 2);
  const before = engine.stats().syncs;
  diskOf(machine).faults.push({ kind: 'sync', directory: 'host', times: 1, fault: { code: 'IO' } });
  const failed = await engine.flush();
  const { syncs, segmentsWritten } = engine.stats();
  const files = machine.files('.seg');
  const later = await engine.flush();
  return (
    differs('the flushes', [failed.ok, later.ok], [false, true]) ??
    // The directory was synced beside the file.
    differs('syncs and segments of the first', [syncs - before, segmentsWritten], [1, 0]) ??
    differs('files behind it', files, []) ??
    // What was not synced is written anew under a name of its own.
    differs('files behind the second', machine.files('.seg'), ['000000000002.seg'])
  );
}

async function commitsByPriority(): Promise<string | null> {
  const machine = new Machine();
  const engine = await machine.open();
  // Priority decides, and only within one the order of the sources.
  const low = streamOf(engine, 1, { kind: 'evt', priority: 4 });
  const high = streamOf(engine, 2, { kind: 'evt', priority: 5 }, 'can_controller');
  given(await engine.checkpoint());
  appendSome(low, 2);
  appendSome(high, 3);
  machine.events.length = 0;
  diskOf(machine).autoSteps = 0;
  void engine.emergencyFlush(1_000);
  await macrotask();
  for (let i = 0; i < 50 && machine.heard('checkpointed').length === 0; i++) await machine.complete(1);
  machine.cutPower();
  const again = await machine.open();
  const synced = again.inspect().streams.map((stream) => [stream.sensor, stream.synced]);
  return differs('what was safe when the first priority was', synced, [
    [1, 0],
    [2, 3],
  ]);
}

async function countsWhatIsUnderWay(): Promise<string | null> {
  const machine = new Machine();
  const engine = await machine.open();
  const handle = streamOf(engine, 1);
  given(await engine.checkpoint());
  appendSome(handle, 2);
  const disk = diskOf(machine);
  disk.autoSteps = 0;
  const flushed = engine.flush();
  await machine.complete(1);
  const [meanwhile, then] = [engine.stats().diskBytes, allocated(machine)];
  disk.faults.push({ kind: 'sync', directory: 'host', times: 1, fault: { code: 'IO' } });
  disk.faults.push({ kind: 'remove', times: 9, fault: { code: 'IO' } });
  await machine.complete();
  await flushed;
  return (
    differs('bytes on disk while a segment is written', meanwhile, then) ??
    differs('files behind the failed flush', machine.files('.seg').length, 1) ??
    differs('bytes on disk behind it', engine.stats().diskBytes, allocated(machine))
  );
}

/** Somebody waits for room in a pool that nothing empties but this. */
const wakes =
  (wanted: string, how: (machine: Machine, handle: ReturnType<typeof streamOf>) => unknown) =>
  async (): Promise<string | null> => {
    const machine = new Machine();
    const engine = await machine.open();
    const handle = streamOf(engine, 1);
    diskOf(machine).autoSteps = 0;
    while (handle.append(1, NOW_MS) >= 0);
    given(handle.peekNow(0, 0));
    const answers: string[] = [];
    void engine.ready().then((result) => answers.push(result.ok ? 'ok' : result.failure.code));
    await macrotask();
    const before = [...answers];
    await how(machine, handle);
    await macrotask();
    return differs('answers before', before, []) ?? differs('answers then', answers, wanted === '' ? [] : [wanted]);
  };

async function asksForRoomAtTheThreshold(): Promise<string | null> {
  const machine = new Machine();
  const engine = await machine.open();
  const handles = [1, 2].map((sensor) => streamOf(engine, sensor));
  diskOf(machine).autoSteps = 0;
  const used: boolean[] = [];
  for (let i = 0; i < 200; i++) {
    const { used: sectors } = engine.inspect().pool;
    const ready = await Promise.race([engine.ready().then(() => true), macrotask().then(() => false)]);
    used[sectors] = ready;
    if ((handles[0]?.append(1, NOW_MS + i) ?? -1) < 0) break;
  }
  // Of 16 sectors 13 are 80 %.
  return differs('whether there is room with so many sectors in use', used.slice(11), [
    true,
    true,
    false,
    false,
    false,
    false,
  ]);
}

/** What the file system must have left for the log of so many streams, segments and entries of the ledger. */
const leavesForTheLog = (streams: number, segments: number, losses: number) => async (): Promise<string | null> => {
  const bytes = 1_024 + streams * 64 + losses * 32 + segments * 8;
  const room = (Math.ceil(bytes / 8_192) + 2) * 8_192 + ALLOCATION_BYTES;
  const evictions: number[] = [];
  for (const short of [0, 1]) {
    const machine = new Machine();
    machine.settings = { streamsMax: 256, ledgerMax: 64 };
    const engine = await machine.open();
    const handles = Array.from({ length: streams }, (_, i) => streamOf(engine, i));
    for (const handle of handles.slice(0, segments)) {
      appendSome(handle, 1);
      given(await engine.flush());
    }
    const disk = diskOf(machine);
    // Losses of several streams are as many entries. Each of these flushes costs a segment and adds one.
    for (let i = 0; i < losses; i++) {
      const handle = handles[segments + i];
      if (handle === undefined) return 'too few streams';
      appendSome(handle, 1);
      disk.faults.push({ kind: 'write', directory: 'host', times: 1, fault: { code: 'NO_SPACE' } });
      given(await engine.flush());
    }
    const live = engine.inspect().segments.length;
    const { entries } = engine.ledger();
    machine.events.length = 0;
    const found = differs('segments and entries', [live, entries.length], [segments, losses]);
    if (found !== null) return found;
    given(await engine.checkpoint());
    disk.capacityBytes = disk.totalBytes + room - short;
    appendSome(handles[0] as (typeof handles)[number], 1);
    await engine.flush();
    evictions.push(machine.heard('evictionStarted').length);
  }
  return differs('evictions with just enough free, and with a byte less', evictions, [0, 1]);
};

async function foldsTheLedger(): Promise<string | null> {
  const store = await FoundStore.with(14);
  store.put({ number: 1, blocks: Array.from({ length: 7 }, (_, i) => evts(1, 2 * i, 2)) });
  store.machine.settings = { ledgerMax: 2 };
  const opened = await store.open();
  const { length } = store.disk.files().find(({ directory }) => directory === 'host')?.content ?? new Uint8Array(0);
  const entries: unknown[] = [];
  for (const block of [0, 2, 4, 6]) {
    store.disk.flipBit('host', '000000000001.seg', 8 * (64 + (block + 1) * ((length - 128) / 7) - 1));
  }
  for (let offset = 0; offset < 8; offset += 2) {
    given(await streamOf(opened.engine, 1).peek(offset, 2));
    entries.push([opened.losses().map((row) => row[1]), opened.engine.ledger().foldedRecords]);
  }
  given(await opened.engine.checkpoint());
  store.machine.cutPower();
  const again = await store.open();
  const { foldedRecords } = again.engine.ledger();
  return (
    differs('first numbers lost, and records folded', entries, [
      [[0], 0],
      [[0, 4], 0],
      [[4, 8], 2],
      [[8, 12], 4],
    ]) ?? differs('behind a power cut', [again.losses().map((row) => row[1]), foldedRecords], [[8, 12], 4])
  );
}

async function forgetsBlocksOneByOne(): Promise<string | null> {
  const blocks = 300;
  const store = await FoundStore.with(1);
  store.put({ number: 1, blocks: Array.from({ length: blocks }, (_, i) => evts(1, i, 1)) });
  const { engine } = await store.open();
  const handle = streamOf(engine, 1);
  for (let i = 0; i < blocks; i++) {
    const batch = given(handle.peekNow(0, 2));
    if (batch.sequences[0] !== i) return `record ${i} is given as ${batch.sequences[0]}`;
    given(handle.discard(1));
  }
  return differs('what is left', handle.marks().retained, 0);
}

async function deadOnArrival(): Promise<string | null> {
  const machine = new Machine();
  const engine = await machine.open();
  const handle = streamOf(engine, 1);
  given(await engine.checkpoint());
  appendSome(handle, 3);
  diskOf(machine).autoSteps = 0;
  const flushed = engine.flush();
  await machine.complete(1);
  given(handle.discard(3));
  await machine.complete();
  given(await flushed);
  diskOf(machine).autoSteps = Number.POSITIVE_INFINITY;
  given(await engine.checkpoint());
  return (
    differs('the files', machine.files('.seg'), []) ?? differs('the segments', engine.inspect().segments.length, 0)
  );
}

async function evictsOnlyWhatIsThere(): Promise<string | null> {
  const machine = new Machine();
  const engine = await machine.open();
  const [first, second] = [streamOf(engine, 1), streamOf(engine, 2)];
  appendSome(first, 2);
  appendSome(second, 2);
  given(await engine.flush());
  given(second.discard(2));
  appendSome(first, 1);
  diskOf(machine).faults.push({ kind: 'write', directory: 'host', times: 1, fault: { code: 'NO_SPACE' } });
  given(await engine.flush());
  const rows = engine.ledger().entries.map(({ sensor, from, to }) => [sensor, from, to]);
  machine.cutPower();
  const again = await machine.open();
  const rowsThen = again.ledger().entries.map(({ sensor, from, to }) => [sensor, from, to]);
  return differs('the ledger', [rows, rowsThen], [[[1, 0, 2]], [[1, 0, 2]]]);
}

const life = (name: string, check: Case['check']): Case => ({ name, check });

export const MOMENTS: readonly Case[] = [
  life('a call that changes nothing writes nothing', changesNothing),
  life('a flush of three sources is one commit', flushesInOneCommit),
  life('a sync that failed is none, and its file goes', countsSyncsThatEndedWell),
  life('a power-fail flush makes each priority durable before the next', commitsByPriority),
  life('what is written and what cannot be removed counts as bytes on disk', countsWhatIsUnderWay),
  life(
    'who waits for room is answered when a discard makes it',
    wakes('ok', (_, handle) => given(handle.discard(handle.marks().retained))),
  ),
  life(
    'who waits for room is not answered when a discard makes too little',
    wakes('', (_, handle) => given(handle.discard(Math.floor(handle.marks().retained / 8)))),
  ),
  life(
    'who waits for room is answered when an acknowledgement makes it',
    wakes('ok', async (_, handle) => {
      given(await handle.read(1_000));
      given(handle.acknowledge(handle.marks().pending));
    }),
  ),
  life('there is room below 80 %, and none from there on', asksForRoomAtTheThreshold),
  life('what is left free for the log of few streams', leavesForTheLog(100, 4, 0)),
  life('what is left free for the log of 111 streams and eight segments', leavesForTheLog(111, 8, 0)),
  life('what is left free for the log of 111 streams and nine segments', leavesForTheLog(111, 9, 0)),
  life('what is left free for the log of 110 streams, five segments and three losses', leavesForTheLog(110, 5, 3)),
  life('a full ledger folds its oldest entry, and the records of it are counted on', foldsTheLedger),
  life('blocks are forgotten one by one', forgetsBlocksOneByOne),
  life('a segment whose records went while it was written goes', deadOnArrival),
  life('an eviction takes nothing of a stream that has nothing there', evictsOnlyWhatIsThere),
];
