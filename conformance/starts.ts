/**
 * Deep starts: states that chance alone seldom reaches, each with the store it needs and a step that leads nearer. A run
 * that has one is led there first and goes on at random; a path that is part of the trace, not a state put there.
 *
 * A start looks at the model only, as the generator does, so that a wrong engine cannot steer it.
 */
import { pendingOf, segmentBytes, unreadOf, unsyncedOf } from '../model/queries.ts';
import type { StreamState } from '../model/vocabulary.ts';
import { sectorsUsed, syncedMark } from '../model/vocabulary.ts';
import type { Action, Profile, Scenario, ScenarioStream } from './actions.ts';
import type { View } from './generator.ts';
import type { Random } from './random.ts';

export interface Start {
  readonly name: string;
  readonly profiles: readonly Profile[];
  /** How often it is drawn, beside the others and `none`. One that takes many steps is seldom drawn. */
  readonly weight: number;
  /** The store that it needs, made from the one that was drawn; `fit` raises the quota to what the pool needs. */
  readonly store?: (drawn: Scenario, fit: Fit, random: Random) => Scenario;
  readonly reached: (view: View) => boolean;
  readonly next: (view: View, random: Random) => Action;
}

/** Gives the store the smallest quota that its pool allows. */
export type Fit = (scenario: Scenario) => Scenario;

/** Steps after which a start is given up: its store was one in which it cannot be reached. */
export const START_STEPS_MAX = 8_000;

const LINUX: readonly Profile[] = ['linux'];
const WICED: readonly Profile[] = ['wiced'];
const BOTH: readonly Profile[] = ['linux', 'wiced'];

const isOpen = ({ lifecycle }: View): boolean => lifecycle === 'ram' || lifecycle === 'flushing';

const streamsOf = ({ context }: View): readonly StreamState[] => context.streams;

const some = (view: View, rule: (stream: StreamState) => boolean): boolean => streamsOf(view).some(rule);

/** Records that the next flush would save. */
const inRam = (view: View): number => streamsOf(view).reduce((sum, stream) => sum + unsyncedOf(stream), 0);

const FAILS: Action = { do: 'io', pick: 0, fault: { code: 'IO' } };

/** On its grid for a tsd stream, a second later for another. */
function append(
  view: View,
  random: Random,
  stream = random.below(view.scenario.streams.length),
): Extract<Action, { do: 'append' }> {
  const { periodMs = 0 } = view.scenario.streams[stream] ?? {};
  const { lastTimeMs, records } = view.context.streams[stream] as StreamState;
  const last = lastTimeMs ?? records[records.length - 1]?.timeMs ?? view.nowMs;
  return { do: 'append', stream, bits: random.next(), timeMs: Math.min(2 ** 48 - 1, last + (periodMs || 1_000)) };
}

/** Whatever has to be done before the store takes calls and nothing is under way; null when it does. */
function ready(view: View): Action | null {
  if (view.enabled({ type: 'OPEN' })) return { do: 'open' };
  if (view.ioUnderWay > 0) return { do: 'drain' };
  return null;
}

/** Saves what is in RAM, once there is something. */
const appendAndFlush = (view: View, random: Random, records = 1): Action =>
  inRam(view) < records ? append(view, random) : { do: 'flush' };

const withEvt = (streams: readonly ScenarioStream[]): ScenarioStream[] =>
  streams.map((stream, i) => (i === 0 ? { ...stream, kind: 'evt', periodMs: 0 } : stream));

/** A store for thousands of records of one stream in a flush. */
const large =
  (sectors: number): NonNullable<Start['store']> =>
  (drawn, fit) =>
    fit({
      ...drawn,
      mode: 'ram',
      streams: withEvt(drawn.streams).slice(0, 1),
      sectors,
      sectorBytes: 4_096,
      whenDiskFull: 'evict-oldest',
    });

/** Evt records with unlike times: 4 bytes the value, 7 the difference to the time before. */
function appendWide(view: View, random: Random): Action {
  const isEven = (view.context.streams[0]?.appended ?? 0) % 2 === 0;
  return { ...append(view, random, 0), timeMs: isEven ? random.next() * 2 ** 15 : random.next() };
}

