/**
 * Files that are free to be written again, and a disk that is full: how many stay, which one a segment takes, and what goes
 * first when there is no space (INV-10, INV-11, INV-12).
 *
 * Every small segment is one allocation unit; a large one, of records that nothing makes smaller, is two.
 */
import type { SettingsInput } from '../../src/core/config.ts';
import { ALLOCATION_BYTES } from '../../src/core/disk-index.ts';
import type { Engine } from '../../src/core/engine.ts';
import type { StreamHandle } from '../../src/core/stream-handle.ts';
import { macrotask } from '../answers.ts';
import { readSegmentFile } from '../damage-matrix/layout.ts';
import { isMadeAhead } from '../format/segment-in.ts';
import type { SimulatedDisk } from '../simulated-disk.ts';
import type { Case } from './case.ts';
import { differs } from './case.ts';
import { appendSome, given, Machine, NOW_MS, quotaFor, streamOf } from './machine.ts';

const MIB = 1024 * 1024;
/** Room for a segment of two units at a time. */
const LARGE: SettingsInput = { poolBytes: 16_384, recycleBytes: MIB };
/** Of these one segment takes more than one unit, and no more than two. */
const TWO_UNITS = 1_000;

const upTo = (end: number, from = 0): number[] => Array.from({ length: end - from }, (_, i) => from + i);

/** A value that no packing makes smaller; it says which record it is. */
const noiseAt = (i: number): number =>
  Math.imul(Math.imul(i + 1, 0x9e37_79b1) ^ (i << 7) ^ (i >>> 3), 0x85eb_ca6b) >>> 0;

interface Stage {
  readonly machine: Machine;
  readonly engine: Engine;
  readonly disk: SimulatedDisk;
  readonly handle: StreamHandle;
}

async function stage(settings: SettingsInput): Promise<Stage> {
  const machine = new Machine();
  machine.settings = settings;
  const engine = await machine.open();
  return { machine, engine, disk: machine.disk as SimulatedDisk, handle: streamOf(engine, 1) };
}

/** The next `records` of the stream, of which the values are their numbers. */
function appendNext(handle: StreamHandle, records: number): void {
  const { appended } = handle.marks();
  for (let i = appended; i < appended + records; i++)
    if (handle.append(noiseAt(i), NOW_MS + i) !== i) throw new Error(`record ${i} is refused`);
}

/** Flushes so many records more. @returns `ok` or the code. */
async function flushNext({ engine, handle }: Stage, records: number): Promise<string> {
  appendNext(handle, records);
  const flushed = await engine.flush();
  return flushed.ok ? 'ok' : flushed.failure.code;
}

/** The kit's own reading of each file: its name's number, the segment in it, and how many records that has. */
const filesOf = (disk: SimulatedDisk): readonly (readonly (number | null)[])[] =>
  disk
    .files()
    .filter(({ name }) => name.endsWith('.seg'))
    .map(({ directory, name, content }) => {
      if (isMadeAhead(content)) return [Number.parseInt(name, 10), null, 0];
      const { number, blocks } = readSegmentFile(directory, name, content);
      return [Number.parseInt(name, 10), number, blocks.reduce((sum, { records }) => sum + records.length, 0)];
    });

/** What the stream gives from its head on is its own, to the end. */
async function readsWell(handle: StreamHandle): Promise<string | null> {
  const { head, appended } = handle.marks();
  const batch = given(await handle.peek(0, appended));
  return (
    differs('the records', [...batch.sequences], upTo(appended, head)) ??
    differs('their values', [...batch.bits], upTo(appended, head).map(noiseAt)) ??
    differs(
      'their times',
      [...batch.timesMs].map((timeMs) => timeMs - NOW_MS),
      upTo(appended, head),
    )
  );
}

/** The same behind a power cut: marks, ledger and records. */
async function survives({ machine, engine, handle, disk }: Stage): Promise<string | null> {
  const wanted = [handle.marks().head, handle.marks().synced, engine.ledger().entries];
  disk.faults.length = 0;
  disk.capacityBytes = Number.POSITIVE_INFINITY;
  machine.cutPower();
  const again = await machine.open();
  const found = streamOf(again, 1);
  return (
    differs(
      'head, synced and ledger behind a power cut',
      [found.marks().head, found.marks().synced, again.ledger().entries],
      wanted,
    ) ?? (await readsWell(found))
  );
}

