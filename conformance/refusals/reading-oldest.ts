/**
 * Reads over all streams, call by call: what a batch carries, which segments are read for it and how often, what the
 * medium's refusals cost.
 *
 * The store found is that of reading.ts where nothing else is said: records 0 to 3 of sensor 1 in segment 1, a block each,
 * and 4 and 5 in segment 2.
 */
import { crc32 } from 'node:zlib';
import type { StoreBatch } from '../../src/core/store-batch.ts';
import { macrotask } from '../answers.ts';
import { seedOf } from '../format/cursor.ts';
import { code, got, marksOf, ofSensor, pair, read } from './all-streams.ts';
import type { Case } from './case.ts';
import { differs } from './case.ts';
import { evts, FoundStore } from './found-store.ts';
import { appendSome, given, Machine, NOW_MS, streamOf } from './machine.ts';
import type { Stage } from './reading.ts';
import { FIRST, failsToRead, forged, SECOND, stage, upTo } from './reading.ts';

const NEVER = 99;

const ALL = [
  ...ofSensor(1, 0, 1, 2),
  ...ofSensor(2, 0, 1, 2),
  ...ofSensor(1, 3, 4, 5),
  ...ofSensor(2, 3, 4, 5),
  ...ofSensor(1, 6, 7),
  ...ofSensor(2, 6, 7),
];

/** The table of runs, then the columns, then the records one by one. */
const shown = (batch: StoreBatch): unknown => ({
  length: batch.length,
  runs: Array.from({ length: batch.runCount }, (_, i) => Object.values(batch.run(i))),
  sequences: [...batch.sequences],
  epochs: [...batch.epochs],
  timesMs: [...batch.timesMs].map((timeMs) => timeMs - NOW_MS),
  bits: [...batch.bits],
  records: [...batch].map((record) => [...Object.values(record)].join(' ')),
});

