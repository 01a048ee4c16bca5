/**
 * The page's one state: which run it shows, which step of it, and the forks beside it. Every panel reads it from here, so
 * the current step is the same in all of them.
 *
 * The trunk is what the file carries and is never written to. A fork hangs on a step of the trunk and has steps of its
 * own, each made by the model in the page.
 */
import { computed, effect, signal } from '@preact/signals';
import type { ModelState } from '../../../model/step.ts';
import type { Bounds, ModelEvent } from '../../../model/vocabulary.ts';
import type { PageData, TracePage } from '../page-data.ts';
import { engineState } from '../shared/engine-state.ts';
import type { Frame } from '../shared/frames.ts';
import { firstFrame, framesOf, heatOf, nextFrame } from '../shared/frames.ts';
import type { Verdict } from '../shared/verdicts.ts';
import { verdictsOf, verdictsOfFailure } from '../shared/verdicts.ts';

export interface ForkStep {
  readonly label: string;
  readonly events: readonly ModelEvent[];
}

/** A hypothetical continuation of the trunk. */
export interface Fork {
  /** Counted from 1, never used twice. */
  readonly id: number;
  /** The step of the trunk that it goes on from. */
  readonly at: number;
  readonly steps: readonly ForkStep[];
  /** One more than `steps`: the first is the trunk's own at `at`. */
  readonly frames: readonly Frame[];
}

/** A run that can be looked at: a trace, or the model alone with a trunk of no steps. */
export interface Run {
  readonly page: TracePage | null;
  readonly bounds: Bounds;
  readonly frames: readonly Frame[];
  /** Who the streams are, in the model's order; empty for the model alone. */
  readonly keys: readonly { readonly source: string; readonly sensor: number }[];
}

/** What the file carries. */
export const data = signal<PageData>({ kind: 'model', scopes: [] });
export const run = signal<Run | null>(null);
export const forks = signal<readonly Fork[]>([]);
/** 0: the trunk. */
export const branch = signal(0);
/** On a fork: counted on from the trunk's step that it hangs on. */
export const step = signal(0);
/** Said aloud and shown in the status line. */
export const notice = signal('');
export const dialog = signal<'help' | 'share' | 'test' | 'refused' | null>(null);

export const runOfTrace = (page: TracePage): Run => ({
  page,
  bounds: page.bounds,
  frames: framesOf(page),
  keys: page.trace.scenario.streams,
});

export const runOfModel = (bounds: Bounds): Run => ({ page: null, bounds, frames: [firstFrame(bounds)], keys: [] });

/** Shows a run from its first step; forks of the one before are gone. */
export function show(next: Run): void {
  run.value = next;
  forks.value = [];
  branch.value = 0;
  step.value = 0;
}

export const currentFork = computed(() => forks.value.find(({ id }) => id === branch.value) ?? null);

/** Steps of the branch that is looked at, that of the trunk below it included. */
export const lastStep = computed(() => {
  const fork = currentFork.value;
  return fork === null ? (run.value?.frames.length ?? 1) - 1 : fork.at + fork.steps.length;
});

function frameAt(at: number): Frame | null {
  const fork = currentFork.value;
  const trunk = run.value?.frames ?? [];
  return (fork !== null && at > fork.at ? fork.frames[at - fork.at] : trunk[at]) ?? null;
}

export const frame = computed(() => frameAt(step.value));
export const frameBefore = computed(() => (step.value === 0 ? null : frameAt(step.value - 1)));
/** The step is on the fork, not on the part of the trunk that leads to it. */
export const isHypothetical = computed(() => currentFork.value !== null && step.value > currentFork.value.at);

export const traceStep = computed(() =>
  isHypothetical.value ? null : (run.value?.page?.steps[step.value - 1] ?? null),
);

const clamp = (at: number): number => Math.max(0, Math.min(lastStep.value, at));

export function goTo(at: number): void {
  step.value = clamp(at);
}

export function goToBranch(id: number, at: number): void {
  branch.value = id;
  step.value = clamp(at);
}

const forkId = (): number => Math.max(0, ...forks.value.map(({ id }) => id)) + 1;

