/**
 * The conformance kit as the only test of a mutant: its modes in small parts, cheap and strong ones first, for the first
 * failure ends it. Nothing is shrunk and nothing is saved; the same seeds every time.
 *
 * The parts are many and small: a mutant is only shown to those that reach it, and code that few of them reach, as most of
 * recovery, is judged in a moment. That is what lets each mode be here in more than its quick form.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Profile } from '../../conformance/actions.ts';
import { readTrace } from '../../conformance/actions.ts';
import { Sweep } from '../../conformance/crash/sweep.ts';
import { crashTrace, TRACES_WRITTEN } from '../../conformance/crash/traces.ts';
import { casesOf as damageCasesOf } from '../../conformance/damage-matrix/cases.ts';
import { Oracle } from '../../conformance/damage-matrix/oracle.ts';
import { build, STORES } from '../../conformance/damage-matrix/stores.ts';
import { writtenOf } from '../../conformance/damage-matrix/written.ts';
import type { Outcome } from '../../conformance/execute.ts';
import { runActions, runRecipe, runSteps, scenarioOf } from '../../conformance/execute.ts';
import { casesOf as faultCasesOf, note } from '../../conformance/faults/cases.ts';
import type { Script } from '../../conformance/faults/scripts.ts';
import { SCRIPTS } from '../../conformance/faults/scripts.ts';
import { runScheduled } from '../../conformance/interleavings/scheduled.ts';
import { life } from '../../conformance/liveness/life.ts';
import { newCoverage } from '../../conformance/model-run.ts';
import { checkPlatform } from '../../conformance/others/check-platform.ts';
import { linuxPlatforms, ramPlatforms, wicedPlatforms } from '../../conformance/others/own-platforms.ts';
import { Random } from '../../conformance/random.ts';
import { CASES, findingOf } from '../../conformance/refusals/run.ts';
import { SimulatedDisk } from '../../conformance/simulated-disk.ts';
import { runTour } from '../../conformance/tour/run.ts';
import { QUICK_TOUR_SCOPES } from '../../conformance/tour/scopes.ts';
import { VirtualClock } from '../../conformance/virtual-clock.ts';

export interface Check {
  readonly name: string;
  /** @throws when the mutant is caught. */
  readonly run: () => Promise<void>;
}

const REGRESSIONS = join(import.meta.dirname, '../../conformance/regressions');
const CHOICES_MAX = 160;

const mustHold = ({ failure }: Outcome): void => {
  if (failure !== null) throw failure;
};

const times = (count: number, make: (index: number) => Check): Check[] =>
  Array.from({ length: count }, (_, index) => make(index));

/** One seeded run, as the random mode draws it. */
const random = (profile: Profile, seed: number): Check => ({
  name: `random on ${profile}, ${seed}`,
  run: async () => {
    const source = new Random(seed);
    const length = 1 + source.below(CHOICES_MAX);
    const choices = Array.from({ length }, () => ({ entry: source.next(), payload: source.next() }));
    mustHold(await runRecipe(profile, { scenarioSeed: source.next(), choices }, newCoverage()));
  },
});

const regressions: readonly Check[] = readdirSync(REGRESSIONS)
  .filter((name) => name.endsWith('.json'))
  .sort()
  .map((name) => ({
    name: `regression ${name}`,
    run: async () => {
      const { scenario, actions } = readTrace(join(REGRESSIONS, name));
      mustHold(await runActions(scenario, actions));
    },
  }));

const refusals: readonly Check[] = CASES.map((each) => ({
  name: `refusal: ${each.name}`,
  run: async () => {
    const finding = await findingOf(each);
    if (finding !== null) throw new Error(finding);
  },
}));

const FAULTS_ONE_IN = 401;

/** A script as it is, and so many of its cases with a fault. */
const faults = (script: Script): Check => ({
  name: `faults: ${script.name}`,
  run: async () => {
    let at = 0;
    for (const { scenario, actions } of faultCasesOf(await note(script))) {
      if (at++ % FAULTS_ONE_IN === 0) mustHold(await runActions(scenario, actions));
    }
  },
});