const CARRIED: readonly Case[] = [
  {
    name: 'read over all: a batch carries runs, columns and records, of disk and RAM, of every type and epoch',
    check: async () => {
      const machine = new Machine();
      machine.settings = { poolBytes: 4_096 };
      const before = await machine.open();
      const float = streamOf(before, 7, { kind: 'tsd', periodMs: 10, type: 'float32' }, 'mgc');
      float.append(1.5, NOW_MS);
      float.append(-2, NOW_MS + 10);
      given(await before.flush());
      machine.cutPower();
      const engine = await machine.open();
      const int = streamOf(engine, 9, { kind: 'evt', type: 'int32' }, 'can_controller');
      int.append(-3, NOW_MS + 500);
      streamOf(engine, 7, { kind: 'tsd', periodMs: 10, type: 'float32' }, 'mgc').append(4, NOW_MS + 900);
      const batch = given(await read(engine, 10));
      const epoch = engine.epoch;
      const wanted = {
        length: 4,
        runs: [
          ['mgc', 7, 'float32', 0, 2],
          ['mgc', 7, 'float32', 2, 1],
          ['can_controller', 9, 'int32', 3, 1],
        ],
        sequences: [0, 1, 2, 0],
        epochs: [1, 1, epoch, epoch],
        timesMs: [0, 10, 900, 500],
        bits: [0x3fc0_0000, 0xc000_0000, 0x4080_0000, 2 ** 32 - 3],
        records: [
          `mgc 7 0 1 ${NOW_MS} 1.5`,
          `mgc 7 1 1 ${NOW_MS + 10} -2`,
          `mgc 7 2 ${epoch} ${NOW_MS + 900} 4`,
          `can_controller 9 0 ${epoch} ${NOW_MS + 500} -3`,
        ],
      };
      return differs('the batch', shown(batch), wanted) ?? differs('the epoch', epoch > 1, true);
    },
  },
  {
    name: 'read over all: a run behind the last one is refused by name',
    check: async () => {
      const { engine } = await pair();
      const batch = given(await read(engine, 4));
      try {
        return differs('run 2', batch.run(2), 'refused');
      } catch (error) {
        const { name, message } = error as Error;
        return differs('the refusal', [name, message], ['RangeError', 'run 2 of a batch of 2 runs']);
      }
    },
  },
  ...[1, 2, 3, 5, 6, 7, 12, 13, 16].map(
    (max): Case => ({
      name: `read over all: ${max} at a time give each record once, in the order in which they lie`,
      check: async () => {
        const { engine, one, two } = await pair();
        const seen: string[] = [];
        for (let at = 0; at <= ALL.length; at += max) {
          const batch = await read(engine, max);
          const records = got(batch);
          const empty = batch.ok ? batch.value.runs.ends.findIndex((end, i, ends) => end === (ends[i - 1] ?? 0)) : -1;
          const hollow = differs('a run without records', empty, -1);
          if (hollow !== null) return hollow;
          const wanted = ALL.slice(at, at + max);
          const wrong = differs(`the batch from ${at} on`, records, wanted);
          if (wrong !== null) return wrong;
          seen.push(...records);
          const pending = marksOf(one, two).map(([, , each]) => each);
          const taken = [1, 2].map((sensor) => seen.filter((each) => each.startsWith(`${sensor}/`)).length);
          const moved = differs('what is pending', pending, taken);
          if (moved !== null) return moved;
        }
        return differs('the count of what was read', engine.stats().read, ALL.length);
      },
    }),
  ),
  {
    name: 'read over all: what a flush has written and not committed comes from RAM, once',
    check: async () => {
      const { machine, engine } = await pair();
      const disk = machine.disk as NonNullable<Machine['disk']>;
      disk.autoSteps = 1;
      const flushing = engine.flush();
      await machine.complete(1);
      const reading = read(engine, NEVER);
      await machine.complete();
      disk.autoSteps = Number.POSITIVE_INFINITY;
      disk.completeAll();
      return differs('the records', got(await reading), ALL) ?? differs('the flush', (await flushing).ok, true);
    },
  },
  {
    name: 'read over all: streams that were made since the last one are read too',
    check: async () => {
      const { engine } = await pair();
      given(await read(engine, NEVER));
      for (let sensor = 3; sensor < 8; sensor++) appendSome(streamOf(engine, sensor), 1);
      return differs(
        'the records',
        got(await read(engine, NEVER)),
        upTo(8, 3).map((sensor) => `${sensor}/0`),
      );
    },
  },
  {
    name: 'read over all: without a disk it is the RAM, stream by stream',
    check: async () => {
      const machine = new Machine(false);
      const engine = await machine.open();
      for (const sensor of [1, 2]) appendSome(streamOf(engine, sensor), 3);
      return differs(
        'the records',
        [
          got(await read(engine, 2)),
          got(await read(engine, 3)),
          got(await read(engine, 9)),
          got(await read(engine, 9)),
        ],
        [ofSensor(1, 0, 1), [...ofSensor(1, 2), ...ofSensor(2, 0, 1)], ofSensor(2, 2), []],
      );
    },
  },
];

