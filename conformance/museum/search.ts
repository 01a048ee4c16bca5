/**
 * Runs inside a planted copy: the kit's modes look for the bug, one after the other, and what they found is written to
 * stdout as JSON. The first that catches it ends the search, unless every mode is asked.
 */
import { QUICK, runCrash } from '../crash/run.ts';
import { runInterleavings } from '../interleavings/run.ts';
import { runCampaign } from '../run.ts';
import type { VisitOptions } from './visit.ts';

export interface Found {
  readonly mode: string;
  readonly breaks: string;
  readonly steps: number;
  readonly runs: number;
}

const SIGN_OF_LIFE_MS = 1_000;

type Search = (options: VisitOptions) => Promise<Omit<Found, 'mode'> | null>;

/** In the order in which they look: the cheapest and least directed first, so that a catch says little about the list. */
const SEARCHES: Readonly<Record<string, Search>> = {
  random: async ({ seed, runs }) => {
    const { failure } = await runCampaign({
      seed,
      profiles: ['linux', 'wiced'],
      runs,
      steps: Number.MAX_SAFE_INTEGER,
      regressions: null,
    });
    return failure === null
      ? null
      : { breaks: failure.breaks, steps: failure.trace.actions.length, runs: failure.runs };
  },
  interleavings: async ({ seed }) => {
    const { outcome } = await runInterleavings({ seed, quick: true, runs: 100, command: '' });
    const { failure } = outcome;
    return failure === null
      ? null
      : { breaks: failure.breaks, steps: failure.trace.actions.length, runs: failure.runs };
  },
  crash: async ({ seed }) => {
    const { failure } = (await runCrash({ ...QUICK, seed, jobs: 1, command: '' })).outcome;
    return failure === null
      ? null
      : { breaks: failure.breaks, steps: failure.trace.actions.length, runs: failure.runs };
  },
};

async function search(options: VisitOptions): Promise<Found[]> {
  const found: Found[] = [];
  for (const [mode, look] of Object.entries(SEARCHES)) {
    if (options.only !== undefined && !options.only.includes(mode)) continue;
    const caught = await look(options);
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
