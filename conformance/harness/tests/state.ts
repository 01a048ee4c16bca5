/** The numbered tests about the store's state: marks, sectors, statistics, and what a refused call leaves behind. */
import type { Stats, StoreInspection, StreamInspection } from '../../../src/core/types.ts';
import type { Action } from '../../actions.ts';
import type { StoreRun } from '../../driver.ts';
import { runActions, runRecipe } from '../../execute.ts';
import { newCoverage } from '../../model-run.ts';
import { differences } from '../../refinement.ts';
import type { Bench } from '../bench.ts';
import { HarnessFailure } from '../bench.ts';
import { mustAgree, scenarioOf } from '../scenarios.ts';
import {
  appendAll,
  count,
  given,
  inspected,
  newDisk,
  openStore,
  refused,
  SMALL,
  settle,
  streamOf,
  TSD,
} from '../stores.ts';
import type { Run } from '../table.ts';

/** Numbers of a stream's inspection that a fresh one has at 0. */
const MARKS = ['head', 'read', 'synced', 'appended', 'acknowledged', 'discarded', 'evicted', 'damaged'] as const;
/** Figures of the store that the model counts too. */
const FIGURES = ['appended', 'read', 'acknowledged', 'reverted', 'discarded', 'evicted', 'refusedRamFull'] as const;
const GAUGES = ['retained', 'unread', 'pending', 'atRisk', 'poolUsedSectors'] as const;

/** 2. */
async function stateManagement(bench: Bench): Promise<void> {
  const store = await openStore(bench);
  streamOf(store, 'host', 2);
  const fresh = inspected(store, 'host', 2);
  for (const mark of MARKS) bench.equal(`${mark} of a fresh stream`, fresh[mark], 0);
  bench.equal('sectors and holes of a fresh stream', [fresh.sectors.length, fresh.holes.length], [0, 0]);
  const stats = store.engine.stats();
  for (const name of [...FIGURES, ...GAUGES]) bench.equal(`${name} of a fresh store`, stats[name], 0);
  bench.equal('sectors in use', store.engine.inspect().pool.used, 0);
  bench.did('looked at a fresh store: every mark and figure is 0');

  const scenario = scenarioOf(bench.profile, 2);
  const actions: Action[] = [{ do: 'open' }, { do: 'drain' }];
  for (let i = 0; i < 5; i++) actions.push({ do: 'append', stream: i % 2, bits: i, timeMs: i * 1_000 });
  actions.push({ do: 'read', stream: 0, max: 2 }, { do: 'acknowledge', stream: 0, n: 1 });
  const { run, failure } = await runActions(scenario, actions);
  mustAgree('a short life', failure);
  const tampered = tamperings(run);
  for (const [name, inspection, figures] of tampered) {
    const found = apart(run, inspection, figures);
    bench.holds(`${name} tampered with`, found > 0, 'detected', () => `${found} differences`);
  }
  bench.did(`tampered with ${tampered.length} fields of a store in use, one at a time: each was detected`);
}

/** In how many fields the store as it is shown differs from the model. */
function apart(
  { scenario, model: { context, lifecycle } }: StoreRun,
  inspection: StoreInspection,
  stats: Stats,
): number {
  const inRecovery = { damaged: 0, evicted: 0 };
  return differences({ scenario, context, lifecycle, inspection, stats, inRecovery }).length;
}

type Tampering = readonly [name: string, inspection: StoreInspection, stats: Stats];

/** What the engine shows of itself, with one field changed in each. */
function tamperings({ engine }: StoreRun): Tampering[] {
  if (engine === null) throw new HarnessFailure('the store', 'open', 'closed');
  const [shown, stats] = [engine.inspect(), engine.stats()];
  const stream = (change: Partial<StreamInspection>): StoreInspection => ({
    ...shown,
    streams: shown.streams.map((each, i) => (i === 0 ? { ...each, ...change } : each)),
  });
  const first = shown.streams[0] as StreamInspection;
  const pool = (change: Partial<StoreInspection['pool']>): StoreInspection => ({
    ...shown,
    pool: { ...shown.pool, ...change },
  });
  return [
    ...MARKS.map((mark): Tampering => [mark, stream({ [mark]: first[mark] + 1 }), stats]),
    ['sectors', stream({ sectors: first.sectors.slice(1) }), stats],
    ['sensor', stream({ sensor: first.sensor + 1 }), stats],
    ['pool.used', pool({ used: shown.pool.used + 1 }), stats],
    ['pool.free', pool({ free: shown.pool.free.slice(1) }), stats],
    ['pool.free, a sector twice', pool({ free: [...shown.pool.free.slice(1), shown.pool.free[1] as number] }), stats],
    ['pool.flushAtSectors', pool({ flushAtSectors: shown.pool.flushAtSectors + 1 }), stats],
    ['epoch', { ...shown, epoch: shown.epoch + 1 }, stats],
    ['lifecycle', { ...shown, lifecycle: 'flushing' }, stats],
    ['flushRequested', { ...shown, flushRequested: !shown.flushRequested }, stats],
    ...[...FIGURES, ...GAUGES].map((name): Tampering => [name, shown, { ...stats, [name]: stats[name] + 1 }]),
  ];
}

