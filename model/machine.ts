/**
 * The machine: which events a store in which state takes, under which guards, and what they do, in order.
 *
 * One machine for both profiles: without a disk the guards and actions that need one refuse or do nothing, and the one
 * rule more is that a full pool gives up its oldest sector instead of refusing the record.
 *
 * Everything is named in `setup()`, so that a list of the machine's rules, a drawing of it, and a machine with one rule
 * weakened can be made from it. It has no `after` and no `invoke`: time and I/O are events.
 *
 * Order of the lists matters and is the contract's: accounts first, then marks, then space, then what not even a crash
 * can bring back.
 */
import { and, assign, setup } from 'xstate';
import { appendActions } from './actions/append.ts';
import type { Action } from './actions/change.ts';
import { flushActions } from './actions/flush.ts';
import { lossActions } from './actions/losses.ts';
import { readerActions } from './actions/reader.ts';
import { recoveryActions } from './actions/recovery.ts';
import type { Guard, GuardName } from './guards.ts';
import { guards } from './guards.ts';
import type { Context, ModelEvent } from './vocabulary.ts';

export const actions = {
  ...recoveryActions,
  ...appendActions,
  ...readerActions,
  ...lossActions,
  ...flushActions,
} satisfies Record<string, Action>;

export type ActionName = keyof typeof actions;

/** A rule in the form the machine takes it. */
export const asAssign = (action: Action) =>
  assign<Context, ModelEvent, undefined, ModelEvent, never>(({ context, event }) => action(context, event));

export const asPredicate =
  (guard: Guard) =>
  ({ context, event }: { readonly context: Context; readonly event: ModelEvent }): boolean =>
    guard(context, event);

function mapRules<K extends string, A, B>(rules: Readonly<Record<K, A>>, form: (rule: A) => B): Record<K, B> {
  const formed = Object.entries<A>(rules).map(([name, rule]) => [name, form(rule)]);
  return Object.fromEntries(formed) as Record<K, B>;
}

const all = (...names: GuardName[]) => and<Context, ModelEvent, GuardName[]>(names);

const LOSE_OLDEST: readonly ActionName[] = [
  'enterEvicted',
  'countEvicted',
  'tallyEvicted',
  'forgiveEvicted',
  'raiseEvictedMarks',
];
const FREE_SPACE: readonly ActionName[] = ['freeDeadSectors', 'unlinkDeadSectors', 'forgetGone'];
const STORE_RECORD: readonly ActionName[] = [
  'takeFreeSector',
  'linkSector',
  'fillSector',
  'putRecord',
  'noteOffer',
  'noteIdentity',
  'advanceGrid',
  'raiseAppended',
  'countAppended',
  'askFlushAtThreshold',
];
const LOSE_POWER: readonly ActionName[] = [
  'emptyPool',
  'forgetGrid',
  'forgetForgiven',
  'forgetFlush',
  'forgetRequests',
];

/** What may be written and removed on disk whether or not a flush runs, while the store is open and while it closes. */
const UPKEEP = {
  CHECKPOINT: {
    guard: all('withDisk', 'headsAdvance'),
    actions: ['persistHeads', 'forgetGone', 'countCheckpoint'],
  },
  REMOVE_SEGMENT: { guard: 'holdsNothing', actions: ['dropSegment', 'countSegmentRemoved'] },
  CRASH: { target: '#store.crashed', actions: LOSE_POWER },
} as const;

/** A flush, the same in both states that may run one. */
const flushing = (after: 'ram' | 'draining') =>
  ({
    EVICT: {
      guard: all('isOldestSegment', 'quotaWouldOverflow', 'nothingReclaimable'),
      actions: [...LOSE_OLDEST, 'persistEvictedHeads', 'countSegmentEvicted', 'dropSegment', ...FREE_SPACE],
    },
    FLUSH_DONE: {
      target: after,
      guard: all(
        'numbersSegmentsOnward',
        'withinQuota',
        'withinFileLimit',
        'blocksOfOneSource',
        'continuesStreams',
        'reachesTargets',
        'headsAdvance',
        'headsSinceStart',
      ),
      actions: [
        'addSegments',
        'noteLastSegment',
        'commitSynced',
        'persistHeads',
        'endFlush',
        ...FREE_SPACE,
        'countFlush',
        'countSegmentsWritten',
        'askFlushAtThreshold',
      ],
    },
    FLUSH_FAILED: { target: after, actions: ['endFlush', 'waitForRetry', 'countFlushFailure'] },
  }) as const;

