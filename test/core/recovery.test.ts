/**
 * What a store is opened to after a crash or damage: every row of the table in src/core/recovery.ts, and crashes inside
 * recovery itself (INV-15 to INV-19).
 */
import { describe, expect, it } from 'vitest';
import { SimulatedDisk } from '../../conformance/simulated-disk.ts';
import { checkpointReserveBytes } from '../../src/core/config.ts';
import { crc32 } from '../../src/core/crc32.ts';
import { allocatedBytes } from '../../src/core/disk-index.ts';
import type { Directory } from '../../src/core/port.ts';
import { scanSegment } from '../../src/core/segment.ts';
import type { StoreInspection } from '../../src/core/types.ts';
import { appendAll, codeOf, count, drain, EVT, scattered, settle, TSD, unwrap, Workbench } from './workbench.ts';

const KEEPS = ['nothing', 'everything', { seed: 1 }, { seed: 2 }, { seed: 3 }, { seed: 4 }, { seed: 5 }] as const;

/** Everything that recovery must give the same way twice: all but the epoch. */
function placed(inspection: StoreInspection): unknown {
  const { epoch: _, diskBytes: __, ...rest } = inspection;
  return rest;
}

/** Values of a stream from its head on; the marks are put back. */
async function retained(
  bench: Workbench,
  source: 'host' | 'mgc' | 'can_controller',
  sensor: number,
): Promise<number[]> {
  const stream = bench.stream(source, sensor, undefinedIfKnown(bench, source, sensor));
  unwrap(stream.revert());
  const values = await drain(stream);
  unwrap(stream.revert());
  return values;
}

function undefinedIfKnown(bench: Workbench, source: string, sensor: number) {
  const known = bench.engine.inspect().streams.find((each) => each.source === source && each.sensor === sensor);
  return known === undefined || known.kind === 'evt' ? EVT : { ...TSD, periodMs: known.periodMs };
}

const contentOf = (disk: SimulatedDisk, directory: Directory, name: string): Uint8Array => {
  const file = disk.files().find((each) => each.directory === directory && each.name === name);
  if (file === undefined) throw new Error(`no file ${directory}/${name}`);
  return file.content;
};

const SEG = (number: number): string => `${number.toString().padStart(12, '0')}.seg`;

describe('a torn tail', () => {
  // Goal: a tail torn anywhere is cut and costs no synced record. Method: sync two records, write a third, crash after every possible byte of it, recover twice.
  it('keeps every synced record when the tail is torn after any byte', async () => {
    const bench = await Workbench.open();
    const stream = bench.stream('host', 1);
    appendAll(stream, [10, 11]);
    unwrap(await bench.engine.flush());
    const before = bench.disk.snapshot();
    appendAll(stream, [12]);
    unwrap(await bench.engine.flush());
    const [, newest] = bench.disk.files().filter(({ name }) => name.endsWith('.seg'));
    if (newest === undefined) throw new Error('the second flush has written no segment');
    const outcomes = new Set<string>();
    for (let bytes = 0; bytes <= newest.content.length; bytes++) {
      const disk = SimulatedDisk.restore(bench.clock, before);
      disk.place('host', newest.name, newest.content.slice(0, bytes));
      const once = await Workbench.open({}, disk);
      const values = await retained(once, 'host', 1);
      expect(values.slice(0, 2)).toEqual([10, 11]);
      expect(values.length).toBeLessThanOrEqual(3);
      outcomes.add(values.join());
      const twice = await once.crash('everything');
      expect(await retained(twice, 'host', 1)).toEqual(values);
      expect(placed(twice.engine.inspect())).toEqual(placed(once.engine.inspect()));
    }
    // The third record is there exactly when its block and one header are whole.
    expect(outcomes).toEqual(new Set(['10,11', '10,11,12']));
  });

  // Goal: whatever a power cut leaves of a flush, a prefix survives that has every synced record. Method: stop a flush after each I/O step, cut power in many ways, recover twice.
  it('leaves a prefix with every synced record when power fails after any step of a flush', async () => {
    for (let steps = 0; ; steps++) {
      const bench = await Workbench.open({ poolBytes: 65_536 });
      const [evt, tsd] = [bench.stream('host', 1), bench.stream('mgc', 2, TSD)];
      appendAll(evt, count(0, 30));
      appendAll(tsd, count(0, 30));
      unwrap(await bench.engine.flush());
      appendAll(evt, count(30, 30));
      appendAll(tsd, count(30, 30));
      const image = bench.disk.snapshot();
      bench.disk.autoSteps = steps;
      void bench.engine.flush();
      await settle();
      const done = bench.disk.pending().length === 0;
      for (const keep of KEEPS) {
        const copy = SimulatedDisk.restore(bench.clock, bench.disk.snapshot());
        const after = await Workbench.open({ poolBytes: 65_536 }, copy.crash({ kind: 'power', keep }));
        for (const [source, sensor] of [
          ['host', 1],
          ['mgc', 2],
        ] as const) {
          const values = await retained(after, source, sensor);
          expect(values.length).toBeGreaterThanOrEqual(done ? 60 : 30);
          expect(values).toEqual(count(0, values.length));
        }
        const again = await after.crash('nothing');
        expect(placed(again.engine.inspect())).toEqual(placed(after.engine.inspect()));
      }
      expect(image).toBeDefined();
      if (done) {
        expect(steps).toBeGreaterThan(6);
        return;
      }
    }
  });
});

