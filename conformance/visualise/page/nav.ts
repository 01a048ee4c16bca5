/** Ways through a run: each a key, a button with the same name, and the step that it leads to. */
import { batch } from '@preact/signals';
import type { Frame } from '../shared/frames.ts';
import { crashSteps, divergenceStep } from '../shared/landmarks.ts';
import type { Verdict } from '../shared/verdicts.ts';
import { branchFrames, currentFork, dialog, goTo, lastStep, notice, run, step, verdictsAt } from './store.ts';

export interface Way {
  readonly id: string;
  /** As KeyboardEvent.key. */
  readonly key: string;
  readonly keyShown: string;
  readonly label: string;
  /** The step, or null when there is none; `none` is then said. */
  readonly find: () => number | null;
  readonly none: string;
}

const verdictsOfStep = (at: number): readonly Verdict[] => verdictsAt(branchFrames.value[at] as Frame);

const fails = (at: number): boolean => verdictsOfStep(at).some(({ truth }) => truth === 'fails');

const firstAfter = (steps: readonly number[], at: number): number | null =>
  steps.find((each) => each > at) ?? steps[0] ?? null;

const truths = (at: number): string =>
  verdictsOfStep(at)
    .map(({ truth }) => truth[0])
    .join('');

function nextChange(): number | null {
  for (let at = step.value + 1; at <= lastStep.value; at++) if (truths(at) !== truths(at - 1)) return at;
  return null;
}

export const WAYS: readonly Way[] = [
  { id: 'first', key: 'Home', keyShown: 'Home', label: 'first step', find: () => 0, none: '' },
  { id: 'back10', key: 'PageUp', keyShown: 'PgUp', label: 'ten steps back', find: () => step.value - 10, none: '' },
  { id: 'back', key: 'ArrowLeft', keyShown: '←', label: 'one step back', find: () => step.value - 1, none: '' },
  { id: 'on', key: 'ArrowRight', keyShown: '→', label: 'one step on', find: () => step.value + 1, none: '' },
  { id: 'on10', key: 'PageDown', keyShown: 'PgDn', label: 'ten steps on', find: () => step.value + 10, none: '' },
  { id: 'last', key: 'End', keyShown: 'End', label: 'last step', find: () => lastStep.value, none: '' },
  {
    id: 'violation',
    key: 'v',
    keyShown: 'v',
    label: 'first violation',
    find: () => {
      const at = branchFrames.value.findIndex((_, i) => fails(i));
      return at < 0 ? null : at;
    },
    none: 'No invariant fails at any step.',
  },
  {
    id: 'crash',
    key: 'c',
    keyShown: 'c',
    label: 'next crash',
    find: () => firstAfter(crashSteps(branchFrames.value), step.value),
    none: 'There is no crash at any step.',
  },
  {
    id: 'divergence',
    key: 'd',
    keyShown: 'd',
    label: 'first divergence',
    find: () => (currentFork.value === null ? divergenceStep(run.value?.page ?? null) : null),
    none: 'Model and engine agree at every step.',
  },
  {
    id: 'change',
    key: 'n',
    keyShown: 'n',
    label: 'next change of an invariant',
    find: nextChange,
    none: 'No invariant changes after this step.',
  },
];

export function take(way: Way): void {
  const at = way.find();
  batch(() => {
    if (at !== null) goTo(at);
    notice.value = at === null ? way.none : '';
  });
}

/** Keys typed into a field, or meant for a control that uses them itself, are not ours. */
function isTaken(event: KeyboardEvent): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey || dialog.value !== null) return true;
  const target = event.target as HTMLElement | null;
  if (target === null) return false;
  if (/^(TEXTAREA|SELECT)$/.test(target.tagName)) return true;
  if (target.tagName === 'INPUT') return (target as HTMLInputElement).type !== 'range' && event.key.length > 1;
  // A scrolling region has its own use for these keys.
  return target.dataset.scrolls !== undefined && /^(Arrow|Page|Home|End)/.test(event.key);
}

export function listenToKeys(more: Readonly<Record<string, () => void>>): void {
  addEventListener('keydown', (event) => {
    if (isTaken(event)) return;
    const way = WAYS.find(({ key }) => key === event.key);
    const other = more[event.key];
    if ((way === undefined || run.value === null) && other === undefined) return;
    event.preventDefault();
    if (other !== undefined) other();
    else if (way !== undefined) take(way);
  });
}
