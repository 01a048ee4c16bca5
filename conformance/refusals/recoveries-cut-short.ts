/**
 * Recoveries for which the disk has no room, or which it fails: what is salvaged all the same, what is left out, and when
 * a store is not opened. The store found is that of recoveries.ts: records 0 to 5 of sensor 1 durable, the log goes on with
 * segment 3.
 */
import { ALLOCATION_BYTES } from '../../src/core/disk-index.ts';
import type { FaultRule } from '../disk-operations.ts';
import type { Case } from './case.ts';
import { differs } from './case.ts';
import { evts, FoundStore } from './found-store.ts';
import { quotaFor } from './machine.ts';

/** The store with a cut-off flush of two segments, and the disk's faults while it is opened. */
async function failing(...faults: readonly FaultRule[]): Promise<FoundStore> {
  const store = await FoundStore.with(4, 2);
  store.put({ number: 3, blocks: [evts(1, 6, 2)] }).put({ number: 4, blocks: [evts(1, 8, 1)] });
  // A disk counts a rule down: each store has its own.
  store.disk.faults.push(...faults.map((rule) => ({ ...rule })));
  return store;
}

const code =
  (wanted: string, ...faults: readonly FaultRule[]) =>
  async (): Promise<string | null> =>
    differs('the open', await (await failing(...faults)).codeOfOpen(), wanted);

/** Segment files behind the recovery, and records salvaged and retained. */
const gives =
  (
    numbers: readonly number[],
    records: readonly [salvaged: number, retained: number],
    ...faults: readonly FaultRule[]
  ) =>
  async (): Promise<string | null> => {
    const store = await failing(...faults);
    const { engine } = await store.open();
    const { salvagedRecords, records: retained } = engine.recovery ?? {};
    return (
      differs('salvaged and retained', [salvagedRecords, retained], records) ??
      differs(
        'the segments',
        engine.inspect().segments.map(({ number }) => number),
        numbers,
      ) ??
      differs(
        'the files',
        store.machine.files('.seg').map((name) => Number.parseInt(name, 10)),
        numbers,
      )
    );
  };

const host = { directory: 'host' } as const;

const FAULTS: readonly Case[] = [
  {
    name: 'recovery: names that cannot be written are passed by',
    check: gives([1, 2, 8, 9], [3, 9], { kind: 'write', ...host, times: 3, fault: { code: 'IO' } }),
  },
  {
    name: 'recovery: a disk that takes no name is not opened',
    check: code('IO_FAILED', { kind: 'write', ...host, times: 4, fault: { code: 'IO' } }),
  },
  {
    name: 'recovery: a disk that may not be written is not opened',
    check: code('IO_FAILED', { kind: 'write', ...host, times: 1, fault: { code: 'READ_ONLY' } }),
  },
  {
    name: 'recovery: a copy without room ends what is salvaged',
    check: gives([1, 2], [0, 6], { kind: 'write', ...host, times: 2, fault: { code: 'NO_SPACE' } }),
  },
  {
    name: 'recovery: a second copy without room leaves the first',
    check: gives([1, 2, 5], [2, 8], { kind: 'write', ...host, skip: 1, times: 2, fault: { code: 'NO_SPACE' } }),
  },
  {
    name: 'recovery: a copy that is not synced is no copy',
    check: code('IO_FAILED', { kind: 'sync', ...host, times: 1, fault: { code: 'IO' } }),
  },
  {
    name: 'recovery: a copy whose name is not synced is no copy',
    check: code('IO_FAILED', { kind: 'syncDirectory', ...host, times: 1, fault: { code: 'IO' } }),
  },
  {
    name: 'recovery: a header that may not be read is no damage',
    check: code('IO_FAILED', { kind: 'read', ...host, times: 1, fault: { code: 'DENIED' } }),
  },
  {
    name: 'recovery: a cut-off segment that may not be read is no damage',
    check: code('IO_FAILED', {
      kind: 'read',
      namePrefix: '000000000003',
      skip: 1,
      times: 1,
      fault: { code: 'DENIED' },
    }),
  },
  {
    name: 'recovery: a cut-off segment that the medium does not give ends the prefix',
    check: gives([1, 2], [0, 6], {
      kind: 'read',
      namePrefix: '000000000003',
      skip: 1,
      times: 99,
      fault: { code: 'IO' },
    }),
  },
  {
    name: 'recovery: the names in a directory must be known',
    check: code('IO_FAILED', { kind: 'list', directory: 'mgc', times: 1, fault: { code: 'DENIED' } }),
  },
  {
    name: 'recovery: what was copied and not committed is found again',
    check: async () => {
      const store = await failing({
        kind: 'write',
        directory: '',
        times: 9,
        fault: { code: 'IO' },
      });
      const first = await store.codeOfOpen();
      store.machine.cutPower();
      const opened = await store.open();
      return (
        differs('the opens', [first], ['IO_FAILED']) ??
        differs('found, segments, records, salvaged', opened.report().slice(0, 4), ['crash', 4, 9, 3]) ??
        differs('the records', await opened.records(1), [0, 1, 2, 3, 4, 5, 6, 7, 8])
      );
    },
  },
];

