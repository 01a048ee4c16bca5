import { describe, expect, it } from 'vitest';
import { blankFile, isBlank, SegmentFiles } from '../../src/core/segment-files.ts';
import { EVT, unwrap, Workbench } from './workbench.ts';

const KEEP = { recycleBytes: 1_048_576, preallocateBytes: 0 };

const segmentNames = (bench: Workbench): string[] => bench.names().filter((name) => name.endsWith('.seg'));

/** Appends so many to the stream, and flushes. */
async function flushed(bench: Workbench, records: number): Promise<void> {
  const stream = bench.stream('host', 1, EVT);
  for (let i = 0; i < records; i++) stream.append(i, 1_700_000_000_000 + i);
  unwrap(await bench.engine.flush());
}

async function acknowledgeAll(bench: Workbench): Promise<void> {
  const stream = bench.stream('host', 1, EVT);
  unwrap(stream.acknowledge(unwrap(await stream.read(1_000)).length));
  unwrap(await bench.engine.checkpoint());
}

describe('free files', () => {
  // Goal: a segment takes the file that wastes least, of its own source. Method: files of several sizes, taken one after the other.
  it('are taken by the smallest that has room, else by the largest', () => {
    const files = new SegmentFiles(KEEP);
    for (const [file, bytes] of [
      [1, 8_192],
      [2, 65_536],
      [3, 12_288],
    ] as const)
      files.put({ file, source: 0, bytes, held: file });
    expect(files.freeBytes).toBe(86_016);
    expect(files.take(1, 4_096)).toBeNull();
    expect(files.take(0, 9_000)?.file).toBe(3);
    expect(files.take(0, 8_192)?.file).toBe(1);
    expect(files.take(0, 65_537)?.file).toBe(2);
    expect(files.freeBytes).toBe(0);
  });

  // Goal: what is kept is what the settings say. Method: both bounds, at the byte.
  it('are kept up to either bound and no further', () => {
    const recycling = new SegmentFiles({ recycleBytes: 8_192, preallocateBytes: 0 });
    expect(recycling.keeps(8_192, 1_000_000)).toBe(true);
    expect(recycling.keeps(8_193, 0)).toBe(false);
    const ahead = new SegmentFiles({ recycleBytes: 0, preallocateBytes: 65_536 });
    expect(ahead.keeps(8_192, 57_344)).toBe(true);
    expect(ahead.keeps(8_192, 57_345)).toBe(false);
  });

  it('made ahead say so, and nothing else does', () => {
    const blank = blankFile(4_096);
    expect(blank).toHaveLength(4_096);
    expect(isBlank(blank)).toBe(true);
    expect(isBlank(new Uint8Array(4_096))).toBe(false);
    blank[20] = 1;
    expect(isBlank(blank)).toBe(false);
  });
});

describe('a store that keeps its files', () => {
  // Goal: no new name, no directory sync. Method: two flushes with everything acknowledged in between; the disk's operations of the second.
  it('writes the next segment over the last one, and syncs no directory', async () => {
    const bench = await Workbench.open({ recycleBytes: 65_536 });
    await flushed(bench, 5);
    await acknowledgeAll(bench);
    const asked: string[] = [];
    bench.disk.observer = { asked: ({ kind }) => asked.push(kind), ended: () => undefined };
    await flushed(bench, 3);
    expect(asked).toEqual(['write', 'sync', 'write', 'sync']);
    expect(segmentNames(bench)).toEqual(['host/000000000001.seg']);
    expect(bench.engine.inspect().segments).toMatchObject([{ number: 2, file: 1, fileBytes: 4_096 }]);
  });

  // Goal: what was there before never comes back. Method: cut the power behind a shorter segment in a longer one's file, open, read.
  it('gives what was written last, over a power cut', async () => {
    const bench = await Workbench.open({ recycleBytes: 65_536 });
    await flushed(bench, 8);
    await acknowledgeAll(bench);
    await flushed(bench, 2);
    const after = new Workbench({ recycleBytes: 65_536 }, bench.disk.crash({ kind: 'power', keep: 'nothing' }));
    unwrap(await after.tryOpen());
    const batch = unwrap(await after.stream('host', 1, EVT).read(100));
    expect([...batch.sequences]).toEqual([8, 9]);
    expect(after.engine.recovery).toMatchObject({ damagedRecords: 0, setAside: [] });
  });

  // Goal: a reader never gets bytes of what replaced its own. Method: hold a read back, discard and write the file again, let it end.
  it('lets a read that was under way look again', async () => {
    const bench = await Workbench.open({ recycleBytes: 65_536 });
    await flushed(bench, 4);
    const stream = bench.stream('host', 1, EVT);
    bench.disk.holdReads = true;
    bench.disk.autoSteps = 0;
    const late = stream.peek(0, 2);
    await new Promise((resolve) => setImmediate(resolve));
    const [read] = bench.disk.pending();
    expect(read?.kind).toBe('read');
    unwrap(stream.discard(4));
    bench.disk.holdReads = false;
    const others = (): void => {
      for (const { id } of bench.disk.pending()) if (id !== read?.id) bench.disk.complete(id);
    };
    const work = (async () => {
      unwrap(await bench.engine.checkpoint());
      await flushed(bench, 2);
    })();
    for (let turn = 0; turn < 40; turn++) {
      others();
      await new Promise((resolve) => setImmediate(resolve));
    }
    await work;
    expect(bench.engine.inspect().segments).toMatchObject([{ number: 2, file: 1 }]);
    bench.disk.complete(read?.id);
    for (let turn = 0; turn < 10; turn++) {
      others();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect([...unwrap(await late).sequences]).toEqual([4, 5]);
    expect(bench.engine.ledger().entries).toEqual([]);
  });
});

describe('files made ahead', () => {
  // Goal: the first flush finds its space. Method: open with them, look at the names, flush, look again.
  it('take the first flush of a new store', async () => {
    const bench = await Workbench.open({ preallocateBytes: 49_152 });
    const made = segmentNames(bench);
    expect(made).toHaveLength(12);
    await flushed(bench, 5);
    expect(segmentNames(bench)).toEqual(made);
    expect(bench.engine.inspect().segments[0]?.number).toBeGreaterThan(12);
  });

  // Goal: they stay valid unused. Method: cut the power, open twice; nothing is made anew, nothing set aside.
  it('are found again, unused, and not made twice', async () => {
    const bench = await Workbench.open({ preallocateBytes: 49_152 });
    const made = segmentNames(bench);
    const after = new Workbench({ preallocateBytes: 49_152 }, bench.disk.crash({ kind: 'power', keep: 'nothing' }));
    unwrap(await after.tryOpen());
    expect(segmentNames(after)).toEqual(made);
    expect(after.engine.recovery).toMatchObject({ setAside: [], damagedRecords: 0, segments: 0 });
  });

  it('are left out where the quota or the disk has no room for them, and the store opens', async () => {
    const full = new Workbench({ preallocateBytes: 49_152 });
    full.disk.capacityBytes = 40_000;
    unwrap(await full.tryOpen());
    expect(segmentNames(full).length).toBeLessThan(12);
  });
});
