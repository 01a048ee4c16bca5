/**
 * The runs that crashes are put into: the lives that the mode `faults` has, those of them that spoil nothing themselves,
 * and drawn ones. Small stores: what recovery reads decides how many crashes can be tried.
 */
import type { Action, Scenario, ScenarioStream } from '../actions.ts';
import type { Script } from '../faults/scripts.ts';
import { SCRIPTS } from '../faults/scripts.ts';
import { Random } from '../random.ts';
import { quotaBytesMin } from '../refinement.ts';

const START_MS = 1_700_000_000_000;
const PERIOD_MS = 1_000;
const STEPS = 36;

const STREAMS: readonly ScenarioStream[] = [
  { source: 'host', sensor: 1, kind: 'tsd', periodMs: PERIOD_MS, type: 'float32', priority: 9 },
  { source: 'can_controller', sensor: 1, kind: 'evt', periodMs: 0, type: 'uint32', priority: 1 },
  { source: 'mgc', sensor: 7, kind: 'evt', periodMs: 0, type: 'int32', priority: 5 },
];

/** Spoiled files and a disk that others fill change what the contract promises: other modes try those. */
const isSound = ({ actions }: Script): boolean =>
  actions.every((action) => action.do !== 'damage' && action.do !== 'space' && action.do !== 'fault');

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

function drawn(seed: number, index: number): Script {
  const random = new Random((seed ^ Math.imul(index + 1, 0x9e37_79b1)) >>> 0);
  const scenario = drawScenario(random);
  const appended = scenario.streams.map(() => 0);
  const steps = Array.from({ length: STEPS }, () => drawStep(random, scenario.streams.length, appended));
  return {
    name: `drawn ${index + 1}`,
    scenario,
    actions: [{ do: 'open' }, { do: 'drain' }, ...steps.flat(), { do: 'drain' }, { do: 'flush' }, { do: 'drain' }],
  };
}

const WRITTEN = SCRIPTS.filter(isSound);

/** The first traces are written; those behind them are drawn. */
export const TRACES_WRITTEN = WRITTEN.length;

/** The `index`-th trace of a seed. */
export const crashTrace = (seed: number, index: number): Script =>
  WRITTEN[index] ?? drawn(seed, index - TRACES_WRITTEN);
