/**
 * Recoveries that must weigh what they find: a log that lost a frame, so that a segment which it does not name may be live all
 * the same; segments that contradict each other or their stream; and a disk that fails while files are set aside.
 *
 * The store is that of recoveries.ts: records 0 to 3 of sensor 1 in segment 1, and 4 to 5 in segment 2.
 */
import type { FaultRule } from '../disk-operations.ts';
import type { FrameContent } from '../format/write-log.ts';
import { frames, lost } from '../format/write-log.ts';
import type { Case } from './case.ts';
import { differs } from './case.ts';
import type { Opened } from './found-store.ts';
import { evts, FoundStore } from './found-store.ts';
import { given, streamOf } from './machine.ts';

const { store: totals, stream, marks, added, syncedBy } = frames;

const OTHER_STORE = new Uint8Array(16).fill(0xee);
const upTo = (end: number, from = 0): number[] => Array.from({ length: end - from }, (_, i) => from + i);
const seg = (number: number, source = 'host'): string => `${source}/${String(number).padStart(12, '0')}.seg`;

/** A log that lost the frame which names segment 1; it names 2 and these. */
const uncertain = (
  rise: number,
  ...named: readonly (readonly ['host' | 'mgc', number])[]
): readonly (readonly FrameContent[])[] => [
  [totals({})],
  [
    totals({ nextSegment: 2 }),
    stream(0, 1),
    stream(1, 1, { source: 'mgc' }),
    lost(added(['host', 1])),
    syncedBy([0, 4]),
  ],
  [totals({ nextSegment: 9, nextFlush: 9 }), added(['host', 2], ...named), syncedBy([0, rise])],
];

interface Row {
  readonly name: string;
  readonly log?: readonly (readonly FrameContent[])[];
  readonly found: (store: FoundStore) => unknown;
  /** Found, live segments, records, salvaged, damaged. */
  readonly report: readonly [string, number, number, number, number];
  readonly live?: readonly number[];
  readonly records?: readonly number[];
  readonly names?: readonly string[];
  readonly losses?: readonly (readonly unknown[])[];
  readonly setAside?: readonly string[];
  readonly check?: (opened: Opened, store: FoundStore) => string | null | Promise<string | null>;
}

const UNCERTAIN: readonly Row[] = [
  {
    name: 'a segment whose name was lost is live',
    log: uncertain(2),
    found: () => {},
    report: ['crash', 2, 6, 0, 0],
    records: upTo(6),
    names: [seg(1), seg(2)],
  },
  {
    name: 'an older one whose records a named one has is none that was lost, and goes',
    log: uncertain(6, ['host', 6], ['host', 7]),
    found: (store) => {
      store.put({ number: 6, blocks: [evts(1, 6, 3)] }).put({ number: 7, blocks: [evts(1, 9, 1)] });
      store.put({ number: 3, blocks: [evts(1, 7, 1)] }).put({ number: 4, blocks: [evts(1, 9, 1)] });
      store.put({ number: 5, blocks: [evts(1, 5, 1)] });
    },
    report: ['crash', 4, 10, 0, 0],
    live: [1, 2, 6, 7],
    records: upTo(10),
    names: [seg(1), seg(2), seg(6), seg(7)],
    setAside: [],
  },
  {
    name: 'one that reaches into what a named one has is none that was lost either',
    log: uncertain(5, ['host', 6]),
    found: (store) => {
      store.put({ number: 6, blocks: [evts(1, 7, 2)] }).put({ number: 3, blocks: [evts(1, 6, 2)] });
      store.put({ number: 4, blocks: [evts(1, 6, 1)] });
    },
    report: ['crash', 4, 9, 0, 0],
    live: [1, 2, 4, 6],
    records: upTo(9),
  },
  {
    name: 'streams of one sensor in two sources are two',
    log: uncertain(2, ['mgc', 6]),
    found: (store) => {
      store.put({ number: 6, source: 'mgc', blocks: [evts(1, 0, 3)] });
      store.put({ number: 3, source: 'mgc', blocks: [evts(1, 1, 1)] });
      store.put({ number: 4, blocks: [evts(1, 6, 2)] });
    },
    report: ['crash', 4, 11, 0, 0],
    live: [1, 2, 4, 6],
    check: async (opened) => differs('records of mgc/1', await opened.records(1, 'mgc'), [0, 1, 2]),
  },
  {
    name: 'a named one that does not read covers nothing',
    log: uncertain(5, ['host', 6]),
    found: (store) => {
      store.put({ number: 6, blocks: [evts(1, 6, 3)] }).change('000000000006.seg', (bytes) => bytes.fill(0));
      store.put({ number: 3, blocks: [evts(1, 6, 3)] });
    },
    report: ['crash', 3, 9, 0, 0],
    records: upTo(9),
    setAside: [`${seg(6)}.damaged`],
  },
  {
    name: 'a torn file below what the log knows may have been live, and is set aside',
    log: uncertain(2),
    found: (store) => store.disk.place('host', '000000000003.seg', new Uint8Array(9)),
    report: ['crash', 2, 6, 0, 0],
    setAside: [`${seg(3)}.damaged`],
  },
  {
    name: 'a torn file from there on is of a flush that was cut off, and goes',
    log: uncertain(2),
    found: (store) => store.disk.place('host', '000000000009.seg', new Uint8Array(9)),
    report: ['crash', 2, 6, 0, 0],
    setAside: [],
    names: [seg(1), seg(2)],
  },
];

