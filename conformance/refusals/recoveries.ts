/**
 * What is found when a store is opened, and what is done about it: the rows of the table in docs/design.md, "Recovery",
 * one by one, with files that no run would leave in just that way. What must come of it is said here by hand.
 *
 * Each store has a stream of sensor 1 whose first two segments are durable: records 0 to 3, and 4 to 5. The log goes on
 * with segment 3.
 */
import type { Case } from './case.ts';
import { differs } from './case.ts';
import type { Opened } from './found-store.ts';
import { evts, FoundStore } from './found-store.ts';

interface Row {
  readonly name: string;
  readonly found: (store: FoundStore) => void;
  /** Found, live segments, records, salvaged, damaged. */
  readonly report: readonly [string, number, number, number, number];
  /** Head, synced and appended, by stream. */
  readonly marks?: Record<string, readonly [number, number, number]>;
  /** What sensor 1 gives. */
  readonly records?: readonly number[];
  readonly setAside?: readonly string[];
  /** Files behind the recovery, those of the log left out. */
  readonly names?: readonly string[];
  readonly losses?: readonly (readonly [string, number, number, number, string])[];
  /** Epochs that the recovery went on by; 1 when not said. */
  readonly epochs?: number;
  /** Number of the segment of the next flush. */
  readonly next?: number;
  readonly check?: (opened: Opened) => string | null | Promise<string | null>;
}

const seg = (number: number, source = 'host'): string => `${source}/${String(number).padStart(12, '0')}.seg`;
const upTo = (end: number, from = 0): number[] => Array.from({ length: end - from }, (_, i) => from + i);
const OTHER_STORE = new Uint8Array(16).fill(0xee);
const THIRD_STORE = new Uint8Array(16).fill(0x11);
const noLog = (store: FoundStore): void => {
  for (const { directory, name } of store.disk.files()) if (directory === '') store.disk.displace('', name);
};
const damageAt =
  (...places: readonly number[]) =>
  (bytes: Uint8Array): Uint8Array => {
    for (const at of places) {
      const place = at < 0 ? bytes.length + at : at;
      bytes[place] = (bytes[place] as number) ^ 0x5a;
    }
    return bytes;
  };

/** As it was left. */
const WHOLE: readonly Row[] = [
  {
    name: 'nothing but what is durable',
    found: () => {},
    report: ['crash', 2, 6, 0, 0],
    marks: { 'host/1': [0, 6, 6] },
    records: upTo(6),
    setAside: [],
    names: [seg(1), seg(2)],
    losses: [],
    next: 3,
  },
];

