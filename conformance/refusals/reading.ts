/**
 * Reads from the disk, read by read: what is asked for once and kept, what happens when the medium refuses a page or a file
 * is gone, and that bytes which verify and are not the records that were written there are no records.
 *
 * The store found is that of recoveries.ts: records 0 to 3 of sensor 1 in segment 1, here in a block each, and 4 and 5 in
 * segment 2.
 */

import type { Result } from '../../src/core/codes.ts';
import type { Engine } from '../../src/core/engine.ts';
import type { RecordBatch } from '../../src/core/record-batch.ts';
import type { StreamHandle } from '../../src/core/stream-handle.ts';
import { macrotask } from '../answers.ts';
import type { FaultRule } from '../disk-operations.ts';
import { writeSegment } from '../format/write-segment.ts';
import type { SimulatedDisk } from '../simulated-disk.ts';
import type { Case } from './case.ts';
import { differs } from './case.ts';
import type { Opened } from './found-store.ts';
import { evts, FoundStore } from './found-store.ts';
import { given, streamOf } from './machine.ts';

/** Runs of neighbouring blocks that a store keeps between reads, and refusals in a row after which a block is damaged. */
const KEPT_RUNS = 32;
const REFUSALS = 3;

export const FIRST = '000000000001';
export const SECOND = '000000000002';

export interface Stage {
  readonly store: FoundStore;
  readonly opened: Opened;
  readonly engine: Engine;
  readonly disk: SimulatedDisk;
  readonly handle: StreamHandle;
  /** Reads of segments since the store is open: the segment's number, and the code with which one failed. */
  readonly reads: string[];
}

export async function stage(...blocks: readonly ReturnType<typeof evts>[]): Promise<Stage> {
  const store = await FoundStore.with(4, 2);
  const each = [evts(1, 0, 1), evts(1, 1, 1), evts(1, 2, 1), evts(1, 3, 1)];
  store.put({ number: 1, blocks: blocks.length === 0 ? each : blocks });
  const opened = await store.open();
  const reads: string[] = [];
  store.disk.observer = {
    asked: () => {},
    ended: ({ kind, directory, name }, code) => {
      if (kind === 'read' && directory !== '') reads.push([Number.parseInt(name, 10), code ?? []].flat().join(' '));
    },
  };
  return { store, opened, engine: opened.engine, disk: store.disk, handle: streamOf(opened.engine, 1), reads };
}

/** Sequence numbers, or the code. Values and times are held against them. */
export function got(result: Result<RecordBatch>): readonly number[] | string {
  if (!result.ok) return result.failure.code;
  return [...result.value].map(({ sequence, value }) => (value === sequence ? sequence : Number.NaN));
}

export const failsToRead = (times: number, code: 'IO' | 'DENIED' = 'IO', namePrefix = FIRST): FaultRule => ({
  kind: 'read',
  directory: 'host',
  namePrefix,
  times,
  fault: { code },
});

export const upTo = (end: number, from = 0): number[] => Array.from({ length: end - from }, (_, i) => from + i);

type Look = (handle: StreamHandle, max: number) => Result<RecordBatch> | Promise<Result<RecordBatch>>;

const WITH_A_WAIT: Look = (handle, max) => handle.peek(0, max);

/** With a wait and without: the same answers, and the same reads where the disk gives what it is asked for. */
const LOOKS: readonly (readonly [string, Look])[] = [
  ['peek', WITH_A_WAIT],
  ['peekNow', (handle, max) => handle.peekNow(0, max)],
];

export const bothWays = (name: string, check: (look: Look, stage: Stage) => Promise<string | null>): Case[] =>
  LOOKS.map(([way, look]) => ({ name: `${way}: ${name}`, check: async () => check(look, await stage()) }));