const CONTRADICTIONS: readonly Row[] = [
  {
    name: 'a live segment of which no block is intact is set aside',
    found: (store) =>
      store.change('000000000001.seg', (bytes) => {
        bytes[75] = (bytes[75] as number) ^ 1;
        return bytes;
      }),
    report: ['crash', 1, 2, 0, 4],
    setAside: [`${seg(1)}.damaged`],
    losses: [['host/1', 0, 4, 4, 'damaged']],
  },
  {
    name: 'a live segment whose block begins below the one before it is left out',
    found: (store) => store.put({ number: 2, blocks: [evts(1, 2, 4)] }),
    report: ['crash', 1, 4, 0, 2],
    records: upTo(4),
    losses: [['host/1', 4, 6, 2, 'damaged']],
  },
  {
    name: 'a live segment whose block is of another type than its stream is left out',
    found: (store) => store.put({ number: 1, blocks: [{ ...evts(1, 0, 4), type: 'int32' }, evts(2, 0, 1)] }),
    report: ['crash', 2, 3, 0, 4],
    records: [4, 5],
    losses: [['host/1', 0, 4, 4, 'damaged']],
  },
  {
    name: 'a block of another period than its stream is left out',
    log: [
      [
        totals({ nextSegment: 3, nextFlush: 3 }),
        stream(0, 1),
        stream(1, 5, { kind: 'tsd', periodMs: 10 }),
        marks(0, [0, 6, 0, 0, 0]),
        added(['host', 1], ['host', 2]),
      ],
    ],
    found: (store) => {
      const tsd = {
        sensor: 5,
        kind: 'tsd',
        type: 'uint32',
        first: 0,
        timesMs: [1_700_000_000_000],
        bits: [0],
      } as const;
      store
        .put({ number: 3, blocks: [{ ...tsd, periodMs: 20 }] })
        .put({ number: 4, blocks: [{ ...tsd, periodMs: 10 }] });
    },
    report: ['crash', 3, 7, 1, 0],
  },
  {
    name: 'streams come back in the order in which they were made, however the log has them',
    log: [
      [
        totals({ nextSegment: 3, nextFlush: 3 }),
        stream(2, 7),
        stream(0, 1),
        stream(1, 9),
        marks(0, [0, 6, 0, 0, 0]),
        added(['host', 1], ['host', 2]),
      ],
    ],
    found: () => {},
    report: ['crash', 2, 6, 0, 0],
    check: (opened) =>
      differs(
        'the sensors',
        opened.engine.streams().map(({ sensor }) => sensor),
        [1, 9, 7],
      ),
  },
  {
    name: 'a store that was closed in peace and has a flush that was cut off was not',
    log: [
      [
        totals({ closed: true, nextSegment: 3, nextFlush: 3 }),
        stream(0, 1),
        marks(0, [0, 6, 0, 0, 0]),
        added(['host', 1], ['host', 2]),
      ],
    ],
    found: (store) => store.put({ number: 3, blocks: [evts(1, 6, 1)] }),
    report: ['crash', 3, 7, 1, 0],
  },
  {
    name: 'what was salvaged is a flush of its own, and the next one another',
    found: (store) => store.put({ number: 3, blocks: [evts(1, 6, 1)] }),
    report: ['crash', 3, 7, 1, 0],
    check: async (opened) => {
      await opened.goesOn();
      return differs(
        'the flushes',
        opened.segments().map(({ flush }) => flush),
        [1, 2, 3, 4],
      );
    },
  },
  {
    name: 'heads that the log has already are none that moved',
    log: [
      [
        totals({ nextSegment: 3, nextFlush: 3 }),
        stream(0, 1),
        marks(0, [2, 6, 0, 0, 0]),
        added(['host', 1], ['host', 2]),
      ],
    ],
    found: () => {},
    report: ['crash', 2, 4, 0, 0],
    check: async (opened, store) => {
      streamOf(opened.engine, 2);
      store.machine.events.length = 0;
      given(await opened.engine.checkpoint());
      const handle = streamOf(opened.engine, 1);
      given(handle.revert());
      given(await handle.read(1));
      given(handle.acknowledge(1));
      given(await opened.engine.checkpoint());
      return differs(
        'heads that became durable',
        store.machine.events.flatMap((event) =>
          event.type === 'checkpointed' ? [event.heads.map(({ head }) => head)] : [],
        ),
        [[], [3]],
      );
    },
  },
];