/** A flush that was cut off: segments that the log does not know yet. */
const CUT_OFF: readonly Row[] = [
  {
    name: 'a segment that goes on where its stream ends is copied',
    found: (store) => store.put({ number: 3, blocks: [evts(1, 6, 3)] }),
    report: ['crash', 3, 9, 3, 0],
    marks: { 'host/1': [0, 9, 9] },
    records: upTo(9),
    names: [seg(1), seg(2), seg(4)],
    next: 5,
  },
  {
    name: 'of a block that begins too early what is new is copied',
    found: (store) => store.put({ number: 3, blocks: [evts(1, 4, 4)] }),
    report: ['crash', 3, 8, 2, 0],
    records: upTo(8),
  },
  {
    name: 'a block that ends where its stream ends, or before, is nothing new',
    found: (store) => store.put({ number: 3, blocks: [evts(1, 4, 2), evts(1, 1, 2)] }),
    report: ['crash', 2, 6, 0, 0],
    names: [seg(1), seg(2)],
    next: 5,
  },
  {
    name: 'a block behind a gap is left out, one of another stream beside it is not',
    found: (store) => store.put({ number: 3, blocks: [evts(1, 7, 2), evts(2, 0, 2), evts(1, 6, 1)] }),
    report: ['crash', 3, 9, 3, 0],
    marks: { 'host/1': [0, 7, 7], 'host/2': [0, 2, 2] },
    records: upTo(7),
  },
  {
    name: 'several segments go on from each other, in the order of their numbers',
    found: (store) => {
      store.put({ number: 5, blocks: [evts(1, 9, 1)] }).put({ number: 3, blocks: [evts(1, 6, 2)] });
      store.put({ number: 4, blocks: [evts(1, 8, 1)] });
    },
    report: ['crash', 5, 10, 4, 0],
    records: upTo(10),
    names: [seg(1), seg(2), seg(6), seg(7), seg(8)],
    next: 9,
  },
  {
    name: 'a segment of each source is copied to its own',
    found: (store) => {
      store.put({ number: 3, source: 'mgc', blocks: [evts(1, 0, 2)] });
      store.put({ number: 4, source: 'can_controller', blocks: [evts(1, 0, 1)] });
    },
    report: ['crash', 4, 9, 3, 0],
    marks: { 'host/1': [0, 6, 6], 'mgc/1': [0, 2, 2], 'can_controller/1': [0, 1, 1] },
    names: [seg(1), seg(2), seg(5, 'mgc'), seg(6, 'can_controller')],
    check: async (opened) => differs('records of mgc/1', await opened.records(1, 'mgc'), [0, 1]),
  },
  {
    name: 'a stream that the log does not know is made as its block says',
    found: (store) =>
      store.put({
        number: 3,
        blocks: [
          {
            sensor: 9,
            kind: 'tsd',
            type: 'float32',
            periodMs: 250,
            first: 0,
            timesMs: [1_700_000_000_000],
            bits: [0, 1, 2],
          },
        ],
      }),
    report: ['crash', 3, 9, 3, 0],
    check: (opened) =>
      differs(
        'the stream',
        opened.engine.streams().map(({ sensor, kind, type, periodMs }) => [sensor, kind, type, periodMs])[1],
        [9, 'tsd', 'float32', 250],
      ),
  },
  {
    name: 'a block that contradicts its stream is left out',
    found: (store) =>
      store.put({
        number: 3,
        blocks: [
          { sensor: 1, kind: 'tsd', type: 'uint32', periodMs: 10, first: 6, timesMs: [1_700_000_000_006], bits: [6] },
          { ...evts(1, 6, 1), type: 'int32' },
          evts(2, 0, 1),
        ],
      }),
    report: ['crash', 3, 7, 1, 0],
    records: upTo(6),
  },
  {
    name: 'a segment of an older epoch is none of this flush',
    found: (store) => store.put({ number: 3, epoch: store.epoch - 1, blocks: [evts(1, 6, 1)] }),
    report: ['crash', 2, 6, 0, 0],
    names: [seg(1), seg(2)],
    next: 4,
  },
  {
    name: 'a torn block ends the prefix, what follows it is left out',
    found: (store) =>
      store
        .put({ number: 3, blocks: [evts(1, 6, 1), evts(1, 7, 1), evts(1, 8, 1)] })
        .change('000000000003.seg', damageAt(64 + 20)),
    report: ['crash', 3, 7, 1, 0],
    records: upTo(7),
  },
  {
    name: 'a torn file with no header that reads is removed',
    found: (store) => store.put({ number: 3, blocks: [evts(1, 6, 1)] }).change('000000000003.seg', damageAt(3, -60)),
    report: ['crash', 2, 6, 0, 0],
    names: [seg(1), seg(2)],
    next: 4,
  },
  {
    name: 'an empty file under the next number is removed, and its number is not used again',
    found: (store) => store.disk.place('host', '000000000003.seg', new Uint8Array(0)),
    report: ['crash', 2, 6, 0, 0],
    names: [seg(1), seg(2)],
    next: 4,
  },
  {
    name: 'segments below the log that it does not name had left before',
    found: (store) => {
      store.disk.place('mgc', '000000000001.seg', new Uint8Array(0));
      store.put({ number: 2, source: 'can_controller', blocks: [evts(4, 0, 2)] });
    },
    report: ['crash', 2, 6, 0, 0],
    names: [seg(1), seg(2)],
    setAside: [],
    marks: { 'host/1': [0, 6, 6] },
  },
];