describe('crashes inside recovery', () => {
  // Goal: recovery survives a crash at each of its own steps (INV-18). Method: a cut-off flush to salvage and a damaged log; stop recovery after each step, cut power, recover; compare with the undisturbed one.
  it.each(['a cut-off flush', 'a damaged log', 'a missing segment'])(
    'gives the same from %s, wherever recovery is cut',
    async (what) => {
      const bench = await Workbench.open({ poolBytes: 65_536 });
      const stream = bench.stream('host', 1);
      appendAll(stream, count(0, 20));
      unwrap(await bench.engine.flush());
      await drain(stream, 5);
      unwrap(stream.acknowledge(5));
      unwrap(await bench.engine.checkpoint());
      appendAll(stream, count(20, 20));
      bench.disk.autoSteps = 2;
      void bench.engine.flush();
      await settle();
      const left = bench.disk.crash({ kind: 'power', keep: 'everything' });
      if (what === 'a damaged log') {
        const log = left.files().find(({ name }) => name.startsWith('checkpoint-'));
        left.flipBit('', log?.name ?? '', 8 * 70);
      }
      if (what === 'a missing segment') left.displace('host', SEG(1));
      const image = left.snapshot();
      const whole = await Workbench.open({ poolBytes: 65_536 }, SimulatedDisk.restore(bench.clock, image));
      const values = await retained(whole, 'host', 1);
      expect(values).toEqual(what === 'a missing segment' ? count(20, 20) : count(5, 35));
      for (let steps = 0; ; steps++) {
        let finished = false;
        for (const keep of KEEPS) {
          const disk = SimulatedDisk.restore(bench.clock, image);
          disk.autoSteps = steps;
          const first = new Workbench({ poolBytes: 65_536 }, disk);
          void first.tryOpen().then(() => {
            finished = true;
          });
          await settle();
          const second = await Workbench.open({ poolBytes: 65_536 }, disk.crash({ kind: 'power', keep }));
          expect(
            await retained(second, 'host', 1),
            `cut after ${steps} steps, keeping ${JSON.stringify(keep)}`,
          ).toEqual(values);
          expect(second.inspect('host', 1)).toMatchObject({
            head: whole.inspect('host', 1).head,
            appended: whole.inspect('host', 1).appended,
            damaged: whole.inspect('host', 1).damaged,
          });
          expect(second.engine.epoch).toBeGreaterThanOrEqual(whole.engine.epoch);
        }
        if (finished) return;
      }
    },
  );

  // Goal: what a killed process wrote into the log and did not sync is no leave to remove anything (INV-15). Method: such a
  // batch drops a segment; on a full disk recovery makes room; power fails at each of its steps, each unsynced piece alone is left.
  it('loses no segment that only an unsynced log has dropped, on a full disk either', async () => {
    const bench = await Workbench.open();
    const stream = bench.stream('host', 1);
    appendAll(stream, count(0, 10));
    unwrap(await bench.engine.flush());
    await drain(stream, 10);
    bench.disk.autoSteps = 1;
    unwrap(stream.acknowledge(10));
    void bench.engine.checkpoint();
    await settle();
    expect(bench.disk.pending().map(({ kind }) => kind)).toEqual(['sync']);
    const image = bench.disk.crash({ kind: 'kill', underWay: 'undone' }).snapshot();
    let removed = 0;
    for (let steps = 0, finished = false; !finished; steps++) {
      for (let unit = 0, units = 1; unit < units; unit++) {
        const disk = SimulatedDisk.restore(bench.clock, image);
        disk.capacityBytes = disk.totalBytes;
        disk.autoSteps = steps;
        void new Workbench({}, disk).tryOpen().then(() => {
          finished = true;
        });
        await settle();
        units = disk.volatileUnits().length;
        if (!disk.files().some(({ name }) => name === SEG(1))) removed++;
        const left = disk.crash({ kind: 'power', keep: [unit].filter((each) => each < units) });
        left.capacityBytes = Number.POSITIVE_INFINITY;
        const after = await Workbench.open({}, left);
        const { head, damaged } = after.inspect('host', 1);
        expect(damaged, `cut after ${steps} steps, unit ${unit} is left`).toBe(0);
        expect(await retained(after, 'host', 1)).toEqual(count(head, 10 - head));
      }
    }
    expect(removed).toBeGreaterThan(0);
  });
});

