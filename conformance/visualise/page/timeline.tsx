/** TIMELINE: where the page is in the run, the steps around it, the ways through it, and the forks below. */
import { useEffect, useRef } from 'preact/hooks';
import { describeAction } from '../../actions.ts';
import { crashSteps, divergenceStep, glyphOf } from '../shared/landmarks.ts';
import { take, WAYS } from './nav.ts';
import { plural } from './parts.tsx';
import type { Fork } from './store.ts';
import {
  branch,
  branchFrames,
  currentFork,
  dropFork,
  forks,
  goTo,
  goToBranch,
  isHypothetical,
  lastStep,
  run,
  step,
  traceStep,
  verdictsAt,
} from './store.ts';

/** Steps drawn one by one: as many as a screen takes. */
const AROUND = 12;

/** What happened in the step, in a sentence. */
export function stepWords(): string {
  if (step.value === 0) return 'before the first step';
  if (isHypothetical.value) {
    const fork = currentFork.value;
    return `hypothetical: ${fork?.steps[step.value - fork.at - 1]?.label ?? ''}`;
  }
  const shown = traceStep.value;
  if (shown === null) return '';
  const took = shown.events.map(({ type }) => type).join(' ');
  return `${describeAction(shown.action)}${took === '' ? '' : ` → ${took}`}`;
}

function Beads() {
  const frames = branchFrames.value;
  const fork = currentFork.value;
  const at = step.value;
  const from = Math.max(0, Math.min(at - AROUND, frames.length - 2 * AROUND - 1));
  const row = useRef<HTMLOListElement>(null);
  // On a narrow screen the row scrolls by itself; the page never does.
  useEffect(() => {
    const box = row.current;
    const bead = box?.querySelector<HTMLElement>('[aria-current]');
    if (box != null && bead != null) box.scrollLeft = bead.offsetLeft - box.offsetLeft - box.clientWidth / 2;
  }, [at]);
  return (
    <ol class="beads" ref={row} aria-label="steps around the current one">
      {frames.slice(from, from + 2 * AROUND + 1).map((frame, i) => {
        const index = from + i;
        const { glyph, kind } = glyphOf(frame, run.value?.page?.steps[index - 1]?.action.do ?? null);
        const failing = verdictsAt(frame).some(({ truth }) => truth === 'fails');
        const hypothetical = fork !== null && index > fork.at;
        const classes = ['bead', failing ? 'fails' : '', hypothetical ? 'hypothetical' : ''].join(' ');
        return (
          <li key={index}>
            <button
              type="button"
              class={classes}
              aria-current={index === at ? 'step' : undefined}
              aria-label={`step ${index}: ${kind}${failing ? ', an invariant fails' : ''}${hypothetical ? ', hypothetical' : ''}`}
              onClick={() => goTo(index)}
            >
              {failing ? '✕' : glyph}
            </button>
          </li>
        );
      })}
    </ol>
  );
}

/** Landmarks over the whole run, above the slider. */
function Overview() {
  const count = Math.max(1, lastStep.value);
  const page = run.value?.page ?? null;
  const failed = currentFork.value === null ? divergenceStep(page) : null;
  return (
    <svg class="overview" viewBox="0 0 1000 12" preserveAspectRatio="none" aria-hidden="true">
      {crashSteps(branchFrames.value).map((at) => (
        <rect key={at} class="crash" x={(1000 * at) / count - 1} y="3" width="3" height="9" />
      ))}
      {failed === null ? null : <rect class="fails" x={(1000 * failed) / count - 2} y="0" width="5" height="12" />}
    </svg>
  );
}

function ForkRow({ fork }: { readonly fork: Fork }) {
  const { id, at, steps } = fork;
  const chosen = branch.value === id;
  return (
    <li class={chosen ? 'fork chosen' : 'fork'} data-fork={id}>
      <button type="button" aria-pressed={chosen} onClick={() => goToBranch(id, at + steps.length)}>
        hypothetical {id}: from step {at}, {plural(steps.length, 'step')}
      </button>
      <span class="quiet">{steps.map(({ label }) => label).join(' → ')}</span>
      <button type="button" class="small" aria-label={`drop hypothetical ${id}`} onClick={() => dropFork(id)}>
        drop
      </button>
    </li>
  );
}

export function Timeline() {
  const last = lastStep.value;
  return (
    <section class="timeline" aria-labelledby="timeline-title">
      <h2 id="timeline-title" class="unseen">
        Timeline
      </h2>
      <div class="now-row">
        <output class="position" data-position={step.value}>
          step {step.value} of {last}
        </output>
        <span class="words" data-words>
          {stepWords()}
        </span>
      </div>
      <div class="slider">
        <Overview />
        <input
          type="range"
          min="0"
          max={last}
          value={step.value}
          aria-label="step"
          aria-valuetext={`step ${step.value} of ${last}: ${stepWords()}`}
          onInput={(event) => goTo(Number(event.currentTarget.value))}
        />
      </div>
      <Beads />
      <div class="ways">
        {WAYS.map((way) => (
          <button key={way.id} type="button" data-way={way.id} onClick={() => take(way)} title={`key ${way.keyShown}`}>
            <kbd>{way.keyShown}</kbd> {way.label}
          </button>
        ))}
      </div>
      {forks.value.length === 0 ? null : (
        <ul class="forks" aria-label="forks, hypothetical">
          <li class={branch.value === 0 ? 'fork chosen' : 'fork'} data-fork="0">
            <button type="button" aria-pressed={branch.value === 0} onClick={() => goToBranch(0, step.value)}>
              what the run did
            </button>
          </li>
          {forks.value.map((fork) => (
            <ForkRow key={fork.id} fork={fork} />
          ))}
        </ul>
      )}
    </section>
  );
}
