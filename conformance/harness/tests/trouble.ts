/** The numbered tests about trouble: power cuts, callers at the same time, failing disks, damaged files. */
import { crc32 } from '../../../src/core/crc32.ts';
import { Engine } from '../../../src/core/engine.ts';
import { Sweep } from '../../crash/sweep.ts';
import { crashTrace } from '../../crash/traces.ts';
import { readSegmentFile } from '../../damage-matrix/layout.ts';
import { runFaults } from '../../faults/run.ts';
import { SCRIPTS } from '../../faults/scripts.ts';
import { Exploration } from '../../interleavings/explore.ts';
import { PROGRAMS } from '../../interleavings/programs.ts';
import { newCoverage } from '../../model-run.ts';
import { SimulatedDisk } from '../../simulated-disk.ts';
import { StoreIds, VirtualClock } from '../../virtual-clock.ts';
import type { Bench } from '../bench.ts';
import { HarnessFailure } from '../bench.ts';
import { SOURCES } from '../files.ts';
import { mustAgree } from '../scenarios.ts';
import {
  appendAll,
  count,
  given,
  newDisk,
  openStore,
  readExactly,
  refused,
  SMALL,
  START_MS,
  streamOf,
  wicedPlatform,
  wicedSettings,
} from '../stores.ts';
import type { Run } from '../table.ts';

/** 33. */
async function recoveryAfterCrash(bench: Bench): Promise<void> {
  if (!bench.hasDisk) return restarts(bench);
  const traces = bench.size(5, 1);
  let [sites, judged, again] = [0, 0, 0];
  for (let index = 0; index < traces; index++) {
    const script = await crashTrace(7, index);
    const swept = await new Sweep(script, { seed: 7, oneIn: 1, doubleOneIn: bench.size(20, 400) }).run();
    mustAgree(`${swept.name}, killed`, swept.failure?.finding ?? null);
    sites += swept.sites;
    judged += swept.judged;
    again += swept.imagesAgain.length;
    bench.counted(swept.judged);
    bench.progress(`${index + 1} of ${traces} runs, ${judged} power cuts`);
  }
  bench.figure(`${sites} I/O steps, ${judged} power cuts, ${again} more during recovery`);
  bench.did(
    `cut the power at each I/O step of ${traces} runs, with everything that may be left: ${judged} recoveries judged`,
  );
}

/** Nothing survives without a disk, and nothing that comes later can be taken for it. */
async function restarts(bench: Bench): Promise<void> {
  const identities = new Set<string>();
  for (let life = 1; life <= 8; life++) {
    const engine = given('open', await Engine.open(wicedPlatform(undefined, life), given('settings', wicedSettings())));
    const stream = streamOf({ engine }, 'host', 33);
    bench.equal(`records found in life ${life}`, stream.marks().appended, 0);
    appendAll(stream, count(life, 10));
    const batch = given('read', await stream.read(100));
    for (const { epoch, sequence } of batch) {
      const identity = `${engine.storeId} ${epoch} ${sequence}`;
      bench.each(!identities.has(identity), () => ['identity', 'used once', identity]);
      identities.add(identity);
    }
    given('acknowledge', stream.acknowledge(4));
    bench.sameNumbers(`delivered again in life ${life}`, given('peek', await stream.peek(0, 9)).values, []);
  }
  bench.did(`restarted eight times: ${identities.size} records, no identity twice`);
}

/** 34. */
async function concurrentSources(bench: Bench): Promise<void> {
  if (bench.hasDisk) {
    const programs = PROGRAMS.filter(({ quick }) => quick).slice(0, bench.size(2, 1));
    for (const program of programs) {
      const found = await new Exploration(program, 7, newCoverage()).run((orders) =>
        bench.progress(`${program.name}: ${orders} orders`),
      );
      mustAgree(`${program.name}, order ${found.orders}`, found.failure?.outcome.failure ?? null);
      bench.counted(found.steps);
      bench.did(
        `${found.name}: ${found.orders} orders, ${found.crashPoints} points at which power failed, ${found.recoveries} recoveries`,
      );
    }
  }
  await isolated(bench);
}