/** Three flushes of two streams, one segment a source and flush; nothing acknowledged. Closed. */
async function written(): Promise<Workbench> {
  const bench = await Workbench.open({ poolBytes: 65_536 });
  for (let flush = 0; flush < 3; flush++) {
    appendAll(bench.stream('host', 1), count(flush * 20, 20));
    appendAll(bench.stream('mgc', 2, TSD), count(flush * 20, 20));
    unwrap(await bench.engine.flush());
  }
  unwrap(await bench.engine.close());
  return bench;
}

const reopen = (bench: Workbench): Promise<Workbench> => Workbench.open({ poolBytes: 65_536 }, bench.disk);

describe('the table of cases', () => {
  it('finds a new store: epoch 1, nothing in it', async () => {
    const bench = await Workbench.open();
    expect(bench.engine.recovery).toMatchObject({ found: 'new', epoch: 1, segments: 0, setAside: [] });
  });

  it('finds a closed store clean and a crashed one crashed, under the same id, epoch up by one', async () => {
    const bench = await Workbench.open();
    appendAll(bench.stream('host', 1), [1]);
    const closed = await bench.reopen();
    expect(closed.engine.recovery).toMatchObject({ found: 'clean', epoch: 2, records: 1, salvagedRecords: 0 });
    const crashed = await closed.crash('nothing');
    expect(crashed.engine.recovery).toMatchObject({ found: 'crash', epoch: 3, records: 1 });
    expect(crashed.engine.storeId).toBe(bench.engine.storeId);
    expect(crashed.engine.stats().recoveries).toBe(1);
  });

  // Goal: a file that is damaged is never deleted unasked. Method: flip a bit in the one block of the middle segment.
  it('sets a segment aside of which no block is intact, with a hole in the ledger', async () => {
    const bench = await written();
    bench.disk.flipBit('host', SEG(3), 8 * 70);
    const after = await reopen(bench);
    expect(after.engine.ledger().entries).toEqual([
      { source: 'host', sensor: 1, from: 20, to: 40, records: 20, reason: 'damaged' },
    ]);
    expect(await retained(after, 'host', 1)).toEqual([...count(0, 20), ...count(40, 20)]);
    expect(await retained(after, 'mgc', 2)).toEqual(count(0, 60));
    expect(after.engine.recovery).toMatchObject({
      setAside: [`host/${SEG(3)}.damaged`],
      damagedRecords: 20,
    });
    const again = await after.reopen();
    expect(again.engine.ledger()).toEqual(after.engine.ledger());
    expect(again.engine.recovery.damagedRecords).toBe(0);
  });

  it.each([
    ['of zero length', (disk: SimulatedDisk) => disk.truncate('host', SEG(3), 0)],
    ['of noise', (disk: SimulatedDisk) => disk.place('host', SEG(3), new Uint8Array(5000).fill(0x5a))],
    [
      'that another segment replaced',
      (disk: SimulatedDisk) => disk.place('host', SEG(3), contentOf(disk, 'host', SEG(1))),
    ],
    [
      'that another source’s segment replaced',
      (disk: SimulatedDisk) => disk.place('host', SEG(3), contentOf(disk, 'mgc', SEG(4))),
    ],
  ])('sets aside a live segment %s, never deletes it, and goes on behind it', async (_, damage) => {
    const bench = await written();
    damage(bench.disk);
    const content = contentOf(bench.disk, 'host', SEG(3));
    const after = await reopen(bench);
    expect(after.engine.recovery.setAside).toEqual([`host/${SEG(3)}.damaged`]);
    expect(contentOf(after.disk, 'host', `${SEG(3)}.damaged`)).toEqual(content);
    expect(await retained(after, 'host', 1)).toEqual([...count(0, 20), ...count(40, 20)]);
    expect(after.inspect('host', 1)).toMatchObject({ damaged: 20, holes: [[20, 40]] });
    // A second one of the same name is set aside beside it.
    unwrap(await after.engine.close());
    after.disk.place('host', SEG(3), new Uint8Array(10));
    expect((await reopen(after)).names()).toContain(`host/${SEG(3)}.damaged`);
  });

  it('enters a missing segment as a hole', async () => {
    const bench = await written();
    bench.disk.displace('host', SEG(1));
    const after = await reopen(bench);
    expect(after.inspect('host', 1)).toMatchObject({ head: 20, damaged: 20, holes: [] });
    expect(await retained(after, 'host', 1)).toEqual(count(20, 40));
  });

  // Goal: the newest segment is missed as well, though no block behind it shows that it was there. Method: three flushes, a crash, the last file gone.
  it('knows by the log that the newest segment is missing', async () => {
    const bench = await Workbench.open({ poolBytes: 65_536 });
    for (const first of [0, 20, 40]) {
      appendAll(bench.stream('host', 1), count(first, 20));
      unwrap(await bench.engine.flush());
    }
    bench.disk.displace('host', SEG(3));
    const after = await bench.crash('nothing');
    expect(after.engine.ledger().entries).toMatchObject([{ from: 40, to: 60, records: 20, reason: 'damaged' }]);
    expect(after.stream('host', 1).append(1, 1)).toBe(60);
  });

  // Goal: swapped, moved and copied segments are neither read as something else nor deleted. Method: swap two files; copy one to a fresh number and into another directory.
  it('sets aside files that stand under another’s name', async () => {
    const bench = await written();
    const [one, three] = [contentOf(bench.disk, 'host', SEG(1)), contentOf(bench.disk, 'host', SEG(3))];
    bench.disk.place('host', SEG(1), three);
    bench.disk.place('host', SEG(3), one);
    bench.disk.place('host', SEG(900), one);
    bench.disk.place('can_controller', SEG(2), one);
    const after = await reopen(bench);
    expect([...after.engine.recovery.setAside].sort()).toEqual(
      [`can_controller/${SEG(2)}`, `host/${SEG(1)}`, `host/${SEG(3)}`, `host/${SEG(900)}`].map(
        (name) => `${name}.damaged`,
      ),
    );
    expect(await retained(after, 'host', 1)).toEqual(count(40, 20));
    expect(await retained(after, 'mgc', 2)).toEqual(count(0, 60));
    appendAll(after.stream('host', 1), [60]);
    unwrap(await after.engine.flush());
    expect(Math.max(...after.engine.inspect().segments.map(({ number }) => number))).toBeGreaterThan(900);
  });

  it('sets aside the segments of another store, and reads nothing from them', async () => {
    const bench = await written();
    const other = new Workbench({ poolBytes: 65_536 });
    other.ids.next();
    unwrap(await other.tryOpen());
    appendAll(other.stream('host', 1), [666, 667]);
    unwrap(await other.engine.flush());
    bench.disk.place('host', SEG(50), contentOf(other.disk, 'host', SEG(1)));
    bench.disk.place('mgc', SEG(4), contentOf(other.disk, 'host', SEG(1)));
    const foreign = contentOf(other.disk, 'host', SEG(1));
    const after = await reopen(bench);
    // 50 is misplaced and foreign, mgc/4 is a live one that was overwritten.
    expect([...after.engine.recovery.setAside].sort()).toEqual([`host/${SEG(50)}.damaged`, `mgc/${SEG(4)}.damaged`]);
    expect(contentOf(after.disk, 'host', `${SEG(50)}.damaged`)).toEqual(foreign);
    expect(await retained(after, 'host', 1)).toEqual(count(0, 60));
    expect(await retained(after, 'mgc', 2)).toEqual([...count(0, 20), ...count(40, 20)]);
  });

  // Goal: files that the log has forgotten go, and their records do not come back. Method: put an acknowledged, removed segment back.
  it('removes a segment that the log has forgotten', async () => {
    const bench = await written();
    const content = contentOf(bench.disk, 'host', SEG(1));
    const again = await reopen(bench);
    await drain(again.stream('host', 1), 20);
    unwrap(again.stream('host', 1).acknowledge(20));
    unwrap(await again.engine.close());
    expect(again.names()).not.toContain(`host/${SEG(1)}`);
    again.disk.place('host', SEG(1), content);
    const after = await reopen(again);
    expect(after.names()).not.toContain(`host/${SEG(1)}`);
    expect(await retained(after, 'host', 1)).toEqual(count(20, 40));
  });

  // Goal: names that are nobody's are left alone and lead nothing astray. Method: stray files, one numbered beyond all use.
  it('leaves files alone that are not the store’s', async () => {
    const bench = await written();
    const strays: [Directory, string][] = [
      ['host', 'README'],
      ['host', '999999999999.seg'],
      ['host', '1.seg'],
      ['', 'notes.txt'],
      ['', SEG(1)],
    ];
    for (const [directory, name] of strays) bench.disk.place(directory, name, new Uint8Array(100));
    const after = await reopen(bench);
    for (const [directory, name] of strays) expect(contentOf(after.disk, directory, name)).toHaveLength(100);
    appendAll(after.stream('host', 1), [60]);
    const again = await after.reopen();
    expect(await retained(again, 'host', 1)).toEqual(count(0, 61));
  });

  // Goal: without the log every intact record is found, and no identity repeats. Method: remove all log files.
  it('believes all segments when the log is gone, and jumps the epoch', async () => {
    const bench = await written();
    for (const { name } of bench.disk.files().filter(({ directory }) => directory === ''))
      bench.disk.displace('', name);
    const after = await reopen(bench);
    expect(after.engine.storeId).toBe(bench.engine.storeId);
    expect(after.engine.epoch).toBeGreaterThan(65_536);
    expect(await retained(after, 'host', 1)).toEqual(count(0, 60));
    expect(await retained(after, 'mgc', 2)).toEqual(count(0, 60));
    appendAll(after.stream('host', 1), [60]);
    expect(after.stream('host', 1).marks().appended).toBe(61);
  });
});