/** 5. */
async function mathematicalInvariants(bench: Bench): Promise<void> {
  const runs = bench.size(150, 15);
  const coverage = newCoverage();
  let steps = 0;
  for (let run = 0; run < runs; run++) {
    const choices = Array.from({ length: 80 }, () => ({ entry: bench.random.next(), payload: bench.random.next() }));
    const { failure, actions } = await runRecipe(
      bench.profile,
      { scenarioSeed: bench.random.next(), choices },
      coverage,
      () => bench.counted(1),
    );
    mustAgree(`run ${run}`, failure);
    steps += actions.length;
    bench.progress(`${run} of ${runs} runs`);
  }
  const witnessed = coverage.witnesses.size;
  bench.holds('invariants whose premise held', witnessed >= (bench.hasDisk ? 18 : 12), 'most', () => witnessed);
  bench.figure(`${steps} steps, ${witnessed} invariants put to the test`);
  bench.did(`held every invariant against ${steps} steps of ${runs} random runs`);
}

/** 6. */
async function sectorAllocation(bench: Bench): Promise<void> {
  const disk = newDisk();
  const store = await openStore(bench, { settings: { ...SMALL, whenDiskFull: 'refuse-new' }, on: disk });
  // Nothing is moved to disk: what is in RAM stays there.
  disk.autoSteps = 0;
  const { pool } = store.engine.inspect();
  const streams = [1, 2].map((sensor) => streamOf(store, 'host', sensor));
  const balanced = (when: string): void => {
    const now = store.engine.inspect();
    const owned = now.streams.flatMap(({ sectors }) => sectors.map(({ sector }) => sector));
    const all = [...now.pool.free, ...owned].sort((a, b) => a - b);
    bench.sameNumbers(`free and owned sectors ${when}`, all, count(0, pool.sectors));
    bench.equal(`sectors in use ${when}`, now.pool.used, owned.length);
  };
  balanced('at the beginning');
  let appended = 0;
  for (let i = 0; i < 20 * pool.sectors; i++) {
    if ((streams[i % 2]?.append(i, i * 1_000) ?? -1) < 0) break;
    appended++;
    if (store.engine.ledger().entries.length > 0) break;
  }
  bench.equal('sectors in use when the pool is exhausted', store.engine.inspect().pool.used, pool.sectors);
  balanced('when the pool is exhausted');
  if (bench.hasDisk) bench.equal('records refused', store.engine.stats().refusedRamFull, 1);
  else
    bench.holds('oldest sector given up', store.engine.stats().evicted > 0, 'in the ledger', () =>
      store.engine.ledger(),
    );
  bench.did(`filled ${pool.sectors} sectors with ${appended} records of two streams`);
  for (const stream of streams) {
    given('discard', stream.discard(stream.marks().retained));
    refused(bench, 'a second freeing of the same records', stream.discard(1), 'BOUNDS_VIOLATION');
  }
  balanced('when all is freed');
  bench.equal('sectors in use when all is freed', store.engine.inspect().pool.used, 0);
  const again = streamOf(store, 'mgc', 3, TSD);
  appendAll(again, count(500, 9));
  const batch = given('read', await again.read(100));
  bench.sameNumbers('records in sectors used again', batch.values, count(500, 9));
  balanced('when sectors are used again');
}

/** 7. */
async function errorHandling(bench: Bench): Promise<void> {
  const disk = newDisk();
  const store = await openStore(bench, { settings: SMALL, on: disk });
  const { engine } = store;
  const stream = streamOf(store, 'host', 7, TSD);
  appendAll(stream, count(0, 5));
  given('read', await stream.read(2));
  const key = { source: 'host', sensor: 7 } as const;
  const calls: readonly (readonly [string, () => unknown])[] = [
    ['acknowledge 3 of 2', () => stream.acknowledge(3)],
    ['acknowledge -1', () => stream.acknowledge(-1)],
    ['acknowledge 0.5', () => stream.acknowledge(0.5)],
    ['discard 6 of 5', () => stream.discard(6)],
    ['discard NaN', () => stream.discard(Number.NaN)],
    ['read -1', () => stream.read(-1)],
    ['read 1.5', () => stream.read(1.5)],
    ['peek behind -1', () => stream.peek(-1, 1)],
    ['another kind', () => engine.stream(key, { kind: 'evt' })],
    ['another period', () => engine.stream(key, { kind: 'tsd', periodMs: 999 })],
    ['no period', () => engine.stream({ source: 'host', sensor: 8 }, { kind: 'tsd' })],
    ['sensor -1', () => engine.stream({ source: 'host', sensor: -1 }, { kind: 'evt' })],
    ['sensor 2^32', () => engine.stream({ source: 'host', sensor: 2 ** 32 }, { kind: 'evt' })],
    ['an unknown source', () => engine.stream({ source: 'gps' as 'host', sensor: 1 }, { kind: 'evt' })],
    ['append of 0.5', () => stream.append(0.5, 0)],
    ['append at -1 ms', () => stream.append(1, -1)],
    ['emergency flush for NaN ms', () => engine.emergencyFlush(Number.NaN)],
  ];
  for (const [name, call] of calls) await leavesAlone(bench, store.engine, name, call);
  if (bench.hasDisk) {
    disk.faults.push({ kind: 'write', times: 1, fault: { code: 'IO' } });
    refused(bench, 'a flush on a failing disk', await engine.flush(), 'IO_FAILED');
    disk.faults.length = 0;
    bench.equal('records still in RAM', engine.stats().atRisk, 5);
  }
  bench.did(`made ${calls.length} calls that must be refused; the store was the same after each`);
  given('close', await engine.close());
  refused(bench, 'a flush of a closed store', await engine.flush(), 'CLOSED');
  bench.holds('an append to a closed store', stream.append(1, 0) < 0, 'refused', () => 'refused');
}

