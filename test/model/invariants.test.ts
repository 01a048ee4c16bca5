/**
 * Goal: each of the 22 invariants can fail, and says which part failed where.
 * Method: a sound step is taken, its outcome is altered by hand in the one way that the invariant forbids, and the
 * check, silent on the sound step, must speak of the altered one. The premise must hold in both.
 */
import { describe, expect, it } from 'vitest';
import type { Step } from '../../model/invariants/index.ts';
import { invariants } from '../../model/invariants/index.ts';
import { machine } from '../../model/machine.ts';
import type { ModelState } from '../../model/step.ts';
import { stateOf, step } from '../../model/step.ts';
import type { Bounds, Context, ModelEvent, StreamState } from '../../model/vocabulary.ts';
import { Scenario } from './scenario.ts';

interface Case {
  /** What the altered outcome would be in a store. */
  readonly mistake: string;
  readonly store: () => Scenario;
  readonly event: ModelEvent | ((store: Scenario) => ModelEvent);
  readonly alter: (context: Context) => Partial<Context>;
  readonly says: RegExp;
}

const withStream =
  (index: number, change: (stream: StreamState) => Partial<StreamState>) =>
  ({ streams }: Context): Partial<Context> => ({
    streams: streams.map((stream, i) => (i === index ? { ...stream, ...change(stream) } : stream)),
  });

const store = (change?: Partial<Bounds>): Scenario => new Scenario(change);
const read = (max: number): ModelEvent => ({ type: 'READ', stream: 1, max });
const append: ModelEvent = { type: 'APPEND', stream: 1, valueBits: 9, timeMs: 9 };
const startFlush: ModelEvent = { type: 'FLUSH_STARTED', emergency: false };
const flushing = (scenario: Scenario): Scenario => scenario.does({ type: 'FLUSH' }).does(startFlush);
const commit = (scenario: Scenario): ModelEvent => scenario.commit();