describe('a log that is gone', () => {
  // Goal: what was acknowledged long ago is no loss. Method: acknowledge the first segment, close, remove the log.
  it('takes what lies before a stream’s oldest block for acknowledged, and ledgers nothing', async () => {
    const bench = await reopen(await written());
    const stream = bench.stream('host', 1);
    unwrap(await stream.read(20));
    unwrap(stream.acknowledge(20));
    unwrap(await bench.engine.close());
    for (const { name } of bench.disk.files().filter(({ directory }) => directory === ''))
      bench.disk.displace('', name);
    const after = await reopen(bench);
    expect(after.engine.ledger().entries).toEqual([]);
    expect(after.inspect('host', 1)).toMatchObject({ head: 20, appended: 60, damaged: 0 });
  });
});

describe('a commit of which nobody knows', () => {
  // Goal: the files that a failed commit names stay until the next generation is durable, for the batch may have reached the disk. Method: its sync fails, all that was written survives nevertheless.
  it.each(['all that was written', 'nothing'])(
    'is whole or not there when power fails after its failure and %s survives',
    async (what) => {
      const bench = await Workbench.open({ poolBytes: 65_536 });
      const stream = bench.stream('host', 1);
      appendAll(stream, count(0, 20));
      bench.fault({ kind: 'sync', directory: '', times: 1, fault: { code: 'IO' } });
      expect(codeOf(await bench.engine.flush())).toBe('IO_FAILED');
      const all = bench.disk.volatileUnits().map((_, unit) => unit);
      const after = await bench.crash(what === 'nothing' ? 'nothing' : all);
      expect(await retained(after, 'host', 1)).toEqual(count(0, 20));
      expect(after.engine.ledger().entries).toEqual([]);
    },
  );
});

