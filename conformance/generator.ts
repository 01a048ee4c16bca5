/**
 * From a list of choices to a run: each choice becomes the next step among those that the model says are enabled.
 *
 * A choice picks an entry of the table by weight; an entry that is not enabled falls through to the next one that is,
 * so that no step is discarded (uniform choice with discards hardly ever finishes a flush). A share of the calls is
 * one that must be refused. A choice is two numbers and means the same in the same situation, so that fast-check can
 * shrink the list and replay it.
 *
 * What it does not do: judge. It looks at the model only, so that a wrong engine cannot steer it.
 */
import { pendingOf, retainedOf, unreadOf } from '../model/queries.ts';
import type { Context, Lifecycle, ModelEvent, StreamState } from '../model/vocabulary.ts';
import type { IoErrorCode } from '../src/core/port.ts';
import type { Action, Mode, Profile, Scenario, ScenarioStream } from './actions.ts';
import type { Fault } from './disk-operations.ts';
import type { CrashChoice } from './power-cut.ts';
import { Random } from './random.ts';

/** `entry` decides which step, `payload` its details. Both are whole numbers from 0 to 2^32 - 1. */
export interface Choice {
  readonly entry: number;
  readonly payload: number;
}

/** What the generator sees: the model's state and what of the harness decides whether a step has a meaning. */
export interface View {
  readonly scenario: Scenario;
  readonly context: Context;
  readonly lifecycle: Lifecycle;
  readonly enabled: (event: ModelEvent) => boolean;
  readonly ioUnderWay: number;
  readonly timers: number;
  readonly holdsReads: boolean;
  /** Live segments. */
  readonly segments: number;
  readonly nowMs: number;
  /** Reads that have not ended; more than a few at once say nothing new. */
  readonly readsUnderWay: number;
  readonly recovering: boolean;
}

interface Entry {
  readonly name: string;
  readonly weight: Readonly<Record<Mode, number>>;
  /** Whether such a step is enabled at all: only the weights of those count. */
  readonly when: (view: View) => boolean;
  /** Null when the details leave nothing to do, which is for the next entry then. */
  readonly make: (view: View, random: Random) => Action | null;
}

const TIME_MAX = 2 ** 48 - 1;
const BOUNDARY_BITS = [0, 1, 0xffff_ffff, 0x8000_0000, 0x7fff_ffff];
/** 1, NaN as it is made, with a payload and signalling, with either sign; infinite; the least and the largest subnormal. */
const BOUNDARY_FLOATS = [
  0x3f80_0000, 0x7fc0_0000, 0xffc0_0000, 0x7fc1_2345, 0xffff_ffff, 0x7f80_0001, 0xffbf_ffff, 0x7f80_0000, 0xff80_0000,
  0x8000_0000, 0x0000_0001, 0x807f_ffff,
];
const REFUSED_TIMES = [-1, TIME_MAX + 1, 0.5];
const FAULT_CODES: readonly IoErrorCode[] = ['IO', 'NO_SPACE', 'READ_ONLY', 'DENIED'];

/** One call in so many is one that must be refused. */
const REFUSED_SHARE = 1 / 24;

const open = ({ lifecycle }: View): boolean => lifecycle === 'ram' || lifecycle === 'flushing';

const anyStream = (view: View, random: Random): number => random.below(view.scenario.streams.length);

const withDisk = ({ scenario }: View): boolean => scenario.profile === 'linux';

const stateOf = ({ context }: View, stream: number): StreamState => context.streams[stream] as StreamState;

/** A stream for which the count is positive, the drawn one first. */
function streamWith(view: View, random: Random, count: (stream: StreamState) => number): number | null {
  const streams = view.context.streams;
  const start = random.below(streams.length);
  for (let i = 0; i < streams.length; i++) {
    const stream = (start + i) % streams.length;
    if (count(streams[stream] as StreamState) > 0) return stream;
  }
  return null;
}

/** 1, all, or something between. */
const countUpTo = (most: number, random: Random): number => random.pick([1, most, 1 + random.below(most)]);

function drawBits(view: View, stream: number, random: Random): number {
  if (random.chance(0.3)) {
    const isFloat = view.scenario.streams[stream]?.type === 'float32' && random.chance(0.6);
    if (isFloat) return random.pick(BOUNDARY_FLOATS);
    const one = 2 ** random.below(32);
    return random.pick([random.pick(BOUNDARY_BITS), one, 0xffff_ffff - one, random.next()]);
  }
  // A value that is nobody else's, so that records in the wrong place are seen.
  return (((stream + 1) << 24) | ((view.context.streams[stream]?.appended ?? 0) & 0xff_ffff)) >>> 0;
}

