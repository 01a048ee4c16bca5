/**
 * A disk that is full: by the quota, by the floor of free space, or because the file system says so. What goes, in which
 * order, what is announced of it, and when nothing may go (contract section 5).
 *
 * Every segment here is one allocation unit, and segment n holds record n - 1 of sensor 1 unless it is said.
 */

import { ALLOCATION_BYTES } from '../../src/core/disk-index.ts';
import type { Engine } from '../../src/core/engine.ts';
import type { StreamHandle } from '../../src/core/stream-handle.ts';
import type { FaultRule } from '../disk-operations.ts';
import type { SimulatedDisk } from '../simulated-disk.ts';
import type { Case } from './case.ts';
import { differs } from './case.ts';
import { appendSome, given, Machine, quotaFor, streamOf } from './machine.ts';

/** Free space that a small store leaves for the next generation of its log: that, and the space by which either grows. */
const LOG_ROOM = 3 * 8_192;

interface Stage {
  readonly machine: Machine;
  readonly engine: Engine;
  readonly disk: SimulatedDisk;
  readonly handle: StreamHandle;
}

type Setting = 'evict-oldest' | 'refuse-new';

/** A store with so many segments of one record; `room` is how many its quota takes, roomy when not said. */
async function stage(segments: number, whenDiskFull: Setting, room?: number): Promise<Stage> {
  const machine = new Machine();
  machine.settings = { whenDiskFull, ...(room === undefined ? {} : { quotaBytes: quotaFor(room).quotaBytes }) };
  const engine = await machine.open();
  const handle = streamOf(engine, 1);
  for (let i = 0; i < segments; i++) {
    appendSome(handle, 1);
    given(await engine.flush());
  }
  machine.events.length = 0;
  return { machine, engine, disk: machine.disk as SimulatedDisk, handle };
}

/** Flushes one record more. @returns `ok` or the code. */
async function flushOne({ engine, handle }: Stage): Promise<string> {
  appendSome(handle, 1);
  const flushed = await engine.flush();
  return flushed.ok ? 'ok' : flushed.failure.code;
}

const live = ({ engine }: Stage): number[] => engine.inspect().segments.map(({ number }) => number);
const onDisk = ({ machine }: Stage): number[] => machine.files('.seg').map((name) => Number.parseInt(name, 10));

/** How many segments each eviction announced, and each that went with its records. */
const announced = ({ machine }: Stage): unknown[] =>
  machine.events.flatMap((event): unknown[] => {
    if (event.type === 'evictionStarted') return [`${event.segments} to go`];
    return event.type === 'segmentEvicted' ? [[event.segment, event.records]] : [];
  });

const losses = ({ engine }: Stage): unknown[] =>
  engine.ledger().entries.map(({ from, to, records, reason }) => [from, to, records, reason]);

/** The answer, what was announced, the live segments, the files, and the ledger; then the same records after a power cut. */
async function outcome(
  each: Stage,
  wanted: {
    readonly answer: string;
    /** In how many pieces room is made is the store's affair where it is not said. */
    readonly announced?: readonly unknown[];
    readonly live: readonly number[];
    readonly losses: readonly unknown[];
    readonly files?: readonly number[];
  },
): Promise<string | null> {
  const answer = await flushOne(each);
  const found =
    differs('the flush', answer, wanted.answer) ??
    differs('what was announced', announced(each), wanted.announced ?? announced(each)) ??
    differs('the live segments', live(each), wanted.live) ??
    differs('the files', onDisk(each), wanted.files ?? wanted.live) ??
    differs('the ledger', losses(each), wanted.losses);
  if (found !== null) return found;
  each.disk.faults.length = 0;
  each.disk.capacityBytes = Number.POSITIVE_INFINITY;
  const [{ head, synced } = { head: -1, synced: -1 }] = [each.handle.marks()];
  each.machine.cutPower();
  const again = await each.machine.open();
  const { head: headThen, synced: syncedThen } = streamOf(again, 1).marks();
  return (
    differs('head and synced behind a power cut', [headThen, syncedThen], [head, synced]) ??
    differs('the ledger behind it', losses({ ...each, engine: again }), wanted.losses)
  );
}

