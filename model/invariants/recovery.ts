/** INV-18, INV-21: recovering twice is recovering once, and a store in RAM is a store that never met its disk. */
import type { StoreMachine } from '../machine.ts';
import type { ModelState } from '../step.ts';
import { step as stepMachine } from '../step.ts';
import type { Context, Counters, ModelEvent, StreamState } from '../vocabulary.ts';
import type { Invariant, Step } from './invariant.ts';
import { findings, isEvent, isRunning, retainedRecords, sameRecord, sum } from './invariant.ts';

type Recovered = Extract<ModelEvent, { readonly type: 'RECOVERED' }>;

/** What the disk says after a recovery: nothing is left to choose. */
const recoveredAgain = ({ bounds, storeId, epoch, streams, segments }: Context): Recovered => ({
  type: 'RECOVERED',
  storeId: bounds.disk ? storeId : storeId + 1,
  epoch: bounds.disk ? epoch + 1 : 1,
  streams: streams.map(({ appended, head, discarded, evicted }) => ({ appended, head, discarded, evicted })),
  damaged: [],
  segments,
});

/** Everything a user or a later recovery can tell two recovered streams apart by. */
const sameStream = (a: StreamState, b: StreamState): boolean =>
  a.head === b.head &&
  a.read === b.read &&
  a.synced === b.synced &&
  a.appended === b.appended &&
  a.durableHead === b.durableHead &&
  a.acknowledged === b.acknowledged &&
  a.discarded === b.discarded &&
  a.evicted === b.evicted &&
  a.damaged === b.damaged &&
  JSON.stringify(a.holes) === JSON.stringify(b.holes) &&
  a.records.length === b.records.length &&
  a.records.every((record, i) => sameRecord(record, b.records[i]));

const sameStreams = (a: Context, b: Context): boolean =>
  a.streams.every((stream, i) => sameStream(stream, b.streams[i] as StreamState));

const interruptions = new WeakMap<ModelState, ModelState>();

/** The recovery that was under way, cut off by a crash and begun again. */
function interrupt(recovering: ModelState, rules: StoreMachine): ModelState {
  const known = interruptions.get(recovering);
  if (known !== undefined) return known;
  const crashed = stepMachine(recovering, { type: 'RECOVERY_CRASHED' }, rules);
  const again = stepMachine(crashed, { type: 'OPEN' }, rules);
  interruptions.set(recovering, again);
  return again;
}

export const recoveryIdempotent: Invariant = {
  id: 'INV-18',
  name: 'recovery',
  statement:
    'recover(recover(s)) = recover(s), from a crash inside recovery too; a recovered store has nothing pending, asked for, or in RAM',
  why: 'Power fails most often while power is failing: the second recovery meets what the first left.',
  premise: ({ event }) => isEvent(event, 'RECOVERED'),
  check({ before, event, after, rules }) {
    const { found, say } = findings();
    if (!isEvent(event, 'RECOVERED')) return found;
    const once = after.context;
    const clean = once.streams.every(
      ({ head, read, sectors, forgiven, lastTimeMs }) =>
        read === head && sectors.length === 0 && forgiven === 0 && lastTimeMs === null,
    );
    say(clean && once.free === once.bounds.sectors, () => 'a recovered store has something pending or in RAM');
    say(once.attempts === 0, () => `${once.attempts} tries to open are left over`);
    const crashed = stepMachine(after, { type: 'CRASH' }, rules);
    const reopened = stepMachine(crashed, { type: 'OPEN' }, rules);
    const twice = stepMachine(reopened, recoveredAgain(once), rules);
    say(twice !== reopened, () => 'what recovery left is not a state that recovery takes');
    say(twice === reopened || sameStreams(once, twice.context), () => 'the second recovery differs from the first');
    if (!once.bounds.disk) return found;
    for (const [index, { appended, head }] of once.streams.entries()) {
      const other = recoveredAgain(once);
      const streams = other.streams.map((survivor, i) =>
        i === index && appended > head ? { ...survivor, appended: appended - 1 } : survivor,
      );
      const less = stepMachine(reopened, { ...other, streams }, rules);
      say(
        appended === head || less === reopened,
        () => `stream ${index}: a second recovery may lose record ${appended - 1}`,
      );
    }
    const interrupted = interrupt(before, rules);
    const later = stepMachine(interrupted, event, rules);
    say(later !== interrupted, () => 'after a crash inside recovery the same disk is refused');
    say(
      later === interrupted || sameStreams(once, later.context),
      () => 'a crash inside recovery changed what is recovered',
    );
    return found;
  },
};

const OPERATIONS = ['APPEND', 'READ', 'READ_OLDEST', 'ACKNOWLEDGE', 'REVERT', 'DISCARD'] as const;

export const restriction: Invariant = {
  id: 'INV-21',
  name: 'restriction',
  statement: 'a step of a store without a disk that loses nothing is, from the same state, a step of a store with one',
  why: 'One set of rules and one set of tests then speak for both profiles.',
  needs: 'no disk',
  premise: ({ before, event, after }) =>
    isEvent(event, ...OPERATIONS) &&
    !after.context.bounds.disk &&
    isRunning(before) &&
    sum(after.context.streams.map(({ evicted }) => evicted)) === 0,
  check({ before, event, after, rules }: Step) {
    const { found, say } = findings();
    if (event === null) return found;
    const bounds = { ...before.context.bounds, disk: true };
    const twin = { ...before, context: { ...before.context, bounds } };
    const other = stepMachine(twin, event, rules);
    say(other !== twin, () => `with a disk ${event.type} is refused`);
    for (const [index, stream] of after.context.streams.entries()) {
      const twinStream = other.context.streams[index] as StreamState;
      // The very same object, left alone by both.
      if (stream === twinStream) continue;
      const held = retainedRecords(stream);
      const twinHeld = retainedRecords(twinStream);
      const same =
        stream.head === twinStream.head &&
        stream.read === twinStream.read &&
        stream.appended === twinStream.appended &&
        stream.lastTimeMs === twinStream.lastTimeMs &&
        JSON.stringify(stream.sectors) === JSON.stringify(twinStream.sectors) &&
        held.length === twinHeld.length &&
        held.every((record, i) => sameRecord(record, twinHeld[i]));
      say(same, () => `stream ${index}: ${event.type} does something else with a disk`);
    }
    say(after.context.free === other.context.free, () => 'with a disk another number of sectors is free');
    const [counters, twinCounters] = [after.context.counters, other.context.counters];
    const same = (Object.keys(counters) as (keyof Counters)[]).every((name) => counters[name] === twinCounters[name]);
    say(same, () => 'with a disk the statistics differ');
    return found;
  },
};
