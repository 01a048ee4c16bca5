/**
 * The simulated disk is the ground that every crash test stands on, so it is tested by itself: what it may lose, what
 * it must not lose, and that the same choice gives the same disk.
 */
import { describe, expect, it } from 'vitest';
import type { CrashChoice } from '../../conformance/power-cut.ts';
import { SimulatedDisk } from '../../conformance/simulated-disk.ts';
import { VirtualClock } from '../../conformance/virtual-clock.ts';

const NAME = '000000000001.seg';
const bytesOf = (length: number, value: number) => new Uint8Array(length).fill(value);

/** What a reader finds: null when there is no such file. */
async function contentOf(disk: SimulatedDisk, name = NAME): Promise<number[] | null> {
  const into = new Uint8Array(10_000);
  const result = await disk.read('host', name, 0, into);
  return result.ok ? [...into.subarray(0, result.value)] : null;
}

const power = (keep: Extract<CrashChoice, { kind: 'power' }>['keep']): CrashChoice => ({ kind: 'power', keep });

/** A disk with one durable file of `length` ones. */
async function diskWithFile(length: number): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk(new VirtualClock());
  await disk.write('host', NAME, 0, bytesOf(length, 1));
  await disk.sync('host', NAME);
  await disk.syncDirectory('host');
  return disk;
}