const START_FLUSH = { guard: 'flushAsked', actions: ['startFlush', 'clearRequest', 'clearRetry'] } as const;
const RETRY = { guard: 'retryWaits', actions: ['clearRetry', 'requestFlush'] } as const;
const TRY_TO_OPEN = { OPEN: { target: 'recovering', actions: 'countAttempt' } } as const;

export const machine = setup({
  types: {} as { context: Context; events: ModelEvent; input: Context },
  actions: mapRules<ActionName, Action, ReturnType<typeof asAssign>>(actions, asAssign),
  guards: mapRules<GuardName, Guard, ReturnType<typeof asPredicate>>(guards, asPredicate),
}).createMachine({
  id: 'store',
  // Made by the caller: `transition` runs this again, without an input, on every step.
  context: ({ input }) => input,
  initial: 'closed',
  states: {
    closed: { on: TRY_TO_OPEN },
    crashed: { on: TRY_TO_OPEN },
    failed: { on: TRY_TO_OPEN },
    recovering: {
      on: {
        RECOVERED: {
          target: 'ready',
          guard: all(
            'keepsOrRenewsStoreId',
            'raisesEpoch',
            'survivesAsPrefix',
            'headSurvives',
            'accountsForHead',
            'damageSurvived',
            'keepsSegments',
            'segmentsHoldSurvivors',
            'withinQuota',
            'withinFileLimit',
            'blocksOfOneSource',
          ),
          actions: [
            'takeEpoch',
            'takeStoreId',
            'forgetAttempts',
            'recoverCounts',
            'enterRecoveredDamage',
            'recoverHoles',
            'recoverHeads',
            'recoverReads',
            'recoverAppended',
            'dropRecordsFoundDamaged',
            'forgetGone',
            'takeSegments',
            'noteLastSegment',
            'zeroCounters',
          ],
        },
        RECOVERY_CRASHED: 'crashed',
        OPEN_FAILED: 'failed',
      },
    },
    ready: {
      initial: 'ram',
      on: {
        ...UPKEEP,
        APPEND: [
          { guard: 'fitsPool', actions: STORE_RECORD },
          { guard: 'withoutDisk', actions: [...LOSE_OLDEST, ...FREE_SPACE, ...STORE_RECORD] },
          { actions: 'countRefusal' },
        ],
        READ: { actions: ['countRead', 'raiseRead'] },
        READ_OLDEST: { actions: ['countReadOldest', 'raiseReads'] },
        ACKNOWLEDGE: {
          guard: 'withinPending',
          actions: ['countAcknowledged', 'tallyAcknowledged', 'raiseHeadByAcknowledge', 'useForgiven', ...FREE_SPACE],
        },
        REVERT: { actions: ['countReverted', 'lowerRead', 'dropForgiven'] },
        DISCARD: {
          guard: 'withinRetained',
          actions: ['countDiscarded', 'tallyDiscarded', 'raiseHeadByDiscard', 'pullReadUp', ...FREE_SPACE],
        },
        FLUSH: { guard: 'notTakenByRunningFlush', actions: 'requestFlush' },
        DAMAGE: {
          guard: 'liesOnDisk',
          actions: [
            'enterDamaged',
            'countDamaged',
            'tallyDamaged',
            'forgiveDamaged',
            'openHole',
            'dropDamagedRecords',
            'passHolesWithMarks',
            ...FREE_SPACE,
          ],
        },
      },
      states: {
        ram: {
          on: {
            FLUSH_STARTED: { ...START_FLUSH, target: 'flushing' },
            RETRY_DUE: RETRY,
            CLOSE: { target: '#store.closing', actions: 'askFlushToClose' },
          },
        },
        flushing: {
          on: { ...flushing('ram'), CLOSE: { target: '#store.closing.flushing', actions: 'askFlushToClose' } },
        },
      },
    },
    closing: {
      initial: 'draining',
      on: UPKEEP,
      states: {
        draining: {
          on: {
            FLUSH_STARTED: { ...START_FLUSH, target: 'flushing' },
            RETRY_DUE: RETRY,
            CLOSED: { target: '#store.closed', guard: all('namesUnsaved', 'headsAreDurable'), actions: LOSE_POWER },
          },
        },
        flushing: { on: flushing('draining') },
      },
    },
  },
});

export type StoreMachine = typeof machine;
