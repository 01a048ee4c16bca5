/** The view of one run, or of the model alone: every panel on the same step. */
import { computed } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { invariantsOf } from '../shared/verdicts.ts';
import { Statechart } from './chart.tsx';
import { Compare } from './compare.tsx';
import { Crash } from './crash.tsx';
import { Gauges, Segments } from './gauges.tsx';
import { Invariants, stripOf } from './invariants.tsx';
import { Placement } from './placement.tsx';
import type { Run } from './store.ts';
import {
  branchFrames,
  branchHeat,
  engineAt,
  frame,
  frameBefore,
  judged,
  longest,
  origins,
  run,
  runOfModel,
  show,
  step,
  traceStep,
  verdictsAt,
} from './store.ts';
import { Timeline } from './timeline.tsx';
import { WhatIf } from './what-if.tsx';

interface Props {
  /** Counts of a whole run, beside those of this one; null when there are none. */
  readonly allRuns: ReadonlyMap<string, number> | null;
}

/** The chart never changes its size; what it shows of the run follows the branch. */
function Machine({ allRuns }: Props) {
  const now = frame.value;
  const heats = [
    { name: 'this run', counts: branchHeat.value },
    { name: 'off', counts: null },
    ...(allRuns === null ? [] : [{ name: 'all runs', counts: allRuns, byEvent: true }]),
  ];
  const taken = now?.taken.flatMap(({ transition }) => transition ?? []) ?? [];
  return <Statechart state={now?.state ?? null} taken={taken} heats={heats} />;
}

/** What the strips show, made anew only when more steps are judged. */
const strips = computed(() => {
  const verdicts = branchFrames.value.slice(0, judged.value).map(verdictsAt);
  const list = run.value === null ? [] : invariantsOf(run.value.bounds);
  return list.map((_, i) => stripOf(verdicts.map((each) => each[i]?.truth ?? 'idle')));
});

function Truths({ bounds }: Pick<Run, 'bounds'>) {
  const now = frame.value;
  if (now === null) return null;
  const count = branchFrames.value.length;
  return <Invariants bounds={bounds} verdicts={verdictsAt(now)} strips={strips.value} now={step.value} count={count} />;
}

function Lanes({ keys }: Pick<Run, 'keys'>) {
  const now = frame.value;
  if (now === null) return null;
  return (
    <Placement
      context={now.state.context}
      engine={engineAt(now)?.context ?? null}
      before={frameBefore.value?.state.context ?? null}
      keys={keys}
      origins={origins.value}
      longest={longest.value}
    />
  );
}

export function TraceView({ allRuns }: Props) {
  const shown = run.value;
  const now = frame.value;
  useEffect(() => {
    document.documentElement.dataset.ready = String(Math.round(performance.now()));
  }, []);
  if (shown === null || now === null) return null;
  const { context } = now.state;
  const crash = traceStep.value?.crash ?? null;
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable with the keyboard */}
      <main tabIndex={0} data-step={step.value} data-scrolls>
        <div class="panels">
          <Machine allRuns={allRuns} />
          <Truths bounds={shown.bounds} />
          <Lanes keys={shown.keys} />
          {shown.page === null ? <WhatIf state={now.state} /> : null}
          <Gauges context={context} isRunning={typeof now.state.value === 'object'} />
          <Segments context={context} crash={crash} />
          {crash === null ? null : <Crash facts={crash} />}
          {shown.page === null ? null : <WhatIf state={now.state} />}
          {shown.page === null ? null : <Compare />}
        </div>
      </main>
      <Timeline />
    </>
  );
}

/** Chooses the store that is modelled; a new one begins from its first state. */
export function ScopeChoice({
  scopes,
}: {
  readonly scopes: readonly { readonly name: string; readonly bounds: Run['bounds'] }[];
}) {
  return (
    <label>
      store{' '}
      <select
        onChange={(event) => {
          const scope = scopes[Number(event.currentTarget.value)];
          if (scope !== undefined) show(runOfModel(scope.bounds));
        }}
      >
        {scopes.map(({ name }, i) => (
          <option key={name} value={i}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}
