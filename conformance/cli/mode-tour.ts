/** `--tour`: every edge of some small worlds, each run on the engine. */
import { availableParallelism } from 'node:os';
import Table from 'cli-table3';
import { LEFT_OUT } from '../tour/left-out.ts';
import { runTour } from '../tour/run.ts';
import { QUICK_TOUR_SCOPES, TOUR_SCOPES } from '../tour/scopes.ts';
import type { WalkResult } from '../tour/walk.ts';
import { jobsOf } from './arguments.ts';
import type { ModeCommand } from './modes.ts';

const MISSING_SHOWN = 10;

function tableOf(walks: readonly WalkResult[]): string {
  const right = Array.from({ length: 8 }, () => 'right' as const);
  const table = new Table({
    head: ['scope', 'places', 'edges', 'taken', 'steps', 'model states', 'model edges', 'seen', 'left out'],
    colAligns: ['left', ...right],
    style: { head: [], border: [], compact: true },
  });
  for (const { scope, places, edges, taken, actions, model } of walks) {
    const leftOut = [...model.leftOut.values()].reduce((total, count) => total + count, 0);
    table.push([scope, places, edges, taken, actions, model.states, model.edges, model.covered, leftOut]);
  }
  return table.toString();
}

/** Each class with its count and its reason. */
function leftOutLines(walks: readonly WalkResult[]): string[] {
  return LEFT_OUT.flatMap(({ id, why }) => {
    const count = walks.reduce((sum, { model }) => sum + (model.leftOut.get(id) ?? 0), 0);
    return count === 0 ? [] : [`  ${String(count).padStart(6)}  ${id}: ${why}`];
  });
}

function holeLines(walks: readonly WalkResult[]): string[] {
  const missing = walks.flatMap(({ scope, model }) => model.missing.map((edge) => `  ${scope}: ${edge}`));
  const untaken = walks.reduce((sum, { edges, taken }) => sum + edges - taken, 0);
  if (missing.length + untaken === 0) return [];
  const shown = missing.slice(0, MISSING_SHOWN);
  return [`NOT COVERED: ${untaken} edges not taken, ${missing.length} edges of the model without a reason`, ...shown];
}

const asJson = ({ model, ...walk }: WalkResult): object => ({
  ...walk,
  model: { ...model, leftOut: Object.fromEntries(model.leftOut) },
});

export const command: ModeCommand<{ readonly quick?: boolean; readonly jobs: number }> = {
  options: (options) => {
    options
      .option('--quick', 'two small scopes only')
      .option('--jobs <n>', 'threads that walk at a time', jobsOf, Math.min(2, availableParallelism()));
  },
  run: async ({ profiles, quick, jobs, command: again }, screen) => {
    const { outcome, walks } = await runTour({
      profiles,
      scopes: quick === true ? QUICK_TOUR_SCOPES : TOUR_SCOPES,
      jobs,
      command: again(null),
      onProgress: ({ what, done, total }) => screen.progress(() => `${what}: ${done} of ${total} edges found so far`),
    });
    const { figures } = outcome.evidence;
    const reasons = leftOutLines(walks);
    return {
      outcome,
      json: { tour: { ...figures, scopes: walks.map(asJson) } },
      text: [
        `\n${tableOf(walks)}`,
        ...(reasons.length === 0 ? [] : ['edges of the model that this engine never takes, and why', ...reasons]),
        ...holeLines(walks),
        `${figures.taken} of ${figures.edges} edges taken, in ${figures.legs} legs`,
      ],
    };
  },
};
