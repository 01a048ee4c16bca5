/**
 * The checkpoint log by itself: batches whole or not at all, generations, parts, what damage costs.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SimulatedDisk } from '../../conformance/simulated-disk.ts';
import { VirtualClock } from '../../conformance/virtual-clock.ts';
import type { Frame } from '../../src/core/checkpoint-format.ts';
import {
  completeBatches,
  encodePartHeader,
  FrameList,
  parsePartName,
  partName,
  placeBatch,
  readPartHeader,
  scanPart,
} from '../../src/core/checkpoint-format.ts';
import type { LedgerItem, MarksItem, StreamItem } from '../../src/core/checkpoint-image.ts';
import {
  CheckpointImage,
  encodeLedger,
  encodeMarks,
  encodeSegmentAdded,
  encodeSegmentRemoved,
  encodeStore,
  encodeStream,
  encodeSyncedBy,
} from '../../src/core/checkpoint-image.ts';
import type { FoundLog } from '../../src/core/checkpoint-log.ts';
import { CheckpointLog, readCheckpointLog } from '../../src/core/checkpoint-log.ts';
import { FILE_BYTES_MAX } from '../../src/core/config.ts';
import { unwrap } from './workbench.ts';

const ID = Uint8Array.from({ length: 16 }, (_, i) => 200 + i);
/** More than any log takes here. */
const ROOM = 2 ** 30;
const METER = { wrote: (): void => {}, synced: (): void => {} };
const found = async (disk: SimulatedDisk): Promise<FoundLog> => unwrap(await readCheckpointLog(disk, []));
const newLog = (disk: SimulatedDisk, generation = 0): CheckpointLog => new CheckpointLog(disk, ID, generation, METER);

/** A batch that says: segment `number` is live, and the store has written `number` bytes. */
function says(number: number): readonly Frame[] {
  const list = new FrameList();
  encodeStore(list, {
    epoch: 1,
    clean: false,
    nextSegment: number + 1,
    nextFlush: 1,
    foldedRecords: 0,
    bytesWrittenTotal: number,
    syncsTotal: 0,
  });
  encodeSegmentAdded(list, number % 3, number);
  return list.finish();
}

const segmentsOf = ({ image }: FoundLog): number[] => [...image.segments.keys()].sort((a, b) => a - b);

async function logOf(batches: number): Promise<{ disk: SimulatedDisk; log: CheckpointLog; name: string }> {
  const disk = new SimulatedDisk(new VirtualClock());
  const log = newLog(disk);
  expect(await log.begin(says(0), ROOM)).toMatchObject({ ok: true });
  for (let batch = 1; batch < batches; batch++) expect(await log.append(says(batch))).toMatchObject({ ok: true });
  return { disk, log, name: partName(1, 0) };
}