/** Led to by appends that are saved in one flush. */
const bySize = (name: string, weight: number, sectors: number, records: number): Start => ({
  name,
  profiles: LINUX,
  weight,
  store: large(sectors),
  reached: (view) => isOpen(view) && some(view, ({ synced }) => synced >= records),
  next: (view, random) => ready(view) ?? (inRam(view) < records ? appendWide(view, random) : { do: 'flush' }),
});

/** A stream that passes `mark` in its first records, and whose block does. */
const across = (power: number): Start => ({
  name: `sequence numbers across 2^${power}`,
  profiles: LINUX,
  weight: 3,
  store: (drawn, _, random) => ({
    ...drawn,
    streams: drawn.streams.map((stream) => ({ ...stream, startsAt: 2 ** power - 1 - random.below(4) })),
  }),
  reached: (view) => isOpen(view) && some(view, ({ head, synced }) => synced > 2 ** power + 1 && head < 2 ** power),
  next: (view, random) => ready(view) ?? (inRam(view) < 7 ? append(view, random, 0) : { do: 'flush' }),
});

export const STARTS: readonly Start[] = [
  {
    name: 'disk nearly full',
    profiles: LINUX,
    weight: 4,
    store: (drawn, fit) => fit({ ...drawn, mode: 'disk' }),
    reached: (view) =>
      isOpen(view) && segmentBytes(view.context.segments) + 2 * 4_096 >= view.context.bounds.quotaBytes,
    next: (view, random) => ready(view) ?? appendAndFlush(view, random),
  },
  {
    name: 'quota reached',
    profiles: LINUX,
    weight: 4,
    store: (drawn, fit) => fit({ ...drawn, mode: 'disk', whenDiskFull: 'evict-oldest' }),
    reached: (view) => isOpen(view) && view.context.counters.segmentsEvicted > 0,
    next: (view, random) => ready(view) ?? appendAndFlush(view, random),
  },
  {
    name: 'flush failed, retry waiting',
    profiles: LINUX,
    weight: 6,
    reached: (view) => isOpen(view) && view.context.retryWaiting,
    next: (view, random) => {
      if (isOpen(view) && view.context.flush !== null && view.ioUnderWay > 0) return FAILS;
      return ready(view) ?? appendAndFlush(view, random);
    },
  },
  {
    name: 'pending on both sides of the disk boundary',
    profiles: LINUX,
    weight: 8,
    reached: (view) => isOpen(view) && some(view, ({ head, synced, read }) => head < synced && synced < read),
    next: (view, random) => {
      const before = ready(view);
      if (before !== null) return before;
      const at = streamsOf(view).findIndex((stream) => stream.head < syncedMark(stream));
      const stream = view.context.streams[at];
      if (stream === undefined) return appendAndFlush(view, random, 2);
      if (unsyncedOf(stream) === 0) return append(view, random, at);
      return { do: 'read', stream: at, max: Math.max(1, unreadOf(stream)) };
    },
  },
  {
    name: 'closing while it flushes',
    profiles: LINUX,
    weight: 4,
    reached: ({ lifecycle, context }) => lifecycle === 'closing' && context.flush !== null,
    next: (view, random) => {
      if (view.lifecycle === 'flushing') return { do: 'close' };
      return ready(view) ?? appendAndFlush(view, random, 2);
    },
  },
  {
    name: 'closing while its flush fails',
    profiles: LINUX,
    weight: 4,
    reached: ({ lifecycle, context }) => lifecycle === 'closing' && context.counters.flushFailures > 0,
    next: (view, random) => {
      if (view.lifecycle === 'closing') return FAILS;
      if (view.lifecycle === 'flushing') return { do: 'close' };
      return ready(view) ?? appendAndFlush(view, random, 2);
    },
  },
  {
    name: 'closing with its checkpoint to write',
    profiles: LINUX,
    weight: 3,
    // Else each acknowledgement has a checkpoint of its own.
    store: (drawn) => ({ ...drawn, durableAcknowledge: false }),
    reached: (view) => view.lifecycle === 'closing' && view.context.flush === null && view.ioUnderWay > 0,
    next: (view, random) => {
      const before = ready(view);
      if (before !== null) return before;
      const pending = streamsOf(view).findIndex((stream) => pendingOf(stream) > 0);
      if (streamsOf(view).some(({ head, durableHead }) => head > durableHead) && inRam(view) === 0)
        return { do: 'close' };
      if (pending >= 0 && inRam(view) === 0) return { do: 'acknowledge', stream: pending, n: 1 };
      const unread = streamsOf(view).findIndex((stream) => unreadOf(stream) > 0);
      if (unread >= 0 && inRam(view) === 0) return { do: 'read', stream: unread, max: 2 };
      return appendAndFlush(view, random, 2);
    },
  },
  {
    name: 'recovering after a crash in recovery',
    profiles: LINUX,
    weight: 5,
    reached: ({ lifecycle, context }) => lifecycle === 'recovering' && context.attempts > 1 && context.epoch > 0,
    next: (view, random) => {
      const saved = some(view, ({ synced }) => synced > 0);
      if (view.lifecycle === 'recovering' && saved) {
        if (random.chance(0.5) && view.ioUnderWay > 0) return { do: 'io', pick: random.below(view.ioUnderWay) };
        return { do: 'crash', choice: { kind: 'power', keep: { seed: random.next() } } };
      }
      const before = ready(view);
      if (before !== null) return before;
      // What is in RAM only goes with the power; something of it may be on its way to the disk.
      return saved ? { do: 'crash', choice: { kind: 'power', keep: 'everything' } } : appendAndFlush(view, random, 2);
    },
  },
  across(16),
  across(32),
  {
    name: 'a pool of a hundred sectors, full',
    profiles: BOTH,
    weight: 1,
    store: (drawn, fit) =>
      fit({ ...drawn, mode: 'ram', streams: withEvt(drawn.streams), sectors: 100, sectorBytes: 32 }),
    reached: ({ context }) => context.free === 0,
    next: (view, random) => {
      if (!isOpen(view)) return ready(view) ?? { do: 'open' };
      // The flush that 80 % asks for waits for its I/O meanwhile.
      return append(view, random, random.chance(0.8) ? 0 : random.below(view.scenario.streams.length));
    },
  },
  {
    name: 'oldest sectors given up',
    profiles: WICED,
    weight: 6,
    reached: (view) => isOpen(view) && some(view, ({ evicted, forgiven }) => evicted > 0 && forgiven > 0),
    next: (view, random) => {
      if (!isOpen(view)) return { do: 'open' };
      const unread = streamsOf(view).findIndex((stream) => unreadOf(stream) > 1);
      const pending = streamsOf(view).some((stream) => pendingOf(stream) > 0);
      return unread >= 0 && !pending ? { do: 'read', stream: unread, max: 1 } : append(view, random);
    },
  },
  {
    name: 'at the threshold',
    profiles: BOTH,
    weight: 4,
    reached: (view) => isOpen(view) && sectorsUsed(view.context) + 1 >= view.context.bounds.flushAtSectors,
    next: (view, random) => ready(view) ?? append(view, random),
  },
  bySize('a block over 4,096 bytes', 0.3, 8, 420),
  bySize('segments over 65,536 bytes', 0.03, 24, 6_200),
];

/** The starts of a profile, in the order in which batches take them first. */
export const startsOf = (profile: Profile): readonly Start[] =>
  STARTS.filter(({ profiles }) => profiles.includes(profile));

/** How often a run begins without one, beside the weights of the starts. */
const NONE_WEIGHT = 150;

/** The start that a number from 0 to 2^32 - 1 stands for; null for none, which 0 stands for. */
export function drawStart(profile: Profile, drawn: number): Start | null {
  const starts = startsOf(profile);
  const sum = starts.reduce((total, { weight }) => total + weight, NONE_WEIGHT);
  let rest = (drawn / 0x1_0000_0000) * sum - NONE_WEIGHT;
  for (const start of starts) {
    if (rest < 0) return null;
    rest -= start.weight;
    if (rest < 0) return start;
  }
  return null;
}