async function leavesAlone(bench: Bench, engine: StoreRun['engine'], name: string, call: () => unknown): Promise<void> {
  const look = (): string => JSON.stringify([engine?.inspect(), engine?.stats(), engine?.ledger()]);
  const before = look();
  const answer = await call();
  const isRefused = typeof answer === 'number' ? answer < 0 : (answer as { ok: boolean }).ok === false;
  bench.holds(name, isRefused, 'refused', () => answer);
  await settle(1);
  bench.each(look() === before, () => [`the store after ${name}`, before, look()]);
}

/** 15. */
async function statistics(bench: Bench): Promise<void> {
  const disk = newDisk();
  const store = await openStore(bench, { settings: SMALL, on: disk });
  const { engine } = store;
  const [a, b] = [streamOf(store, 'host', 1), streamOf(store, 'mgc', 1, TSD)];
  const wanted = { appended: 0, read: 0, acknowledged: 0, reverted: 0, discarded: 0 };
  const rounds = bench.size(200, 20);
  for (let round = 0; round < rounds; round++) {
    for (const stream of [a, b]) {
      const records = 1 + bench.random.below(4);
      appendAll(stream, count(round, records));
      wanted.appended += records;
      const read = given('read', await stream.read(1 + bench.random.below(4))).length;
      wanted.read += read;
      if (bench.random.chance(0.3)) {
        wanted.reverted += stream.marks().pending;
        given('revert', stream.revert());
      } else wanted.acknowledged += given('acknowledge', stream.acknowledge(stream.marks().pending));
      const left = stream.marks().retained;
      const discarded = bench.random.below(left + 1);
      if (discarded > 0) given('discard', stream.discard(discarded));
      wanted.discarded += discarded;
    }
    const stats = engine.stats();
    const seen = Object.fromEntries(Object.keys(wanted).map((name) => [name, stats[name as keyof Stats]]));
    bench.each(JSON.stringify(seen) === JSON.stringify(wanted), () => [`figures of round ${round}`, wanted, seen]);
    bench.each(stats.retained === a.marks().retained + b.marks().retained, () => [
      'retained',
      'the sum',
      stats.retained,
    ]);
  }
  await countFlushes(bench, store);
  bench.did(`compared every figure with what was done, over ${rounds} rounds: ${JSON.stringify(wanted)}`);
}

async function countFlushes(bench: Bench, store: Awaited<ReturnType<typeof openStore>>): Promise<void> {
  const { engine, events, disk } = store;
  const stream = streamOf(store, 'host', 1);
  if (disk === null) {
    const before = engine.stats().evicted;
    for (let i = 0; i < 600; i++) stream.append(i, i);
    const lost = events.reduce((sum, event) => sum + (event.type === 'sectorEvicted' ? event.to - event.from : 0), 0);
    bench.equal('records evicted', engine.stats().evicted - before, lost);
    bench.holds('records evicted', lost > 0, 'some', () => lost);
    return;
  }
  for (let flush = 0; flush < 3; flush++) {
    appendAll(stream, [1, 2]);
    given('flush', await engine.flush());
  }
  disk.faults.push({ kind: 'sync', times: 1, fault: { code: 'IO' } });
  appendAll(stream, [3]);
  refused(bench, 'a flush on a failing disk', await engine.flush(), 'IO_FAILED');
  disk.faults.length = 0;
  const stats = engine.stats();
  const announced = (type: string): number => events.filter((event) => event.type === type).length;
  bench.equal('flushes', stats.flushes, announced('flushed'));
  bench.equal('flushes that failed', [stats.flushFailures, announced('flushFailed')], [1, 1]);
  bench.equal('bytes written', stats.bytesWritten, disk.counts.bytesWritten);
  bench.equal('syncs', stats.syncs, disk.counts.syncs);
  bench.equal('segments written', stats.segmentsWritten > 0, true);
}

export const STATE: Readonly<Record<number, Run>> = {
  2: stateManagement,
  5: mathematicalInvariants,
  6: sectorAllocation,
  7: errorHandling,
  15: statistics,
};
