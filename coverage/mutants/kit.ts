/**
 * The conformance kit as the only test of a mutant: its modes in their quick forms, cheap and strong ones first, for the
 * first failure ends it. Nothing is shrunk and nothing is saved; the same seeds every time.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Profile } from '../../conformance/actions.ts';
import { readTrace } from '../../conformance/actions.ts';
import { runActions, runRecipe } from '../../conformance/execute.ts';
import { casesOf, note } from '../../conformance/faults/cases.ts';
import { SCRIPTS } from '../../conformance/faults/scripts.ts';
import { runScheduled } from '../../conformance/interleavings/scheduled.ts';
import { newCoverage } from '../../conformance/model-run.ts';
import { Random } from '../../conformance/random.ts';
import { CASES, findingOf } from '../../conformance/refusals/run.ts';

export interface Check {
  readonly name: string;
  /** @throws when the mutant is caught. */
  readonly run: () => Promise<void>;
}

const REGRESSIONS = join(import.meta.dirname, '../../conformance/regressions');
const CHOICES_MAX = 160;

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
const FAULTS_ONE_IN = 211;

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

/** Most mutants are caught by these, in a moment. */
const QUICK: readonly Check[] = [
  { name: 'random on linux, a moment', run: () => random('linux', 1, 8) },
  { name: 'random on wiced, a moment', run: () => random('wiced', 1, 8) },
  { name: 'refusals', run: refusals },
  { name: 'regressions', run: regressions },
  { name: 'random on wiced', run: () => random('wiced', 2, 50) },
  { name: 'random on linux', run: () => random('linux', 2, 80) },
];

/** For what is left. */
const THOROUGH: readonly Check[] = [
  { name: 'faults', run: faults },
  { name: 'random on linux, long', run: () => random('linux', 3, 300) },
  { name: 'interleavings', run: interleavings },
];

export const CHECKS: readonly Check[] = process.env.KIT === 'quick' ? QUICK : [...QUICK, ...THOROUGH];
