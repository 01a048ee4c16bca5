/**
 * A flush that gathers in slices, on a platform that gives the others their turn in between (`pause`): it writes what it would
 * write in one go, and what the others do meanwhile counts (INV-03, INV-05, INV-12, INV-15). What is in the files is read
 * without the engine.
 */
import type { StreamHandle } from '../../src/core/stream-handle.ts';
import { readSegmentFile } from '../damage-matrix/layout.ts';
import type { SimulatedDisk } from '../simulated-disk.ts';
import type { Case } from './case.ts';
import { differs } from './case.ts';
import { given, Machine, NOW_MS, streamOf } from './machine.ts';

/** Records of which a flush gathers several slices. */
const MANY = 6_000;
const POOL = { poolBytes: 2 * 1024 * 1024, sectorBytes: 64, quotaBytes: 64 * 1024 * 1024 };
const FILE_BYTES_MAX = 65_536;

const upTo = (end: number, from = 0): number[] => Array.from({ length: end - from }, (_, i) => from + i);

/** A value that no packing makes smaller; it says which record it is. */
const noiseAt = (i: number): number =>
  Math.imul(Math.imul(i + 1, 0x9e37_79b1) ^ (i << 7) ^ (i >>> 3), 0x85eb_ca6b) >>> 0;

function append(handle: StreamHandle, records: number): void {
  const { appended } = handle.marks();
  for (let i = appended; i < appended + records; i++)
    if (handle.append(noiseAt(i), NOW_MS + i) !== i) throw new Error(`record ${i} is refused`);
}

interface Stage {
  readonly machine: Machine;
  readonly engine: Awaited<ReturnType<Machine['open']>>;
  readonly handles: readonly StreamHandle[];
}

/** Streams of sensors 1, 2 and so on with so many records each, all in RAM. */
async function stage(records: readonly number[], settings = {}): Promise<Stage> {
  const machine = new Machine();
  machine.settings = { ...POOL, ...settings };
  const engine = await machine.open();
  const handles = records.map((_, i) => streamOf(engine, i + 1));
  given(await engine.checkpoint());
  handles.forEach((handle, i) => append(handle, records[i] as number));
  return { machine, engine, handles };
}

const diskOf = ({ machine }: Pick<Stage, 'machine'>): SimulatedDisk => machine.disk as SimulatedDisk;

/** Each turn does the next of these things; later ones nothing. @returns how many turns there were. */
function turns(each: Stage, ...things: readonly (() => unknown)[]): () => number {
  let taken = 0;
  diskOf(each).pause = async () => {
    await things[taken++]?.();
  };
  return () => taken;
}

const contents = (each: Stage): readonly string[] =>
  diskOf(each)
    .files()
    .filter(({ name }) => name.endsWith('.seg'))
    .map(({ name, content }) => `${name} ${Buffer.from(content).toString('base64')}`);

/** By sensor, the sequence numbers in the files in their order; null where a value or a time is not the record's. */
function inFiles(each: Stage): ReadonlyMap<number, readonly (number | null)[]> {
  const found = new Map<number, (number | null)[]>();
  for (const { directory, name, content } of diskOf(each).files()) {
    if (!name.endsWith('.seg')) continue;
    for (const { sensor, records } of readSegmentFile(directory, name, content).blocks) {
      const known = found.get(sensor) ?? [];
      for (const { sequence, valueBits, timeMs } of records)
        known.push(valueBits === noiseAt(sequence) && timeMs === NOW_MS + sequence ? sequence : null);
      found.set(sensor, known);
    }
  }
  return found;
}

/** What a stream gives from its head on, to its end. */
async function readsWell(handle: StreamHandle): Promise<string | null> {
  const { head, appended } = handle.marks();
  given(handle.revert());
  const batch = given(await handle.peek(0, appended));
  return (
    differs(`the records of ${handle.sensor}`, [...batch.sequences], upTo(appended, head)) ??
    differs(`the values of ${handle.sensor}`, [...batch.bits], upTo(appended, head).map(noiseAt))
  );
}

/** Marks and records of each stream, now and behind a power cut. */
async function survives(
  each: Stage,
  wanted: readonly (readonly [head: number, synced: number])[],
): Promise<string | null> {
  const marks = ({ handles }: Stage): unknown => handles.map((handle) => [handle.marks().head, handle.marks().synced]);
  const now = differs('head and synced', marks(each), wanted);
  for (const handle of each.handles) {
    const found = now ?? (await readsWell(handle));
    if (found !== null) return found;
  }
  given(await each.engine.checkpoint());
  each.machine.cutPower();
  const engine = await each.machine.open();
  const again = { ...each, engine, handles: each.handles.map((_, i) => streamOf(engine, i + 1)) };
  for (const handle of again.handles) {
    const found = await readsWell(handle);
    if (found !== null) return found;
  }
  return differs('head and synced behind a power cut', marks(again), wanted);
}

async function writesTheSame(): Promise<string | null> {
  const [inOne, inSlices] = [await stage([MANY, 10, MANY]), await stage([MANY, 10, MANY])];
  given(await inOne.engine.flush());
  const taken = turns(inSlices);
  given(await inSlices.engine.flush());
  return (
    differs('whether there were turns', taken() >= 2, true) ??
    differs('whether the files are the same', contents(inSlices).join() === contents(inOne).join(), true) ??
    differs('the records of sensor 3', inFiles(inSlices).get(3), upTo(MANY)) ??
    (await survives(inSlices, [
      [0, MANY],
      [0, 10],
      [0, MANY],
    ]))
  );
}

