/**
 * A store that is found with more than its quota, because that was larger before, or because a power cut brought removed files
 * back: what goes, when, and that it comes within the quota and stays there (INV-10, INV-11, INV-12, INV-15).
 *
 * Segment n holds record n - 1 of sensor 1 and takes one allocation unit.
 */
import { ALLOCATION_BYTES } from '../../src/core/disk-index.ts';
import type { Engine } from '../../src/core/engine.ts';
import type { StreamHandle } from '../../src/core/stream-handle.ts';
import type { SimulatedDisk } from '../simulated-disk.ts';
import type { Case } from './case.ts';
import { differs } from './case.ts';
import { given, Machine, NOW_MS, quotaFor, streamOf } from './machine.ts';

/** Free files are kept as many as there are. */
const KEEPS_ALL = 1024 * 1024;
const { quotaBytes: QUOTA, segments: ROOM } = quotaFor(3);
/** Two generations of the log, as small as one can be. */
const TWO_LOGS = 2 * 8_192;
/** So many fit under the quota beside the log, though they are more than segments may take. */
const BESIDE_LOG = (QUOTA - TWO_LOGS) / ALLOCATION_BYTES;

interface Stage {
  readonly machine: Machine;
  readonly engine: Engine;
  readonly handle: StreamHandle;
}

function append(handle: StreamHandle, records: number): void {
  const { appended } = handle.marks();
  for (let i = appended; i < appended + records; i++) handle.append(i, NOW_MS + i);
}

/** So many segments under a large quota, closed. */
async function written(segments: number, recycleBytes: number): Promise<Machine> {
  const machine = new Machine();
  machine.settings = { recycleBytes };
  const engine = await machine.open();
  const handle = streamOf(engine, 1);
  for (let i = 0; i < segments; i++) {
    append(handle, 1);
    given(await engine.flush());
  }
  given(await engine.close());
  machine.events.length = 0;
  return machine;
}

/** The same, opened with the small quota. */
async function opened(segments: number, recycleBytes: number): Promise<Stage> {
  const machine = await written(segments, recycleBytes);
  machine.settings = { recycleBytes, quotaBytes: QUOTA };
  const engine = await machine.open();
  return { machine, engine, handle: streamOf(engine, 1) };
}

const onDisk = ({ machine }: Pick<Stage, 'machine'>, end = ''): number =>
  (machine.disk as SimulatedDisk)
    .files()
    .filter(({ name }) => name.endsWith(end))
    .reduce((sum, { content }) => sum + Math.ceil(content.length / ALLOCATION_BYTES) * ALLOCATION_BYTES, 0);

const losses = ({ engine }: Pick<Stage, 'engine'>): unknown[] =>
  engine.ledger().entries.map(({ from, to, records, reason }) => [from, to, records, reason]);

/** Head, ledger and the records from the head on, which are all that are left. */
async function left({ engine, handle }: Stage): Promise<unknown[]> {
  const { head, appended } = handle.marks();
  const batch = given(await handle.peek(0, appended));
  const isWhole = [...batch].every(
    ({ sequence, value, timeMs }, i) => sequence === head + i && value === sequence && timeMs === NOW_MS + sequence,
  );
  return [head, appended, isWhole && batch.length === appended - head, losses({ engine })];
}

async function leftAfterPowerCut({ machine }: Stage): Promise<unknown[]> {
  machine.cutPower();
  const engine = await machine.open();
  return left({ machine, engine, handle: streamOf(engine, 1) });
}

/** Above the quota with room for the log no longer: the oldest give way until there is, and no more of them. */
const givesWayToTheLog = (segments: number, recycleBytes: number) => async (): Promise<string | null> => {
  const each = await opened(segments, recycleBytes);
  const gone = segments - BESIDE_LOG;
  const wanted = [gone, segments, true, [[0, gone, gone, 'evicted']]];
  return (
    differs('head, appended and ledger', await left(each), wanted) ??
    differs('whether what is there is within the quota', onDisk(each) <= QUOTA, true) ??
    differs('what the store says of it', each.engine.stats().diskBytes, onDisk(each)) ??
    (await staysWithin(each, gone))
  );
};

