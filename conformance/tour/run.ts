/**
 * The tour: every scope walked to its last edge on both profiles, on the engine, without chance, in seconds.
 *
 * It has failed when model and engine part, when an edge could not be taken, or when the model's search has an edge that
 * was neither seen nor explained (left-out.ts).
 */
import { createHash } from 'node:crypto';
import type { Profile } from '../actions.ts';
import { makeOutcome } from '../evidence/make.ts';
import type { ModeOutcome, ModeProgress } from '../evidence/record.ts';
import { addCoverage, newCoverage } from '../model-run.ts';
import { edgesOf } from '../run.ts';
import { walkScopes } from './lanes.ts';
import type { TourScope } from './scopes.ts';
import { TOUR_SCOPES } from './scopes.ts';
import type { WalkResult } from './walk.ts';

export interface TourOptions {
  readonly profiles: readonly Profile[];
  /** Default: all. */
  readonly scopes?: readonly TourScope[];
  /** Threads; what is found does not hang on it. Default 1, this one. */
  readonly jobs?: number;
  /** The command that gives the same again. */
  readonly command: string;
  readonly onProgress?: ModeProgress;
}

export interface TourResult {
  readonly outcome: ModeOutcome;
  /** One a scope. */
  readonly walks: readonly WalkResult[];
}

const sum = (walks: readonly WalkResult[], of: (walk: WalkResult) => number): number =>
  walks.reduce((total, walk) => total + of(walk), 0);

/** Edges that were not taken, and edges of the model that nobody can explain. */
const holesOf = ({ edges, taken, model }: WalkResult): number => edges - taken + model.missing.length;

export async function runTour(options: TourOptions): Promise<TourResult> {
  const { profiles, scopes = TOUR_SCOPES, jobs = 1, command, onProgress } = options;
  const startedMs = performance.now();
  const chosen = scopes.filter(({ scenario }) => profiles.includes(scenario.profile));
  const results = await walkScopes(chosen, jobs, (what, done, total) => onProgress?.({ what, done, total }));
  const coverage = newCoverage();
  const hash = createHash('sha256');
  for (const result of results) {
    addCoverage(coverage, result.coverage);
    hash.update(result.hash);
  }
  const walks = results.map(({ walk }) => walk);
  const failed = results.filter(({ failure }) => failure !== null);
  const holes = failed.length > 0 ? 0 : sum(walks, holesOf);
  const outcome = makeOutcome({
    mode: 'tour',
    command,
    seed: null,
    profiles,
    seconds: (performance.now() - startedMs) / 1_000,
    steps: sum(walks, ({ actions }) => actions),
    traceHash: hash.digest('hex'),
    failures: failed.length + holes,
    figures: figuresOf(walks),
    coverage,
    possible: edgesOf(profiles),
    failure: failed[0]?.failure ?? null,
  });
  return { outcome, walks };
}

const figuresOf = (walks: readonly WalkResult[]): Record<string, number> => ({
  scopes: walks.length,
  places: sum(walks, ({ places }) => places),
  edges: sum(walks, ({ edges }) => edges),
  taken: sum(walks, ({ taken }) => taken),
  legs: sum(walks, ({ legs }) => legs),
  diverted: sum(walks, ({ diverted }) => diverted),
  modelStates: sum(walks, ({ model }) => model.states),
  modelEdges: sum(walks, ({ model }) => model.edges),
  modelCovered: sum(walks, ({ model }) => model.covered),
  modelLeftOut: sum(walks, ({ model }) => [...model.leftOut.values()].reduce((total, count) => total + count, 0)),
  modelMissing: sum(walks, ({ model }) => model.missing.length),
  modelRefused: sum(walks, ({ model }) => model.refused),
});
