/** The numbered tests about the directory: its tree, its paths, what is found in it again, and the space that it may take. */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { resolveSettings } from '../../../src/core/config.ts';
import { Engine } from '../../../src/core/engine.ts';
import { MAX_DISK_STORAGE_MB } from '../../../src/legacy/codes.ts';
import { createLinuxPlatform } from '../../../src/platform/linux.ts';
import { createWicedPlatform } from '../../../src/platform/wiced.ts';
import { openStore as openOnPath, StoreError } from '../../../src/store.ts';
import type { Bench } from '../bench.ts';
import { bytesUnder, SOURCES, segmentsOf, valuesIn } from '../files.ts';
import type { Opened } from '../stores.ts';
import {
  appendAll,
  CLASSIC,
  count,
  given,
  inspected,
  newDisk,
  openStore,
  readExactly,
  refused,
  SMALL,
  streamOf,
  until,
  wicedPlatform,
  wicedSettings,
} from '../stores.ts';
import type { Run } from '../table.ts';

const PATH_OPTIONS = { poolBytes: 65_536, sectorBytes: 32, quotaBytes: 4_194_304, freeFloorBytes: 0 };

/** 24. */
async function diskInfrastructure(bench: Bench): Promise<void> {
  if (!bench.hasDisk) return nothingOnDisk(bench);
  const root = join(bench.directory, 'not', 'yet', 'there');
  const engine = given(
    'open',
    await Engine.open(createLinuxPlatform({ directory: root }), given('settings', resolveSettings(CLASSIC))),
  );
  for (const directory of ['', ...SOURCES]) {
    const found = statSync(join(root, directory));
    bench.equal(`mode of ${directory === '' ? 'the root' : directory}`, (found.mode & 0o777).toString(8), '755');
  }
  given('close', await engine.close());
  const file = join(bench.directory, 'file');
  writeFileSync(file, '');
  const opened = await Engine.open(
    createLinuxPlatform({ directory: join(file, 'store') }),
    given('settings', resolveSettings(CLASSIC)),
  );
  refused(bench, 'a directory that cannot be made', opened, 'IO_FAILED');
  const message = opened.ok ? '' : opened.failure.message;
  bench.holds('the refusal', message.includes(file), 'names the path', () => message);
  bench.equal('the file in the way', readFileSync(file, 'utf8'), '');
  bench.did('made the tree three directories deep, and was refused where none can be made');
}

/** Without a disk, flush and checkpoint have nothing to do, and nothing is called durable. */
async function nothingOnDisk(bench: Bench): Promise<void> {
  const { engine } = await openStore(bench);
  appendAll(streamOf({ engine }, 'host', 24), count(0, 20));
  given('flush', await engine.flush());
  given('checkpoint', await engine.checkpoint());
  const { atRisk, flushes, bytesWritten, syncs, diskBytes } = engine.stats();
  bench.equal('records at risk behind a flush', atRisk, 20);
  bench.equal('flushes, bytes and syncs', [flushes, bytesWritten, syncs, diskBytes], [0, 0, 0, 0]);
  bench.equal('segments', engine.inspect().segments, []);
  bench.did('flushed and checkpointed a store without a disk: no directory, no file, nothing called durable');
}

/** 28. */
async function recoveryOperations(bench: Bench): Promise<void> {
  if (!bench.hasDisk) return nothingRecovered(bench);
  const first = await openStore(bench);
  const stream = streamOf(first, 'mgc', 28);
  appendAll(stream, count(0, 200));
  given('flush', await first.engine.flush());
  given('read', await stream.read(80));
  given('acknowledge', stream.acknowledge(50));
  appendAll(stream, count(200, 40));
  given('close', await first.engine.close());
  const second = await openStore(bench);
  const { head, read, synced, appended } = inspected(second, 'mgc', 28);
  bench.equal('marks: head, read, synced, appended', [head, read, synced, appended], [50, 50, 240, 240]);
  bench.equal('epoch', [first.engine.epoch, second.engine.epoch], [1, 2]);
  bench.equal('store id', second.engine.storeId, first.engine.storeId);
  bench.equal('found', second.engine.recovery.found, 'clean');
  await readExactly(bench, 'recovered', streamOf(second, 'mgc', 28), count(50, 190), 50, 33);
  given('close', await second.engine.close());
  await recoveryAfterPowerCut(bench);
  bench.did('closed and opened a store, and cut the power of another: marks and records exact both times');
}