describe('a damaged log', () => {
  /** Six flushes, each batch in the log beside the snapshot; the first is acknowledged and gone. */
  async function loggedStore(): Promise<Workbench> {
    const bench = await Workbench.open({ poolBytes: 65_536 });
    for (let flush = 0; flush < 6; flush++) {
      appendAll(bench.stream('host', 1), count(flush * 10, 10));
      appendAll(bench.stream('can_controller', 0xffff_ffff), count(flush * 10, 10));
      unwrap(await bench.engine.flush());
      if (flush === 1) {
        await drain(bench.stream('host', 1), 10);
        unwrap(bench.stream('host', 1).acknowledge(10));
        unwrap(await bench.engine.checkpoint());
      }
    }
    return bench;
  }

  const logNameOf = (disk: SimulatedDisk): string =>
    disk.files().find(({ name }) => name.startsWith('checkpoint-'))?.name ?? 'none';

  // Goal: one flipped bit in the log costs no record of any segment (format: at most one block). Method: every byte of a log of many batches, one at a time; nothing intact on disk may vanish.
  it.each(['appended', 'a snapshot'])('loses no record to a flipped byte anywhere in it (batches %s)', async (form) => {
    const bench = await loggedStore();
    const first = form === 'a snapshot' ? await bench.crash('nothing') : bench;
    const image = first.disk.snapshot();
    const name = logNameOf(first.disk);
    const log = contentOf(first.disk, '', name);
    const used = log.findLastIndex((byte) => byte !== 0) + 1;
    for (let at = 0; at < used; at++) {
      const disk = SimulatedDisk.restore(bench.clock, image);
      disk.flipBit('', name, at * 8 + (at % 8));
      const after = await Workbench.open({ poolBytes: 65_536 }, disk);
      const host = await retained(after, 'host', 1);
      const can = await retained(after, 'can_controller', 0xffff_ffff);
      // The acknowledged ten may come back when the batch that said so is hit; nothing else may go or change.
      expect(host.slice(-50), `byte ${at}`).toEqual(count(10, 50));
      if (host.length !== 50) expect(host).toEqual(count(0, 60));
      expect(can, `byte ${at}`).toEqual(count(0, 60));
      const again = await after.crash('nothing');
      expect(await retained(again, 'host', 1)).toEqual(host);
      expect(await retained(again, 'can_controller', 0xffff_ffff)).toEqual(can);
    }
  });

  // Goal: what a damaged log may have named is never deleted for being damaged itself. Method: a byte of the log and a segment of it, emptied or without a block.
  it('keeps a segment that it may have named and of which nothing can be read', async () => {
    const bench = await loggedStore();
    const image = bench.disk.snapshot();
    const name = logNameOf(bench.disk);
    const used = contentOf(bench.disk, '', name).findLastIndex((byte) => byte !== 0) + 1;
    for (let at = 0; at < used; at += 3) {
      const disk = SimulatedDisk.restore(bench.clock, image);
      disk.flipBit('', name, at * 8 + (at % 8));
      disk.truncate('host', SEG(5), at % 2 === 0 ? 0 : 70);
      const after = await Workbench.open({ poolBytes: 65_536 }, disk);
      expect(after.engine.recovery.setAside, `byte ${at}`).toContain(`host/${SEG(5)}.damaged`);
      expect(after.disk.files().some((file) => file.name === `${SEG(5)}.damaged`)).toBe(true);
    }
  });

  // Goal: an unreadable log or segment is damage, not a reason not to start. Method: reads fail for good, whole files or from a page on.
  it('opens when the medium refuses the log, and when it refuses a segment', async () => {
    const bench = await loggedStore();
    const image = bench.disk.snapshot();
    const noLog = SimulatedDisk.restore(bench.clock, image);
    noLog.faults.push({ kind: 'read', directory: '', times: Number.POSITIVE_INFINITY, fault: { code: 'IO' } });
    const after = await Workbench.open({ poolBytes: 65_536 }, noLog);
    expect((await retained(after, 'host', 1)).slice(-50)).toEqual(count(10, 50));

    const noSegment = SimulatedDisk.restore(bench.clock, image);
    noSegment.faults.push({
      kind: 'read',
      directory: 'host',
      namePrefix: SEG(5),
      times: Number.POSITIVE_INFINITY,
      fault: { code: 'IO' },
    });
    const without = await Workbench.open({ poolBytes: 65_536 }, noSegment);
    expect(await retained(without, 'host', 1)).toEqual([...count(10, 10), ...count(30, 30)]);
    expect(without.engine.recovery.setAside).toEqual([`host/${SEG(5)}.damaged`]);
  });

  // Goal: a missing permission is said, nothing is set aside for it. Method: reads are denied.
  it.each(['', 'host'] as const)(
    'refuses to open, and moves nothing, when reading is not permitted in "%s"',
    async (directory) => {
      const bench = await loggedStore();
      const disk = SimulatedDisk.restore(bench.clock, bench.disk.snapshot());
      const names = disk.files().map(({ name }) => name);
      disk.faults.push({ kind: 'read', directory, times: Number.POSITIVE_INFINITY, fault: { code: 'DENIED' } });
      const refused = new Workbench({ poolBytes: 65_536 }, disk);
      expect(codeOf(await refused.tryOpen())).toBe('IO_FAILED');
      expect(disk.files().map(({ name }) => name)).toEqual(names);
      disk.faults.length = 0;
      expect(codeOf(await refused.tryOpen())).toBe('ok');
    },
  );
});