describe('items', () => {
  const mark = fc.maxSafeNat().map((n) => n % 2 ** 52);
  const item = fc.oneof(
    fc.record({
      is: fc.constant('stream' as const),
      slot: fc.nat(4095),
      shape: fc.nat(31),
      sensor: fc.nat(0xffff_ffff),
      periodMs: fc.nat(0x7fff_ffff),
      priority: fc.nat(255),
    }),
    fc.record({
      is: fc.constant('marks' as const),
      slot: fc.nat(4095),
      head: mark,
      synced: mark,
      discarded: mark,
      evicted: mark,
      damaged: mark,
      holes: fc.array(
        fc.tuple(mark, fc.nat(1000)).map(([from, length]): readonly [number, number] => [from, from + length]),
        { maxLength: 4 },
      ),
    }),
    fc
      .record({
        is: fc.constant('ledger' as const),
        slot: fc.nat(4095),
        from: mark,
        to: mark,
        records: fc.nat(100_000),
        reason: fc.nat(1),
      })
      .map((loss) => ({ ...loss, to: Math.max(loss.from, loss.to) })),
    fc.record({ is: fc.constant('added' as const), source: fc.nat(2), number: fc.nat(2 ** 31 - 1) }),
    fc.record({ is: fc.constant('removed' as const), number: fc.nat(2 ** 31 - 1) }),
  );

  // Goal: the log says what was put in. Method: drawn items, more than a frame holds, through frames, a part file and back.
  it('come back as they were written, in any number of frames', () => {
    fc.assert(
      fc.property(fc.array(item, { maxLength: 400, size: 'max' }), (items) => {
        const list = new FrameList();
        const expected = {
          streams: new Map<number, StreamItem>(),
          marks: new Map<number, MarksItem>(),
          segments: new Map<number, number>(),
          ledger: [] as LedgerItem[],
        };
        for (const each of items) {
          if (each.is === 'stream') {
            const { is: _, ...stream } = each;
            encodeStream(list, stream);
            expected.streams.set(stream.slot, stream);
          } else if (each.is === 'marks') {
            const { is: _, ...marks } = each;
            encodeMarks(list, marks);
            expected.marks.set(marks.slot, marks);
          } else if (each.is === 'ledger') {
            const { is: _, ...loss } = each;
            encodeLedger(list, loss);
            expected.ledger.push(loss);
          } else if (each.is === 'added') {
            encodeSegmentAdded(list, each.source, each.number);
            expected.segments.set(each.number, each.source);
          } else {
            encodeSegmentRemoved(list, each.number);
            expected.segments.delete(each.number);
          }
        }
        const { placements } = placeBatch(list.finish(), ID, 7, 0, { part: 0, offset: 0, allocated: 0 }, 8192);
        const image = new CheckpointImage();
        for (const { part, bytes } of placements) {
          for (const frame of scanPart(bytes, ID, 7, part)) image.apply(frame);
        }
        const { streams, marks, segments, ledger } = image;
        expect({ streams, marks, segments, ledger }).toEqual(expected);
      }),
      { numRuns: 60 },
    );
  });

  // Goal: a stream may have more holes than a frame holds (a medium with every other page gone). Method: 20,000 holes of one stream, marks of others around it.
  it('keep any number of holes of one stream', () => {
    const list = new FrameList();
    const zero = { head: 0, synced: 2 ** 52, discarded: 0, evicted: 0, damaged: 0 };
    const holes = Array.from({ length: 20_000 }, (_, i) => [2 ** 50 + i * 2000, 2 ** 50 + i * 2000 + 1000] as const);
    encodeMarks(list, { ...zero, slot: 1, holes: holes.slice(0, 65) });
    encodeMarks(list, { ...zero, slot: 2, holes });
    encodeMarks(list, { ...zero, slot: 3, holes: holes.slice(0, 64) });
    const { placements } = placeBatch(list.finish(), ID, 1, 0, { part: 0, offset: 0, allocated: 0 }, 8192);
    const image = new CheckpointImage();
    for (const { part, bytes } of placements) for (const frame of scanPart(bytes, ID, 1, part)) image.apply(frame);
    expect(image.marks.get(1)?.holes).toEqual(holes.slice(0, 65));
    expect(image.marks.get(2)?.holes).toEqual(holes);
    expect(image.marks.get(3)?.holes).toEqual(holes.slice(0, 64));
  });

  // Goal: synced marks move by the differences, also when their list is cut into frames. Method: 3,000 streams, every third moved.
  it('add up the synced marks of many streams', () => {
    const list = new FrameList();
    let after = -1;
    for (let slot = 0; slot < 4096; slot += 3) after = encodeSyncedBy(list, after, slot, slot * 1000 + 1);
    const frames = list.finish();
    expect(frames.length).toBeGreaterThan(1);
    const image = new CheckpointImage();
    frames.forEach((frame, index) => image.apply({ ...frame, batch: 0, index, last: false }));
    for (let slot = 0; slot < 4096; slot++) {
      expect(image.marks.get(slot)?.synced).toBe(slot % 3 === 0 ? slot * 1000 + 1 : undefined);
    }
  });
});

