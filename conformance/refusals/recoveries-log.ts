/**
 * What a recovery makes of the checkpoint log, whole, cut short or damaged: logs written by hand beside the segments of
 * the store in recoveries.ts, records 0 to 3 of sensor 1 in segment 1 and 4 to 5 in segment 2.
 */
import type { FrameContent, LogContent } from '../format/write-log.ts';
import { frames, logFileName, lost } from '../format/write-log.ts';
import type { Case } from './case.ts';
import { differs } from './case.ts';
import type { Opened } from './found-store.ts';
import { evts, FoundStore } from './found-store.ts';

const { store: totals, stream, marks, syncedBy, syncedRuns, added, removed, loss, hole, unknown } = frames;

type Log = Omit<LogContent, 'storeId'>;

const SNAPSHOT: readonly FrameContent[] = [totals({})];
const FIRST: readonly FrameContent[] = [
  totals({ nextSegment: 2, nextFlush: 2 }),
  stream(0, 1),
  added(['host', 1]),
  syncedBy([0, 4]),
];
const SECOND: readonly FrameContent[] = [
  totals({ nextSegment: 3, nextFlush: 3 }),
  added(['host', 2]),
  syncedBy([0, 2]),
];
/** All of it as one snapshot. */
const ALL: readonly FrameContent[] = [
  totals({ nextSegment: 3, nextFlush: 3 }),
  stream(0, 1),
  marks(0, [0, 6, 0, 0, 0]),
  added(['host', 1], ['host', 2]),
];

interface Row {
  readonly name: string;
  readonly logs: readonly Log[];
  readonly found?: (store: FoundStore) => void;
  /** Found, live segments, records, salvaged, damaged. */
  readonly report: readonly [string, number, number, number, number];
  readonly marks?: Record<string, readonly [number, number, number]>;
  readonly records?: readonly number[];
  readonly losses?: readonly (readonly [string, number, number, number, string])[];
  readonly setAside?: readonly string[];
  readonly epoch?: number;
  /** Name of the log afterwards. */
  readonly log?: string;
  readonly check?: (opened: Opened, store: FoundStore) => string | null | Promise<string | null>;
}

const upTo = (end: number, from = 0): number[] => Array.from({ length: end - from }, (_, i) => from + i);
const without = (batch: readonly FrameContent[], type: number): FrameContent[] =>
  batch.map((each) => (each.type === type ? lost(each) : each));