/** Behind a power cut an older generation of the log is there again, and may cost a little more; nothing goes in silence. */
async function staysWithin({ machine }: Stage, goneBefore: number): Promise<string | null> {
  machine.cutPower();
  const engine = await machine.open();
  const handle = streamOf(engine, 1);
  const { head } = handle.marks();
  const [, appended, isWhole, ledger] = await left({ machine, engine, handle });
  const most = goneBefore + TWO_LOGS / 2 / ALLOCATION_BYTES;
  return (
    differs(`whether ${head} is from ${goneBefore} to ${most}`, goneBefore <= head && head <= most, true) ??
    differs('the ledger behind a power cut', ledger, [[0, head, head, 'evicted']]) ??
    differs('whether the records are there', isWhole && Number(appended) > head, true) ??
    differs('whether what is there is within the quota', onDisk({ machine }) <= QUOTA, true)
  );
}

async function keepsWhatItHas(): Promise<string | null> {
  const machine = await written(40, 0);
  const before = JSON.stringify(machine.disk?.snapshot());
  machine.settings = { quotaBytes: QUOTA, whenDiskFull: 'refuse-new' };
  const refused = await machine.tryOpen();
  const segments = machine.files('.seg').length;
  machine.settings = {};
  const engine = await machine.open();
  return (
    differs('whether there was something', before !== undefined, true) ??
    differs('the open', refused.ok || refused.failure.code, 'IO_FAILED') ??
    differs('the segments', segments, 40) ??
    differs('what is left', await left({ machine, engine, handle: streamOf(engine, 1) }), [0, 40, true, []])
  );
}

/** More than segments may take, with room for the log: nothing goes before a flush needs its space. */
async function comesWithinWithAFlush(): Promise<string | null> {
  const each = await opened(BESIDE_LOG, KEEPS_ALL);
  const before = await left(each);
  append(each.handle, 1);
  given(await each.engine.flush());
  const gone = BESIDE_LOG + 1 - ROOM;
  const wanted = [gone, BESIDE_LOG + 1, true, [[0, gone, gone, 'evicted']]];
  return (
    differs('what is left behind the open', before, [0, BESIDE_LOG, true, []]) ??
    differs('what is left behind the flush', await left(each), wanted) ??
    differs('bytes of the segment files', onDisk(each, '.seg'), ROOM * ALLOCATION_BYTES) ??
    differs('the same behind a power cut', await leftAfterPowerCut(each), wanted)
  );
}

/** Files whose records are gone stay as long as segments may take them, whatever else may be kept. */
async function keepsFreeFilesWithin(): Promise<string | null> {
  const each = await opened(BESIDE_LOG, KEEPS_ALL);
  await each.handle.read(BESIDE_LOG);
  given(each.handle.acknowledge(BESIDE_LOG));
  given(await each.engine.checkpoint());
  const free = onDisk(each, '.seg');
  append(each.handle, 1);
  given(await each.engine.flush());
  return (
    differs('bytes of free files', free, ROOM * ALLOCATION_BYTES) ??
    // It went into one of them.
    differs('bytes of the segment files behind a flush', onDisk(each, '.seg'), ROOM * ALLOCATION_BYTES) ??
    differs('what is left', await leftAfterPowerCut(each), [BESIDE_LOG, BESIDE_LOG + 1, true, []])
  );
}

/**
 * The files of one source are removed and the other's are made; nothing has synced the directory of the first ones since, and
 * a power cut brings them back. Of what is live nothing gives way to those that can be removed.
 */
const besideWhatCameBack = (refusals: number) => async (): Promise<string | null> => {
  const { quotaBytes, segments } = quotaFor(20);
  const machine = new Machine();
  machine.settings = { quotaBytes };
  const engine = await machine.open();
  const handle = streamOf(engine, 1);
  const other = streamOf(engine, 1, { kind: 'evt' }, 'mgc');
  given(await engine.checkpoint());
  for (const each of [handle, other]) {
    for (let i = 0; i < segments; i++) {
      append(each, 1);
      given(await engine.flush());
    }
    if (each === other) break;
    given(await each.read(segments));
    given(each.acknowledge(segments));
    given(await engine.checkpoint());
  }
  const before = [machine.files('.seg').length, losses({ engine })];
  machine.cutPower();
  const found = machine.files('.seg').length;
  // What cannot be removed at once counts, until it is removed when the log is durable.
  const lost = Math.max(0, refusals + segments + (TWO_LOGS - quotaBytes) / ALLOCATION_BYTES);
  machine.disk?.faults.push({ kind: 'remove', directory: 'host', times: refusals, fault: { code: 'IO' } });
  const again = await machine.open();
  const stage = { machine, engine: again, handle: streamOf(again, 1, { kind: 'evt' }, 'mgc') };
  return (
    differs('files and losses before', before, [segments, []]) ??
    differs('files that were found', found, 2 * segments) ??
    differs('what is left', await left(stage), [
      lost,
      segments,
      true,
      lost === 0 ? [] : [[0, lost, lost, 'evicted']],
    ]) ??
    differs('the head of the other stream', streamOf(again, 1).marks().head, segments) ??
    differs('files behind the open', machine.files('.seg').length, segments - lost) ??
    differs('bytes on disk', again.stats().diskBytes, onDisk(stage)) ??
    differs('whether they are within the quota', onDisk(stage) <= quotaBytes, true)
  );
};