describe('file names', () => {
  it('say generation and part, and nothing else is one', () => {
    expect(partName(255, 3)).toBe('checkpoint-000000ff-03.log');
    expect(parsePartName(partName(0xefff_ffff, 0x1ff))).toEqual({ generation: 0xefff_ffff, part: 0x1ff });
    for (const name of [
      'checkpoint-1-00.log',
      'checkpoint-000000ff-03.log.damaged',
      'checkpoint-000000FF-03.log',
      'checkpoint-ffffffff-00.log',
      'x',
    ]) {
      expect(parsePartName(name)).toBeNull();
    }
  });

  it('a part’s header comes back, and does not survive a flipped bit', () => {
    const header = encodePartHeader(ID, 77, 5);
    expect(readPartHeader(header)).toEqual({ state: 'ok', storeId: ID, generation: 77, part: 5 });
    for (let bit = 0; bit < header.length * 8; bit++) {
      const flipped = header.slice();
      flipped[bit >>> 3] = (flipped[bit >>> 3] as number) ^ (1 << (bit & 7));
      expect(readPartHeader(flipped).state).toBe('damaged');
    }
  });
});

describe('batches', () => {
  // Goal: the last batch is there whole or not at all, wherever it was torn, and what came before it stays. Method: cut the file after every byte of the last batch; then let only some 512-byte pieces of it reach the disk.
  it('take effect whole or not at all, torn after any byte', async () => {
    const { disk, log, name } = await logOf(3);
    const before = disk.snapshot();
    const start = disk.files()[0]?.content.findLastIndex((byte) => byte !== 0) ?? 0;
    // A batch of several frames over more than one sector of the disk.
    const list = new FrameList();
    for (let number = 100; number < 1000; number++) encodeSegmentAdded(list, 0, number);
    expect(await log.append(list.finish())).toMatchObject({ ok: true });
    const content = disk.files()[0]?.content as Uint8Array;
    const end = content.findLastIndex((byte) => byte !== 0) + 1;
    for (let bytes = start + 1; bytes <= end; bytes += bytes < start + 60 ? 1 : 13) {
      const torn = SimulatedDisk.restore(new VirtualClock(), before);
      const cut = content.slice();
      cut.fill(0, bytes);
      torn.place('', name, cut);
      const log2 = await found(torn);
      const whole = bytes === end;
      expect(segmentsOf(log2).length, `torn after ${bytes}`).toBe(whole ? 3 + 900 : 3);
      expect(log2).toMatchObject({ complete: true, intact: true });
    }
    expect(segmentsOf(await found(disk))).toHaveLength(903);
  });

  // Goal: damage in the middle costs the frame it hits, not the batches behind it. Method: flip each byte of a log of six batches, one at a time.
  it('behind a damaged one still count, and the damage is known', async () => {
    const { disk, name } = await logOf(6);
    const image = disk.snapshot();
    const used = (disk.files()[0]?.content.findLastIndex((byte) => byte !== 0) ?? 0) + 1;
    let costly = 0;
    for (let at = 64; at < used; at++) {
      const hurt = SimulatedDisk.restore(new VirtualClock(), image);
      hurt.flipBit('', name, at * 8 + 3);
      const log = await found(hurt);
      const segments = segmentsOf(log);
      expect(segments.length, `byte ${at}`).toBeGreaterThanOrEqual(5);
      // The last batch cannot be told from a torn one; any other that misses something shows.
      if (segments.length === 5 && segments.includes(5)) expect(log.intact, `byte ${at}`).toBe(false);
      if (segments.length === 5) costly++;
    }
    // Five frames of 18 bytes that name a segment, and the two frames of the last batch: no other byte costs a segment.
    expect(costly).toBe(5 * 18 + 26 + 18);
  });

  // Goal: a damaged header of a part costs nothing. Method: destroy it; the id comes from another part, or from a segment.
  it('are found under a damaged part header when the store’s id is known from elsewhere', async () => {
    const { disk, name } = await logOf(4);
    disk.flipBit('', name, 17);
    const lost = unwrap(await readCheckpointLog(disk, []));
    expect(lost).toMatchObject({ complete: false, storeId: null });
    expect(lost.files).toEqual([{ name, bytes: 8192, generation: 1, whole: false, blank: false }]);
    const known = unwrap(await readCheckpointLog(disk, [new Uint8Array(16), ID]));
    expect(known).toMatchObject({ complete: true, intact: true, storeId: ID });
    expect(segmentsOf(known)).toEqual([0, 1, 2, 3]);
  });

  // Goal: a frame of an older generation, another part, place or store never counts. Method: read a part's bytes under each wrong name.
  it('do not verify under another generation, part or store', async () => {
    const { disk } = await logOf(2);
    const bytes = disk.files()[0]?.content as Uint8Array;
    expect(scanPart(bytes, ID, 1, 0)).toHaveLength(4);
    expect(scanPart(bytes, ID, 2, 0)).toEqual([]);
    expect(scanPart(bytes, ID, 1, 1)).toEqual([]);
    expect(scanPart(bytes, new Uint8Array(16), 1, 0)).toEqual([]);
    const moved = new Uint8Array(bytes.length + 8);
    moved.set(bytes.subarray(0, 64));
    moved.set(bytes.subarray(64), 72);
    expect(scanPart(moved, ID, 1, 0)).toEqual([]);
  });

  // Goal: full parts. Method: batches until four parts are in use; all of it is found, no file passes its bound.
  it('go on in further parts of at most 65,536 bytes', async () => {
    const disk = new SimulatedDisk(new VirtualClock());
    const log = newLog(disk);
    await log.begin(says(0), ROOM);
    let batches = 1;
    for (; disk.files().length < 4; batches++) {
      const list = new FrameList();
      for (let i = 0; i < 4000; i++) encodeSegmentAdded(list, 0, batches * 4000 + i);
      expect(await log.append(list.finish())).toMatchObject({ ok: true });
    }
    for (const { content } of disk.files()) expect(content.length).toBeLessThanOrEqual(FILE_BYTES_MAX);
    expect(disk.files().map(({ name }) => name)).toEqual([0, 1, 2, 3].map((part) => partName(1, part)));
    expect([...log.fileSizes]).toEqual(disk.files().map(({ content }) => content.length));
    expect(segmentsOf(await found(disk))).toHaveLength((batches - 1) * 4000 + 1);
    // A missing part in the middle is damage: the parts behind it still count.
    disk.displace('', partName(1, 2));
    const hurt = await found(disk);
    expect(hurt).toMatchObject({ complete: true, intact: false });
    expect(segmentsOf(hurt).length).toBeGreaterThan(4000);
  });

  it('of a broken sequence are told from whole ones', () => {
    const frame = (batch: number, index: number, last: boolean) => ({
      batch,
      index,
      last,
      type: 1,
      payload: new Uint8Array(0),
    });
    const keys = (frames: ReturnType<typeof frame>[]) => [...completeBatches(frames).keys()];
    expect(keys([frame(0, 0, false), frame(0, 1, true)])).toEqual([0]);
    expect(keys([frame(0, 0, false)])).toEqual([]);
    expect(keys([frame(0, 1, true)])).toEqual([]);
    expect(keys([frame(0, 0, false), frame(0, 2, true)])).toEqual([]);
    expect(keys([frame(0, 0, true), frame(0, 0, true)])).toEqual([]);
    expect(keys([frame(3, 0, true), frame(5, 0, true)])).toEqual([3, 5]);
  });
});