/** Callers of three sources go on at the same time, with the same sensor id; each gets its own records only. */
async function isolated(bench: Bench): Promise<void> {
  const store = await openStore(bench);
  const rounds = bench.size(40, 10);
  const callers = SOURCES.map(async (source, of) => {
    const stream = streamOf(store, source, 34);
    let read = 0;
    for (let round = 0; round < rounds; round++) {
      for (let i = 0; i < 4; i++) stream.append(of * 1_000_000 + round * 4 + i, START_MS);
      const batch = given('read', await stream.read(4));
      for (const { value } of batch)
        bench.each(value === of * 1_000_000 + read++, () => [
          `${source}, record ${read - 1}`,
          of * 1_000_000 + read - 1,
          value,
        ]);
      if (round % 7 === of) {
        given('revert', stream.revert());
        read -= batch.length;
      } else given('acknowledge', stream.acknowledge(batch));
      if (round % 5 === of) given('flush', await store.engine.flush());
    }
  });
  await Promise.all(callers);
  bench.did(`three callers at a time, one a source, with the same sensor id: content isolated over ${rounds} rounds`);
}

/** 38. */
async function errorRecovery(bench: Bench): Promise<void> {
  if (!bench.hasDisk) return fullMemory(bench);
  const scripts = SCRIPTS.slice(0, bench.size(SCRIPTS.length, 1));
  const { outcome, cases, cells } = await runFaults({
    seed: 7,
    oneIn: bench.size(197, 60),
    command: 'harness --test=38',
    scripts,
    onProgress: ({ done, total }) => bench.progress(`${done} of ${total} faults`),
  });
  mustAgree('a life on a failing disk', outcome.failure);
  bench.counted(outcome.evidence.steps);
  bench.did(`${cases} lives on a failing disk: ${cells.map(({ kind, ailment }) => `${kind} ${ailment}`).join(', ')}`);
  for (const code of ['NO_SPACE', 'IO', 'READ_ONLY'] as const) await failsOnce(bench, code);
}

/** A flush that fails loses nothing, and the next one saves everything. */
async function failsOnce(bench: Bench, code: 'NO_SPACE' | 'IO' | 'READ_ONLY'): Promise<void> {
  const disk = newDisk();
  const store = await openStore(bench, { settings: SMALL, on: disk });
  const stream = streamOf(store, 'host', 38);
  appendAll(stream, count(0, 6));
  for (const fault of [{ code }, { code, shortBytes: 100 }]) {
    disk.faults.push({ kind: 'write', times: 1, fault });
    refused(
      bench,
      `a flush with ${code}${'shortBytes' in fault ? ' behind a short write' : ''}`,
      await store.engine.flush(),
      'IO_FAILED',
    );
    bench.equal('records in RAM behind it', store.engine.stats().atRisk, 6);
  }
  disk.faults.length = 0;
  given('flush', await store.engine.flush());
  bench.equal('records at risk when the disk is well again', store.engine.stats().atRisk, 0);
  await readExactly(bench, `behind ${code}`, stream, count(0, 6), 0);
}

/** The one error that a store without a disk can meet: no room. It goes on, and what was pending may still be acknowledged. */
async function fullMemory(bench: Bench): Promise<void> {
  const store = await openStore(bench);
  const stream = streamOf(store, 'host', 38);
  appendAll(stream, count(0, 50));
  const batch = given('read', await stream.read(10));
  appendAll(stream, count(50, 400));
  const { evicted } = store.engine.stats();
  bench.holds('records given up', evicted > 10, 'more than were pending', () => evicted);
  const before = stream.marks().retained;
  given('acknowledge', stream.acknowledge(batch));
  bench.equal('retained behind an acknowledge of what was given up', stream.marks().retained, before);
  const { head } = stream.marks();
  await readExactly(bench, 'what is left', stream, count(head, 450 - head), head, 20);
  bench.equal('refused', store.engine.stats().refusedRamFull, 0);
  bench.did(`ran out of memory with records pending: ${evicted} went into the ledger, the store went on`);
}