const upTo = (end: number, from = 1): number[] => Array.from({ length: end - from }, (_, i) => from + i);
const evicted = (end: number): unknown[] => [[0, end, end, 'evicted']];

const QUOTA: readonly Case[] = [
  {
    name: 'room: the last segment that the quota takes costs none',
    check: async () => {
      const { segments } = quotaFor(3);
      const each = await stage(segments - 1, 'evict-oldest', 3);
      return outcome(each, { answer: 'ok', announced: [], live: upTo(segments + 1), losses: [] });
    },
  },
  {
    name: 'room: one more, and the oldest goes',
    check: async () => {
      const { segments } = quotaFor(3);
      const each = await stage(segments, 'evict-oldest', 3);
      return outcome(each, {
        answer: 'ok',
        announced: ['1 to go', [1, 1]],
        live: upTo(segments + 2, 2),
        losses: evicted(1),
      });
    },
  },
  {
    name: 'room: a store that keeps what it has refuses, and loses nothing',
    check: async () => {
      const { segments } = quotaFor(3);
      const each = await stage(segments, 'refuse-new', 3);
      const refused = await outcome(each, {
        answer: 'IO_FAILED',
        announced: [],
        live: upTo(segments + 1),
        losses: [],
      });
      return refused;
    },
  },
  {
    name: 'room: such a store goes on when the owner has emptied a segment',
    check: async () => {
      const { segments } = quotaFor(3);
      const each = await stage(segments, 'refuse-new', 3);
      await each.handle.read(1);
      each.handle.acknowledge(1);
      return outcome(each, { answer: 'ok', announced: [], live: upTo(segments + 2, 2), losses: [] });
    },
  },
  {
    name: 'room: an empty segment goes before an older one that is not',
    check: async () => {
      const { segments } = quotaFor(3);
      const each = await stage(segments - 1, 'evict-oldest', 3);
      const other = streamOf(each.engine, 2);
      appendSome(other, 1);
      given(await each.engine.flush());
      given(other.discard(1));
      const left = [...upTo(segments), segments + 1];
      return outcome(each, { answer: 'ok', announced: [], live: left, losses: [] });
    },
  },
  {
    name: 'room: what was set aside takes its part of the quota',
    check: async () => {
      const { segments } = quotaFor(3);
      const each = await stage(segments - 1, 'evict-oldest', 3);
      await each.engine.close();
      each.disk.place('mgc', 'x.damaged', new Uint8Array(1));
      const engine = await each.machine.open();
      each.machine.events.length = 0;
      return outcome(
        { ...each, engine, handle: streamOf(engine, 1) },
        { answer: 'ok', announced: ['1 to go', [1, 1]], live: upTo(segments + 1, 2), losses: evicted(1) },
      );
    },
  },
  {
    name: 'room: a file that cannot be removed takes its part of it',
    check: async () => {
      const { segments } = quotaFor(3);
      const each = await stage(segments - 1, 'evict-oldest', 3);
      each.disk.faults.push({ kind: 'sync', directory: 'host', times: 1, fault: { code: 'IO' } });
      each.disk.faults.push({ kind: 'remove', directory: 'host', times: 99, fault: { code: 'IO' } });
      const failed = await flushOne(each);
      // It stays, and so does the one that is to give way to the new one: there is no room, and no second one goes for it.
      const again = await flushOne(each);
      const { diskBytes, quotaBytes } = each.engine.stats();
      each.disk.faults.length = 0;
      const last = await flushOne(each);
      return (
        differs('the flushes', [failed, again, last], ['IO_FAILED', 'IO_FAILED', 'ok']) ??
        differs('bytes on disk', diskBytes <= quotaBytes, true) ??
        differs('the files', onDisk(each), live(each)) ??
        differs('what was announced', announced(each).length <= 2, true)
      );
    },
  },
];