describe('power loss', () => {
  // Goal: what was synced is there whatever the crash chooses. Method: sync a file and its name, then draw 200 crashes over unsynced changes.
  it('keeps synced content under a synced name in every drawn crash', async () => {
    for (let seed = 0; seed < 200; seed++) {
      const disk = await diskWithFile(1_500);
      await disk.write('host', NAME, 1_500, bytesOf(3_000, 2));
      await disk.write('host', 'other', 0, bytesOf(600, 3));
      const content = await contentOf(disk.crash(power({ seed })));
      expect(content?.slice(0, 1_500)).toEqual([...bytesOf(1_500, 1)]);
    }
  });

  // Goal: a file needs both syncs. Method: leave out one of the two, let nothing survive.
  it('loses the content without a sync of the file, and the file without a sync of its directory', async () => {
    const withoutContent = new SimulatedDisk(new VirtualClock());
    await withoutContent.write('host', NAME, 0, bytesOf(100, 1));
    await withoutContent.syncDirectory('host');
    expect(await contentOf(withoutContent.crash(power('nothing')))).toEqual([]);

    const withoutName = new SimulatedDisk(new VirtualClock());
    await withoutName.write('host', NAME, 0, bytesOf(100, 1));
    await withoutName.sync('host', NAME);
    const image = withoutName.snapshot();
    expect(await contentOf(withoutName.crash(power('nothing')))).toBeNull();
    const again = SimulatedDisk.restore(new VirtualClock(), image);
    expect(await contentOf(again.crash(power('everything')))).toEqual([...bytesOf(100, 1)]);
  });

  // Goal: a write tears at the file's 512-byte boundaries and nowhere else. Method: an unaligned write; keep each piece alone.
  it('tears an unaligned write at 512-byte boundaries of the file', async () => {
    const disk = await diskWithFile(300);
    await disk.write('host', NAME, 300, bytesOf(1_000, 2));
    const units = disk.volatileUnits();
    expect(units.map((unit) => (unit.kind === 'content' ? [unit.offset, unit.bytes.length] : unit.kind))).toEqual([
      [300, 212],
      [512, 512],
      [1_024, 276],
      'length',
    ]);
    const middleOnly = await contentOf(disk.crash(power([1])));
    expect(middleOnly).toEqual([...bytesOf(300, 1), ...bytesOf(212, 0), ...bytesOf(512, 2)]);
  });

  // Goal: the length alone may survive. Method: keep only that unit, find zeros.
  it('may keep a longer file whose new bytes read as zeros', async () => {
    const disk = await diskWithFile(10);
    await disk.write('host', NAME, 10, bytesOf(6, 2));
    expect(await contentOf(disk.crash(power([1])))).toEqual([...bytesOf(10, 1), ...bytesOf(6, 0)]);
  });

  // Goal: pieces survive in any order. Method: two overlapping writes, kept in both orders.
  it('applies surviving pieces in the given order', async () => {
    const disk = await diskWithFile(8);
    await disk.write('host', NAME, 0, bytesOf(8, 2));
    await disk.write('host', NAME, 4, bytesOf(4, 3));
    const image = disk.snapshot();
    const crashed = (keep: number[]) => contentOf(SimulatedDisk.restore(new VirtualClock(), image).crash(power(keep)));
    expect(await crashed([0, 1])).toEqual([2, 2, 2, 2, 3, 3, 3, 3]);
    expect(await crashed([1, 0])).toEqual([2, 2, 2, 2, 2, 2, 2, 2]);
    expect(await crashed([1])).toEqual([1, 1, 1, 1, 3, 3, 3, 3]);
  });

  // Goal: names survive one by one. Method: rename, remove and create in one directory; every subset of the three gives its own listing.
  it('keeps any subset of name changes, a rename whole', async () => {
    const disk = await diskWithFile(4);
    await disk.write('host', 'b', 0, bytesOf(4, 1));
    await disk.sync('host', 'b');
    await disk.syncDirectory('host');
    await disk.rename('host', NAME, 'a');
    await disk.remove('host', 'b');
    await disk.write('host', 'c', 0, bytesOf(0, 0));
    expect(disk.volatileUnits()).toHaveLength(3);
    const image = disk.snapshot();
    const listings = new Set<string>();
    for (let subset = 0; subset < 8; subset++) {
      const kept = [0, 1, 2].filter((index) => (subset >> index) & 1);
      const after = SimulatedDisk.restore(new VirtualClock(), image).crash(power(kept));
      const names = after.files().map(({ name }) => name);
      expect(names.includes('a')).toBe(kept.includes(0));
      expect(names.includes(NAME)).toBe(!kept.includes(0));
      expect(names.includes('b')).toBe(!kept.includes(1));
      expect(names.includes('c')).toBe(kept.includes(2));
      listings.add(names.join());
    }
    expect(listings.size).toBe(8);
  });

  // Goal: an operation under way may have happened or not. Method: hold a write and a remove, crash both ways.
  it('may or may not have made the changes that were under way', async () => {
    const disk = await diskWithFile(4);
    disk.autoSteps = 0;
    void disk.write('host', 'new', 0, bytesOf(4, 1));
    void disk.remove('host', NAME);
    const image = disk.snapshot();
    const names = (choice: CrashChoice) => {
      const again = SimulatedDisk.restore(new VirtualClock(), image);
      again.autoSteps = 0;
      void again.write('host', 'new', 0, bytesOf(4, 1));
      void again.remove('host', NAME);
      return again
        .crash(choice)
        .files()
        .map(({ name }) => name);
    };
    expect(names(power('nothing'))).toEqual([NAME]);
    expect(names(power('everything'))).toEqual(['new']);
    expect(names({ kind: 'kill', underWay: 'undone' })).toEqual([NAME]);
    expect(names({ kind: 'kill', underWay: 'done' })).toEqual(['new']);
  });

  // Goal: a crash is data. Method: the same seed twice, and the indexes it stands for, give the same disk.
  it('gives the same disk for the same choice, and for the same choice written out', async () => {
    for (let seed = 0; seed < 50; seed++) {
      const disk = await diskWithFile(700);
      await disk.write('host', NAME, 200, bytesOf(2_000, 2));
      await disk.write('host', 'x', 0, bytesOf(2_000, 3));
      await disk.remove('host', NAME);
      const image = disk.snapshot();
      const again = () => SimulatedDisk.restore(new VirtualClock(), image);
      const drawn = again().crash(power({ seed })).snapshot();
      expect(again().crash(power({ seed })).snapshot()).toEqual(drawn);
      expect(
        again()
          .crash(power(again().survivors(seed)))
          .snapshot(),
      ).toEqual(drawn);
    }
  });

  // Goal: a dead disk is silent. Method: crash with a read and a write under way, and ask for more; none settles.
  it('answers nothing more to the engine that died', async () => {
    const disk = await diskWithFile(4);
    disk.autoSteps = 0;
    let answers = 0;
    const count = () => {
      answers++;
    };
    void disk.write('host', 'new', 0, bytesOf(4, 1)).then(count);
    disk.crash(power('everything'));
    void disk.write('host', 'newer', 0, bytesOf(4, 1)).then(count);
    void disk.list('host').then(count);
    void disk.lock().then(count);
    disk.after(1, count);
    disk.clock.advance(10);
    await new Promise((resolve) => setImmediate(resolve));
    expect(answers).toBe(0);
    expect(disk.complete()).toBe(false);
  });
});