const WHOLE: readonly Row[] = [
  {
    name: 'a snapshot and its batches',
    logs: [{ generation: 1, batches: [SNAPSHOT, FIRST, SECOND] }],
    report: ['crash', 2, 6, 0, 0],
    marks: { 'host/1': [0, 6, 6] },
    records: upTo(6),
    epoch: 2,
    log: logFileName(2),
    setAside: [],
  },
  {
    name: 'one snapshot of all of it, closed in peace',
    logs: [
      { generation: 7, batches: [[totals({ closed: true, nextSegment: 3, nextFlush: 3, epoch: 9 }), ...ALL.slice(1)]] },
    ],
    report: ['clean', 2, 6, 0, 0],
    records: upTo(6),
    epoch: 10,
    log: logFileName(8),
  },
  {
    name: 'a frame of a type to come is passed over',
    logs: [{ generation: 1, batches: [[...SNAPSHOT, unknown()], [unknown(), ...FIRST], SECOND] }],
    report: ['crash', 2, 6, 0, 0],
    records: upTo(6),
  },
  {
    name: 'a run of streams whose marks rose is one of many',
    logs: [{ generation: 1, batches: [SNAPSHOT, FIRST, [...SECOND.slice(0, -1), syncedRuns([0, 1, 3], [4, 2, 9])]] }],
    report: ['crash', 2, 6, 0, 1],
    marks: { 'host/1': [0, 7, 7] },
    records: upTo(6),
  },
  {
    name: 'a run of more streams than a store can have says nothing',
    logs: [{ generation: 1, batches: [SNAPSHOT, FIRST, [...SECOND.slice(0, -1), syncedRuns([0, 65_537, 3])]] }],
    report: ['crash', 2, 6, 0, 0],
    marks: { 'host/1': [0, 6, 6] },
    records: upTo(6),
  },
  {
    name: 'a run that ends before its numbers do says nothing',
    logs: [
      {
        generation: 1,
        batches: [SNAPSHOT, FIRST, [...SECOND.slice(0, -1), { type: 10, payload: Uint8Array.of(0, 1) }]],
      },
    ],
    report: ['crash', 2, 6, 0, 0],
    marks: { 'host/1': [0, 6, 6] },
    records: upTo(6),
  },
  {
    name: 'a segment that was removed again is none, and its file goes',
    logs: [{ generation: 1, batches: [ALL, [marks(0, [4, 6, 0, 0, 0]), removed(1)]] }],
    report: ['crash', 1, 2, 0, 0],
    marks: { 'host/1': [4, 6, 6] },
    check: (_, store) => differs('the files', store.machine.files('.seg'), ['000000000002.seg']),
  },
  {
    name: 'marks, holes and ledger come back as they were',
    logs: [
      {
        generation: 1,
        batches: [
          [
            totals({ nextSegment: 3, foldedRecords: 5, bytesWritten: 70_000, syncs: 300 }),
            stream(0, 1, { priority: 77 }),
            marks(0, [1, 6, 0, 0, 2], [[2, 2]]),
            stream(1, 8, { source: 'mgc', kind: 'tsd', type: 'float32', periodMs: 300 }),
            marks(1, [12, 12, 3, 9, 0]),
            added(['host', 1], ['host', 2]),
            loss(0, 2, 2, 2, 'damaged'),
            loss(1, 0, 10, 9, 'evicted'),
          ],
        ],
      },
    ],
    report: ['crash', 2, 3, 0, 0],
    marks: { 'host/1': [1, 6, 6], 'mgc/8': [12, 12, 12] },
    records: [1, 4, 5],
    losses: [
      ['host/1', 2, 4, 2, 'damaged'],
      ['mgc/8', 0, 10, 9, 'evicted'],
    ],
    check: ({ engine }) => {
      const { bytesWritten, bytesWrittenTotal, syncs, syncsTotal } = engine.stats();
      const [first, second] = engine.inspect().streams;
      return (
        differs('records folded', engine.ledger().foldedRecords, 5) ??
        differs('totals before', [bytesWrittenTotal - bytesWritten, syncsTotal - syncs], [70_000, 300]) ??
        differs('the first stream', [first?.priority, first?.damaged], [77, 2]) ??
        differs(
          'the second stream',
          [second?.kind, second?.type, second?.periodMs, second?.discarded, second?.evicted],
          ['tsd', 'float32', 300, 3, 9],
        )
      );
    },
  },
  {
    name: 'more holes than a mark takes follow it',
    logs: [
      {
        generation: 1,
        batches: [
          [
            totals({ nextSegment: 2 }),
            stream(0, 1),
            marks(
              0,
              [0, 200, 0, 0, 198],
              Array.from({ length: 64 }, (_, i) => [1 + 3 * i, 1] as const),
            ),
            hole(0, 193, 2),
            hole(0, 197, 1),
            added(['host', 1]),
          ],
        ],
      },
    ],
    found: (store) => {
      const blocks = Array.from({ length: 65 }, (_, i) => evts(1, i === 0 ? 0 : 3 * i - 1, i === 0 ? 1 : 2));
      store.put({ number: 1, blocks: [...blocks.slice(0, 65), evts(1, 195, 2), evts(1, 198, 2)] });
      store.disk.displace('host', '000000000002.seg');
    },
    report: ['crash', 1, 133, 0, 0],
    marks: { 'host/1': [0, 200, 200] },
    losses: [],
  },
  {
    name: 'flush numbers go on',
    logs: [{ generation: 1, batches: [[totals({ nextSegment: 3, nextFlush: 41 }), ...ALL.slice(1)]] }],
    report: ['crash', 2, 6, 0, 0],
    check: async (opened) => {
      const next = await opened.goesOn();
      return differs('the flush', opened.segments().find(({ number }) => number === next)?.flush, 41);
    },
  },
];