/** Files under names that are not theirs, and files that are somebody else's. */
const FOREIGN: readonly Row[] = [
  {
    name: 'a segment under another number is what its header says: copied, when its flush was cut off',
    found: (store) => store.put({ number: 3, name: '000000000007.seg', blocks: [evts(1, 6, 1)] }),
    report: ['crash', 3, 7, 1, 0],
    names: [seg(1), seg(2), seg(8)],
    next: 9,
  },
  {
    name: 'a copy of a live segment under another number is set aside',
    found: (store) => store.put({ number: 2, name: '000000000007.seg', blocks: [evts(1, 3, 3)] }),
    report: ['crash', 2, 6, 0, 0],
    setAside: [`${seg(7)}.damaged`],
    names: [seg(1), seg(2), `${seg(7)}.damaged`],
    next: 8,
  },
  {
    name: 'a segment in the directory of another source is set aside',
    found: (store) => store.put({ number: 3, directory: 'mgc', blocks: [evts(1, 6, 1)] }),
    report: ['crash', 2, 6, 0, 0],
    setAside: [`${seg(3, 'mgc')}.damaged`],
    next: 4,
  },
  {
    name: 'a segment of another store is set aside, beside one that was before',
    found: (store) => {
      store.put({ number: 3, storeId: OTHER_STORE, blocks: [evts(1, 6, 1)] });
      store.disk.place('host', '000000000003.seg.damaged', new Uint8Array(10));
      store.disk.place('host', '000000000003.seg.1.damaged', new Uint8Array(5_000));
    },
    report: ['crash', 2, 6, 0, 0],
    setAside: ['host/000000000003.seg.2.damaged'],
    check: (opened) => differs('bytes on disk', opened.stats().diskBytes, opened.bytesOnDisk),
  },
  {
    name: 'a number far off, or not at all a number, leads nothing astray',
    found: (store) => {
      for (const name of ['000000900000.seg', 'x.seg', '3.seg', '000000000003.seg~'])
        store.disk.place('host', name, new Uint8Array(3));
      store.disk.place('', '000000000077.seg', new Uint8Array(3));
    },
    report: ['crash', 2, 6, 0, 0],
    setAside: [],
    next: 3,
  },
  {
    name: 'the store’s own number is its own, however far off',
    found: (store) => store.put({ number: 900_000, blocks: [evts(1, 6, 1)] }),
    report: ['crash', 3, 7, 1, 0],
    records: upTo(7),
    names: [seg(1), seg(2), seg(900_001)],
    next: 900_002,
  },
  {
    name: 'the last number that counts as nearby',
    found: (store) => store.disk.place('mgc', '000000065538.seg', new Uint8Array(3)),
    report: ['crash', 2, 6, 0, 0],
    next: 65_539,
  },
  {
    name: 'the first number that does not',
    found: (store) => store.disk.place('mgc', '000000065539.seg', new Uint8Array(3)),
    report: ['crash', 2, 6, 0, 0],
    next: 3,
  },
  {
    name: 'a number nearby that stays is passed by',
    found: (store) => store.put({ number: 3, name: '000000065000.seg', storeId: OTHER_STORE, blocks: [evts(1, 0, 1)] }),
    report: ['crash', 2, 6, 0, 0],
    next: 65_001,
  },
];

/** Live segments that are not as they were. */
const DAMAGED: readonly Row[] = [
  {
    name: 'a missing segment is a hole in the ledger, and the head stands behind it',
    found: (store) => store.disk.displace('host', '000000000001.seg'),
    report: ['crash', 1, 2, 0, 4],
    marks: { 'host/1': [4, 6, 6] },
    records: [4, 5],
    losses: [['host/1', 0, 4, 4, 'damaged']],
    setAside: [],
  },
  {
    name: 'the last segment missing leaves its numbers used',
    found: (store) => store.disk.displace('host', '000000000002.seg'),
    report: ['crash', 1, 4, 0, 2],
    marks: { 'host/1': [0, 6, 6] },
    records: upTo(4),
    losses: [['host/1', 4, 6, 2, 'damaged']],
  },
  {
    name: 'a header that does not read costs nothing, its copy at the end serves',
    found: (store) => store.change('000000000001.seg', damageAt(20)),
    report: ['crash', 2, 6, 0, 0],
    records: upTo(6),
  },
  {
    name: 'a copy at the end that does not read costs nothing',
    found: (store) => store.change('000000000001.seg', damageAt(-20)),
    report: ['crash', 2, 6, 0, 0],
    records: upTo(6),
  },
  {
    name: 'neither: the segment is set aside',
    found: (store) => store.change('000000000001.seg', damageAt(20, -20)),
    report: ['crash', 1, 2, 0, 4],
    setAside: [`${seg(1)}.damaged`],
    losses: [['host/1', 0, 4, 4, 'damaged']],
    check: (opened) => differs('bytes on disk', opened.stats().diskBytes, opened.bytesOnDisk),
  },
  {
    name: 'a block that does not read is a hole, its segment lives on',
    found: (store) =>
      store.put({ number: 1, blocks: [evts(1, 0, 3), evts(1, 3, 1)] }).change('000000000001.seg', damageAt(70)),
    report: ['crash', 2, 3, 0, 3],
    setAside: [],
    losses: [['host/1', 0, 3, 3, 'damaged']],
  },
  {
    name: 'a segment in the place of a live one is set aside, and the live one is missing',
    found: (store) => store.put({ number: 1, storeId: OTHER_STORE, blocks: [evts(1, 0, 4)] }),
    report: ['crash', 1, 2, 0, 4],
    setAside: [`${seg(1)}.damaged`],
  },
  {
    name: 'a live segment with fewer records than it had is a hole where they were',
    found: (store) => store.put({ number: 1, blocks: [evts(1, 0, 1), evts(1, 3, 1)] }),
    report: ['crash', 2, 4, 0, 2],
    marks: { 'host/1': [0, 6, 6] },
    records: [0, 3, 4, 5],
    losses: [['host/1', 1, 3, 2, 'damaged']],
  },
];

