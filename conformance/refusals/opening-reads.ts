/**
 * What an open reads, and what it makes of a disk that gives a file once and not the second time: each segment is read once
 * where all is well, refusals end the open with nothing touched, and damage is looked at with care (INV-15, INV-19).
 *
 * The store: records 0 to 3 of sensor 1 in segment 1.
 */
import { lookAtSegments } from '../../src/core/found-segments.ts';
import type { Directory, DiskPort, IoErrorCode } from '../../src/core/port.ts';
import { SegmentColumns } from '../../src/core/segment-columns.ts';
import { readSegmentFile } from '../damage-matrix/layout.ts';
import type { FaultRule } from '../disk-operations.ts';
import { frames } from '../format/write-log.ts';
import { segmentFileName, writeSegment } from '../format/write-segment.ts';
import type { SimulatedDisk } from '../simulated-disk.ts';
import type { Case } from './case.ts';
import { differs } from './case.ts';
import { evts, FoundStore } from './found-store.ts';
import { quotaFor, streamOf } from './machine.ts';

const FILE = '000000000001.seg';
const FILE_BYTES_MAX = 65_536;

const upTo = (end: number, from = 0): number[] => Array.from({ length: end - from }, (_, i) => from + i);

/** Names of segments that are read while this is done, in their order. */
async function readsOf(disk: SimulatedDisk, work: () => Promise<unknown>): Promise<string[]> {
  const reads: string[] = [];
  disk.observer = {
    asked: ({ kind, name, bytes }) => {
      if (kind === 'read' && name.endsWith('.seg')) reads.push(`${name} ${bytes}`);
    },
    ended: () => {},
  };
  await work();
  disk.observer = null;
  return reads;
}

const flipped = (at: number) => (bytes: Uint8Array) => {
  bytes[at] = (bytes[at] as number) ^ 4;
  return bytes;
};

/** The disk refuses the reads of the segment behind the first so many: the open fails, and later all is there. */
const refusedBehind =
  (skip: number, code: IoErrorCode, prepare: (store: FoundStore) => void, first: FaultRule['fault'] | null = null) =>
  async (): Promise<string | null> => {
    const store = await FoundStore.with(4);
    prepare(store);
    const before = JSON.stringify(store.disk.snapshot());
    const rule = { kind: 'read', directory: 'host' } as const;
    if (first !== null) store.disk.faults.push({ ...rule, times: 1, fault: first });
    store.disk.faults.push({ ...rule, skip, times: 1, fault: { code } });
    const answer = await store.codeOfOpen();
    const left = store.disk.faults.reduce((sum, { times }) => sum + times, 0);
    const after = JSON.stringify(store.disk.snapshot());
    store.disk.faults.length = 0;
    const opened = await store.open();
    return (
      differs('the open', answer, 'IO_FAILED') ??
      differs('refusals that were not met', left, 0) ??
      differs('whether the disk is as it was', after === before, true) ??
      differs('the records later', await opened.records(1), upTo(4))
    );
  };

const asItIs = (): void => {};
const withoutItsFront = (store: FoundStore): void => {
  store.change(FILE, flipped(20));
};
/** A bit in the checksum of the second block, of which nobody needs the records: they are acknowledged by the log. */
const withADamagedBlock = (store: FoundStore): void => {
  store.put({ number: 1, blocks: [evts(1, 0, 4), evts(2, 0, 2)] });
  store.change(FILE, (bytes) => {
    const [, second] = readSegmentFile('host', FILE, bytes).blocks;
    return flipped((second?.to ?? 1) - 1)(bytes);
  });
};

const REFUSALS: readonly Case[] = [
  {
    name: 'opening: a segment that the medium does not give and then may not be read is no damage',
    check: refusedBehind(0, 'DENIED', asItIs, { code: 'IO' }),
  },
  {
    name: 'opening: a front that is damaged and then may not be read is no damage',
    check: refusedBehind(1, 'DENIED', withoutItsFront),
  },
  {
    name: 'opening: a file that may not be read when its end is looked for is no damage',
    check: refusedBehind(2, 'DENIED', withoutItsFront),
  },
  {
    name: 'opening: a segment with a damaged block that may not be read again is no damage',
    check: refusedBehind(1, 'DENIED', withADamagedBlock),
  },
];