describe('a killed process', () => {
  // Goal: what the system holds outlives the process, and is not durable for that. Method: kill, read, then cut the power.
  it('leaves unsynced writes readable, and a later power loss may still take them', async () => {
    const disk = await diskWithFile(2);
    await disk.write('host', NAME, 2, bytesOf(2, 2));
    const afterKill = disk.crash({ kind: 'kill', underWay: 'done' });
    expect(await contentOf(afterKill)).toEqual([1, 1, 2, 2]);
    expect(await contentOf(afterKill.crash(power('nothing')))).toEqual([1, 1]);
  });
});

describe('faults', () => {
  // Goal: a failed sync loses pages for good though they can still be read. Method: fail the sync, see the retry succeed and save nothing.
  it('does not save what a failed sync lost when the sync is tried again', async () => {
    const disk = await diskWithFile(2);
    await disk.write('host', NAME, 2, bytesOf(2, 2));
    disk.faults.push({ kind: 'sync', times: 1, fault: { code: 'IO' } });
    expect((await disk.sync('host', NAME)).ok).toBe(false);
    expect((await disk.sync('host', NAME)).ok).toBe(true);
    expect(await contentOf(disk)).toEqual([1, 1, 2, 2]);
    const image = disk.snapshot();
    for (const keep of ['nothing', 'everything'] as const) {
      expect(await contentOf(SimulatedDisk.restore(new VirtualClock(), image).crash(power(keep)))).toEqual([1, 1]);
    }
  });

  // Goal: the other kind of system drops the pages at once. Method: keepReadable false, read the old content.
  it('can drop the pages of a failed sync at once', async () => {
    const disk = await diskWithFile(2);
    await disk.write('host', NAME, 0, bytesOf(4, 2));
    disk.faults.push({ kind: 'sync', times: 1, fault: { code: 'IO', keepReadable: false } });
    await disk.sync('host', NAME);
    expect(await contentOf(disk)).toEqual([1, 1]);
  });

  // Goal: what is written again after a failed sync can be made durable. Method: fail, rewrite, sync, cut the power.
  it('saves what is written again and synced after a failure', async () => {
    const disk = await diskWithFile(2);
    await disk.write('host', NAME, 2, bytesOf(2, 2));
    disk.faults.push({ kind: 'sync', times: 1, fault: { code: 'IO' } });
    await disk.sync('host', NAME);
    await disk.write('host', NAME, 2, bytesOf(2, 3));
    await disk.sync('host', NAME);
    expect(await contentOf(disk.crash(power('nothing')))).toEqual([1, 1, 3, 3]);
  });

  // Goal: every error code, a short write, skip and times. Method: one rule each, count the faults.
  it('fails the operations that its rules name, and only those', async () => {
    const disk = await diskWithFile(0);
    disk.faults.push(
      { kind: 'write', directory: 'mgc', skip: 1, times: 1, fault: { code: 'NO_SPACE', shortBytes: 3 } },
      { kind: 'remove', times: Number.POSITIVE_INFINITY, fault: { code: 'READ_ONLY' } },
      { kind: 'read', namePrefix: 'secret', times: 1, fault: { code: 'DENIED' } },
    );
    expect(await disk.write('mgc', 'a', 0, bytesOf(8, 1))).toEqual({ ok: true, value: undefined });
    expect(await disk.write('mgc', 'a', 8, bytesOf(8, 2))).toMatchObject({
      ok: false,
      error: { code: 'NO_SPACE', detail: 'ENOSPC: write mgc/a' },
    });
    expect(disk.files().find(({ name }) => name === 'a')?.content.length).toBe(11);
    expect((await disk.write('mgc', 'a', 8, bytesOf(8, 2))).ok).toBe(true);
    for (let attempt = 0; attempt < 3; attempt++) {
      expect(await disk.remove('mgc', 'a')).toMatchObject({ ok: false, error: { code: 'READ_ONLY' } });
    }
    expect(await disk.read('mgc', 'secret', 0, new Uint8Array(1))).toMatchObject({
      ok: false,
      error: { code: 'DENIED' },
    });
    expect(await disk.read('mgc', 'secret', 0, new Uint8Array(1))).toMatchObject({
      ok: false,
      error: { code: 'NOT_FOUND' },
    });
    expect(disk.counts.faults).toBe(5);
  });

  // Goal: a full file system writes what fits and says so. Method: capacity of 10 bytes.
  it('refuses what does not fit and tells the free space', async () => {
    const disk = new SimulatedDisk(new VirtualClock());
    disk.capacityBytes = 10;
    expect((await disk.write('host', 'a', 0, bytesOf(6, 1))).ok).toBe(true);
    expect(await disk.freeBytes()).toEqual({ ok: true, value: 4 });
    expect(await disk.write('host', 'a', 4, bytesOf(8, 2))).toMatchObject({ ok: false, error: { code: 'NO_SPACE' } });
    expect(await contentOf(disk, 'a')).toEqual([1, 1, 1, 1, 2, 2, 2, 2, 2, 2]);
    await disk.remove('host', 'a');
    expect(await disk.freeBytes()).toEqual({ ok: true, value: 10 });
  });
});