/** Makes the fork's frames from its events. */
export function forkOf(trunk: readonly Frame[], id: number, at: number, steps: readonly ForkStep[]): Fork {
  const frames = [trunk[at] as Frame];
  for (const { events } of steps) frames.push(nextFrame((frames[frames.length - 1] as Frame).state, events));
  return { id, at, steps, frames };
}

/**
 * Lets the events happen after the current step. At the end of a fork that fork grows; anywhere else a new fork begins,
 * so that nothing that was there is written over.
 */
export function whatIf(label: string, events: readonly ModelEvent[]): void {
  const trunk = run.value?.frames;
  if (trunk === undefined) return;
  const fork = currentFork.value;
  const added: ForkStep = { label, events };
  const grows = fork !== null && step.value === lastStep.value && isHypothetical.value;
  if (grows) {
    const grown = forkOf(trunk, fork.id, fork.at, [...fork.steps, added]);
    forks.value = forks.value.map((each) => (each.id === fork.id ? grown : each));
  } else {
    const at = isHypothetical.value && fork !== null ? fork.at : step.value;
    const kept = isHypothetical.value && fork !== null ? fork.steps.slice(0, step.value - fork.at) : [];
    const begun = forkOf(trunk, forkId(), at, [...kept, added]);
    forks.value = [...forks.value, begun];
    branch.value = begun.id;
  }
  step.value = lastStep.value;
  notice.value = `hypothetical: ${label}`;
}

export function dropFork(id: number): void {
  const fork = forks.value.find((each) => each.id === id);
  if (fork === undefined) return;
  forks.value = forks.value.filter((each) => each.id !== id);
  if (branch.value === id) goToBranch(0, fork.at);
}

const known = new WeakMap<Frame, readonly Verdict[]>();

/** The frame of the engine's failure: model and engine part in it. */
export const failingFrame = computed(() => {
  const shown = run.value;
  const failure = shown?.page?.failure ?? null;
  return failure === null ? null : (shown?.frames[failure.step] ?? null);
});

export function verdictsAt(of: Frame): readonly Verdict[] {
  const found = known.get(of);
  if (found !== undefined) return found;
  const page = run.value?.page ?? null;
  const made =
    page?.failure != null && of === failingFrame.value ? verdictsOfFailure(page, page.failure, of) : verdictsOf(of);
  known.set(of, made);
  return made;
}

/** The engine at the failing step, as a state of the model; null elsewhere. */
export function engineAt(of: Frame): ModelState | null {
  const page = run.value?.page ?? null;
  const shown = page?.failure?.engine ?? null;
  return page === null || shown === null || of !== failingFrame.value
    ? null
    : engineState(of.state.context, page.trace.scenario.streams, shown);
}

/** Frames of the branch that is looked at, from its first step. */
export const branchFrames = computed((): readonly Frame[] => {
  const trunk = run.value?.frames ?? [];
  const fork = currentFork.value;
  return fork === null ? trunk : [...trunk.slice(0, fork.at + 1), ...fork.frames.slice(1)];
});

/** How often each transition was taken on the branch. */
export const branchHeat = computed(() => heatOf(branchFrames.value));

/** Where each stream began: a store may have a past before the run. */
export const origins = computed(() => run.value?.frames[0]?.state.context.streams.map(({ head }) => head) ?? []);

/** Records of the longest stream that the branch has. */
export const longest = computed(() =>
  branchFrames.value.reduce(
    (most, { state }) =>
      state.context.streams.reduce((of, { appended }, i) => Math.max(of, appended - (origins.value[i] ?? 0)), most),
    0,
  ),
);

/** Steps of the branch, from its first, of which the verdicts are there: they are made while the page can be used. */
export const judged = signal(0);

const SLICE_MS = 10;
let judging: ReturnType<typeof setTimeout> | undefined;

function judgeSome(): void {
  const frames = branchFrames.value;
  const untilMs = performance.now() + SLICE_MS;
  let at = judged.value;
  while (at < frames.length && performance.now() < untilMs) verdictsAt(frames[at++] as Frame);
  judged.value = at;
  if (at < frames.length) judging = setTimeout(judgeSome);
}

/** Judges the branch that is looked at, from now on, whichever it is. What was judged before costs nothing again. */
export function keepJudging(): void {
  effect(() => {
    void branchFrames.value;
    clearTimeout(judging);
    judged.value = 0;
    judging = setTimeout(judgeSome);
  });
}