async function recoveryAfterPowerCut(bench: Bench): Promise<void> {
  const disk = newDisk();
  const store = await openStore(bench, { settings: SMALL, on: disk });
  const stream = streamOf(store, 'host', 28);
  appendAll(stream, count(0, 10));
  given('flush', await store.engine.flush());
  appendAll(stream, count(10, 3));
  const left = disk.crash({ kind: 'power', keep: 'nothing' });
  const after = await openStore(bench, { settings: SMALL, on: left });
  bench.equal('found behind a power cut', after.engine.recovery.found, 'crash');
  const { head, read, synced, appended } = inspected(after, 'host', 28);
  bench.equal('marks behind it: what was synced, and no more', [head, read, synced, appended], [0, 0, 10, 10]);
  await readExactly(bench, 'synced before the power cut', streamOf(after, 'host', 28), count(0, 10), 0);
}

async function nothingRecovered(bench: Bench): Promise<void> {
  const settings = given('settings', wicedSettings());
  const first = given('open', await Engine.open(wicedPlatform(undefined, 1), settings));
  appendAll(streamOf({ engine: first }, 'mgc', 28), count(0, 20));
  given('close', await first.close());
  const second = given('open', await Engine.open(wicedPlatform(undefined, 2), settings));
  bench.equal('found behind a restart', second.recovery.found, 'new');
  bench.equal('streams behind a restart', second.streams().length, 0);
  bench.holds('store id', second.storeId !== first.storeId, 'another', () => second.storeId);
  const again = streamOf({ engine: second }, 'mgc', 28);
  bench.equal('marks of the same sensor', [again.marks().head, again.marks().appended], [0, 0]);
  bench.did('restarted a store without a disk: a new store, under a new id');
}

/** 30. */
async function chronologicalConsumption(bench: Bench): Promise<void> {
  if (!bench.hasDisk) return consumedBySequence(bench);
  const first = await openStore(bench);
  const stream = streamOf(first, 'host', 30);
  for (let flush = 0; flush < 4; flush++) {
    appendAll(stream, count(flush * 25, 25));
    given('flush', await first.engine.flush());
  }
  given('close', await first.engine.close());
  const files = segmentsOf(bench.directory, 'host');
  bench.equal('segments', files.length, 4);
  // The newest file now claims to be the oldest.
  for (const [i, { path }] of files.entries()) utimesSync(path, 2_000_000_000 - i * 86_400, 2_000_000_000 - i * 86_400);
  const second = await openStore(bench);
  const again = streamOf(second, 'host', 30);
  let at = 0;
  for (const max of [7, 18, 30, 1, 1, 43]) {
    const batch = given('read', await again.read(max));
    bench.sameNumbers(`a read of ${max} from record ${at} on`, batch.values, count(at, Math.min(max, 100 - at)));
    at += batch.length;
  }
  bench.equal('records read', at, 100);
  bench.did('turned the times of four files around and read them in pieces: by sequence');
}

async function consumedBySequence(bench: Bench): Promise<void> {
  const store = await openStore(bench);
  const stream = streamOf(store, 'host', 30);
  for (let i = 0; i < 60; i++) bench.each(stream.append(i, 60_000 - i * 1_000) === i, () => ['append', i, 'refused']);
  let at = 0;
  for (const max of [7, 18, 30, 1, 10]) {
    const batch = given('read', await stream.read(max));
    bench.sameNumbers(`a read of ${max} from record ${at} on`, batch.values, count(at, Math.min(max, 60 - at)));
    bench.sameNumbers(
      'its times',
      batch.timesMs,
      count(at, batch.length).map((i) => 60_000 - i * 1_000),
    );
    at += batch.length;
  }
  bench.did('wrote with a clock that runs backwards and read in pieces: by sequence');
}

/** A flush for each of so many batches, under a quota. */
async function underQuota(bench: Bench, quotaBytes: number): Promise<Opened> {
  const store = await openStore(bench, { settings: { ...SMALL, quotaBytes }, on: newDisk() });
  const stream = streamOf(store, 'host', 31);
  for (let flush = 0; flush < 12; flush++) {
    appendAll(stream, count(flush * 4, 4));
    given('flush', await store.engine.flush());
  }
  return store;
}