const REFUSED: readonly Case[] = [
  ...[-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, '3' as unknown as number].map(
    (max): Case => ({
      name: `read over all: ${typeof max === 'string' ? `'${max}'` : max} records are refused`,
      check: async () => {
        const { engine, one, two } = await pair();
        return (
          differs('the read', got(await read(engine, max)), 'PARAMETER_INVALID') ??
          differs('the marks', marksOf(one, two), [
            [0, 0, 0],
            [0, 0, 0],
          ])
        );
      },
    }),
  ),
  {
    name: 'read over all: of no records asks the disk for nothing',
    check: async () => {
      const { engine, reads } = await stage();
      return differs('the read', got(await read(engine, 0)), []) ?? differs('the reads', reads, []);
    },
  },
  {
    name: 'read over all: a closed store refuses to read, to acknowledge and to revert',
    check: async () => {
      const { engine } = await pair();
      const batch = given(await read(engine, 2));
      given(await engine.close());
      const { reads } = engine;
      const codes = [got(await read(engine, 2)), code(reads.acknowledge(batch)), code(reads.revert(batch))];
      return differs('the codes', codes, ['CLOSED', 'CLOSED', 'CLOSED']);
    },
  },
  {
    name: 'read over all: a close answers a read that is under way',
    check: async () => {
      const { engine, disk } = await stage();
      disk.holdReads = true;
      const reading = read(engine, 9);
      await macrotask();
      const id = disk.pending()[0]?.id;
      const closed = engine.close();
      await macrotask();
      disk.complete(id);
      return differs('the read', got(await reading), 'CLOSED') ?? differs('the close', (await closed).ok, true);
    },
  },
];

const LOADED: readonly Case[] = [
  {
    name: 'read over all: a segment is read once for all its streams, and kept while batches end in it',
    check: async () => {
      const { engine, reads } = await stage(evts(1, 0, 2), evts(2, 0, 2), evts(1, 2, 2));
      const answers = [got(await read(engine, 1)), got(await read(engine, 3)), got(await read(engine, 2))];
      const before = [...reads];
      const last = got(await read(engine, 9));
      return (
        differs('the records', answers, [
          ofSensor(1, 0),
          [...ofSensor(1, 1), ...ofSensor(2, 0, 1)],
          ofSensor(1, 2, 3),
        ]) ??
        differs('the reads', before, ['1']) ??
        differs('what follows', last, ofSensor(1, 4, 5)) ??
        differs('all reads', reads, ['1', '2'])
      );
    },
  },
  {
    name: 'read over all: a segment that the last batch did not end in is read again',
    check: async () => {
      const { engine, handle, reads } = await stage();
      given(await read(engine, 5));
      given(handle.revert());
      given(await read(engine, 6));
      given(handle.revert());
      given(await read(engine, 1));
      return differs('the reads', reads, ['1', '2', '1', '1']);
    },
  },
  {
    name: 'read over all: a segment of which nothing is unread is not read',
    check: async () => {
      const { engine, handle, reads } = await stage();
      given(await handle.read(4));
      const before = reads.length;
      return (
        differs('the records', got(await read(engine, 9)), ofSensor(1, 4, 5)) ??
        differs('the reads', reads.slice(before), ['2'])
      );
    },
  },
  {
    name: 'read over all: no segment is read before it is needed',
    check: async () => {
      const { engine, reads } = await stage();
      return (
        differs('the records', got(await read(engine, 4)), ofSensor(1, 0, 1, 2, 3)) ??
        differs('the reads', reads, ['1'])
      );
    },
  },
  {
    name: 'read over all: a segment that went while it was read is not missed',
    check: async () => {
      const { engine, handle, disk } = await stage();
      disk.holdReads = true;
      const reading = read(engine, 9);
      await macrotask();
      const id = disk.pending()[0]?.id;
      given(handle.discard(4));
      given(await engine.checkpoint());
      disk.fail({ code: 'IO' }, id);
      disk.holdReads = false;
      await macrotask();
      disk.completeAll();
      return (
        differs('the records', got(await reading), ofSensor(1, 4, 5)) ??
        differs('what was lost', engine.stats().damaged, 0)
      );
    },
  },
  {
    name: 'read over all: two at once take turns, and nothing is given twice',
    check: async () => {
      const { engine } = await pair();
      const both = await Promise.all([read(engine, 7), read(engine, 9)]);
      return differs('the records', both.map(got), [ALL.slice(0, 7), ALL.slice(7)]);
    },
  },
  {
    name: 'read over all: one that fails does not hold up the next',
    check: async () => {
      const { engine, disk } = await stage();
      disk.faults.push(failsToRead(1));
      const both = await Promise.all([read(engine, 9), read(engine, 9)]);
      return differs('the answers', both.map(got), ['IO_FAILED', ofSensor(1, 0, 1, 2, 3, 4, 5)]);
    },
  },
];

