/** The numbered tests with many records: fast writing, fast reading, both at once, and a long life beside the model. */
import type { StreamHandle } from '../../../src/core/stream-handle.ts';
import { runSteps } from '../../execute.ts';
import { nextAction } from '../../generator.ts';
import { newCoverage } from '../../model-run.ts';
import type { Bench } from '../bench.ts';
import { HarnessFailure } from '../bench.ts';
import { mustAgree, scenarioOf } from '../scenarios.ts';
import type { Opened } from '../stores.ts';
import { appendAll, count, EVT, given, openStore, streamOf, TSD } from '../stores.ts';
import type { Run } from '../table.ts';

const POOL = { poolBytes: 4_194_304, sectorBytes: 256, streamsMax: 16, quotaBytes: 67_108_864, freeFloorBytes: 0 };

/** Steps that a store takes beside the model, chosen by weight; it never ends by itself. */
async function beside(bench: Bench, steps: number, only?: ReadonlySet<string>): Promise<number> {
  const scenario = { ...scenarioOf(bench.profile, 3, 24, 2), contentEverySteps: 64 };
  let taken = 0;
  const { failure } = await runSteps(
    scenario,
    (run) => {
      if (taken >= steps) return null;
      for (;;) {
        const action = nextAction(run.view(), { entry: bench.random.next(), payload: bench.random.next() }, only);
        // Files set aside for damage are never deleted unasked, and count under the quota: over so many steps they would
        // fill it, as they should. Damage has tests of its own.
        if (action?.do !== 'damage') return action ?? { do: 'open' };
      }
    },
    newCoverage(),
    () => {
      taken++;
      bench.counted(1);
      if (taken % 512 === 0) bench.progress(`${taken} of ${steps} steps`);
    },
  );
  mustAgree(`step ${taken}`, failure);
  return taken;
}

/** 12. */
async function stress(bench: Bench): Promise<void> {
  const steps = bench.size(100_000, 1_500);
  const taken = await beside(bench, steps);
  bench.equal('steps on one store', taken, steps);
  bench.did(`took ${taken} steps on one store, each compared with the model`);
}

/** 22. */
async function mixedHighFrequency(bench: Bench): Promise<void> {
  const steps = bench.size(20_000, 1_500);
  const only = new Set(['open', 'append', 'read', 'acknowledge', 'acknowledgeBatch', 'revert', 'io', 'drain']);
  const taken = await beside(bench, steps, only);
  bench.equal('steps', taken, steps);
  bench.did(`interleaved ${taken} writes, reads, acknowledges and nacks, each compared with the model`);
}

/** Without a disk the pool is what fits: a uploader takes away what would be given up. */
async function writeAndTake(bench: Bench, store: Opened, stream: StreamHandle, records: number): Promise<number> {
  const every = bench.hasDisk ? 4_096 : 64;
  let taken = 0;
  const sum = { written: 0, read: 0 };
  for (let i = 0; i < records; i++) {
    const value = Math.imul(i, 2_654_435_761) >>> 0;
    const sequence = stream.append(value, i * 1_000);
    bench.each(sequence === i, () => ['append', `sequence ${i}`, sequence]);
    sum.written += value;
    if ((i + 1) % every !== 0 && i + 1 !== records) continue;
    const batch = given('read', await stream.read(every));
    for (let at = 0; at < batch.length; at++) {
      const bits = batch.bits[at] as number;
      bench.each(bits === Math.imul(taken + at, 2_654_435_761) >>> 0, () => [
        `record ${taken + at}`,
        'its value',
        bits,
      ]);
      sum.read += bits;
    }
    taken += given('acknowledge', stream.acknowledge(batch));
    if (taken % 65_536 === 0) bench.progress(`${taken} of ${records} records`);
  }
  bench.equal('records read', taken, records);
  bench.equal('sum of all values', sum.read, sum.written);
  bench.equal('retained at the end', store.engine.stats().retained, 0);
  return taken;
}

/** 20. */
async function highFrequencyWrites(bench: Bench): Promise<void> {
  const records = bench.hasDisk ? bench.size(100_000, 4_000) : 200;
  const store = await openStore(bench, { settings: POOL });
  const stream = streamOf(store, 'host', 20, TSD);
  const startedMs = performance.now();
  appendAll(stream, count(0, records));
  bench.figure(`${records} writes in ${(performance.now() - startedMs).toFixed(0)} ms`);
  const batch = given('read', await stream.read(records));
  bench.sameNumbers('values of one stream', batch.values, count(0, records));
  bench.did(`wrote ${records} records of one stream and read every one`);
  if (bench.hasDisk) return;
  // More than fits at a time: the uploader keeps pace, and nothing is given up.
  const other = streamOf(store, 'mgc', 20, TSD);
  given('discard', stream.discard(records));
  await writeAndTake(bench, store, other, bench.size(100_000, 4_000));
  bench.equal('records given up', store.engine.stats().evicted, 0);
}

/** 21. */
async function highFrequencyReads(bench: Bench): Promise<void> {
  const records = bench.hasDisk ? bench.size(50_000, 3_000) : 150;
  const store = await openStore(bench, { settings: POOL });
  const stream = streamOf(store, 'host', 21, EVT);
  appendAll(stream, count(7, records));
  let peeks = 0;
  for (const max of [1, 2, 3, 61, 997]) {
    for (let from = 0; from < Math.min(records, 2_000); from += max) {
      const batch = given('peek', await stream.peek(from, max));
      peeks++;
      for (let i = 0; i < batch.length; i++)
        bench.each(batch.value(i) === 7 + from + i, () => [`record ${from + i}`, 7 + from + i, batch.value(i)]);
      bench.each(batch.length === Math.min(max, records - from), () => ['records of a peek', max, batch.length]);
    }
  }
  let read = 0;
  for (let n = 1; read < records; n = (n % 17) + 1) {
    const batch = given('read', await stream.read(n));
    for (let i = 0; i < batch.length; i++, read++)
      bench.each(batch.value(i) === 7 + read, () => [`record ${read}`, 7 + read, batch.value(i)]);
    if (batch.length === 0) throw new HarnessFailure('read', `record ${read}`, 'none');
  }
  bench.did(`looked ${peeks} times at places across sectors, then read ${read} records in pieces of 1 to 17`);
}

/** 23. */
async function highVolume(bench: Bench): Promise<void> {
  const store = await openStore(bench, { settings: POOL });
  const stream = streamOf(store, 'can_controller', 23, EVT);
  const records = await writeAndTake(bench, store, stream, bench.size(1_000_000, 8_000));
  bench.equal('sectors in use', store.engine.inspect().pool.used, 0);
  bench.equal('lost', store.engine.ledger().entries.length, 0);
  bench.did(`${records} records went through, their sum was checked, nothing was left behind`);
}

export const VOLUME: Readonly<Record<number, Run>> = {
  12: stress,
  20: highFrequencyWrites,
  21: highFrequencyReads,
  22: mixedHighFrequency,
  23: highVolume,
};