describe('generations', () => {
  // Goal: the newest whole one is believed, the older goes when the newer is durable. Method: begin twice; then a begin that is cut off after each step.
  it('change over without an instant in which none is whole', async () => {
    for (let steps = 0; ; steps++) {
      const { disk, log } = await logOf(2);
      disk.autoSteps = steps;
      const list = new FrameList();
      for (const frame of says(50)) list.frames.push(frame);
      void log.begin(list.finish(), ROOM);
      for (let turn = 0; turn < 20; turn++) await Promise.resolve();
      const pending = disk.pending().length;
      const complete = new Set<string>();
      for (const keep of ['nothing', 'everything'] as const) {
        const copy = SimulatedDisk.restore(new VirtualClock(), disk.snapshot());
        const left = await found(copy.crash({ kind: 'power', keep }));
        expect(left.complete).toBe(true);
        complete.add(segmentsOf(left).join());
        expect(['0,1', '50']).toContain(segmentsOf(left).join());
      }
      if (pending === 0) {
        expect(complete).toEqual(new Set(['50']));
        expect(disk.files().map(({ name }) => name)).toEqual([partName(2, 0)]);
        return;
      }
    }
  });

  // Goal: after an error nothing is appended behind it. Method: fail the write, then the sync of an append.
  it.each(['write', 'sync'] as const)('are begun anew after a failed %s', async (kind) => {
    const { disk, log } = await logOf(2);
    disk.faults.push({ kind, times: 1, fault: { code: 'IO' } });
    expect(await log.append(says(7))).toMatchObject({ ok: false });
    expect(log.suspect).toBe(true);
    expect(await log.begin(says(8), ROOM)).toMatchObject({ ok: true });
    expect(log.suspect).toBe(false);
    expect(await log.append(says(9))).toMatchObject({ ok: true });
    const left = await found(disk.crash({ kind: 'power', keep: 'nothing' }));
    expect(segmentsOf(left)).toEqual([8, 9]);
    expect(left.generation).toBe(2);
  });

  // Goal: a begin that fails leaves the older one to be believed and its own files gone. Method: fail every begin; then let one succeed.
  it('that could not be begun leave no files', async () => {
    const { disk, log } = await logOf(2);
    disk.faults.push({ kind: 'syncDirectory', times: 5, fault: { code: 'IO' } });
    for (let attempt = 0; attempt < 5; attempt++) expect(await log.begin(says(60), ROOM)).toMatchObject({ ok: false });
    expect(disk.files().map(({ name }) => name)).toEqual([partName(1, 0)]);
    expect(segmentsOf(await found(disk))).toEqual([0, 1]);
    expect(await log.begin(says(61), ROOM)).toMatchObject({ ok: true });
    expect(segmentsOf(await found(disk))).toEqual([61]);
    expect((await found(disk)).generation).toBe(7);
  });

  // Goal: a disk that keeps what it is told to sync and to remove is not filled up with generations. Method: every sync and removal fails; begin again and again in room for three.
  it('are refused where the older ones cannot be removed and the room is used up', async () => {
    const { disk, log } = await logOf(1);
    disk.faults.push(
      { kind: 'sync', times: 99, fault: { code: 'IO' } },
      { kind: 'remove', times: 99, fault: { code: 'IO' } },
    );
    const codes: string[] = [];
    for (let attempt = 0; attempt < 5; attempt++) {
      const begun = await log.begin(says(60), 3 * 8_192);
      codes.push(begun.ok ? 'ok' : begun.error.code);
    }
    expect(codes).toEqual(['IO', 'IO', 'NO_SPACE', 'NO_SPACE', 'NO_SPACE']);
    expect(disk.files()).toHaveLength(3);
    disk.faults.length = 0;
    expect(await log.begin(says(61), 3 * 8_192)).toMatchObject({ ok: true });
    expect(segmentsOf(await found(disk))).toEqual([61]);
    expect(disk.files()).toHaveLength(1);
  });

  // Goal: many parts are read in their order. Method: a snapshot of more than 256 parts, whose names sort otherwise as text.
  it('of more than 256 parts are read in order', async () => {
    const disk = new SimulatedDisk(new VirtualClock());
    const frame: Frame = { type: 200, payload: new Uint8Array(60_000).fill(1) };
    const last = says(5);
    const { placements } = placeBatch(
      [...Array<Frame>(258).fill(frame), ...last],
      ID,
      1,
      0,
      { part: 0, offset: 0, allocated: 0 },
      8192,
    );
    for (const { part, bytes } of placements) disk.place('', partName(1, part), bytes);
    expect(placements.length).toBeGreaterThan(256);
    const log = await found(disk);
    expect(log).toMatchObject({ complete: true, intact: true });
    expect(segmentsOf(log)).toEqual([5]);
  });
});