describe('steps under the harness', () => {
  // Goal: operations end when and in the order the harness says. Method: hold three, complete the last, fail the first.
  it('holds operations until they are completed or failed, in any order', async () => {
    const disk = new SimulatedDisk(new VirtualClock());
    disk.autoSteps = 0;
    const ended: string[] = [];
    for (const name of ['a', 'b', 'c']) {
      void disk.write('host', name, 0, bytesOf(1, 1)).then((result) => ended.push(`${name} ${result.ok}`));
    }
    const ids = disk.pending().map(({ id }) => id);
    expect(disk.pending().map(({ kind, name }) => `${kind} ${name}`)).toEqual(['write a', 'write b', 'write c']);
    expect(disk.files()).toEqual([]);
    disk.complete(ids[2]);
    disk.fail({ code: 'IO' }, ids[0]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(ended).toEqual(['c true', 'a false']);
    expect(disk.files().map(({ name }) => name)).toEqual(['c']);
    expect(disk.completeAll()).toBe(1);
    expect(disk.complete()).toBe(false);
  });

  // Goal: a sync covers what was written before it was asked for. Method: write between asking and completing.
  it('does not make durable what was written after the sync was asked for', async () => {
    const disk = await diskWithFile(1);
    await disk.write('host', NAME, 1, bytesOf(1, 2));
    disk.autoSteps = 0;
    const sync = disk.sync('host', NAME);
    void disk.write('host', NAME, 2, bytesOf(1, 3));
    const [syncId, writeId] = disk.pending().map(({ id }) => id);
    disk.complete(writeId);
    disk.complete(syncId);
    expect((await sync).ok).toBe(true);
    expect(await contentOf(disk.crash(power('nothing')))).toEqual([1, 2]);
  });

  // Goal: a run stops after exactly k operations. Method: autoSteps 2 of 4.
  it('completes the first k operations by itself and holds the rest', async () => {
    const disk = new SimulatedDisk(new VirtualClock());
    disk.autoSteps = 2;
    for (const name of ['a', 'b', 'c', 'd']) void disk.write('host', name, 0, bytesOf(1, 1));
    expect(disk.pending().map(({ name }) => name)).toEqual(['c', 'd']);
    expect(disk.counts).toMatchObject({ steps: 2, writes: 2, bytesWritten: 2 });
  });

  // Goal: reads can be held too. Method: hold one, change the file, complete: it reads what is there then.
  it('holds reads when asked to', async () => {
    const disk = await diskWithFile(2);
    disk.holdReads = true;
    const into = new Uint8Array(2);
    const read = disk.read('host', NAME, 0, into);
    await disk.write('host', NAME, 0, bytesOf(2, 9));
    expect(disk.pending().map(({ kind }) => kind)).toEqual(['read']);
    disk.complete();
    expect(await read).toEqual({ ok: true, value: 2 });
    expect([...into]).toEqual([9, 9]);
  });

  // Goal: the port's small print. Method: each refusal once.
  it('keeps the port: missing files, existing targets, one lock, short reads', async () => {
    const disk = await diskWithFile(3);
    expect(await disk.rename('host', 'none', 'x')).toMatchObject({ ok: false, error: { code: 'NOT_FOUND' } });
    await disk.write('host', 'x', 0, bytesOf(1, 1));
    expect(await disk.rename('host', NAME, 'x')).toMatchObject({ ok: false, error: { code: 'IO' } });
    expect(await disk.sync('host', 'none')).toMatchObject({ ok: false, error: { code: 'NOT_FOUND' } });
    expect((await disk.remove('host', 'none')).ok).toBe(true);
    expect(await disk.read('host', NAME, 2, new Uint8Array(8))).toEqual({ ok: true, value: 1 });
    expect(await disk.read('host', NAME, 9, new Uint8Array(8))).toEqual({ ok: true, value: 0 });
    expect(await disk.list('host')).toEqual({
      ok: true,
      value: [
        { name: 'x', bytes: 1 },
        { name: NAME, bytes: 3 },
      ],
    });
    expect(await disk.lock()).toEqual({ ok: true });
    expect((await disk.lock()).ok).toBe(false);
    await disk.unlock();
    expect(await disk.lock()).toEqual({ ok: true });
    expect(await disk.crash(power('nothing')).lock()).toEqual({ ok: true });
  });

  // Goal: damage is what a test asked for. Method: flip, cut, place and displace; the first two outlive a power loss.
  it('lets a test damage, place and displace files', async () => {
    const disk = await diskWithFile(4);
    disk.flipBit('host', NAME, 9);
    disk.truncate('host', NAME, 3);
    disk.place('host', 'foreign', bytesOf(2, 7));
    const after = disk.crash(power('nothing'));
    expect(await contentOf(after)).toEqual([1, 3, 1]);
    expect(await contentOf(after, 'foreign')).toEqual([7, 7]);
    after.displace('host', 'foreign');
    expect(await contentOf(after.crash(power('nothing')), 'foreign')).toBeNull();
  });

  // Goal: the highest number of bytes is not missed. Method: grow, remove, read the peak.
  it('notes the most bytes there ever were', async () => {
    const disk = await diskWithFile(100);
    await disk.write('mgc', 'a', 0, bytesOf(50, 1));
    await disk.remove('mgc', 'a');
    expect(disk.totalBytes).toBe(100);
    expect(disk.counts).toMatchObject({ peakBytes: 150, peakFileBytes: 100 });
  });

  // Goal: a stored disk comes back as it was, with what is not durable. Method: through JSON, then every crash choice alike.
  it('comes back from plain JSON data with its unsynced part', async () => {
    const disk = await diskWithFile(5);
    await disk.write('host', NAME, 3, bytesOf(700, 2));
    await disk.rename('host', NAME, 'y');
    const image = JSON.parse(JSON.stringify(disk.snapshot()));
    const restored = SimulatedDisk.restore(new VirtualClock(), image);
    expect(restored.files()).toEqual(disk.files());
    expect(restored.volatileUnits().length).toBe(disk.volatileUnits().length);
    expect(restored.crash(power([0, 1])).files()).toEqual(disk.crash(power([0, 1])).files());
  });
});

describe('virtual clock', () => {
  // Goal: timers by elapsed time, in order, once, unless cancelled; the wall clock may jump without moving them.
  it('calls timers when their time has passed and not by the wall clock', () => {
    const clock = new VirtualClock(1_000);
    const called: string[] = [];
    clock.after(20, () => called.push('b'));
    clock.after(10, () => called.push('a'));
    const cancel = clock.after(15, () => called.push('never'));
    cancel();
    clock.wallMs = 9_000_000;
    expect(clock.nextTimerInMs).toBe(10);
    expect(clock.advance(9)).toBe(0);
    expect(clock.advance(11)).toBe(2);
    expect(called).toEqual(['a', 'b']);
    expect(clock.wallMs).toBe(9_000_020);
    expect(clock.timers).toBe(0);
  });
});