/** 31. */
async function quotaLimit(bench: Bench): Promise<void> {
  if (!bench.hasDisk) return ramLimit(bench);
  bench.equal('default quota', given('settings', resolveSettings({})).quotaBytes, MAX_DISK_STORAGE_MB * 1_048_576);
  // The least quota under which everything fits; one byte less is one byte over.
  let [tooSmall, fits] = [65_536, 524_288];
  while (fits - tooSmall > 1) {
    const middle = Math.floor((tooSmall + fits) / 2);
    const isAccepted = resolveSettings({ ...SMALL, quotaBytes: middle }).ok;
    const isEnough = isAccepted && (await underQuota(bench, middle)).engine.stats().evicted === 0;
    if (isEnough) fits = middle;
    else tooSmall = middle;
  }
  bench.equal('evicted at the limit', (await underQuota(bench, fits)).engine.ledger().entries, []);
  const { engine, events, disk } = await underQuota(bench, fits - 1);
  const gone = events.filter(({ type }) => type === 'segmentEvicted');
  bench.equal('segments evicted one byte over', gone.length, 1);
  bench.equal('the ledger: the oldest', engine.ledger().entries, [
    { source: 'host', sensor: 31, from: 0, to: 4, records: 4, reason: 'evicted' },
  ]);
  bench.holds(
    'bytes at their most',
    (disk?.counts.peakBytes ?? 0) <= fits - 1,
    `at most ${fits - 1}`,
    () => disk?.counts.peakBytes,
  );
  bench.equal('retained', engine.stats().retained, 44);
  bench.did(`found the limit to a byte (${fits}): one byte less, and the oldest segment goes`);
}

/** The limit of a store without a disk: 12 KiB, tables included. */
async function ramLimit(bench: Bench): Promise<void> {
  const store = await openStore(bench);
  const stream = streamOf(store, 'host', 31);
  const { sectors } = store.engine.inspect().pool;
  while (store.engine.inspect().pool.used < sectors || stream.marks().appended % 2 === 1) appendAll(stream, [0]);
  const full = stream.marks().appended;
  bench.equal('given up when the pool is just full', store.engine.stats().evicted, 0);
  appendAll(stream, [0]);
  bench.equal('the ledger one record over: the oldest sector', store.engine.ledger().entries, [
    { source: 'host', sensor: 31, from: 0, to: 2, records: 2, reason: 'evicted' },
  ]);
  bench.equal('retained', stream.marks().retained, full - 1);
  bench.equal('sectors in use', store.engine.inspect().pool.used, sectors);
  bench.did(`filled ${sectors} sectors to the last record, then wrote one more`);
}

/** 36. */
async function realDiskIo(bench: Bench): Promise<void> {
  if (!bench.hasDisk) return noDiskAtAll(bench);
  await throughThePort(bench);
  const first = await openStore(bench);
  const stream = streamOf(first, 'host', 36);
  for (let flush = 0; flush < 3; flush++) {
    appendAll(stream, count(flush * 10, 10));
    given('flush', await first.engine.flush());
  }
  given('close', await first.engine.close());
  const files = segmentsOf(bench.directory, 'host');
  bench.sameNumbers('data in the files', valuesIn(bench.directory, 'host', 36), count(0, 30));
  const [, torn] = files;
  truncateSync(torn?.path ?? '', 30);
  const second = await openStore(bench);
  bench.equal('files set aside', second.engine.recovery.setAside.length, 1);
  const left = given('read', await streamOf(second, 'host', 36).read(100));
  bench.sameNumbers('read around the torn file', left.values, [...count(0, 10), ...count(20, 10)]);
  bench.equal('the ledger', second.engine.ledger().entries, [
    { source: 'host', sensor: 36, from: 10, to: 20, records: 10, reason: 'damaged' },
  ]);
  given('acknowledge', streamOf(second, 'host', 36).acknowledge(left));
  given('checkpoint', await second.engine.checkpoint());
  const segments = (): number =>
    readdirSync(join(bench.directory, 'host')).filter((name) => name.endsWith('.seg')).length;
  await until(bench, 'files of acknowledged records', () => segments() === 0, segments);
  bench.did('wrote, synced, tore and deleted real files');
}

