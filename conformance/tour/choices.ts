/**
 * What can be done at a place of the tour: every event that the model's search tries there, as a call of the engine or as
 * a deed of the world around it.
 *
 * Calls that must be refused are choices too. Events that only the engine can bring about (a commit, an eviction) are
 * not: they come of letting I/O go on. I/O goes on in phases (situation.ts): a segment, a batch of the log. Each phase may
 * also fail at its first operation, and in each power may fail, with and without what is not durable.
 *
 * A call after which the engine goes on by itself (it asks for a flush) is a choice in two ways: with the engine going on
 * at once, and with more calls in the same turn before it does.
 */
import { candidates } from '../../model/candidates.ts';
import type { Harm, Scope } from '../../model/scope.ts';
import type { ModelState } from '../../model/step.ts';
import { can, isOpen, lifecycleOf, step } from '../../model/step.ts';
import type { ModelEvent } from '../../model/vocabulary.ts';
import { SEGMENT_HEADER_BYTES } from '../../src/core/segment.ts';
import type { SingleAction } from '../actions.ts';
import type { SimulatedDisk } from '../simulated-disk.ts';
import type { TourScope } from './scopes.ts';
import { phaseOf } from './situation.ts';

/** How a choice is carried out. */
export type Deed =
  | { readonly how: 'act'; readonly action: SingleAction }
  /** Waits for the end of the turn. `event`: what the model takes for it; null for a call that must change nothing. */
  | { readonly how: 'hold'; readonly action: SingleAction; readonly event: ModelEvent | null }
  /** Everything held is done in one turn, then this, then the engine goes on. */
  | { readonly how: 'endTurn'; readonly first: readonly SingleAction[]; readonly last: readonly SingleAction[] }
  /** I/O goes on to the next phase. */
  | { readonly how: 'phase' }
  /** The operation under way fails. */
  | { readonly how: 'phaseFails' };

export interface Choice {
  /** Names the choice at its place, whatever values and times the records there have. */
  readonly label: string;
  readonly deed: Deed;
}

/** Where a choice is made. */
export interface Standpoint {
  readonly state: ModelState;
  readonly harm: Harm;
  /** Null in a store without a disk. */
  readonly disk: SimulatedDisk | null;
  /** Calls are held: the engine has done none of them yet. */
  readonly holding: boolean;
  /**
   * False where a failure would leave files behind that only the next generation of the log takes away: what they do to
   * what follows is for the runs that try every fault, and would make of every place here two.
   */
  readonly mayFail: boolean;
  /** A bit was flipped that nobody has found yet. */
  readonly flipped: boolean;
}

const act = (action: SingleAction): Deed => ({ how: 'act', action });

/** An event as it is named in edges: what was asked, not what values a record has. */
export function labelOf(event: ModelEvent): string {
  const { type, stream, n, max } = event as { type: string; stream?: number; n?: number; max?: number };
  return [type, stream, n, max].filter((part) => part !== undefined).join(' ');
}

/** The call that is this event; null when none is. */
export function callOf(event: ModelEvent): SingleAction | null {
  switch (event.type) {
    case 'APPEND':
      return { do: 'append', stream: event.stream, bits: event.valueBits, timeMs: event.timeMs };
    case 'READ':
      return { do: 'read', stream: event.stream, max: event.max };
    case 'READ_OLDEST':
      return { do: 'readOldest', max: event.max };
    case 'ACKNOWLEDGE':
      return { do: 'acknowledge', stream: event.stream, n: event.n };
    case 'DISCARD':
      return { do: 'discard', stream: event.stream, n: event.n };
    case 'REVERT':
      return { do: 'revert', stream: event.stream };
    case 'FLUSH':
      return { do: 'flush' };
    case 'CHECKPOINT':
      return { do: 'checkpoint' };
    case 'OPEN':
      return { do: 'open' };
    case 'CLOSE':
      return { do: 'close' };
    case 'RETRY_DUE':
      return { do: 'timer' };
    default:
      return null;
  }
}

/** Whether somebody can make this call here. What is no event of an open store and not accepted is none. */
function canBeMade({ state, disk, holding }: Standpoint, event: ModelEvent): boolean {
  switch (event.type) {
    case 'CHECKPOINT':
      // While something is written it would only wait for its turn, and be made then.
      return !holding && can(state, event) && isOpen(state) && disk?.pending().length === 0;
    case 'RETRY_DUE':
    case 'OPEN':
      return !holding && can(state, event) && lifecycleOf(state) !== 'closing';
    default:
      return isOpen(state);
  }
}

/** Whether the engine is on its way to do something by itself once this call is done. */
function setsOff({ state, disk }: Standpoint, event: ModelEvent): boolean {
  if (event.type === 'CLOSE') return lifecycleOf(state) === 'ram';
  if (event.type === 'OPEN') return disk === null;
  const asked = !state.context.flushRequested && step(state, stepOf(state, event)).context.flushRequested;
  return asked && lifecycleOf(state) === 'ram' && disk?.pending().length === 0;
}

/** A call of flush() does not wait for the delay after a failure: it ends it. */
const stepOf = (state: ModelState, event: ModelEvent): ModelEvent =>
  event.type === 'FLUSH' && can(state, { type: 'RETRY_DUE' }) ? { type: 'RETRY_DUE' } : event;

