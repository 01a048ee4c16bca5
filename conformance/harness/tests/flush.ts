/** The numbered tests about what leaves RAM and when: the threshold, the flush, the files it writes, and their end. */
import { readFileSync } from 'node:fs';
import type { StreamHandle } from '../../../src/core/stream-handle.ts';
import type { Bench } from '../bench.ts';
import { SOURCES, segmentsOf, valuesIn } from '../files.ts';
import type { Opened } from '../stores.ts';
import {
  appendAll,
  CLASSIC,
  count,
  EVT,
  given,
  openStore,
  readExactly,
  settle,
  streamOf,
  TSD,
  until,
} from '../stores.ts';
import type { Run } from '../table.ts';

/** Writes single records until so many sectors are in use. @returns the values. */
function fillTo(store: Opened, stream: StreamHandle, sectors: number): number[] {
  const values: number[] = [];
  while (store.engine.inspect().pool.used < sectors) {
    appendAll(stream, [values.length]);
    values.push(values.length);
  }
  return values;
}

const asked = ({ events }: Opened): boolean => events.some(({ type }) => type === 'flushRequested');

/** 25. */
async function modeManagement(bench: Bench): Promise<void> {
  const store = await openStore(bench, { settings: { ...CLASSIC, poolBytes: 3_200 } });
  const { sectors, used } = store.engine.inspect().pool;
  bench.equal('sectors in use', used, 0);
  const stream = streamOf(store, 'host', 25);
  const below = Math.ceil(sectors * 0.8) - 1;
  fillTo(store, stream, below);
  await settle();
  const percent = Math.floor((100 * below) / sectors);
  bench.equal(`a flush is asked for at ${percent} %`, asked(store), false);
  bench.equal('mode', store.engine.inspect().lifecycle, 'ram');
  while (store.engine.inspect().pool.used <= below) appendAll(stream, [0]);
  bench.holds(
    'use',
    store.engine.stats().ramUsagePercent >= 80,
    'at least 80 %',
    () => `${store.engine.stats().ramUsagePercent} %`,
  );
  bench.equal('a flush is asked for at 80 %', asked(store), bench.hasDisk);
  if (bench.hasDisk) {
    await until(
      bench,
      'the flush',
      () => store.engine.stats().flushes === 1,
      () => store.engine.stats().flushes,
    );
    bench.equal('mode when it has ended', store.engine.inspect().lifecycle, 'ram');
    bench.equal('sectors in use when it has ended', store.engine.inspect().pool.used, 0);
  } else {
    await settle();
    bench.equal('flushes without a disk', store.engine.stats().flushes, 0);
    bench.equal('records retained', store.engine.stats().retained, stream.marks().appended);
  }
  bench.did(`filled ${below} of ${sectors} sectors, then one more`);
}

/** 26. */
async function diskIo(bench: Bench): Promise<void> {
  const store = await openStore(bench);
  const sensors = bench.hasDisk ? 20 : 12;
  const written = new Map<number, number[]>();
  for (let sensor = 0; sensor < sensors; sensor++) {
    const values = Array.from({ length: bench.hasDisk ? 60 : 8 }, () => bench.random.next());
    appendAll(streamOf(store, 'host', sensor), values);
    written.set(sensor, values);
  }
  given('flush', await store.engine.flush());
  if (bench.hasDisk) {
    // The reader of the test checks the checksum of each block, which covers its place, and refuses a file that fails one.
    const blocks = segmentsOf(bench.directory, 'host').flatMap(({ layout }) => layout.blocks);
    bench.holds(
      'blocks, each with a checksum of its own',
      blocks.length >= sensors,
      `at least ${sensors}`,
      () => blocks.length,
    );
    for (const [sensor, values] of written)
      bench.sameNumbers(`sensor ${sensor} on disk`, valuesIn(bench.directory, 'host', sensor), values);
    for (const { path, layout } of segmentsOf(bench.directory, 'host')) {
      const content = readFileSync(path);
      const sums = layout.blocks.map(({ to }) => content.readUInt32LE(to - 4));
      bench.equal(`different checksums in ${layout.name}`, new Set(sums).size, sums.length);
    }
  }
  for (const [sensor, values] of written)
    await readExactly(bench, `sensor ${sensor} read`, streamOf(store, 'host', sensor), values, 0);
  bench.did(
    `wrote ${sensors} sensors and looked at each ${bench.hasDisk ? 'block with a reader of its own' : 'sector chain'}`,
  );
}

