/**
 * The states of a run, made again from its events by the model itself: one frame a step, frame 0 before the first.
 * The page does this in the browser; nothing in it knows of pages.
 */
import { type ChartTransition, chartOf } from '../../../model/chart.ts';
import { guards } from '../../../model/guards.ts';
import type { ModelState } from '../../../model/step.ts';
import { can, initialState, stateOf, step } from '../../../model/step.ts';
import { pathOf } from '../../../model/transitions.ts';
import type { Bounds, Context, ModelEvent } from '../../../model/vocabulary.ts';
import type { StoredState, TracePage } from '../page-data.ts';

/** One event of the model within a step. */
export interface Taken {
  readonly before: ModelState;
  readonly event: ModelEvent;
  /** The state itself when the model refused the event. */
  readonly after: ModelState;
  /** The transition that took it; null: refused. */
  readonly transition: string | null;
}

export interface Frame {
  readonly state: ModelState;
  readonly taken: readonly Taken[];
}

const CHART = chartOf();

type AnyGuard = (context: Context, event: ModelEvent) => boolean;
export const guardNamed = (name: string): AnyGuard => (guards as Readonly<Record<string, AnyGuard>>)[name] as AnyGuard;

/** Ways in which a state can take an event, innermost state first, in the order in which they are tried. */
export function waysOf(path: string, event: string): ChartTransition[] {
  const around = path.split('.').map((_, i, parts) => parts.slice(0, parts.length - i).join('.'));
  return around.flatMap((each) => CHART.transitions.filter(({ from, event: type }) => from === each && type === event));
}

/** The transition that takes the event in this state, or null. */
export function transitionOf({ value, context }: ModelState, event: ModelEvent): ChartTransition | null {
  const ways = waysOf(pathOf(value), event.type);
  return ways.find((way) => way.guards.every((name) => guardNamed(name)(context, event))) ?? null;
}

export function takeEvent(before: ModelState, event: ModelEvent): Taken {
  if (!can(before, event)) return { before, event, after: before, transition: null };
  return { before, event, after: step(before, event), transition: transitionOf(before, event)?.id ?? null };
}

/** @param first the state of a store with a past. */
export const firstFrame = (bounds: Bounds, first?: StoredState): Frame => ({
  state: first === undefined ? initialState(bounds) : restored(first, bounds),
  taken: [],
});

const restored = ({ value, context }: StoredState, bounds: Bounds): ModelState =>
  stateOf(value, { ...context, bounds });

/** The frame after some events, one after the other. @param corrected see TraceStep. */
export function nextFrame(
  state: ModelState,
  events: readonly ModelEvent[],
  corrected: Readonly<Record<string, StoredState>> = {},
): Frame {
  const { bounds } = state.context;
  const correct = (at: ModelState, index: number): ModelState => {
    const stored = corrected[index];
    return stored === undefined ? at : restored(stored, bounds);
  };
  const taken: Taken[] = [];
  let at = state;
  for (const [index, event] of events.entries()) {
    const each = takeEvent(correct(at, index), event);
    taken.push(each);
    at = each.after;
  }
  return { state: correct(at, events.length), taken };
}

export function framesOf({ bounds, first, steps }: Pick<TracePage, 'bounds' | 'first' | 'steps'>): Frame[] {
  const frames = [firstFrame(bounds, first)];
  for (const { events, corrected } of steps) {
    const { state } = frames[frames.length - 1] as Frame;
    frames.push(nextFrame(state, events, corrected));
  }
  return frames;
}

/** How often each transition of the machine was taken. */
export function heatOf(frames: readonly Frame[]): Map<string, number> {
  const heat = new Map<string, number>();
  for (const { taken } of frames)
    for (const { transition } of taken) if (transition !== null) heat.set(transition, (heat.get(transition) ?? 0) + 1);
  return heat;
}
