/**
 * Whole segments that reads of one stream keep: what the next stream finds in them without a read, when they go, and that each
 * block is judged when it is taken out of one.
 */
import type { Case } from './case.ts';
import { differs } from './case.ts';
import { evts, FoundStore } from './found-store.ts';
import { given, streamOf } from './machine.ts';
import { bothWays, FIRST, failsToRead, got, stage, upTo } from './reading.ts';
import { undecodable } from './reading-oldest.ts';

/** Segments that are kept at most. */
const KEPT_SEGMENTS = 32;

const KEPT: readonly Case[] = [
  ...bothWays('another stream’s blocks are found in the segment that was read', async (look, _) => {
    const { engine, handle, reads } = await stage(evts(1, 0, 2), evts(2, 0, 3), evts(1, 2, 2));
    const first = got(await handle.peek(0, 9));
    const before = [...reads];
    return (
      differs('the records', [first, got(await look(streamOf(engine, 2), 9))], [upTo(6), upTo(3)]) ??
      differs('the reads of the first look', before, ['1', '2']) ??
      differs('those of the second', reads.slice(before.length), [])
    );
  }),
  {
    name: `whole segments: ${KEPT_SEGMENTS} are kept, the one that was not used for longest goes`,
    check: async () => {
      const store = await FoundStore.with(...upTo(KEPT_SEGMENTS + 8).map(() => 1));
      const { engine } = await store.open();
      const handle = streamOf(engine, 1);
      const look = async (offset: number, records: number): Promise<readonly [number, unknown]> => {
        const before = store.disk.counts.reads;
        const seen = got(await handle.peek(offset, records));
        return [store.disk.counts.reads - before, seen];
      };
      const half = (KEPT_SEGMENTS + 8) / 2;
      return differs(
        'reads and records',
        [await look(0, half), await look(half, half), await look(half, half), await look(0, 1)],
        [
          [half, upTo(half)],
          [half, upTo(2 * half, half)],
          [0, upTo(2 * half, half)],
          [1, [0]],
        ],
      );
    },
  },
];

const JUDGED: readonly Case[] = [
  {
    name: 'whole segments: what is refused whole and as a run is asked for block by block',
    check: async () => {
      const { handle, disk, reads, engine } = await stage();
      disk.faults.push(failsToRead(2));
      return (
        differs('the records', got(await handle.peek(0, 4)), upTo(4)) ??
        // The segment, the run, its first block, and the rest of the run.
        differs('the reads', reads, ['1 IO', '1 IO', '1', '1']) ??
        differs('what was lost', engine.stats().damaged, 0)
      );
    },
  },
  ...bothWays('a block whose body is not its records is damage', async (look, _) => {
    const each = await stage(evts(1, 0, 4));
    each.disk.place('host', `${FIRST}.seg`, undecodable(each));
    return (
      differs('the records', got(await look(each.handle, 9)), [4, 5]) ??
      differs('the ledger', each.opened.losses(), [['host/1', 0, 4, 4, 'damaged']])
    );
  }),
  ...bothWays('of a block whose body is not its records no part is given', async (look, _) => {
    const each = await stage(evts(1, 0, 4));
    each.disk.place('host', `${FIRST}.seg`, undecodable(each));
    return (
      differs('the records', got(await look(each.handle, 2)), [4, 5]) ??
      differs('the ledger', each.opened.losses(), [['host/1', 0, 4, 4, 'damaged']])
    );
  }),
  {
    name: 'whole segments: a damaged block is entered when nothing before it is missing',
    check: async () => {
      const store = await FoundStore.with(...upTo(KEPT_SEGMENTS + 8).map(() => 1), 2);
      const last = KEPT_SEGMENTS + 9;
      store.put({ number: last, blocks: [evts(1, last - 1, 1), evts(1, last, 1)] });
      const opened = await store.open();
      const handle = streamOf(opened.engine, 1);
      // The second block of the last segment does not verify; a look at the first one loads both and asks for one.
      const name = `${String(last).padStart(12, '0')}.seg`;
      store.change(name, (bytes) => {
        const at = bytes.length - 64 - 6;
        bytes[at] = (bytes[at] as number) ^ 1;
        return bytes;
      });
      const first = got(await handle.peek(last - 1, 1));
      const before = opened.losses();
      const all = got(await handle.peek(0, 99));
      return (
        differs('the first look', [first, before], [[last - 1], []]) ??
        differs('the records', all, upTo(last)) ??
        differs('the ledger', opened.losses(), [['host/1', last, last + 1, 1, 'damaged']])
      );
    },
  },
];

/** Blocks of a stream that go before its queue is put together again. */
const GONE = 66;

const QUEUES: readonly Case[] = [0, 1, 3, 20].map((left) => ({
  name: `whole segments: ${GONE} blocks go, ${left} stay, and more come behind them`,
  check: async () => {
    const store = await FoundStore.with(...upTo(GONE + left).map(() => 1));
    const { engine } = await store.open();
    const handle = streamOf(engine, 1);
    given(await handle.read(GONE));
    given(handle.acknowledge(GONE));
    const more = 24;
    for (let i = 0; i < more; i++) {
      handle.append(GONE + left + i, 1);
      given(await engine.flush());
    }
    const end = GONE + left + more;
    return differs('the records', got(await handle.peek(0, end)), upTo(end, GONE));
  },
}));

export const WHOLE_SEGMENTS: readonly Case[] = [...KEPT, ...JUDGED, ...QUEUES];