/** The file system has so many bytes free beyond what the log may need and the new segment takes. */
const freeBeyond =
  (bytes: number, freeFloorBytes: number, wanted: Parameters<typeof outcome>[1], setting: Setting = 'evict-oldest') =>
  async (): Promise<string | null> => {
    const machine = new Machine();
    machine.settings = { freeFloorBytes, whenDiskFull: setting };
    const engine = await machine.open();
    const handle = streamOf(engine, 1);
    for (let i = 0; i < 4; i++) {
      appendSome(handle, 1);
      given(await engine.flush());
    }
    machine.events.length = 0;
    const disk = machine.disk as SimulatedDisk;
    disk.capacityBytes = disk.totalBytes + freeFloorBytes + LOG_ROOM + ALLOCATION_BYTES + bytes;
    return outcome({ machine, engine, disk, handle }, wanted);
  };

const untouched = { answer: 'ok', announced: [], live: upTo(6), losses: [] };
const FLOOR = 40_000;

const FLOORS: readonly Case[] = [
  { name: 'room: with the floor left free nothing goes', check: freeBeyond(0, FLOOR, untouched) },
  { name: 'room: without a floor the log’s own room is left free', check: freeBeyond(0, 0, untouched) },
  {
    name: 'room: a byte less than the floor costs the oldest segment',
    check: freeBeyond(-1, FLOOR, {
      answer: 'ok',
      announced: ['1 to go', [1, 1]],
      live: upTo(6, 2),
      losses: evicted(1),
    }),
  },
  {
    name: 'room: a unit less costs one segment, not two',
    check: freeBeyond(-ALLOCATION_BYTES, FLOOR, {
      answer: 'ok',
      announced: ['1 to go', [1, 1]],
      live: upTo(6, 2),
      losses: evicted(1),
    }),
  },
  {
    name: 'room: a unit and a byte less costs two',
    check: freeBeyond(-ALLOCATION_BYTES - 1, FLOOR, {
      answer: 'ok',
      live: upTo(6, 3),
      losses: evicted(2),
    }),
  },
  {
    name: 'room: a byte less than the floor is too little for a store that keeps what it has',
    check: freeBeyond(-1, FLOOR, { ...untouched, answer: 'IO_FAILED', live: upTo(5) }, 'refuse-new'),
  },
  {
    name: 'room: where all that the store holds would not be enough, nothing goes in vain',
    check: freeBeyond(-5 * ALLOCATION_BYTES, FLOOR, { ...untouched, answer: 'IO_FAILED', live: upTo(5) }),
  },
  {
    name: 'room: where it would be just enough, all of it goes',
    check: freeBeyond(-4 * ALLOCATION_BYTES, FLOOR, {
      answer: 'ok',
      announced: ['4 to go', [1, 1], [2, 1], [3, 1], [4, 1]],
      live: [5],
      losses: evicted(4),
    }),
  },
  {
    name: 'room: each segment of one flush finds less of it than the one before',
    check: async () => {
      const each = await stage(4, 'evict-oldest');
      const sources = (['mgc', 'can_controller'] as const).map((source) =>
        streamOf(each.engine, 1, { kind: 'evt' }, source),
      );
      given(await each.engine.checkpoint());
      for (const other of sources) appendSome(other, 1);
      each.disk.capacityBytes = each.disk.totalBytes + LOG_ROOM + 2 * ALLOCATION_BYTES;
      return outcome(each, {
        answer: 'ok',
        announced: ['1 to go', [1, 1]],
        live: upTo(8, 2),
        // In the order of the directories.
        files: [2, 3, 4, 5, 6, 7],
        losses: evicted(1),
      });
    },
  },
  {
    name: 'room: what the disk does not say how much is free of takes nothing',
    check: async () => {
      const each = await stage(2, 'evict-oldest');
      each.disk.faults.push({ kind: 'freeBytes', times: 1, fault: { code: 'IO' } });
      return outcome(each, { answer: 'IO_FAILED', announced: [], live: [1, 2], losses: [] });
    },
  },
];

const noSpace = (directory: 'host' | '', times: number): FaultRule => ({
  kind: 'write',
  directory,
  times,
  fault: { code: 'NO_SPACE' },
});

