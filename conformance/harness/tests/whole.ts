/** The numbered tests of the whole: how fast it is, a day of its life, and the evidence of every gate. */

import { join } from 'node:path';
import type { Action } from '../../actions.ts';
import { sourcesHash } from '../../campaign/state-file.ts';
import { runCrash } from '../../crash/run.ts';
import { runDamage } from '../../damage-matrix/run.ts';
import type { ModeEvidence } from '../../evidence/record.ts';
import { closingActions, runActions } from '../../execute.ts';
import { runFaults } from '../../faults/run.ts';
import { SCRIPTS } from '../../faults/scripts.ts';
import { Exploration } from '../../interleavings/explore.ts';
import { PROGRAMS } from '../../interleavings/programs.ts';
import { runLiveness } from '../../liveness/run.ts';
import { newCoverage } from '../../model-run.ts';
import { runRefusals } from '../../refusals/run.ts';
import { runCampaign } from '../../run.ts';
import type { Bench } from '../bench.ts';
import { HarnessFailure } from '../bench.ts';
import { mustAgree, scenarioOf } from '../scenarios.ts';
import { given, openStore, START_MS, streamOf, TSD } from '../stores.ts';
import type { Run } from '../table.ts';

/** The saved traces that come with the kit. */
const REGRESSIONS = join(import.meta.dirname, '../../regressions');
const SAMPLES_KEPT = 200_000;

/** How long single calls took, in microseconds. One in so many is timed, so that timing is not what is measured. */
class Latencies {
  readonly #samples: number[] = [];
  readonly #name: string;

  constructor(name: string) {
    this.#name = name;
  }

