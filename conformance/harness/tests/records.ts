/** The numbered tests about records as callers see them: written, read, erased, given back. */
import type { Action, Scenario } from '../../actions.ts';
import { runActions } from '../../execute.ts';
import { Random } from '../../random.ts';
import type { Bench } from '../bench.ts';
import { HarnessFailure } from '../bench.ts';
import { mustAgree, scenarioOf } from '../scenarios.ts';
import { appendAll, count, EVT, given, inspected, openStore, readExactly, refused, streamOf, TSD } from '../stores.ts';
import type { Run } from '../table.ts';

/** 3. */
async function writeOperations(bench: Bench): Promise<void> {
  const store = await openStore(bench);
  const records = bench.hasDisk ? 1_000 : 60;
  const tsd = streamOf(store, 'host', 1, TSD);
  const evt = streamOf(store, 'mgc', 1, EVT);
  const tsdValues = count(0, records);
  const evtValues = Array.from({ length: records }, () => bench.random.next());
  appendAll(tsd, tsdValues);
  appendAll(evt, evtValues);
  bench.did(`wrote ${records} tsd and ${records} evt records`);
  await readExactly(bench, 'tsd', tsd, tsdValues, 0, 7);
  await readExactly(bench, 'evt', evt, evtValues, 0, 7);
  bench.equal('records retained', store.engine.stats().retained, 2 * records);
}

/** 4. */
async function eraseOperations(bench: Bench): Promise<void> {
  const store = await openStore(bench);
  const stream = streamOf(store, 'host', 4, TSD);
  appendAll(stream, count(100, 30));
  const usedBefore = store.engine.inspect().pool.used;
  given('read', await stream.read(20));
  refused(bench, 'an acknowledge of 21 of 20 pending', stream.acknowledge(21), 'BOUNDS_VIOLATION');
  bench.equal('pending after the refusal', stream.marks().pending, 20);
  bench.equal('records that the acknowledge took', given('acknowledge', stream.acknowledge(20)), 20);
  bench.equal('retained', stream.marks().retained, 10);
  const usedAfter = store.engine.inspect().pool.used;
  bench.holds('sectors freed', usedAfter < usedBefore, `fewer than ${usedBefore} in use`, () => usedAfter);
  await readExactly(bench, 'the rest', stream, count(120, 10), 20);
  given('acknowledge', stream.acknowledge(10));
  bench.equal('sectors in use when all is erased', store.engine.inspect().pool.used, 0);
  refused(bench, 'an acknowledge of nothing pending', stream.acknowledge(1), 'BOUNDS_VIOLATION');
  bench.did('acknowledged 20 of 30, then the rest; each excess was refused');
}

/** 9. */
async function unifiedWrite(bench: Bench): Promise<void> {
  const store = await openStore(bench);
  const stream = streamOf(store, 'can_controller', 9, EVT);
  const perSector = ((): number => {
    let records = 0;
    while (store.engine.inspect().pool.used <= 1) appendAll(stream, [records++]);
    return records - 1;
  })();
  bench.figure(`${perSector} evt records a sector`);
  bench.equal('sectors behind the boundary', inspected(store, 'can_controller', 9).sectors.length, 2);
  appendAll(stream, count(perSector + 1, 3 * perSector));
  const before = store.engine.inspect();
  for (const [value, timeMs] of [
    [1.5, 0],
    [-1, 0],
    [2 ** 32, 0],
    [1, -1],
    [1, 0.5],
    [1, Number.NaN],
  ] as const) {
    bench.holds(`append of ${value} at ${timeMs} ms`, stream.append(value, timeMs) < 0, 'refused', () => 'refused');
  }
  bench.equal('the store after the refused writes', store.engine.inspect(), before);
  await readExactly(bench, 'all written', stream, count(0, 4 * perSector + 1), 0, 3);
  bench.did('wrote across four sector boundaries, and six records that must leave nothing behind');
}

/** 10. */
async function dataLifecycle(bench: Bench): Promise<void> {
  const store = await openStore(bench);
  for (const [sensor, options] of [
    [1, TSD],
    [2, EVT],
  ] as const) {
    const stream = streamOf(store, 'host', sensor, options);
    appendAll(stream, [11, 22]);
    const first = given('read', await stream.read(1));
    bench.equal(`${options.kind}: first record read`, [first.length, first.value(0)], [1, 11]);
    given('acknowledge', stream.acknowledge(1));
    const second = given('read', await stream.read(1));
    bench.equal(`${options.kind}: second record, behind W2 R1 A1`, [second.length, second.value(0)], [1, 22]);
    given('revert', stream.revert());
    const again = given('read', await stream.read(1));
    bench.equal(`${options.kind}: second record, given back and read again`, [again.length, again.value(0)], [1, 22]);
    given('acknowledge', stream.acknowledge(again));
    bench.equal(`${options.kind}: retained at the end`, stream.marks().retained, 0);
  }
  bench.did('wrote two, read one, acknowledged one: the second was there, for tsd and evt');
}

/** Traces of the calls that corrupted the first system: reads of too much, an acknowledge twice, nacks in between. */
function corruptingActions(random: Random, streams: number): Action[] {
  const actions: Action[] = [{ do: 'open' }, { do: 'drain' }];
  for (let round = 0; round < 12; round++) {
    const stream = random.below(streams);
    for (let i = 0; i < 4; i++)
      actions.push({ do: 'append', stream, bits: random.next(), timeMs: 1_700_000_000_000 + (round * 4 + i) * 1_000 });
    actions.push({ do: 'read', stream, max: 1_000 });
    if (random.chance(0.4)) actions.push({ do: 'revert', stream }, { do: 'read', stream, max: 2 });
    const n = 1 + random.below(4);
    actions.push(
      { do: 'acknowledge', stream, n },
      { do: 'acknowledge', stream, n },
      { do: 'acknowledge', stream, n: 99 },
    );
    if (random.chance(0.3)) actions.push({ do: 'revert', stream });
  }
  return actions;
}

/** 16. */
async function corruptionReproduction(bench: Bench): Promise<void> {
  const runs = bench.size(200, 20);
  let steps = 0;
  for (let run = 0; run < runs; run++) {
    const scenario: Scenario = scenarioOf(bench.profile, 2);
    let bad: string | null = null;
    const { failure, actions } = await runActions(
      scenario,
      corruptingActions(new Random(bench.random.next()), scenario.streams.length),
      undefined,
      (_, { engine }) => {
        for (const each of engine?.streams() ?? []) {
          const { pending, retained } = each.marks();
          bench.counted(1);
          if (pending > retained) bad = `${pending} pending of ${retained} retained`;
        }
      },
    );
    if (bad !== null) throw new HarnessFailure(`run ${run}`, 'pending <= retained', bad);
    mustAgree(`run ${run}`, failure);
    steps += actions.length;
  }
  bench.did(`over-read, acknowledged twice and gave back in ${runs} runs of ${steps} steps, each against the model`);
}

export const RECORDS: Readonly<Record<number, Run>> = {
  3: writeOperations,
  4: eraseOperations,
  9: unifiedWrite,
  10: dataLifecycle,
  16: corruptionReproduction,
};