const CUT: readonly Row[] = [
  {
    name: 'a torn last batch has no effect: its segment is of a flush that was cut off',
    logs: [{ generation: 1, batches: [SNAPSHOT, FIRST, without(SECOND, 4)] }],
    report: ['crash', 2, 6, 2, 0],
    records: upTo(6),
  },
  {
    name: 'a batch in the middle that lost a frame lost only that',
    logs: [{ generation: 1, batches: [SNAPSHOT, without(FIRST, 5), SECOND] }],
    report: ['crash', 2, 6, 0, 0],
    records: upTo(6),
    setAside: [],
    epoch: 2,
  },
  {
    name: 'a stream that the log lost is known again from its blocks',
    logs: [{ generation: 1, batches: [SNAPSHOT, without(FIRST, 2), SECOND] }],
    report: ['crash', 2, 6, 0, 0],
    marks: { 'host/1': [0, 6, 6] },
  },
  {
    name: 'a log cut short behind its snapshot: segments of its epoch are believed',
    logs: [{ generation: 1, batches: [SNAPSHOT], bytes: 200 }],
    report: ['crash', 2, 6, 0, 0],
    records: upTo(6),
    epoch: 2,
  },
  {
    name: 'a whole log: segments that it does not name yet are of a flush that was cut off',
    logs: [{ generation: 1, batches: [SNAPSHOT] }],
    report: ['crash', 2, 6, 6, 0],
    records: upTo(6),
  },
  {
    name: 'a log that a running store began in vain is short, and lost nothing',
    logs: [
      { generation: 1, batches: [SNAPSHOT] },
      { generation: 2, batches: [SNAPSHOT], bytes: 200 },
    ],
    report: ['crash', 2, 6, 6, 0],
    records: upTo(6),
  },
  {
    name: 'a log cut short, and nothing newer: nothing is believed that it says has gone',
    logs: [
      {
        generation: 1,
        batches: [
          [totals({ nextSegment: 3, nextFlush: 3 }), stream(0, 1), marks(0, [0, 6, 0, 0, 0]), added(['host', 2])],
        ],
        bytes: 300,
      },
    ],
    report: ['crash', 1, 2, 0, 4],
    records: [4, 5],
  },
  {
    name: 'a log cut short is that also beside one of an epoch before it',
    logs: [
      { generation: 1, batches: [[totals({ epoch: 0, nextSegment: 3 })]] },
      { generation: 2, batches: [[totals({ epoch: 1 })]], bytes: 200 },
    ],
    report: ['crash', 2, 6, 0, 0],
    records: upTo(6),
  },
  {
    name: 'segments of an epoch that the log does not know bear witness of it',
    logs: [{ generation: 1, batches: [ALL] }],
    found: (store) => {
      store.put({ number: 3, epoch: 2, blocks: [evts(1, 6, 2)] });
    },
    report: ['crash', 3, 8, 0, 0],
    records: upTo(8),
    epoch: 65_539,
  },
];