/** The store on a disk that has room for so many further files beside the two live ones; others take the rest of the quota. */
async function crowded(rooms: number, prepare: (store: FoundStore) => void): Promise<FoundStore> {
  const store = await FoundStore.with(4, 2);
  const { segments, quotaBytes } = quotaFor(8);
  const others = segments - 2 - rooms;
  // What was set aside counts, and nobody removes it.
  for (let i = 0; i < others; i++)
    store.disk.place('mgc', `${i}.damaged`, new Uint8Array(i % 2 === 0 ? 1 : ALLOCATION_BYTES));
  prepare(store);
  store.machine.settings = { quotaBytes };
  return store;
}

const inRoom =
  (rooms: number, prepare: (store: FoundStore) => void, salvaged: number, numbers: readonly number[]) =>
  async (): Promise<string | null> => {
    const store = await crowded(rooms, prepare);
    const { engine } = await store.open();
    return (
      differs('salvaged', engine.recovery?.salvagedRecords, salvaged) ??
      differs(
        'the segments',
        engine.inspect().segments.map(({ number }) => number),
        numbers,
      ) ??
      differs('bytes under the quota', engine.stats().diskBytes <= engine.stats().quotaBytes, true)
    );
  };

const one = (store: FoundStore): unknown => store.put({ number: 3, blocks: [evts(1, 6, 2)] });
const two = (store: FoundStore): unknown =>
  store.put({ number: 3, blocks: [evts(1, 6, 2)] }).put({ number: 4, blocks: [evts(1, 8, 1)] });
const torn = (store: FoundStore): void => store.disk.place('host', '000000000004.seg', new Uint8Array(9));
const older = (store: FoundStore): unknown => store.put({ number: 4, epoch: 0, blocks: [evts(1, 8, 1)] });
const behindAGap = (store: FoundStore): unknown => store.put({ number: 4, blocks: [evts(1, 9, 1)] });
/** What a recovery that was cut off has copied already. */
const copied = (store: FoundStore): unknown => store.put({ number: 4, blocks: [evts(1, 6, 2)] });

const ROOM: readonly Case[] = [
  { name: 'recovery: with room for the copy beside the original it is made', check: inRoom(2, one, 2, [1, 2, 4]) },
  { name: 'recovery: without room for the copy its records are left out', check: inRoom(1, one, 0, [1, 2]) },
  { name: 'recovery: room for two copies', check: inRoom(4, two, 3, [1, 2, 5, 6]) },
  { name: 'recovery: room for one copy of two', check: inRoom(3, two, 2, [1, 2, 5]) },
  {
    name: 'recovery: a segment that is set aside takes its room once',
    check: inRoom(
      2,
      (store) => {
        one(store);
        store.change('000000000002.seg', (bytes) => bytes.fill(7));
      },
      2,
      [1, 4],
    ),
  },
  {
    name: 'recovery: a segment of another store that is set aside takes its room once',
    check: inRoom(
      3,
      (store) => {
        one(store);
        store.put({ number: 4, storeId: new Uint8Array(16), blocks: [evts(1, 8, 1)] });
      },
      2,
      [1, 2, 5],
    ),
  },
  {
    name: 'recovery: a torn file makes room',
    check: inRoom(
      2,
      (store) => {
        one(store);
        torn(store);
      },
      2,
      [1, 2, 5],
    ),
  },
  {
    name: 'recovery: an earlier copy makes room',
    check: inRoom(
      2,
      (store) => {
        one(store);
        copied(store);
      },
      2,
      [1, 2, 5],
    ),
  },
  {
    name: 'recovery: a segment of an older epoch makes room',
    check: inRoom(
      2,
      (store) => {
        one(store);
        older(store);
      },
      2,
      [1, 2, 5],
    ),
  },
  {
    name: 'recovery: a segment behind a gap makes room',
    check: inRoom(
      2,
      (store) => {
        one(store);
        behindAGap(store);
      },
      2,
      [1, 2, 5],
    ),
  },
  {
    name: 'recovery: what gives behind what gives makes none',
    check: inRoom(
      4,
      (store) => {
        two(store);
        for (const name of ['000000000005.seg', '000000000006.seg']) store.disk.place('host', name, new Uint8Array(9));
      },
      3,
      [1, 2, 7, 8],
    ),
  },
  {
    name: 'recovery: a stream more than the settings allow is refused',
    check: async () => {
      const store = await FoundStore.with(4, 2);
      store.put({ number: 3, blocks: [evts(2, 0, 1)] });
      store.machine.settings = { streamsMax: 1 };
      return differs('the open', await store.codeOfOpen(), 'CONFIG_INVALID');
    },
  },
  {
    name: 'recovery: a file that cannot be removed makes none',
    check: async () => {
      const store = await crowded(2, (found) => {
        one(found);
        torn(found);
      });
      store.disk.faults.push({
        kind: 'remove',
        directory: 'host',
        namePrefix: '000000000004',
        times: 1,
        fault: { code: 'IO' },
      });
      const { engine } = await store.open();
      return differs('salvaged', engine.recovery?.salvagedRecords, 0);
    },
  },
];

export const RECOVERIES_CUT_SHORT: readonly Case[] = [...FAULTS, ...ROOM];
