/**
 * The runs that crashes are put into: written lives, those that the mode `faults` has and some of its own, and drawn ones.
 * Small stores: what recovery reads decides how many crashes can be tried.
 *
 * Of the drawn ones a half is put together from whole deeds (a burst of appends, a flush to its end), the other half step
 * by step with the generator of the random runs, I/O operations in any order; every second of these on a disk that fails.
 */
import type { Action, Scenario, ScenarioStream } from '../actions.ts';
import { runSteps } from '../execute.ts';
import type { Script } from '../faults/scripts.ts';
import { SCRIPTS } from '../faults/scripts.ts';
import { drawScenario as drawAnyScenario, drawFiles, nextAction } from '../generator.ts';
import { newCoverage } from '../model-run.ts';
import { Random } from '../random.ts';
import { quotaBytesMin } from '../refinement.ts';
import { LIVES } from './lives.ts';

const START_MS = 1_700_000_000_000;
const PERIOD_MS = 1_000;
const STEPS = 36;

const STREAMS: readonly ScenarioStream[] = [
  { source: 'host', sensor: 1, kind: 'tsd', periodMs: PERIOD_MS, type: 'float32', priority: 9 },
  { source: 'can_controller', sensor: 1, kind: 'evt', periodMs: 0, type: 'uint32', priority: 1 },
  { source: 'mgc', sensor: 7, kind: 'evt', periodMs: 0, type: 'int32', priority: 5 },
];

/** A disk that others fill is not the image alone: the mode `faults` has crashes on it. */
const isOwnDisk = ({ actions }: Script): boolean =>
  actions.every(({ do: what }) => what !== 'space' && what !== 'fault');

function drawScenario(random: Random): Scenario {
  const sectors = random.pick([4, 5, 8]);
  const sectorBytes = random.pick([32, 64]);
  const tight = quotaBytesMin(sectors, sectorBytes);
  return {
    profile: 'linux',
    mode: 'crash',
    streams: STREAMS.slice(0, 1 + random.below(STREAMS.length)),
    sectors,
    sectorBytes,
    quotaBytes: random.pick([tight, tight + 8_192, 4 * tight]),
    whenDiskFull: random.chance(0.15) ? 'refuse-new' : 'evict-oldest',
    durableAcknowledge: random.chance(0.25),
    ...drawFiles(random),
  };
}

/** What is done next, by weight; a step that has no meaning just then is passed over. */
function drawStep(random: Random, streams: number, appended: number[]): Action[] {
  const stream = random.below(streams);
  const kind = random.below(20);
  if (kind < 7) {
    return Array.from({ length: 1 + random.below(5) }, (): Action => {
      const n = (appended[stream] as number)++;
      const jitterMs = random.pick([0, 0, 0, 700, -5_000]);
      return { do: 'append', stream, bits: random.next(), timeMs: START_MS + n * PERIOD_MS + jitterMs };
    });
  }
  if (kind < 10) return [{ do: 'flush' }, { do: 'drain' }];
  if (kind === 10) return [{ do: 'flush' }, { do: 'io', pick: 0, times: 1 + random.below(6) }];
  if (kind === 11) return [{ do: 'emergencyFlush', deadlineMs: 1_000 }, { do: 'drain' }];
  if (kind < 15) return [{ do: 'read', stream, max: 1 + random.below(8) }];
  if (kind < 17) return [{ do: 'acknowledge', stream, n: 1 + random.below(3) }];
  if (kind === 17) return [{ do: 'discard', stream, n: 1 }];
  if (kind === 18) return [{ do: 'checkpoint' }, { do: 'drain' }];
  return random.chance(0.5)
    ? [{ do: 'close' }, { do: 'drain' }, { do: 'open' }, { do: 'drain' }]
    : [{ do: 'crash', choice: { kind: 'power', keep: { seed: random.next() } } }, { do: 'open' }, { do: 'drain' }];
}

function drawDeeds(seed: number): Omit<Script, 'name'> {
  const random = new Random(seed);
  const scenario = drawScenario(random);
  const appended = scenario.streams.map(() => 0);
  const steps = Array.from({ length: STEPS }, () => drawStep(random, scenario.streams.length, appended));
  return {
    scenario,
    actions: [{ do: 'open' }, { do: 'drain' }, ...steps.flat(), { do: 'drain' }, { do: 'flush' }, { do: 'drain' }],
  };
}

/** Reads that wait say nothing of a crash, and a rest would hide its I/O steps. */
const GENERATED: ReadonlySet<string> = new Set([
  'open',
  'append',
  'appendValues',
  'markRead',
  'read',
  'readOldest',
  'acknowledge',
  'acknowledgeBatch',
  'revert',
  'discard',
  'flush',
  'emergencyFlush',
  'checkpoint',
  'close',
  'io',
  'timer',
  'damage',
  'crash',
]);
const GENERATED_STEPS = 130;
const ROOMY = 16;

/**
 * With faults the quota is roomy: an eviction whose batch failed may survive a crash unannounced, and then nobody but the
 * engine could say what it took.
 */
async function drawSteps(seed: number, withFaults: boolean): Promise<Omit<Script, 'name'>> {
  const random = new Random(seed);
  const any = drawAnyScenario('linux', random.next(), quotaBytesMin);
  const { streams, quotaBytes } = any;
  const scenario: Scenario = {
    ...any,
    mode: 'crash',
    streams: streams.slice(0, STREAMS.length),
    quotaBytes: withFaults ? ROOMY * quotaBytes : quotaBytes,
  };
  let left = GENERATED_STEPS;
  // Where model and engine part, the sweep of these actions says so.
  const { actions } = await runSteps(
    scenario,
    (run) => {
      if (left-- === 0) return null;
      const action = nextAction(run.view(), { entry: random.next(), payload: random.next() }, GENERATED);
      return action?.do === 'io' && !withFaults ? { do: 'io', pick: action.pick } : action;
    },
    newCoverage(),
  );
  return { scenario, actions };
}

async function drawn(seed: number, index: number): Promise<Script> {
  const own = (seed ^ Math.imul(index + 1, 0x9e37_79b1)) >>> 0;
  const script = index % 2 === 0 ? drawDeeds(own) : await drawSteps(own, index % 4 === 3);
  return { name: `drawn ${index + 1}`, ...script };
}

const WRITTEN = [...SCRIPTS.filter(isOwnDisk), ...LIVES];

/** The first traces are written; those behind them are drawn. */
export const TRACES_WRITTEN = WRITTEN.length;

/** The `index`-th trace of a seed. */
export const crashTrace = async (seed: number, index: number): Promise<Script> =>
  WRITTEN[index] ?? drawn(seed, index - TRACES_WRITTEN);