async function throughThePort(bench: Bench): Promise<void> {
  const directory = join(bench.directory, 'port');
  const { disk } = createLinuxPlatform({ directory });
  if (disk === null) return;
  bench.equal('lock', (await disk.lock()).ok, true);
  const bytes = Uint8Array.from({ length: 3_000 }, () => bench.random.next() & 255);
  bench.equal('write', (await disk.write('mgc', 'a.bin', 0, bytes)).ok, true);
  bench.equal('sync', (await disk.sync('mgc', 'a.bin')).ok, true);
  bench.equal('directory sync', (await disk.syncDirectory('mgc')).ok, true);
  bench.sameNumbers('the file on disk', readFileSync(join(directory, 'mgc/a.bin')), bytes);
  const into = new Uint8Array(4_000);
  const read = await disk.read('mgc', 'a.bin', 1_000, into);
  bench.equal('bytes read at the end of the file', read.ok && read.value, 2_000);
  bench.sameNumbers('bytes read', into.subarray(0, 2_000), bytes.subarray(1_000));
  bench.equal('rename', (await disk.rename('mgc', 'a.bin', 'b.bin')).ok, true);
  bench.equal('remove', (await disk.remove('mgc', 'b.bin')).ok, true);
  bench.equal('files left', readdirSync(join(directory, 'mgc')), []);
  const missing = await disk.sync('mgc', 'b.bin');
  bench.equal('a sync of a file that is not there', missing.ok ? 'ok' : missing.error.code, 'NOT_FOUND');
  await disk.unlock();
}

async function noDiskAtAll(bench: Bench): Promise<void> {
  const platform = wicedPlatform();
  bench.equal('the disk of the platform', platform.disk, null);
  const { engine } = await openStore(bench);
  const stream = streamOf({ engine }, 'host', 36);
  appendAll(stream, count(0, 500));
  const { diskBytes, quotaBytes, bytesWritten, syncs, segmentsWritten } = engine.stats();
  bench.equal(
    'bytes on disk, quota, written, syncs, segments',
    [diskBytes, quotaBytes, bytesWritten, syncs, segmentsWritten],
    [0, 0, 0, 0, 0],
  );
  const ledger = engine.ledger().entries.reduce((sum, { records }) => sum + records, engine.ledger().foldedRecords);
  bench.equal('records retained and in the ledger', stream.marks().retained + ledger, 500);
  const saved = given('emergency flush', await engine.emergencyFlush(100));
  bench.equal('unsaved in a power failure: all', saved.unsaved, stream.marks().retained);
  bench.did('ran 500 records through a store without a disk: no byte written, every record accounted for');
}

/** 37. */
async function diskSpace(bench: Bench): Promise<void> {
  if (!bench.hasDisk) return ramSpace(bench);
  const quotaBytes = 196_608;
  const store = await openStore(bench, { settings: { ...SMALL, quotaBytes } });
  const streams = SOURCES.map((source) => streamOf(store, source, 37));
  const rounds = bench.size(40, 30);
  for (let round = 0; round < rounds; round++) {
    for (const stream of streams) appendAll(stream, [round, round]);
    given('flush', await store.engine.flush());
    const { diskBytes } = store.engine.stats();
    bench.each(diskBytes <= quotaBytes, () => ['bytes that the store counts', `at most ${quotaBytes}`, diskBytes]);
    const bytes = bytesUnder(bench.directory);
    bench.each(bytes <= quotaBytes, () => ['bytes of all files under the root', `at most ${quotaBytes}`, bytes]);
  }
  const { entries } = store.engine.ledger();
  bench.holds(
    'sources that gave up records',
    new Set(entries.map(({ source }) => source)).size === 3,
    'all three',
    () => entries,
  );
  for (const { from, to, source } of entries)
    bench.equal(`${source}: given up from its oldest record on`, from, 0 * to);
  const numbers = store.events.flatMap((event) => (event.type === 'segmentEvicted' ? [event.segment] : []));
  bench.sameNumbers(
    'segments in the order in which they went',
    numbers,
    [...numbers].sort((a, b) => a - b),
  );
  const { appended, evicted, retained } = store.engine.stats();
  bench.equal('appended = retained + in the ledger', appended, retained + evicted);
  bench.did(
    `flushed ${rounds} times into three directories under ${quotaBytes} bytes; ${numbers.length} segments gave way`,
  );
}