/**
 * The log finds no space: the oldest segment's file goes for it, and the next one's cannot be removed. The next flush needs a
 * byte more than is free: what is gone already does not give it, so one segment more goes.
 */
async function countsNoRoomOfWhatIsGone(): Promise<string | null> {
  const machine = new Machine();
  const engine = await machine.open();
  const handle = streamOf(engine, 1);
  const disk = machine.disk as SimulatedDisk;
  for (let i = 0; i < 6; i++) {
    append(handle, 1);
    given(await engine.flush());
  }
  const full = { kind: 'write', fault: { code: 'NO_SPACE' } } as const;
  disk.faults.push({ ...full, directory: 'host', times: 1 }, { ...full, directory: '', times: 2 });
  disk.faults.push({ kind: 'remove', directory: 'host', skip: 1, times: 1, fault: { code: 'IO' } });
  append(handle, 1);
  const failed = await engine.flush();
  const [files, told, isTold] = [machine.files('.seg').length, onDisk({ machine }), engine.stats().diskBytes];
  // A flush leaves three steps of the log free. The file whose write failed is one of those that make room.
  disk.capacityBytes = disk.totalBytes + 3 * 8_192 - ALLOCATION_BYTES;
  const flushed = await engine.flush();
  const wanted = [2, 7, true, [[0, 2, 2, 'evicted']]];
  const stage = { machine, engine, handle };
  return (
    differs('the flushes', [failed.ok, flushed.ok], [false, true]) ??
    differs('the files between them', files, 5) ??
    // The file whose write failed counts until it is known to be gone.
    differs('bytes on disk then', isTold, told + ALLOCATION_BYTES) ??
    differs('what is left', await left(stage), wanted) ??
    differs('the same behind a power cut', await leftAfterPowerCut(stage), wanted)
  );
}

/** Files set aside take what the quota leaves beside the log: all that is live goes for it, or nothing, where that is not enough. */
const besideWhatIsSetAside = (bytes: number, opens: boolean) => async (): Promise<string | null> => {
  const machine = await written(ROOM, 0);
  (machine.disk as SimulatedDisk).place('mgc', 'x.damaged', new Uint8Array(bytes));
  machine.settings = { quotaBytes: QUOTA };
  const answer = await machine.tryOpen();
  if (answer.ok) given(await answer.value.close());
  const segments = machine.files('.seg').length;
  machine.settings = {};
  const engine = await machine.open();
  const lost = opens ? ROOM : 0;
  return (
    differs('whether it opens', answer.ok, opens) ??
    differs('the segments', segments, ROOM - lost) ??
    differs('what is left under a larger quota', await left({ machine, engine, handle: streamOf(engine, 1) }), [
      lost,
      ROOM,
      true,
      opens ? [[0, ROOM, ROOM, 'evicted']] : [],
    ])
  );
};

const life = (name: string, check: Case['check']): Case => ({ name: `above the quota: ${name}`, check });

export const ABOVE_QUOTA: readonly Case[] = [
  ...[BESIDE_LOG + 1, 40].flatMap((segments) =>
    [0, KEEPS_ALL].map((recycleBytes) =>
      life(
        `of ${segments} segments the oldest go until the log has room, with ${recycleBytes} bytes of files kept`,
        givesWayToTheLog(segments, recycleBytes),
      ),
    ),
  ),
  life('a store that keeps what it has is not opened, and nothing goes', keepsWhatItHas),
  life('nothing goes before a flush, and with it what is too much', comesWithinWithAFlush),
  life('free files are kept within it', keepsFreeFilesWithin),
  ...[0, 2, 20].map((refusals) =>
    life(
      `no more gives way than it must to files that a power cut brought back, ${refusals} of which the disk keeps for now`,
      besideWhatCameBack(refusals),
    ),
  ),
  life('all goes where that is just enough for the log', besideWhatIsSetAside(QUOTA - TWO_LOGS, true)),
  life('nothing goes where all would not be enough', besideWhatIsSetAside(QUOTA - TWO_LOGS + 1, false)),
  life('a file that went before the log could say so makes no room', countsNoRoomOfWhatIsGone),
];