describe('salvage', () => {
  // Goal: what a cut-off flush left whole is kept (INV-16). Method: cut a flush of two streams before its commit.
  it('copies the blocks of a cut-off flush that continue their stream', async () => {
    const bench = await Workbench.open({ poolBytes: 65_536 });
    appendAll(bench.stream('host', 1), count(0, 40));
    appendAll(bench.stream('mgc', 2, TSD), count(0, 40));
    // Two segments and their directories are synced; the commit is not written.
    bench.disk.autoSteps = 6;
    void bench.engine.flush();
    await settle();
    expect(bench.disk.pending().map(({ kind, directory }) => [kind, directory])).toEqual([['write', '']]);
    const after = await bench.crash('nothing');
    expect(after.engine.recovery).toMatchObject({
      found: 'crash',
      salvagedRecords: 80,
      records: 80,
      damagedRecords: 0,
    });
    expect(await retained(after, 'host', 1)).toEqual(count(0, 40));
    expect(await retained(after, 'mgc', 2)).toEqual(count(0, 40));
    // Copied into fresh segments; the originals are gone.
    expect(after.engine.inspect().segments.map(({ number }) => number)).toEqual([3, 4]);
    expect(after.names().filter((name) => name.endsWith('.seg'))).toEqual([`host/${SEG(3)}`, `mgc/${SEG(4)}`]);
  });

  // Goal: a gap ends the prefix. Method: of a cut-off flush in several segments the first is torn.
  it('ends the prefix at the first record that is missing', async () => {
    const bench = await Workbench.open({ poolBytes: 1_048_576, sectorBytes: 4096, quotaBytes: '4MiB' });
    const stream = bench.stream('host', 1, TSD);
    appendAll(stream, scattered(0, 40_000));
    bench.disk.autoSteps = 6;
    void bench.engine.flush();
    await settle();
    const left = bench.disk.crash({ kind: 'power', keep: 'everything' });
    expect(left.files().filter(({ name }) => name.endsWith('.seg'))).toHaveLength(3);
    const second = scanSegment(contentOf(left, 'host', SEG(2)));
    left.truncate('host', SEG(2), 20_000);
    const after = new Workbench({ poolBytes: 1_048_576, sectorBytes: 4096, quotaBytes: '4MiB' }, left);
    unwrap(await after.tryOpen());
    const values = await retained(after, 'host', 1);
    expect(values).toEqual(scattered(0, values.length));
    const firstOfSecond = second.state === 'ok' ? (second.blocks[0]?.first ?? 0) : 0;
    expect(values.length).toBeGreaterThan(firstOfSecond);
    expect(values.length).toBeLessThan(firstOfSecond + 5_000);
  });

  // Goal: the quota holds during recovery as well (INV-10). Method: a cut-off flush in a store whose quota is nearly used; the disk notes its peak.
  it('stays under the quota while it copies, and leaves out what does not fit', async () => {
    const input = { poolBytes: 3200, quotaBytes: 155_648, streamsMax: 4, ledgerMax: 4 };
    const bench = await Workbench.open(input);
    const stream = bench.stream('host', 1);
    while (!bench.typesOfEvents().includes('segmentEvicted')) {
      appendAll(stream, count(stream.marks().appended, 150));
      unwrap(await bench.engine.flush());
    }
    const synced = stream.marks().appended;
    appendAll(stream, count(synced, 150));
    bench.disk.autoSteps = 4;
    void bench.engine.flush();
    await settle();
    const disk = bench.disk.crash({ kind: 'power', keep: 'everything' });
    // What segments may take: the rest is the log's, twice over.
    const limit = 155_648 - 2 * checkpointReserveBytes(bench.settings);
    const { write } = disk;
    let peak = 0;
    disk.write = async (...call) => {
      const written = await write.apply(disk, call);
      const segments = disk.files().filter(({ name }) => name.endsWith('.seg'));
      peak = Math.max(
        peak,
        segments.reduce((sum, { content }) => sum + allocatedBytes(content.length), 0),
      );
      return written;
    };
    const after = await Workbench.open(input, disk);
    expect(peak).toBeGreaterThan(limit - 8192);
    expect(peak).toBeLessThanOrEqual(limit);
    expect(after.disk.counts.peakBytes).toBeLessThanOrEqual(155_648);
    const values = await retained(after, 'host', 1);
    const { head } = after.stream('host', 1).marks();
    expect(values).toEqual(count(head, values.length));
    expect(head + values.length).toBeGreaterThanOrEqual(synced);
  });

  // Goal: a recovery that was cut off takes no room from the next one (INV-18). Method: the flush of a store that is nearly
  // full is cut at each step; recovery then at each of its own, with and without what it wrote, or with its length only.
  it('copies the same again when the copy of a recovery that was cut off is in the way', async () => {
    const salvaged = new Set<number>();
    for (let cut = 0; cut < 12; cut++) {
      const { clock, image } = await cutOffWhenFull(cut);
      const whole = await Workbench.open(FULL, SimulatedDisk.restore(clock, image));
      const values = [await retained(whole, 'host', 1), await retained(whole, 'mgc', 2)];
      salvaged.add(whole.engine.recovery.salvagedRecords);
      for (let steps = 0, finished = false; !finished; steps++) {
        for (const keep of ['nothing', 'everything', [0, 2]] as const) {
          const disk = SimulatedDisk.restore(clock, image);
          disk.autoSteps = steps;
          void new Workbench(FULL, disk).tryOpen().then(() => {
            finished = true;
          });
          await settle();
          const again = await Workbench.open(FULL, disk.crash({ kind: 'power', keep }));
          const after = [await retained(again, 'host', 1), await retained(again, 'mgc', 2)];
          expect(after, `flush cut after ${cut} steps, recovery after ${steps}, keeping ${keep}`).toEqual(values);
        }
      }
    }
    expect(Math.max(...salvaged)).toBeGreaterThan(0);
  });
});