/** The log is not there, or says nothing. */
const WITHOUT_LOG: readonly Row[] = [
  {
    name: 'no log: all segments are believed, and the epoch jumps',
    found: noLog,
    report: ['crash', 2, 6, 0, 0],
    marks: { 'host/1': [0, 6, 6] },
    records: upTo(6),
    epochs: 65_537,
    next: 3,
  },
  {
    name: 'no log: a stream begins where its oldest block does',
    found: (store) => {
      noLog(store);
      store.disk.displace('host', '000000000001.seg');
      store.put({ number: 8, blocks: [evts(2, 3, 2)] });
    },
    report: ['crash', 2, 4, 0, 0],
    marks: { 'host/1': [4, 6, 6], 'host/2': [3, 5, 5] },
    losses: [],
    epochs: 65_537,
    next: 9,
  },
  {
    name: 'no log: the store that most segments are of is this one',
    found: (store) => {
      noLog(store);
      store.put({ number: 3, storeId: OTHER_STORE, epoch: 7, blocks: [evts(3, 0, 1)] });
      store.put({ number: 4, storeId: THIRD_STORE, epoch: 7, blocks: [evts(3, 0, 1)] });
    },
    report: ['crash', 2, 6, 0, 0],
    setAside: [`${seg(3)}.damaged`, `${seg(4)}.damaged`],
    epochs: 65_537,
  },
  {
    name: 'no log: also when its segments are not the first',
    found: (store) => {
      noLog(store);
      store.put({ number: 1, storeId: OTHER_STORE, epoch: 7, blocks: [evts(3, 0, 1)] });
      store.put({ number: 5, blocks: [evts(1, 6, 1)] });
    },
    report: ['crash', 2, 3, 0, 0],
    marks: { 'host/1': [4, 7, 7] },
    setAside: [`${seg(1)}.damaged`],
    epochs: 65_537,
  },
  {
    name: 'no log: segments of a later epoch count, and the next one is behind it',
    found: (store) => {
      noLog(store);
      store.put({ number: 3, epoch: 40, blocks: [evts(1, 6, 1)] });
    },
    report: ['crash', 3, 7, 0, 0],
    records: upTo(7),
    epochs: 40 - 1 + 65_537,
  },
  {
    name: 'no log: what an older segment has is not taken twice',
    found: (store) => {
      noLog(store);
      store.put({ number: 3, blocks: [evts(1, 4, 2), evts(1, 6, 1)] });
    },
    report: ['crash', 3, 7, 0, 0],
    records: upTo(7),
    epochs: 65_537,
  },
  {
    name: 'no log and no segment that reads: a new store, and nothing is deleted',
    found: (store) => {
      noLog(store);
      store.disk.displace('host', '000000000002.seg');
      store.change('000000000001.seg', damageAt(20, -20));
    },
    report: ['crash', 0, 0, 0, 0],
    setAside: [`${seg(1)}.damaged`],
    next: 2,
  },
];

const ROWS: readonly Row[] = [...WHOLE, ...CUT_OFF, ...FOREIGN, ...DAMAGED, ...WITHOUT_LOG];

async function checkRow(row: Row): Promise<string | null> {
  const store = await FoundStore.with(4, 2);
  row.found(store);
  const opened = await store.open();
  const wanted = (what: string, found: unknown, value: unknown): string | null =>
    value === undefined ? null : differs(what, found, value);
  return (
    wanted('found, segments, records, salvaged, damaged', opened.report(), row.report) ??
    wanted('the marks', opened.marks(), row.marks) ??
    wanted('what was set aside', opened.setAside, row.setAside) ??
    wanted('the files', store.names(), row.names) ??
    wanted('the ledger', opened.losses(), row.losses) ??
    wanted('the epoch', opened.engine.epoch - store.epoch, row.report[1] === 0 ? undefined : (row.epochs ?? 1)) ??
    (row.records === undefined ? null : differs('the records', await opened.records(1), row.records)) ??
    (row.check === undefined ? null : await row.check(opened)) ??
    (row.next === undefined ? null : differs('the next segment', await opened.goesOn(), row.next))
  );
}

export const RECOVERIES: readonly Case[] = ROWS.map((row) => ({
  name: `found: ${row.name}`,
  check: () => checkRow(row),
}));