  add(startedMs: number): void {
    if (this.#samples.length < SAMPLES_KEPT) this.#samples.push((performance.now() - startedMs) * 1_000);
  }

  toString(): string {
    const sorted = Float64Array.from(this.#samples).sort();
    const at = (share: number): string =>
      (sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0).toFixed(1);
    return `${this.#name} p50 ${at(0.5)} us, p99 ${at(0.99)} us, p99.9 ${at(0.999)} us, most ${at(1)} us`;
  }
}

/** 35. */
async function performanceAndStress(bench: Bench): Promise<void> {
  const settings = {
    poolBytes: 1_048_576,
    sectorBytes: 256,
    streamsMax: 16,
    quotaBytes: 67_108_864,
    freeFloorBytes: 0,
  };
  const store = await openStore(bench, { settings });
  const stream = streamOf(store, 'host', 35, TSD);
  const records = bench.size(600_000, 6_000);
  const [appends, reads] = [new Latencies('append'), new Latencies('read of 512')];
  const startedMs = performance.now();
  const every = bench.hasDisk ? 150_000 : 128;
  let taken = 0;
  const drain = async (until: number): Promise<void> => {
    while (taken < until) {
      const readMs = performance.now();
      const batch = given('read', await stream.read(512));
      reads.add(readMs);
      if (batch.length === 0) throw new HarnessFailure('read', `record ${taken}`, 'none');
      for (let i = 0; i < batch.length; i++, taken++)
        bench.each(batch.bits[i] === (taken ^ 0x5a5a), () => [`record ${taken}`, taken ^ 0x5a5a, batch.bits[i]]);
      given('acknowledge', stream.acknowledge(batch));
    }
  };
  for (let i = 0; i < records; i++) {
    const appendMs = i % 16 === 0 ? performance.now() : 0;
    const sequence = stream.append(i ^ 0x5a5a, START_MS + i * 1_000);
    if (i % 16 === 0) appends.add(appendMs);
    bench.each(sequence === i, () => ['append', i, sequence]);
    if (bench.hasDisk && i % 50_000 === 49_999) given('flush', await store.engine.flush());
    if ((i + 1) % every === 0) await drain(i + 1 - (bench.hasDisk ? 1_000 : 0));
    if (i % 65_536 === 0) bench.progress(`${i} of ${records} records`);
  }
  if (bench.hasDisk) given('flush', await store.engine.flush());
  await drain(records);
  const seconds = (performance.now() - startedMs) / 1_000;
  const { flushes, bytesWritten, syncs, refusedRamFull, evicted } = store.engine.stats();
  bench.equal('records refused or lost', [refusedRamFull, evicted], [0, 0]);
  bench.equal('records read', taken, records);
  if (bench.hasDisk)
    bench.holds('flushes', flushes >= 1, 'real ones', () => `${flushes}, ${bytesWritten} bytes, ${syncs} syncs`);
  else bench.equal('flushes', flushes, 0);
  const operations = 2 * records;
  bench.figure(
    `${operations} verified operations, ${Math.round(operations / seconds)} a second; ${appends}; ${reads}; ${flushes} flushes`,
  );
  bench.did(`wrote ${records} records, read and verified each, ${flushes} flushes on the way`);
}

/** What a sensor of each source gives in an hour, what the uploader does, and what goes wrong. */
function hourOf(hour: number, bench: Bench): Action[] {
  const { random } = bench;
  const actions: Action[] = [];
  for (let minute = 0; minute < 60; minute += 6) {
    for (const stream of [0, 1, 2]) {
      const timeMs = START_MS + (hour * 60 + minute) * 60_000;
      actions.push({ do: 'append', stream, bits: random.next() >>> 9, timeMs });
    }
    if (minute % 12 === 0) actions.push({ do: 'drain' });
  }
  const isOnline = hour % 4 !== 3 && !(hour >= 12 && hour < 18);
  for (const stream of isOnline ? [0, 1, 2] : []) {
    actions.push({ do: 'read', stream, max: 20 }, { do: 'drain' });
    if (random.chance(0.3)) actions.push({ do: 'revert', stream });
    else actions.push({ do: 'acknowledgeBatch', stream, back: 0 }, { do: 'drain' });
  }
  if (hour % 5 === 4) actions.push({ do: 'flush' }, { do: 'drain' });
  if (hour === 7 || hour === 19)
    actions.push(
      { do: 'append', stream: 0, bits: 7, timeMs: START_MS },
      { do: 'flush' },
      { do: 'io', pick: 0, times: 3 },
      { do: 'crash', choice: { kind: 'power', keep: { seed: random.next() } } },
      { do: 'open' },
      { do: 'rest' },
    );
  return actions;
}

/** 42. */
async function fullIntegration(bench: Bench): Promise<void> {
  const days = bench.size(6, 2);
  let [steps, evicted, reverted, crashes] = [0, 0, 0, 0];
  for (let day = 0; day < days; day++) {
    const scenario = scenarioOf(bench.profile, 3, 8, 1);
    const actions: Action[] = [{ do: 'open' }, { do: 'drain' }];
    for (let hour = 0; hour < 24; hour++) actions.push(...hourOf(hour, bench));
    const { failure, run, actions: taken } = await runActions(scenario, [...actions, ...closingActions(scenario)]);
    mustAgree(`day ${day + 1}, step ${taken.length}`, failure);
    steps += taken.length;
    crashes += taken.filter((action) => action.do === 'crash').length;
    reverted += taken.filter((action) => action.do === 'revert').length;
    evicted += run.model.context.streams.reduce((sum, stream) => sum + stream.evicted, 0);
    bench.counted(taken.length);
  }
  bench.holds('nacks', reverted > 0, 'some', () => reverted);
  bench.holds('crashes', crashes > 0, 'some', () => crashes);
  bench.holds('records that the quota cost', evicted > 0, 'some', () => evicted);
  bench.did(
    `${days} days over three sources: ${steps} steps, ${reverted} nacks, ${crashes} crashes, ${evicted} records in the ledger, all as the model`,
  );
}

/** The gates in their smallest form: what each has shown, made now, from the sources that are here. */
async function evidenceOfAll(
  bench: Bench,
): Promise<readonly Pick<ModeEvidence, 'mode' | 'failures' | 'steps' | 'invariants'>[]> {
  const { seed } = bench;
  const command = 'harness --test=99';
  const campaign = await runCampaign({
    seed,
    profiles: [bench.profile],
    runs: bench.size(60, 6),
    steps: 0,
    regressions: REGRESSIONS,
  });
  mustAgree('random runs and saved traces', campaign.failure);
  bench.holds('saved traces', campaign.regressions > 0 || !bench.hasDisk, 'some', () => campaign.regressions);
  const random = {
    mode: 'random',
    failures: 0,
    steps: campaign.steps,
    invariants: Object.fromEntries(campaign.coverage.witnesses),
  } as const;
  bench.progress('random runs done');
  const { evidence: refusals, failure } = await runRefusals({ command });
  mustAgree('refusals', failure);
  if (!bench.hasDisk) return [random, refusals];
  const crash = await runCrash({ seed, draws: 0, oneIn: bench.size(40, 400), doubleOneIn: 400, jobs: 1, command });
  mustAgree('crash', crash.outcome.failure);
  bench.progress('crashes done');
  const faults = await runFaults({ seed, oneIn: bench.size(997, 4_001), command, scripts: SCRIPTS });
  mustAgree('faults', faults.outcome.failure);
  bench.progress('faults done');
  const damage = await runDamage({ seed, oneIn: bench.size(997, 4_001), command });
  mustAgree('damage', damage.outcome.failure);
  bench.progress('damage done');
  const liveness = await runLiveness({ seed, states: bench.size(10, 2), command });
  mustAgree('liveness', liveness.failure);
  const [program] = PROGRAMS;
  if (program === undefined) throw new HarnessFailure('programs', 'some', 'none');
  const orders = await new Exploration(program, seed, newCoverage()).run(() => {});
  mustAgree('interleavings', orders.failure?.outcome.failure ?? null);
  const interleavings = { mode: 'interleavings', failures: 0, steps: orders.steps, invariants: {} } as const;
  return [
    random,
    refusals,
    crash.outcome.evidence,
    faults.outcome.evidence,
    damage.outcome.evidence,
    liveness.evidence,
    interleavings,
  ];
}

/** 99. */
async function comprehensiveValidation(bench: Bench): Promise<void> {
  const sources = sourcesHash();
  const evidence = await evidenceOfAll(bench);
  const witnessed = new Set<string>();
  for (const { mode, failures, steps, invariants } of evidence) {
    bench.equal(`failures of the gate ${mode}`, failures, 0);
    bench.holds(`steps of the gate ${mode}`, steps > 0, 'some', () => steps);
    bench.counted(steps);
    for (const [id, count] of Object.entries(invariants)) if (count > 0) witnessed.add(id);
  }
  const wanted = bench.hasDisk ? 20 : 12;
  bench.holds('invariants put to the test', witnessed.size >= wanted, `at least ${wanted}`, () => witnessed.size);
  bench.equal('hash of the sources behind the last gate', sourcesHash(), sources);
  bench.figure(`${evidence.length} gates, ${witnessed.size} invariants, sources ${sources.slice(0, 16)}`);
  bench.did(
    `made the evidence of ${evidence.map(({ mode }) => mode).join(', ')} anew from sources ${sources.slice(0, 16)}`,
  );
}

export const WHOLE: Readonly<Record<number, Run>> = {
  35: performanceAndStress,
  42: fullIntegration,
  99: comprehensiveValidation,
};