const FULL = { poolBytes: 160, sectorBytes: 32, quotaBytes: 65_536, streamsMax: 8, ledgerMax: 64 };

/** A store that evicts with every flush; the last one is cut off after some of its I/O steps. */
async function cutOffWhenFull(steps: number) {
  const bench = await Workbench.open(FULL);
  const streams = [bench.stream('host', 1), bench.stream('mgc', 2)];
  const append = (): void => {
    for (const stream of streams) appendAll(stream, count(stream.marks().appended, 2));
  };
  while (!bench.typesOfEvents().includes('segmentEvicted')) {
    append();
    unwrap(await bench.engine.flush());
  }
  append();
  bench.disk.autoSteps = steps;
  void bench.engine.flush();
  await settle();
  return { clock: bench.clock, image: bench.disk.crash({ kind: 'power', keep: 'everything' }).snapshot() };
}

describe('what is not known', () => {
  /** The same header with version 4 and a valid checksum. */
  function newer(content: Uint8Array, crcAt: number): Uint8Array {
    const bytes = content.slice();
    bytes[8] = 4;
    new DataView(bytes.buffer).setUint32(crcAt, crc32(bytes, 0, crcAt, 0), true);
    return bytes;
  }

  // Goal: a format of the future is refused and nothing is touched. Method: version 4 with a right checksum in a segment, then in the log; compare every byte and name.
  it.each(['segment', 'checkpoint'])('refuses a %s of version 4 and changes not one byte or name', async (which) => {
    const bench = await written();
    const file = bench.disk.files().find(({ name }) => (which === 'segment') === name.endsWith('.seg'));
    if (file === undefined) throw new Error('no such file');
    bench.disk.place(file.directory, file.name, newer(file.content, 60));
    const before = bench.disk.files();
    const again = new Workbench({}, bench.disk);
    const opened = await again.tryOpen();
    expect(codeOf(opened)).toBe('UNSUPPORTED_FORMAT');
    expect(opened.ok ? '' : opened.failure.message).toMatch(
      /format version 4, this program knows 1, 2 and 3: open the store with/,
    );
    expect(bench.disk.files()).toEqual(before);
    expect(bench.disk.pending()).toEqual([]);
    // Nothing is held either: whoever can read it may open it now.
    expect(await bench.disk.lock()).toEqual({ ok: true });
  });

  it('refuses settings with fewer streams than the store has, and says so', async () => {
    const bench = await written();
    const small = new Workbench({ poolBytes: 65_536, streamsMax: 1 }, bench.disk);
    const opened = await small.tryOpen();
    expect(codeOf(opened)).toBe('CONFIG_INVALID');
    expect(opened.ok ? '' : opened.failure.message).toMatch(/streamsMax is 1.*raise streamsMax/);
    expect(await retained(await reopen(bench), 'host', 1)).toEqual(count(0, 60));
  });
});