const GENERATIONS: readonly Row[] = [
  {
    name: 'of two whole generations the newer one is believed',
    logs: [
      { generation: 4, batches: [SNAPSHOT] },
      { generation: 5, batches: [ALL] },
    ],
    report: ['crash', 2, 6, 0, 0],
    log: logFileName(6),
    check: (_, store) => differs('logs', store.machine.files('.log'), [logFileName(6)]),
  },
  {
    name: 'a generation that was cut off while it was begun is none',
    logs: [
      { generation: 4, batches: [ALL] },
      { generation: 5, batches: [[totals({ epoch: 2 }), lost(stream(0, 1))]] },
    ],
    report: ['crash', 2, 6, 0, 0],
    epoch: 2,
    log: logFileName(6),
    setAside: [],
  },
  {
    name: 'a generation that went on and lost its snapshot to damage counts with what is intact, behind the older one',
    logs: [
      { generation: 4, batches: [ALL] },
      {
        generation: 5,
        batches: [[totals({ epoch: 2, nextSegment: 3 }), lost(stream(0, 1))], [marks(0, [4, 6, 0, 0, 0])]],
      },
    ],
    report: ['crash', 1, 2, 0, 0],
    marks: { 'host/1': [4, 6, 6] },
    epoch: 3,
    found: (store) => store.disk.place('', `${logFileName(4)}.damaged`, new Uint8Array(1)),
    setAside: [`${logFileName(4)}.1.damaged`, `${logFileName(5)}.damaged`],
    log: logFileName(6),
  },
  {
    name: 'one that lost what says its epoch makes it jump',
    logs: [
      { generation: 4, batches: [ALL] },
      { generation: 5, batches: [[lost(totals({ epoch: 2 })), stream(0, 1)], [marks(0, [4, 6, 0, 0, 0])]] },
    ],
    report: ['crash', 1, 2, 0, 0],
    epoch: 1 + 65_537,
  },
  {
    name: 'a blank file of the log says nothing and goes',
    logs: [{ generation: 4, batches: [ALL] }],
    found: (store) => {
      store.disk.place('', logFileName(9), new Uint8Array(8_192));
      store.disk.place('', logFileName(10), new Uint8Array(0));
      store.disk.place('', logFileName(11), new Uint8Array(40).fill(7));
    },
    report: ['crash', 2, 6, 0, 0],
    epoch: 2,
    log: logFileName(12),
    setAside: [],
    check: (_, store) => differs('logs', store.machine.files('.log'), [logFileName(12)]),
  },
  {
    name: 'a header of the log that does not read costs nothing while a segment tells the store',
    logs: [{ generation: 4, batches: [ALL] }],
    found: (store) => {
      store.change(logFileName(4), (bytes) => bytes.fill(0, 0, 20), '');
    },
    report: ['crash', 2, 6, 0, 0],
    epoch: 2,
    setAside: [],
  },
  {
    name: 'a log in two parts is one',
    logs: [
      { generation: 4, batches: [SNAPSHOT, FIRST] },
      { generation: 4, part: 1, batches: [SECOND], firstBatch: 2 },
    ],
    report: ['crash', 2, 6, 0, 0],
    records: upTo(6),
  },
  {
    name: 'the second part of a log knows its store by the first',
    logs: [
      { generation: 4, batches: [SNAPSHOT, FIRST] },
      { generation: 4, part: 1, batches: [SECOND], firstBatch: 2 },
    ],
    found: (store) => {
      store.change(logFileName(4, 1), (bytes) => bytes.fill(0, 0, 20), '');
    },
    report: ['crash', 2, 6, 0, 0],
    records: upTo(6),
  },
  {
    name: 'files that only look like the log are left alone',
    logs: [{ generation: 4, batches: [ALL] }],
    found: (store) => {
      for (const name of [
        'checkpoint-0000000A-00.log',
        'checkpoint-1-0.log',
        'checkpoint-00000004-00.log.damaged',
        'xcheckpoint-00000009-00.log',
      ])
        store.disk.place('', name, new Uint8Array(100));
    },
    report: ['crash', 2, 6, 0, 0],
    log: logFileName(5),
  },
];

/** No generation is whole: what is blank goes, what is not is set aside. */
const NOTHING_WHOLE: readonly Row[] = [
  {
    name: 'a log of which nothing but blank files is left is lost, and nothing is set aside',
    logs: [{ generation: 4, batches: [] }],
    found: (store) => {
      store.disk.place('', logFileName(5), new Uint8Array(64).fill(7));
      store.disk.place('', logFileName(6), new Uint8Array(100));
    },
    report: ['crash', 2, 6, 0, 0],
    epoch: 65_538,
    setAside: [],
    log: logFileName(7),
    check: (_, store) => differs('logs', store.machine.files('.log'), [logFileName(7)]),
  },
  {
    name: 'a log that is not blank and says nothing is set aside',
    logs: [],
    found: (store) => {
      store.disk.place('', logFileName(5), new Uint8Array(65).fill(7));
      const oneByte = new Uint8Array(100);
      oneByte[99] = 1;
      store.disk.place('', logFileName(6), oneByte);
    },
    report: ['crash', 2, 6, 0, 0],
    epoch: 65_538,
    setAside: [`${logFileName(5)}.damaged`, `${logFileName(6)}.damaged`],
  },
  {
    name: 'a store with nothing but a blank log is new',
    logs: [{ generation: 4, batches: [] }],
    found: (store) => {
      for (const name of ['000000000001.seg', '000000000002.seg']) store.disk.displace('host', name);
    },
    report: ['new', 0, 0, 0, 0],
    epoch: 1,
  },
  {
    name: 'a store with nothing but a log that says nothing is none that is new',
    logs: [],
    found: (store) => {
      for (const name of ['000000000001.seg', '000000000002.seg']) store.disk.displace('host', name);
      store.disk.place('', logFileName(5), new Uint8Array(65).fill(7));
    },
    report: ['crash', 0, 0, 0, 0],
    setAside: [`${logFileName(5)}.damaged`],
  },
  {
    name: 'the second part of a log knows its store by the first, without any segment',
    logs: [
      { generation: 4, batches: [SNAPSHOT, FIRST] },
      { generation: 4, part: 1, batches: [SECOND], firstBatch: 2 },
    ],
    found: (store) => {
      for (const name of ['000000000001.seg', '000000000002.seg']) store.disk.displace('host', name);
      store.change(logFileName(4, 1), (bytes) => bytes.fill(0, 0, 20), '');
    },
    report: ['crash', 0, 0, 0, 6],
    marks: { 'host/1': [6, 6, 6] },
    epoch: 2,
  },
  {
    name: 'an older generation knows its store by a newer one',
    logs: [
      { generation: 4, batches: [ALL] },
      { generation: 5, batches: [[totals({ epoch: 2 }), lost(stream(0, 1))]] },
    ],
    found: (store) => {
      for (const name of ['000000000001.seg', '000000000002.seg']) store.disk.displace('host', name);
      store.change(logFileName(5), (bytes) => bytes.fill(0, 0, 20), '');
    },
    report: ['crash', 0, 0, 0, 6],
    epoch: 2,
  },
];