function drawTime(view: View, stream: number, random: Random): number {
  const period = view.scenario.streams[stream]?.periodMs ?? 0;
  const state = view.context.streams[stream];
  const last = state?.lastTimeMs ?? state?.records.at(-1)?.timeMs ?? view.nowMs;
  const step = period > 0 ? period : 1_000;
  const half = Math.floor(step / 2);
  const drawn = random.chance(0.6)
    ? last + step
    : random.pick([
        last + step + half,
        last + step - half,
        last + step + half + 1,
        last + step - half - 1,
        last,
        last - step,
        last - 86_400_000,
        view.nowMs,
        0,
        TIME_MAX,
        random.next() * 2 ** 16,
      ]);
  return Math.min(TIME_MAX, Math.max(0, drawn));
}

export function drawFault(random: Random): Fault {
  const code = random.pick(FAULT_CODES);
  const shortBytes = random.pick([0, 1, 100, 512]);
  return { code, shortBytes, keepReadable: random.chance(0.7) };
}

export function drawCrash(random: Random): CrashChoice {
  if (random.chance(0.2)) return { kind: 'kill', underWay: random.chance(0.5) ? 'done' : 'undone' };
  const keep = random.below(6);
  if (keep === 0) return { kind: 'power', keep: 'nothing' };
  return { kind: 'power', keep: keep === 1 ? 'everything' : { seed: random.next() } };
}