const CASES: Readonly<Record<string, Case>> = {
  'INV-01': {
    mistake: 'an acknowledge moves read back',
    store: () => store().appends(1, 3).does(read(2)),
    event: { type: 'ACKNOWLEDGE', stream: 1, n: 1 },
    alter: withStream(1, () => ({ read: 0 })),
    says: /head 1 > read 0/,
  },
  'INV-02': {
    mistake: 'a read also advances head',
    store: () => store().appends(1, 4),
    event: read(2),
    alter: withStream(1, () => ({ head: 1 })),
    says: /appended 4 != .* retained 3/,
  },
  'INV-03': {
    mistake: 'a read begins in the tail sector',
    store: () => store().appends(1, 4),
    event: read(1),
    alter: withStream(1, () => ({ read: 3 })),
    says: /gave 3 records, 1 were due/,
  },
  'INV-04': {
    mistake: 'a new sector is not linked to its chain',
    store: () => store().appends(1, 2),
    event: append,
    alter: withStream(1, ({ sectors }) => ({ sectors: sectors.slice(0, 1) })),
    says: /owned != 10 sectors/,
  },
  'INV-05': {
    mistake: 'a flush commits without its segment',
    store: () => flushing(store().appends(1, 2)),
    event: commit,
    alter: () => ({ segments: [] }),
    says: /record 0 is in 0 blocks and 0 sectors/,
  },
  'INV-06': {
    mistake: 'a segment holds what is still in RAM',
    store: () => flushing(store().appends(1, 3)).appends(1, 2),
    event: commit,
    alter: ({ segments }) => ({
      segments: segments.map((segment) => ({ ...segment, blocks: [{ stream: 1, from: 0, to: 5 }] })),
    }),
    says: /the disk holds up to 5, RAM begins at 3/,
  },
  'INV-07': {
    mistake: 'one sector more than there are',
    store: () => store({ sectors: 1 }).appends(1, 1),
    event: append,
    alter: (context) => ({
      free: -1,
      ...withStream(1, ({ sectors }) => ({ sectors: [...sectors, { ordinal: 9, first: 2, count: 1, kind: 'evt' }] }))(
        context,
      ),
    }),
    says: /2 sectors in use of 1/,
  },
  'INV-08': {
    mistake: 'the use of the pool is not counted',
    store: () => store().appends(1, 14),
    event: append,
    alter: () => ({ flushRequested: false }),
    says: /8 of 10 sectors are in use and no flush is coming/,
  },
  'INV-09': {
    mistake: 'the sectors of a flush stay in use',
    store: () => flushing(store().appends(1, 2)),
    event: commit,
    alter: withStream(1, () => ({ sectors: [{ ordinal: 0, first: 0, count: 2, kind: 'evt' }] })),
    says: /a sector of flushed records is not free/,
  },
  'INV-10': {
    mistake: 'a segment weighs more than a file may',
    store: () => flushing(store().appends(1, 2)),
    event: commit,
    alter: ({ segments }) => ({ segments: segments.map((segment) => ({ ...segment, bytes: 2 })) }),
    says: /segment 1 has 2 bytes, 1 at most/,
  },
  'INV-11': {
    mistake: 'the next segment number is the count of segments',
    store: () => flushing(store().appends(1, 2).flushes().appends(1, 2)),
    event: commit,
    alter: ({ segments }) => ({ segments: segments.map((segment) => ({ ...segment, number: 1 })) }),
    says: /numbered 1 1/,
  },
  'INV-12': {
    mistake: 'an acknowledge erases all that is pending',
    store: () => store().appends(1, 4).does(read(4)),
    event: { type: 'ACKNOWLEDGE', stream: 1, n: 1 },
    alter: withStream(1, () => ({ head: 4, acknowledged: 4 })),
    says: /4 acknowledged by ACKNOWLEDGE, 1 allowed/,
  },
  'INV-13': {
    mistake: 'a nack leaves the cursor',
    store: () => store().appends(1, 4).does(read(2)),
    event: { type: 'REVERT', stream: 1 },
    alter: withStream(1, () => ({ read: 2 })),
    says: /read 2 != head 0/,
  },
  'INV-14': {
    mistake: 'a flush that failed frees what it was to write',
    store: () => flushing(store().appends(1, 2)),
    event: { type: 'FLUSH_FAILED' },
    alter: withStream(1, () => ({ sectors: [] })),
    says: /its chain changed/,
  },
  'INV-15': {
    mistake: 'a durable head comes back lower',
    store: () =>
      store()
        .appends(1, 2)
        .flushes()
        .does(read(1))
        .does({ type: 'ACKNOWLEDGE', stream: 1, n: 1 })
        .does({ type: 'CHECKPOINT', heads: [0, 1] })
        .crashes(),
    event: (scenario) => scenario.recovery({}),
    alter: withStream(1, () => ({ head: 0, durableHead: 0 })),
    says: /durable head went back from 1 to 0/,
  },
  'INV-16': {
    mistake: 'a record survives altered',
    store: () => store().appends(1, 2).flushes().crashes(),
    event: (scenario) => scenario.recovery({}),
    alter: withStream(1, ({ records }) => ({ records: records.map((record) => ({ ...record, valueBits: 0 })) })),
    says: /record 0 is not what was appended/,
  },
  'INV-17': {
    mistake: 'the epoch does not rise',
    store: () => store().appends(1, 2).crashes(),
    event: (scenario) => scenario.recovery({}),
    alter: () => ({ epoch: 1 }),
    says: /epoch went from 1 to 1/,
  },
  'INV-18': {
    mistake: 'recovery leaves something pending',
    store: () => store().appends(1, 2).flushes().crashes(),
    event: (scenario) => scenario.recovery({}),
    alter: withStream(1, () => ({ read: 1 })),
    says: /something pending or in RAM/,
  },
  'INV-19': {
    mistake: 'a damaged record is given out',
    store: () => store().appends(1, 2).flushes().appends(1, 2).flushes(),
    event: { type: 'DAMAGE', stream: 1, from: 2, to: 4 },
    alter: withStream(1, ({ offered }) => ({ records: offered })),
    says: /damaged record 2 is still given out/,
  },
  'INV-20': {
    mistake: 'an acknowledge of one stream moves the other',
    store: () => store().appends(0, 2).appends(1, 2).does(read(2)),
    event: { type: 'ACKNOWLEDGE', stream: 1, n: 1 },
    alter: withStream(0, () => ({ read: 1 })),
    says: /stream 0 changed by ACKNOWLEDGE on stream 1/,
  },
  'INV-21': {
    mistake: 'without a disk a discard takes one more',
    store: () => store({ disk: false }).appends(1, 3),
    event: { type: 'DISCARD', stream: 1, n: 1 },
    alter: withStream(1, () => ({ head: 2, read: 2 })),
    says: /DISCARD does something else with a disk/,
  },
  'INV-22': {
    mistake: 'an append is not counted',
    store: () => store().appends(1, 1),
    event: append,
    alter: ({ counters }) => ({ counters: { ...counters, appended: 1 } }),
    says: /appended went from 1 to 1, the step did 1/,
  },
};

const alteredState = (state: ModelState, alter: Case['alter']): ModelState =>
  stateOf(state.value, { ...state.context, ...alter(state.context) });

describe('an invariant', () => {
  it('has an id, a name, a formula and a reason of its own, 22 of them in the order of the contract', () => {
    const ids = Array.from({ length: 22 }, (_, i) => `INV-${String(i + 1).padStart(2, '0')}`);
    expect(invariants.map(({ id }) => id)).toEqual(ids);
    expect(Object.keys(CASES)).toEqual(ids);
    for (const field of ['name', 'statement', 'why'] as const) {
      expect(new Set(invariants.map((invariant) => invariant[field])).size).toBe(22);
    }
  });

  for (const invariant of invariants) {
    const { mistake, store: make, event: given, alter, says } = CASES[invariant.id] as Case;
    it(`${invariant.id} ${invariant.name} fails when ${mistake}`, () => {
      const scenario = make();
      const before = scenario.state;
      const event = typeof given === 'function' ? given(scenario) : given;
      const after = step(before, event);
      expect(after).not.toBe(before);
      const sound: Step = { before, event, after, rules: machine };
      expect(invariant.premise(sound)).toBe(true);
      expect(invariant.check(sound)).toEqual([]);
      const wrong: Step = { ...sound, after: alteredState(after, alter) };
      expect(invariant.premise(wrong)).toBe(true);
      expect(invariant.check(wrong).join('\n')).toMatch(says);
    });
  }
});