/** The log is damaged, so that a segment which it does not name may be one that it has forgotten, or one whose name was lost. */
const COVERED: readonly Row[] = [
  {
    name: 'a segment whose records others have is no segment that was lost',
    logs: [
      {
        generation: 1,
        batches: [SNAPSHOT, without(FIRST, 5), [totals({ nextSegment: 9 }), added(['host', 2]), syncedBy([0, 2])]],
      },
    ],
    found: (store) => {
      store.put({ number: 5, blocks: [evts(1, 4, 2)] }).put({ number: 6, blocks: [evts(1, 5, 1)] });
    },
    report: ['crash', 2, 6, 0, 0],
    records: upTo(6),
    check: (opened) =>
      differs(
        'the segments',
        opened.segments().map(({ number }) => number),
        [1, 2],
      ),
  },
  {
    name: 'one with a block of its own is, and only that block counts',
    logs: [
      {
        generation: 1,
        batches: [SNAPSHOT, without(FIRST, 5), [totals({ nextSegment: 9 }), added(['host', 2]), syncedBy([0, 2])]],
      },
    ],
    found: (store) => {
      store.put({ number: 5, blocks: [evts(1, 4, 2), evts(1, 6, 3), evts(2, 0, 1)] });
    },
    report: ['crash', 3, 10, 0, 0],
    records: upTo(9),
    marks: { 'host/1': [0, 9, 9], 'host/2': [0, 1, 1] },
  },
];

const ROWS: readonly Row[] = [...WHOLE, ...CUT, ...GENERATIONS, ...NOTHING_WHOLE, ...COVERED];

async function checkRow(row: Row): Promise<string | null> {
  const store = await FoundStore.with(4, 2);
  store.logs(...row.logs);
  row.found?.(store);
  const opened = await store.open();
  const wanted = (what: string, found: unknown, value: unknown): string | null =>
    value === undefined ? null : differs(what, found, value);
  return (
    wanted('found, segments, records, salvaged, damaged', opened.report(), row.report) ??
    wanted('the marks', opened.marks(), row.marks) ??
    wanted('what was set aside', opened.setAside, row.setAside) ??
    wanted('the ledger', opened.losses(), row.losses) ??
    wanted('the epoch', opened.engine.epoch, row.epoch) ??
    wanted(
      'the newest log',
      store.machine
        .files('.log')
        .filter((name) => /^checkpoint-[0-9a-f]{8}-/.test(name))
        .sort()
        .at(-1),
      row.log,
    ) ??
    wanted('the records', row.records && (await opened.records(1)), row.records) ??
    (row.check === undefined ? null : await row.check(opened, store))
  );
}

async function refusesTheFuture(): Promise<string | null> {
  const store = await FoundStore.with(4, 2);
  store.logs({ generation: 1, batches: [ALL] }, { generation: 2, version: 4, batches: [ALL] });
  const before = JSON.stringify(store.disk.snapshot());
  const code = await store.codeOfOpen();
  return (
    differs('the open', code, 'UNSUPPORTED_FORMAT') ??
    differs('the disk is as it was', JSON.stringify(store.disk.snapshot()) === before, true)
  );
}

export const RECOVERIES_LOG: readonly Case[] = [
  ...ROWS.map((row) => ({ name: `log found: ${row.name}`, check: () => checkRow(row) })),
  { name: 'log found: one of a version to come is refused, and nothing is touched', check: refusesTheFuture },
];