/** A quota full of segments of one unit, of which the oldest is empty and its file free. */
async function fullWithOneFree(settings: SettingsInput): Promise<Stage> {
  const { quotaBytes, segments } = quotaFor(4, LARGE);
  const each = await stage({ ...LARGE, ...settings, quotaBytes });
  for (let i = 0; i < segments; i++) if ((await flushNext(each, 1)) !== 'ok') throw new Error('a flush failed');
  await each.handle.read(1);
  given(each.handle.acknowledge(1));
  given(await each.engine.checkpoint());
  each.machine.events.length = 0;
  return each;
}

/** The free file is too small, and to grow it there is no room: it stays free, and the next small segment takes it. */
async function givesAFileBack(): Promise<string | null> {
  const each = await fullWithOneFree({ whenDiskFull: 'refuse-new' });
  const { segments } = quotaFor(4, LARGE);
  const before = each.engine.stats().diskBytes;
  const refused = await flushNext(each, TWO_UNITS);
  const after = each.engine.stats().diskBytes;
  const { retained } = each.handle.marks();
  given(each.handle.discard(retained - 5));
  const taken = await each.engine.flush();
  const files = filesOf(each.disk).map(([file]) => file);
  return (
    differs('the flushes', [refused, taken.ok], ['IO_FAILED', true]) ??
    differs('bytes on disk behind the refusal', after, before) ??
    differs(
      'whether a new name was made',
      files.every((file) => Number(file) <= segments),
      true,
    ) ??
    differs(
      'records of the last segment',
      filesOf(each.disk)
        .map(([, , records]) => records)
        .includes(5),
      true,
    ) ??
    survives(each)
  );
}

/** The free file is too small and the oldest segment's is not: that one is taken, and the small one stays free. */
async function takesTheFileOfTheEvicted(): Promise<string | null> {
  const { quotaBytes, segments } = quotaFor(6, LARGE);
  const each = await stage({ ...LARGE, quotaBytes });
  const { engine, handle, machine, disk } = each;
  const other = streamOf(engine, 2);
  const answers = [await flushNext(each, TWO_UNITS)];
  for (let i = 0; i < segments - 3; i++) answers.push(await flushNext(each, 1));
  appendSome(other, 1);
  given(await engine.flush());
  given(other.discard(1));
  given(await engine.checkpoint());
  const before = filesOf(disk);
  machine.events.length = 0;
  answers.push(await flushNext(each, TWO_UNITS));
  const after = filesOf(disk);
  const evictions = machine.heard('segmentEvicted').length;
  // What the small file held is still in it: the other stream's record, which nobody has any more.
  return (
    differs('the flushes', [...new Set(answers)], ['ok']) ??
    differs('segments evicted', evictions, 1) ??
    differs(
      'the names',
      after.map(([file]) => file),
      before.map(([file]) => file),
    ) ??
    differs('the first file', after[0]?.[0], 1) ??
    differs('whether another segment is in it', after[0]?.[1] !== before[0]?.[1], true) ??
    differs('the others', after.slice(1), before.slice(1)) ??
    differs('whether what is there is within the quota', engine.stats().diskBytes <= quotaBytes, true) ??
    differs('the next small one', await flushNext(each, 1), 'ok') ??
    differs(
      'the names behind it',
      filesOf(disk).map(([file]) => file),
      before.map(([file]) => file),
    ) ??
    differs('segments evicted by then', machine.heard('segmentEvicted').length, 1) ??
    differs('the head', handle.marks().head, TWO_UNITS) ??
    (await survives(each))
  );
}