const READ_ONCE: readonly Case[] = [
  ...bothWays('neighbouring blocks are one read, and are kept', async (look, { handle, reads }) => {
    const first = got(await look(handle, 6));
    const before = [...reads];
    const again = [got(await look(handle, 6)), got(await look(handle, 3))];
    return (
      differs('the records', [first, ...again], [upTo(6), upTo(6), upTo(3)]) ??
      differs('the reads', before, ['1', '2']) ??
      differs('reads of the second and third look', reads.slice(before.length), [])
    );
  }),
  ...bothWays('no more is read than is asked for', async (look, { handle, reads }) => {
    const none = got(await look(handle, 0));
    const readsOfNone = reads.length;
    const four = got(await look(handle, 4));
    return (
      differs('the records', [none, four], [[], upTo(4)]) ??
      differs('reads for no record', readsOfNone, 0) ??
      differs('reads for those of one segment', reads, ['1'])
    );
  }),
  {
    name: 'reading: a batch goes on in the segment in which the one before ended without a read',
    check: async () => {
      const { handle, reads } = await stage(evts(1, 0, 2), evts(2, 0, 1), evts(1, 2, 2));
      const records = [got(await handle.read(1)), got(await handle.read(2)), got(await handle.read(9))];
      return (
        differs('the records', records, [[0], [1, 2], [3, 4, 5]]) ??
        // A block of another stream stands between them: two runs of one segment, which is read whole.
        differs('the reads', reads, ['1', '2'])
      );
    },
  },
  {
    name: 'reading: a run of more blocks than runs are kept',
    check: async () => {
      const blocks = upTo(KEPT_RUNS + 8).map((i) => evts(2, i, 1));
      const { engine, reads } = await stage(evts(1, 0, 4), ...blocks);
      const other = streamOf(engine, 2);
      const first = got(await other.peek(0, 100));
      return differs('the records', first, upTo(KEPT_RUNS + 8)) ?? differs('the reads', reads, ['1']);
    },
  },
  {
    name: `reading: the last ${KEPT_RUNS} runs are kept, the oldest goes first`,
    check: async () => {
      const store = await FoundStore.with(...upTo(KEPT_RUNS + 1).map(() => 1));
      const { engine } = await store.open();
      const handle = streamOf(engine, 1);
      const readsOf = async (offset: number, records: number): Promise<number> => {
        const before = store.disk.counts.reads;
        given(await handle.peek(offset, records));
        return store.disk.counts.reads - before;
      };
      const reads = [
        await readsOf(0, KEPT_RUNS),
        await readsOf(0, KEPT_RUNS),
        // One more than are kept: the oldest goes, the others stay.
        await readsOf(KEPT_RUNS, 1),
        await readsOf(1, KEPT_RUNS - 1),
        await readsOf(0, 1),
      ];
      return differs('the reads', reads, [KEPT_RUNS, 0, 1, 0, 1]);
    },
  },
];

const REFUSED_PAGES: readonly Case[] = [
  ...bothWays('a bad page in a run costs none of its neighbours', async (look, { handle, disk, reads, engine }) => {
    disk.faults.push(failsToRead(1));
    return (
      differs('the records', got(await look(handle, 4)), upTo(4)) ??
      // With a wait: the whole segment, then the run. Without: the run, its first block by itself, and the rest of it.
      differs('the reads', reads, look === WITH_A_WAIT ? ['1 IO', '1'] : ['1 IO', '1', '1']) ??
      differs('what was lost', engine.stats().damaged, 0)
    );
  }),
  ...bothWays('a disk that may not be read is asked once a look', async (look, { handle, disk, reads }) => {
    disk.faults.push(failsToRead(1, 'DENIED'));
    return (
      differs('the look', got(await look(handle, 4)), 'IO_FAILED') ??
      differs('the reads', reads, ['1 DENIED']) ??
      differs('the next one', got(await look(handle, 4)), upTo(4))
    );
  }),
  ...bothWays('a block alone that is refused is asked once a look', async (look, { handle, disk, reads }) => {
    disk.faults.push(failsToRead(1, 'IO', SECOND));
    return (
      differs('the look', got(await look(handle, 6)), 'IO_FAILED') ??
      differs('the reads', reads, ['1', '2 IO']) ??
      differs('the next one', got(await look(handle, 6)), upTo(6))
    );
  }),
  ...bothWays('a block that is refused for good is damaged, and blocks nothing', async (look, each) => {
    const { handle, disk, opened } = each;
    disk.faults.push(failsToRead(99, 'IO', SECOND));
    const answers = [];
    for (let i = 0; i <= REFUSALS; i++) answers.push(got(await look(handle, 6)));
    handle.append(6, 1);
    return (
      differs('the looks', answers, [...upTo(REFUSALS - 1).map(() => 'IO_FAILED'), upTo(4), upTo(4)]) ??
      differs('the ledger', opened.losses(), [['host/1', 4, 6, 2, 'damaged']]) ??
      differs('what follows it', got(await look(handle, 9)), [...upTo(4), 6])
    );
  }),
  {
    name: 'reading: refusals count in a row only',
    check: async () => {
      const store = await FoundStore.with(...upTo(KEPT_RUNS + 1).map(() => 1));
      const { engine } = await store.open();
      const handle = streamOf(engine, 1);
      const twice = async (): Promise<unknown[]> => {
        store.disk.faults.push(failsToRead(REFUSALS - 1));
        const answers = [];
        for (let i = 0; i < REFUSALS; i++) answers.push(got(await handle.peek(0, 1)));
        // So many others that this one is not kept.
        given(await handle.peek(1, KEPT_RUNS));
        return answers;
      };
      const wanted = ['IO_FAILED', 'IO_FAILED', [0]];
      return differs('the looks', [await twice(), await twice()], [wanted, wanted]);
    },
  },
];