function callChoices(at: Standpoint, { scope, turns }: TourScope): Choice[] {
  const { state, harm, holding } = at;
  const choices: Choice[] = [];
  const named = new Set<string>();
  for (const event of candidates(state, scope, harm)) {
    const action = callOf(event);
    if (action === null || !canBeMade(at, event)) continue;
    // The same call with another time leads elsewhere: told apart by its order.
    const label = `${labelOf(event)}${named.has(labelOf(event)) ? ', other time' : ''}`;
    named.add(label);
    if (!holding) choices.push({ label, deed: act(action) });
    // A read is answered in a turn of its own: it goes first, and takes effect before the engine goes on.
    else if (event.type === 'READ' || event.type === 'READ_OLDEST')
      choices.push({ label, deed: { how: 'endTurn', first: [action], last: [] } });
    else choices.push({ label, deed: { how: 'hold', action, event: stepOf(state, event) } });
    if (turns && !holding && setsOff(at, event))
      choices.push({ label: `${label}, held`, deed: { how: 'hold', action, event: stepOf(state, event) } });
  }
  return choices;
}

/** Calls that a store which closes must refuse with CLOSED, unchanged: no events of the model. */
const CLOSED_CALLS: readonly SingleAction[] = [
  { do: 'append', stream: 0, bits: 0, timeMs: 0 },
  { do: 'acknowledge', stream: 0, n: 1 },
  { do: 'revert', stream: 0 },
  { do: 'discard', stream: 0, n: 1 },
];

const closedChoices = ({ state, holding }: Standpoint): Choice[] =>
  lifecycleOf(state) !== 'closing'
    ? []
    : CLOSED_CALLS.map((action) => ({
        label: `${action.do} refused`,
        deed: holding ? { how: 'hold', action, event: null } : { how: 'act', action },
      }));

function crashChoices({ state, disk, holding }: Standpoint, mayFail: boolean): Choice[] {
  const crashes = can(state, { type: 'CRASH' }) || (can(state, { type: 'RECOVERY_CRASHED' }) && mayFail);
  if (!crashes) return [];
  const crash = (keep: 'nothing' | 'everything'): SingleAction => ({ do: 'crash', choice: { kind: 'power', keep } });
  if (holding) return [{ label: 'CRASH', deed: { how: 'endTurn', first: [], last: [crash('nothing')] } }];
  const choices: Choice[] = [{ label: 'CRASH', deed: { how: 'act', action: crash('nothing') } }];
  // Where nothing is written, what is not durable are removals, and recovery does those again.
  if (disk !== null && phaseOf(disk) !== '')
    choices.push({ label: 'CRASH, all is left', deed: { how: 'act', action: crash('everything') } });
  return choices;
}

/** A bit of the first block, however short it is. */
const DAMAGED_BIT = 8 * (SEGMENT_HEADER_BYTES + 6);

/** Bits that flip in what is on disk. Who reads it next, or opens the store, finds it. */
function damageChoices({ state, harm, disk, holding, flipped }: Standpoint, scope: Scope): Choice[] {
  if (holding || flipped || disk === null || harm.damages >= scope.damagesMax) return [];
  // What is damaged while the store works on something else is found as late as this.
  if (phaseOf(disk) !== '' || lifecycleOf(state) === 'closing') return [];
  const { segments, streams } = state.context;
  return segments.flatMap(({ blocks }, pick) => {
    const alive = blocks.some(({ stream, to }) => to > (streams[stream]?.durableHead ?? to));
    return alive ? [{ label: `damage ${pick}`, deed: act({ do: 'damage', pick, bit: DAMAGED_BIT }) }] : [];
  });
}

/** Power is failing while nothing is written: in time for everything, and in time for nothing. */
function emergencyChoices({ state, harm, disk, holding }: Standpoint, scope: Scope): Choice[] {
  const quiet = !holding && disk?.pending().length === 0 && isOpen(state);
  if (!quiet || harm.emergencies >= scope.emergenciesMax) return [];
  return [0, 1_000].map((deadlineMs) => ({
    label: `emergency ${deadlineMs}`,
    deed: act({ do: 'emergencyFlush', deadlineMs }),
  }));
}

function ioChoices({ disk, holding }: Standpoint, mayFail: boolean): Choice[] {
  if (holding || disk === null || phaseOf(disk) === '') return [];
  const choices: Choice[] = [{ label: 'I/O', deed: { how: 'phase' } }];
  if (mayFail) choices.push({ label: 'I/O fails', deed: { how: 'phaseFails' } });
  return choices;
}

/** Everything that can be done here, in a fixed order. */
export function choicesAt(at: Standpoint, of: TourScope): Choice[] {
  const { state, holding } = at;
  const { scope, faults } = of;
  const recovering = lifecycleOf(state) === 'recovering';
  const attemptLeft = !recovering || state.context.attempts < scope.attemptsMax;
  return [
    ...(holding ? [{ label: 'let go', deed: { how: 'endTurn', first: [], last: [] } } as const] : []),
    ...callChoices(at, of),
    ...closedChoices(at),
    ...ioChoices(at, faults && attemptLeft && at.mayFail),
    ...crashChoices(at, attemptLeft),
    ...damageChoices(at, scope),
    ...emergencyChoices(at, scope),
  ];
}