/** 40. */
async function checksums(bench: Bench): Promise<void> {
  bench.equal('CRC-32 of 123456789', crc32(new TextEncoder().encode('123456789'), 0, 9, 0).toString(16), 'cbf43926');
  if (!bench.hasDisk) return checksumFindsEachByte(bench);
  const disk = newDisk();
  const store = await openStore(bench, { settings: { ...SMALL, poolBytes: 1_024 }, on: disk });
  for (const sensor of [1, 2, 3]) appendAll(streamOf(store, 'host', sensor), count(sensor * 100, 5));
  given('close', await store.engine.close());
  const segment = disk.files().find(({ name }) => name.endsWith('.seg'));
  if (segment === undefined) throw new HarnessFailure('the segment', 'one', 'none');
  const image = disk.snapshot();
  const { blocks } = readSegmentFile('host', segment.name, segment.content);
  const bytes = segment.content.length;
  const step = bench.size(1, 5);
  for (let byte = 0; byte < bytes; byte += step) {
    const spoiled = SimulatedDisk.restore(new VirtualClock(START_MS), image);
    spoiled.flipBit('host', segment.name, byte * 8 + (byte % 8));
    const hit = blocks.find(({ from, to }) => from <= byte && byte < to)?.sensor ?? null;
    await contained(bench, spoiled, `byte ${byte} of ${bytes}`, hit);
    if (byte % 64 === 0) bench.progress(`${byte} of ${bytes} bytes`);
  }
  bench.did(`flipped a bit of each of ${Math.ceil(bytes / step)} bytes of a segment with ${blocks.length} blocks`);
}

/** No block but the one that was hit is lost, what is lost is in the ledger, and what is delivered is as it was written. */
async function contained(bench: Bench, disk: SimulatedDisk, where: string, hit: number | null): Promise<void> {
  const store = await openStore(bench, { settings: { ...SMALL, poolBytes: 1_024 }, on: disk, ids: new StoreIds() });
  const lost = new Map(store.engine.ledger().entries.map(({ sensor, records }) => [sensor, records]));
  for (const sensor of [1, 2, 3]) {
    const batch = given('read', await streamOf(store, 'host', sensor).read(100));
    const after =
      store.engine.ledger().entries.find((each) => each.sensor === sensor)?.records ?? lost.get(sensor) ?? 0;
    const wanted = sensor === hit ? [] : count(sensor * 100, 5);
    const seen = [...batch.values];
    bench.each(JSON.stringify(seen) === JSON.stringify(wanted), () => [`${where}: sensor ${sensor}`, wanted, seen]);
    bench.each(batch.length + after === 5, () => [
      `${where}: sensor ${sensor}, delivered and in the ledger`,
      5,
      batch.length + after,
    ]);
  }
}

async function checksumFindsEachByte(bench: Bench): Promise<void> {
  const bytes = Uint8Array.from({ length: 4_096 }, () => bench.random.next() & 255);
  const whole = crc32(bytes, 0, bytes.length, 0);
  for (let byte = 0; byte < bytes.length; byte++) {
    bytes[byte] = (bytes[byte] as number) ^ (1 << (byte % 8));
    bench.each(crc32(bytes, 0, bytes.length, 0) !== whole, () => [
      `byte ${byte} flipped`,
      'another checksum',
      'the same',
    ]);
    bytes[byte] = (bytes[byte] as number) ^ (1 << (byte % 8));
  }
  // What has no file has its content in sectors: those used again must show nothing of what was in them.
  const store = await openStore(bench);
  for (let use = 0; use < 20; use++) {
    const stream = streamOf(store, SOURCES[use % 3] as (typeof SOURCES)[number], 40 + use);
    const values = Array.from({ length: 60 }, () => bench.random.next());
    appendAll(stream, values);
    await readExactly(bench, `use ${use} of the sectors`, stream, values, 0);
    given('acknowledge', stream.acknowledge(60));
  }
  bench.did('flipped each byte of 4,096 under the checksum, and used the sectors twenty times');
}

export const TROUBLE: Readonly<Record<number, Run>> = {
  33: recoveryAfterCrash,
  34: concurrentSources,
  38: errorRecovery,
  40: checksums,
};