/** The file system has no space though it said that it has. */
const refusedBy =
  (
    segments: number,
    setting: Setting,
    faults: readonly FaultRule[],
    wanted: Parameters<typeof outcome>[1],
    prepare?: (each: Stage) => unknown,
  ) =>
  async (): Promise<string | null> => {
    const each = await stage(segments, setting);
    await prepare?.(each);
    each.disk.faults.push(...faults.map((rule) => ({ ...rule })));
    return outcome(each, wanted);
  };

const REFUSED: readonly Case[] = [
  {
    name: 'room: a write without space costs the oldest segment, and is written again',
    check: refusedBy(3, 'evict-oldest', [noSpace('host', 1)], {
      answer: 'ok',
      announced: ['1 to go', [1, 1]],
      live: [2, 3, 4],
      losses: evicted(1),
    }),
  },
  {
    name: 'room: again without space, and the next one goes',
    check: refusedBy(3, 'evict-oldest', [noSpace('host', 2)], {
      answer: 'ok',
      announced: ['1 to go', [1, 1], '1 to go', [2, 1]],
      live: [3, 4],
      losses: evicted(2),
    }),
  },
  {
    name: 'room: a store that keeps what it has gives up at once',
    check: refusedBy(3, 'refuse-new', [noSpace('host', 1)], {
      answer: 'IO_FAILED',
      announced: [],
      live: [1, 2, 3],
      losses: [],
    }),
  },
  {
    name: 'room: a store that has nothing to give gives up at once',
    check: refusedBy(0, 'evict-oldest', [noSpace('host', 1)], {
      answer: 'IO_FAILED',
      announced: [],
      live: [],
      losses: [],
    }),
  },
  {
    name: 'room: an error that is not for want of space costs nothing',
    check: refusedBy(3, 'evict-oldest', [{ ...noSpace('host', 1), fault: { code: 'IO', shortBytes: 9 } }], {
      answer: 'IO_FAILED',
      announced: [],
      live: [1, 2, 3],
      losses: [],
    }),
  },
  {
    name: 'room: a log without space lets the files of what is to go go first',
    check: refusedBy(3, 'evict-oldest', [noSpace('host', 1), noSpace('', 1)], {
      answer: 'ok',
      announced: ['1 to go', [1, 1]],
      live: [2, 3, 4],
      losses: evicted(1),
    }),
  },
  {
    name: 'room: a log that has none even then lets the next one go with them',
    check: refusedBy(3, 'evict-oldest', [noSpace('host', 1), noSpace('', 2)], {
      answer: 'ok',
      announced: ['1 to go', '1 to go', [1, 1], [2, 1]],
      live: [3, 4],
      losses: evicted(2),
    }),
  },
  {
    name: 'room: a file that cannot be removed for the log ends the flush',
    check: async () => {
      const each = await stage(3, 'evict-oldest');
      each.disk.faults.push(noSpace('host', 1), noSpace('', 1));
      each.disk.faults.push({ kind: 'remove', directory: 'host', times: 1, fault: { code: 'IO' } });
      const answer = await flushOne(each);
      const ledger = losses(each);
      const again = await flushOne(each);
      return (
        differs('the flushes', [answer, again], ['IO_FAILED', 'ok']) ??
        differs('the ledger', ledger, []) ??
        differs('the live segments', live(each).slice(0, 3), [1, 2, 3])
      );
    },
  },
  {
    name: 'room: a file that was written at the second attempt stays',
    check: async () => {
      const each = await stage(3, 'evict-oldest');
      each.disk.faults.push(noSpace('host', 1));
      const answers = [await flushOne(each), await flushOne(each), await flushOne(each)];
      return (
        differs('the flushes', answers, ['ok', 'ok', 'ok']) ??
        differs('the files', onDisk(each), live(each)) ??
        differs('the live segments', live(each), [2, 3, 4, 5, 6])
      );
    },
  },
];

export const MAKING_ROOM: readonly Case[] = [...QUOTA, ...FLOORS, ...REFUSED];