async function checkRow(row: Row): Promise<string | null> {
  const store = await FoundStore.with(4, 2);
  if (row.log !== undefined) store.logs({ generation: 1, batches: row.log });
  row.found(store);
  const opened = await store.open();
  const wanted = (what: string, found: unknown, value: unknown): string | null =>
    value === undefined ? null : differs(what, found, value);
  return (
    wanted('found, segments, records, salvaged, damaged', opened.report(), row.report) ??
    wanted(
      'the live segments',
      opened.segments().map(({ number }) => number),
      row.live,
    ) ??
    wanted('what was set aside', opened.setAside, row.setAside) ??
    wanted('the files', store.names(), row.names) ??
    wanted('the ledger', opened.losses(), row.losses) ??
    (row.records === undefined ? null : differs('the records', await opened.records(1), row.records)) ??
    (row.check === undefined ? null : await row.check(opened, store)) ??
    differs('bytes on disk', opened.stats().diskBytes, opened.bytesOnDisk)
  );
}

const foreign = (store: FoundStore): unknown => store.put({ number: 3, storeId: OTHER_STORE, blocks: [evts(1, 6, 1)] });
const damaged = (store: FoundStore): unknown => store.change('000000000001.seg', (bytes) => bytes.fill(0));

/** What comes of an open while the disk fails so: the code, what was set aside, and the syncs that it counts. */
const fails =
  (wanted: string, setAside: readonly string[], prepare: (store: FoundStore) => unknown, fault: FaultRule) =>
  async (): Promise<string | null> => {
    const store = await FoundStore.with(4, 2);
    prepare(store);
    store.disk.faults.push({ ...fault });
    const opened = await store.machine.tryOpen();
    if (!opened.ok) return differs('the open', opened.failure.code, wanted);
    return (
      differs('the open', 'ok', wanted) ??
      differs('what was set aside', opened.value.recovery.setAside, setAside) ??
      differs('syncs', opened.value.stats().syncs, store.disk.counts.syncs)
    );
  };

const on = (kind: 'rename' | 'syncDirectory'): FaultRule => ({
  kind,
  directory: 'host',
  times: 1,
  fault: { code: 'IO' },
});

const FAILING: readonly Case[] = [
  {
    name: 'found: a file of another store that cannot be renamed stays where it is',
    check: fails('ok', [], foreign, on('rename')),
  },
  {
    name: 'found: its new name need not be durable',
    check: fails('ok', [`${seg(3)}.damaged`], foreign, on('syncDirectory')),
  },
  {
    name: 'found: a damaged segment that cannot be set aside keeps the store closed',
    check: fails('IO_FAILED', [], damaged, on('rename')),
  },
  {
    name: 'found: one whose new name is not durable does so too',
    check: fails('IO_FAILED', [], damaged, on('syncDirectory')),
  },
  {
    name: 'found: without a log a stream more than the settings allow is refused',
    check: async () => {
      const store = await FoundStore.with(4, 2);
      for (const { directory, name } of store.disk.files()) if (directory === '') store.disk.displace('', name);
      store.put({ number: 3, blocks: [evts(2, 0, 1)] });
      store.machine.settings = { streamsMax: 1 };
      return differs('the open', await store.codeOfOpen(), 'CONFIG_INVALID');
    },
  },
  {
    name: 'found: without room for the log what is to go makes it',
    check: async () => {
      const store = await FoundStore.with(4, 2);
      store.put({ number: 3, blocks: [evts(1, 6, 2)] });
      store.disk.faults.push({ kind: 'write', directory: '', times: 1, fault: { code: 'NO_SPACE' } });
      const removed: string[] = [];
      store.disk.observer = {
        asked: () => {},
        ended: ({ kind, directory, name }, code) => {
          if (kind === 'remove' && directory !== '') removed.push(name);
          if (kind === 'write' && directory === '') removed.push(code ?? 'the log');
        },
      };
      const opened = await store.open();
      return (
        differs('what was done', removed.slice(0, 3), ['NO_SPACE', '000000000003.seg', 'the log']) ??
        differs('the records', await opened.records(1), upTo(8))
      );
    },
  },
];

export const RECOVERIES_UNCERTAIN: readonly Case[] = [
  ...[...UNCERTAIN, ...CONTRADICTIONS].map((row) => ({ name: `found: ${row.name}`, check: () => checkRow(row) })),
  ...FAILING,
];
