/**
 * The conformance kit as the only test of a mutant: its modes in their quick forms, cheap and strong ones first, for the
 * first failure ends it. Nothing is shrunk and nothing is saved; the same seeds every time.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Profile } from '../../conformance/actions.ts';
import { readTrace } from '../../conformance/actions.ts';
import { runCrash } from '../../conformance/crash/run.ts';
import { runDamage } from '../../conformance/damage-matrix/run.ts';
import type { ModeOutcome } from '../../conformance/evidence/record.ts';
import { runActions, runRecipe } from '../../conformance/execute.ts';
import { casesOf, note } from '../../conformance/faults/cases.ts';
import { SCRIPTS } from '../../conformance/faults/scripts.ts';
import { runScheduled } from '../../conformance/interleavings/scheduled.ts';
import { runLiveness } from '../../conformance/liveness/run.ts';
import { newCoverage } from '../../conformance/model-run.ts';
import { checkPlatform } from '../../conformance/others/check-platform.ts';
import { linuxPlatforms, ramPlatforms, wicedPlatforms } from '../../conformance/others/own-platforms.ts';
import { Random } from '../../conformance/random.ts';
import { CASES, findingOf } from '../../conformance/refusals/run.ts';

import { runTour } from '../../conformance/tour/run.ts';
import { QUICK_TOUR_SCOPES } from '../../conformance/tour/scopes.ts';

export interface Check {
  readonly name: string;
  /** @throws when the mutant is caught. */
  readonly run: () => Promise<void>;
}

const REGRESSIONS = join(import.meta.dirname, '../../conformance/regressions');
const CHOICES_MAX = 160;

const mustHold = ({ failure }: ModeOutcome): void => {
  if (failure !== null) throw new Error(failure.message);
};

/** Seeded runs, as the random mode draws them. */
async function random(profile: Profile, seed: number, runs: number): Promise<void> {
  const source = new Random(seed);
  const coverage = newCoverage();
  for (let run = 0; run < runs; run++) {
    const length = 1 + source.below(CHOICES_MAX);
    const choices = Array.from({ length }, () => ({ entry: source.next(), payload: source.next() }));
    const { failure } = await runRecipe(profile, { scenarioSeed: source.next(), choices }, coverage);
    if (failure !== null) throw failure;
  }
}

async function regressions(): Promise<void> {
  for (const name of readdirSync(REGRESSIONS).sort()) {
    const { scenario, actions } = readTrace(join(REGRESSIONS, name));
    const { failure } = await runActions(scenario, actions);
    if (failure !== null) throw failure;
  }
}

async function refusals(): Promise<void> {
  for (const each of CASES) {
    const finding = await findingOf(each);
    if (finding !== null) throw new Error(`${each.name}: ${finding}`);
  }
}

/** One in so many cases of the faults mode. */
const FAULTS_ONE_IN = 421;

async function faults(): Promise<void> {
  let at = 0;
  for (const script of SCRIPTS) {
    for (const { scenario, actions } of casesOf(await note(script))) {
      if (at++ % FAULTS_ONE_IN !== 0) continue;
      const { failure } = await runActions(scenario, actions);
      if (failure !== null) throw failure;
    }
  }
}

async function interleavings(): Promise<void> {
  const { failure } = await runScheduled(1, 40, newCoverage(), () => {});
  if (failure !== null) throw failure.outcome.failure;
}

const command = '';

/** Parts of the modes' cases, drawn by a fixed seed. */
const crash = async (draws: number, oneIn: number): Promise<void> =>
  mustHold((await runCrash({ seed: 1, draws, oneIn, doubleOneIn: 97, jobs: 1, command })).outcome);
const damage = async (oneIn: number): Promise<void> => mustHold((await runDamage({ seed: 1, oneIn, command })).outcome);
const liveness = async (): Promise<void> => mustHold(await runLiveness({ seed: 1, states: 30, command }));
const tour = async (): Promise<void> =>
  mustHold((await runTour({ profiles: ['linux', 'wiced'], scopes: QUICK_TOUR_SCOPES, command })).outcome);

/** The laws of the port and the engine itself on the platforms there are, one of them a directory of this machine. */
async function platforms(): Promise<void> {
  const options = { seed: 1, runs: 8, steps: 40 };
  const { makePlatform, manifest, remove } = await linuxPlatforms();
  try {
    await checkPlatform(makePlatform, manifest, options);
  } finally {
    await remove();
  }
  for (const own of [ramPlatforms, wicedPlatforms]) await checkPlatform(own.makePlatform, own.manifest, options);
}

export const CHECKS: readonly Check[] = [
  { name: 'random on linux, a moment', run: () => random('linux', 1, 8) },
  { name: 'random on wiced, a moment', run: () => random('wiced', 1, 8) },
  { name: 'refusals', run: refusals },
  { name: 'regressions', run: regressions },
  { name: 'random on wiced', run: () => random('wiced', 2, 50) },
  { name: 'random on linux', run: () => random('linux', 2, 80) },
  { name: 'damage', run: () => damage(211) },
  { name: 'crash', run: () => crash(0, 20) },
  { name: 'liveness', run: liveness },
  { name: 'faults', run: faults },
  { name: 'interleavings', run: interleavings },
  { name: 'tour', run: tour },
  { name: 'random on linux, long', run: () => random('linux', 3, 160) },
  { name: 'crash, more', run: () => crash(4, 40) },
  { name: 'platforms', run: platforms },
];