/** Bytes of a segment in the place of segment 1, put there under an open store. */
const replaced = (name: string, blocks: (stage: Stage) => Uint8Array, left: readonly number[]): Case => ({
  name: `reading: ${name}`,
  check: async () => {
    const each = await stage(evts(1, 0, 4));
    each.disk.place('host', `${FIRST}.seg`, blocks(each));
    return (
      differs('the records', got(await each.handle.peek(0, 9)), left) ??
      differs('the ledger', each.opened.losses(), [['host/1', 0, 4, 4, 'damaged']])
    );
  },
});

export const forged = ({ store }: Stage, first: number, records: number, number = 1): Uint8Array =>
  writeSegment({
    source: 'host',
    epoch: store.epoch,
    storeId: store.storeId,
    number,
    flush: 1,
    blocks: [evts(1, first, records)],
  });

const REPLACED: readonly Case[] = [
  replaced('a block of other records in its place is damage', (each) => forged(each, 1, 4), [4, 5]),
  replaced('a block of fewer records in its place is damage', (each) => forged(each, 0, 3), [4, 5]),
  replaced('a block of another segment in its place is damage', (each) => forged(each, 0, 4, 3), [4, 5]),
  replaced('a file that ends inside the block is damage', (each) => forged(each, 0, 4).slice(0, 70), [4, 5]),
  ...bothWays('a file that is gone is damage at once', async (look, { handle, disk, reads, opened }) => {
    disk.displace('host', `${FIRST}.seg`);
    return (
      differs('the records', got(await look(handle, 9)), [4, 5]) ??
      differs('the reads', reads, ['1 NOT_FOUND', '2']) ??
      differs('the ledger', opened.losses(), [['host/1', 0, 4, 4, 'damaged']])
    );
  }),
];

/** A read that is under way when something happens. */
const MEANWHILE: readonly Case[] = [
  {
    name: 'reading: the failure of a read for records that went meanwhile is none',
    check: async () => {
      const { handle, disk, engine } = await stage();
      disk.holdReads = true;
      const peek = handle.peek(0, 9);
      await macrotask();
      const id = disk.pending()[0]?.id;
      given(handle.discard(4));
      given(await engine.checkpoint());
      disk.fail({ code: 'IO' }, id);
      disk.holdReads = false;
      await macrotask();
      disk.completeAll();
      return differs('the records', got(await peek), [4, 5]) ?? differs('what was lost', engine.stats().damaged, 0);
    },
  },
  {
    name: 'reading: a close answers a read that is under way',
    check: async () => {
      const { handle, disk, engine } = await stage();
      disk.holdReads = true;
      const read = handle.read(9);
      await macrotask();
      const reads = disk.pending().map(({ id }) => id);
      const closed = engine.close();
      await macrotask();
      for (const id of reads) disk.complete(id);
      return differs('the read', got(await read), 'CLOSED') ?? differs('the close', (await closed).ok, true);
    },
  },
];

export const READING: readonly Case[] = [...READ_ONCE, ...REFUSED_PAGES, ...REPLACED, ...MEANWHILE];