async function leavesOutWhatIsDiscarded(): Promise<string | null> {
  const each = await stage([MANY, MANY]);
  const [, second] = each.handles as [StreamHandle, StreamHandle];
  turns(each, () => given(second.discard(MANY)));
  given(await each.engine.flush());
  const found = inFiles(each);
  return (
    differs('the records of sensor 1', found.get(1), upTo(MANY)) ??
    differs('the records of sensor 2', found.get(2) ?? [], []) ??
    survives(each, [
      [0, MANY],
      [MANY, MANY],
    ])
  );
}

/** The stream that is just being gathered loses its oldest, also some that are in the segment already. */
async function goesOnBehindWhatIsAcknowledged(): Promise<string | null> {
  const each = await stage([2 * MANY]);
  const [handle] = each.handles as [StreamHandle];
  given(await handle.read(7_000));
  turns(
    each,
    () => given(handle.acknowledge(100)),
    () => given(handle.acknowledge(6_900)),
  );
  given(await each.engine.flush());
  const found = inFiles(each).get(1) ?? [];
  return (
    differs('the first record in the files', found[0], 0) ??
    differs('the newest in them', found.slice(7_000 - 2 * MANY), upTo(2 * MANY, 7_000)) ??
    survives(each, [[7_000, 2 * MANY]])
  );
}

/** Sectors that were freed between two slices are taken by a new record: it is not this flush's. */
async function takesNothingThatCameLater(): Promise<string | null> {
  const each = await stage([MANY, MANY]);
  const [first, second] = each.handles as [StreamHandle, StreamHandle];
  turns(each, () => {
    given(first.discard(4_000));
    append(second, 300);
    append(first, 7);
  });
  given(await each.engine.flush());
  const [marks, later] = [first.marks(), second.marks()];
  const found = inFiles(each);
  const before =
    differs('synced and appended of sensor 1', [marks.synced, marks.appended], [MANY, MANY + 7]) ??
    differs('synced and appended of sensor 2', [later.synced, later.appended], [MANY, MANY + 300]) ??
    differs('the records of sensor 2', found.get(2), upTo(MANY));
  if (before !== null) return before;
  given(await each.engine.flush());
  return survives(each, [
    [4_000, MANY + 7],
    [0, MANY + 300],
  ]);
}

/** A disk that fails behind a slice: all is in RAM still, and the next flush takes it. */
async function failsBehindASlice(): Promise<string | null> {
  const each = await stage([MANY, MANY]);
  const taken = turns(each);
  diskOf(each).faults.push({ kind: 'sync', directory: 'host', times: 1, fault: { code: 'IO' } });
  const failed = await each.engine.flush();
  const synced = each.handles.map((handle) => handle.marks().synced);
  const again = await each.engine.flush();
  return (
    differs('whether there were turns', taken() > 0, true) ??
    differs('the flushes', [failed.ok, again.ok], [false, true]) ??
    differs('what was synced behind the first', synced, [0, 0]) ??
    survives(each, [
      [0, MANY],
      [0, MANY],
    ])
  );
}

async function hurriesWhenPowerFails(): Promise<string | null> {
  const each = await stage([MANY, MANY]);
  const taken = turns(each);
  const report = given(await each.engine.emergencyFlush(10_000));
  return (
    differs('turns', taken(), 0) ??
    differs('saved and unsaved', [report.saved, report.unsaved], [2 * MANY, 0]) ??
    survives(each, [
      [0, MANY],
      [0, MANY],
    ])
  );
}

/** Segments that are full: at the end of a stream's records and between them, each as large as one may be. */
async function fillsSegments(): Promise<string | null> {
  const records = Array.from({ length: 7 }, (_, i) => 7_000 + 311 * i);
  const each = await stage(records);
  turns(each);
  given(await each.engine.flush());
  const sizes = diskOf(each)
    .files()
    .filter(({ name }) => name.endsWith('.seg'))
    .map(({ content }) => content.length);
  const found = inFiles(each);
  const wrong = records.map((count, i) => differs(`the records of ${i + 1}`, found.get(i + 1), upTo(count)));
  return (
    differs('whether there are several segments', sizes.length > 2, true) ??
    differs('the largest', Math.max(...sizes) <= FILE_BYTES_MAX, true) ??
    // With less left no block is begun.
    differs(
      'whether all but the last are full',
      sizes.slice(0, -1).every((size) => size > FILE_BYTES_MAX - 64),
      true,
    ) ??
    wrong.find((finding) => finding !== null) ??
    survives(
      each,
      records.map((count) => [0, count] as const),
    )
  );
}

const life = (name: string, check: Case['check']): Case => ({ name: `slices: ${name}`, check });

export const FLUSH_SLICES: readonly Case[] = [
  life('what is written is what one go writes', writesTheSame),
  life('what is discarded between two of them is not written', leavesOutWhatIsDiscarded),
  life('what is acknowledged between two of them is passed over', goesOnBehindWhatIsAcknowledged),
  life('what is appended between two of them belongs to the next flush', takesNothingThatCameLater),
  life('a flush that fails behind one of them loses nothing', failsBehindASlice),
  life('when power is failing there is one', hurriesWhenPowerFails),
  life('segments are filled to their end', fillsSegments),
];