/** A flush that failed, a disk without a byte left, and free files: they go for the log, and no file of what the log names. */
async function freeFilesGoForTheLog(): Promise<string | null> {
  const each = await stage({ recycleBytes: 4 * ALLOCATION_BYTES });
  const { engine, handle, disk } = each;
  const answers: string[] = [];
  for (let i = 0; i < 12; i++) answers.push(await flushNext(each, 1));
  await handle.read(4);
  given(handle.acknowledge(4));
  given(await engine.checkpoint());
  disk.faults.push({ kind: 'write', directory: '', times: 1, fault: { code: 'IO' } });
  answers.push(await flushNext(each, 1));
  // Nothing is left for the log's next generation, nor for a new file.
  disk.capacityBytes = disk.totalBytes;
  const removed: string[] = [];
  let isLogged = false;
  disk.observer = {
    asked: () => {},
    ended: ({ kind, directory, name }, code) => {
      if (kind === 'remove' && directory === 'host' && !isLogged) removed.push(name);
      isLogged ||= kind === 'sync' && directory === '' && code === null;
    },
  };
  answers.push(await flushNext(each, 1));
  disk.observer = null;
  const { head, synced } = handle.marks();
  const [loss] = engine.ledger().entries;
  return (
    differs('the flushes', answers.slice(-3), ['ok', 'IO_FAILED', 'ok']) ??
    // The fourth is that of the flush that failed.
    differs('files that went before the log', removed.length, 3) ??
    differs(
      'those of them that the log names',
      removed.filter((name) => Number.parseInt(name, 10) > 4),
      [],
    ) ??
    differs('what is synced', synced, 14) ??
    differs('the ledger', [loss?.from, loss?.to, loss?.reason], [4, head, 'evicted']) ??
    differs('whether the disk took it', disk.totalBytes <= disk.capacityBytes, true) ??
    (await survives(each))
  );
}

/** The file system has no space, and all that the store has is a segment that its owner has just emptied. */
async function emptyOneGivesWay(): Promise<string | null> {
  const each = await stage({});
  const { engine, handle, disk, machine } = each;
  const first = await flushNext(each, 1);
  appendNext(handle, 1);
  disk.autoSteps = 0;
  const flushed = engine.flush();
  await macrotask();
  given(handle.discard(1));
  disk.fail({ code: 'NO_SPACE' });
  disk.autoSteps = Number.POSITIVE_INFINITY;
  await machine.complete();
  const answer = await flushed;
  return (
    differs('the flushes', [first, answer.ok], ['ok', true]) ??
    differs('the files', filesOf(disk), [[2, 2, 1]]) ??
    differs('the ledger', engine.ledger().entries, []) ??
    differs('evictions', machine.heard('evictionStarted', 'segmentEvicted'), []) ??
    (await survives(each))
  );
}

/** A segment that fills its pages to the last byte is written as it is, and read back from a file that was written over. */
async function fillsWholePages(): Promise<string | null> {
  for (const sensor of [2, 200, 20_000, 3_000_000, 300_000_000]) {
    for (let records = 950; records < 1_000; records++) {
      const each = await stage(LARGE);
      const handle = streamOf(each.engine, sensor, { kind: 'tsd', periodMs: 1_000 });
      for (let i = 0; i < records; i++) handle.append(noiseAt(i), NOW_MS + 1_000 * i);
      given(await each.engine.flush());
      const [file] = each.disk.files().filter(({ name }) => name.endsWith('.seg'));
      if (file === undefined) return 'there is no file';
      const { segmentBytes } = readSegmentFile('host', file.name, file.content);
      if (segmentBytes > file.content.length || file.content.length % ALLOCATION_BYTES !== 0)
        return `a segment of ${segmentBytes} bytes lies in a file of ${file.content.length}`;
      if (segmentBytes < file.content.length) continue;
      each.machine.cutPower();
      const again = await each.machine.open();
      const batch = given(await streamOf(again, sensor, { kind: 'tsd', periodMs: 1_000 }).peek(0, records));
      return differs('the values', [...batch.bits], upTo(records).map(noiseAt));
    }
  }
  return 'no segment filled its pages';
}

const life = (name: string, check: Case['check']): Case => ({ name: `free files: ${name}`, check });

export const FREE_FILES: readonly Case[] = [
  life('one that is too small and cannot grow stays free', givesAFileBack),
  life('one that is too small stays free when the evicted one is not', takesTheFileOfTheEvicted),
  life('they go for a log without space, before any more gives way', freeFilesGoForTheLog),
  life('an empty segment gives way to a file system without space', emptyOneGivesWay),
  life('a segment of whole pages lies in its file to the last byte', fillsWholePages),
];
