/**
 * Runs inside a planted copy: the kit's modes look for the bug, one after the other, and what they found is written to
 * stdout as JSON. The first that catches it ends the search, unless every mode is asked.
 */
import { QUICK as CRASH_QUICK, runCrash } from '../crash/run.ts';
import { QUICK_ONE_IN as DAMAGE_ONE_IN, runDamage } from '../damage-matrix/run.ts';
import type { ModeOutcome } from '../evidence/record.ts';
import { QUICK_ONE_IN as FAULTS_ONE_IN, runFaults } from '../faults/run.ts';
import { runInterleavings } from '../interleavings/run.ts';
import { runLiveness } from '../liveness/run.ts';
import { runRefusals } from '../refusals/run.ts';
import type { Failure } from '../run.ts';
import { runCampaign } from '../run.ts';
import { runTour } from '../tour/run.ts';
import { QUICK_TOUR_SCOPES } from '../tour/scopes.ts';
import type { SEARCHING_MODES, VisitOptions } from './visit.ts';

export interface Found {
  readonly mode: string;
  readonly breaks: string;
  readonly steps: number;
  readonly runs: number;
}

const SIGN_OF_LIFE_MS = 1_000;

type Search = (options: VisitOptions) => Promise<Omit<Found, 'mode'> | null>;

const foundIn = (failure: Failure | null): Omit<Found, 'mode'> | null =>
  failure === null ? null : { breaks: failure.breaks, steps: failure.trace.actions.length, runs: failure.runs };

const randomRuns = async (seed: number, runs: number): Promise<Omit<Found, 'mode'> | null> => {
  const steps = Number.MAX_SAFE_INTEGER;
  const { failure } = await runCampaign({ seed, profiles: ['linux', 'wiced'], runs, steps, regressions: null });
  return foundIn(failure);
};

const outcomeOf = async (outcome: Promise<ModeOutcome>): Promise<Omit<Found, 'mode'> | null> =>
  foundIn((await outcome).failure);

/** Most bugs are caught by then. */
const FIRST_RUNS = 200;
const LIVENESS_STATES = 40;
const command = '';

/** In the order in which they look: the cheapest and least directed first, so that a catch says little about the list. */
const SEARCHES: readonly (readonly [mode: (typeof SEARCHING_MODES)[number], look: Search])[] = [
  ['random', ({ seed, runs }) => randomRuns(seed, Math.min(runs, FIRST_RUNS))],
  ['refusals', () => outcomeOf(runRefusals({ command }))],
  ['damage', async ({ seed }) => foundIn((await runDamage({ seed, oneIn: DAMAGE_ONE_IN, command })).outcome.failure)],
  ['faults', async ({ seed }) => foundIn((await runFaults({ seed, oneIn: FAULTS_ONE_IN, command })).outcome.failure)],
  ['crash', async ({ seed }) => foundIn((await runCrash({ ...CRASH_QUICK, seed, jobs: 1, command })).outcome.failure)],
  ['liveness', ({ seed }) => outcomeOf(runLiveness({ seed, states: LIVENESS_STATES, command }))],
  [
    'interleavings',
    async ({ seed }) => foundIn((await runInterleavings({ seed, quick: true, runs: 100, command })).outcome.failure),
  ],
  [
    'tour',
    async () =>
      foundIn((await runTour({ profiles: ['linux', 'wiced'], scopes: QUICK_TOUR_SCOPES, command })).outcome.failure),
  ],
  ['random', ({ seed, runs }) => (runs > FIRST_RUNS ? randomRuns(seed, runs) : Promise.resolve(null))],
];

/** A mode that cannot go on, for what it finds is not even what it reads, has caught the bug as well. */
const thrown = (error: unknown): Omit<Found, 'mode'> => {
  process.stderr.write(`${String(error)}\n`);
  return { breaks: 'thrown', steps: 0, runs: 1 };
};

async function search(options: VisitOptions): Promise<Found[]> {
  const found: Found[] = [];
  for (const [mode, look] of SEARCHES) {
    if (found.some((each) => each.mode === mode)) continue;
    if (options.only !== undefined && !options.only.includes(mode)) continue;
    const caught = await look(options).catch(thrown);
    if (caught === null) continue;
    found.push({ mode, ...caught });
    if (!options.everyMode) break;
  }
  return found;
}

// A sign of life for who waits; a loop that never waits gives none.
const alive = setInterval(() => process.stderr.write('.\n'), SIGN_OF_LIFE_MS);
console.log(JSON.stringify(await search(JSON.parse(process.argv[2] ?? '') as VisitOptions)));
clearInterval(alive);