const DAMAGE_PARTS = 3;
const DAMAGE_ONE_IN = 401;

/** A part of what may happen to a store's files: bits and cuts of `DAMAGE_ONE_IN`, of what else there is a good share. */
const damage = (recipe: (typeof STORES)[number], part: number): Check => ({
  name: `damage of a store ${recipe.name}, ${part}`,
  run: async () => {
    const built = await build(recipe);
    const written = writtenOf(built);
    const disk = built.disk as SimulatedDisk;
    const image = disk.snapshot();
    const met = new Map<string, number>();
    let taken = 0;
    for (const each of damageCasesOf({ layouts: written.files, files: disk.files() })) {
      const kind = `${each.kind} ${each.where}`;
      const before = met.get(kind) ?? 0;
      met.set(kind, before + 1);
      // The first of each kind and place, and then every so-many-th.
      if (before % DAMAGE_ONE_IN !== 0 || taken++ % DAMAGE_PARTS !== part) continue;
      const clock = new VirtualClock();
      const { finding } = await new Oracle(written, SimulatedDisk.restore(clock, image), clock).judge(each);
      if (finding !== null) throw new Error(finding);
    }
  },
});

const CRASH_ONE_IN = 41;
const CRASH_SEED = 1;

/** One run with a crash at each of its I/O steps, and some of what each may leave. */
const crash = (index: number): Check => ({
  name: `crash, run ${index}`,
  run: async () => {
    const options = { seed: CRASH_SEED, oneIn: CRASH_ONE_IN, doubleOneIn: 19 };
    const { failure } = await new Sweep(await crashTrace(CRASH_SEED, index), options).run();
    if (failure !== null) throw new Error(failure.finding.message);
  },
});

const liveness = (seed: number): Check => ({
  name: `liveness ${seed}`,
  run: async () => mustHold(await runSteps(scenarioOf('linux', seed), life(seed), newCoverage())),
});

const interleavings = (seed: number): Check => ({
  name: `interleavings ${seed}`,
  run: async () => {
    const { failure } = await runScheduled(seed, 4, newCoverage(), () => {});
    if (failure !== null) throw failure.outcome.failure;
  },
});

const tour = (scope: (typeof QUICK_TOUR_SCOPES)[number]): Check => ({
  name: `tour of ${scope.scope.name}`,
  run: async () => {
    const { outcome } = await runTour({ profiles: ['linux', 'wiced'], scopes: [scope], command: '' });
    if (outcome.failure !== null) throw new Error(outcome.failure.message);
  },
});

/** The laws of the port and the engine itself on a platform, one of them a directory of this machine. */
const PLATFORMS: readonly Check[] = [
  {
    name: 'platform linux',
    run: async () => {
      const { makePlatform, manifest, remove } = await linuxPlatforms();
      try {
        await checkPlatform(makePlatform, manifest, { seed: 1, runs: 2, steps: 30 });
      } finally {
        await remove();
      }
    },
  },
  ...[ramPlatforms, wicedPlatforms].map(
    (own): Check => ({
      name: `platform ${own.manifest.name}`,
      run: async () => {
        await checkPlatform(own.makePlatform, own.manifest, { seed: 1, runs: 8, steps: 40 });
      },
    }),
  ),
];

export const CHECKS: readonly Check[] = [
  ...times(6, (seed) => random('linux', seed)),
  ...times(6, (seed) => random('wiced', seed)),
  ...refusals,
  ...regressions,
  ...times(30, (seed) => random('wiced', 100 + seed)),
  ...times(60, (seed) => random('linux', 100 + seed)),
  ...SCRIPTS.map(faults),
  ...times(TRACES_WRITTEN, crash),
  ...STORES.flatMap((recipe) => times(DAMAGE_PARTS, (part) => damage(recipe, part))),
  ...times(30, liveness),
  ...times(10, interleavings),
  ...QUICK_TOUR_SCOPES.filter(({ scenario }) => scenario.profile === 'linux').map(tour),
  ...times(20, (seed) => random('linux', 1_000 + seed)),
  ...PLATFORMS,
];