const MEDIUM: readonly Case[] = [
  {
    name: 'read over all: a disk that refuses twice costs two answers and nothing else',
    check: async () => {
      const { engine, disk, handle, reads } = await stage();
      disk.faults.push(failsToRead(2));
      const first = await read(engine, 9);
      const second = got(await read(engine, 9));
      const says = first.ok ? '' : first.failure.message;
      return (
        differs('the answers', [got(first), second], ['IO_FAILED', 'IO_FAILED']) ??
        differs('whether it names the file', says.includes(`host/${FIRST}.seg`), true) ??
        differs('the marks', marksOf(handle), [[0, 0, 0]]) ??
        differs('the next answer', got(await read(engine, 9)), ofSensor(1, 0, 1, 2, 3, 4, 5)) ??
        differs('the reads', reads, ['1 IO', '1 IO', '1', '2']) ??
        differs('what was lost', engine.stats().damaged, 0)
      );
    },
  },
  {
    name: 'read over all: at the third refusal each block is read by itself, and only the bad one is lost',
    check: async () => {
      const { engine, disk, opened, reads } = await stage();
      disk.faults.push(failsToRead(3));
      for (const _ of [1, 2]) await read(engine, 9);
      // Of the four blocks the second one cannot be read either.
      let blocks = 0;
      const { observer } = disk;
      disk.observer = {
        asked: (operation) => {
          if (operation.kind === 'read' && operation.name.startsWith(FIRST) && ++blocks === 3) {
            disk.faults.push(failsToRead(1));
          }
        },
        ended: (operation, failed) => observer?.ended(operation, failed),
      };
      return (
        differs('the records', got(await read(engine, 9)), ofSensor(1, 0, 2, 3, 4, 5)) ??
        differs('the ledger', opened.losses(), [['host/1', 1, 2, 1, 'damaged']]) ??
        differs('the reads', reads, ['1 IO', '1 IO', '1 IO', '1', '1 IO', '1', '1', '2'])
      );
    },
  },
  {
    name: 'read over all: a medium that is bad for good costs its segment, and blocks nothing',
    check: async () => {
      const { engine, disk, opened } = await stage();
      disk.faults.push(failsToRead(NEVER, 'IO', SECOND));
      const answers = [];
      for (let i = 0; i < 4; i++) answers.push(got(await read(engine, 9)));
      return (
        differs('the answers', answers, ['IO_FAILED', 'IO_FAILED', ofSensor(1, 0, 1, 2, 3), []]) ??
        differs('the ledger', opened.losses(), [['host/1', 4, 6, 2, 'damaged']])
      );
    },
  },
  {
    name: 'read over all: refusals count in a row only',
    check: async () => {
      const { engine, disk, handle, reads } = await stage();
      for (const _ of [1, 2]) {
        disk.faults.push(failsToRead(2));
        for (const wanted of ['IO_FAILED', 'IO_FAILED', ofSensor(1, 0, 1, 2, 3, 4, 5)]) {
          const wrong = differs('the answer', got(await read(engine, 9)), wanted);
          if (wrong !== null) return wrong;
        }
        given(handle.revert());
      }
      return differs('the reads', reads, ['1 IO', '1 IO', '1', '2', '1 IO', '1 IO', '1', '2']);
    },
  },
  {
    name: 'read over all: a file that is gone is damage at once',
    check: async () => {
      const { engine, disk, opened, reads } = await stage();
      disk.displace('host', `${FIRST}.seg`);
      return (
        differs('the records', got(await read(engine, 9)), ofSensor(1, 4, 5)) ??
        differs('the reads', reads, ['1 NOT_FOUND', '2']) ??
        differs('the ledger', opened.losses(), [['host/1', 0, 4, 4, 'damaged']])
      );
    },
  },
];