/** The steps there are. Weights were set by the counts per event that a run prints: nothing may starve. */
const ENTRIES: readonly Entry[] = [
  {
    name: 'open',
    weight: { ram: 100, disk: 100, crash: 100 },
    when: (view) => view.enabled({ type: 'OPEN' }),
    make: () => ({ do: 'open' }),
  },
  {
    name: 'append',
    weight: { ram: 100, disk: 120, crash: 90 },
    when: open,
    make: (view, random) => {
      const stream = anyStream(view, random);
      const timeMs = random.chance(REFUSED_SHARE / 2) ? random.pick(REFUSED_TIMES) : drawTime(view, stream, random);
      return { do: 'append', stream, bits: drawBits(view, stream, random), timeMs };
    },
  },
  {
    name: 'appendValues',
    weight: { ram: 8, disk: 4, crash: 3 },
    when: open,
    make: (view, random) => {
      const stream = anyStream(view, random);
      const bits = Array.from({ length: random.pick([1, 1, 3]) }, () => drawBits(view, stream, random));
      return { do: 'appendValues', stream, bits };
    },
  },
  {
    name: 'markRead',
    weight: { ram: 4, disk: 2, crash: 2 },
    when: open,
    make: (view, random) => {
      const stream = streamWith(view, random, unreadOf) ?? anyStream(view, random);
      return { do: 'markRead', stream, ahead: random.pick([0, 0, 0, 1, -1]) };
    },
  },
  {
    name: 'read',
    weight: { ram: 40, disk: 25, crash: 20 },
    when: (view) => open(view) && view.readsUnderWay < 4,
    make: (view, random) => {
      const stream = streamWith(view, random, unreadOf) ?? anyStream(view, random);
      const unread = unreadOf(stateOf(view, stream));
      return { do: 'read', stream, max: random.pick([1, 2, Math.max(1, unread), unread + 1, 50]) };
    },
  },
  {
    name: 'readOldest',
    weight: { ram: 6, disk: 8, crash: 5 },
    when: (view) => open(view) && view.readsUnderWay === 0,
    make: (view, random) => {
      const unread = view.context.streams.reduce((sum, stream) => sum + unreadOf(stream), 0);
      return { do: 'readOldest', max: random.pick([1, 3, Math.max(1, unread - 1), unread + 1]) };
    },
  },
  {
    name: 'peek',
    weight: { ram: 6, disk: 6, crash: 3 },
    when: (view) => open(view) && view.readsUnderWay < 4,
    make: (view, random) => {
      const stream = anyStream(view, random);
      const retained = retainedOf(stateOf(view, stream));
      return { do: 'peek', stream, offset: random.below(retained + 2), max: random.pick([1, 3, retained + 1]) };
    },
  },
  {
    name: 'acknowledge',
    weight: { ram: 30, disk: 20, crash: 16 },
    when: open,
    make: (view, random) => {
      if (random.chance(REFUSED_SHARE)) {
        const stream = anyStream(view, random);
        const { forgiven } = stateOf(view, stream);
        return { do: 'acknowledge', stream, n: pendingOf(stateOf(view, stream)) + forgiven + 1 + random.below(3) };
      }
      const stream = streamWith(view, random, (state) => pendingOf(state) + state.forgiven);
      if (stream === null) return null;
      const state = stateOf(view, stream);
      return { do: 'acknowledge', stream, n: countUpTo(pendingOf(state) + state.forgiven, random) };
    },
  },
  {
    name: 'acknowledgeBatch',
    weight: { ram: 12, disk: 8, crash: 6 },
    when: open,
    make: (view, random) => {
      const stream = streamWith(view, random, pendingOf) ?? anyStream(view, random);
      return { do: 'acknowledgeBatch', stream, back: random.pick([0, 0, 1, 2]) };
    },
  },
  {
    name: 'revert',
    weight: { ram: 12, disk: 7, crash: 5 },
    when: open,
    make: (view, random) => {
      const stream = random.chance(0.1) ? anyStream(view, random) : streamWith(view, random, pendingOf);
      return stream === null ? null : { do: 'revert', stream };
    },
  },
  {
    name: 'discard',
    weight: { ram: 8, disk: 5, crash: 5 },
    when: open,
    make: (view, random) => {
      if (random.chance(REFUSED_SHARE)) {
        const stream = anyStream(view, random);
        return { do: 'discard', stream, n: retainedOf(stateOf(view, stream)) + 1 };
      }
      const stream = streamWith(view, random, retainedOf);
      return stream === null
        ? null
        : { do: 'discard', stream, n: countUpTo(retainedOf(stateOf(view, stream)), random) };
    },
  },
  {
    name: 'flush',
    weight: { ram: 4, disk: 12, crash: 10 },
    when: (view) => withDisk(view) && open(view),
    make: () => ({ do: 'flush' }),
  },
  {
    name: 'emergencyFlush',
    weight: { ram: 0.5, disk: 1, crash: 2 },
    when: open,
    make: (_, random) => ({ do: 'emergencyFlush', deadlineMs: random.pick([0, 200, 200, 200]) }),
  },
  {
    name: 'checkpoint',
    weight: { ram: 3, disk: 5, crash: 6 },
    when: (view) => withDisk(view) && open(view),
    make: () => ({ do: 'checkpoint' }),
  },
  {
    name: 'ready',
    weight: { ram: 2, disk: 2, crash: 1 },
    when: open,
    make: () => ({ do: 'ready' }),
  },
  {
    name: 'close',
    weight: { ram: 0.5, disk: 0.5, crash: 1 },
    when: open,
    make: () => ({ do: 'close' }),
  },
  {
    name: 'io',
    weight: { ram: 120, disk: 180, crash: 120 },
    when: (view) => view.ioUnderWay > 0,
    make: (view, random) => {
      const pick = random.below(view.ioUnderWay);
      const faultShare = view.scenario.mode === 'crash' ? 0.05 : 0.01;
      // A recovery that fails proves little and starts again: faults there are rarer still.
      const fails = random.chance(view.recovering ? faultShare / 5 : faultShare);
      return fails ? { do: 'io', pick, fault: drawFault(random) } : { do: 'io', pick };
    },
  },
  {
    name: 'drain',
    weight: { ram: 20, disk: 20, crash: 8 },
    when: (view) => view.ioUnderWay > 0,
    make: () => ({ do: 'drain' }),
  },
  {
    name: 'timer',
    weight: { ram: 20, disk: 20, crash: 15 },
    when: (view) => view.timers > 0,
    make: () => ({ do: 'timer' }),
  },
  {
    name: 'rest',
    weight: { ram: 0.5, disk: 1, crash: 0.5 },
    when: (view) => view.ioUnderWay > 0 || view.timers > 0,
    make: () => ({ do: 'rest' }),
  },
  {
    name: 'holdReads',
    weight: { ram: 2, disk: 4, crash: 2 },
    when: withDisk,
    make: (view) => ({ do: 'holdReads', hold: !view.holdsReads }),
  },
  {
    name: 'damage',
    weight: { ram: 3, disk: 6, crash: 5 },
    when: (view) => view.segments > 0 && open(view),
    make: (view, random) => ({ do: 'damage', pick: random.below(view.segments), bit: random.next() }),
  },
  {
    name: 'crash',
    weight: { ram: 0.5, disk: 1, crash: 8 },
    when: (view) => view.enabled({ type: 'CRASH' }) || view.recovering,
    make: (_, random) => ({ do: 'crash', choice: drawCrash(random) }),
  },
];