async function readsEachOnce(): Promise<string | null> {
  const store = await FoundStore.with(4, 2, 3);
  const sizes = store.disk.files().filter(({ name }) => name.endsWith('.seg'));
  const reads = await readsOf(store.disk, () => store.open());
  return differs(
    'the reads',
    reads,
    sizes.map(({ name, content }) => `${name} ${content.length}`),
  );
}

/** A port may have a way to read that leaves nothing behind: it is asked for whole segments, and for nothing else. */
async function readsInItsOwnWay(): Promise<string | null> {
  const store = await FoundStore.with(4, 2, 3);
  store.change('000000000002.seg', flipped(70));
  const { disk } = store;
  const once: string[] = [];
  const readOnce = (directory: Directory, name: string, into: Uint8Array): ReturnType<DiskPort['read']> => {
    once.push(`${directory}/${name}`);
    return disk.read(directory, name, 0, into);
  };
  Object.assign(disk, { readOnce });
  const opened = await store.open();
  return (
    differs(
      'what is read once',
      once,
      upTo(4, 1).map((number) => `host/${segmentFileName(number)}`),
    ) ??
    differs('found, segments, records, salvaged, damaged', opened.report(), ['crash', 2, 7, 0, 2]) ??
    differs('the records', await opened.records(1), [...upTo(4), ...upTo(9, 6)])
  );
}

/** What is longer than a segment can be has something amiss; what of it is a segment counts. */
async function readsALongFile(): Promise<string | null> {
  const store = await FoundStore.with(4);
  store.change(FILE, (bytes) => {
    const long = new Uint8Array(FILE_BYTES_MAX + 4_096);
    long.set(bytes);
    return long;
  });
  const opened = await store.open();
  return (
    differs('found, segments, records, salvaged, damaged', opened.report(), ['crash', 1, 4, 0, 0]) ??
    differs('the records', await opened.records(1), upTo(4)) ??
    differs('what was set aside', opened.setAside, []) ??
    differs('bytes on disk', opened.stats().diskBytes, opened.bytesOnDisk)
  );
}

/** Headers alone, for who does not open the store: the same segments, and no block of any. */
async function looksAtHeaders(): Promise<string | null> {
  const store = await FoundStore.with(4, 2);
  store.change('000000000002.seg', flipped(20));
  store.disk.place('mgc', 'x.damaged', new Uint8Array(5_000));
  const before = JSON.stringify(store.disk.snapshot());
  const [heads, whole] = [await lookAtSegments(store.disk), await lookAtSegments(store.disk, new SegmentColumns())];
  if (!heads.ok || !whole.ok) return 'it is refused';
  const told = ({ segments, setAsideBytes }: typeof heads.value): unknown => [
    setAsideBytes,
    segments.map(({ number, file, source, bytes, header }) => [number, file, source, bytes, header?.flush ?? null]),
  ];
  return (
    differs('what both find', told(heads.value), told(whole.value)) ??
    differs('segments', [heads.value.segments.length, heads.value.setAsideBytes], [2, 8_192]) ??
    differs('segments with blocks', heads.value.segments.filter(({ blocks }) => blocks !== null).length, 0) ??
    differs('whether the disk is as it was', JSON.stringify(store.disk.snapshot()) === before, true)
  );
}

/**
 * A file that was written over holds the newer segment, whose front is damaged, and behind it the end of an older one, which
 * has a trailer, too: the newer one's counts, wherever it stands.
 */
async function findsTheNewestTrailer(): Promise<string | null> {
  const store = await FoundStore.with(4);
  const { storeId, epoch } = store;
  const of = (number: number, first: number, records: number): Uint8Array =>
    writeSegment({ source: 'host', epoch, storeId, number, flush: number, blocks: [evts(1, first, records)] });
  const [older, newer] = [of(1, 0, 900), of(2, 900, 6)];
  newer.forEach((byte, i) => {
    older[i] = byte;
  });
  store.disk.place('host', FILE, flipped(20)(older));
  const { store: totals, stream, marks, placed } = frames;
  store.logs({
    generation: 1,
    batches: [
      [totals({ nextSegment: 3, nextFlush: 3 }), stream(0, 1), marks(0, [900, 906, 0, 0, 0]), placed(['host', 2, 1])],
    ],
  });
  const opened = await store.open();
  return (
    differs('found, segments, records, salvaged, damaged', opened.report(), ['crash', 1, 6, 0, 0]) ??
    differs('the segment', opened.segments()[0]?.number, 2) ??
    differs('the records', await opened.records(1), upTo(906, 900))
  );
}