/** Bytes put in the place of segment 1, of one block, under an open store. */
const replaced = (name: string, bytes: (stage: Stage) => Uint8Array): Case => ({
  name: `read over all: ${name} is damage`,
  check: async () => {
    const each = await stage(evts(1, 0, 4));
    each.disk.place('host', `${FIRST}.seg`, bytes(each));
    return (
      differs('the records', got(await read(each.engine, 9)), ofSensor(1, 4, 5)) ??
      differs('the ledger', each.opened.losses(), [['host/1', 0, 4, 4, 'damaged']]) ??
      differs(
        'what it says of the file',
        each.store.machine.heard('damaged').map((event) => ('file' in event ? event.file : '')),
        [`${FIRST}.seg`],
      )
    );
  },
});

/** The block that is there, with a way of packing that there is not, and the checksum that goes with it. */
export function undecodable(each: Stage): Uint8Array {
  const bytes = forged(each, 0, 4);
  const at = 64;
  const end = bytes.length - 64 - 4;
  const body = bytes.subarray(at, end).indexOf(0xbc) + at;
  // Tag, sensor, first, records, time: a byte each; then the bytes of the body, and the parameters of its values.
  bytes[body + 6] = 0xff;
  const checksum = crc32(bytes.subarray(at, end), (seedOf(each.store.storeId, 1, 0) ^ at) >>> 0);
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(end, checksum, true);
  return bytes;
}

const CHANGED: readonly Case[] = [
  replaced('a block of other records in its place', (each) => forged(each, 1, 4)),
  replaced('a block of fewer records in its place', (each) => forged(each, 0, 3)),
  replaced('a block of another segment in its place', (each) => forged(each, 0, 4, 3)),
  replaced('a file that ends inside the block', (each) => forged(each, 0, 4).slice(0, 70)),
  replaced('an empty file', () => new Uint8Array(0)),
  replaced('a block whose body is not its records', undecodable),
  {
    name: 'read over all: of a block that is damaged behind the read mark only what is unread is lost',
    check: async () => {
      const { engine, disk, opened, handle } = await stage(evts(1, 0, 4));
      const batch = given(await handle.read(2));
      disk.place('host', `${FIRST}.seg`, new Uint8Array(0));
      return (
        differs('the records', got(await read(engine, 9)), ofSensor(1, 4, 5)) ??
        differs('the ledger', opened.losses(), [['host/1', 2, 4, 2, 'damaged']]) ??
        differs('the acknowledge', code(handle.acknowledge(batch)), 2)
      );
    },
  },
  {
    name: 'read over all: holes inside a block and between blocks are passed over',
    check: async () => {
      const store = await FoundStore.with(4, 2);
      store.put({ number: 1, blocks: [evts(1, 0, 1), evts(1, 2, 2)] });
      const { engine } = await store.open();
      return (
        differs('in one batch', got(await read(engine, 9)), ofSensor(1, 0, 2, 3, 4, 5)) ??
        differs('the marks', marksOf(streamOf(engine, 1)), [[0, 6, 5]])
      );
    },
  },
  {
    name: 'read over all: a batch that ends before a hole goes on behind it',
    check: async () => {
      const store = await FoundStore.with(4, 2);
      store.put({ number: 1, blocks: [evts(1, 0, 1), evts(1, 3, 1)] });
      const { engine } = await store.open();
      const answers = [got(await read(engine, 1)), got(await read(engine, 1)), got(await read(engine, 2))];
      return differs('the records', answers, [ofSensor(1, 0), ofSensor(1, 3), ofSensor(1, 4, 5)]);
    },
  },
];

export const READING_OLDEST: readonly Case[] = [...CARRIED, ...REFUSED, ...LOADED, ...MEDIUM, ...CHANGED];