/** 27. */
async function ramToDisk(bench: Bench): Promise<void> {
  const store = await openStore(bench);
  const records = bench.hasDisk ? 900 : 60;
  const streams = SOURCES.map((source) => streamOf(store, source, 27, TSD));
  for (const [i, stream] of streams.entries()) appendAll(stream, count(1_000 * i, records));
  const { used } = store.engine.inspect().pool;
  bench.equal('records at risk before', store.engine.stats().atRisk, 3 * records);
  given('flush', await store.engine.flush());
  const stats = store.engine.stats();
  if (bench.hasDisk) {
    bench.equal('records at risk behind it', stats.atRisk, 0);
    bench.equal('sectors in use behind it', stats.poolUsedSectors, 0);
    const moved = SOURCES.flatMap((source) => segmentsOf(bench.directory, source)).flatMap(
      ({ layout }) => layout.blocks,
    );
    bench.equal(
      'records in the files',
      moved.reduce((sum, block) => sum + block.records.length, 0),
      3 * records,
    );
    given('flush', await store.engine.flush());
    bench.equal('segments written by a flush of nothing', store.engine.stats().segmentsWritten, stats.segmentsWritten);
  } else {
    bench.equal('records at risk: there is nowhere to move them', stats.atRisk, 3 * records);
    bench.equal('sectors in use', stats.poolUsedSectors, used);
  }
  for (const [i, stream] of streams.entries())
    await readExactly(bench, `source ${i}`, stream, count(1_000 * i, records), 0, 37);
  bench.did(`moved ${3 * records} records of three sources ${bench.hasDisk ? 'once' : 'nowhere'}`);
}

/** 29. */
async function realDataFlush(bench: Bench): Promise<void> {
  const store = await openStore(bench, { settings: { ...CLASSIC, poolBytes: 16_384 } });
  const stream = streamOf(store, 'can_controller', 29, EVT);
  const { sectors } = store.engine.inspect().pool;
  const values = fillTo(store, stream, Math.ceil(sectors * 0.8));
  if (bench.hasDisk) {
    await until(
      bench,
      'the flush at 80 %',
      () => store.engine.stats().flushes === 1,
      () => store.engine.stats().flushes,
    );
    bench.sameNumbers('content of the files, in order', valuesIn(bench.directory, 'can_controller', 29), values);
    for (const { layout } of segmentsOf(bench.directory, 'can_controller'))
      for (const block of layout.blocks)
        for (const record of block.records)
          bench.each(record.timeMs === 1_700_000_000_000 + record.sequence * 1_000, () => [
            'time in the file',
            record.sequence,
            record.timeMs,
          ]);
    await readExactly(bench, 'read back', stream, values, 0, 50);
  } else {
    while (store.engine.stats().evicted === 0) {
      appendAll(stream, [values.length]);
      values.push(values.length);
    }
    const [lost] = store.engine.ledger().entries;
    bench.equal('given up: from the oldest record on', [lost?.from, lost?.reason], [0, 'evicted']);
    const from = lost?.to ?? 0;
    await readExactly(bench, 'what is left', stream, values.slice(from), from, 50);
  }
  bench.did(`filled the pool with ${values.length} records of one sensor`);
}

/** 32. */
async function fullCycle(bench: Bench): Promise<void> {
  const store = await openStore(bench);
  const streams = SOURCES.map((source) => streamOf(store, source, 32));
  const records = bench.hasDisk ? 300 : 20;
  for (let cycle = 0; cycle < 3; cycle++) {
    for (const stream of streams) appendAll(stream, count(cycle * records, records));
    given('flush', await store.engine.flush());
    for (const stream of streams) {
      await readExactly(bench, `cycle ${cycle}`, stream, count(cycle * records, records), cycle * records, 64);
      bench.equal('acknowledged', given('acknowledge', stream.acknowledge(stream.marks().pending)), records);
    }
    given('checkpoint', await store.engine.checkpoint());
    if (!bench.hasDisk) continue;
    const files = (): number => SOURCES.flatMap((source) => segmentsOf(bench.directory, source)).length;
    // Segments without records go with the work that is done in the background.
    await until(
      bench,
      'segments behind a cycle',
      () => store.engine.inspect().segments.length === 0 && files() === 0,
      files,
    );
    bench.equal('segment files left', files(), 0);
  }
  bench.equal('sectors in use', store.engine.inspect().pool.used, 0);
  bench.equal('retained', store.engine.stats().retained, 0);
  bench.did(`wrote, flushed, read and acknowledged ${9 * records} records in three cycles`);
}

/** 41. */
async function flushAndGather(bench: Bench): Promise<void> {
  const store = await openStore(bench);
  const stream = streamOf(store, 'mgc', 41, EVT);
  const records = bench.hasDisk ? 3_000 : 150;
  appendAll(stream, count(0, records));
  const chain = store.engine.inspect().streams[0]?.sectors ?? [];
  bench.holds('sectors of the chain', chain.length > 50, 'many', () => chain.length);
  given('flush', await store.engine.flush());
  if (bench.hasDisk) bench.sameNumbers('gathered into files', valuesIn(bench.directory, 'mgc', 41), count(0, records));
  const whole = given('read', await stream.read(records));
  bench.sameNumbers('read in one piece', whole.values, count(0, records));
  bench.equal(
    'sum of the chain',
    whole.values.reduce((a, b) => a + b, 0),
    (records * (records - 1)) / 2,
  );
  bench.did(`gathered a chain of ${chain.length} sectors, whole`);
}

export const FLUSH: Readonly<Record<number, Run>> = {
  25: modeManagement,
  26: diskIo,
  27: ramToDisk,
  29: realDataFlush,
  32: fullCycle,
  41: flushAndGather,
};