/** What users call; the rest is what the world does. */
export const CALLS: ReadonlySet<string> = new Set([
  'open',
  'append',
  'read',
  'readOldest',
  'peek',
  'acknowledge',
  'revert',
  'discard',
  'flush',
  'emergencyFlush',
  'checkpoint',
  'close',
]);

/**
 * The step that the choice means in this situation, or null when nothing is enabled.
 * @param only the entries that may be chosen; all of them when left out.
 */
export function nextAction(view: View, choice: Choice, only?: ReadonlySet<string>): Action | null {
  const { mode } = view.scenario;
  const possible = ENTRIES.filter(
    (entry) => entry.weight[mode] > 0 && (only === undefined || only.has(entry.name)) && entry.when(view),
  );
  const sum = possible.reduce((total, entry) => total + entry.weight[mode], 0);
  let rest = (choice.entry / 0x1_0000_0000) * sum;
  let start = 0;
  while (start < possible.length - 1 && rest >= (possible[start] as Entry).weight[mode]) {
    rest -= (possible[start] as Entry).weight[mode];
    start++;
  }
  for (let i = 0; i < possible.length; i++) {
    const entry = possible[(start + i) % possible.length] as Entry;
    const action = entry.make(view, new Random(choice.payload));
    if (action !== null) return action;
  }
  return null;
}

const PERIODS = [1, 2, 1_000, 1_001];

function drawStreams(random: Random, count: number): ScenarioStream[] {
  return Array.from({ length: count }, (_, index): ScenarioStream => {
    const kind = random.chance(0.5) ? 'tsd' : 'evt';
    return {
      source: random.pick(['host', 'mgc', 'can_controller'] as const),
      // The same id in another source is another stream.
      sensor: random.pick([index, 7 + Math.floor(index / 3), 0xffff_ffff - index]),
      kind,
      periodMs: kind === 'tsd' ? random.pick(PERIODS) : 0,
      type: random.pick(['uint32', 'int32', 'float32'] as const),
      priority: random.pick([0, 5, 255]),
    };
  }).filter(
    (stream, index, all) =>
      all.findIndex((other) => other.source === stream.source && other.sensor === stream.sensor) === index,
  );
}

/** The store of a run. Small on purpose: bounds that are never reached prove nothing. */
export function drawScenario(
  profile: Profile,
  seed: number,
  quotaBytesMin: (sectors: number, sectorBytes: number) => number,
): Scenario {
  const random = new Random(seed);
  const mode: Mode =
    profile === 'wiced' ? (random.chance(0.9) ? 'ram' : 'crash') : random.pick(['ram', 'disk', 'disk', 'crash']);
  const sectors = mode === 'ram' ? random.pick([4, 5, 8, 24]) : random.pick([4, 5, 8]);
  const sectorBytes = random.pick([32, 32, 40, 64]);
  const leastBytes = quotaBytesMin(sectors, sectorBytes);
  return {
    profile,
    mode,
    streams: drawStreams(random, 1 + random.below(4)),
    sectors,
    sectorBytes,
    quotaBytes: mode === 'ram' ? 4 * leastBytes : leastBytes + 4096 * random.below(3),
    whenDiskFull: random.chance(0.1) ? 'refuse-new' : 'evict-oldest',
    durableAcknowledge: random.chance(0.1),
    ...(profile === 'linux' ? drawFiles(random) : {}),
  };
}

/** How many files the store keeps free: none, hardly any, all of them; and how many it makes ahead. */
export function drawFiles(random: Random): Pick<Scenario, 'recycleBytes' | 'preallocateBytes'> {
  if (random.chance(0.5)) return {};
  const ahead = random.chance(0.4) ? { preallocateBytes: random.pick([4_096, 12_288]) } : {};
  return { recycleBytes: random.pick([0, 4_096, 8_192, 1_048_576]), ...ahead };
}