/** More streams than the store may have, met in a segment that a scan has to read. */
async function refusesTooManyStreams(): Promise<string | null> {
  const store = await FoundStore.with(4);
  const sensors = upTo(10, 1);
  store.put({ number: 1, blocks: [evts(1, 0, 4), ...sensors.map((sensor) => evts(sensor + 1, 0, 1))] }).logs();
  store.change(FILE, (bytes) => flipped((readSegmentFile('host', FILE, bytes).blocks[0]?.to ?? 1) - 1)(bytes));
  const before = JSON.stringify(store.disk.snapshot());
  const answer = await store.codeOfOpen();
  const after = JSON.stringify(store.disk.snapshot());
  store.machine.settings = { streamsMax: 16 };
  const opened = await store.open();
  return (
    differs('the open', answer, 'CONFIG_INVALID') ??
    differs('whether the disk is as it was', after === before, true) ??
    differs(
      'the streams later',
      opened.engine.streams().map(({ sensor }) => sensor),
      upTo(11, 2),
    ) ??
    differs('the records of the last', await opened.records(10), [0])
  );
}

/**
 * A cut-off segment without room for its copy, and a file of which the log says that it may go: it goes when the log is made
 * durable first, and stays where that fails. Then nothing is salvaged, and nothing that was synced is lost.
 */
const confirmsBeforeAnythingGoes = (fails: boolean) => async (): Promise<string | null> => {
  const { quotaBytes, segments } = quotaFor(8);
  const store = await FoundStore.with(...Array.from({ length: segments - 2 }, () => 1));
  const synced = segments - 2;
  const [gone, cutOff] = [segments - 1, segments];
  const { store: totals, stream, marks, added, removed } = frames;
  store
    .put({ number: gone, blocks: [evts(1, 0, 1)] })
    .put({ number: cutOff, blocks: [evts(1, synced, 3)] })
    .logs({
      generation: 1,
      batches: [
        [
          totals({ nextSegment: cutOff, nextFlush: 3 }),
          stream(0, 1),
          marks(0, [0, synced, 0, 0, 0]),
          added(...upTo(gone, 1).map((number) => ['host', number] as const)),
          removed(gone),
        ],
      ],
    });
  store.machine.settings = { quotaBytes, recycleBytes: 1024 * 1024 };
  if (fails) store.disk.faults.push({ kind: 'sync', directory: '', times: 1, fault: { code: 'IO' } });
  const opened = await store.open();
  const salvaged = fails ? 0 : 3;
  const left = store.disk.faults.reduce((sum, { times }) => sum + times, 0);
  const before =
    differs('faults that were not met', left, 0) ??
    differs('found, segments, records, salvaged, damaged', opened.report(), [
      'crash',
      synced + (fails ? 0 : 1),
      synced + salvaged,
      salvaged,
      0,
    ]) ??
    differs('whether the disk holds no more than its quota', opened.bytesOnDisk <= quotaBytes, true);
  store.machine.cutPower();
  const again = await store.open();
  return (
    before ??
    differs('the records behind a power cut', await again.records(1), upTo(synced + salvaged)) ??
    differs('the ledger', again.losses(), []) ??
    differs('the head', streamOf(again.engine, 1).marks().head, 0)
  );
};

export const OPENING_READS: readonly Case[] = [
  ...REFUSALS,
  { name: 'opening: each segment is read once', check: readsEachOnce },
  { name: 'opening: whole segments are read in the port’s own way, where it has one', check: readsInItsOwnWay },
  { name: 'opening: a file that is longer than a segment can be', check: readsALongFile },
  { name: 'opening: headers alone are looked at without an open', check: looksAtHeaders },
  { name: 'opening: of two trailers the newer one counts', check: findsTheNewestTrailer },
  { name: 'opening: too many streams in a damaged segment are refused', check: refusesTooManyStreams },
  { name: 'opening: a file that may go goes for a copy', check: confirmsBeforeAnythingGoes(false) },
  { name: 'opening: it stays when the log cannot be made durable', check: confirmsBeforeAnythingGoes(true) },
];