async function ramSpace(bench: Bench): Promise<void> {
  const store = await openStore(bench);
  const streams = SOURCES.map((source) => streamOf(store, source, 37));
  const { sectors } = store.engine.inspect().pool;
  for (let round = 0; round < 300; round++) {
    appendAll(streams[round % 3] as (typeof streams)[number], [round]);
    const { used } = store.engine.inspect().pool;
    bench.each(used <= sectors, () => ['sectors in use', `at most ${sectors}`, used]);
  }
  const order = store.events.flatMap((event) => (event.type === 'sectorEvicted' ? [event.key.source] : []));
  // Three sources in turn: what was opened first goes first.
  bench.equal(
    'who gave up sectors, in order',
    order,
    order.map((_, i) => SOURCES[i % 3]),
  );
  const { appended, evicted, retained } = store.engine.stats();
  bench.equal('appended = retained + in the ledger', appended, retained + evicted);
  bench.did(`wrote 300 records over three sources into ${sectors} sectors; ${order.length} oldest ones gave way`);
}

/** 39. */
async function pathHandling(bench: Bench): Promise<void> {
  for (const path of ['', 'a\0b', null, 7, {}])
    bench.equal(`the path ${JSON.stringify(path)}`, await codeOfOpen(path as string), 'CONFIG_INVALID');
  if (!bench.hasDisk) return noPathAtAll(bench);
  const inside = join(bench.directory, 'inside');
  mkdirSync(inside);
  const forms = [
    join(inside, 'plain'),
    `${join(inside, 'slash')}/`,
    `${inside}//double//slash`,
    `${inside}/up/../around`,
    relative(process.cwd(), join(inside, 'relative')),
    join(inside, 'spaces and ümläuts'),
    join(inside, '..hidden'),
  ];
  for (const directory of forms) {
    const store = await openOnPath({ directory, ...PATH_OPTIONS });
    store.stream('host', 39, { kind: 'evt' }).append(39, 39);
    await store.flush();
    await store.close();
    bench.equal(
      `segments under ${basename(directory)}`,
      existsSync(join(directory, 'host')) && segmentsOf(directory, 'host').length,
      1,
    );
  }
  bench.equal('beside the root of all', readdirSync(bench.directory), ['inside']);
  bench.equal('roots', readdirSync(inside).sort(), [
    '..hidden',
    'around',
    'double',
    'plain',
    'relative',
    'slash',
    'spaces and ümläuts',
  ]);
  const { disk } = createLinuxPlatform({ directory: join(inside, 'plain') });
  await disk?.lock();
  for (const name of ['../out', '..', '.', '', 'a/b', 'a\0b']) {
    const written = await disk?.write('host', name, 0, new Uint8Array(1));
    bench.equal(`a file named ${JSON.stringify(name)}`, written?.ok, false);
  }
  await disk?.unlock();
  bench.equal(`beside ${basename(dirname(inside))}, still`, readdirSync(bench.directory), ['inside']);
  bench.did(`opened a store under ${forms.length} forms of path; names that lead out were refused`);
}

async function codeOfOpen(directory: string): Promise<string> {
  try {
    await (await openOnPath({ directory, ...PATH_OPTIONS })).close();
    return 'opened';
  } catch (error) {
    if (error instanceof StoreError) return error.code;
    throw error;
  }
}

async function noPathAtAll(bench: Bench): Promise<void> {
  const withPath = { directory: bench.directory } as object;
  const settings = resolveSettings(withPath);
  refused(bench, 'a directory among the settings of a store without a disk', settings, 'CONFIG_INVALID');
  const platform = createWicedPlatform({ clock: () => 0, storeId: new Uint8Array(16), ...withPath });
  bench.equal('the disk of a platform that was given a directory', platform.disk, null);
  bench.did('offered a path to a store without a disk: refused or unused, and no file was made');
}

export const DISK: Readonly<Record<number, Run>> = {
  24: diskInfrastructure,
  28: recoveryOperations,
  30: chronologicalConsumption,
  31: quotaLimit,
  36: realDiskIo,
  37: diskSpace,
  39: pathHandling,
};
